# Fault: one thing the peer did wrong, or one request that is refused, as a value.

cdef enum:
    PROCESSED_OF_NONE = -1   # no request was weighed yet
    PROCESSED_NO = 0      # the peer has not acted on the request: safe to send again elsewhere
    PROCESSED_MAYBE = 1   # nobody can tell
    PROCESSED_YES = 2     # the peer has acted on it: part of a response was seen


cdef class Fault:
    cdef readonly str reason         # stable snake_case name; errors have one class per reason
    cdef readonly str name           # the field, frame, setting or proxy step it is about; ""
    cdef readonly str value          # what was seen, escaped and bounded by whoever shows it; ""
    cdef readonly long long size     # the amount seen; 0
    cdef readonly long long limit    # the amount allowed; 0
    cdef readonly long long code     # HTTP/2 error code or status; 0
    cdef readonly int processed      # a Processed
    cdef readonly bint local         # the caller asked for it; nothing was sent

    cdef tuple parts(self)


cdef Fault marked(Fault given, int processed)
cdef Fault without_value(Fault given)
cdef int weighed(int before, int processed) noexcept
cdef Fault fault(str reason, str name=*, str value=*, long long size=*, long long limit=*,
                 long long code=*, int processed=*)
cdef Fault refusal(str reason, str name=*, str value=*, long long size=*, long long limit=*,
                   long long code=*)
