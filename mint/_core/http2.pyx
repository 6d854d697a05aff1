# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The HTTP/2 engine: an immutable state of a client connection, and its operations.

Each operation returns a Step with the successor, or with the same state if the call is refused. Frames are
read in http2_receive, and messages are sent in http2_send. There is no I/O and no clock. RFC 9113, RFC 8441.
"""

cimport cython
from cpython.bytes cimport PyBytes_GET_SIZE
from libc.stdint cimport uint32_t
from libc.string cimport memcpy

from .events cimport END_CLOSE, END_KEEP, RequestRef, StateMethods, Step, step
from .faults cimport Fault, refusal
from .flow cimport DEFAULT_WINDOW, MAX_WINDOW, credit_due, window_left
from .frames cimport (MAX_STREAM_ID, NO_ERROR, PING, SET_ENABLE_CONNECT_PROTOCOL, SET_ENABLE_PUSH,
                      SET_HEADER_TABLE_SIZE, SET_INITIAL_WINDOW_SIZE, SET_MAX_CONCURRENT_STREAMS,
                      SET_MAX_FRAME_SIZE, SET_MAX_HEADER_LIST_SIZE, SET_NO_RFC7540_PRIORITIES,
                      SETTINGS, WINDOW_UPDATE, frame, settings_frame)
from .hpack cimport Decoder, Encoder
from .http2_config cimport UNLIMITED, checked_settings, setting_id
from .http2_config cimport Config as ConfigType
from .http2_config import PREFACE as _PREFACE
from .http2_config import Config as Config  # no-cython-lint: callers find it here
from .http2_control cimport raise_allowed
from .http2_extensions cimport send_priority
from .http2_receive cimport receive, receive_eof
from .http2_send cimport notes_of, send_body, send_cancel, send_end, send_request
from .http2_state cimport (GLITCHES_PER_SECOND, OVER, RESETS_PER_SECOND, Core, Work, begin,
                           fail_all, is_timed, leave, say_goodbye)
from .streams cimport ENDED, HALF_REMOTE, IS_HELD, OPEN, RESET, Stream
from .streams cimport Table as Streams

# The initial values of every connection. They are immutable, so all connections share them.
cdef Encoder FIRST_ENCODER = Encoder()
cdef Encoder FIRST_ENCODER_OF_CREDENTIALS = Encoder(index_credentials=True)
cdef Decoder FIRST_DECODER = Decoder()
cdef Streams NO_STREAMS = Streams.__new__(Streams)

cdef enum:
    MOST_PENDING = 32             # most SETTINGS of ours without an acknowledgement
    MOST_PASSED = 1000000000      # most milliseconds between two inputs; by then every count has reached 0
    FIRST_JOINED = 65536          # octets of promised cookies that may be joined at first


cdef int defaults(uint32_t *settings) noexcept:
    """Store the initial values of the settings (9113-6.5.2)."""
    settings[SET_HEADER_TABLE_SIZE] = 4096
    settings[SET_ENABLE_PUSH] = 1
    settings[SET_MAX_CONCURRENT_STREAMS] = 100
    settings[SET_INITIAL_WINDOW_SIZE] = DEFAULT_WINDOW
    settings[SET_MAX_FRAME_SIZE] = 16384
    settings[SET_MAX_HEADER_LIST_SIZE] = UNLIMITED
    settings[SET_ENABLE_CONNECT_PROTOCOL] = 0
    return 0


cdef object shown_setting(const uint32_t *settings, int identifier):
    """Return a setting for the caller; None for a limit that is unlimited."""
    if (settings[identifier] == UNLIMITED
            and identifier in (SET_MAX_CONCURRENT_STREAMS, SET_MAX_HEADER_LIST_SIZE)):
        return None
    return settings[identifier]


cdef int extra_in(Streams table) noexcept:
    """Return the most octets by which the receive window of a live stream of the table was enlarged."""
    cdef int most = 0
    cdef long long index
    cdef const Stream *stream
    if table is None:
        return 0
    index = table.following(0)
    while index >= 0:
        stream = table.peek(index)
        if stream.state != RESET:
            most = max(most, stream.receipt.extra)
        index = table.following(index + 1)
    return most


cdef int most_extra(Core core, long long initial) noexcept:
    """Return an upper bound for all streams; they are searched only if the stored bound would be too high."""
    if initial + core.s.most_extra <= MAX_WINDOW:
        return core.s.most_extra
    return max(extra_in(core.requests), extra_in(core.pushes))


@cython.final
@cython.no_gc
cdef class State(Core):
    """A connection as a value. It is never changed after it was published."""

    cdef Core fresh(self):
        return State.__new__(State)

    @staticmethod
    def open(ConfigType config not None, bint trace=False):
        """Open a connection: the output is the preface and our first SETTINGS (9113-3.4-a).

        With `trace`, steps carry notes from this one on.
        """
        cdef State made = State.__new__(State)
        cdef int identifier
        cdef long long value
        made.config = config
        made.requests = NO_STREAMS
        made.encoder = (FIRST_ENCODER_OF_CREDENTIALS if config.index_credentials
                        else FIRST_ENCODER)
        made.decoder = FIRST_DECODER
        made.pings = ()
        made.pending = (config.checked,)
        made.s.next_stream = config.first_stream
        made.s.next_ping = -1
        made.s.goaway = -1
        made.s.joinable = FIRST_JOINED
        made.s.clock = -1
        made.s.untimed_glitches = min(100000, 500 * <long long>config.max_glitches)
        defaults(made.s.peer)
        defaults(made.s.own)
        made.s.peer[SET_MAX_CONCURRENT_STREAMS] = <uint32_t>config.assumed_concurrency
        made.s.send_window = DEFAULT_WINDOW
        made.s.receipt.extra = config.connection_window_size - DEFAULT_WINDOW
        for identifier, value in config.checked:
            # The server reads these before any request, so they take effect at once; only the decoder
            # waits for the acknowledgement (9113-6.5.3-b).
            made.s.own[identifier] = <uint32_t>value
        raise_allowed(made)
        made.s.tracing = trace
        return step(made, None, (config.opening,), None, None, END_KEEP,
                    notes_of(made, (config.opening[len(_PREFACE):],), None) if trace else ())

    def request(self, method, target, headers, tuple body, bint streaming):
        """Send a request. `body` is None or the pieces of a body; with `streaming`, it is sent later."""
        return send_request(self, method, target, headers, body, streaming)

    def stream_body(self, RequestRef ref not None, bytes data not None):
        """Send a piece of a streamed body, within `body_window`."""
        return send_body(self, ref, data)

    def end_body(self, RequestRef ref not None, trailers=()):
        """End a streamed body, with or without trailers."""
        return send_end(self, ref, trailers)

    def cancel(self, RequestRef ref not None):
        """Cancel a request or push; no more responses to it are returned."""
        return send_cancel(self, ref)

    def feed(self, bytes data not None):
        """Read octets that the server sent."""
        return receive(self, data)

    def feed_eof(self, bint clean):
        """Handle the end of the input. HTTP/2 does not need to know whether it was `clean`."""
        return receive_eof(self)

    def lose(self, Fault broken not None):
        """Handle a failure of the transport: every open request and push fails with this fault."""
        cdef Work w
        if self.s.phase == OVER:
            return step(self)
        w = begin(self)
        w.fault = broken
        fail_all(w, broken)
        return w.finished()

    def close(self):
        """Send GOAWAY and close; no more responses to open requests are returned (9113-6.8-e)."""
        cdef Work w
        if self.s.phase == OVER:
            return step(self, None, (), None, None, END_CLOSE)
        w = begin(self)
        say_goodbye(w, NO_ERROR, b"")
        leave(w)
        return w.finished()

    def ping(self, bytes payload not None):
        """Send a PING of eight octets; its reply is a Pong with the ref."""
        cdef Work w
        cdef Py_ssize_t waiting = len(self.pings)
        if PyBytes_GET_SIZE(payload) != 8:
            raise ValueError(f"payload must have 8 octets, not {PyBytes_GET_SIZE(payload)}")
        if self.s.phase == OVER:
            return step(self, None, (), refusal("closed"))
        if waiting and self.pings[0][1] == 0:   # of `ask_if_heard`, which the caller has not sent
            waiting -= 1
        if waiting >= self.config.max_pings:
            return step(self, None, (), refusal("too_many_pings", "", "", waiting, self.config.max_pings))
        w = begin(self)
        w.core.pings = self.pings + ((payload, self.s.next_ping),)
        w.given = w.ref_of(self.s.next_ping)
        w.core.s.next_ping -= 1
        w.put_whole(frame(PING, 0, 0, payload))
        if w.notes is not None:
            w.note(True, PING, 0, 0, 8, None)
        return w.finished()

    def update_priority(self, RequestRef ref not None, bytes value not None):
        """Change the priority of a request; `value` is the value of a priority field (RFC 9218 7.1)."""
        return send_priority(self, ref, value)

    def put_settings(self, tuple settings not None):
        """Send SETTINGS; they take effect when the server has acknowledged them."""
        cdef tuple checked = checked_settings(settings)
        cdef Work w
        cdef int identifier
        cdef long long value
        if self.s.phase == OVER:
            return step(self, None, (), refusal("closed"))
        if len(self.pending) >= MOST_PENDING:
            return step(self, None, (), refusal("too_many_settings", "", "", len(self.pending),
                                                MOST_PENDING))
        for identifier, value in checked:
            if identifier == SET_NO_RFC7540_PRIORITIES:   # 9218-2.1-b
                raise ValueError("no_rfc7540_priorities can be set only when the connection is made")
            if identifier == SET_INITIAL_WINDOW_SIZE and value + most_extra(self, value) > MAX_WINDOW:
                raise ValueError("initial_window_size would raise an enlarged window above 2^31-1")
        w = begin(self)
        w.core.pending = self.pending + (checked,)
        raise_allowed(w.core)
        w.put_whole(settings_frame(checked))
        if w.notes is not None:
            w.note(True, SETTINGS, 0, 0, 6 * <int>len(checked), repr(settings))
        return w.finished()

    def server_setting(self, str name not None):
        """Return a setting of the server; None means unlimited."""
        return shown_setting(self.s.peer, setting_id(name, True))

    def client_setting(self, str name not None):
        """Return a setting of this client as it is in effect; None means unlimited."""
        return shown_setting(self.s.own, setting_id(name, False))

    def send_window(self, RequestRef ref):
        """Return the send window of the connection (None) or of a request, in octets; it may be negative."""
        cdef const Stream *stream
        if ref is None:
            return self.s.send_window
        stream = self.peek(self.number_of(ref))
        if stream == NULL or stream.state == RESET:
            return 0
        return window_left(self.s.peer[SET_INITIAL_WINDOW_SIZE], stream.send_moved)

    def body_window(self, RequestRef ref not None):
        """Return how many octets of body can be sent now."""
        return max(0, min(self.send_window(ref), self.s.send_window)) if self.body_is_open(ref) else 0

    def body_is_open(self, RequestRef ref not None):
        """Return whether the body of the request has not ended."""
        cdef long long number = self.number_of(ref)
        cdef const Stream *stream = self.peek(number) if number > 0 else NULL
        return stream != NULL and (stream.state == OPEN or stream.state == HALF_REMOTE)

    def set_receive_window(self, RequestRef ref, long long size):
        """Enlarge the receive window of the connection (None) or of one stream."""
        cdef Work w
        cdef Stream *stream
        cdef const Stream *held
        cdef long long number = 0
        cdef long long now
        if not 1 <= size <= MAX_WINDOW:
            raise ValueError(f"a window must be from 1 to 2^31-1, not {size}")
        if ref is not None:
            number = self.number_of(ref)
        if self.s.phase == OVER:
            return step(self, None, (), refusal("closed"))
        if number == 0:
            now = <long long>DEFAULT_WINDOW + self.s.receipt.extra
        else:
            held = self.peek(number) if number > 0 else NULL
            if held == NULL or held.state == RESET or held.facts & ENDED:
                return step(self, None, (), refusal("unknown_request_to_stream"))
            now = <long long>self.s.own[SET_INITIAL_WINDOW_SIZE] + held.receipt.extra
            if size - now + held.receipt.extra + self.s.allowed[SET_INITIAL_WINDOW_SIZE] > MAX_WINDOW:
                raise ValueError("the window would exceed 2^31-1 when the server acknowledges SETTINGS")
        if size < now:
            return step(self, None, (), refusal("window_size_too_small", "", "", now, size))
        if size == now:
            return step(self)
        w = begin(self)
        # Only the difference: octets that were used are credited separately.
        w.put_small(WINDOW_UPDATE, 0, <int>number, <uint32_t>(size - now))
        if number == 0:
            w.core.s.receipt.extra += <int>(size - now)
        else:
            stream = w.core.edit(number)
            stream.receipt.extra += <int>(size - now)
            w.core.s.most_extra = max(w.core.s.most_extra, stream.receipt.extra)
        return w.finished()

    def set_refill(self, RequestRef ref not None, bint on):
        """Set whether the receive window of a request is refilled; if not, the server stops at its end."""
        cdef const Stream *held
        cdef Stream *stream
        cdef long long number = self.number_of(ref)
        cdef int due
        cdef Work w
        if self.s.phase == OVER:
            return step(self, None, (), refusal("closed"))
        held = self.peek(number) if number > 0 else NULL
        if held == NULL or held.state == RESET or held.facts & ENDED:
            return step(self, None, (), refusal("unknown_request_to_stream"))
        if bool(held.facts & IS_HELD) != on:
            return step(self)
        w = begin(self)
        stream = w.core.edit(number)
        if not on:
            stream.facts |= IS_HELD
            return w.finished()
        stream.facts &= ~IS_HELD
        due = credit_due(self.s.own[SET_INITIAL_WINDOW_SIZE], stream.receipt,
                         self.config.window_update_threshold)
        if due:
            stream.receipt.used = 0
            w.put_small(WINDOW_UPDATE, 0, <int>number, <uint32_t>due)
        return w.finished()

    def flushed(self):
        """Note that everything so far has been written, so the server reads the replies to its frames.

        This is an input, like octets: a replay that repeats it at the same places results in an equal state.
        """
        return self.left(0)

    def left(self, long long queued):
        """Note that only the last `queued` octets of the output still wait to be written.

        This is an input, like `flushed`, which is the same with 0. A reply counts as unsent until its own
        octets have been written, no matter how many octets follow it.
        """
        cdef Core made
        cdef long long end
        cdef int gone = 0
        while gone < self.s.unsent:
            memcpy(&end, self.answers.octets + self.s.answer_window.start + 8 * gone, 8)
            if self.s.output_octets - end < queued:
                break
            gone += 1
        if gone == 0:
            return self
        made = self.successor()
        made.s.unsent -= gone
        made.s.answer_window.start += 8 * gone
        if made.s.unsent == 0:
            made.s.output_octets = 0
            made.answers = None
            made.s.answer_window.start = made.s.answer_window.end = 0
        return made

    @property
    def timed(self):
        """Whether a count is not 0 that decreases with time: then `at` must be called before each input."""
        return is_timed(&self.s)

    def at(self, long long milliseconds):
        """Set the current time, from a clock that never goes back and starts anywhere.

        This is an input, like octets: a replay that repeats it at the same places results in an equal state.
        A state that is not `timed` does not change.
        """
        cdef Core made
        cdef long long passed
        if not is_timed(&self.s) or milliseconds < 0 or milliseconds <= self.s.clock:
            return self
        made = self.successor()
        if self.s.clock >= 0:
            passed = min(milliseconds - self.s.clock, MOST_PASSED)
            made.s.glitches = max(0, made.s.glitches - passed * GLITCHES_PER_SECOND)
            made.s.resets = max(0, made.s.resets - passed * RESETS_PER_SECOND)
        made.s.clock = milliseconds if is_timed(&made.s) else -1
        return made

    def traced(self, bint on):
        """Return the state with notes about frames on or off."""
        cdef Core made
        if self.s.tracing == on:
            return self
        made = self.successor()
        made.s.tracing = on
        return made

    @property
    def settings_received(self):
        """Whether the first SETTINGS of the server has come."""
        return self.s.greeted

    @property
    def open_request_count(self):
        """The number of requests whose response is not complete."""
        return self.s.waiting

    @property
    def is_open_read(self):
        """Whether responses can still arrive."""
        return self.s.phase != OVER

    @property
    def is_open_write(self):
        """Whether requests can be sent."""
        return self.s.phase != OVER and self.s.goaway < 0 and self.s.next_stream <= MAX_STREAM_ID

    @property
    def draining(self):
        """Whether the server accepts no new requests and finishes those it has."""
        return self.s.phase != OVER and self.s.goaway >= 0

    def __eq__(self, other):
        if type(other) is not State:
            return NotImplemented
        return self is other or self.same(<Core>other)

    __hash__ = None

    def __repr__(self):
        return (f"<http2.State {('starting', 'running', 'over')[self.s.phase]}, "
                f"{self.s.waiting} open>")


cdef Step feed_of(object state, bytes data):
    return receive(<State>state, data) if type(state) is State else <Step?>state.feed(data)


cdef Step request_of(object state, object method, object target, object headers, tuple body, bint streaming):
    if type(state) is State:
        return send_request(<State>state, method, target, headers, body, streaming)
    return <Step?>state.request(method, target, headers, body, streaming)


cdef Step stream_body_of(object state, RequestRef ref, bytes data):
    return send_body(<State>state, ref, data) if type(state) is State else <Step?>state.stream_body(ref, data)


METHODS: StateMethods = StateMethods.__new__(StateMethods)
(<StateMethods>METHODS).feed = feed_of
(<StateMethods>METHODS).request = request_of
(<StateMethods>METHODS).stream_body = stream_body_of
