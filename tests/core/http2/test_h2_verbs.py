"""Operations other than requests: settings, windows, notes, wrong arguments, equality, configuration."""

from types import MappingProxyType

import pytest

from mint._core.events import RequestRef
from mint._core.http2 import Config, State
from tests.http2_driver import (
    ACK,
    CONTINUATION,
    GOAWAY,
    HEADERS,
    MAYBE,
    NO_ERROR,
    OK,
    PING,
    PROTOCOL_ERROR,
    RST_STREAM,
    SETTINGS,
    YES,
    Conversation,
    ack,
    assert_breach,
    assert_refused,
    config,
    data,
    failure,
    fed,
    frame,
    goaway,
    kinds,
    opened,
    ping,
    ref,
    resets,
    settings,
    window_update,
)


def test_settings_of_the_server_before_and_after_they_arrive() -> None:
    state = State.open(config()).state
    assert state.server_setting("max_concurrent_streams") == 100
    assert state.server_setting("enable_push") == 1
    assert state.server_setting("max_header_list_size") is None
    assert state.server_setting("enable_connect_protocol") == 0
    talk = Conversation(state)
    talk.feed(settings((3, 7)))
    assert talk.state.server_setting("max_concurrent_streams") == 7
    other = Conversation(state)
    other.feed(settings())
    assert other.state.server_setting("max_concurrent_streams") is None


def test_settings_of_the_client() -> None:
    talk = opened()
    assert talk.state.client_setting("max_concurrent_streams") == 100
    assert talk.state.client_setting("initial_window_size") == 4_194_304
    assert talk.state.client_setting("max_header_list_size") == 262_144
    assert talk.state.client_setting("header_table_size") == 4_096
    talk.take(talk.state.put_settings((("max_concurrent_streams", 5), ("max_frame_size", 20_000))))
    (sent,) = talk.sent
    assert (sent.kind, sent.flags, sent.payload) == (SETTINGS, 0, b"\0\3\0\0\0\5\0\5\0\0\x4e\x20")
    talk.feed(frame(0x70, 0, 0, b"x" * 20_000))  # accepted, as the server may have read the settings
    assert not talk.closed
    talk.feed(ack())
    assert talk.state.client_setting("max_concurrent_streams") == 5


@pytest.mark.parametrize(
    "pair",
    [
        ("nonsense", 1),
        ("enable_connect_protocol", 1),
        ("enable_push", 2),
        ("max_frame_size", 100),
        ("max_frame_size", 1 << 24),
        ("initial_window_size", 1 << 31),
        ("initial_window_size", -1),
        ("max_header_list_size", 0),
        ("header_table_size", -1),
    ],
)
def test_invalid_settings_raise(pair: tuple[str, int]) -> None:
    with pytest.raises(ValueError, match=pair[0]):
        opened().state.put_settings((pair,))
    with pytest.raises(ValueError, match=pair[0]):
        config((pair,))


def test_unknown_names_of_settings_raise() -> None:
    state = opened().state
    with pytest.raises(ValueError, match="settings of a server"):
        state.server_setting("nonsense")
    with pytest.raises(ValueError, match="settings of a client"):
        state.client_setting("enable_connect_protocol")


def test_settings_without_acknowledgement_are_limited() -> None:
    talk = opened()
    for _ in range(32):
        talk.take(talk.state.put_settings((("enable_push", 0),)))
    step = talk.state.put_settings((("enable_push", 0),))
    assert_refused(talk.state, step)
    assert step.fault is not None
    assert step.fault.reason == "too_many_settings"


@pytest.mark.parametrize(
    "wrong",
    [
        {"connection_window_size": 65_534},
        {"connection_window_size": 1 << 31},
        {"window_update_threshold": 0},
        {"max_fields": 0},
        {"first_stream": 2},
        {"max_informational": -1},
    ],
)
def test_invalid_limits_raise(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        config((), frozenset(), **wrong)


def test_a_configuration_is_a_value() -> None:
    assert config() == config()
    assert hash(config()) == hash(config())
    assert config() != config(max_fields=5)
    assert config() != object()
    with pytest.raises(ValueError, match="scheme"):
        Config("h", port=1, scheme="ftp", identity=1, user_agent="")
    with pytest.raises(ValueError, match="twice"):
        config((("enable_push", 0), ("enable_push", 0)))
    one = Config("::1", port=8443, scheme="https", identity=1, user_agent="")
    assert one.authority == "[::1]:8443"


@pytest.mark.parametrize(
    "wrong",
    [
        {"hostname": "a b"},
        {"hostname": "a\r\nx: y"},
        {"hostname": "u@b"},
        {"hostname": "bücher"},
        {"port": 65_536},
        {"user_agent": "a\r\nb: c"},
    ],
)
def test_configured_values_that_are_sent_are_checked(wrong: dict[str, object]) -> None:
    right: dict[str, object] = {
        "hostname": "h",
        "port": 1,
        "scheme": "http",
        "identity": 1,
        "user_agent": "a",
    }
    with pytest.raises(ValueError, match=r"."):
        Config(**(right | wrong))  # type: ignore[arg-type]  # options by name


def test_a_secret_of_the_caller_is_not_repeated() -> None:
    made = Config("h", port=80, scheme="http", identity=1, user_agent="", sensitive=frozenset({"x-key"}))
    step = State.open(made).state.request("GET", "/", [("X-Key", "hunter2\n")], None, False)
    assert step.fault is not None
    assert (step.fault.name, step.fault.value) == ("x-key", "")
    step = State.open(made).state.request("POST", "/", [], None, True)
    assert step.ref is not None
    step = step.state.end_body(step.ref, [("X-Key", "hunter2\n")])
    assert step.fault is not None
    assert (step.fault.name, step.fault.value) == ("x-key", "")


def test_an_empty_user_agent_is_not_sent() -> None:
    made = Config("h", port=80, scheme="http", identity=1, user_agent="")
    talk = Conversation(State.open(made).state)
    talk.request()
    assert talk.fields() == [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "h")]


def test_the_callers_user_agent_replaces_the_default() -> None:
    talk = opened()
    talk.request("GET", "/", [("User-Agent", "own")])
    assert [value for name, value in talk.fields() if name == "user-agent"] == ["own"]


def test_refs_of_other_connections_raise() -> None:
    talk = opened()
    talk.request()
    foreign = RequestRef(8, 1)
    for one in (foreign, ref(3), ref(2), ref(-1)):
        for call in (
            talk.state.body_window,
            talk.state.body_is_open,
            talk.state.send_window,
            lambda given: talk.state.set_receive_window(given, 5_000_000),
            lambda given: talk.state.stream_body(given, b"x"),
            lambda given: talk.state.end_body(given, ()),
        ):
            with pytest.raises(ValueError, match="does not belong"):
                call(one)
    with pytest.raises(ValueError, match="does not belong"):
        talk.state.cancel(foreign)
    assert talk.state.cancel(ref(3)).state is talk.state
    assert talk.state.cancel(ref(-5)).state is talk.state


def test_the_ref_of_a_ping_cannot_stream_a_body() -> None:
    talk = opened()
    talk.take(talk.state.ping(b"12345678"))
    assert not talk.state.body_is_open(ref(-1))
    step = talk.state.stream_body(ref(-1), b"x")
    assert step.fault is not None
    assert step.fault.reason == "unknown_request_to_stream"


def test_headers_of_a_wrong_type_raise() -> None:
    state = opened().state
    for wrong in ([("a",)], [("a", 1)], [(b"a", "b")], [None], 5):
        with pytest.raises((TypeError, ValueError)):
            state.request("GET", "/", wrong, None, False)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("headers", [{"te": "trailers"}, MappingProxyType({"te": "trailers"}), "te"])
def test_a_mapping_is_not_accepted_as_pairs(headers: object) -> None:
    with pytest.raises(TypeError, match="items"):
        opened().state.request("GET", "/", headers, None, False)  # type: ignore[arg-type]  # wrong on purpose
    step = opened().state.request("POST", "/", [], None, True)
    assert step.ref is not None
    with pytest.raises(TypeError, match="items"):
        step.state.end_body(step.ref, headers)  # type: ignore[arg-type]  # wrong on purpose


def test_headers_may_be_any_iterable_of_pairs() -> None:
    class Text(str):
        __slots__ = ()

    talk = opened()
    talk.request("GET", "/", iter([(Text("A"), Text("b")), *{"c": "d"}.items()]))
    assert talk.fields()[-2:] == [("a", "b"), ("c", "d")]


def test_declared_lengths_are_enforced() -> None:
    talk = opened()
    assert talk.refuse("POST", "/", [("content-length", "5")], (b"four",)).reason == "content_length_mismatch"
    assert talk.refuse("POST", "/", [("content-length", "5")]).reason == "content_length_mismatch"
    assert talk.refuse("POST", "/", [("content-length", "x")]).reason == "invalid_request_framing"
    assert talk.refuse("POST", "/", [("content-length", "5")] * 2).reason == "invalid_request_framing"
    one = talk.request("POST", "/", [("content-length", "5")], None, True)
    talk.take(talk.state.stream_body(one, b"abc"))
    for step in (talk.state.stream_body(one, b"def"), talk.state.end_body(one, ())):
        assert_refused(talk.state, step)
        assert step.fault is not None
        assert step.fault.reason == "content_length_mismatch"
    talk.take(talk.state.stream_body(one, b"de"))
    talk.take(talk.state.end_body(one, ()))


@pytest.mark.parametrize(
    ("method", "wanted"), [("POST", True), ("PUT", True), ("PATCH", True), ("GET", False)]
)
def test_methods_with_content_have_a_length_of_0_without_it(method: str, wanted: bool) -> None:
    talk = opened()
    talk.request(method)
    assert (("content-length", "0") in talk.fields()) is wanted


def test_request_trailers_are_checked() -> None:
    talk = opened((6, 300))
    one = talk.request("POST", "/", [], None, True)
    for trailers, reason in (
        ([("Content-Length", "5")], "unallowed_trailing_header"),
        ([("a b", "c")], "invalid_header_name"),
        ([("a", "b\n")], "invalid_header_value"),
        ([(":path", "/")], "invalid_pseudo_header"),
        ([("a", "b" * 300)], "max_header_list_size_exceeded"),
    ):
        step = talk.state.end_body(one, trailers)
        assert_refused(talk.state, step)
        assert step.fault is not None
        assert step.fault.reason == reason
    assert talk.state.end_body(one, [("Content-Length", "5")]).fault.name == "Content-Length"  # type: ignore[union-attr]  # refused, as above


def test_long_trailers_are_split() -> None:
    talk = opened()
    one = talk.request("POST", "/", [], None, True)
    talk.drop()
    talk.take(talk.state.end_body(one, [(f"x-{i}", "\x7e" * 50) for i in range(500)]))
    assert [(f.kind, f.flags) for f in talk.sent] == [(HEADERS, 1), (CONTINUATION, 4)]


def test_a_closed_state_refuses_everything() -> None:
    talk = opened()
    one = talk.request("POST", "/", [], None, True)
    talk.take(talk.state.close())
    state = talk.state
    for step in (
        state.request("GET", "/", [], None, False),
        state.stream_body(one, b"x"),
        state.end_body(one, ()),
        state.ping(b"12345678"),
        state.put_settings((("enable_push", 0),)),
        state.set_receive_window(None, 20_000_000),
    ):
        assert_refused(state, step)
        assert step.fault is not None
        assert step.fault.reason == "closed"
    assert state.cancel(one).state is state
    assert state.feed_eof(clean=True).responses == []
    assert not state.body_is_open(one)
    assert state.send_window(one) == 0
    assert not state.draining


def test_the_end_of_an_idle_connection_is_no_fault() -> None:
    talk = opened()
    step = talk.take(talk.state.feed_eof(clean=True))
    assert step.fault is None
    assert step.responses == []
    assert talk.closed
    early = Conversation(State.open(config()).state)
    assert early.state.feed_eof(clean=False).fault is None


def test_goaway_instead_of_settings() -> None:
    talk = Conversation(State.open(config()).state)
    talk.request()
    talk.feed(goaway(0, NO_ERROR))
    assert failure(talk).reason == "unprocessed"
    assert [fault.reason for fault in talk.faults] == ["server_closed_connection"]
    assert talk.closed


def test_a_goaway_with_nothing_open_closes() -> None:
    talk = opened()
    step = talk.feed(goaway(0))
    assert step.fault is None
    assert talk.closed
    assert talk.sent[-1].kind == GOAWAY
    waiting = opened()
    waiting.take(waiting.state.ping(b"12345678"))
    waiting.feed(goaway(0))
    assert not waiting.closed
    waiting.feed(ping(b"12345678", ACK))
    assert kinds(waiting.events) == ["pong:-1"]
    assert waiting.closed


def test_cancelling_the_last_stream_of_a_draining_connection_closes_it() -> None:
    talk = opened()
    one = talk.request()
    talk.feed(goaway(1))
    talk.take(talk.state.cancel(one))
    assert [f.kind for f in talk.sent[-2:]] == [RST_STREAM, GOAWAY]
    assert talk.closed


def test_failures_of_a_breach_are_in_order_with_their_progress() -> None:
    talk = opened(mine=(("enable_push", 1),))
    for _ in range(3):
        talk.request()
    promised = [(":method", "GET"), (":scheme", "https"), (":authority", "example.org"), (":path", "/")]
    talk.feed(talk.server.promise(1, 2, promised), talk.server.headers(3, [(":status", "103")]))
    talk.feed(talk.server.headers(5, OK), data(5, b"part"), frame(PING, 0, 1, b""))
    assert kinds(talk.events)[-4:] == ["failed:1", "failed:3", "failed:5", "failed:2"]
    assert [failure(talk, n).processed for n in (1, 3, 5, 2)] == [MAYBE, YES, YES, MAYBE]
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


def test_closed_streams_are_remembered_up_to_a_limit() -> None:
    talk = opened((3, 100), max_remembered=2)
    for _ in range(3):
        one = talk.request()
        talk.take(talk.state.cancel(one))
    talk.drop()
    talk.feed(data(5, b"x"), data(3, b"x"))
    assert resets(talk) == []
    # A stream that is no longer remembered may have been reset by the client, so its frames are dropped.
    talk.feed(data(1, b"x"))
    assert resets(talk) == []
    answered = talk.request()
    talk.feed(talk.server.answer(answered.number, b"x"), data(answered.number, b"y"))
    assert resets(talk) == [(answered.number, 5)]
    none = opened(max_remembered=0)
    one = none.request()
    none.take(none.state.cancel(one))
    none.drop()
    none.feed(none.server.answer(1, b"late"))
    assert resets(none) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 9])
def test_the_limit_of_remembered_streams_is_exact(limit: int) -> None:
    """Once a later stream is forgotten, it is unknown how an earlier one ended."""
    for cancelled in (limit, limit + 1):
        talk = opened((3, 100), max_remembered=limit)
        talk.request()
        talk.feed(talk.server.answer(1, b"x"))
        for _ in range(cancelled):
            one = talk.request()
            talk.take(talk.state.cancel(one))
        talk.drop()
        talk.feed(data(1, b"y"))
        assert resets(talk) == ([(1, 5)] if cancelled == limit else [])


def test_states_are_compared_by_their_behaviour() -> None:
    one, other = opened(), opened()
    assert one.state == other.state
    assert one.state == one.state
    assert one.state != object()
    assert one.state.__hash__ is None
    first = one.request("GET", "/", [("a", "b")])
    assert one.state != other.state
    other.request("GET", "/", [("a", "b")])
    assert one.state == other.state
    # the same history otherwise: split differently, with tracing on and off again, and flushed
    answer = one.server.answer(first.number, b"content")
    one.feed(answer)
    other.state = fed(other.state, answer, range(1, len(answer))).state
    assert one.state == other.state
    assert one.state.traced(on=True) != one.state
    assert one.state.traced(on=True).traced(on=False) == one.state
    assert one.state.traced(on=False) is one.state
    for octets in (b"\0", ping()[:12], data(1, b"abc")[:10], frame(HEADERS, 0, 1, b"\x88")[:10]):
        assert one.state.feed(octets).state != one.state
        assert one.state.feed(octets).state == other.state.feed(octets).state
    assert "1 open" in repr(opened_with_one().state)


def opened_with_one() -> Conversation:
    talk = opened()
    talk.request()
    return talk


def test_flushed_returns_the_same_state_if_nothing_waited() -> None:
    talk = opened()
    assert talk.state.flushed() is talk.state
    talk.feed(ping())
    calmed = talk.state.flushed()
    assert calmed is not talk.state
    assert calmed.flushed() is calmed


def test_notes_describe_each_frame_in_both_directions_without_secrets() -> None:
    talk = opened()
    talk.state = talk.state.traced(on=True)
    step = talk.state.request("POST", "/", [("authorization", "Bearer x"), ("a", "b")], (b"body",), False)
    assert [note.outgoing for note in step.notes] == [True, True]
    head, body = [note.text for note in step.notes]
    assert head.startswith("HEADERS stream=1 length=")
    assert "authorization: [redacted]" in head
    assert "Bearer" not in head
    assert "a: b" in head
    assert body == "DATA stream=1 length=4 flags=0x01"
    talk.take(step)
    octets = talk.server.headers(1, [*OK, ("set-cookie", "secret"), ("server", "x")], cuts=1)
    step = talk.feed(octets, data(1, b"xy", end=True), ping(), settings((4, 70_000)), window_update(0, 5))
    texts = [(note.outgoing, note.text.split(" ")[0]) for note in step.notes]
    assert texts == [
        (False, "HEADERS"),
        (False, "CONTINUATION"),
        (False, "DATA"),
        (False, "PING"),
        (True, "PING"),
        (False, "SETTINGS"),
        (True, "SETTINGS"),
        (False, "WINDOW_UPDATE"),
    ]
    assert "set-cookie: [redacted]" in step.notes[1].text
    assert "server: x" in step.notes[1].text
    for made in (
        talk.state.ping(b"12345678"),
        talk.state.put_settings((("enable_push", 0),)),
        talk.state.set_receive_window(None, 20_000_000),
        talk.state.close(),
    ):
        assert [note.outgoing for note in made.notes] == [True]
    one = talk.state.request("POST", "/", [], None, True)
    assert one.ref is not None
    ended = one.state.end_body(one.ref, [("t", "1")])
    assert [note.text.split(" ")[0] for note in ended.notes] == ["HEADERS"]
    assert [note.text.split(" ")[0] for note in one.state.cancel(one.ref).notes] == ["RST_STREAM"]
    assert opened().state.ping(b"12345678").notes == ()


def test_notes_are_bounded() -> None:
    talk = opened()
    talk.state = talk.state.traced(on=True)
    step = talk.state.request("GET", "/", [("a", "x" * 5000)], None, False)
    assert len(step.notes[0].text) < 1000


def test_names_marked_by_the_caller_are_redacted_too() -> None:
    state = State.open(config((), frozenset({"x-api-key"}))).state.traced(on=True)
    step = state.request("GET", "/", [("X-API-Key", "secret")], None, False)
    assert "secret" not in step.notes[0].text


def test_input_octet_by_octet_is_read() -> None:
    talk = opened()
    talk.request()
    octets = (
        talk.server.headers(1, [(":status", "103")], cuts=3, padding=5)
        + talk.server.headers(1, OK, padding=0, priority=True)
        + data(1, b"content", padding=10)
        + frame(0xEE, 0, 0, b"unknown")
        + ping()
        + data(1, b"", end=True, padding=3)
    )
    assert kinds(fed(talk.state, octets, range(1, len(octets))).events) == [
        "informational:1",
        "status:1",
        "headers:1",
        *["data:1"] * 7,
        "done:1",
    ]


def test_a_request_that_exceeds_the_window_changes_nothing() -> None:
    talk = opened((4, 10))
    assert talk.refuse("PUT", "/", [("a", "b")], (b"x" * 11,)).reason == "exceeds_window_size"
    assert talk.request() == ref(1)
    assert talk.sent[0].kind == HEADERS
