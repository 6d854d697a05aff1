"""Change header blocks, and adapt those that follow (RFC 7541).

A field that is removed may have added an entry to the dynamic table that later blocks refer to. Therefore
blocks are decoded and encoded again, with two tables: the server's original one, and the one after the
changes. A field that refers to an entry that is now missing becomes a literal that adds it. This module does
not use the compiled core, which may be what fails on these blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .._transcripts import hpack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_STATIC_SIZE = len(hpack.STATIC_TABLE)
_OVERHEAD = 32
_DEFAULT_SIZE = 4096
_LONGEST_INTEGER = 9  # octets after the prefix; the engine accepts no more
_INDEXED, _INCREMENTAL, _SIZE, _NEVER, _WITHOUT = 0x80, 0x40, 0x20, 0x10, 0x00
_PREFIXES = {_INDEXED: 7, _INCREMENTAL: 6, _SIZE: 5, _NEVER: 4, _WITHOUT: 4}


class _Broken(Exception):  # noqa: N818  # caught within this module
    """A block ends early, has an invalid index, or contains a string that cannot be decoded."""


class _String(NamedTuple):
    """A string literal: its octets, and its encoding in the block."""

    octets: bytes
    coded: bytes


class _Entry(NamedTuple):
    """An entry of a table: a field."""

    name: _String
    value: _String

    @property
    def text(self) -> tuple[bytes, bytes]:
        return self.name.octets, self.value.octets

    @property
    def size(self) -> int:
        """Its size in the table (RFC 7541 4.1)."""
        return len(self.name.octets) + len(self.value.octets) + _OVERHEAD


def _shortest(octets: bytes) -> _String:
    plain, coded = hpack.string(octets), hpack.string(octets, huffman_coded=True)
    return _String(octets, min(plain, coded, key=len))


_STATIC = tuple(
    _Entry(_shortest(name.encode()), _shortest(value.encode())) for name, value in hpack.STATIC_TABLE
)


class Table(NamedTuple):
    """A dynamic table, the newest entry first."""

    entries: tuple[_Entry, ...] = ()
    most: int = _DEFAULT_SIZE

    def resized(self, most: int) -> Table:
        """Return the table with another maximum size."""
        return _evicted(self._replace(most=most))

    def with_entry(self, entry: _Entry) -> Table:
        """Return the table with one more entry."""
        return _evicted(self._replace(entries=(entry, *self.entries)))

    def at(self, index: int) -> _Entry:
        """Return the entry with this index, static or dynamic."""
        if not 0 < index <= _STATIC_SIZE + len(self.entries):
            raise _Broken
        return _STATIC[index - 1] if index <= _STATIC_SIZE else self.entries[index - 1 - _STATIC_SIZE]

    def index_of(self, entry: _Entry) -> int:
        """Return the index of a field, 0 if there is none."""
        every = (*_STATIC, *self.entries)
        return next((index for index, each in enumerate(every, 1) if each.text == entry.text), 0)

    def index_of_name(self, name: bytes) -> int:
        """Return the index of a name, 0 if there is none."""
        every = (*_STATIC, *self.entries)
        return next((index for index, each in enumerate(every, 1) if each.name.octets == name), 0)


def _evicted(table: Table) -> Table:
    """Return a table without the entries that do not fit (RFC 7541 4.3)."""
    left = table.most
    for count, entry in enumerate(table.entries):
        left -= entry.size
        if left < 0:
            return table._replace(entries=table.entries[:count])
    return table


class Field(NamedTuple):
    """One representation in a block: a field, or a change of the size of the table."""

    kind: int
    number: int
    """An index, which is 0 if a name follows; or a size."""
    name: _String | None
    value: _String | None
    coded: bytes

    @property
    def text(self) -> bytes | None:
        """The value, if it is in the block itself."""
        return None if self.value is None else self.value.octets


class _Reader:
    def __init__(self, block: bytes) -> None:
        self.block = block
        self.at = 0

    def number(self, prefix: int) -> int:
        most = (1 << prefix) - 1
        value = self._octet() & most
        if value < most:
            return value
        for shift in range(0, 7 * _LONGEST_INTEGER, 7):
            octet = self._octet()
            value += (octet & 0x7F) << shift
            if not octet & 0x80:
                return value
        raise _Broken

    def _octet(self) -> int:
        if self.at >= len(self.block):
            raise _Broken
        self.at += 1
        return self.block[self.at - 1]

    def string(self) -> _String:
        start = self.at
        size = self.number(7)
        octets = self.block[self.at : self.at + size]
        if len(octets) < size:
            raise _Broken
        self.at += size
        if self.block[start] & 0x80:
            try:
                octets = hpack.plain(octets)
            except ValueError:
                raise _Broken from None
        return _String(octets, self.block[start : self.at])

    def field(self) -> Field:
        start = self.at
        first = self.block[start]
        kind = next(each for each in _PREFIXES if first & each or not each)
        number = self.number(_PREFIXES[kind])
        name = value = None
        if kind not in {_INDEXED, _SIZE}:
            name = None if number else self.string()
            value = self.string()
        return Field(kind, number, name, value, self.block[start : self.at])


def fields_of(block: bytes) -> list[Field]:
    """Return the representations of a block up to the first invalid one."""
    return list(_fields(_Reader(block)))


def _fields(reader: _Reader) -> Iterator[Field]:
    while reader.at < len(reader.block):
        try:
            yield reader.field()
        except _Broken:
            return


class Tables(NamedTuple):
    """The server's original dynamic table, and the one after all changes."""

    before: Table = Table()
    after: Table = Table()


def passed(block: bytes, tables: Tables) -> Tables:
    """Return the tables after a block that is removed completely."""
    every = dict.fromkeys(range(len(fields_of(block))))
    return rewritten(block, tables, every)[1]


def rewritten(
    block: bytes, tables: Tables, changes: Mapping[int, bytes | None] | None = None
) -> tuple[bytes, Tables]:
    """Return a block with the same meaning except for the changes, and the tables after it.

    `changes` maps the number of a representation to its new value, or to `None` if it is removed. Everything
    after an invalid representation is left unchanged.
    """
    writer = _Writer(tables, changes or {})
    reader = _Reader(block)
    rest = 0
    for number, field in enumerate(_fields(reader)):
        try:
            writer.put(number, field)
        except _Broken:
            break
        rest = reader.at
    if tables.before == tables.after and not changes:
        return block, Tables(writer.before, writer.before)
    return bytes(writer.made) + block[rest:], Tables(writer.before, writer.after)


class _Writer:
    def __init__(self, tables: Tables, changes: Mapping[int, bytes | None]) -> None:
        self.before, self.after = tables
        self.made = bytearray()
        self._changes = changes

    def put(self, number: int, field: Field) -> None:
        goes = number in self._changes and self._changes[number] is None
        if field.kind == _SIZE:
            self.before = self.before.resized(field.number)
            if not goes:
                self.after = self.after.resized(field.number)
                self.made += field.coded
            return
        entry = self._entry(field)
        if field.kind == _INCREMENTAL:
            self.before = self.before.with_entry(entry)
        if goes:
            return
        value = self._changes.get(number)
        if value is not None:
            entry = entry._replace(value=_shortest(value))
        if field.kind == _INDEXED and (index := self.after.index_of(entry)):
            self.made += hpack.integer(index, _PREFIXES[_INDEXED], _INDEXED)
            return
        self._literal(entry, _INCREMENTAL if field.kind == _INDEXED else field.kind)

    def _entry(self, field: Field) -> _Entry:
        if field.value is None:
            return self.before.at(field.number)
        name = field.name
        return _Entry(self.before.at(field.number).name if name is None else name, field.value)

    def _literal(self, entry: _Entry, kind: int) -> None:
        """Write a literal, with an index for its name if there is one."""
        index = self.after.index_of_name(entry.name.octets)
        self.made += hpack.integer(index, _PREFIXES[kind], kind)
        self.made += entry.value.coded if index else entry.name.coded + entry.value.coded
        if kind == _INCREMENTAL:
            self.after = self.after.with_entry(entry)
