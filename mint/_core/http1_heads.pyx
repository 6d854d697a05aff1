# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""One line of a head: a status line, a field line or a folded line. RFC 9112 4 and 5, RFC 9110 5.

Common names are made only once, and a line that came before on this connection gives the same pair again.
Where lines begin and end, and what fields mean, is decided elsewhere.
"""

cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport uint64_t
from libc.string cimport memchr, memcmp, memcpy

from .chars cimport CHAR_DIGIT, char_class, char_lower, is_blank
from .fields cimport (TOLERATE_BARE_LF, TOLERATE_CONTROL_CHARACTERS, TOLERATE_EMPTY_LINES,
                      TOLERATE_NON_FIELD_LINES,
                      TOLERATE_SPACE_BEFORE_COLON, TOLERATE_STATUS_LINE_WHITESPACE,
                      name_is_sensitive, seems_secret, show)

cdef extern from "Python.h":
    object PyUnicode_New(Py_ssize_t size, Py_UCS4 maxchar)
    unsigned char *PyUnicode_1BYTE_DATA(object text)
    str PyUnicode_DecodeLatin1(const char *octets, Py_ssize_t count, const char *errors)

cdef enum:
    LONGEST_COMMON = 40      # most octets of a name in the table
    SHORTEST_CACHED = 9      # least octets of a line that is cached
    LONGEST_CACHED = 1024
    MOST_CACHED = 16384      # octets of all lines in one cache

# What a fault shows instead of a line that may contain a secret.
SECRET: str = "(a field that may hold a secret)"

KINDS: dict = {
    "content-length": NAME_CONTENT_LENGTH, "transfer-encoding": NAME_TRANSFER_ENCODING,
    "connection": NAME_CONNECTION, "upgrade": NAME_UPGRADE, "host": NAME_HOST,
    "user-agent": NAME_USER_AGENT, "te": NAME_TE, "expect": NAME_EXPECT,
    "keep-alive": NAME_KEEP_ALIVE, "trailer": NAME_TRAILER,
}
# 9110-5.3-a: fields that are not lists, and are sent at most once.
SINGLE: frozenset = frozenset(
    "host content-length content-type user-agent referer from authorization proxy-authorization"
    " max-forwards if-modified-since if-unmodified-since if-range".split())
# 9110-7.6.1-b: fields for all recipients of the content, which must not be connection options.
END_TO_END: frozenset = SINGLE - {"proxy-authorization"} | frozenset(
    "cache-control cookie set-cookie content-encoding date etag accept accept-encoding".split())
COMMON: tuple = tuple(
    "accept accept-charset accept-encoding accept-language accept-ranges"
    " access-control-allow-credentials access-control-allow-headers access-control-allow-methods"
    " access-control-allow-origin access-control-expose-headers access-control-max-age age allow"
    " alt-svc authentication-info authorization cache-control cdn-cache-control cf-cache-status"
    " cf-ray connection content-disposition content-encoding content-language content-length"
    " content-location content-md5 content-range content-security-policy"
    " content-security-policy-report-only content-type cookie cross-origin-embedder-policy"
    " cross-origin-opener-policy cross-origin-resource-policy date etag expect expect-ct expires"
    " from grpc-message grpc-status host if-match if-modified-since if-none-match if-range"
    " if-unmodified-since keep-alive last-modified link location max-forwards nel origin p3p"
    " permissions-policy pragma priority proxy-authenticate proxy-authentication-info"
    " proxy-authorization proxy-connection range ratelimit-limit ratelimit-remaining"
    " ratelimit-reset referer referrer-policy refresh report-to reporting-endpoints request-id"
    " retry-after server server-timing set-cookie source-map strict-transport-security"
    " surrogate-control te timing-allow-origin traceparent tracestate trailer transfer-encoding"
    " upgrade upgrade-insecure-requests user-agent vary via warning www-authenticate"
    " x-amz-cf-id x-amz-cf-pop x-amz-id-2 x-amz-request-id x-amzn-requestid x-amzn-trace-id"
    " x-aspnet-version x-cache x-cache-hits x-content-type-options x-correlation-id"
    " x-dns-prefetch-control x-download-options x-envoy-upstream-service-time x-forwarded-for"
    " x-forwarded-host x-forwarded-proto x-frame-options x-generator x-github-request-id"
    " x-permitted-cross-domain-policies x-powered-by x-ratelimit-limit x-ratelimit-remaining"
    " x-ratelimit-reset x-real-ip x-request-id x-robots-tag x-runtime x-served-by x-timer"
    " x-trace-id x-ua-compatible x-varnish x-xss-protection".split())


# Spellings other than lower-case and Capitalized-Words.
SPELLINGS: tuple = tuple(
    "ETag TE NEL P3P WWW-Authenticate X-XSS-Protection X-UA-Compatible CF-RAY CF-Ray CF-Cache-Status"
    " Content-MD5 X-DNS-Prefetch-Control X-AspNet-Version X-GitHub-Request-Id Expect-CT X-Request-ID"
    " X-Correlation-ID X-Amzn-RequestId".split())


cdef inline Py_ssize_t name_place(const unsigned char *octets, Py_ssize_t count) noexcept nogil:
    return (count * 31 + octets[0] * 7 + octets[count - 1] * 131 + octets[count >> 1] * 17
            + octets[count >> 2] * 61) & 1023


@cython.final
cdef class Names:
    """The common names, each made once, found by their common spellings."""

    def __cinit__(self):
        self.kept = []
        for text in COMMON:
            capital = "-".join([part.capitalize() for part in text.split("-")])
            for spelling in dict.fromkeys((text, capital)):
                self.enter(text, spelling.encode("ascii"))
        for spelling in SPELLINGS:
            # The text must be the object in COMMON, which keeps it alive.
            self.enter(COMMON[COMMON.index(spelling.lower())], spelling.encode("ascii"))

    cdef int enter(self, str text, bytes spelling) except -1:
        cdef const unsigned char *octets = spelling
        cdef Py_ssize_t count = len(spelling)
        cdef Py_ssize_t place = name_place(octets, count)
        self.kept.append(spelling)
        while self.slots[place].text != NULL:
            place = (place + 1) & 1023
        self.slots[place].text = <void *>text
        self.slots[place].octets = octets
        self.slots[place].count = <unsigned char>count
        self.slots[place].kind = KINDS.get(text, NAME_PLAIN)
        self.slots[place].marks = (
            (MARK_SENSITIVE if name_is_sensitive(text) else 0)
            | (MARK_SINGLE if text in SINGLE else 0)
            | (MARK_END_TO_END if text in END_TO_END else 0))
        return 0

    cdef const Name *find(self, const unsigned char *octets, Py_ssize_t count) noexcept nogil:
        cdef Py_ssize_t place
        if count == 0 or count > LONGEST_COMMON:
            return NULL
        place = name_place(octets, count)
        while self.slots[place].text != NULL:
            if (self.slots[place].count == count
                    and memcmp(self.slots[place].octets, octets, count) == 0):
                return &self.slots[place]
            place = (place + 1) & 1023
        return NULL


cdef Names NAMES = Names()


cdef const Name *find_name(const unsigned char *octets, Py_ssize_t count) noexcept:
    return NAMES.find(octets, count)


@cython.final
@cython.no_gc
cdef class LineCache:
    """The pairs of lines that came before, for one connection and its forks.

    It is bounded, and holds no sensitive and no long lines. Its pairs are equal to those that would be made
    without it.
    """

    cdef int keep(self, Py_ssize_t place, const unsigned char *line, Py_ssize_t count, tuple pair,
                  int kind) except -1:
        """Store the line as the first of its set; the one that was first becomes the second."""
        cdef Line *first = &self.lines[place]
        cdef Line *second = &self.lines[place + 1]
        cdef void *before = second.pair
        cdef unsigned char *copied
        if self.held + count - second.count > MOST_CACHED:
            return 0
        copied = <unsigned char *>PyMem_Malloc(count)
        if copied == NULL:
            raise MemoryError
        memcpy(copied, line, count)
        self.held += count - second.count
        PyMem_Free(second.octets)
        second[0] = first[0]
        Py_INCREF(pair)
        first.pair = <void *>pair
        first.octets = copied
        first.count = <int>count
        first.kind = kind
        if before != NULL:
            Py_DECREF(<object>before)
        return 0

    def __dealloc__(self):
        cdef int i
        for i in range(CACHED_LINES):
            if self.lines[i].pair != NULL:
                Py_DECREF(<object>self.lines[i].pair)
                PyMem_Free(self.lines[i].octets)


cdef enum:
    VALUE_HIGH = 1      # it has octets beyond ASCII
    VALUE_BAD = 2       # it has controls other than HTAB


cdef inline uint64_t controls_in(uint64_t word) noexcept nogil:
    """Return a word with the high bit of some octet set if any of the eight is a control, HTAB included."""
    cdef uint64_t delete = word ^ 0x7F7F7F7F7F7F7F7FULL
    return (((word - 0x2020202020202020ULL) & ~word)
            | ((delete - 0x0101010101010101ULL) & ~delete))


cdef inline int value_kind(const unsigned char *octets, Py_ssize_t count) noexcept nogil:
    """Return which kinds of octets a value has; reads eight at a time (9110-5.5-b, 9112-2.2-c)."""
    cdef uint64_t word
    cdef uint64_t high = 0
    cdef uint64_t bad = 0
    cdef Py_ssize_t i = 0
    cdef unsigned char octet
    while i + 8 <= count:
        memcpy(&word, octets + i, 8)
        high |= word
        bad |= controls_in(word)
        i += 8
    if i < count:
        word = 0x2020202020202020ULL
        if count >= 8:   # the last eight, some of which were read already
            memcpy(&word, octets + count - 8, 8)
        else:
            while i < count:
                word = (word << 8) | octets[i]
                i += 1
        high |= word
        bad |= controls_in(word)
    if bad & 0x8080808080808080ULL:
        for i in range(count):   # most likely only a tab
            octet = octets[i]
            if (octet < 0x20 and octet != 0x09) or octet == 0x7F:
                return VALUE_BAD
    return VALUE_HIGH if high & 0x8080808080808080ULL else 0


cdef const unsigned char *STATUS_START = b"HTTP/1."


cdef Py_ssize_t status_prefix(const unsigned char *line, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t i
    cdef Py_ssize_t most = count if count < 7 else 7
    for i in range(most):
        if line[i] != STATUS_START[i]:
            return i
    return count


cdef bint is_broken(const unsigned char *line, Py_ssize_t count) noexcept nogil:
    return memchr(line, 0, count) != NULL or memchr(line, c"\r", count) != NULL


cdef bint parse_status_line(const unsigned char *line, Py_ssize_t count, int tolerance,
                            StatusLine *made) noexcept nogil:
    """Parse HTTP/1.DIGIT SP 3DIGIT, then nothing or SP and a reason phrase (9112-2.3-a, 9112-4-a)."""
    cdef Py_ssize_t i = 8
    if count < 12 or memcmp(line, STATUS_START, 7) != 0 or not char_class[line[7]] & CHAR_DIGIT:
        return False
    if tolerance & TOLERATE_STATUS_LINE_WHITESPACE:
        while i < count and is_blank(line[i]):
            i += 1
    elif line[8] == c" ":
        i = 9
    if i == 8 or i + 3 > count or not (char_class[line[i]] & char_class[line[i + 1]]
                                       & char_class[line[i + 2]] & CHAR_DIGIT):
        return False
    made.minor = line[7] - c"0"
    made.status = (line[i] - c"0") * 100 + (line[i + 1] - c"0") * 10 + (line[i + 2] - c"0")
    if made.status < 100:   # 9110-15-b: callers treat a status above 599 as 5xx, as over HTTP/2
        return False
    i += 3
    made.reason = i
    if i == count:
        return True
    if line[i] != c" " and not (tolerance & TOLERATE_STATUS_LINE_WHITESPACE and line[i] == c"\t"):
        return False
    made.reason = i + 1
    # 9112-4-b: the reason is ignored, but must not have controls. It may begin with whitespace.
    return (value_kind(line + i, count - i) != VALUE_BAD
            or (tolerance & TOLERATE_CONTROL_CHARACTERS and not is_broken(line + i, count - i)))


cdef Py_ssize_t empty_lines(const unsigned char *octets, Py_ssize_t count, int tolerance) noexcept nogil:
    cdef Py_ssize_t i = 0
    if not tolerance & TOLERATE_EMPTY_LINES:
        return 0
    while i < count:
        if octets[i] == c"\r" and i + 1 < count and octets[i + 1] == c"\n":
            i += 2
        elif octets[i] == c"\n" and tolerance & TOLERATE_BARE_LF:
            i += 1
        else:
            break
    return i


cdef Py_ssize_t first_control(const unsigned char *line, Py_ssize_t start,
                              Py_ssize_t count) noexcept nogil:
    """Return the position of the first octet that is not allowed in a value; -1 if there is none."""
    cdef Py_ssize_t i
    for i in range(start, count):
        if (line[i] < 0x20 and line[i] != 0x09) or line[i] == 0x7F:
            return i
    return -1


cdef str status_line_cause(const unsigned char *line, Py_ssize_t count, int tolerance):
    cdef Py_ssize_t i = status_prefix(line, count)
    if i < count:
        return f"byte 0x{line[i]:02x} at position {i} does not belong to an HTTP/1 version"
    i = 8
    while i < count and is_blank(line[i]):
        i += 1
    if count < 12 or not char_class[line[7]] & CHAR_DIGIT or i == 8 or i + 3 > count:
        return "it does not begin with a version, a space and a three-digit status"
    if i > 9 and not tolerance & TOLERATE_STATUS_LINE_WHITESPACE:
        return "there is extra whitespace before the status"
    if not (char_class[line[i]] & char_class[line[i + 1]] & char_class[line[i + 2]] & CHAR_DIGIT
            and line[i] != c"0"):
        return "the status is not a three-digit number of at least 100"
    if i + 3 < count and not is_blank(line[i + 3]):
        return f"byte 0x{line[i + 3]:02x} at position {i + 3} follows the status instead of a space"
    i = first_control(line, i + 3, count)
    if i >= 0:
        return f"byte 0x{line[i]:02x} at position {i} is a control character"
    return "version, status and reason must be separated by single spaces"


cdef inline str text_of(const unsigned char *octets, Py_ssize_t count, int kind):
    """Return octets without controls as latin-1 text."""
    cdef object made
    if count < 2:   # the interpreter has made these strings already
        return PyUnicode_DecodeLatin1(<const char *>octets, count, NULL)
    made = PyUnicode_New(count, 0xFF if kind else 0x7F)
    memcpy(PyUnicode_1BYTE_DATA(made), octets, count)
    return <str>made


cdef str token_text(const unsigned char *octets, Py_ssize_t count):
    """Return a name in lower case; None if it is not a token (9110-5.1-a, 9112-5.1-a, b)."""
    cdef object made
    cdef unsigned char *written
    cdef unsigned char lower
    cdef Py_ssize_t i
    if count == 0:
        return None
    made = PyUnicode_New(count, 0x7F)
    written = PyUnicode_1BYTE_DATA(made)
    for i in range(count):
        lower = char_lower[octets[i]]
        if lower == 0:
            return None
        written[i] = lower
    return <str>made


cdef inline tuple parsed_field(const unsigned char *line, Py_ssize_t count, int *kind, int *marks):
    """Parse name ":" OWS value OWS; None if it is not valid (9112-5-a)."""
    cdef const unsigned char *colon = <const unsigned char *>memchr(line, c":", count)
    cdef Py_ssize_t start
    cdef Py_ssize_t end = count
    cdef const Name *known
    cdef str name
    cdef int found
    if colon == NULL:
        return None
    start = colon - line
    known = NAMES.find(line, start)
    if known == NULL:
        name = token_text(line, start)
        if name is None:
            return None
        known = NAMES.find(PyUnicode_1BYTE_DATA(name), start)
    if known != NULL:
        name = <str>known.text
        kind[0] = known.kind
        marks[0] = known.marks
    else:
        kind[0] = NAME_PLAIN
        marks[0] = 0
    start += 1
    while start < end and is_blank(line[start]):
        start += 1
    while end > start and is_blank(line[end - 1]):
        end -= 1
    found = value_kind(line + start, end - start)
    if found == VALUE_BAD:
        return None
    return (name, text_of(line + start, end - start, found))


cdef inline bint same_octets(const unsigned char *one, const unsigned char *two,
                             Py_ssize_t count) noexcept nogil:
    """Whether at least eight octets are equal; inline, unlike memcmp."""
    cdef uint64_t a
    cdef uint64_t b
    cdef Py_ssize_t i = 0
    while i + 8 < count:
        memcpy(&a, one + i, 8)
        memcpy(&b, two + i, 8)
        if a != b:
            return False
        i += 8
    memcpy(&a, one + count - 8, 8)
    memcpy(&b, two + count - 8, 8)
    return a == b


cdef tuple field_of(LineCache cache, const unsigned char *line, Py_ssize_t count, int *kind):
    cdef uint64_t head
    cdef uint64_t tail
    cdef Py_ssize_t place
    cdef unsigned short mark
    cdef Line *known
    cdef tuple pair = None
    cdef int marks = 0
    if count < SHORTEST_CACHED or count > LONGEST_CACHED:
        return parsed_field(line, count, kind, &marks)
    memcpy(&head, line, 8)
    memcpy(&tail, line + count - 8, 8)
    head = (head + <uint64_t>count) * 0x9E3779B97F4A7C15ULL
    head = ((head >> 32) ^ head ^ tail) * 0xC2B2AE3D27D4EB4FULL
    place = <Py_ssize_t>(head >> 58) << 1
    with cython.critical_section(cache):
        known = &cache.lines[place]
        if known.count != count or not same_octets(known.octets, line, count):
            known += 1
            if known.count != count or not same_octets(known.octets, line, count):
                known = NULL
        if known != NULL:
            kind[0] = known.kind
            pair = <tuple>known.pair
        else:
            pair = parsed_field(line, count, kind, &marks)
            if (pair is not None and not marks & MARK_SENSITIVE
                    and (cache.secret is None or pair[0] not in cache.secret)):
                mark = <unsigned short>(head >> 32) | 1
                if cache.seen[head >> 56] == mark:
                    cache.keep(place, line, count, pair, kind[0])
                else:
                    cache.seen[head >> 56] = mark
    return pair


cdef str shown_line(const unsigned char *line, Py_ssize_t count, frozenset secret):
    cdef str text = show(line[:min(count, 200)])
    return SECRET if seems_secret(text, secret) else text


cdef str shown_bad_line(const unsigned char *line, Py_ssize_t count, bint folds, bint hides,
                        frozenset secret):
    if folds and count and is_blank(line[0]):
        return "(a folded line)"
    return SECRET if hides else shown_line(line, count, secret)


cdef str shown_octets(const unsigned char *octets, Py_ssize_t count, frozenset secret):
    cdef str text = shown_line(octets, count, secret)
    cdef const unsigned char *end
    if text is not SECRET:
        return text
    end = <const unsigned char *>memchr(octets, c"\n", count)
    return SECRET if end == NULL else shown_line(octets, end - octets + 1, secret)


cdef bint seems_framing(const unsigned char *name, Py_ssize_t count) except -1:
    """Whether other software may read the name as one that decides where the message ends."""
    cdef list kept = [chr(name[i]).lower() for i in range(count) if chr(name[i]).isalpha()]
    return "".join(kept) in ("contentlength", "transferencoding")


cdef object odd_field(const unsigned char *line, Py_ssize_t count, int tolerance, int *kind):
    cdef const unsigned char *colon = <const unsigned char *>memchr(line, c":", count)
    cdef const Name *known
    cdef Py_ssize_t named = count if colon == NULL else colon - line
    cdef Py_ssize_t start = named + 1
    cdef Py_ssize_t end = count
    cdef Py_ssize_t i
    cdef str name
    if is_broken(line, count):
        for i in range(count):
            if line[i] == 0 or line[i] == c"\r":
                return f"byte 0x{line[i]:02x} at position {i} is not allowed in a field line"
    if colon != NULL and tolerance & TOLERATE_SPACE_BEFORE_COLON:
        while named > 0 and is_blank(line[named - 1]):
            named -= 1
    i = 0
    while i < named and char_lower[line[i]] != 0:
        i += 1
    if colon != NULL and 0 < i < named:
        end = i
        while end < named and is_blank(line[end]):
            end += 1
        if end == named:
            return "there is whitespace before the colon"
        end = count
    if colon == NULL or i < named or named == 0:
        if tolerance & TOLERATE_NON_FIELD_LINES and not seems_framing(line, named):
            kind[0] = NAME_SKIPPED
            return None
        if colon == NULL:
            return "it has no colon"
        if named == 0:
            return "the field name is empty"
        return f"byte 0x{line[i]:02x} at position {i} is not allowed in a field name"
    name = token_text(line, named)
    known = NAMES.find(PyUnicode_1BYTE_DATA(name), named)
    kind[0] = known.kind if known != NULL else NAME_PLAIN
    if not tolerance & TOLERATE_CONTROL_CHARACTERS:
        i = first_control(line, start, count)
        if i >= 0:
            return f"byte 0x{line[i]:02x} at position {i} is not allowed in the value of {name}"
    while start < end and is_blank(line[start]):
        start += 1
    while end > start and is_blank(line[end - 1]):
        end -= 1
    return (name, PyUnicode_DecodeLatin1(<const char *>line + start, end - start, NULL))


cdef object folded(tuple pair, const unsigned char *line, Py_ssize_t count, int tolerance):
    """Replace a fold by one space (9112-5.2-b); return as text what is wrong with the line."""
    cdef Py_ssize_t start = 0
    cdef Py_ssize_t end = count
    cdef int found
    cdef str more
    while start < end and is_blank(line[start]):
        start += 1
    while end > start and is_blank(line[end - 1]):
        end -= 1
    found = value_kind(line + start, end - start)
    if found == VALUE_BAD:
        if not tolerance & TOLERATE_CONTROL_CHARACTERS or is_broken(line, count):
            found = <int>first_control(line, 0, count)
            return f"byte 0x{line[found]:02x} at position {found} of a folded line is a control character"
        more = PyUnicode_DecodeLatin1(<const char *>line + start, end - start, NULL)
    else:
        more = text_of(line + start, end - start, found)
    if not more:
        return pair
    if not pair[1]:
        return (pair[0], more)
    return (pair[0], pair[1] + " " + more)
