# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Sending requests and bodies: check everything, encode it, and make a new state.

If a call is refused, its Step has the same state. The windows and the concurrency limit of the server are
respected here; nothing is queued. RFC 9113 5.1.1, 5.1.2, 6.9.1, 8.1.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memcpy

from .events cimport RequestRef, Step, step
from .faults cimport Fault, refusal
from .flow cimport window_left
from .frames cimport (CANCEL, DATA, FLAG_END_HEADERS, FLAG_END_STREAM, FRAME_HEADER, HEADERS,
                      MAX_STREAM_ID, RST_STREAM, SET_ENABLE_CONNECT_PROTOCOL, SET_INITIAL_WINDOW_SIZE,
                      SET_MAX_CONCURRENT_STREAMS, SET_MAX_FRAME_SIZE, SET_MAX_HEADER_LIST_SIZE,
                      long_block, write_header)
from .hpack cimport Encoded
from .http2_messages cimport Draft, drafted, drafted_trailers
from .http2_state cimport CANCEL_ALLOWS, OVER, Core, Work, begin, refund, settle
from .streams cimport (HALF_LOCAL, HALF_REMOTE, IS_CONNECT, IS_HEAD, OPEN, RESET, SENT_END,
                       SENT_RESET, Stream)

cdef enum:
    MOST_ALLOWED = 1000000        # most late frames, no matter how many streams were cancelled
    BY_REFERENCE = 4096           # least octets of a piece in one frame that is not copied


cdef Step refused(Core before, Fault why):
    return step(before, None, (), why)


cdef Fault room_fault(Core core):
    """Return why the connection cannot take one more request, or None (9113-5.1.1-c, 5.1.2-a, 6.8-a)."""
    if core.s.phase == OVER:
        return refusal("closed")
    if core.s.goaway >= 0:
        return refusal("closed_for_writing")
    if core.s.next_stream > MAX_STREAM_ID:
        return refusal("stream_ids_exhausted", "", "", core.s.next_stream, MAX_STREAM_ID)
    if <unsigned int>core.s.active >= core.s.peer[SET_MAX_CONCURRENT_STREAMS]:
        return refusal("too_many_concurrent_requests", "", "", core.s.active,
                       core.s.peer[SET_MAX_CONCURRENT_STREAMS])
    return None


cdef Fault window_fault(Core core, long long window, long long total):
    """Return which window the octets exceed, first that of the request, or None (9113-6.9.1-a)."""
    if total > window:
        return refusal("exceeds_window_size", "request", "", total, window)
    if total > core.s.send_window:
        return refusal("exceeds_window_size", "connection", "", total, core.s.send_window)
    return None


cdef inline int count_output(Core core, tuple output) except -1:
    """Count octets that are written after replies that still wait to be written."""
    if core.s.unsent:
        for piece in output:
            core.s.output_octets += PyBytes_GET_SIZE(<bytes>piece)
    return 0


cdef bytes headers_frames(Core core, bytes block, bint ends, int stream):
    """Return the frames of a field block whose first nine octets are reserved for the frame header."""
    cdef Py_ssize_t count = PyBytes_GET_SIZE(block) - FRAME_HEADER
    cdef int flags = FLAG_END_STREAM if ends else 0
    if count <= <Py_ssize_t>core.s.peer[SET_MAX_FRAME_SIZE]:
        # The object is new, so it may still be changed.
        write_header(<unsigned char *>PyBytes_AS_STRING(block), <int>count, HEADERS,
                     <unsigned char>(flags | FLAG_END_HEADERS), stream)
        return block
    return long_block(block, <int>core.s.peer[SET_MAX_FRAME_SIZE], flags, stream)


cdef tuple with_data(Core core, bytes before, tuple pieces, long long total, bint ends, int stream):
    """Return the octets `before`, if any, and then the pieces as DATA frames (9113-4.1-a).

    A large piece that fits one frame is not copied. Otherwise all octets are copied once.
    """
    cdef long long most = core.s.peer[SET_MAX_FRAME_SIZE]
    cdef long long frames = (total + most - 1) // most if total else 1
    cdef Py_ssize_t first = 0 if before is None else PyBytes_GET_SIZE(before)
    cdef bytes made
    cdef bytes piece
    cdef unsigned char *to
    cdef const char *source = NULL
    cdef Py_ssize_t have = 0
    cdef Py_ssize_t take
    cdef Py_ssize_t next_piece = 0
    cdef long long left
    if frames == 1 and total >= BY_REFERENCE and len(pieces) == 1:
        made = PyBytes_FromStringAndSize(NULL, first + FRAME_HEADER)
        to = <unsigned char *>PyBytes_AS_STRING(made)
        if first:
            memcpy(to, PyBytes_AS_STRING(before), first)
        write_header(to + first, <int>total, DATA, FLAG_END_STREAM if ends else 0, stream)
        return made, pieces[0]
    made = PyBytes_FromStringAndSize(NULL, first + total + frames * FRAME_HEADER)
    to = <unsigned char *>PyBytes_AS_STRING(made)
    if first:
        memcpy(to, PyBytes_AS_STRING(before), first)
        to += first
    while frames:
        left = total if total < most else most
        total -= left
        frames -= 1
        write_header(to, <int>left, DATA, FLAG_END_STREAM if ends and frames == 0 else 0, stream)
        to += FRAME_HEADER
        while left:
            while have == 0:
                piece = <bytes>pieces[next_piece]
                next_piece += 1
                source = PyBytes_AS_STRING(piece)
                have = PyBytes_GET_SIZE(piece)
            take = <Py_ssize_t>left if left < have else have
            memcpy(to, source, take)
            to += take
            source += take
            have -= take
            left -= take
    return (made,)


cdef tuple notes_of(Core core, tuple output, list fields):
    """Return notes about outgoing frames, which are found by parsing the output."""
    cdef Work w = Work.__new__(Work)
    cdef bytes octets = b"".join(output)
    cdef Py_ssize_t at = 0
    cdef int length
    cdef list detail = fields
    w.core = core
    w.notes = []
    while at < PyBytes_GET_SIZE(octets):
        length = int.from_bytes(octets[at:at + 3], "big")
        w.note(True, octets[at + 3], octets[at + 4], int.from_bytes(octets[at + 5:at + 9], "big"),
               length, detail)
        detail = None
        at += FRAME_HEADER + length
    return tuple(w.notes)


cdef Step send_request(Core before, object method, object target, object headers, tuple body,
                       bint streaming):
    cdef Core core
    cdef Draft draft
    cdef Encoded encoded
    cdef Fault why
    cdef Stream *stream
    cdef RequestRef ref
    cdef tuple output
    cdef bytes block
    cdef long long total = -1 if streaming else -2
    cdef int id
    cdef bint ends
    why = room_fault(before)
    if why is not None:
        return refused(before, why)
    if body is not None and not streaming:
        total = 0
        for piece in body:
            total += PyBytes_GET_SIZE(<bytes?>piece)
    draft = drafted(before.config, method, target, headers, total)
    if draft.fault is not None:
        return refused(before, draft.fault)
    if draft.is_extended and not before.s.peer[SET_ENABLE_CONNECT_PROTOCOL]:   # 8441-3-c
        return refused(before, refusal("extended_connect_not_enabled"))
    if draft.size > before.s.peer[SET_MAX_HEADER_LIST_SIZE]:   # 9113-6.5.2-g
        return refused(before, refusal("max_header_list_size_exceeded", "", "", draft.size,
                                       before.s.peer[SET_MAX_HEADER_LIST_SIZE]))
    if total > 0:
        why = window_fault(before, before.s.peer[SET_INITIAL_WINDOW_SIZE], total)
        if why is not None:
            return refused(before, why)
    # The request is not refused any more.
    core = before.successor()
    id = <int>core.s.next_stream
    core.s.next_stream += 2
    core.requests = core.requests.writable(core.s.serial)
    stream = core.requests.add((id - 1) >> 1)
    ends = not streaming and total <= 0
    stream.state = HALF_LOCAL if not streaming else OPEN
    stream.facts = (IS_HEAD if draft.is_head else 0) | (IS_CONNECT if draft.is_connect else 0)
    stream.content_left = -1
    stream.declared_left = draft.declared if streaming else 0
    core.s.active += 1
    core.s.waiting += 1
    encoded = core.encoder.encoded(draft.fields, core.config.extra_sensitive, FRAME_HEADER)
    core.encoder = encoded.encoder
    block = headers_frames(core, encoded.block, ends, id)
    if total > 0:
        stream.send_moved = <int>-total
        stream.has_sent = True
        core.s.send_window -= total
        core.s.owed += total
        refund(core, 4 + (total >> 10))
        output = with_data(core, block, body, total, True, id)
    else:
        output = (block,)
    count_output(core, output)
    ref = RequestRef.__new__(RequestRef)
    ref.connection = core.config.identity
    ref.number = id
    return step(core, None, output, None, ref, 0,
                notes_of(core, output, draft.fields) if core.s.tracing else ())


cdef Fault body_fault(Core core, long long number):
    """Return why no more of the body of a request can be sent, or None."""
    cdef const Stream *stream
    if core.s.phase == OVER:
        return refusal("closed")
    stream = core.peek(number) if number > 0 else NULL
    if stream == NULL or stream.state == RESET:
        return refusal("unknown_request_to_stream")
    if stream.state != OPEN and stream.state != HALF_REMOTE:
        return refusal("request_is_not_streaming")
    return None


cdef Step send_body(Core before, RequestRef ref, bytes data):
    cdef long long number = before.number_of(ref)
    cdef long long total = PyBytes_GET_SIZE(data)
    cdef const Stream *now
    cdef Stream *stream
    cdef Core core
    cdef tuple output
    cdef Fault why = body_fault(before, number)
    if why is not None:
        return refused(before, why)
    if total == 0:   # nothing to send; the window may be used up
        return step(before, None, (), None, ref)
    now = before.peek(number)
    if now.declared_left >= 0 and total > now.declared_left:
        return refused(before, refusal("content_length_mismatch", "", "", total, now.declared_left))
    why = window_fault(before, window_left(before.s.peer[SET_INITIAL_WINDOW_SIZE], now.send_moved),
                       total)
    if why is not None:
        return refused(before, why)
    core = before.successor()
    stream = core.edit(number)
    stream.send_moved -= <int>total
    stream.has_sent = True
    if stream.declared_left >= 0:
        stream.declared_left -= total
    core.s.send_window -= total
    core.s.owed += total
    refund(core, 4 + (total >> 10))
    output = with_data(core, None, (data,), total, False, <int>number)
    count_output(core, output)
    return step(core, None, output, None, ref, 0,
                notes_of(core, output, None) if core.s.tracing else ())


cdef Step send_end(Core before, RequestRef ref, object trailers):
    """End a body, with trailers or with an empty DATA frame, which needs no window (9113-6.9.2-b)."""
    cdef long long number = before.number_of(ref)
    cdef Stream *stream
    cdef Draft draft
    cdef Encoded encoded
    cdef Work w
    cdef bytes octets
    cdef Fault why = body_fault(before, number)
    if why is not None:
        return refused(before, why)
    draft = drafted_trailers(before.config, trailers)
    if draft.fault is not None:
        return refused(before, draft.fault)
    if before.peek(number).declared_left > 0:
        return refused(before, refusal("content_length_mismatch", "", "", 0,
                                       before.peek(number).declared_left))
    if draft.fields and before.peek(number).facts & IS_CONNECT:   # 9113-8.5-b
        return refused(before, refusal("invalid_request_framing", "trailers", "must not be sent on a tunnel"))
    if draft.size > before.s.peer[SET_MAX_HEADER_LIST_SIZE]:
        return refused(before, refusal("max_header_list_size_exceeded", "", "", draft.size,
                                       before.s.peer[SET_MAX_HEADER_LIST_SIZE]))
    w = begin(before)
    if draft.fields:
        encoded = w.core.encoder.encoded(draft.fields, w.core.config.extra_sensitive, FRAME_HEADER)
        w.core.encoder = encoded.encoder
        octets = headers_frames(w.core, encoded.block, True, <int>number)
    else:
        octets = with_data(w.core, None, (), 0, True, <int>number)[0]
    if w.notes is not None:
        w.notes.extend(notes_of(w.core, (octets,), draft.fields))
    w.put_whole(octets)
    stream = w.core.edit(number)
    stream.has_sent = True
    settle(w, <int>number, stream, SENT_END)
    w.given = ref
    return w.finished()


cdef Step send_cancel(Core before, RequestRef ref):
    """Reset a stream for the caller; a stream that is closed does not change (9113-6.4-c)."""
    cdef const Stream *now
    cdef Work w
    if ref.connection != before.config.identity:
        raise ValueError(f"{ref!r} does not belong to this connection")
    now = before.peek(ref.number) if ref.number > 0 else NULL
    if before.s.phase == OVER or now == NULL or now.state == RESET:
        return step(before, None, (), None, ref)
    w = begin(before)
    settle(w, <int>ref.number, w.core.edit(ref.number), SENT_RESET)
    w.core.s.allowance = min(w.core.s.allowance + CANCEL_ALLOWS, MOST_ALLOWED)
    w.put_small(RST_STREAM, 0, <int>ref.number, CANCEL)   # the caller's decision, so not counted
    w.given = ref
    return w.finished()
