# Whose turn it is on a link.
from .messages cimport Source


cdef class Mutex:
    cdef void *lock              # a PyThread_type_lock that waiting threads wait for; owned
    cdef long count              # threads that hold it or wait for it; changed atomically
    cdef unsigned long owner     # the thread that holds it, 0 for none; read by every thread
    cdef int depth               # how often its owner holds it; only the owner looks at it

    cdef bint enter(self, bint wait) noexcept
    cdef bint enter_once(self) noexcept
    cdef void leave(self) noexcept
    cdef bint withdrawn(self) noexcept
    cdef bint mine(self) noexcept


# Where the directions of a pipe stand; `Reading` and `Writing` of mint/_wire/pipe.py, with what leads where.
cdef enum:
    READ_OPEN = 0
    READ_ENDED = 1
    READ_CUT = 2
    READ_FAILED = 3
    READ_REPORTED = 4
    READ_CLOSED = 5

cdef enum:
    WRITE_OPEN = 0
    WRITE_FINISHING = 1
    WRITE_SEALED = 2
    WRITE_FINISHED = 3
    WRITE_FAILED = 4
    WRITE_CLOSED = 5


cdef class Turns:
    # Read without a lock, too, and so only by the functions of atomics.pxd, unless the lock is held.
    cdef int armed_word          # the mailbox may read one message
    cdef int wanted_word         # a mailbox met an operation at work and waits to be told of its end
    cdef int likely_word         # the wire gave so much that there is probably more
    cdef int reading_word        # where the incoming direction stands, see the enum above and pipe.py
    cdef int writing_word        # where the outgoing direction stands
    cdef Py_ssize_t queued_word      # octets in `_outbox` and `_pending`
    cdef Py_ssize_t unsealed_word    # octets in the latter
    cdef Py_ssize_t held_word    # octets in `_arrived`
    cdef unsigned long mover     # the thread whose operation made the newest generation
    # Only with the guard or the wire, or set before anybody else knows the link.
    cdef readonly Mutex _guard            # held by the one operation that is at work
    cdef readonly Mutex _wire            # held by whoever touches the layers and the socket
    cdef public long long generation   # of the newest value
    cdef public unsigned long home     # the only thread that may use it, without waiting; 0 for any
    cdef public Source source    # the token of its messages
    cdef public object inbox     # the mailbox of active mode, or None
    cdef public bint plain       # no subclass has its own say about turns and counts
    cdef public bint still       # what is sent waits to be taken: nothing is ever transmitted
    cdef public bint reads       # what is sent counts as written, though it waits to be taken
    cdef public bint lone        # a request is queued that was made on its own, and nothing of it was written
    cdef public bint windowed    # a layer keeps what its peer's windows do not take
    cdef bint behind             # what a state counts as waiting may have left since
    cdef public tuple _layers
    cdef public object _outbox    # deque of octets for the wire
    cdef public object _pending   # deque of plaintext that the layers were not given yet
    cdef public object _arrived   # deque of plaintext that was read
    cdef public object _failure   # the error of READ_FAILED, else None
    cdef public bint shared       # others read the same wire: `permit` has a say each time
    cdef public int descriptor   # of the socket that is readable where anything has come; -1: ask `look`
    cdef public long long _sequence     # of the last message that was made
    cdef public long long _accepted     # of the last message that was taken back

    cdef int interrupted(self, long long generation, error) except -1
    cdef int give_up(self) except -1
    cdef bint enter(self, long long generation) noexcept
    cdef bint has_left(self) except -1
    cdef long long left(self, bint moved) except -1
    cdef int queue(self, tuple output) except -1
    cdef int arrived(self, bytes octets) except -1
    cdef bytes popped(self)
    cdef bytes taken_out(self)
    cdef bint hears(self) except -1
    cdef bint stirs(self) except -1
    cdef object one_read(self)
