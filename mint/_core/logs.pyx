# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Append-only logs: how successive states share a growing buffer without affecting each other.

A state knows its own window of the log. Appending from the newest state is O(1). A state that is not the
newest (a fork or a replay) first copies its window into a new log, so that the other states cannot see the
change. A full log is not enlarged; the window is copied into a larger one. The octets of a window therefore
never move and never change, and a pointer to them is valid while the function that uses it holds a reference
to the log. The window is also copied when the dead prefix of the log outgrows it, so the size of a log is
bounded by a constant factor of its live octets.
"""

cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.string cimport memcmp, memcpy


@cython.final
cdef class ByteLog:
    """The octets of a partial line, section or frame."""

    def __dealloc__(self):
        PyMem_Free(self.octets)


cdef ByteLog fresh_log(Py_ssize_t total):
    """Return an empty log with room for twice `total` octets, so that the cost of growing stays linear."""
    cdef ByteLog fresh = ByteLog.__new__(ByteLog)
    fresh.room = 2 * total if total > 32 else 64
    fresh.octets = <unsigned char *>PyMem_Malloc(fresh.room)
    if fresh.octets == NULL:
        raise MemoryError
    return fresh


cdef ByteLog log_append(ByteLog log, Window *window, const unsigned char *piece, Py_ssize_t count):
    """Append to the window, move it, and return the log that holds it now."""
    cdef ByteLog fresh
    cdef Py_ssize_t live
    if log is None:
        window.start = window.end = 0
    else:
        # Nothing is allocated between the check and the append, so no other state can append in between.
        with cython.critical_section(log):
            if (log.used == window.end and log.room - log.used >= count
                    and (window.start <= 4096 or window.start <= window.end - window.start)):
                memcpy(log.octets + log.used, piece, count)
                log.used += count
                window.end = log.used
                return log
    # A log that is full, or that another state has appended to, is not changed: pointers into it stay valid.
    live = window.end - window.start
    fresh = fresh_log(live + count)
    if live:
        memcpy(fresh.octets, log.octets + window.start, live)
    memcpy(fresh.octets + live, piece, count)
    fresh.used = live + count
    window.start = 0
    window.end = fresh.used
    return fresh


cdef bint same_octets(ByteLog one, const Window *its, ByteLog two, const Window *other) noexcept:
    """Whether two windows have equal contents, which never change or move."""
    cdef Py_ssize_t count = its.end - its.start
    if count != other.end - other.start:
        return False
    if count == 0:
        return True
    return memcmp(one.octets + its.start, two.octets + other.start, count) == 0


@cython.final
cdef class ListLog:
    """The objects of an incomplete section."""

    def __cinit__(self):
        self.items = []


cdef ListLog list_append(ListLog log, Py_ssize_t count, object item):
    """Append after the first `count` items and return the log that holds them now."""
    cdef ListLog fresh
    if log is None:
        log = ListLog.__new__(ListLog)
    with cython.critical_section(log):
        if len(log.items) != count:
            fresh = ListLog.__new__(ListLog)
            fresh.items = log.items[:count]
            log = fresh
        log.items.append(item)
    return log
