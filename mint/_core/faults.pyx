# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Faults: errors of the peer and reasons to refuse a request, as values.

The engines return faults instead of raising; the connection classes make exceptions of them, with one class
for each reason.
"""

cimport cython


@cython.final
@cython.freelist(8)
cdef class Fault:
    """One thing that went wrong: a stable reason and what was seen."""

    def __init__(self, str reason not None, str name not None="", str value not None="",
                 long long size=0, long long limit=0, long long code=0,
                 int processed=PROCESSED_MAYBE, bint local=False):
        self.reason = reason
        self.name = name
        self.value = value
        self.size = size
        self.limit = limit
        self.code = code
        self.processed = processed
        self.local = local

    cdef tuple parts(self):
        return (self.reason, self.name, self.value, self.size, self.limit, self.code,
                self.processed, self.local)

    def __eq__(self, other):
        if type(other) is not Fault:
            return NotImplemented
        return self.parts() == (<Fault>other).parts()

    def __hash__(self):
        return hash(self.parts())

    def __repr__(self):
        return "Fault" + repr(self.parts())

    def __reduce__(self):
        return Fault, self.parts()


cdef Fault marked(Fault given, int processed):
    """Return the fault with this `processed`; PROCESSED_NO if it stands for no request."""
    if processed == PROCESSED_OF_NONE:
        processed = PROCESSED_NO
    if given.processed == processed:
        return given
    return Fault(given.reason, given.name, given.value, given.size, given.limit, given.code,
                 processed, given.local)


cdef Fault without_value(Fault given):
    """Return the fault without what was seen, which may be a secret."""
    return Fault(given.reason, given.name, "(a field that may hold a secret)", given.size, given.limit,
                 given.code, given.processed, given.local)


cdef int weighed(int before, int processed) noexcept:
    """Return what is true of the requests so far and of one more: MAYBE if they differ."""
    return processed if before == PROCESSED_OF_NONE or before == processed else PROCESSED_MAYBE


cdef Fault fault(str reason, str name="", str value="", long long size=0, long long limit=0,
                 long long code=0, int processed=PROCESSED_MAYBE):
    """Return a fault of the peer."""
    return Fault(reason, name, value, size, limit, code, processed, False)


cdef Fault refusal(str reason, str name="", str value="", long long size=0, long long limit=0,
                   long long code=0):
    """Return the fault of a call that is refused; nothing was sent."""
    return Fault(reason, name, value, size, limit, code, PROCESSED_NO, True)
