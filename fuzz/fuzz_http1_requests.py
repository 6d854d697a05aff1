"""HTTP/1 requests and bodies: either refused without effect, or h11 reads exactly what was asked for.

Most requests are valid and must be sent. Some contain one octet that must never be sent, anywhere in one of
the outgoing strings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import h11

from mint._core.http1 import Config, State
from support import Choices, check, counted, documented, fuzz, shows_no_secret

if TYPE_CHECKING:
    from mint._core.events import RequestRef, Step

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VALUE = re.compile(r"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
TARGET = re.compile(r"(?:[!$&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~#]|%[0-9A-Fa-f]{2})+")
METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "CONNECT", "TRACE", "get", "M-SEARCH")
TARGETS = (
    "/",
    "/a?b=c",
    "/%41",
    "*",
    "http://other.example/x",
    "https://[::1]:99/",
    "far.example:443",
    "/" + "p" * 300,
)
NAMES = ("x-a", "X-Case", "accept", "content-type", "authorization", "cookie", "x-private", "via", "n")
VALUES = ("", "1", "a b", "\xe9\xff", "text/plain", 'q="\t"', "v" * 200)
ODD = '\r\n\0\t \x7f\x0b:,;"\x85\xa0\u0100\u010a#@\\<%\x01\x1f'
SINGLE = frozenset(
    [
        "host",
        "content-length",
        "content-type",
        "user-agent",
        "referer",
        "from",
        "authorization",
        "proxy-authorization",
        "max-forwards",
        "if-modified-since",
        "if-unmodified-since",
        "if-range",
    ]
)
UNDERSTOOD = frozenset(
    ["host", "content-length", "transfer-encoding", "connection", "te", "upgrade", "expect", "keep-alive"]
)
USUAL = re.compile(
    "[0-9]{1,18}|chunked|trailers|close|keep-alive|x-a"
)  # values of fields that have a meaning
# Fields that have a meaning for the connection, with values that are allowed, and others that are not.
ALLOWED = (
    ("te", "trailers"),
    ("TE", "gzip;q=0.5, trailers"),
    ("connection", "close"),
    ("Connection", "x-a, keep-alive"),
    ("connection", "TE"),
    ("connection", "proxy-authorization"),
    ("keep-alive", "timeout=5"),
    ("upgrade", "websocket"),
    ("Upgrade", "h2c/1, other"),
    ("expect", "100-continue"),
    ("expect", "200-maybe"),
    ("host", "far.example:443"),
    ("Host", "OTHER.example"),
    ("host", "[::1]:99"),
    ("user-agent", "mine"),
    ("connection", ""),
    ("connection", ","),
)
BARRED = (
    ("te", "chunked"),
    ("TE", "trailers, Chunked;q=1"),
    ("connection", "host"),
    ("connection", "close, Cache-Control"),
    ("connection", "cookie"),
    ("connection", "accept-encoding"),
    ("connection", "content-length"),
    ("connection", "a b"),
    ("upgrade", ""),
    ("upgrade", "a b"),
    ("upgrade", "h2c/"),
    ("host", "a/b"),
    ("host", "u@a"),
    ("host", "a b"),
    ("host", "a,b"),
    ("host", 'a"b'),
    ("content-length", "+5"),
    ("content-length", "5, 5"),
    ("content-length", "0x5"),
    ("content-length", ""),
    ("transfer-encoding", "chunked, gzip"),
    ("transfer-encoding", ""),
    ("transfer-encoding", "chunked, chunked"),
)
SECRET = "secret-"
HIDING = ("authorization", "cookie", "x-private", "proxy-authorization")
Fields = list[tuple[str, str]]


def config(choices: Choices) -> Config:
    """Return a configuration with options that change what is written."""
    return Config(
        hostname="example.org",
        port=choices.pick((443, 8_443)),
        scheme="https",
        identity=7,
        user_agent="fuzz",
        case_sensitive_headers=choices.chance(30),
        max_pipelined=3,
        forward_proxy=(proxied := choices.chance(20)),
        proxy_headers=(("Proxy-Authorization", "Basic eA=="),) if proxied else (),
        sensitive=frozenset({"x-private"}),
    )


def with_bad_octet(choices: Choices, text: str) -> str:
    """Return text with an odd character at the beginning, at the end, or in between."""
    place = choices.pick((0, len(text), choices.below(len(text) + 1)))
    return text[:place] + choices.pick(ODD) + text[place + choices.below(2) :]


def split_head(octets: bytes) -> tuple[str, Fields, bytes]:
    """Split a request into its line, its fields and the rest, at CRLF only."""
    head, end, rest = octets.partition(b"\r\n\r\n")
    check(bool(end), "the head does not end", octets)
    line, *lines = head.decode("latin-1").split("\r\n")
    check(
        not re.search(r"[\r\n\0]", head.decode("latin-1").replace("\r\n", "")), "a bare CR, LF or NUL", head
    )
    fields = []
    for one in lines:
        name, colon, value = one.partition(": ")
        check(
            bool(colon) and bool(TOKEN.fullmatch(name)) and bool(VALUE.fullmatch(value)), "no field line", one
        )
        fields.append((name, value))
    return line, fields, rest


def unchunked(octets: bytes) -> tuple[bytes, Fields]:
    """Decode chunks; no octet may be left over."""
    content = b""
    while True:
        line, _, octets = octets.partition(b"\r\n")
        check(bool(re.fullmatch(rb"[0-9A-F]+", line)), "no chunk size", line)
        size = int(line, 16)
        if size == 0:
            break
        content += octets[:size]
        check(octets[size : size + 2] == b"\r\n", "a chunk does not end", octets[size : size + 2])
        octets = octets[size + 2 :]
    _, trailers, rest = split_head(b"\r\n" + octets if octets == b"\r\n" else b"T\r\n" + octets)
    check(not rest, "octets after the trailers", rest)
    return content, trailers


def by_h11(octets: bytes) -> tuple[str, str, bytes]:
    """Let h11 read a request as a server would."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(octets)
    method = target = ""
    content = b""
    while True:
        event = server.next_event()
        if isinstance(event, h11.Request):
            method, target = event.method.decode("latin-1"), event.target.decode("latin-1")
        elif isinstance(event, h11.Data):
            content += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return method, target, content
        else:
            check(event is h11.PAUSED and method == "CONNECT", "h11 misses something", event, octets)
            return method, target, content


def right_target(method: str, target: str) -> bool:
    """Whether a target has a form that its method may have (RFC 9112 3.2)."""
    if not TARGET.fullmatch(target):
        return False
    if method == "CONNECT":
        return (
            bool(re.fullmatch(r"(?:[^:/?#\[\]@]+|\[[^\[\]]+\]):[0-9]{1,5}", target))
            and int(target.rpartition(":")[2]) < 65_536
        )  # ports
    if target == "*":
        return method == "OPTIONS"
    if "#" in target:
        return False
    if target.startswith("/"):
        return True
    return bool(
        re.fullmatch(r"(?i:https?)://(?:\[[^\[\]/?]+\]|[^:/?#\[\]@,]+)(?::[0-9]{0,5})?(?:[/?].*)?", target)
    )


def hides(headers: Fields) -> bool:
    """Whether each secret is in a field whose name says so."""
    return all(SECRET not in name for name, _ in headers) and all(
        name.lower() in HIDING for name, value in headers if SECRET in value
    )


def refused(state: State, step: Step[State], why: object) -> None:
    """Check that a refusal is a documented fault and changes nothing."""
    check(step.fault is not None and step.fault.local, "a request is not refused", why, step.output)
    if step.fault is not None:
        documented(step.fault)
    check(
        step.state is state and step.output == () and step.ref is None and not step.responses, "a trace", why
    )


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    options = config(choices)
    state = State(options)
    asked: list[tuple[str, Fields]] = []
    for _ in range(choices.between(1, 4)):
        state = request(choices, options, state, asked)
    check(state.open_request_count <= 3, "more requests than may wait", state)  # max_pipelined


def similar(choices: Choices, method: str, headers: Fields) -> tuple[str, Fields]:
    """Return an earlier request, or one that differs from it, perhaps in a single character."""
    headers = list(headers)
    place = choices.below(len(headers)) if headers else 0
    match choices.below(6) if headers else choices.below(2):
        case 0:
            pass
        case 1:
            method = altered(choices, method)
        case 2:
            headers[place] = (altered(choices, headers[place][0]), headers[place][1])
        case 3:
            headers[place] = (headers[place][0], altered(choices, headers[place][1]))
        case 4:
            headers[place : place + choices.below(2)] = headers[place : place + 1] * choices.below(3)
        case _:
            headers.reverse()
    return method, headers


def altered(choices: Choices, text: str) -> str:
    """Return text with one character added, removed or replaced, at an end or in between."""
    place = choices.pick((0, max(0, len(text) - 1), choices.below(len(text) + 1)))
    return text[:place] + choices.pick(("", "z", "Z")) + text[place + choices.below(2) :]


def request(choices: Choices, options: Config, state: State, asked: list[tuple[str, Fields]]) -> State:
    """Make one request, often one like the last in `asked`; return the state to continue with."""
    method = choices.pick(METHODS)
    target = "far.example:443" if method == "CONNECT" else choices.pick(TARGETS)
    headers: Fields = [(choices.pick(NAMES), choices.pick(VALUES)) for _ in range(choices.below(5))]
    body: tuple[bytes, ...] | None = None
    streaming = choices.chance(40)
    if not streaming and choices.chance(50):
        sizes = [choices.pick((0, 1, 15, 16, 300, 70_000)) for _ in range(choices.below(4))]
        body = tuple(counted(size, 7 * place) for place, size in enumerate(sizes))
    content = b"".join(body or ())
    framing = choices.below(8)
    declared: int | None = None
    if framing == 0:
        declared = len(content) if body is not None else choices.pick((0, 5, 9, 17, 300, 70_001))
        declared += choices.pick((0, 0, 0, 1, -1 if declared else 1))
        headers.append(("content-length", str(declared)))
    elif framing == 1:
        headers.append(("Transfer-Encoding", "chunked"))
    for _ in range(choices.pick((0, 0, 0, 1, 1, 2))):
        headers.insert(
            choices.below(len(headers) + 1), choices.pick(ALLOWED if choices.chance(75) else BARRED)
        )
    if choices.chance(20):
        headers.append((choices.pick(HIDING), SECRET + choices.pick(("1", "2"))))
    spoil = choices.below(8)
    if spoil == 0:
        method = with_bad_octet(choices, method)
    elif spoil == 1:
        target = with_bad_octet(choices, target)
    elif spoil == 2 and headers:  # a name
        place = choices.below(len(headers))
        headers[place] = (with_bad_octet(choices, headers[place][0]), headers[place][1])
    elif spoil == 3 and headers:  # a value
        place = choices.below(len(headers))
        headers[place] = (headers[place][0], with_bad_octet(choices, headers[place][1]))
    if asked and choices.chance(50):
        method, headers = similar(choices, *asked[-1])
        target, body, streaming, content = choices.pick(TARGETS), None, False, b""
    if body is None and not streaming:
        asked.append((method, headers))
    lengths = [value for name, value in headers if name.lower() == "content-length"]
    declared = int(lengths[0]) if lengths and re.fullmatch("[0-9]{1,18}", lengths[0]) else None
    step = state.request(method, target, tuple(headers), body, streaming)
    if hides(headers):
        shows_no_secret(step, SECRET)
    wrong = wrongs(method, target, headers) or contradiction(
        method, target, headers, content, streaming=streaming
    )
    if wrong:
        refused(state, step, wrong)
        return state
    if step.fault is not None:
        refused(state, step, "refused")
        # The host of an odd target is checked more strictly, and compared with Host.
        reasons = ("invalid_request_target", "invalid_header_value" if values(headers, "host") else "")
        odd = target not in TARGETS and step.fault.reason in reasons
        if not odd:
            may_be_refused(
                state, method, headers, body, declared, streaming=streaming, reason=step.fault.reason
            )
        return state
    octets = b"".join(step.output)
    ref = step.ref
    check(ref is not None, "a request without a ref")
    state = step.state
    if streaming and ref is not None and not through_tunnel(method, headers):
        state, more, content, trailers = stream(choices, state, ref, declared)
        octets += more
    else:
        trailers = []
    read_back(options, octets, method, target, headers, content, trailers)
    named = [one.strip().lower() for one in ",".join(values(headers, "connection")).split(",")]
    if "close" in named:
        refused(state, state.request("GET", "/", (), None, False), "behind close")
    if method == "CONNECT" or values(headers, "upgrade"):
        refused(
            state, state.request("GET", "/", (), None, False), "before it is known whether it is a tunnel"
        )
    return state


def values(headers: Fields, wanted: str) -> list[str]:
    """Return the values of a field."""
    return [value for name, value in headers if name.lower() == wanted]


def own_host(method: str, target: str) -> str:
    """Return the host that a target names; empty if it names none, or in a manner that this does not read."""
    if method == "CONNECT":
        return target
    return {TARGETS[4]: "other.example", TARGETS[5]: "[::1]:99"}.get(target, "")


def through_tunnel(method: str, headers: Fields) -> bool:
    """Whether a streamed body goes through a tunnel: that of CONNECT, or of an upgrade without framing."""
    framed = values(headers, "content-length") or values(headers, "transfer-encoding")
    upgrades = bool(values(headers, "upgrade")) and method not in ("POST", "PUT", "PATCH")
    return method == "CONNECT" or (upgrades and not framed)


def contradiction(method: str, target: str, headers: Fields, content: bytes, *, streaming: bool) -> str:
    """Return how the fields of a request contradict a rule, or each other."""
    for name, value in headers:
        if (name.lower(), value) in [(barred.lower(), text) for barred, text in BARRED]:
            return f"{name}: {value!r}"
    coding = ",".join(values(headers, "transfer-encoding"))
    codings = [one.strip().lower() for one in coding.split(",") if one.strip()]
    if values(headers, "transfer-encoding") and (
        codings.count("chunked") != 1 or codings[-1:] != ["chunked"]
    ):
        return "chunked is not the last coding"
    options = values(headers, "connection")
    if options and not options[0].strip(", "):
        return "a Connection that begins without a member"
    host = own_host(method, target)
    if host and any(value.lower() != host for value in values(headers, "host")):
        return "another host"
    expects = any(value == "100-continue" for value in values(headers, "expect"))
    if expects and not streaming and not content:
        return "expect without content"
    if expects and not content and through_tunnel(method, headers):
        return "expect without content"
    return ""


def wrongs(method: str, target: str, headers: Fields) -> str:
    """Return what may not be sent of a request."""
    if not TOKEN.fullmatch(method):
        return "method"
    if not right_target(method, target):
        return "target"
    seen = set()
    for name, value in headers:
        if not TOKEN.fullmatch(name):
            return f"name {name!r}"
        if not VALUE.fullmatch(value) or any(ord(mark) > 255 for mark in value):  # latin-1
            return f"value {value!r}"
        if name.lower() in SINGLE and name.lower() in seen:
            return f"{name} twice"
        seen.add(name.lower())
        if method == "TRACE" and name.lower() in HIDING:
            return "a secret in TRACE"
    return ""


def may_be_refused(
    state: State,
    method: str,
    headers: Fields,
    body: tuple[bytes, ...] | None,
    declared: int | None,
    *,
    streaming: bool,
    reason: str,
) -> None:
    """Whether a request without a wrong octet may be refused: only if its parts contradict each other."""
    names = {name.lower() for name, _ in headers}
    total = sum(map(len, body or ()))
    conditions = (
        # The one of the proxy is added.
        state.config.forward_proxy and "proxy-authorization" in names,
        not state.is_open_write,
        state.is_streaming,
        state.open_request_count >= 3,  # max_pipelined
        state.open_request_count > 0 and reason == "closed_for_writing",
        declared is not None and "transfer-encoding" in names,
        [name.lower() for name, _ in headers].count("transfer-encoding") > 1,  # chunked twice (9112 6.1)
        declared is not None and not streaming and declared != total,
        method == "CONNECT" and (body is not None or "transfer-encoding" in names or declared is not None),
        method == "TRACE"
        and (streaming or total > 0 or "transfer-encoding" in names or state.config.forward_proxy),
        any(
            name.lower() in UNDERSTOOD
            and not USUAL.fullmatch(value)
            and (name.lower(), value) not in [(allowed.lower(), text) for allowed, text in ALLOWED]
            for name, value in headers
        )
        and (reason.startswith("invalid") or reason == "empty_token_list"),
    )
    check(any(conditions), "a request is refused for no reason", reason, method, headers, body, streaming)


def stream(
    choices: Choices, state: State, ref: RequestRef, declared: int | None
) -> tuple[State, bytes, bytes, Fields]:
    """Send a body in pieces; check that pieces beyond the declared length are refused."""
    octets = content = b""
    for _ in range(choices.below(5)):
        piece = b"s" * choices.pick((0, 1, 5, 9, 10, 15, 16, 17, 255, 256, 70_000))
        if declared is not None:
            rest = declared - len(content)
            piece = (piece * 2)[: choices.pick((rest, rest + 1, 1, rest // 2))]
        step = state.stream_body(ref, piece)
        if declared is not None and len(content) + len(piece) > declared:
            refused(state, step, "more than was declared")
            continue
        check(step.fault is None, "a piece is refused", step.fault)
        state, octets, content = step.state, octets + b"".join(step.output), content + piece
    refused(state, state.request("GET", "/", (), None, False), "behind a body that is being sent")
    trailers: Fields = [("x-check", "1"), ("X-Sum", "\xe9")][: choices.below(3)]
    bad = choices.below(12)
    if bad == 0:
        trailers = [
            choices.pick(
                (("content-length", "1"), ("host", "x"), ("bad name", "x"), ("x", "a\nb"), ("te", "x"))
            )
        ]
        refused(state, state.end_body(ref, trailers), trailers)
        trailers = []
    if declared is not None:
        if trailers:
            refused(state, state.end_body(ref, trailers), "trailers without chunks")
            trailers = []
        missing = declared - len(content)
        if missing:
            refused(state, state.end_body(ref, ()), "less than was declared")
            step = state.stream_body(ref, b"m" * missing)
            state, octets, content = step.state, octets + b"".join(step.output), content + b"m" * missing
    step = state.end_body(ref, trailers)
    check(step.fault is None, "the end is refused", step.fault)
    refused(step.state, step.state.stream_body(ref, b"x"), "behind the end")
    return step.state, octets + b"".join(step.output), content, trailers


def read_back(
    options: Config,
    octets: bytes,
    method: str,
    target: str,
    headers: Fields,
    content: bytes,
    trailers: Fields,
) -> None:
    """Check that what was written is exactly what was asked for."""
    line, fields, rest = split_head(octets)
    place = f"https://example.org{'' if options.port == 443 else ':8443'}"  # its default
    sent = target
    if options.forward_proxy and target[0] in "/*":  # RFC 9112 3.2.2: to a proxy, absolute form
        sent = place if target == "*" else place + target
    check(line == f"{method} {sent} HTTP/1.1", "a wrong request line", line, sent)
    if options.forward_proxy and method != "CONNECT":
        headers = [*headers, ("Proxy-Authorization", "Basic eA==")]
    own = [pair for pair in fields if pair[0].lower() in ("content-length", "transfer-encoding")]
    lengths = [value for name, value in own if name.lower() == "content-length"]
    codings = [value for name, value in own if name.lower() == "transfer-encoding"]
    check(len(lengths) + bool(codings) <= 1, "framed twice", own)
    # Several lines are one list (RFC 9110 5.3), which only the caller can have asked for.
    given = [value for name, value in headers if name.lower() == "transfer-encoding"]
    check(codings == given or (not given and codings == ["chunked"]), "a wrong coding", codings, given)
    if codings:
        named = [one.strip() for one in ",".join(codings).lower().split(",") if one.strip()]
        check(named.index("chunked") == len(named) - 1, "chunked is not the last coding", codings)
        got, got_trailers = unchunked(rest)
        keep = options.case_sensitive_headers
        wanted = [(name if keep else name.lower(), value) for name, value in trailers]
        check(got_trailers == wanted, "wrong trailers", got_trailers, wanted)
    else:
        got = rest
        check(not lengths or int(lengths[0]) == len(rest), "a wrong length", lengths, len(rest))
        check(bool(lengths) or not rest, "content without framing", rest)
    check(got == content, "wrong content", len(got), len(content))
    hosts = values(fields, "host")
    check(len(hosts) == 1 and fields[0][0].lower() == "host", "Host is missing, or not first", fields)
    if target in TARGETS:
        mine = f"example.org{'' if options.port == 443 else ':8443'}"  # its default
        given = values(headers, "host") or [own_host(method, target) or mine]
        check(hosts == given, "a wrong Host", hosts, given)
    # RFC 9110 7.6.1: Connection names the fields that are for the next recipient only.
    members = [one.strip().lower() for value in values(fields, "connection") for one in value.split(",")]
    named = [one.strip().lower() for value in values(headers, "connection") for one in value.split(",")]
    named += [name for name in ("te", "keep-alive", "upgrade") if values(headers, name)]
    check(set(members) - {""} == set(named) - {""}, "Connection names other fields", members, named)
    kept = [
        pair
        for pair in fields
        if pair[0].lower() not in ("host", "user-agent", "content-length", "transfer-encoding", "connection")
    ]
    asked = [
        (name if options.case_sensitive_headers else name.lower(), value)
        for name, value in headers
        if name.lower() not in ("host", "user-agent", "content-length", "transfer-encoding", "connection")
    ]
    check(kept == asked, "wrong fields", kept, asked)
    agents = [value for name, value in fields if name.lower() == "user-agent"]
    wanted_agents = values(headers, "user-agent") or [options.user_agent]
    check(agents == wanted_agents, "a wrong user-agent", agents)
    if codings in ([], ["chunked"]) and target in TARGETS and len(octets) < 60_000:  # h11's own limit
        seen = by_h11(octets)
        check(seen == (method, sent, content), "h11 reads something different", seen[:2], method, target)


if __name__ == "__main__":
    fuzz(one)
