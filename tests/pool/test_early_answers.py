"""An answer that ends when the connection closes is complete, even if sending the body failed."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any  # arguments of others are passed through

import pytest

import mint
import mint.asyncio
import mint.trio

from .pools import LOOPS, Client, LoopName, play

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mint.exchange import Origin

HEAD = b"HTTP/1.1 413 Content Too Large\r\n"


def connecting(loop: LoopName, near: socket.socket) -> Callable[[Origin, float | None], Any]:
    """Return a `connect` function for a pool of this loop that uses one end of a socket pair."""
    if loop == "blocking":
        return lambda *_: mint.http1.connect("http", "example.org", 80, socket=near)
    module = mint.trio if loop == "trio" else mint.asyncio
    given: dict[str, Any] = {"protocols": ("http1",), "socket": near}
    return lambda *_: module.connect("http", "example.org", 80, **given)


def read_until(server: socket.socket, mark: bytes) -> None:
    """Read up to `mark`, because closing with unread data would reset the connection."""
    octets = b""
    while not octets.endswith(mark):
        octets += server.recv(65_536)


@pytest.mark.parametrize("ends", ["piece", "end"])
@pytest.mark.parametrize(("length", "whole"), [("connection: close", True), ("content-length: 9", False)])
@pytest.mark.parametrize("loop", LOOPS)
def test_the_caller_sends(loop: LoopName, length: str, whole: bool, ends: str) -> None:
    near, server = socket.socketpair()

    async def scenario(client: Client) -> None:
        async with await client.pool.stream("POST", "http://example.org/", (), mint.STREAM) as streamed:
            assert await streamed.send(b"x")
            read_until(server, b"x\r\n")
            server.sendall(HEAD + length.encode() + b"\r\n\r\nno!")
            await streamed.receive_head()
            assert await streamed.receive() == b"no!"
            server.close()
            error = None
            try:
                # Some event loops report a failed send only after they tried to write.
                await (streamed.send_end() if ends == "end" else streamed.send(b"more"))
                assert await streamed.receive() is None
            except mint.MintError as raised:
                error = raised
            assert (error is None) is whole

    with server:
        play(loop, scenario, connect=connecting(loop, near))


@pytest.mark.parametrize(("length", "whole"), [("connection: close", True), ("content-length: 9", False)])
@pytest.mark.parametrize("pieces", [1, 2])
@pytest.mark.parametrize("loop", LOOPS)
def test_the_pool_sends(loop: LoopName, pieces: int, length: str, whole: bool) -> None:
    """The server closes before the pool takes the next piece, or the end, of the body."""
    near, server = socket.socketpair()

    def body() -> Iterator[bytes]:
        yield b"x"
        read_until(server, b"x\r\n")
        server.sendall(HEAD + length.encode() + b"\r\n\r\nno!")
        server.close()
        yield from [b"more"] * (pieces - 1)

    async def scenario(client: Client) -> None:
        async with await client.pool.stream("POST", "http://example.org/", (), body()) as streamed:
            assert streamed.status == 413
            assert await streamed.receive() == b"no!"
            if whole:
                assert await streamed.receive() is None
            else:
                with pytest.raises(mint.MintError):
                    await streamed.receive()

    with server:
        play(loop, scenario, connect=connecting(loop, near))
