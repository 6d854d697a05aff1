# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The plain course of the frequent transactions, and the public calls that take it first.

`Quick` runs a transaction where nothing special happens; everything else it leaves to the facade, which
does the same in Python. What follows it makes the methods of the facade compiled: each of them takes the
plain course where the arguments are plain and nothing else is to be done, and calls the method that it was
made of for everything else.
"""

cimport cython
from cpython.object cimport PyObject

from .atomics cimport mint_get_flag, mint_get_size
from .events cimport END_KEEP, Course, Failed, RequestRef, Step
from .faults cimport Fault
from .messages cimport Received
from .link_base cimport WRITE_OPEN, Turns
from .values cimport Slots


cdef inline bint is_plain(Step made) noexcept:
    """Whether a step asks for nothing but its successor and its responses."""
    cdef Py_ssize_t at
    if (made.fault is not None or made.end != END_KEEP or made.output or made.notes or made.timed):
        return False
    for at in range(len(made.responses)):
        if type(made.responses[at]) is Failed:
            return False
    return True


cdef inline PyObject *held(object value, Slots slots, Py_ssize_t place) noexcept:
    return (<PyObject **>(<char *><PyObject *>value + slots.offsets[place]))[0]


@cython.final
cdef class Quick:
    """The frequent transactions on the values of one slotted class."""

    def __init__(self, Slots slots not None, str link not None, bint flushes, Course course not None):
        self.slots = slots
        self.course = course
        self.link = slots.places[link]
        self.flushes = flushes

    cdef Turns linked(self, object value):
        """The link of a value; None where it is none of ours, or has its own ways."""
        cdef object link
        if type(value) is not self.slots.owner:
            return None
        # Only what nobody but `object.__new__` made has empty slots.
        if (held(value, self.slots, self.link) == NULL
                or held(value, self.slots, self.slots.state) == NULL
                or held(value, self.slots, self.slots.generation) == NULL):
            return None
        link = <object>held(value, self.slots, self.link)
        if isinstance(link, Turns) and (<Turns>link).plain:
            return <Turns>link
        return None

    cdef object current(self, object value, Turns link):
        """The state to go on from: what was queued may have been taken since the last operation."""
        cdef object state = <object>held(value, self.slots, self.slots.state)
        if self.flushes and link.behind:
            if link.has_left():
                link.behind = False
                state = state.flushed()
            else:
                state = state.left(link.backlog if link.windowed else mint_get_size(&link.queued_word))
            if state.timed:
                link.behind = True
                state = value._dated(state)
        return state

    def remind(self, value):
        """Let the next operation tell the state the time."""
        cdef Turns link = self.linked(value)
        if link is not None:
            link.behind = True

    def request(self, value, method, target, headers, tuple body, bint streaming, bint flush):
        """Send a request: the successor and the ref, or the fault that refuses it.

        None where the link has its own ways or is closed, or it is not this value's turn; nothing has
        happened then.
        """
        return self.asked(value, method, target, headers, body, streaming, flush)

    cdef object asked(self, object value, object method, object target, object headers, tuple body,
                      bint streaming, bint flush):
        cdef Turns link = self.linked(value)
        if link is None or mint_get_flag(&link.writing_word) != WRITE_OPEN:
            return None
        if not link.enter(<object>held(value, self.slots, self.slots.generation)):
            return None
        try:
            return self.requested(value, link, method, target, headers, body, streaming, flush)
        except BaseException as error:
            link.interrupted(<object>held(value, self.slots, self.slots.generation), error)
            raise

    cdef object requested(self, object value, Turns link, object method, object target, object headers,
                          tuple body, bint streaming, bint flush):
        cdef Step made
        cdef object state
        try:
            state = self.current(value, link)
            made = self.course.request(state, method, target, headers, body, streaming)
        except BaseException:
            link.behind = True
            link.left(False)
            raise
        if made.fault is not None or made.ref is None:
            link.behind = True
            link.left(False)
            return made.fault
        if made.alone or (link.lone and flush):
            self.listened(value, link, not flush)
        if made.notes or made.end != END_KEEP:
            return value._commit(made, flush=flush), made.ref
        if link.still and not link._layers:
            link.queue(made.output)
        else:
            self.handed(value, link, made, flush)
        return self.successor(value, link, made), made.ref

    def stream_body(self, value, RequestRef ref not None, bytes data not None, bint flush):
        """Send a piece of a streamed body: the successor, or the fault that refuses it.

        None where the link has its own ways or is closed, or it is not this value's turn; nothing has
        happened then.
        """
        return self.passed(value, ref, data, flush)

    cdef object passed(self, object value, RequestRef ref, bytes data, bint flush):
        cdef Turns link = self.linked(value)
        if link is None or mint_get_flag(&link.writing_word) != WRITE_OPEN:
            return None
        if not link.enter(<object>held(value, self.slots, self.slots.generation)):
            return None
        try:
            return self.streamed_out(value, link, ref, data, flush)
        except BaseException as error:
            link.interrupted(<object>held(value, self.slots, self.slots.generation), error)
            raise

    cdef object streamed_out(self, object value, Turns link, RequestRef ref, bytes data, bint flush):
        cdef Step made
        cdef object state
        try:
            state = self.current(value, link)
            made = self.course.stream_body(state, ref, data)
        except BaseException:
            link.behind = True
            link.left(False)
            raise
        if made.fault is not None:
            link.behind = True
            link.left(False)
            return made.fault
        if link.lone and flush:
            self.listened(value, link, False)
        if made.notes or made.end != END_KEEP:
            return value._commit(made, flush=flush)
        if link.still and not link._layers:
            link.queue(made.output)
        elif made.output:
            self.handed(value, link, made, flush)
        return self.successor(value, link, made)

    def commit(self, value, Step made not None):
        """Queue what a step of a claimed link says: the successor. None where there is more to do."""
        cdef Turns link = self.linked(value)
        if (link is None or not link.still or link._layers or mint_get_flag(&link.writing_word) != WRITE_OPEN
                or made.notes or made.end != END_KEEP):
            return None
        link.queue(made.output)
        return self.successor(value, link, made)

    cdef int listened(self, object value, Turns link, bint queues) except -1:
        """Refuse a request where something has come before it (RFC 9112 9.2)."""
        cdef bint stirs
        try:
            stirs = link.stirs()
        except BaseException:
            link.poison()
            raise
        if stirs or queues:
            value._heard_unasked(queues=queues)
        return 0

    cdef int handed(self, object value, Turns link, Step made, bint flush) except -1:
        """Let the link send what a step says."""
        try:
            link.send(made.output, flush=flush)
        except BaseException as error:
            value._broke(made, error)
            raise
        return 0

    def recv(self, value, until):
        """Feed one read, that of what has arrived first: the successor and the responses.

        None where it is not this value's turn, or the link may not wait; nothing has happened then.
        """
        return self.heard(value, until)

    cdef object heard(self, object value, object until):
        cdef Turns link = self.linked(value)
        if (link is None or link.home or link.shared
                or not link.enter(<object>held(value, self.slots, self.slots.generation))):
            return None
        if link.inbox is not None or link._sequence != link._accepted:
            link.left(False)
            return None
        try:
            return self.received(value, link, until)
        except BaseException as error:
            link.interrupted(<object>held(value, self.slots, self.slots.generation), error)
            raise

    cdef object received(self, object value, Turns link, object until):
        cdef bytes data
        cdef list responses
        cdef Step made
        if link._arrived:
            data = link.popped()
        else:
            try:
                data = <bytes?>link.receive(until)
            except BaseException as error:
                value._unheard(error, ())
                raise
            if not data:
                responses = []
                return value._take(data, responses), responses
        made = self.fed(value, link, data)
        if is_plain(made):
            return self.successor(value, link, made), made.responses
        responses = []
        return value._fed(made, responses), responses

    def stream(self, value, message):
        """Feed a message in its turn: the successor and the responses.

        None for what is no octets, or not this value's next message; nothing has happened then.
        """
        return self.got(value, <Received>message) if type(message) is Received else None

    cdef object got(self, object value, Received got):
        cdef Turns link = self.linked(value)
        if link is None:
            return None
        if (got.source is not link.source or not got.data
                or not link.enter(<object>held(value, self.slots, self.slots.generation))):
            return None
        if got.sequence != link._accepted + 1:
            link.left(False)
            return None
        try:
            return self.streamed(value, link, got)
        except BaseException as error:
            link.interrupted(<object>held(value, self.slots, self.slots.generation), error)
            raise

    cdef object streamed(self, object value, Turns link, Received got):
        cdef Step made
        cdef object fresh
        link._accepted += 1
        made = self.fed(value, link, got.data)
        if not is_plain(made):
            return value._heard(made)
        fresh = self.successor(value, link, made)
        if made.state.is_open_read:
            link.arm()
        return fresh, made.responses

    def take(self, value, bytes data not None, list responses not None):
        """Feed one read of a link that is claimed: the successor, with `responses` extended.

        None where the link has its own ways.
        """
        cdef Turns link = self.linked(value)
        cdef Step made
        if link is None or not data:
            return None
        made = self.fed(value, link, data)
        if not is_plain(made):
            return value._fed(made, responses)
        responses += made.responses
        return self.successor(value, link, made)

    cdef Step fed(self, object value, Turns link, bytes data):
        try:
            if link.lone:   # 9112-9.2-b: no request was written before it came
                return self.current(value, link).unasked(data)
            return self.course.feed(self.current(value, link), data)
        except BaseException:
            link.poison()
            raise

    cdef object successor(self, object value, Turns link, Step made):
        cdef object state = made.state
        if self.flushes and link.has_left():
            state = state.flushed()
        return self.slots.succeed(value, state, link.left(True))


def responses_of(list events not None, Slots slots not None, make):
    """Return the events as responses: in the place of each failure stands a value of the class of `slots`.

    It holds the ref and `(make, fault)`: its error is made once somebody asks for it.
    """
    cdef list made = []
    cdef object fault = None
    cdef tuple late = None
    for event in events:
        if type(event) is Failed:
            if (<Failed>event).fault is not fault:
                fault = (<Failed>event).fault
                late = (make, fault)
            event = slots.begun((<Failed>event).ref, late)
        made.append(event)
    return made


cdef object dressed(object made, object slow):
    """Let a compiled function look like the method it stands for."""
    made.__name__ = slow.__name__
    made.__qualname__ = slow.__qualname__
    made.__module__ = slow.__module__
    made.__doc__ = slow.__doc__
    made.__wrapped__ = slow
    return made


def requests_first(slow):
    """Make `request` of a connection: `slow` is what takes everything."""

    def request(self, method, target, headers=(), body=None, *, flush=True):
        if body is None and (flush is True or flush is False):
            made = (<Quick?>self._quick).asked(self, method, target, headers, None, False, flush)
            if type(made) is tuple:
                return made
            if made is not None:
                raise self._refuse(made)
        return slow(self, method, target, headers, body, flush=flush)

    return dressed(request, slow)


def pieces_first(slow):
    """Make `stream_request_body` of a connection."""

    def stream_request_body(self, ref, data, *, flush=True):
        if type(data) is bytes and type(ref) is RequestRef and (flush is True or flush is False):
            made = (<Quick?>self._quick).passed(self, <RequestRef>ref, <bytes>data, flush)
            if type(made) is Fault:
                raise self._refuse(made)
            if made is not None:
                return made
        return slow(self, ref, data, flush=flush)

    return dressed(stream_request_body, slow)


def reads_first(slow):
    """Make `recv` of a connection. Time is what the module of `slow` calls `monotonic`, at each call."""
    names = slow.__globals__

    def recv(self, byte_count=0, timeout=None):
        if type(byte_count) is int and not byte_count:
            if timeout is None:
                made = (<Quick?>self._quick).heard(self, None)
            elif ((type(timeout) is float or type(timeout) is int) and 0 <= timeout <= 1e9):
                # Looked up anew: whoever puts another clock there, as tests do, means this one, too.
                made = (<Quick?>self._quick).heard(self, names["monotonic"]() + timeout)
            else:
                made = None
            if made is not None:
                return made
        return slow(self, byte_count, timeout)

    return dressed(recv, slow)


def messages_first(slow):
    """Make `stream` of a connection."""

    def stream(self, message):
        if type(message) is Received:
            made = (<Quick?>self._quick).got(self, <Received>message)
            if made is not None:
                return made
        return slow(self, message)

    return dressed(stream, slow)


def put_first(slow):
    """Make `put` of an in-memory link."""

    def put(self, octets):
        if type(octets) is bytes and isinstance(self, Turns) and not mint_get_flag(&(<Turns>self).armed_word):
            if octets:
                (<Turns>self).arrived(<bytes>octets)
            return
        slow(self, octets)

    return dressed(put, slow)


def take_first(slow):
    """Make `take` of an in-memory link."""

    def take(self):
        return (<Turns?>self).taken_out()

    return dressed(take, slow)
