# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The fast path of the frequent operations, and the public methods that try it first.

`FastPath` runs an operation in the common case, in which a step asks for nothing unusual. It leaves every
other case to the connection class, which does the same in Python. The functions at the end of this module
each make a compiled method from a Python method: the compiled method takes the fast path if it can, and
calls the Python method otherwise.
"""

cimport cython
from cpython.object cimport PyObject

from .atomics cimport mint_get_flag, mint_get_size
from .events cimport END_KEEP, Failed, RequestRef, StateMethods, Step
from .faults cimport Fault
from .messages cimport Received
from .link_base cimport WRITE_OPEN, LinkBase
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


cdef inline PyObject *slot_value(object value, Slots slots, Py_ssize_t place) noexcept:
    return (<PyObject **>(<char *><PyObject *>value + slots.offsets[place]))[0]


@cython.final
cdef class FastPath:
    """Runs the frequent operations on the values of one class with slots."""

    def __init__(self, Slots slots not None, str link not None, bint flushes, StateMethods methods not None):
        self.slots = slots
        self.methods = methods
        self.link = slots.places[link]
        self.flushes = flushes

    cdef LinkBase link_of(self, object value):
        """Return the link of a value; None if the value or its link needs the general path."""
        cdef object link
        if type(value) is not self.slots.owner:
            return None
        # Slots are empty only in a value made by `object.__new__` alone.
        if (slot_value(value, self.slots, self.link) == NULL
                or slot_value(value, self.slots, self.slots.state) == NULL
                or slot_value(value, self.slots, self.slots.generation) == NULL):
            return None
        link = <object>slot_value(value, self.slots, self.link)
        if isinstance(link, LinkBase) and (<LinkBase>link).plain:
            return <LinkBase>link
        return None

    cdef object current_state(self, object value, LinkBase link):
        """Return the current state. Queued octets may have been written since the last operation."""
        cdef object state = <object>slot_value(value, self.slots, self.slots.state)
        if self.flushes and link.behind:
            if link.all_written():
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
        cdef LinkBase link = self.link_of(value)
        if link is not None:
            link.behind = True

    def request(self, value, method, target, headers, tuple body, bint streaming, bint flush):
        """Send a request; return the successor and the ref, or the fault if it is refused.

        Return None, without having done anything, if the link needs the general path or is closed, or if this
        value cannot claim it.
        """
        return self.try_request(value, method, target, headers, body, streaming, flush)

    cdef object try_request(self, object value, object method, object target, object headers, tuple body,
                            bint streaming, bint flush):
        cdef LinkBase link = self.link_of(value)
        if link is None or mint_get_flag(&link.writing_word) != WRITE_OPEN:
            return None
        if not link.enter(<object>slot_value(value, self.slots, self.slots.generation)):
            return None
        try:
            return self.send_request(value, link, method, target, headers, body, streaming, flush)
        except BaseException as error:
            link.close_interrupted(<object>slot_value(value, self.slots, self.slots.generation), error)
            raise

    cdef object send_request(self, object value, LinkBase link, object method, object target, object headers,
                             tuple body, bint streaming, bint flush):
        cdef Step made
        cdef object state
        try:
            state = self.current_state(value, link)
            made = self.methods.request(state, method, target, headers, body, streaming)
        except BaseException:
            link.behind = True
            link.leave(False)
            raise
        if made.fault is not None or made.ref is None:
            link.behind = True
            link.leave(False)
            return made.fault
        if made.alone or (link.lone and flush):
            self.check_unsolicited(value, link, not flush)
        if made.notes or made.end != END_KEEP:
            return value._commit(made, flush=flush), made.ref
        if link.still and not link._layers:
            link.queue(made.output)
        else:
            self.send_output(value, link, made, flush)
        return self.successor(value, link, made), made.ref

    def stream_body(self, value, RequestRef ref not None, bytes data not None, bint flush):
        """Send a piece of a streamed body; return the successor, or the fault if it is refused.

        Return None, without having done anything, if the link needs the general path or is closed, or if this
        value cannot claim it.
        """
        return self.try_stream_body(value, ref, data, flush)

    cdef object try_stream_body(self, object value, RequestRef ref, bytes data, bint flush):
        cdef LinkBase link = self.link_of(value)
        if link is None or mint_get_flag(&link.writing_word) != WRITE_OPEN:
            return None
        if not link.enter(<object>slot_value(value, self.slots, self.slots.generation)):
            return None
        try:
            return self.send_piece(value, link, ref, data, flush)
        except BaseException as error:
            link.close_interrupted(<object>slot_value(value, self.slots, self.slots.generation), error)
            raise

    cdef object send_piece(self, object value, LinkBase link, RequestRef ref, bytes data, bint flush):
        cdef Step made
        cdef object state
        try:
            state = self.current_state(value, link)
            made = self.methods.stream_body(state, ref, data)
        except BaseException:
            link.behind = True
            link.leave(False)
            raise
        if made.fault is not None:
            link.behind = True
            link.leave(False)
            return made.fault
        if link.lone and flush:
            self.check_unsolicited(value, link, False)
        if made.notes or made.end != END_KEEP:
            return value._commit(made, flush=flush)
        if link.still and not link._layers:
            link.queue(made.output)
        elif made.output:
            self.send_output(value, link, made, flush)
        return self.successor(value, link, made)

    def commit(self, value, Step made not None):
        """Queue the output of a step on a claimed link; return the successor, or None if more is needed."""
        cdef LinkBase link = self.link_of(value)
        if (link is None or not link.still or link._layers or mint_get_flag(&link.writing_word) != WRITE_OPEN
                or made.notes or made.end != END_KEEP):
            return None
        link.queue(made.output)
        return self.successor(value, link, made)

    cdef int check_unsolicited(self, object value, LinkBase link, bint queues) except -1:
        """Refuse a request if the server has sent something before it (RFC 9112 9.2)."""
        cdef bint has_unread
        try:
            has_unread = link.has_unread()
        except BaseException:
            link.poison()
            raise
        if has_unread or queues:
            value._check_unsolicited(queues=queues)
        return 0

    cdef int send_output(self, object value, LinkBase link, Step made, bint flush) except -1:
        """Give the output of a step to the link."""
        try:
            link.send(made.output, flush=flush)
        except BaseException as error:
            value._write_failed(made, error)
            raise
        return 0

    cdef object try_recv(self, object value, object until):
        """Feed the oldest octets that have arrived, or else one read; return the successor and the responses.

        Return None, without having done anything, if this value cannot claim the link, or if an operation on
        the link may not wait.
        """
        cdef LinkBase link = self.link_of(value)
        if (link is None or link.home or link.shared
                or not link.enter(<object>slot_value(value, self.slots, self.slots.generation))):
            return None
        if link.inbox is not None or link._sequence != link._accepted:
            link.leave(False)
            return None
        try:
            return self.receive(value, link, until)
        except BaseException as error:
            link.close_interrupted(<object>slot_value(value, self.slots, self.slots.generation), error)
            raise

    cdef object receive(self, object value, LinkBase link, object until):
        cdef bytes data
        cdef list responses
        cdef Step made
        if link._arrived:
            data = link.pop_arrived()
        else:
            try:
                data = <bytes?>link.receive(until)
            except BaseException as error:
                value._read_failed(error, ())
                raise
            if not data:
                responses = []
                return value._take(data, responses), responses
        made = self.feed(value, link, data)
        if is_plain(made):
            return self.successor(value, link, made), made.responses
        responses = []
        return value._fed(made, responses), responses

    cdef object try_stream(self, object value, Received message):
        """Feed the next message; return the successor and the responses.

        Return None, without having done anything, if the message holds no octets or is not the next one of
        this value.
        """
        cdef LinkBase link = self.link_of(value)
        if link is None:
            return None
        if (message.source is not link.source or not message.data
                or not link.enter(<object>slot_value(value, self.slots, self.slots.generation))):
            return None
        if message.sequence != link._accepted + 1:
            link.leave(False)
            return None
        try:
            return self.feed_message(value, link, message)
        except BaseException as error:
            link.close_interrupted(<object>slot_value(value, self.slots, self.slots.generation), error)
            raise

    cdef object feed_message(self, object value, LinkBase link, Received message):
        cdef Step made
        cdef object fresh
        link._accepted += 1
        made = self.feed(value, link, message.data)
        if not is_plain(made):
            return value._finish_stream(made)
        fresh = self.successor(value, link, made)
        if made.state.is_open_read:
            link.arm()
        return fresh, made.responses

    def take(self, value, bytes data not None, list responses not None):
        """Feed one read of a claimed link; return the successor and extend `responses`.

        Return None if the link needs the general path, or if there are no octets.
        """
        cdef LinkBase link = self.link_of(value)
        cdef Step made
        if link is None or not data:
            return None
        made = self.feed(value, link, data)
        if not is_plain(made):
            return value._fed(made, responses)
        responses += made.responses
        return self.successor(value, link, made)

    cdef Step feed(self, object value, LinkBase link, bytes data):
        try:
            if link.lone:   # 9112-9.2-b: the octets came before any request was written
                return self.current_state(value, link).unasked(data)
            return self.methods.feed(self.current_state(value, link), data)
        except BaseException:
            link.poison()
            raise

    cdef object successor(self, object value, LinkBase link, Step made):
        cdef object state = made.state
        if self.flushes and link.all_written():
            state = state.flushed()
        return self.slots.succeed(value, state, link.leave(True))


def responses_of(list events not None, Slots slots not None, make):
    """Return the events as responses: each `Failed` is replaced by a value of the class of `slots`.

    The value holds the ref and `(make, fault)`; its error is created when it is first used.
    """
    cdef list made = []
    cdef object fault = None
    cdef tuple lazy_error = None
    for event in events:
        if type(event) is Failed:
            if (<Failed>event).fault is not fault:
                fault = (<Failed>event).fault
                lazy_error = (make, fault)
            event = slots.begun((<Failed>event).ref, lazy_error)
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
            made = (<FastPath?>self._fast_path).try_request(self, method, target, headers, None, False, flush)
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
            made = (<FastPath?>self._fast_path).try_stream_body(self, <RequestRef>ref, <bytes>data, flush)
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
                made = (<FastPath?>self._fast_path).try_recv(self, None)
            elif ((type(timeout) is float or type(timeout) is int) and 0 <= timeout <= 1e9):
                # Looked up at each call, so that a test which replaces the clock replaces it here, too.
                made = (<FastPath?>self._fast_path).try_recv(self, names["monotonic"]() + timeout)
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
            made = (<FastPath?>self._fast_path).try_stream(self, <Received>message)
            if made is not None:
                return made
        return slow(self, message)

    return dressed(stream, slow)


def put_first(slow):
    """Return `put` of an in-memory link with the fast path."""

    def put(self, octets):
        if (type(octets) is bytes and isinstance(self, LinkBase)
                and not mint_get_flag(&(<LinkBase>self).armed_word)):
            if octets:
                (<LinkBase>self).add_arrived(<bytes>octets)
            return
        slow(self, octets)

    return dressed(put, slow)


def take_first(slow):
    """Return `take` of an in-memory link as a compiled method."""

    def take(self):
        return (<LinkBase?>self).take_queued()

    return dressed(take, slow)
