# The log of table entries that successive HPACK states share, and the span of it that a state uses.
from cpython.ref cimport Py_DECREF
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.stdint cimport uint32_t

from .atomics cimport mint_add
from .hpack_octets cimport same_text


cdef struct Entry:
    void *pair               # a (name, value) tuple; the log owns one reference
    unsigned int note        # decoder: MARK_ bits; encoder: hash of the pair
    unsigned int size        # octets as RFC 7541 4.1 counts them: name + value + 32


cdef class Table:
    cdef Entry *entries      # owned, never moves; a ring: position p is at p modulo `room`
    cdef int *slots          # owned, never moves; encoder only: places in the ring + 1; 2 * room by pair,
                             # then by name; 0 is a free slot
    cdef Py_ssize_t first    # position of the oldest entry that is kept
    cdef Py_ssize_t used     # one past the newest, which the newest state appended
    cdef Py_ssize_t room     # entries allocated; a power of two
    cdef Py_ssize_t octets   # sizes of all entries that are kept, including dead ones
    cdef long states         # decoders or encoders that use this log


cdef struct Span:            # the dynamic table of one state
    Py_ssize_t start         # position of the oldest live entry
    Py_ssize_t end           # one past the newest
    Py_ssize_t octets        # sizes of the live entries
    Py_ssize_t maximum       # octets the dynamic table may hold


cdef Table copied_out(Table table, Span *span, bint indexed)
cdef Table insert(Table table, Span *span, tuple pair, uint32_t note, Py_ssize_t size, bint indexed)
cdef tuple listed(Table table, const Span *span)
cdef void drop_until(Table table, Py_ssize_t position) noexcept
cdef bint same_span(Table one, const Span *first, Table other, const Span *second) except -1


cdef inline Entry *at_position(Table table, Py_ssize_t position) noexcept:
    return &table.entries[position & (table.room - 1)]


cdef inline void join(Table table) noexcept:
    """Count a state that uses the log from now on."""
    if table is not None:
        mint_add(&table.states, 1)


cdef inline void leave(Table table) noexcept:
    """Count a state that does not use the log any more."""
    if table is not None:
        mint_add(&table.states, -1)


cdef inline void release(Table table, const Span *span) noexcept:
    """Drop the entries before the span of a state, if no other state uses the log.

    Only operations on this state can make further states, and their spans do not begin earlier.
    """
    if table is not None and table.first < span.start and mint_add(&table.states, 0) == 1:
        drop_until(table, span.start)


cdef inline void evict(Table table, Span *span, Py_ssize_t room) noexcept:
    """Drop the oldest entries until `room` octets are free or no entry is left (7541-4.3-a)."""
    while span.octets + room > span.maximum and span.start < span.end:
        span.octets -= at_position(table, span.start).size
        span.start += 1


cdef inline bint same_pair(void *pair, void *name, void *value) noexcept:
    return (same_text(PyTuple_GET_ITEM(<object>pair, 0), name)
            and same_text(PyTuple_GET_ITEM(<object>pair, 1), value))


cdef inline int *slot_of_pair(Table table, uint32_t found, void *name, void *value) noexcept:
    """Return the slot of the newest entry with this pair, or the free slot where it would be stored."""
    cdef uint32_t mask = <uint32_t>(2 * table.room - 1)
    cdef uint32_t i = found & mask
    cdef Entry *entry
    while table.slots[i]:
        entry = &table.entries[table.slots[i] - 1]
        if entry.note == found and same_pair(entry.pair, name, value):
            break
        i = (i + 1) & mask
    return &table.slots[i]


cdef inline int *slot_of_name(Table table, uint32_t found, void *name) noexcept:
    """Return the slot of the newest entry with this name, or the free slot where it would be stored."""
    cdef uint32_t mask = <uint32_t>(2 * table.room - 1)
    cdef uint32_t i = found & mask
    cdef int *slots = table.slots + 2 * table.room
    while slots[i]:
        if same_text(PyTuple_GET_ITEM(<object>table.entries[slots[i] - 1].pair, 0), name):
            break
        i = (i + 1) & mask
    return &slots[i]


cdef inline Py_ssize_t age_of(Table table, const Span *span, const int *slot) noexcept:
    """Return how many entries of the newest span, or dead ones before it, were added since; -1: free."""
    return (span.end - slot[0]) & (table.room - 1) if slot[0] else -1
