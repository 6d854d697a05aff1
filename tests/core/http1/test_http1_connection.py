"""The state of the connection: persistence, pipelining, interim responses, tunnels, and its end."""

from __future__ import annotations

import pytest

from mint._core.events import CLOSE, KEEP, SHUT_WRITE, Data, Done, Headers
from mint._core.faults import Fault
from mint._core.http1 import State
from tests.http1_driver import HEAD, answer, config, given, play, with_requests
from tests.refs import ref_of

EMPTY = b"Content-Length: 0\r\n\r\n"
WEBSOCKET = [("Upgrade", "websocket"), ("Connection", "upgrade")]
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


@pytest.mark.parametrize(
    ("version", "lines", "kept"),
    [
        (b"1.1", b"", True),
        (b"1.2", b"", True),
        (b"1.1", b"Connection: close\r\n", False),
        (b"1.1", b"Connection: Keep-Alive\r\nConnection: CLOSE\r\n", False),
        (b"1.1", b"Connection: ,,close,\r\n", False),
        (b"1.1", b"Connection: x-y, close\r\n", False),
        (b"1.1", b"Connection: closed\r\n", True),
        (b"1.1", b"Connection:\r\n", True),
        (b"1.1", b"Keep-Alive: timeout=5\r\n", True),
        (b"1.0", b"", False),
        (b"1.0", b"Connection: keep-alive\r\n", True),
        (b"1.0", b"Connection: close, keep-alive\r\n", False),
    ],
)
def test_persistence(version: bytes, lines: bytes, *, kept: bool) -> None:
    outcome = answer(b"HTTP/" + version + b" 200 OK\r\n" + lines + EMPTY)
    assert outcome.done == [1]
    assert outcome.fault is None
    assert outcome.state.is_open_write is kept
    assert outcome.end == (KEEP if kept else CLOSE)


def test_http_1_0_does_not_persist_through_a_proxy() -> None:
    head = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + EMPTY
    assert not answer(head, options=config(forward_proxy=True)).state.is_open_write


def test_chunks_in_http_1_0_are_decoded_and_end_the_connection() -> None:
    head = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
    outcome = answer(head + b"1\r\na\r\n0\r\n\r\n")
    assert (outcome.body, outcome.done, outcome.end) == (b"a", [1], CLOSE)


def test_lenient_connections_prefer_chunked_to_a_length_and_close() -> None:
    head = HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    outcome = answer(head + b"1\r\na\r\n0\r\n\r\n", options=config(lenient=True))
    assert (outcome.body, outcome.done, outcome.end) == (b"a", [1], CLOSE)


def test_lenient_connections_ignore_invalid_connection_options() -> None:
    outcome = answer(HEAD + b"Connection: a b\r\n" + EMPTY, options=config(lenient=True))
    assert outcome.fault is None


def test_a_field_of_commas_takes_linear_time() -> None:
    outcome = play(with_requests(), [HEAD + b"Connection: " + b"," * 100_000 + b"close\r\n" + EMPTY])
    assert not outcome.state.is_open_write


def test_pipelined_responses_come_in_order() -> None:
    data = (
        HEAD + b"Content-Length: 1\r\n\r\na"
        b"HTTP/1.1 103 x\r\nlink: l\r\n\r\n"
        + HEAD
        + b"Content-Length: 7\r\n\r\n"
        + HEAD
        + b"Transfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\n"
    )
    outcome = answer(data, "GET", "HEAD", "GET")
    assert outcome.done == [1, 2, 3]
    assert outcome.interim == [103]
    assert outcome.body == b"ac"
    assert outcome.state.open_request_count == 0
    assert outcome.state.is_open_write


def test_requests_after_a_closing_response_fail() -> None:
    outcome = answer(HEAD + b"Connection: close\r\n" + EMPTY + HEAD, "GET", "GET", "GET")
    assert outcome.done == [1]
    assert outcome.failed == [(2, "closed", 0), (3, "closed", 0)]
    assert (outcome.fault, outcome.end) == (None, CLOSE)


def test_a_close_the_caller_sent_is_remembered() -> None:
    state = with_requests(headers=[("Connection", "close")])
    outcome = play(state, [HEAD + EMPTY])
    assert (outcome.done, outcome.end) == ([1], CLOSE)
    assert not outcome.state.is_open_write


def test_a_fault_fails_every_open_request() -> None:
    outcome = answer(HEAD + EMPTY + b"nonsense", "GET", "GET", "GET")
    assert outcome.done == [1]
    assert outcome.failed == [(2, "invalid_status_line", 1), (3, "closed", 1)]


def test_an_invalid_status_line_does_not_prove_that_a_request_was_processed() -> None:
    """Content that follows a response without content is not a response to the next request."""
    surplus = b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello"
    assert answer(surplus, "GET", "POST").failed == [(2, "invalid_status_line", 1)]
    assert answer(b"SSH-2.0-x\r\n").failed == [(1, "invalid_status_line", 1)]
    assert answer(b"HTTP/1.1 99 x\r\n").failed == [(1, "invalid_status_line", 2)]
    assert answer(b"HTTP/1.1 103 x\r\n\r\nhello").failed == [(1, "invalid_status_line", 2)]


def test_after_a_fault_nothing_is_read() -> None:
    closed = answer(b"nonsense").state
    step = closed.feed(HEAD)
    assert (step.responses, step.fault, step.state) == ([], None, closed)
    assert closed.feed_eof(True).responses == []


@pytest.mark.parametrize("status", [b"100", b"102", b"103", b"199"])
def test_interim_responses(status: bytes) -> None:
    head = b"HTTP/1.1 " + status + b" x\r\nA: b\r\nContent-Length: x\r\nConnection: close\r\n\r\n"
    outcome = answer(head * 3 + HEAD + EMPTY)
    assert outcome.interim == [int(status)] * 3
    assert outcome.kinds[3:] == ["Status", "Headers", "Done"]
    assert outcome.state.is_open_write


def test_octets_without_an_open_request() -> None:
    state = State(config())
    step = state.feed(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    assert step.fault is not None
    assert (step.fault.reason, step.fault.value) == (
        "unexpected_data",
        "HTTP/1.1 408 Request Timeout\r\n\r\n",
    )
    assert step.end == CLOSE
    assert step.responses == []


def test_an_upgrade_becomes_a_tunnel() -> None:
    state = with_requests(headers=WEBSOCKET)
    outcome = play(state, [SWITCHED + b"first"])
    assert outcome.kinds == ["Status", "Headers", "Data"]
    assert (outcome.status, outcome.body) == (101, b"first")
    tunnel = outcome.state
    ref = ref_of(outcome.responses[0])
    assert tunnel.is_tunnel
    assert tunnel.open_request_count == 1
    step = tunnel.stream_body(ref, b"out")
    assert step.output == (b"out",)
    assert step.state is tunnel
    assert tunnel.feed(b"in").responses == [Data(ref, b"in")]
    refusal = tunnel.request("GET", "/", [], None, False).fault
    assert refusal is not None
    assert refusal.reason == "closed_for_writing"


def test_each_direction_of_a_tunnel_ends_on_its_own() -> None:
    tunnel = play(with_requests("CONNECT"), [HEAD + b"\r\n"])
    ref = ref_of(tunnel.responses[0])
    assert tunnel.state.body_is_open(ref)
    assert not tunnel.state.is_open_write
    mute = tunnel.state.end_body(ref, [])
    assert (mute.end, mute.output) == (SHUT_WRITE, ())
    assert mute.state.is_open_read
    assert not mute.state.is_open_write
    assert not mute.state.body_is_open(ref)
    assert mute.state.feed(b"x").responses == [Data(ref, b"x")]
    over = mute.state.feed_eof(True)
    assert (over.responses, over.end) == ([Done(ref)], CLOSE)

    deaf = tunnel.state.feed_eof(True)
    assert (deaf.responses, deaf.end) == ([Done(ref)], KEEP)
    assert deaf.state.open_request_count == 0
    assert not deaf.state.is_open_read
    assert not deaf.state.is_open_write  # no request follows a tunnel
    assert deaf.state.body_is_open(ref)
    assert deaf.state.feed(b"late").responses == []
    assert deaf.state.feed_eof(True).responses == []
    assert deaf.state.stream_body(ref, b"x").output == (b"x",)
    assert deaf.state.end_body(ref, []).end == CLOSE


def test_a_tunnel_has_no_trailers_and_needs_a_clean_end_of_tls() -> None:
    tunnel = play(with_requests("CONNECT"), [HEAD + b"\r\n"])
    ref = ref_of(tunnel.responses[0])
    step = tunnel.state.end_body(ref, [("a", "b")])
    assert step.fault is not None
    assert step.fault.reason == "trailing_headers_but_not_chunked_encoding"
    cut = tunnel.state.feed_eof(False)
    assert cut.fault is not None
    assert cut.fault.reason == "tls_truncated"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 299 OK\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n",
    ],
)
def test_connect(head: bytes) -> None:
    outcome = answer(head + b"raw", "CONNECT")
    assert (outcome.body, outcome.fault, outcome.end) == (b"raw", None, KEEP)
    assert outcome.state.is_tunnel


def test_connect_refused_is_a_response() -> None:
    outcome = answer(b"HTTP/1.1 407 x\r\nContent-Length: 2\r\n\r\nno", "CONNECT")
    assert (outcome.status, outcome.body, outcome.done) == (407, b"no", [1])
    assert not outcome.state.is_tunnel
    assert outcome.state.is_open_write


def test_nothing_is_sent_after_a_request_for_a_tunnel() -> None:
    for state in (with_requests("CONNECT"), with_requests(headers=WEBSOCKET)):
        step = state.request("GET", "/", [], None, False)
        assert step.fault is not None
        assert step.fault.reason == "closed_for_writing"
    declined = play(with_requests(headers=WEBSOCKET), [HEAD + EMPTY]).state
    assert declined.request("GET", "/", [], None, False).fault is None


@pytest.mark.parametrize(
    ("asked_for", "lines"),
    [
        ([], b"Upgrade: websocket\r\n"),
        (WEBSOCKET, b""),
        (WEBSOCKET, b"Upgrade: h2c\r\n"),
        (WEBSOCKET, b"Upgrade: websocket, h2c\r\n"),
        (WEBSOCKET, b"Upgrade: web socket\r\n"),
        (WEBSOCKET, b"Upgrade:\r\n"),
    ],
)
def test_only_offered_protocols(asked_for: list[tuple[str, str]], lines: bytes) -> None:
    outcome = answer(b"HTTP/1.1 101 x\r\n" + lines + b"\r\n", headers=asked_for)
    assert outcome.reason == "unexpected_upgrade"
    assert "Headers" not in outcome.kinds


def test_any_offered_protocol_in_any_case() -> None:
    offered = [("Upgrade", "HTTP/2.0, IRC/6.9, WebSocket")]
    for chosen in (b"websocket", b"irc/6.9"):
        outcome = answer(b"HTTP/1.1 101 x\r\nUpgrade: " + chosen + b"\r\n\r\n", headers=offered)
        assert outcome.state.is_tunnel


def test_no_switch_before_the_request_is_complete() -> None:
    state = State(config()).request("POST", "/", WEBSOCKET, None, True).state
    assert play(state, [SWITCHED]).reason == "unexpected_upgrade"


def test_closing_drops_every_request() -> None:
    step = with_requests("GET", "GET").close()
    assert (step.responses, step.output, step.fault, step.end) == ([], (), None, CLOSE)
    assert step.state.open_request_count == 0
    assert not step.state.is_open_read
    assert not step.state.is_open_write


def test_losing_the_transport_fails_every_request() -> None:
    broken = Fault("transport_reset", processed=1)
    step = with_requests("GET", "GET").lose(broken)
    assert step.fault == broken
    assert [(ref_of(r).number, r.fault.processed) for r in step.responses if hasattr(r, "fault")] == [
        (1, 1),
        (2, 1),
    ]
    started = play(with_requests("GET", "GET"), [b"HTTP"]).state.lose(Fault("transport_reset", processed=0))
    assert [
        (ref_of(r).number, r.fault.reason, r.fault.processed)
        for r in started.responses
        if hasattr(r, "fault")
    ] == [(1, "transport_reset", 2), (2, "transport_reset", 0)]
    assert started.end == CLOSE
    assert started.state.lose(broken).responses == []


def test_an_idle_end_is_no_fault() -> None:
    for clean in (True, False):
        step = State(config()).feed_eof(clean)
        assert (step.fault, step.responses, step.end) == (None, [], CLOSE)


SECRETIVE = config(sensitive=frozenset({"x-key"}))


@pytest.mark.parametrize(
    "headers",
    [[("X-Key", "hunter2\n")], [("a", "b"), ("x-key", "hunter2 ")]],
)
def test_a_secret_of_the_caller_is_not_repeated(headers: list[tuple[str, str]]) -> None:
    state = State(SECRETIVE)
    refused = state.request("GET", "/", headers, None, False).fault
    assert refused is not None
    assert (refused.name.lower(), refused.value) == ("x-key", "")
    streamed = state.request("POST", "/", [], None, True)
    refused = streamed.state.end_body(given(streamed.ref), headers).fault
    assert refused is not None
    assert (refused.name.lower(), refused.value) == ("x-key", "")
    came = state.request("GET", "/", [], None, False).state.feed(HEAD + b"X-Key : hunter2\r\n")
    assert came.fault is not None
    assert "hunter2" not in repr(came.fault)


def test_a_secret_of_the_caller_is_in_no_note_and_in_no_trace() -> None:
    state = State(SECRETIVE).traced(True)
    step = state.request("GET", "/", [("X-Key", "hunter2")], None, False)
    came = step.state.feed(
        b"HTTP/1.1 103 x\r\nx-key: hunter2\r\n\r\n" + HEAD + b"x-key: hunter2\r\n"
        b"transfer-encoding: chunked\r\n\r\n0\r\nX-Key: hunter2\r\n\r\n"
    )
    streamed = came.state.request("POST", "/", [], None, True)
    ended = streamed.state.end_body(given(streamed.ref), [("x-key", "hunter2")])
    texts = [note.text for each in (step, came, ended) for note in each.notes]
    assert texts.count("x-key: (redacted)") == 5
    assert not any("hunter2" in text for text in texts)
    # RFC 9110 9.3.8: a TRACE request contains no sensitive fields.
    assert state.request("TRACE", "/", [("x-key", "hunter2")], None, False).fault is not None
    assert state.request("TRACE", "/", [("x-other", "hunter2")], None, False).fault is None


def test_a_secret_of_the_caller_is_not_kept() -> None:
    state = State(SECRETIVE)
    kept = []
    for _ in range(4):
        state = state.request("GET", "/", [], None, False).state
        head = HEAD + b"x-key: hunter2\r\nx-other: hunter2\r\ncontent-length: 0\r\n\r\n"
        step = state.feed(head)
        state = step.state
        kept += [response.headers for response in step.responses if isinstance(response, Headers)]
    assert kept[2][0] == kept[3][0] == ("x-key", "hunter2")
    assert kept[2][0] is not kept[3][0]
    assert kept[2][1] is kept[3][1]
    assert State(SECRETIVE) != State(config())


def test_notes_describe_messages_without_secrets() -> None:
    state = State(config(status_reason=True)).traced(True)
    assert state.is_traced
    assert state == State(config(status_reason=True))
    fields = [("Authorization", "s3cret"), ("x", "y" * 1000)]
    step = state.request("POST", "/", fields, (b"abc",), False)
    texts = [note.text for note in step.notes]
    assert texts[0] == "POST / HTTP/1.1"
    assert "authorization: (redacted)" in texts
    assert texts[-1] == "(3 octets of body)"
    assert all(note.outgoing for note in step.notes)
    assert max(map(len, texts)) < 500
    came = step.state.feed(
        b"HTTP/1.1 103 x\r\nlink: \xe4\xff\x80\r\n\r\n" + HEAD + b"Set-Cookie: s3cret\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nt: r\r\n\r\n"
    )
    texts = [note.text for note in came.notes]
    assert texts == [
        "HTTP/1.1 103",
        "link: \\xe4\\xff\\x80",
        "HTTP/1.1 200",
        "reason: OK",
        "set-cookie: (redacted)",
        "transfer-encoding: chunked",
        "(2 octets of body)",
        "t: r",
        "(response complete)",
    ]
    assert not any(note.outgoing for note in came.notes)
    assert state.traced(False).request("GET", "/", [], None, False).notes == ()
    streamed = state.request("POST", "/", [], None, True)
    ref = given(streamed.ref)
    assert [n.text for n in streamed.state.stream_body(ref, b"ab").notes] == ["(2 octets of body)"]
    assert streamed.state.end_body(ref, [("t", "r")]).notes
    failed = streamed.state.feed(b"nonsense")
    assert [n.text for n in failed.notes] == ["(failed: invalid_status_line)"]
    assert streamed.state.feed_eof(True).notes
    many = b"".join(b"n%d: v\r\n" % i for i in range(400))
    assert len(step.state.feed(HEAD + many + EMPTY).notes) < 300
