"""Header blocks as bytes: every representation of HPACK, valid or not (RFC 7541).

Each function makes one representation and checks nothing, so illegal blocks can be made, too. `Encoder`
makes legal blocks and keeps the dynamic table of one connection. It shares no code with the client's own
codec, so that one can be checked against the other.
"""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from .messages import Fields

Indexing: TypeAlias = Literal["incremental", "without", "never"]
"""Whether a literal enters the dynamic table, or may never enter one (RFC 7541 6.2)."""

_FIRST: Final[dict[Indexing, tuple[int, int]]] = {
    "incremental": (0x40, 6),
    "without": (0x00, 4),
    "never": (0x10, 4),
}
_OVERHEAD: Final = 32  # of an entry, RFC 7541 4.1

# The lengths of the codes of the octets and of EOS, "A" for 5 bits to "Z" for 30 (RFC 7541 appendix B). The
# code is canonical: codes ascend by length, and by octet where the length is the same.
_LENGTHS: Final = (
    "ISXXXXXXXTZXXZXXXXXXXXZXXXXXXXXXBFFHIBDGFFDGDBBBAAABBBBBBBCDKBHF"
    "IBCCCCCCCCCCCCCCCCCCCCCCDCDIOIJBKABABABBBACCBBBABCBAABCCCCCKGJIX"
    "PRPPRRRSRSSSSSTSTTRSTSSSSQRSRSSTRQPRRSSQSRRTQRSSQQRQSRSSPRRRSRRS"
    "VVPORSRUVVVWWVTUOQVWWVWTQQVVXWWWPTPQRQQSRRUUTTVSVWVVWWWWWXWWWWWV"
    "Z"
)

STATIC_TABLE: Final[tuple[tuple[str, str], ...]] = (
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
)
"""The entries of the static table; the first has index 1 (RFC 7541 appendix A)."""


def _codes() -> tuple[tuple[int, int], ...]:
    lengths = [ord(letter) - ord("A") + 5 for letter in _LENGTHS]
    codes: dict[int, tuple[int, int]] = {}
    code, before = 0, 0
    for symbol in sorted(range(len(lengths)), key=lambda each: (lengths[each], each)):
        code <<= lengths[symbol] - before
        before = lengths[symbol]
        codes[symbol] = (code, before)
        code += 1
    return tuple(codes[symbol] for symbol in range(len(lengths)))


_CODES: Final = _codes()


def huffman(octets: bytes) -> bytes:
    """Return octets in the Huffman code, padded with ones (RFC 7541 5.2)."""
    bits, count = 0, 0
    for octet in octets:
        code, length = _CODES[octet]
        bits, count = bits << length | code, count + length
    padding = -count % 8
    return (bits << padding | (1 << padding) - 1).to_bytes((count + padding) // 8, "big")


_SYMBOLS: Final = {(length, code): symbol for symbol, (code, length) in enumerate(_CODES)}
_EOS: Final = 256
_LONGEST_PADDING: Final = 7


def plain(octets: bytes) -> bytes:
    """Return what is in the Huffman code; the inverse of `huffman` (RFC 7541 5.2).

    Raises `ValueError` for what a decoder must refuse: EOS, and padding that is longer than seven bits or
    has a zero.
    """
    decoded = bytearray()
    code, length = 1, 0  # the leading one keeps zeros
    for octet in octets:
        for place in range(7, -1, -1):
            code, length = code << 1 | octet >> place & 1, length + 1
            symbol = _SYMBOLS.get((length, code ^ 1 << length))
            if symbol is None:
                continue
            if symbol == _EOS:
                raise ValueError("the string contains EOS")
            decoded.append(symbol)
            code, length = 1, 0
    if length > _LONGEST_PADDING or code + 1 != 2 << length:
        raise ValueError(f"the string ends with {length} bits that are not valid padding")
    return bytes(decoded)


def integer(value: int, prefix: int = 8, flags: int = 0) -> bytes:
    """Return an integer with a prefix of `prefix` bits after the bits of `flags` (RFC 7541 5.1)."""
    full = (1 << prefix) - 1
    if value < full:
        return bytes((flags | value,))
    encoded = bytearray((flags | full,))
    value -= full
    while value >= 128:
        encoded.append(value % 128 + 128)
        value //= 128
    encoded.append(value)
    return bytes(encoded)


def string(text: str | bytes, *, huffman_coded: bool = False) -> bytes:
    """Return a string literal; a `str` is encoded as ISO 8859-1 (RFC 7541 5.2)."""
    octets = text.encode("latin-1") if isinstance(text, str) else text
    if not huffman_coded:
        return integer(len(octets), 7) + octets
    coded = huffman(octets)
    return integer(len(coded), 7, 0x80) + coded


def indexed(index: int) -> bytes:
    """Return an indexed field; 1 to 61 are static, 62 is the newest dynamic entry (RFC 7541 6.1)."""
    return integer(index, 7, 0x80)


def literal(
    name: str | bytes | int,
    value: str | bytes,
    indexing: Indexing = "without",
    *,
    huffman_coded: bool = False,
) -> bytes:
    """Return a literal field; the name may be an index into the tables (RFC 7541 6.2)."""
    flags, prefix = _FIRST[indexing]
    coded = string(value, huffman_coded=huffman_coded)
    if isinstance(name, int):
        return integer(name, prefix, flags) + coded
    return bytes((flags,)) + string(name, huffman_coded=huffman_coded) + coded


def table_size(size: int) -> bytes:
    """Return a change of the size of the dynamic table, in octets (RFC 7541 6.3)."""
    return integer(size, 5, 0x20)


class Encoder:
    """Encodes the header blocks of one connection; each block depends on those before it.

    `size` is the size of the dynamic table in octets (RFC 7541 4.1). `indexing` says what becomes of fields
    that are in no table, `huffman_coded` whether strings are in the Huffman code.
    """

    def __init__(
        self, *, size: int = 4096, indexing: Indexing = "incremental", huffman_coded: bool = True
    ) -> None:
        self.size: int = size
        self.indexing: Indexing = indexing
        self.huffman_coded: bool = huffman_coded
        self._table: list[tuple[str, str]] = []
        self._announced = 4096

    @property
    def table(self) -> Fields:
        """The entries of the dynamic table, the newest first."""
        return tuple(self._table)

    def encode(self, fields: Iterable[tuple[str, str]]) -> bytes:
        """Return the next header block of the connection."""
        encoded = bytearray()
        if self.size != self._announced:
            encoded += table_size(self.size)
            self._announced = self.size
            self._evict()
        for name, value in fields:
            encoded += self._field(name, value)
        return bytes(encoded)

    def _field(self, name: str, value: str) -> bytes:
        entries = (*STATIC_TABLE, *self._table)
        if (name, value) in entries:
            return indexed(entries.index((name, value)) + 1)
        known = next((number for number, entry in enumerate(entries, 1) if entry[0] == name), name)
        if self.indexing == "incremental":
            self._table.insert(0, (name, value))
            self._evict()
        return literal(known, value, self.indexing, huffman_coded=self.huffman_coded)

    def _evict(self) -> None:
        while sum(len(name) + len(value) + _OVERHEAD for name, value in self._table) > self.size:
            self._table.pop()
