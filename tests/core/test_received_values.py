"""Every octet at every place of a value that a server sends: refused, or returned as it is.

Values are read eight octets at a time, so each place of a word and of the rest after it is tested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mint._core.events import Failed, Headers, StatusReason
from mint.tolerance import bits_of
from tests import http1_driver, http2_driver
from tests.http1_driver import HEAD, LENIENT, with_requests
from tests.http2_driver import frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mint._core.events import Event
    from mint._core.http1 import Config

    Read = Callable[[bytes], str | None]

LENGTHS = (*range(1, 18), 23, 24, 25, 26)
# All controls, and what is next to them and to the end of ASCII.
OCTETS = (*range(0x23), *range(0x7D, 0x83), 0xA0, 0xFE, 0xFF)
CONTROLS = {*range(0x20), 0x7F} - {0x09}


def values() -> Iterator[tuple[int, bytes]]:
    """Yield values with one other octet among equal ones."""
    for filling in (b"a", b"\xff", b"\x7e", b"~ "):
        for length in LENGTHS:
            line = (filling * length)[:length]
            for place in range(length):
                for octet in OCTETS:
                    yield octet, line[:place] + bytes([octet]) + line[place + 1 :]


def value_in(responses: list[Event]) -> str:
    (made,) = [each for each in responses if isinstance(each, Headers)]
    return dict(made.headers)["a"]


def http1_field(options: Config) -> Read:
    state = with_requests(options=options)

    def read(value: bytes) -> str | None:
        step = state.feed(HEAD + b"a:" + value + b"\r\ncontent-length: 0\r\n\r\n")
        return value_in(step.responses) if step.fault is None else None

    return read


def http1_fold(options: Config) -> Read:
    state = with_requests(options=options)

    def read(value: bytes) -> str | None:
        step = state.feed(HEAD + b"a:\r\n " + value + b"\r\ncontent-length: 0\r\n\r\n")
        return value_in(step.responses) if step.fault is None else None

    return read


def http1_reason(tolerance: int) -> Read:
    state = with_requests(options=http1_driver.config(status_reason=True, tolerance=tolerance))

    def read(value: bytes) -> str | None:
        step = state.feed(b"HTTP/1.1 200 " + value + b"\r\ncontent-length: 0\r\n\r\n")
        if step.fault is not None:
            return None
        return next(each.reason for each in step.responses if isinstance(each, StatusReason))

    return read


def http2_field(**limits: int) -> Read:
    talk = http2_driver.opened(**limits)  # type: ignore[arg-type]  # limits are numbers
    talk.request()

    def read(value: bytes) -> str | None:
        step = talk.state.feed(frame(1, 5, 1, b"\x88\x00\x01a" + bytes([len(value)]) + value))
        assert step.fault is None
        refused = any(isinstance(each, Failed) for each in step.responses)
        return None if refused else value_in(step.responses)

    return read


STRICT = http1_driver.config()


def shown(value: str | None) -> tuple[str, bytes, bool] | None:
    """Return a value with its octets: a str that is wrongly marked as ASCII equals the right one."""
    return None if value is None else (value, value.encode(), value.isascii())


@pytest.mark.parametrize("read", [http1_field(STRICT), http1_fold(STRICT)], ids=["a value", "a fold"])
def test_http1_refuses_controls_and_returns_everything_else(read: Read) -> None:
    for octet, value in values():
        expected = None if octet in CONTROLS else value.strip(b" \t").decode("latin-1")
        assert shown(read(value)) == shown(expected), value


def test_a_reason_phrase_is_returned_as_it_is() -> None:
    read = http1_reason(0)
    for octet, value in values():
        expected = None if octet in CONTROLS else value.decode("latin-1")
        assert shown(read(value)) == shown(expected), value


@pytest.mark.parametrize("read", [http1_field(LENIENT), http1_fold(LENIENT)], ids=["a value", "a fold"])
def test_controls_that_are_tolerated_are_returned(read: Read) -> None:
    for octet, value in values():
        if octet not in b"\n":
            expected = None if octet in b"\0\r" else value.strip(b" \t").decode("latin-1")
            assert shown(read(value)) == shown(expected), value


def test_http2_refuses_controls_and_whitespace_at_the_ends() -> None:
    read = http2_field()
    for octet, value in values():
        wrong = octet in CONTROLS or value != value.strip(b" \t")
        assert shown(read(value)) == shown(None if wrong else value.decode("latin-1")), value


def test_http2_returns_controls_that_are_tolerated() -> None:
    read = http2_field(tolerance=bits_of(True))
    for octet, value in values():
        expected = None if octet in b"\0\r\n" else value.strip(b" \t").decode("latin-1")
        assert shown(read(value)) == shown(expected), value


def cause_over_http2(name: bytes, value: bytes) -> str:
    talk = http2_driver.with_request()
    field = b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value
    talk.feed(frame(1, 5, 1, b"\x88" + field))
    return http2_driver.failure(talk).value


def test_http2_names_the_place_of_a_wrong_octet() -> None:
    for length in range(1, 10):
        for place in range(length):
            for before in (b"", b":"):
                name = before + b"n" * place + b"\xe9" + b"n" * (length - place - 1)
                said = f"has byte 0xe9 at position {place + len(before)}, which is not allowed"
                assert cause_over_http2(name, b"v").startswith(said), name
            for octet in (0x00, 0x01, 0x0A, 0x1F, 0x7F):
                rest = b"v\t" * length + b"v\x02"
                value = (b"v\t" * length)[:place] + bytes([octet]) + rest[-(length - place) :]
                said = f"has a value with byte 0x{octet:02x} at position {place}, a control character"
                assert cause_over_http2(b"n", value) == said, value
    assert cause_over_http2(b"", b"v") == "is an empty field name"
    assert (
        cause_over_http2(b"n", b" v")
        == cause_over_http2(b"n", b"\tv")
        == "has a value that begins with whitespace"
    )
    assert (
        cause_over_http2(b"n", b"v ")
        == cause_over_http2(b"n", b"v\t")
        == "has a value that ends with whitespace"
    )


BAD_FIELDS = (
    *((name, b"v") for name in (b"A", b"a b", b"", b"a\x7f", b"\xe9", b"a:")),
    *((b"a", value) for value in (b"\0", b"v\r", b"\nv", b"\x1f", b"v\x7fv", b" v", b"v ", b"\tv", b"v\t")),
)


@pytest.mark.parametrize("section", ["head", "interim response", "trailers", "promise"])
@pytest.mark.parametrize("field", [None, *BAD_FIELDS])
def test_every_kind_of_section_is_checked(section: str, field: tuple[bytes, bytes] | None) -> None:
    name, value = field or (b"a", b"v\xe9")
    literal = b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value
    talk = http2_driver.opened(mine=(("enable_push", 1),))
    one = talk.request()
    if section == "promise":
        start = b"\x82\x87\x84\x41\x0b" + b"example.org"
        talk.feed(frame(5, 4, one.number, (2).to_bytes(4) + start + literal))
        wrong = http2_driver.resets(talk) == [(2, 1)]
        right = [type(each).__name__ for each in talk.events] == ["PushPromise"]
    else:
        if section == "trailers":
            talk.feed(frame(1, 4, one.number, b"\x88"))
            talk.events.clear()
        status = {"head": b"\x88", "interim response": b"\x08\x03103", "trailers": b""}[section]
        talk.feed(frame(1, 4 if section == "interim response" else 5, one.number, status + literal))
        wrong = [type(each).__name__ for each in talk.events] == ["Failed"]
        right = "Failed" not in [type(each).__name__ for each in talk.events]
    assert (wrong, right) == (field is not None, field is None), talk.events
