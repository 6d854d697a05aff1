"""A request that repeats the last one (`_core/http1_repeats.pyx`) is sent like one that is built anew.

The same requests are sent on two connections. On one of them the fields are given as an iterator, which is
never stored or compared with the last request.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mint
from mint import HTTP1Options
from mint.transport import Memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mint.types import Stream

    Pair = tuple[str, str]

METHODS = ("GET", "get", "HEAD", "POST", "OPTIONS", "TRACE", "CONNECT", "G T", "", "\u0141")
TARGETS = (
    "/", "/a", "/bb", "/%41", "/%4", "/#f", "/a b", "/\xe4", "/\u0141", "/a\r\nx: y", "*", "", "a",
    "example.org:80", "http://example.org/", "http://else.example/a",
)  # fmt: skip
FIELDS: Sequence[Pair] = (
    ("a", "b"),
    ("A", "b"),
    ("a", "c"),
    ("a", ""),
    ("b", "a"),
    ("a", "\xe4"),
    ("a", "\u0141"),
    ("a", "b\r\nc: d"),
    ("a b", "c"),
    ("host", "else.example"),
    ("host", "a b"),
    ("user-agent", "me"),
    ("authorization", "Bearer a"),
    ("authorization", "Bearer b"),
    ("connection", "close"),
    ("te", "trailers"),
    ("upgrade", "other"),
    ("expect", "100-continue"),
    ("content-length", "0"),
    ("content-length", "5"),
    ("transfer-encoding", "chunked"),
)
ANSWERS = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n",
)


class Text(str):
    """A subclass of `str` that equals anything, so comparing it with the last request proves nothing."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


def _initiate(link: Memory, options: HTTP1Options, forward: bool) -> mint.HTTP1:
    return mint.http1.initiate(
        link,
        scheme="http",
        hostname="example.org",
        port=80,
        identity=7,
        http1=options,
        forward_proxy=forward,
        proxy_headers=(("x-proxy", "p"),) if forward else (),
    )


def _sent(
    conn: mint.HTTP1,
    link: Memory,
    method: str,
    target: str,
    headers: Iterable[Pair],
    body: bytes | Stream | None,
) -> tuple[mint.HTTP1, object]:
    outcome: object
    try:
        conn, outcome = conn.request(method, target, headers, body)
    except mint.HTTPError as error:
        outcome = type(error), str(error)
    return conn, (outcome, link.take(), conn.open_request_count, conn.is_open("write"))


HEADERS = st.lists(st.sampled_from(FIELDS), max_size=3)


@given(st.data())
def test_a_repeated_request_is_sent_like_a_new_one(drawn: st.DataObject) -> None:
    options = HTTP1Options(
        case_sensitive_headers=drawn.draw(st.booleans()),
        skip_target_validation=drawn.draw(st.booleans()),
        max_pipelined=drawn.draw(st.sampled_from((3, 100))),
    )
    forward = drawn.draw(st.booleans())
    links = Memory(), Memory()
    first, second = (_initiate(link, options, forward) for link in links)
    # Few choices, so that many requests repeat the one before.
    methods = drawn.draw(st.lists(st.sampled_from(METHODS), min_size=1, max_size=2))
    sections = drawn.draw(st.lists(HEADERS, min_size=1, max_size=2))
    for _ in range(drawn.draw(st.integers(2, 8))):
        method = drawn.draw(st.sampled_from(methods))
        target = drawn.draw(st.sampled_from(TARGETS))
        section = drawn.draw(st.sampled_from(sections))
        body = drawn.draw(st.sampled_from((None, None, None, b"", b"abc", mint.STREAM)))
        shape = drawn.draw(st.sampled_from(("same", "tuple", "list", "fresh")))
        headers: Iterable[Pair] = section
        if shape == "tuple":
            headers = tuple(section)
        elif shape == "list":
            headers = list(section)
        elif shape == "fresh":
            headers = [("".join(list(name)), "".join(list(value))) for name, value in section]
        first, one = _sent(first, links[0], method, target, headers, body)
        second, two = _sent(second, links[1], method, target, iter(section), body)
        assert one == two
        assert first == second
        if drawn.draw(st.booleans()) and first.open_request_count:
            octets = drawn.draw(st.sampled_from(ANSWERS))
            received = []
            for conn, link in ((first, links[0]), (second, links[1])):
                link.put(octets)
                try:
                    received.append(conn.recv(timeout=0))
                except mint.MintError:
                    return
            (first, one), (second, two) = received
            assert one == two


def _fresh() -> tuple[mint.HTTP1, Memory]:
    link = Memory()
    return _initiate(link, HTTP1Options(), forward=False), link


@pytest.mark.parametrize("where", ["method", "target", "name", "value"])
def test_a_subclass_of_str_is_sent_by_its_content(where: str) -> None:
    conn, link = _fresh()
    conn, _ = conn.request("GET", "/", (("a", "b"),))
    link.take()
    method, target, name, value = (
        Text(other) if place == where else plain
        for place, plain, other in (
            ("method", "GET", "PUT"), ("target", "/", "/x"), ("name", "a", "x"), ("value", "b", "x"),
        )
    )  # fmt: skip
    conn, _ = conn.request(method, target, ((name, value),))
    octets = link.take()
    assert octets.startswith({"method": b"PUT / ", "target": b"GET /x "}.get(where, b"GET / "))
    assert {"name": b"\r\nx: b\r\n", "value": b"\r\na: x\r\n"}.get(where, b"\r\na: b\r\n") in octets


def near(text: str) -> list[str]:
    """Return texts that differ in one character, or are shorter or longer by one."""
    changed = [text[:at] + "q" + text[at + 1 :] for at in range(len(text))]
    return [*changed, text[:-1], text[1:], text + "q", "q" + text]


@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize("kept", [0, 1])
@pytest.mark.parametrize("where", ["method", "name", "value", "target"])
def test_a_request_that_is_nearly_the_same_is_sent_as_it_is(where: str, kept: int, copied: bool) -> None:
    """Whichever field differs, and wherever; what is equal is the same object, or a copy of it."""
    plain = {"method": "PATCH", "target": "/path", "name": "x-name", "value": "the-value"}

    def sent(parts: dict[str, str], conn: mint.HTTP1, link: Memory) -> tuple[mint.HTTP1, bytes]:
        method, target, name, value = (
            "".join(list(part)) if copied else part
            for part in (parts["method"], parts["target"], parts["name"], parts["value"])
        )
        fields = ((name, value), ("x-other", "b")) if kept else (("x-other", "b"), (name, value))
        conn, _ = conn.request(method, target, fields)
        return conn, link.take()

    for other in near(plain[where]):
        if where == "target":
            other = "/" + other.lstrip("/")
        changed = {**plain, where: other}
        conn, link = _fresh()
        for parts in (plain, changed, changed, plain, plain):
            conn, octets = sent(parts, conn, link)
            line, *fields = octets.decode().split("\r\n")
            assert line == f"{parts['method']} {parts['target']} HTTP/1.1"
            assert f"{parts['name']}: {parts['value']}" in fields
            assert "x-other: b" in fields


@pytest.mark.parametrize("change", ["more", "fewer", "none"])
def test_a_request_with_another_number_of_fields_is_sent_as_it_is(change: str) -> None:
    pairs = tuple((f"x-{number}", "a") for number in range(3))
    others = {"more": (*pairs, ("x-3", "a")), "fewer": pairs[:2], "none": ()}[change]
    conn, link = _fresh()
    for fields in (pairs, others, others, pairs):
        conn, _ = conn.request("GET", "/", tuple(("".join(list(name)), value) for name, value in fields))
        octets = link.take()
        assert [f"{name}: {value}".encode() for name, value in fields] == [
            line for line in octets.split(b"\r\n") if line.startswith(b"x-")
        ]


def test_a_list_that_was_changed_is_sent_as_it_is_now() -> None:
    conn, link = _fresh()
    headers = [("a", "b")]
    for value in ("b", "c", "d", "c"):
        headers[0] = ("a", value)
        conn, _ = conn.request("GET", "/", headers)
        assert f"\r\na: {value}\r\n".encode() in link.take()


def test_a_list_that_changes_while_it_is_read_is_not_stored() -> None:
    conn, link = _fresh()
    headers: list[tuple[str, str]] = []

    class Pair(tuple[str, str]):
        __slots__ = ()

        def __iter__(self) -> Iterator[str]:
            headers[:] = [("a", "late\r\nevil: 1")]
            return iter(("a", "b"))

    headers.append(Pair(("a", "b")))
    conn, _ = conn.request("GET", "/", headers)
    assert b"\r\na: b\r\n" in link.take()
    with pytest.raises(mint.HTTPError):
        conn.request("GET", "/", headers)


def test_forks_repeat_only_their_own_requests() -> None:
    conn, link = _fresh()
    conn, _ = conn.request("GET", "/", (("authorization", "one"),))
    link.take()
    forked = conn.fork()
    fork_link = forked.transport
    assert isinstance(fork_link, Memory)
    forked, _ = forked.request("GET", "/", (("authorization", "two"),))
    assert b"two" in fork_link.take()
    conn, _ = conn.request("GET", "/", (("authorization", "one"),))
    assert b"one" in link.take()


def test_a_closed_connection_keeps_no_fields() -> None:
    conn, _ = _fresh()
    secret = "secret" * len(METHODS)
    before = sys.getrefcount(secret)
    conn, _ = conn.request("GET", "/", (("authorization", secret),))
    assert sys.getrefcount(secret) > before
    conn = conn.close()
    assert sys.getrefcount(secret) == before
