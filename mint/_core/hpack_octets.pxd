# Reading and writing the integers and strings of RFC 7541 5, and helpers for str that both directions use.
# Everything is inline. Tables and states are in the modules above.
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.unicode cimport (PyUnicode_1BYTE_DATA, PyUnicode_DecodeLatin1, PyUnicode_GET_LENGTH,
                              PyUnicode_New)
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

from .huffman cimport (HUFFMAN_EOS, huffman_decode, huffman_encode, huffman_room, huffman_size)

cdef extern from *:
    """
    static CYTHON_INLINE Py_hash_t mint_hash(void *text) {
        Py_hash_t hash = ((PyASCIIObject *)text)->hash;
        return hash != -1 ? hash : PyObject_Hash((PyObject *)text);
    }
    """
    Py_hash_t mint_hash(void *text) noexcept   # of a plain str, so it cannot fail

# What a decoder noticed about fields. The caller decides what to do.
cdef enum:
    MARK_NAME = 1       # a name, without a leading colon, is empty or no lower-case token (9113-8.2.1)
    MARK_VALUE = 2      # a value contains controls, or begins or ends with whitespace (9113-8.2.1)
    MARK_PSEUDO = 4     # a name begins with a colon

cdef enum:
    SCRATCH = 2048           # octets kept on the stack; larger strings and blocks go to the heap

cdef enum:
    # The errors of a block, in the order of SEEN.
    FINE
    TRUNCATED
    INTEGER_LONG
    NO_ENTRY
    UPDATE_LATE
    UPDATE_LARGE
    UPDATE_MISSING
    BAD_PADDING
    EOS_SEEN
    LIST_LARGE


cdef inline Py_ssize_t length_of(void *text) noexcept:
    return PyUnicode_GET_LENGTH(<object>text)


cdef inline const unsigned char *octets_of(void *text) noexcept:
    """Return the octets of a str that is known to be latin-1."""
    return <const unsigned char *>PyUnicode_1BYTE_DATA(<object>text)


cdef inline uint64_t loaded(const unsigned char *octets) noexcept:
    cdef uint64_t word = 0
    memcpy(&word, octets, 8)
    return word


cdef inline bint same_octets(const unsigned char *one, const unsigned char *other,
                             Py_ssize_t count) noexcept:
    """Whether octets are equal; faster than memcmp for short names and values, because it is inline."""
    cdef Py_ssize_t at = 0
    if count < 8:
        while at < count and one[at] == other[at]:
            at += 1
        return at == count
    while loaded(one + at) == loaded(other + at):
        if at == count - 8:
            return True
        at = min(at + 8, count - 8)
    return False


cdef inline bint same_text(void *one, void *other) noexcept:
    """Whether two latin-1 str are equal."""
    return one == other or (
        length_of(one) == length_of(other)
        and same_octets(octets_of(one), octets_of(other), length_of(one))
    )


cdef inline uint32_t hash_of(void *text) noexcept:
    cdef uint64_t wide = <uint64_t>mint_hash(text)
    return <uint32_t>(wide ^ wide >> 32)


cdef inline uint32_t mixed(uint32_t name, uint32_t value) noexcept:
    """Combine two hashes."""
    cdef uint64_t wide = (<uint64_t>name << 32 | value) * 0x9E3779B97F4A7C15ULL
    return <uint32_t>(wide >> 32)


cdef struct Cursor:
    const unsigned char *at  # the next octet
    const unsigned char *end
    Py_ssize_t allowed       # octets the next string may have
    int wrong                # FINE, or the error that stopped decoding
    bint high                # the last string has octets over 0x7F
    bint odd                 # the last string may have controls


cdef inline uint32_t read_integer(Cursor *cursor, uint32_t prefix) noexcept:
    """Read an integer (5.1) of at most 32 bits and five octets after the prefix (7541-5.1-a)."""
    cdef uint64_t number = cursor.at[0] & prefix
    cdef int shift = 0
    cdef unsigned char octet
    cursor.at += 1
    if number < prefix:
        return <uint32_t>number
    while True:
        if cursor.at == cursor.end:
            cursor.wrong = TRUNCATED
            return 0
        octet = cursor.at[0]
        cursor.at += 1
        number += <uint64_t>(octet & 0x7F) << shift
        if octet < 0x80:
            break
        shift += 7
        if shift > 28:
            cursor.wrong = INTEGER_LONG
            return 0
    if number >> 32:             # a comparison with 0xFFFFFFFF would make two int objects
        cursor.wrong = INTEGER_LONG
        return 0
    return <uint32_t>number


cdef inline void look_over(Cursor *cursor, const unsigned char *octets, Py_ssize_t count) noexcept:
    """Set `high` if a string has octets over 0x7F and `odd` if it may have controls, eight at a time."""
    cdef uint64_t ones = 0x0101010101010101
    cdef uint64_t word
    cdef uint64_t high = 0
    cdef uint64_t odd = 0
    cdef Py_ssize_t at = 0
    cdef unsigned char[8] rest
    if count < 8:
        for at in range(8):
            rest[at] = octets[at] if at < count else 0x20
        octets = rest
        count = 8
        at = 0
    while True:
        word = loaded(octets + at)
        high |= word
        # The tests of "Bit Twiddling Hacks" for a byte below 0x20, and for a zero byte (0x7F before the XOR).
        odd |= (word - ones * 0x20) & ~word
        word ^= ones * 0x7F
        odd |= (word - ones) & ~word
        if at == count - 8:
            break
        at = min(at + 8, count - 8)
    cursor.high = (high & (ones * 0x80)) != 0
    cursor.odd = (odd & (ones * 0x80)) != 0


cdef inline str text_of(Cursor *cursor, const unsigned char *octets, Py_ssize_t count):
    """Make the str of a string that was scanned by `look_over` and whose length was checked."""
    cdef str made
    if count < 2:
        return PyUnicode_DecodeLatin1(<const char *>octets, count, NULL)
    made = PyUnicode_New(count, 0xFF if cursor.high else 0x7F)
    memcpy(PyUnicode_1BYTE_DATA(made), octets, count)
    return made


cdef inline str read_huffman(Cursor *cursor, const unsigned char *octets, Py_ssize_t count):
    """Decode a Huffman-coded string; None if it is invalid or too long."""
    cdef unsigned char[SCRATCH] scratch
    cdef unsigned char *out = scratch
    cdef Py_ssize_t written
    cdef bint rare = False
    if huffman_room(count) > SCRATCH:
        out = <unsigned char *>PyMem_Malloc(huffman_room(count))
        if out == NULL:
            raise MemoryError
    try:
        written = huffman_decode(octets, count, out, &rare)
        if written < 0:
            cursor.wrong = EOS_SEEN if written == HUFFMAN_EOS else BAD_PADDING
            return None
        cursor.allowed -= written
        if cursor.allowed < 0:
            cursor.wrong = LIST_LARGE
            return None
        cursor.high = cursor.odd = False
        if rare:
            look_over(cursor, out, written)
        return text_of(cursor, out, written)
    finally:
        if out != scratch:
            PyMem_Free(out)


cdef inline str read_string(Cursor *cursor):
    """Read a string (5.2); None if it is invalid or too long, which is checked before it is allocated."""
    cdef const unsigned char *octets
    cdef Py_ssize_t count
    cdef bint coded
    if cursor.at == cursor.end:
        cursor.wrong = TRUNCATED
        return None
    coded = cursor.at[0] & 0x80
    count = read_integer(cursor, 0x7F)
    if cursor.wrong:
        return None
    octets = cursor.at
    if count > cursor.end - octets:   # 7541-5.2-d
        cursor.wrong = TRUNCATED
        return None
    cursor.at = octets + count
    if coded:
        return read_huffman(cursor, octets, count)
    cursor.allowed -= count
    if cursor.allowed < 0:
        cursor.wrong = LIST_LARGE
        return None
    look_over(cursor, octets, count)
    return text_of(cursor, octets, count)


cdef inline unsigned char *write_integer(unsigned char *out, uint32_t first, uint32_t prefix,
                                         uint64_t number) noexcept:
    """Write an integer (5.1) into the low bits of `first` and the octets after it."""
    if number < prefix:
        out[0] = first | <uint32_t>number
        return out + 1
    out[0] = first | prefix
    out += 1
    number -= prefix
    while number >= 0x80:
        out[0] = (number & 0x7F) | 0x80
        out += 1
        number >>= 7
    out[0] = <unsigned char>number
    return out + 1


cdef inline unsigned char *write_string(unsigned char *out, void *text) noexcept:
    """Write a string (5.2), with the Huffman code if that is shorter."""
    cdef const unsigned char *octets = octets_of(text)
    cdef Py_ssize_t count = length_of(text)
    cdef Py_ssize_t coded = huffman_size(octets, count)
    if coded < count:
        return huffman_encode(octets, count, write_integer(out, 0x80, 0x7F, coded))
    out = write_integer(out, 0, 0x7F, count)
    memcpy(out, octets, count)
    return out + count
