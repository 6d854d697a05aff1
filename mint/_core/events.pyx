# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Responses as values: complete when created, never written afterwards.

They are compiled because an engine makes several per read; each is still a frozen dataclass. What holds
only text, octets and refs can be in no cycle, so the collector does not track it. Each has a `__repr__` of
its own: the one that Cython generates works only in the thread that imported the module.
"""

cimport cython

from cpython.object cimport PyObject

from .fields cimport name_is_sensitive

cdef extern from *:
    """
    #include <structmember.h>
    /* Let the attribute at this place be read as a slot is. The definition lives as long as the type. */
    static int mint_as_slot(PyObject *type, const char *name, Py_ssize_t offset) {
        PyMemberDef *made = (PyMemberDef *)PyMem_Calloc(1, sizeof(PyMemberDef));
        PyObject *descriptor;
        int done;
        if (!made) { PyErr_NoMemory(); return -1; }
        made->name = name;
        made->type = T_OBJECT_EX;
        made->offset = offset;
        made->flags = READONLY;
        descriptor = PyDescr_NewMember((PyTypeObject *)type, made);
        if (!descriptor) return -1;
        done = PyDict_SetItemString(((PyTypeObject *)type)->tp_dict, name, descriptor);
        Py_DECREF(descriptor);
        PyType_Modified((PyTypeObject *)type);
        return done;
    }
    """
    int mint_as_slot(object type, const char *name, Py_ssize_t offset) except -1

from dataclasses import replace


cpdef tuple shown(tuple headers):
    """Return fields as `repr` may show them: what is secret is left out (R35)."""
    cdef list made = []
    for pair in headers:
        if (type(pair) is tuple and len(<tuple>pair) == 2 and type(pair[0]) is str
                and name_is_sensitive(pair[0].lower())):
            pair = (pair[0], "(redacted)")
        made.append(pair)
    return tuple(made)


@cython.final
@cython.freelist(64)
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True, eq=False, repr=False)
cdef class RequestRef:
    """Names one request (or ping, or push) of one connection; equal only to itself.

    `connection` is the identity of the connection (64 bits, random unless given), `number` the
    request within it. Neither carries meaning for the caller.
    """

    connection: cython.ulonglong
    number: cython.longlong

    def __repr__(self):
        return f"RequestRef(connection={self.connection!r}, number={self.number!r})"

    def __eq__(self, other):
        if type(other) is not RequestRef:
            return NotImplemented
        return (self.number == (<RequestRef>other).number
                and self.connection == (<RequestRef>other).connection)

    def __hash__(self):
        # The numbers of one connection are small and dense; spread the connections apart.
        return <Py_hash_t>((self.connection * 0x9E3779B97F4A7C15ULL) ^ <unsigned long long>self.number) >> 1

    def __reduce__(self):
        return RequestRef, (self.connection, self.number)

    def __replace__(self, **changes):
        return replace(self, **changes)


@cython.final
@cython.freelist(16)
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class Informational:
    """An interim response (1xx but 101): zero or more come before the final one. RFC 9110 15.2."""

    ref: RequestRef
    status: cython.int
    headers: tuple

    def __repr__(self):
        return f"Informational(ref={self.ref!r}, status={self.status!r}, headers={shown(self.headers)!r})"

    def __reduce__(self):
        return Informational, (self.ref, self.status, self.headers)

    def __replace__(self, **changes):
        return replace(self, **changes)


@cython.final
@cython.freelist(64)
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class Status:
    """The status of the final response: 101, or 200 to 999; a client takes what is above 599 for a 5xx.

    RFC 9110 15.
    """

    ref: RequestRef
    status: cython.int

    def __repr__(self):
        return f"Status(ref={self.ref!r}, status={self.status!r})"

    def __reduce__(self):
        return Status, (self.ref, self.status)

    def __replace__(self, **changes):
        return replace(self, **changes)


@cython.final
@cython.freelist(8)
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class StatusReason:
    """The reason phrase of an HTTP/1 status line, maybe empty; comes on request (`optional_responses`)."""

    ref: RequestRef
    reason: str

    def __repr__(self):
        return f"StatusReason(ref={self.ref!r}, reason={self.reason!r})"

    def __reduce__(self):
        return StatusReason, (self.ref, self.reason)

    def __replace__(self, **changes):
        return replace(self, **changes)


@cython.final
@cython.freelist(64)
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class Headers:
    """The header section of the final response: pairs in order, names in lower case."""

    ref: RequestRef
    headers: tuple

    def __repr__(self):
        return f"Headers(ref={self.ref!r}, headers={shown(self.headers)!r})"

    def __reduce__(self):
        return Headers, (self.ref, self.headers)

    def __replace__(self, **changes):
        return replace(self, **changes)


@cython.final
@cython.freelist(64)
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class Data:
    """A piece of the content, or of what a tunnel carries; never empty."""

    ref: RequestRef
    data: bytes

    def __repr__(self):
        return f"Data(ref={self.ref!r}, data={self.data!r})"

    def __reduce__(self):
        return Data, (self.ref, self.data)

    def __replace__(self, **changes):
        return replace(self, **changes)


@cython.final
@cython.freelist(16)
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class Trailers:
    """The trailer section, without the fields that may not stand there. RFC 9110 6.5."""

    ref: RequestRef
    headers: tuple

    def __repr__(self):
        return f"Trailers(ref={self.ref!r}, headers={shown(self.headers)!r})"

    def __reduce__(self):
        return Trailers, (self.ref, self.headers)

    def __replace__(self, **changes):
        return replace(self, **changes)


@cython.final
@cython.freelist(64)
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class Done:
    """The response is complete; for a tunnel, its incoming direction is."""

    ref: RequestRef

    def __repr__(self):
        return f"Done(ref={self.ref!r})"

    def __reduce__(self):
        return Done, (self.ref,)

    def __replace__(self, **changes):
        return replace(self, **changes)


@cython.final
@cython.freelist(16)
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class Failed:
    """This request failed; the facade turns it into `RequestFailed`."""

    ref: RequestRef
    fault: object

    def __repr__(self):
        return f"Failed(ref={self.ref!r}, fault={self.fault!r})"

    def __reduce__(self):
        return Failed, (self.ref, self.fault)

    def __replace__(self, **changes):
        return replace(self, **changes)


@cython.final
@cython.freelist(8)
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class Pong:
    """The answer to a ping, under the ref that `ping` returned. RFC 9113 6.7."""

    ref: RequestRef

    def __repr__(self):
        return f"Pong(ref={self.ref!r})"

    def __reduce__(self):
        return Pong, (self.ref,)

    def __replace__(self, **changes):
        return replace(self, **changes)


@cython.final
@cython.freelist(8)
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class PushPromise:
    """The server will answer a request that was not sent: its responses come under `promised_ref`.

    `ref` is the request that made it do so, `headers` are those of the promised request, with `:method`,
    `:scheme`, `:authority` and `:path` among them. RFC 9113 8.4.
    """

    ref: RequestRef
    promised_ref: RequestRef
    headers: tuple

    def __repr__(self):
        return (f"PushPromise(ref={self.ref!r}, promised_ref={self.promised_ref!r}, "
                f"headers={shown(self.headers)!r})")

    def __reduce__(self):
        return PushPromise, (self.ref, self.promised_ref, self.headers)

    def __replace__(self, **changes):
        return replace(self, **changes)


@cython.final
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class Origins:
    """The server says for which origins this connection may be used (the ORIGIN frame, RFC 8336).

    `origins` are those of one frame, in lower case, such as `"https://example.org"`: the origin set is the
    connection's own origin and what all frames so far named. What is no origin was left out. It has no ref
    and comes on request (`HTTP2Options.optional_responses`).
    """

    origins: tuple

    def __repr__(self):
        return f"Origins(origins={self.origins!r})"

    def __reduce__(self):
        return Origins, (self.origins,)

    def __replace__(self, **changes):
        return replace(self, **changes)


@cython.final
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class AltSvc:
    """The server names alternative services (the ALTSVC frame, RFC 7838 4).

    `value` is what the `alt-svc` field would hold; `mint.alternatives` parses it. `origin` is the origin that
    it is about, in lower case; where it is `None`, that is the origin of `request`, on whose stream the frame
    came. It has no ref and comes on request (`HTTP2Options.optional_responses`).
    """

    value: str
    origin: str = None
    request: RequestRef = None

    def __repr__(self):
        return f"AltSvc(value={self.value!r}, origin={self.origin!r}, request={self.request!r})"

    def __reduce__(self):
        return AltSvc, (self.value, self.origin, self.request)

    def __replace__(self, **changes):
        return replace(self, **changes)


@cython.final
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class GoAway:
    """The server takes no more requests (the GOAWAY frame, RFC 9113 6.8).

    It has acted on no request whose `ref.number` is above `last_stream`; their `RequestFailed` follow. `code`
    is the error code, `error` its name, and `debug` what the server adds, which `repr` does not show. It has
    no ref and comes on request (`HTTP2Options.optional_responses`), once for each frame.
    """

    last_stream: cython.int
    code: cython.longlong
    error: str
    debug: bytes

    def __repr__(self):
        return (f"GoAway(last_stream={self.last_stream!r}, code={self.code!r}, error={self.error!r}, "
                f"debug=<{len(self.debug)} bytes>)")

    def __reduce__(self):
        return GoAway, (self.last_stream, self.code, self.error, self.debug)

    def __replace__(self, **changes):
        return replace(self, **changes)


@cython.final
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class ServerSettings:
    """The server's settings have changed, or arrived (the SETTINGS frame, RFC 9113 6.5).

    `settings` are the pairs of one frame in their order: the name as in `HTTP2.get_server_setting`, or the
    number of a setting that mint does not know (`"0x1a1a"`), and the value as it was sent. They are in force.
    It has no ref and comes on request (`HTTP2Options.optional_responses`).
    """

    settings: tuple

    def __repr__(self):
        return f"ServerSettings(settings={self.settings!r})"

    def __reduce__(self):
        return ServerSettings, (self.settings,)

    def __replace__(self, **changes):
        return replace(self, **changes)


# The events of a connection by name, as `optional_responses` has them; their bits.
EVENTS: dict = {
    "origin": EVENT_ORIGIN,
    "alt_svc": EVENT_ALT_SVC,
    "goaway": EVENT_GOAWAY,
    "settings": EVENT_SETTINGS,
}


@cython.final
@cython.freelist(16)
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class Note:
    """One line about a frame or a message head, for logs and transcripts; secrets are redacted."""

    outgoing: cython.bint
    text: str

    def __repr__(self):
        return f"Note(outgoing={bool(self.outgoing)!r}, text={self.text!r})"

    def __reduce__(self):
        return Note, (self.outgoing, self.text)

    def __replace__(self, **changes):
        return replace(self, **changes)


@cython.final
@cython.freelist(16)
@cython.no_gc
cdef class Step:
    """What one engine call gives: the successor, responses, octets to write, and how to go on.

    It holds values, and the list that the caller gets: it is in no cycle, so the collector need not track it.
    """

    def __init__(self, state, list responses not None, tuple output not None, fault, ref, int end,
                 tuple notes not None):
        self.state = state
        self.responses = responses
        self.output = output
        self.fault = fault
        self.ref = ref
        self.end = end
        self.notes = notes

    @property
    def plain(self):
        """The responses, where the step has nothing else and none of them failed; None otherwise."""
        cdef object event
        if (self.fault is not None or self.end != END_KEEP or len(self.output) or len(self.notes)
                or self.timed):
            return None
        for event in self.responses:
            if type(event) is Failed:
                return None
        return self.responses

    def leading_to(self, state):
        """Return the same step with another successor: a state that stands for it."""
        cdef Step made = step(state, self.responses, self.output, self.fault, self.ref, self.end, self.notes)
        made.cause = self.cause
        made.alone = self.alone
        made.timed = self.timed
        return made

    def __repr__(self):
        # What is written may hold credentials.
        written = sum([len(piece) for piece in self.output])
        return (f"Step(responses={self.responses!r}, output=<{written} bytes>, fault={self.fault!r}, "
                f"ref={self.ref!r}, end={self.end})")


@cython.final
@cython.no_gc
cdef class Course:
    """How the compiled transactions call the verbs of one protocol's states, without looking them up."""


cdef Step step(object state, list responses=None, tuple output=(), object fault=None,
               object ref=None, int end=END_KEEP, tuple notes=()):
    """Build a Step without going through argument parsing."""
    cdef Step made = Step.__new__(Step)
    made.state = state
    made.responses = [] if responses is None else responses
    made.output = output
    made.fault = fault
    made.ref = ref
    made.end = end
    made.notes = notes
    return made


cdef int as_slot(object made, const char *name, object held) except -1:
    """Let an attribute that holds this be read as a slot is.

    The interpreter reads slots without a call; what Cython makes of a readonly attribute is a property.
    """
    cdef PyObject **words = <PyObject **><PyObject *>made
    cdef Py_ssize_t i
    for i in range(2, type(made).__basicsize__ // <Py_ssize_t>sizeof(PyObject *)):
        if words[i] == <PyObject *>held:
            return mint_as_slot(type(made), name, i * <Py_ssize_t>sizeof(PyObject *))
    return 0


cdef int read_as_slots() except -1:
    """Do so with all that is read often."""
    cdef RequestRef ref = RequestRef.__new__(RequestRef)
    cdef object mark = object()
    cdef tuple headers = (mark,)
    cdef bytes octets = bytes(bytearray(9))
    cdef Step one = Step(mark, [], headers, None, ref, END_KEEP, ())
    as_slot(one, b"state", mark)
    as_slot(one, b"responses", one.responses)
    as_slot(one, b"output", headers)
    as_slot(one, b"ref", ref)
    for kind in (Informational, Headers, Trailers):
        made = Informational(ref, 100, headers) if kind is Informational else kind(ref, headers)
        as_slot(made, b"ref", ref)
        as_slot(made, b"headers", headers)
    for made in (Status(ref, 200), Data(ref, octets), Done(ref), Failed(ref, mark)):
        as_slot(made, b"ref", ref)
    as_slot(Data(ref, octets), b"data", octets)
    return 0


read_as_slots()

KEEP: int = END_KEEP
SHUT_WRITE: int = END_SHUT_WRITE
CLOSE: int = END_CLOSE

# What a Step may carry, and what of it is no failure.
Plain = (Informational | Status | StatusReason | Headers | Data | Trailers | Done | Pong
         | PushPromise | Origins | AltSvc | GoAway | ServerSettings)
Event = Plain | Failed
