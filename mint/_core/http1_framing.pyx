# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Where a body ends: the framing fields, and the table of rules. RFC 9112 6 and 9, RFC 9110 7.8.

Bodies are read elsewhere.
"""

cimport cython
from libc.string cimport strlen

from .chars cimport CHAR_TCHAR, CHAR_VALUE, char_class, char_hex, char_lower, is_blank
from .fields cimport (TOLERATE_CHUNK_SIZE_WHITESPACE, TOLERATE_IDENTITY_CODING,
                      TOLERATE_REPEATED_CHUNKED, parse_length)

cdef extern from "Python.h":
    unsigned char *PyUnicode_1BYTE_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)

cdef enum:
    COUNT_RULES = 12
    MOST_DIGITS = 16      # of a chunk size (9112-7.1-b)

# The first row that matches applies. Columns: the facts it depends on, those of them that must be true, how
# the body ends, whether the connection ends with it, and the rule. The documentation prints this table.
BODY_RULES: tuple = (
    (("101",), ("101",), "tunnel", False, "9110-15.2.2-a"),
    (("1xx",), ("1xx",), "interim", False, "9110-15.2-b"),
    (("2xx to CONNECT",), ("2xx to CONNECT",), "tunnel", False, "9112-6.3-b"),
    (("HEAD",), ("HEAD",), "none", False, "9112-6.3-a"),
    (("204 or 304",), ("204 or 304",), "none", False, "9112-6.3-a"),
    (("transfer-encoding", "content-length", "strict"),
     ("transfer-encoding", "content-length", "strict"), "conflict", True, "9112-6.3-c"),
    (("chunked is last", "content-length"),
     ("chunked is last", "content-length"), "chunked", True, "9112-6.3-c"),
    (("chunked is last", "HTTP/1.0"),
     ("chunked is last", "HTTP/1.0"), "chunked", True, "9112-6.1-f"),
    (("chunked is last",), ("chunked is last",), "chunked", False, "9112-6.3-d"),
    (("transfer-encoding",), ("transfer-encoding",), "until close", True, "9112-6.3-d"),
    (("content-length",), ("content-length",), "length", False, "9112-6.3-f"),
    ((), (), "until close", True, "9112-6.3-g"),
)
FACTS: dict = {
    "101": SEEN_SWITCHING, "1xx": SEEN_INTERIM, "HEAD": SEEN_HEAD, "204 or 304": SEEN_EMPTY,
    "2xx to CONNECT": SEEN_CONNECTED, "transfer-encoding": SEEN_TRANSFER,
    "chunked is last": SEEN_CHUNKED, "content-length": SEEN_LENGTH, "HTTP/1.0": SEEN_OLD,
    "strict": SEEN_STRICT,
}
BODIES: dict = {
    "interim": BODY_INTERIM, "tunnel": BODY_TUNNEL, "none": BODY_NONE, "chunked": BODY_CHUNKED,
    "length": BODY_LENGTH, "until close": BODY_UNTIL_CLOSE, "conflict": BODY_CONFLICT,
}


@cython.final
cdef class Rules:
    """The table of rules as C structs; never changed after it was made."""

    cdef Rule[COUNT_RULES] rows

    def __cinit__(self):
        for i, (looked, wanted, body, final, _) in enumerate(BODY_RULES):
            self.rows[i].mask = sum(FACTS[fact] for fact in looked)
            self.rows[i].want = sum(FACTS[fact] for fact in wanted)
            self.rows[i].body = BODIES[body]
            self.rows[i].final = final


cdef Rules RULES = Rules()


cdef const Rule *body_rule(int seen) noexcept:
    cdef int i = 0
    while seen & RULES.rows[i].mask != RULES.rows[i].want:   # the last row always matches
        i += 1
    return &RULES.rows[i]


cdef int next_token(const unsigned char *octets, Py_ssize_t count, Py_ssize_t *place,
                    Token *found) noexcept nogil:
    cdef Py_ssize_t i = place[0]
    cdef Py_ssize_t start
    while i < count and (octets[i] == c"," or is_blank(octets[i])):
        i += 1
    start = i
    while i < count and char_class[octets[i]] & CHAR_TCHAR:
        i += 1
    found.octets = octets + start
    found.count = i - start
    while i < count and is_blank(octets[i]):
        i += 1
    place[0] = i
    if i < count and octets[i] != c",":
        return -1
    return found.count != 0


cdef bint same_token(const Token *token, const char *lower) noexcept nogil:
    cdef Py_ssize_t i
    if token.count != <Py_ssize_t>strlen(lower):
        return False
    for i in range(token.count):
        if char_lower[token.octets[i]] != <unsigned char>lower[i]:
            return False
    return True


cdef int connection_facts(str value) noexcept:
    cdef Token token
    cdef Py_ssize_t place = 0
    cdef int seen = 0
    cdef int more
    while True:
        more = next_token(PyUnicode_1BYTE_DATA(value), PyUnicode_GET_LENGTH(value), &place, &token)
        if more <= 0:
            return seen if more == 0 else -1
        if same_token(&token, b"close"):
            seen |= SEEN_CLOSE
        elif same_token(&token, b"keep-alive"):
            seen |= SEEN_KEEP


cdef int transfer_facts(str value, int seen, int tolerance) noexcept:
    """Read a list of codings, in any case; a list may span several field lines (9112-6.1-g).

    With the tolerances, a second `chunked` directly after the first counts as the same coding, and `identity`
    before `chunked` is ignored.
    """
    cdef Token token
    cdef Py_ssize_t place = 0
    cdef int more
    cdef bint empty = True
    while True:
        more = next_token(PyUnicode_1BYTE_DATA(value), PyUnicode_GET_LENGTH(value), &place, &token)
        if more < 0:
            return -1
        if more == 0:
            return -2 if empty else seen
        empty = False
        if same_token(&token, b"chunked"):
            if seen & SEEN_ONCE and not (seen & SEEN_CHUNKED
                                         and tolerance & TOLERATE_REPEATED_CHUNKED):
                return -3
            seen |= SEEN_TRANSFER | SEEN_CHUNKED | SEEN_ONCE
        elif (tolerance & TOLERATE_IDENTITY_CODING and not seen & SEEN_ONCE
                and same_token(&token, b"identity")):
            continue
        else:
            # A coding applied after chunked hides where the chunks are.
            seen = (seen | SEEN_TRANSFER) & ~SEEN_CHUNKED


cdef long long length_fact(str value) noexcept:
    """Read 1*DIGIT, or a list that repeats the same number (9110-8.6-c)."""
    cdef const unsigned char *octets = PyUnicode_1BYTE_DATA(value)
    cdef Py_ssize_t count = PyUnicode_GET_LENGTH(value)
    cdef Py_ssize_t start = 0
    cdef Py_ssize_t end
    cdef Py_ssize_t stop
    cdef long long first = -1
    cdef long long number
    while True:
        stop = start
        while stop < count and octets[stop] != c",":
            stop += 1
        end = stop
        while start < end and is_blank(octets[start]):
            start += 1
        while end > start and is_blank(octets[end - 1]):
            end -= 1
        number = parse_length(octets + start, end - start)
        if number < 0:
            return -1
        if first >= 0 and number != first:
            return -2
        first = number
        if stop == count:
            return first
        start = stop + 1


cdef tuple protocols_of(str value):
    """Read a list of protocol-name ["/" protocol-version] (RFC 9110 7.8)."""
    cdef list made = []
    for member in value.split(","):
        text = member.strip(" \t")
        if not text:
            continue
        name, slash, version = text.partition("/")
        for part in ((name, version) if slash else (name,)):
            if not part or not all(char_class[<unsigned char>ord(mark)] & CHAR_TCHAR
                                   for mark in part):
                return None
        made.append(text.lower())
    return tuple(made)


cdef bint is_chunk_tail(const unsigned char *octets, Py_ssize_t count,
                        bint blanks) noexcept nogil:
    """Whether it is *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ) (9112-7.1-d).

    Whitespace at the end is allowed only with `blanks`.
    """
    cdef Py_ssize_t i = 0
    cdef Py_ssize_t start
    while True:
        start = i
        while i < count and is_blank(octets[i]):
            i += 1
        if i == count:
            return i == start or blanks
        if octets[i] != c";":
            return False
        i += 1
        while i < count and is_blank(octets[i]):
            i += 1
        start = i
        while i < count and char_class[octets[i]] & CHAR_TCHAR:
            i += 1
        if i == start:
            return False
        start = i
        while i < count and is_blank(octets[i]):
            i += 1
        if i == count or octets[i] != c"=":
            i = start
            continue
        i += 1
        while i < count and is_blank(octets[i]):
            i += 1
        start = i
        if i < count and octets[i] == c'"':
            i += 1
            while i < count and octets[i] != c'"':
                if octets[i] == c"\\":   # 9110-5.6.4-a
                    i += 1
                if i == count or not char_class[octets[i]] & CHAR_VALUE:
                    return False
                i += 1
            if i == count:
                return False
            i += 1
        else:
            while i < count and char_class[octets[i]] & CHAR_TCHAR:
                i += 1
            if i == start:
                return False


cdef str chunk_line_cause(const unsigned char *line, Py_ssize_t count, int tolerance,
                          unsigned long long *size):
    """Read chunk-size [ chunk-ext ] (9112-7.1-a, b, d)."""
    cdef Py_ssize_t i = 0
    while i < count and char_hex[line[i]] != 0xFF:
        if i < MOST_DIGITS:
            size[0] = (size[0] << 4) | char_hex[line[i]]
        i += 1
    if i == 0:
        return "it does not begin with a hexadecimal digit"
    if i > MOST_DIGITS or size[0] >> 63:
        return "the size is too large"
    if not is_chunk_tail(line + i, count - i, tolerance & TOLERATE_CHUNK_SIZE_WHITESPACE):
        return f"byte 0x{line[i]:02x} at position {i} does not begin a chunk extension"
    return None
