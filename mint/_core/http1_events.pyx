# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""What an HTTP/1 response gives: its events and faults, made without parsing arguments."""

from .chars cimport is_blank
from .events cimport Done, Failed, Headers, Informational, RequestRef, Trailers
from .faults cimport PROCESSED_MAYBE, PROCESSED_YES, Fault, fault


cdef Fault seen_fault(str reason, str name="", str value="", long long size=0, long long limit=0,
                      long long code=0):
    """What is wrong with a response that was partly seen."""
    return fault(reason, name, value, size, limit, code, PROCESSED_YES)


cdef Fault off_line(bint answers, str cause, str value):
    """What is wrong with a line where a status line should be; it may be part of no response at all.

    What does not even begin with `HTTP/` may be the rest of the response before it, or come from a server
    that speaks something else before it reads anything.
    """
    return fault("invalid_status_line", cause, value, 0, 0, 0, PROCESSED_YES if answers else PROCESSED_MAYBE)


cdef Fault unless_folded(unsigned char following, str name, Fault broken):
    """What is wrong with a field of framing: that it is folded, whatever its first line says.

    A connection field is unfolded, and more lines make none of what is no list of tokens.
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
