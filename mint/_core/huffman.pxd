# The Huffman code of RFC 7541 5.2, with the tables of huffman.h, which is generated.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "huffman.h" nogil:
    const int HUFFMAN_STEP_BITS
    const int HUFFMAN_STEPS
    const int HUFFMAN_LONGEST
    const uint64_t huffman_code[256]
    const uint8_t huffman_bits[256]
    const uint32_t *huffman_step
    const uint32_t huffman_end[31]
    const uint32_t huffman_first[31]
    const uint16_t huffman_symbol[257]

cdef enum:
    HUFFMAN_PADDING = -1     # padding of more than 7 bits, or not all ones
    HUFFMAN_EOS = -2         # the end-of-string symbol within a string


cdef inline uint64_t load_64(const unsigned char *octets) noexcept nogil:
    """Load eight octets, the first one into the highest bits; compilers make one load of it."""
    return (<uint64_t>octets[0] << 56 | <uint64_t>octets[1] << 48
            | <uint64_t>octets[2] << 40 | <uint64_t>octets[3] << 32
            | <uint64_t>octets[4] << 24 | <uint64_t>octets[5] << 16
            | <uint64_t>octets[6] << 8 | <uint64_t>octets[7])


cdef inline uint32_t load_32(const unsigned char *octets) noexcept nogil:
    return (<uint32_t>octets[0] << 24 | <uint32_t>octets[1] << 16 | <uint32_t>octets[2] << 8
            | <uint32_t>octets[3])


cdef inline Py_ssize_t huffman_room(Py_ssize_t count) noexcept nogil:
    """Return how many octets decoding may write: one for every 5 bits, and a few after the result."""
    return count * 8 // 5 + 4


cdef inline int long_symbol(uint64_t bits, int *used) noexcept nogil:
    """Decode the symbol in the highest bits, whatever the length of its code; 256 is EOS."""
    cdef uint32_t window = <uint32_t>(bits >> 32)
    cdef int length = HUFFMAN_STEP_BITS
    while length < HUFFMAN_LONGEST and window >= huffman_end[length]:
        length += 1
    used[0] = length
    return huffman_symbol[(window >> (32 - length)) - huffman_first[length]]


cdef inline uint64_t load_rest(const unsigned char *octets, Py_ssize_t count) noexcept nogil:
    """Load fewer than eight octets into the highest bits, and ones into the rest."""
    cdef uint64_t bits = 0
    if count >= 4:
        bits = <uint64_t>load_32(octets) << 32 | <uint64_t>load_32(octets + count - 4) << (
            64 - 8 * count)
    elif count:
        bits = (<uint64_t>octets[0] << 56 | <uint64_t>octets[count >> 1] << (56 - 8 * (count >> 1))
                | <uint64_t>octets[count - 1] << (64 - 8 * count))
    return bits | ~<uint64_t>0 >> (8 * count)


cdef inline uint32_t take_windows(uint64_t *bits, unsigned char **out, int *spent,
                                  int windows) noexcept nogil:
    """Decode `windows` windows at the top of the register; return the table entry of the last one.

    A code that is longer than a window is not consumed, so it is still at the top after the last window.
    """
    cdef uint32_t step = 0
    cdef uint16_t symbols
    while windows > 0:
        windows -= 1
        step = huffman_step[bits[0] >> (64 - HUFFMAN_STEP_BITS)]
        symbols = <uint16_t>(step >> 16)
        out[0][0] = symbols & 0xFF
        out[0][1] = symbols >> 8
        out[0] += (step >> 8) & 0xFF
        bits[0] <<= step & 63
        spent[0] += step & 63
    return step


cdef inline Py_ssize_t huffman_decode(const unsigned char *octets, Py_ssize_t count,
                                      unsigned char *out, bint *rare) noexcept nogil:
    """Decode into `out`, which has `huffman_room(count)` octets; return how many were written, or the error.

    `rare` is set if a code was too long for a window. All controls and all octets over 0x7F have such codes.
    """
    cdef uint64_t bits = 0       # the next bits, from the top; those below the first `held` are loaded again
    cdef uint64_t rest           # near the end: the bits that follow the register
    cdef int held = 0
    cdef int spent
    cdef int left
    cdef int symbol
    cdef uint32_t step
    cdef unsigned char *start = out
    rare[0] = False
    while count >= 8:
        bits |= load_64(octets) >> held
        octets += (63 - held) >> 3
        count -= (63 - held) >> 3
        spent = 0
        step = take_windows(&bits, &out, &spent, 4)
        held = (held | 56) - spent
        if step & 63 == 0 and held >= HUFFMAN_LONGEST:
            symbol = long_symbol(bits, &spent)
            rare[0] = True
            if symbol == 256:
                return HUFFMAN_EOS       # 7541-5.2-c
            out[0] = <unsigned char>symbol
            out += 1
            bits <<= spent
            held -= spent
    # The end is padded with ones. Ones alone are never a symbol other than EOS, so nothing is decoded from
    # good padding. If a symbol takes more bits than there are, the padding is bad.
    left = held + 8 * <int>count
    rest = load_rest(octets, count)
    while left > 0:
        bits |= rest >> held
        rest = ~(~rest << 1 << (63 - held))
        spent = 0
        step = take_windows(&bits, &out, &spent, 5)
        held = 64 - spent
        left -= spent
        if step & 63 == 0 and held >= HUFFMAN_LONGEST and left > 0:
            if left < 8:                 # 7541-5.2-b
                return out - start if ~bits >> (64 - left) == 0 else HUFFMAN_PADDING
            symbol = long_symbol(bits, &spent)
            rare[0] = True
            if spent > left:
                return HUFFMAN_PADDING   # 7541-5.2-a
            if symbol == 256:
                return HUFFMAN_EOS       # 7541-5.2-c
            out[0] = <unsigned char>symbol
            out += 1
            bits <<= spent
            held -= spent
            left -= spent
    return out - start if left == 0 else HUFFMAN_PADDING


cdef inline Py_ssize_t huffman_size(const unsigned char *octets, Py_ssize_t count) noexcept nogil:
    """Return how many octets the code of these octets takes."""
    cdef Py_ssize_t bits = 7
    cdef Py_ssize_t i
    for i in range(count):
        bits += huffman_bits[octets[i]]
    return bits >> 3


cdef inline unsigned char *huffman_encode(const unsigned char *octets, Py_ssize_t count,
                                          unsigned char *out) noexcept nogil:
    """Write the code and return where it ends; up to three octets after the end are overwritten."""
    cdef uint64_t bits = 0       # the lowest `held` bits are not written yet
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
