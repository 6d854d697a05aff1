# The message rules of RFC 9113 section 8 for requests and responses, without streams and connections.
from .faults cimport Fault
from .http2_config cimport Config


cdef class Draft:                 # a request that may be sent
    cdef list fields              # of (name, value) pairs, pseudo-headers first
    cdef long long size           # octets as SETTINGS_MAX_HEADER_LIST_SIZE counts them
    cdef long long declared       # content-length; -1: none
    cdef bint is_head
    cdef bint is_connect          # also true for extended CONNECT
    cdef bint is_extended
    cdef bint expects             # expect: 100-continue
    cdef unsigned int single      # a bit for each field so far that may be given only once
    cdef Fault fault              # why it is refused, or None


cdef struct Answer:               # facts about a response head
    int status
    long long length              # content-length; -1: none


# A request as fields. `total` is the size of the body in octets; -1: streamed, -2: none.
cdef Draft drafted(Config config, object given_method, object given_target, object headers,
                   long long total)
# Request trailers as fields, or why they are refused in `fault`.
cdef Draft drafted_trailers(Config config, object headers)
# The fields of a response head or trailers without pseudo-headers, or a Fault if they are malformed.
cdef object response_head(list fields, unsigned int marks, Config config, Answer *head)
cdef object response_trailers(list fields, unsigned int marks, Config config)
# Why a promised request must not be accepted; None if it may.
cdef Fault promise_fault(Config config, list fields, unsigned int marks, bint *is_head)
# The fields of a promised request with its cookie fields joined, and the octets of the joined field.
cdef tuple with_cookie_joined(list fields)
cdef long long crumbs_size(list fields) except -1
