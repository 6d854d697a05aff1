# The static table and the choice of a representation (RFC 7541 6.2, 7.1, appendix A).
from cpython.tuple cimport PyTuple_GET_ITEM
from libc.stdint cimport uint32_t

from .hpack_octets cimport same_text
from .hpack_table cimport Entry

cdef enum:
    STATIC_COUNT = 61
    KNOWN_SLOTS = 256        # a power of two, well above the number of names

cdef enum:
    INDEXED = 0              # with incremental indexing (6.2.1); indexed (6.1) if it is in a table
    UNINDEXED = 1            # without indexing (6.2.2)
    NEVER_INDEXED = 2        # never indexed (6.2.3)
    NAME_INDEXED = 3         # INDEXED until the name is in a table, then UNINDEXED: only the name repeats


cdef struct Known:
    void *name               # a str of the static table; NULL: a free slot
    int index                # of the first entry with this name
    int count                # consecutive entries with this name
    int policy               # how to represent a field with this name


cdef class Statics:          # one instance, never changed once the module is loaded
    cdef Entry[STATIC_COUNT + 1] entries     # by index; as in the table of a decoder
    cdef Known[KNOWN_SLOTS] known            # names, with open addressing by their hash


cdef Statics static_table()
cdef int policy_of_unknown(str name, str value) noexcept
cdef bint is_long_credential(str name, str value) noexcept


cdef inline Known *known_name(Statics statics, void *name, uint32_t found) noexcept:
    """Return what is known about a name of the static table; NULL for any other name."""
    cdef uint32_t i = found & (KNOWN_SLOTS - 1)
    while statics.known[i].name != NULL:
        if same_text(statics.known[i].name, name):
            return &statics.known[i]
        i = (i + 1) & (KNOWN_SLOTS - 1)
    return NULL


cdef inline void *static_value(Statics statics, Py_ssize_t index) noexcept:
    return PyTuple_GET_ITEM(<object>statics.entries[index].pair, 1)
