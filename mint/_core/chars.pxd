# Character classes of the grammar as tables (chars.h, which is generated), and functions that use them.
# RFC 9110 5.5, 5.6.2; RFC 3986 2; RFC 9113 8.2.1.

cdef extern from "chars.h" nogil:
    const unsigned char CHAR_TCHAR
    const unsigned char CHAR_VALUE
    const unsigned char CHAR_URI
    const unsigned char CHAR_DIGIT
    const unsigned char CHAR_HEX
    const unsigned char CHAR_NAME2
    const unsigned char char_class[256]
    const unsigned char char_lower[256]
    const unsigned char char_hex[256]


cdef inline bint all_in(const unsigned char *octets, Py_ssize_t count,
                        unsigned char kind) noexcept nogil:
    """Whether every octet belongs to the class."""
    cdef Py_ssize_t i
    cdef unsigned char seen = kind
    for i in range(count):
        seen &= char_class[octets[i]]
    return seen != 0


cdef inline bint value_is_clean(const unsigned char *octets, Py_ssize_t count) noexcept nogil:
    """Whether every octet is allowed in a field value; written so that compilers vectorize it."""
    cdef Py_ssize_t i
    cdef unsigned char bad = 0
    cdef unsigned char octet
    for i in range(count):
        octet = octets[i]
        bad |= ((octet < 0x20) & (octet != 0x09)) | (octet == 0x7F)
    return bad == 0


cdef inline bint is_blank(unsigned char octet) noexcept nogil:
    """Whether it is SP or HTAB, the octets of OWS (RFC 9110 5.6.3)."""
    return octet == 0x20 or octet == 0x09
