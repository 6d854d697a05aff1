"""The rules of RFC 9113, sections 6 and 7, in rows.txt: the frame types and the error codes."""

import struct

import pytest

from mint._core.events import Data, Failed
from tests.http2_driver import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    GOAWAY,
    HEADERS,
    INTERNAL_ERROR,
    MAYBE,
    NO,
    NO_ERROR,
    OK,
    PADDED,
    PING,
    PRIORITY,
    PROMISED,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    YES,
    ack,
    assert_breach,
    assert_stream_error,
    data,
    failure,
    frame,
    goaway,
    kinds,
    opened,
    ping,
    ref,
    reset,
    resets,
    settings,
    updates,
    window_update,
    with_request,
)


@pytest.mark.rfc("9113-6.1-a")
def test_padding_of_any_value_is_dropped_and_none_is_sent() -> None:
    talk = with_request()
    talk.feed(talk.server.headers(1, OK), frame(DATA, PADDED | 1, 1, b"\x03abc\xff\xfe\xfd"))
    assert talk.events[-2] == Data(ref(1), b"abc")
    other = opened()
    other.request("PUT", "/", [], (b"x",))
    assert not any(one.flags & PADDED for one in other.sent)


@pytest.mark.rfc("9113-6.1-b")
def test_data_needs_a_stream() -> None:
    talk = with_request()
    talk.feed(data(0, b"x"))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-6.1-c")
def test_data_on_a_stream_that_ended_is_a_stream_error() -> None:
    talk = with_request()
    talk.feed(talk.server.answer(1, b"x"))
    talk.drop()
    talk.feed(data(1, b"x"))
    assert resets(talk) == [(1, 5)]
    assert talk.events == []
    assert not talk.closed


@pytest.mark.rfc("9113-6.1-d")
@pytest.mark.parametrize("payload", [b"\x01", b"\x05abcd", b"\xff" + b"x" * 254])
def test_more_padding_than_payload_ends_the_connection(payload: bytes) -> None:
    talk = with_request()
    talk.feed(talk.server.headers(1, OK), frame(DATA, PADDED, 1, payload))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-6.1-d")
def test_a_padded_frame_has_a_pad_length() -> None:
    talk = with_request()
    talk.feed(talk.server.headers(1, OK), frame(DATA, PADDED, 1, b""))
    assert_breach(talk, FRAME_SIZE_ERROR, "frame_size_error")


@pytest.mark.rfc("9113-6.1-e")
def test_padding_counts_for_flow_control() -> None:
    talk = opened(window_update_threshold=1, connection_window_size=65_535)
    talk.request()
    talk.feed(talk.server.headers(1, OK))
    talk.drop()
    # Each frame has one octet of content, the pad length, and 255 octets of padding.
    for _ in range(255):
        talk.feed(data(1, b"x", padding=255))
    assert updates(talk) == [(0, 65_535)]


@pytest.mark.rfc("9113-6.2-a")
@pytest.mark.parametrize(
    "other", [ping(), data(1, b"x"), settings(), frame(CONTINUATION, 4, 3, b""), frame(HEADERS, 4, 1, b"")]
)
def test_only_continuation_of_the_same_stream_follows_open_headers(other: bytes) -> None:
    talk = with_request()
    talk.request()
    talk.feed(frame(HEADERS, 0, 1, b"\x88"), other)
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-6.2-b")
@pytest.mark.parametrize(
    ("wrong", "code", "reason"),
    [
        (frame(HEADERS, 4, 0, b"\x88"), PROTOCOL_ERROR, "protocol_error"),
        (frame(HEADERS, 4 | 8, 1, b"\x02\x88"), PROTOCOL_ERROR, "protocol_error"),
        (frame(HEADERS, 4 | 32, 1, b"\0\0\0\0"), FRAME_SIZE_ERROR, "frame_size_error"),
        (frame(HEADERS, 4 | 8 | 32, 1, b"\x03\0\0\0\0\0\0"), PROTOCOL_ERROR, "protocol_error"),
        (frame(HEADERS, 4 | 8 | 32, 1, b"\0\0\0\0\0"), FRAME_SIZE_ERROR, "frame_size_error"),
    ],
)
def test_headers_need_a_stream_and_valid_sizes(wrong: bytes, code: int, reason: str) -> None:
    talk = with_request()
    talk.feed(wrong)
    assert_breach(talk, code, reason)


@pytest.mark.rfc("9113-6.3-a")
def test_priority_needs_a_stream() -> None:
    talk = with_request()
    talk.feed(frame(PRIORITY, 0, 0, b"\0\0\0\0\0"))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-6.3-a")
@pytest.mark.parametrize("length", [0, 4, 6])
def test_priority_of_a_wrong_size_ends_its_stream(length: int) -> None:
    talk = with_request()
    talk.feed(frame(PRIORITY, 0, 99, b"\0" * length))
    assert talk.sent == []
    talk.feed(frame(PRIORITY, 0, 1, b"\0" * length))
    assert_stream_error(talk, FRAME_SIZE_ERROR, "frame_size_error")


@pytest.mark.rfc("9113-6.4-a")
@pytest.mark.parametrize(
    ("wrong", "code", "reason"),
    [
        (reset(0), PROTOCOL_ERROR, "protocol_error"),
        (reset(3), PROTOCOL_ERROR, "protocol_error"),
        (frame(RST_STREAM, 0, 1, b"\0\0\0"), FRAME_SIZE_ERROR, "frame_size_error"),
        (frame(RST_STREAM, 0, 1, b"\0\0\0\0\0"), FRAME_SIZE_ERROR, "frame_size_error"),
    ],
)
def test_resets_need_an_open_stream_and_a_valid_size(wrong: bytes, code: int, reason: str) -> None:
    talk = with_request()
    talk.feed(wrong)
    assert_breach(talk, code, reason)


@pytest.mark.rfc("9113-6.4-b")
def test_after_a_reset_nothing_more_is_sent() -> None:
    talk = opened()
    one = talk.request("POST", "/", [], None, True)
    talk.feed(reset(1))
    step = talk.state.stream_body(one, b"x")
    assert step.output == ()
    assert step.fault is not None
    assert step.fault.reason == "unknown_request_to_stream"
    assert talk.state.cancel(one).output == ()


@pytest.mark.rfc("9113-6.4-c")
def test_idle_streams_are_not_reset() -> None:
    talk = opened()
    assert talk.state.cancel(ref(1)).output == ()


@pytest.mark.rfc("9113-6.5-a")
def test_settings_are_sent_first() -> None:
    talk = opened(mine=(("max_frame_size", 20_000),))
    assert talk.state.client_setting("max_frame_size") == 20_000


@pytest.mark.rfc("9113-6.5-b")
@pytest.mark.parametrize(
    ("wrong", "code", "reason"),
    [
        (frame(SETTINGS, ACK, 0, b"\0\3\0\0\0\0"), FRAME_SIZE_ERROR, "frame_size_error"),
        (frame(SETTINGS, 0, 1, b""), PROTOCOL_ERROR, "protocol_error"),
        (frame(SETTINGS, 0, 0, b"\0\3\0\0\0"), FRAME_SIZE_ERROR, "frame_size_error"),
    ],
)
def test_settings_have_a_valid_size_and_no_stream(wrong: bytes, code: int, reason: str) -> None:
    talk = with_request()
    talk.feed(wrong)
    assert_breach(talk, code, reason)


@pytest.mark.rfc("9113-6.5.2-a")
def test_push_is_off_unless_asked_for() -> None:
    assert opened().state.client_setting("enable_push") == 0


@pytest.mark.rfc("9113-6.5.2-b")
@pytest.mark.parametrize("value", [1, 2, 0xFFFFFFFF])
def test_a_server_may_not_enable_push(value: int) -> None:
    talk = opened((2, 0))
    talk.feed(settings((2, value)))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-6.5.2-c")
def test_a_push_ends_the_connection_if_push_is_off() -> None:
    talk = with_request()
    talk.feed(talk.server.promise(1, 2, PROMISED))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")
    later = opened(mine=(("enable_push", 1),))
    later.request()
    later.take(later.state.put_settings((("enable_push", 0),)))
    later.feed(later.server.promise(1, 2, PROMISED))
    assert kinds(later.events) == ["pushpromise:1"]
    later.feed(ack(), later.server.promise(1, 4, PROMISED))
    assert_breach(later, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-6.5.2-d")
def test_an_initial_window_beyond_the_maximum() -> None:
    talk = with_request()
    talk.feed(settings((4, 1 << 31)))
    assert_breach(talk, FLOW_CONTROL_ERROR, "flow_control_error")


@pytest.mark.rfc("9113-6.5.2-e")
@pytest.mark.parametrize("value", [0, 1, 16_383, 1 << 24])
def test_a_frame_size_out_of_range(value: int) -> None:
    talk = with_request()
    talk.feed(settings((5, value)))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-6.5.2-f")
def test_unknown_settings_are_ignored() -> None:
    talk = with_request()
    talk.feed(settings((0x1234, 5), (10, 5), (7, 1)))
    assert [one.flags for one in talk.sent] == [ACK]


@pytest.mark.rfc("9113-6.5.2-g")
def test_the_servers_header_limit_is_respected() -> None:
    talk = opened((6, 200))
    fault = talk.refuse("GET", "/", [("x", "y" * 100)])
    assert fault.reason == "max_header_list_size_exceeded"
    assert (fault.size, fault.limit) == (361, 200)
    talk.feed(settings((6, 361)))
    talk.request("GET", "/", [("x", "y" * 100)])


@pytest.mark.rfc("9113-6.5.2-h")
@pytest.mark.parametrize("cuts", [0, 3])
def test_our_header_limits_count_octets_and_fields(cuts: int) -> None:
    many = opened(max_fields=50)
    many.request()
    many.feed(many.server.headers(1, [*OK, *[("a", "b")] * 50], cuts=cuts))
    fault = assert_breach(many, ENHANCE_YOUR_CALM, "too_many_headers")
    assert fault.limit == 50
    large = opened(mine=(("max_header_list_size", 1000),))
    large.request()
    large.feed(large.server.headers(1, [*OK, ("a", "b" * 500), ("a", "b" * 500)], cuts=cuts))
    fault = assert_stream_error(large, ENHANCE_YOUR_CALM, "max_header_list_size_exceeded")
    assert (fault.size, fault.limit) == (1108, 1000)
    larger = opened(mine=(("max_header_list_size", 1000),), max_discarded_header_list=1050)
    larger.request()
    larger.feed(larger.server.headers(1, [*OK, ("a", "b" * 500), ("a", "b" * 500)], cuts=cuts))
    fault = assert_breach(larger, ENHANCE_YOUR_CALM, "max_header_list_size_exceeded")
    assert fault.limit == 1050
    block = opened(max_header_block=100)
    block.request()
    block.feed(block.server.headers(1, [*OK, ("a", "\x7e" * 500)], cuts=cuts))
    fault = assert_breach(block, ENHANCE_YOUR_CALM, "enhance_your_calm")
    assert fault.name == "max_header_block"


@pytest.mark.rfc("9113-6.5.3-a")
def test_settings_are_applied_in_order_and_acknowledged_at_once() -> None:
    talk = opened()
    one = talk.request("POST", "/", [], None, True)
    talk.drop()
    talk.feed(settings((4, 5), (4, 77), (5, 20_000)))
    assert talk.state.server_setting("initial_window_size") == 77
    assert talk.state.send_window(one) == 77
    assert talk.state.server_setting("max_frame_size") == 20_000
    assert [(f.kind, f.flags) for f in talk.sent] == [(SETTINGS, ACK)]


@pytest.mark.rfc("9113-6.5.3-b")
def test_client_settings_apply_when_acknowledged() -> None:
    talk = with_request()
    talk.take(talk.state.put_settings((("max_frame_size", 20_000), ("initial_window_size", 1000))))
    assert talk.state.client_setting("max_frame_size") == 16_384
    assert talk.state.client_setting("initial_window_size") == 4_194_304
    talk.feed(ack())
    assert talk.state.client_setting("max_frame_size") == 20_000
    assert talk.state.client_setting("initial_window_size") == 1000


@pytest.mark.rfc("9113-6.6-a")
@pytest.mark.parametrize("stream", [0, 2, 3, 5])
def test_promises_come_on_open_requests_only(stream: int) -> None:
    talk = opened(mine=(("enable_push", 1),))
    talk.request()
    talk.request()
    talk.feed(talk.server.answer(3), talk.server.promise(1, 2, PROMISED))
    talk.feed(talk.server.promise(stream, 4, PROMISED))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-6.6-b")
@pytest.mark.parametrize("cuts", [0, 2])
def test_a_promise_on_a_reset_stream_is_decoded_and_refused(cuts: int) -> None:
    talk = opened(mine=(("enable_push", 1),))
    talk.request()
    talk.take(talk.state.cancel(ref(1)))
    talk.drop()
    talk.feed(talk.server.promise(1, 2, [*PROMISED, ("x-new", "in the table")], cuts))
    assert resets(talk) == [(2, REFUSED_STREAM)]
    assert talk.events == []
    talk.request()
    talk.feed(
        talk.server.headers(2, OK), data(2, b"late"), talk.server.answer(3, b"", [("x-new", "in the table")])
    )
    assert kinds(talk.events) == ["status:3", "headers:3", "done:3"]
    assert resets(talk) == [(2, REFUSED_STREAM)]


@pytest.mark.rfc("9113-6.7-a")
def test_a_ping_is_answered_with_its_octets() -> None:
    talk = with_request()
    talk.feed(ping(b"\0\1\2\3\4\5\6\7"))
    assert [(f.kind, f.flags, f.payload) for f in talk.sent] == [(PING, ACK, b"\0\1\2\3\4\5\6\7")]


@pytest.mark.rfc("9113-6.7-b")
@pytest.mark.parametrize(
    ("wrong", "code", "reason"),
    [
        (frame(PING, 0, 1, b"12345678"), PROTOCOL_ERROR, "protocol_error"),
        (frame(PING, 0, 0, b""), FRAME_SIZE_ERROR, "frame_size_error"),
        (frame(PING, ACK, 0, b"123456789"), FRAME_SIZE_ERROR, "frame_size_error"),
    ],
)
def test_pings_have_eight_octets_and_no_stream(wrong: bytes, code: int, reason: str) -> None:
    talk = with_request()
    talk.feed(wrong)
    assert_breach(talk, code, reason)


@pytest.mark.rfc("9113-6.7-c")
def test_a_ping_answer_is_never_answered() -> None:
    talk = with_request()
    talk.feed(ping(flags=ACK))
    assert (talk.sent, talk.events, talk.closed) == ([], [], False)


@pytest.mark.rfc("9113-6.8-a")
def test_after_goaway_no_request_is_opened() -> None:
    talk = with_request()
    talk.feed(goaway(1))
    assert talk.refuse().reason == "closed_for_writing"
    assert not talk.state.is_open_write
    assert talk.state.is_open_read
    assert talk.state.draining


@pytest.mark.rfc("9113-6.8-b")
def test_requests_above_the_last_stream_were_not_processed() -> None:
    talk = opened()
    for _ in range(3):
        talk.request()
    talk.feed(goaway(1))
    failed = [event for event in talk.events if isinstance(event, Failed)]
    assert [(e.ref.number, e.fault.reason, e.fault.processed) for e in failed] == [
        (3, "unprocessed", NO),
        (5, "unprocessed", NO),
    ]
    assert talk.faults == []
    talk.drop()
    talk.feed(talk.server.answer(1, b"x"))
    assert kinds(talk.events) == ["status:1", "headers:1", "data:1", "done:1"]
    assert talk.closed
    assert talk.sent[-1].last_and_code == (0, NO_ERROR)


@pytest.mark.rfc("9113-6.8-c")
def test_the_last_stream_never_grows() -> None:
    talk = opened()
    for _ in range(4):
        talk.request()
    talk.feed(goaway((1 << 31) - 1))
    assert talk.events == []
    talk.feed(goaway(5), goaway(7))
    assert kinds(talk.events) == ["failed:7"]
    talk.feed(frame(GOAWAY, 0, 1, b"\0" * 8))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-6.8-d")
def test_while_draining_blocks_are_decoded_and_data_counted() -> None:
    talk = opened(connection_window_size=65_535)
    talk.request()
    talk.request()
    talk.feed(goaway(1), talk.server.headers(3, [*OK, ("x-new", "value")]), data(3, b"x" * 16_000))
    talk.drop()
    talk.feed(data(3, b"x" * 16_384), data(3, b"x" * 16_384))
    assert updates(talk)[0][0] == 0
    talk.feed(talk.server.headers(1, [*OK, ("x-new", "value")]))
    assert talk.events[-1].headers == (("x-new", "value"),)  # type: ignore[union-attr]  # Headers


@pytest.mark.rfc("9113-6.8-e")
def test_goaway_before_closing() -> None:
    talk = with_request()
    talk.take(talk.state.close())
    assert [one.kind for one in talk.sent] == [GOAWAY]


@pytest.mark.rfc("9113-6.9-a")
def test_an_increment_of_zero() -> None:
    talk = with_request()
    talk.feed(window_update(1, 0))
    assert_stream_error(talk, PROTOCOL_ERROR, "protocol_error")
    talk.drop()
    talk.feed(window_update(0, 0))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-6.9-b")
@pytest.mark.parametrize("stream", [0, 1])
@pytest.mark.parametrize("length", [0, 3, 5])
def test_window_updates_have_four_octets(stream: int, length: int) -> None:
    talk = with_request()
    talk.feed(frame(WINDOW_UPDATE, 0, stream, b"\1" * length))
    assert_breach(talk, FRAME_SIZE_ERROR, "frame_size_error")


@pytest.mark.rfc("9113-6.9-c")
def test_window_updates_on_ended_streams_are_legal() -> None:
    talk = with_request()
    talk.feed(talk.server.answer(1), window_update(1, 5), window_update(1, (1 << 31) - 1))
    assert not talk.closed
    assert talk.sent == []


@pytest.mark.rfc("9113-6.9-d")
def test_data_in_error_counts_for_the_connection() -> None:
    talk = opened(connection_window_size=65_535)
    talk.request()
    talk.feed(data(1, b"x" * 16_384), data(1, b"x" * 16_384))
    assert resets(talk) == [(1, PROTOCOL_ERROR)]
    assert updates(talk) == [(0, 32_768)]


@pytest.mark.rfc("9113-6.9-e")
def test_no_window_update_of_zero() -> None:
    talk = opened(window_update_threshold=(1 << 31) - 1)
    talk.request()
    talk.feed(talk.server.headers(1, OK), *[data(1, b"")] * 50, data(1, b"", end=True))
    assert updates(talk) == []


@pytest.mark.rfc("9113-6.9.1-a")
def test_neither_window_is_exceeded() -> None:
    talk = opened((4, 1 << 20))
    one = talk.request("POST", "/", [], None, True)
    talk.take(talk.state.stream_body(one, b"x" * 65_535))
    assert talk.state.body_window(one) == 0
    assert talk.state.send_window(one) == (1 << 20) - 65_535
    fault = talk.state.stream_body(one, b"x").fault
    assert fault is not None
    assert (fault.reason, fault.name, fault.limit) == ("exceeds_window_size", "connection", 0)
    talk.feed(window_update(0, 3))
    assert talk.state.body_window(one) == 3


@pytest.mark.rfc("9113-6.9.1-b")
def test_windows_beyond_the_maximum() -> None:
    talk = with_request()
    talk.feed(window_update(1, (1 << 31) - 1 - 65_535))
    assert talk.sent == []
    talk.feed(window_update(1, 1))
    assert_stream_error(talk, FLOW_CONTROL_ERROR, "flow_control_error")
    talk.drop()
    talk.feed(window_update(0, (1 << 31) - 1))
    assert_breach(talk, FLOW_CONTROL_ERROR, "flow_control_error")


@pytest.mark.rfc("9113-6.9.1-c")
def test_a_server_must_not_exceed_the_windows() -> None:
    talk = opened(mine=(("initial_window_size", 1000),))
    talk.request()
    talk.feed(talk.server.headers(1, OK), data(1, b"x" * 1001))
    assert_stream_error(talk, FLOW_CONTROL_ERROR, "flow_control_error")
    whole = opened(window_update_threshold=1, connection_window_size=65_535)
    whole.request()
    whole.request()
    whole.feed(whole.server.headers(1, OK), *[data(1, b"x" * 16_384)] * 3)
    whole.feed(data(1, b"x" * 16_383)[:9])
    assert not whole.closed
    whole.feed(b"x" * 16_383)
    whole = opened(window_update_threshold=1, connection_window_size=65_535)
    whole.request()
    whole.feed(whole.server.headers(1, OK), *[data(1, b"x" * 16_384)] * 3)
    whole.feed(data(1, b"x" * 16_384)[:9])
    assert_breach(whole, FLOW_CONTROL_ERROR, "flow_control_error")


@pytest.mark.rfc("9113-6.9.2-a")
def test_a_new_initial_window_moves_every_stream_but_not_the_connection() -> None:
    talk = opened()
    one = talk.request("POST", "/", [], None, True)
    two = talk.request("POST", "/", [], None, True)
    talk.take(talk.state.stream_body(one, b"x" * 1000))
    talk.feed(settings((4, 70_000)))
    assert talk.state.send_window(one) == 69_000
    assert talk.state.send_window(two) == 70_000
    assert talk.state.send_window(None) == 64_535


@pytest.mark.rfc("9113-6.9.2-b")
def test_a_window_may_be_negative_and_the_end_is_sent() -> None:
    talk = opened()
    one = talk.request("POST", "/", [], None, True)
    talk.take(talk.state.stream_body(one, b"x" * 1000))
    talk.feed(settings((4, 100)))
    assert talk.state.send_window(one) == -900
    assert talk.state.body_window(one) == 0
    assert talk.state.stream_body(one, b"x").fault is not None
    talk.feed(window_update(1, 900))
    assert talk.state.body_window(one) == 0
    talk.drop()
    talk.take(talk.state.end_body(one, ()))
    assert [(f.kind, f.flags, f.payload) for f in talk.sent] == [(DATA, 1, b"")]


@pytest.mark.rfc("9113-6.9.2-c")
def test_an_initial_window_that_makes_a_stream_window_overflow() -> None:
    talk = with_request()
    talk.feed(window_update(1, 1000))
    talk.feed(settings((4, (1 << 31) - 1 - 1000)))
    assert not talk.closed
    talk.feed(settings((4, (1 << 31) - 1 - 999)))
    assert_breach(talk, FLOW_CONTROL_ERROR, "flow_control_error")
    other = with_request()
    other.feed(window_update(1, 1000), reset(1), settings((4, (1 << 31) - 1)))
    assert not other.closed


@pytest.mark.rfc("9113-6.9.3-a")
def test_a_smaller_window_applies_after_its_acknowledgement() -> None:
    talk = opened(mine=(("initial_window_size", 60_000),))
    talk.request()
    talk.feed(talk.server.headers(1, OK))
    talk.take(talk.state.put_settings((("initial_window_size", 10),)))
    talk.feed(data(1, b"x" * 16_384), data(1, b"x" * 10_000))
    assert resets(talk) == []
    talk.drop()
    talk.feed(ack())
    assert updates(talk) == [(1, 26_384)]
    talk.feed(data(1, b"x" * 10))
    assert resets(talk) == []
    talk.feed(data(1, b"x" * 11))
    assert resets(talk) == [(1, FLOW_CONTROL_ERROR)]


@pytest.mark.rfc("9113-6.10-a")
@pytest.mark.parametrize("stream", [0, 1])
def test_continuation_only_continues(stream: int) -> None:
    talk = with_request()
    talk.feed(talk.server.headers(1, OK), frame(CONTINUATION, END_HEADERS, stream, b"\x88"))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("9113-6.10-b")
@pytest.mark.parametrize("piece", [b"", b"x"])
def test_continuations_are_limited_in_number(piece: bytes) -> None:
    talk = with_request()
    talk.feed(frame(HEADERS, 0, 1, b""), *[frame(CONTINUATION, 0, 1, piece)] * 16)
    assert not talk.closed
    talk.feed(frame(CONTINUATION, 0, 1, piece))
    fault = assert_breach(talk, ENHANCE_YOUR_CALM, "enhance_your_calm")
    assert (fault.name, fault.size, fault.limit) == ("max_continuations", 17, 16)


@pytest.mark.rfc("9113-6.10-b")
def test_the_octets_of_a_block_are_limited_by_frame_headers() -> None:
    talk = opened(max_header_block=20_000)
    talk.request()
    talk.feed(frame(HEADERS, 0, 1, b"\0" * 16_000), struct.pack(">I", 4001)[1:] + bytes([9, 0, 0, 0, 0, 1]))
    fault = assert_breach(talk, ENHANCE_YOUR_CALM, "enhance_your_calm")
    assert (fault.name, fault.size, fault.limit) == ("max_header_block", 20_001, 20_000)


@pytest.mark.rfc("9113-7-a")
def test_unknown_error_codes_are_passed_on() -> None:
    talk = with_request()
    talk.feed(reset(1, 0xDEADBEEF), goaway(1, 0xFFFFFFFF, b"why"))
    fault = failure(talk)
    assert (fault.reason, fault.code, fault.processed) == ("server_closed_request", 0xDEADBEEF, MAYBE)
    assert (talk.faults[0].code, talk.faults[0].value) == (0xFFFFFFFF, "why")


@pytest.mark.rfc("9113-8.7-a")
def test_a_refused_stream_was_not_processed() -> None:
    talk = opened()
    talk.request()
    talk.request()
    talk.request()
    talk.feed(
        reset(1, REFUSED_STREAM),
        talk.server.headers(3, OK),
        reset(3, REFUSED_STREAM),
        reset(5, INTERNAL_ERROR),
    )
    assert [failure(talk, number).processed for number in (1, 3, 5)] == [NO, YES, MAYBE]
