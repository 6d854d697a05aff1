# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The dynamic tables of HPACK: an append-only log of entries shared by successive states. RFC 7541 2.3.

A state knows its own span of the log. Adding an entry to the newest state's log is O(1); any other state
first copies its span out. Nothing here reads or writes a header block.
"""

cimport cython
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Realloc
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.stdint cimport uint32_t

from .hpack_octets cimport hash_of

cdef enum:
    LEAST_ROOM = 16          # entries of a new log


@cython.final
cdef class Table:
    """Entries in the order they were added; for an encoder also where to find them."""

    def __dealloc__(self):
        cdef Py_ssize_t i
        for i in range(self.used):
            Py_DECREF(<object>self.entries[i].pair)
        PyMem_Free(self.entries)
        PyMem_Free(self.slots)


cdef int index_entry(Table table, Py_ssize_t position) except -1:
    """Make an entry the newest of its pair and of its name."""
    cdef Entry *entry = &table.entries[position]
    cdef void *name = PyTuple_GET_ITEM(<object>entry.pair, 0)
    slot_of_pair(table, entry.note, name, PyTuple_GET_ITEM(<object>entry.pair, 1))[0] = position + 1
    slot_of_name(table, hash_of(name), name)[0] = position + 1
    return 0


cdef int grow(Table table, Py_ssize_t room, bint indexed) except -1:
    """Make room for so many entries (a power of two)."""
    cdef Entry *moved = <Entry *>PyMem_Realloc(table.entries, room * sizeof(Entry))
    cdef int *slots
    cdef Py_ssize_t i
    if moved == NULL:
        raise MemoryError
    table.entries = moved
    if indexed:
        # Half of the slots of each index stay free.
        slots = <int *>PyMem_Calloc(4 * room, sizeof(int))
        if slots == NULL:
            raise MemoryError
        PyMem_Free(table.slots)
        table.slots = slots
    table.room = room
    if indexed:
        for i in range(table.used):
            index_entry(table, i)
    return 0


cdef Table copied_out(Table table, Span *span, bint indexed):
    """Return a log that holds just this span, and move the span there."""
    cdef Table fresh = Table.__new__(Table)
    cdef Py_ssize_t live = span.end - span.start
    cdef Py_ssize_t room = LEAST_ROOM
    cdef Py_ssize_t i
    while room <= live:
        room *= 2
    grow(fresh, room, indexed)
    for i in range(live):
        fresh.entries[i] = table.entries[span.start + i]
        Py_INCREF(<object>fresh.entries[i].pair)
        fresh.used = i + 1
        if indexed:
            index_entry(fresh, i)
    fresh.octets = span.octets
    span.start = 0
    span.end = live
    return fresh


cdef Table insert(Table table, Span *span, tuple pair, uint32_t note, Py_ssize_t size, bint indexed):
    """Add an entry, evicting first; return the log that holds it now (7541-4.1-a)."""
    cdef Entry *entry
    if table is not None:
        evict(table, span, size)
    if size > span.maximum:
        return table    # it empties the table, which is no error
    if table is None:
        table = Table.__new__(Table)
        span.start = span.end = 0
        grow(table, LEAST_ROOM, indexed)
    # Dead entries are left behind once they hold more octets than the table may: by then every entry
    # that was copied before is dead, so copying stays linear.
    elif table.used != span.end or table.octets - span.octets > span.maximum:
        table = copied_out(table, span, indexed)
    if table.used == table.room:
        grow(table, 2 * table.room, indexed)
    entry = &table.entries[table.used]
    Py_INCREF(pair)
    entry.pair = <void *>pair
    entry.note = note
    entry.size = <unsigned int>size
    table.used += 1
    table.octets += size
    span.octets += size
    span.end = table.used
    if indexed:
        index_entry(table, span.end - 1)
    return table


cdef tuple listed(Table table, const Span *span):
    """The live entries, the newest first."""
    cdef list made = []
    cdef Py_ssize_t i
    if table is None:
        return ()
    # Another thread may append to the log meanwhile, and move it.
    with cython.critical_section(table):
        for i in range(span.end - 1, span.start - 1, -1):
            made.append(<object>table.entries[i].pair)
    return tuple(made)


cdef bint same_span(Table one, const Span *first, Table other, const Span *second) except -1:
    """Whether two dynamic tables hold the same."""
    if (first.octets != second.octets or first.maximum != second.maximum
            or first.end - first.start != second.end - second.start):
        return False
    if one is other and first.start == second.start:
        return True
    return first.start == first.end or listed(one, first) == listed(other, second)
