"""HTTP/2 requests, bodies and trailers: refused without effect, or a server reads exactly what was asked for.

Some requests contain one octet that must never be sent, or a field that HTTP/2 does not allow; such a request
must be refused (`model_http2_requests.py`), and any other must be sent. The `hpack` library reads it.
"""

from __future__ import annotations

import hpack
from hpack import NeverIndexedHeaderTuple

from frames_http2 import (
    CONTINUATION,
    DATA,
    ENABLE_CONNECT,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    INITIAL_WINDOW,
    MAX_FRAME,
    WINDOW_UPDATE,
    Frame,
    number,
    read_frames,
    settings,
)
from fuzz_http1_requests import NAMES, TOKEN, Fields, altered, with_bad_octet
from mint._core.events import RequestRef, Step
from mint._core.http2 import Config, State
from model_http1 import FORBIDDEN_IN_TRAILERS
from model_http2_requests import Asked, Server, is_value, wanted, wrongs
from support import Choices, check, counted, documented, fuzz, shows_no_secret

METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "CONNECT", "TRACE", "PATCH", "get", "M-SEARCH")
TARGETS = ("/", "/a?b=c", "/%41", "*", "/" + "p" * 300, "http://other.example/x", "/a#b", "", "/%4", "x")
FAR = ("far.example:443", "[::1]:8", "far.example", "far.example:65536", "u@far.example:443")
HOSTS = (*FAR[:2], "FAR.example:443", "far.example:44", "far.example")
VALUES = ("", "1", "a b", "\xe9\xff", "text/plain", 'q="\t"', "v" * 200, "w" * 17_000)
FIELDS = (
    ("te", "trailers"),
    ("TE", "Trailers"),
    ("te", "gzip"),
    ("te", "trailers, gzip"),
    ("connection", "close"),
    ("Keep-Alive", "timeout=5"),
    ("proxy-connection", "close"),
    ("transfer-encoding", "chunked"),
    ("upgrade", "h2c"),
    ("host", "other.example"),
    ("Host", "FAR.example:443"),
    ("host", "a/b"),
    ("host", "u@a"),
    ("host", ""),
    ("user-agent", "mine"),
    ("content-length", "5"),
    ("content-length", "+5"),
    ("content-length", "5, 5"),
    ("content-length", "0"),
    ("content-length", "1" * 19),
    ("expect", "100-continue"),
    ("Expect", "100-Continue"),
    ("expect", "other"),
    ("referer", "x"),
    ("from", "x"),
    ("if-range", "x"),
    ("max-forwards", "1"),
    ("if-modified-since", "x"),
    ("if-unmodified-since", "x"),
    ("content-type", "x"),
    (":path", "/"),
    (":path", "/b"),
    (":path", "b"),
    (":scheme", "http"),
    (":scheme", "ftp"),
    (":authority", "far.example:443"),
    (":authority", "u@x"),
    (":status", "200"),
    (":method", "GET"),
    (":Path", "/"),
    ("sec-websocket-key", "x"),
    ("sec-websocket-accept", "x"),
)
PROTOCOLS = ("websocket", "a b", "", "connect-udp")
SECRETS = ("authorization", "proxy-authorization", "cookie", "x-private", "Cookie")
SECRET = "secret-"


def some_request(choices: Choices, before: list[Asked]) -> Asked:
    """Return a request; most are valid."""
    method = choices.pick(METHODS)
    target = choices.pick(TARGETS[:3]) if choices.chance(70) else choices.pick(TARGETS)
    headers = [(choices.pick(NAMES), choices.pick(VALUES)) for _ in range(choices.below(4))]
    if method == "CONNECT" and choices.chance(50):
        protocol = "websocket" if choices.chance(70) else choices.pick(PROTOCOLS)
        headers.append((":protocol", protocol))
        if choices.chance(30):  # they may contradict each other
            headers += [("host", choices.pick(HOSTS)), (":authority", choices.pick(HOSTS))]
    elif method == "CONNECT":
        target = FAR[0] if choices.chance(70) else choices.pick(FAR)
        if choices.chance(15):
            headers.append(("expect", "100-continue"))
    if choices.chance(40):
        headers.insert(choices.below(len(headers) + 1), choices.pick(FIELDS))
    if choices.chance(20):
        headers.append(choices.pick(headers) if headers and choices.chance(50) else choices.pick(FIELDS))
    if choices.chance(30):
        headers.append((choices.pick(SECRETS), SECRET + choices.pick(("1", "2"))))
    asked = Asked(method, target, headers)
    asked.streaming = choices.chance(35)
    if not asked.streaming and choices.chance(40):
        sizes = [choices.pick((0, 1, 5, 300, 5_000, 16_384, 20_000)) for _ in range(choices.below(4))]
        asked.body = tuple(counted(size, 7 * place) for place, size in enumerate(sizes))
    if choices.chance(10):
        total = asked.total + choices.pick((0, 0, 1))
        asked.headers.append(("Content-Length", "0" * choices.below(3) + str(total)))
    if before and choices.chance(25):
        last = choices.pick(before)
        asked = Asked(last.method, last.target, list(last.headers), last.body, last.streaming)
    spoil(choices, asked)
    return asked


def spoil(choices: Choices, asked: Asked) -> None:
    """Put one odd character into a part of some requests, or change a letter."""
    change = with_bad_octet if choices.chance(60) else altered
    kind = choices.below(10)
    if kind == 0:
        asked.method = change(choices, asked.method)
    elif kind == 1:
        asked.target = change(choices, asked.target)
    elif kind < 4 and asked.headers:  # a name or a value
        place = choices.below(len(asked.headers))
        name, value = asked.headers[place]
        pair = (change(choices, name), value) if kind == 2 else (name, change(choices, value))
        asked.headers[place] = pair


def hides(fields: Fields) -> bool:
    """Whether each secret is in a field whose name says so."""
    names = {name.lower() for name in SECRETS}
    return all(SECRET not in name for name, _ in fields) and all(
        name.lower() in names for name, value in fields if SECRET in value
    )


def refused(state: State, step: Step[State], why: object, fields: Fields) -> None:
    """Check that a refusal is a documented fault, changes nothing, and shows no secret."""
    check(step.fault is not None and step.fault.local, "a request is not refused", why, step.output)
    if step.fault is not None:
        documented(step.fault)
        if hides(fields):
            shows_no_secret(step, SECRET)
    check(
        step.state is state and step.output == () and step.ref is None and not step.responses, "a trace", why
    )


def read_block(
    server: Server, frames: list[Frame], stream: int, fields: Fields, *, ends: bool
) -> list[Frame]:
    """Check the frames of a field block and its fields; return the frames after it."""
    block = b""
    for place, one in enumerate(frames):
        check(one.stream == stream, "a wrong stream", one)
        check(one.kind == (CONTINUATION if place else HEADERS), "an unexpected frame", one)
        check(place > 0 or one.flags & END_STREAM == END_STREAM * ends, "wrong flags", one)
        check(not one.flags & ~(END_HEADERS | (0 if place else END_STREAM)), "wrong flags", one)
        check(0 < len(one.payload) <= server.most_frame, "a wrong size", len(one.payload))
        block += one.payload
        if one.flags & END_HEADERS:
            check(place == (len(block) - 1) // server.most_frame, "more frames than needed", place)
            pairs = server.decoder.decode(block, raw=True)
            got = [(bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in pairs]
            check(got == fields, "the server reads other fields", got, fields)
            secrets = {name.lower() for name in SECRETS}
            for pair, (name, _) in zip(pairs, got, strict=True):
                check(name not in secrets or isinstance(pair, NeverIndexedHeaderTuple), "indexed", name)
            return frames[place + 1 :]
    check(False, "a block without END_HEADERS", frames)
    return []


def read_content(server: Server, frames: list[Frame], stream: int, content: bytes, *, ends: bool) -> None:
    """Check that the rest is the content, in order, with END_STREAM at its end only."""
    for one in frames:
        check(one.kind == DATA and one.stream == stream, "an unexpected frame", one)
        check(len(one.payload) <= server.most_frame, "a frame is too long", len(one.payload))
    check(b"".join(one.payload for one in frames) == content, "wrong content", len(content))
    flags = [one.flags for one in frames]
    check(flags == [0] * (len(flags) - 1) + [END_STREAM * ends] * bool(flags), "wrong flags", flags)
    check(bool(flags) == bool(content or ends), "too many frames or none", flags)


def stream_body(choices: Choices, state: State, server: Server, ref: RequestRef, asked: Asked) -> State:
    """Send the body of a request in pieces, and end it with or without trailers."""
    lengths = [int(value) for value in asked.values("content-length")]
    left = lengths[0] if lengths else 20_000
    for _ in range(choices.below(4)):
        piece = counted(min(left, choices.pick((0, 1, 4_096, 5_000, 16_385))), choices.below(251))
        step = state.stream_body(ref, piece)
        check(step.fault is None, "a piece is refused", step.fault)
        read_content(server, read_frames(b"".join(step.output)), ref.number, piece, ends=False)
        state, left = step.state, left - len(piece)
    if lengths and left:
        refused(state, state.end_body(ref, ()), "less than was declared", [])
        return state.cancel(ref).state
    trailers = [(choices.pick(NAMES[:4]), choices.pick(VALUES[:4])) for _ in range(choices.below(3))]
    if choices.chance(40):
        trailers.append(choices.pick(((":path", "/"), ("x-private", SECRET + "3"), *FIELDS)))
    if choices.chance(20):
        trailers.append((choices.pick(sorted(FORBIDDEN_IN_TRAILERS)), "x"))
    if trailers and choices.chance(20):
        name, value = trailers.pop()
        trailers.append((name, with_bad_octet(choices, value)))
    step = state.end_body(ref, trailers)
    bad = any(
        not TOKEN.fullmatch(name) or not is_value(value) or name.lower() in FORBIDDEN_IN_TRAILERS
        for name, value in trailers
    )
    connect = asked.method == "CONNECT" and trailers
    if bad or connect:
        refused(state, step, trailers, trailers)
        return state.cancel(ref).state
    check(step.fault is None, "trailers are refused", step.fault, trailers)
    frames = read_frames(b"".join(step.output))
    if trailers:
        fields = [(name.lower(), value) for name, value in trailers]
        check(not read_block(server, frames, ref.number, fields, ends=True), "more frames", frames)
    else:
        read_content(server, frames, ref.number, b"", ends=True)
    return step.state


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    connects = choices.chance(70)
    server = Server(
        connects,
        choices.pick(("fuzz", "")),
        hpack.Decoder(max_header_list_size=1 << 24),
        choices.pick((16_384, 16_385, 18_000)),
    )
    config = Config(
        "example.org",
        port=443,
        scheme="https",
        identity=7,
        user_agent=server.agent,
        sensitive=frozenset({"x-private"}),
    )
    state = State.open(config, choices.chance(30)).state
    said = [(INITIAL_WINDOW, 1 << 20), (MAX_FRAME, server.most_frame)]
    state = state.feed(settings(*said, *[(ENABLE_CONNECT, 1)] * connects)).state
    state = state.feed(number(WINDOW_UPDATE, 0, 1 << 24)).state
    before: list[Asked] = []
    stream = 1
    for _ in range(choices.between(1, 6)):
        asked = some_request(choices, before)
        before.append(asked)
        why = wrongs(asked, server)
        step = state.request(asked.method, asked.target, asked.headers, asked.body, asked.streaming)
        if why:
            refused(state, step, why, asked.headers)
            continue
        check(step.fault is None, "a request is refused for no reason", step.fault, asked)
        if hides(asked.headers):
            shows_no_secret(step, SECRET)
        ref, state = step.ref, step.state
        check(ref == RequestRef(7, stream), "a wrong ref", ref, stream)
        ends = not asked.streaming and not asked.total
        frames = read_frames(b"".join(step.output))
        rest = read_block(server, frames, stream, wanted(asked, server), ends=ends)
        read_content(server, rest, stream, b"".join(asked.body or ()), ends=asked.total > 0)
        if asked.streaming and ref is not None:
            state = stream_body(choices, state, server, ref, asked)
        stream += 2


if __name__ == "__main__":
    fuzz(one)
