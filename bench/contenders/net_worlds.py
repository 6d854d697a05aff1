"""mint with a mailbox, asyncio, uvloop and trio; and, as floors, plain loops that only read."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, cast

import mint
import mint.asyncio

from ._net import asks
from .net_stdlib import READ, head

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from ..net import Errand
    from ._net import Got, Run

    Runner = Callable[[Coroutine[object, object, Got]], Got]
    Receive = Callable[[], Awaitable[object]]


class Answer:
    """One response; of a download, only the size is kept."""

    def __init__(self, errand: Errand) -> None:
        self._keeping = errand.verb == "get"
        self._status, self._size, self._body = 0, 0, list[bytes]()

    def take(self, responses: list[mint.Response]) -> None:
        for one in responses:
            match one:
                case mint.Status(status=status):
                    self._status = status
                case mint.Data(data=data):
                    if self._keeping:
                        self._body.append(data)
                    else:
                        self._size += len(data)

    def result(self) -> tuple[int, bytes]:
        return self._status, b"".join(self._body) if self._keeping else b"%d" % self._size


def _fed(conn: mint.Connection, message: object, answer: Answer) -> mint.Connection:
    fed = conn.stream(message)
    assert fed is not mint.UNKNOWN
    answer.take(fed[1])
    return fed[0]


def blocking(errand: Errand) -> Run:
    conn: mint.Connection = mint.http1.connect("http", "localhost", errand.port)

    def run(number: int) -> Got:
        nonlocal conn
        out: Got = []
        for _ in range(number):
            conn, _ = conn.request("GET", errand.path)
            answer = Answer(errand)
            while conn.open_request_count:
                conn, responses = conn.recv()
                answer.take(responses)
            out.append(answer.result())
        return out

    return run


def mailbox(errand: Errand) -> Run:
    box = mint.Mailbox()
    conn: mint.Connection = mint.http1.connect("http", "localhost", errand.port, mailbox=box)
    waiting = asks(errand)

    def run(number: int) -> Got:
        nonlocal conn
        out: Got = []
        for _ in range(number):
            target, fields = next(waiting) if errand.verb == "get" else (errand.path, [])
            conn, _ = conn.request("GET", target, fields)
            answer = Answer(errand)
            while conn.open_request_count:
                conn = _fed(conn, box.receive(), answer)
            out.append(answer.result())
        return out

    return run


class _Client:
    """The same with `await`, for any event loop."""

    def __init__(self, errand: Errand, conn: mint.Connection, receive: Receive) -> None:
        self._errand, self._conn, self._receive = errand, conn, receive
        self._waiting = asks(errand)

    async def run(self, number: int) -> Got:
        out: Got = []
        conn = self._conn
        for _ in range(number):
            get = self._errand.verb == "get"
            target, fields = next(self._waiting) if get else (self._errand.path, [])
            conn, _ = conn.request("GET", target, fields)
            answer = Answer(self._errand)
            while conn.open_request_count:
                conn = _fed(conn, await self._receive(), answer)
            out.append(answer.result())
        self._conn = conn
        return out


def _uvloop() -> asyncio.AbstractEventLoop:
    import uvloop  # noqa: PLC0415  # not everywhere

    return uvloop.new_event_loop()


def _under(loop: asyncio.AbstractEventLoop, errand: Errand) -> Run:
    async def connected() -> _Client:
        box = mint.asyncio.Mailbox()
        conn = await mint.asyncio.connect("http", "localhost", errand.port, mailbox=box)
        return _Client(errand, conn, box.receive)

    client = loop.run_until_complete(connected())
    return lambda number: loop.run_until_complete(client.run(number))


def under_asyncio(errand: Errand) -> Run:
    return _under(asyncio.new_event_loop(), errand)


def under_uvloop(errand: Errand) -> Run:
    return _under(_uvloop(), errand)


def under_trio(errand: Errand) -> Run:
    import trio  # noqa: PLC0415  # not everywhere

    import mint.trio  # noqa: PLC0415  # the same

    async def main(number: int) -> Got:
        with mint.trio.Mailbox() as box:
            conn = await mint.trio.connect("http", "localhost", errand.port, mailbox=box)
            with conn:
                return await _Client(errand, conn, box.receive).run(number)

    return lambda number: trio.run(main, number)


# -- floors


class _Counting(asyncio.Protocol):
    """Only counts the octets that arrive."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.transport: asyncio.Transport | None = None
        self.done: asyncio.Future[tuple[int, bytes]] | None = None
        self.left = 0
        self.status = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's transport does not inherit from it

    def data_received(self, data: bytes) -> None:
        if not self.left:
            self.status = int(data[9:12])
            self.left = self.size + data.index(b"\r\n\r\n") + 4
        self.left -= len(data)
        if not self.left and self.done is not None:
            self.done.set_result((self.status, b"%d" % self.size))


def _counting(loop: asyncio.AbstractEventLoop, errand: Errand) -> Run:
    async def connected() -> _Counting:
        _, protocol = await loop.create_connection(lambda: _Counting(errand.size), "127.0.0.1", errand.port)
        return protocol

    wire = loop.run_until_complete(connected())

    async def down(number: int) -> Got:
        out: Got = []
        assert wire.transport is not None
        for _ in range(number):
            wire.done = loop.create_future()
            wire.transport.write(head(errand.path, []))
            out.append(await wire.done)
        return out

    return lambda number: loop.run_until_complete(down(number))


def protocol_asyncio(errand: Errand) -> Run:
    return _counting(asyncio.new_event_loop(), errand)


def protocol_uvloop(errand: Errand) -> Run:
    return _counting(_uvloop(), errand)


def _reading(loop: asyncio.AbstractEventLoop, errand: Errand) -> Run:
    wire = socket.create_connection(("127.0.0.1", errand.port))
    wire.setblocking(False)

    async def down(number: int) -> Got:
        out: Got = []
        for _ in range(number):
            await loop.sock_sendall(wire, head(errand.path, []))
            read = await loop.sock_recv(wire, READ)
            total = len(read) - read.index(b"\r\n\r\n") - 4
            while total < errand.size:
                total += len(await loop.sock_recv(wire, READ))
            out.append((int(read[9:12]), b"%d" % total))
        return out

    return lambda number: loop.run_until_complete(down(number))


def recv_asyncio(errand: Errand) -> Run:
    return _reading(asyncio.new_event_loop(), errand)


def recv_uvloop(errand: Errand) -> Run:
    return _reading(_uvloop(), errand)


def recv_trio(errand: Errand) -> Run:
    import trio  # noqa: PLC0415  # not everywhere

    async def main(number: int) -> Got:
        out: Got = []
        with trio.socket.from_stdlib_socket(socket.create_connection(("127.0.0.1", errand.port))) as wire:
            for _ in range(number):
                await wire.send(head(errand.path, []))
                read = await wire.recv(READ)
                total = len(read) - read.index(b"\r\n\r\n") - 4
                while total < errand.size:
                    total += len(await wire.recv(READ))
                out.append((int(read[9:12]), b"%d" % total))
        return out

    return lambda number: trio.run(main, number)
