# The state of an HTTP/2 connection as a value, and the Work of one operation on it.
#
# A Core is never changed after it was published. An operation works on a private clone, whose serial is one
# more, and collects its results in a Work: responses, octets, a fault.
from libc.stdint cimport uint32_t

from .events cimport RequestRef, Step
from .faults cimport Fault
from .flow cimport Receipt
from .frames cimport Head
from .hpack cimport Decoder, Encoder
from .http2_config cimport Config
from .logs cimport ByteLog, Window
from .streams cimport Stream
from .streams cimport Table as Streams

cdef enum:                        # phases of a connection
    STARTING = 0                  # the SETTINGS of the server have not come
    RUNNING = 1
    OVER = 2                      # closed: nothing is read or written any more

cdef enum:                        # what the next octet of input is
    AT_HEADER = 0                 # one of the nine of a frame header
    AT_PAD_LENGTH = 1             # the pad length of a DATA frame
    AT_DATA = 2                   # content of a DATA frame
    AT_PAYLOAD = 3                # a payload that is handled once it is complete
    AT_SKIP = 4                   # a payload that is ignored


cdef enum:                        # how fast counts decrease with time (ci/budgets.py lists what is counted)
    GLITCHES_PER_SECOND = 330
    RESETS_PER_SECOND = 33
    CANCEL_ALLOWS = 100           # late frames that are allowed for each stream that the caller cancels
    TICK = 100                    # milliseconds in which one interim head is taken off the count
    INTERIM_OCTETS = 400          # octets of interim heads that are taken off the count in each tick


cdef struct Scalars:              # the part of a state that is plain memory
    unsigned long long serial     # operations since the connection was opened
    # streams
    long long next_stream         # id of the next request; odd
    long long next_ping           # number of the next ping's ref; negative
    int last_promised             # highest id the server promised; even
    int last_acted                # highest promised stream that was acted on: for our GOAWAY
    int goaway                    # last stream the server will act on; -1 before a GOAWAY
    int active                    # requests that count against the concurrency limit of the server
    int waiting                   # requests whose response is not complete
    int reserved                  # promised streams whose response has not begun
    int pushed                    # promised streams whose response has begun
    int remembered                # streams in state RESET
    int last_refused              # closed stream that was last answered with STREAM_CLOSED
    # settings, by identifier
    uint32_t[10] peer             # the server's
    uint32_t[10] own              # ours, as acknowledged
    uint32_t[10] allowed          # the highest of ours that may be in effect: acknowledged or pending
    # flow control
    long long send_window         # octets that may be sent on the connection
    Receipt receipt               # the connection's receive window
    int most_moved                # an upper bound of send_moved over the streams
    int most_extra                # an upper bound of receipt.extra over the streams
    # budgets
    int unsent                    # replies that are not written yet, as far as is known
    long long output_octets       # octets of output since the first of them
    long long glitches            # useless frames, in thousandths; they decrease with time, as resets do
    long long untimed_glitches    # glitches, in thousandths, up to which no time is needed
    int allowance                 # useless frames that our own actions may have caused
    long long owed                # octets sent on the connection and not credited yet
    long long resets              # thousandths
    int interim_only              # streams with interim heads and no final one
    long long clock               # the last time given, in milliseconds; -1: none since it was needed
    int forgotten                 # highest request that was reset and is not remembered any more
    int forgotten_push            # the same for pushes
    long long joinable            # octets of promised cookies that may still be joined
    # the frame that is being read
    Head frame
    int left                      # octets of its payload (content, for DATA) still to come
    int padding                   # octets of padding after them
    int held                      # octets of the header in `header`
    unsigned char[9] header
    unsigned char mode
    # the field block that is being read
    int block_stream              # stream of the HEADERS or PUSH_PROMISE; 0: none
    int block_promised            # promised stream; 0: a HEADERS
    int block_frames              # CONTINUATION frames so far
    bint block_ends               # END_STREAM was on the HEADERS
    # the connection
    unsigned char phase
    bint goaway_reported          # a GOAWAY of the server with an error was reported
    bint greeted                  # the first SETTINGS of the server came
    bint unheard                  # the server may not have read all content of streams that have ended
    bint tracing
    Window partial_window
    Window block_window
    Window reset_window
    Window answer_window


cdef class Core:
    cdef readonly Config config
    cdef Scalars s
    cdef Streams requests         # by (id - 1) / 2
    cdef Streams pushes           # by id / 2 - 1; None before the first push
    cdef Encoder encoder
    cdef readonly Decoder decoder
    cdef ByteLog partial          # payload of an incomplete frame
    cdef ByteLog block            # field block before END_HEADERS
    cdef ByteLog resets           # ids in state RESET, oldest first, four octets each
    cdef ByteLog answers          # where each unsent reply ends, as `output_octets` counts, eight octets each
    cdef tuple pings              # of (payload, number), in the order they were sent; 0 is `ask_if_heard`
    cdef tuple pending            # SETTINGS of ours without an acknowledgement: of (id, value) pairs

    cdef Core fresh(self)         # an empty one of the same class
    cdef Core successor(self)     # a private clone with the next serial
    cdef bint same(self, Core other) except -1
    cdef const Stream *peek(self, long long stream) noexcept
    cdef Stream *edit(self, long long stream) except? NULL
    cdef bint is_idle(self, long long stream) noexcept
    cdef int state_of(self, long long stream) noexcept
    cdef long long number_of(self, RequestRef ref) except 0


cdef struct Piece:
    const unsigned char *octets
    Py_ssize_t count


cdef class Work:
    cdef Core core                # the private clone
    cdef list responses
    cdef list notes               # None unless tracing
    cdef Fault fault
    cdef int weight               # the `processed` that is true of every request that the fault concerns
    cdef Fault cause              # a fault that the input reported before `fault`
    cdef RequestRef ref           # the last one made, for reuse
    cdef RequestRef given         # the ref for the Step
    cdef int end
    cdef unsigned char *out       # owned: octets to write
    cdef Py_ssize_t out_used
    cdef Py_ssize_t out_room
    cdef bytes source             # the input, while it is read
    cdef Piece *pieces            # owned: pieces of content of one stream, within `source`
    cdef int pieces_used
    cdef int pieces_room
    cdef Py_ssize_t pieces_octets
    cdef int pieces_stream

    cdef unsigned char *room(self, Py_ssize_t count) except NULL
    cdef int put_small(self, int type, int flags, int stream, uint32_t first) except -1
    cdef int put_whole(self, bytes octets) except -1
    cdef RequestRef ref_of(self, long long number)
    cdef int add_piece(self, int stream, const unsigned char *octets, Py_ssize_t count) except -1
    cdef int flush_data(self) except -1
    cdef int note(self, bint outgoing, int type, int flags, int stream, int length,
                  object detail) except -1
    cdef Step finished(self)


cdef Work begin(Core before)

# Streams.
cdef int settle(Work w, int id, Stream *stream, int event) except -1
cdef int end_ref(Work w, int id, Stream *stream, Fault fault) except -1
cdef int reset_stream(Work w, int id, int code, bint blamed) except -1
cdef int stream_error(Work w, int id, int code, Fault fault) except -1
cdef int weigh_open(Work w, Streams table) except -1
cdef int processed_of(const Stream *stream) noexcept

# The connection.
cdef int breach(Work w, Fault fault) except -1           # connection error: GOAWAY, everything fails
cdef int fail_all(Work w, Fault fault) except -1         # fail every open ref, then end the connection
cdef int spend(Work w) except -1                         # count a glitch; True if there are too many
cdef int refund(Core core, long long frames) noexcept    # useful traffic reduces the count of glitches
cdef int count_reset(Work w, str value) except -1        # count a reset; True if there are too many
cdef bint is_timed(const Scalars *s) noexcept            # whether a count is not 0 that decreases with time
cdef int answered(Work w) except -1                      # one more reply waits to be written
cdef int say_goodbye(Work w, int code, bytes debug) except -1    # send GOAWAY
cdef int leave(Work w) except -1                         # end the connection
cdef int close_drained(Work w) except -1                 # after GOAWAY: end it if nothing is open
