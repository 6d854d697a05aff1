"""Code that HTTP/2 contenders share: an interface of clients, and the rounds of every workload with it."""

from __future__ import annotations

import zlib
from functools import singledispatch
from typing import TYPE_CHECKING, Any, Protocol  # each package has types of its own

from hpack import Decoder

from .. import streams
from ..measure import MissingError, Rounds, Task
from ..streams import Down, Exchanging, Getting, Opening, Receiving, Refusing, Up

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..streams import Request
    from ..work import Message


class Client(Protocol):
    """One client connection. Octets to send are bytes, or pieces of them if the library returns that."""

    def first(self) -> Any:  # each package has its own type
        """Return the first octets to send."""

    def prepared(self, request: Request) -> Any:  # each package has its own type
        """Return the request in the form that `get` accepts (not timed)."""

    def get(self, request: Any) -> Any:  # each package has its own type
        """Send a request without content and return the octets to send."""

    def feed(self, octets: bytes) -> Any:  # each package has its own type
        """Feed octets of the server, discard the octets to send, and return what was received."""

    def normal(self, native: list[Any]) -> list[tuple[int, Message]]:
        """Convert what calls of `feed` returned, in order, to responses with their streams."""

    def put(self, request: Any, pieces: tuple[bytes, ...]) -> Iterator[Any]:  # each package has its own type
        """Send a request with that content and yield the octets to send."""


def joined(output: bytes | Iterable[bytes]) -> bytes:
    """Return octets to send as one piece."""
    return output if isinstance(output, bytes) else b"".join(output)


def frames(octets: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield the type, flags, stream and payload of every frame after the client's preface."""
    at = 24
    assert octets.startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    while at < len(octets):
        size = int.from_bytes(octets[at : at + 3])
        yield (
            octets[at + 3],
            octets[at + 4],
            int.from_bytes(octets[at + 5 : at + 9]),
            octets[at + 9 : at + 9 + size],
        )
        at += 9 + size
    assert at == len(octets), "a frame is cut short"


def sent_requests(octets: bytes) -> list[tuple[int, list[tuple[str, str]]]]:
    """Return the streams that were opened, with their fields."""
    decoder = Decoder()
    found = []
    for kind, flags, stream, payload in frames(octets):
        if kind == streams.HEADERS:
            assert flags & streams.END_HEADERS
            block = payload[5:] if flags & streams.PRIORITY else payload
            found.append((stream, [(str(n), str(v)) for n, v in decoder.decode(block)]))
    return found


def check_requests(octets: bytes, expected: Iterable[Request]) -> None:
    """Raise `AssertionError` unless exactly these requests were sent, in order."""
    got = sent_requests(octets)
    wanted = list(expected)
    assert len(got) == len(wanted), f"{len(got)} requests of {len(wanted)}"
    for at, ((stream, fields), request) in enumerate(zip(got, wanted, strict=True)):
        assert stream == 2 * at + 1
        assert sorted(fields) == sorted(request), f"{fields} are not {request}"


def check_upload(octets: bytes, work: Up) -> None:
    """Raise `AssertionError` unless the whole content was sent."""
    total, crc, ended = 0, 0, False
    for kind, flags, stream, payload in frames(octets):
        if kind == streams.DATA:
            assert stream == 1
            assert len(payload) <= streams.MAX_FRAME
            total += len(payload)
            crc = zlib.crc32(payload, crc)
            ended = bool(flags & streams.END_STREAM)
    expected = 0
    for piece in work.pieces:
        expected = zlib.crc32(piece, expected)
    assert (total, crc, ended) == (sum(map(len, work.pieces)), expected, True)


def started(make: type[Client]) -> tuple[Client, list[Any]]:
    """Return a client that has received the server's settings, and what it has sent so far."""
    client = make()
    sent = [client.first()]
    client.feed(streams.PREFACE)
    return client, sent


@singledispatch
def task(work: object, make: type[Client]) -> Task:  # noqa: ARG001  # the signature of the others
    """Return the rounds of this workload with that client."""
    raise MissingError(f"no such workload: {work}")


@task.register
def _(_: Opening, make: type[Client]) -> Task:
    def run(number: int) -> list[Any]:
        return [make().first() for _ in range(number)]

    def verify(_: int, native: list[Any]) -> None:
        kinds = [kind for kind, *_ in frames(joined(native[0]))]
        assert kinds[:1] == [streams.SETTINGS]

    return Rounds(lambda _: 100, run, verify, 100)


@task.register
def _(work: Getting, make: type[Client]) -> Task:
    probe = make()
    ready_requests = [probe.prepared(request) for request in work.requests]
    some = ready_requests[: work.each]

    kept: list[Client] = []
    sent: list[Any] = []
    rounds = 0

    def ready(_: int) -> list[Client]:
        nonlocal sent, rounds
        if not kept or rounds * work.each >= work.open / 10:
            kept.clear()
            rounds = 0
            for _ in range(work.clients):
                client, sent = started(make)
                for at in range(work.open):
                    sent.append(client.get(ready_requests[at % len(ready_requests)]))
                kept.append(client)
        rounds += 1
        return kept

    def run(clients: list[Client]) -> list[Any]:
        return [client.get(one) for client in clients for one in some]

    def verify(_: int, native: list[Any]) -> None:
        if rounds == 1:
            octets = b"".join(map(joined, sent + native[-work.each :]))
            opened = [work.requests[at % len(work.requests)] for at in range(work.open)]
            check_requests(octets, [*opened, *work.requests[: work.each]])

    return Rounds(ready, run, verify, work.clients * work.each)


@task.register
def _(work: Receiving, make: type[Client]) -> Task:
    probe = make()
    ready_requests = [probe.prepared(request) for request in work.requests]

    kept: Client | None = None
    rounds = 0

    def ready(_: int) -> tuple[Client, tuple[bytes, ...]]:
        nonlocal kept, rounds
        if kept is None or rounds >= work.rounds:
            kept, _sent = started(make)
            rounds = 0
            for at in range(work.open):
                kept.get(ready_requests[at % len(ready_requests)])
        first = rounds * work.each
        rounds += 1
        return kept, work.reads[first : first + work.each]

    def run(arg: tuple[Client, tuple[bytes, ...]]) -> list[Any]:
        feed = arg[0].feed
        return [feed(octets) for octets in arg[1]]

    def verify(_: int, native: list[Any]) -> None:
        first = (rounds - 1) * work.each
        expected = [(2 * at + 1, work.messages[at]) for at in range(first, first + work.each)]
        got = probe.normal(native)
        assert len(got) == len(expected), f"{len(got)} responses of {len(expected)}"
        for one, other in zip(got, expected, strict=True):
            assert one == other, f"{one!r:.900} is not {other!r:.900}"

    return Rounds(ready, run, verify, work.each)


@task.register
def _(work: Exchanging, make: type[Client]) -> Task:
    probe = make()
    pairs = [(probe.prepared(request), read) for request, read in zip(work.requests, work.reads, strict=True)]

    def run(client: Client) -> list[Any]:
        out = []
        for request, read in pairs:
            client.get(request)
            out.append(client.feed(read))
        return out

    def verify(_: int, native: list[Any]) -> None:
        assert probe.normal(native) == [(2 * at + 1, message) for at, message in enumerate(work.messages)]

    return Rounds(lambda _: started(make)[0], run, verify, len(pairs))


@task.register
def _(work: Refusing, make: type[Client]) -> Task:
    probe = make()
    ready_requests = [probe.prepared(request) for request in work.requests]

    def ready(_: int) -> Client:
        client, _sent = started(make)
        for at in range(work.open):
            client.get(ready_requests[at % len(ready_requests)])
        return client

    def verify(_: int, native: list[Any]) -> None:
        assert len(native) == work.open, f"{len(native)} failures of {work.open}"

    return Rounds(ready, lambda client: client.feed(work.read), verify, work.open)


@task.register
def _(work: Down, make: type[Client]) -> Task:
    def ready(_: int) -> Client:
        client, _sent = started(make)
        client.get(client.prepared(work.request))
        return client

    def run(client: Client) -> int:
        for octets in work.reads:
            client.feed(octets)
        return len(work.reads)

    def verify(_: int, __: int) -> None:
        client = ready(0)
        got = client.normal([client.feed(octets) for octets in work.reads])
        assert len(got) == 1
        assert got[0][1].body == work.body
        assert got[0][1].done

    return Rounds(ready, run, verify, 1)


@task.register
def _(work: Up, make: type[Client]) -> Task:
    def run(client: Client) -> None:
        for _ in client.put(client.prepared(work.request), work.pieces):
            pass

    def verify(_: int, __: None) -> None:
        client, sent = started(make)
        sent += client.put(client.prepared(work.request), work.pieces)
        check_upload(b"".join(map(joined, sent)), work)

    return Rounds(lambda _: started(make)[0], run, verify, 1)
