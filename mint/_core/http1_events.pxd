# Events and faults about HTTP/1 responses.
from .events cimport Done, Failed, Headers, Informational, RequestRef, Trailers
from .faults cimport Fault

# A fault in a response that was partly seen: the request has been acted on.
cdef Fault seen_fault(str reason, str name=*, str value=*, long long size=*, long long limit=*,
                      long long code=*)

cdef enum:
    NAMED = 5   # octets of "HTTP/": a line that begins with them is meant to be a status line

# A fault in a line where a status line should be; `answers` where something says that it is a response.
cdef Fault off_line(bint answers, str cause, str value)
# What is wrong with a framing field: that it is folded, if the line after it begins with this octet.
cdef Fault unless_folded(unsigned char following, str name, Fault broken)
cdef Done done(RequestRef ref)
cdef Failed failed(RequestRef ref, Fault broken)
cdef Informational informational(RequestRef ref, int status, tuple section)
cdef Headers head(RequestRef ref, tuple section)
cdef Trailers trailers(RequestRef ref, tuple section)
