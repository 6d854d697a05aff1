# Frames of RFC 9113: numbers, a table of the rules of each type, parsing and writing. Streams are elsewhere.
from .faults cimport Fault
from libc.stdint cimport uint32_t

cdef enum:
    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9
    KNOWN_TYPES = 10
    ALTSVC = 10                   # RFC 7838 4
    ORIGIN = 12                   # RFC 8336 2
    PRIORITY_UPDATE = 16          # RFC 9218 7.1

cdef enum:
    FLAG_ACK = 0x01
    FLAG_END_STREAM = 0x01
    FLAG_END_HEADERS = 0x04
    FLAG_PADDED = 0x08
    FLAG_PRIORITY = 0x20

cdef enum:
    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13

cdef enum:
    SET_HEADER_TABLE_SIZE = 1
    SET_ENABLE_PUSH = 2
    SET_MAX_CONCURRENT_STREAMS = 3
    SET_INITIAL_WINDOW_SIZE = 4
    SET_MAX_FRAME_SIZE = 5
    SET_MAX_HEADER_LIST_SIZE = 6
    SET_ENABLE_CONNECT_PROTOCOL = 8
    SET_NO_RFC7540_PRIORITIES = 9
    SETTINGS_KNOWN = 10           # one more than the highest known identifier

cdef enum:
    FRAME_HEADER = 9              # octets
    LEAST_MAX_FRAME_SIZE = 16384
    MOST_MAX_FRAME_SIZE = 16777215
    MAX_STREAM_ID = 0x7FFFFFFF

cdef enum:
    ON_STREAM = 1                 # a stream id is required
    ON_CONNECTION = 2             # the stream id must be 0
    ON_EITHER = 3

cdef extern from *:
    """
    #ifndef MINT_FRAME_RULES
    #define MINT_FRAME_RULES
    /* The rules of each frame type: on which streams it is allowed, the least and the most octets of its
       payload (0: any), the number they must be a multiple of, and whether it may be padded. */
    typedef struct {
        unsigned char level;
        unsigned char least;
        unsigned char most;
        unsigned char multiple;
        unsigned char padded;
    } mint_frame_rule;
    static const mint_frame_rule mint_frame_rules[10] = {
        {1, 0, 0, 1, 1},  /* DATA */
        {1, 0, 0, 1, 1},  /* HEADERS */
        {1, 5, 5, 1, 0},  /* PRIORITY */
        {1, 4, 4, 1, 0},  /* RST_STREAM */
        {2, 0, 0, 6, 0},  /* SETTINGS */
        {1, 4, 0, 1, 1},  /* PUSH_PROMISE */
        {2, 8, 8, 1, 0},  /* PING */
        {2, 8, 0, 1, 0},  /* GOAWAY */
        {3, 4, 4, 1, 0},  /* WINDOW_UPDATE */
        {1, 0, 0, 1, 0},  /* CONTINUATION */
    };
    #endif
    """
    ctypedef struct FrameRule "mint_frame_rule":
        unsigned char level
        unsigned char least
        unsigned char most
        unsigned char multiple
        unsigned char padded
    const FrameRule frame_rules "mint_frame_rules"[10]


cdef struct Head:                 # without padding: states that hold one are compared as plain memory
    int length                    # payload octets, 24 bits
    unsigned short type
    unsigned short flags
    int stream                    # stream id without the reserved bit


cdef inline uint32_t read_u32(const unsigned char *octets) noexcept nogil:
    return ((<uint32_t>octets[0] << 24) | (<uint32_t>octets[1] << 16)
            | (<uint32_t>octets[2] << 8) | octets[3])


cdef inline int read_u31(const unsigned char *octets) noexcept nogil:
    """Return a stream id or an increment; the reserved bit is ignored (9113-4.1-d)."""
    return <int>(read_u32(octets) & 0x7FFFFFFF)


cdef inline void write_u32(unsigned char *octets, uint32_t number) noexcept nogil:
    octets[0] = number >> 24
    octets[1] = (number >> 16) & 0xFF
    octets[2] = (number >> 8) & 0xFF
    octets[3] = number & 0xFF


cdef inline void write_header(unsigned char *octets, int length, unsigned char type,
                              unsigned char flags, int stream) noexcept nogil:
    """Write the nine octets before a payload; the reserved bit is zero (9113-4.1-d)."""
    octets[0] = (length >> 16) & 0xFF
    octets[1] = (length >> 8) & 0xFF
    octets[2] = length & 0xFF
    octets[3] = type
    octets[4] = flags
    write_u32(octets + 5, <uint32_t>stream)


cdef inline void read_header(const unsigned char *octets, Head *head) noexcept nogil:
    head.length = (octets[0] << 16) | (octets[1] << 8) | octets[2]
    head.type = octets[3]
    head.flags = octets[4]
    head.stream = read_u31(octets + 5)


cdef inline bint fits(Head head, int max_frame_size) noexcept nogil:
    """Whether the header breaks no rule of its type. Inline, because nearly every header is good."""
    cdef FrameRule rule
    if head.length > max_frame_size:
        return False
    if head.type >= KNOWN_TYPES:
        return True
    rule = frame_rules[head.type]
    if not rule.level & (ON_STREAM if head.stream else ON_CONNECTION):
        return False
    if head.length < rule.least or (rule.most and head.length > rule.most):
        return False
    if rule.multiple > 1 and head.length % rule.multiple:
        return False
    if head.type == SETTINGS and head.flags & FLAG_ACK and head.length:
        return False
    if rule.padded and head.flags & FLAG_PADDED and head.length < rule.least + 1:
        return False
    return True


# The fault of a header that does not fit, with the error code in `code` and the frame type in `name`.
cdef Fault header_fault(Head head, int max_frame_size)
cpdef str frame_name(int type)
cpdef str error_name(long long code)

# One complete frame, for types that are sent rarely.
cpdef bytes frame(int type, int flags, int stream, bytes payload)
cdef bytes settings_frame(tuple settings)      # of (identifier, value)
cdef bytes goaway_frame(int last, long long code, bytes debug)
cdef bytes long_block(bytes block, int max_frame_size, int flags, int stream)
