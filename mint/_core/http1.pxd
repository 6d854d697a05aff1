# One HTTP/1 connection as a value. Its fields are declared in http1_responses.pxd.
from .events cimport RequestRef, Step
from .http1_responses cimport Reading


cdef class State(Reading):
    cdef State clone(self)
    cdef Step send_request(self, object method, object target, object headers, tuple body, bint streaming)
    cdef Step send_piece(self, RequestRef ref, bytes data)
    cdef Step receive(self, bytes data)
    cdef bint may_switch(self) noexcept
    cdef int end(self) noexcept                       # END_
    cdef object checked(self, RequestRef ref)         # raises ValueError
    cdef object unsendable(self, RequestRef ref)      # a Fault, or None
