"""Pairs of fields in every form, lengths of content, and authorities, as tables for both protocols."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from mint._core.events import Done
from mint._core.fields import authority
from mint._core.http1 import State as Http1
from tests import http1_driver, http2_driver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Pair = tuple[str, str]


class Text(str):
    """Text of a subclass, which may have code of its own."""

    __slots__ = ()


class PairOfText(tuple[str, str]):
    """A pair of a subclass."""

    __slots__ = ()


def sent(protocol: str, headers: Iterable[Pair]) -> list[Pair]:
    """Return the fields named x that a request has."""
    if protocol == "http2":
        talk = http2_driver.opened()
        talk.request(headers=headers)
        return [field for field in talk.fields() if field[0] == "x"]
    step = Http1(http1_driver.config()).request("GET", "/", headers, None, False)
    assert step.fault is None
    lines = [line.partition(": ") for line in b"".join(step.output).decode("latin-1").split("\r\n")]
    return [(name, value) for name, _, value in lines if name == "x"]


PAIRS: list[object] = [
    ("x", "1"),
    ["x", "1"],
    (Text("x"), "1"),
    ("x", Text("1")),
    [Text("X"), Text("1")],
    PairOfText(("x", "1")),
]
FORMS: list[Callable[[list[Pair]], Iterable[Pair]]] = [
    list,
    tuple,
    iter,
    lambda pairs: (pair for pair in pairs),
]


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("form", FORMS, ids=["list", "tuple", "iterator", "generator"])
@pytest.mark.parametrize("pair", PAIRS)
def test_pairs_of_every_form_are_sent(
    protocol: str, form: Callable[[list[object]], Iterable[Pair]], pair: object
) -> None:
    assert sent(protocol, form([pair])) == [("x", "1")]
    assert sent(protocol, form([pair, ("x", "2"), pair])) == [("x", "1"), ("x", "2"), ("x", "1")]


WRONG_PAIRS: list[object] = [
    *("xy", "x", "", b"12", None, 1),
    *((), ("x",), ("x", "1", "2"), [], ["x"], ["x", "1", "2"]),
    *((1, "1"), ("x", 1), (b"x", "1"), ("x", b"1"), (None, "1"), ("x", None)),
    *([1, "1"], ["x", 1], ["x", None], ["x", b"1"], [b"x", "1"]),
    *({"x": "1", "y": "2"}, {"x", "y"}, MappingProxyType({"x": "1", "y": "2"})),
]


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("wrong", WRONG_PAIRS)
def test_nothing_else_is_a_pair(protocol: str, wrong: Pair) -> None:
    with pytest.raises(TypeError, match="must be pairs of name and value"):
        sent(protocol, [("x", "1"), wrong])


class Keyed:
    """An object that is iterated like a mapping."""

    def keys(self) -> list[str]:
        return ["xy"]

    def __iter__(self) -> object:
        return iter(self.keys())


EMPTY: dict[str, str] = {}
WRONG_LISTS: list[object] = [
    *("xy", "", EMPTY, {"x": "1"}, MappingProxyType(EMPTY), Keyed(), None, 1, sent),
]


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("wrong", WRONG_LISTS)
def test_nothing_else_is_a_list_of_pairs(protocol: str, wrong: Iterable[Pair]) -> None:
    with pytest.raises(TypeError, match="must be pairs of name and value"):
        sent(protocol, wrong)


LENGTHS = [
    ("0", 0),
    ("5", 5),
    ("00000000000000000000000000000005", 5),
    ("0" * 40, 0),
    ("9" * 18, 10**18 - 1),
    ("0" + "9" * 18, 10**18 - 1),
    ("1" + "0" * 18, None),
    ("9" * 19, None),
    ("", None),
    ("5a", None),
    ("a", None),
    ("+5", None),
    ("-5", None),
    ("5.0", None),
    ("0x5", None),
    ("1 2", None),
    ("/", None),
    (":", None),
]


@pytest.mark.parametrize(("written", "length"), LENGTHS)
def test_a_content_length_has_up_to_18_digits(written: str, length: int | None) -> None:
    """Leading zeros do not count (RFC 9110 8.6)."""
    one = Http1(http1_driver.config()).request("GET", "/", [], None, False).state
    step = one.feed(f"HTTP/1.1 200 OK\r\ncontent-length: {written}\r\n\r\n".encode())
    two = http2_driver.with_request()
    two.feed(two.server.headers(1, [*http2_driver.OK, ("content-length", written)], end=True))
    if length is None:
        assert step.fault is not None
        assert step.fault.reason == "invalid_content_length_header"
        assert http2_driver.failure(two).reason == "malformed_response"
    else:
        # Nothing follows the head, so the message is complete if the length is 0.
        assert step.fault is None
        assert isinstance(step.responses[-1], Done) == (length == 0)
        assert isinstance(two.events[-1], Done) == (length == 0)


AUTHORITIES = [
    ("h", 80, "http", "h"),
    ("h", 443, "https", "h"),
    ("h", 443, "http", "h:443"),
    ("h", 80, "https", "h:80"),
    ("h", 80, "other", "h:80"),
    ("h", 0, "http", "h"),
    ("h", 1, "http", "h:1"),
    ("::1", 80, "http", "[::1]"),
    ("[::1]", 81, "http", "[::1]:81"),
    ("fe80::1%eth0", 81, "http", "[fe80::1]:81"),
    ("[fe80::1%eth0]", 0, "http", "[fe80::1]"),
]


@pytest.mark.parametrize(("host", "port", "scheme", "written"), AUTHORITIES)
def test_an_authority_has_no_zone_and_no_default_port(
    host: str, port: int, scheme: str, written: str
) -> None:
    assert authority(host, port, scheme) == written
