"""A connection in a process of its own: a thread with a mailbox; callers get futures.

Nobody but the thread touches the connection. HTTP/1 requests are pipelined, HTTP/2 requests concurrent.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Self

import mint
from mint.errors import TooManyConcurrentRequests, TooManyPipelinedRequests

FULL = (TooManyConcurrentRequests, TooManyPipelinedRequests)


@dataclass
class Answer:
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True)
class Call:
    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    future: Future[Answer] = field(default_factory=Future[Answer])


class Stop:
    """Ends the thread."""


class Process:
    """One connection; `request` may be called from any thread."""

    def __init__(self, scheme: mint.types.Scheme, address: str, port: int, tls: mint.TLSOptions) -> None:
        self._mailbox = mint.Mailbox()
        self._conn = mint.connect(scheme, address, port, tls=tls, mailbox=self._mailbox)
        self._waiting: deque[Call] = deque()
        self._running: dict[mint.RequestRef, tuple[Call, Answer]] = {}
        self._thread = threading.Thread(target=self._run, name="connection")
        self._thread.start()

    def request(
        self,
        method: str,
        target: str,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes | None = None,
    ) -> Future[Answer]:
        call = Call(method, target, headers, body)
        self._mailbox.post(call)
        return call.future

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._mailbox.post(Stop())
        self._thread.join()

    # Everything below runs in the thread.

    def _run(self) -> None:
        with self._mailbox, self._conn:
            for message in self._mailbox:
                match message:
                    case Call():
                        self._waiting.append(message)
                    case Stop():
                        break
                    case _:
                        self._feed(message)
                self._send()
        self._give_up()

    def _send(self) -> None:
        """Send what waits, as far as the server takes it."""
        while self._waiting:
            call = self._waiting[0]
            try:
                self._conn, ref = self._conn.request(call.method, call.target, call.headers, call.body)
            except FULL:
                return
            except mint.MintError as error:
                self._waiting.popleft()
                call.future.set_exception(error)
                self._recover(error)
            else:
                self._waiting.popleft()
                self._running[ref] = call, Answer()

    def _feed(self, message: object) -> None:
        try:
            fed = self._conn.stream(message)
        except mint.MintError as error:
            self._recover(error)
        else:
            if fed is not mint.UNKNOWN:
                self._conn, responses = fed
                self._take(responses)

    def _recover(self, error: mint.MintError) -> None:
        """Go on after an error: what was decoded before it counts, and so does what is open still."""
        self._conn = self._conn.after(error)
        self._take(error.responses)

    def _take(self, responses: list[mint.Response] | tuple[mint.Response, ...]) -> None:
        for response in responses:
            call, answer = self._running[response.ref]
            match response:
                case mint.Status(status=status):
                    answer.status = status
                case mint.Headers(headers=headers):
                    answer.headers = headers
                case mint.Data(data=data):
                    answer.body += data
                case mint.Done(ref=ref):
                    del self._running[ref]
                    call.future.set_result(answer)
                case mint.RequestFailed(ref=ref, error=error):
                    del self._running[ref]
                    call.future.set_exception(error)
                case _:
                    pass

    def _give_up(self) -> None:
        """Tell everybody who still waits."""
        for call in [*self._waiting, *(call for call, _ in self._running.values())]:
            call.future.set_exception(ConnectionError("the process was stopped"))
