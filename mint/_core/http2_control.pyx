# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""SETTINGS, PING, GOAWAY, WINDOW_UPDATE and RST_STREAM of the server.

Their sizes and streams were checked with the frame header. RFC 9113 6.4, 6.5, 6.7 to 6.9; RFC 8441 3.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport uint32_t
from libc.string cimport memcmp, memcpy

from .events cimport EVENT_GOAWAY, EVENT_SETTINGS, GoAway, Pong, ServerSettings
from .faults cimport PROCESSED_MAYBE, PROCESSED_NO, PROCESSED_OF_NONE, Fault, fault, marked, weighed
from .fields cimport show
from .flow cimport MAX_WINDOW, credit_due, overflows, window_left
from .frames cimport (FLAG_ACK, FLOW_CONTROL_ERROR, FRAME_HEADER, LEAST_MAX_FRAME_SIZE,
                      MOST_MAX_FRAME_SIZE, NO_ERROR, PING, PROTOCOL_ERROR, REFUSED_STREAM,
                      SET_ENABLE_CONNECT_PROTOCOL, SET_ENABLE_PUSH, SET_HEADER_TABLE_SIZE,
                      SET_INITIAL_WINDOW_SIZE, SET_MAX_CONCURRENT_STREAMS, SET_MAX_FRAME_SIZE,
                      SET_NO_RFC7540_PRIORITIES, SETTINGS, SETTINGS_KNOWN, WINDOW_UPDATE, error_name,
                      read_u31, read_u32, write_header)
from .http2_config cimport UNLIMITED, setting_name
from .http2_state cimport (RUNNING, STARTING, Core, Work, answered, breach, count_reset, end_ref, fail_all,
                           processed_of, settle, spend, stream_error, weigh_open)
from .streams cimport (DROP, ENDED, GOT_RESET, IS_HELD, RESET, Stream, arrival)
from .streams cimport Table as Streams


cdef int protocol_breach(Work w, str name, str value) except -1:
    return breach(w, fault("protocol_error", name, value, 0, 0, PROTOCOL_ERROR))


cdef int flow_breach(Work w, str name, str value) except -1:
    return breach(w, fault("flow_control_error", name, value, 0, 0, FLOW_CONTROL_ERROR))


cdef bint some_window_overflows(Core core, long long initial) noexcept:
    """Whether a new initial size raises the window of a stream too high (9113-6.9.2-c).

    The streams are searched only if the stored upper bound of their credit makes it possible.
    """
    cdef long long index
    cdef const Stream *stream
    cdef int most = 0
    if not overflows(initial, core.s.most_moved):
        return False
    index = core.requests.following(0)
    while index >= 0:
        stream = core.requests.peek(index)
        if stream.state != RESET:   # a closed stream has no window
            most = max(most, stream.send_moved)
        index = core.requests.following(index + 1)
    core.s.most_moved = most
    return overflows(initial, most)


cdef int on_setting(Work w, int identifier, uint32_t value) except -1:
    """Apply one setting of the server at once (9113-6.5.3-a); return True if its value is not allowed."""
    cdef Core core = w.core
    if identifier == SET_HEADER_TABLE_SIZE:
        core.encoder = core.encoder.resized(<Py_ssize_t>value)
    elif identifier == SET_ENABLE_PUSH:
        if value != 0:   # 9113-6.5.2-b
            return protocol_breach(w, "SETTINGS", f"SETTINGS_ENABLE_PUSH is {value}, but a server "
                                   "must send 0") or True
    elif identifier == SET_INITIAL_WINDOW_SIZE:
        if value > MAX_WINDOW:   # 9113-6.5.2-d
            return flow_breach(w, "SETTINGS", f"SETTINGS_INITIAL_WINDOW_SIZE is {value}, "
                               "above 2^31-1") or True
        if some_window_overflows(core, value):
            return flow_breach(w, "SETTINGS", f"SETTINGS_INITIAL_WINDOW_SIZE of {value} raises a window "
                               "above 2^31-1") or True
    elif identifier == SET_MAX_FRAME_SIZE:
        if not LEAST_MAX_FRAME_SIZE <= value <= MOST_MAX_FRAME_SIZE:   # 9113-6.5.2-e
            return protocol_breach(w, "SETTINGS", f"SETTINGS_MAX_FRAME_SIZE is {value}, not from "
                                   f"{LEAST_MAX_FRAME_SIZE} to {MOST_MAX_FRAME_SIZE}") or True
    elif identifier == SET_ENABLE_CONNECT_PROTOCOL:
        if value > 1 or (value == 0 and core.s.peer[identifier] == 1):   # 8441-3-a, b
            return protocol_breach(w, "SETTINGS", f"SETTINGS_ENABLE_CONNECT_PROTOCOL is {value}, but must be "
                                   "0 or 1, and stay 1 once it is") or True
    elif identifier == SET_NO_RFC7540_PRIORITIES:
        if value > 1:   # 9218-2.1-a
            return protocol_breach(w, "SETTINGS", f"SETTINGS_NO_RFC7540_PRIORITIES is {value}, but must be "
                                   "0 or 1") or True
    core.s.peer[identifier] = value
    return False


cdef int report_settings(Work w, const unsigned char *payload, int count) except -1:
    """Report the settings of a frame, of which there are at most `max_settings`."""
    cdef ServerSettings made = ServerSettings.__new__(ServerSettings)
    cdef list pairs = []
    cdef int at
    for at in range(0, count, 6):
        pairs.append((setting_name((payload[at] << 8) | payload[at + 1]), read_u32(payload + at + 2)))
    made.settings = tuple(pairs)
    w.flush_data()
    w.responses.append(made)
    return 0


cdef int on_settings(Work w, const unsigned char *payload, int count) except -1:
    cdef Core core = w.core
    cdef unsigned char *octets
    cdef int at
    cdef int identifier
    if core.s.phase == STARTING:
        core.s.phase = RUNNING
        core.s.greeted = True
        core.s.peer[SET_MAX_CONCURRENT_STREAMS] = UNLIMITED   # unless this frame sets it
    elif spend(w):
        return 0
    for at in range(0, count, 6):
        identifier = (payload[at] << 8) | payload[at + 1]
        # 9113-6.5.2-f: unknown settings are ignored
        if 0 < identifier < SETTINGS_KNOWN and on_setting(w, identifier, read_u32(payload + at + 2)):
            return 0
    if core.config.events & EVENT_SETTINGS:
        report_settings(w, payload, count)
    octets = w.room(FRAME_HEADER)
    write_header(octets, 0, SETTINGS, FLAG_ACK, 0)
    if w.notes is not None:
        w.note(True, SETTINGS, FLAG_ACK, 0, 0, None)
    return answered(w)


cdef int raise_allowed(Core core) except -1:
    """Allow the highest of the acknowledged and the pending values of our settings (9113-6.5.3-b)."""
    cdef int identifier
    cdef long long value
    memcpy(core.s.allowed, core.s.own, sizeof(core.s.own))
    for settings in core.pending:
        for identifier, value in settings:
            if value > core.s.allowed[identifier]:
                core.s.allowed[identifier] = <uint32_t>value
    return 0


cdef int credit_streams(Work w, Streams table, int offset) except -1:
    """Send the credit that is due after our windows shrank; the server may be unable to send until then."""
    cdef Core core = w.core
    cdef long long index = table.following(0)
    cdef const Stream *now
    cdef int due
    while index >= 0:
        now = table.peek(index)
        if now.state != RESET and not now.facts & (ENDED | IS_HELD):
            due = credit_due(core.s.own[SET_INITIAL_WINDOW_SIZE], now.receipt,
                             core.config.window_update_threshold)
            if due:
                core.edit(2 * index + offset).receipt.used = 0
                w.put_small(WINDOW_UPDATE, 0, <int>(2 * index + offset), <uint32_t>due)
                table = core.requests if offset == 1 else core.pushes
        index = table.following(index + 1)
    return 0


cdef int on_settings_ack(Work w) except -1:
    """Put the oldest of our pending SETTINGS into effect."""
    cdef Core core = w.core
    cdef int identifier
    cdef long long value
    cdef uint32_t before = core.s.own[SET_INITIAL_WINDOW_SIZE]
    if not core.pending:   # an acknowledgement of nothing
        spend(w)
        return 0
    for identifier, value in <tuple>core.pending[0]:
        core.s.own[identifier] = <uint32_t>value
        if identifier == SET_HEADER_TABLE_SIZE:
            core.decoder = core.decoder.resized(<Py_ssize_t>value)
    core.pending = core.pending[1:]
    raise_allowed(core)
    if core.s.own[SET_INITIAL_WINDOW_SIZE] < before:
        credit_streams(w, core.requests, 1)
        if core.pushes is not None:
            credit_streams(w, core.pushes, 2)
    return 0


cdef int on_ping(Work w, const unsigned char *payload, int flags) except -1:
    cdef Core core = w.core
    cdef unsigned char *octets
    cdef Pong made
    cdef long long number
    cdef Py_ssize_t i
    if not flags & FLAG_ACK:   # 9113-6.7-a
        octets = w.room(FRAME_HEADER + 8)
        write_header(octets, 8, PING, FLAG_ACK, 0)
        memcpy(octets + FRAME_HEADER, payload, 8)
        if w.notes is not None:
            w.note(True, PING, FLAG_ACK, 0, 8, None)
        if not spend(w):
            answered(w)
        return 0
    for i in range(len(core.pings)):
        if memcmp(PyBytes_AS_STRING(<bytes>core.pings[i][0]), payload, 8) == 0:
            number = core.pings[i][1]
            core.pings = core.pings[:i] + core.pings[i + 1:]
            if number == 0:   # of `ask_if_heard`, after which no content is sent
                core.s.unheard = False
                return 0
            made = Pong.__new__(Pong)
            made.ref = w.ref_of(number)
            w.flush_data()
            w.responses.append(made)
            return 0
    spend(w)   # 9113-6.7-c: a reply to no PING of ours
    return 0


cdef int fail_unprocessed(Work w, int last, int before) except -1:
    """Fail the requests that the server will not act on, in their order (9113-6.8-b).

    `before` is the last stream of the previous GOAWAY, or -1; requests above it have failed already.
    """
    cdef Core core = w.core
    cdef long long index = core.requests.following((<long long>last + 1) >> 1)
    cdef long long end = (core.s.next_stream if before < 0 else <long long>before + 1) >> 1
    cdef Stream *stream
    cdef Fault no = fault("unprocessed", "", "", 0, 0, NO_ERROR, PROCESSED_NO)
    cdef Fault why
    while 0 <= index < end:
        if core.requests.peek(index).state != RESET:
            stream = core.edit(2 * index + 1)
            why = no if processed_of(stream) == PROCESSED_MAYBE else marked(no, processed_of(stream))
            if not stream.facts & ENDED:
                w.weight = weighed(w.weight, why.processed)
            end_ref(w, <int>(2 * index + 1), stream, why)
            settle(w, <int>(2 * index + 1), stream, GOT_RESET)
        index = core.requests.following(index + 1)
    return 0


cdef Fault closing_fault(const unsigned char *payload, int count, uint32_t code):
    """Return the fault that a GOAWAY reports."""
    return fault("server_closed_connection", error_name(code),
                 "" if code == NO_ERROR else show(payload[8:count if count < 208 else 208]), 0, 0, code)


cdef int on_goaway(Work w, const unsigned char *payload, int count) except -1:
    """Handle GOAWAY: the server accepts no more requests and finishes those it has (9113-6.8)."""
    cdef Core core = w.core
    cdef int last = read_u31(payload)
    cdef uint32_t code = read_u32(payload + 4)
    cdef int before
    cdef GoAway made
    if core.s.goaway >= 0 and spend(w):   # repeated: a server needs one, or two for a graceful shutdown
        return 0
    if core.config.events & EVENT_GOAWAY:
        made = GoAway.__new__(GoAway)
        made.last_stream = last
        made.code = code
        made.error = error_name(code)
        made.debug = payload[8:count]
        w.flush_data()
        w.responses.append(made)
    if core.s.goaway < 0 or last < core.s.goaway:   # 9113-6.8-c: it must not grow
        before = core.s.goaway
        core.s.goaway = last
        fail_unprocessed(w, last, before)
    if core.s.phase == STARTING:
        # Instead of its SETTINGS, so there is no connection.
        w.fault = closing_fault(payload, count, code)
        fail_all(w, w.fault)
    elif code != NO_ERROR and not core.s.goaway_reported:
        core.s.goaway_reported = True
        weigh_open(w, core.requests)
        weigh_open(w, core.pushes)
        w.fault = marked(closing_fault(payload, count, code), w.weight)
    w.weight = PROCESSED_OF_NONE
    return 0


cdef int on_window_update(Work w, int id, int increment) except -1:
    cdef Core core = w.core
    cdef const Stream *now
    cdef Stream *stream
    cdef long long window
    if id == 0:
        if increment == 0:   # 9113-6.9-a
            return protocol_breach(w, "WINDOW_UPDATE", "WINDOW_UPDATE with an increment of 0")
        if overflows(core.s.send_window, increment):   # 9113-6.9.1-b
            return flow_breach(w, "WINDOW_UPDATE", f"WINDOW_UPDATE of {increment} raises the connection "
                               "window above 2^31-1")
        core.s.send_window += increment
        if increment > core.s.owed:
            return spend(w)
        core.s.owed -= increment   # it credits octets that we have sent
        return 0
    now = core.peek(id)
    if now == NULL or now.state == RESET:   # 9113-6.9-c: late, but allowed
        return spend(w)
    if increment == 0:
        return stream_error(w, id, PROTOCOL_ERROR,
                            fault("protocol_error", "WINDOW_UPDATE", "WINDOW_UPDATE with an increment of 0",
                                  0, 0, PROTOCOL_ERROR))
    window = window_left(core.s.peer[SET_INITIAL_WINDOW_SIZE], now.send_moved)
    if overflows(window, increment):
        return stream_error(w, id, FLOW_CONTROL_ERROR,
                            fault("flow_control_error", "WINDOW_UPDATE",
                                  f"WINDOW_UPDATE of {increment} raises the window above 2^31-1", 0, 0,
                                  FLOW_CONTROL_ERROR))
    stream = core.edit(id)
    stream.send_moved += increment
    if stream.send_moved > core.s.most_moved:
        core.s.most_moved = stream.send_moved
    return spend(w) if stream.send_moved > 0 else 0


cdef int on_rst_stream(Work w, int id, uint32_t code) except -1:
    """Handle RST_STREAM; nothing is sent back (9113-5.4.2-a, 6.4-b)."""
    cdef Core core = w.core
    cdef const Stream *now = core.peek(id)
    cdef Stream *stream
    cdef int processed
    if now == NULL or arrival[now.state][3] == DROP:
        return spend(w)
    stream = core.edit(id)
    processed = processed_of(stream)
    if code == REFUSED_STREAM and processed == PROCESSED_MAYBE:   # 9113-8.7-a
        processed = PROCESSED_NO
    # NO_ERROR is a success only after a complete response, and then Done was returned already.
    end_ref(w, id, stream, fault("server_closed_request", error_name(code), "", 0, 0, code, processed))
    settle(w, id, stream, GOT_RESET)
    if not id & 1:   # only pushes count: the server opened them
        count_reset(w, "too many pushed streams were reset")
    return 0
