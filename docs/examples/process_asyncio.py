"""A connection in a task of its own, in asyncio: other tasks await its answers.

Nobody but the task touches the connection. HTTP/1 requests are pipelined, HTTP/2 requests concurrent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Self

import mint
import mint.asyncio
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
    headers: tuple[tuple[str, str], ...]
    future: asyncio.Future[Answer]


class Process:
    """One connection; use it with `async with`."""

    def __init__(self, scheme: mint.types.Scheme, address: str, port: int, tls: mint.TLSOptions) -> None:
        self._where = scheme, address, port, tls
        self._waiting: deque[Call] = deque()
        self._running: dict[mint.RequestRef, tuple[Call, Answer]] = {}

    async def __aenter__(self) -> Self:
        scheme, address, port, tls = self._where
        self._mailbox = mint.asyncio.Mailbox()
        self._conn = await mint.asyncio.connect(scheme, address, port, tls=tls, mailbox=self._mailbox)
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._mailbox.close()
        await self._task

    async def request(self, method: str, target: str, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._mailbox.post(Call(method, target, headers, future))
        return await future

    # Everything below runs in the task.

    async def _run(self) -> None:
        with self._conn:
            async for message in self._mailbox:
                if isinstance(message, Call):
                    self._waiting.append(message)
                else:
                    self._feed(message)
                self._send()
        for call in [*self._waiting, *(call for call, _ in self._running.values())]:
            call.future.cancel()

    def _send(self) -> None:
        """Send what waits, as far as the server takes it."""
        while self._waiting:
            call = self._waiting[0]
            try:
                self._conn, ref = self._conn.request(call.method, call.target, call.headers)
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
                    if not call.future.done():  # whoever asked may have been cancelled
                        call.future.set_result(answer)
                case mint.RequestFailed(ref=ref, error=error):
                    del self._running[ref]
                    if not call.future.done():
                        call.future.set_exception(error)
                case _:
                    pass
