# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The HTTP/1.1 engine: an immutable state; octets in, a Step out. RFC 9112, RFC 9110.

An operation clones the state, works on the clone and publishes it. Responses are read in http1_responses.pyx,
and requests are written in http1_requests.pyx.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE

from .events cimport END_CLOSE, END_KEEP, END_SHUT_WRITE, RequestRef, StateMethods, Step, step
from .faults cimport PROCESSED_NO, PROCESSED_YES, Fault, fault, marked, refusal, without_value
from .fields cimport check_pairs, named_text, seems_secret
from .http1_config cimport Config as ConfigType
from .http1_events cimport done, seen_fault
from .http1_framing cimport SEEN_FINAL
from .http1_heads cimport empty_lines, shown_octets
from .http1_notes cimport notes_of_output, notes_of_responses, notes_of_skipped
from .http1_repeats cimport Repeat, repeatable
from .http1_requests cimport (ASKS_CLOSE, ASKS_CONNECT, ASKS_UPGRADE, SEND_CHUNKED, SEND_LENGTH,
                              SEND_NOTHING, Draft, body_output, draft, trailers_output)
from .http1_responses cimport (PHASE_CLOSED, PHASE_DEAF, PHASE_FIELDS, PHASE_TRAILERS, PHASE_TUNNEL,
                               PHASE_UNTIL_CLOSE, Core, Pending, Reading, empty, push, waiting_at)
from .logs cimport same_octets

from .http1_config import Config as Config  # no-cython-lint: callers find it here


cdef bint same_core(const Core *one, const Core *two) noexcept nogil:
    """Whether two states are equal, apart from their objects and their places in `queue` and `log`."""
    return (one.phase == two.phase and one.status == two.status and one.seen == two.seen
            and one.sends == two.sends and one.old_peer == two.old_peer and one.begun == two.begun
            and one.closing == two.closing and one.bare == two.bare and one.ending == two.ending
            and one.given == two.given and one.waiting == two.waiting
            and one.sender == two.sender and one.owed == two.owed
            and one.declared == two.declared and one.length == two.length
            and one.remaining == two.remaining and one.excess == two.excess
            and one.count == two.count and one.size == two.size and one.kept == two.kept
            and one.interim == two.interim and one.interim_size == two.interim_size
            and one.last_kind == two.last_kind)


cdef inline bint same_pending(Pending one, Pending two) except -1:
    return one.ref == two.ref and one.asks == two.asks and one.protocols == two.protocols


@cython.final
@cython.no_gc
cdef class State(Reading):
    """One HTTP/1 connection. It is never changed after it was published, and is compared by content."""

    def __init__(self, ConfigType config not None):
        self.config = config
        self.queue = ()
        self.core.length = -1

    # -- asking ------------------------------------------------------------------------------------

    @property
    def open_request_count(self):
        """The number of requests whose response is not complete."""
        return self.core.waiting

    @property
    def is_open_read(self):
        """Whether octets of the peer are still accepted."""
        return self.core.phase < PHASE_DEAF

    @property
    def is_open_write(self):
        """Whether a request may follow; none may after a request that has opened, or may open, a tunnel."""
        return self.core.phase < PHASE_TUNNEL and not self.core.closing and not self.may_switch()

    cdef bint may_switch(self) noexcept:
        """Whether the last request asks for another protocol: none may follow it before its response."""
        return self.core.waiting != 0 and (<Pending>self.queue[len(self.queue) - 1]).asks & (
            ASKS_CONNECT | ASKS_UPGRADE) != 0

    @property
    def is_tunnel(self):
        """Whether another protocol has taken over."""
        return self.core.phase == PHASE_TUNNEL or self.core.phase == PHASE_DEAF

    @property
    def reads_fields(self):
        """Whether the next line is part of a head or of trailers."""
        return self.core.phase <= PHASE_FIELDS or self.core.phase == PHASE_TRAILERS

    @property
    def is_streaming(self):
        """Whether the body of a request is being sent; no other request may follow until it has ended."""
        return self.core.sends != SEND_NOTHING

    @property
    def is_traced(self):
        """Whether steps carry notes."""
        return self.core.traced

    def body_is_open(self, RequestRef ref not None):
        """Whether `stream_body` of this request would be accepted."""
        return self.unsendable(ref) is None

    def __eq__(self, other):
        cdef State two
        cdef Py_ssize_t i
        if type(other) is not State:
            return NotImplemented
        two = <State>other
        if self is two:
            return True
        if self.config != two.config or not same_core(&self.core, &two.core):
            return False
        for i in range(self.core.waiting):
            if not same_pending(waiting_at(self, i), waiting_at(two, i)):
                return False
        if not same_octets(self.log, &self.core.window, two.log, &two.core.window):
            return False
        return (self.core.kept == 0
                or self.fields.items[:self.core.kept] == two.fields.items[:self.core.kept])

    __hash__ = None

    def __repr__(self):
        return (f"State({self.config!r}, phase={self.core.phase}, "
                f"open_request_count={self.open_request_count})")

    # -- sending -----------------------------------------------------------------------------------

    def traced(self, bint on):
        """Return the state with notes on or off."""
        cdef State new = self.clone()
        new.core.traced = on
        return new

    def request(self, method, target, headers, tuple body, bint streaming):
        """Send a request; with `streaming`, its body is sent with `stream_body`."""
        return self.send_request(method, target, headers, body, streaming)

    cdef Step send_request(self, object method, object target, object headers, tuple body, bint streaming):
        cdef State new
        cdef Draft made = None
        cdef Repeat repeat = self.repeat
        cdef tuple output
        cdef int asks
        cdef Pending pending
        cdef Step given
        cdef Py_ssize_t count = self.core.waiting
        cdef Fault refused = None
        if body is not None and streaming:
            raise TypeError("body must be None when the body is streamed")
        if self.core.phase == PHASE_CLOSED:
            refused = refusal("closed")
        elif self.core.phase >= PHASE_TUNNEL or self.may_switch():
            # Octets after a CONNECT or an upgrade may belong to the other protocol.
            refused = refusal("closed_for_writing")
        elif self.core.closing:   # 9112-9.6-a
            refused = refusal("closed_for_writing")
        elif self.core.sends != SEND_NOTHING:
            refused = refusal("request_body_is_streaming")
        elif count >= self.config.max_pipelined:
            refused = refusal("too_many_pipelined_requests", "", "", count,
                              self.config.max_pipelined)
        if type(headers) is list:
            # A copy, so that what is kept is what was validated, even if the list changes later.
            headers = tuple(<list>headers)
        if (refused is None and repeat is not None and body is None and not streaming
                and repeat.is_like(method, target, headers, self.core.old_peer)):
            asks = repeat.asks
            output = (repeat.again(<str>target),)
        else:
            if refused is None:
                made = draft(self.config, named_text("method", method), named_text("target", target),
                             headers, body, streaming, self.core.old_peer)
                refused = made.refused
            if refused is not None:
                return step(self, None, (), refused)
            asks = made.asks
            output = made.output
            if body is None and not streaming:
                repeat = repeatable(made, method, target, headers, self.core.old_peer)
        new = self.clone()
        new.repeat = repeat
        new.core.given += 1
        pending = Pending.__new__(Pending)
        pending.ref = RequestRef.__new__(RequestRef)
        pending.ref.connection = self.config.identity
        pending.ref.number = new.core.given
        pending.asks = asks
        pending.protocols = repeat.protocols if made is None else made.protocols
        push(new, pending)
        new.core.bare = False
        if made is not None and made.sends != SEND_NOTHING:
            new.core.sender = new.core.given
            new.core.sends = made.sends
            new.core.owed = new.core.declared = made.length
            new.core.begun = False
        if asks & ASKS_CLOSE:
            new.core.closing = True
        given = step(new, None, output, None, pending.ref, END_KEEP,
                     notes_of_output(output, True, self.config.sensitive) if self.core.traced else ())
        given.alone = count == 0
        return given

    def stream_body(self, RequestRef ref not None, bytes data not None):
        """Send a piece of a streamed body, or octets through a tunnel."""
        return self.send_piece(ref, data)

    cdef Step send_piece(self, RequestRef ref, bytes data):
        cdef State new
        cdef tuple output
        cdef Fault refused = self.unsendable(ref)
        cdef Py_ssize_t count = PyBytes_GET_SIZE(data)
        if refused is None and self.core.sends == SEND_LENGTH and count > self.core.owed:
            refused = refusal("content_length_mismatch", "", "",   # 9112-6.2-b
                              self.core.declared - self.core.owed + count, self.core.declared)
        if refused is not None or count == 0:
            return step(self, None, (), refused)
        if self.core.sends == SEND_NOTHING:   # a tunnel carries octets as they are
            return step(self, None, (data,), None, None, END_KEEP,
                        notes_of_output((data,), False, self.config.sensitive) if self.core.traced else ())
        new = self.clone()
        new.core.begun = True
        if self.core.sends == SEND_LENGTH:
            new.core.owed -= count
        output = body_output(self.core.sends, data)
        return step(new, None, output, None, None, END_KEEP,
                    notes_of_output((data,), False, self.config.sensitive) if self.core.traced else ())

    def end_body(self, RequestRef ref not None, trailers):
        """End a streamed body, with trailers if it is chunked; or end the outgoing direction of a tunnel."""
        cdef State new
        cdef tuple output = ()
        cdef object written
        cdef tuple fields
        cdef Fault refused = self.unsendable(ref)
        check_pairs(trailers)
        fields = tuple(trailers)
        if refused is None and fields and self.core.sends != SEND_CHUNKED:
            refused = refusal("trailing_headers_but_not_chunked_encoding")
        elif refused is None and self.core.sends == SEND_LENGTH and self.core.owed:
            refused = refusal("content_length_mismatch", "", "", self.core.declared - self.core.owed,
                              self.core.declared)
        elif refused is None and self.core.sends == SEND_CHUNKED:
            written = trailers_output(self.config, fields)
            if isinstance(written, Fault):
                refused = <Fault>written
            else:
                output = (written,)
        if refused is not None:
            return step(self, None, (), refused)
        new = self.clone()
        new.core.sender = 0
        new.core.begun = False
        if self.core.sends != SEND_NOTHING:
            new.core.sends = SEND_NOTHING
            return step(new, None, output, None, None, END_KEEP,
                        notes_of_output(output, True, self.config.sensitive) if self.core.traced else ())
        if self.core.phase == PHASE_DEAF:
            new.shut(None, None, None)
            return step(new, None, (), None, None, END_CLOSE)
        return step(new, None, (), None, None, END_SHUT_WRITE)

    cdef object checked(self, RequestRef ref):
        if (ref.connection != self.config.identity or ref.number < 1
                or ref.number > self.core.given):
            raise ValueError(f"{ref!r} does not belong to this connection")
        return None

    cdef object unsendable(self, RequestRef ref):
        """Return why no body may be sent for this request; None if it may."""
        self.checked(ref)
        if self.core.phase == PHASE_CLOSED:
            return refusal("closed")
        if ref.number != self.core.sender:
            return refusal("request_is_not_streaming")
        return None

    # -- ending ------------------------------------------------------------------------------------

    def close(self):
        """Close the connection and forget its open requests."""
        cdef State new = self.clone()
        new.shut(None, None, None)
        return step(new, None, (), None, None, END_CLOSE)

    def lose(self, Fault broken not None):
        """Handle a failure of the transport: every open request fails with this fault."""
        cdef State new = self.clone()
        cdef list responses = []
        cdef Fault first = broken
        if self.is_answering():
            first = marked(broken, PROCESSED_YES)
        return step(new, responses, (), marked(broken, new.shut(responses, first, broken)), None, END_CLOSE)

    def feed_eof(self, bint clean):
        """Handle the end of the input; `clean` is false if TLS ended without close_notify (9112-9.8-b)."""
        cdef State new
        cdef list responses = []
        cdef Fault broken
        cdef Pending current
        cdef int weight
        if self.core.phase >= PHASE_DEAF:
            return step(self, None, (), None, None, self.end())
        new = self.clone()
        if self.core.waiting == 0:   # it is not a fault that the server closes an idle connection
            new.shut(None, None, None)
            return step(new, responses, (), None, None, END_CLOSE)
        current = waiting_at(self, 0)
        if clean and self.core.phase == PHASE_TUNNEL:
            responses.append(done(current.ref))
            empty(new)
            new.core.phase = PHASE_DEAF
            if self.core.sender == 0:
                new.shut(None, None, None)
            return step(new, responses, (), None, None,
                        END_CLOSE if self.core.sender == 0 else END_KEEP,
                        notes_of_responses(responses, self.config.sensitive) if self.core.traced else ())
        if clean and self.core.phase == PHASE_UNTIL_CLOSE:   # 9112-6.3-g
            new.core.seen |= SEEN_FINAL
            new.finish(responses)
            return step(new, responses, (), None, None, END_CLOSE,
                        notes_of_responses(responses, self.config.sensitive) if self.core.traced else ())
        if self.core.phase == PHASE_UNTIL_CLOSE or self.core.phase == PHASE_TUNNEL:
            broken = seen_fault("tls_truncated")
            weight = new.shut(responses, broken, fault("closed"))
        elif self.is_answering():   # 9112-8-a
            broken = seen_fault("transport_closed")
            weight = new.shut(responses, seen_fault("incomplete_response"), fault("transport_closed"))
        else:
            broken = fault("transport_closed")
            weight = new.shut(responses, broken, broken)
        return step(new, responses, (), marked(broken, weight), None, END_CLOSE,
                    notes_of_responses(responses, self.config.sensitive) if self.core.traced else ())

    # -- reading -----------------------------------------------------------------------------------

    def feed(self, bytes data not None):
        """Read octets that the peer sent."""
        return self.receive(data)

    cdef Step receive(self, bytes data):
        cdef State new
        cdef list responses
        cdef Fault broken
        cdef tuple notes = ()
        if self.core.phase >= PHASE_DEAF or PyBytes_GET_SIZE(data) == 0:
            return step(self, None, (), None, None, self.end())
        new = self.clone()
        if new.is_dribble(data):
            return step(new)
        responses = []
        broken = new.read(data, responses)
        if broken is not None:
            broken = redacted(broken, self.config.sensitive)
            broken = marked(broken, new.shut(responses, broken, fault("closed")))
        elif new.core.window.start == new.core.window.end and new.log is not None:
            new.log = None
            new.core.window.start = new.core.window.end = 0
        if new.skipped is not None:
            notes = notes_of_skipped(new.skipped)
            new.skipped = None
        if self.core.traced:
            notes += notes_of_responses(responses, self.config.sensitive)
        return step(new, responses, (), broken, None, new.end(), notes)

    def unasked(self, bytes data not None):
        """Read octets that came while no request was open, or before any of it was written.

        They are never the response to a request that is sent later, so the connection fails and closes; only
        empty lines may be tolerated (9112-9.2-b). If a CR has arrived before them, they are not empty lines.
        """
        cdef State new
        cdef list responses = []
        cdef Py_ssize_t count = PyBytes_GET_SIZE(data)
        cdef Py_ssize_t start = empty_lines(<const unsigned char *>PyBytes_AS_STRING(data), count,
                                            self.config.tolerance)
        cdef Fault broken
        if self.core.window.end != self.core.window.start:   # a CR
            start = 0
        if start == count:
            return step(self)
        new = self.clone()
        broken = fault("unexpected_data", "",
                       shown_octets(<const unsigned char *>PyBytes_AS_STRING(data) + start,
                                    count - start, self.config.sensitive), 0, 0, 0, PROCESSED_NO)
        new.shut(responses, broken, fault("closed", "", "", 0, 0, 0, PROCESSED_NO))
        return step(new, responses, (), broken, None, END_CLOSE)

    cdef int end(self) noexcept:
        """Return whether the link is kept or closed."""
        return END_CLOSE if self.core.phase == PHASE_CLOSED else END_KEEP

    cdef State clone(self):
        """Return a private copy, which may be changed until it is published."""
        cdef State new = State.__new__(State)
        new.config = self.config
        new.queue = self.queue
        new.older = self.older
        new.log = self.log
        new.fields = self.fields
        new.cache = self.cache
        new.repeat = self.repeat
        new.core = self.core
        return new


cdef Fault redacted(Fault broken, frozenset secret):
    """Return the fault without secrets: a server may send a whole head where a chunk size is expected."""
    if broken.reason == "invalid_chunk_size" and seems_secret(broken.value, secret):
        return without_value(broken)
    return broken


cdef Step feed_of(object state, bytes data):
    return (<State>state).receive(data) if type(state) is State else <Step?>state.feed(data)


cdef Step request_of(object state, object method, object target, object headers, tuple body, bint streaming):
    if type(state) is State:
        return (<State>state).send_request(method, target, headers, body, streaming)
    return <Step?>state.request(method, target, headers, body, streaming)


cdef Step stream_body_of(object state, RequestRef ref, bytes data):
    if type(state) is State:
        return (<State>state).send_piece(ref, data)
    return <Step?>state.stream_body(ref, data)


METHODS: StateMethods = StateMethods.__new__(StateMethods)
(<StateMethods>METHODS).feed = feed_of
(<StateMethods>METHODS).request = request_of
(<StateMethods>METHODS).stream_body = stream_body_of
