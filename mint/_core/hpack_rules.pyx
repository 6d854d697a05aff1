# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True, linetrace=True
"""What HPACK knows of fields: the static table, and which fields are worth a place in a table.

RFC 7541 7.1, appendix A. Constants, and decisions that depend on one field alone.
"""

from cpython.unicode cimport PyUnicode_GET_LENGTH

from .fields cimport name_is_sensitive
from .hpack_octets cimport octets_of

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

# Fields that rarely repeat their value: they would only push out of the table what does.
UNREPEATED: frozenset = frozenset({
    ":path", "age", "content-length", "content-range", "etag", "if-match", "if-modified-since",
    "if-none-match", "if-range", "if-unmodified-since", "last-modified", "location", "range",
})

# Parts of unknown names that say: this is a secret (7541-7.1-a).
SECRET_PARTS: frozenset = frozenset({
    "apikey", "auth", "authorization", "cookie", "credential", "credentials", "csrf", "jwt", "key",
    "otp", "password", "secret", "session", "sid", "signature", "token", "xsrf",
})


cdef tuple static_table():
    return STATIC


cdef int policy_of_known(str name) except -1:
    """How to represent a field whose name is in the static table."""
    if name_is_sensitive(name):
        return NEVER_INDEXED
    return UNINDEXED if name in UNREPEATED else INDEXED


cdef bint names_a_secret(str name):
    """Whether a part of an unknown name says that its value is a secret."""
    cdef str part
    if name_is_sensitive(name):
        return True
    for part in name.split("-"):
        if part in SECRET_PARTS:
            return True
    return False


cdef bint looks_random(const unsigned char *octets, Py_ssize_t count) noexcept:
    """Whether a value looks drawn, as keys, identifiers and digests do: long, without gaps, and
    changing between digits, upper and lower case all the time, or made of digits only."""
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


cdef int policy_of_unknown(str name, str value) except -1:
    """How to represent a field whose name is not in the static table (7541-7.1-a)."""
    if names_a_secret(name):
        return NEVER_INDEXED
    if looks_random(octets_of(<void *>value), PyUnicode_GET_LENGTH(value)):
        return UNINDEXED
    return INDEXED
