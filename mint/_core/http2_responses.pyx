# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Field blocks of the server: heads, interim heads, trailers and promises.

A block is always decoded, even if it is then ignored. The message rules are in http2_messages; breaking one
of them is a stream error, not a connection error. RFC 9113 8.1, 8.4, 8.5, 6.6; RFC 7541 through hpack.
"""

from cpython.list cimport PyList_GET_SIZE

from .events cimport Headers, Informational, PushPromise, Status, Trailers
from .faults cimport Fault, fault
from .frames cimport (COMPRESSION_ERROR, ENHANCE_YOUR_CALM, HEADERS, NO_ERROR, PROTOCOL_ERROR,
                      REFUSED_STREAM, RST_STREAM, SET_MAX_CONCURRENT_STREAMS,
                      SET_MAX_HEADER_LIST_SIZE, STREAM_CLOSED)
from .hpack cimport Decoded
from .http2_config cimport UNLIMITED
from .http2_messages cimport (Answer, crumbs_size, promise_fault, response_head, response_trailers,
                              with_cookie_joined)
from .http2_state cimport (INTERIM_OCTETS, TICK, Core, Work, breach, end_ref, refund, reset_stream,
                           settle, spend, stream_error)
from .streams cimport (CLOSED_STREAM, DROP, GOT_END, GOT_HEADERS, IS_CONNECT, IS_HEAD, IS_PUSHED,
                       IS_TUNNEL, OPEN, RESERVED, RESET, SEEN_ANY, SEEN_FINAL, SENT_RESET,
                       Stream, arrival)
from .streams cimport Table as Streams


cdef enum:
    MOST_UNSAID = 262144          # most octets of a field section if we have announced no limit


cdef Fault malformed(str name, str value):
    return fault("malformed_response", name, value, 0, 0, PROTOCOL_ERROR)


cdef long long list_size(object fields) except -1:
    """Return the size of a field section as RFC 9113 6.5.2 counts it."""
    cdef long long total = 0
    cdef str name
    cdef str value
    for name, value in fields:
        total += len(name) + len(value) + 32
    return total


cdef int on_block(Work w, int id, int promised, bint ends, const unsigned char *block,
                  Py_ssize_t count) except -1:
    """Decode a block, even if its stream is closed (9113-4.3-c), then handle it."""
    cdef Core core = w.core
    cdef Py_ssize_t most = core.s.allowed[SET_MAX_HEADER_LIST_SIZE]
    cdef Py_ssize_t hard = core.config.max_discarded_header_list
    cdef Decoded decoded
    cdef Fault why
    cdef Fault excess = None
    cdef Stream *stream
    cdef int todo
    if most == UNLIMITED:   # 9113-6.5.2-h: there is a limit even if none was announced
        most = MOST_UNSAID
    hard = max(most, hard)
    decoded = core.decoder.decoded(block, count, hard, core.config.max_fields)
    why = decoded.fault
    if why is not None:   # 9113-4.3-b; above a limit decoding stops, so the HPACK state is lost
        return breach(w, Fault(why.reason, why.name, why.value, why.size, why.limit,
                               COMPRESSION_ERROR if why.reason == "compression_error"
                               else ENHANCE_YOUR_CALM, why.processed, False))
    core.decoder = decoded.decoder
    if decoded.size > most:
        excess = fault("max_header_list_size_exceeded", "", "", decoded.size, most, ENHANCE_YOUR_CALM)
    if w.notes is not None:
        w.note(False, core.s.frame.type, core.s.frame.flags, id, core.s.frame.length, decoded.fields)
    if w.pieces_used:
        w.flush_data()
    if promised:
        return on_promise(w, id, promised, decoded, excess)
    todo = arrival[core.state_of(id)][HEADERS]
    if todo == DROP:   # 9113-5.1-g: decoded, and then ignored
        return spend(w)
    if todo == CLOSED_STREAM:   # 9113-5.1-e
        return stream_error(w, id, STREAM_CLOSED, fault("stream_closed", "HEADERS",
                                                        "HEADERS after the end of a stream", 0, 0,
                                                        STREAM_CLOSED))
    if excess is not None:   # only the response is too large; the connection can be used
        return stream_error(w, id, ENHANCE_YOUR_CALM, excess)
    stream = core.edit(id)
    if stream.facts & SEEN_FINAL:
        return on_trailers(w, id, stream, ends, decoded)
    return on_head(w, id, stream, ends, decoded)


cdef int on_head(Work w, int id, Stream *stream, bint ends, Decoded decoded) except -1:
    cdef Core core = w.core
    cdef Answer answer
    cdef object headers = response_head(decoded.fields, decoded.marks, core.config, &answer)
    cdef Status status
    cdef Headers made
    if type(headers) is Fault:
        return stream_error(w, id, PROTOCOL_ERROR, <Fault>headers)
    if answer.status < 200:
        return on_interim(w, id, stream, ends, answer.status, <tuple>headers)
    stream.facts |= SEEN_FINAL
    if stream.facts & SEEN_ANY:
        core.s.interim_only -= 1
    refund(core, 10)
    settle(w, id, stream, GOT_HEADERS)
    if stream.facts & IS_CONNECT and answer.status < 300:
        stream.facts |= IS_TUNNEL   # 9113-8.5-c: content-length does not delimit
    elif stream.facts & IS_HEAD or answer.status == 204 or answer.status == 304:
        stream.content_left = 0
    else:
        stream.content_left = answer.length
    status = Status.__new__(Status)
    status.ref = w.ref_of(id)
    status.status = answer.status
    w.responses.append(status)
    made = Headers.__new__(Headers)
    made.ref = status.ref
    made.headers = <tuple>headers
    w.responses.append(made)
    if ends:   # 9113-8.8-a
        return on_end(w, id, stream)
    return 0


cdef int on_interim(Work w, int id, Stream *stream, bint ends, int status, tuple headers) except -1:
    """Handle a 1xx response, which must not end the stream (9113-8.1-d), within the limits for them."""
    cdef Core core = w.core
    cdef Informational made
    cdef unsigned int tick
    cdef unsigned int passed
    if ends:
        return stream_error(w, id, PROTOCOL_ERROR,
                            malformed(":status", "an interim response must not end the stream"))
    if not stream.facts & SEEN_ANY:
        stream.facts |= SEEN_ANY
        core.s.interim_only += 1
    if stream.state == RESERVED:   # 9113-5.1-f: any HEADERS opens it
        settle(w, id, stream, GOT_HEADERS)
    tick = <unsigned int>(core.s.clock // TICK + 1) if core.s.clock >= 0 else 0
    if tick and stream.heard:
        passed = tick - stream.heard
        stream.interims -= min(stream.interims, passed)
        stream.interim_octets -= <unsigned int>min(<long long>stream.interim_octets,
                                                   <long long>passed * INTERIM_OCTETS)
    stream.heard = tick
    if stream.interims >= <unsigned int>core.config.max_informational:
        return stream_error(w, id, ENHANCE_YOUR_CALM,
                            fault("too_many_informational", "max_informational", "",
                                  stream.interims + 1, core.config.max_informational,
                                  ENHANCE_YOUR_CALM))
    stream.interims += 1
    stream.interim_octets += <unsigned int>list_size(headers)
    if stream.interim_octets > <unsigned int>core.config.max_informational_size:
        return stream_error(w, id, ENHANCE_YOUR_CALM,
                            fault("too_many_informational", "max_informational_size", "",
                                  stream.interim_octets, core.config.max_informational_size,
                                  ENHANCE_YOUR_CALM))
    made = Informational.__new__(Informational)
    made.ref = w.ref_of(id)
    made.status = status
    made.headers = headers
    w.responses.append(made)
    return 0


cdef int on_trailers(Work w, int id, Stream *stream, bint ends, Decoded decoded) except -1:
    cdef Core core = w.core
    cdef object headers
    cdef long long size
    cdef Trailers made
    if stream.facts & IS_TUNNEL:   # 9113-8.5-b
        return stream_error(w, id, PROTOCOL_ERROR, malformed("HEADERS", "must not be sent on a tunnel"))
    if not ends:   # 9113-8.1-c
        return stream_error(w, id, PROTOCOL_ERROR,
                            malformed("HEADERS", "a second field block must have END_STREAM"))
    headers = response_trailers(decoded.fields, decoded.marks, core.config)
    if type(headers) is Fault:
        return stream_error(w, id, PROTOCOL_ERROR, <Fault>headers)
    if PyList_GET_SIZE(decoded.fields) > core.config.max_trailer_fields:
        return stream_error(w, id, ENHANCE_YOUR_CALM,
                            fault("too_many_headers", "max_trailer_fields", "",
                                  PyList_GET_SIZE(decoded.fields), core.config.max_trailer_fields,
                                  ENHANCE_YOUR_CALM))
    size = list_size(decoded.fields)
    if size > core.config.max_trailer_size:
        return stream_error(w, id, ENHANCE_YOUR_CALM,
                            fault("max_header_list_size_exceeded", "max_trailer_size", "", size,
                                  core.config.max_trailer_size, ENHANCE_YOUR_CALM))
    if stream.content_left <= 0 and headers:
        made = Trailers.__new__(Trailers)
        made.ref = w.ref_of(id)
        made.headers = <tuple>headers
        w.responses.append(made)
    return on_end(w, id, stream)


cdef int on_end(Work w, int id, Stream *stream) except -1:
    cdef Core core = w.core
    cdef bint still_sending = stream.state == OPEN
    if stream.content_left > 0:   # 9113-8.1.1-b
        return stream_error(w, id, PROTOCOL_ERROR,
                            malformed("content-length", f"{stream.content_left} octets are missing"))
    end_ref(w, id, stream, None)
    core.s.resets = max(0, core.s.resets - 1000)
    refund(core, 20)
    if still_sending and not stream.facts & IS_TUNNEL:
        # The response is complete, so the rest of the request is useless: stop it without an error.
        settle(w, id, stream, GOT_END)
        settle(w, id, stream, SENT_RESET)
        return w.put_small(RST_STREAM, 0, id, NO_ERROR)   # our decision, so not counted against the server
    settle(w, id, stream, GOT_END)
    return 0


cdef int on_promise(Work w, int id, int promised, Decoded decoded, Fault excess) except -1:
    """Accept a promise or refuse its stream; its id was checked already (9113-6.6)."""
    cdef Core core = w.core
    cdef const Stream *parent = core.peek(id)
    cdef PushPromise made
    cdef Stream *stream
    cdef Fault why
    cdef bint is_head
    cdef long long joined
    core.s.last_promised = promised
    if core.pushes is None:
        core.pushes = Streams.__new__(Streams)
    core.pushes = core.pushes.writable(core.s.serial)
    stream = core.pushes.add((promised - 1) >> 1)
    stream.state = RESERVED
    stream.facts = IS_PUSHED
    stream.content_left = -1
    core.s.reserved += 1
    if parent == NULL or parent.state == RESET:   # promised while our RST_STREAM was under way
        return refuse_promise(w, promised, stream, REFUSED_STREAM, False)
    if (core.s.reserved > core.config.max_reserved
            or <unsigned int>(core.s.reserved + core.s.pushed) > core.s.own[SET_MAX_CONCURRENT_STREAMS]):
        return refuse_promise(w, promised, stream, REFUSED_STREAM, True)   # 9113-6.6-b, 10.5-b
    if excess is not None:
        return refuse_promise(w, promised, stream, ENHANCE_YOUR_CALM, True)
    why = promise_fault(core.config, decoded.fields, decoded.marks, &is_head)
    if why is not None:   # 9113-8.4-a, b, 8.4.1-a
        return refuse_promise(w, promised, stream, PROTOCOL_ERROR, True)
    joined = crumbs_size(decoded.fields)
    if joined > core.s.joinable:
        return refuse_promise(w, promised, stream, ENHANCE_YOUR_CALM, True)
    core.s.joinable -= joined
    if is_head:
        stream.facts |= IS_HEAD
    core.s.last_acted = promised
    made = PushPromise.__new__(PushPromise)
    made.ref = w.ref_of(id)
    made.promised_ref = w.ref_of(promised)
    made.headers = with_cookie_joined(decoded.fields)
    w.responses.append(made)
    return 0


cdef int refuse_promise(Work w, int promised, Stream *stream, int code, bint blamed) except -1:
    """Reset a promised stream, without a response for the caller."""
    settle(w, promised, stream, SENT_RESET)
    return reset_stream(w, promised, code, blamed)
