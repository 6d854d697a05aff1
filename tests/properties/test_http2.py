"""Properties of the HTTP/2 engine: immutable states, splitting of input, refusals, flow control."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mint._core.events import Data, Done, Failed, RequestRef, Step
from mint._core.http2 import State
from tests.http2_driver import (
    DATA,
    FLOW_CONTROL_ERROR,
    IDENTITY,
    OK,
    PROMISED,
    RST_STREAM,
    WINDOW_UPDATE,
    Conversation,
    Server,
    ack,
    config,
    data,
    fed,
    frame,
    frames_of,
    goaway,
    merged,
    opened,
    ping,
    reset,
    window_update,
)
from tests.http2_driver import settings as settings_frame
from tests.refs import ref_of

STREAMS = st.sampled_from([0, 1, 2, 3, 4, 5, 7])
NAMES = st.sampled_from(
    ["a", "b-c", "content-length", "cookie", "set-cookie", "Upper", ":status", "te", "x" * 40]
)
VALUES = st.sampled_from(["", "0", "5", "x y", "a\0", "v" * 100, "trailers"])
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=4)

STEPS = st.one_of(
    st.tuples(
        st.just("head"),
        STREAMS,
        st.sampled_from(["200", "200", "204", "103", "404", "x"]),
        FIELDS,
        st.booleans(),
    ),
    st.tuples(st.just("trailers"), STREAMS, FIELDS, st.integers(0, 3)),
    st.tuples(
        st.just("data"), STREAMS, st.binary(max_size=40), st.booleans(), st.none() | st.integers(0, 20)
    ),
    st.tuples(st.just("reset"), STREAMS, st.integers(0, 20)),
    st.tuples(st.just("promise"), STREAMS, st.sampled_from([2, 4, 6]), st.integers(0, 2)),
    st.tuples(st.just("goaway"), st.sampled_from([0, 1, 3, 5, 2**31 - 1]), st.integers(0, 2)),
    st.tuples(st.just("update"), STREAMS, st.sampled_from([0, 1, 1000, 2**31 - 1])),
    st.tuples(
        st.just("settings"), st.lists(st.tuples(st.integers(0, 10), st.integers(0, 70_000)), max_size=3)
    ),
    st.tuples(st.just("ping"), st.booleans()),
    st.tuples(st.just("ack")),
    st.tuples(st.just("raw"), st.integers(0, 12), st.integers(0, 255), STREAMS, st.binary(max_size=12)),
)
CALLS = st.one_of(
    st.tuples(st.just("request")),
    st.tuples(st.just("cancel"), st.sampled_from([1, 3, 5])),
    st.tuples(st.just("end"), st.sampled_from([1, 3, 5])),
    st.tuples(st.just("ping")),
)


def octets_of(server: Server, step: tuple[object, ...]) -> bytes:  # noqa: C901, PLR0911  # one case per kind of frame
    match step:
        case ("head", int(stream), str(status), list(fields), bool(end)):
            return server.headers(stream, [(":status", status), *fields], end=end)
        case ("trailers", int(stream), list(fields), int(cuts)):
            return server.headers(stream, fields, end=True, cuts=cuts)
        case ("data", int(stream), bytes(content), bool(end), padding):
            return data(stream, content, end, padding if isinstance(padding, int) else None)
        case ("reset", int(stream), int(code)):
            return reset(stream, code)
        case ("promise", int(stream), int(promised), int(cuts)):
            return server.promise(stream, promised, PROMISED, cuts)
        case ("goaway", int(last), int(code)):
            return goaway(last, code)
        case ("update", int(stream), int(increment)):
            return window_update(stream, increment)
        case ("settings", list(pairs)):
            return settings_frame(*pairs)
        case ("ping", bool(answer)):
            return ping(flags=int(answer))
        case ("raw", int(kind), int(flags), int(stream), bytes(payload)):
            return frame(kind, flags, stream, payload)
        case _:
            return ack()


def started(push: bool) -> State:
    """Return a state with three open requests: a GET, a HEAD, and a POST whose body is not sent yet."""
    talk = opened(mine=(("enable_push", int(push)), ("initial_window_size", 100)), window_update_threshold=50)
    talk.request()
    talk.request("HEAD")
    talk.request("POST", "/", [], None, True)
    return talk.state


@given(st.lists(STEPS, max_size=12), st.booleans(), st.lists(st.integers(0, 600), max_size=12))
@settings(max_examples=300)
def test_results_do_not_depend_on_how_the_input_is_split(
    steps: list[tuple[object, ...]], push: bool, cuts: list[int]
) -> None:
    server = Server()
    octets = b"".join(octets_of(server, step) for step in steps)
    state = started(push)
    whole = Conversation(state)
    whole.feed(octets)
    for where in (cuts, range(1, len(octets))):
        cut = fed(state, octets, [place for place in where if place < len(octets)])
        assert merged(cut.events) == whole.events
        assert cut.sent == whole.sent
        # A call reports one fault: a protocol violation replaces an error that the server announced.
        assert cut.faults[-1:] == whole.faults[-1:]
        assert cut.closed == whole.closed
        assert cut.state == whole.state
    assert state == started(push)


@given(st.lists(STEPS, max_size=12), st.booleans())
def test_each_ref_ends_once_and_a_fatal_fault_ends_all(steps: list[tuple[object, ...]], push: bool) -> None:
    server = Server()
    talk = Conversation(started(push))
    for step in steps:
        talk.feed(octets_of(server, step))
    ended: set[RequestRef] = set()
    for event in talk.events:
        if isinstance(event, Done | Failed):
            assert event.ref not in ended
            ended.add(event.ref)
        elif hasattr(event, "status") or isinstance(event, Data):
            assert ref_of(event) not in ended
    assert len([one for one in ended if one.number & 1]) + talk.state.open_request_count == 3
    if talk.closed:
        assert talk.state.open_request_count == 0
        assert not talk.state.is_open_read


Operation = tuple[tuple[object, ...], bytes]


def carried_out(state: State, operation: Operation) -> Step[State]:
    step, octets = operation
    match step:
        case ("request",):
            return state.request("GET", "/x", [("n", str(len(octets)))], None, False)
        case ("cancel", int(number)):
            return state.cancel(RequestRef(IDENTITY, number))
        case ("end", int(number)) if number < 6:
            return state.end_body(RequestRef(IDENTITY, number), [("t", "1")])
        case ("ping",):
            return state.ping(b"12345678")
        case _:
            return state.feed(octets)


class Values(RuleBasedStateMachine):
    """Continue from any earlier state; at the end, repeating its history must give an equal state."""

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.push = False
        self.known: list[tuple[State, tuple[Operation, ...]]] = []

    @initialize(push=st.booleans())
    def begin(self, push: bool) -> None:
        self.push = push
        self.known.append((started(push), ()))

    def run(self, which: int, operation: Operation) -> None:
        state, history = self.known[-1 - which % len(self.known)]
        one, other = carried_out(state, operation), carried_out(state, operation)
        assert one.responses == other.responses
        assert one.output == other.output
        assert one.fault == other.fault
        assert one.ref == other.ref
        assert one.state == other.state
        self.known.append((one.state, (*history, operation)))

    @rule(which=st.integers(0, 20), step=STEPS, cut=st.none() | st.integers(0, 40))
    def feed(self, which: int, step: tuple[object, ...], cut: int | None) -> None:
        self.run(which, (("feed",), octets_of(self.server, step)[:cut]))

    @rule(which=st.integers(0, 20), step=CALLS, salt=st.binary(max_size=3))
    def call(self, which: int, step: tuple[object, ...], salt: bytes) -> None:
        self.run(which, (step, salt))

    def teardown(self) -> None:
        for state, history in self.known:
            again = started(self.push)
            for operation in history:
                again = carried_out(again, operation).state
            assert state == again


Values.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
test_values = Values.TestCase


TEXT = st.text(max_size=12)
LIKELY = st.sampled_from(
    [
        "host",
        "te",
        "Cookie",
        "connection",
        "content-length",
        ":path",
        ":protocol",
        "x-a",
        "user-agent",
        "authorization",
    ]
)


@given(
    st.sampled_from(["GET", "HEAD", "CONNECT", "POST", "OPTIONS"]) | TEXT,
    st.sampled_from(["/", "*", "a.example:443", "http://a/"]) | TEXT,
    st.lists(
        st.tuples(LIKELY | TEXT, st.sampled_from(["trailers", "a.example", "5", "/"]) | TEXT), max_size=5
    ),
    st.none() | st.lists(st.binary(max_size=9), max_size=3).map(tuple),
    st.booleans(),
)
@settings(max_examples=400)
def test_a_request_is_either_well_formed_or_refused_without_effect(
    method: str,
    target: str,
    headers: list[tuple[str, str]],
    body: tuple[bytes, ...] | None,
    streaming: bool,
) -> None:
    talk = opened((8, 1))
    before = talk.state
    step = before.request(method, target, headers, body, streaming)
    if step.fault is not None:
        assert step.fault.local
        assert step.state is before
        assert step.output == ()
        plain = before.request("GET", "/after", [("x", "y")], None, False)
        assert plain.output == opened((8, 1)).state.request("GET", "/after", [("x", "y")], None, False).output
        return
    (fields,) = Server().read(step.output)
    pseudo = [name for name, _ in fields if name[0] == ":"]
    regular = [name for name, _ in fields if name[0] != ":"]
    assert fields[0] == (":method", method)
    assert len(set(pseudo)) == len(pseudo)
    assert [name for name, _ in fields] == pseudo + regular
    if method == "CONNECT" and ":protocol" not in pseudo:
        assert pseudo == [":method", ":authority"]
    else:
        assert {":method", ":scheme", ":path", ":authority"} <= set(pseudo)
    assert not {"connection", "host", "upgrade", "transfer-encoding"} & set(regular)
    for name, value in fields:
        assert name == name.lower()
        assert name.isascii()
        assert name.strip() == name != ""
        assert value.strip(" \t") == value
        assert not set(value) & {"\r", "\n", "\0"}
    content = b"".join(one.payload for one in frames_of(step.output) if one.kind == DATA)
    assert content == (b"".join(body) if body is not None and not streaming else b"")


class FlowControl(RuleBasedStateMachine):
    """Check the windows of RFC 9113 section 5.2 with a random server and a random caller."""

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.talk = Conversation(
            State.open(
                config(
                    (("initial_window_size", 3000),),
                    window_update_threshold=500,
                    connection_window_size=70_000,
                    max_glitches=1 << 30,
                )
            ).state
        )
        self.talk.feed(settings_frame((4, 2000)), ack())
        # How much the server (down) and the caller (up) may still send.
        self.down_all = 70_000
        self.down: dict[int, int] = {}
        self.down_initial = [3000]
        self.up_all = 65_535
        self.up_initial = 2000
        self.up: dict[int, int] = {}
        self.read_sent()

    def read_sent(self) -> None:
        """Let the server read what the client sent, one frame after the other."""
        for one in self.talk.sent:
            if one.kind == WINDOW_UPDATE:
                assert 0 < one.number < 2**31
                if one.stream == 0:
                    self.down_all += one.number if one.number != 70_000 - 65_535 or self.down else 0
                    assert self.down_all <= 2**31 - 1
                elif one.stream in self.down:
                    self.down[one.stream] += one.number
                    assert self.down[one.stream] <= 2**31 - 1
            assert not (one.kind == RST_STREAM and one.number == FLOW_CONTROL_ERROR)
        self.talk.sent.clear()
        assert not self.talk.closed

    @precondition(lambda self: len(self.down) < 4)
    @rule()
    def open(self) -> None:
        one = self.talk.request("POST", "/", [], None, True)
        self.talk.feed(self.server.headers(one.number, OK))
        self.down[one.number] = self.down_initial[-1]
        self.up[one.number] = self.up_initial
        self.read_sent()

    @precondition(lambda self: self.down)
    @rule(which=st.integers(0, 9), size=st.integers(0, 4000), padding=st.none() | st.integers(0, 200))
    def download(self, which: int, size: int, padding: int | None) -> None:
        stream = list(self.down)[which % len(self.down)]
        extra = 0 if padding is None else padding + 1
        size = min(size, self.down[stream] - extra, self.down_all - extra)
        if size < 0:
            return
        self.down[stream] -= size + extra
        self.down_all -= size + extra
        self.talk.events.clear()
        self.talk.feed(data(stream, b"x" * size, padding=padding))
        assert sum(len(event.data) for event in self.talk.events if isinstance(event, Data)) == size
        self.read_sent()
        # however much the server has sent, it may send more
        assert self.down_all > 0
        assert self.down[stream] > 0

    @precondition(lambda self: self.up)
    @rule(which=st.integers(0, 9), size=st.integers(1, 5000))
    def upload(self, which: int, size: int) -> None:
        stream = list(self.up)[which % len(self.up)]
        one = RequestRef(7, stream)
        room = min(self.up[stream], self.up_all)
        assert self.talk.state.send_window(one) == self.up[stream]
        assert self.talk.state.send_window(None) == self.up_all
        assert self.talk.state.body_window(one) == max(room, 0)
        step = self.talk.state.stream_body(one, b"x" * size)
        assert (step.fault is None) == (size <= room)
        if step.fault is None:
            self.up[stream] -= size
            self.up_all -= size
        self.talk.take(step)
        self.read_sent()

    @precondition(lambda self: self.up)
    @rule(which=st.integers(0, 9), increment=st.integers(1, 5000), connection=st.booleans())
    def credit(self, which: int, increment: int, connection: bool) -> None:
        stream = list(self.up)[which % len(self.up)]
        self.talk.feed(window_update(0 if connection else stream, increment))
        if connection:
            self.up_all += increment
        else:
            self.up[stream] += increment
        self.read_sent()

    @rule(size=st.integers(0, 6000))
    def server_resizes(self, size: int) -> None:
        self.talk.feed(settings_frame((4, size)))
        for stream in self.up:
            self.up[stream] += size - self.up_initial
        self.up_initial = size
        self.read_sent()

    @rule(size=st.integers(1, 6000))
    def client_resizes(self, size: int) -> None:
        """Send SETTINGS; the server applies and acknowledges them when it reads them."""
        self.talk.take(self.talk.state.put_settings((("initial_window_size", size),)))
        for stream in self.down:
            self.down[stream] += size - self.down_initial[-1]
        self.down_initial.append(size)
        self.talk.feed(ack())
        self.read_sent()

    @precondition(lambda self: self.down)
    @rule(which=st.integers(0, 9), more=st.integers(1, 5000), connection=st.booleans())
    def enlarge(self, which: int, more: int, connection: bool) -> None:
        stream = list(self.down)[which % len(self.down)]
        one = None if connection else RequestRef(7, stream)
        # the refusal of a smaller size contains the size that the engine knows
        fault = self.talk.state.set_receive_window(one, 1).fault
        now = fault.size if fault is not None else 1
        self.talk.take(self.talk.state.set_receive_window(one, now + more))
        self.read_sent()

    @precondition(lambda self: self.down)
    @rule(which=st.integers(0, 9), cancel=st.booleans())
    def finish(self, which: int, cancel: bool) -> None:
        stream = list(self.down)[which % len(self.down)]
        if cancel:
            self.talk.take(self.talk.state.cancel(RequestRef(7, stream)))
            late = min(300, self.down_all, max(self.down[stream], 0))
            self.down_all -= late
            del self.down[stream], self.up[stream]
            self.talk.feed(data(stream, b"x" * late, end=True))
        else:
            del self.down[stream], self.up[stream]
            self.talk.feed(data(stream, b"", end=True))
        self.read_sent()

    @invariant()
    def the_connection_never_starves(self) -> None:
        assert self.down_all > 0
        assert all(window > 0 for window in self.down.values())


FlowControl.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
test_flow_control = FlowControl.TestCase
