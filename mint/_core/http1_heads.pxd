# What one line of a message head says: the status line, and one field line.


# What a field means to the engines; everything else is NAME_PLAIN.
cdef enum:
    NAME_PLAIN = 0
    NAME_CONTENT_LENGTH = 1
    NAME_TRANSFER_ENCODING = 2
    NAME_CONNECTION = 3
    NAME_UPGRADE = 4
    NAME_FRAMING_LAST = 4       # up to here: decides framing, so never folded
    NAME_HOST = 5
    NAME_USER_AGENT = 6
    NAME_TE = 7
    NAME_EXPECT = 8
    NAME_KEEP_ALIVE = 9
    NAME_TRAILER = 10

# What is known about a name.
cdef enum:
    MARK_SENSITIVE = 1          # carries secrets: never cached, shown or logged
    MARK_FICKLE = 2             # hardly ever the same twice: not worth a place in the cache
    MARK_SINGLE = 4             # a list it is not: sent at most once (9110-5.3-a)
    MARK_END_TO_END = 8         # never a connection option (9110-7.6.1-b)


cdef struct Name:
    void *text                  # borrowed from Names.kept: the name in lower case, a str
    unsigned char count         # octets of it
    unsigned char kind          # NAME_
    unsigned char marks         # MARK_


cdef class Names:
    cdef Name[512] slots        # open addressing; never written after it was made
    cdef tuple kept             # owns the strings

    cdef Name *find(self, const unsigned char *lower, Py_ssize_t count) noexcept

# What is known about a name in lower case; NULL where it is not common.
cdef Name *find_name(const unsigned char *lower, Py_ssize_t count) noexcept


cdef struct Line:
    void *pair                  # owned: the finished (name, value)
    unsigned char *octets       # owned: the line as it came, without its end
    int count                   # octets of it
    int kind                    # NAME_


cdef class LineCache:
    cdef Line[64] lines         # 32 sets of two, the younger first

    cdef int keep(self, Py_ssize_t place, const unsigned char *line, Py_ssize_t count, tuple pair,
                  int kind) except -1


cdef struct StatusLine:
    int status                  # 100 to 599
    int minor                   # of HTTP/1.x
    Py_ssize_t reason           # where the reason phrase starts

# How much of the start of a status line is right: `count`, or the place of the first wrong octet.
cdef Py_ssize_t status_prefix(const unsigned char *line, Py_ssize_t count) noexcept nogil
cdef bint parse_status_line(const unsigned char *line, Py_ssize_t count,
                            StatusLine *made) noexcept nogil
# The finished pair, its kind in `kind`; None where the line is no field line.
cdef tuple field_of(LineCache cache, const unsigned char *line, Py_ssize_t count, int *kind)
# A line that is no field line, for a fault: what may be a secret is left out.
cdef str shown_line(const unsigned char *line, Py_ssize_t count)
# The pair with a folded line joined on; None where the line may not stand in a value.
cdef tuple folded(tuple pair, const unsigned char *line, Py_ssize_t count)
