# cython: language_level=3
"""TLS records on their way through the memory of `ssl`."""


cdef class Records:
    cdef readonly object ssl_object  # the `ssl.SSLObject`
    cdef object _arriving
    cdef object _leaving
    cdef public bint watched         # whether `decrypt` must be told of everything that comes
    cdef list _pieces                # what was decrypted, and not returned yet
    cdef object _stopped             # the error after them, or `b""` for the end
    cdef unsigned char _header[5]    # of the last record
    cdef Py_ssize_t _begun           # how many octets of the last record have come; 0 if it is complete
    cdef Py_ssize_t _missing         # how many are missing, once its header is known
    cdef bint _unknown               # whether something came that is no record

    cdef int measure(self, bytes octets) except -1
    cdef bint has_record(self) except -1
    cdef object drain(self, list pieces)
    cdef int encrypt(self, object plaintext) except -1
