# HPACK (RFC 7541): decoding and encoding header blocks. Decoder and Encoder are values: an operation
# returns the successor and leaves the state unchanged.
from .faults cimport Fault
from .hpack_octets cimport MARK_NAME, MARK_PSEUDO, MARK_VALUE   # for the modules that cimport this one
from .hpack_table cimport Span, Table


cdef class Decoded:
    cdef readonly list fields     # of (name, value) pairs of str, as received, up to a fault
    cdef readonly object never    # frozenset of the positions of never-indexed fields; None: none
    cdef readonly Py_ssize_t size # octets of the list as RFC 9113 6.5.2 counts them
    cdef readonly unsigned int marks   # the MARK_ bits of all fields combined
    cdef readonly Fault fault     # compression_error(value), max_header_list_size_exceeded(size,
                                  # limit), too_many_headers(size, limit); or None
    cdef readonly Decoder decoder # the successor; the same state if nothing changed, or on a fault


cdef class Decoder:
    cdef Table table              # None until an entry is added
    cdef Span span
    cdef readonly Py_ssize_t limit     # octets: the SETTINGS_HEADER_TABLE_SIZE the peer acknowledged
    cdef Py_ssize_t required      # the next block must begin with an update to at most this; or -1

    # Decode one complete block. The limits apply to the decoded list: octets (32 more for each field) and
    # fields. Decoding stops as soon as one of them is exceeded.
    cdef Decoded decoded(self, const unsigned char *block, Py_ssize_t count,
                         Py_ssize_t most_octets, Py_ssize_t most_fields)
    # The peer acknowledged our SETTINGS_HEADER_TABLE_SIZE.
    cpdef Decoder resized(self, Py_ssize_t limit)


cdef class Encoded:
    cdef readonly bytes block     # begins with the reserved octets
    cdef readonly Encoder encoder # the successor; the same state if nothing changed


cdef class Encoder:
    cdef Table table              # None until an entry is added
    cdef Span span
    cdef readonly Py_ssize_t cap  # most octets of the dynamic table, even if the peer allows more
    cdef Py_ssize_t smallest      # least maximum since the last block, to be signalled in the next; or -1
    cdef readonly bint index_credentials   # long bearer tokens may be put into the table (7541-7.1.3)

    cdef Encoder successor(self, Table table, const Span *span, Py_ssize_t smallest)
    cdef void move(self, Table table) noexcept
    # Encode a list or tuple of (name, value) pairs of latin-1 str, names in lower case. The names in
    # `sensitive` (or None) are treated like those that are always sensitive. The first `kept` octets of the
    # block are reserved: the caller writes a frame header there, before anything else can see the object.
    cdef Encoded encoded(self, object headers, object sensitive, Py_ssize_t kept)
    # The peer's SETTINGS_HEADER_TABLE_SIZE changed.
    cpdef Encoder resized(self, Py_ssize_t limit)
