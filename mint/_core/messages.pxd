# The most frequent message of a link in active mode, and what it consists of.


cdef class Numbers:
    cdef unsigned long long first
    cdef long taken   # by any thread


cdef class Source:
    cdef readonly unsigned long long token   # 64 bits, which are random for a link
    cdef object __weakref__


cdef class Received:
    cdef readonly Source source        # of the link
    cdef readonly long long sequence   # number of this message among those of the link, from 1
    cdef readonly bytes data           # plaintext of one read
