# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Rules about fields that both protocols share: what may be sent, what is secret, what trailers may contain.

RFC 9110 5, 6.5.1, 7.1, 7.2, 8.6; RFC 9112 3.2; RFC 9113 8.2.2, 8.3.1. Messages are written elsewhere.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport (PyUnicode_1BYTE_DATA, PyUnicode_1BYTE_KIND, PyUnicode_CheckExact,
                              PyUnicode_DecodeLatin1, PyUnicode_GET_LENGTH, PyUnicode_KIND)

from libc.string cimport memcpy

from .chars cimport (CHAR_DIGIT, CHAR_HEX, CHAR_TCHAR, CHAR_URI, CHAR_VALUE, all_in, char_class, char_lower,
                     is_blank, value_is_clean)
from .faults cimport Fault, refusal

# Fields that carry secrets: their values never appear in logs, repr, error messages, HPACK tables or caches.
SENSITIVE: frozenset = frozenset({
    "authorization", "proxy-authorization", "cookie", "set-cookie",
    "proxy-authenticate", "www-authenticate", "authentication-info", "proxy-authentication-info",
})

# RFC 9113 8.2.2: connection-specific fields, which HTTP/2 does not allow.
CONNECTION_SPECIFIC: frozenset = frozenset({
    "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade",
})

# RFC 9110 6.5.1: fields for framing, routing, authentication, request modifiers and content description.
FORBIDDEN_IN_TRAILERS: frozenset = CONNECTION_SPECIFIC | frozenset({
    "content-encoding", "content-length", "content-range", "content-type", "trailer",
    "cache-control", "expect", "host", "max-forwards", "pragma", "range", "te", "if-match",
    "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "authorization",
    "proxy-authenticate", "proxy-authorization", "www-authenticate", "cookie", "set-cookie", "age",
    "expires", "date", "location", "retry-after", "vary", "warning",
})

# The names of the bits of a tolerance, the lowest bit first.
TOLERANCES: tuple = (
    # tolerances: made by ci/generated.py
    "bare_lf",
    "space_before_colon",
    "non_field_lines",
    "control_characters",
    "surrounding_whitespace",
    "repeated_chunked",
    "length_beside_chunked",
    "status_line_whitespace",
    "identity_coding",
    "malformed_connection",
    "empty_lines",
    "chunk_size_whitespace",
    # end of tolerances
)

# The letters and digits of the names in SENSITIVE, to find such a name in text that is not a valid name.
SENSITIVE_LETTERS: frozenset = frozenset([name.replace("-", "") for name in SENSITIVE])

DEFAULT_PORTS: dict = {"http": 80, "https": 443}


cdef bint is_latin1(str text) noexcept:
    return PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND


cdef str named_text(str name, object text):
    """Return the text of an argument as an exact `str`; an error names the argument."""
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a str, not {type(text).__name__}")
    return exact(text)


cdef str exact(object text):
    """Return text as an exact `str`, not a subclass such as a `StrEnum`: no code of the caller runs later."""
    if PyUnicode_CheckExact(text):
        return <str>text
    if not isinstance(text, str):
        raise TypeError(f"text in a message must be str, not {type(text).__name__}")
    return str.__str__(text)


cdef Fault method_fault(str method):
    """Refuse a method that is empty or not a token (9112-3.1-a)."""
    cdef Py_ssize_t count = PyUnicode_GET_LENGTH(method)
    if (count == 0 or not is_latin1(method)
            or not all_in(<const unsigned char *>PyUnicode_1BYTE_DATA(method), count, CHAR_TCHAR)):
        return refusal("invalid_request_method", "", method)
    return None


cdef bint is_uri_text(str target) noexcept:
    """Whether every octet is a URI character or part of a percent-encoded octet."""
    cdef const unsigned char *octets
    cdef Py_ssize_t i = 0
    cdef Py_ssize_t count = PyUnicode_GET_LENGTH(target)
    if not is_latin1(target):
        return False
    octets = <const unsigned char *>PyUnicode_1BYTE_DATA(target)
    while i < count:
        if char_class[octets[i]] & CHAR_URI:
            i += 1
        elif (octets[i] == c"%" and i + 2 < count and char_class[octets[i + 1]] & CHAR_HEX
                and char_class[octets[i + 2]] & CHAR_HEX):
            i += 3
        else:
            return False
    return True


cdef bint is_authority_form(str target) except -1:
    """Whether it is host:port and nothing else, with a port (9112-3.2.3-a, 9110-9.3.6-a)."""
    host, colon, port = target.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or len(port) > 5:
        return False
    if int(port) > 65535:
        return False
    return is_uri_host(host)


cdef bint is_uri_host(str host) except -1:
    """Whether URI characters form an IP literal in brackets or a name (RFC 3986 3.2.2)."""
    if host.startswith("["):
        return len(host) > 2 and host.find("[", 1) < 0 and host.find("]") == len(host) - 1
    return bool(host) and not any(mark in host for mark in ":/?#[]@")


cdef bint is_uri_authority(str text) except -1:
    """Whether it is uri-host [ ":" port ]; the port may be empty (9110-4.2.3-a, 9110-4.2.4-a)."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        return is_uri_host(text) and "," not in text
    return (is_uri_host(host) and "," not in host
            and (not port or (port.isdigit() and len(port) < 6 and int(port) < 65536)))


cdef str shown_target(str target):
    """Return a target or host as errors and logs may show it: credentials before a host are redacted.

    In a target that is refused, it is not certain where the host begins and ends. If in doubt, redact more.
    """
    cdef Py_ssize_t at = target.rfind("@")
    cdef Py_ssize_t start = target.find("://") + 3
    if at < 0:
        return target
    if start < 3 or start > at or not target[:start - 3].isalnum():
        start = 0
        if target[0] == "/":
            if ":" not in target[:at] and "//" not in target[:at]:
                return target
            start = 1
    while start < at and target[start] == "/":
        start += 1
    return target[:start] + "(redacted)" + target[at:]


cdef bint target_fits(str method, str target, bint unchecked) except -1:
    """Whether the form of the target fits the method (9110-7.1-a, 9112-3.2); not required if `unchecked`."""
    if unchecked:
        # Even an unchecked target must not end the request line or a part of it. A lenient server may
        # take any whitespace as the end of a part (RFC 9112 3).
        return is_latin1(target) and target and not any(
            mark <= " " or "\x7f" <= mark <= "\xa0" for mark in target)
    if not target or not is_uri_text(target):
        return False
    if method == "CONNECT":
        return is_authority_form(target)
    if target == "*":
        return method == "OPTIONS"
    if "#" in target:   # 9112-3.2.1-a: a fragment is never sent
        return False
    if target[0] == "/":
        return True
    # absolute-form, for proxies: a scheme, then a host without userinfo (9110-4.2.4-a)
    scheme, mark, rest = target.partition("://")
    host = rest.partition("/")[0].partition("?")[0]
    return mark and scheme.lower() in DEFAULT_PORTS and is_uri_authority(host)


cdef Py_ssize_t bad_place(str text, int allowed) except -2:
    """Return the position of the first character that is not of this class; -1 if all are."""
    cdef Py_ssize_t i
    cdef Py_UCS4 mark
    for i in range(len(text)):
        mark = text[i]
        if mark == c"%" and allowed == CHAR_URI and is_uri_text(text[i:i + 3]):
            continue
        if mark > 0xFF or not char_class[<unsigned char>mark] & allowed:
            return i
    return -1


cdef Fault refused_at(str reason, str name, str value, str text, Py_ssize_t place):
    """Refuse a part of a request, and report which character of it is not allowed."""
    return refusal(reason, name, value, place, ord(text[place]) if place >= 0 else 0)


cdef Fault target_fault(str method, str target, bint unchecked):
    if target_fits(method, target, unchecked):
        return None
    return refused_at("invalid_request_target", method, shown_target(target), target,
                      bad_place(target, CHAR_URI))


cdef int check_pairs(object headers) except -1:
    """Refuse a mapping: iteration yields its names, and the name in `{"te": ...}` would be sent as `t: e`."""
    if type(headers) is tuple or type(headers) is list:
        return 0
    if isinstance(headers, str) or hasattr(headers, "keys"):
        raise TypeError("headers must be pairs of name and value: pass the items() of a mapping")
    if not hasattr(headers, "__iter__"):
        raise TypeError(f"headers must be pairs of name and value, not {type(headers).__name__}")
    return 0


cdef tuple pair_of(object item):
    """Return a caller's (name, value) pair with exact types. Text of two letters and mappings are refused."""
    if type(item) is tuple and len(<tuple>item) == 2:
        if type((<tuple>item)[0]) is str and type((<tuple>item)[1]) is str:
            return <tuple>item
    if not isinstance(item, (tuple, list)):
        raise TypeError(f"headers must be pairs of name and value, but one is {type(item).__name__}")
    made = tuple(item)
    if len(made) != 2 or not isinstance(made[0], str) or not isinstance(made[1], str):
        kinds = ", ".join([type(each).__name__ for each in made[:4]])
        raise TypeError(f"headers must be pairs of name and value, both str, but one is ({kinds})")
    return str.__str__(made[0]), str.__str__(made[1])


cdef bytes name_octets(str name):
    """Return the octets of a field name in lower case; None if it is not a token."""
    cdef Py_ssize_t i
    cdef Py_ssize_t count = PyUnicode_GET_LENGTH(name)
    cdef const unsigned char *octets
    cdef unsigned char *written
    cdef unsigned char lower
    cdef bytes made
    if count == 0 or not is_latin1(name):
        return None
    octets = <const unsigned char *>PyUnicode_1BYTE_DATA(name)
    made = PyBytes_FromStringAndSize(NULL, count)
    written = <unsigned char *>PyBytes_AS_STRING(made)
    for i in range(count):
        lower = char_lower[octets[i]]
        if lower == 0:
            return None
        written[i] = lower
    return made


cdef bint value_is_sendable(str value) noexcept:
    """Whether a field may have this value: no controls, no whitespace at either end (9110-5.5-c)."""
    cdef Py_ssize_t count = PyUnicode_GET_LENGTH(value)
    cdef const unsigned char *octets
    if not is_latin1(value):
        return False
    octets = <const unsigned char *>PyUnicode_1BYTE_DATA(value)
    if count and (is_blank(octets[0]) or is_blank(octets[count - 1])):
        return False
    return value_is_clean(octets, count)


cdef object line_octets(str name, str value, bint keep_case):
    """Return an HTTP/1 field line or the fault that refuses it; the name in lower case unless `keep_case`."""
    cdef Py_ssize_t i
    cdef Py_ssize_t named = PyUnicode_GET_LENGTH(name)
    cdef Py_ssize_t valued = PyUnicode_GET_LENGTH(value)
    cdef const unsigned char *octets
    cdef unsigned char *written
    cdef unsigned char lower
    cdef bytes made
    if named == 0 or not is_latin1(name):
        return name_fault(name)
    octets = <const unsigned char *>PyUnicode_1BYTE_DATA(name)
    made = PyBytes_FromStringAndSize(NULL, named + valued + 4)
    written = <unsigned char *>PyBytes_AS_STRING(made)
    for i in range(named):
        lower = char_lower[octets[i]]
        if lower == 0:
            return name_fault(name)
        written[i] = octets[i] if keep_case else lower
    if not value_is_sendable(value):
        return value_fault(name, value)
    written += named
    memcpy(written, b": ", 2)
    memcpy(written + 2, PyUnicode_1BYTE_DATA(value), valued)
    memcpy(written + 2 + valued, b"\r\n", 2)
    return made


cdef bint name_is_sensitive(str name) except -1:
    return name in SENSITIVE


cdef bint name_is_connection_specific(str name) except -1:
    return name in CONNECTION_SPECIFIC


cdef bint name_is_forbidden_in_trailers(str name) except -1:
    return name in FORBIDDEN_IN_TRAILERS


cdef bint seems_secret(str text, frozenset secret) except -1:
    """Whether text contains the name of a secret field, in any case and with anything between its letters."""
    cdef str letters = "".join([mark for mark in text.lower() if mark.isalnum()])
    for name in SENSITIVE_LETTERS:
        if name in letters:
            return True
    for name in secret:
        if "".join([mark for mark in <str>name if mark.isalnum()]) in letters:
            return True
    return False


cdef str shown_name(str name, frozenset secret):
    """Return a name as faults and notes may show it. An invalid name may contain a secret value."""
    cdef Py_ssize_t i = bad_place(name[1:] if name[:1] == ":" else name, CHAR_TCHAR)
    if i < 0 or not seems_secret(name, secret):
        return name
    return name[:i + (name[:1] == ":")] + "(redacted)"


cdef Fault name_fault(str name):
    """Refuse a name that is not a token, with the position of the first bad octet; secrets are not shown."""
    return refused_at("invalid_header_name", shown_name(name, frozenset()), "", name,
                      bad_place(name, CHAR_TCHAR))


cdef Fault value_fault(str name, str value):
    """Refuse a value, with the position of the first bad character; a secret value is not shown."""
    cdef Py_ssize_t place = bad_place(value, CHAR_VALUE)
    if place < 0 and value:
        place = 0 if value[0] in " \t" else len(value) - 1
    # After a line break, the value may contain the line of a secret field.
    return refused_at("invalid_header_value", name,
                      "" if seems_secret(f"{name} {value}", frozenset()) else value, value,
                      place)


cdef Fault unfitting(str name, str value, int why):
    """Refuse a value whose octets are allowed, but not here; credentials before a host are redacted."""
    return refusal("invalid_header_value", name,
                   "" if seems_secret(f"{name} {value}", frozenset()) else shown_target(value), -1, 0, why)


cdef Fault without_secret(Fault refused, frozenset secret):
    """Return the refusal; for fields that the caller declared secret, without what follows the name."""
    cdef str said = refused.name
    if refused.reason == "invalid_header_value":
        said = f"{said} {refused.value}"
    if not secret or not seems_secret(said, secret):
        return refused
    return refusal(refused.reason, shown_name(refused.name, secret), "", refused.size, refused.limit,
                   refused.code)


cdef long long parse_length(const unsigned char *octets, Py_ssize_t count) noexcept nogil:
    """Return a content-length as a number; -1 if it is not 1*DIGIT or has over 18 digits (9110-8.6-b, c)."""
    cdef long long number = 0
    cdef Py_ssize_t i = 0
    if count == 0:
        return -1
    while i < count - 1 and octets[i] == c"0":
        i += 1
    if count - i > 18:
        return -1
    while i < count:
        if not char_class[octets[i]] & CHAR_DIGIT:
            return -1
        number = number * 10 + (octets[i] - c"0")
        i += 1
    return number


cdef str show(object octets):
    """Return octets of the peer as text for a fault: latin-1, at most 200 octets."""
    cdef bytes seen = bytes(octets[:200])
    return PyUnicode_DecodeLatin1(PyBytes_AS_STRING(seen), PyBytes_GET_SIZE(seen), NULL)


cdef int out_of_range(str name, long long value, long long least, long long most) except -1:
    """Raise for a limit that is not in its range."""
    raise ValueError(f"{name} must be from {least} to {most}, not {value}")


cdef int check_host(str hostname, str user_agent) except -1:
    """Raise for a host name or user agent that must not be written into requests."""
    # 9110-4.2.4-a: what precedes or follows the host in a URI is not part of it.
    if not hostname.isascii() or any(mark <= " " or mark in "/?#@\\,\"<>\x7f" for mark in hostname):
        raise ValueError(f"hostname {shown_target(hostname)!r} cannot be sent in a Host field")
    if not value_is_sendable(user_agent):
        raise ValueError(f"user agent {user_agent!r} cannot be sent in a field")
    return 0


cpdef str authority(str hostname, int port, str scheme):
    """Return host and port as in Host and :authority: IPv6 in brackets, without a zone or the default port.

    A port of 0 means that there is none (a Unix socket). RFC 9110 7.2, RFC 9112 3.2.
    """
    cdef str host = hostname
    if ":" in host:
        host = "[" + host.strip("[]").partition("%")[0] + "]"
    if port == 0 or DEFAULT_PORTS.get(scheme) == port:
        return host
    return f"{host}:{port}"
