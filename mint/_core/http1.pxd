# One HTTP/1 connection as a value. Its fields stand in http1_responses.pxd.
from .events cimport RequestRef
from .http1_responses cimport Reading


cdef class State(Reading):
    cdef State clone(self)
    cdef bint may_switch(self) noexcept
    cdef int end(self) noexcept                       # END_
    cdef object checked(self, RequestRef ref)         # raises ValueError
    cdef object unsendable(self, RequestRef ref)      # a Fault, or None
