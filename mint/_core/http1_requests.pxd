# The serializer of HTTP/1 requests: everything that is sent is validated and written here.
from .faults cimport Fault
from .http1_config cimport Config


# How a request affects its response and the requests after it.
cdef enum:
    ASKS_HEAD = 1             # the response has no body
    ASKS_CONNECT = 2          # a 2xx makes the connection a tunnel
    ASKS_UPGRADE = 4          # a 101 makes the connection a tunnel
    ASKS_CLOSE = 8            # connection: close was sent; the response is the last
    ASKS_CONTINUE = 16        # expect: 100-continue


# How the body of a request is sent.
cdef enum:
    SEND_NOTHING = 0          # it is complete, or there is none
    SEND_LENGTH = 1           # as it is, up to the declared length
    SEND_CHUNKED = 2


# A request that was validated and written, or refused.
cdef class Draft:
    cdef Fault refused        # the first fault that was found, or None
    cdef tuple output         # of bytes, to be written in order
    cdef int asks             # ASKS_ bits
    cdef tuple protocols      # offered with upgrade, in lower case
    cdef int sends            # SEND_: how the rest of the body is sent
    cdef long long length     # with SEND_LENGTH: octets of the rest
    # Used only while the request is made:
    cdef Config config
    cdef list lines           # octets of the caller's fields
    cdef tuple seen           # names of the fields so far that may be given only once
    cdef tuple options        # connection options that must be sent with the fields so far
    cdef Py_ssize_t joins     # index in `lines` of the last connection field, or -1
    cdef bytes host           # the host line
    cdef bint has_agent
    cdef bint has_connection
    cdef tuple named          # connection options the caller names, in lower case
    cdef long long declared   # content-length, or -1
    cdef bint has_transfer
    cdef int transfer         # SEEN_ bits of transfer-encoding

    cdef int field(self, str method, str name, str value, str wanted_host) except -1
    cdef list connection_lines(self)
    cdef int special(self, int kind, str name, str value, str wanted_host) except -1

cdef Draft draft(Config config, str method, str target, object headers, tuple body, bint streaming,
                 bint old_peer)
cdef tuple body_output(int sends, bytes data)                       # one piece of a streamed body
cdef object trailers_output(Config config, object trailers)         # bytes, or a Fault
