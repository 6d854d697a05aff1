# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The fast path of the frequent operations, and the public methods that try it first.

`Quick` runs an operation in the common case, in which a step asks for nothing unusual. It leaves every
other case to the connection class, which does the same in Python. The functions at the end of this module
each make a compiled method from a Python method: the compiled method takes the fast path if it can, and
calls the Python method otherwise.
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
    """Whether a step consists only of its successor and responses, none of which is a failure."""
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
    """Runs the frequent operations on the values of one class with slots."""

    def __init__(self, Slots slots not None, str link not None, bint flushes, Course course not None):
        self.slots = slots
        self.course = course
        self.link = slots.places[link]
        self.flushes = flushes

    cdef Turns linked(self, object value):
        """Return the link of a value; None if the value or its link needs the general path."""
        cdef object link
        if type(value) is not self.slots.owner:
            return None
        # Slots are empty only in a value made by `object.__new__` alone.
        if (held(value, self.slots, self.link) == NULL
                or held(value, self.slots, self.slots.state) == NULL
                or held(value, self.slots, self.slots.generation) == NULL):
            return None
        link = <object>held(value, self.slots, self.link)
        if isinstance(link, Turns) and (<Turns>link).plain:
            return <Turns>link
        return None

    cdef object current(self, object value, Turns link):
        """Return the current state. Queued octets may have been written since the last operation."""
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
        """Make the next operation pass the time to the state."""
        cdef Turns link = self.linked(value)
        if link is not None:
            link.behind = True

    def request(self, value, method, target, headers, tuple body, bint streaming, bint flush):
        """Send a request; return the successor and the ref, or the fault if it is refused.

        Return None, without having done anything, if the link needs the general path or is closed, or if this
        value cannot claim it.
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
        """Send a piece of a streamed body; return the successor, or the fault if it is refused.

        Return None, without having done anything, if the link needs the general path or is closed, or if this
        value cannot claim it.
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
        """Queue the output of a step on a claimed link; return the successor, or None if more is needed."""
        cdef Turns link = self.linked(value)
        if (link is None or not link.still or link._layers or mint_get_flag(&link.writing_word) != WRITE_OPEN
                or made.notes or made.end != END_KEEP):
            return None
        link.queue(made.output)
        return self.successor(value, link, made)

    cdef int listened(self, object value, Turns link, bint queues) except -1:
        """Refuse a request if the server has sent something before it (RFC 9112 9.2)."""
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
        """Give the output of a step to the link."""
        try:
            link.send(made.output, flush=flush)
        except BaseException as error:
            value._broke(made, error)
            raise
        return 0

    def recv(self, value, until):
        """Feed the oldest octets that have arrived, or else one read; return the successor and the responses.

        Return None, without having done anything, if this value cannot claim the link, or if an operation on
        the link may not wait.
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
        """Feed the next message; return the successor and the responses.

        Return None, without having done anything, if the message holds no octets or is not the next one of
        this value.
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
        """Feed one read of a claimed link; return the successor and extend `responses`.

        Return None if the link needs the general path, or if there are no octets.
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
            if link.lone:   # 9112-9.2-b: the octets came before any request was written
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
    """Return the events as responses: each `Failed` is replaced by a value of the class of `slots`.

    The value holds the ref and `(make, fault)`; its error is created when it is first used.
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
    """Give a compiled function the name and documentation of the method it replaces."""
    made.__name__ = slow.__name__
    made.__qualname__ = slow.__qualname__
    made.__module__ = slow.__module__
    made.__doc__ = slow.__doc__
    made.__wrapped__ = slow
    return made


def requests_first(slow):
    """Return `request` of a connection with the fast path; `slow` is the general one."""

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
    """Return `stream_request_body` of a connection with the fast path."""

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
    """Return `recv` of a connection with the fast path. The clock is `monotonic` of the module of `slow`."""
    names = slow.__globals__

    def recv(self, byte_count=0, timeout=None):
        if type(byte_count) is int and not byte_count:
            if timeout is None:
                made = (<Quick?>self._quick).heard(self, None)
            elif ((type(timeout) is float or type(timeout) is int) and 0 <= timeout <= 1e9):
                # Looked up at each call, so that a test which replaces the clock replaces it here, too.
                made = (<Quick?>self._quick).heard(self, names["monotonic"]() + timeout)
            else:
                made = None
            if made is not None:
                return made
        return slow(self, byte_count, timeout)

    return dressed(recv, slow)


def messages_first(slow):
    """Return `stream` of a connection with the fast path."""

    def stream(self, message):
        if type(message) is Received:
            made = (<Quick?>self._quick).got(self, <Received>message)
            if made is not None:
                return made
        return slow(self, message)

    return dressed(stream, slow)


def put_first(slow):
    """Return `put` of an in-memory link with the fast path."""

    def put(self, octets):
        if type(octets) is bytes and isinstance(self, Turns) and not mint_get_flag(&(<Turns>self).armed_word):
            if octets:
                (<Turns>self).arrived(<bytes>octets)
            return
        slow(self, octets)

    return dressed(put, slow)


def take_first(slow):
    """Return `take` of an in-memory link as a compiled method."""

    def take(self):
        return (<Turns?>self).taken_out()

    return dressed(take, slow)
