# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Message rules: what requests may contain and what responses must contain.

Requests are checked completely before anything is encoded; a request that breaks a rule is refused, never
corrected. A response that breaks a rule is malformed, which is a stream error. RFC 9113 8, RFC 8441 4,
RFC 9110 8.6.
"""

cimport cython
from cpython.list cimport PyList_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM
from cpython.unicode cimport (PyUnicode_1BYTE_DATA, PyUnicode_1BYTE_KIND, PyUnicode_CheckExact,
                              PyUnicode_GET_LENGTH, PyUnicode_KIND)
from libc.string cimport memchr, memcmp

from .chars cimport (CHAR_DIGIT, CHAR_TCHAR, CHAR_URI, all_in, char_lower, is_blank,
                     value_is_clean)
from .faults cimport Fault, fault, refusal
from .fields cimport (TOLERATE_CONTROL_CHARACTERS, TOLERATE_SURROUNDING_WHITESPACE, WHY_NO_HOST,
                      WHY_NOT_TRAILERS, WHY_OTHER_HOST, check_pairs, exact, unfitting, method_fault,
                      name_fault, named_text, name_is_connection_specific, name_is_forbidden_in_trailers,
                      name_is_sensitive, name_octets, parse_length, pair_of, shown_name, shown_target,
                      target_fault, value_fault, without_secret)
from .frames cimport PROTOCOL_ERROR
from .hpack cimport MARK_NAME, MARK_VALUE

cdef extern from "Python.h":
    PyObject *PyList_GET_ITEM(object list, Py_ssize_t i)
    PyObject *PyTuple_GET_ITEM(object tuple, Py_ssize_t i)

cdef enum:
    FIELD_OVERHEAD = 32           # octets added to the size of each field (RFC 7541 4.1)

# Pairs that many requests share.
METHODS: dict = {name: (":method", name) for name in (
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")}
ROOT: tuple = (":path", "/")
NO_CONTENT: tuple = ("content-length", "0")

# Methods whose requests normally have content: without a body they send a content-length of 0 (9110-8.6).
WITH_CONTENT: frozenset = frozenset({"POST", "PUT", "PATCH"})

# The pseudo-headers that the caller may set for an extended CONNECT (8441-4-a).
CALLER_PSEUDO: frozenset = frozenset({":protocol", ":scheme", ":path", ":authority"})

# Fields that an extended CONNECT does not use (8441-5-b).
NOT_EXTENDED: frozenset = frozenset({"sec-websocket-key", "sec-websocket-accept"})


cdef inline const unsigned char *octets_of(str text) noexcept:
    return <const unsigned char *>PyUnicode_1BYTE_DATA(text)


cdef inline bint equals(str text, const char *name, Py_ssize_t count) noexcept:
    return PyUnicode_GET_LENGTH(text) == count and memcmp(octets_of(text), name, count) == 0


cdef enum:                        # fields to which a message rule applies
    PLAIN = 0
    PSEUDO = 1
    HOST = 2
    TE = 3
    COOKIE = 4
    CONTENT_LENGTH = 5
    USER_AGENT = 6
    CONNECTION = 7                # a connection-specific field
    EXPECT = 8
    SINGLE = 16                   # this and above: fields that are not lists, sent at most once (9110-5.3-a)
    SINGLE_AGENT = 25             # for user-agent, whose kind is USER_AGENT


cdef inline int kind_of(str name) noexcept:
    """Return the kind of field that a lower-case latin-1 name belongs to."""
    cdef const unsigned char *octets = octets_of(name)
    if octets[0] == c":":
        return PSEUDO
    cdef Py_ssize_t count = PyUnicode_GET_LENGTH(name)
    if count == 2:
        return TE if memcmp(octets, b"te", 2) == 0 else PLAIN
    if count == 4:
        if memcmp(octets, b"host", 4) == 0:
            return HOST
        return SINGLE if memcmp(octets, b"from", 4) == 0 else PLAIN
    if count == 6:
        if memcmp(octets, b"cookie", 6) == 0:
            return COOKIE
        return EXPECT if memcmp(octets, b"expect", 6) == 0 else PLAIN
    if count == 7:
        if memcmp(octets, b"upgrade", 7) == 0:
            return CONNECTION
        return SINGLE + 1 if memcmp(octets, b"referer", 7) == 0 else PLAIN
    if count == 8:
        return SINGLE + 2 if memcmp(octets, b"if-range", 8) == 0 else PLAIN
    if count == 10:
        if memcmp(octets, b"connection", 10) == 0 or memcmp(octets, b"keep-alive", 10) == 0:
            return CONNECTION
        return USER_AGENT if memcmp(octets, b"user-agent", 10) == 0 else PLAIN
    if count == 12:
        if memcmp(octets, b"content-type", 12) == 0:
            return SINGLE + 3
        return SINGLE + 4 if memcmp(octets, b"max-forwards", 12) == 0 else PLAIN
    if count == 13:
        return SINGLE + 5 if memcmp(octets, b"authorization", 13) == 0 else PLAIN
    if count == 14:
        return CONTENT_LENGTH if memcmp(octets, b"content-length", 14) == 0 else PLAIN
    if count == 16:
        return CONNECTION if memcmp(octets, b"proxy-connection", 16) == 0 else PLAIN
    if count == 17:
        if memcmp(octets, b"transfer-encoding", 17) == 0:
            return CONNECTION
        return SINGLE + 6 if memcmp(octets, b"if-modified-since", 17) == 0 else PLAIN
    if count == 19:
        if memcmp(octets, b"if-unmodified-since", 19) == 0:
            return SINGLE + 7
        return SINGLE + 8 if memcmp(octets, b"proxy-authorization", 19) == 0 else PLAIN
    return PLAIN


cdef inline bint stands_twice(Draft made, int kind) noexcept:
    """Whether a field that may be given only once was seen before; record that it was seen."""
    cdef unsigned int bit = 1U << (kind - SINGLE)
    cdef bint seen = made.single & bit != 0
    made.single |= bit
    return seen


cdef inline bint name_is_ready(str name) noexcept:
    """Whether a name is a lower-case token."""
    cdef Py_ssize_t count = PyUnicode_GET_LENGTH(name)
    cdef const unsigned char *octets
    cdef Py_ssize_t i
    if count == 0 or PyUnicode_KIND(name) != PyUnicode_1BYTE_KIND:
        return False
    octets = octets_of(name)
    for i in range(count):
        if char_lower[octets[i]] != octets[i] or octets[i] == 0:
            return False
    return True


cdef inline bint value_is_ready(str value) noexcept:
    """Whether a value may be sent: latin-1, no controls, no whitespace at either end (9113-8.2.1-b)."""
    cdef Py_ssize_t count = PyUnicode_GET_LENGTH(value)
    cdef const unsigned char *octets
    if PyUnicode_KIND(value) != PyUnicode_1BYTE_KIND:
        return False
    if count == 0:
        return True
    octets = octets_of(value)
    return (not is_blank(octets[0]) and not is_blank(octets[count - 1])
            and value_is_clean(octets, count))


cdef bint is_authority(str value) except -1:
    """Whether it can be a host with or without a port: no userinfo or other part of a URI (9113-8.3.1-b)."""
    return bool(value) and value.isascii() and not any(mark in value for mark in "@/?#\\, \t\"<>")


@cython.final
@cython.no_gc
@cython.freelist(4)
cdef class Draft:
    """A request that is checked before it is encoded."""


cdef inline int count_in(Draft made, tuple pair) noexcept:
    made.size += (PyUnicode_GET_LENGTH(<str>PyTuple_GET_ITEM(pair, 0))
                  + PyUnicode_GET_LENGTH(<str>PyTuple_GET_ITEM(pair, 1)) + FIELD_OVERHEAD)
    return 0


cdef Draft redacted(Draft made, Config config):
    """Remove secrets that the caller declared from the fault of a refused draft."""
    made.fault = without_secret(made.fault, config.sensitive)
    return made


cdef tuple ready_pair(Draft made, object item):
    """Return the caller's pair with its name in lower case; or set the fault and return None."""
    cdef str name
    cdef str value
    cdef str given
    cdef bytes lower
    if type(item) is tuple and PyTuple_GET_SIZE(item) == 2:
        first = <object>PyTuple_GET_ITEM(item, 0)
        second = <object>PyTuple_GET_ITEM(item, 1)
        if (PyUnicode_CheckExact(first) and PyUnicode_CheckExact(second) and name_is_ready(<str>first)
                and value_is_ready(<str>second)):
            return <tuple>item
    given, value = pair_of(item)
    if given[:1] == ":":
        lower = name_octets(given[1:])
        if lower is None or given[1:] != lower.decode("ascii"):
            made.fault = refusal("invalid_pseudo_header", shown_name(given, frozenset()),
                                 "is not a pseudo-header")
            return None
        name = given
    else:
        lower = name_octets(given)
        if lower is None:
            made.fault = name_fault(given)
            return None
        name = lower.decode("ascii")
    if not value_is_ready(value):
        made.fault = value_fault(name, value)
        return None
    return name, value


cdef Draft refused(Draft made, Fault why):
    made.fault = why
    return made


cdef Draft drafted(Config config, object given_method, object given_target, object headers,
                   long long total):
    cdef Draft made = Draft.__new__(Draft)
    cdef list fields
    cdef tuple pair
    cdef str name
    cdef str value
    cdef str host = None
    cdef dict given = None
    cdef int kind
    cdef int agent = -1
    made.declared = -1
    cdef str method = named_text("method", given_method)
    cdef str target = named_text("target", given_target)
    made.fault = method_fault(method)
    if made.fault is not None:
        return made
    made.is_head = equals(method, b"HEAD", 4)
    made.is_connect = equals(method, b"CONNECT", 7)
    pair = METHODS.get(method)
    fields = [(":method", method) if pair is None else pair]
    made.fields = fields
    # The places of :scheme, :path and :authority, which are set below.
    fields += (None, None, None)
    if config.pseudo[2] is not None:
        agent = 4
        fields.append(config.pseudo[2])
    check_pairs(headers)
    for item in headers:
        pair = ready_pair(made, item)
        if pair is None:
            return redacted(made, config)
        name = <str>pair[0]
        kind = kind_of(name)
        if kind == PLAIN or kind == COOKIE:
            fields.append(pair)
            continue
        if ((kind >= SINGLE and stands_twice(made, kind))
                or (kind == USER_AGENT and stands_twice(made, SINGLE_AGENT))):
            return refused(made, refusal("invalid_request_framing", name,
                                         "is given twice, but is not a list field"))
        value = <str>pair[1]
        if kind >= SINGLE:
            fields.append(pair)
        elif kind == EXPECT:
            if value.lower() == "100-continue":
                made.expects = True
            fields.append(pair)
        elif kind == USER_AGENT:
            if agent >= 0 and fields[agent] is config.pseudo[2]:
                fields[agent] = pair
            else:
                fields.append(pair)
        elif kind == CONNECTION:   # 9113-8.2.2-a
            return refused(made, refusal("connection_specific_header", name))
        elif kind == TE:   # 9113-8.2.2-c
            if value.lower() != "trailers":
                return refused(made, unfitting(name, value, WHY_NOT_TRAILERS))
            fields.append(pair)
        elif kind == HOST:   # 9113-8.3.1-a: sent as :authority
            if host is not None:
                return refused(made, refusal("invalid_request_framing", name, "is given twice"))
            if not is_authority(value):
                return refused(made, unfitting(name, value, WHY_NO_HOST))
            host = value
        elif kind == CONTENT_LENGTH:
            if made.declared >= 0:
                return refused(made, refusal("invalid_request_framing", name, "is given twice"))
            made.declared = parse_length(octets_of(value), PyUnicode_GET_LENGTH(value))
            if made.declared < 0:
                return refused(made, refusal("invalid_request_framing", name, "is not a decimal number"))
            fields.append(pair)
        else:
            if name not in CALLER_PSEUDO:
                return refused(made, refusal("invalid_pseudo_header", name, "cannot be given by the caller"))
            if given is None:
                given = {}
            if name in given:
                return refused(made, refusal("invalid_pseudo_header", name, "is given twice"))
            given[name] = value
    if made.is_connect or given is not None:
        made.fault = connect_pseudo(made, config, target, host, given, fields)
    else:
        made.fault = usual_pseudo(config, method, target, host, fields)
    if made.fault is None:
        made.fault = content_fault(made, config, method, total, fields)
    if made.fault is None:
        made.fault = length_fault(made, method, total, fields)
    if made.fault is not None:
        return made
    for pair in fields:
        count_in(made, pair)
    return made


cdef inline bint is_plain_path(str target) noexcept:
    """Whether a target is a path of URI characters without percent-encoding and fragment, as most are."""
    cdef Py_ssize_t count = PyUnicode_GET_LENGTH(target)
    cdef const unsigned char *octets = octets_of(target)
    return (PyUnicode_KIND(target) == PyUnicode_1BYTE_KIND and count > 0 and octets[0] == c"/"
            and all_in(octets, count, CHAR_URI) and memchr(octets, c"#", count) == NULL)


cdef Fault usual_pseudo(Config config, str method, str target, str host, list fields):
    """Set :scheme, :path and :authority of an ordinary request (9113-8.3.1-c, d)."""
    cdef Fault bad
    if target == "/":
        fields[2] = ROOT
    elif is_plain_path(target):
        fields[2] = (":path", target)
    else:
        bad = target_fault(method, target, config.skip_target_validation)
        if bad is not None:
            return bad
        if (octets_of(target)[0] != c"/" and octets_of(target)[0] != c"*"
                and not config.skip_target_validation):
            return refusal("invalid_request_target", method, shown_target(target), -1)
        fields[2] = (":path", target)
    fields[1] = config.pseudo[0]
    fields[3] = config.pseudo[1] if host is None else (":authority", host)
    return None


cdef Fault connect_pseudo(Draft made, Config config, str target, str host, dict given, list fields):
    """Set the pseudo-headers of CONNECT (9113-8.5-a) or extended CONNECT (8441-4-a)."""
    cdef Fault bad
    cdef str protocol
    cdef str path
    cdef str name
    if given is None or ":protocol" not in given:
        if given is not None:
            name = next(iter(given))
            return refusal("invalid_pseudo_header", name, "is allowed only together with :protocol")
        bad = target_fault("CONNECT", target, config.skip_target_validation)
        if bad is not None:
            return bad
        if host is not None and host.lower() != target.lower():
            return unfitting("host", host, WHY_OTHER_HOST)
        fields[1] = (":authority", target)
        del fields[2:4]
        return None
    if not made.is_connect:
        return refusal("invalid_pseudo_header", ":protocol", "is allowed only with CONNECT")
    made.is_extended = True
    protocol = given[":protocol"]
    if not protocol or not all_in(octets_of(protocol), PyUnicode_GET_LENGTH(protocol), CHAR_TCHAR):
        return refusal("invalid_pseudo_header", ":protocol", "is not a token")
    path = given.get(":path", target)
    bad = target_fault("GET", path, config.skip_target_validation)
    if bad is not None:
        return bad
    if not path.startswith("/") and not config.skip_target_validation:
        return refusal("invalid_request_target", "CONNECT", shown_target(path), -1)
    if given.get(":scheme", "https") not in ("http", "https"):
        return refusal("invalid_pseudo_header", ":scheme", "must be http or https")
    if not is_authority(given.get(":authority", config.authority)):
        return refusal("invalid_pseudo_header", ":authority", "is not a host with a port")
    if host is not None and host.lower() != given.get(":authority", host).lower():
        return unfitting("host", host, WHY_OTHER_HOST)
    for pair in fields[4:]:
        if pair[0] in NOT_EXTENDED:
            return refusal("invalid_header_name", pair[0], "", -1, 0, 1)
    fields[1] = (":scheme", given.get(":scheme", config.scheme))
    fields[2] = (":path", path)
    fields[3] = (":authority", given.get(":authority", config.authority if host is None else host))
    fields.insert(4, (":protocol", protocol))
    return None


cdef Fault content_fault(Draft made, Config config, str method, long long total, list fields):
    """Refuse content, or fields, that the method or the missing body does not allow."""
    # What follows CONNECT goes through the tunnel and is no content.
    if made.expects and (total == -2 or total == 0 or (made.is_connect and total < 0)):   # 9110-10.1.1-a
        return refusal("invalid_request_framing", "expect", "is given, but there is no content to send")
    if made.is_connect and not made.is_extended and (total >= 0 or made.declared >= 0):
        return refusal("invalid_request_framing", method, "must not be sent with content")
    if not equals(method, b"TRACE", 5):
        return None
    if total == -1 or total > 0:   # 9110-9.3.8-a
        return refusal("invalid_request_framing", method, "must not be sent with content")
    for name, _value in fields:
        if name_is_sensitive(name) or name in config.sensitive:
            return refusal("invalid_request_framing", name, "must not be sent with TRACE: it may be secret")
    return None


cdef Fault length_fault(Draft made, str method, long long total, list fields):
    """Refuse a content-length that differs from the body; add one if it is expected (9110-8.6)."""
    if total >= 0 and made.declared >= 0 and made.declared != total:
        return refusal("content_length_mismatch", "", "", total, made.declared)
    if made.declared > 0 and total == -2:
        return refusal("content_length_mismatch", "", "", 0, made.declared)
    if made.declared >= 0 or total == -1:
        return None
    if total >= 0:
        fields.append(("content-length", str(total)))
        made.declared = total
    elif method in WITH_CONTENT:
        fields.append(NO_CONTENT)
    return None


cdef Draft drafted_trailers(Config config, object headers):
    cdef Draft made = Draft.__new__(Draft)
    cdef tuple pair
    made.fields = []
    check_pairs(headers)
    for item in headers:
        pair = ready_pair(made, item)
        if pair is None:
            return redacted(made, config)
        if pair[0][0] == ":":   # 9113-8.1-b
            return refused(made, refusal("invalid_pseudo_header", pair[0], "is not allowed in trailers"))
        if name_is_forbidden_in_trailers(pair[0]):
            spelled = item[0] if isinstance(item, (tuple, list)) else pair[0]
            return refused(made, refusal("unallowed_trailing_header", exact(spelled)))
        made.fields.append(pair)
        count_in(made, pair)
    return made


cdef Fault malformed(str name, str value):
    return fault("malformed_response", name, value, 0, 0, PROTOCOL_ERROR)


cdef bint is_kept(str value) except -1:
    """Whether a value with controls may be kept: it has no NUL, CR or LF, and no whitespace at either end."""
    return not any(mark in value for mark in "\0\r\n") and value == value.strip(" \t")


cdef unsigned int corrected(list fields, unsigned int marks, int tolerance) except? 0xFFFFFFFF:
    """Correct values as far as the tolerances allow; return the marks of what is still wrong."""
    cdef Py_ssize_t i
    cdef str value
    if not marks & MARK_VALUE or not tolerance & (TOLERATE_SURROUNDING_WHITESPACE
                                                  | TOLERATE_CONTROL_CHARACTERS):
        return marks
    for i in range(len(fields)):
        name, value = fields[i]
        if value_is_ready(value):
            continue
        if tolerance & TOLERATE_SURROUNDING_WHITESPACE and name[:1] != ":":
            value = value.strip(" \t")
        if not value_is_ready(value) and not (tolerance & TOLERATE_CONTROL_CHARACTERS
                                              and is_kept(value)):
            return marks
        fields[i] = (name, value)
    return marks & ~<unsigned int>MARK_VALUE


cdef str value_cause(str value):
    """Return what is wrong with a value, without showing it."""
    cdef Py_ssize_t i
    for i in range(len(value)):
        if (value[i] < " " and value[i] != "\t") or value[i] == "\x7f":
            return f"has a value with byte 0x{ord(value[i]):02x} at position {i}, a control character"
    return ("has a value that begins with whitespace" if value[:1] in (" ", "\t")
            else "has a value that ends with whitespace")


cdef str name_cause(str name):
    cdef str rest = name[1:] if name[:1] == ":" else name
    cdef Py_ssize_t i
    for i in range(len(rest)):
        if not name_is_ready(rest[i]):
            return (f"has byte 0x{ord(rest[i]):02x} at position {i + len(name) - len(rest)}, which is not"
                    " allowed in a field name (those of HTTP/2 are in lower case)")
    return "is an empty field name"


cdef Fault marks_fault(list fields, frozenset secret):
    """Return the fault of the first field with a bad name or value (9113-8.2.1)."""
    cdef str name
    for name, _value in fields:
        if not name_is_ready(name[1:] if name[:1] == ":" else name):
            return malformed(shown_name(name, secret), name_cause(name))
    for name, value in fields:
        if not value_is_ready(value):
            return malformed(name, value_cause(value))
    return malformed("", "has an invalid field")


cdef long long agreed_length(str value) noexcept:
    """Return a content-length, or a list of equal ones, as a number; -1 if it is neither."""
    cdef const unsigned char *octets = octets_of(value)
    cdef Py_ssize_t count = PyUnicode_GET_LENGTH(value)
    cdef Py_ssize_t start = 0
    cdef Py_ssize_t end
    cdef Py_ssize_t last
    cdef long long number = -1
    cdef long long seen
    while start <= count:
        end = start
        while end < count and octets[end] != c",":
            end += 1
        last = end
        while start < last and is_blank(octets[start]):
            start += 1
        while last > start and is_blank(octets[last - 1]):
            last -= 1
        seen = parse_length(octets + start, last - start)
        if seen < 0 or (number >= 0 and seen != number):
            return -1
        number = seen
        start = end + 1
    return number


cdef long long crumbs_size(list fields) except -1:
    """Return the size of the joined value of the cookie fields of a request; 0 if there are not several."""
    cdef long long total = 0
    cdef int crumbs = 0
    cdef str name
    cdef str value
    for name, value in fields:
        if name == "cookie":
            crumbs += 1
            total += len(value) + 2
    return total - 2 if crumbs > 1 else 0


cdef tuple with_cookie_joined(list fields):
    """Return the fields of a request with its cookie fields joined into the first of them (9113-8.2.3-a)."""
    cdef list made = []
    cdef list crumbs = [value for name, value in fields if name == "cookie"]
    cdef bint put = False
    if len(crumbs) < 2:
        return tuple(fields)
    for pair in fields:
        if pair[0] != "cookie":
            made.append(pair)
        elif not put:
            made.append(("cookie", "; ".join(crumbs)))
            put = True
    return tuple(made)


cdef object response_head(list fields, unsigned int marks, Config config, Answer *head):
    cdef Py_ssize_t count = PyList_GET_SIZE(fields)
    cdef Py_ssize_t i
    cdef int kind
    cdef long long length
    cdef str name
    cdef str value
    cdef tuple pair
    cdef tuple made
    cdef const unsigned char *octets
    head.length = -1
    head.status = 0
    if marks & (MARK_NAME | MARK_VALUE):
        marks = corrected(fields, marks, config.tolerance)
        if marks & (MARK_NAME | MARK_VALUE):
            return marks_fault(fields, config.sensitive)
    if count:
        pair = <tuple>PyList_GET_ITEM(fields, 0)
    if count == 0 or not equals(<str>PyTuple_GET_ITEM(pair, 0), b":status", 7):
        for other in fields:
            if other[0] == ":status":   # 9113-8.3-b
                return malformed(":status", "comes after another field")
        return fault("missing_status_header", ":status", "", 0, 0, PROTOCOL_ERROR)
    value = <str>PyTuple_GET_ITEM(pair, 1)
    octets = octets_of(value)
    if PyUnicode_GET_LENGTH(value) != 3 or not all_in(octets, 3, CHAR_DIGIT) or octets[0] == c"0":
        return malformed(":status", "is not a three-digit number")   # 9113-8.3.2-a
    head.status = (octets[0] - 48) * 100 + (octets[1] - 48) * 10 + octets[2] - 48
    if head.status == 101:
        return malformed(":status", "101 is not allowed in HTTP/2")   # 9113-8.3.2-b
    made = PyTuple_New(count - 1)
    for i in range(1, count):
        pair = <tuple>PyList_GET_ITEM(fields, i)
        Py_INCREF(pair)
        PyTuple_SET_ITEM(made, i - 1, pair)
        name = <str>PyTuple_GET_ITEM(pair, 0)
        kind = kind_of(name)
        if kind == PLAIN:
            continue
        if kind == PSEUDO:   # 9113-8.3-a, b
            return malformed(name, "is repeated, misplaced, or not a pseudo-header of responses")
        if kind == CONNECTION:   # 9113-8.2.2-b
            return malformed(name, "is allowed only in HTTP/1")
        if kind == TE:   # 9113-8.2.2-c
            return malformed(name, "is allowed only in requests")
        if kind == CONTENT_LENGTH:
            value = <str>PyTuple_GET_ITEM(pair, 1)
            length = agreed_length(value)
            if length < 0 or (head.length >= 0 and head.length != length):
                return malformed(name, "is not a number, or has different values")
            head.length = length
    return made


cdef object response_trailers(list fields, unsigned int marks, Config config):
    cdef list made = []
    cdef str name
    if marks & (MARK_NAME | MARK_VALUE):
        marks = corrected(fields, marks, config.tolerance)
        if marks & (MARK_NAME | MARK_VALUE):
            return marks_fault(fields, config.sensitive)
    for pair in fields:
        name = pair[0]
        if octets_of(name)[0] == c":":   # 9113-8.1-b
            return malformed(name, "is a pseudo-header in trailers")
        if name_is_connection_specific(name):
            return malformed(name, "is allowed only in HTTP/1")
        if name == "te":   # 9113-8.2.2-c
            return malformed(name, "is allowed only in requests")
        if not name_is_forbidden_in_trailers(name):
            made.append(pair)
    return tuple(made)


cdef str origin_of(str written, str scheme):
    """Return an authority for comparison: in lower case and without the default port (9110-4.2.3-a)."""
    host, colon, port = written.lower().rpartition(":")
    if not colon or "]" in port:
        return written.lower()
    if not port or port.lstrip("0") == ("443" if scheme == "https" else "80"):
        return host
    return f"{host}:{port}"


cdef Fault promise_fault(Config config, list fields, unsigned int marks, bint *is_head):
    """Refuse a promised request that is incomplete, unsafe, with content or for another origin (9113-8.4)."""
    cdef dict pseudo = {}
    cdef bint regular = False
    cdef str name
    cdef str value
    is_head[0] = False
    if marks & (MARK_NAME | MARK_VALUE):
        marks = corrected(fields, marks, config.tolerance)
        if marks & (MARK_NAME | MARK_VALUE):
            return marks_fault(fields, config.sensitive)
    for name, value in fields:
        if octets_of(name)[0] == c":":
            if regular or name in pseudo:
                return malformed(name, "is repeated or misplaced")
            if name not in (":method", ":scheme", ":path", ":authority"):
                return malformed(name, "is not a pseudo-header of requests")
            pseudo[name] = value
            continue
        regular = True
        if name_is_connection_specific(name):
            return malformed(name, "is allowed only in HTTP/1")
        if name == "te" and value.lower() != "trailers":   # 9113-8.2.2-c
            return malformed(name, "must be 'trailers'")
        if name == "content-length" and value != "0":
            return malformed(name, "a promised request must not have content")
    if pseudo.get(":method") not in ("GET", "HEAD"):   # 9113-8.4-a
        return malformed(":method", "a promised request must use GET or HEAD")
    if pseudo.get(":scheme", "").lower() != config.scheme:   # 9113-8.4-b
        return malformed(":scheme", "a promised request must have the scheme of this connection")
    if (not pseudo.get(":authority")
            or origin_of(pseudo[":authority"], config.scheme) != origin_of(config.authority, config.scheme)):
        return malformed(":authority", "a promised request must be for the origin of this connection")
    if not pseudo.get(":path", "").startswith("/"):
        return malformed(":path", "must be a path")
    is_head[0] = pseudo[":method"] == "HEAD"
    return None
