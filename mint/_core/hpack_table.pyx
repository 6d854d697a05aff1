# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The dynamic tables of HPACK: an append-only log of entries that successive states share. RFC 7541 2.3.

A state knows its own span of the log. The newest state adds an entry in O(1); any other state first copies
its span into a new log. The log is a ring. Once only one state uses it, the entries before the span of that
state make room for others. Header blocks are read and written elsewhere.
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
        for i in range(self.first, self.used):
            Py_DECREF(<object>at_position(self, i).pair)
        PyMem_Free(self.entries)
        PyMem_Free(self.slots)


cdef int index_entry(Table table, Py_ssize_t position) except -1:
    """Store an entry as the newest with its pair and with its name."""
    cdef Entry *entry = at_position(table, position)
    cdef void *name = PyTuple_GET_ITEM(<object>entry.pair, 0)
    cdef int slot = <int>(entry - table.entries) + 1
    slot_of_pair(table, entry.note, name, PyTuple_GET_ITEM(<object>entry.pair, 1))[0] = slot
    slot_of_name(table, hash_of(name), name)[0] = slot
    return 0


cdef inline uint32_t hash_in(Table table, int slot, bint by_name) noexcept:
    cdef Entry *entry = &table.entries[slot - 1]
    return hash_of(PyTuple_GET_ITEM(<object>entry.pair, 0)) if by_name else entry.note


cdef void free_slot(Table table, int slot, bint by_name) noexcept:
    """Free the slot of an entry, unless a newer entry has taken it, and close the gap."""
    cdef uint32_t mask = <uint32_t>(2 * table.room - 1)
    cdef int *slots = table.slots + (2 * table.room if by_name else 0)
    cdef uint32_t gap = hash_in(table, slot, by_name) & mask
    cdef uint32_t i
    while slots[gap] != slot:
        if slots[gap] == 0:
            return
        gap = (gap + 1) & mask
    i = (gap + 1) & mask
    while slots[i]:
        # Move what a search would not find any more, because it begins at the gap or before it.
        if ((i - hash_in(table, slots[i], by_name)) & mask) >= ((i - gap) & mask):
            slots[gap] = slots[i]
            gap = i
        i = (i + 1) & mask
    slots[gap] = 0


cdef void drop_until(Table table, Py_ssize_t position) noexcept:
    """Drop the entries before a position, of which no state knows any more."""
    cdef Entry *entry
    while table.first < position:
        entry = at_position(table, table.first)
        if table.slots != NULL:
            free_slot(table, <int>(entry - table.entries) + 1, False)
            free_slot(table, <int>(entry - table.entries) + 1, True)
        table.first += 1
        table.octets -= entry.size
        Py_DECREF(<object>entry.pair)


cdef Table fresh_table(Py_ssize_t live, bint indexed):
    """Return an empty log with room for half as many entries again, and for 32 if there are any."""
    cdef Table fresh = Table.__new__(Table)
    cdef Py_ssize_t room = LEAST_ROOM
    while live and room < live + max(live // 2, 32):
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
        fresh.entries[i] = at_position(table, span.start + i)[0]
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

    A log that is full, or that another state has appended to, is not changed: entries never move, and those
    in the span of any state that uses the log stay.
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
    elif (table.used != span.end or table.used - table.first == table.room
            or table.octets - span.octets > span.maximum):
        table = copied_out(table, span, indexed)
    entry = at_position(table, table.used)
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
        made.append(<object>at_position(table, i).pair)
    return tuple(made)


cdef bint same_span(Table one, const Span *first, Table other, const Span *second) except -1:
    """Whether two dynamic tables have equal entries and sizes."""
    if (first.octets != second.octets or first.maximum != second.maximum
            or first.end - first.start != second.end - second.start):
        return False
    if one is other and first.start == second.start:
        return True
    return first.start == first.end or listed(one, first) == listed(other, second)
