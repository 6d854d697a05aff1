"""Rules about frames and messages as tables: each holds for every frame type, stream state and direction."""

import enum
import itertools

import pytest

from mint._core.events import Done, Failed, Headers, Informational, PushPromise
from tests.http2_driver import (
    CANCEL,
    ENHANCE_YOUR_CALM,
    FRAME_SIZE_ERROR,
    GOAWAY,
    HEADERS,
    MAYBE,
    NO,
    OK,
    PADDED,
    PRIORITY,
    PRIORITY_FLAG,
    PROMISED,
    PROTOCOL_ERROR,
    PUSH_PROMISE,
    YES,
    Conversation,
    Fields,
    ack,
    assert_breach,
    assert_stream_error,
    data,
    frame,
    goaway,
    opened,
    ping,
    pushing,
    ref,
    reset,
    resets,
    settings,
    window_update,
    with_request,
)

MOST = 2**31 - 1


@pytest.mark.rfc("9113-6.2-b")
@pytest.mark.parametrize("kind", [HEADERS, HEADERS | PRIORITY_FLAG << 8, PUSH_PROMISE])
@pytest.mark.parametrize("length", range(1, 14))
@pytest.mark.parametrize("padding", [0, 1, 4, 5, 8, 9, 13, 255])
def test_padding_must_leave_room_for_the_fields_before_the_fragment(
    kind: int, length: int, padding: int
) -> None:
    """A frame too short for its fields is a FRAME_SIZE_ERROR; too much padding is a PROTOCOL_ERROR."""
    talk = pushing()
    kind, flags = kind & 255, kind >> 8 | PADDED | 4
    fixed = 1 + (4 if kind == PUSH_PROMISE else 5 if flags & PRIORITY_FLAG else 0)
    payload = bytes([padding]) + (b"\0\0\0\x04" + bytes(20))[: length - 1]
    talk.feed(frame(kind, flags, 1, payload.ljust(length, b"\0")))
    if length < fixed:
        assert_breach(talk, FRAME_SIZE_ERROR, "frame_size_error")
    elif padding > length - fixed:
        assert_breach(talk, PROTOCOL_ERROR, "protocol_error")
    else:
        assert [fault.reason for fault in talk.faults] in ([], ["compression_error"])


@pytest.mark.rfc("9113-6.3-a")
@pytest.mark.parametrize("length", [0, 4, 6])
@pytest.mark.parametrize("how", ["answered", "reset by the server", "refused"])
def test_a_priority_frame_of_a_wrong_size_on_a_closed_stream_is_answered(length: int, how: str) -> None:
    talk = with_request()
    if how == "answered":
        talk.feed(talk.server.answer(1, b"x"))
    elif how == "refused":
        talk.feed(goaway(0))
        talk = with_request()
        talk.request()
        talk.feed(goaway(1))
    else:
        talk.feed(reset(1))
    number = 3 if how == "refused" else 1
    talk.drop()
    talk.feed(frame(PRIORITY, 0, number, bytes(length)))
    assert resets(talk) == [(number, FRAME_SIZE_ERROR)]
    assert not talk.closed


@pytest.mark.parametrize("value", ["trailers", "gzip", ""])
@pytest.mark.parametrize("where", ["head", "interim", "trailers", "head of a push"])
def test_a_response_has_no_te_field(value: str, where: str) -> None:
    """RFC 9113 8.2.2: only a request may have it."""
    talk = pushing()
    fields: Fields = [("te", value)]
    if where == "trailers":
        talk.feed(talk.server.headers(1, OK))
    talk.drop()
    number = 2 if where == "head of a push" else 1
    status = [] if where == "trailers" else [(":status", "103" if where == "interim" else "200")]
    talk.feed(talk.server.headers(number, [*status, *fields], end=where == "trailers"))
    assert_stream_error(talk, PROTOCOL_ERROR, "malformed_response", number)


@pytest.mark.parametrize(("value", "good"), [("trailers", True), ("Trailers", True), ("gzip", False)])
def test_a_promised_request_may_have_te_trailers(value: str, good: bool) -> None:
    talk = opened(mine=(("enable_push", 1),))
    talk.request()
    talk.feed(talk.server.promise(1, 2, [*PROMISED, ("te", value)]))
    assert resets(talk) == ([] if good else [(2, PROTOCOL_ERROR)])


@pytest.mark.rfc("9113-8.4-b")
@pytest.mark.parametrize(
    ("scheme", "written", "good"),
    [
        ("https", "example.org", True),
        ("https", "EXAMPLE.org", True),
        ("https", "example.org:443", True),
        ("https", "Example.Org:0443", True),
        ("https", "example.org:", True),
        ("HTTPS", "example.org", True),
        ("https", "example.org:80", False),
        ("https", "example.org:8443", False),
        ("https", "example.org:" + "9" * 5_000, False),
        ("https", "user@example.org", False),
        ("https", "example.org.", False),
        ("https", "", False),
        ("http", "example.org", False),
    ],
)
def test_a_push_must_be_for_the_same_origin(scheme: str, written: str, good: bool) -> None:
    talk = opened(mine=(("enable_push", 1),))
    talk.request()
    fields = [(":method", "GET"), (":scheme", scheme), (":authority", written), (":path", "/")]
    talk.feed(talk.server.promise(1, 2, fields))
    assert resets(talk) == ([] if good else [(2, PROTOCOL_ERROR)])
    assert [type(event) for event in talk.events] == ([PushPromise] if good else [])


@pytest.mark.parametrize("status", ["100", "102", "103", "199"])
def test_an_interim_head_opens_a_push(status: str) -> None:
    """RFC 9113 5.1: HEADERS move a reserved stream to half-closed (local), whatever the status."""
    talk = pushing()
    talk.feed(talk.server.headers(2, [(":status", status)]), window_update(2, 5))
    talk.feed(talk.server.headers(2, [(":status", "103")]), talk.server.answer(2, b"x"))
    assert Done(ref(2)) in talk.events
    assert [type(event) for event in talk.events[:2]] == [Informational, Informational]
    talk.feed(talk.server.answer(1, b"y"))
    assert Done(ref(1)) in talk.events


@pytest.mark.rfc("9113-6.9.2-c")
@pytest.mark.parametrize("how", ["cancelled", "answered", "reset by the server"])
def test_closed_streams_have_no_window_to_overflow(how: str) -> None:
    talk = opened()
    one = talk.request("POST", "/", [], None, True)
    talk.feed(window_update(1, MOST - 65_535))
    if how == "cancelled":
        talk.take(talk.state.cancel(one))
    elif how == "answered":
        talk.feed(talk.server.answer(1, b"x"))
    else:
        talk.feed(reset(1))
    talk.feed(settings((4, 70_000)))
    assert not talk.closed
    two = talk.request("POST", "/", [], None, True)
    talk.feed(window_update(two.number, MOST - 70_000), settings((4, 70_001)))
    assert talk.closed


@pytest.mark.parametrize("how", ["cancelled", "answered", "reset by the server", "pushed"])
def test_an_enlarged_window_counts_while_its_stream_is_open(how: str) -> None:
    talk = pushing() if how == "pushed" else opened()
    one = ref(2) if how == "pushed" else talk.request()
    talk.take(talk.state.set_receive_window(one, 8_000_000))
    with pytest.raises(ValueError, match="above"):
        talk.state.put_settings((("initial_window_size", MOST),))
    if how == "cancelled":
        talk.take(talk.state.cancel(one))
    elif how == "reset by the server":
        talk.feed(reset(one.number))
    else:
        talk.feed(talk.server.answer(one.number, b"x"))
    assert talk.state.put_settings((("initial_window_size", MOST),)).fault is None


@pytest.mark.parametrize("identifier", [1, 4, 5])
def test_a_size_setting_is_never_unlimited(identifier: int) -> None:
    talk = opened((1, 2**32 - 1), (3, 2**32 - 1), (6, 2**32 - 1))
    assert talk.state.server_setting("header_table_size") == 2**32 - 1
    assert talk.state.server_setting("max_concurrent_streams") is None
    assert talk.state.server_setting("max_header_list_size") is None
    assert identifier


class Name(enum.StrEnum):
    """Field names as members of an enumeration, which are strings."""

    TE = "te"
    LENGTH = "Content-Length"
    BAD = "a b"
    PSEUDO = ":path"


@pytest.mark.parametrize("name", list(Name))
def test_names_of_an_enumeration_are_refused_as_text_is(name: Name) -> None:
    talk = opened()
    one = talk.request("POST", "/", [], None, True)
    fault = talk.state.end_body(one, [(name, "x")]).fault
    assert fault is not None
    assert fault == talk.state.end_body(one, [(str(name), "x")]).fault


@pytest.mark.parametrize("kind", range(11))
def test_the_first_frame_is_named_as_what_it_is(kind: int) -> None:
    talk = Conversation(opened().state.open(with_request().state.config).state)
    talk.feed(frame(kind, 1, 0 if kind in {4, 6, 10} else 1, b"12345678" if kind == 6 else b""))
    assert talk.closed
    if kind == 4:
        assert talk.faults[-1].value == "the first frame is an acknowledgement of SETTINGS, not SETTINGS"
    assert "is SETTINGS, not SETTINGS" not in talk.faults[-1].value


BREACHES = {
    "DATA on stream 0": data(0),
    "an idle stream": data(99, b"x"),
    "padding": data(1, b"x")[:3] + b"\0\x08" + data(1, b"x")[5:],
    "a window": window_update(0, 0),
    "a size": frame(6, 0, 0, b"x"),
    "HPACK": frame(1, 4, 1, b"\xff\xff\xff\xff\xff\xff"),
}


@pytest.mark.parametrize("name", BREACHES)
@pytest.mark.parametrize("code", [2, ENHANCE_YOUR_CALM])
def test_the_error_of_a_goaway_is_the_cause_of_a_following_breach(name: str, code: int) -> None:
    """In one read the error of the GOAWAY is kept as the cause; in two reads both errors are reported."""
    state = with_request().state
    octets = goaway(1, code, b"too many") + BREACHES[name]
    whole = state.feed(octets)
    assert whole.cause is not None
    assert (whole.cause.reason, whole.cause.code) == ("server_closed_connection", code)
    for cut in range(len(octets)):
        first = state.feed(octets[:cut])
        then = first.state.feed(octets[cut:])
        assert (then.fault or first.fault) == whole.fault
        assert whole.cause in (first.fault, first.cause, then.cause)


@pytest.mark.rfc("9113-6.8-b")
@pytest.mark.parametrize(
    ("last", "answered", "processed"),
    [(0, (), NO), (3, (), MAYBE), (1, (1,), NO), (1, (), MAYBE), (MOST, (1, 3, 5), NO), (0, (5,), MAYBE)],
)
def test_the_error_of_a_goaway_says_whether_any_request_was_processed(
    last: int, answered: tuple[int, ...], processed: int
) -> None:
    """The error is NO only if no request is left that the server may have processed."""
    talk = opened()
    for _ in range(3):
        talk.request()
    for number in answered:
        if number > last:
            talk.feed(talk.server.headers(number, OK))
        else:
            talk.feed(talk.server.answer(number, b"x"))
    talk.drop()
    talk.feed(goaway(last, ENHANCE_YOUR_CALM))
    assert talk.faults[0].processed == processed
    failed = [event.fault.processed for event in talk.events if isinstance(event, Failed)]
    assert failed == [YES if 2 * i + 1 in answered else NO for i in range((last + 1) // 2, 3)]


def test_a_goaway_instead_of_settings_says_what_was_not_processed() -> None:
    for last, processed in ((0, NO), (MOST, MAYBE)):
        talk = Conversation(opened().state.open(with_request().state.config).state)
        talk.request()
        talk.feed(goaway(last, 0))
        assert talk.faults[0].processed == processed
        assert talk.closed


def test_goaways_with_decreasing_ids_fail_each_request_once() -> None:
    talk = opened()
    for _ in range(50):
        talk.request()
    for last in (MOST, 80, 81, 79, 41, 40, 99, 3, 0, 0):
        talk.feed(goaway(last))
    failed = [event.ref.number for event in talk.events if isinstance(event, Failed)]
    assert sorted(failed) == list(range(1, 100, 2))
    assert talk.closed
    assert talk.sent[-1].kind == GOAWAY


def test_cookie_fields_of_responses_are_not_joined() -> None:
    """The size of the fields of a response is in proportion to its input."""
    talk = opened()
    crumb = ("cookie", "v" * 3_000)
    total = came = 0
    for number in range(1, 401, 2):
        talk.request()
        octets = talk.server.headers(number, [*OK, *[crumb] * 60], end=True)
        came += len(octets)
        talk.feed(octets)
    values = {
        id(value): value for event in talk.events if isinstance(event, Headers) for _, value in event.headers
    }
    total = sum(map(len, values.values()))
    assert total < 2 * came


def test_joined_cookies_of_promises_are_in_proportion_to_the_input() -> None:
    talk = opened(mine=(("enable_push", 1), ("max_concurrent_streams", 100_000)), max_reserved=100_000)
    talk.request()
    talk.feed(talk.server.headers(1, OK))
    crumb = ("cookie", "v" * 1_800)
    made = came = 0
    for promised in range(2, 4_000, 2):
        octets = talk.server.promise(1, promised, [*PROMISED, *[crumb] * 60])
        came += len(octets)
        talk.feed(octets)
        made += sum(len(value) for event in talk.events for _, value in getattr(event, "headers", ()))
        talk.drop()
        talk.state = talk.state.flushed()
        if talk.closed:
            break
    assert made < 65_536 + 128 * came
    # A server that sends what it promised may promise cookies again.
    honest = opened(mine=(("enable_push", 1),))
    honest.request()
    honest.feed(honest.server.headers(1, OK))
    for promised in range(2, 4_000, 2):
        honest.feed(honest.server.promise(1, promised, [*PROMISED, crumb, ("cookie", "a=b")]))
        honest.feed(honest.server.answer(promised, b"x" * 500))
        honest.state = honest.state.flushed()
    assert resets(honest) == []
    assert sum(isinstance(event, PushPromise) for event in honest.events) == 1_999


def test_only_cookies_count_as_joined() -> None:
    talk = opened(mine=(("enable_push", 1),))
    talk.request()
    talk.feed(talk.server.headers(1, OK))
    other = [("x-other", "v" * 1_800)] * 130
    talk.feed(talk.server.promise(1, 2, [*PROMISED, *other, ("cookie", "a=b"), ("cookie", "c=d")]))
    assert resets(talk) == []
    (made,) = [event for event in talk.events if isinstance(event, PushPromise)]
    assert made.headers == (*PROMISED, *other, ("cookie", "a=b; c=d"))


def test_late_window_updates_and_acknowledgements_are_ignored() -> None:
    talk = with_request()
    talk.take(talk.state.cancel(ref(1)))
    for each in itertools.repeat(window_update(1, 5), 3):
        talk.feed(each, ack(), ping(flags=1))
    assert not talk.closed
    assert resets(talk) == [(1, CANCEL)]
