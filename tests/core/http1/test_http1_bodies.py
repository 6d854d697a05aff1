"""Where content ends: the table of framing rules, chunks, trailers, and the end of input."""

from __future__ import annotations

import pytest

from mint._core.events import Data
from mint._core.http1_framing import BODIES, BODY_RULES, FACTS
from tests.http1_driver import HEAD, LENIENT, answer, config, cut, play, with_requests
from tests.refs import ref_of

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def test_the_table_is_complete_and_its_last_row_matches_everything() -> None:
    assert BODY_RULES[-1][:2] == ((), ())
    for looked, wanted, body, final, rule in BODY_RULES:
        assert set(wanted) <= set(looked) <= set(FACTS)
        assert body in BODIES
        assert isinstance(final, bool)
        assert rule.startswith("91")


@pytest.mark.parametrize(
    ("method", "status", "fields"),
    [
        ("HEAD", b"200", b"Content-Length: 10"),
        ("HEAD", b"200", b"Transfer-Encoding: chunked"),
        ("HEAD", b"200", b"Transfer-Encoding: chunked\r\nContent-Length: 10"),
        ("GET", b"204", b"Content-Length: 10"),
        ("GET", b"204", b"Transfer-Encoding: chunked"),
        ("GET", b"304", b"Content-Length: 10"),
        ("GET", b"304", b"Transfer-Encoding: chunked\r\nContent-Length: 10"),
    ],
)
def test_responses_without_content(method: str, status: bytes, fields: bytes) -> None:
    head = b"HTTP/1.1 " + status + b" x\r\n" + fields + b"\r\n\r\n"
    outcome = answer(head + HEAD + b"Content-Length: 2\r\n\r\nok", method, "GET")
    assert outcome.kinds == ["Status", "Headers", "Done", "Status", "Headers", "Data", "Done"]
    assert outcome.body == b"ok"


def test_a_length_is_counted() -> None:
    outcome = answer(HEAD + b"content-length: 5\r\n\r\nhello")
    assert (outcome.body, outcome.done, outcome.end) == (b"hello", [1], 0)
    assert outcome.state.is_open_write


def test_an_empty_body() -> None:
    assert answer(HEAD + b"Content-Length: 000\r\n\r\n").kinds == ["Status", "Headers", "Done"]


def test_content_that_is_the_whole_input_is_not_copied() -> None:
    state = play(with_requests(), [HEAD + b"Content-Length: 200000\r\n\r\n"]).state
    piece = bytes(65536)
    (data,) = state.feed(piece).responses
    assert isinstance(data, Data)
    assert data.data is piece
    state = play(with_requests(), [CHUNKED + b"fffff\r\n"]).state
    (data,) = state.feed(piece).responses
    assert isinstance(data, Data)
    assert data.data is piece


def test_a_declared_size_allocates_nothing() -> None:
    for head in (HEAD + b"Content-Length: 999999999999999999\r\n\r\n", CHUNKED + b"7fffffffffffffff\r\n"):
        outcome = play(with_requests(), [head + b"x"])
        assert (outcome.body, outcome.fault) == (b"x", None)


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (b"Content-Length: 5", b"12345"),
        (b"Content-Length:   5  ", b"12345"),
        (b"Content-Length: 0005", b"12345"),
        (b"Content-Length: 5, 5", b"12345"),
        (b"Content-Length: 5 ,\t5", b"12345"),
        (b"Content-Length: 5\r\nContent-Length: 5", b"12345"),
        (b"Transfer-Encoding: gzip, chunked", b"1"),
        (b"Transfer-Encoding: gzip\r\ntransfer-encoding: Chunked", b"1"),
        (b"Transfer-Encoding: ,,chunked,", b"1"),
    ],
)
def test_framing_fields(lines: bytes, body: bytes) -> None:
    raw = b"12345" if lines.startswith(b"Content") else b"1\r\n1\r\n0\r\n\r\n"
    outcome = answer(HEAD + lines + b"\r\n\r\n" + raw)
    assert (outcome.body, outcome.done, outcome.fault) == (body, [1], None)
    assert outcome.state.is_open_write


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        *[
            (b"Content-Length: " + value, "invalid_content_length_header")
            for value in (
                b"",
                b"+5",
                b"-0",
                b"0x5",
                b"5_0",
                b"\xd9\xa5",
                b"5 5",
                b"5\xa0",
                b"5;5",
                b"1e3",
                b"5,",
                b",5",
                b"9" * 19,
                b"1" * 4400,
            )
        ],
        (b"Content-Length: 5, 6", "more_than_one_content_length_header"),
        (b"Content-Length: 5\r\nContent-Length: 6", "more_than_one_content_length_header"),
        (b"Transfer-Encoding:", "empty_token_list"),
        (b"Transfer-Encoding: ,", "empty_token_list"),
        (b"Transfer-Encoding: chunked;q=1", "invalid_token_list"),
        (b"Transfer-Encoding: \x0bchunked", "invalid_header"),
        (b"Transfer-Encoding: \xa0chunked", "invalid_token_list"),
        (b'Transfer-Encoding: "chunked"', "invalid_token_list"),
        (b"Transfer-Encoding: chunked, chunked", "invalid_token_list"),
        (b"Transfer-Encoding: chunked, gzip, chunked", "invalid_token_list"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "invalid_token_list"),
        (b"Connection: a b", "invalid_token_list"),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "transfer_encoding_and_content_length"),
        (b"Content-Length: 5\r\nTransfer-Encoding: x\r\n", "transfer_encoding_and_content_length"),
    ],
)
def test_faulty_framing(lines: bytes, reason: str) -> None:
    outcome = answer(HEAD + lines + b"\r\n\r")  # a line that begins with a blank would be folded
    assert outcome.reason == reason
    assert outcome.failed == [(1, reason, 2)]


@pytest.mark.parametrize("coding", [b"gzip", b"xchunked", b"identity", b"chunked, gzip", b"chunkedx"])
def test_codings_that_do_not_end_in_chunked_read_until_close(coding: bytes) -> None:
    outcome = answer(HEAD + b"Transfer-Encoding: " + coding + b"\r\n\r\n5\r\nab", eof=True)
    assert (outcome.body, outcome.done, outcome.end) == (b"5\r\nab", [1], 2)


def test_until_close() -> None:
    outcome = answer(HEAD + b"\r\nabc", eof=True)
    assert (outcome.body, outcome.done, outcome.fault, outcome.end) == (b"abc", [1], None, 2)
    assert not outcome.state.is_open_write


def test_until_close_needs_a_clean_end_of_tls() -> None:
    outcome = answer(HEAD + b"\r\nabc", eof=False)
    assert (outcome.body, outcome.reason) == (b"abc", "tls_truncated")
    assert outcome.failed == [(1, "tls_truncated", 2)]


def test_a_complete_response_needs_no_clean_end() -> None:
    for body in (b"Content-Length: 1\r\n\r\na", b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"):
        outcome = answer(HEAD + body, eof=False)
        assert (outcome.body, outcome.done, outcome.fault) == (b"a", [1], None)


def test_chunks_of_one_read_are_one_piece() -> None:
    step = with_requests().feed(CHUNKED + b"5\r\nhello\r\n1\r\n \r\n5;x=y\r\nworld\r\n0\r\n\r\n")
    assert [type(r).__name__ for r in step.responses] == ["Status", "Headers", "Data", "Done"]
    assert step.responses[2] == Data(ref_of(step.responses[0]), b"hello world")


@pytest.mark.parametrize(
    "line",
    [
        b"5", b"05", b"0000000000000005", b"5;a", b"5;a=b", b'5;a="b;c"', b'5 ; a = "b\\"c"', b"5\t;a",
        b"5;a;b=c;d", b'5;a=""', b"5;a =b", b'5;a="\xe4\t"', b"5;a; b",
    ],
)  # fmt: skip
def test_chunk_lines(line: bytes) -> None:
    outcome = answer(CHUNKED + line + b"\r\nhello\r\n0\r\n\r\n")
    assert (outcome.body, outcome.done, outcome.fault) == (b"hello", [1], None)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"+5", b"-5", b"0x5", b"5_0", b" 5", b"5 ", b"5\t", b"\xef\xbc\x95", b"g", b";a", b"5 junk",
        b"5;", b"5;;", b"5;=", b"5;a=", b"5;a b", b'5;a="b', b'5;a="\\', b'5;a="b"c', b"5;a=b c", b"5\x00",
        b"5;a\x00", b'5;a="\x00"', b'5;a="\\\x00"', b"5;a ", b"5;a=b ", b"00000000000000005",
        b"8000000000000000", b"fffffffffffffffff", b"5\r", b"5,6",
    ],
)  # fmt: skip
def test_invalid_chunk_lines(line: bytes) -> None:
    outcome = answer(CHUNKED + b"1\r\na\r\n" + line + b"\r\nhello\r\n0\r\n\r\n")
    assert outcome.reason == "invalid_chunk_size"
    assert outcome.body == b"a"
    assert outcome.fault is not None
    assert outcome.fault.value == line.decode("latin-1")


def test_whitespace_after_a_chunk_size_needs_a_lenient_connection() -> None:
    for line in (b"5 ", b"5\t ", b"5;a "):
        assert answer(CHUNKED + line + b"\r\nhello\r\n0\r\n\r\n", options=LENIENT).body == b"hello"


def test_chunks_and_their_lines_end_with_crlf() -> None:
    for options in (config(), LENIENT):
        for raw in (b"5\nhello\r\n0\r\n\r\n", b"5;a\nhello\r\n0\r\n\r\n"):
            assert answer(CHUNKED + raw, options=options).reason == "invalid_chunk_size"
        for raw in (b"5\r\nhello\n0\r\n\r\n", b"5\r\nhelloXX", b"5\r\nhello\rX", b"5\r\nhello0\r\n"):
            assert answer(CHUNKED + raw, options=options).reason == "missing_crlf_after_chunk"


def test_trailers_are_a_separate_response() -> None:
    raw = b"0\r\nX-Sum: 1\r\nContent-Length: 9\r\nSet-Cookie: a\r\ny:\r\n z\r\n\r\n"
    outcome = answer(CHUNKED + raw)
    assert outcome.kinds == ["Status", "Headers", "Trailers", "Done"]
    assert outcome.trailers == (("x-sum", "1"), ("y", "z"))
    assert outcome.state.is_open_write


def test_forbidden_trailers_are_dropped() -> None:
    raw = b"0\r\nTransfer-Encoding: gzip\r\nTrailer: x\r\nHost: a\r\n b\r\n\r\n"
    assert answer(CHUNKED + raw).kinds == ["Status", "Headers", "Done"]


@pytest.mark.parametrize("line", [b"abc", b"a b: c", b" a: b", b"a: b\x00", b": a", b"a: b\r\n c\x00"])
def test_trailers_are_parsed_like_headers(line: bytes) -> None:
    outcome = answer(CHUNKED + b"1\r\na\r\n0\r\n" + line + b"\r\n\r\n")
    assert outcome.reason == "invalid_trailer_header"
    assert outcome.body == b"a"
    assert answer(CHUNKED + b"0\r\na: b\n\r\n").reason == "invalid_trailer_header"
    assert answer(CHUNKED + b"0\r\na: b\n\n", options=LENIENT).trailers == (("a", "b"),)


def test_content_before_a_fault_in_the_same_read_is_delivered() -> None:
    outcome = play(with_requests(), [CHUNKED + b"1\r\na\r\n1\r\nb\r\nxx\r\n"])
    assert outcome.body == b"ab"
    assert outcome.kinds == ["Status", "Headers", "Data", "Failed"]


WHOLE = [
    CHUNKED + b"5;a=b\r\nhello\r\n0\r\nx: y\r\n\r\n",
    HEAD + b"Content-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 100 x\r\n\r\n" + HEAD + b"Content-Length: 5\r\n\r\nhello",
]


@pytest.mark.parametrize("data", WHOLE)
@pytest.mark.parametrize("clean", [True, False])
def test_the_end_of_input_at_every_place(data: bytes, *, clean: bool) -> None:
    for end in range(len(data)):
        outcome = answer(data[:end], "GET", "GET", eof=clean)
        assert outcome.reason == "transport_closed"
        first = ("transport_closed", 1) if end == 0 else ("incomplete_response", 2)
        assert outcome.failed == [(1, *first), (2, "transport_closed", 1)], end
        assert outcome.end == 2
        assert outcome.state.open_request_count == 0
    outcome = answer(data, "GET", "GET", eof=clean)
    assert outcome.done == [1]
    assert outcome.failed == [(2, "transport_closed", 1)]
    assert answer(data, "GET", eof=clean).fault is None


@pytest.mark.parametrize("data", WHOLE)
def test_two_splits_anywhere_change_nothing(data: bytes) -> None:
    whole = play(with_requests(), [data])
    for a in range(0, len(data), 3):
        for b in range(a, len(data), 5):
            pieces = play(with_requests(), cut(data, [a, b]))
            assert pieces.responses == whole.responses
            assert pieces.state == whole.state


def test_many_small_chunks_in_one_read() -> None:
    count = 20_000
    outcome = play(with_requests(), [CHUNKED + b"1\r\nx\r\n" * count + b"0\r\n\r\n"])
    assert outcome.body == b"x" * count
