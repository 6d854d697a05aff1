# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Frames that RFC 9113 does not define: ORIGIN and ALTSVC of the server, PRIORITY_UPDATE of the client.

An invalid ORIGIN or ALTSVC is ignored. All of them count like frames of unknown types, whether the responses
for them are enabled or not. RFC 8336 2, RFC 7838 4, RFC 9218 7.1.
"""

from libc.stdint cimport uint32_t

from .events cimport EVENT_ALT_SVC, EVENT_ORIGIN, AltSvc, Origins, RequestRef, Step, step
from .faults cimport fault, refusal
from .frames cimport (ALTSVC, ORIGIN, PRIORITY_UPDATE, PROTOCOL_ERROR, SET_NO_RFC7540_PRIORITIES, Head,
                      frame, write_u32)
from .http2_state cimport (AT_SKIP, OVER, STARTING, Core, Work, begin, breach, spend)
from .streams cimport IDLE, RESET, Stream

cdef enum:
    MOST_OCTETS = 65536           # a larger frame is skipped
    MOST_PORT = 65535
    FLAGS_IGNORED = 0x0F          # an ORIGIN with one of these flags is ignored (8336-2.1)


cdef inline bint is_letter(unsigned char octet) noexcept nogil:
    return c"a" <= (octet | 0x20) <= c"z"


cdef inline bint is_digit(unsigned char octet) noexcept nogil:
    return c"0" <= octet <= c"9"


cdef bint is_port(const unsigned char *octets, Py_ssize_t count) noexcept nogil:
    """Whether this is a number from 0 to 65535."""
    cdef long port = 0
    cdef Py_ssize_t at
    if not 1 <= count <= 5:
        return False
    for at in range(count):
        if not is_digit(octets[at]):
            return False
        port = 10 * port + octets[at] - c"0"
    return port <= MOST_PORT


cdef bint is_origin(const unsigned char *octets, Py_ssize_t count) noexcept nogil:
    """Whether this is a scheme, "://", a host and possibly a port, all in ASCII (RFC 6454 6.2)."""
    cdef Py_ssize_t at = 0
    cdef Py_ssize_t start
    cdef unsigned char octet
    while at < count and (is_letter(octets[at]) or at and (is_digit(octets[at]) or octets[at] in b"+-.")):
        at += 1
    if at == 0 or count - at < 4 or octets[at] != c":" or octets[at + 1] != c"/" or octets[at + 2] != c"/":
        return False
    at += 3
    start = at
    if octets[at] == c"[":
        at += 1
        while at < count and (is_digit(octets[at]) or c"a" <= (octets[at] | 0x20) <= c"f"
                              or octets[at] in b":."):
            at += 1
        if at == count or octets[at] != c"]" or at < start + 3:
            return False
        at += 1
    else:
        while at < count:
            octet = octets[at]
            if not (is_letter(octet) or is_digit(octet) or octet in b"-._"):
                break
            at += 1
        if at == start:
            return False
    return at == count or octets[at] == c":" and is_port(octets + at + 1, count - at - 1)


cdef bint is_field_value(const unsigned char *octets, Py_ssize_t count) noexcept nogil:
    """Whether this is not empty, and ASCII without controls other than HTAB."""
    cdef Py_ssize_t at
    for at in range(count):
        if not (0x20 <= octets[at] < 0x7F or octets[at] == 0x09):
            return False
    return count > 0


cdef bint is_wanted(Core core, Head head) except -1:
    """Whether the response for a frame is enabled, and the frame is on a stream where it is allowed."""
    cdef int state
    if head.length > MOST_OCTETS:
        return False
    if head.type == ORIGIN:   # 8336-2.1: only on stream 0, and only with https
        return (core.config.events & EVENT_ORIGIN and head.stream == 0 and not head.flags & FLAGS_IGNORED
                and core.config.scheme == "https")
    if head.type == ALTSVC and core.config.events & EVENT_ALT_SVC:
        if head.stream == 0:
            return True
        state = core.state_of(head.stream)
        return state != IDLE and state != RESET
    return False


cdef int on_extension_header(Work w, Head head) except -1:
    if head.type == PRIORITY_UPDATE:   # 9218-7.1-c
        return breach(w, fault("protocol_error", "PRIORITY_UPDATE",
                               "PRIORITY_UPDATE, which only clients may send", 0, 0, PROTOCOL_ERROR))
    if not is_wanted(w.core, head):   # 9113-4.1-b
        w.core.s.mode = AT_SKIP
    return spend(w)


cdef int on_extension(Work w, Head head, const unsigned char *payload) except -1:
    if head.type == ORIGIN:
        return on_origin(w, payload, head.length)
    return on_alt_svc(w, head, payload)


cdef int on_origin(Work w, const unsigned char *payload, int count) except -1:
    """Read entries of a two-octet length and an origin; skip entries that are not origins (8336-2.3)."""
    cdef Origins made
    cdef list found = []
    cdef int at = 0
    cdef int size
    while at < count:
        if count - at < 2:
            return 0
        size = (payload[at] << 8) | payload[at + 1]
        at += 2
        if size > count - at:
            return 0
        if is_origin(payload + at, size):
            found.append(payload[at:at + size].decode("ascii").lower())
        at += size
    made = Origins.__new__(Origins)
    made.origins = tuple(found)
    w.flush_data()
    w.responses.append(made)
    return 0


cdef int on_alt_svc(Work w, Head head, const unsigned char *payload) except -1:
    """Read the length of an origin, the origin, a field value; the origin only on stream 0 (7838-4)."""
    cdef AltSvc made
    cdef int size
    cdef int rest
    if head.length < 2:
        return 0
    size = (payload[0] << 8) | payload[1]
    rest = head.length - 2 - size
    if rest < 0 or not is_field_value(payload + 2 + size, rest):
        return 0
    if (size == 0) != (head.stream != 0):
        return 0
    if size and not is_origin(payload + 2, size):
        return 0
    made = AltSvc.__new__(AltSvc)
    made.value = payload[2 + size:2 + size + rest].decode("ascii")
    if size:
        made.origin = payload[2:2 + size].decode("ascii").lower()
    else:
        made.request = w.ref_of(head.stream)
    w.flush_data()
    w.responses.append(made)
    return 0


cdef Step send_priority(Core before, RequestRef ref, bytes value):
    """Send PRIORITY_UPDATE for an open request (9218-7.1-a, b)."""
    cdef long long number = before.number_of(ref)
    cdef const Stream *now
    cdef unsigned char[4] octets
    cdef Work w
    if before.s.phase == OVER:
        return step(before, None, (), refusal("closed"))
    now = before.peek(number) if number > 0 else NULL
    if now == NULL or now.state == RESET:
        return step(before, None, (), refusal("unknown_request_to_stream"))
    if before.s.phase != STARTING and before.s.peer[SET_NO_RFC7540_PRIORITIES] != 1:   # 9218-7.1-d
        return step(before, None, (), refusal("priorities_not_enabled"))
    w = begin(before)
    write_u32(octets, <uint32_t>number)
    w.put_whole(frame(PRIORITY_UPDATE, 0, 0, (<char *>octets)[:4] + value))
    if w.notes is not None:
        w.note(True, PRIORITY_UPDATE, 0, 0, 4 + <int>len(value), value)
    return w.finished()
