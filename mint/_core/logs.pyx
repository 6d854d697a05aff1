# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Append-only logs: how successive states share a growing buffer without writing to each other.

A state knows its own window of the log. Appending from the newest state is O(1); a state that is not
the newest (a fork, a replay) first copies its own window into a new log, so nothing it does can be seen
by the others. A log that is full is not enlarged: the window is copied into a larger one. So the octets
of a window never move and never change, and a pointer to them is good for as long as the function that
uses it holds a reference to the log. When the dead prefix outgrows the live window, the window is
copied out, too: a log never holds more than a constant factor of what is alive.
"""

cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.string cimport memcmp, memcpy


@cython.final
cdef class ByteLog:
    """Octets of a partial line, section or frame."""

    def __dealloc__(self):
        PyMem_Free(self.octets)


cdef ByteLog fresh_log(Py_ssize_t total):
    """Return an empty log with room for `total` octets and as many again, so that growing stays linear."""
    cdef ByteLog fresh = ByteLog.__new__(ByteLog)
    fresh.room = 2 * total if total > 32 else 64
    fresh.octets = <unsigned char *>PyMem_Malloc(fresh.room)
    if fresh.octets == NULL:
        raise MemoryError
    return fresh


cdef ByteLog log_append(ByteLog log, Window *window, const unsigned char *piece, Py_ssize_t count):
    """Append to the window and return the log that holds it now."""
    cdef ByteLog fresh
    cdef Py_ssize_t live
    if log is None:
        window.start = window.end = 0
    else:
        # Between the check and the claim nothing is allocated: no other state can come between.
        with cython.critical_section(log):
            if (log.used == window.end and log.room - log.used >= count
                    and (window.start <= 4096 or window.start <= window.end - window.start)):
                memcpy(log.octets + log.used, piece, count)
                log.used += count
                window.end = log.used
                return log
    # A log that is full, or that another state has written to, stays as it is: pointers into it last.
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
    """Whether two windows hold the same. What a window holds never changes and never moves."""
    cdef Py_ssize_t count = its.end - its.start
    if count != other.end - other.start:
        return False
    if count == 0:
        return True
    return memcmp(one.octets + its.start, two.octets + other.start, count) == 0


@cython.final
cdef class ListLog:
    """Objects of a section that is not complete yet."""

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
