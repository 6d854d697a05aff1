"""Each limit of both protocols accepts its exact value, and refuses one more."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from mint._core.events import Failed
from mint._core.http1 import State
from tests.http1_driver import config, play, with_requests
from tests.http2_driver import Server, ack, frame, opened, ping, settings

if TYPE_CHECKING:
    from collections.abc import Callable

LINE = b"HTTP/1.1 200 OK\r\n"
EMPTY = b"content-length: 0\r\n\r\n"


def padded(start: bytes, size: int, end: bytes = b"\r\n") -> bytes:
    """Return octets of exactly this size."""
    return start + b"x" * (size - len(start) - len(end)) + end


# The option, a value, input that reaches exactly this value, and the reason of the refusal beyond it.
HTTP1: dict[str, tuple[int, Callable[[int], bytes], str]] = {
    "max_fields": (5, lambda n: LINE + b"a: b\r\n" * (n - 1) + EMPTY, "too_many_headers"),
    "max_header_list_size": (
        90,
        lambda n: LINE + padded(b"a: ", n - len(EMPTY)) + EMPTY,
        "max_header_list_size_exceeded",
    ),
    "max_status_line": (30, lambda n: padded(b"HTTP/1.1 200 ", n) + EMPTY, "status_line_too_long"),
    "max_informational": (
        3,
        lambda n: b"HTTP/1.1 103 x\r\n\r\n" * n + LINE + EMPTY,
        "too_many_informational",
    ),
    "max_informational_size": (
        100,
        lambda n: b"HTTP/1.1 103 x\r\n" + padded(b"a: ", n - 18) + b"\r\n" + LINE + EMPTY,
        "too_many_informational",
    ),
    "max_trailer_fields": (
        3,
        lambda n: LINE + b"transfer-encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * n + b"\r\n",
        "too_many_headers",
    ),
    "max_trailer_size": (
        50,
        lambda n: LINE + b"transfer-encoding: chunked\r\n\r\n0\r\n" + padded(b"a: ", n - 2) + b"\r\n",
        "max_header_list_size_exceeded",
    ),
    "max_chunk_line": (
        40,
        lambda n: LINE + b"transfer-encoding: chunked\r\n\r\n" + padded(b"1;", n) + b"y\r\n0\r\n\r\n",
        "chunk_line_too_long",
    ),
}


@pytest.mark.parametrize("name", HTTP1)
@pytest.mark.parametrize("value", ["small", "default"])
def test_a_limit_of_http1_is_exact(name: str, value: str) -> None:
    small, made, reason = HTTP1[name]
    limits: dict[str, int] = {name: small} if value == "small" else {}
    options = config(**limits)  # type: ignore[arg-type]  # every limit is a number
    limit: int = getattr(options, name)
    if name == "max_informational_size" and value == "default":
        options = config(max_header_list_size=1 << 20)
    for size, fits in ((limit - 1, True), (limit, True), (limit + 1, False)):
        if size < 1:
            continue
        octets = made(size)
        for pieces in (
            [octets],
            [octets[:-1], octets[-1:]],
            [octets[i : i + 7] for i in range(0, len(octets), 7)],
        ):
            outcome = play(with_requests(options=options), pieces)
            assert (outcome.fault is None) == fits, (size, outcome.fault)
            assert outcome.done == ([1] if fits else [])
            if outcome.fault is not None:
                assert outcome.reason == reason
                assert outcome.failed[0][0] == 1


def test_the_limit_on_pipelined_requests_is_exact() -> None:
    state = State(config(max_pipelined=3))
    for _ in range(3):
        step = state.request("GET", "/", (), None, False)
        assert step.fault is None
        state = step.state
    refused = state.request("GET", "/", (), None, False)
    assert refused.fault is not None
    assert (refused.fault.reason, refused.fault.size, refused.fault.limit) == (
        "too_many_pipelined_requests",
        3,
        3,
    )
    assert refused.state is state
    # after a response, one more request is accepted
    state = state.feed(LINE + EMPTY).state
    again = state.request("GET", "/", (), None, False)
    assert again.fault is None
    assert again.state.request("GET", "/", (), None, False).fault is not None


HEAD: list[tuple[str, str]] = [(":status", "200")]


def section(size: int) -> list[tuple[str, str]]:
    """Return a response head of exactly this size, as RFC 9113 6.5.2 counts it."""
    return [*HEAD, ("a", "x" * (size - 42 - 33))]


HTTP2: dict[str, tuple[int, Callable[[int], bytes]]] = {
    "max_fields": (5, lambda n: Server().headers(1, [*HEAD, *[("a", "b")] * (n - 1)], end=True)),
    "max_header_block": (
        60,
        lambda n: frame(1, 5, 1, b"\x88\x00\x01a" + bytes([n - 5]) + b"y" * (n - 5)),
    ),
    "max_continuations": (
        3,
        lambda n: frame(1, 1, 1, b"") + frame(9, 0, 1, b"") * (n - 1) + frame(9, 4, 1, b"\x88"),
    ),
    "max_informational": (3, lambda n: frame(1, 4, 1, b"\x08\x03103") * n + frame(1, 5, 1, b"\x88")),
    "max_informational_size": (
        70,
        lambda n: (
            frame(1, 4, 1, b"\x08\x03103\x00\x01a" + bytes([n - 33]) + b"y" * (n - 33))
            + frame(1, 5, 1, b"\x88")
        ),
    ),
    "max_trailer_fields": (3, lambda n: frame(1, 4, 1, b"\x88") + frame(1, 5, 1, b"\x00\x01a\x01b" * n)),
    "max_trailer_size": (
        70,
        lambda n: frame(1, 4, 1, b"\x88") + frame(1, 5, 1, b"\x00\x01a" + bytes([n - 33]) + b"y" * (n - 33)),
    ),
    "max_settings": (12, lambda n: settings(*[(0x99, 1)] * n) + frame(1, 5, 1, b"\x88")),
}


@pytest.mark.parametrize("name", HTTP2)
def test_a_limit_of_http2_is_exact(name: str) -> None:
    limit, made = HTTP2[name]
    for size, fits in ((limit - 1, True), (limit, True), (limit + 1, False)):
        octets = made(size)
        for step in (len(octets), 1, 7):
            talk = opened(mine=(), **{name: limit})
            talk.request()
            for at in range(0, len(octets), step):
                talk.feed(octets[at : at + step])
            failed = [event for event in talk.events if isinstance(event, Failed)]
            assert bool(failed) != fits, (size, step, talk.events)
            assert talk.state.open_request_count == 0
            if not fits:
                codes = [one.number for one in talk.sent if one.kind == 3]
                codes += [one.last_and_code[1] for one in talk.sent if one.kind == 7]
                assert codes == [11], (size, talk.sent)


@pytest.mark.parametrize(("size", "fits"), [(99, True), (100, True), (101, False)])
def test_the_announced_size_of_a_header_section_is_exact(size: int, fits: bool) -> None:
    talk = opened(mine=(("max_header_list_size", 100),))
    talk.request()
    talk.feed(Server().headers(1, section(size), end=True))
    assert any(isinstance(event, Failed) for event in talk.events) != fits
    assert any(type(event).__name__ == "Headers" for event in talk.events) == fits


def test_the_limit_on_pings_is_exact() -> None:
    talk = opened(max_pings=3)
    for number in range(3):
        step = talk.state.ping(struct.pack(">Q", number))
        assert step.fault is None
        talk.take(step)
    refused = talk.state.ping(b"12345678")
    assert refused.fault is not None
    assert (refused.fault.reason, refused.fault.size, refused.fault.limit) == ("too_many_pings", 3, 3)
    assert refused.state is talk.state
    talk.feed(ping(struct.pack(">Q", 1), flags=1))
    talk.take(talk.state.ping(b"12345678"))
    assert talk.faults == []
    assert talk.state.ping(b"12345678").fault is not None


def test_the_servers_limit_on_requests_is_exact() -> None:
    talk = opened((3, 2))
    talk.request()
    second = talk.request()
    fault = talk.refuse()
    assert (fault.reason, fault.size, fault.limit) == ("too_many_concurrent_requests", 2, 2)
    talk.feed(frame(1, 5, second.number, b"\x88"))
    talk.request()
    assert talk.refuse().reason == "too_many_concurrent_requests"
    # The server allows fewer from now on: open requests continue, but no other is accepted.
    talk.feed(settings((3, 1)))
    talk.take(talk.state.cancel(type(second)(second.connection, 1)))
    assert talk.refuse().reason == "too_many_concurrent_requests"


def test_windows_are_exact() -> None:
    for window, which in (((4, 10), "request"), ((4, 1 << 20), "connection")):
        talk = opened(window)
        ref = talk.request("POST", "/", [], None, True)
        room = talk.state.body_window(ref)
        assert room == (10 if which == "request" else 65_535)
        beyond = talk.state.stream_body(ref, b"x" * (room + 1))
        assert beyond.fault is not None
        assert (beyond.fault.reason, beyond.fault.name) == ("exceeds_window_size", which)
        assert (beyond.fault.size, beyond.fault.limit) == (room + 1, room)
        talk.take(talk.state.stream_body(ref, b"x" * room))
        assert talk.state.body_window(ref) == 0
        assert talk.state.stream_body(ref, b"x").fault is not None
        assert talk.state.stream_body(ref, b"").fault is None
        talk.feed(frame(8, 0, 0 if which == "connection" else 1, struct.pack(">I", 1)))
        talk.take(talk.state.stream_body(ref, b"x"))
        assert talk.state.stream_body(ref, b"x").fault is not None


def test_the_limit_on_unacknowledged_settings_is_exact() -> None:
    talk = opened()
    for _ in range(32):
        step = talk.state.put_settings((("max_frame_size", 16_384),))
        assert step.fault is None
        talk.take(step)
    refused = talk.state.put_settings((("max_frame_size", 16_384),))
    assert refused.fault is not None
    assert refused.state is talk.state
    assert (refused.fault.reason, refused.fault.size, refused.fault.limit) == ("too_many_settings", 32, 32)
    # Each acknowledgement makes room for one more.
    for count in (1, 2, 1):
        talk.feed(ack() * count)
        for _ in range(count):
            talk.take(talk.state.put_settings((("max_frame_size", 16_384),)))
        assert talk.faults == []
        assert talk.state.put_settings((("max_frame_size", 16_384),)).fault is not None
