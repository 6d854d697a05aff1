# What a link hands out in active mode, where it is frequent enough to be compiled.


cdef class Source:
    cdef readonly unsigned long long token   # 64 random bits
    cdef object __weakref__


cdef class Received:
    cdef readonly Source source        # of the link
    cdef readonly long long sequence   # of this message among those of the link; from 1
    cdef readonly bytes data           # plaintext of one read
