"""Errors of handlers and steps are raised at the end of the `with` block, and no client hangs."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, NoReturn  # wrong arguments are passed, which the types forbid

import h2.config
import h2.connection
import h2.events
import pytest

from mint.testing import Do, Expect, Origin, Push, Response, ScriptedServer, ScriptError, Send

from .clients import GET, NO_CONTENT, dial, read_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mint.testing import Peer, Request

Outcome = Literal["status", "reset"]


def fetch1(origin: Origin) -> tuple[Outcome, bytes]:
    """Return the octets of the response, and whether the connection was reset."""
    with dial(origin) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        taken = b""
        try:
            while piece := sock.recv(65536):
                taken += piece
        except ConnectionError:
            return "reset", taken
    return "status", taken


def fetch2(origin: Origin) -> tuple[Outcome, bytes]:
    """Make one request over HTTP/2 and return how its stream ended."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    client.initiate_connection()
    start = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")]
    client.send_headers(1, start, end_stream=True)
    taken = b""
    with dial(origin) as sock:
        while True:
            sock.sendall(client.data_to_send())
            octets = sock.recv(65536)
            if not octets:
                raise EOFError("the connection ended before the stream did")
            for event in client.receive_data(octets):
                match event:
                    case h2.events.ResponseReceived():
                        fields: Any = dict(event.headers or ())
                        taken += str(fields.get(":status", fields.get(b":status"))).encode()
                    case h2.events.DataReceived():
                        taken += event.data or b""
                    case h2.events.StreamReset():
                        assert event.error_code == 2, "expected INTERNAL_ERROR"
                        return "reset", taken
                    case h2.events.StreamEnded():
                        return "status", taken


FETCH: dict[str, Callable[[Origin], tuple[Outcome, bytes]]] = {"http1": fetch1, "http2": fetch2}


def odd(value: object) -> Any:
    """Return a response of a wrong type from a handler, which type checkers would refuse."""
    return value


def broken() -> Iterator[bytes]:
    yield b"half"
    raise KeyError("in the body")


def bad_trailers() -> Any:
    return [("x", "\N{SNOWMAN}")]


IMPOSSIBLE: dict[str, tuple[Any, type[Exception], str]] = {
    "None": (None, TypeError, "must return a Response, got None"),
    "a str": ("hello", TypeError, "must return a Response, got 'hello'"),
    "a str body": (odd(Response)(200, (), "hello"), TypeError, "bytes or an iterable of bytes, got 'hello'"),
    "a bytearray body": (odd(Response)(200, (), bytearray(b"x")), TypeError, "got bytearray"),
    "no body": (odd(Response)(200, (), None), TypeError, "got None"),
    "a str status": (odd(Response)("200"), ValueError, "got '200'"),
    "a small status": (Response(20), ValueError, "got 20"),
    "a snowman in a value": (Response(200, [("x", "\N{SNOWMAN}")]), ValueError, "must be ISO 8859-1 text"),
    "a snowman in a name": (Response(200, [("\N{SNOWMAN}", "x")]), ValueError, "is not a field name"),
    "an empty name": (Response(200, [("", "x")]), ValueError, "is not a field name"),
    "a name with a space": (Response(200, [("a b", "x")]), ValueError, "is not a field name"),
    "a pseudo-header": (Response(200, [(":status", "404")]), ValueError, "is not a field name"),
    "a pseudo-header in trailers": (Response(200, (), b"", [(":a", "b")]), ValueError, "is not a field name"),
    "a transfer coding": (
        Response(200, [("Transfer-Encoding", "chunked")], [b"x"]),
        ValueError,
        "(server chooses it|cannot be sent over HTTP/2)",
    ),
    "a status that is not final": (Response(199), ValueError, "199 is not a final status"),
    "100 as the final status": (Response(100), ValueError, "100 is not a final status"),
    "a line break": (Response(200, [("a", "x\r\nb: c")]), ValueError, "CR, LF or NUL"),
    "bytes for str": (odd(Response)(200, [(b"a", b"b")]), TypeError, "pair of name and value"),
    "no pair": (odd(Response)(200, [("a", "b", "c")]), TypeError, "pair of name and value"),
    "headers as a dict": (odd(Response)(200, {"ab": "c"}), TypeError, "pair of name and value"),
    "trailers": (Response(200, (), b"x", [("x", "\N{SNOWMAN}")]), ValueError, "ISO 8859-1"),
    "informational fields": (
        Response(200, informational=[(103, [("x", "\N{SNOWMAN}")])]),
        ValueError,
        "ISO 8859-1",
    ),
    "informational 101": (Response(200, informational=[(101, ())]), ValueError, "not 101"),
    "informational 200": (Response(200, informational=[(200, ())]), ValueError, "from 100 to 199"),
    "a length too large": (
        Response(200, [("Content-Length", "9")], b"abc"),
        ValueError,
        "is 9, but the body has 3",
    ),
    "a length too small": (Response(200, [("content-length", "2")], b"abc"), ValueError, "is 2, but"),
    "a length of nothing": (Response(200, [("content-length", "2")]), ValueError, "is 2, but"),
    "a length that is none": (
        Response(200, [("content-length", "+3")], b"abc"),
        ValueError,
        "decimal number",
    ),
    "two lengths": (Response(200, [("content-length", "3")] * 2, b"abc"), ValueError, "one decimal number"),
    "a push": (Response(200, pushes=[Push("/", odd(None))]), TypeError, "must return a Response"),
    "a pushed target": (Response(200, pushes=[Push("/\N{SNOWMAN}", Response())]), ValueError, "8859-1"),
}
LATE: dict[str, tuple[Callable[[], Any], type[BaseException], str]] = {
    "a str among the pieces": (lambda: [b"a", "b"], TypeError, "piece .* got 'b'"),
    "an int among the pieces": (lambda: [1], TypeError, "piece .* got 1"),
    "an error in the body": (broken, KeyError, "in the body"),
}


@pytest.mark.parametrize("protocol", FETCH)
@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_a_response_that_cannot_be_sent_resets_and_is_raised(protocol: str, name: str) -> None:
    response, error, message = IMPOSSIBLE[name]
    with pytest.raises(error, match=message), Origin(lambda _: odd(response)) as origin:
        assert FETCH[protocol](origin) == ("reset", b"")


OF_HTTP1 = ("Connection", "connection", "keep-alive", "Proxy-Connection", "upgrade", "transfer-encoding")


@pytest.mark.parametrize("name", OF_HTTP1)
@pytest.mark.parametrize("place", ["headers", "trailers", "informational", "push"])
def test_fields_of_a_connection_are_not_sent_over_http2(name: str, place: str) -> None:
    fields = [(name, "x")]
    made = {
        "headers": Response(200, fields),
        "trailers": Response(200, (), b"", fields),
        "informational": Response(200, informational=[(103, fields)]),
        "push": Response(200, pushes=[Push("/", Response(), fields)]),
    }
    with (
        pytest.raises(ValueError, match=f"{name} cannot be sent over HTTP/2"),
        Origin(lambda _: made[place]) as origin,
    ):
        assert fetch2(origin) == ("reset", b"")


def test_late_trailers_of_a_connection_are_not_sent_over_http2() -> None:
    response = Response(200, (), b"x", lambda: [("connection", "x")])
    with pytest.raises(ValueError, match="cannot be sent"), Origin(lambda _: response) as origin:
        assert fetch2(origin) == ("reset", b"200x")


def test_a_switch_of_protocols_is_not_sent_over_http2() -> None:
    with pytest.raises(ValueError, match="101 is not a final"), Origin(lambda _: Response(101)) as origin:
        assert fetch2(origin) == ("reset", b"")


@pytest.mark.parametrize("value", ["close", "Close", "x, close", "close ,x"])
def test_a_handler_may_end_the_connection(value: str) -> None:
    with Origin(lambda _: Response(200, [("Connection", value)])) as origin, dial(origin) as sock:
        sock.sendall(GET * 2)
        assert read_all(sock).count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize("protocol", FETCH)
@pytest.mark.parametrize("name", LATE)
def test_an_error_of_a_body_resets_and_is_raised(protocol: str, name: str) -> None:
    body, error, message = LATE[name]
    response = Response(200, (), iter(body()))
    with pytest.raises(error, match=message), Origin(lambda _: response) as origin:
        assert FETCH[protocol](origin)[0] == "reset"


@pytest.mark.parametrize("protocol", FETCH)
@pytest.mark.parametrize("length", ["2", "4"])
def test_a_body_of_the_wrong_length_resets_and_is_raised(protocol: str, length: str) -> None:
    response = Response(200, [("content-length", length)], iter([b"ab", b"c"]))
    with pytest.raises(ValueError, match=f"is {length}, but"), Origin(lambda _: response) as origin:
        assert FETCH[protocol](origin)[0] == "reset"


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304)])
def test_content_length_is_allowed_in_responses_that_have_no_body(method: str, status: int) -> None:
    with Origin(lambda _: Response(status, [("content-length", "9")])) as origin, dial(origin) as sock:
        sock.sendall(f"{method} / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".encode())
        assert b"content-length: 9\r\n" in read_all(sock)


def test_trailers_that_cannot_be_sent() -> None:
    response = Response(200, (), b"x", bad_trailers)
    with pytest.raises(ValueError, match="ISO 8859-1"), Origin(lambda _: response) as origin:
        assert fetch2(origin) == ("reset", b"200x")


class Stop(BaseException):
    """A `BaseException`, as test frameworks raise."""


def raising(error: BaseException) -> Callable[[object], NoReturn]:
    def function(_: object) -> NoReturn:
        raise error

    return function


ERRORS = [
    KeyError("x"),
    Stop("x"),
    SystemExit("x"),
    KeyboardInterrupt("x"),
    GeneratorExit("x"),
    OSError("x"),
    EOFError("x"),
    AssertionError("x"),
]


@pytest.mark.parametrize("protocol", FETCH)
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_any_exception_of_a_handler_is_answered_with_500_and_raised(
    protocol: str, error: BaseException
) -> None:
    with pytest.raises(type(error), match="x") as caught, Origin(raising(error)) as origin:
        outcome, taken = FETCH[protocol](origin)
        assert outcome == "status"
        assert b"500" in taken
        assert origin.failures == (error,)
    assert caught.value is error


@pytest.mark.parametrize("error", [*ERRORS[:5], AssertionError("x")], ids=lambda error: type(error).__name__)
def test_any_exception_of_a_step_is_raised(error: BaseException) -> None:
    with (
        pytest.raises(type(error), match="x") as caught,
        ScriptedServer([Do(raising(error)), Send(b"never")]) as server,
        dial(server) as sock,
    ):
        assert read_all(sock) == b""
    assert caught.value is error
    assert any("connection 1, step 1 of 2, Do(" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("error", [OSError("x"), EOFError("x"), ValueError("x")])
def test_a_connection_error_in_a_step_is_a_script_error(error: Exception) -> None:
    with (
        pytest.raises(ScriptError, match=rf"step 1 of 1, Do.*{type(error).__name__}: x"),
        ScriptedServer([Do(raising(error))]) as server,
        dial(server) as sock,
    ):
        read_all(sock)


def test_pytest_fail_in_a_handler_and_in_a_step() -> None:
    def fail(_: object) -> NoReturn:
        pytest.fail("not what was agreed")

    with pytest.raises(pytest.fail.Exception, match="agreed"), Origin(fail) as origin:
        fetch2(origin)
    with (
        pytest.raises(pytest.fail.Exception, match="agreed"),
        ScriptedServer([Do(fail)]) as server,
        dial(server) as sock,
    ):
        read_all(sock)


def test_an_error_of_a_handler_takes_precedence_over_one_of_the_client() -> None:
    """It is usually the cause, and must not be hidden by `pytest.raises` for the client's error."""
    with pytest.raises(KeyError, match="cause") as caught, Origin(raising(KeyError("cause"))) as origin:
        fetch1(origin)
        raise ConnectionResetError("consequence")
    assert isinstance(caught.value.__context__, ConnectionResetError)


def test_an_interrupt_in_the_with_block_is_never_replaced() -> None:
    with pytest.raises(KeyboardInterrupt) as caught, Origin(raising(KeyError("cause"))) as origin:
        fetch1(origin)
        raise KeyboardInterrupt
    assert any("KeyError('cause')" in note for note in caught.value.__notes__)


def test_lists_are_headers_like_tuples() -> None:
    response = Response(
        200,
        [("a", "b")],
        iter([b"x"]),
        [("c", "d")],
        informational=[(103, [("e", "f")])],
        pushes=[],
    )
    with Origin(lambda _: response) as origin:
        assert fetch1(origin)[1].endswith(b"1\r\nx\r\n0\r\nc: d\r\n\r\n")


def test_unread_data_is_reported_with_any_failure() -> None:
    with (
        pytest.raises(ScriptError, match=r"(?s)EOFError.*not yet read: b'unasked'"),
        ScriptedServer([Expect(GET), Do(lambda peer: peer.read_until(b"never"))]) as server,
        dial(server) as sock,
    ):
        sock.sendall(GET + b"unasked")
        sock.shutdown(socket.SHUT_WR)
        read_all(sock)
    assert server.unread == (b"unasked",)


def test_unread_data_is_added_as_a_note_if_the_with_block_failed() -> None:
    with pytest.raises(KeyError) as caught, ScriptedServer([Expect(GET), Send(NO_CONTENT)]) as server:
        with dial(server) as sock:
            sock.sendall(GET + b"unasked")
            read_all(sock)
        raise KeyError
    assert caught.value.__notes__ == ["the server says: connection 1: nobody read b'unasked'"]


def unasked(*, strict: bool) -> None:
    with ScriptedServer([Expect(GET), Send(NO_CONTENT)], strict=strict) as server, dial(server) as sock:
        sock.sendall(GET)
        assert sock.recv(4096) == NO_CONTENT
        with suppress(OSError):
            sock.sendall(b"more")
            sock.shutdown(socket.SHUT_WR)
        read_all(sock)


def test_a_strict_server_fails_if_data_is_unread() -> None:
    unasked(strict=False)
    with pytest.raises(ScriptError, match=r"(?s)connection 1, after the last step.*not yet read: b'more'"):
        unasked(strict=True)


def test_a_strict_server_does_not_wait_for_a_client_that_keeps_the_connection() -> None:
    with ScriptedServer([Expect(GET), Send(NO_CONTENT)], strict=True) as server:
        sock = dial(server)
        sock.sendall(GET)
        assert sock.recv(4096) == NO_CONTENT
    sock.close()


def test_the_step_gets_the_connection() -> None:
    def look(peer: Peer) -> None:
        assert peer.number == 1

    with ScriptedServer([Do(look)]) as server, dial(server) as sock:
        assert read_all(sock) == b""


def test_a_client_that_leaves_during_a_handler_is_no_failure() -> None:
    def read(request: Request) -> Response:
        return Response(200, (), request.body.read())

    with Origin(read) as origin, dial(origin) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf")
