"""Optional events of the connection (ORIGIN, ALTSVC, GOAWAY, SETTINGS), and sending PRIORITY_UPDATE."""

from __future__ import annotations

import struct

import pytest

from mint._core.events import (
    EVENTS,
    AltSvc,
    Event,
    Failed,
    GoAway,
    Origins,
    RequestRef,
    ServerSettings,
)
from mint._core.http2 import Config, State
from tests.http2_driver import (
    AGENT,
    ENHANCE_YOUR_CALM,
    HOST,
    IDENTITY,
    OK,
    PROTOCOL_ERROR,
    Conversation,
    assert_breach,
    assert_refused,
    config,
    data,
    frame,
    frames_of,
    goaway,
    merged,
    opened,
    ping,
    ref,
    reset,
    settings,
)

ALTSVC, ORIGIN, PRIORITY_UPDATE = 0x0A, 0x0C, 0x10
ALL = sum(EVENTS.values())
LARGE = (("max_frame_size", 1 << 20),)


def origins(*entries: bytes) -> bytes:
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def alt_svc(origin: bytes, value: bytes) -> bytes:
    return struct.pack(">H", len(origin)) + origin + value


def events_of(
    talk: Conversation, kind: int, payload: bytes, *, stream: int = 0, flags: int = 0
) -> list[Event]:
    """Return the events of one frame, and check that the connection stays open."""
    step = talk.feed(frame(kind, flags, stream, payload))
    assert (step.output, step.fault) == ((), None)
    assert talk.feed(ping()).output
    return step.responses


@pytest.mark.rfc("8336-2.1")
@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (b"", ()),
        (origins(b"https://example.org"), ("https://example.org",)),
        (origins(b"https://a.test", b"https://b.test:8443"), ("https://a.test", "https://b.test:8443")),
        (origins(b"HTTPS://A.Test"), ("https://a.test",)),
        (
            origins(b"https://[2001:db8::1]:443", b"http://127.0.0.1"),
            ("https://[2001:db8::1]:443", "http://127.0.0.1"),
        ),
        (origins(b"https://x_y.test"), ("https://x_y.test",)),
        # entries that are no origins are left out, and the others are kept (RFC 8336 2.3)
        (origins(b""), ()),
        (origins(b"", b"https://a.test", b"null"), ("https://a.test",)),
        *[
            (origins(bad, b"https://a.test"), ("https://a.test",))
            for bad in (
                b"https://",
                b"https:/a.test",
                b"://a.test",
                b"1https://a.test",
                b"https://a.test/",
                b"https://a.test:",
                b"https://a.test:65536",
                b"https://a.test:999999",
                b"https://a.test:4x",
                b"https://user@a.test",
                b"https://*.test",
                b"https://a.test ",
                b"https://a\0.test",
                b"https://a\r\n.test",
                "https://ä.test".encode(),
                b"https://\xff.test",
                b"https://[::1",
                b"https://[]",
                b"https://[::g]",
                b"https://[::1]x",
                b"\xff" * 300,
            )
        ],
    ],
)
def test_origins(payload: bytes, found: tuple[str, ...]) -> None:
    assert events_of(opened(events=ALL), ORIGIN, payload) == [Origins(found)]


@pytest.mark.parametrize(
    "payload", [b"\0", b"\0\xff", b"\0\x05http", b"\xff" * 40, origins(b"https://a.test") + b"\0"]
)
def test_an_origin_frame_with_wrong_lengths_is_ignored(payload: bytes) -> None:
    assert events_of(opened(events=ALL), ORIGIN, payload) == []


@pytest.mark.rfc("8336-2.1")
@pytest.mark.parametrize(
    ("stream", "flags"), [(1, 0), (2, 0), (99, 0), (0, 1), (0, 2), (0, 4), (0, 8), (0, 255)]
)
def test_an_origin_frame_on_a_stream_or_with_a_flag_is_ignored(stream: int, flags: int) -> None:
    talk = opened(events=ALL)
    talk.request()
    assert events_of(talk, ORIGIN, origins(b"https://a.test"), stream=stream, flags=flags) == []
    assert events_of(talk, ORIGIN, origins(b"https://a.test"), flags=0xF0) == [Origins(("https://a.test",))]


@pytest.mark.rfc("8336-2.1")
@pytest.mark.rfc("8336-2.2")
def test_origin_frames_are_ignored_in_clear_text() -> None:
    """This includes a forwarding proxy in clear text, since the scheme is http in both cases."""
    clear = Config(HOST, port=80, scheme="http", identity=IDENTITY, user_agent=AGENT, events=ALL)
    talk = Conversation(State.open(clear).state)
    talk.feed(settings())
    assert events_of(talk, ORIGIN, origins(b"https://a.test")) == []
    assert events_of(talk, ALTSVC, alt_svc(b"http://a.test", b'h2=":1"')) == [
        AltSvc('h2=":1"', "http://a.test")
    ]


@pytest.mark.rfc("7838-4")
def test_alternative_services() -> None:
    talk = opened(events=ALL)
    talk.request()
    value = b'h3=":443"; ma=3600, h2="alt.test:8000"'
    text = value.decode()
    assert events_of(talk, ALTSVC, alt_svc(b"https://Other.Test", value)) == [
        AltSvc(text, "https://other.test")
    ]
    assert events_of(talk, ALTSVC, alt_svc(b"", value), stream=1, flags=255) == [AltSvc(text, None, ref(1))]
    talk.feed(talk.server.answer(1, b"x"))
    assert events_of(talk, ALTSVC, alt_svc(b"", b"clear"), stream=1) == [AltSvc("clear", None, ref(1))]


@pytest.mark.rfc("7838-4")
@pytest.mark.parametrize(
    ("stream", "payload"),
    [
        (0, b""),
        (0, b"\0"),
        (0, b"\0\0"),
        (0, alt_svc(b"", b"clear")),  # on stream 0 the origin must be present
        (1, alt_svc(b"https://a.test", b"clear")),  # on other streams it must be empty
        (1, alt_svc(b"", b"")),
        (1, b"\0\x01"),
        (1, b"\xff\xffclear"),
        (0, alt_svc(b"https://a.test", b"")),
        (0, alt_svc(b"a.test", b"clear")),
        (0, alt_svc("https://ä.test".encode(), b"clear")),
        (1, alt_svc(b"", b"cle\0ar")),
        (1, alt_svc(b"", b"clear\r\n")),
        (1, alt_svc(b"", b"\x7f")),
        (1, alt_svc(b"", 'h2="ä:1"'.encode())),
        (3, alt_svc(b"", b"clear")),  # the stream is idle
        (99, alt_svc(b"", b"clear")),
        (2, alt_svc(b"", b"clear")),
    ],
)
def test_an_alt_svc_frame_that_breaks_a_rule_is_ignored(stream: int, payload: bytes) -> None:
    talk = opened(events=ALL)
    talk.request()
    assert events_of(talk, ALTSVC, payload, stream=stream) == []


def test_no_event_concerns_a_cancelled_request() -> None:
    talk = opened(events=ALL)
    talk.take(talk.state.cancel(talk.request()))
    assert events_of(talk, ALTSVC, alt_svc(b"", b"clear"), stream=1) == []


@pytest.mark.parametrize(("kind", "stream"), [(ORIGIN, 0), (ALTSVC, 1)])
def test_extension_frames_have_a_size_limit(kind: int, stream: int) -> None:
    talk = opened(mine=LARGE, events=ALL)
    talk.request()
    entry = b"https://" + b"a" * 92
    payload = origins(*[entry] * 642) if kind == ORIGIN else alt_svc(b"", b"x" * 65_534)
    fits = payload[:65_536]
    found = events_of(talk, kind, fits, stream=stream)
    assert len(found) == 1
    assert events_of(talk, kind, payload + bytes(100), stream=stream) == []


@pytest.mark.parametrize("kind", [ORIGIN, ALTSVC])
@pytest.mark.parametrize("wanted", [0, ALL])
def test_extension_frames_are_limited_whether_requested_or_not(kind: int, wanted: int) -> None:
    talk = opened(max_glitches=5, events=wanted)
    talk.state = talk.state.at(0)
    payload = origins(b"https://a.test") if kind == ORIGIN else alt_svc(b"https://a.test", b"clear")
    talk.feed(*[frame(kind, 0, 0, payload)] * 5)
    talk.state = talk.state.at(0)
    assert talk.faults == []
    assert len(talk.events) == (5 if wanted else 0)
    talk.feed(frame(kind, 0, 0, payload))
    assert_breach(talk, ENHANCE_YOUR_CALM, "enhance_your_calm")


def test_settings_are_reported_when_they_apply() -> None:
    talk = Conversation(State.open(config(events=EVENTS["settings"])).state)
    talk.feed(settings((3, 7), (0x1A1A, 5), (4, 100), (4, 200), (9, 1), (0, 1)))
    pairs = (
        ("max_concurrent_streams", 7),
        ("0x1a1a", 5),
        ("initial_window_size", 100),
        ("initial_window_size", 200),
        ("no_rfc7540_priorities", 1),
        ("0x0000", 1),
    )
    assert talk.events == [ServerSettings(pairs)]
    assert talk.state.server_setting("initial_window_size") == 200
    talk.drop()
    talk.feed(settings(), frame(4, 1, 0))
    assert talk.events == [ServerSettings(())]  # the acknowledgement is not reported
    talk.drop()
    talk.feed(settings((4, 1), (5, 1)))
    assert talk.events == []
    assert [fault.reason for fault in talk.faults] == ["protocol_error"]


def test_each_goaway_is_reported_before_the_failures_it_causes() -> None:
    talk = opened(events=EVENTS["goaway"])
    talk.request()
    talk.request()
    talk.feed(goaway((1 << 31) - 1))
    talk.feed(goaway(1, 0, b"\xffbye"))
    assert talk.events[:2] == [
        GoAway((1 << 31) - 1, 0, "NO_ERROR", b""),
        GoAway(1, 0, "NO_ERROR", b"\xffbye"),
    ]
    assert isinstance(talk.events[2], Failed)
    assert talk.events[2].ref == ref(3)
    talk.drop()
    step = talk.feed(goaway(1, 0x99, b"x" * 10_000))
    assert step.responses == [GoAway(1, 0x99, "0x99", b"x" * 10_000)]
    assert "xxx" not in repr(step.responses[0])
    assert step.fault is not None


def test_a_goaway_instead_of_settings_is_reported() -> None:
    talk = Conversation(State.open(config(events=ALL)).state)
    talk.request()
    talk.feed(goaway(0, 11, b"full"))
    assert talk.events[0] == GoAway(0, 11, "ENHANCE_YOUR_CALM", b"full")
    assert isinstance(talk.events[1], Failed)


def test_goaways_with_decreasing_ids_are_limited() -> None:
    """Each GOAWAY lowers the last stream id, and still counts as useless."""
    talk = opened(max_glitches=3)
    talk.request()
    talk.state = talk.state.at(0)
    talk.feed(*[goaway(1_000 - 2 * number) for number in range(4)])
    assert talk.faults == []
    talk.state = talk.state.at(0)
    talk.feed(goaway(101))
    assert_breach(talk, ENHANCE_YOUR_CALM, "enhance_your_calm")


def everything(talk: Conversation) -> bytes:
    """Return the octets of a server that cause each event, mixed with responses."""
    return b"".join(
        (
            settings((3, 5)),
            frame(ORIGIN, 0, 0, origins(b"https://a.test", b"bad", b"https://b.test")),
            talk.server.headers(1, OK),
            data(1, b"one"),
            frame(ALTSVC, 0, 1, alt_svc(b"", b'h3=":443"')),
            data(1, b"two"),
            frame(ALTSVC, 0, 0, alt_svc(b"https://c.test", b"clear")),
            frame(ORIGIN, 1, 0, origins(b"https://no.test")),
            data(1, b"three"),
            settings((4, 70_000)),
            data(1, b"four"),
            goaway(1, 0, b"bye"),
            data(1, b"five", end=True),
        )
    )


@pytest.mark.parametrize("name", [None, *EVENTS])
def test_every_split_gives_the_same(name: str | None) -> None:
    wanted = ALL if name is None else EVENTS[name]
    talk = opened(events=wanted)
    talk.request()
    talk.drop()
    octets = everything(talk)
    start = talk.state
    whole = start.feed(octets)
    expected = merged(whole.responses)
    counts = {"origin": 1, "alt_svc": 2, "goaway": 1, "settings": 2, None: 6}
    assert len([each for each in expected if not hasattr(each, "ref")]) == counts[name]
    for cut in range(len(octets) + 1):
        first = start.feed(octets[:cut])
        # in between, a fork reads something else, which must not affect this state
        first.state.feed(bytes(reversed(octets[cut:])))
        second = first.state.feed(octets[cut:])
        assert merged([*first.responses, *second.responses]) == expected
        assert second.state == whole.state
    state, found = start, list[Event]()
    for at in range(len(octets)):
        step = state.feed(octets[at : at + 1])
        state, found = step.state, [*found, *step.responses]
    assert merged(found) == expected
    assert state == whole.state


def test_requested_events_are_part_of_the_value() -> None:
    states = {bits: State.open(config(events=bits)).state for bits in range(ALL + 1)}
    assert all((states[one] == states[two]) == (one == two) for one in states for two in states)
    with pytest.raises(ValueError, match="events 16"):
        config(events=16)


# Priorities (RFC 9218).


@pytest.mark.rfc("9218-7.1-c")
@pytest.mark.parametrize("payload", [b"", b"\0\0\0\1u=1"])
@pytest.mark.parametrize("stream", [0, 1])
def test_a_priority_update_from_a_server_is_an_error(payload: bytes, stream: int) -> None:
    talk = opened()
    talk.request()
    talk.feed(frame(PRIORITY_UPDATE, 0, stream, payload))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9218-7.1-a")
@pytest.mark.rfc("9218-7.1-b")
def test_a_priority_update_needs_an_open_request() -> None:
    talk = opened((9, 1))
    one = talk.request()
    step = talk.take(talk.state.update_priority(one, b"u=1, i"))
    (sent,) = frames_of(step.output)
    assert (sent.kind, sent.flags, sent.stream, sent.payload) == (PRIORITY_UPDATE, 0, 0, b"\0\0\0\1u=1, i")
    talk.feed(talk.server.answer(1))
    over = talk.state.update_priority(one, b"u=1")
    assert_refused(talk.state, over)
    assert over.fault is not None
    assert over.fault.reason == "unknown_request_to_stream"
    for strange in (RequestRef(IDENTITY, 3), RequestRef(IDENTITY, 2), RequestRef(8, 1)):
        with pytest.raises(ValueError, match="does not belong"):
            talk.state.update_priority(strange, b"u=1")


def test_a_priority_update_of_an_ended_request_or_a_ping_is_refused() -> None:
    talk = opened((9, 1))
    one = talk.request()
    talk.take(talk.state.cancel(one))
    assert talk.state.update_priority(one, b"u=1").fault is not None
    pinged = talk.take(talk.state.ping(b"12345678")).ref
    assert pinged is not None
    refused = talk.state.update_priority(pinged, b"u=1").fault
    assert refused is not None
    assert refused.reason == "unknown_request_to_stream"
    talk.take(talk.state.close())
    closed = talk.state.update_priority(one, b"u=1").fault
    assert closed is not None
    assert closed.reason == "closed"


@pytest.mark.rfc("9218-7.1-d")
@pytest.mark.parametrize(
    ("pairs", "allowed"), [(None, True), ((), False), (((9, 0),), False), (((9, 1),), True)]
)
def test_priority_updates_follow_the_setting(
    pairs: tuple[tuple[int, int], ...] | None, allowed: bool
) -> None:
    talk = Conversation(State.open(config()).state)
    if pairs is not None:
        talk.feed(settings(*pairs))
    one = talk.request()
    step = talk.state.update_priority(one, b"u=1")
    if allowed:
        assert step.fault is None
        assert len(step.output) == 1
    else:
        assert_refused(talk.state, step)
        assert step.fault is not None
        assert step.fault.reason == "priorities_not_enabled"


@pytest.mark.rfc("9218-2.1-b")
def test_the_priority_setting_is_sent_first_and_never_changes() -> None:
    step = State.open(config((("no_rfc7540_priorities", 1),)))
    first = frames_of(step.output)[0]
    assert struct.pack(">HI", 9, 1) in first.payload
    assert step.state.client_setting("no_rfc7540_priorities") == 1
    with pytest.raises(ValueError, match="only when the connection is made"):
        step.state.put_settings((("no_rfc7540_priorities", 0),))


def test_a_priority_update_of_a_push() -> None:
    talk = opened((9, 1), mine=(("enable_push", 1),))
    talk.request()
    talk.feed(
        talk.server.promise(
            1, 2, [(":method", "GET"), (":scheme", "https"), (":authority", HOST), (":path", "/p")]
        )
    )
    step = talk.state.update_priority(ref(2), b"u=7")
    assert frames_of(step.output)[0].payload == b"\0\0\0\2u=7"
    talk.feed(reset(2))
    assert talk.state.update_priority(ref(2), b"u=7").fault is not None
