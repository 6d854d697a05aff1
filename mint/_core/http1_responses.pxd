# The state of one HTTP/1 connection: what is being read and sent.
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE

from .events cimport RequestRef
from .faults cimport Fault
from .http1_config cimport Config
from .http1_heads cimport LineCache
from .http1_repeats cimport Repeat
from .logs cimport ByteLog, ListLog, Window


# What is being read.
cdef enum:
    PHASE_STATUS = 0          # a status line, or nothing while no request is open
    PHASE_FIELDS = 1          # the header section
    PHASE_LENGTH = 2          # a body of `remaining` octets
    PHASE_UNTIL_CLOSE = 3
    PHASE_CHUNK_LINE = 4
    PHASE_CHUNK_DATA = 5      # `remaining` octets of this chunk
    PHASE_CHUNK_CR = 6        # the line end after it
    PHASE_CHUNK_LF = 7
    PHASE_TRAILERS = 8
    PHASE_TUNNEL = 9          # another protocol's octets
    PHASE_DEAF = 10           # a tunnel whose incoming direction has ended
    PHASE_CLOSED = 11


# A request whose response is not complete. Immutable.
cdef class Pending:
    cdef RequestRef ref
    cdef int asks             # ASKS_ bits
    cdef tuple protocols      # offered with upgrade, in lower case


# The part of a state that is plain memory: copied as a whole, compared field by field.
cdef struct Core:
    int phase                 # PHASE_
    int status                # of the current response; 0 before its status line
    int seen                  # its SEEN_ bits
    int sends                 # SEND_: how the streamed body is sent
    bint old_peer             # the last response was HTTP/1.0
    bint begun                # some of the streamed body was sent
    bint closing              # either side announced the end: no request may follow
    bint ending               # the current response is the last
    bint bare                 # the last response had no content because of its status or method
    bint traced               # whether notes are made; not compared
    long long given           # number of the last request
    long long sender          # number of the request whose body, or tunnel, may be sent; or 0
    long long owed            # octets of it still to send, with a declared length
    long long declared        # the declared length
    long long length          # content-length of the response, or -1
    long long remaining       # octets of the body, or of the chunk, still to read
    long long excess          # octets of chunk framing beyond what is reasonable
    Py_ssize_t first          # index in the queue of the request whose response is read
    Py_ssize_t waiting        # number of open requests, which are those from `first` on
    Py_ssize_t count          # field lines of the current section
    Py_ssize_t size           # octets of it
    Py_ssize_t kept           # number of fields in `fields`, after unfolding
    Py_ssize_t interim        # number of 1xx responses to this request
    Py_ssize_t interim_size   # octets of their heads
    int last_kind             # NAME_ of the last field line, for folds
    Window window             # of `log`


cdef enum:
    FRESH_PAIRS = 64

# The input of one call, and how far it was read.
cdef struct Input:
    const unsigned char *octets
    Py_ssize_t place
    Py_ssize_t end


# A line that was read.
cdef struct Taken:
    const unsigned char *octets
    Py_ssize_t count          # without the line end
    Py_ssize_t whole          # with the line end


# The pairs of a section that began in this input. They are not shared yet, so they are not in a log.
cdef struct Fresh:
    bint on                   # in use: the section began in this input and has at most FRESH_PAIRS pairs
    bint complete             # the empty line after the section was read
    int count
    PyObject *pairs[FRESH_PAIRS]   # owned


cdef class Reading:
    cdef readonly Config config
    cdef tuple queue          # of Pending, from `first` on; if there are many, only the newest
    cdef tuple older          # tuples of FULL older Pending each, or None
    cdef ByteLog log          # the incomplete line, or None
    cdef ListLog fields       # the fields of the incomplete section, or None
    cdef LineCache cache      # shared by successors and forks; not compared
    cdef list skipped         # lines that were skipped in this input, or None
    cdef Repeat repeat        # the last request, from which similar ones are made, or None; not compared
    cdef Core core

    # These methods change a private state, before it is published.
    cdef bint is_dribble(self, bytes data) except -1
    cdef object read(self, bytes data, list responses)
    cdef int pass_over(self, Input *at) except -1
    cdef bint is_last(self, Pending pending) noexcept
    cdef int drain(self, Pending last) noexcept
    cdef bint follows_secret(self, const Fresh *fresh) except -1
    cdef object no_line(self, Taken *line, const Fresh *fresh, str reason, str cause)
    cdef int skip(self, Taken *line, const Fresh *fresh) except -1
    cdef object read_status(self, Input *at, list responses)
    cdef object read_fields(self, Input *at, list responses, bint trailers)
    cdef object read_lines(self, Input *at, Fresh *fresh, bint trailers)
    cdef object unfold(self, Taken *line, Fresh *fresh, bint trailers)
    cdef int add(self, tuple pair, Fresh *fresh) except -1
    cdef int spill(self, Fresh *fresh) except -1
    cdef object framing(self, int kind, str value)
    cdef object head_done(self, tuple section, list responses)
    cdef object read_chunks(self, Input *at, bytes data, list responses)
    cdef object read_chunk_line(self, Input *at)
    cdef int hand_on(self, Input *at, bytes data, Py_ssize_t count, list responses) except -1
    cdef int finish(self, list responses) except -1
    cdef int next_section(self) except -1
    cdef int next_response(self) except -1
    cdef int trailers_done(self, tuple section, list responses) except -1
    cdef int shut(self, list responses, object first, object rest) except -2
    cdef bint is_answering(self) noexcept


# The queue of open requests is a tuple, which is copied for each request while it is short. The older part of
# a long queue is kept in tuples of FULL each. A request or response then copies at most FULL entries of the
# queue, and only one in FULL also copies the tuple of tuples.
cdef enum:
    FULL = 64


cdef inline Pending waiting_at(Reading self, Py_ssize_t place):
    """Return the open request that was sent after `place` other open ones."""
    cdef Py_ssize_t at = self.core.first + place
    cdef Py_ssize_t before
    if self.older is not None:
        before = FULL * PyTuple_GET_SIZE(self.older)
        if at < before:
            return <Pending>PyTuple_GET_ITEM(<tuple>PyTuple_GET_ITEM(self.older, at // FULL), at % FULL)
        at -= before
    return <Pending>PyTuple_GET_ITEM(self.queue, at)


cdef inline int push(Reading self, Pending pending) except -1:
    """Append a request to the queue."""
    cdef Py_ssize_t waiting = self.core.waiting
    if self.older is not None:
        if PyTuple_GET_SIZE(self.queue) == FULL:
            self.older = self.older + (self.queue,)
            self.queue = (pending,)
        else:
            self.queue = self.queue + (pending,)
    elif waiting == 0:
        self.core.first = 0
        self.queue = (pending,)
    elif waiting < FULL:
        self.queue = self.queue[self.core.first:] + (pending,)
        self.core.first = 0
    else:
        self.older = (self.queue[self.core.first:],)
        self.core.first = 0
        self.queue = (pending,)
    self.core.waiting = waiting + 1
    return 0


cdef inline int shift(Reading self) except -1:
    """Remove the first request from the queue."""
    self.core.first += 1
    self.core.waiting -= 1
    if self.older is not None:
        if self.core.first == FULL:
            self.core.first = 0
            self.older = self.older[1:] if PyTuple_GET_SIZE(self.older) > 1 else None
    elif self.core.waiting == 0:
        empty(self)
    return 0


cdef inline int empty(Reading self) except -1:
    """Remove all requests from the queue."""
    self.queue = ()
    self.older = None
    self.core.first = self.core.waiting = 0
    return 0
