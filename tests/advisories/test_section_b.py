"""Responses that other HTTP/1.1 parsers framed wrongly, buffered without limit, or reused a connection after.

Each case has the id of its advisory. The rules are 2 to 12, 22 and 38 of test_rules.py. `answer` feeds
a response once as a whole and once octet by octet, and checks that the outcome is the same.
"""

from __future__ import annotations

import time
import tracemalloc

import pytest

import mint
from mint import errors
from mint.transport import Memory
from tests.http1_driver import HEAD, Outcome, answer, config, octets, play, with_requests

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
EMPTY = HEAD + b"Content-Length: 0\r\n\r\n"


def kept(data: bytes) -> Outcome:
    """Return the outcome of a valid response; assert that the connection can be used again."""
    outcome = answer(data)
    assert outcome.fault is None
    assert outcome.state.is_open_write
    return outcome


LENGTHS = [
    ("CVE-2026-49753", [b"+0", b"-0", b"0x0", b"0_0", b"\xd9\xa0", b'""', b"5 5", b"5;5", b""]),
    ("CVE-2021-32715", [b"+3"]),
    ("CVE-2018-7159", [b"1 2", b"1\t2"]),
    ("CVE-2023-38697", [b"+1", b"0x10", b"1e1", b"1."]),
    ("CVE-2015-5741", [b"5,6", b"5, 05 , 6"]),
    ("CVE-2025-69224", ["٣".encode(), b"\xb2", "\uff13".encode()]),
    ("h11-0.15.0", [b"1" * 10_000, b"9" * 19]),
    ("h2-4.4.0", [b"5 ,", b",5", b"5,,5"]),
]


@pytest.mark.parametrize(
    "value", [pytest.param(v, id=f"{i}-{n}") for i, vs in LENGTHS for n, v in enumerate(vs)]
)
def test_r02_a_length_is_ascii_digits(value: bytes) -> None:
    outcome = answer(HEAD + b"Content-Length: " + value + b"\r\n\r\n" + b"x" * 20)
    assert outcome.reason in {"invalid_content_length_header", "more_than_one_content_length_header"}
    assert outcome.body == b""
    assert not outcome.state.is_open_read


def test_r02_the_same_length_twice_is_one() -> None:
    kept(HEAD + b"Content-Length: 2\r\ncontent-length: 2, 2\r\n\r\nok")


CODINGS = [
    ("CVE-2015-5739", b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
    ("CVE-2015-5740", b"Content-Length: 5\r\nContent-Length: 6\r\n"),
    ("CVE-2019-16276", b"Transfer-Encoding : chunked\r\n"),
    ("CVE-2021-22959", b"Content-Length : 5\r\n"),
    ("CVE-2022-32213", b"Transfer-Encoding: chunked\r\n , identity\r\n"),
    ("CVE-2022-32215", b"Transfer-Encoding:\r\n chunked\r\n"),
    ("CVE-2022-35256", b"X: y\rTransfer-Encoding: chunked\r\n"),
    ("CVE-2023-30589", b"X:\rTransfer-Encoding: chunked\r\n"),
    ("CVE-2019-15606", b"Transfer-Encoding: \x0bchunked\r\n"),
    ("CVE-2020-8201", b"Content\rLength: 5\r\n"),
    ("CVE-2022-1705-control", b"Transfer-Encoding: chunked\x0b\r\n"),
    ("CVE-2021-21299", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    ("CVE-2026-34520", b"X: a\0b\r\n"),
    ("CVE-2023-47627", b"X\0: a\r\n"),
    ("CVE-2024-23829", b"X y: a\r\n"),
    ("CVE-2023-47641", b": a\r\n"),
    ("CVE-2022-32214", b"X: a\nY: b\r\n"),
]


@pytest.mark.parametrize("fields", [pytest.param(f, id=i) for i, f in CODINGS])
def test_r03_r06_framing_that_can_be_read_twice_is_refused(fields: bytes) -> None:
    outcome = answer(HEAD + fields + b"\r\n5\r\nhello\r\n0\r\n\r\n")
    assert outcome.fault is not None
    assert outcome.body == b""
    assert not outcome.state.is_open_read


@pytest.mark.parametrize(
    "coding",
    [
        pytest.param(b"chunkedx", id="CVE-2022-1705"),
        pytest.param(b"chunked, identity", id="CVE-2022-1705-list"),
        pytest.param(b"xchunked", id="CVE-2019-15605"),
        pytest.param(b"identity", id="CVE-2020-8287"),
    ],
)
def test_r03_content_that_is_not_chunked_last_is_read_to_the_end(coding: bytes) -> None:
    body = b"5\r\nhello\r\n0\r\n\r\n" + EMPTY
    outcome = answer(HEAD + b"Transfer-Encoding: " + coding + b"\r\n\r\n" + body, eof=True)
    assert (outcome.fault, outcome.body) == (None, body)
    assert not outcome.state.is_open_write


def test_r03_a_chunked_http_1_0_response_ends_the_connection() -> None:
    """CVE-2026-2835: a chunked HTTP/1.0 response is read, and the connection is not used again."""
    outcome = answer(
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n"
    )
    assert outcome.done == [1]
    assert not outcome.state.is_open_write


ENDS = [b"\r\n\rX", b"\n\r\n", b"\r\r\n", b"\r\n\r\r\n", b"\r\n\n", b"\n\n", b"\r\n \r\n"]


@pytest.mark.parametrize("end", ENDS)
def test_r06_only_an_empty_line_ends_a_head(end: bytes) -> None:
    """CVE-2025-23167: lines end with CRLF, and only an empty line ends the head."""
    outcome = answer(HEAD + b"Content-Length: 0" + end + b"HTTP/1.1 200 OK\r\n\r\n")
    assert outcome.fault is not None
    assert outcome.done == []


@pytest.mark.parametrize("octet", range(256))
def test_r06_each_octet_in_a_name_and_in_a_value(octet: int) -> None:
    """CVE-2023-37276, CVE-2026-34520: a name is a token, and a value contains no control except tabs."""
    mark = bytes([octet])
    token = mark.isalnum() or mark in b"!#$%&'*+-.^_`|~"
    named = play(with_requests(), [HEAD + b"a" + mark + b"b: c\r\nContent-Length: 0\r\n\r\n"])
    assert (named.fault is None) is (bool(token) or mark == b":")
    valued = play(with_requests(), [HEAD + b"a: b" + mark + b"c\r\nContent-Length: 0\r\n\r\n"])
    assert (valued.fault is None) is (octet == 9 or (octet >= 32 and octet != 127))


SIZES = [
    ("CVE-2021-32714", [b"FFFFFFFFFFFFFFFFF", b"8000000000000000", b"FFFFFFFFFFFFFFFF"]),
    ("CVE-2026-59249", [b"+5", b"-5"]),
    ("CVE-2023-38697", [b"0x5", b"5_0", "\uff15".encode(), b""]),
    ("CVE-2026-82672", [b"5 x", b"5;", b"5\x00", b"5 ", b" 5", b"5\t"]),
    ("CVE-2021-22960", [b"5;a=\x0b", b"5;\ra=b", b"5;a=b\x00"]),
]


@pytest.mark.parametrize(
    "size", [pytest.param(v, id=f"{i}-{n}") for i, vs in SIZES for n, v in enumerate(vs)]
)
def test_r04_r05_a_chunk_size_is_digits_and_extensions(size: bytes) -> None:
    outcome = answer(CHUNKED + size + b"\r\nhello\r\n0\r\n\r\n")
    assert outcome.reason == "invalid_chunk_size"
    assert outcome.body == b""


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param(b"5\nhello\r\n0\r\n\r\n", id="CVE-2025-22871"),
        pytest.param(b"5;a\nhello\r\n0\r\n\r\n", id="CVE-2024-52304"),
        pytest.param(b"5\r\nhelloXX0\r\n\r\n", id="CVE-2025-43859"),
        pytest.param(b"5\r\nhello\n0\r\n\r\n", id="lf-behind-a-chunk"),
        pytest.param(b"5\r\nhello\r\n0\n\n", id="lf-at-the-end"),
        pytest.param(b"5\rhello\r\n0\r\n\r\n", id="cr-alone"),
        pytest.param(b"0\r\nnonsense\r\n\r\n", id="CVE-2025-53643"),
        pytest.param(b"0\r\n: x\r\n\r\n", id="CVE-2018-1000005"),
        pytest.param(b"0\r\nGET / HTTP/1.1\r\n\r\n", id="trailers-that-are-a-request"),
    ],
)
@pytest.mark.parametrize("lenient", [False, True])
def test_r05_r38_chunks_end_in_crlf_and_trailers_are_fields(chunks: bytes, *, lenient: bool) -> None:
    outcome = answer(CHUNKED + chunks, options=config(lenient=lenient))
    if lenient and chunks.endswith(b"\n\n"):
        assert outcome.fault is not None or outcome.done == [1]
        return
    assert outcome.fault is not None
    assert outcome.done == []


GOOD = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n"
    b"5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nt: 1\r\n\r\n"
)


@pytest.mark.parametrize("place", range(len(GOOD)))
def test_r05_each_octet_replaced_removed_and_doubled(place: int) -> None:
    """If one octet is replaced, removed or doubled, the outcome is the same whole and octet by octet."""
    for octet in b"\r\n\0 ;:0aA\x80":
        answer(GOOD[:place] + bytes([octet]) + GOOD[place + 1 :])
    answer(GOOD[:place] + GOOD[place + 1 :])
    answer(GOOD[:place] + GOOD[place : place + 1] + GOOD[place:])


@pytest.mark.parametrize("place", range(len(GOOD)))
def test_r12_a_response_truncated_anywhere_is_incomplete(place: int) -> None:
    """RFC 9112 8: a truncated response is an error after its content; the connection is not used again."""
    for clean in (True, False):
        outcome = answer(GOOD[:place], eof=clean)
        assert outcome.fault is not None
        assert outcome.done == []
        assert [number for number, _, _ in outcome.failed] == [1]
        assert not outcome.state.is_open_write
        assert b"hello!".startswith(outcome.body)


ENDLESS = [
    ("CVE-2026-82728-reason", b"HTTP/1.1 200 ", b"x" * 4096, "status_line_too_long"),
    ("CVE-2026-82728-extension", CHUNKED + b"5;", b"x" * 4096, "chunk_line_too_long"),
    ("CVE-2026-82729", CHUNKED, b"1" * 4096, "chunk_line_too_long"),
    ("CVE-2026-58229-headers", HEAD, b"a: " + b"x" * 4091 + b"\r\n", "max_header_list_size_exceeded"),
    ("CVE-2026-58229-trailers", CHUNKED + b"0\r\n", b"a: bcd\r\n", "too_many_headers"),
    ("GHSA-r53j-fjj5-mv77", CHUNKED + b"0\r\na: ", b"x" * 4096, "max_header_list_size_exceeded"),
    ("CVE-2023-38039", HEAD, b"a: b\r\n", "too_many_headers"),
    ("CVE-2021-31525", HEAD + b"a: ", b"x" * 4096, "max_header_list_size_exceeded"),
    ("CVE-2023-24534", HEAD, b"a:\r\n", "too_many_headers"),
    ("CVE-2023-39326", CHUNKED, b"1;" + b"x" * 2000 + b"\r\na\r\n", "chunk_overhead_exceeded"),
    ("CVE-2026-22815", CHUNKED + b"0\r\n", b"a: " + b"x" * 4000 + b"\r\n", "max_header_list_size_exceeded"),
    ("CVE-2021-3737", b"", b"HTTP/1.1 100 Continue\r\n\r\n", "too_many_informational"),
    ("CVE-2021-3737-fields", b"HTTP/1.1 100 Continue\r\n", b"a: b\r\n", "too_many_headers"),
    ("folds", HEAD + b"a: b\r\n", b" c\r\n", "too_many_headers"),
]


@pytest.mark.parametrize(("start", "more", "reason"), [pytest.param(s, m, r, id=i) for i, s, m, r in ENDLESS])
def test_r07_endless_input_is_an_error(start: bytes, more: bytes, reason: str) -> None:
    """With the default limits, memory stays bounded, whether lines arrive whole or in pieces."""
    for size in (len(more), 7):
        link = Memory()
        conn = mint.http1.initiate(link, scheme="http", hostname="example.org", port=80)
        conn, ref = conn.request("GET", "/")
        link.put(start)
        caught: errors.HTTPError | None = None
        fed = 0
        tracemalloc.start()
        while caught is None and fed < 4_000_000:
            for at in range(0, len(more), size):
                link.put(more[at : at + size])
                fed += size
                try:
                    conn, _ = conn.recv()
                except errors.HTTPError as error:
                    caught = error
                    break
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert caught is not None
        assert caught.reason == reason
        assert caught.processed is mint.Processed.YES
        assert peak < 2_000_000
        failed = caught.responses[-1]
        assert isinstance(failed, mint.RequestFailed)
        assert failed.ref == ref


@pytest.mark.parametrize(
    ("start", "limit", "reason"),
    [
        (b"HTTP/1.1 200 ", 8_192, "status_line_too_long"),
        (HEAD + b"a: ", 262_144, "max_header_list_size_exceeded"),
        (CHUNKED + b"5;a=", 4_096, "chunk_line_too_long"),
        (CHUNKED + b"0\r\na: ", 16_384, "max_header_list_size_exceeded"),
    ],
)
def test_r07_a_limit_applies_to_the_whole_line(start: bytes, limit: int, reason: str) -> None:
    """CVE-2026-54277: a limit applies equally to a line that arrives octet by octet and to one at once."""
    single = play(with_requests(), octets(start + b"x" * (limit + 2)))
    assert single.reason == reason
    assert play(with_requests(), [start + b"x" * (limit + 2)]).fault == single.fault
    inner = start.rpartition(b"\r\n")[2]
    assert play(with_requests(), octets(start + b"x" * (limit - len(inner) - 3))).fault is None


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(HEAD + b"Content-Length: %d\r\n\r\n" % 2**40, id="CVE-2025-13836"),
        pytest.param(CHUNKED + b"7fffffff\r\n", id="CVE-2026-56810"),
    ],
)
def test_r08_nothing_is_allocated_for_what_is_announced(head: bytes) -> None:
    state = play(with_requests(), [head]).state
    tracemalloc.start()
    got = 0
    for _ in range(1_000):
        step = state.feed(b"x" * 1_000)
        state = step.state
        got += sum(len(each.data) for each in step.responses if hasattr(each, "data"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert got == 1_000_000
    assert peak < 100_000


def seconds(data: bytes, *, single: bool) -> float:
    best = 1e9
    pieces = octets(data) if single else [data]
    for _ in range(3):
        begun = time.process_time()
        play(with_requests(options=config(max_chunk_line=1 << 30)), pieces)
        best = min(best, time.process_time() - begun)
    return best


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize(
    ("start", "more"),
    [
        pytest.param(CHUNKED, b"0", id="CVE-2026-82729"),
        pytest.param(CHUNKED, b"1\r\na\r\n", id="CVE-2025-69229"),
        pytest.param(CHUNKED + b"5;", b"x", id="GHSA-32p9-57cr-4x65"),
        pytest.param(HEAD + b"a: ", b" \t", id="CVE-2020-11078"),
        pytest.param(HEAD + b"a: ", b"x", id="CVE-2023-43669"),
    ],
)
def test_r09_work_is_linear(start: bytes, more: bytes, *, single: bool) -> None:
    """Sixteen times the input may take 64 times as long; with quadratic work it would take 256 times."""
    size = 1_000 if single else 10_000
    assert (
        seconds(start + more * 16 * size, single=single)
        < 64 * seconds(start + more * size, single=single) + 0.1
    )


def test_r10_a_switch_that_was_not_offered_is_refused() -> None:
    """GHSA-2j82-37xg-f9wp: 101 after a plain GET, or with a protocol that was not offered."""
    switch = b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: "
    assert answer(switch + b"websocket\r\n\r\nraw").reason == "unexpected_upgrade"
    offered = [("upgrade", "websocket"), ("connection", "upgrade")]
    assert answer(switch + b"h2c\r\n\r\nraw", headers=offered).reason == "unexpected_upgrade"
    outcome = answer(switch + b"websocket\r\n\r\nraw", headers=offered)
    assert (outcome.fault, outcome.body) == (None, b"raw")


def test_r10_nothing_is_sent_in_the_new_protocol_before_the_switch() -> None:
    """CVE-2026-2833, CVE-2026-69243: no content can be sent before 101 was received."""
    link = Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="example.org", port=80)
    conn, ref = conn.request("GET", "/", [("upgrade", "websocket"), ("connection", "upgrade")])
    link.take()
    with pytest.raises((errors.RequestIsNotStreaming, errors.UnknownRequestToStream)):
        conn.stream_request_body(ref, b"frame")
    assert link.take() == b""


@pytest.mark.parametrize("extra", [EMPTY, b"\r\n", b"x", b"\0"])
@pytest.mark.parametrize("apart", [False, True])
def test_r11_octets_on_an_idle_connection_are_no_response(extra: bytes, *, apart: bool) -> None:
    """CVE-2026-6733: a second response must not be taken for the response to the next request."""
    link = Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="example.org", port=80)
    conn, ref = conn.request("GET", "/")
    link.put(EMPTY if apart else EMPTY + extra)
    if apart:
        conn, responses = conn.recv()
        link.put(extra)
    else:
        responses = []
    with pytest.raises(errors.UnexpectedData) as caught:
        conn.recv()
    responses += caught.value.responses
    assert responses == [mint.Status(ref, 200), mint.Headers(ref, (("content-length", "0"),)), mint.Done(ref)]
    dead = conn.after(caught.value)
    assert not dead.is_open("write")
    link.take()
    with pytest.raises(errors.HTTPError):
        dead.request("GET", "/")
    assert link.take() == b""


POISON = [
    ("CVE-2020-26281", HEAD + b"Content-Length: 9\r\n\r\nhalf"),
    ("close", HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n"),
    ("old", b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("until-close", HEAD + b"\r\nall of it"),
    ("both-framings", HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    ("unknown-coding", HEAD + b"Transfer-Encoding: gzip\r\n\r\n"),
    ("half-a-chunk", CHUNKED + b"5\r\nhe"),
    ("half-a-head", HEAD + b"a"),
]


@pytest.mark.parametrize("data", [pytest.param(d, id=i) for i, d in POISON])
def test_r12_after_an_irregular_end_nothing_is_sent(data: bytes) -> None:
    """Unless a response ended regularly, the connection sends no request after it."""
    outcome = answer(data, eof=True)
    assert not outcome.state.is_open_write
    step = outcome.state.request("GET", "/", [], None, False)
    assert step.fault is not None
    assert step.fault.reason == "closed"
    assert (step.fault.local, step.output) == (True, ())


@pytest.mark.parametrize("status", [200, 401, 417])
def test_r12_a_final_response_instead_of_100_ends_the_connection(status: int) -> None:
    """CVE-2024-24791: the body was not sent, so the server could read the next request as the body."""
    state = with_requests("POST", headers=[("expect", "100-continue")], streaming=True)
    outcome = play(state, [b"HTTP/1.1 %d x\r\nContent-Length: 0\r\n\r\n" % status])
    assert outcome.done == [1]
    assert not outcome.state.is_open_write


def test_r22_buffers_may_change_after_the_call() -> None:
    """Change 12265 of aiohttp: a buffer of the caller is not read after the call."""
    buffer = bytearray(HEAD + b"Content-Length: 10\r\n\r\nhello")
    link = Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="example.org", port=80)
    conn, ref = conn.request("GET", "/")
    link.put(bytes(buffer))
    conn, responses = conn.recv()
    buffer[:] = b"\0" * len(buffer)
    assert responses[-1] == mint.Data(ref, b"hello")
    link.take()
    other, sent = Memory(), bytearray(b"content")
    conn = mint.http1.initiate(other, scheme="http", hostname="example.org", port=80)
    conn, _ = conn.request("POST", "/", (), sent, flush=False)
    sent[:] = b"changed"
    assert other.take().endswith(b"\r\n\r\ncontent")


@pytest.mark.parametrize("place", range(len(GOOD) + 1))
def test_r22_wrong_octets_at_any_offset_are_a_typed_error(place: int) -> None:
    """CVE-2026-69244: wrong octets at any offset cause a typed error with a short message."""
    outcome = answer(GOOD[:place] + b"\xff\x00\r\xfe" + GOOD[place:])
    if outcome.fault is not None:
        error = errors.table.from_fault(outcome.fault)
        assert isinstance(error, errors.HTTPError)
        assert len(str(error)) < 500
