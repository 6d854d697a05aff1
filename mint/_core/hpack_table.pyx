# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The dynamic tables of HPACK: an append-only log of entries that successive states share. RFC 7541 2.3.

A state knows its own span of the log. The newest state adds an entry in O(1); any other state first copies
its span into a new log. Header blocks are read and written elsewhere.
"""

cimport cython
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.stdint cimport uint32_t

from .hpack_octets cimport hash_of

cdef enum:
    LEAST_ROOM = 16          # entries of a new log


@cython.final
cdef class Table:
    """Entries in the order they were added; for an encoder, also hash tables to find them."""

    def __dealloc__(self):
        cdef Py_ssize_t i
        for i in range(self.used):
            Py_DECREF(<object>self.entries[i].pair)
        PyMem_Free(self.entries)
        PyMem_Free(self.slots)


cdef int index_entry(Table table, Py_ssize_t position) except -1:
    """Store an entry as the newest with its pair and with its name."""
    cdef Entry *entry = &table.entries[position]
    cdef void *name = PyTuple_GET_ITEM(<object>entry.pair, 0)
    slot_of_pair(table, entry.note, name, PyTuple_GET_ITEM(<object>entry.pair, 1))[0] = position + 1
    slot_of_name(table, hash_of(name), name)[0] = position + 1
    return 0


cdef Table fresh_table(Py_ssize_t live, bint indexed):
    """Return an empty log with room for at least twice as many entries."""
    cdef Table fresh = Table.__new__(Table)
    cdef Py_ssize_t room = LEAST_ROOM
    while room < 2 * live:
        room *= 2
    fresh.entries = <Entry *>PyMem_Malloc(room * sizeof(Entry))
    if fresh.entries == NULL:
        raise MemoryError
    if indexed:
        # Half of the slots of each hash table stay free.
        fresh.slots = <int *>PyMem_Calloc(4 * room, sizeof(int))
        if fresh.slots == NULL:
            raise MemoryError
    fresh.room = room
    return fresh


cdef Table copied_out(Table table, Span *span, bint indexed):
    """Return a new log that holds only this span, and move the span there."""
    cdef Py_ssize_t live = span.end - span.start
    cdef Table fresh = fresh_table(live + 1, indexed)
    cdef Py_ssize_t i
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
    """Evict entries, add an entry, and return the log that holds it now (7541-4.1-a).

    A log that is full, or that another state has appended to, is not changed: entries never move while their
    log is referenced.
    """
    cdef Entry *entry
    if table is not None:
        evict(table, span, size)
    if size > span.maximum:
        return table    # not an error: an entry that is too large empties the table
    if table is None:
        table = fresh_table(0, indexed)
        span.start = span.end = 0
    # The span is also copied once the dead entries exceed the maximum size of the table. All entries that
    # were copied before are dead by then, so the cost of copying stays linear.
    elif (table.used != span.end or table.used == table.room
            or table.octets - span.octets > span.maximum):
        table = copied_out(table, span, indexed)
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
    """Return the live entries, the newest first."""
    cdef list made = []
    cdef Py_ssize_t i
    if table is None:
        return ()
    # Other states may append to the log meanwhile; the entries of this span do not move.
    for i in range(span.end - 1, span.start - 1, -1):
        made.append(<object>table.entries[i].pair)
    return tuple(made)


cdef bint same_span(Table one, const Span *first, Table other, const Span *second) except -1:
    """Whether two dynamic tables have equal entries and sizes."""
    if (first.octets != second.octets or first.maximum != second.maximum
            or first.end - first.start != second.end - second.start):
        return False
    if one is other and first.start == second.start:
        return True
    return first.start == first.end or listed(one, first) == listed(other, second)
