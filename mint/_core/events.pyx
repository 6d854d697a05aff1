# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Responses as values: complete when created, and never changed afterwards.

They are compiled because an engine makes several per read; each is still a frozen dataclass. A response that
holds only text, octets and refs cannot be part of a reference cycle, so the garbage collector does not track
it. Each class defines its own `__repr__`, because the one that Cython generates works only in the thread that
imported the module.
"""

cimport cython

from cpython.object cimport PyObject

from .fields cimport name_is_sensitive

cdef extern from *:
    """
    #include <structmember.h>
    /* Make the attribute at this offset readable like a slot. The definition lives as long as the type. */
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
    """Return fields as `repr` may show them, with the values of secret fields redacted."""
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
    """Identifies one request, ping or push of one connection. Refs are equal if both attributes are.

    `connection` is the identity of the connection (64 bits, random unless given) and `number` identifies the
    request within it. Callers should not interpret either.
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
        # The numbers of one connection are small and consecutive; the factor separates the connections.
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
    """An interim response (1xx except 101); any number may precede the final response. RFC 9110 15.2."""

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
    """The status of the final response: 101, or 200 to 999.

    A client treats a status above 599 as a 5xx status. RFC 9110 15.
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
    """The reason phrase of an HTTP/1 status line, possibly empty; only if `optional_responses` enables it."""

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
    """The header section of the final response: (name, value) pairs in order, names in lower case."""

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
    """A piece of the content, or octets from a tunnel; never empty."""

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
    """The trailer section, without the fields that are not allowed in trailers. RFC 9110 6.5."""

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
    """The response is complete; for a tunnel, the server has ended its direction."""

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
    """This request failed; the connection classes make a `RequestFailed` of it."""

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
    """The reply to a ping, with the ref that `ping` returned. RFC 9113 6.7."""

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
    """The server promises to push a response: its responses will have the ref `promised_ref`.

    `ref` is the request that the push belongs to. `headers` are the fields of the promised request, including
    `:method`, `:scheme`, `:authority` and `:path`. RFC 9113 8.4.
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
    """The server lists origins that this connection may be used for (the ORIGIN frame, RFC 8336).

    `origins` are the origins in one frame, in lower case, such as `"https://example.org"`; entries that are
    not origins are left out. The origin set is the connection's own origin and those of all frames so far.
    This response has no ref, and is returned only if `HTTP2Options.optional_responses` enables it.
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
    """The server advertises alternative services (the ALTSVC frame, RFC 7838 4).

    `value` has the syntax of the `alt-svc` field; `mint.alternatives` parses it. `origin` is the origin it
    applies to, in lower case. If `origin` is `None`, the frame came on the stream of `request` and applies to
    the origin of that request. This response has no ref, and is returned only if
    `HTTP2Options.optional_responses` enables it.
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
    """The server accepts no more requests (the GOAWAY frame, RFC 9113 6.8).

    It has not acted on the requests whose `ref.number` is above `last_stream`; a `RequestFailed` follows for
    each of them. `code` is the error code, `error` is its name, and `debug` is the debug data of the server,
    which `repr` does not show. This response has no ref, and is returned once for each frame, only if
    `HTTP2Options.optional_responses` enables it.
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
    """The server has sent its settings or changed them (the SETTINGS frame, RFC 9113 6.5).

    `settings` are the (name, value) pairs of one frame, in order. A name is one that
    `HTTP2.get_server_setting` accepts, or the number of a setting that mint does not know (`"0x1a1a"`). A
    value is the one the server sent; it is in effect already. This response has no ref, and is returned only
    if `HTTP2Options.optional_responses` enables it.
    """

    settings: tuple

    def __repr__(self):
        return f"ServerSettings(settings={self.settings!r})"

    def __reduce__(self):
        return ServerSettings, (self.settings,)

    def __replace__(self, **changes):
        return replace(self, **changes)


# The names that `optional_responses` accepts for HTTP/2, and their bits.
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
    """The result of one engine call: the successor, responses, octets to write, and what happens to the link.

    It holds only values and the list that the caller gets, so it cannot be part of a reference cycle, and the
    garbage collector does not track it.
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
        """The responses, if the step has nothing else and none of them is a failure; otherwise None."""
        cdef object event
        if (self.fault is not None or self.end != END_KEEP or len(self.output) or len(self.notes)
                or self.timed):
            return None
        for event in self.responses:
            if type(event) is Failed:
                return None
        return self.responses

    def leading_to(self, state):
        """Return the same step with another successor, a stand-in for the state."""
        cdef Step made = step(state, self.responses, self.output, self.fault, self.ref, self.end, self.notes)
        made.cause = self.cause
        made.alone = self.alone
        made.timed = self.timed
        return made

    def __repr__(self):
        # The output may contain credentials, so only its size is shown.
        written = sum([len(piece) for piece in self.output])
        return (f"Step(responses={self.responses!r}, output=<{written} bytes>, fault={self.fault!r}, "
                f"ref={self.ref!r}, end={self.end})")


@cython.final
@cython.no_gc
cdef class StateMethods:
    """C functions by which the fast path calls the methods of one protocol's states, without a lookup."""


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
    """Make the attribute that holds this object readable like a slot.

    The interpreter reads a slot without a call, but Cython makes a property of a readonly attribute.
    """
    cdef PyObject **words = <PyObject **><PyObject *>made
    cdef Py_ssize_t i
    for i in range(2, type(made).__basicsize__ // <Py_ssize_t>sizeof(PyObject *)):
        if words[i] == <PyObject *>held:
            return mint_as_slot(type(made), name, i * <Py_ssize_t>sizeof(PyObject *))
    return 0


cdef int read_as_slots() except -1:
    """Do so with all attributes that are read often."""
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

# The responses of a Step: those that are not failures, and all.
Plain = (Informational | Status | StatusReason | Headers | Data | Trailers | Done | Pong
         | PushPromise | Origins | AltSvc | GoAway | ServerSettings)
Event = Plain | Failed
