"""Exchanges on blocking connections: runs the procedure with `poll` and a deadline."""

from __future__ import annotations

import contextlib
from time import monotonic
from typing import TYPE_CHECKING

from .. import _checks
from .._connections.http1 import HTTP1
from .._connections.http2 import HTTP2
from .._connections.request_checks import check_trailers, refusal
from .._loops.system import POLLIN, POLLOUT, make_poll, milliseconds
from ..errors import ContentTooLarge, MintError, TransportTimeout
from ._answer import MAX_SIZE, Collector, Outcome
from ._pieces import Pieces
from ._procedure import PHASE, Run, Wait, conclude, exchanging, recovered, sending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .._connections.negotiation import Connection
    from ..responses import RequestRef, Response
    from ..types import BytesLike, HeaderFields, HeaderPairs
    from ._answer import Answer
    from ._procedure import Waits

_NAP = 0.05
"""The longest wait, in seconds, if the system cannot tell when more can be written."""


def send_body(
    conn: Connection,
    ref: RequestRef,
    pieces: Iterable[BytesLike],
    *,
    trailers: HeaderFields = (),
    timeout: float | None = 30.0,
    received: Callable[[list[Response]], None] | None = None,
    max_size: int | None = MAX_SIZE,
) -> tuple[Connection, list[Response]]:
    """Send the body of a request made with `mint.STREAM`, and its end; receive at the same time.

    It respects the windows of HTTP/2 and limits what is queued on both protocols, so it cannot deadlock with
    a server that echoes. It stops early if the response is complete, whatever its status. If an HTTP/1
    request was not sent completely, do not use its connection again.

    Args:
        conn: a blocking connection in passive mode.
        ref: the request.
        pieces: the content; empty pieces send nothing.
        trailers: the fields after the content.
        timeout: seconds for the whole call; `None` for no limit. Time that the iterator of `pieces` takes
            counts, but the iterator is not interrupted.
        received: called with the responses as they arrive; without it they are returned.
        max_size: how many bytes of content may be returned; `None` for no limit.

    Returns the next connection value, and the responses that arrived, to any request.

    Raises `TransportTimeout`, other `TransportError` and `HTTPError` as `recv` and `stream_request_body` do,
    with everything that was received in `error.responses`, and `ContentTooLarge` beyond `max_size`.

    """
    _check_connection(conn)
    if received is not None and not callable(received):
        raise TypeError(f"received must be a function of a list, or None, not {type(received).__name__}")
    until = _deadline(timeout)
    if _checks.octets(pieces) is not None:
        raise TypeError(f"pieces must be an iterable of bytes, not {type(pieces).__name__}")
    _checks.content("pieces", pieces, needed=True)
    check_trailers(conn, ref, _checks.pairs("trailers", trailers))
    kept: list[Response] = []
    left = _checks.size("max_size", max_size)

    def keep(responses: list[Response]) -> None:
        nonlocal left
        kept.extend(responses)
        if left is not None:
            left -= sum(len(getattr(each, "data", b"")) for each in responses)
            if left < 0:
                raise ContentTooLarge(max_size or 0)

    run = Run(conn, ref, received or keep, waits=True)
    try:
        _drive(run, sending(run, ref, trailers), Pieces("pieces", pieces), until)
    except MintError as error:
        if error.successor is not None:
            run.conn = run.conn.after(error)
        error.marked(responses=(*kept, *error.responses), successor=run.conn)
        raise
    return run.conn, kept


def exchange(
    conn: Connection,
    method: str,
    target: str,
    headers: HeaderPairs = (),
    body: BytesLike | Iterable[BytesLike] | None = None,
    *,
    trailers: HeaderFields = (),
    timeout: float | None = 30.0,
    max_size: int | None = MAX_SIZE,
) -> tuple[Connection, Answer]:
    """Send a request, wait for its response, and return both the next connection value and the answer.

    Args:
        conn: a blocking connection in passive mode, without open requests.
        method: as `request` takes it; not CONNECT, which opens a tunnel.
        target: as `request` takes it.
        headers: as `request` takes them; a content-length is added if the body is bytes.
        body: bytes, pieces of any number and size, or `None`.
        trailers: the fields after the body.
        timeout: seconds for everything; `None` for no limit. Time that the iterator of `body` takes counts,
            but the iterator is not interrupted.
        max_size: the maximum size of the content of the answer, in bytes; `None` for no limit.

    A complete answer is returned even if the server accepted only a part of the body. If `is_open()` of the
    returned connection is false, connect again for the next request.

    Raises what `request` and `recv` raise, `TransportTimeout`, and `ContentTooLarge`. The failed request is
    cancelled; if `conn.after(error).is_open()` is true, that connection can be used again. Raises
    `ValueError` if requests are open, the method is CONNECT, or there are trailers without a body. If an
    argument is invalid, nothing is sent.

    """
    until = _deadline(timeout)
    headers = check(conn, method, target, headers, body, trailers, max_size)
    outcomes: dict[RequestRef, Outcome] = {}
    run, whole, pieces = prepare(conn, body, outcomes, max_size, waits=True)
    procedure = exchanging(run, method, target, headers, whole, pieces is not None, trailers)
    failure: MintError | None = None
    try:
        _drive(run, procedure, Pieces("body", split(whole) if pieces is None else pieces), until)
    except MintError as error:
        failure = error
        with contextlib.suppress(ContentTooLarge):
            recovered(run, error)
    except BaseException:
        run.conn.close()
        raise
    try:
        answer = conclude(run, outcomes, failure, lambda conn: conn)
    finally:
        failure = None  # otherwise the error and this frame, which its traceback holds, would form a cycle
    return run.conn, answer


def _check_connection(conn: object) -> None:
    if not isinstance(conn, (HTTP1, HTTP2)):
        raise TypeError(f"conn must be a connection of mint, not {type(conn).__name__}")


def check(
    conn: Connection,
    method: str,
    target: str,
    headers: HeaderPairs,
    body: object,
    trailers: HeaderFields,
    max_size: int | None,
) -> list[tuple[str, str]]:
    """Refuse arguments that an exchange cannot use; return the header fields."""
    _check_connection(conn)
    fields = _checks.sent_fields("headers", headers)
    _checks.content("body", body)
    _checks.pairs("trailers", trailers)
    _checks.size("max_size", max_size)
    if _checks.exact_text("method", method) == "CONNECT":
        raise ValueError("an exchange cannot open a tunnel: use request() and stream_request_body()")
    if trailers and body is None:
        raise ValueError("trailers need a body: give one (b'' is enough)")
    if trailers:
        # Checked here, because they are sent only after the head.
        error = refusal(conn, method, target, fields, None, streaming=True, trailers=trailers)
        if error is not None:
            raise error.marked(successor=conn)
    if conn.open_request_count:
        raise ValueError(f"{conn.open_request_count} requests are open on this connection: finish them first")
    return fields


def prepare(
    conn: Connection,
    body: BytesLike | Iterable[BytesLike] | None,
    outcomes: dict[RequestRef, Outcome],
    max_size: int | None,
    *,
    waits: bool,
) -> tuple[Run, bytes | None, Iterable[BytesLike] | None]:
    """Return the run, and the body either as a whole or as pieces."""
    collector = Collector(max_size=max_size)

    def process(responses: list[Response]) -> None:
        outcomes.update(collector.feed(responses))
        # No name for the error: it would be in a cycle with this frame, which its traceback refers to.
        if any(isinstance(outcome, ContentTooLarge) for outcome in outcomes.values()):
            raise next(each for each in outcomes.values() if isinstance(each, ContentTooLarge))

    run = Run(conn, None, process, waits=waits)
    if body is None or isinstance(body, (bytes, bytearray, memoryview)):
        return run, _checks.octets(body), None
    return run, None, body


def split(whole: bytes | None) -> Iterator[BytesLike]:
    """Yield a whole body as one piece; nothing if it is empty."""
    if whole:
        yield whole


# -- waiting


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else _checks.until("timeout", timeout, monotonic())


def _left(until: float | None) -> float | None:
    return None if until is None else max(0.0, until - monotonic())


def _drive(run: Run, procedure: Waits, pieces: Pieces, until: float | None) -> None:
    responses: list[Response] | None = None
    while True:
        try:
            wait = next(procedure) if responses is None else procedure.send(responses)
        except StopIteration:
            return
        if until is not None and monotonic() > until:
            _look(run, responses := [])
            run.process(responses)
            if run.over:
                return
            raise TransportTimeout(PHASE).marked(successor=run.conn)
        responses = []
        match wait:
            case Wait.PIECE:
                run.piece = next(pieces, None)
            case Wait.LOOK:
                _look(run, responses)
            case Wait.ROOM:
                _wait_for_room(run, _left(until))
                _look(run, responses)
            case Wait.RESPONSES:
                run.conn, responses = run.conn.recv(timeout=_left(until))


def _look(run: Run, responses: list[Response]) -> None:
    """Write what can be written and read what has arrived, without waiting."""
    if run.conn.transport.unsent:
        try:
            run.conn = run.conn.flush(timeout=0)
        except TransportTimeout as error:
            run.conn = run.conn.after(error)
    try:
        run.conn, arrived = run.conn.recv(timeout=0)
    except TransportTimeout as error:
        run.conn = run.conn.after(error)
        responses += error.responses
    else:
        responses += arrived


def _wait_for_room(run: Run, left: float | None) -> None:
    """Wait until the socket accepts more, or something arrives."""
    socket = run.conn.socket
    before = run.conn.transport.unsent
    poll = make_poll()
    if socket is not None:
        poll.register(socket.fileno(), POLLIN | POLLOUT)
        poll.poll(milliseconds(left))
    try:
        run.conn = run.conn.flush(timeout=0)
    except TransportTimeout as error:
        run.conn = run.conn.after(error)
    if run.conn.transport.unsent < before:
        return
    # The socket accepts more but the window of a tunnel does not, or something arrived.
    nap = _NAP if left is None else min(_NAP, left)
    if socket is not None:
        poll.modify(socket.fileno(), POLLIN)
    poll.poll(milliseconds(nap))
