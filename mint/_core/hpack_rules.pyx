# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""What HPACK knows about fields: the static table, and which fields should be added to the dynamic table.

RFC 7541 7.1, appendix A. The decisions depend only on the field itself.
"""

cimport cython
from cpython.unicode cimport PyUnicode_GET_LENGTH
from libc.stdint cimport uint32_t
from libc.string cimport memcmp, memset, strlen

from .fields cimport name_is_sensitive
from .hpack_octets cimport MARK_PSEUDO, hash_of, octets_of, same_text

cdef extern from *:
    """
    /* Parts of unknown names that suggest a secret (7541-7.1-a). */
    static const char *mint_secret_parts[] = {
        "apikey", "auth", "authentication", "authorization", "cookie", "credential", "credentials",
        "csrf", "jwt", "otp", "password", "secret", "session", "sid", "signature", "token",
        "xsrf", NULL};
    /* Ends of unknown names that suggest a secret. */
    static const char *mint_secret_ends[] = {
        "access-key", "account-key", "api-key", "private-key", "secret-key", "subscription-key", NULL};
    /* Ends of unknown names that suggest an identifier of a message: a new value each time, and no secret. */
    static const char *mint_number_ends[] = {
        "correlation-id", "request-id", "span-id", "trace-id", "transaction-id", "traceparent", NULL};
    """
    const char **mint_secret_parts
    const char **mint_secret_ends
    const char **mint_number_ends

# RFC 7541 appendix A, index 1 first.
STATIC: tuple = tuple((name, value) for name, *values in (
    (":authority", ""), (":method", "GET", "POST"), (":path", "/", "/index.html"),
    (":scheme", "http", "https"), (":status", "200", "204", "206", "304", "400", "404", "500"),
    ("accept-charset", ""), ("accept-encoding", "gzip, deflate"), ("accept-language", ""),
    ("accept-ranges", ""), ("accept", ""), ("access-control-allow-origin", ""), ("age", ""),
    ("allow", ""), ("authorization", ""), ("cache-control", ""), ("content-disposition", ""),
    ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""),
    ("date", ""), ("etag", ""), ("expect", ""), ("expires", ""), ("from", ""), ("host", ""),
    ("if-match", ""), ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""),
    ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""),
    ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""),
    ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""),
    ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""),
    ("via", ""), ("www-authenticate", ""),
) for value in values)

# Fields that rarely repeat their value: they would only evict fields that do.
UNREPEATED: frozenset = frozenset({
    ":path", "age", "content-length", "content-range", "etag", "if-match", "if-modified-since",
    "if-none-match", "if-range", "if-unmodified-since", "last-modified", "location", "range",
})

cdef enum:
    SCHEME_SIZE = 7      # octets of "Bearer "
    LONG_TOKEN = 40      # least characters of a token that cannot be guessed
    DIFFERENT = 10       # least number of distinct characters in it

cdef int policy_of_known(str name) except -1:
    """Return how to represent a field whose name is in the static table."""
    if name_is_sensitive(name):
        return NEVER_INDEXED
    return UNINDEXED if name in UNREPEATED else INDEXED


@cython.final
cdef class Statics:
    """The static table, in the form that the decoder and the encoder use; STATIC owns what it points to."""

    def __cinit__(self):
        cdef Py_ssize_t index
        cdef uint32_t slot
        cdef str name
        for index, pair in enumerate(STATIC, 1):
            name = pair[0]
            self.entries[index].pair = <void *>pair
            self.entries[index].note = MARK_PSEUDO if name[0] == ":" else 0
            self.entries[index].size = <unsigned int>(len(name) + len(pair[1]) + 32)
            slot = hash_of(<void *>name) & (KNOWN_SLOTS - 1)
            while (self.known[slot].name != NULL
                   and not same_text(self.known[slot].name, <void *>name)):
                slot = (slot + 1) & (KNOWN_SLOTS - 1)
            if self.known[slot].name == NULL:
                self.known[slot].name = <void *>name
                self.known[slot].index = <int>index
                self.known[slot].policy = policy_of_known(name)
            self.known[slot].count += 1


STATICS: Statics = Statics()


cdef Statics static_table():
    return <Statics>STATICS


cdef bint is_secret_part(const unsigned char *octets, Py_ssize_t count) noexcept:
    cdef int i = 0
    while mint_secret_parts[i] != NULL:
        if (mint_secret_parts[i][0] == octets[0] and <Py_ssize_t>strlen(mint_secret_parts[i]) == count
                and memcmp(mint_secret_parts[i], octets, count) == 0):
            return True
        i += 1
    return False


cdef bint ends_like(const unsigned char *octets, Py_ssize_t count, const char **ends) noexcept:
    """Whether a name ends with one of these."""
    cdef Py_ssize_t length
    cdef int i = 0
    while ends[i] != NULL:
        length = strlen(ends[i])
        if length <= count and memcmp(ends[i], octets + count - length, length) == 0:
            return True
        i += 1
    return False


cdef bint names_a_secret(const unsigned char *octets, Py_ssize_t count) noexcept:
    """Whether an unknown name suggests that its value is a secret."""
    cdef Py_ssize_t start = 0
    cdef Py_ssize_t at
    for at in range(count + 1):
        if at == count or octets[at] == c"-":
            if at - start >= 3 and is_secret_part(octets + start, at - start):
                return True
            start = at + 1
    return ends_like(octets, count, mint_secret_ends)


cdef bint looks_random(const unsigned char *octets, Py_ssize_t count) noexcept:
    """Whether a value looks random, like a key, an identifier or a digest.

    Such a value is long, has no separators, and consists of digits only or often changes between digits,
    upper case and lower case.
    """
    cdef Py_ssize_t changes = 0
    cdef Py_ssize_t digits = 0
    cdef Py_ssize_t i
    cdef int kind
    cdef int before = 0
    if count < 16:
        return False
    for i in range(count):
        if c"0" <= octets[i] <= c"9":
            kind = 1
            digits += 1
        elif c"a" <= octets[i] <= c"z":
            kind = 2
        elif c"A" <= octets[i] <= c"Z":
            kind = 3
        elif octets[i] <= 0x22 or octets[i] == c"," or octets[i] == c";":
            return False
        else:
            continue
        changes += before != 0 and kind != before
        before = kind
    return 4 * changes >= count or digits == count


cdef int policy_of_unknown(str name, str value) noexcept:
    """Return how to represent a field whose name is not in the static table (7541-7.1-a)."""
    cdef const unsigned char *octets = octets_of(<void *>name)
    cdef Py_ssize_t count = PyUnicode_GET_LENGTH(name)
    if names_a_secret(octets, count):
        return NEVER_INDEXED
    if ends_like(octets, count, mint_number_ends):   # a new value each time, and no secret
        return NAME_INDEXED
    if looks_random(octets_of(<void *>value), PyUnicode_GET_LENGTH(value)):
        return UNINDEXED
    return INDEXED


cdef bint is_long_credential(str name, str value) noexcept:
    """Whether a field holds a bearer token that is too long to be guessed.

    RFC 7541 7.1.3 keeps short secrets and those with little entropy out of tables, because an attacker who
    can make requests on the same connection and see their size can test guesses. A guess matches only as a
    whole, so a token of 40 characters, with at least 10 different ones, cannot be found.
    """
    cdef const unsigned char *octets = octets_of(<void *>value)
    cdef Py_ssize_t count = PyUnicode_GET_LENGTH(value)
    cdef Py_ssize_t named = PyUnicode_GET_LENGTH(name)
    cdef const unsigned char *spelt = octets_of(<void *>name)
    cdef bint[256] seen
    cdef int different = 0
    cdef Py_ssize_t i
    if not ((named == 13 and memcmp(spelt, b"authorization", 13) == 0)
            or (named == 19 and memcmp(spelt, b"proxy-authorization", 19) == 0)):
        return False
    if count < SCHEME_SIZE + LONG_TOKEN:
        return False
    for i in range(SCHEME_SIZE - 1):
        if octets[i] | 0x20 != (<const unsigned char *>b"bearer")[i]:
            return False
    if octets[SCHEME_SIZE - 1] != c" ":
        return False
    memset(seen, 0, sizeof(seen))
    for i in range(SCHEME_SIZE, count):
        if octets[i] <= c" " or octets[i] >= 0x7F:
            return False
        different += not seen[octets[i]]
        seen[octets[i]] = True
    return different >= DIFFERENT
