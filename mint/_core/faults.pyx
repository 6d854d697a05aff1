# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Faults: what the peer did wrong, or why a request is refused, as values.

The engines return them and never raise; the facade makes exceptions of them, one class per reason.
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
    """The same fault with what is known about a request; of no request, NO."""
    if processed == PROCESSED_OF_NONE:
        processed = PROCESSED_NO
    if given.processed == processed:
        return given
    return Fault(given.reason, given.name, given.value, given.size, given.limit, given.code,
                 processed, given.local)


cdef Fault without_value(Fault given):
    """The same fault, where what was seen may be a secret."""
    return Fault(given.reason, given.name, "(a field that may hold a secret)", given.size, given.limit,
                 given.code, given.processed, given.local)


cdef int weighed(int before, int processed) noexcept:
    """The strongest thing that is true of the requests so far and of one more."""
    return processed if before == PROCESSED_OF_NONE or before == processed else PROCESSED_MAYBE


cdef Fault fault(str reason, str name="", str value="", long long size=0, long long limit=0,
                 long long code=0, int processed=PROCESSED_MAYBE):
    """Return what the peer did wrong."""
    return Fault(reason, name, value, size, limit, code, processed, False)


cdef Fault refusal(str reason, str name="", str value="", long long size=0, long long limit=0,
                   long long code=0):
    """Return why the caller's wish is refused; nothing of it was sent."""
    return Fault(reason, name, value, size, limit, code, PROCESSED_NO, True)
