# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Append-only logs: how successive states share a growing buffer without writing to each other.

A state knows its own window of the log. Appending from the newest state is O(1); a state that is not
the newest (a fork, a replay) first copies its own window into a log of its own, so nothing it does can
be seen by the others. When the dead prefix outgrows the live window, the window is copied out, so a
log never holds more than a constant factor of what is alive.
"""

cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.string cimport memcmp, memcpy


@cython.final
cdef class ByteLog:
    """Octets of a partial line, section or frame."""

    def __dealloc__(self):
        PyMem_Free(self.octets)


cdef int reserve(ByteLog log, Py_ssize_t total) except -1:
    """Make room for `total` octets, doubling so that growing stays linear."""
    cdef Py_ssize_t room = log.room if log.room else 64
    cdef unsigned char *moved
    if total <= log.room:
        return 0
    while room < total:
        room *= 2
    moved = <unsigned char *>PyMem_Realloc(log.octets, room)
    if moved == NULL:
        raise MemoryError
    log.octets = moved
    log.room = room
    return 0


cdef ByteLog copied_out(ByteLog log, Window *window, Py_ssize_t extra):
    """Return a new log that holds just the window, with room for more."""
    cdef ByteLog fresh = ByteLog.__new__(ByteLog)
    cdef Py_ssize_t live = window.end - window.start
    reserve(fresh, live + extra)
    if live:
        memcpy(fresh.octets, log.octets + window.start, live)
    fresh.used = live
    window.start = 0
    window.end = live
    return fresh


cdef ByteLog log_append(ByteLog log, Window *window, const unsigned char *piece, Py_ssize_t count):
    """Append to the window and return the log that holds it now."""
    if log is None:
        window.start = window.end = 0
        log = ByteLog.__new__(ByteLog)
    with cython.critical_section(log):
        if log.used != window.end or (
            window.start > 4096 and window.start > window.end - window.start
        ):
            log = copied_out(log, window, count)
        reserve(log, log.used + count)
        memcpy(log.octets + log.used, piece, count)
        log.used += count
        window.end = log.used
    return log


cdef bint same_octets(ByteLog one, const Window *its, ByteLog two, const Window *other) noexcept:
    """Whether two windows hold the same; other threads may append to the logs meanwhile, and move them."""
    cdef Py_ssize_t count = its.end - its.start
    if count != other.end - other.start:
        return False
    if count == 0:
        return True
    with cython.critical_section(one, two):
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
