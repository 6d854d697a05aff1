"""Header blocks as bytes: every representation of HPACK, valid or not (RFC 7541).

Each function returns one representation and checks nothing, so illegal blocks can be built, too. `Encoder`
encodes legal blocks and has the dynamic table of one connection. The code is independent of the client's
codec, so that one can be checked against the other.
"""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from .._transcripts.hpack import STATIC_TABLE as _STATIC_TABLE
from .._transcripts.hpack import huffman, integer, plain, string
from . import _arguments
from .messages import Fields

__all__ = [
    "STATIC_TABLE",
    "Encoder",
    "Indexing",
    "huffman",
    "indexed",
    "integer",
    "literal",
    "plain",
    "string",
    "table_size",
]

Indexing: TypeAlias = Literal["incremental", "without", "never"]
"""Whether a literal is added to the dynamic table, is not, or must never be (RFC 7541 6.2)."""

_FIRST: Final[dict[Indexing, tuple[int, int]]] = {
    "incremental": (0x40, 6),
    "without": (0x00, 4),
    "never": (0x10, 4),
}
_OVERHEAD: Final = 32  # octets that count for each entry besides name and value, RFC 7541 4.1

STATIC_TABLE: Final[tuple[tuple[str, str], ...]] = _STATIC_TABLE
"""The entries of the static table; the first has index 1 (RFC 7541 appendix A)."""


def indexed(index: int) -> bytes:
    """Return an indexed field: 1 to 61 are static entries, 62 is the newest dynamic entry (RFC 7541 6.1)."""
    return integer(index, 7, 0x80)


def _checked(indexing: Indexing) -> Indexing:
    if indexing not in _FIRST:
        raise ValueError(f"indexing must be one of {', '.join(map(repr, _FIRST))}, not {indexing!r}")
    return indexing


def literal(
    name: str | bytes | int,
    value: str | bytes,
    indexing: Indexing = "without",
    *,
    huffman_coded: bool = False,
) -> bytes:
    """Return a literal field (RFC 7541 6.2).

    Args:
        name: the name, `str` in ISO 8859-1, or the index of a table entry with that name.
        value: the value, `str` in ISO 8859-1.
        indexing: whether the field is added to the dynamic table.
        huffman_coded: whether name and value are in the Huffman code.

    """
    flags, prefix = _FIRST[_checked(indexing)]
    coded = string(value, huffman_coded=huffman_coded)
    if isinstance(name, int):
        return integer(name, prefix, flags) + coded
    return bytes((flags,)) + string(name, huffman_coded=huffman_coded) + coded


def table_size(size: int) -> bytes:
    """Return an update of the maximum size of the dynamic table, in octets (RFC 7541 6.3)."""
    return integer(size, 5, 0x20)


class Encoder:
    """Encodes the header blocks of one connection; each block depends on those before it.

    The arguments are also attributes, which may be changed between blocks.

    Args:
        size: the maximum size of the dynamic table, in octets (RFC 7541 4.1).
        indexing: what to do with fields that are in neither table.
        huffman_coded: whether strings are in the Huffman code.

    Raises `TypeError` for an argument of another type, and `ValueError` for other values.

    """

    def __init__(
        self, *, size: int = 4096, indexing: Indexing = "incremental", huffman_coded: bool = True
    ) -> None:
        _arguments.number("size", size, 0)
        _arguments.flags(huffman_coded=huffman_coded)
        _checked(indexing)
        self.size: int = size
        self.indexing: Indexing = indexing
        self.huffman_coded: bool = huffman_coded
        self._table: list[tuple[str, str]] = []
        self._announced = 4096

    @property
    def table(self) -> Fields:
        """The entries of the dynamic table, the newest one first."""
        return tuple(self._table)

    def encode(self, fields: Iterable[tuple[str, str]]) -> bytes:
        """Return the next header block of the connection, with these fields."""
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
