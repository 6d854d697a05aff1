# The last request of a connection, kept so that a similar one can be made from it. Immutable.
from .http1_requests cimport Draft


cdef class Repeat:
    cdef str method
    cdef tuple headers        # the caller's pairs: exact tuples of two exact strs
    cdef bint old_peer        # whether the server used HTTP/1.0, which the framing depends on
    cdef bytes written        # the complete request
    cdef Py_ssize_t rest      # where the octets after the target begin
    cdef int asks             # ASKS_ bits
    cdef tuple protocols      # offered with upgrade, in lower case

    cdef bint is_like(self, object method, object target, object headers, bint old_peer) except -1
    cdef bytes again(self, str target)

cdef Repeat repeatable(Draft made, object method, object target, object headers, bint old_peer)   # or None
