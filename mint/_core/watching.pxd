# What a mailbox knows of a link, and the frequent steps from a ready socket to a message.

cdef extern from "Python.h":
    ctypedef class weakref.ReferenceType [object PyWeakReference]:
        pass


cdef class Poller:
    # Set once.
    cdef public object _epoll
    cdef readonly object _keys   # a dict


cdef class Watch(ReferenceType):
    cdef public int fd           # of the socket, -1 for none; set before another thread can know it
    cdef int events_word         # what is registered; written with the lock of registrations
    cdef int queued_word         # whether it is in a queue; for the thread that takes, and for `_recover`


cdef class WatcherBase:
    # Set once: deques, which any thread may change, and the selector.
    cdef public object _orders
    cdef public object _near
    cdef public object _ready
    cdef public object _refused
    cdef public object _selector
    # Read by every thread.
    cdef int asleep_word         # a receiver may be waiting, and must be woken
    cdef int closed_word
    cdef int streak_word         # messages since the last `select`; written by the thread that takes

    cdef bint take(self, list out) except -1
    cdef bint read(self, Watch watch, list out) except -1
    cdef int report(self, Watch watch, int events) except -1
