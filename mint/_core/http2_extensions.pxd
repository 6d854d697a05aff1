# Frames that extensions of HTTP/2 define: reading and sending.
from .events cimport RequestRef, Step
from .frames cimport Head
from .http2_state cimport Core, Work

# The header of a frame whose type RFC 9113 does not define: decide whether its payload is skipped.
cdef int on_extension_header(Work w, Head head) except -1
cdef int on_extension(Work w, Head head, const unsigned char *payload) except -1
cdef Step send_priority(Core before, RequestRef ref, bytes value)
