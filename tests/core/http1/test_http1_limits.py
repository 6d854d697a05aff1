"""Everything that accumulates has a limit: its value is accepted, one more is a fault, however it arrives."""

from __future__ import annotations

import tracemalloc
from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from mint._core.http1 import Config, State
from tests.http1_driver import HEAD, Outcome, config, octets, play, same_fault, with_requests

if TYPE_CHECKING:
    from collections.abc import Iterable

EMPTY = b"Content-Length: 0\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SMALL = config(
    max_header_list_size=200,
    max_fields=5,
    max_status_line=40,
    max_informational=3,
    max_informational_size=300,
    max_trailer_size=50,
    max_trailer_fields=3,
    max_chunk_line=20,
)


def padded(prefix: bytes, size: int, suffix: bytes = b"\r\n") -> bytes:
    return prefix + b"x" * (size - len(prefix) - len(suffix)) + suffix


def interim(size: int) -> bytes:
    return padded(b"HTTP/1.1 103 x\r\nA: ", size, b"\r\n\r\n")


# Input that reaches the limit, input with one octet or line more, and endless input; reason, size, limit.
CASES = {
    "status line": (
        padded(b"HTTP/1.1 200 ", 40) + EMPTY,
        padded(b"HTTP/1.1 200 ", 41) + EMPTY,
        (b"HTTP/1.1 200 ", b"x"),
        ("status_line_too_long", 41, 40),
    ),
    "header section": (
        HEAD + padded(b"Content-Length: 0\r\nA: ", 200, b"\r\n\r\n"),
        HEAD + padded(b"Content-Length: 0\r\nA: ", 201, b"\r\n\r\n"),
        (HEAD + b"A: ", b"x"),
        ("max_header_list_size_exceeded", 201, 200),
    ),
    "fields": (
        HEAD + b"A: b\r\n" * 4 + EMPTY,
        HEAD + b"A: b\r\n" * 5 + EMPTY,
        (HEAD, b"A: b\r\n"),
        ("too_many_headers", 6, 5),
    ),
    "folds": (
        HEAD + b"A: b\r\n" + b" c\r\n" * 3 + EMPTY,
        HEAD + b"A: b\r\n" + b" c\r\n" * 4 + EMPTY,
        (HEAD + b"A: b\r\n", b" c\r\n"),
        ("too_many_headers", 6, 5),
    ),
    "interim responses": (
        interim(60) * 3 + HEAD + EMPTY,
        interim(60) * 4 + HEAD + EMPTY,
        (b"", interim(60)),
        ("too_many_informational", 4, 3),
    ),
    "size of interim responses": (
        interim(100) * 3 + HEAD + EMPTY,
        interim(100) * 2 + interim(101) + HEAD + EMPTY,
        (interim(100), interim(150)),
        ("too_many_informational", 301, 300),
    ),
    "trailer section": (
        CHUNKED + b"0\r\n" + padded(b"A: ", 50, b"\r\n\r\n"),
        CHUNKED + b"0\r\n" + padded(b"A: ", 51, b"\r\n\r\n"),
        (CHUNKED + b"0\r\nA: ", b"x"),
        ("max_header_list_size_exceeded", 51, 50),
    ),
    "trailer fields": (
        CHUNKED + b"0\r\n" + b"A: b\r\n" * 3 + b"\r\n",
        CHUNKED + b"0\r\n" + b"A: b\r\n" * 4 + b"\r\n",
        (CHUNKED + b"0\r\n", b"A: b\r\n"),
        ("too_many_headers", 4, 3),
    ),
    "chunk line": (
        CHUNKED + padded(b"1;", 20) + b"a\r\n0\r\n\r\n",
        CHUNKED + padded(b"1;", 21) + b"a\r\n0\r\n\r\n",
        (CHUNKED + b"1;", b"x"),
        ("chunk_line_too_long", 21, 20),
    ),
    "digits of a chunk size": (
        CHUNKED + b"0" * 15 + b"1\r\na\r\n0\r\n\r\n",
        CHUNKED + b"0" * 16 + b"1\r\na\r\n0\r\n\r\n",
        (CHUNKED, b"1"),
        None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_limits(name: str) -> None:
    fits, beyond, (start, more), wanted = CASES[name]
    assert fits
    for pieces in ([fits], octets(fits)):
        assert play(with_requests(options=SMALL), pieces).fault is None
    whole = play(with_requests(options=SMALL), [beyond])
    single = play(with_requests(options=SMALL), octets(beyond))
    assert whole.fault is not None
    assert whole.responses == single.responses
    assert same_fault(whole.fault, single.fault)
    assert whole.state == single.state
    if wanted is None:
        assert whole.reason == "invalid_chunk_size"
    else:
        assert (whole.fault.reason, whole.fault.size, whole.fault.limit) == wanted
    assert whole.end == 2
    endless = play(with_requests(options=SMALL), [start, *repeat(more, 1000)])
    assert endless.fault is not None


def endless(start: bytes, more: bytes, options: Config) -> tuple[Outcome, int]:
    """Feed endless input; return the outcome and the peak of memory."""
    state = with_requests(options=options)
    pieces: Iterable[bytes] = [start, *repeat(more, 3_000_000 // len(more))]
    tracemalloc.start()
    outcome = play(state, pieces)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return outcome, held


@pytest.mark.parametrize(
    ("start", "more", "reason"),
    [
        (b"HTTP/1.1 200 ", b"x" * 1000, "status_line_too_long"),
        (HEAD + b"A: ", b"x" * 1000, "max_header_list_size_exceeded"),
        (HEAD, b"A: b\r\n" * 100, "too_many_headers"),
        (b"", b"HTTP/1.1 100 x\r\n\r\n", "too_many_informational"),
        (CHUNKED, b"1" * 1000, "chunk_line_too_long"),
        (CHUNKED + b"1;", b"x" * 1000, "chunk_line_too_long"),
        (CHUNKED, b"1;" + b"x" * 1000 + b"\r\na\r\n", "chunk_overhead_exceeded"),
        (CHUNKED + b"0\r\nA: ", b"x" * 1000, "max_header_list_size_exceeded"),
        (CHUNKED + b"0\r\n", b"A: b\r\n" * 100, "too_many_headers"),
    ],
)
def test_endless_input_is_not_buffered(start: bytes, more: bytes, reason: str) -> None:
    outcome, held = endless(start, more, config())
    assert outcome.reason == reason
    assert held < 2_000_000


def test_chunk_overhead_must_not_exceed_the_content() -> None:
    line = b"1;" + b"x" * 1000 + b"\r\na\r\n"
    whole = play(with_requests(), [CHUNKED + line * 100])
    single = play(with_requests(), octets(CHUNKED + line * 100))
    assert whole.fault == single.fault
    assert whole.responses == single.responses
    assert whole.fault is not None
    assert (whole.fault.reason, whole.fault.limit) == ("chunk_overhead_exceeded", 16384)
    modest = b"400;" + b"x" * 1000 + b"\r\n" + b"a" * 1024 + b"\r\n"
    assert play(with_requests(), [CHUNKED + modest * 100]).fault is None
    tiny = b"1\r\na\r\n"
    assert play(with_requests(), [CHUNKED + tiny * 20_000]).fault is None


def test_the_limits_of_one_response_do_not_count_for_the_next() -> None:
    data = interim(100) * 3 + HEAD + b"A: b\r\n" * 4 + EMPTY
    outcome = play(with_requests("GET", "GET", "GET", options=SMALL), [data * 3])
    assert (outcome.fault, outcome.done) == (None, [1, 2, 3])


def test_a_long_fold_is_not_quadratic() -> None:
    data = HEAD + b"A: " + b"x" * 100_000 + b"\r\n" + b" y\r\n" * 500 + EMPTY
    outcome = play(with_requests(), [data])
    assert outcome.fault is None
    assert len(outcome.headers[0][1]) == 101_000


def test_an_invalid_start_is_reported_before_a_limit() -> None:
    options = config(max_status_line=3)
    for data in (b"HTX", b"HTTX", b"HXTTTTTT"):
        whole = play(with_requests(options=options), [data])
        single = play(with_requests(options=options), octets(data))
        assert whole.fault == single.fault
    options = config(max_status_line=20)
    for data in (b"HTTP/2.1 200 " + b"x" * 50, b"HTTP/1.1 200 " + b"x" * 50):
        for places in ([data], [data[:3], data[3:]], [data[:9], data[9:]], octets(data)):
            whole = play(with_requests(options=options), [data])
            assert play(with_requests(options=options), places).fault == whole.fault


def test_states_stay_small() -> None:
    assert State(config()).__sizeof__() < 600
