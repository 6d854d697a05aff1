# The meaning of the framing fields, and where a body ends: the rules of RFC 9112 6 as a table.


# What is known about a response when its head is complete.
cdef enum:
    SEEN_SWITCHING = 1        # status 101
    SEEN_INTERIM = 2          # any other 1xx
    SEEN_HEAD = 4             # the request was HEAD
    SEEN_EMPTY = 8            # status 204 or 304
    SEEN_CONNECTED = 16       # 2xx to CONNECT
    SEEN_TRANSFER = 32        # it has transfer-encoding
    SEEN_CHUNKED = 64         # ... and chunked is its last coding
    SEEN_LENGTH = 128         # it has content-length
    SEEN_OLD = 256            # HTTP/1.0
    SEEN_STRICT = 512         # content-length beside transfer-encoding is not tolerated
    SEEN_CLOSE = 1024         # connection: close
    SEEN_KEEP = 2048          # connection: keep-alive
    SEEN_FINAL = 4096         # the connection cannot be used again, whatever the fields say
    SEEN_SWITCHED = 16384     # the 101 names a protocol that was offered
    SEEN_ONCE = 8192          # chunked is among the codings, last or not


# How the body ends.
cdef enum:
    BODY_INTERIM = 0          # no body; an interim response
    BODY_TUNNEL = 1           # no body; the octets that follow belong to another protocol
    BODY_NONE = 2
    BODY_CHUNKED = 3
    BODY_LENGTH = 4
    BODY_UNTIL_CLOSE = 5
    BODY_CONFLICT = 6         # a fault


cdef struct Rule:
    int mask                  # the facts that the rule depends on
    int want                  # the facts among them that must be true; the others must be false
    int body                  # BODY_
    bint final                # the connection cannot be used again

cdef const Rule *body_rule(int seen) noexcept


cdef struct Token:
    const unsigned char *octets
    Py_ssize_t count

# The next member of a list of tokens: 1, or 0 at its end, or -1 if it is not a token (9110-5.6.1.2-a).
cdef int next_token(const unsigned char *octets, Py_ssize_t count, Py_ssize_t *place,
                    Token *found) noexcept nogil
cdef bint same_token(const Token *token, const char *lower) noexcept nogil

# SEEN_ bits of a connection field; -1 if it is not a list of tokens.
cdef int connection_facts(str value) noexcept
# SEEN_ bits of a transfer-encoding field, combined with `seen` of the lines before; -1 if it is not a list
# of tokens, -2 if it is empty, -3 if chunked is listed twice.
cdef int transfer_facts(str value, int seen, int tolerance) noexcept
# The length of a content-length field; -1 if it is not valid, -2 if it lists different lengths.
cdef long long length_fact(str value) noexcept
# The protocols of an upgrade field, in lower case; None if it is not a list of protocols.
cdef tuple protocols_of(str value)

# Whether only chunk extensions follow the chunk size.
cdef bint is_chunk_tail(const unsigned char *octets, Py_ssize_t count,
                        bint blanks) noexcept nogil
# Store the size of a chunk line in `size`; return what is wrong with the line, or None.
cdef str chunk_line_cause(const unsigned char *line, Py_ssize_t count, int tolerance,
                          unsigned long long *size)
