"""Workloads in memory: the input, and the expected output, which is the same for every contender."""

from __future__ import annotations

from dataclasses import dataclass

from .traffic import Field, Traffic


@dataclass(frozen=True, slots=True)
class Watched:
    """Connections in one mailbox."""

    connections: int


@dataclass(frozen=True, slots=True)
class Message:
    """A response in the common form, to which the results of every contender are converted for comparison."""

    status: int
    fields: tuple[Field, ...]
    body: bytes
    done: bool = True


@dataclass(frozen=True, slots=True)
class Batch:
    """The reads of one timed round, and the responses that they contain."""

    reads: tuple[bytes, ...]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Responses:
    """HTTP/1 responses on one connection, batch after batch."""

    batches: tuple[Batch, ...]
    operations: int  # operations in a batch, by which the time is divided

    def batch(self, number: int) -> Batch:
        """Return the batch of a round; after the last batch, the first follows again."""
        return self.batches[number % len(self.batches)]


def head(fields: list[Field]) -> bytes:
    """Return a response head as a server writes it."""
    lines = "".join(f"{name.title()}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode("latin-1")


def cut(octets: bytes, size: int) -> tuple[bytes, ...]:
    """Split octets into reads of that size."""
    return tuple(octets[at : at + size] for at in range(0, len(octets), size))


def _sized(traffic: Traffic, fields: int, length: int) -> tuple[bytes, Message]:
    body = traffic.octets(length)
    chosen = traffic.response(fields, length)
    return head(chosen) + body, Message(200, tuple(chosen), body)


def _batch(pairs: list[tuple[bytes, Message]], *, joined: bool = False) -> Batch:
    reads = tuple(octets for octets, _ in pairs)
    return Batch((b"".join(reads),) if joined else reads, tuple(message for _, message in pairs))


def responses(fields: int, length: int, *, joined: bool = False) -> Responses:
    """Return 2 000 responses, 100 in a batch, either each in a read of its own, or all of a batch in one."""
    traffic = Traffic()
    return Responses(
        tuple(
            _batch([_sized(traffic, fields, length) for _ in range(100)], joined=joined) for _ in range(20)
        ),
        100,
    )


def chunked(chunks: int = 64, size: int = 1024) -> Responses:
    """Return responses with chunked bodies, each response in one read."""
    traffic = Traffic()

    def one() -> tuple[bytes, Message]:
        fields = [*traffic.response(9, None), ("transfer-encoding", "chunked")]
        pieces = [traffic.octets(size) for _ in range(chunks)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        message = Message(200, tuple(fields), b"".join(pieces))
        return head(fields) + body + b"0\r\n\r\n", message

    return Responses(tuple(_batch([one() for _ in range(10)]) for _ in range(10)), 10)


def bulk(length: int = 1 << 20, read: int = 1 << 16) -> Responses:
    """Return responses with a large body of known length, in full reads."""
    traffic = Traffic()

    def one() -> Batch:
        pairs = [_sized(traffic, 10, length) for _ in range(8)]
        return Batch(
            tuple(piece for octets, _ in pairs for piece in cut(octets, read)),
            tuple(message for _, message in pairs),
        )

    return Responses((one(), one()), 8)


def long_line(length: int = 60_000) -> Responses:
    """Return a response with one very long field line, in reads of one octet."""
    fields = [("server", "nginx"), ("x-long", "a" * length), ("content-length", "2")]
    octets = head(fields) + b"ok"
    return Responses((Batch(cut(octets, 1), (Message(200, tuple(fields), b"ok"),)),), 1)


def dribbled(length: int = 1_000) -> Responses:
    """Return a response whose body arrives in reads of one octet; an operation is one read."""
    octets, message = _sized(Traffic(), 10, length)
    return Responses((Batch((octets[:-length], *cut(octets[-length:], 1)), (message,)),), length)


def dribbled_head(lines: int = 10, length: int = 1_024) -> Responses:
    """Return a response with a head of ten long lines, in reads of one octet."""
    fields = [*((f"x-{n}", "a" * (length - 7)) for n in range(lines)), ("content-length", "2")]
    return Responses((Batch(cut(head(fields) + b"ok", 1), (Message(200, tuple(fields), b"ok"),)),), 1)


@dataclass(frozen=True, slots=True)
class Pieces:
    """A request body that is streamed in pieces of a kilobyte."""

    count: int = 1_000
    piece: bytes = bytes(1_024)


@dataclass(frozen=True, slots=True)
class Queued:
    """Requests that are sent while so many others wait for their responses."""

    open: int
    each: int = 100


@dataclass(frozen=True, slots=True)
class Blocks:
    """HPACK: the header lists of one connection in order, and the blocks that a peer encoded from them."""

    lists: tuple[tuple[Field, ...], ...]
    blocks: tuple[bytes, ...]


def _blocks(lists: list[list[Field]]) -> Blocks:
    # The reference implementation, and not mint, encodes the blocks.
    from hpack import Encoder  # noqa: PLC0415  # only these workloads need it

    encoder = Encoder()
    return Blocks(tuple(tuple(one) for one in lists), tuple(encoder.encode(one) for one in lists))


def response_lists(number: int = 100) -> list[list[Field]]:
    """Return typical header lists of responses."""
    traffic = Traffic()
    return [[(":status", "200"), *traffic.response(16, 1024)] for _ in range(number)]


def request_lists(number: int = 100) -> list[list[Field]]:
    """Return typical header lists of requests."""
    traffic = Traffic()
    return [
        [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "api.example.org"),
            (":path", traffic.target()),
            *traffic.request(),
        ]
        for _ in range(number)
    ]


def typical() -> Blocks:
    """Return 100 typical responses."""
    return _blocks(response_lists())


def indexed() -> Blocks:
    """Return 100 responses whose fields are all in the tables of both sides after the first rounds."""
    lists = response_lists(4)
    # So few values that nothing is evicted: after the first rounds, every field is an index.
    small = [
        [field for field in one if field[0] not in {"content-security-policy", "permissions-policy"}]
        for one in lists
    ]
    return _blocks([small[number % 4] for number in range(100)])


def huffman() -> Blocks:
    """Return 100 blocks of 3 KB of Huffman literals that are not indexed."""
    traffic = Traffic()
    lists = [[(f"x-{n}", traffic.opaque(400)) for n in range(8)] for _ in range(100)]
    return Blocks(tuple(tuple(one) for one in lists), tuple(_literals(one) for one in lists))


def _literals(fields: list[Field]) -> bytes:
    from hpack.hpack import encode_integer  # noqa: PLC0415  # needed for one workload only
    from hpack.huffman import HuffmanEncoder  # noqa: PLC0415  # needed for one workload only
    from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH  # noqa: PLC0415  # needed for one workload only

    coder = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)
    out = bytearray()
    for field in fields:
        out.append(0)  # literal without indexing, new name
        for text in field:
            coded = coder.encode(text.encode())
            length = encode_integer(len(coded), 7)
            length[0] |= 0x80
            out += length + coded
    return bytes(out)


def requests() -> Blocks:
    """Return 100 typical requests."""
    return _blocks(request_lists())


def credentials() -> Blocks:
    """Return 100 typical requests with the same bearer token."""
    token = Traffic().opaque(200)
    return _blocks([[*one, ("authorization", f"Bearer {token}")] for one in request_lists()])
