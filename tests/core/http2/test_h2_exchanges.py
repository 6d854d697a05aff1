"""Regular requests and responses over HTTP/2."""

import pytest

from mint._core.events import (
    CLOSE,
    KEEP,
    Data,
    Done,
    Headers,
    Informational,
    Pong,
    PushPromise,
    Status,
    Trailers,
)
from mint._core.http2 import State
from tests.http2_driver import (
    ACK,
    AGENT,
    CANCEL,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    HOST,
    NO_ERROR,
    OK,
    PREFACE,
    SETTINGS,
    Conversation,
    Server,
    ack,
    config,
    data,
    frame,
    frames_of,
    kinds,
    opened,
    ping,
    ref,
    resets,
    settings,
    updates,
)


def test_opening_sends_the_preface_settings_and_the_connection_window() -> None:
    step = State.open(config())
    (octets,) = step.output
    assert octets.startswith(PREFACE)
    first, second = frames_of(octets)
    assert (first.kind, first.stream) == (SETTINGS, 0)
    assert first.payload == (b"\x00\x02\x00\x00\x00\x00\x00\x04\x00\x40\x00\x00\x00\x06\x00\x04\x00\x00")
    assert (second.stream, second.number) == (0, 16_777_216 - 65_535)
    assert step.state.is_open_read
    assert step.state.is_open_write
    assert step.end == KEEP


def test_the_smallest_connection_window_needs_no_update() -> None:
    assert len(frames_of(State.open(config(connection_window_size=65_535)).output)) == 1


def test_a_get_is_one_frame() -> None:
    talk = opened()
    assert talk.request("GET", "/path?x=1", [("accept", "*/*"), ("X-Own", "a")]) == ref(1)
    (sent,) = talk.sent
    assert (sent.kind, sent.flags, sent.stream) == (HEADERS, END_STREAM | END_HEADERS, 1)
    assert talk.fields() == [
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/path?x=1"),
        (":authority", HOST),
        ("user-agent", AGENT),
        ("accept", "*/*"),
        ("x-own", "a"),
    ]
    assert talk.request("GET", "/") == ref(3)
    assert talk.state.open_request_count == 2


def test_a_body_follows_in_the_same_write() -> None:
    talk = opened()
    talk.request("POST", "/", [], (b"hello ", b"", b"world"))
    head, content = talk.sent
    assert head.flags == END_HEADERS
    assert (content.kind, content.flags, content.payload) == (DATA, END_STREAM, b"hello world")
    assert ("content-length", "11") in talk.fields()
    assert talk.state.send_window(None) == 65_535 - 11


def test_an_empty_body_ends_with_the_head() -> None:
    talk = opened()
    talk.request("POST", "/", [], ())
    assert [one.flags for one in talk.sent] == [END_STREAM | END_HEADERS]
    assert ("content-length", "0") in talk.fields()


def test_a_large_piece_is_not_copied() -> None:
    talk = opened()
    body = b"x" * 10_000
    step = talk.state.request("PUT", "/", [], (body,), False)
    assert step.output[1] is body
    assert [one.kind for one in frames_of(step.output)] == [HEADERS, DATA]


def test_bodies_are_split_at_the_servers_frame_size() -> None:
    talk = opened((5, 20_000), (4, 1_000_000))
    body = bytes(range(256)) * 200
    talk.request("PUT", "/", [], (body[:7], body[7:40_000], body[40_000:]))
    pieces = [one for one in talk.sent if one.kind == DATA]
    assert [len(one.payload) for one in pieces] == [20_000, 20_000, 11_200]
    assert [one.flags for one in pieces] == [0, 0, END_STREAM]
    assert b"".join(one.payload for one in pieces) == body


def test_long_heads_are_split_too() -> None:
    talk = opened()
    talk.request("GET", "/", [(f"x-{i}", "\x7e" * 60) for i in range(600)])
    assert [one.kind for one in talk.sent] == [1, 9, 9]
    assert [one.flags for one in talk.sent] == [END_STREAM, 0, END_HEADERS]
    assert [len(one.payload) for one in talk.sent[:2]] == [16_384, 16_384]
    assert len(talk.fields()) == 605


def test_a_response() -> None:
    talk = opened()
    talk.request()
    talk.feed(talk.server.answer(1, b"hello", [("server", "x"), ("set-cookie", "a"), ("set-cookie", "b")]))
    assert talk.events == [
        Status(ref(1), 200),
        Headers(ref(1), (("server", "x"), ("set-cookie", "a"), ("set-cookie", "b"))),
        Data(ref(1), b"hello"),
        Done(ref(1)),
    ]
    assert talk.state.open_request_count == 0
    assert talk.replies == []


def test_content_of_one_read_is_one_data_event() -> None:
    talk = opened()
    talk.request()
    talk.feed(
        talk.server.headers(1, OK), data(1, b"ab"), data(1, b""), data(1, b"cd"), data(1, b"x" * 100)[:19]
    )
    assert talk.events[-1] == Data(ref(1), b"abcd" + b"x" * 10)
    whole = b"y" * 50
    step = talk.feed(whole)
    assert step.responses == [Data(ref(1), whole)]
    assert step.responses[0].data is whole  # type: ignore[union-attr]  # a Data, as the line above says


def test_content_of_two_streams_is_kept_separate() -> None:
    talk = opened()
    talk.request()
    talk.request()
    talk.feed(talk.server.headers(1, OK), talk.server.headers(3, OK))
    talk.drop()
    talk.feed(data(1, b"a"), data(3, b"b"), data(3, b"c"), data(1, b"d", end=True))
    assert talk.events == [
        Data(ref(1), b"a"),
        Data(ref(3), b"bc"),
        Data(ref(1), b"d"),
        Done(ref(1)),
    ]


def test_informational_responses_and_trailers_are_separate_responses() -> None:
    talk = opened()
    talk.request()
    talk.feed(
        talk.server.headers(1, [(":status", "100")]),
        talk.server.headers(1, [(":status", "103"), ("link", "</a>")], cuts=2),
        talk.server.answer(1, b"x", trailers=[("checksum", "1"), ("content-length", "7"), ("via", "p")]),
    )
    assert talk.events == [
        Informational(ref(1), 100, ()),
        Informational(ref(1), 103, (("link", "</a>"),)),
        Status(ref(1), 200),
        Headers(ref(1), ()),
        Data(ref(1), b"x"),
        Trailers(ref(1), (("checksum", "1"), ("via", "p"))),
        Done(ref(1)),
    ]


def test_padding_and_priority_information_are_dropped() -> None:
    talk = opened()
    talk.request()
    talk.feed(
        talk.server.headers(1, [*OK, ("a", "b")], padding=9, priority=True),
        data(1, b"content", padding=255),
        data(1, b"", padding=0, end=True),
    )
    assert talk.events[1:] == [Headers(ref(1), (("a", "b"),)), Data(ref(1), b"content"), Done(ref(1))]


def test_streaming_a_body() -> None:
    talk = opened()
    one = talk.request("POST", "/", [], None, True)
    assert talk.sent[0].flags == END_HEADERS
    assert not [name for name, _ in talk.fields() if name == "content-length"]
    assert talk.state.body_is_open(one)
    assert talk.state.body_window(one) == 65_535
    talk.take(talk.state.stream_body(one, b"piece"))
    assert talk.state.body_window(one) == 65_530
    assert talk.state.stream_body(one, b"").state is talk.state
    talk.take(talk.state.end_body(one, ()))
    assert [(f.kind, f.flags, f.payload) for f in talk.sent[1:]] == [
        (DATA, 0, b"piece"),
        (DATA, END_STREAM, b""),
    ]
    assert not talk.state.body_is_open(one)
    assert talk.state.body_window(one) == 0
    talk.feed(talk.server.answer(1))
    assert kinds(talk.events)[-1] == "done:1"


def test_request_trailers() -> None:
    talk = opened()
    one = talk.request("POST", "/", [], None, True)
    talk.take(talk.state.end_body(one, [("Checksum", "abc")]))
    assert (talk.sent[-1].kind, talk.sent[-1].flags) == (HEADERS, END_STREAM | END_HEADERS)
    assert talk.server.read(frame(1, 4, 1, talk.sent[0].payload)) != []
    assert talk.server.read(frame(1, 4, 1, talk.sent[1].payload)) == [[("checksum", "abc")]]


def test_pings_in_both_directions() -> None:
    talk = opened()
    talk.feed(ping(b"abcdefgh"))
    assert [(f.kind, f.flags, f.payload) for f in talk.sent] == [(6, ACK, b"abcdefgh")]
    step = talk.take(talk.state.ping(b"01234567"))
    assert step.ref == ref(-1)
    talk.feed(ping(b"01234567", ACK))
    assert talk.events == [Pong(ref(-1))]


def test_closing_sends_one_goaway() -> None:
    talk = opened()
    talk.request()
    step = talk.take(talk.state.close())
    assert (talk.sent[-1].kind, talk.sent[-1].last_and_code) == (GOAWAY, (0, NO_ERROR))
    assert step.end == CLOSE
    assert step.responses == []
    assert talk.state.open_request_count == 0
    again = talk.state.close()
    assert (again.state, again.output) == (talk.state, ())
    assert talk.refuse().reason == "closed"


def test_cancelling() -> None:
    talk = opened()
    one = talk.request()
    talk.take(talk.state.cancel(one))
    assert resets(talk) == [(1, CANCEL)]
    assert talk.state.open_request_count == 0
    assert talk.events == []
    assert talk.state.cancel(one).state is talk.state
    talk.feed(talk.server.answer(1, b"late"))
    assert talk.events == []
    assert resets(talk) == [(1, CANCEL)]


def test_a_push() -> None:
    talk = opened(mine=(("enable_push", 1),))
    talk.request()
    fields = [(":method", "GET"), (":scheme", "https"), (":authority", HOST), (":path", "/style")]
    talk.feed(talk.server.promise(1, 2, fields, cuts=2))
    assert talk.events == [PushPromise(ref(1), ref(2), tuple(fields))]
    talk.drop()
    talk.feed(talk.server.answer(2, b"css", trailers=[("a", "b")]), talk.server.answer(1, b"page"))
    assert kinds(talk.events) == [
        "status:2", "headers:2", "data:2", "trailers:2", "done:2",
        "status:1", "headers:1", "data:1", "done:1",
    ]  # fmt: skip
    assert talk.state.open_request_count == 0
    assert talk.replies == []


def test_each_direction_of_an_http2_tunnel_ends_separately() -> None:
    talk = opened()
    one = talk.request("CONNECT", "other.example:443", [], None, True)
    assert talk.fields()[:2] == [(":method", "CONNECT"), (":authority", "other.example:443")]
    talk.feed(talk.server.headers(1, [*OK, ("content-length", "0")]), data(1, b"in"))
    talk.take(talk.state.stream_body(one, b"out"))
    talk.feed(data(1, b"more", end=True))
    assert kinds(talk.events) == ["status:1", "headers:1", "data:1", "data:1", "done:1"]
    assert talk.state.open_request_count == 0
    assert talk.state.body_is_open(one)
    talk.take(talk.state.stream_body(one, b"still"))
    talk.take(talk.state.end_body(one, ()))
    assert [f.payload for f in talk.sent if f.kind == DATA] == [b"out", b"still", b""]
    assert resets(talk) == []


def test_requests_are_sent_before_the_servers_settings_arrive() -> None:
    talk = Conversation(State.open(config()).state)
    talk.request()
    server = Server()
    talk.feed(settings((4, 10)), ack(), server.answer(1, b"x"))
    assert kinds(talk.events)[-1] == "done:1"
    assert talk.state.server_setting("initial_window_size") == 10


@pytest.mark.parametrize("threshold", [1, 160_000])
def test_windows_are_refilled_in_batches(threshold: int) -> None:
    talk = opened(window_update_threshold=threshold, connection_window_size=1 << 20)
    talk.request()
    talk.feed(talk.server.headers(1, OK))
    for _ in range(80):
        talk.feed(data(1, b"x" * 16_384))
    # after 55 frames 147,456 octets are left, below 160,000; after 64 frames none
    assert updates(talk) == [(0, 1 << 20) if threshold == 1 else (0, 901_120)]
