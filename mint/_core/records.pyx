# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Encrypts and decrypts TLS records with `ssl.MemoryBIO` objects: the base class of the TLS layer.

OpenSSL does the cryptography. Only the length in the header of each record is read here (RFC 8446 5.1), so
that OpenSSL is asked only for complete records: for others, it would raise an exception.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE

cdef enum:
    RECORD = 16384      # the most plaintext that one record holds
    EXPANSION = 2048    # how much longer the ciphertext may be (RFC 5246 6.2.3; less in TLS 1.3)
    FIRST_TYPE = 20
    LAST_TYPE = 24


cdef class Records:
    """The records of one TLS connection, in both directions.

    `attach` sets the `ssl.SSLObject` and its two `ssl.MemoryBIO` objects.
    """

    def __cinit__(self, *_, **__):
        self._pieces = []

    def attach(self, tls not None, arriving not None, leaving not None):
        """Set the three objects of `ssl`, before any octets arrive."""
        self.ssl_object = tls
        self._arriving = arriving
        self._leaving = leaving

    cdef int measure(self, bytes octets) except -1:
        """Count the octets of the last record that have arrived; 0 if it is complete."""
        cdef const unsigned char *at = <const unsigned char *>PyBytes_AS_STRING(octets)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(octets)
        cdef Py_ssize_t taken
        if self._unknown:
            return 0
        while size:
            if self._missing:
                taken = min(self._missing, size)
                self._missing -= taken
                self._begun = self._begun + taken if self._missing else 0
                at += taken
                size -= taken
                continue
            self._header[self._begun] = at[0]
            self._begun += 1
            at += 1
            size -= 1
            if self._begun == 5:
                self._missing = (<Py_ssize_t>self._header[3] << 8) | self._header[4]
                if (self._header[0] < FIRST_TYPE or self._header[0] > LAST_TYPE or self._header[1] != 3
                        or self._missing > RECORD + EXPANSION):
                    # Not a record: OpenSSL reports the error.
                    self._unknown = True
                    return 0
                if not self._missing:
                    self._begun = 0
        return 0

    def feed(self, bytes ciphertext not None):
        """Take octets from the peer; `b""` means that the peer has ended."""
        if ciphertext:
            self.measure(ciphertext)
            self._arriving.write(ciphertext)
        else:
            self._unknown = True
            self._arriving.write_eof()

    cdef bint has_record(self) except -1:
        """Whether OpenSSL can return something: a complete record, an error, or the end."""
        cdef Py_ssize_t pending
        if self._unknown:
            return True
        pending = self._arriving.pending
        return pending > self._begun

    cdef int drain(self) except -1:
        """Add the plaintext of every complete record to `_pieces`; note if the peer has ended."""
        cdef object piece
        cdef object read = self.ssl_object.read
        # Exceptions are caught in Python: Cython's `except` fails where there is no memory for a traceback.
        while not self.over and self.has_record():
            piece = read(RECORD)
            if piece:
                self._pieces.append(piece)
            else:
                self.over = True
        return 0

    def decrypt(self):
        """Decrypt every complete record; `take_plaintext` returns the plaintext. Raises errors of `ssl`."""
        self.drain()

    def take_plaintext(self):
        """Return the pieces of plaintext that were decrypted and not returned yet."""
        cdef list pieces = self._pieces
        self._pieces = []
        return pieces

    def opened(self, bytes ciphertext not None):
        """Take octets that the peer sent, and return their plaintext.

        `None` if that is not all there is to do: something must be sent, or the peer has ended, or `watched`
        is set; `take_plaintext` returns the plaintext then. Raises errors of `ssl`; plaintext before them is
        kept.
        """
        cdef bint first = not self._pieces
        cdef list pieces
        self.feed(ciphertext)
        if self.watched:
            return None
        self.drain()
        if not first or self.over or self._leaving.pending:
            return None
        pieces = self.take_plaintext()
        if len(pieces) == 1:
            return pieces[0]
        return b"".join(pieces)

    def encrypt(self, plaintext not None):
        """Encrypt, and return what must be sent to the peer now. Raises errors of `ssl`."""
        self.ssl_object.write(plaintext)
        return self._leaving.read()

    def leaving(self):
        """Return what must be written to the peer now."""
        if self._leaving.pending:
            return self._leaving.read()
        return b""
