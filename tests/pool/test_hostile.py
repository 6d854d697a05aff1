"""Servers that send arbitrary messages: every request ends with an answer or an error, and is released."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager, suppress
from random import Random
from typing import TYPE_CHECKING, Literal, TypeAlias

import pytest

import mint
from mint.pool import PoolOptions
from mint.testing import http2

from .pools import LOOPS, Client, LoopName, play

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind: TypeAlias = Literal["http1", "http2"]
RESET = struct.pack("ii", 1, 0)


def frames(random: Random) -> bytes:
    """Return random frames, most of them invalid in their place."""
    found = [http2.settings()]
    for _ in range(random.randrange(12)):
        stream = random.choice([0, 1, 1, 1, 3, 5, 2])
        status = ((":status", random.choice(["200", "103", "413"])),)
        found.append(
            random.choice(
                [
                    http2.settings((3, random.choice([0, 1, 100]))),
                    http2.settings(ack=True),
                    http2.ping(bytes(8)),
                    http2.ping(bytes(8), ack=True),
                    http2.headers(stream, status, end=random.random() < 0.3),
                    http2.data(stream, bytes(random.randrange(1000)), end=random.random() < 0.3),
                    http2.rst_stream(stream, random.randrange(14)),
                    http2.goaway(random.choice([0, 1, 3]), random.choice([0, 0, 2])),
                    http2.window_update(stream, random.choice([1, 1000, 2**31 - 1])),
                    http2.Frame(0x42, 0, stream, b"??"),
                ]
            )
        )
    return b"".join(frame.serialize() for frame in found)


def messages(random: Random) -> bytes:
    """Return a response with some bytes changed."""
    octets = bytearray(
        random.choice(
            [
                b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
                b"HTTP/1.1 413 Content Too Large\r\n\r\nuntil the end",
            ]
        )
    )
    for _ in range(random.randrange(3)):
        octets[random.randrange(len(octets))] = random.randrange(256)
    return bytes(octets)


def converse(sock: socket.socket, kind: Kind, random: Random) -> None:
    """Serve one connection."""
    say = messages if kind == "http1" else frames
    with sock, suppress(OSError):
        sock.settimeout(5)
        if random.random() < 0.7:
            sock.recv(65_536)
        sock.sendall(say(random))
        ends = random.random()
        if ends < 0.1:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        while ends > 0.4 and sock.recv(65_536):
            if kind == "http1":
                sock.sendall(say(random))


@contextmanager
def hostile(kind: Kind, seed: int) -> Iterator[int]:
    """Run a server of this kind; yield its port."""
    random = Random(seed)

    def accept() -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                threads.append(threading.Thread(target=converse, args=(sock, kind, random)))
                threads[-1].start()

    threads = [threading.Thread(target=accept)]
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        threads[0].start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        threads[0].join(20)
    for thread in threads:
        thread.join(20)


@pytest.mark.parametrize("kind", ["http1", "http2"])
@pytest.mark.parametrize("loop", LOOPS)
def test_every_request_ends(loop: LoopName, kind: Kind) -> None:
    options = PoolOptions(max_per_origin=2, retry_idempotent=True, ping_interval=0.1, ping_timeout=0.1)
    bodies = (None, b"x", bytes(200_000), [b"a" * 1000] * 50)
    with hostile(kind, seed=len(loop)) as port:

        async def scenario(client: Client) -> None:
            async def work(number: int) -> int:
                ended = 0
                for each in range(12):
                    method = "POST" if (number + each) % 2 else "GET"
                    with suppress(mint.MintError):
                        await client.pool.request(method, f"http://127.0.0.1:{port}/", (), bodies[each % 4])
                    ended += 1
                return ended

            found = await client.together(*(lambda each=each: work(each) for each in range(4)))
            assert found == [12] * 4
            statistics = client.pool.statistics
            assert (statistics.active, statistics.waiting, statistics.opening) == (0, 0, 0)

        play(loop, scenario, protocols=(kind,), options=options, timeout=0.3)
