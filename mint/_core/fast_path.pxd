# The fast path of the frequent operations of a connection.
from .events cimport Course, RequestRef, Step
from .messages cimport Received
from .link_base cimport Turns
from .values cimport Slots


cdef class Quick:
    cdef Slots slots
    cdef Py_ssize_t link         # position in the slots' offsets
    cdef Course course           # the methods of the states, as C functions
    cdef bint flushes            # whether states count the octets that wait to be written

    cdef Turns linked(self, object value)
    cdef object current(self, object value, Turns link)
    cdef object asked(self, object value, object method, object target, object headers, tuple body,
                      bint streaming, bint flush)
    cdef object passed(self, object value, RequestRef ref, bytes data, bint flush)
    cdef object heard(self, object value, object until)
    cdef object got(self, object value, Received got)
    cdef object requested(self, object value, Turns link, object method, object target, object headers,
                          tuple body, bint streaming, bint flush)
    cdef object streamed_out(self, object value, Turns link, RequestRef ref, bytes data, bint flush)
    cdef object received(self, object value, Turns link, object until)
    cdef object streamed(self, object value, Turns link, Received got)
    cdef int listened(self, object value, Turns link, bint queues) except -1
    cdef int handed(self, object value, Turns link, Step made, bint flush) except -1
    cdef Step fed(self, object value, Turns link, bytes data)
    cdef object successor(self, object value, Turns link, Step made)
