"""Whole HTTP/1 conversations: requests, bodies in pieces and responses in any order, with ends and failures.

An honest server answers in its own time: early, with interim responses, in pieces; it closes, switches to
another protocol, or breaks. The model below knows which calls are allowed at each moment, which events
follow, whether a request that failed was processed, and what the server has read.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fuzz_http1 import EMPTY_LINES, seen
from fuzz_http1_requests import split_head
from mint._core.events import CLOSE, SHUT_WRITE, Event, Failed, RequestRef, Step
from mint._core.faults import Fault
from mint._core.http1 import Config, State
from support import Choices, check, counted, documented, fuzz, merged

if TYPE_CHECKING:
    from collections.abc import Callable

NO, MAYBE, YES = 0, 1, 2
Piece = tuple[bytes, "Callable[[], None]"]


@dataclass(eq=False)
class Request:
    """A request that was sent."""

    number: int
    method: str
    target: str
    mode: str = ""  # how its body is sent: "length", "chunked", or not at all
    owed: int = 0
    content: bytes = b""
    begun: bool = False
    ended: bool = True
    trailers: bool = False
    closes: bool = False
    expects: bool = False
    upgrades: bool = False
    answered: bool = False  # whether an octet of its response was seen

    @property
    def ref(self) -> RequestRef:
        """Its ref."""
        return RequestRef(7, self.number)


@dataclass
class Talk:
    """The conversation."""

    choices: Choices
    state: State
    most: int  # requests that may wait
    proxied: bool
    blanks: bool  # whether empty lines are tolerated
    given: int = 0
    waiting: deque[Request] = field(default_factory=deque)
    sent: list[Request] = field(default_factory=list)
    sender: Request | None = None
    tunnel: Request | None = None
    old: bool = False  # whether the last response was one of HTTP/1.0
    closing: bool = False
    ending: bool = False  # whether the response that is being read is the last
    last: bool = False
    deaf: bool = False
    closed: bool = False
    until_close: bool = False
    half: bool = False  # whether the CR of an empty line has arrived, but not its LF
    output: bytes = b""
    expected: list[tuple[str, int, object]] = field(default_factory=list)
    failures: list[tuple[int, str, int]] = field(default_factory=list)
    pieces: deque[Piece] = field(default_factory=deque)
    history: list[Callable[[State], Step[State]]] = field(default_factory=list)

    # -- calls

    def apply(self, operation: Callable[[State], Step[State]], *, allowed: bool = True) -> Step[State]:
        """Run an operation; a refused one must have no effect."""
        if self.choices.chance(5):
            self.detour()
        step = operation(self.state)
        if not allowed:
            check(step.fault is not None and step.fault.local, "a call is not refused", self.state)
            check(step.state is self.state and not step.output and not step.responses, "an effect", step)
            return step
        self.history.append(operation)
        self.state = step.state
        self.output += b"".join(step.output)
        return step

    def detour(self) -> None:
        """Use a fork, which must not affect the connection."""
        fork = self.state.feed(self.choices.octets(20)).state
        fork = fork.request("GET", "/fork", (("x-fork", "y"),), None, False).state
        if self.sender is not None:
            fork.stream_body(self.sender.ref, b"z")
        fork.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx")

    def may_request(self) -> bool:
        """Whether one more request is allowed."""
        switches = bool(self.waiting) and (self.waiting[-1].method == "CONNECT" or self.waiting[-1].upgrades)
        busy = self.sender is not None and self.sender.mode != ""
        stuck = self.closed or self.closing or self.tunnel is not None or switches
        return not (stuck or busy or len(self.waiting) >= self.most)

    def request(self) -> None:
        """Send a request."""
        choices = self.choices
        one = Request(self.given + 1, choices.pick(("GET", "HEAD", "POST", "CONNECT", "GET", "DELETE")), "/")
        headers: list[tuple[str, str]] = []
        streaming, body = False, None
        if one.method == "CONNECT":
            one.target = "far.example:443"
            if choices.chance(60):
                one.method, one.target = "GET", f"/{one.number}"
        elif choices.chance(40):
            streaming, one.mode, one.ended = True, "chunked", False
            if choices.chance(50):
                one.mode, one.owed = "length", choices.pick((0, 1, 20, 300))
                headers.append(("content-length", str(one.owed)))
            if choices.chance(30):
                one.expects = True
                headers.append(("expect", "100-continue"))
        elif choices.chance(30):
            body = (counted(choices.pick((0, 1, 30))), counted(choices.pick((0, 5)), 9))
            one.content, one.mode = b"".join(body), "length"
        elif choices.chance(20) and one.method == "GET":
            one.upgrades = True
            headers.append(("upgrade", "websocket"))
        if choices.chance(8):
            one.closes = True
            headers.append(("connection", choices.pick(("close", "Close, x-a"))))
        fits = not (one.mode == "chunked" and self.old)
        allowed = self.may_request() and fits
        step = self.apply(
            lambda state: state.request(one.method, one.target, tuple(headers), body, streaming),
            allowed=allowed,
        )
        if not allowed:
            return
        check(step.fault is None and step.ref == one.ref, "a request is refused", step.fault, one, self.state)
        self.given += 1
        self.waiting.append(one)
        self.sent.append(one)
        if streaming:
            self.sender = one
        else:
            one.mode = one.mode if one.content or body is not None or one.method == "POST" else ""
        self.closing |= one.closes

    def body(self) -> None:
        """Send a piece of a body or through the tunnel, or try to."""
        if not self.sent:
            return
        one = self.sender or self.choices.pick(self.sent)
        raw = self.tunnel is one
        size = self.choices.pick((0, 1, one.owed, one.owed + 1, 17, 70_000 if one.mode == "chunked" else 2))
        open_ = not self.closed and self.sender is one
        allowed = open_ and (raw or one.mode == "chunked" or size <= one.owed)
        piece = counted(size, len(one.content))
        before = len(self.output)
        step = self.apply(lambda state: state.stream_body(one.ref, piece), allowed=allowed)
        if not allowed:
            return
        check(step.fault is None, "a piece is refused", step.fault)
        if raw:
            check(self.output[before:] == piece, "a tunnel changes octets", self.output[before:][:40])
            self.output = self.output[:before]
            return
        one.content += piece
        one.begun |= size > 0
        one.owed -= size if one.mode == "length" else 0

    def end(self) -> None:
        """End a body, or the outgoing direction of the tunnel, or try to."""
        if not self.sent:
            return
        one = self.sender or self.choices.pick(self.sent)
        trailers = (("x-check", "1"),) if self.choices.chance(25) else ()
        raw = self.tunnel is one
        allowed = not self.closed and self.sender is one
        allowed = (
            allowed and (one.mode == "chunked" or not trailers) and (one.mode != "length" or not one.owed)
        )
        step = self.apply(lambda state: state.end_body(one.ref, trailers), allowed=allowed)
        if not allowed:
            return
        check(step.fault is None, "an end is refused", step.fault)
        one.ended, one.trailers = True, bool(trailers)
        self.sender = None
        if raw:
            self.closed |= self.deaf
            wanted = CLOSE if self.deaf else SHUT_WRITE
            check(step.end == wanted, "a wrong end of a tunnel", step.end, wanted)

    # -- the server

    def respond(self) -> None:
        """Let the server send the next piece of a response."""
        if self.closed or self.deaf or not (self.waiting or self.tunnel):
            return
        if self.tunnel is not None:
            octets = counted(self.choices.between(1, 30), self.choices.byte())
            one = self.tunnel
            self.feed(octets, lambda: self.expected.append(("data", one.number, octets)))
            return
        if not self.pieces and self.until_close:
            one, part = self.waiting[0], counted(9, self.choices.byte())
            self.pieces.append((part, lambda: self.content(one, part, done=False)))
        elif not self.pieces:
            self.plan(self.waiting[0])
        if self.half:
            self.blank()
        self.feed(*self.pieces.popleft())

    def blank(self) -> None:
        """Let the server send half of an empty line between responses, also while no request waits."""
        busy = self.pieces and not self.half
        if not self.blanks or busy or self.closed or self.deaf or self.until_close or self.tunnel is not None:
            return
        self.feed(b"\n" if self.half else b"\r", lambda: None)
        self.half = not self.half

    def feed(self, octets: bytes, effect: Callable[[], None]) -> None:
        """Feed octets, and check the events."""
        effect()
        events: list[Event] = []
        end = 0
        for part in self.choices.cut(octets):
            step = self.apply(lambda state, part=part: state.feed(part))  # type: ignore[misc]  # default of a lambda
            check(step.fault is None, "an honest server is refused", step.fault, octets)
            events += step.responses
            end = step.end or end
        self.judge(events)
        check((end == CLOSE) == self.closed, "wrongly closed, or not", end, self.closed)

    def judge(self, events: list[Event]) -> None:
        """Compare events with the expected ones."""
        got, _ = seen(merged(events))
        check(got == self.expected, "wrong events", got[:3], self.expected[:3])
        failed = [
            (event.ref.number, event.fault.reason, event.fault.processed)
            for event in events
            if isinstance(event, Failed)
        ]
        check(failed == self.failures, "the wrong requests fail", failed, self.failures)
        self.expected, self.failures = [], []

    def plan(self, one: Request) -> None:
        """Decide on the response to a request."""
        choices, pieces = self.choices, self.pieces
        for _ in range(choices.below(3) if choices.chance(30) else 0):
            status = choices.pick((100, 103))
            octets = b"HTTP/1.1 %d x\r\nx-early: 1\r\n\r\n" % status
            pieces.append((octets, lambda status=status: self.interim(one, status)))  # type: ignore[misc]  # default
        old = choices.chance(12)
        if one.upgrades and choices.chance(60):
            octets = b"HTTP/1.1 101 Switch\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
            headers = (("connection", "upgrade"), ("upgrade", "websocket"))
            pieces.append((octets, lambda: self.switch(one, 101, headers)))
            return
        if one.method == "CONNECT" and choices.chance(70):
            octets = b"HTTP/1.1 204 Go\r\ncontent-length: 9\r\n\r\n"
            pieces.append((octets, lambda: self.switch(one, 204, (("content-length", "9"),))))
            return
        status = choices.pick((200, 200, 404, 413, 204, 304))
        if one.method == "CONNECT":
            status = 407
        said = choices.pick(("", "", "", "close", "keep-alive"))
        lines = [("connection", said)] if said else []
        content = counted(choices.pick((0, 1, 20, 300)), choices.byte())
        framing = choices.pick(("length", "length", "chunked", "until"))
        framing = "length" if old and framing == "chunked" else framing
        bare = one.method == "HEAD" or status in (204, 304)
        if framing == "length":
            lines.append(("content-length", str(len(content))))
        elif framing == "chunked":
            lines.append(("transfer-encoding", "chunked"))
        head = b"HTTP/1.%d %d x\r\n" % (not old, status)
        head += b"".join(b"%s: %s\r\n" % (name.encode(), value.encode()) for name, value in lines) + b"\r\n"
        until = framing == "until" and not bare
        empty = bare or (framing == "length" and not content)
        self.last = False

        def begin() -> None:
            one.answered = True
            self.old = old
            kept = not old or (said == "keep-alive" and not self.proxied)
            refuses = one.expects and self.sender is one and not one.begun
            self.last = said == "close" or one.closes or not kept or until or refuses
            self.until_close = until
            self.expected += [("status", one.number, status), ("headers", one.number, tuple(lines))]
            if self.last:
                self.closing = self.ending = True
                if self.sender is not one:
                    self.sender = None
            if empty:
                self.finish(one)

        pieces.append((head, begin))
        if empty:
            return
        for place in range(0, len(content), 150):
            part = content[place : place + 150]
            octets = b"%x\r\n%s\r\n" % (len(part), part) if framing == "chunked" else part
            done = framing == "length" and place + 150 >= len(content)
            pieces.append((octets, lambda part=part, done=done: self.content(one, part, done=done)))  # type: ignore[misc]  # defaults
        if framing == "chunked":
            pieces.append((b"0\r\n\r\n", lambda: self.finish(one)))

    def interim(self, one: Request, status: int) -> None:
        """Expect an interim response."""
        one.answered = True
        self.expected.append(("interim", one.number, (status, (("x-early", "1"),))))

    def switch(self, one: Request, status: int, headers: tuple[tuple[str, str], ...]) -> None:
        """Expect a tunnel."""
        one.answered, self.old = True, False
        self.expected += [("status", one.number, status), ("headers", one.number, headers)]
        self.tunnel = self.sender = one
        one.mode = ""

    def content(self, one: Request, part: bytes, *, done: bool) -> None:
        """Expect content."""
        self.expected.append(("data", one.number, part))
        if done:
            self.finish(one)

    def finish(self, one: Request) -> None:
        """Expect the end of a response; after the last one, the others were not processed."""
        self.expected.append(("done", one.number, None))
        self.waiting.popleft()
        self.until_close = False
        if self.last:
            self.fail_all("closed", NO, "closed", NO)
        self.ending = False

    def fail_all(self, first: str, processed: int, rest: str, others: int) -> None:
        """Expect that every request that waits fails, and that the connection is closed."""
        for place, one in enumerate(self.waiting):
            if place and self.ending:
                self.failures.append((one.number, "closed", NO))
            else:
                self.failures.append((one.number, rest if place else first, others if place else processed))
        self.waiting.clear()
        self.closed = True
        self.sender = None

    # -- the end

    def leave(self) -> None:
        """End the connection in some manner; check which requests fail, and whether they were processed."""
        choices = self.choices
        first = self.waiting[0] if self.waiting else None
        answering = first is not None and first.answered
        was_closed, waited = self.closed, bool(self.waiting)
        match choices.below(5):
            case 0:
                self.closed, self.sender = True, None
                self.waiting.clear()
                step = self.apply(lambda state: state.close())
            case 1:
                lost = Fault("connection_reset")
                self.fail_all("connection_reset", YES if answering else MAYBE, "connection_reset", MAYBE)
                step = self.apply(lambda state: state.lose(lost))
            case 2:
                if self.pieces or self.until_close or not waited or self.tunnel or was_closed:
                    return
                if self.half:
                    self.blank()
                octets = b"HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n"
                self.expected.append(("status", self.waiting[0].number, 200))
                self.fail_all("invalid_header", YES, "closed", MAYBE)
                step = self.apply(lambda state: state.feed(octets))
            case _:
                self.eof(clean=choices.chance(60))
                return
        self.judge(step.responses)
        check(step.end == CLOSE, "not closed", step)

    def surprise(self) -> None:
        """The server sends octets before the requests that wait have left: only empty lines are tolerated."""
        one = self.waiting[0] if self.waiting else None
        begun = bool(self.pieces) or self.until_close or (one is not None and one.answered)
        if begun or self.closed or self.deaf or self.tunnel is not None:
            return
        octets = b"\r\n" * self.choices.below(3) + self.choices.pick((b"", b"\n", b"\r", b"HTTP/1.1 200 OK"))
        tolerated = not octets or (self.blanks and not self.half and not octets.replace(b"\r\n", b""))
        if not tolerated:
            self.fail_all("unexpected_data", NO, "closed", NO)
        before = self.state
        step = self.apply(lambda state: state.unasked(octets))
        self.judge(step.responses)
        if tolerated:
            check(step.fault is None and step.state is before, "empty lines are refused", step.fault, octets)
            return
        check(step.end == CLOSE, "not closed", step)
        check(step.fault is not None and step.fault.reason == "unexpected_data", "a wrong fault", step.fault)
        if step.fault is not None:
            documented(step.fault)
            check(step.fault.processed == NO, "a wrong `processed`", step.fault)

    def eof(self, *, clean: bool) -> None:
        """The server ends its direction."""
        if self.closed or self.deaf:
            return
        waited = bool(self.waiting)
        one = self.waiting[0] if waited else None
        if one is not None and clean and (self.until_close or self.tunnel):
            self.last = not self.tunnel
            if self.tunnel:
                self.expected.append(("done", one.number, None))
                self.waiting.popleft()
                self.deaf, self.closed = True, self.sender is None
            else:
                self.finish(one)
            waited = False
        elif self.until_close or self.tunnel:
            self.fail_all("tls_truncated", YES, "closed", MAYBE)
        elif one is not None and one.answered:
            self.fail_all("incomplete_response", YES, "transport_closed", MAYBE)
        else:
            self.fail_all("transport_closed", MAYBE, "transport_closed", MAYBE)
        weights = {processed for _, _, processed in self.failures}
        step = self.apply(lambda state: state.feed_eof(clean))
        self.judge(step.responses)
        check((step.end == CLOSE) == self.closed, "wrongly closed, or not", step.end, self.closed)
        check((step.fault is not None) == waited, "a wrong fault", step.fault)
        if step.fault is not None:
            documented(step.fault)
            wanted = weights.pop() if len(weights) == 1 else MAYBE
            check(step.fault.processed == wanted, "a wrong `processed`", step.fault, wanted)

    def agrees(self) -> None:
        """Check the properties of the state."""
        state = self.state
        check(state.open_request_count == len(self.waiting), "a wrong count", state, len(self.waiting))
        check(state.is_open_read == (not self.closed and not self.deaf), "open to read or not", state)
        check(state.is_tunnel == (self.tunnel is not None and not self.closed), "a tunnel or not", state)
        switches = bool(self.waiting) and (self.waiting[-1].method == "CONNECT" or self.waiting[-1].upgrades)
        more = not (self.closed or self.closing or self.tunnel or switches)
        check(state.is_open_write == more, "open to write or not", state, more)
        busy = not self.closed and self.sender is not None and self.sender.mode != ""
        check(state.is_streaming == busy, "streaming or not", state, busy)
        for one in self.sent[-3:]:
            check(state.body_is_open(one.ref) == (self.sender is one), "a body is open or not", one)

    def read_all(self) -> None:
        """Read everything that was sent as the server does."""
        rest = self.output
        for place, one in enumerate(self.sent):
            line, fields, rest = split_head(rest)
            check(line == f"{one.method} {self.shown(one)} HTTP/1.1", "a wrong request", line, one)
            lengths = [value for name, value in fields if name == "content-length"]
            coded = ("transfer-encoding", "chunked") in fields
            check(coded == (one.mode == "chunked" and not lengths), "a wrong framing", fields, one)
            content, rest, whole = unframed(rest, lengths, coded=coded)
            complete = one.ended and not (one.mode == "length" and one.owed)
            check(content == one.content, "wrong content", len(content), len(one.content), one)
            check(whole or not complete, "an end is missing", one)
            check(complete or place == len(self.sent) - 1, "a request inside another", one)
        check(not rest, "more than was asked for", rest[:60])

    def shown(self, one: Request) -> str:
        """Return the target that the server must read."""
        return "http://example.org" + one.target if self.proxied and one.target[0] == "/" else one.target


def unframed(octets: bytes, lengths: list[str], *, coded: bool) -> tuple[bytes, bytes, bool]:
    """Read the content of one request; return it, the rest, and whether it was complete."""
    if not coded:
        size = int(lengths[0]) if lengths else 0
        return octets[:size], octets[size:], len(octets) >= size
    content = b""
    while octets:
        line, _, octets = octets.partition(b"\r\n")
        check(bool(re.fullmatch(rb"[0-9A-F]+", line)), "no chunk size", line)
        size = int(line, 16)
        if size == 0:
            trailers, end, rest = (b"\r\n" + octets).partition(b"\r\n\r\n")
            check(bool(end) and trailers in (b"", b"\r\nx-check: 1"), "wrong trailers", trailers)
            return content, rest, True
        content += octets[:size]
        check(octets[size : size + 2] == b"\r\n", "a chunk does not end", octets[size : size + 2])
        octets = octets[size + 2 :]
    return content, b"", False


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    proxied = choices.chance(15)
    config = Config(
        hostname="example.org",
        port=80,
        scheme="http",
        identity=7,
        user_agent="fuzz",
        max_pipelined=(most := choices.between(1, 4)),
        forward_proxy=proxied,
        tolerance=EMPTY_LINES if (blanks := choices.chance(30)) else 0,
    )
    talk = Talk(choices, State(config), most, proxied, blanks)
    for _ in range(choices.between(4, 30)):
        kind = choices.below(14)
        if kind < 4:  # a third
            talk.request()
        elif kind < 6:  # a piece of a body
            talk.body()
        elif kind == 6:  # its end
            talk.end()
        elif kind > 11:  # half of an empty line
            talk.blank()
        elif kind < 11 or choices.chance(60):  # a third
            talk.respond()
        else:
            choices.pick((talk.leave, talk.leave, talk.surprise))()
        talk.agrees()
    talk.read_all()
    state = State(config)
    for operation in talk.history:
        state = operation(state).state
    check(state == talk.state, "forks have changed the connection", state, talk.state)


if __name__ == "__main__":
    fuzz(one)
