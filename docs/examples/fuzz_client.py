"""A fuzz test of another client: the client must read the same from each response as mint.

The responses are valid ones that were damaged. mint parses each one in memory, and says whether it is still
valid, and with what status and content. The client gets the same bytes from a server, split somewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, TypeAlias

import mint
import mint.exchange
from mint.testing import ScriptedServer, Send, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Client: TypeAlias = "Callable[[str], tuple[int, bytes]]"
"""Fetches a URL; returns the status and the content, or raises an exception."""

SEEDS = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nt: u\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nuntil the end",
)


@dataclass(frozen=True)
class Disagreement:
    answer: bytes
    expected: tuple[int, bytes] | None
    """Status and content; `None` if it is not a valid response."""
    found: tuple[int, bytes] | str


def damaged(seed: bytes, random: Random) -> bytes:
    """Return a copy with up to three bytes changed, removed or doubled."""
    octets = bytearray(seed)
    for _ in range(random.randint(0, 3)):
        place = random.randrange(len(octets))
        match random.randrange(3):
            case 0:
                octets[place] = random.choice(b"\r\n :;,0159azAZ\0\xff")
            case 1:
                del octets[place]
            case _:
                octets.insert(place, octets[place])
    return bytes(octets)


def meaning(answer: bytes) -> tuple[int, bytes] | None:
    """Return the status and the content that mint finds in the bytes; `None` if it refuses them."""
    link = mint.transport.Memory(reads=True)
    conn = mint.http1.initiate(link, scheme="http", hostname="127.0.0.1", identity=1)
    conn, ref = conn.request("GET", "/")
    link.put(answer)
    link.put_eof()
    collector = mint.exchange.Collector()
    ended: dict[mint.RequestRef, mint.exchange.Answer | mint.MintError] = {}
    try:
        while conn.open_request_count:
            conn, responses = conn.recv()
            ended |= collector.feed(responses)
    except mint.MintError as error:
        ended |= collector.feed(error.responses)
    outcome = ended.get(ref)
    return (outcome.status, outcome.content) if isinstance(outcome, mint.exchange.Answer) else None


def fuzz(client: Client, *, seed: int, count: int) -> Iterator[Disagreement]:
    """Yield each answer about which the client and mint disagree."""
    random = Random(seed)  # noqa: S311  # it must be repeatable, not secret
    for _ in range(count):
        answer = damaged(random.choice(SEEDS), random)
        expected = meaning(answer)
        cut = random.randrange(len(answer) + 1)
        with ScriptedServer([request(), Send(answer[:cut]), Send(answer[cut:])]) as server:
            found: tuple[int, bytes] | str
            try:
                found = client(f"http://{server.address}:{server.port}/")
            except Exception as error:  # noqa: BLE001  # any exception means that the client refused
                found = f"{type(error).__name__}: {error}"
        if found != expected if isinstance(found, tuple) else expected is not None:
            yield Disagreement(answer, expected, found)
