"""The rules of RFC 9113, sections 3 to 5, in rows.txt: starting HTTP/2, frames, and streams."""

import pytest

from mint._core.events import Data, Failed
from mint._core.frames import frame_name
from mint._core.http2 import State
from tests.http2_driver import (
    ACK,
    COMPRESSION_ERROR,
    CONTINUATION,
    DATA,
    END_HEADERS,
    FRAME_SIZE_ERROR,
    GOAWAY,
    HEADERS,
    MAYBE,
    NO,
    OK,
    PING,
    PREFACE,
    PRIORITY,
    PROMISED,
    PROTOCOL_ERROR,
    PUSH_PROMISE,
    REFUSED_STREAM,
    RST_STREAM,
    SETTINGS,
    STREAM_CLOSED,
    WINDOW_UPDATE,
    YES,
    Conversation,
    ack,
    assert_breach,
    config,
    data,
    failure,
    frame,
    frames_of,
    goaway,
    kinds,
    opened,
    ping,
    pushing,
    ref,
    reset,
    resets,
    settings,
    updates,
    window_update,
    with_request,
)


def fresh() -> Conversation:
    return Conversation(State.open(config()).state)


@pytest.mark.rfc("9113-3.3-a")
def test_the_preface_comes_first() -> None:
    assert b"".join(State.open(config()).output).startswith(PREFACE)


def test_a_server_that_speaks_http1_is_recognised() -> None:
    talk = fresh()
    talk.request()
    talk.feed(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert [fault.reason for fault in talk.faults] == ["http1_response"]
    assert failure(talk).processed == NO
    assert talk.closed


@pytest.mark.rfc("9113-3.4-a")
def test_the_preface_is_the_magic_and_settings() -> None:
    octets = b"".join(State.open(config()).output)
    assert octets[:24] == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    first = frames_of(octets)[0]
    assert (first.kind, first.flags, first.stream) == (SETTINGS, 0, 0)


@pytest.mark.rfc("9113-3.4-b")
def test_requests_need_not_wait_for_settings_and_then_follow_them() -> None:
    talk = fresh()
    one = talk.request("POST", "/", [], None, True)
    assert talk.state.body_window(one) == 65_535
    talk.feed(settings((4, 0)))
    assert talk.state.body_window(one) == 0
    assert talk.state.stream_body(one, b"x").fault is not None


@pytest.mark.rfc("9113-3.4-c")
@pytest.mark.parametrize(
    "first",
    [ack(), ping(), frame(HEADERS, 4, 1, b"\x88"), window_update(0, 5), frame(0x20, 0, 0, b"x")],
)
def test_the_first_frame_must_be_settings(first: bytes) -> None:
    talk = fresh()
    talk.feed(first)
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-3.4-d")
def test_the_first_settings_are_acknowledged() -> None:
    talk = fresh()
    talk.feed(settings())
    assert [(f.kind, f.flags, f.payload) for f in talk.sent] == [(SETTINGS, ACK, b"")]


@pytest.mark.rfc("9113-4.1-a")
def test_no_frame_is_larger_than_the_server_allows() -> None:
    talk = opened((4, 2_000_000))
    talk.feed(window_update(0, 2_000_000))
    talk.request("PUT", "/", [], (b"x" * 1_000_000,))
    assert max(len(one.payload) for one in talk.sent) == 16_384


@pytest.mark.rfc("9113-4.1-b")
@pytest.mark.parametrize("kind", [0x0A, 0x0C, 0x11, 0x7F, 0xFF])
def test_unknown_frames_are_ignored_on_any_stream(kind: int) -> None:
    talk = with_request()
    for stream in (0, 1, 2, 3, 99):
        talk.feed(frame(kind, 0xFF, stream, b"anything"))
    talk.feed(talk.server.answer(1, b"x"))
    assert kinds(talk.events)[-1] == "done:1"
    assert talk.sent == []


@pytest.mark.rfc("9113-4.1-c")
def test_undefined_flags_are_ignored() -> None:
    talk = with_request()
    block = talk.server.block(OK)
    odd = 0xFF & ~(1 | 8 | 32)
    talk.feed(
        frame(HEADERS, odd, 1, block),
        frame(DATA, 0xFF & ~(1 | 8), 1, b"x"),
        frame(PING, 0xFE, 0, b"12345678"),
        frame(WINDOW_UPDATE, 0xFF, 1, b"\0\0\0\1"),
        frame(RST_STREAM, 0xFF, 1, b"\0\0\0\x08"),
        frame(SETTINGS, 0xFE, 0, b""),
    )
    assert kinds(talk.events) == ["status:1", "headers:1", "data:1", "failed:1"]
    assert [f.flags for f in talk.sent] == [ACK, ACK]


@pytest.mark.rfc("9113-4.1-d")
def test_reserved_bits_are_ignored() -> None:
    talk = with_request()
    high = 1 << 31
    talk.feed(
        frame(HEADERS, 4, high | 1, talk.server.block(OK)),
        frame(DATA, 0, high | 1, b"x"),
        frame(WINDOW_UPDATE, 0, high, b"\x80\0\0\1"),
        frame(GOAWAY, 0, high, b"\x80\0\0\1\0\0\0\0"),
    )
    assert talk.state.send_window(None) == 65_536
    assert talk.state.draining
    assert kinds(talk.events) == ["status:1", "headers:1", "data:1"]


@pytest.mark.rfc("9113-4.2-a")
def test_frames_of_the_largest_size_are_accepted() -> None:
    talk = with_request()
    talk.feed(talk.server.headers(1, OK), data(1, b"x" * 16_384, end=True))
    assert talk.events[-2] == Data(ref(1), b"x" * 16_384)


@pytest.mark.rfc("9113-4.2-b")
@pytest.mark.parametrize("length", [16_385, 0xFFFFFF])
@pytest.mark.parametrize("kind", [DATA, HEADERS, SETTINGS, 0x40])
def test_larger_frames_fail_before_their_payload_comes(length: int, kind: int) -> None:
    talk = with_request()
    stream = 0 if kind == SETTINGS else 1
    talk.feed(length.to_bytes(3, "big") + bytes([kind, 0]) + stream.to_bytes(4, "big"))
    assert_breach(talk, FRAME_SIZE_ERROR, "frame_size_error")


@pytest.mark.rfc("9113-4.2-c")
@pytest.mark.parametrize(
    "wrong",
    [
        frame(HEADERS, END_HEADERS | 32, 1, b"\0\0\0\0"),
        frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0"),
        frame(SETTINGS, 0, 0, b"\0" * 7),
        frame(PING, 0, 0, b"\0" * 9),
        frame(GOAWAY, 0, 0, b"\0" * 7),
        frame(HEADERS, END_HEADERS | 8, 1, b""),
        frame(WINDOW_UPDATE, 0, 0, b"\0" * 5),
        frame(HEADERS, END_HEADERS, 1, bytes(16_385)),
        frame(HEADERS, 0, 1, b"") + frame(CONTINUATION, END_HEADERS, 1, bytes(16_385)),
    ],
)
def test_frame_size_errors_of_these_end_the_connection(wrong: bytes) -> None:
    talk = with_request()
    talk.feed(wrong)
    assert_breach(talk, FRAME_SIZE_ERROR, "frame_size_error")


@pytest.mark.rfc("9113-4.3-a")
def test_sent_field_blocks_are_contiguous() -> None:
    talk = opened()
    talk.request("POST", "/", [("x-long", "\x7e" * 40_000)], (b"body",))
    assert [one.kind for one in talk.sent] == [HEADERS, CONTINUATION, CONTINUATION, DATA]
    assert {one.stream for one in talk.sent} == {1}


@pytest.mark.rfc("9113-4.3-b")
@pytest.mark.parametrize("block", [b"\x80", b"\xff\xff\xff\xff\xff\xff\xff", b"\x00\x85", b"\x88\x3f\xff"])
def test_a_block_that_cannot_be_decoded_ends_the_connection(block: bytes) -> None:
    talk = with_request()
    talk.feed(frame(HEADERS, END_HEADERS, 1, block))
    assert_breach(talk, COMPRESSION_ERROR, "compression_error")


@pytest.mark.rfc("9113-4.3-c")
def test_blocks_of_reset_streams_are_decoded() -> None:
    talk = with_request()
    talk.take(talk.state.cancel(ref(1)))
    secret = [("x-inserted", "into the table")]
    talk.feed(talk.server.headers(1, [*OK, *secret]))
    talk.request()
    talk.feed(talk.server.answer(3, b"", secret))
    assert talk.events[1].headers == tuple(secret)  # type: ignore[union-attr]  # Headers, by order


@pytest.mark.rfc("9113-4.3.1-a")
def test_a_smaller_table_is_announced_in_the_next_block() -> None:
    talk = opened()
    talk.request("GET", "/", [("x-a", "1")])
    talk.server.read(b"".join(talk.last.output if talk.last else ()))
    talk.feed(settings((1, 0), (1, 4096)))
    talk.server.decoder.max_allowed_table_size = 0
    talk.drop()
    talk.request("GET", "/", [("x-a", "1")])
    assert talk.sent[0].payload[:1] == b"\x20"
    talk.server.decoder.max_allowed_table_size = 4096
    assert ("x-a", "1") in talk.fields()


@pytest.mark.rfc("9113-4.3.1-b")
def test_a_server_that_ignores_our_smaller_table_breaks_compression() -> None:
    talk = with_request()
    talk.take(talk.state.put_settings((("header_table_size", 0),)))
    talk.feed(ack(), frame(HEADERS, END_HEADERS, 1, b"\x88"))
    assert_breach(talk, COMPRESSION_ERROR, "compression_error")


@pytest.mark.rfc("9113-5.1-a")
@pytest.mark.parametrize(
    "wrong",
    [data(9, b"x"), reset(9), window_update(9, 1), data(8, b"x"), reset(8), window_update(8, 1)],
)
def test_nothing_but_priority_may_come_on_an_idle_stream(wrong: bytes) -> None:
    talk = with_request()
    talk.feed(frame(PRIORITY, 0, 9, b"\0\0\0\0\1"))
    assert not talk.closed
    talk.feed(wrong)
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-5.1-b")
@pytest.mark.parametrize("stream", [2, 3, 0x7FFFFFFF])
def test_the_server_cannot_open_streams(stream: int) -> None:
    talk = with_request()
    talk.feed(talk.server.headers(stream, OK))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-5.1-c")
def test_only_resets_and_window_updates_are_sent_on_a_promised_stream() -> None:
    talk = pushing()
    assert not talk.state.body_is_open(ref(2))
    refused = talk.state.stream_body(ref(2), b"x").fault
    assert refused is not None
    assert refused.reason == "request_is_not_streaming"
    talk.take(talk.state.set_receive_window(ref(2), 5_000_000))
    talk.take(talk.state.cancel(ref(2)))
    assert [(one.kind, one.stream) for one in talk.sent] == [(WINDOW_UPDATE, 2), (RST_STREAM, 2)]


@pytest.mark.rfc("9113-5.1-d")
@pytest.mark.parametrize("wrong", [data(2, b"x"), window_update(2, 1)])
def test_a_reserved_stream_begins_with_headers(wrong: bytes) -> None:
    talk = pushing()
    talk.feed(wrong)
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-5.1-e")
def test_data_after_the_end_of_a_tunnel_is_a_stream_error() -> None:
    talk = opened()
    one = talk.request("CONNECT", "a.example:1", [], None, True)
    talk.feed(talk.server.headers(1, OK), data(1, b"", end=True))
    talk.drop()
    talk.feed(window_update(1, 10), frame(PRIORITY, 0, 1, b"\0\0\0\0\1"), data(1, b"more"))
    assert resets(talk) == [(1, STREAM_CLOSED)]
    assert talk.events == []
    assert not talk.state.body_is_open(one)


@pytest.mark.rfc("9113-5.1-f")
def test_nothing_is_sent_on_closed_streams() -> None:
    talk = with_request()
    talk.feed(talk.server.answer(1, b"x"))
    talk.drop()
    talk.take(talk.state.cancel(ref(1)))
    assert talk.state.stream_body(ref(1), b"x").output == ()
    assert talk.state.end_body(ref(1), ()).output == ()
    assert talk.state.set_receive_window(ref(1), 9_000_000).output == ()
    assert talk.sent == []


@pytest.mark.rfc("9113-5.1-g")
def test_late_frames_of_a_reset_stream_are_dropped_and_credited() -> None:
    talk = opened(connection_window_size=400_000)
    talk.request()
    talk.feed(talk.server.headers(1, OK))
    talk.take(talk.state.cancel(ref(1)))
    talk.drop()
    for _ in range(15):
        talk.feed(data(1, b"x" * 16_384))
    talk.feed(talk.server.headers(1, [("t", "1")], end=True))
    assert talk.events == []
    assert updates(talk) == [(0, 15 * 16_384)]
    assert not talk.closed


@pytest.mark.rfc("9113-5.1.1-a")
def test_stream_ids_are_odd_and_increase() -> None:
    talk = opened()
    assert [talk.request().number for _ in range(4)] == [1, 3, 5, 7]


@pytest.mark.rfc("9113-5.1.1-b")
@pytest.mark.parametrize("promised", [0, 1, 3, 2])
def test_promised_ids_are_even_and_increase(promised: int) -> None:
    talk = pushing()
    talk.feed(talk.server.promise(1, promised, PROMISED))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-5.1.1-c")
def test_when_the_ids_are_used_up_a_new_connection_is_needed() -> None:
    talk = opened(first_stream=(1 << 31) - 3)
    assert talk.request().number == (1 << 31) - 3
    assert talk.request().number == (1 << 31) - 1
    assert talk.refuse().reason == "stream_ids_exhausted"
    assert not talk.state.is_open_write
    talk.feed(talk.server.answer((1 << 31) - 1, b"x"))
    assert kinds(talk.events)[-1] == "done:2147483647"


@pytest.mark.rfc("9113-5.1.2-a")
def test_the_servers_limit_on_streams_is_respected() -> None:
    talk = opened((3, 2))
    talk.request()
    talk.request()
    fault = talk.refuse()
    assert (fault.reason, fault.size, fault.limit) == ("too_many_concurrent_requests", 2, 2)
    talk.feed(settings((3, 1)), talk.server.answer(1))
    assert talk.refuse().reason == "too_many_concurrent_requests"
    talk.feed(talk.server.answer(3))
    talk.request()
    talk.feed(settings((3, 0)))
    assert talk.refuse().limit == 0


@pytest.mark.rfc("9113-5.1.2-b")
def test_pushes_above_our_limit_are_refused() -> None:
    talk = opened(mine=(("enable_push", 1), ("max_concurrent_streams", 5)))
    talk.request()
    for number in range(100):
        talk.feed(talk.server.promise(1, 2 + 2 * number, PROMISED))
    assert kinds(talk.events) == ["pushpromise:1"] * 5
    assert resets(talk) == [(12 + 2 * i, REFUSED_STREAM) for i in range(95)]


@pytest.mark.rfc("9113-5.2.1-a")
def test_the_servers_windows_are_respected() -> None:
    talk = opened((4, 100))
    fault = talk.refuse("PUT", "/", [], (b"x" * 101,))
    assert (fault.reason, fault.name, fault.limit) == ("exceeds_window_size", "request", 100)
    talk.feed(settings((4, 100_000)))
    fault = talk.refuse("PUT", "/", [], (b"x" * 65_536,))
    assert (fault.name, fault.limit) == ("connection", 65_535)
    talk.request("PUT", "/", [], (b"x" * 65_535,))


@pytest.mark.rfc("9113-5.3-a")
def test_priority_is_checked_and_ignored() -> None:
    talk = with_request()
    talk.feed(frame(PRIORITY, 0, 1, b"\x80\0\0\3\x10"), talk.server.headers(1, OK, end=True, priority=True))
    assert kinds(talk.events)[-1] == "done:1"
    assert talk.sent == []


@pytest.mark.rfc("9113-5.4-a")
def test_connection_errors_are_reported() -> None:
    talk = with_request()
    talk.feed(window_update(0, 0))
    (sent,) = talk.sent
    assert sent.kind == GOAWAY
    assert sent.last_and_code == (0, PROTOCOL_ERROR)
    assert b"increment" in sent.payload


@pytest.mark.rfc("9113-5.4.1-a")
def test_nothing_is_processed_after_a_connection_error() -> None:
    talk = with_request()
    talk.feed(window_update(0, 0), talk.server.answer(1, b"x"), ping())
    assert kinds(talk.events) == ["failed:1"]
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-5.4.1-b")
def test_goaway_names_the_last_stream_of_the_server() -> None:
    talk = opened()
    for _ in range(5):
        talk.request()
    talk.feed(window_update(0, 0))
    assert talk.sent[-1].last_and_code == (0, PROTOCOL_ERROR)
    push = pushing()
    push.take(push.state.close())
    assert push.sent[-1].last_and_code == (2, 0)


@pytest.mark.rfc("9113-5.4.2-a")
def test_a_reset_is_not_answered() -> None:
    talk = with_request()
    talk.feed(reset(1), reset(1))
    assert talk.sent == []
    assert kinds(talk.events) == ["failed:1"]


@pytest.mark.rfc("9113-5.4.2-b")
def test_a_stream_is_reset_once() -> None:
    talk = with_request()
    talk.feed(data(1, b"x"), data(1, b"y"), talk.server.headers(1, OK), data(1, b"z", end=True))
    assert resets(talk) == [(1, PROTOCOL_ERROR)]
    talk.request()
    talk.feed(talk.server.answer(3, b"x"))
    talk.drop()
    talk.feed(data(3, b"x"), data(3, b"y"), talk.server.headers(3, OK))
    assert resets(talk) == [(3, STREAM_CLOSED)]


@pytest.mark.rfc("9113-5.4.2-c")
@pytest.mark.parametrize("flood", [ping(), settings()])
def test_answers_for_a_peer_that_does_not_read_are_limited(flood: bytes) -> None:
    talk = opened(max_unsent_acks=50)
    for _ in range(50):
        talk.feed(flood)
    assert not talk.closed
    talk.feed(flood)
    assert_breach(talk, ENHANCE_YOUR_CALM_CODE, "enhance_your_calm")
    reading = opened(max_unsent_acks=50)
    for _ in range(500):
        reading.feed(flood)
        reading.state = reading.state.flushed()
    assert not reading.closed


ENHANCE_YOUR_CALM_CODE = 11


@pytest.mark.rfc("9113-5.4.3-a")
def test_the_end_of_the_transport_fails_every_stream() -> None:
    talk = opened()
    for _ in range(3):
        talk.request()
    talk.feed(talk.server.headers(3, OK))
    talk.drop()
    talk.take(talk.state.feed_eof(clean=True))
    failed = [event for event in talk.events if isinstance(event, Failed)]
    assert [(e.ref.number, e.fault.processed) for e in failed] == [(1, MAYBE), (3, YES), (5, MAYBE)]
    assert [fault.reason for fault in talk.faults] == ["transport_closed"]
    assert talk.closed


@pytest.mark.rfc("9113-5.5-a")
def test_unknown_settings_flags_frames_and_codes_are_ignored() -> None:
    talk = with_request()
    talk.feed(
        settings((0x99, 7), (0, 1), (0xFFFF, 0)),
        frame(0x77, 0x77, 0, b""),
        goaway(1, 0xDEADBEEF),
        reset(1, 0xFEEDF00D),
    )
    assert failure(talk).code == 0xFEEDF00D


@pytest.mark.rfc("9113-5.5-b")
def test_an_extension_frame_inside_a_field_block_is_an_error() -> None:
    talk = with_request()
    block = talk.server.block(OK)
    talk.feed(frame(HEADERS, 0, 1, block), frame(0x0B, 0, 1, b""), frame(CONTINUATION, 4, 1, b""))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


def test_frame_types_have_names() -> None:
    assert [frame_name(kind) for kind in (DATA, PING, CONTINUATION)] == ["DATA", "PING", "CONTINUATION"]
