# Message rules of RFC 9113 section 8, both ways. Knows no stream and no connection.
from .faults cimport Fault
from .http2_config cimport Config


cdef class Draft:                 # a request that may be sent
    cdef list fields              # of (name, value) pairs, pseudo-headers first
    cdef long long size           # octets as SETTINGS_MAX_HEADER_LIST_SIZE counts them
    cdef long long declared       # content-length; -1: none
    cdef bint is_head
    cdef bint is_connect          # extended CONNECT too
    cdef bint is_extended
    cdef bint expects             # expect: 100-continue
    cdef unsigned int single      # which of the fields that stand once were seen, a bit each
    cdef Fault fault              # why it is refused; None


cdef struct Answer:               # what a response head says
    int status
    long long length              # content-length; -1: none


# A request as fields. `total` octets of body are known; -1: streamed, -2: none.
cdef Draft drafted(Config config, object given_method, object given_target, object headers,
                   long long total)
# Request trailers as fields; None in `fields` never: see `fault`.
cdef Draft drafted_trailers(Config config, object headers)
# The fields of a response head or trailers without pseudo-headers; a Fault where they are malformed.
cdef object response_head(list fields, unsigned int marks, Config config, Answer *head)
cdef object response_trailers(list fields, unsigned int marks, Config config)
# Why a promised request may not be accepted; None where it may.
cdef Fault promise_fault(Config config, list fields, unsigned int marks, bint *is_head)
# The cookie crumbs of a promised request as one field, and the octets that takes.
cdef tuple with_cookie_joined(list fields)
cdef long long crumbs_size(list fields) except -1
