# Parsing one line of a message head: the status line, or a field line.


# The fields that have a meaning for the engine; every other field is NAME_PLAIN.
cdef enum:
    NAME_PLAIN = 0
    NAME_CONTENT_LENGTH = 1
    NAME_TRANSFER_ENCODING = 2
    NAME_CONNECTION = 3
    NAME_UPGRADE = 4
    NAME_FRAMING_LAST = 4       # up to here: fields for framing, which must not be folded
    NAME_HOST = 5
    NAME_USER_AGENT = 6
    NAME_TE = 7
    NAME_EXPECT = 8
    NAME_KEEP_ALIVE = 9
    NAME_TRAILER = 10
    NAME_SKIPPED = 11           # a line that is not a field and was skipped
    NAME_SKIPPED_SECRET = 12    # the same; the line may be part of a secret
    NAME_UNSURE = 16            # added to one of the first four: its value is wrong, or the field is folded

# What is known about a name.
cdef enum:
    MARK_SENSITIVE = 1          # carries secrets: never cached, shown or logged
    MARK_SINGLE = 2             # not a list field: sent at most once (9110-5.3-a)
    MARK_END_TO_END = 4         # must not be a connection option (9110-7.6.1-b)


cdef struct Name:
    void *text                  # borrowed from COMMON: the name in lower case, a str
    const unsigned char *octets # borrowed from Names.kept: one spelling of it
    unsigned char count         # octets of the spelling
    unsigned char kind          # NAME_
    unsigned char marks         # MARK_


cdef class Names:
    cdef Name[1024] slots       # hash table with open addressing; never changed after it was made
    cdef list kept              # owns the spellings

    cdef int enter(self, str text, bytes spelling) except -1
    cdef const Name *find(self, const unsigned char *octets, Py_ssize_t count) noexcept nogil

# What is known about a name; NULL if the name or its spelling is not common. Lower case is a common spelling.
cdef const Name *find_name(const unsigned char *octets, Py_ssize_t count) noexcept


cdef enum:
    CACHED_LINES = 128

cdef struct Line:
    void *pair                  # owned: the (name, value) tuple
    unsigned char *octets       # owned: the line as received, without its end
    int count                   # octets of the line
    int kind                    # NAME_


cdef class LineCache:
    cdef Line[CACHED_LINES] lines   # sets of two, the newer line first
    cdef Py_ssize_t held        # octets of all lines
    cdef frozenset secret       # lower-case names that the caller declared secret, never cached; or None
    cdef unsigned short[256] seen   # hashes of lines that came once: a line is cached when it comes again

    cdef int keep(self, Py_ssize_t place, const unsigned char *line, Py_ssize_t count, tuple pair,
                  int kind) except -1


cdef struct StatusLine:
    int status                  # 100 to 999
    int minor                   # of HTTP/1.x
    Py_ssize_t reason           # where the reason phrase starts

# How much of the start of a status line is right: `count`, or the position of the first wrong octet.
cdef Py_ssize_t status_prefix(const unsigned char *line, Py_ssize_t count) noexcept nogil
cdef bint parse_status_line(const unsigned char *line, Py_ssize_t count, int tolerance,
                            StatusLine *made) noexcept nogil
# The size of the complete empty lines that are tolerated before a status line, in octets.
cdef Py_ssize_t empty_lines(const unsigned char *octets, Py_ssize_t count, int tolerance) noexcept nogil
# What is wrong with a line that is not a status line.
cdef str status_line_cause(const unsigned char *line, Py_ssize_t count, int tolerance)
# Handle a line that `field_of` does not accept, with the tolerances: return the pair, None if the line is
# skipped, or as text what is wrong with it.
cdef object odd_field(const unsigned char *line, Py_ssize_t count, int tolerance, int *kind)
# Whether a line contains a NUL or a CR, which is never tolerated.
cdef bint is_broken(const unsigned char *line, Py_ssize_t count) noexcept nogil
# The (name, value) pair of a field line, with its kind in `kind`; None if the line is not a valid field line.
cdef tuple field_of(LineCache cache, const unsigned char *line, Py_ssize_t count, int *kind)
# A line that is not a field line, as a fault may show it: without anything that may be a secret.
cdef str shown_line(const unsigned char *line, Py_ssize_t count, frozenset secret)
# The same for a line that may continue the value of a field: if `folds`, it continues one if it begins with
# whitespace; if `hides`, it may be part of a secret.
cdef str shown_bad_line(const unsigned char *line, Py_ssize_t count, bint folds, bint hides,
                        frozenset secret)
# The same for unexpected octets of any number of lines: only the first line if others may contain a secret.
cdef str shown_octets(const unsigned char *octets, Py_ssize_t count, frozenset secret)
# The pair with a folded line appended; or, as text, what is wrong with the line.
cdef object folded(tuple pair, const unsigned char *line, Py_ssize_t count, int tolerance)
