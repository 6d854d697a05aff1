"""The framing of HTTP/1 compared with models: every short value, and longer ones that are drawn.

The models are regular expressions and lists of tokens, made from the grammar of RFC 9110 and RFC 9112.
"""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.http1_driver import HEAD, LENIENT, answer

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

# -- chunk lines (RFC 9112 7.1, 7.1.1)

BWS = rb"[ \t]*"
TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
QUOTED = rb'"(?:[\t !\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
EXTENSION = BWS + b";" + BWS + TOKEN + b"(?:" + BWS + b"=" + BWS + b"(?:" + TOKEN + b"|" + QUOTED + b"))?"
TAIL = re.compile(b"(?:" + EXTENSION + b")*", re.DOTALL)
LENIENT_TAIL = re.compile(b"(?:" + EXTENSION + b")*" + BWS, re.DOTALL)

MARKS = [bytes((each,)) for each in b' ;=g"\\,\x01']


def check_tail(tail: bytes) -> None:
    """Compare a line after its size with the grammar, with the tolerance for whitespace and without."""
    strict, lenient = TAIL.fullmatch(tail), LENIENT_TAIL.fullmatch(tail)
    data = CHUNKED + b"2" + tail + b"\r\nok\r\n0" + tail + b"\r\n\r\n"
    for found, options in ((strict, None), (lenient, LENIENT)):
        outcome = answer(data, options=options)
        if found:
            assert (outcome.reason, outcome.body, outcome.done) == (None, b"ok", [1]), tail
        else:
            assert (outcome.reason, outcome.body) == ("invalid_chunk_size", b""), tail


@pytest.mark.parametrize("size", range(5))
def test_every_short_end_of_a_chunk_line(size: int) -> None:
    for marks in product(MARKS, repeat=size):
        check_tail(b"".join(marks))


@given(
    st.lists(
        st.sampled_from(
            [b";", b" ", b"\t", b"=", b"name", b'"a b"', b'"\\""', b'"', b"\\", b"\xe4", b"\x7f"]
        ),
        max_size=12,
    ).map(b"".join)
)
def test_longer_ends_of_chunk_lines(tail: bytes) -> None:
    check_tail(tail)


@pytest.mark.parametrize("octet", [each for each in range(256) if each not in b"\r\n"])
def test_every_octet_in_a_chunk_line(octet: int) -> None:
    mark = bytes((octet,))
    alone = [] if mark in b"0123456789abcdefABCDEF" else [mark]  # a digit would belong to the size
    for tail in (
        *alone,
        b";" + mark,
        b";a" + mark,
        b";a=" + mark,
        b';a="' + mark + b'"',
        b';a="\\' + mark + b'"',
    ):
        check_tail(tail)


@pytest.mark.parametrize("digits", [1, 2, 15, 16, 17, 18])
def test_how_large_a_chunk_may_be(digits: int) -> None:
    for first in b"01789aAfF":
        text = bytes((first,)) + b"0" * (digits - 1)
        outcome = answer(CHUNKED + text + b"\r\n")
        size = int(text, 16)
        if digits > 16 or size >= 2**63:
            assert outcome.reason == "invalid_chunk_size", text
        else:
            assert outcome.reason is None, text


# -- Content-Length (RFC 9110 8.6)


def model_of_length(value: str) -> int | None:
    members = [each.strip(" \t") for each in value.split(",")]
    if not all(re.fullmatch("[0-9]+", each) for each in members):
        return None
    numbers = {int(each) for each in members}
    return numbers.pop() if len(numbers) == 1 else None


@pytest.mark.parametrize("size", range(1, 5))
def test_every_short_content_length(size: int) -> None:
    for marks in product("01 ,+", repeat=size):
        value = "".join(marks)
        expected = model_of_length(value)
        outcome = answer(HEAD + b"Content-Length:" + value.encode() + b"\r\n\r\n" + b"x" * (expected or 0))
        if expected is None:
            assert outcome.reason is not None, value
        else:
            assert (outcome.reason, len(outcome.body), outcome.done) == (None, expected, [1]), value


# -- lists of tokens: Transfer-Encoding (RFC 9112 6.1), Connection (RFC 9110 7.6.1)

LISTS = st.lists(
    st.sampled_from(["chunked", "Chunked", "gzip", "chunk", "chunkedx", "", " ", "\t"]),
    min_size=1,
    max_size=5,
)


@given(LISTS, st.sampled_from([",", ", ", " ,", " , ", "\t,\t"]), st.booleans())
def test_codings(names: list[str], mark: str, in_lines: bool) -> None:
    """Chunks are read exactly if `chunked` is the last coding; twice it is refused."""
    codings = [each.strip().lower() for each in names if each.strip()]
    if in_lines:
        if not all(each.strip() for each in names):
            return  # a line without a coding is refused
        head = HEAD + b"".join(f"Transfer-Encoding: {each}\r\n".encode() for each in names)
    else:
        head = HEAD + f"Transfer-Encoding: {mark.join(names)}\r\n".encode()
    outcome = answer(head + b"\r\n2\r\nok\r\n0\r\n\r\n")
    if not codings or codings.count("chunked") > 1:
        assert outcome.reason is not None
    elif codings[-1] == "chunked":
        assert (outcome.reason, outcome.body) == (None, b"ok")
    else:
        assert (outcome.reason, outcome.body) == (None, b"2\r\nok\r\n0\r\n\r\n")


@given(
    st.lists(st.sampled_from(["close", "Close", "keep-alive", "clos", "closed", "x", "", " "]), max_size=4),
    st.sampled_from([",", ", ", "\t,"]),
    st.sampled_from([b"HTTP/1.1", b"HTTP/1.0"]),
)
def test_which_connections_persist(names: list[str], mark: str, version: bytes) -> None:
    named = [each.strip().lower() for each in names]
    field = f"Connection: {mark.join(names)}\r\n".encode() if names else b""
    outcome = answer(version + b" 200 OK\r\n" + field + b"Content-Length: 2\r\n\r\nok")
    persists = "close" not in named and (version == b"HTTP/1.1" or "keep-alive" in named)
    assert (outcome.reason, outcome.body) == (None, b"ok")
    assert outcome.state.is_open_write is persists
