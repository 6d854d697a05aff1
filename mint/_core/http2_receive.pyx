# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Parsing of frames: headers, payloads that arrive in parts, and DATA, which is delivered as it arrives.

A frame is checked in this order: whether it may be the first of the connection, the rules of its type, an
open field block, the state of its stream. What the frame header decides is decided before the payload
arrives. RFC 9113 3.4, 4, 5.1, 6.1, 6.2, 6.6, 6.9.1, 6.10.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint32_t
from libc.string cimport memcmp, memcpy

from .events cimport Step, step
from .faults cimport PROCESSED_NO, Fault, fault
from .fields cimport show
from .flow cimport DEFAULT_WINDOW, credit_due, receive_left, violates
from .frames cimport (CONTINUATION, DATA, ENHANCE_YOUR_CALM, FLAG_ACK, FLAG_END_HEADERS,
                      FLAG_END_STREAM, FLAG_PADDED, FLAG_PRIORITY, FLOW_CONTROL_ERROR, FRAME_HEADER,
                      FRAME_SIZE_ERROR, GOAWAY, HEADERS, KNOWN_TYPES, PING, PRIORITY, PROTOCOL_ERROR,
                      PUSH_PROMISE, RST_STREAM, SET_ENABLE_PUSH, SET_INITIAL_WINDOW_SIZE,
                      SET_MAX_FRAME_SIZE, SETTINGS, STREAM_CLOSED, WINDOW_UPDATE, Head, fits,
                      frame_name, header_fault, read_header, read_u31, read_u32)
from .http2_control cimport (on_goaway, on_ping, on_rst_stream, on_settings, on_settings_ack,
                             on_window_update)
from .http2_extensions cimport on_extension, on_extension_header
from .http2_responses cimport on_block, on_end
from .http2_state cimport (AT_DATA, AT_HEADER, AT_PAD_LENGTH, AT_PAYLOAD, AT_SKIP, OVER, STARTING, Core,
                           Scalars, Work, begin, breach, close_drained, fail_all, refund, spend, stream_error)
from .logs cimport ByteLog, log_append
from .streams cimport (ACCEPT, BREACH, CLOSED_STREAM, DROP, ENDED, IDLE, IS_HELD, SEEN_FINAL, Stream,
                       arrival)


cdef enum:                        # limits of the octets of promised cookies that are joined (9113-8.2.3-a)
    JOINED_RATIO = 64             # for each octet received
    MOST_JOINED = 1048576         # in total, at one time


cdef Step receive(Core before, bytes data):
    cdef Work w
    if before.s.phase == OVER or PyBytes_GET_SIZE(data) == 0:   # after the end, input is ignored
        return step(before)
    w = begin(before)
    w.source = data
    pump(w, <const unsigned char *>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))
    return w.finished()


cdef Step receive_eof(Core before):
    """Handle the end of the transport (9113-5.4.3-a)."""
    cdef Work w
    if before.s.phase == OVER:
        return step(before)
    w = begin(before)
    if before.s.waiting or before.s.active or before.s.reserved or before.s.pushed:
        w.fault = fault("transport_closed")
    fail_all(w, w.fault if w.fault is not None else fault("transport_closed"))
    return w.finished()


cdef int pump(Work w, const unsigned char *octets, Py_ssize_t count) except -1:
    """Read all octets, one part of a frame after the other."""
    cdef Core core = w.core
    cdef Scalars *s = &core.s
    cdef Py_ssize_t at = 0
    cdef Py_ssize_t take
    cdef ByteLog kept
    while s.phase != OVER:
        if s.mode == AT_HEADER:
            if s.goaway >= 0:
                close_drained(w)
                if s.phase == OVER:
                    return 0
            if s.held == 0 and count - at >= FRAME_HEADER:
                at += FRAME_HEADER
                on_header(w, octets + at - FRAME_HEADER)
                continue
            take = min(FRAME_HEADER - s.held, count - at)
            memcpy(s.header + s.held, octets + at, take)
            s.held += <int>take
            at += take
            if s.held < FRAME_HEADER:
                return 0
            s.held = 0
            on_header(w, s.header)
        elif s.mode == AT_DATA:
            if s.left:
                take = min(s.left, count - at)
                if take == 0:
                    return 0
                if takes_data(core, s.frame.stream):
                    w.add_piece(s.frame.stream, octets + at, take)
                s.left -= <int>take
                at += take
                if s.left:
                    return 0
            if s.padding:
                take = min(s.padding, count - at)
                s.padding -= <int>take
                at += take
                if s.padding:
                    return 0
            s.mode = AT_HEADER
            on_data_end(w)
        elif s.mode == AT_PAD_LENGTH:
            if at == count:
                return 0
            on_pad_length(w, octets[at])
            at += 1
        elif s.mode == AT_PAYLOAD:
            if s.left == s.frame.length and count - at >= s.left:
                s.mode = AT_HEADER
                at += s.left
                on_payload(w, octets + at - s.left)
                continue
            take = min(s.left, count - at)
            if take == 0:
                return 0
            core.partial = log_append(core.partial, &s.partial_window, octets + at, take)
            s.left -= <int>take
            at += take
            if s.left:
                return 0
            s.mode = AT_HEADER
            # Handling the frame may run other code, which may drop every other reference to the octets.
            kept = core.partial
            core.partial = None
            s.partial_window.start = s.partial_window.end = 0
            on_payload(w, kept.octets)   # nothing is dropped from the log before the frame is complete
        else:
            take = min(s.left, count - at)
            s.left -= <int>take
            at += take
            if s.left:
                return 0
            s.mode = AT_HEADER
    return 0


cdef int protocol_breach(Work w, str name, str value) except -1:
    return breach(w, fault("protocol_error", name, value, 0, 0, PROTOCOL_ERROR))


cdef int calm_breach(Work w, str name, str value, long long size, long long limit) except -1:
    return breach(w, fault("enhance_your_calm", name, value, size, limit, ENHANCE_YOUR_CALM))


cdef int first_frame(Work w, Head head, const unsigned char *octets) except -1:
    """Check that the first frame is SETTINGS (9113-3.4-c); return True if it is not."""
    cdef Fault why
    if memcmp(octets, b"HTTP/1.", 7) == 0:   # an HTTP/1 server has not acted on any request
        why = fault("http1_response", "", show(octets[:FRAME_HEADER]), 0, 0, PROTOCOL_ERROR, PROCESSED_NO)
        w.fault = why
        fail_all(w, why)
        return True
    if head.type == SETTINGS and not head.flags & FLAG_ACK or head.type == GOAWAY:
        return False
    seen = "an acknowledgement of SETTINGS" if head.type == SETTINGS else frame_name(head.type)
    protocol_breach(w, frame_name(head.type), f"the first frame is {seen}, not SETTINGS")
    return True


cdef int on_header(Work w, const unsigned char *octets) except -1:
    """Handle a frame header: decide everything that does not need the payload."""
    cdef Core core = w.core
    cdef Scalars *s = &core.s
    cdef Head head
    read_header(octets, &head)
    s.frame = head
    s.left = head.length
    if core.pushes is not None:
        s.joinable = min(MOST_JOINED, s.joinable + JOINED_RATIO * (FRAME_HEADER + head.length))
    if s.phase == STARTING and first_frame(w, head, octets):
        return 0
    if not fits(head, <int>s.allowed[SET_MAX_FRAME_SIZE]):
        return on_misfit(w, head)
    if w.notes is not None and not (head.flags & FLAG_END_HEADERS
                                    and head.type in (HEADERS, PUSH_PROMISE, CONTINUATION)):
        w.note(False, head.type, head.flags, head.stream, head.length, None)
    if s.block_stream and (head.type != CONTINUATION or head.stream != s.block_stream):
        return protocol_breach(w, frame_name(head.type),   # 9113-4.3-a, 5.5-b, 6.2-a
                               f"{frame_name(head.type)} on stream {head.stream} inside the field "
                               f"block of stream {s.block_stream}")
    if head.type == DATA:
        return on_data(w, head)
    s.mode = AT_PAYLOAD
    if head.type >= KNOWN_TYPES:   # 9113-4.1-b
        return on_extension_header(w, head)
    elif head.type == SETTINGS:
        if head.length // 6 > core.config.max_settings:
            return calm_breach(w, "max_settings", "too many settings in one frame", head.length // 6,
                               core.config.max_settings)
    elif head.type == CONTINUATION:
        return on_continuation(w, head)
    elif head.stream and head.type != PRIORITY:
        return on_stream_header(w, head)
    return 0


cdef int on_misfit(Work w, Head head) except -1:
    """Handle a wrong size or a wrong stream: a connection error except for PRIORITY (9113-6.3-a)."""
    cdef Core core = w.core
    if (head.type == PRIORITY and head.stream and not core.s.block_stream
            and head.length <= <int>core.s.allowed[SET_MAX_FRAME_SIZE]):
        core.s.mode = AT_SKIP
        if core.is_idle(head.stream):   # there is nothing to reset (9113-6.4-c)
            return 0
        return stream_error(w, head.stream, FRAME_SIZE_ERROR, header_fault(head, 0x7FFFFFFF))
    return breach(w, header_fault(head, <int>core.s.allowed[SET_MAX_FRAME_SIZE]))


cdef int on_stream_header(Work w, Head head) except -1:
    """Check the stream of HEADERS, RST_STREAM, PUSH_PROMISE or WINDOW_UPDATE, and the size of a block."""
    cdef Core core = w.core
    cdef int state = core.state_of(head.stream)
    if arrival[state][head.type] == BREACH:   # 9113-5.1-a, b, d, 6.6-a
        return protocol_breach(w, frame_name(head.type),
                               f"{frame_name(head.type)} on stream {head.stream}, "
                               + ("which is idle" if state == IDLE else "which does not allow it"))
    if head.type == HEADERS or head.type == PUSH_PROMISE:
        if head.type == PUSH_PROMISE:
            if not core.s.own[SET_ENABLE_PUSH]:   # 9113-6.5.2-c
                return protocol_breach(w, "PUSH_PROMISE", "PUSH_PROMISE, but push is disabled")
            if not head.stream & 1:   # 9113-6.6-a
                return protocol_breach(w, "PUSH_PROMISE", "PUSH_PROMISE on a promised stream")
        # Up to 262 octets of padding and fixed fields are not part of the block.
        if head.length - 262 > core.config.max_header_block:
            return calm_breach(w, "max_header_block", "a field block is too long", head.length,
                               core.config.max_header_block)
    return 0


cdef int on_continuation(Work w, Head head) except -1:
    """Check CONTINUATION: the size and the number of pieces of a block are limited (9113-6.10-b)."""
    cdef Core core = w.core
    cdef Py_ssize_t total = core.s.block_window.end + head.length
    if not core.s.block_stream:   # 9113-6.10-a
        return protocol_breach(w, "CONTINUATION", "CONTINUATION without a field block")
    core.s.block_frames += 1
    if core.s.block_frames > core.config.max_continuations:
        return calm_breach(w, "max_continuations", "too many CONTINUATION frames",
                           core.s.block_frames, core.config.max_continuations)
    if total > core.config.max_header_block:
        return calm_breach(w, "max_header_block", "a field block is too long", total,
                           core.config.max_header_block)
    return 0


# DATA.

cdef inline bint takes_data(Core core, int id) noexcept:
    """Whether content of this stream is delivered; the stream may have been reset since the frame header."""
    cdef const Stream *stream = core.peek(id)
    return stream != NULL and arrival[stream.state][DATA] == ACCEPT and not stream.facts & ENDED


cdef int on_data(Work w, Head head) except -1:
    """Check windows and state at the header of DATA; the complete payload counts (9113-6.1-e, 6.9-d)."""
    cdef Core core = w.core
    cdef const Stream *stream
    cdef int state = core.state_of(head.stream)
    cdef int todo = arrival[state][DATA]
    core.s.padding = 0
    core.s.mode = AT_PAD_LENGTH if head.flags & FLAG_PADDED else AT_DATA
    if todo == BREACH:   # 9113-5.1-a, d
        return protocol_breach(w, "DATA", f"DATA on stream {head.stream}, which is "
                               + ("idle" if state == IDLE else "only promised"))
    if violates(DEFAULT_WINDOW, core.s.receipt, head.length):   # 9113-6.9.1-c
        return breach(w, fault("flow_control_error", "DATA", "DATA exceeds the window of the connection",
                               head.length, receive_left(DEFAULT_WINDOW, core.s.receipt), FLOW_CONTROL_ERROR))
    if todo == CLOSED_STREAM:   # 9113-6.1-c
        stream_error(w, head.stream, STREAM_CLOSED,
                     fault("stream_closed", "DATA", "DATA after the end of a stream", 0, 0,
                           STREAM_CLOSED))
    elif todo == DROP:   # 9113-5.1-g
        on_late_data(w, head)
    else:
        stream = core.peek(head.stream)
        if violates(core.s.allowed[SET_INITIAL_WINDOW_SIZE], stream.receipt, head.length):
            stream_error(w, head.stream, FLOW_CONTROL_ERROR,
                         fault("flow_control_error", "DATA", "DATA exceeds the window of the stream",
                               head.length,
                               receive_left(core.s.allowed[SET_INITIAL_WINDOW_SIZE], stream.receipt),
                               FLOW_CONTROL_ERROR))
        elif not stream.facts & SEEN_FINAL:
            stream_error(w, head.stream, PROTOCOL_ERROR,
                         fault("malformed_response", "DATA", "comes before the response head", 0, 0,
                               PROTOCOL_ERROR))
    if core.s.mode == AT_DATA and core.s.phase != OVER:
        return on_content(w, head, head.length)
    return 0


cdef int on_late_data(Work w, Head head) except -1:
    """Count DATA after our RST_STREAM as useless unless the window allowed it, since it may just be late."""
    cdef Core core = w.core
    cdef Stream *stream = core.edit(head.stream) if head.length else NULL
    if stream == NULL:
        return spend(w)
    if violates(core.s.allowed[SET_INITIAL_WINDOW_SIZE], stream.receipt, head.length):
        return spend(w)
    stream.receipt.used += head.length
    return 0


cdef int on_pad_length(Work w, int padding) except -1:
    """Read the pad length of a DATA frame, which is part of the padding for flow control."""
    cdef Core core = w.core
    if padding >= core.s.frame.length:   # 9113-6.1-d
        return protocol_breach(w, "DATA", f"DATA of {core.s.frame.length} octets with {padding} octets "
                               "of padding, more padding than payload")
    core.s.padding = padding
    core.s.left = core.s.frame.length - 1 - padding
    core.s.mode = AT_DATA
    return on_content(w, core.s.frame, core.s.left)


cdef int on_content(Work w, Head head, int octets) except -1:
    """Check the size of the content of a frame against the declared length (9113-8.1.1-b)."""
    cdef Core core = w.core
    cdef const Stream *stream
    if octets == 0:
        if head.flags & FLAG_END_STREAM or not takes_data(core, head.stream):
            return 0
        return spend(w)
    if not takes_data(core, head.stream):
        return 0
    refund(core, 1 + (octets >> 10))
    stream = core.peek(head.stream)
    if stream.content_left < 0:
        return 0
    if octets > stream.content_left:
        return stream_error(w, head.stream, PROTOCOL_ERROR,
                            fault("malformed_response", "content-length", "is less than the content", 0, 0,
                                  PROTOCOL_ERROR))
    core.edit(head.stream).content_left -= octets
    return 0


cdef int on_data_end(Work w) except -1:
    """Complete a DATA frame: credit the windows in batches, and end the stream with END_STREAM."""
    cdef Core core = w.core
    cdef Scalars *s = &core.s
    cdef Stream *stream
    cdef int length = s.frame.length
    cdef int id = s.frame.stream
    cdef int due
    if length:
        s.receipt.used += length
        due = credit_due(DEFAULT_WINDOW, s.receipt, core.config.window_update_threshold)
        if due:
            s.receipt.used = 0
            w.put_small(WINDOW_UPDATE, 0, 0, <uint32_t>due)
    elif not s.frame.flags & FLAG_END_STREAM:
        return 0
    if not takes_data(core, id):
        return 0
    stream = core.edit(id)
    if s.frame.flags & FLAG_END_STREAM:
        return on_end(w, id, stream)
    stream.receipt.used += length
    if stream.facts & IS_HELD:
        return 0
    due = credit_due(s.own[SET_INITIAL_WINDOW_SIZE], stream.receipt, core.config.window_update_threshold)
    if due:
        stream.receipt.used = 0
        w.put_small(WINDOW_UPDATE, 0, id, <uint32_t>due)
    return 0


# Frames whose payload is complete.

cdef int on_payload(Work w, const unsigned char *payload) except -1:
    cdef Scalars *s = &w.core.s
    cdef Head head = s.frame
    if head.type == HEADERS:
        return on_headers(w, head, payload)
    if head.type == WINDOW_UPDATE:
        return on_window_update(w, head.stream, read_u31(payload))
    if head.type == CONTINUATION:
        return on_fragment(w, head, payload, head.length)
    if head.type == SETTINGS:
        return on_settings_ack(w) if head.flags & FLAG_ACK else on_settings(w, payload, head.length)
    if head.type == PING:
        return on_ping(w, payload, head.flags)
    if head.type == RST_STREAM:
        return on_rst_stream(w, head.stream, read_u32(payload))
    if head.type == GOAWAY:
        return on_goaway(w, payload, head.length)
    if head.type == PUSH_PROMISE:
        return on_push_promise(w, head, payload)
    if head.type >= KNOWN_TYPES:
        return on_extension(w, head, payload)
    return spend(w)   # PRIORITY is deprecated and ignored; its size was checked (9113-5.3-a)


cdef int trimmed(Work w, Head head, const unsigned char *payload, int fixed) except -2:
    """Return the octets of a fragment without pad length, padding and fixed fields; -1 after a breach."""
    cdef int padding = 0
    if head.flags & FLAG_PADDED:
        fixed += 1
        padding = payload[0]   # the least size of a padded frame has this octet
    if fixed > head.length:
        breach(w, fault("frame_size_error", frame_name(head.type), f"{frame_name(head.type)} of "
                        f"{head.length} octets is too short", head.length, 0, FRAME_SIZE_ERROR))
        return -1
    if padding > head.length - fixed:   # 9113-6.2-b, 6.6-d
        protocol_breach(w, frame_name(head.type),
                        f"{frame_name(head.type)} with {padding} octets of padding, more than the "
                        f"{head.length - fixed} that are left for the field block")
        return -1
    return head.length - padding - fixed


cdef int on_headers(Work w, Head head, const unsigned char *payload) except -1:
    cdef int fixed = 5 if head.flags & FLAG_PRIORITY else 0
    cdef int count = trimmed(w, head, payload, fixed)
    if count < 0:
        return 0
    w.core.s.block_ends = head.flags & FLAG_END_STREAM
    w.core.s.block_promised = 0
    return on_fragment(w, head, payload + fixed + (1 if head.flags & FLAG_PADDED else 0), count)


cdef int on_push_promise(Work w, Head head, const unsigned char *payload) except -1:
    cdef int count = trimmed(w, head, payload, 4)
    cdef const unsigned char *fragment = payload + (1 if head.flags & FLAG_PADDED else 0)
    cdef int promised
    if count < 0:
        return 0
    promised = read_u31(fragment)
    if promised & 1 or promised <= w.core.s.last_promised:   # 9113-5.1.1-b; 0 is not above any
        return protocol_breach(w, "PUSH_PROMISE", f"PUSH_PROMISE of stream {promised}, which is not a "
                               "new even number")
    w.core.s.block_ends = False
    w.core.s.block_promised = promised
    return on_fragment(w, head, fragment + 4, count)


cdef int on_fragment(Work w, Head head, const unsigned char *fragment, int count) except -1:
    """Handle a piece of a field block; keep it until END_HEADERS unless it is the complete block."""
    cdef Core core = w.core
    cdef Scalars *s = &core.s
    cdef int id = s.block_stream
    cdef ByteLog kept
    cdef Py_ssize_t size
    if count > core.config.max_header_block:
        return calm_breach(w, "max_header_block", "a field block is too long", count,
                           core.config.max_header_block)
    if head.flags & FLAG_END_HEADERS and not s.block_stream:
        return on_block(w, head.stream, s.block_promised, s.block_ends, fragment, count)
    core.block = log_append(core.block, &s.block_window, fragment, count)
    if not head.flags & FLAG_END_HEADERS:
        if not s.block_stream:
            s.block_stream = head.stream
            s.block_frames = 0
        return 0
    kept = core.block
    size = s.block_window.end   # nothing is dropped from the log before the block is complete
    core.block = None
    s.block_window.start = s.block_window.end = 0
    s.block_stream = 0
    s.block_frames = 0
    return on_block(w, id, s.block_promised, s.block_ends, kept.octets, size)
