# Fault: one error of the peer, or one refused request, as a value.

cdef enum:
    PROCESSED_OF_NONE = -1   # no request was considered yet
    PROCESSED_NO = 0      # the peer has not acted on the request: it is safe to send it again elsewhere
    PROCESSED_MAYBE = 1   # not known
    PROCESSED_YES = 2     # the peer has acted on the request: part of a response was seen


cdef class Fault:
    cdef readonly str reason         # stable snake_case name; errors have one class per reason
    cdef readonly str name           # the field, frame, setting or proxy step it is about, or ""
    cdef readonly str value          # what was seen, or ""; escaped and shortened when it is shown
    cdef readonly long long size     # the amount seen, or 0
    cdef readonly long long limit    # the amount allowed, or 0
    cdef readonly long long code     # HTTP/2 error code or status, or 0
    cdef readonly int processed      # PROCESSED_
    cdef readonly bint local         # a call of the caller was refused, and nothing was sent

    cdef tuple parts(self)


cdef Fault marked(Fault given, int processed)
cdef Fault without_value(Fault given)
cdef int weighed(int before, int processed) noexcept
cdef Fault fault(str reason, str name=*, str value=*, long long size=*, long long limit=*,
                 long long code=*, int processed=*)
cdef Fault refusal(str reason, str name=*, str value=*, long long size=*, long long limit=*,
                   long long code=*)
