"""A naive HPACK decoder: RFC 7541 taken literally, with mint's limits; `hpack` decodes the Huffman code."""

from __future__ import annotations

from dataclasses import dataclass, field

from hpack.exceptions import HPACKDecodingError
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

STATIC = [(name, value) for name, value in HeaderTable.STATIC_TABLE]
Pair = tuple[bytes, bytes]


class Refusal(Exception):  # noqa: N818  # control flow
    """The block breaks a rule or a limit."""


@dataclass
class Table:
    """A decoder's table: the newest entry first."""

    limit: int = 4_096
    maximum: int = 4_096
    required: int | None = None  # the limit was reduced to this, and no table size update has followed yet
    entries: list[Pair] = field(default_factory=list)

    def evict(self) -> None:
        """Drop the oldest entries until the rest fits."""
        while sum(len(name) + len(value) + 32 for name, value in self.entries) > self.maximum:
            self.entries.pop()

    def resized(self, limit: int) -> Table:
        """Return the table after SETTINGS_HEADER_TABLE_SIZE was acknowledged."""
        required = self.required
        if limit < self.maximum and (required is None or limit < required):
            required = limit
        return Table(limit, self.maximum, required, list(self.entries))

    def entry(self, index: int) -> Pair:
        """Return the entry of an index (RFC 7541 2.3.3)."""
        if index < 1 or index > len(STATIC) + len(self.entries):
            raise Refusal("index")
        return STATIC[index - 1] if index <= len(STATIC) else self.entries[index - len(STATIC) - 1]

    def decode(self, block: bytes, most_size: int, most_fields: int) -> tuple[list[Pair], list[bool], Table]:
        """Return the fields of a block, which of them are never indexed, and the table after it."""
        after = Table(self.limit, self.maximum, self.required, list(self.entries))
        reader = Reader(block)
        fields: list[Pair] = []
        never: list[bool] = []
        size = 0
        updated = False
        while reader.at < len(block):
            first = block[reader.at]
            if first & 0xE0 == 0x20:  # RFC 7541 6.3
                after.update(reader.integer(5), late=bool(fields), first=not updated)
                updated = True
                continue
            if after.required is not None and not updated:
                raise Refusal("update")
            if len(fields) >= most_fields:
                raise Refusal("fields")
            if first & 0x80:
                pair = after.entry(reader.integer(7))
                never.append(False)
            else:
                pair = after.literal(reader, first)
                never.append(first & 0xF0 == 0x10)  # RFC 7541 6.2.3
            fields.append(pair)
            size += len(pair[0]) + len(pair[1]) + 32
            if size > most_size:
                raise Refusal("size")
        if after.required is not None and not updated:
            raise Refusal("update")
        after.required = None
        return fields, never, after

    def update(self, size: int, *, late: bool, first: bool) -> None:
        """Apply a dynamic table size update."""
        if late or size > self.limit:
            raise Refusal("update")
        if first and self.required is not None and size > self.required:
            raise Refusal("update")
        self.maximum = size
        self.evict()

    def literal(self, reader: Reader, first: int) -> Pair:
        """Decode a literal field."""
        index = reader.integer(6 if first & 0x40 else 4)
        name = self.entry(index)[0] if index else reader.string()
        pair = (name, reader.string())
        if first & 0x40:
            self.entries.insert(0, pair)
            self.evict()
        return pair


class Reader:
    """Reads integers and strings."""

    def __init__(self, block: bytes) -> None:
        self.block = block
        self.at = 0

    def octet(self) -> int:
        """Read an octet."""
        if self.at >= len(self.block):
            raise Refusal("truncated")
        self.at += 1
        return self.block[self.at - 1]

    def integer(self, bits: int) -> int:
        """Read an integer of at most 32 bits, with at most five octets after its prefix."""
        most = (1 << bits) - 1
        number = self.octet() & most
        if number < most:
            return number
        for place in range(5):
            octet = self.octet()
            number += (octet & 127) << 7 * place
            if octet < 128:  # the last octet
                if number >> 32:
                    break
                return number
        raise Refusal("integer")

    def string(self) -> bytes:
        """Read a string."""
        if self.at >= len(self.block):
            raise Refusal("truncated")
        coded = self.block[self.at] & 0x80
        count = self.integer(7)
        octets = self.block[self.at : self.at + count]
        self.at += count
        if len(octets) < count:
            raise Refusal("truncated")
        if not coded:
            return octets
        try:
            return bytes(decode_huffman(octets)) if octets else b""
        except HPACKDecodingError:
            raise Refusal("huffman") from None
