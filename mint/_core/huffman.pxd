# The Huffman code of RFC 7541 5.2 over the tables of huffman.h (generated). Octets in, octets out;
# nothing here knows what a field is.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "huffman.h" nogil:
    const int HUFFMAN_STEP_BITS
    const int HUFFMAN_LONGEST
    const uint64_t huffman_code[256]
    const uint8_t huffman_bits[256]
    const uint32_t huffman_step[2048]
    const uint32_t huffman_end[31]
    const uint32_t huffman_first[31]
    const uint16_t huffman_symbol[257]

cdef enum:
    HUFFMAN_PADDING = -1     # padding of more than 7 bits, or not all ones
    HUFFMAN_EOS = -2         # the end-of-string symbol within a string


cdef inline uint64_t load_64(const unsigned char *octets) noexcept nogil:
    """Eight octets, the first one highest; compilers make one load of it."""
    return (<uint64_t>octets[0] << 56 | <uint64_t>octets[1] << 48
            | <uint64_t>octets[2] << 40 | <uint64_t>octets[3] << 32
            | <uint64_t>octets[4] << 24 | <uint64_t>octets[5] << 16
            | <uint64_t>octets[6] << 8 | <uint64_t>octets[7])


cdef inline Py_ssize_t huffman_room(Py_ssize_t count) noexcept nogil:
    """The octets that decoding `count` octets may write: 5 bits a symbol, and one too many."""
    return count * 8 // 5 + 2


cdef inline int long_symbol(uint64_t bits, int *used) noexcept nogil:
    """The symbol at the top of a register, whatever the length of its code; 256 is EOS."""
    cdef uint32_t window = <uint32_t>(bits >> 32)
    cdef int length = HUFFMAN_STEP_BITS
    while length < HUFFMAN_LONGEST and window >= huffman_end[length]:
        length += 1
    used[0] = length
    return huffman_symbol[(window >> (32 - length)) - huffman_first[length]]


cdef inline Py_ssize_t huffman_decode(const unsigned char *octets, Py_ssize_t count,
                                      unsigned char *out) noexcept nogil:
    """Decode into `out`, which has `huffman_room(count)`; the octets written, or what is wrong."""
    cdef uint64_t bits = 0       # what is next, from the top; below `held` already what follows
    cdef int held = 0
    cdef Py_ssize_t at = 0
    cdef unsigned char *start = out
    cdef uint64_t padded
    cdef uint32_t step
    cdef int _
    cdef int symbol
    cdef int used = 0
    while count - at >= 8:
        bits |= load_64(octets + at) >> held
        at += (63 - held) >> 3
        held |= 56
        for _ in range(5):       # 5 windows of 11 bits: at most the 56 bits that are there
            step = huffman_step[bits >> (64 - HUFFMAN_STEP_BITS)]
            out[0] = <unsigned char>step
            out[1] = <unsigned char>(step >> 8)
            out += step >> 24
            used = (step >> 16) & 0xFF
            bits <<= used
            held -= used
        # A longer code moves nothing, so it is still there after the last window.
        if step >> 24 == 0 and held >= HUFFMAN_LONGEST:
            symbol = long_symbol(bits, &used)
            if symbol == 256:
                return HUFFMAN_EOS   # 7541-5.2-c
            out[0] = <unsigned char>symbol
            out += 1
            bits <<= used
            held -= used
    while True:
        while held < 56 and at < count:
            bits |= <uint64_t>octets[at] << (56 - held)
            at += 1
            held += 8
        if held == 0:
            return out - start
        padded = bits | (~<uint64_t>0 >> held)
        step = huffman_step[padded >> (64 - HUFFMAN_STEP_BITS)]
        used = (step >> 16) & 0xFF
        if step >> 24 == 0:
            symbol = long_symbol(padded, &used)
            if used > held:
                break
            if symbol == 256:
                return HUFFMAN_EOS   # 7541-5.2-c
            out[0] = <unsigned char>symbol
            out += 1
        elif used <= held:
            out[0] = <unsigned char>step
            out[1] = <unsigned char>(step >> 8)
            out += step >> 24
        else:                    # the second symbol, if not the first, is made of padding
            used = huffman_bits[step & 0xFF]
            if used > held:
                break
            out[0] = <unsigned char>step
            out += 1
        bits <<= used
        held -= used
    # What is left is no symbol: at most 7 bits, all ones (7541-5.2-a, b).
    if held > 7 or padded != ~<uint64_t>0:
        return HUFFMAN_PADDING
    return out - start


cdef inline Py_ssize_t huffman_size(const unsigned char *octets, Py_ssize_t count) noexcept nogil:
    """The octets the code of these octets takes."""
    cdef Py_ssize_t bits = 7
    cdef Py_ssize_t i
    for i in range(count):
        bits += huffman_bits[octets[i]]
    return bits >> 3


cdef inline unsigned char *huffman_encode(const unsigned char *octets, Py_ssize_t count,
                                          unsigned char *out) noexcept nogil:
    """Write the code and return where it ends; up to three octets more are scratched."""
    cdef uint64_t bits = 0       # the lowest `held` are still to be written
    cdef int held = 0
    cdef uint64_t code
    cdef uint32_t word
    cdef Py_ssize_t i
    for i in range(count):
        code = huffman_code[octets[i]]
        bits = bits << (code & 0xFF) | code >> 8
        held += code & 0xFF
        if held >= 32:
            held -= 32
            word = <uint32_t>(bits >> held)
            out[0] = word >> 24
            out[1] = (word >> 16) & 0xFF
            out[2] = (word >> 8) & 0xFF
            out[3] = word & 0xFF
            out += 4
    if held:
        bits = bits << (32 - held) | (0xFFFFFFFFu >> held)   # padding is the beginning of EOS
        word = <uint32_t>bits
        out[0] = word >> 24
        out[1] = (word >> 16) & 0xFF
        out[2] = (word >> 8) & 0xFF
        out[3] = word & 0xFF
        out += (held + 7) >> 3
    return out
