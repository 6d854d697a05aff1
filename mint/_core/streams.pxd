# Streams: their states as a table, and the persistent data structure that holds the live ones.
from cpython.object cimport PyObject

from .flow cimport Receipt

cdef enum:                        # RFC 9113 5.1, as a client sees it
    IDLE = 0
    RESERVED = 1                  # reserved (remote): promised to us
    OPEN = 2
    HALF_LOCAL = 3                # half-closed (local): we have ended our side
    HALF_REMOTE = 4               # half-closed (remote): the peer has ended its side
    CLOSED = 5
    RESET = 6                     # closed by our RST_STREAM; late frames are dropped for a while

cdef enum:                        # events that change the state of a stream
    SENT_END = 0                  # END_STREAM of ours
    GOT_HEADERS = 1
    GOT_END = 2                   # END_STREAM of the peer
    SENT_RESET = 3
    GOT_RESET = 4

cdef enum:                        # what to do with a frame that arrives in a state
    ACCEPT = 0
    DROP = 1                      # allowed or late: count it and ignore it
    CLOSED_STREAM = 2             # stream error STREAM_CLOSED
    BREACH = 3                    # connection error PROTOCOL_ERROR

cdef extern from *:
    """
    #ifndef MINT_STREAM_RULES
    #define MINT_STREAM_RULES
    /* The next state, by state and event. */
    static const unsigned char mint_stream_next[7][5] = {
        /*             SENT_END  GOT_HEADERS  GOT_END  SENT_RESET  GOT_RESET */
        /* idle      */ {3,        2,           4,       6,          5},
        /* reserved  */ {5,        3,           5,       6,          5},
        /* open      */ {3,        2,           4,       6,          5},
        /* h. local  */ {3,        3,           5,       6,          5},
        /* h. remote */ {5,        4,           4,       6,          5},
        /* closed    */ {5,        5,           5,       6,          5},
        /* reset     */ {6,        6,           6,       6,          6},
    };
    /* What to do with a frame, by state and type (0: accept, 1: drop, 2: stream closed, 3: breach). */
    static const unsigned char mint_stream_arrival[7][10] = {
        /*            DATA HEADERS PRIORITY RST SETTINGS PUSH PING GOAWAY WINDOW CONT */
        /* idle      */ {3, 3,      1,       3,  0,       3,   0,   0,     3,     3},
        /* reserved  */ {3, 0,      1,       0,  0,       3,   0,   0,     3,     0},
        /* open      */ {0, 0,      1,       0,  0,       0,   0,   0,     0,     0},
        /* h. local  */ {0, 0,      1,       0,  0,       0,   0,   0,     0,     0},
        /* h. remote */ {2, 2,      1,       0,  0,       3,   0,   0,     0,     2},
        /* closed    */ {2, 2,      1,       1,  0,       3,   0,   0,     1,     2},
        /* reset     */ {1, 1,      1,       1,  0,       0,   0,   0,     1,     1},
    };
    #endif
    """
    const unsigned char next_state "mint_stream_next"[7][5]
    const unsigned char arrival "mint_stream_arrival"[7][10]

cdef enum:                        # facts about a stream, in `facts`
    IS_HEAD = 1                   # the request is HEAD: the response has no content
    IS_CONNECT = 2                # the request is CONNECT: a 2xx makes it a tunnel
    IS_TUNNEL = 4
    IS_PUSHED = 8                 # the server promised it
    SEEN_FINAL = 16               # the final response head came
    SEEN_ANY = 32                 # an interim response came
    ENDED = 64                    # Done or Failed was returned; not needed once the stream is RESET
    IS_HELD = 128                 # its receive window is not refilled until the caller allows it


cdef struct Stream:
    long long content_left        # octets of content still missing from the response; -1: not declared
    long long declared_left       # octets of content still missing from the request; -1: not declared
    int send_moved                # octets: the send window minus the initial size set by the peer
    Receipt receipt               # our receive window, relative to our initial size
    unsigned int interim_octets   # decoded size of the interim responses, reduced with time
    unsigned int interims         # number of the interim responses, reduced with time
    unsigned int heard            # when the last of them came, in ticks; 0: unknown
    unsigned char state
    unsigned char facts
    unsigned char has_sent        # whether content or END_STREAM was sent after the request head


cdef enum:
    LEAF_BITS = 3
    LEAF_SIZE = 8                 # streams in a leaf
    NODE_BITS = 4
    NODE_SIZE = 16                # children of a node


cdef class Leaf:
    cdef unsigned long long serial     # the operation that made it, the only one that may change it
    cdef long long number              # leaf number: stream index >> LEAF_BITS
    cdef unsigned int live             # bit per stream
    cdef Stream[8] streams


cdef class Node:
    cdef unsigned long long serial     # as for a leaf
    cdef int shift                     # bits of a leaf number below this node
    cdef long long prefix              # `number >> (shift + NODE_BITS)` of the leaves under it
    cdef int count                     # children
    cdef PyObject *children[16]         # owned references, or NULL


cdef class Table:
    cdef unsigned long long serial     # the operation that may change this table
    cdef Leaf tail                     # the newest leaf: opening a stream changes only this
    cdef PyObject *root                # owned: Leaf, Node or NULL; never contains the number of the tail
    cdef readonly Py_ssize_t count     # live streams
    cdef readonly long long work       # nodes and leaves made so far: the cost of persistence

    # A table that the operation `serial` may change; the same one if that operation made it.
    cdef Table writable(self, unsigned long long serial)
    # A stream for reading only; NULL if there is none.
    cdef const Stream *peek(self, long long index) noexcept
    # A stream for writing; NULL if there is none. It is valid until a stream is added or dropped.
    cdef Stream *edit(self, long long index) except? NULL
    # A new stream, all zero. The index must be above all others.
    cdef Stream *add(self, long long index) except NULL
    cdef int drop(self, long long index) except -1
    # The smallest live index that is at least this; -1 if there is none.
    cdef long long following(self, long long index) noexcept
    cdef bint same(self, Table other) noexcept
    cdef Leaf own_leaf(self, long long number)
    cdef int hang(self, Leaf leaf) except -1
    cdef int unhang(self, long long number) except -1
