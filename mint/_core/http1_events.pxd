# The events and faults of HTTP/1 responses.
from .events cimport Done, Failed, Headers, Informational, RequestRef, Trailers
from .faults cimport Fault

# A fault in a response that was partly seen: the server has acted on the request.
cdef Fault seen_fault(str reason, str name=*, str value=*, long long size=*, long long limit=*,
                      long long code=*)

cdef enum:
    NAMED = 5   # octets of "HTTP/": a line that begins with it is meant to be a status line

# The fault of a line that should be a status line; `answers` if it is known to be part of a response.
cdef Fault off_line(bint answers, str cause, str value)
# The fault of a framing field: that it is folded, if the octet that begins the next line is whitespace.
cdef Fault unless_folded(unsigned char following, str name, Fault broken)
cdef Done done(RequestRef ref)
cdef Failed failed(RequestRef ref, Fault broken)
cdef Informational informational(RequestRef ref, int status, tuple section)
cdef Headers head(RequestRef ref, tuple section)
cdef Trailers trailers(RequestRef ref, tuple section)
