# cython: language_level=3
"""Encrypts and decrypts TLS records with `ssl.MemoryBIO` objects."""


cdef class Records:
    cdef readonly object ssl_object  # the `ssl.SSLObject`
    cdef object _arriving
    cdef object _leaving
    cdef public bint watched         # whether `decrypt` must be called for all octets that arrive
    cdef list _pieces                # plaintext that was not returned yet
    cdef readonly bint over          # whether the peer has sent close_notify
    cdef unsigned char _header[5]    # of the last record
    cdef Py_ssize_t _begun           # octets of the last record that have arrived; 0 if it is complete
    cdef Py_ssize_t _missing         # octets of it that are missing, once its header is known
    cdef bint _unknown               # whether octets arrived that are not a record

    cdef int measure(self, bytes octets) except -1
    cdef bint has_record(self) except -1
    cdef int drain(self) except -1
