# The last request of a connection, kept so that one like it is not made anew. Immutable.
from .http1_requests cimport Draft


cdef class Repeat:
    cdef str method
    cdef tuple headers        # the caller's pairs: exact tuples of two exact strs
    cdef bint old_peer        # what the framing was decided for
    cdef bytes written        # the whole request
    cdef Py_ssize_t rest      # where in it the octets behind the target begin
    cdef int asks             # ASKS_ bits
    cdef tuple protocols      # offered with upgrade, in lower case

    cdef bint is_like(self, object method, object target, object headers, bint old_peer) except -1
    cdef bytes again(self, str target)

cdef Repeat repeatable(Draft made, object method, object target, object headers, bint old_peer)   # or None
