"""The rules of RFC 9112 in rows.txt: what the HTTP/1.1 engine sends, and how it reads responses."""

from __future__ import annotations

import time

import pytest

from mint._core.http1 import State
from tests.http1_driver import (
    HEAD,
    LENIENT,
    Outcome,
    answer,
    config,
    given,
    octets,
    play,
    refused,
    sent,
    with_requests,
)

EMPTY = b"Content-Length: 0\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
DEFAULTS = b"host: example.org\r\nuser-agent: mint/test\r\n"


def head(*lines: bytes) -> Outcome:
    return answer(HEAD + b"".join(line + b"\r\n" for line in lines) + EMPTY)


@pytest.mark.rfc("9112-2.2-a")
def test_messages_are_octets() -> None:
    text = "\x85\xa0\u2028".encode() + b"\xff"
    assert head(b"a: " + text).headers[0] == ("a", text.decode("latin-1"))
    assert answer(HEAD + b"Content-Length: \xd9\xa5\r\n\r\n").reason == "invalid_content_length_header"


@pytest.mark.rfc("9112-2.2-b")
def test_no_bare_cr_is_sent() -> None:
    assert refused("GET", "/\r").reason == "invalid_request_target"
    assert refused("G\rT").reason == "invalid_request_method"
    assert refused("GET", headers=[("a", "b\rc")]).reason == "invalid_header_value"
    assert refused("GET", headers=[("a\r", "b")]).reason == "invalid_header_name"


@pytest.mark.rfc("9112-2.2-c")
@pytest.mark.parametrize("line", [b"X: a\rb", b"X: \r", b"X\r: a"])
def test_a_bare_cr_is_refused(line: bytes) -> None:
    assert head(line).reason == "invalid_header"


@pytest.mark.rfc("9112-2.2-c")
@pytest.mark.parametrize("place", range(len(HEAD) - 1))
def test_a_bare_cr_in_a_status_line_is_refused(place: int) -> None:
    assert answer(HEAD[:place] + b"\r" + HEAD[place:] + EMPTY).reason == "invalid_status_line"


@pytest.mark.rfc("9112-2.2-d")
def test_a_lone_lf_ends_a_line_only_on_lenient_connections() -> None:
    data = b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"
    assert answer(data).reason == "invalid_status_line"
    assert answer(data, options=LENIENT).done == [1]
    for options in (config(), LENIENT):
        assert answer(CHUNKED + b"0\n\r\n", options=options).reason == "invalid_chunk_size"


@pytest.mark.rfc("9112-2.2-e")
def test_a_request_has_no_line_ends_around_it() -> None:
    assert sent("GET") == b"GET / HTTP/1.1\r\n" + DEFAULTS + b"\r\n"
    assert sent("POST", body=b"x").endswith(b"\r\n\r\nx")


@pytest.mark.rfc("9112-2.2-f")
def test_no_whitespace_before_the_first_field() -> None:
    assert refused("GET", headers=[(" a", "b")]).reason == "invalid_header_name"


@pytest.mark.rfc("9112-2.2-g")
@pytest.mark.parametrize("blank", [b" ", b"\t"])
def test_whitespace_before_the_first_field_is_refused(blank: bytes) -> None:
    assert head(blank + b"X: y").reason == "invalid_header"


@pytest.mark.rfc("9112-2.3-a")
@pytest.mark.parametrize(
    "version", [b"HTTP/1.10", b"http/1.1", b"HTTP/11", b"HTTP/2.0", b"HTTP/1.", b"HTTP 1.1"]
)
def test_the_version_has_one_form(version: bytes) -> None:
    assert answer(version + b" 200 OK\r\n" + EMPTY).reason == "invalid_status_line"


@pytest.mark.rfc("9112-2.3-b")
@pytest.mark.parametrize(("version", "kept"), [(b"0", False), (b"1", True), (b"2", True), (b"9", True)])
def test_the_minor_version_decides_persistence(version: bytes, kept: bool) -> None:
    assert answer(b"HTTP/1." + version + b" 200 OK\r\n" + EMPTY).state.is_open_write is kept


@pytest.mark.rfc("9112-3-a")
@pytest.mark.parametrize(
    "target", ["/a b", "/a\tb", "/a\x00", "/\xe9", "/\u20ac", "", "/%", "/%2", "/%zz", '/"']
)
def test_a_request_line_has_three_parts(target: str) -> None:
    assert refused("GET", target).reason == "invalid_request_target"
    raw = config(skip_target_validation=True)
    assert sent("GET", "/%zz\xe9", options=raw).startswith(b"GET /%zz\xe9 HTTP/1.1\r\n")
    assert refused("GET", "/a b", options=raw).reason == "invalid_request_target"


@pytest.mark.rfc("9112-3.1-a")
def test_a_method_is_a_token_and_is_sent_unchanged() -> None:
    assert sent("get").startswith(b"get / HTTP/1.1\r\n")
    for method in ("", "G ET", "GET\r\n", "G\x00T", "G\xc9T", "GET / HTTP/1.1\r\nX: 1\r\nGET"):
        assert refused(method).reason == "invalid_request_method"


@pytest.mark.rfc("9112-3.2-a")
def test_host_is_always_sent() -> None:
    assert all(b"\r\nhost: " in sent(method) for method in ("GET", "POST", "HEAD"))


@pytest.mark.rfc("9112-3.2-b")
@pytest.mark.parametrize(
    ("hostname", "port", "host"),
    [("h", 8080, b"h:8080"), ("h", 443, b"h"), ("::1", 443, b"[::1]"), ("fe80::1%25lo", 1, b"[fe80::1]:1")],
)
def test_host_is_the_authority(hostname: str, port: int, host: bytes) -> None:
    assert b"\r\nhost: " + host + b"\r\n" in sent("GET", options=config(hostname=hostname, port=port))


@pytest.mark.rfc("9112-3.2-c")
def test_without_authority_host_is_empty() -> None:
    assert b"\r\nhost: \r\n" in sent("OPTIONS", "*", options=config(hostname="", port=0))


@pytest.mark.rfc("9112-3.2-d")
def test_there_is_one_host() -> None:
    assert refused("GET", headers=[("host", "a"), ("Host", "a")]).reason == "invalid_request_framing"
    assert sent("GET", headers=[("Host", "a")]).lower().count(b"host:") == 1


@pytest.mark.rfc("9112-3.2.1-a")
def test_a_fragment_is_not_sent() -> None:
    assert refused("GET", "/a?b#c").reason == "invalid_request_target"


@pytest.mark.rfc("9112-3.2.1-b")
def test_an_empty_path_is_refused() -> None:
    assert refused("GET", "").reason == "invalid_request_target"
    assert refused("GET", "?a").reason == "invalid_request_target"


@pytest.mark.rfc("9112-3.2.2-a")
def test_a_proxy_gets_the_absolute_form() -> None:
    options = config(forward_proxy=True, scheme="http", port=80)
    assert sent("GET", "/a", options=options).startswith(b"GET http://example.org/a HTTP/1.1\r\n")


@pytest.mark.rfc("9112-3.2.2-b")
def test_host_agrees_with_an_absolute_target() -> None:
    assert b"\r\nhost: a:81\r\n" in sent("GET", "http://a:81/")
    assert refused("GET", "http://a/", [("host", "b")]).name == "host"


@pytest.mark.rfc("9112-3.2.3-a")
def test_connect_takes_an_authority() -> None:
    assert sent("CONNECT", "[::1]:443").startswith(b"CONNECT [::1]:443 HTTP/1.1\r\nhost: [::1]:443\r\n")
    for target in ("a", "a:443/x", "http://a:443", "/", "u@a:443", "[::1]", ":443"):
        assert refused("CONNECT", target).reason == "invalid_request_target"


@pytest.mark.rfc("9112-3.2.4-a")
def test_options_for_the_server_has_an_asterisk() -> None:
    assert sent("OPTIONS", "*").startswith(b"OPTIONS * HTTP/1.1\r\n")


@pytest.mark.rfc("9112-4-a")
@pytest.mark.parametrize(
    ("line", "good"),
    [
        (b"HTTP/1.1 200", True),
        (b"HTTP/1.1 200 ", True),
        (b"HTTP/1.1 200 OK", True),
        (b"HTTP/1.1  200 OK", False),
        (b"HTTP/1.1 20 OK", False),
        (b"HTTP/1.1 2000", False),
        (b"HTTP/1.1 200OK", False),
    ],
)
def test_status_lines(line: bytes, good: bool) -> None:
    assert (answer(line + b"\r\n" + EMPTY).fault is None) is good


@pytest.mark.rfc("9112-4-b")
def test_the_reason_phrase_is_ignored_and_limited() -> None:
    assert answer(b"HTTP/1.1 200 Not Found\r\n" + EMPTY).status == 200
    assert answer(b"HTTP/1.1 200 \x01\r\n" + EMPTY).reason == "invalid_status_line"
    assert play(with_requests(), [b"HTTP/1.1 200 " + b"x" * 10_000_000]).reason == "status_line_too_long"


@pytest.mark.rfc("9112-5-a")
@pytest.mark.parametrize("line", [b": x", b"abc", b"abc\x00: x"])
def test_a_field_line_is_a_name_a_colon_and_a_value(line: bytes) -> None:
    assert head(line).reason == "invalid_header"


@pytest.mark.rfc("9112-5.1-a")
@pytest.mark.parametrize("line", [b"Content-Length : 5", b"Transfer-Encoding\t: chunked"])
def test_no_whitespace_before_the_colon(line: bytes) -> None:
    assert head(line).reason == "invalid_header"


@pytest.mark.rfc("9112-5.1-b")
@pytest.mark.parametrize("octet", [b"\x00", b"\x7f", b"\x80", b"\xff", b"(", b'"', b"/", b"{", b" ", b"\t"])
def test_names_are_tokens(octet: bytes) -> None:
    assert head(b"a" + octet + b"b: c").reason == "invalid_header"


@pytest.mark.rfc("9112-5.2-a")
def test_no_fold_is_sent() -> None:
    assert refused("GET", headers=[("a", "b\r\n c")]).reason == "invalid_header_value"


@pytest.mark.rfc("9112-5.2-b")
def test_a_fold_is_a_space_and_is_refused_in_framing_fields() -> None:
    assert head(b"a: b\r\n\t c").headers[0] == ("a", "b c")
    for line in (b"Transfer-Encoding:\r\n chunked", b"Content-Length: 1\r\n 2"):
        assert head(line).fault is not None


@pytest.mark.rfc("9112-6-a")
def test_content_type_does_not_affect_framing() -> None:
    multipart = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\n"
    assert answer(HEAD + multipart, eof=True).body == b"--x--\r\n"


@pytest.mark.rfc("9112-6.1-a")
def test_chunked_is_decoded() -> None:
    outcome = answer(CHUNKED + b"5\r\nhello\r\n0\r\n\r\n")
    assert (outcome.body, outcome.done) == (b"hello", [1])


@pytest.mark.rfc("9112-6.1-b")
def test_chunked_is_applied_once() -> None:
    twice = [("transfer-encoding", "chunked, chunked")]
    assert refused("POST", headers=twice, body=b"x").reason == "invalid_request_framing"


@pytest.mark.rfc("9112-6.1-c")
def test_chunked_is_the_last_coding_of_a_request() -> None:
    wrong = [("transfer-encoding", "gzip")]
    assert refused("POST", headers=wrong, body=b"x").reason == "invalid_request_framing"
    assert sent("POST", headers=[("transfer-encoding", "gzip, chunked")], body=b"x").endswith(
        b"\r\n\r\n1\r\nx\r\n0\r\n\r\n"
    )


@pytest.mark.rfc("9112-6.1-d")
@pytest.mark.parametrize("status", [b"204", b"304"])
def test_framing_fields_are_ignored_without_content(status: bytes) -> None:
    first = b"HTTP/1.1 " + status + b" x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert answer(first + HEAD + EMPTY, "GET", "GET").done == [1, 2]


@pytest.mark.rfc("9112-6.1-d")
def test_framing_fields_of_interim_responses_and_tunnels_are_ignored() -> None:
    fields = b"Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n"
    assert answer(b"HTTP/1.1 103 x\r\n" + fields + HEAD + EMPTY).done == [1]
    tunnel = answer(HEAD + fields + b"0\r\n\r\n", "CONNECT")
    assert tunnel.state.is_tunnel
    assert tunnel.body == b"0\r\n\r\n"


@pytest.mark.rfc("9112-6.1-e")
def test_no_transfer_encoding_to_http_1_0() -> None:
    old = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + EMPTY
    step = answer(old).state.request("POST", "/", [], None, True)
    assert step.fault is not None
    assert (step.fault.reason, step.fault.name) == ("invalid_request_framing", "transfer-encoding")


@pytest.mark.rfc("9112-6.1-f")
def test_transfer_encoding_in_http_1_0_ends_the_connection() -> None:
    old = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert not answer(old).state.is_open_write


@pytest.mark.rfc("9112-6.1-g")
def test_codings_are_case_insensitive_and_may_have_several_lines() -> None:
    lines = b"Transfer-Encoding: gzip\r\nTransfer-Encoding: CHUNKED\r\n\r\n"
    assert answer(HEAD + lines + b"1\r\na\r\n0\r\n\r\n").body == b"a"
    for coding in (b"xchunked", b"identity"):
        assert answer(HEAD + b"Transfer-Encoding: " + coding + b"\r\n\r\n1\r\n", eof=True).body == b"1\r\n"
    for coding in (b"chunked;q=1", b"chunked\x0b", b'"chunked"'):
        assert answer(HEAD + b"Transfer-Encoding: " + coding + b"\r\n\r\n").fault is not None


@pytest.mark.rfc("9112-6.2-a")
def test_a_request_has_one_framing() -> None:
    both = [("Content-Length", "1"), ("Transfer-Encoding", "chunked")]
    assert refused("POST", headers=both, body=b"x").reason == "invalid_request_framing"
    assert refused("POST", headers=both, streaming=True).reason == "invalid_request_framing"


@pytest.mark.rfc("9112-6.2-b")
def test_content_must_have_its_declared_length() -> None:
    two = [("content-length", "2")]
    assert refused("POST", headers=two, body=b"x").reason == "content_length_mismatch"
    step = State(config()).request("POST", "/", two, None, True)
    ref = given(step.ref)
    for wrong in (step.state.stream_body(ref, b"xyz"), step.state.end_body(ref, [])):
        assert wrong.fault is not None
        assert wrong.fault.reason == "content_length_mismatch"


@pytest.mark.rfc("9112-6.3-a")
@pytest.mark.parametrize(
    ("method", "line"),
    [("HEAD", b"200 x"), ("GET", b"204 x"), ("GET", b"304 x"), ("HEAD", b"404 x")],
)
def test_no_body(method: str, line: bytes) -> None:
    outcome = answer(b"HTTP/1.1 " + line + b"\r\nContent-Length: 5\r\n\r\n", method)
    assert outcome.kinds == ["Status", "Headers", "Done"]


@pytest.mark.rfc("9112-6.3-b")
def test_a_tunnel_has_no_framing() -> None:
    outcome = answer(HEAD + b"Content-Length: 2\r\n\r\nraw octets", "CONNECT")
    assert outcome.body == b"raw octets"


@pytest.mark.rfc("9112-6.3-c")
def test_content_length_together_with_transfer_encoding() -> None:
    data = HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
    assert answer(data).reason == "transfer_encoding_and_content_length"
    lenient = answer(data, options=LENIENT)
    assert (lenient.body, lenient.done) == (b"a", [1])
    assert not lenient.state.is_open_write


@pytest.mark.rfc("9112-6.3-d")
def test_chunked_not_last_reads_until_close() -> None:
    outcome = answer(HEAD + b"Transfer-Encoding: gzip\r\n\r\nxyz", eof=True)
    assert (outcome.body, outcome.done) == (b"xyz", [1])
    assert not outcome.state.is_open_write


@pytest.mark.rfc("9112-6.3-e")
@pytest.mark.parametrize(
    "value", [b"+5", b"-0", b"0x5", b"5_0", b"5 5", b"5,6", b"", b"five", b"5;", b"\xb2"]
)
def test_an_invalid_length_ends_the_connection(value: bytes) -> None:
    outcome = answer(HEAD + b"Content-Length: " + value + b"\r\n\r\nhello")
    assert outcome.fault is not None
    assert outcome.kinds == ["Status", "Failed"]
    assert outcome.end == 2


@pytest.mark.rfc("9112-6.3-f")
def test_a_length_is_exactly_that_many_octets() -> None:
    for count in range(5):
        outcome = answer(HEAD + b"Content-Length: 5\r\n\r\n" + b"hello"[:count], eof=True)
        assert outcome.failed == [(1, "incomplete_response", 2)]
        assert outcome.body == b"hello"[:count]
    assert answer(HEAD + b"Content-Length: 5\r\n\r\nhello").done == [1]


@pytest.mark.rfc("9112-6.3-g")
def test_content_until_close_needs_a_clean_end() -> None:
    assert answer(HEAD + b"\r\nabc", eof=True).done == [1]
    assert answer(HEAD + b"\r\nabc", eof=False).reason == "tls_truncated"


@pytest.mark.rfc("9112-6.3-h")
def test_requests_with_a_body_are_framed() -> None:
    for method in ("GET", "POST", "DELETE", "X"):
        assert b"\r\ncontent-length: 1\r\n" in sent(method, body=b"x")
        assert b"\r\ntransfer-encoding: chunked\r\n" in sent(method, streaming=True)


@pytest.mark.rfc("9112-6.3-i")
def test_a_known_length_is_sent() -> None:
    assert b"transfer-encoding" not in sent("POST", body=b"x")


@pytest.mark.rfc("9112-6.3-j")
def test_surplus_octets_are_no_response() -> None:
    outcome = answer(HEAD + EMPTY + HEAD + EMPTY)
    assert (outcome.done, outcome.reason, outcome.end) == ([1], "unexpected_data", 2)


@pytest.mark.rfc("9112-7.1-a")
@pytest.mark.parametrize("size", [b"+5", b"-5", b"0x5", b"5_0", b" 5", b"5 ", b"\xef\xbc\x95", b"", b"G"])
def test_a_chunk_size_is_hexadecimal_digits(size: bytes) -> None:
    assert answer(CHUNKED + size + b"\r\nhello\r\n0\r\n\r\n").reason == "invalid_chunk_size"


@pytest.mark.rfc("9112-7.1-b")
def test_chunk_sizes_do_not_overflow() -> None:
    assert answer(CHUNKED + b"7" + b"f" * 15 + b"\r\nx").body == b"x"
    for digits in (b"f" * 16, b"f" * 17, b"1" + b"0" * 16):
        assert answer(CHUNKED + digits + b"\r\nx").reason == "invalid_chunk_size"
    start = time.process_time()
    assert play(with_requests(), [CHUNKED, *octets(b"1" * 1_000_000)]).reason == "chunk_line_too_long"
    assert time.process_time() - start < 5


@pytest.mark.rfc("9112-7.1-c")
@pytest.mark.parametrize("end", [b"XX", b"\rX", b"\n", b"0\r\n\r\n", b"\r\r\n"])
def test_a_chunk_ends_in_crlf(end: bytes) -> None:
    assert answer(CHUNKED + b"5\r\nhello" + end).reason == "missing_crlf_after_chunk"


@pytest.mark.rfc("9112-7.1-d")
@pytest.mark.parametrize("line", [b"5 junk\r\n", b"5\n", b"5\rX\r\n", b"5;\n", b"5;\r\n", b"5\x00\r\n"])
def test_a_chunk_line_holds_nothing_else(line: bytes) -> None:
    assert answer(CHUNKED + line + b"hello\r\n0\r\n\r\n").reason == "invalid_chunk_size"


@pytest.mark.rfc("9112-7.1-e")
def test_chunk_data_is_passed_on_as_it_arrives() -> None:
    state = play(with_requests(), [CHUNKED + b"7fffffff\r\n"]).state
    for _ in range(3):
        step = state.feed(b"x" * 1000)
        assert len(step.responses) == 1
        state = step.state


@pytest.mark.rfc("9112-7.1.1-a")
def test_chunk_extensions_are_ignored_and_bounded() -> None:
    assert answer(CHUNKED + b'1;a;b=c;d="e"\r\nx\r\n0;y\r\n\r\n').body == b"x"
    long = CHUNKED + b"1;" + b"x" * 8192 + b"\r\na\r\n"
    assert answer(long).reason == "chunk_line_too_long"
    many = CHUNKED + (b"1;" + b"x" * 4000 + b"\r\na\r\n") * 50
    assert play(with_requests(), [many]).reason == "chunk_overhead_exceeded"


@pytest.mark.rfc("9112-7.1.2-a")
def test_trailers_are_separate_from_headers() -> None:
    outcome = answer(CHUNKED + b"0\r\nx: y\r\n\r\n")
    assert outcome.headers == (("transfer-encoding", "chunked"),)
    assert outcome.trailers == (("x", "y"),)


@pytest.mark.rfc("9112-7.1.2-b")
def test_trailers_have_the_rules_of_headers() -> None:
    for line in (b"a b: c", b"abc", b": x", b"a: b\x00"):
        assert answer(CHUNKED + b"0\r\n" + line + b"\r\n\r\n").reason == "invalid_trailer_header"
    endless = play(with_requests(), [CHUNKED + b"0\r\n", *[b"a: b\r\n"] * 100])
    assert endless.reason == "too_many_headers"
    assert (
        play(with_requests(), [CHUNKED + b"0\r\na: " + b"x" * 20_000]).reason
        == "max_header_list_size_exceeded"
    )


@pytest.mark.rfc("9112-7.4-a")
def test_te_does_not_list_chunked() -> None:
    for value in ("chunked", "trailers, Chunked", "chunked;q=0.5"):
        assert refused("GET", headers=[("te", value)]).name == "te"


@pytest.mark.rfc("9112-7.4-b")
def test_te_is_a_connection_option() -> None:
    assert b"\r\nconnection: te\r\n" in sent("GET", headers=[("te", "trailers")])


@pytest.mark.rfc("9112-8-a")
def test_a_premature_end_is_recorded() -> None:
    for data in (CHUNKED + b"5\r\nhel", CHUNKED + b"5\r\nhello\r\n", CHUNKED + b"0\r\n"):
        assert answer(data, eof=True).failed == [(1, "incomplete_response", 2)]


@pytest.mark.rfc("9112-8-b")
def test_an_end_within_the_head_is_no_response() -> None:
    data = HEAD + b"A: b\r\nContent-Length: 0\r\n\r\n"
    for count in range(1, len(data)):
        outcome = answer(data[:count], eof=True)
        assert outcome.failed == [(1, "incomplete_response", 2)]
        assert "Headers" not in outcome.kinds


@pytest.mark.rfc("9112-9.8-b")
@pytest.mark.parametrize("clean", [True, False])
def test_only_content_with_a_length_or_a_last_chunk_survives_an_incomplete_close(clean: bool) -> None:
    for whole in (
        b"Content-Length: 3\r\n\r\nabc",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ):
        assert answer(HEAD + whole, eof=clean).done == [1]
        assert answer(HEAD + whole[:-1], eof=clean).done == []
    until_the_end = answer(HEAD + b"\r\nabc", eof=clean)
    assert until_the_end.done == ([1] if clean else [])
    assert [reason for _, reason, _ in until_the_end.failed] == ([] if clean else ["tls_truncated"])


@pytest.mark.rfc("9112-9.2-a")
def test_responses_match_requests_in_order() -> None:
    one = HEAD + b"Content-Length: 1\r\n\r\n"
    interim = b"HTTP/1.1 103 x\r\n\r\n"
    outcome = answer(interim + one + b"a" + interim * 2 + one + b"b" + one + b"c", "GET", "GET", "GET")
    assert outcome.done == [1, 2, 3]
    assert outcome.body == b"abc"


@pytest.mark.rfc("9112-9.2-b")
def test_octets_without_an_open_request() -> None:
    assert play(State(config()), [HEAD]).reason == "unexpected_data"
    assert play(State(config()), [b"\r\n"]).reason == "unexpected_data"
    assert play(State(LENIENT), [b"\r\n", b"\r\n\r\n"]).fault is None
    assert play(State(LENIENT), [b"\r\nH"]).reason == "unexpected_data"


@pytest.mark.rfc("9112-9.3-a")
@pytest.mark.parametrize(
    ("version", "value", "kept"),
    [
        (b"1", b"close", False),
        (b"1", b"x, Close", False),
        (b"1", b"keep-alive", True),
        (b"0", b"x", False),
        (b"0", b"Keep-Alive", True),
        (b"0", b"keep-alive, close", False),
    ],
)
def test_persistence(version: bytes, value: bytes, kept: bool) -> None:
    data = b"HTTP/1." + version + b" 200 x\r\nConnection: " + value + b"\r\n" + EMPTY
    assert answer(data).state.is_open_write is kept


@pytest.mark.rfc("9112-9.3-b")
def test_a_body_is_read_before_the_next_response() -> None:
    state = play(with_requests(), [HEAD + b"Content-Length: 5\r\n\r\nhe"]).state
    step = state.request("GET", "/", [], None, False)
    assert play(step.state, [b"llo" + HEAD + EMPTY]).done == [1, 2]


@pytest.mark.rfc("9112-9.3-c")
def test_the_caller_can_ask_to_close() -> None:
    assert b"\r\nconnection: close\r\n" in sent("GET", headers=[("connection", "close")])


@pytest.mark.rfc("9112-9.6-a")
def test_after_close_was_sent_nothing_follows() -> None:
    state = with_requests(headers=[("connection", "x, Close")])
    step = state.request("GET", "/", [], None, False)
    assert step.fault is not None
    assert step.fault.reason == "closed_for_writing"
    assert play(state, [HEAD + EMPTY]).end == 2


@pytest.mark.rfc("9112-9.6-b")
def test_after_close_was_received_the_rest_is_not_processed() -> None:
    outcome = answer(HEAD + b"Connection: close\r\n" + EMPTY, "GET", "GET")
    assert outcome.failed == [(2, "closed", 0)]
    assert outcome.end == 2


@pytest.mark.rfc("9112-11.1-a")
@pytest.mark.parametrize("bad", ["\r\nX: y", "\n", "\r", "\0", "\u010a", "\u010d", "\u560d"])
def test_nothing_a_caller_gives_splits_a_request(bad: str) -> None:
    for method, target, name, value in (
        ("GET" + bad, "/", "a", "b"),
        ("GET", "/" + bad, "a", "b"),
        ("GET", "/", "a" + bad, "b"),
        ("GET", "/", "a", "b" + bad),
        ("GET", "/", "host", "b" + bad),
        ("GET", "/", "upgrade", "b" + bad),
        ("GET", "/", "connection", "b" + bad),
    ):
        refused(method, target, [(name, value)])
        refused(method, target, [(name, value)], options=config(skip_target_validation=True))


@pytest.mark.rfc("9112-11.2-a")
@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Content-Length: 5\r\n ",
        b"Content-Length: 5, 6",
    ],
)
def test_ambiguous_framing_is_refused(lines: bytes) -> None:
    assert answer(HEAD + lines + b"\r\n\r\n").fault is not None
