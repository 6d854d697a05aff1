# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Frames: which rule a frame header breaks, and the frames that are written rarely.

The table of rules is in frames.pxd, with the functions that have to be inline. What a frame means for a
stream or a connection is decided elsewhere. RFC 9113 4, 6, 7.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memcpy

from .faults cimport Fault, fault

FRAME_NAMES: tuple = ("DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING",
                      "GOAWAY", "WINDOW_UPDATE", "CONTINUATION")

ERROR_NAMES: tuple = ("NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR",
                      "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM",
                      "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
                      "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED")


cpdef str frame_name(int type):
    """Return the name of a frame type in the RFCs, or its number in hexadecimal."""
    if 0 <= type < KNOWN_TYPES:
        return FRAME_NAMES[type]
    if type == ALTSVC:
        return "ALTSVC"
    if type == ORIGIN:
        return "ORIGIN"
    return "PRIORITY_UPDATE" if type == PRIORITY_UPDATE else f"0x{type:02x}"


cpdef str error_name(long long code):
    """Return the name of an error code in the RFC, or its number in hexadecimal (9113-7-a)."""
    return ERROR_NAMES[code] if 0 <= code <= HTTP_1_1_REQUIRED else f"0x{code:x}"


cdef Fault header_fault(Head head, int max_frame_size):
    """Return the fault of a header that does not fit. RFC 9113 4.2, 6."""
    cdef str name = frame_name(head.type)
    cdef FrameRule rule
    if head.length > max_frame_size:   # 9113-4.2-b: reported without waiting for the payload
        return fault("frame_size_error", name, f"{name} of {head.length} octets is longer than "
                     f"SETTINGS_MAX_FRAME_SIZE, {max_frame_size}", head.length, max_frame_size,
                     FRAME_SIZE_ERROR)
    rule = frame_rules[head.type]
    if not rule.level & (ON_STREAM if head.stream else ON_CONNECTION):
        return fault("protocol_error", name,
                     f"{name} on stream {head.stream}, but it is allowed only on stream 0" if head.stream
                     else f"{name} on stream 0, where it is not allowed", 0, 0, PROTOCOL_ERROR)
    if head.type == SETTINGS and head.flags & FLAG_ACK and head.length:   # 9113-6.5-b
        return fault("frame_size_error", name, f"an acknowledgement of SETTINGS with {head.length} octets",
                     head.length, 0, FRAME_SIZE_ERROR)
    return fault("frame_size_error", name, f"{name} of {head.length} octets is too short"
                 if head.length < rule.least or rule.padded
                 else f"{head.length} octets is not a valid length for {name}", head.length, rule.most,
                 FRAME_SIZE_ERROR)


cpdef bytes frame(int type, int flags, int stream, bytes payload):
    """Return one complete frame."""
    cdef Py_ssize_t count = PyBytes_GET_SIZE(payload)
    cdef bytes made = PyBytes_FromStringAndSize(NULL, FRAME_HEADER + count)
    cdef unsigned char *octets = <unsigned char *>PyBytes_AS_STRING(made)
    write_header(octets, <int>count, <unsigned char>type, <unsigned char>flags, stream)
    memcpy(octets + FRAME_HEADER, PyBytes_AS_STRING(payload), count)
    return made


cdef bytes settings_frame(tuple settings):
    """Return a SETTINGS frame with these (identifier, value) pairs in order (9113-6.5)."""
    cdef bytes payload = PyBytes_FromStringAndSize(NULL, 6 * len(settings))
    cdef unsigned char *octets = <unsigned char *>PyBytes_AS_STRING(payload)
    cdef int identifier
    cdef long long value
    for identifier, value in settings:
        octets[0] = 0
        octets[1] = <unsigned char>identifier
        write_u32(octets + 2, <uint32_t>value)
        octets += 6
    return frame(SETTINGS, 0, 0, payload)


cdef bytes goaway_frame(int last, long long code, bytes debug):
    """Return a GOAWAY frame; `last` is the last stream of the peer that was acted on."""
    cdef unsigned char[8] octets
    write_u32(octets, <uint32_t>last)
    write_u32(octets + 4, <uint32_t>code)
    return frame(GOAWAY, 0, 0, PyBytes_FromStringAndSize(<char *>octets, 8) + debug)


cdef bytes long_block(bytes block, int max_frame_size, int flags, int stream):
    """Split a field block that needs more than one frame into HEADERS and CONTINUATION (9113-4.3-a).

    The block begins with nine octets reserved for the frame header. `flags` are those of HEADERS; END_HEADERS
    is set on the last frame.
    """
    cdef Py_ssize_t start = FRAME_HEADER
    cdef Py_ssize_t end = PyBytes_GET_SIZE(block)
    cdef int kind = HEADERS
    cdef list pieces = []
    while start < end:
        piece = block[start:start + max_frame_size]
        start += max_frame_size
        if start >= end:
            flags |= FLAG_END_HEADERS
        pieces.append(frame(kind, flags, stream, piece))
        kind = CONTINUATION
        flags = 0
    return b"".join(pieces)
