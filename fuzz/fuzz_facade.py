"""Connection values over a link: they return, write and raise what the engine decided, once and in order.

A model gives the same calls and octets to a state of the engine, and keeps what must be written. The link is
a `Memory`, or one that writes at once and whose wire can break. Each call has the responses of the engine, or
raises an error with its reason, those responses and a successor. The octets that are written, and their end,
are those of the engine. Outdated values change nothing, and the private store is part of the value.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import mint
from frames_http2 import settings
from fuzz_transcripts import PLAIN, Server
from mint._core.events import CLOSE, SHUT_WRITE, Event, Failed, RequestRef, Step
from mint._core.faults import Fault
from mint._core.http2 import State as State2
from mint.errors import MintError, StaleConnectionError, TransportReset, TransportTimeout
from mint.errors.table import from_fault
from mint.transport import Memory
from support import Choices, check, counted, fuzz

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mint._core.http1 import State as State1
    from mint.responses import Response

    State = State1 | State2
    Operation = Callable[[State], Step[State]]
    Call = Callable[[mint.Connection], object]

LEVELS = {0: "no", 1: "maybe", 2: "yes"}
RESET = Fault("transport_reset", value=str(TransportReset()), processed=1)
LATE = Fault("transport_timeout", value="receiving from memory: put() has added nothing", processed=1)


class Wire(Memory):
    """A link that writes at once, until its wire breaks."""

    def __init__(self) -> None:
        super().__init__()
        self.written_octets = b""
        self.broken = False
        self.ended_writing = False

    def take(self) -> bytes:
        """Return what was written since the last call."""
        octets, self.written_octets = self.written_octets, b""
        return octets

    def _push(self) -> int:
        count = 0
        while outbox := self.to_write():
            if self.broken:
                raise TransportReset
            octets = bytes(outbox[0])
            self.written_octets += octets
            self.accepted(len(octets))
            count += len(octets)
        return count

    def _end_writing(self) -> None:
        self.ended_writing = True


def shape(response: Response | Event) -> object:
    """Return a response in a form that can be compared: failures by their reasons."""
    if isinstance(response, Failed):
        return "failed", response.ref, from_fault(response.fault).reason, LEVELS[response.fault.processed]
    if isinstance(response, mint.RequestFailed):
        return "failed", response.ref, response.error.reason, response.error.processed.value
    return response


def shapes(responses: Sequence[Response | Event]) -> list[object]:
    """Return responses in a form that can be compared."""
    return [shape(each) for each in responses]


def common(found: Sequence[object]) -> str:
    """Return whether failed requests were processed, if they agree."""
    said = {each[3] for each in found if isinstance(each, tuple) and each[0] == "failed"}
    return "no" if not said else said.pop() if len(said) == 1 else "maybe"


class Pair:
    """A connection, and the model of it."""

    def __init__(self, choices: Choices, http2: bool) -> None:
        self.choices = choices
        self.http2 = http2
        self.link: Memory = Wire() if choices.chance(60) else Memory()
        initiate = mint.http2.initiate if http2 else mint.http1.initiate
        self.conn: mint.Connection = initiate(
            self.link, scheme="https", hostname="example.org", port=443, identity=7
        )
        self.link.take()
        self.state: State = self.conn._state  # noqa: SLF001  # where the model begins
        self.refs: list[RequestRef] = []
        self.latest: RequestRef | None = None  # what the latest call has returned
        self.asked: list[tuple[RequestRef, str]] = []  # what the server has not answered, with the method
        self.private: dict[str, object] = {}
        self.half = False  # whether our direction must have been ended
        self.over = False  # whether the link must be closed

    @property
    def broken(self) -> bool:
        """Whether nothing can be written."""
        return isinstance(self.link, Wire) and self.link.broken

    def call(self, call: Call) -> tuple[list[object] | None, MintError | None]:
        """Call the connection; return its responses, or its error."""
        self.latest = None
        try:
            made = call(self.conn)
        except MintError as error:
            check(isinstance(error.successor, type(self.conn)), "an error has no successor", error)
            self.conn = self.conn.after(error)
            return None, error
        if isinstance(made, tuple):
            self.conn = made[0]
            if isinstance(made[1], RequestRef):
                self.latest = made[1]
                return [], None
            return shapes(made[1]), None
        self.conn = made  # type: ignore[assignment]  # the other calls return only the connection
        return [], None

    def lost(self, state: State, fault: Fault) -> list[object]:
        """Let the model lose its transport; return the failures of its requests."""
        step = state.lose(fault)
        self.state, self.over = step.state, True
        return shapes(step.responses)

    def do(self, call: Call, operation: Operation) -> MintError | None:
        """Make a call, and do the same with the model."""
        before = self.state.flushed() if isinstance(self.state, State2) else self.state
        step = operation(before)
        octets = b"".join(step.output)
        want = shapes(step.responses)
        local = step.fault is not None and step.fault.local
        reason = None if step.fault is None else from_fault(step.fault).reason
        got, error = self.call(call)
        written = self.link.take()
        if local:
            want, octets = [], b""
        elif self.broken and octets:
            want += self.lost(step.state, RESET)
            reason = reason or "econnreset"
            octets = b""
        else:
            self.state = step.state
            self.half = self.half or step.end == SHUT_WRITE
            self.over = self.over or step.end == CLOSE
        check((reason is None) == (error is None), "an error, or none", reason, error)
        if error is not None:
            check(error.reason == reason, "another error", error, reason)
            got = shapes(error.responses)
        check(got == want, "other responses", got, want)
        check(self.latest in (None, step.ref), "another ref", self.latest, step.ref)
        check(written == octets, "other octets are written", written[-60:], octets[-60:])
        self.judge()
        return error

    def judge(self) -> None:
        """Compare what the connection says of itself."""
        conn, state = self.conn, self.state
        check(conn.open_request_count == state.open_request_count, "other open requests", conn, state)
        check(conn.is_open() == state.is_open_write, "wrongly open for requests", conn, state)
        check(conn.is_open("read") == state.is_open_read, "wrongly open for responses", conn, state)
        check(self.link.closed == self.over, "the link is wrongly open or closed", conn, self.over)
        if isinstance(self.link, Wire) and not self.over and not self.broken:
            check(self.link.ended_writing == self.half, "a direction is wrongly open or ended", conn)

    # -- calls

    def request(self) -> None:
        """Send a request, perhaps with a body, or an invalid one."""
        choices = self.choices
        headers = tuple(choices.pick(PLAIN) for _ in range(choices.below(3)))
        if choices.chance(8):
            headers += (("connection", "close"),)
        method = choices.pick(("GET", "HEAD", "POST", "POST", "G T"))
        target, kind = "/a?b", choices.below(4)
        if choices.chance(12):
            method, target, kind = "CONNECT", "far.example:443", 1
        pieces = (counted(choices.pick((1, 9, 300))),) if kind == 0 else None
        body = mint.STREAM if kind == 1 else pieces
        error = self.do(
            lambda conn: conn.request(method, target, headers, body=body),
            lambda state: state.request(method, target, headers, pieces, kind == 1),
        )
        if error is None and self.latest is not None:
            self.refs.append(self.latest)
            self.asked.append((self.latest, method))

    def body(self) -> None:
        """Send a piece of a body, or its end."""
        if not self.refs:
            return
        ref = self.choices.pick(self.refs)
        if self.choices.chance(40):
            trailers = (("x-check", "1"),) if self.choices.chance(30) else ()
            self.do(
                lambda conn: conn.stream_request_body(ref, mint.Eof(trailers)),
                lambda state: state.end_body(ref, trailers),
            )
        else:
            piece = counted(self.choices.pick((0, 1, 60)), 5)
            self.do(
                lambda conn: conn.stream_request_body(ref, piece),
                lambda state: state.stream_body(ref, piece),
            )

    def control(self) -> None:
        """Use what only HTTP/2 has."""
        if not isinstance(self.conn, mint.HTTP2):
            return
        if self.choices.chance(50):
            payload = counted(8, self.choices.byte())
            self.do(lambda conn: conn.ping(payload), lambda state: state.ping(payload))  # type: ignore[union-attr]  # HTTP/2
        elif self.refs:
            ref = self.choices.pick(self.refs)
            self.do(lambda conn: conn.cancel_request(ref), lambda state: state.cancel(ref))  # type: ignore[union-attr]  # HTTP/2

    def answer(self, server: Server) -> None:
        """Let the server answer a request, or nobody."""
        choices = self.choices
        if not self.asked and choices.chance(90):
            return
        ref, method = self.asked.pop(0) if self.asked else (RequestRef(7, 1), "GET")
        if method == "CONNECT" and not self.http2:
            octets = b"HTTP/1.1 200 Go\r\n\r\n" + counted(choices.pick((0, 9)))
        else:
            octets = server.response(ref.number if self.http2 else 0)
            if method == "HEAD" and not self.http2:
                octets = octets.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        if choices.chance(8):
            at = choices.below(len(octets))
            octets = octets[:at] + bytes([choices.byte()]) + octets[at + 1 :]
        self.arrive(octets)

    def arrive(self, octets: bytes) -> None:
        """Let octets arrive in pieces, and receive each."""
        for part in filter(None, self.choices.cut(octets)):
            if self.over or not self.conn.is_open("read"):
                return
            self.link.put(part)
            self.do(lambda conn: conn.recv(), lambda state, part=part: state.feed(part))  # type: ignore[misc]  # default

    def end(self) -> None:
        """The server ends its direction, cleanly or not."""
        clean = self.choices.chance(60)
        self.link.put_eof(clean=clean)
        self.do(lambda conn: conn.recv(), lambda state: state.feed_eof(clean))

    def wait(self) -> None:
        """Receive although nothing has arrived: the time is up, and nothing has changed."""
        standing = shapes(self.state.lose(LATE).responses)
        before = self.conn
        _, error = self.call(lambda conn: conn.recv())
        check(isinstance(error, TransportTimeout), "no timeout", error)
        if error is not None:
            check(error.responses == () and self.conn == before, "a timeout changes something", error)
            check(error.processed.value == common(standing), "wrongly processed", error.processed, standing)
        self.judge()

    def fail(self) -> None:
        """Reading fails: every open request does, once."""
        want = self.lost(self.state, RESET)
        self.link.fail(TransportReset())
        _, error = self.call(lambda conn: conn.recv())
        check(isinstance(error, TransportReset), "no error", error)
        if error is not None:
            check(shapes(error.responses) == want, "other failures", error.responses, want)
            check(error.processed.value == common(want), "wrongly processed", error.processed, want)
        self.judge()

    def break_off(self) -> None:
        """From now on, nothing can be written."""
        if isinstance(self.link, Wire):
            self.link.broken = True

    def outdate(self) -> None:
        """Use an outdated value: that is refused, and changes nothing."""
        old = self.conn
        self.conn = old.set_mode("passive")
        for call in (old.recv, lambda: old.request("GET", "/old"), old.flush):
            try:
                call()
            except StaleConnectionError as error:
                check(old.after(error) == self.conn, "another successor", error)
            else:
                check(False, "an outdated value is used", old)
        check(self.link.take() == b"", "an outdated value writes")
        self.judge()

    def store(self) -> None:
        """Change the private store: it is compared like the rest of the value."""
        key, value = self.choices.pick(("a", "b")), self.choices.below(3)
        before = self.conn
        wanted = dict(self.private)
        if self.choices.chance(25):
            self.conn = before.delete_private(key)
            wanted.pop(key, None)
        else:
            self.conn = before.put_private(key, value)
            wanted[key] = value
        check((self.conn == before) == (wanted == self.private), "wrongly equal", wanted, self.private)
        self.private = wanted
        for each in ("a", "b"):
            check(self.conn.get_private(each, 9) == wanted.get(each, 9), "another value", each)
        fork = self.conn.fork()
        check(fork == self.conn and fork.get_private(key) == wanted.get(key), "a fork differs", fork)
        with contextlib.suppress(MintError):
            fork.request("GET", "/fork", [("x-fork", "1")])
        check(self.link.take() == b"", "a fork writes")

    def close(self) -> None:
        """Close, from whichever value."""
        step = (self.state.flushed() if isinstance(self.state, State2) else self.state).close()
        octets = b"" if self.broken or self.over else b"".join(step.output)
        self.conn = self.conn.close()
        check(self.link.take() == octets, "another goodbye", octets)
        self.state, self.over = step.state, True
        self.judge()


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    pair = Pair(choices, choices.chance(50))
    server = Server(choices, pair.http2)
    if pair.http2:
        pair.arrive(settings())
        server.begun = True
    for _ in range(choices.between(3, 30)):
        if pair.over:
            break
        match choices.below(13):
            case 0 | 1 | 2:
                pair.request()
            case 3 | 4:
                pair.body()
            case 5:
                pair.control()
            case 6 | 7 | 8:
                pair.answer(server)
            case 9:
                if pair.conn.is_open("read"):
                    pair.wait()
            case 10:
                pair.outdate()
            case 11:
                pair.store()
            case _:
                if choices.chance(30):
                    pair.break_off()
    if pair.over:
        return
    choices.pick((pair.end, pair.fail, pair.close))()
    if not pair.over:
        pair.close()


if __name__ == "__main__":
    fuzz(one)
