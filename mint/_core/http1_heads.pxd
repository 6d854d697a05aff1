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
    NAME_SKIPPED = 11           # a line that is no field, and was passed over
    NAME_SKIPPED_SECRET = 12    # the same, where it may be a part of a secret
    NAME_UNSURE = 16            # added to one of the first four: its value is wrong, or it is folded

# What is known about a name.
cdef enum:
    MARK_SENSITIVE = 1          # carries secrets: never cached, shown or logged
    MARK_SINGLE = 2             # a list it is not: sent at most once (9110-5.3-a)
    MARK_END_TO_END = 4         # never a connection option (9110-7.6.1-b)


cdef struct Name:
    void *text                  # borrowed from COMMON: the name in lower case, a str
    const unsigned char *octets # borrowed from Names.kept: one way to spell it
    unsigned char count         # octets of it
    unsigned char kind          # NAME_
    unsigned char marks         # MARK_


cdef class Names:
    cdef Name[1024] slots       # open addressing; never written after it was made
    cdef list kept              # owns the spellings

    cdef int enter(self, str text, bytes spelling) except -1
    cdef const Name *find(self, const unsigned char *octets, Py_ssize_t count) noexcept nogil

# What is known about a name; NULL where it is not common, or spelled in no common way. Lower case is one.
cdef const Name *find_name(const unsigned char *octets, Py_ssize_t count) noexcept


cdef enum:
    CACHED_LINES = 128

cdef struct Line:
    void *pair                  # owned: the finished (name, value)
    unsigned char *octets       # owned: the line as it came, without its end
    int count                   # octets of it
    int kind                    # NAME_


cdef class LineCache:
    cdef Line[CACHED_LINES] lines   # sets of two, the younger first
    cdef Py_ssize_t held        # octets of all lines
    cdef frozenset secret       # lower-case names of the caller's that are never kept, or None
    cdef unsigned short[256] seen   # a line is kept when it comes again: marks of those that came once

    cdef int keep(self, Py_ssize_t place, const unsigned char *line, Py_ssize_t count, tuple pair,
                  int kind) except -1


cdef struct StatusLine:
    int status                  # 100 to 999
    int minor                   # of HTTP/1.x
    Py_ssize_t reason           # where the reason phrase starts

# How much of the start of a status line is right: `count`, or the place of the first wrong octet.
cdef Py_ssize_t status_prefix(const unsigned char *line, Py_ssize_t count) noexcept nogil
cdef bint parse_status_line(const unsigned char *line, Py_ssize_t count, int tolerance,
                            StatusLine *made) noexcept nogil
# How many octets are whole empty lines that are tolerated before a status line.
cdef Py_ssize_t empty_lines(const unsigned char *octets, Py_ssize_t count, int tolerance) noexcept nogil
# What keeps a line from being a status line.
cdef str status_line_cause(const unsigned char *line, Py_ssize_t count, int tolerance)
# A line that `field_of` takes for no field, under what is tolerated: the pair; None where the line is
# passed over; or, as text, what is wrong with it.
cdef object odd_field(const unsigned char *line, Py_ssize_t count, int tolerance, int *kind)
# Whether there is a NUL or a CR in it, which is never tolerated.
cdef bint is_broken(const unsigned char *line, Py_ssize_t count) noexcept nogil
# The finished pair, its kind in `kind`; None where the line is no field line.
cdef tuple field_of(LineCache cache, const unsigned char *line, Py_ssize_t count, int *kind)
# A line that is no field line, for a fault: what may be a secret is left out.
cdef str shown_line(const unsigned char *line, Py_ssize_t count, frozenset secret)
# The same, for a line that may go on with the value of a field before it, where there is one.
cdef str shown_bad_line(const unsigned char *line, Py_ssize_t count, bint folds, bint hides,
                        frozenset secret)
# The same for octets that belong to nothing, of any number of lines: the first alone where others may
# hold a secret.
cdef str shown_octets(const unsigned char *octets, Py_ssize_t count, frozenset secret)
# The pair with a folded line joined on; None where the line may not stand in a value.
cdef object folded(tuple pair, const unsigned char *line, Py_ssize_t count, int tolerance)
