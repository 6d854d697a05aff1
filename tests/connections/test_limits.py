"""Input that exceeds each declared limit of both protocols causes the error that its declaration names.

The tests fail for an option without an example, so that no option can be declared that nothing reads.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeAlias

import pytest

import mint
from mint import ClientSettings, HTTP1Options, HTTP2Options, RequestFailed, errors
from mint._declarations import declarations
from mint.transport import Memory
from tests.core.test_exact_limits import EMPTY, HTTP1, HTTP2, LINE, section
from tests.http2_driver import (
    HOST,
    PROMISED,
    Server,
    ack,
    data,
    frame,
    frames_of,
    ping,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Options: TypeAlias = HTTP1Options | HTTP2Options
Connection: TypeAlias = mint.HTTP1 | mint.HTTP2


def begin(options: Options, *, clock: Callable[[], float] | None = None) -> tuple[Connection, Memory]:
    """Return a connection in memory; for HTTP/2, the server's SETTINGS have arrived."""
    link = Memory(clock=clock)
    if isinstance(options, HTTP1Options):
        return mint.http1.initiate(
            link, scheme="https", hostname=HOST, port=443, http1=options, identity=1
        ), link
    conn = mint.http2.initiate(link, scheme="https", hostname=HOST, port=443, http2=options, identity=1)
    link.put(settings() + ack())
    conn, _ = conn.recv(timeout=0)
    link.take()
    return conn, link


def receive(conn: Connection, link: Memory, octets: bytes) -> tuple[Connection, errors.MintError | None]:
    """Receive these octets; return the error, whether it is raised or in a response."""
    link.put(octets)
    try:
        conn, responses = conn.recv(timeout=0)
    except errors.MintError as error:
        return conn, error
    failed = [each.error for each in responses if isinstance(each, RequestFailed)]
    return conn, failed[0] if failed else None


def after_a_request(octets: bytes) -> Callable[[Options], errors.MintError | None]:
    """Return the error of octets that answer a request."""

    def play(options: Options) -> errors.MintError | None:
        conn, link = begin(options)
        conn, _ = conn.request("GET", "/")
        return receive(conn, link, octets)[1]

    return play


def repeated(octets: Callable[[int], bytes], times: int, requests: int = 0) -> Callable[[Options], object]:
    """Return the error after a number of reads, with a stopped clock and a peer that does not read."""

    def play(options: Options) -> errors.MintError | None:
        conn, link = begin(options, clock=lambda: 1.0)
        for _ in range(requests):
            conn, _ = conn.request("GET", "/")
        for number in range(times):
            conn, error = receive(conn, link, octets(number))
            if error is not None and not isinstance(error, errors.MalformedResponse):
                return error
        return None

    return play


def requested(times: int, *, early: bool = False) -> Callable[[Options], object]:
    """Return the error after a number of requests; `early` ones are sent before SETTINGS arrive."""

    def play(options: Options) -> errors.MintError | None:
        if early and isinstance(options, HTTP2Options):
            conn: Connection = mint.http2.initiate(
                Memory(), scheme="http", hostname="example.org", http2=options
            )
        else:
            conn, _ = begin(options)
        try:
            for _ in range(times):
                conn, _ = conn.request("GET", "/")
        except errors.MintError as error:
            return error
        return None

    return play


def pinged(times: int) -> Callable[[Options], object]:
    """Return the error after the client has sent a number of pings."""

    def play(options: Options) -> errors.MintError | None:
        conn, _ = begin(options)
        try:
            for _ in range(times):
                assert isinstance(conn, mint.HTTP2)
                conn, _ = conn.ping()
        except errors.MintError as error:
            return error
        return None

    return play


def discarded(size: int) -> Callable[[Options], object]:
    """Return the error that ends the connection when a response has a head of this size."""

    def play(options: Options) -> errors.MintError | None:
        assert isinstance(options, HTTP2Options)
        conn, link = begin(replace(options, client_settings=ClientSettings(max_header_list_size=100)))
        conn, _ = conn.request("GET", "/")
        after, error = receive(conn, link, Server().headers(1, section(size), end=True))
        return None if after is not conn else error

    return play


def large_frame(options: Options) -> errors.MintError | None:
    """Return the error of a frame that exceeds only the window of the connection."""
    assert isinstance(options, HTTP2Options)
    options = replace(options, client_settings=ClientSettings(max_frame_size=2**20))
    return after_a_request(frame(1, 4, 1, b"\x88") + data(1, bytes(65_536)))(options)


# Options with a small limit, an action that exceeds it by one, and one that does not.
Play: TypeAlias = "Callable[[Options], object]"
EXCEEDED: dict[tuple[type[Options | ClientSettings], str], tuple[int, Play, Play]] = {
    **{
        (HTTP1Options, name): (limit, after_a_request(made(limit + 1)), after_a_request(made(limit)))
        for name, (limit, made, _) in HTTP1.items()
    },
    (HTTP1Options, "max_pipelined"): (3, requested(4), requested(3)),
    **{
        (HTTP2Options, name): (limit, after_a_request(made(limit + 1)), after_a_request(made(limit)))
        for name, (limit, made) in HTTP2.items()
    },
    (HTTP2Options, "connection_window_size"): (
        65_535,
        large_frame,
        after_a_request(frame(1, 4, 1, b"\x88") + data(1, bytes(16_384), end=True)),
    ),
    (HTTP2Options, "max_discarded_header_list"): (
        200,
        discarded(201),
        discarded(200),
    ),
    (HTTP2Options, "max_unsent_acks"): (3, repeated(lambda _: ping(), 4), repeated(lambda _: ping(), 3)),
    (HTTP2Options, "max_glitches"): (
        5,
        repeated(lambda _: frame(0x77, 0, 0), 500),
        repeated(lambda _: frame(0x77, 0, 0), 5),
    ),
    (HTTP2Options, "max_resets"): (
        3,
        repeated(lambda number: frame(1, 5, 2 * number + 1, b"\x08\x03abc"), 4, requests=5),
        repeated(lambda number: frame(1, 5, 2 * number + 1, b"\x08\x03abc"), 3, requests=5),
    ),
    (HTTP2Options, "max_pings"): (3, pinged(4), pinged(3)),
    (HTTP2Options, "initial_max_concurrent_streams"): (3, requested(4, early=True), requested(3, early=True)),
    (ClientSettings, "max_frame_size"): (
        16_384,
        after_a_request(frame(1, 4, 1, b"\x88") + data(1, bytes(16_385))),
        after_a_request(frame(1, 4, 1, b"\x88") + data(1, bytes(16_384), end=True)),
    ),
    (ClientSettings, "max_header_list_size"): (
        100,
        after_a_request(Server().headers(1, section(101), end=True)),
        after_a_request(Server().headers(1, section(100), end=True)),
    ),
}


def limited(kind: type[Options | ClientSettings], name: str, value: int) -> Options:
    """Return options with this limit."""
    made = kind(**{name: value})  # type: ignore[arg-type]  # every limit is a number
    return HTTP2Options(client_settings=made) if isinstance(made, ClientSettings) else made


@pytest.mark.parametrize(("kind", "name"), EXCEEDED)
def test_a_limit_has_the_error_that_its_declaration_names(
    kind: type[Options | ClientSettings], name: str
) -> None:
    value, beyond, within = EXCEEDED[kind, name]
    options = limited(kind, name, value)
    error = beyond(options)
    declared = declarations(kind)[name].error
    assert type(error).__name__ == declared, error
    assert isinstance(error, errors.MintError)
    # Limits of HTTP/2 itself have errors of their own (RFC 9113 7).
    if declared not in {"FlowControlError", "FrameSizeError"}:
        assert str(value) in str(error), error
    assert within(options) is None


def test_every_limit_with_an_error_is_exceeded() -> None:
    with_error = {
        (kind, name)
        for kind in (HTTP1Options, HTTP2Options, ClientSettings)
        for name, declared in declarations(kind).items()
        if declared.error
    }
    assert with_error == set(EXCEEDED)


# ---- what every other option changes ----


def sent(*actions: Callable[[Connection], Connection]) -> Callable[[Options], object]:
    """Return what is written after these actions."""

    def play(options: Options) -> object:
        conn, link = begin(options)
        for action in actions:
            conn = action(conn)
        return link.take()

    return play


def answered(octets: bytes, *, hide: bool = False) -> Callable[[Options], object]:
    """Return the responses to a request, or the text of the first failure, and what was written."""

    def play(options: Options) -> object:
        conn, link = begin(options)
        conn, _ = conn.request("GET", "/")
        link.take()
        link.put(octets)
        try:
            conn, responses = conn.recv(timeout=0)
        except errors.MintError as error:
            return str(error)
        failed = [str(each.error) for each in responses if isinstance(each, RequestFailed)]
        return failed or (frames_of(link.take()) if hide else [repr(each)[:200] for each in responses])

    return play


def first_octets(options: Options) -> object:
    """Return the first octets that a connection sends."""
    assert isinstance(options, HTTP2Options)
    link = Memory()
    mint.http2.initiate(link, scheme="http", hostname="example.org", http2=options)
    return link.take()


def get(target: str = "/", headers: tuple[tuple[str, str], ...] = ()) -> Callable[[Connection], Connection]:
    """Return the action that sends a request; a request that is refused changes nothing."""

    def act(conn: Connection) -> Connection:
        try:
            return conn.request("GET", target, headers)[0]
        except errors.MintError as error:
            return conn if error.local else conn.close()

    return act


def cancelled(conn: Connection) -> Connection:
    """Send a request and cancel it."""
    assert isinstance(conn, mint.HTTP2)
    conn, ref = conn.request("GET", "/")
    return conn.cancel_request(ref)


def remembered(options: Options) -> object:
    """Return what is sent when a frame arrives on an ended stream, after a later stream was reset.

    While the reset stream is remembered, the ended one can be distinguished from it, but not afterwards.
    """
    conn, link = begin(options)
    conn, _ = conn.request("GET", "/")
    conn, _ = receive(conn, link, frame(1, 5, 1, b"\x88"))
    conn = cancelled(conn)
    link.take()
    receive(conn, link, data(1, b"x"))
    return link.take()


TOKEN = ("authorization", "Bearer dGhpcyBpcyBhIHJhbmRvbSB0b2tlbiBmb3IgYSB0ZXN0IG9mIG1pbnQ4NzY1")
SECRET = (("x-key", "a" * 30),)
BAD_FIELD = LINE + b"x-key: \x01hidden\r\n" + EMPTY
PUSHING = Server()
PUSHES = b"".join(PUSHING.promise(1, 2 * number, PROMISED) for number in (1, 2))
DIFFERENT: dict[tuple[type[Options | ClientSettings], str], tuple[object, Play]] = {
    (HTTP1Options, "case_sensitive_headers"): (True, sent(get(headers=(("X-A", "b"),)))),
    (HTTP1Options, "skip_target_validation"): (True, sent(get("/{x}|"))),
    (HTTP1Options, "lenient"): (True, answered(LINE + b"a : b\r\n" + EMPTY)),
    (HTTP1Options, "sensitive_headers"): (frozenset({"x-key"}), answered(BAD_FIELD)),
    (HTTP1Options, "optional_responses"): (("status_reason",), answered(LINE + EMPTY)),
    (HTTP2Options, "client_settings"): (ClientSettings(max_frame_size=2**20), first_octets),
    (HTTP2Options, "receive_window_update_threshold"): (
        2**31 - 1,
        answered(frame(1, 4, 1, b"\x88") + data(1, bytes(16_384)) * 130, hide=True),
    ),
    (HTTP2Options, "skip_target_validation"): (True, sent(get("/{x}|"))),
    (HTTP2Options, "lenient"): (True, answered(frame(1, 5, 1, b"\x88\x00\x01a\x02 b"))),
    (HTTP2Options, "sensitive_headers"): (
        frozenset({"x-key"}),
        sent(get(headers=SECRET), get(headers=SECRET)),
    ),
    (HTTP2Options, "index_credentials"): (True, sent(get(headers=(TOKEN,)), get(headers=(TOKEN,)))),
    (HTTP2Options, "optional_responses"): (
        ("settings",),
        answered(settings((3, 5)) + frame(1, 5, 1, b"\x88")),
    ),
    (ClientSettings, "no_rfc7540_priorities"): (True, first_octets),
    (HTTP2Options, "max_reserved"): (1, answered(PUSHES, hide=True)),
    (HTTP2Options, "max_remembered"): (0, remembered),
    (ClientSettings, "header_table_size"): (0, first_octets),
    (ClientSettings, "enable_push"): (True, first_octets),
    (ClientSettings, "max_concurrent_streams"): (1, first_octets),
    (ClientSettings, "initial_window_size"): (1, first_octets),
}


@pytest.mark.parametrize(("kind", "name"), DIFFERENT)
def test_an_option_makes_a_difference(kind: type[Options | ClientSettings], name: str) -> None:
    value, play = DIFFERENT[kind, name]
    made = kind(**{name: value})  # type: ignore[arg-type]  # options by name
    options = HTTP2Options(client_settings=made) if isinstance(made, ClientSettings) else made
    plain: Options = HTTP1Options() if isinstance(options, HTTP1Options) else HTTP2Options()
    if name == "max_reserved":
        push = ClientSettings(enable_push=True)
        options, plain = (
            HTTP2Options(client_settings=push, max_reserved=1),
            HTTP2Options(client_settings=push),
        )
    assert play(options) != play(plain)
    assert play(options) == play(options)


def test_every_other_option_makes_a_difference() -> None:
    every = {
        (kind, each.name)
        for kind in (HTTP1Options, HTTP2Options, ClientSettings)
        for each in fields(kind)
        if each.init
    }
    assert every - set(EXCEEDED) == set(DIFFERENT)
