# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The state of an HTTP/2 connection, and the Work of one operation, which all parts of the engine use.

How streams and the connection end, and how the Step is made. The meaning of frames and messages is in the
modules above. RFC 9113 5.1, 5.4, 10.5.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.string cimport memcmp, memcpy, memset

from .events cimport END_CLOSE, END_KEEP, Data, Done, Failed, Note, RequestRef, Step, step
from .faults cimport (PROCESSED_MAYBE, PROCESSED_OF_NONE, PROCESSED_YES, Fault, fault, marked,
                      weighed)
from .fields cimport seems_secret, shown_name, shown_target
from .frames cimport (ENHANCE_YOUR_CALM, FRAME_HEADER, GOAWAY, NO_ERROR, PING, RST_STREAM, Head, frame,
                      frame_name, goaway_frame, read_u32, write_header, write_u32)
from .logs cimport ByteLog, log_append, same_octets
from .streams cimport (CLOSED, ENDED, GOT_END, IDLE, IS_PUSHED, RESERVED, RESET, SEEN_ANY,
                       SEEN_FINAL, SENT_END, SENT_RESET, Stream, next_state)
from .streams cimport Table as Streams


@cython.no_gc
@cython.freelist(16)
cdef class Core:
    """The fields of a state; `http2.State` adds the operations."""

    cdef Core fresh(self):
        return Core.__new__(Core)

    cdef Core successor(self):
        cdef Core made = self.fresh()
        made.config = self.config
        memcpy(&made.s, &self.s, sizeof(Scalars))
        made.s.serial += 1
        made.requests = self.requests
        made.pushes = self.pushes
        made.encoder = self.encoder
        made.decoder = self.decoder
        made.partial = self.partial
        made.block = self.block
        made.resets = self.resets
        made.answers = self.answers
        made.pings = self.pings
        made.pending = self.pending
        return made

    cdef bint same(self, Core other) except -1:
        """Whether both states will always behave in the same way."""
        cdef Scalars one
        cdef Scalars two
        memcpy(&one, &self.s, sizeof(Scalars))
        memcpy(&two, &other.s, sizeof(Scalars))
        forget(&one)
        forget(&two)
        if memcmp(&one, &two, sizeof(Scalars)) != 0:
            return False
        if not (same_octets(self.partial, &self.s.partial_window, other.partial, &other.s.partial_window)
                and same_octets(self.block, &self.s.block_window, other.block, &other.s.block_window)
                and same_octets(self.resets, &self.s.reset_window, other.resets, &other.s.reset_window)
                and same_octets(self.answers, &self.s.answer_window, other.answers,
                                &other.s.answer_window)):
            return False
        if not self.requests.same(other.requests) or not same_pushes(self.pushes, other.pushes):
            return False
        return (self.config == other.config and self.pings == other.pings
                and self.pending == other.pending and self.encoder == other.encoder
                and self.decoder == other.decoder)

    cdef const Stream *peek(self, long long stream) noexcept:
        if stream & 1:
            return self.requests.peek((stream - 1) >> 1)
        if self.pushes is None:
            return NULL
        return self.pushes.peek((stream - 1) >> 1)

    cdef Stream *edit(self, long long stream) except? NULL:
        if stream & 1:
            self.requests = self.requests.writable(self.s.serial)
            return self.requests.edit((stream - 1) >> 1)
        if self.pushes is None:
            return NULL
        self.pushes = self.pushes.writable(self.s.serial)
        return self.pushes.edit((stream - 1) >> 1)

    cdef bint is_idle(self, long long stream) noexcept:
        if stream & 1:
            return stream >= self.s.next_stream or stream < self.config.first_stream
        return stream > self.s.last_promised

    cdef int state_of(self, long long stream) noexcept:
        cdef const Stream *held = self.peek(stream)
        if held != NULL:
            return held.state
        if self.is_idle(stream):
            return IDLE
        # It is not known any more whether we have reset it: a late frame may have been sent before that.
        return RESET if stream <= (self.s.forgotten if stream & 1 else self.s.forgotten_push) else CLOSED

    cdef long long number_of(self, RequestRef ref) except 0:
        """Return the number of a ref of this connection; ValueError if this connection did not make it."""
        cdef long long number = ref.number
        if ref.connection == self.config.identity:
            if number > 0 and not self.is_idle(number):
                return number
            if number < 0 and number > self.s.next_ping:
                return number
        raise ValueError(f"{ref!r} does not belong to this connection")


cdef void forget(Scalars *scalars) noexcept:
    """Clear what does not affect how a state behaves."""
    scalars.serial = 0
    scalars.most_moved = scalars.most_extra = 0   # they only save a search of the streams
    memset(scalars.header + scalars.held, 0, FRAME_HEADER - scalars.held)
    if scalars.mode == AT_HEADER:
        memset(&scalars.frame, 0, sizeof(Head))
        scalars.left = scalars.padding = 0
    if scalars.block_stream == 0:
        scalars.block_promised = 0
        scalars.block_ends = False
    scalars.partial_window.start = scalars.partial_window.end = 0
    scalars.block_window.start = scalars.block_window.end = 0
    scalars.reset_window.start = scalars.reset_window.end = 0
    scalars.answer_window.start = scalars.answer_window.end = 0


cdef bint is_timed(const Scalars *s) noexcept:
    return s.glitches > s.untimed_glitches or s.resets > 0 or s.interim_only > 0


cdef bint same_pushes(Streams one, Streams two) noexcept:
    if one is None or two is None:
        return (one is None or one.count == 0) and (two is None or two.count == 0)
    return one.same(two)


@cython.final
@cython.no_gc
@cython.freelist(8)
cdef class Work:
    """The results of one operation, and its private clone of the state."""

    def __dealloc__(self):
        PyMem_Free(self.out)
        PyMem_Free(self.pieces)

    cdef unsigned char *room(self, Py_ssize_t count) except NULL:
        """Append room for `count` octets to the output; return where it begins."""
        cdef unsigned char *moved
        cdef Py_ssize_t total = self.out_used + count
        if total > self.out_room:
            total = total + 128 if total < 1024 else 2 * total
            moved = <unsigned char *>PyMem_Realloc(self.out, total)
            if moved == NULL:
                raise MemoryError
            self.out = moved
            self.out_room = total
        moved = self.out + self.out_used
        self.out_used += count
        return moved

    cdef int put_small(self, int type, int flags, int stream, uint32_t first) except -1:
        """Write a frame whose payload is one number: RST_STREAM or WINDOW_UPDATE."""
        cdef unsigned char *octets = self.room(FRAME_HEADER + 4)
        write_header(octets, 4, <unsigned char>type, <unsigned char>flags, stream)
        write_u32(octets + FRAME_HEADER, first)
        if self.notes is not None:
            self.note(True, type, flags, stream, 4, first)
        return 0

    cdef int put_whole(self, bytes octets) except -1:
        """Append octets to the output."""
        memcpy(self.room(PyBytes_GET_SIZE(octets)), PyBytes_AS_STRING(octets), PyBytes_GET_SIZE(octets))
        return 0

    cdef RequestRef ref_of(self, long long number):
        cdef RequestRef made
        if self.ref is not None and self.ref.number == number:
            return self.ref
        made = RequestRef.__new__(RequestRef)
        made.connection = self.core.config.identity
        made.number = number
        self.ref = made
        return made

    cdef int add_piece(self, int stream, const unsigned char *octets, Py_ssize_t count) except -1:
        """Collect the content of a stream within this input, without copying it yet."""
        cdef Piece *moved
        if count == 0:
            return 0
        if self.pieces_stream != stream:
            self.flush_data()
            self.pieces_stream = stream
        if self.pieces_used == self.pieces_room:
            moved = <Piece *>PyMem_Realloc(self.pieces, (2 * self.pieces_room + 8) * sizeof(Piece))
            if moved == NULL:
                raise MemoryError
            self.pieces = moved
            self.pieces_room = 2 * self.pieces_room + 8
        self.pieces[self.pieces_used].octets = octets
        self.pieces[self.pieces_used].count = count
        self.pieces_used += 1
        self.pieces_octets += count
        return 0

    cdef int flush_data(self) except -1:
        """Return the content collected so far as one Data."""
        cdef Data made
        cdef bytes joined
        cdef char *to
        cdef int i
        if self.pieces_used == 0:
            self.pieces_stream = 0
            return 0
        if self.pieces_octets == PyBytes_GET_SIZE(self.source):
            joined = self.source   # the whole input is content, so it is not copied
        else:
            joined = PyBytes_FromStringAndSize(NULL, self.pieces_octets)
            to = PyBytes_AS_STRING(joined)
            for i in range(self.pieces_used):
                memcpy(to, self.pieces[i].octets, self.pieces[i].count)
                to += self.pieces[i].count
        made = Data.__new__(Data)
        made.ref = self.ref_of(self.pieces_stream)
        made.data = joined
        self.responses.append(made)
        self.pieces_used = 0
        self.pieces_octets = 0
        self.pieces_stream = 0
        return 0

    cdef int note(self, bint outgoing, int type, int flags, int stream, int length,
                  object detail) except -1:
        """Note a frame in one bounded line without secrets. `detail` is None, a number, text or fields."""
        cdef Note made = Note.__new__(Note)
        cdef list shown
        made.outgoing = outgoing
        made.text = f"{frame_name(type)} stream={stream} length={length} flags=0x{flags:02x}"
        if isinstance(detail, list):
            shown = []
            for name, value in detail[:100]:
                if seems_secret(name, self.core.config.sensitive):
                    name = shown_name(name, self.core.config.sensitive)
                    value = "[redacted]"
                elif name == ":path" or name == ":authority" or name == "host":
                    value = shown_target(value)
                shown.append(f"{name}: {value}"[:200])
            made.text += f" {shown!r}"
        elif detail is not None:
            made.text += f" {detail!a}"[:300]
        self.notes.append(made)
        return 0

    cdef Step finished(self):
        """Return the Step of this operation."""
        cdef Core core = self.core
        cdef tuple output = ()
        cdef Step made
        self.flush_data()
        if core.s.goaway >= 0 and core.s.mode == AT_HEADER:
            # Not inside a frame: otherwise it would depend on how the input is split whether an error in the
            # rest of the frame is reported.
            close_drained(self)
        if core.s.unsent:
            core.s.output_octets += self.out_used
        if self.out_used:
            output = (PyBytes_FromStringAndSize(<char *>self.out, self.out_used),)
        made = step(core, self.responses, output, self.fault, self.given, self.end,
                    () if self.notes is None else tuple(self.notes))
        made.cause = self.cause
        made.timed = is_timed(&core.s)
        return made


cdef Work begin(Core before):
    """Start an operation on a clone."""
    cdef Work made = Work.__new__(Work)
    made.core = before.successor()
    made.responses = []
    made.end = END_KEEP
    made.weight = PROCESSED_OF_NONE
    if before.s.tracing:
        made.notes = []
    return made


cdef int processed_of(const Stream *stream) noexcept:
    """Return whether the server has acted on a request, judging by its response so far."""
    return PROCESSED_YES if stream.facts & (SEEN_FINAL | SEEN_ANY) else PROCESSED_MAYBE


cdef int weigh_open(Work w, Streams table) except -1:
    """Include the requests that stay open in the `processed` of a fault of the connection."""
    cdef long long index = -1 if table is None else table.following(0)
    cdef const Stream *stream
    while index >= 0:
        stream = table.peek(index)
        if stream.state != RESET and not stream.facts & ENDED:
            w.weight = weighed(w.weight, processed_of(stream))
        index = table.following(index + 1)
    return 0


cdef int end_ref(Work w, int id, Stream *stream, Fault why) except -1:
    """Return Done, or Failed with the fault, unless the ref has ended already."""
    cdef Done done
    cdef Failed failed
    if stream.facts & ENDED:
        return 0
    if w.pieces_used:
        w.flush_data()
    stream.facts |= ENDED
    if not stream.facts & IS_PUSHED:
        w.core.s.waiting -= 1
    if why is None:
        done = Done.__new__(Done)
        done.ref = w.ref_of(id)
        w.responses.append(done)
    else:
        failed = Failed.__new__(Failed)
        failed.ref = w.ref_of(id)
        failed.fault = why
        w.responses.append(failed)
    return 0


cdef int settle(Work w, int id, Stream *stream, int event) except -1:
    """Change the state of a stream; if it is closed, drop it, or remember that it was reset."""
    cdef Core core = w.core
    cdef int before = stream.state
    cdef int after = next_state[before][event]
    cdef bint is_request = id & 1
    stream.state = <unsigned char>after
    if (after == CLOSED or after == RESET) and stream.facts & (SEEN_ANY | SEEN_FINAL) == SEEN_ANY:
        core.s.interim_only -= 1
        forget_time(core)
    if after != CLOSED and after != RESET:
        if before == RESERVED:
            core.s.reserved -= 1
            core.s.pushed += 1
        return 0
    if stream.has_sent and (event == SENT_END or event == GOT_END):   # after a reset, nobody wants it
        core.s.unheard = True
    if is_request:
        core.s.active -= 1
        if not stream.facts & ENDED:
            core.s.waiting -= 1
    elif before == RESERVED:
        core.s.reserved -= 1
    else:
        core.s.pushed -= 1
    if after == RESET and core.config.max_remembered:
        remember(core, id)
    else:
        if after == RESET:
            forget_reset(core, id)
        (core.requests if is_request else core.pushes).drop((id - 1) >> 1)
    return 0


cdef int forget_reset(Core core, int id) noexcept:
    """Keep, of a stream that we have reset, only that there was one with such an id."""
    if id & 1:
        core.s.forgotten = max(core.s.forgotten, id)
    else:
        core.s.forgotten_push = max(core.s.forgotten_push, id)
    return 0


cdef int remember(Core core, int id) except -1:
    """Remember a stream that we have reset (9113-5.1-g); forget the oldest if there are too many."""
    cdef unsigned char[4] octets
    cdef long long oldest
    cdef ByteLog kept
    write_u32(octets, <uint32_t>id)
    kept = log_append(core.resets, &core.s.reset_window, octets, 4)
    core.resets = kept
    core.s.remembered += 1
    if core.s.remembered > core.config.max_remembered:
        oldest = read_u32(kept.octets + core.s.reset_window.start)
        core.s.reset_window.start += 4
        core.s.remembered -= 1
        forget_reset(core, <int>oldest)
        core.edit(oldest)   # makes its table writable
        (core.requests if oldest & 1 else core.pushes).drop((oldest - 1) >> 1)
    return 0


cdef int answered(Work w) except -1:
    """Count a reply that waits to be written; return True if there are too many (9113-5.4.2-c)."""
    cdef Core core = w.core
    cdef long long end = core.s.output_octets + w.out_used
    core.answers = log_append(core.answers, &core.s.answer_window, <const unsigned char *>&end, sizeof(end))
    core.s.unsent += 1
    if w.core.s.unsent > w.core.config.max_unsent_acks:
        breach(w, fault("enhance_your_calm", "max_unsent_acks",
                        "too many replies wait to be sent", w.core.s.unsent,
                        w.core.config.max_unsent_acks, ENHANCE_YOUR_CALM))
        return True
    return False


cdef int spend(Work w) except -1:
    """Count a frame that is allowed but useless (9113-10.5-a); return True if there are too many.

    Only the rate distinguishes a heartbeat from a flood, so the limit applies only if the time is known.
    """
    cdef Core core = w.core
    cdef long long most = 1000 * <long long>core.config.max_glitches
    if core.s.allowance:
        core.s.allowance -= 1
        return False
    core.s.glitches += 1000
    if core.s.glitches <= most:
        return False
    if core.s.clock < 0:
        core.s.glitches = most
        return False
    breach(w, fault("enhance_your_calm", "max_glitches", "too many frames without effect",
                    (core.s.glitches + 999) // 1000, core.config.max_glitches, ENHANCE_YOUR_CALM))
    return True


cdef int forget_time(Core core) noexcept:
    """Forget the time if nothing depends on it any more: from now on, `at` does not set it."""
    if core.s.clock >= 0 and not is_timed(&core.s):
        core.s.clock = -1
    return 0


cdef int refund(Core core, long long frames) noexcept:
    """Take useless frames off the count."""
    if core.s.glitches:
        core.s.glitches = max(0, core.s.glitches - 1000 * frames)
    return forget_time(core)


cdef int count_reset(Work w, str value) except -1:
    """Count a stream that was reset because of the peer; return True if there are too many."""
    cdef Core core = w.core
    core.s.resets += 1000
    if core.s.resets > 1000 * <long long>core.config.max_resets:
        breach(w, fault("enhance_your_calm", "max_resets", value, (core.s.resets + 999) // 1000,
                        core.config.max_resets, ENHANCE_YOUR_CALM))
        return True
    return False


cdef int reset_stream(Work w, int id, int code, bint blamed) except -1:
    """Write RST_STREAM; return True if that ended the connection."""
    w.put_small(RST_STREAM, 0, id, <uint32_t>code)
    if blamed and count_reset(w, "too many streams were reset because of errors"):
        return True
    return answered(w)


cdef int stream_error(Work w, int id, int code, Fault why) except -1:
    """Handle a stream error: reset the stream and keep the connection (9113-5.4.2)."""
    cdef Stream *stream = w.core.edit(id)
    if w.pieces_used:
        w.flush_data()
    if stream == NULL:
        # Closed already: send one RST_STREAM for a run of late frames (9113-5.4.2-b).
        if w.core.s.last_refused == id:
            return spend(w)
        w.core.s.last_refused = id
        return reset_stream(w, id, code, False)
    elif stream.state == RESET:
        return spend(w)
    else:
        end_ref(w, id, stream, why if stream.facts & ENDED else marked(why, processed_of(stream)))
        settle(w, id, stream, SENT_RESET)
    return reset_stream(w, id, code, True)


cdef int say_goodbye(Work w, int code, bytes debug) except -1:
    """Write GOAWAY, which names the last stream that the server opened and we acted on (9113-5.4.1-b)."""
    cdef Core core = w.core
    if w.notes is not None:
        w.note(True, GOAWAY, 0, 0, 8 + <int>len(debug), debug)
    return w.put_whole(goaway_frame(core.s.last_acted, code, debug))


cdef int ask_if_heard(Work w) except -1:
    """Send a PING whose reply shows that the server has read everything before it; it has no ref."""
    cdef bytes payload = b"received"
    w.core.pings = ((payload, 0),)
    if w.notes is not None:
        w.note(True, PING, 0, 0, 8, None)
    return w.put_whole(frame(PING, 0, 0, payload))


cdef int close_drained(Work w) except -1:
    """After GOAWAY, close once the last stream has ended and the last ping has its reply (9113-6.8-b).

    A response can end before the server has read the content of its request. If the connection were closed
    then, what is queued would be dropped, and a WINDOW_UPDATE that meets the closed socket would reset the
    connection. So the server is asked first.
    """
    cdef Core core = w.core
    if (core.s.phase != OVER and core.s.active == 0 and core.s.reserved == 0 and core.s.pushed == 0
            and not core.pings):
        w.flush_data()
        if core.s.unheard:
            ask_if_heard(w)
        else:
            say_goodbye(w, NO_ERROR, b"")
            leave(w)
    return 0


cdef int leave(Work w) except -1:
    """End the connection and forget its streams."""
    cdef Core core = w.core
    core.s.phase = OVER
    core.s.mode = AT_HEADER
    core.s.held = 0
    core.s.block_stream = core.s.block_frames = 0
    core.s.joinable = 0
    core.s.unsent = core.s.interim_only = 0
    core.s.output_octets = core.s.glitches = core.s.resets = 0
    core.s.unheard = False
    core.s.clock = -1
    core.requests = Streams.__new__(Streams)
    core.pushes = None
    core.partial = core.block = core.resets = core.answers = None
    core.pings = ()
    core.pending = ()
    core.s.active = core.s.waiting = core.s.reserved = core.s.pushed = core.s.remembered = 0
    core.s.partial_window.start = core.s.partial_window.end = 0
    core.s.block_window.start = core.s.block_window.end = 0
    core.s.reset_window.start = core.s.reset_window.end = 0
    core.s.answer_window.start = core.s.answer_window.end = 0
    w.end = END_CLOSE
    return 0


cdef int fail_streams(Work w, Streams table, int offset, Fault why) except -1:
    cdef Fault maybe = why
    cdef Fault yes = None
    cdef long long index = table.following(0)
    cdef const Stream *stream
    cdef Failed failed
    while index >= 0:
        stream = table.peek(index)
        if stream.state != RESET and not stream.facts & ENDED:
            failed = Failed.__new__(Failed)
            failed.ref = w.ref_of(2 * index + offset)
            if why.processed == PROCESSED_MAYBE and processed_of(stream) == PROCESSED_YES:
                if yes is None:
                    yes = marked(why, PROCESSED_YES)
                failed.fault = yes
            else:
                failed.fault = maybe
            w.weight = weighed(w.weight, (<Fault>failed.fault).processed)
            w.responses.append(failed)
        index = table.following(index + 1)
    return 0


cdef int fail_all(Work w, Fault why) except -1:
    """Fail every open ref, first the requests in order, then the pushes, and end the connection."""
    w.flush_data()
    fail_streams(w, w.core.requests, 1, why)
    if w.core.pushes is not None:
        fail_streams(w, w.core.pushes, 2, why)
    if w.fault is not None:
        w.fault = marked(w.fault, w.weight)
    w.weight = PROCESSED_OF_NONE
    return leave(w)


cdef int breach(Work w, Fault why) except -1:
    """Handle a connection error (9113-5.4.1): send GOAWAY, fail everything, and read no further."""
    if w.core.s.phase == OVER:
        return 0
    w.flush_data()
    say_goodbye(w, <int>why.code, why.value[:100].encode("latin-1", "replace"))
    w.cause = w.fault   # that of a GOAWAY in the same input, which says why the server closes
    w.fault = why
    return fail_all(w, why)
