"""The rules of RFC 9110 in rows.txt that the HTTP/1.1 engine follows."""

from __future__ import annotations

import time

import pytest

from mint._core.http1 import State
from tests.http1_driver import HEAD, answer, config, given, play, refused, sent, with_requests

EMPTY = b"Content-Length: 0\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
TOKEN = set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def taken(method: str, target: str, name: str, value: str) -> bool:
    step = State(config()).request(method, target, [(name, value)], None, False)
    assert (step.fault is None) == bool(step.output)
    return step.fault is None


@pytest.mark.rfc("9110-2.2-a")
def test_every_character_in_every_part_of_a_request() -> None:
    uri = set("-._~:/?[]@!$&'()*+,;=0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for code in range(0x120):
        mark = chr(code)
        assert taken("G" + mark + "T", "/", "a", "b") == (mark in TOKEN), mark
        assert taken("GET", "/a" + mark + "b", "a", "b") == (mark in uri), mark
        assert taken("GET", "/", "a" + mark + "b", "b") == (mark in TOKEN), mark
        clean = mark == "\t" or (0x20 <= code <= 0xFF and code != 0x7F)
        assert taken("GET", "/", "a", "b" + mark + "c") == clean, mark


@pytest.mark.rfc("9110-2.2-b")
def test_only_requests_are_sent() -> None:
    assert sent("GET").startswith(b"GET ")
    assert refused(":status").reason == "invalid_request_method"
    assert refused("GET", headers=[(":status", "200")]).reason == "invalid_header_name"


@pytest.mark.rfc("9110-2.3-a")
def test_what_may_be_sent_may_be_received() -> None:
    value = "v" * 100_000
    assert len(sent("GET", headers=[("a", value)])) > 100_000
    assert answer(HEAD + b"a: " + value.encode() + b"\r\n" + EMPTY).headers[0] == ("a", value)


@pytest.mark.rfc("9110-4.2.1-a")
@pytest.mark.rfc("9110-4.2.2-a")
@pytest.mark.parametrize("target", ["http:///x", "http://:80/", "https:///x", "https://:443/", "http://?x"])
def test_no_uri_without_a_host(target: str) -> None:
    assert refused("GET", target).reason == "invalid_request_target"


@pytest.mark.rfc("9110-4.2.4-a")
def test_no_userinfo() -> None:
    assert refused("GET", "http://u:p@h/").reason == "invalid_request_target"
    assert refused("GET", headers=[("host", "u:p@h")]).reason == "invalid_header_value"
    with pytest.raises(ValueError, match="hostname"):
        config(hostname="u:p@h")


@pytest.mark.rfc("9110-5.1-a")
def test_names_are_case_insensitive_tokens() -> None:
    assert answer(HEAD + b"CoNtEnT-LeNgTh: 1\r\n\r\na").body == b"a"
    assert answer(HEAD + b"Bad Name: x\r\n").reason == "invalid_header"


@pytest.mark.rfc("9110-5.3-a")
@pytest.mark.parametrize("name", ["Host", "Content-Length", "Content-Type", "User-Agent", "Authorization"])
def test_a_field_that_is_not_a_list_is_sent_once(name: str) -> None:
    twice = [(name, "1"), (name.lower(), "1")]
    assert refused("POST", headers=twice, body=b"x").name == name.lower()
    assert sent("GET", headers=[("cookie", "a"), ("cookie", "b"), ("x", "a"), ("x", "b")])


@pytest.mark.rfc("9110-5.3-b")
def test_the_order_of_lines_is_kept() -> None:
    outcome = answer(HEAD + b"X: a\r\nY: c\r\nx: b\r\n" + EMPTY)
    assert outcome.headers[:3] == (("x", "a"), ("y", "c"), ("x", "b"))


@pytest.mark.rfc("9110-5.5-a")
def test_whitespace_around_a_value_is_removed() -> None:
    assert answer(HEAD + b"Content-Length:  1\t \r\n\r\na").done == [1]


@pytest.mark.rfc("9110-5.5-b")
@pytest.mark.parametrize("octet", [b"\r", b"\0", b"\x01", b"\x7f"])
def test_controls_in_a_received_value(octet: bytes) -> None:
    assert answer(HEAD + b"a: b" + octet + b"c\r\n").reason == "invalid_header"


@pytest.mark.rfc("9110-5.5-c")
@pytest.mark.parametrize("value", ["a\r\nb: c", "a\n", "\0", "\x7f", "\x1f", " a", "a ", "a\t"])
def test_controls_in_a_sent_value(value: str) -> None:
    assert refused("GET", headers=[("a", value)]).reason == "invalid_header_value"


@pytest.mark.rfc("9110-5.6.1.1-a")
def test_generated_lists_have_no_empty_elements() -> None:
    assert sent("GET", headers=[("connection", "x"), ("te", "trailers")]).endswith(
        b"connection: x, te\r\nte: trailers\r\n\r\n"
    )
    assert refused("GET", headers=[("connection", ""), ("te", "trailers")]).reason == "empty_token_list"


@pytest.mark.rfc("9110-5.6.1.2-a")
def test_empty_list_elements_are_ignored() -> None:
    assert not answer(HEAD + b"Connection: ,, close,\r\n" + EMPTY).state.is_open_write
    start = time.process_time()
    assert answer(HEAD + b"Connection: " + b"," * 10_000 + b"\r\n" + EMPTY).done == [1]
    assert time.process_time() - start < 1


@pytest.mark.rfc("9110-5.6.3-a")
def test_bad_whitespace_is_accepted() -> None:
    assert answer(CHUNKED + b"1 ; a = b\r\nx\r\n0\r\n\r\n").body == b"x"


@pytest.mark.rfc("9110-5.6.4-a")
def test_a_quoted_pair_is_the_next_octet() -> None:
    assert answer(CHUNKED + b'1;a="\\";\\\\"\r\nx\r\n0\r\n\r\n').body == b"x"
    assert answer(CHUNKED + b'1;a="\\"\r\nx\r\n0\r\n\r\n').reason == "invalid_chunk_size"


@pytest.mark.rfc("9110-6-a")
def test_the_method_decides_how_its_response_is_read() -> None:
    data = HEAD + b"Content-Length: 1\r\n\r\n"
    assert answer(data, "HEAD").done == [1]
    assert answer(data, "GET").done == []
    assert answer(data, "CONNECT").state.is_tunnel


@pytest.mark.rfc("9110-6.2-a")
def test_the_version_is_1_1() -> None:
    assert sent("GET").split(b"\r\n")[0] == b"GET / HTTP/1.1"


@pytest.mark.rfc("9110-6.4.1-a")
@pytest.mark.parametrize("framing", [b"Content-Length: 9", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", b"200"), ("GET", b"204"), ("GET", b"304"), ("HEAD", b"500")]
)
def test_responses_without_content(method: str, status: bytes, framing: bytes) -> None:
    outcome = answer(b"HTTP/1.1 " + status + b" x\r\n" + framing + b"\r\n\r\n", method)
    assert outcome.done == [1]
    assert outcome.state.is_open_write


@pytest.mark.rfc("9110-6.5.1-a")
@pytest.mark.parametrize(
    "name", ["content-length", "transfer-encoding", "host", "authorization", "te", "trailer", "connection"]
)
def test_trailers_that_are_not_sent(name: str) -> None:
    step = State(config()).request("POST", "/", [], None, True)
    refusal = step.state.end_body(given(step.ref), [(name, "x")]).fault
    assert refusal is not None
    assert (refusal.reason, refusal.name) == ("unallowed_trailing_header", name)


@pytest.mark.rfc("9110-6.5.1-b")
def test_received_trailers_are_not_merged() -> None:
    outcome = answer(CHUNKED + b"0\r\nContent-Length: 5\r\nSet-Cookie: a\r\nx: y\r\n\r\n")
    assert outcome.trailers == (("x", "y"),)
    assert outcome.headers == (("transfer-encoding", "chunked"),)


@pytest.mark.rfc("9110-7.1-a")
@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", "*"), ("GET", "host:443"), ("POST", "*"), ("CONNECT", "*"), ("CONNECT", "/")],
)
def test_asterisk_and_authority_forms_need_their_methods(method: str, target: str) -> None:
    assert refused(method, target).reason == "invalid_request_target"


@pytest.mark.rfc("9110-7.2-a")
@pytest.mark.rfc("9110-7.2-b")
def test_host_is_sent_first() -> None:
    for headers in ([], [("a", "b")], [("a", "b"), ("host", "x")]):
        assert sent("POST", headers=headers, body=b"x").split(b"\r\n")[1].startswith(b"host: ")


@pytest.mark.rfc("9110-7.6.1-a")
@pytest.mark.rfc("9110-10.1.4-a")
@pytest.mark.parametrize("name", ["TE", "Upgrade", "Keep-Alive"])
def test_hop_by_hop_fields_are_named_in_connection(name: str) -> None:
    assert b"\r\nconnection: " + name.lower().encode() + b"\r\n" in sent("GET", headers=[(name, "trailers")])


@pytest.mark.rfc("9110-7.6.1-b")
@pytest.mark.parametrize("name", ["host", "Cache-Control", "content-length", "authorization"])
def test_end_to_end_fields_are_not_named_in_connection(name: str) -> None:
    assert refused("GET", headers=[("connection", f"close, {name}")]).reason == "invalid_header_value"


@pytest.mark.rfc("9110-7.6.1-c")
def test_connection_options_may_have_several_lines() -> None:
    data = HEAD + b"Connection: Keep-Alive\r\nConnection: CLOSE\r\n" + EMPTY
    assert not answer(data).state.is_open_write


@pytest.mark.rfc("9110-7.8-a")
def test_upgrade_is_a_connection_option() -> None:
    assert b"\r\nconnection: upgrade\r\n" in sent("GET", headers=[("upgrade", "websocket")])


@pytest.mark.rfc("9110-7.8-b")
def test_a_switch_needs_an_offer_of_the_protocol() -> None:
    switched = b"HTTP/1.1 101 x\r\nUpgrade: other\r\n\r\n"
    assert answer(switched).reason == "unexpected_upgrade"
    assert answer(switched, headers=[("upgrade", "websocket")]).reason == "unexpected_upgrade"
    assert answer(switched, headers=[("upgrade", "websocket, Other")]).state.is_tunnel


@pytest.mark.rfc("9110-8.6-a")
def test_content_length_is_sent_if_the_method_has_content() -> None:
    for method in ("POST", "PUT", "PATCH"):
        assert b"\r\ncontent-length: 0\r\n" in sent(method)
    for method in ("GET", "HEAD", "DELETE"):
        assert b"content-length" not in sent(method)
    assert b"content-length" not in sent("POST", headers=[("transfer-encoding", "chunked")])


@pytest.mark.rfc("9110-8.6-b")
def test_lengths_may_be_huge() -> None:
    assert answer(HEAD + b"Content-Length: 999999999999999999\r\n\r\nx").body == b"x"
    start = time.process_time()
    for value in (str(2**63), str(2**64), "1" + "0" * 4300):
        outcome = answer(HEAD + b"Content-Length: " + value.encode() + b"\r\n\r\n")
        assert outcome.reason == "invalid_content_length_header"
    assert time.process_time() - start < 2


@pytest.mark.rfc("9110-8.6-c")
@pytest.mark.parametrize("value", [b"+5", b"-0", b"0x5", b"5_0", b"\xd9\xa5", b"5 5", b"5,6", b"", b"5,"])
def test_a_length_is_digits(value: bytes) -> None:
    assert answer(HEAD + b"Content-Length: " + value + b"\r\n\r\n").fault is not None
    assert answer(HEAD + b"Content-Length: 1, 1\r\n\r\na").done == [1]


@pytest.mark.rfc("9110-9.3.6-a")
@pytest.mark.parametrize("target", ["a.example", "a.example:", "a.example:x", "[::1]", "a.example:65536"])
def test_connect_names_a_port(target: str) -> None:
    assert refused("CONNECT", target).reason == "invalid_request_target"


@pytest.mark.rfc("9110-9.3.6-b")
def test_a_tunnel_ignores_framing() -> None:
    head = HEAD + b"Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert answer(head + b"raw", "CONNECT").body == b"raw"


@pytest.mark.rfc("9110-9.3.6-c")
def test_connect_refused_is_a_normal_response() -> None:
    outcome = answer(b"HTTP/1.1 407 x\r\nContent-Length: 2\r\n\r\nno", "CONNECT")
    assert (outcome.body, outcome.done) == (b"no", [1])
    assert not outcome.state.is_tunnel


@pytest.mark.rfc("9110-9.3.8-a")
def test_trace_has_no_content_and_no_secrets() -> None:
    assert refused("TRACE", body=b"x").reason == "invalid_request_framing"
    for name in ("authorization", "cookie", "proxy-authorization"):
        assert refused("TRACE", headers=[(name, "s3cret")]).name == name
    assert sent("TRACE", headers=[("a", "b")])


@pytest.mark.rfc("9110-10.1.1-a")
def test_expect_needs_content() -> None:
    assert refused("GET", headers=[("expect", "100-continue")]).name == "expect"


@pytest.mark.rfc("9110-10.1.1-b")
@pytest.mark.rfc("9110-10.1.1-c")
def test_the_body_may_be_sent_with_or_without_100() -> None:
    step = State(config()).request("POST", "/", [("expect", "100-continue")], None, True)
    ref = given(step.ref)
    assert b"expect: 100-continue" in step.output[0]
    assert step.state.stream_body(ref, b"x").fault is None
    waited = play(step.state, [b"HTTP/1.1 100 x\r\n\r\n"])
    assert waited.interim == [100]
    assert waited.state.stream_body(ref, b"x").fault is None


@pytest.mark.rfc("9110-10.1.1-d")
@pytest.mark.rfc("9110-10.1.1-e")
def test_a_final_answer_instead_of_100_ends_the_connection() -> None:
    step = State(config()).request("POST", "/", [("expect", "100-continue")], None, True)
    outcome = play(step.state, [b"HTTP/1.1 417 x\r\n" + EMPTY])
    assert (outcome.status, outcome.done, outcome.fault) == (417, [1], None)
    assert not outcome.state.is_open_write


@pytest.mark.rfc("9110-15-a")
@pytest.mark.parametrize("status", [299, 399, 499, 599])
def test_unknown_statuses_are_passed_on(status: int) -> None:
    assert answer(b"HTTP/1.1 %d x\r\n" % status + EMPTY).status == status


@pytest.mark.rfc("9110-15-b")
@pytest.mark.parametrize("status", [b"000", b"099"])
def test_statuses_below_100_are_refused(status: bytes) -> None:
    assert answer(b"HTTP/1.1 " + status + b" x\r\n" + EMPTY).reason == "invalid_status_line"


@pytest.mark.rfc("9110-15-b")
@pytest.mark.parametrize("status", [600, 999])
def test_statuses_above_599_are_passed_on(status: int) -> None:
    outcome = answer(b"HTTP/1.1 %d x\r\n" % status + EMPTY)
    assert (outcome.status, outcome.done, outcome.fault) == (status, [1], None)


@pytest.mark.rfc("9110-15.2-a")
@pytest.mark.parametrize("count", [0, 1, 32])
def test_interim_responses_up_to_a_limit(count: int) -> None:
    interim = b"HTTP/1.1 103 x\r\n\r\n"
    assert len(answer(interim * count + HEAD + EMPTY).interim) == count
    assert answer(interim * 33 + HEAD + EMPTY).reason == "too_many_informational"


@pytest.mark.rfc("9110-15.2-b")
def test_interim_responses_have_no_content() -> None:
    interim = b"HTTP/1.1 100 x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert answer(interim + HEAD + EMPTY).done == [1]


@pytest.mark.rfc("9110-15.2.2-a")
def test_octets_after_101_belong_to_the_other_protocol() -> None:
    switched = b"HTTP/1.1 101 x\r\nUpgrade: a\r\n\r\n"
    outcome = play(with_requests(headers=[("upgrade", "a")]), [switched + b"\x00raw"])
    assert outcome.body == b"\x00raw"
