# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The serializer of HTTP/1 requests: validate everything, then write. RFC 9112 3, 6, 7; RFC 9110.

Everything that is sent is made here. If a request is refused, nothing is written. Nothing is stripped,
escaped or corrected silently.
"""

cimport cython

from cpython.bytes cimport PyBytes_AS_STRING
from cpython.unicode cimport PyUnicode_GET_LENGTH

from .fields cimport (authority, check_pairs, exact, line_octets, method_fault,
                      unfitting, name_is_forbidden_in_trailers, name_is_sensitive, pair_of,
                      target_fault, without_secret, WHY_CHUNKED_IN_TE, WHY_END_TO_END, WHY_NO_HOST,
                      WHY_NO_PROTOCOL, WHY_OTHER_HOST)
from .http1_framing cimport (SEEN_CHUNKED, Token, length_fact, next_token, protocols_of,
                             transfer_facts)
from .http1_heads cimport (MARK_END_TO_END, MARK_SINGLE, NAME_CONNECTION, NAME_CONTENT_LENGTH,
                           NAME_EXPECT, NAME_HOST, NAME_KEEP_ALIVE, NAME_PLAIN, NAME_TE,
                           NAME_TRANSFER_ENCODING, NAME_UPGRADE, NAME_USER_AGENT, Name, find_name)
from .faults cimport refusal

cdef enum:
    JOINED = 65536     # most octets of a body that are copied after the head, so that both are one write

# RFC 9110 8.6: methods that define a meaning for content; without content they send a content-length of 0.
EXPECT_CONTENT: frozenset = frozenset({"POST", "PUT", "PATCH"})


cdef Fault unframed(str name, str words):
    """Refuse a request whose fields and body do not fit together."""
    return refusal("invalid_request_framing", name, words)


cdef Fault connection_fault(str value, list named):
    """Read the options of a connection field, which must not name end-to-end fields (9110-7.6.1-b)."""
    cdef bytes lower = value.lower().encode("latin-1")
    cdef const unsigned char *octets = lower
    cdef Py_ssize_t place = 0
    cdef Token token
    cdef const Name *known
    cdef int more
    while True:
        more = next_token(octets, len(lower), &place, &token)
        if more < 0:
            return refusal("invalid_token_list", "connection", value)
        if more == 0:
            # 9110-5.6.1.1-a: not an empty list
            return None if named else refusal("empty_token_list", "connection", value)
        known = find_name(token.octets, token.count)
        if known != NULL and known.marks & MARK_END_TO_END:
            return unfitting("connection", value, WHY_END_TO_END)
        named.append(token.octets[:token.count].decode("ascii"))


cdef Fault te_fault(str value):
    """Refuse chunked in te (9112-7.4-a)."""
    for member in value.split(","):
        if member.partition(";")[0].strip(" \t").lower() == "chunked":
            return unfitting("te", value, WHY_CHUNKED_IN_TE)
    return None


cdef bint is_host(str value) except -1:
    """Whether it can be uri-host [ ":" port ]: nothing that begins another part of a URI (9110-4.2.4-a)."""
    return not any(mark <= " " or mark in "/?#@\\,\"<>" or mark >= "\x7f" for mark in value)


cdef Fault redacted(Config config, Fault refused):
    """Return the fault without the value if the caller declared the field secret."""
    return without_secret(refused, config.sensitive)


@cython.final
cdef class Draft:
    """A request that is being made."""

    cdef int field(self, str method, str name, str value, str wanted_host) except -1:
        """Add one field, or store in `refused` what is wrong with it."""
        cdef object line
        cdef bytes lower
        cdef const Name *known
        line = line_octets(name, value, self.config.case_sensitive_headers)
        if type(line) is not bytes:
            self.refused = line
            return 0
        lower = line
        if self.config.case_sensitive_headers:
            lower = lower.lower()
        known = find_name(<const unsigned char *>PyBytes_AS_STRING(lower), PyUnicode_GET_LENGTH(name))
        if known != NULL:
            name = <str>known.text
            if known.marks & MARK_SINGLE:
                if name in self.seen:
                    self.refused = unframed(name, "is given twice, but is not a list field")
                    return 0
                self.seen += (name,)
            if method == "TRACE" and name_is_sensitive(name):   # 9110-9.3.8-a
                self.refused = unframed(name, "must not be sent with TRACE: it may be secret")
                return 0
            if known.kind != NAME_PLAIN:
                self.special(known.kind, name, value, wanted_host)
                if known.kind == NAME_HOST:
                    self.host = line
                    return 0
        if self.config.sensitive and method == "TRACE" and name.lower() in self.config.sensitive:
            self.refused = unframed(name, "must not be sent with TRACE: it may be secret")
            return 0
        self.lines.append(line)
        return 0

    cdef int special(self, int kind, str name, str value, str wanted_host) except -1:
        """Handle a field that has a meaning for the engine."""
        cdef int facts
        cdef list named
        if kind == NAME_HOST:
            if not is_host(value):
                self.refused = unfitting(name, value, WHY_NO_HOST)
            elif wanted_host is not None and value.lower() != wanted_host.lower():   # 9112-3.2.2-b
                self.refused = unfitting(name, value, WHY_OTHER_HOST)
        elif kind == NAME_USER_AGENT:
            self.has_agent = True
        elif kind == NAME_CONTENT_LENGTH:
            self.declared = length_fact(value)
            if self.declared < 0 or "," in value:
                self.refused = unframed(name, "is not a decimal number")
        elif kind == NAME_TRANSFER_ENCODING:
            facts = transfer_facts(value, self.transfer, 0)
            self.has_transfer = True
            if facts == -1:
                self.refused = refusal("invalid_token_list", name, value)
            elif facts == -2:
                self.refused = refusal("empty_token_list", name, value)
            elif facts < 0:   # 9112-6.1-b
                self.refused = unframed(name, "chunked is listed twice")
            else:
                self.transfer = facts
        elif kind == NAME_CONNECTION:
            self.joins = len(self.lines)
            named = list(self.named)
            self.refused = connection_fault(value, named)
            self.named = tuple(named)
        elif kind == NAME_TE:   # 9110-7.6.1-a, 9110-10.1.4-a, 9112-7.4-b
            self.options += ("te",)
            self.refused = te_fault(value)
        elif kind == NAME_KEEP_ALIVE:
            self.options += ("keep-alive",)
        elif kind == NAME_UPGRADE:   # 9110-7.8-a
            self.options += ("upgrade",)
            offered = protocols_of(value)
            if not offered:
                self.refused = unfitting(name, value, WHY_NO_PROTOCOL)
            else:
                self.asks |= ASKS_UPGRADE
                self.protocols += offered
        elif kind == NAME_EXPECT:
            if value.lower() == "100-continue":
                self.asks |= ASKS_CONTINUE
        return 0

    cdef list connection_lines(self):
        """Return the caller's lines, with a connection field that names every option that it must name."""
        cdef list missing
        cdef bytes more
        if not self.options:
            return self.lines
        missing = [option for option in dict.fromkeys(self.options) if option not in self.named]
        if not missing:
            return self.lines
        more = ", ".join(missing).encode("ascii")
        if self.joins >= 0:
            line = (<bytes>self.lines[self.joins]).removesuffix(b"\r\n")
            self.lines[self.joins] = line + b", " + more + b"\r\n"
        else:
            name = b"Connection" if self.config.case_sensitive_headers else b"connection"
            self.lines.append(name + b": " + more + b"\r\n")
        return self.lines


cdef Fault framing_fault(Draft made, str method, long long total, bint streaming, bint old_peer):
    """Decide how the body is framed; refuse contradictions."""
    # With an upgrade, a streamed body goes through the tunnel after the 101, as with CONNECT after its 200.
    cdef bint tunnel = streaming and (method == "CONNECT" or (
        made.asks & ASKS_UPGRADE and not made.has_transfer and made.declared < 0
        and method not in EXPECT_CONTENT))
    cdef bint has_body = (streaming and not tunnel) or total > 0
    if made.has_transfer:
        if made.declared >= 0:   # 9112-6.2-a
            return unframed("transfer-encoding", "content-length is given too")
        if not made.transfer & SEEN_CHUNKED:   # 9112-6.1-c
            return unframed("transfer-encoding", "chunked is not the last coding")
        made.sends = SEND_CHUNKED
    elif made.declared >= 0:
        if not streaming and made.declared != max(total, 0):   # 9112-6.2-b
            return refusal("content_length_mismatch", "", "", max(total, 0), made.declared)
        made.sends = SEND_LENGTH
    elif streaming and not tunnel:
        made.sends = SEND_CHUNKED   # 9112-6.3-h
    elif total >= 0 or method in EXPECT_CONTENT:
        made.sends = SEND_LENGTH    # 9112-6.3-i, 9110-8.6-a
    if made.sends == SEND_CHUNKED and old_peer:   # 9112-6.1-e
        return unframed("transfer-encoding", "the server uses HTTP/1.0: give content-length instead")
    if method == "CONNECT" and (total >= 0 or made.sends != SEND_NOTHING):
        return unframed(method, "must not be sent with content")
    if method == "TRACE" and (has_body or made.sends == SEND_CHUNKED):   # 9110-9.3.8-a
        return unframed(method, "must not be sent with content")
    if made.asks & ASKS_CONTINUE and not has_body:   # 9110-10.1.1-a
        return unframed("expect", "is given, but there is no content to send")
    return None


cdef str sent_target(Config config, str target):
    """Return the target for the request line: for a forward proxy, in absolute-form (9112-3.2.2-a)."""
    if not config.forward_proxy:
        return target
    if target == "*":   # RFC 9112 3.2.4: the last proxy replaces it by an asterisk
        return f"{config.scheme}://{config.authority}"
    if target.startswith("/"):
        return f"{config.scheme}://{config.authority}{target}"
    return target


cdef str host_of(str method, str target):
    """Return the host in a target; None if it has none."""
    if method == "CONNECT":
        return target
    if target.startswith("/") or "://" not in target:
        return None
    scheme, _, rest = target.partition("://")
    host = rest.partition("/")[0].partition("?")[0]
    name, colon, port = host.rpartition(":")
    # A target that was not validated may contain anything.
    if (colon and port.isascii() and port.isdigit() and len(port) < 6
            and (":" not in name or (name.startswith("[") and name.endswith("]")))):
        return authority(name, int(port), scheme.lower())
    return host


cdef list chunk_pieces(bytes data):
    return [b"%X\r\n" % len(data), data, b"\r\n"]


cdef tuple joined(list pieces, Py_ssize_t small):
    """Join the pieces if few octets have to be copied; otherwise leave them as they are."""
    if small <= JOINED:
        return (b"".join(pieces),)
    return tuple(pieces)


cdef Draft draft(Config config, str method, str target, object headers, tuple body, bint streaming,
                 bint old_peer):
    cdef Draft made = Draft.__new__(Draft)
    cdef long long total = -1
    cdef str wanted_host
    cdef list pieces
    cdef bytes head
    made.config = config
    made.lines = []
    made.seen = made.options = made.named = ()
    made.protocols = ()
    made.declared = -1
    made.joins = -1
    made.refused = method_fault(method)
    if made.refused is None:
        made.refused = target_fault(method, target, config.skip_target_validation)
    if made.refused is not None:
        return made
    if body is not None:
        total = 0
        for piece in body:
            if not isinstance(piece, bytes):
                raise TypeError(f"body must be pieces of bytes, not {type(piece).__name__}")
            total += len(<bytes>piece)
    wanted_host = host_of(method, target)
    check_pairs(headers)
    for item in headers:
        name, value = pair_of(item)
        made.field(method, <str>name, <str>value, wanted_host)
        if made.refused is not None:
            made.refused = redacted(config, made.refused)
            return made
    if config.forward_proxy and method != "CONNECT":
        for name, value in config.proxy_headers:
            made.field(method, exact(name), exact(value), wanted_host)
            if made.refused is not None:
                made.refused = redacted(config, made.refused)
                return made
    made.refused = framing_fault(made, method, total, streaming, old_peer)
    if made.refused is not None:
        return made
    if method == "HEAD":
        made.asks |= ASKS_HEAD
    elif method == "CONNECT":
        made.asks |= ASKS_CONNECT
    if "close" in made.named:
        made.asks |= ASKS_CLOSE

    # 9110-7.2-b: Host is the first field; then come the defaults, then the caller's fields in order.
    pieces = [f"{method} {sent_target(config, target)} HTTP/1.1\r\n".encode("latin-1")]
    if made.host is not None:
        pieces.append(made.host)
    elif wanted_host is not None:
        pieces.append((b"Host: " if config.case_sensitive_headers else b"host: ")
                      + wanted_host.encode("latin-1") + b"\r\n")
    elif made.has_agent:
        pieces.append(config.lines[:config.host_size])
    else:
        pieces.append(config.lines)
    if not made.has_agent and (made.host is not None or wanted_host is not None):
        pieces.append(config.lines[config.host_size:])
    if made.sends == SEND_LENGTH and made.declared < 0:
        pieces.append((b"Content-Length: %d\r\n" if config.case_sensitive_headers
                       else b"content-length: %d\r\n") % max(total, 0))
    elif made.sends == SEND_CHUNKED and not made.has_transfer:
        pieces.append(b"Transfer-Encoding: chunked\r\n" if config.case_sensitive_headers
                      else b"transfer-encoding: chunked\r\n")
    pieces.extend(made.connection_lines())
    pieces.append(b"\r\n")
    head = b"".join(pieces)

    if streaming:
        made.output = (head,)
        made.length = made.declared if made.sends == SEND_LENGTH else 0
        return made
    pieces = [head]
    if made.sends == SEND_CHUNKED:
        for piece in body or ():
            if piece:
                pieces.extend(chunk_pieces(piece))
        pieces.append(b"0\r\n\r\n")
    elif total > 0:
        pieces.extend([piece for piece in body if piece])
    made.sends = SEND_NOTHING
    made.output = joined(pieces, total)
    return made


cdef tuple body_output(int sends, bytes data):
    """Return a piece of a streamed body, which must not be empty, as it is sent."""
    if sends == SEND_LENGTH:
        return (data,)
    return joined(chunk_pieces(data), len(data))


cdef object trailers_output(Config config, object trailers):
    """Return the last chunk and the trailer section, or the fault that refuses it (9110-6.5.1-a)."""
    cdef str name
    cdef str value
    cdef list pieces = [b"0\r\n"]
    for item in trailers:
        name, value = pair_of(item)
        line = line_octets(name, value, config.case_sensitive_headers)
        if type(line) is not bytes:
            return redacted(config, line)
        if name_is_forbidden_in_trailers(name.lower()):
            return refusal("unallowed_trailing_header", name)
        pieces.append(line)
    pieces.append(b"\r\n")
    return b"".join(pieces)
