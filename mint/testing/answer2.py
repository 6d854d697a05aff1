"""Answers HTTP/2 requests, each in its own thread: from a handler to frames (RFC 9113 8).

The frames of the client are processed elsewhere (`origin2.py`).
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from .frames import ErrorCode, Setting, push_promise
from .messages import Body, Fields, Handler, Headers, Lost, Push, Request, Response, checked, checked_fields
from .origin1 import BODILESS
from .wire2 import Stream, Wire

T = TypeVar("T")
GRACE: Final = 0.5
LOOK: Final = 0.005
NEVER: Final = threading.Event()


class Answers:
    """Answers the requests of one connection."""

    def __init__(self, wire: Wire, handler: Handler, failed: Callable[[BaseException], None]) -> None:
        self._wire = wire
        self._handler = handler
        self._failed = failed
        self._promised = 0
        self._threads: list[threading.Thread] = []

    def begin(self, stream: Stream, pseudo: dict[str, str], fields: Headers) -> None:
        """Begin to answer a request whose fields have arrived; its body may still arrive."""
        crumbs = [value for name, value in fields if name == "cookie"]
        plain = tuple(pair for pair in fields if pair[0] != "cookie")
        joined = (("cookie", "; ".join(crumbs)),) if crumbs else ()
        authority = pseudo.get(":authority") or dict(fields).get("host", "")
        request = Request(
            "HTTP/2",
            pseudo[":method"],
            pseudo.get(":path", authority),
            authority,
            plain + joined,
            Body(self._pieces(stream), lambda: stream.trailers),
            pseudo.get(":protocol"),
            pseudo.get(":scheme", ""),
        )
        stream.wants_continue = not stream.remote_ended and request.header("expect") == "100-continue"
        self._start(stream, lambda: self._answer(stream, request))

    def join(self, timeout: float, gone: threading.Event) -> None:
        """Wait for the threads: at most `timeout` seconds, and only `GRACE` once the connection is `gone`.

        A thread that is still in a handler is then left running. Whatever it does with the connection fails.
        """
        until = time.monotonic() + timeout
        for thread in self._threads:
            while thread.is_alive() and (left := until - time.monotonic()) > 0:
                if gone.is_set():
                    until = min(until, time.monotonic() + GRACE)
                    gone = NEVER
                thread.join(min(left, LOOK))

    def _start(self, stream: Stream, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Lost:
                pass
            except BaseException as error:  # noqa: BLE001  raised when the server stops
                self._failed(error)
                self._wire.reset(stream.id, ErrorCode.INTERNAL_ERROR)
            finally:
                self._wire.forget(stream)

        self._wire.streams[stream.id] = stream
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _pieces(self, stream: Stream) -> Iterator[bytes]:
        wire = self._wire
        while True:
            with wire.changed:
                if stream.wants_continue:
                    wire.send_block(stream, ((":status", "100"),))
                stream.wants_continue = False
                wire.changed.wait_for(
                    lambda: stream.pieces or stream.remote_ended or stream.reset or wire.closed
                )
                if stream.reset or not (stream.pieces or stream.remote_ended):
                    raise Lost("the stream ended before its body")
                if not stream.pieces:
                    return
                piece = stream.pieces.popleft()
                wire.give_back(stream, len(piece))
            yield piece

    def _answer(self, stream: Stream, request: Request) -> None:
        try:
            answer: object = self._handler(request)
        except Lost:
            raise
        except BaseException as error:  # noqa: BLE001  raised when the server stops
            self._failed(error)
            answer = Response(500)
        bodiless = request.method == "HEAD" or (isinstance(answer, Response) and answer.status in BODILESS)
        response = checked(answer, bodiless=bodiless, http_2=True)
        self._push(stream, request, response.pushes)
        self._respond(stream, request.method, response)

    def _push(self, stream: Stream, request: Request, pushes: Iterable[Push]) -> None:
        for push in pushes:
            with self._wire.changed:
                theirs = self._wire.theirs
                wanted = theirs.get(Setting.ENABLE_PUSH, 1)
                if not wanted or theirs.get(Setting.MAX_CONCURRENT_STREAMS) == 0:
                    return
                self._promise(stream, request, push)

    def _promise(self, stream: Stream, request: Request, push: Push) -> None:
        self._promised += 2
        promised = self._wire.new_stream(self._promised)
        promised.remote_ended = True
        fields: Fields = (
            (":method", "GET"),
            (":scheme", request.scheme),
            (":authority", request.authority),
            (":path", push.target),
            *push.headers,
        )
        self._wire.put_block(
            fields,
            lambda part, last: push_promise(stream.id, promised.id, part, end_headers=last),
        )
        self._start(promised, lambda: self._respond(promised, "GET", push.response))

    def _respond(self, stream: Stream, method: str, response: Response) -> None:
        wire = self._wire
        for status, fields in response.informational:
            wire.send_block(stream, ((":status", str(status)), *fields))
        status, fields, body = response.status, response.headers, response.body
        bodiless = method == "HEAD" or status in BODILESS
        unknown = status in BODILESS or method == "CONNECT" or response.has_header("content-length")
        if isinstance(body, bytes) and not unknown:
            fields = (*fields, ("content-length", str(len(body))))
        start = ((":status", str(status)), *fields)
        if bodiless or (response.is_plain and not body):
            wire.send_block(stream, start, end=True)
            return
        if stream.wants_continue and not isinstance(body, bytes):
            # The response may be made from the body (an echo), so 100 is sent before the final response.
            wire.send_block(stream, ((":status", "100"),))
        stream.wants_continue = False
        wire.send_block(stream, start)
        if isinstance(body, bytes) and response.is_plain:
            wire.send_data(stream, body, end=True)
        else:
            self._stream(stream, response)

    def _stream(self, stream: Stream, response: Response) -> None:
        pieces = response.pieces()
        while piece := self._from_handler(stream, lambda: next(pieces, b"")):
            self._wire.send_data(stream, piece)
        trailers = self._from_handler(stream, lambda: checked_fields(response.trailer_fields(), http_2=True))
        if trailers:
            self._wire.send_block(stream, trailers, end=True)
        else:
            self._wire.send_data(stream, b"", end=True)

    def _from_handler(self, stream: Stream, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except Lost:
            raise
        except BaseException as error:
            self._failed(error)
            self._wire.reset(stream.id, ErrorCode.INTERNAL_ERROR)
            raise Lost("the handler failed in the middle of the body") from error
