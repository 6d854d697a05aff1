# The fast path of the frequent operations of a connection.
from .events cimport RequestRef, StateMethods, Step
from .messages cimport Received
from .link_base cimport LinkBase
from .values cimport Slots


cdef class FastPath:
    cdef Slots slots
    cdef Py_ssize_t link         # position in the slots' offsets
    cdef StateMethods methods     # the methods of the states, as C functions
    cdef bint flushes            # whether states count the octets that wait to be written

    cdef LinkBase link_of(self, object value)
    cdef object current_state(self, object value, LinkBase link)
    cdef object try_request(self, object value, object method, object target, object headers, tuple body,
                            bint streaming, bint flush)
    cdef object try_stream_body(self, object value, RequestRef ref, bytes data, bint flush)
    cdef object try_recv(self, object value, object until)
    cdef object try_stream(self, object value, Received message)
    cdef object send_request(self, object value, LinkBase link, object method, object target, object headers,
                             tuple body, bint streaming, bint flush)
    cdef object send_piece(self, object value, LinkBase link, RequestRef ref, bytes data, bint flush)
    cdef object receive(self, object value, LinkBase link, object until)
    cdef object feed_message(self, object value, LinkBase link, Received message)
    cdef int check_unsolicited(self, object value, LinkBase link, bint queues) except -1
    cdef int send_output(self, object value, LinkBase link, Step made, bint flush) except -1
    cdef Step feed(self, object value, LinkBase link, bytes data)
    cdef object successor(self, object value, LinkBase link, Step made)
