"""Weaknesses of the Elixir client Mint over HTTP/2, and the behaviour here instead."""

import pytest

from mint._core.events import Data, Failed, Trailers
from mint._core.http2 import State
from tests.http2_driver import (
    ACK,
    CANCEL,
    COMPRESSION_ERROR,
    ENHANCE_YOUR_CALM,
    FRAME_SIZE_ERROR,
    INTERNAL_ERROR,
    MAYBE,
    NO,
    NO_ERROR,
    OK,
    PROMISED,
    PROTOCOL_ERROR,
    YES,
    Conversation,
    ack,
    assert_breach,
    assert_stream_error,
    config,
    data,
    failure,
    frame,
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
)


def test_accepted_streams_continue_in_both_directions_while_draining() -> None:
    talk = opened(connection_window_size=65_535, mine=(("initial_window_size", 65_535),))
    one = talk.request("POST", "/", [], None, True)
    two = talk.request()
    talk.feed(goaway(3))
    assert talk.state.draining
    # The upload continues.
    talk.take(talk.state.stream_body(one, b"x" * 60_000))
    talk.feed(window_update(0, 60_000), window_update(1, 60_000))
    talk.take(talk.state.stream_body(one, b"x" * 60_000))
    talk.take(talk.state.end_body(one, [("t", "1")]))
    # A download that exceeds the window continues, because window updates are sent.
    talk.feed(talk.server.headers(1, OK))
    for _ in range(20):
        talk.feed(data(1, b"y" * 16_384))
    assert {stream for stream, _ in updates(talk)} == {0, 1}
    # Cancelling sends RST_STREAM.
    talk.take(talk.state.cancel(two))
    assert resets(talk) == [(3, CANCEL)]
    talk.feed(data(1, b"", end=True))
    assert kinds(talk.events)[-1] == "done:1"
    talk.feed(ping(talk.sent[-1].payload, ACK))
    assert talk.closed


def test_a_goaway_in_two_steps_loses_nothing() -> None:
    talk = opened()
    for _ in range(3):
        talk.request()
    talk.feed(goaway((1 << 31) - 1))
    assert (talk.events, talk.faults, talk.closed) == ([], [], False)
    talk.feed(goaway(3))
    assert [(e.ref.number, e.fault.processed) for e in talk.events if isinstance(e, Failed)] == [(5, NO)]
    talk.feed(talk.server.answer(3, b"b"), talk.server.answer(1, b"a"))
    assert kinds(talk.events)[-1] == "done:1"
    assert talk.closed
    assert talk.faults == []


def test_an_error_is_reported_once_and_streams_may_complete() -> None:
    talk = opened()
    talk.request()
    talk.request()
    step = talk.feed(goaway(1, INTERNAL_ERROR, b"first"), goaway(1, 7, b"second"))
    assert step.fault is not None
    assert (step.fault.reason, step.fault.code, step.fault.value) == (
        "server_closed_connection",
        INTERNAL_ERROR,
        "first",
    )
    assert not talk.closed
    step = talk.feed(goaway(1, 7), talk.server.headers(1, OK))
    assert step.fault is None
    talk.feed(data(1, b"x", end=True))
    assert kinds(talk.events)[-1] == "done:1"
    assert talk.closed


def test_request_trailers_are_sent_once_and_free_the_stream() -> None:
    talk = opened((3, 2))
    for number in range(20):
        one = talk.request("POST", "/", [], None, True)
        talk.take(talk.state.end_body(one, [("t", "1")]))
        again = talk.state.end_body(one, [("t", "1")])
        assert again.fault is not None
        assert again.fault.reason == "request_is_not_streaming"
        talk.feed(talk.server.answer(2 * number + 1))
    over = talk.state.end_body(ref(1), [("t", "1")])
    assert over.fault is not None
    assert over.fault.reason == "unknown_request_to_stream"


def test_a_broken_transport_closes_the_state_and_fails_open_requests() -> None:
    talk = opened()
    talk.request()
    broken = talk.state.feed_eof(clean=False).fault
    assert broken is not None
    step = talk.take(talk.state.lose(broken))
    assert kinds(talk.events) == ["failed:1"]
    assert step.fault == broken
    assert talk.closed
    assert talk.refuse().reason == "closed"
    assert talk.state.lose(broken).responses == []


def test_an_oversized_frame_is_refused_after_its_header() -> None:
    talk = opened()
    talk.feed(b"\xff\xff\xff\x00\x00\x00\x00\x00\x01")
    assert_breach(talk, FRAME_SIZE_ERROR, "frame_size_error")


@pytest.mark.parametrize("cut", [1, 3, 8, 9, 20])
def test_an_http1_answer_is_recognised_at_once(cut: int) -> None:
    talk = Conversation(State.open(config()).state)
    talk.request()
    answer = b"HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n"
    talk.feed(answer[:cut])
    talk.feed(answer[cut:])
    assert [fault.reason for fault in talk.faults] == ["http1_response"]
    assert failure(talk).processed == NO
    assert talk.closed


def test_window_updates_on_ended_streams_are_ignored() -> None:
    talk = opened()
    talk.request()
    talk.request()
    talk.take(talk.state.cancel(ref(1)))
    step = talk.feed(
        window_update(1, 10), talk.server.answer(3, b"x"), window_update(3, 10), ping(b"\0" * 8)[:5]
    )
    assert step.fault is None
    assert kinds(talk.events)[-1] == "done:3"
    talk.feed(ping(b"\0" * 8)[5:])
    assert talk.sent[-1].flags == ACK


def test_a_promise_on_a_cancelled_stream_is_decoded() -> None:
    talk = opened(mine=(("enable_push", 1),))
    talk.request()
    talk.take(talk.state.cancel(ref(1)))
    talk.feed(talk.server.promise(1, 2, [*PROMISED, ("x-kept", "in the table")]))
    talk.request()
    talk.feed(talk.server.answer(3, b"", [("x-kept", "in the table")]))
    assert talk.events[1].headers == (("x-kept", "in the table"),)  # type: ignore[union-attr]  # Headers
    assert resets(talk) == [(1, CANCEL), (2, 7)]


def test_enlarging_a_window_never_blocks_the_server() -> None:
    talk = opened(mine=(("initial_window_size", 100_000),), window_update_threshold=1000)
    talk.request()
    talk.feed(talk.server.headers(1, OK))
    allowed = 100_000
    for _ in range(5):
        talk.feed(data(1, b"x" * 16_000))
        allowed -= 16_000
    talk.take(talk.state.set_receive_window(ref(1), 150_000))
    allowed += sum(increment for stream, increment in updates(talk) if stream == 1)
    assert allowed == 70_000
    # The server uses its whole window; window updates are sent before it is exhausted.
    talk.drop()
    while allowed >= 16_000:
        talk.feed(data(1, b"x" * 16_000))
        allowed -= 16_000
        allowed += sum(increment for stream, increment in updates(talk) if stream == 1)
        talk.drop()
        if allowed > 140_000:
            break
    talk.feed(data(1, b"x" * min(allowed, 6000)))
    allowed += sum(increment for stream, increment in updates(talk) if stream == 1)
    assert allowed > 6000
    assert resets(talk) == []


def test_a_smaller_initial_window_causes_a_correct_window_update() -> None:
    talk = opened(mine=(("initial_window_size", 1_000_000),), window_update_threshold=1)
    talk.request()
    talk.feed(talk.server.headers(1, OK))
    for _ in range(50):
        talk.feed(data(1, b"x" * 16_000))
    talk.take(talk.state.put_settings((("initial_window_size", 100),)))
    assert updates(talk) == []
    talk.feed(ack())
    # The window is 100 - 800,000 now; without a window update the server could never send again.
    assert updates(talk) == [(1, 800_000)]
    talk.feed(data(1, b"x" * 100))
    assert updates(talk)[1:] == [(1, 100)]


def test_windows_only_grow() -> None:
    talk = opened()
    one = talk.request()
    for given in (None, one):
        fault = talk.state.set_receive_window(given, 65_535).fault
        assert fault is not None
        assert fault.reason == "window_size_too_small"
        assert fault.limit == 65_535
        assert talk.state.set_receive_window(given, fault.size).state is talk.state
        for wrong in (0, -1, 1 << 31):
            with pytest.raises(ValueError, match="window"):
                talk.state.set_receive_window(given, wrong)
    talk.take(talk.state.set_receive_window(None, 20_000_000))
    assert updates(talk) == [(0, 20_000_000 - 16_777_216)]


def test_settings_and_set_receive_window_together_never_exceed_the_maximum() -> None:
    talk = opened()
    one = talk.request()
    talk.take(talk.state.set_receive_window(one, (1 << 31) - 1))
    with pytest.raises(ValueError, match="2\\^31-1"):
        talk.state.put_settings((("initial_window_size", 5_000_000),))
    other = opened()
    two = other.request()
    other.take(other.state.put_settings((("initial_window_size", 1 << 30),)))
    with pytest.raises(ValueError, match="2\\^31-1"):
        other.state.set_receive_window(two, (1 << 31) - 1)


def test_the_pad_length_counts() -> None:
    talk = opened(mine=(("initial_window_size", 100_000),), window_update_threshold=50_000)
    talk.request()
    talk.feed(talk.server.headers(1, OK))
    talk.drop()
    sent = 0
    while not updates(talk):
        talk.feed(data(1, b"x" * 1000, padding=7))
        sent += 1008
    assert updates(talk) == [(1, sent)]


def test_a_reset_without_error_before_the_end_is_an_error() -> None:
    talk = opened()
    talk.request()
    talk.request()
    talk.feed(reset(1, NO_ERROR), talk.server.headers(3, OK), data(3, b"half"), reset(3, NO_ERROR))
    assert [failure(talk, number).reason for number in (1, 3)] == ["server_closed_request"] * 2
    assert [failure(talk, number).processed for number in (1, 3)] == [MAYBE, YES]


def test_content_before_the_head_is_malformed() -> None:
    talk = opened()
    talk.request()
    talk.feed(data(1, b"x"))
    assert_stream_error(talk, PROTOCOL_ERROR, "malformed_response")


def test_content_length_is_compared() -> None:
    talk = opened()
    talk.request()
    talk.feed(talk.server.answer(1, b"four", [("content-length", "5")]))
    assert_stream_error(talk, PROTOCOL_ERROR, "malformed_response")


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET\r\n", "/", []),
        ("", "/", []),
        ("GET", "/a b", []),
        ("GET", "", []),
        ("GET", "/", [("a", "b\r\nc: d")]),
        ("GET", "/", [("a\r\nb", "c")]),
        ("GET", "/", [("", "c")]),
        ("GET", "/", [("a", " b")]),
        ("GET", "/", [("connection", "close")]),
        ("GET", "/", [("te", "chunked")]),
        ("GET", "/", [(":path", "/other")]),
        ("GET", "/", [(":status", "200")]),
        ("GET", "/", [("host", "a"), ("host", "b")]),
    ],
)
def test_invalid_requests_are_not_sent(method: str, target: str, headers: list[tuple[str, str]]) -> None:
    opened().refuse(method, target, headers)


@pytest.mark.parametrize(
    "fields",
    [
        [*OK, ("Upper", "x")],
        [*OK, ("a", "b"), (":path", "/")],
        [*OK, ("connection", "close")],
        [*OK, ("a", "b\0c")],
        [*OK, ("a b", "c")],
        [("a", "b"), *OK],
    ],
)
def test_invalid_responses_are_malformed(fields: list[tuple[str, str]]) -> None:
    talk = opened()
    talk.request()
    talk.feed(talk.server.headers(1, fields, end=True))
    assert_stream_error(talk, PROTOCOL_ERROR, "malformed_response")


@pytest.mark.parametrize(
    ("wrong", "code", "reason"),
    [
        (data(2, b"x"), PROTOCOL_ERROR, "protocol_error"),
        (frame(1, 4, 4, b"\x88"), PROTOCOL_ERROR, "protocol_error"),
        (frame(4, ACK, 0, b"\0" * 6), FRAME_SIZE_ERROR, "frame_size_error"),
        (settings((2, 1)), PROTOCOL_ERROR, "protocol_error"),
        (frame(1, 0, 1, b"\x88") + frame(0x55, 0, 1, b""), PROTOCOL_ERROR, "protocol_error"),
    ],
)
def test_frames_that_are_connection_errors(wrong: bytes, code: int, reason: str) -> None:
    talk = opened()
    talk.request()
    talk.feed(wrong)
    assert_breach(talk, code, reason)


def test_stream_1_is_idle_if_the_first_request_has_another_id() -> None:
    talk = opened(first_stream=3)
    assert talk.request() == ref(3)
    talk.feed(data(1, b"x"))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


def test_a_header_bomb_ends_the_connection_early() -> None:
    talk = opened()
    talk.request()
    # One entry of 4,000 octets, which is then referenced 12,000 times by one octet each.
    bomb = b"\x88\x40\x01a\x7f\xa1\x1e" + b"x" * 4000 + b"\xbe" * 12_000
    talk.feed(frame(1, 4, 1, bomb))
    fault = assert_breach(talk, ENHANCE_YOUR_CALM, "max_header_list_size_exceeded")
    assert fault.limit == 1_048_576
    assert fault.size == 1_048_577


def test_static_entries_without_a_value_are_empty() -> None:
    talk = opened()
    talk.request()
    talk.feed(frame(1, 5, 1, b"\x88\x90"))
    assert talk.events[1].headers == (("accept-encoding", "gzip, deflate"),)  # type: ignore[union-attr]  # Headers
    talk.request()
    talk.feed(frame(1, 5, 3, b"\x88\x93"))
    assert talk.events[4].headers == (("accept", ""),)  # type: ignore[union-attr]  # Headers


@pytest.mark.parametrize(
    "block", [b"\x88\x82\xff\xff\xff\xff\xff\xff", b"\x00\x84\xff\xff\xff\xff\x00", b"\xc0", b"\x80"]
)
def test_invalid_blocks_are_compression_errors(block: bytes) -> None:
    talk = opened()
    talk.request()
    talk.feed(frame(1, 5, 1, block))
    assert_breach(talk, COMPRESSION_ERROR, "compression_error")


def test_a_received_goaway_concerns_requests_and_a_sent_one_pushes() -> None:
    talk = pushing()
    talk.feed(goaway(1))
    assert talk.events == []
    talk.feed(talk.server.answer(2, b"css"))
    assert kinds(talk.events)[-1] == "done:2"
    talk.take(talk.state.close())
    assert talk.sent[-1].last_and_code == (2, NO_ERROR)
    plain = opened()
    plain.request()
    plain.take(plain.state.close())
    assert plain.sent[-1].last_and_code == (0, NO_ERROR)


def test_secrets_are_sent_as_never_indexed_literals() -> None:
    talk = opened()
    secret = [("authorization", "Bearer abc"), ("cookie", "a=b")]
    talk.request("GET", "/", secret)
    talk.request("GET", "/", secret)
    assert talk.last is not None
    fields = talk.server.decoder
    talk.server.read(talk.sent[0].payload and frame(1, 4, 1, talk.sent[0].payload))
    shown = fields.decode(talk.sent[1].payload, raw=True)
    never = {bytes(pair[0]) for pair in shown if type(pair).__name__ == "NeverIndexedHeaderTuple"}
    assert never == {b"authorization", b"cookie"}


def test_tracing_names_unknown_frames() -> None:
    talk = opened()
    talk.state = talk.state.traced(on=True)
    step = talk.feed(frame(0xBD, 3, 5, b"abc"))
    assert [note.text for note in step.notes] == ["0xbd stream=5 length=3 flags=0x03"]
    assert [note.outgoing for note in step.notes] == [False]


def test_an_acknowledged_table_size_is_applied() -> None:
    talk = opened(mine=(("header_table_size", 8192),))
    assert talk.state.client_setting("header_table_size") == 8192
    talk.request()
    talk.server.encoder.header_table_size = 8192
    talk.feed(talk.server.answer(1, b"x"))
    assert kinds(talk.events)[-1] == "done:1"
    talk.take(talk.state.put_settings((("header_table_size", 0),)))
    talk.feed(ack())
    talk.server.encoder.header_table_size = 0
    talk.request()
    talk.feed(talk.server.answer(3, b"x", [("a", "b")]))
    assert kinds(talk.events)[-1] == "done:3"


def test_pushes_can_be_cancelled_and_have_windows() -> None:
    talk = pushing()
    talk.take(talk.state.set_receive_window(ref(2), 5_000_000))
    assert updates(talk) == [(2, 5_000_000 - 4_194_304)]
    assert talk.state.send_window(ref(2)) == 65_535
    talk.take(talk.state.cancel(ref(2)))
    assert resets(talk) == [(2, CANCEL)]
    talk.feed(talk.server.headers(2, OK), data(2, b"x", end=True))
    assert talk.events == []


def test_pings_may_be_acknowledged_in_any_order() -> None:
    talk = opened()
    for payload in (b"aaaaaaaa", b"bbbbbbbb", b"aaaaaaaa", b"cccccccc"):
        talk.take(talk.state.ping(payload))
    talk.feed(
        *[ping(payload, ACK) for payload in (b"bbbbbbbb", b"cccccccc", b"xxxxxxxx", b"aaaaaaaa", b"aaaaaaaa")]
    )
    assert kinds(talk.events) == ["pong:-2", "pong:-4", "pong:-1", "pong:-3"]


def test_unanswered_pings_are_limited() -> None:
    talk = opened(max_pings=2)
    talk.take(talk.state.ping(b"aaaaaaaa"))
    talk.take(talk.state.ping(b"aaaaaaaa"))
    fault = talk.state.ping(b"aaaaaaaa").fault
    assert fault is not None
    assert (fault.reason, fault.size, fault.limit) == ("too_many_pings", 2, 2)
    with pytest.raises(ValueError, match="8 octets"):
        talk.state.ping(b"short")


@pytest.mark.parametrize(
    "flood",
    [ping(), settings(), data(1), frame(2, 0, 3, b"\0\0\0\0\1"), frame(0x99, 0, 0, b""), window_update(1, 1)],
)
def test_floods_are_connection_errors(flood: bytes) -> None:
    talk = opened(max_unsent_acks=1 << 30)
    talk.request()
    talk.feed(talk.server.headers(1, OK))
    talk.feed(flood * 200)
    assert talk.state.timed
    talk.state = talk.state.at(5_000)
    talk.feed(flood * 9_790)
    assert not talk.closed
    talk.feed(flood * 20)
    assert_breach(talk, ENHANCE_YOUR_CALM, "enhance_your_calm")


@pytest.mark.parametrize(
    "flood", [ping(), settings(), data(1), frame(2, 0, 3, b"\0\0\0\0\1"), frame(0x99, 0, 0, b"")]
)
def test_slow_frames_are_no_flood(flood: bytes) -> None:
    """330 frames per second are accepted for ever, and any number if the state has no clock."""
    talk = opened(max_unsent_acks=1 << 30)
    untold = opened(max_unsent_acks=1 << 30)
    for one in (talk, untold):
        one.request()
        one.feed(one.server.headers(1, OK))
    for second in range(1, 101):
        talk.feed(flood * 330)
        untold.feed(flood * 330)
        talk.state = talk.state.at(1_000 * second)
    assert not talk.closed
    assert not untold.closed
    talk.feed(flood * 10_500)
    assert talk.closed


def test_answered_pings_are_no_flood() -> None:
    talk = opened(max_glitches=100)
    for _ in range(1000):
        talk.feed(ping())
        talk.state = talk.state.flushed()
    assert not talk.closed


def test_push_is_off_by_default() -> None:
    talk = opened()
    talk.request()
    talk.feed(talk.server.promise(1, 2, PROMISED))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.parametrize("status", ["abc", "", "+200", "2000", "20\u0660"])
def test_an_invalid_status_is_malformed(status: str) -> None:
    talk = opened()
    talk.request()
    talk.feed(talk.server.headers(1, [(":status", status)], end=True))
    assert_stream_error(talk, PROTOCOL_ERROR, "malformed_response")


def test_a_promise_may_continue_after_a_cancel() -> None:
    talk = opened(mine=(("enable_push", 1),))
    talk.request()
    octets = talk.server.promise(1, 2, [*PROMISED, ("x-long", "\x7e" * 100)], cuts=3)
    talk.feed(octets[:40])
    talk.take(talk.state.cancel(ref(1)))
    talk.feed(octets[40:])
    assert resets(talk) == [(1, CANCEL), (2, 7)]
    talk.request()
    talk.feed(talk.server.answer(3, b"x", trailers=[("t", "1")]))
    assert talk.events[-3:-1] == [Data(ref(3), b"x"), Trailers(ref(3), (("t", "1"),))]


def test_settings_with_too_many_entries_are_refused_after_the_header() -> None:
    talk = opened()
    talk.feed(settings(*[(3, 5)] * 32))
    assert not talk.closed
    talk.feed(settings(*[(3, 5)] * 33)[:9])
    fault = assert_breach(talk, ENHANCE_YOUR_CALM, "enhance_your_calm")
    assert (fault.name, fault.size, fault.limit) == ("max_settings", 33, 32)


def test_malformed_responses_are_limited() -> None:
    talk = opened(max_resets=10)
    for _ in range(11):
        one = talk.request()
        talk.feed(talk.server.headers(one.number, [("no", "status")]))
    fault = assert_breach(talk, ENHANCE_YOUR_CALM, "enhance_your_calm")
    assert fault.name == "max_resets"


def test_no_promise_on_a_promised_stream() -> None:
    talk = pushing()
    talk.feed(talk.server.headers(2, OK), talk.server.promise(2, 4, PROMISED))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.parametrize("payload", [b"\x05\0\0\0\2\x82", b"\x02\0\0\0\2"])
def test_a_padded_promise_has_a_valid_size(payload: bytes) -> None:
    talk = opened(mine=(("enable_push", 1),))
    talk.request()
    talk.feed(frame(5, 4 | 8, 1, payload))
    assert talk.closed


def test_a_promised_head_request_has_no_content() -> None:
    talk = opened(mine=(("enable_push", 1),))
    talk.request()
    talk.feed(talk.server.promise(1, 2, [(":method", "HEAD"), *PROMISED[1:]]))
    talk.feed(talk.server.answer(2, fields=[("content-length", "5")]))
    assert kinds(talk.events)[-1] == "done:2"


def test_pushes_get_window_updates_after_smaller_settings() -> None:
    talk = pushing()
    talk.feed(talk.server.headers(2, OK), data(2, b"x" * 10_000))
    talk.take(talk.state.put_settings((("initial_window_size", 100),)))
    talk.feed(ack())
    assert updates(talk) == [(2, 10_000)]


def test_empty_continuations_are_limited() -> None:
    """The limit is `max_continuations`, which applies to one field block."""
    talk = opened(max_continuations=3)
    talk.request()
    talk.feed(frame(1, 0, 1, b""), *[frame(9, 0, 1, b"")] * 4)
    assert_breach(talk, ENHANCE_YOUR_CALM, "enhance_your_calm")


def test_repeated_goaways_are_limited() -> None:
    talk = opened(max_glitches=3)
    talk.request()
    talk.feed(*[goaway(1)] * 4)
    talk.state = talk.state.at(0)
    talk.feed(goaway(1))
    assert_breach(talk, ENHANCE_YOUR_CALM, "enhance_your_calm")


def test_an_empty_block_of_empty_frames_is_malformed() -> None:
    talk = opened()
    talk.request()
    talk.feed(frame(1, 0, 1, b""), frame(9, 4, 1, b""))
    assert_stream_error(talk, PROTOCOL_ERROR, "missing_status_header")
