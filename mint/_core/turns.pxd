# Whose turn it is on a link, and the transactions that are frequent enough to be compiled.
from .events cimport Step
from .messages cimport Source
from .values cimport Slots


cdef class Mutex:
    cdef void *lock              # a PyThread_type_lock; owned
    cdef unsigned long owner     # the thread that holds it; meaningless while depth is 0
    cdef int depth               # how often its owner holds it

    cdef bint enter(self, bint wait) noexcept
    cdef void leave(self) noexcept


cdef class Turns:
    cdef readonly Mutex _guard            # held by the one operation that is at work
    cdef readonly Mutex _wire            # held by whoever touches the layers and the socket
    cdef public long long generation   # of the newest value
    cdef public unsigned long home     # the only thread that may use it, without waiting; 0 for any
    cdef public Source source    # the token of its messages
    cdef public object inbox     # the mailbox of active mode, or None
    cdef public bint armed       # the mailbox may read one message
    cdef public bint wanted      # a mailbox met an operation at work and waits to be told of its end
    cdef public bint _closed      # this end was closed
    cdef public bint plain       # no subclass has its own say about turns and counts
    cdef public bint still       # what is sent waits to be taken: nothing is ever transmitted
    cdef public bint reads       # what is sent counts as written, though it waits to be taken
    cdef public bint windowed    # a layer keeps what its peer's windows do not take
    cdef bint behind             # what a state counts as waiting may have left since
    cdef public tuple _layers
    cdef public object _outbox    # deque of octets to write
    cdef public Py_ssize_t _queued      # octets in it
    cdef public object _arrived   # deque of plaintext that was read
    cdef public Py_ssize_t _held  # octets in it
    cdef public bint _ended       # nothing comes after that
    cdef public object _failure   # what broke the wire, to be told after that; or None
    cdef public bint shared       # others read the same wire: `permit` has a say each time
    cdef public bint pushed       # octets arrive by themselves, and without them there is nothing to watch
    cdef public bint _paused      # they would, but were told not to
    cdef public bint likely       # the wire gave so much that there is probably more
    cdef public long long _sequence     # of the last message that was made
    cdef public long long _accepted     # of the last message that was taken back
    cdef public bint _shutting    # no more will be sent
    cdef public bint _write_failed      # the peer no longer takes octets

    cdef bint enter(self, long long generation) noexcept
    cdef bint has_left(self) except -1
    cdef long long left(self, bint moved) except -1
    cdef int queue(self, tuple output) except -1
    cdef bytes popped(self)
    cdef bint hears(self) except -1
    cdef bint stirs(self) except -1
    cdef object one_read(self)


cdef class Quick:
    cdef Slots slots
    cdef Py_ssize_t link         # position in the slots' offsets
    cdef bint flushes            # whether states count what waits to be written

    cdef Turns linked(self, object value)
    cdef object current(self, object value, Turns link)
    cdef int listened(self, object value, Turns link) except -1
    cdef int handed(self, object value, Turns link, Step made, bint flush) except -1
    cdef Step fed(self, object value, Turns link, object data)
    cdef object successor(self, object value, Turns link, Step made)
