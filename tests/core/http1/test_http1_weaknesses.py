"""Weaknesses of the Elixir client Mint over HTTP/1.1, and the behaviour here instead."""

from __future__ import annotations

import time

import pytest

from mint._core.events import CLOSE, KEEP
from mint._core.http1 import State
from tests.http1_driver import HEAD, answer, config, given, octets, play, refused, sent, with_requests
from tests.refs import ref_of

ONE = HEAD + b"Content-Length: 1\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def test_after_a_pipelined_response_the_connection_is_open_and_can_be_closed() -> None:
    for first in (ONE + b"a", CHUNKED + b"1\r\na\r\n0\r\n\r\n"):
        state = play(with_requests("GET", "GET"), [first]).state
        assert state.is_open_write
        assert state.is_open_read
        assert state.open_request_count == 1
        assert state.close().end == CLOSE


@pytest.mark.parametrize(
    ("method", "first"),
    [
        ("HEAD", HEAD + b"Content-Length: 9\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 x\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 x\r\n\r\n"),
    ],
)
def test_a_response_after_one_without_content_is_read_at_once(method: str, first: bytes) -> None:
    step = with_requests(method, "GET").feed(first + ONE + b"a")
    assert step.state.open_request_count == 0


def test_a_response_may_arrive_before_the_body_is_sent() -> None:
    step = State(config()).request("POST", "/", [("expect", "100-continue")], None, True)
    ref = given(step.ref)
    going = play(step.state, [b"HTTP/1.1 100 Continue\r\n\r\n"])
    assert (going.fault, going.interim) == (None, [100])
    sent_on = going.state.stream_body(ref, b"x").state.end_body(ref, []).state
    assert play(sent_on, [ONE + b"a"]).done == [1]
    early = play(step.state, [b"HTTP/1.1 413 x\r\nContent-Length: 0\r\n\r\n"])
    assert (early.status, early.done, early.fault) == (413, [1], None)


def test_requests_after_a_closing_response_fail_with_an_event() -> None:
    closing = answer(HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n", "GET", "GET")
    assert (closing.done, closing.failed) == ([1], [(2, "closed", 0)])
    until_close = answer(HEAD + b"\r\nx", "GET", "GET", eof=True)
    assert (until_close.done, until_close.failed) == ([1], [(2, "closed", 0)])
    assert until_close.fault is None


def test_surplus_octets_never_answer_the_next_request() -> None:
    outcome = answer(ONE + b"a" + ONE + b"b")
    assert (outcome.done, outcome.reason, outcome.end) == ([1], "unexpected_data", CLOSE)
    assert outcome.body == b"a"
    step = outcome.state.request("GET", "/", [], None, False)
    assert step.fault is not None
    assert step.fault.reason == "closed"


def test_invalid_trailers_are_a_fault_and_not_an_exception() -> None:
    step = State(config()).request("POST", "/", [], None, True)
    ref = given(step.ref)
    for trailer in (("a b", "c"), ("a", "b\r\nc: d"), ("", "")):
        refusal = step.state.end_body(ref, [trailer])
        assert refusal.fault is not None
        assert refusal.state is step.state


def test_a_fault_tells_the_caller_to_close_the_link() -> None:
    for data in (b"x", HEAD + b"bad\r\n", CHUNKED + b"x\r\n", CHUNKED + b"1\r\naXX"):
        outcome = answer(data)
        assert outcome.end == CLOSE
        assert outcome.state.feed(ONE).responses == []
        assert outcome.state.close().end == CLOSE


def test_an_idle_end_is_graceful() -> None:
    step = State(config()).feed_eof(True)
    assert (step.fault, step.responses, step.end) == (None, [], CLOSE)
    after = play(with_requests(), [ONE + b"a"]).state.feed_eof(True)
    assert after.fault is None


def test_responses_before_a_fault_are_oldest_first() -> None:
    outcome = answer(ONE + b"a" + ONE + b"bnonsense", "GET", "GET", "GET")
    assert outcome.kinds == [
        *["Status", "Headers", "Data", "Done"] * 2,
        "Failed",
    ]
    assert [ref_of(r).number for r in outcome.responses] == [1] * 4 + [2] * 4 + [3]


def test_a_status_line_has_a_limit() -> None:
    state = with_requests()
    outcome = play(state, [b"HTTP/1.1 200 " + b"x" * 3_000_000])
    assert outcome.reason == "status_line_too_long"
    assert play(state, [b"HTTP/1.1 200 ", *[b"x" * 100] * 100]).reason == "status_line_too_long"


def test_chunked_counts_only_as_the_last_coding() -> None:
    last = answer(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
    assert (last.body, last.done) == (b"a", [1])
    first = answer(HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n1\r\na", eof=True)
    assert (first.body, first.done, first.end) == (b"1\r\na", [1], CLOSE)
    old = answer(b"HTTP/1.0 200 x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert (old.done, old.end) == ([1], CLOSE)


def test_folds_are_joined_and_invalid_lines_refused() -> None:
    fold = answer(HEAD + b"A: b \r\n c \r\nContent-Length: 0\r\n\r\n")
    assert fold.headers[0] == ("a", "b c")
    for line in (b"a: b\x00", b"a: b\rc", b": b", b"a\x7f: b"):
        assert answer(HEAD + line + b"\r\n").reason == "invalid_header"
    for status in (
        b"HTTP/1.1 99 x",
        b"HTTP/1.1 2000 x",
        b"HTTP/1.1  x",
        b"HTTP/0.9 200 x",
        b"HTTP/2.0 200 x",
    ):
        assert answer(status + b"\r\n").reason == "invalid_status_line"


def test_empty_methods_and_names_are_refused() -> None:
    assert refused("").reason == "invalid_request_method"
    assert refused("GET", headers=[("", "x")]).reason == "invalid_header_name"
    # Methods are case-sensitive: these are not CONNECT and HEAD.
    assert refused("connect", "a.b:443").reason == "invalid_request_target"
    assert answer(ONE + b"a", "head").body == b"a"


def test_contradictory_framing_is_refused() -> None:
    both = [("content-length", "1"), ("transfer-encoding", "chunked")]
    assert refused("POST", headers=both, body=b"a").reason == "invalid_request_framing"
    wrong = refused("POST", headers=[("content-length", "2")], body=b"a")
    assert wrong.reason == "content_length_mismatch"
    twice = [("host", "a"), ("Host", "b")]
    assert refused("GET", headers=twice).reason == "invalid_request_framing"
    assert b"content-length: 0\r\n" in sent("POST")
    step = State(config()).request("POST", "/", [("content-length", "1")], None, True)
    over = step.state.stream_body(given(step.ref), b"ab")
    assert over.fault is not None
    assert over.fault.reason == "content_length_mismatch"


def test_targets_and_hosts_have_the_form_that_the_rfc_requires() -> None:
    assert b"\r\nhost: [::1]:8080\r\n" in sent("GET", options=config(hostname="::1", port=8080))
    assert b"\r\nhost: localhost\r\n" in sent("GET", options=config(hostname="localhost", port=0))
    assert sent("POST", headers=[("a", "b")], body=b"x").split(b"\r\n")[1].startswith(b"host:")
    for method, target in (("GET", "/a#b"), ("GET", "*"), ("GET", "a:443"), ("CONNECT", "/")):
        assert refused(method, target).reason == "invalid_request_target"
    closing = with_requests(headers=[("connection", "close")])
    assert not closing.is_open_write
    assert play(closing, [ONE + b"a"]).end == CLOSE


def test_an_http_1_0_or_closing_2xx_opens_a_tunnel() -> None:
    for head in (b"HTTP/1.0 200 x\r\n\r\n", HEAD + b"Connection: close\r\n\r\n"):
        outcome = answer(head + b"raw", "CONNECT")
        assert (outcome.body, outcome.end) == (b"raw", KEEP)
        assert outcome.state.is_tunnel


def test_chunk_lines_have_a_limit_and_take_linear_time() -> None:
    digits = b"1" * 200_000
    start = time.process_time()
    assert play(with_requests(), [CHUNKED + digits]).reason == "chunk_line_too_long"
    assert play(with_requests(), octets(CHUNKED + digits)).reason == "chunk_line_too_long"
    assert play(with_requests(), [CHUNKED + b"1;" + digits]).reason == "chunk_line_too_long"
    assert time.process_time() - start < 5  # quadratic work took 22 s
    assert play(with_requests(), [CHUNKED + b"1" * 17 + b"\r\n"]).reason == "invalid_chunk_size"
