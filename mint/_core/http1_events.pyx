# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The events and faults of HTTP/1 responses, made without parsing arguments."""

from .chars cimport is_blank
from .events cimport Done, Failed, Headers, Informational, RequestRef, Trailers
from .faults cimport PROCESSED_MAYBE, PROCESSED_YES, Fault, fault


cdef Fault seen_fault(str reason, str name="", str value="", long long size=0, long long limit=0,
                      long long code=0):
    """Return the fault of a response that was partly seen."""
    return fault(reason, name, value, size, limit, code, PROCESSED_YES)


cdef Fault off_line(bint answers, str cause, str value):
    """Return the fault of a line that should be a status line.

    A line that does not begin with `HTTP/` may not be a response at all. It may be the rest of the response
    before it, or come from a server of another protocol that sends before it reads.
    """
    return fault("invalid_status_line", cause, value, 0, 0, 0, PROCESSED_YES if answers else PROCESSED_MAYBE)


cdef Fault unless_folded(unsigned char following, str name, Fault broken):
    """Return the fault of a framing field: that it is folded, if it is, and otherwise `broken`.

    A connection field may be folded. If it is not a list of tokens, further lines cannot make it one.
    """
    if is_blank(following) and name != "connection":
        return seen_fault("invalid_header", "a field that frames the message must not be folded", name)
    return broken


cdef Done done(RequestRef ref):
    cdef Done made = Done.__new__(Done)
    made.ref = ref
    return made


cdef Failed failed(RequestRef ref, Fault broken):
    cdef Failed made = Failed.__new__(Failed)
    made.ref = ref
    made.fault = broken
    return made


cdef Informational informational(RequestRef ref, int status, tuple section):
    cdef Informational made = Informational.__new__(Informational)
    made.ref = ref
    made.status = status
    made.headers = section
    return made


cdef Headers head(RequestRef ref, tuple section):
    cdef Headers made = Headers.__new__(Headers)
    made.ref = ref
    made.headers = section
    return made


cdef Trailers trailers(RequestRef ref, tuple section):
    cdef Trailers made = Trailers.__new__(Trailers)
    made.ref = ref
    made.headers = section
    return made
