# The base class of links: their locks, the counts and flags that threads share, and the queues.
from .messages cimport Source


cdef class Mutex:
    cdef void *lock              # a PyThread_type_lock that waiting threads wait for; owned
    cdef long count              # threads that hold it or wait for it; changed atomically
    cdef unsigned long owner     # the thread that holds it, 0 for none; read by every thread
    cdef int depth               # how many times its owner has acquired it; used only by the owner

    cdef bint enter(self, bint wait) noexcept
    cdef bint enter_once(self) noexcept
    cdef void leave(self) noexcept
    cdef bint withdrawn(self) noexcept
    cdef bint mine(self) noexcept


cdef class ProcessBase:
    cdef public bint inherited   # it stands for a parent of this process


# The states of the two directions: `Reading` and `Writing` of mint/_wire/pipe.py, which has the transitions.
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


cdef class LinkBase:
    # Also read without a lock; without one, only the functions of atomics.pxd may access them.
    cdef int armed_word          # the mailbox may read one message
    cdef int wanted_word         # a mailbox found the wire in use; the operation that uses it calls `watch`
    cdef int likely_word         # the last read returned so much that there is probably more
    cdef int reading_word        # the state of the incoming direction, see the enum above and pipe.py
    cdef int writing_word        # the state of the outgoing direction
    cdef Py_ssize_t queued_word      # octets in `_outbox` and `_pending`
    cdef Py_ssize_t unsealed_word    # octets in `_pending`
    cdef Py_ssize_t held_word    # octets in `_arrived`
    cdef unsigned long mover     # the thread whose operation made the newest generation
    # Used only while the guard or the wire is held, or set before another thread can know the link.
    cdef readonly Mutex _guard            # held by the running operation
    cdef readonly Mutex _wire            # held by the thread that uses the layers and the socket
    cdef public ProcessBase _process     # the only process that may use it; None for any
    cdef public long long generation   # of the newest value
    cdef public unsigned long home     # the only thread that may use it, and never waits in it; 0 for any
    cdef public Source source    # identifies its messages
    cdef public object inbox     # the mailbox of active mode, or None
    cdef public object note      # what the mailbox stores about it
    cdef public bint plain       # no subclass overrides how it is claimed and what it counts
    cdef public bint still       # the output stays in the queue until it is taken: there is no transport
    cdef public bint reads       # queued output counts as written
    cdef public bint lone        # a request made while no other was open is queued, and none of it is written
    cdef public bint windowed    # a layer keeps octets that do not fit its peer's flow-control windows
    cdef bint behind             # octets that the state counts as waiting may have been written since
    cdef public tuple _layers
    cdef public object _outbox    # deque of octets for the wire
    cdef public object _pending   # deque of plaintext that the layers have not taken yet
    cdef public object _arrived   # deque of plaintext that was read
    cdef public object _failure   # the error of READ_FAILED, else None
    cdef public bint shared       # other links read from the same wire, so each read needs `permit`
    cdef public int descriptor   # of the socket that becomes readable when anything arrives; -1: ask `look`
    cdef public long long _sequence     # number of the last message that was made
    cdef public long long _accepted     # number of the last message that was fed to `stream`

    cdef int close_interrupted(self, long long generation, error) except -1
    cdef int give_up(self) except -1
    cdef bint enter(self, long long generation) noexcept
    cdef bint is_foreign(self) noexcept
    cdef bint all_written(self) except -1
    cdef long long leave(self, bint moved) except -1
    cdef int queue(self, tuple output) except -1
    cdef int add_arrived(self, bytes octets) except -1
    cdef bytes pop_arrived(self)
    cdef bytes take_queued(self)
    cdef bint has_input(self) except -1
    cdef bint has_unread(self) except -1
    cdef object read_once(self)
    cdef bint take_one(self, object inbox, list out) except -1
