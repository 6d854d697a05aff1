"""The rules of RFC 9113, sections 8 to 10, in rows.txt: messages, pushes, tunnels, and limits."""

import pytest

from mint._core.events import Data, Failed, Headers, Informational, PushPromise, Trailers
from mint._core.http2 import State
from tests.http2_driver import (
    ENHANCE_YOUR_CALM,
    NO_ERROR,
    OK,
    PROMISED,
    PROTOCOL_ERROR,
    PUSH_PROMISE,
    REFUSED_STREAM,
    YES,
    Conversation,
    Fields,
    Server,
    ack,
    assert_breach,
    assert_refused,
    assert_stream_error,
    config,
    data,
    failure,
    frame,
    frames_of,
    kinds,
    opened,
    ping,
    ref,
    reset,
    resets,
    settings,
    window_update,
    with_request,
)
from tests.refs import ref_of


def pushing(**limits: int) -> Conversation:
    talk = opened(mine=(("enable_push", 1),), **limits)
    talk.request()
    talk.drop()
    return talk


def malformed(talk: Conversation, *octets: bytes) -> None:
    """Assert that these octets make the response malformed, which resets its stream."""
    talk.feed(*octets)
    fault = assert_stream_error(talk, PROTOCOL_ERROR, "malformed_response")
    assert fault.code == PROTOCOL_ERROR


@pytest.mark.rfc("9113-8.1-a")
def test_a_message_is_headers_content_and_optional_trailers() -> None:
    talk = opened()
    one = talk.request("POST", "/", [], None, True)
    talk.take(talk.state.stream_body(one, b"a"))
    talk.take(talk.state.stream_body(one, b"b"))
    talk.take(talk.state.end_body(one, [("t", "1")]))
    assert [(f.kind, f.flags) for f in talk.sent] == [(1, 4), (0, 0), (0, 0), (1, 5)]
    again = talk.state.end_body(one, [("t", "1")])
    assert_refused(talk.state, again)


@pytest.mark.rfc("9113-8.1-b")
def test_trailers_hold_no_pseudo_headers() -> None:
    talk = with_request()
    malformed(talk, talk.server.answer(1, b"x", trailers=[(":status", "200")]))
    mine = opened()
    one = mine.request("POST", "/", [], None, True)
    refused = mine.state.end_body(one, [(":path", "/")])
    assert_refused(mine.state, refused)


@pytest.mark.rfc("9113-8.1-c")
def test_headers_after_the_head_end_the_stream() -> None:
    talk = with_request()
    malformed(talk, talk.server.headers(1, OK), talk.server.headers(1, [("t", "1")]))
    other = with_request()
    other.feed(other.server.headers(1, OK), other.server.headers(1, [(":status", "103")]))
    assert_stream_error(other, PROTOCOL_ERROR, "malformed_response")


@pytest.mark.rfc("9113-8.1-d")
def test_an_interim_response_never_ends_the_stream() -> None:
    talk = with_request()
    malformed(talk, talk.server.headers(1, [(":status", "103")], end=True))


@pytest.mark.rfc("9113-8.1-e")
def test_an_early_response_is_kept() -> None:
    talk = opened()
    one = talk.request("POST", "/", [], None, True)
    talk.feed(talk.server.answer(1, b"no", status=413), reset(1, NO_ERROR))
    assert kinds(talk.events) == ["status:1", "headers:1", "data:1", "done:1"]
    assert resets(talk) == [(1, NO_ERROR)]
    step = talk.state.stream_body(one, b"more")
    assert_refused(talk.state, step)
    assert step.fault is not None
    assert step.fault.reason == "unknown_request_to_stream"


@pytest.mark.rfc("9113-8.1.1-a")
def test_a_malformed_response_is_not_delivered() -> None:
    talk = with_request()
    talk.feed(talk.server.headers(1, [*OK, ("Upper", "x")], end=True))
    assert kinds(talk.events) == ["failed:1"]
    assert failure(talk).reason == "malformed_response"


@pytest.mark.rfc("9113-8.1.1-b")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("declared", "content", "good"),
    [("5", b"hello", True), ("5", b"hell", False), ("5", b"hello!", False), ("0", b"x", False),
     ("5", b"", False), ("0", b"", True), ("5, 5", b"hello", True)],
)  # fmt: skip
def test_content_length_agrees_with_the_content(
    method: str, declared: str, content: bytes, good: bool
) -> None:
    talk = with_request(method)
    talk.feed(talk.server.headers(1, [*OK, ("content-length", declared)]))
    for octet in content:
        talk.feed(data(1, bytes([octet])))
    if resets(talk) == []:
        talk.feed(data(1, b"", end=True))
    if method == "HEAD":
        good = not content
    assert kinds(talk.events)[-1] == ("done:1" if good else "failed:1")
    assert resets(talk) == ([] if good else [(1, PROTOCOL_ERROR)])


@pytest.mark.rfc("9113-8.1.1-b")
@pytest.mark.parametrize("status", [204, 304])
def test_these_never_have_content(status: int) -> None:
    talk = with_request()
    talk.feed(talk.server.answer(1, fields=[("content-length", "9")], status=status))
    assert kinds(talk.events)[-1] == "done:1"
    other = with_request()
    other.feed(other.server.answer(1, b"x", status=status))
    assert kinds(other.events)[-1] == "failed:1"


@pytest.mark.rfc("9113-8.1.1-b")
@pytest.mark.parametrize("value", ["", "-1", "+5", "5 5", "5,6", "0x5", "1" * 19, "5,", "\u00b2"])
def test_a_content_length_that_is_no_number(value: str) -> None:
    talk = with_request()
    malformed(talk, talk.server.headers(1, [*OK, ("content-length", value)]))


@pytest.mark.rfc("9113-8.2-a")
def test_names_are_sent_in_lower_case() -> None:
    talk = opened()
    talk.request("GET", "/", [("X-MiXeD", "Value")])
    assert ("x-mixed", "Value") in talk.fields()


BAD_NAMES = ["", " ", "a b", "a\0", "a:b", "\x7f", "\xe9", "a\r\nb", "a\tb", "(", "\u0130"]


@pytest.mark.rfc("9113-8.2.1-a")
@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_are_tokens(name: str) -> None:
    assert opened().refuse("GET", "/", [(name, "x")]).reason == "invalid_header_name"


@pytest.mark.rfc("9113-8.2.1-a")
@pytest.mark.parametrize("octet", [*range(0x21), *range(0x41, 0x5B), *range(0x7F, 0x100), 0x3A])
def test_received_names_are_lower_case_tokens(octet: int) -> None:
    talk = with_request()
    raw = b"\x88\x00\x02a" + bytes([octet]) + b"\x01b"
    malformed(talk, frame(1, 5, 1, raw))


@pytest.mark.rfc("9113-8.2.1-b")
@pytest.mark.parametrize(
    "value", ["a\0b", "a\rb", "a\nb", " a", "a ", "\ta", "a\t", "\r\n", "\u0130", "\x7f"]
)
def test_values_have_no_controls_and_no_outer_whitespace(value: str) -> None:
    assert opened().refuse("GET", "/", [("a", value)]).reason == "invalid_header_value"
    if value != "\u0130":
        talk = with_request()
        malformed(talk, talk.server.headers(1, [*OK, ("a", value)]))


@pytest.mark.rfc("9113-8.2.1-b")
def test_values_may_have_latin1_and_inner_whitespace() -> None:
    talk = opened()
    talk.request("GET", "/", [("a", "caf\xe9 \t x"), ("b", "")])
    assert talk.sent
    raw = b"\x88\x00\x01a\x03\xe9 x"
    talk.feed(frame(1, 5, 1, raw))
    assert talk.events[1] == Headers(ref(1), (("a", "\xe9 x"),))


CONNECTION_SPECIFIC = ["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"]


@pytest.mark.rfc("9113-8.2.2-a")
@pytest.mark.parametrize("name", CONNECTION_SPECIFIC)
def test_connection_specific_fields_are_not_sent(name: str) -> None:
    fault = opened().refuse("GET", "/", [(name.title(), "x")])
    assert (fault.reason, fault.name) == ("connection_specific_header", name)


@pytest.mark.rfc("9113-8.2.2-b")
@pytest.mark.parametrize("name", CONNECTION_SPECIFIC)
def test_connection_specific_fields_are_malformed(name: str) -> None:
    talk = with_request()
    malformed(talk, talk.server.headers(1, [*OK, (name, "x")]))
    other = with_request()
    malformed(other, other.server.answer(1, b"x", trailers=[(name, "x")]))


@pytest.mark.rfc("9113-8.2.2-c")
def test_te_may_only_be_trailers() -> None:
    talk = opened()
    assert talk.refuse("GET", "/", [("te", "gzip")]).name == "te"
    assert talk.refuse("GET", "/", [("te", "trailers, gzip")]).name == "te"
    talk.request("GET", "/", [("TE", "trailers")])
    assert ("te", "trailers") in talk.fields()


@pytest.mark.rfc("9113-8.2.3-a")
def test_cookie_crumbs_of_promises_are_joined_and_all_are_counted() -> None:
    talk = with_request()
    talk.feed(talk.server.headers(1, [*OK, ("a", "1"), ("cookie", "x=1"), ("b", "2"), ("cookie", "y=2")]))
    # Only requests have cookie crumbs; such fields of a response are not joined.
    assert talk.events[1] == Headers(ref(1), (("a", "1"), ("cookie", "x=1"), ("b", "2"), ("cookie", "y=2")))
    promising = opened(mine=(("enable_push", 1),))
    promising.request()
    crumbs = [("cookie", "x=1"), ("b", "2"), ("cookie", "y=2")]
    promising.feed(promising.server.promise(1, 2, [*PROMISED, *crumbs]))
    assert promising.events == [PushPromise(ref(1), ref(2), (*PROMISED, ("cookie", "x=1; y=2"), ("b", "2")))]
    many = opened(max_fields=100)
    many.request()
    many.feed(many.server.headers(1, [*OK, *[("cookie", "")] * 100]))
    assert_breach(many, ENHANCE_YOUR_CALM, "too_many_headers")


@pytest.mark.rfc("9113-8.3-a")
@pytest.mark.parametrize("name", [":path", ":method", ":foo", ":", ":protocol"])
def test_only_defined_pseudo_headers(name: str) -> None:
    talk = with_request()
    malformed(talk, talk.server.headers(1, [*OK, (name, "x")]))
    if name != ":protocol":
        assert opened().refuse("GET", "/", [(name, "x")]).reason == "invalid_pseudo_header"


@pytest.mark.rfc("9113-8.3-b")
def test_pseudo_headers_come_first_and_once() -> None:
    late = with_request()
    malformed(late, late.server.headers(1, [("a", "b"), *OK]))
    twice = with_request()
    malformed(twice, twice.server.headers(1, [*OK, *OK]))
    talk = opened()
    talk.request("GET", "/", [("a", "b")])
    names = [name for name, _ in talk.fields()]
    assert names[:4] == [":method", ":scheme", ":path", ":authority"]
    fault = talk.refuse("CONNECT", "/", [(":protocol", "a"), (":protocol", "b")])
    assert fault.reason == "invalid_pseudo_header"


@pytest.mark.rfc("9113-8.3.1-a")
def test_host_becomes_authority() -> None:
    talk = opened()
    talk.request("GET", "/", [("Host", "other.example:8443")])
    fields = talk.fields()
    assert (":authority", "other.example:8443") in fields
    assert not [name for name, _ in fields if name == "host"]
    assert talk.refuse("GET", "/", [("host", "a"), ("host", "a")]).reason == "invalid_request_framing"
    assert talk.refuse("CONNECT", "a.example:1", [("host", "b")]).reason == "invalid_header_value"


@pytest.mark.rfc("9113-8.3.1-b")
@pytest.mark.parametrize("host", ["user@a.example", "a/b", "", "a?b", "a#b", "a b", "a,b"])
def test_authority_is_host_and_port_only(host: str) -> None:
    assert opened().refuse("GET", "/", [("host", host)]).reason == "invalid_header_value"


@pytest.mark.rfc("9113-8.3.1-c")
@pytest.mark.parametrize("target", ["", "x", "http://a/b", "/a b", "/a#b", "/\r\n", "/%zz", "*", "/\u0130"])
def test_path_begins_with_a_slash(target: str) -> None:
    assert opened().refuse("GET", target).reason == "invalid_request_target"


@pytest.mark.rfc("9113-8.3.1-c")
def test_options_may_ask_for_the_server_itself() -> None:
    talk = opened()
    talk.request("OPTIONS", "*")
    assert (":path", "*") in talk.fields()


@pytest.mark.rfc("9113-8.3.1-d")
@pytest.mark.parametrize("method", ["GET", "POST", "WEIRD!", "connect"])
def test_each_request_has_method_scheme_and_path_once(method: str) -> None:
    talk = opened()
    talk.request(method, "/x")
    names = [name for name, _ in talk.fields() if name[0] == ":"]
    assert names == [":method", ":scheme", ":path", ":authority"]
    for bad in ("", "G T", "GET\r\n", "\u0130"):
        assert talk.refuse(bad, "/").reason == "invalid_request_method"


@pytest.mark.rfc("9113-8.3.2-a")
@pytest.mark.parametrize("status", ["", "20", "0200", "+20", "1000", "2 0", "abc", "099", "-20", "\u0662"])
def test_status_has_three_digits(status: str) -> None:
    talk = with_request()
    malformed(talk, talk.server.headers(1, [(":status", status)]))


@pytest.mark.rfc("9110-15-b")
@pytest.mark.parametrize("status", [600, 999])
def test_statuses_above_599_are_passed_on(status: int) -> None:
    talk = with_request()
    talk.feed(talk.server.answer(1, status=status))
    assert kinds(talk.events)[-1] == "done:1"


@pytest.mark.rfc("9113-8.3.2-a")
@pytest.mark.parametrize("fields", [[], [("a", "b")]])
def test_a_response_has_a_status(fields: Fields) -> None:
    talk = with_request()
    talk.feed(talk.server.headers(1, fields, end=True))
    assert_stream_error(talk, PROTOCOL_ERROR, "missing_status_header")


@pytest.mark.rfc("9113-8.3.2-b")
def test_101_is_malformed() -> None:
    talk = with_request()
    malformed(talk, talk.server.headers(1, [(":status", "101")]))


@pytest.mark.rfc("9113-8.4-a")
@pytest.mark.parametrize("change", [(":method", "POST"), (":method", "CONNECT"), ("content-length", "5")])
def test_promises_of_unsafe_requests_are_refused(change: tuple[str, str]) -> None:
    talk = pushing()
    fields = [pair for pair in PROMISED if pair[0] != change[0]]
    fields.insert(0 if change[0][0] == ":" else len(fields), change)
    talk.feed(talk.server.promise(1, 2, fields))
    assert resets(talk) == [(2, PROTOCOL_ERROR)]
    assert talk.events == []
    talk.feed(talk.server.headers(2, OK), data(2, b"x", end=True))
    assert talk.events == []
    assert resets(talk) == [(2, PROTOCOL_ERROR)]


@pytest.mark.rfc("9113-8.4-b")
@pytest.mark.parametrize("change", [(":authority", "evil.example"), (":scheme", "http")])
def test_promises_for_another_origin_are_refused(change: tuple[str, str]) -> None:
    talk = pushing()
    talk.feed(talk.server.promise(1, 2, [change if pair[0] == change[0] else pair for pair in PROMISED]))
    assert resets(talk) == [(2, PROTOCOL_ERROR)]
    assert talk.events == []


@pytest.mark.rfc("9113-8.4.1-a")
@pytest.mark.parametrize(
    "fields",
    [
        PROMISED[1:], PROMISED[:1] + PROMISED[2:], PROMISED[:2] + PROMISED[3:], PROMISED[:3],
        [*PROMISED, (":path", "/q")], [*PROMISED, ("a", "b"), (":x", "y")], [*PROMISED, ("A", "b")],
        [*PROMISED, (":status", "200")], [*PROMISED, ("connection", "x")], [],
    ],
)  # fmt: skip
def test_incomplete_promises_are_refused(fields: Fields) -> None:
    talk = pushing()
    talk.feed(talk.server.promise(1, 2, fields))
    assert resets(talk) == [(2, PROTOCOL_ERROR)]
    talk.feed(talk.server.promise(1, 4, PROMISED))
    assert talk.events == [PushPromise(ref(1), ref(4), tuple(PROMISED))]


@pytest.mark.rfc("9113-8.4.1-b")
def test_the_client_never_promises() -> None:
    talk = opened()
    one = talk.request("POST", "/", [("x", "\x7e" * 30_000)], None, True)
    talk.take(talk.state.end_body(one, [("t", "1")]))
    assert PUSH_PROMISE not in {f.kind for f in talk.sent}


@pytest.mark.rfc("9113-8.5-a")
def test_connect_has_method_and_authority_only() -> None:
    talk = opened()
    talk.request("CONNECT", "a.example:443", [("x", "y")], None, True)
    assert talk.fields() == [
        (":method", "CONNECT"), (":authority", "a.example:443"), ("user-agent", "mint/test"), ("x", "y"),
    ]  # fmt: skip
    for target in ("/", "a.example", "http://a.example:1", "u@a.example:1", ""):
        assert talk.refuse("CONNECT", target).reason == "invalid_request_target"


@pytest.mark.rfc("9113-8.5-b")
def test_a_tunnel_carries_no_headers() -> None:
    talk = opened()
    one = talk.request("CONNECT", "a.example:443", [], None, True)
    talk.feed(talk.server.headers(1, OK), data(1, b"x"))
    refused = talk.state.end_body(one, [("t", "1")])
    assert_refused(talk.state, refused)
    talk.feed(talk.server.headers(1, [("t", "1")], end=True))
    assert_stream_error(talk, PROTOCOL_ERROR, "malformed_response")


@pytest.mark.rfc("9113-8.5-c")
def test_content_length_does_not_delimit_a_tunnel() -> None:
    talk = opened()
    talk.request("CONNECT", "a.example:443", [], None, True)
    talk.feed(talk.server.headers(1, [*OK, ("content-length", "1")]), data(1, b"more than one", end=True))
    assert talk.events[2] == Data(ref(1), b"more than one")
    assert kinds(talk.events)[-1] == "done:1"


@pytest.mark.rfc("9113-8.7-b")
def test_pings_test_an_idle_connection() -> None:
    talk = opened()
    step = talk.take(talk.state.ping(b"01234567"))
    assert step.ref is not None
    talk.feed(ping(b"01234567", 1))
    assert kinds(talk.events) == ["pong:-1"]


@pytest.mark.rfc("9113-8.8-a")
def test_end_stream_on_headers_is_an_empty_body() -> None:
    talk = with_request()
    talk.feed(talk.server.headers(1, OK, end=True))
    assert kinds(talk.events) == ["status:1", "headers:1", "done:1"]


@pytest.mark.rfc("9113-10.5-a")
@pytest.mark.parametrize(
    "flood",
    [
        settings(), ping(), ping(flags=1), frame(2, 0, 1, b"\0\0\0\0\1"), data(1), window_update(0, 1),
        window_update(1, 1), ack(), frame(0xBB, 0, 0, b""), reset(3),
    ],
)  # fmt: skip
def test_floods_of_useless_frames_end_the_connection(flood: bytes) -> None:
    talk = opened(max_glitches=500, max_unsent_acks=100_000)
    talk.request()
    talk.request()
    talk.feed(talk.server.headers(1, OK), talk.server.answer(3, b"x"))
    talk.feed(flood * 260)
    talk.state = talk.state.at(0)
    for _ in range(290):
        talk.feed(flood)
    fault = assert_breach(talk, ENHANCE_YOUR_CALM, "enhance_your_calm")
    assert fault.name == "max_glitches"
    useful = opened(max_glitches=500, max_unsent_acks=100_000)
    useful.request()
    useful.feed(useful.server.headers(1, OK))
    for _ in range(550):
        useful.state = useful.state.at(0)
        useful.feed(data(1, b"x" * 3000))
        useful.feed(flood if flood != reset(3) else ping())
    assert not useful.closed


@pytest.mark.rfc("9113-10.5-a")
def test_floods_of_resets_end_the_connection() -> None:
    """Only resets of pushes are limited: the number of those of requests depends on the caller."""
    talk = pushing(max_resets=20)
    for number in range(40):
        talk.request()
        talk.feed(reset(2 * number + 1))
    one = talk.request()
    for number in range(2, 42, 2):
        talk.feed(talk.server.promise(one.number, number, PROMISED), reset(number))
    assert not talk.closed
    talk.feed(talk.server.promise(one.number, 42, PROMISED), reset(42))
    fault = assert_breach(talk, ENHANCE_YOUR_CALM, "enhance_your_calm")
    assert fault.name == "max_resets"


@pytest.mark.rfc("9113-10.5-a")
def test_interim_responses_are_limited() -> None:
    talk = opened(max_informational=3)
    talk.request()
    for _ in range(3):
        talk.feed(talk.server.headers(1, [(":status", "103")]))
    assert talk.events == [Informational(ref(1), 103, ())] * 3
    talk.feed(talk.server.headers(1, [(":status", "103")]))
    fault = assert_stream_error(talk, ENHANCE_YOUR_CALM, "too_many_informational")
    assert (fault.limit, fault.processed) == (3, YES)
    large = opened(max_informational_size=100)
    large.request()
    large.feed(large.server.headers(1, [(":status", "103"), ("a", "b" * 100)]))
    assert_stream_error(large, ENHANCE_YOUR_CALM, "too_many_informational")


@pytest.mark.rfc("9113-10.5-a")
def test_trailers_have_separate_limits() -> None:
    many = opened(max_trailer_fields=5)
    many.request()
    many.feed(many.server.answer(1, b"x", trailers=[("a", "b")] * 6))
    assert_stream_error(many, ENHANCE_YOUR_CALM, "too_many_headers")
    large = opened(max_trailer_size=100)
    large.request()
    large.feed(large.server.answer(1, b"x", trailers=[("a", "b" * 100)]))
    assert_stream_error(large, ENHANCE_YOUR_CALM, "max_header_list_size_exceeded")
    fits = opened(max_trailer_size=133, max_trailer_fields=1)
    fits.request()
    fits.feed(fits.server.answer(1, b"x", trailers=[("a", "b" * 100)]))
    assert fits.events[-2] == Trailers(ref(1), (("a", "b" * 100),))


@pytest.mark.rfc("9113-10.5-b")
def test_reserved_streams_are_limited() -> None:
    talk = pushing(max_reserved=2)
    for promised in (2, 4, 6):
        talk.feed(talk.server.promise(1, promised, PROMISED))
    assert resets(talk) == [(6, REFUSED_STREAM)]
    talk.feed(talk.server.answer(2, b"x"), talk.server.promise(1, 8, PROMISED))
    assert kinds(talk.events)[-1] == "pushpromise:1"


@pytest.mark.rfc("9113-10.5.1-a")
def test_a_block_beyond_the_limit_ends_the_connection() -> None:
    talk = opened(max_fields=10)
    talk.request()
    talk.request()
    talk.feed(talk.server.headers(1, [*OK, *[("a", "b")] * 50]), talk.server.answer(3, b"x"))
    assert [ref_of(event).number for event in talk.events] == [1, 3]
    assert all(isinstance(event, Failed) for event in talk.events)
    assert_breach(talk, ENHANCE_YOUR_CALM, "too_many_headers")


@pytest.mark.rfc("9113-10.5.2-a")
def test_tunnels_count_as_requests() -> None:
    talk = opened((3, 1))
    talk.request("CONNECT", "a.example:1", [], None, True)
    talk.feed(talk.server.headers(1, OK), data(1, b"x", end=True))
    assert talk.state.open_request_count == 0
    assert talk.refuse().reason == "too_many_concurrent_requests"
    talk.take(talk.state.end_body(ref(1), ()))
    talk.request()


@pytest.mark.rfc("9113-10.6-a")
@pytest.mark.parametrize(
    "name", ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"]
)
def test_secrets_are_never_indexed(name: str) -> None:
    state = State.open(config((), frozenset({"x-api-key"}))).state
    first = state.request("GET", "/", [(name, "secret")], None, False)
    second = first.state.request("GET", "/", [(name, "secret")], None, False)
    decoder = Server().decoder
    for step in (first, second):
        fields = decoder.decode(frames_of(step.output)[0].payload, raw=True)
        kinds_of = [type(pair).__name__ for pair in fields if pair[0] == name.encode()]
        assert kinds_of == ["NeverIndexedHeaderTuple"]


@pytest.mark.rfc("9113-10.8-a")
def test_the_announced_settings_can_be_chosen() -> None:
    made = State.open(config((("max_frame_size", 32_768), ("enable_push", 0)), connection_window_size=65_535))
    (only,) = frames_of(made.output)
    assert only.payload[12:18] == b"\x00\x05\x00\x00\x80\x00"
    assert made.state.client_setting("max_frame_size") == 32_768
