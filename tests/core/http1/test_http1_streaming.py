"""Streamed bodies: chunked or of declared length, their end, and early responses."""

from __future__ import annotations

import pytest

from mint._core.events import KEEP, RequestRef, Step
from mint._core.http1 import State
from tests.http1_driver import HEAD, config, given, play, same_fault, with_requests


def streaming(*headers: tuple[str, str], method: str = "POST") -> tuple[State, RequestRef]:
    step = State(config()).request(method, "/", headers, None, True)
    return step.state, given(step.ref)


def reason(step: Step[State]) -> str:
    assert step.fault is not None
    assert step.fault.local
    assert step.output == ()
    return step.fault.reason


def test_a_body_of_unknown_length_is_sent_in_chunks() -> None:
    state, ref = streaming()
    assert state.is_streaming
    assert state.body_is_open(ref)
    step = state.stream_body(ref, b"a" * 26)
    assert step.output == (b"1A\r\n" + b"a" * 26 + b"\r\n",)
    step = step.state.stream_body(ref, b"")
    assert step.output == ()
    end = step.state.end_body(ref, [])
    assert end.output == (b"0\r\n\r\n",)
    assert end.end == KEEP
    assert not end.state.is_streaming
    assert not end.state.body_is_open(ref)
    assert end.state.open_request_count == 1


def test_long_pieces_are_not_copied() -> None:
    state, ref = streaming()
    data = bytes(70_000)
    output = state.stream_body(ref, data).output
    assert output[0] == b"11170\r\n"
    assert output[1] is data
    assert output[2] == b"\r\n"
    counted, ref = streaming(("content-length", "70000"))
    assert counted.stream_body(ref, data).output[0] is data


def test_a_declared_length_is_enforced() -> None:
    state, ref = streaming(("content-length", "5"))
    step = state.stream_body(ref, b"abc")
    assert step.output == (b"abc",)
    over = step.state.stream_body(ref, b"def")
    assert reason(over) == "content_length_mismatch"
    assert over.state is step.state
    assert over.fault is not None
    assert (over.fault.size, over.fault.limit) == (6, 5)
    short = step.state.end_body(ref, [])
    assert reason(short) == "content_length_mismatch"
    assert short.fault is not None
    assert (short.fault.size, short.fault.limit) == (3, 5)
    end = step.state.stream_body(ref, b"de").state.end_body(ref, [])
    assert (end.fault, end.output) == (None, ())


def test_trailers_follow_the_last_chunk() -> None:
    state, ref = streaming()
    assert state.end_body(ref, [("X-Sum", "1"), ("y", "")]).output == (b"0\r\nx-sum: 1\r\ny: \r\n\r\n",)


@pytest.mark.parametrize(
    ("trailer", "wanted", "name"),
    [
        (("Content-Length", "1"), "unallowed_trailing_header", "Content-Length"),
        (("transfer-encoding", "x"), "unallowed_trailing_header", "transfer-encoding"),
        (("Host", "x"), "unallowed_trailing_header", "Host"),
        (("authorization", "x"), "unallowed_trailing_header", "authorization"),
        (("connection", "x"), "unallowed_trailing_header", "connection"),
        (("a b", "x"), "invalid_header_name", "a b"),
        (("", "x"), "invalid_header_name", ""),
        (("a", "x\r\ny: z"), "invalid_header_value", "a"),
    ],
)
def test_trailers_are_checked_like_headers(trailer: tuple[str, str], wanted: str, name: str) -> None:
    state, ref = streaming()
    step = state.end_body(ref, [trailer])
    assert reason(step) == wanted
    assert step.state is state
    assert step.fault is not None
    assert step.fault.name == name
    assert state.end_body(ref, []).fault is None


def test_trailers_are_pairs_of_str() -> None:
    state, ref = streaming()
    with pytest.raises(TypeError):
        state.end_body(ref, [("a", None)])  # type: ignore[list-item]  # wrong on purpose


def test_trailers_need_chunks() -> None:
    state, ref = streaming(("content-length", "0"))
    assert reason(state.end_body(ref, [("a", "b")])) == "trailing_headers_but_not_chunked_encoding"


def test_no_other_request_while_a_body_is_streamed() -> None:
    state, ref = streaming()
    assert reason(state.request("GET", "/", [], None, False)) == "request_body_is_streaming"
    assert state.end_body(ref, []).state.request("GET", "/", [], None, False).fault is None


def test_refs_are_checked() -> None:
    state, ref = streaming()
    for other in (RequestRef(8, 1), RequestRef(7, 2), RequestRef(7, 0), RequestRef(7, -1)):
        with pytest.raises(ValueError, match="does not belong"):
            state.stream_body(other, b"x")
        with pytest.raises(ValueError, match="does not belong"):
            state.end_body(other, [])
        with pytest.raises(ValueError, match="does not belong"):
            state.body_is_open(other)
    ended = state.end_body(ref, []).state
    assert reason(ended.stream_body(ref, b"x")) == "request_is_not_streaming"
    assert reason(ended.end_body(ref, [])) == "request_is_not_streaming"
    assert reason(ended.close().state.stream_body(ref, b"x")) == "closed"
    with pytest.raises(TypeError):
        state.stream_body(ref, bytearray(b"x"))  # type: ignore[arg-type]  # wrong on purpose


def test_after_an_early_persistent_response_the_body_continues() -> None:
    state, ref = streaming()
    early = play(state, [HEAD + b"Content-Length: 2\r\n\r\nok"])
    assert (early.fault, early.done, early.body) == (None, [1], b"ok")
    assert early.state.open_request_count == 0
    assert early.state.body_is_open(ref)
    step = early.state.request("GET", "/", [], None, False)
    assert reason(step) == "request_body_is_streaming"
    after = early.state.stream_body(ref, b"x").state.end_body(ref, []).state
    assert after.request("GET", "/", [], None, False).fault is None
    assert play(after, [HEAD]).reason == "unexpected_data"
    assert play(early.state, [], eof=True).responses == []


def test_an_early_closing_response_ends_the_body() -> None:
    state, ref = streaming()
    early = play(state, [b"HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"])
    assert (early.status, early.done, early.fault) == (413, [1], None)
    assert reason(early.state.stream_body(ref, b"x")) == "closed"
    assert not early.state.body_is_open(ref)


def test_a_response_while_the_body_is_sent() -> None:
    state, ref = streaming()
    early = play(state, [HEAD + b"Content-Length: 4\r\n\r\nok"])
    step = early.state.stream_body(ref, b"x")
    assert step.fault is None
    late = play(step.state, [b"ok"])
    assert (late.body, late.done) == (b"ok", [1])
    assert late.state.body_is_open(ref)


def test_interim_answers_do_not_end_anything() -> None:
    state, ref = streaming(("expect", "100-continue"))
    going = play(state, [b"HTTP/1.1 100 Continue\r\n\r\n"])
    assert going.interim == [100]
    assert going.state.body_is_open(ref)
    state = going.state.stream_body(ref, b"x").state.end_body(ref, []).state
    final = play(state, [HEAD + b"Content-Length: 0\r\n\r\n"])
    assert final.done == [1]
    assert final.state.is_open_write


def test_a_final_answer_to_an_expectation_without_body_ends_the_connection() -> None:
    state, ref = streaming(("expect", "100-continue"))
    refused = play(state, [b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"])
    assert (refused.status, refused.done, refused.fault, refused.end) == (417, [1], None, 2)
    assert not refused.state.is_open_write
    started = state.stream_body(ref, b"x").state
    kept = play(started, [b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"])
    assert kept.state.is_open_write


def test_a_body_streamed_after_other_requests() -> None:
    state = with_requests("GET")
    step = state.request("POST", "/", [], None, True)
    ref = given(step.ref)
    answered = play(step.state, [HEAD + b"Content-Length: 1\r\n\r\na"])
    assert answered.done == [1]
    ended = answered.state.stream_body(ref, b"x").state.end_body(ref, []).state
    assert play(ended, [HEAD + b"Content-Length: 1\r\n\r\nb"]).done == [2]


def test_a_server_of_http_1_0_gets_no_chunks() -> None:
    state = with_requests()
    old = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"
    state = play(state, [old]).state
    step = state.request("POST", "/", [], None, True)
    assert reason(step) == "invalid_request_framing"
    assert state.request("POST", "/", [("content-length", "3")], None, True).fault is None
    assert reason(state.request("POST", "/", [("transfer-encoding", "chunked")], (b"x",), False))
    new = play(state.request("GET", "/", [], None, False).state, [HEAD + b"Content-Length: 0\r\n\r\n"])
    assert new.state.request("POST", "/", [], None, True).fault is None


def test_the_transport_breaks_while_a_body_is_streamed() -> None:
    state, ref = streaming()
    end = play(state, [], eof=True)
    assert end.failed == [(ref.number, "transport_closed", 1)]
    assert same_fault(end.fault, end.fault)
