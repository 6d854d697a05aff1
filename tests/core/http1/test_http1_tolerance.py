"""Responses that break a rule of RFC 9110 or 9112: those that one switch accepts, and those that none does.

Servers are known to send such responses, or attacks on message framing use them.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Final, TypeAlias

import pytest

import mint
from mint._core.fields import TOLERANCES
from mint.tolerance import bits_of

from ...http1_driver import Outcome, answer, config

OK = b"HTTP/1.1 200 OK\r\n"
TWO = b"content-length: 2\r\n\r\nok"
CHUNKS = b"2\r\nok\r\n0\r\n\r\n"

Row: TypeAlias = tuple[str, str, bytes]
"""The name of the row, the only switch that accepts it, and the response; its content is `ok`."""

ODD: Final[tuple[Row, ...]] = (
    ("all lines end in LF", "bare_lf", b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok"),
    ("the status line ends in LF", "bare_lf", b"HTTP/1.1 200 OK\n" + TWO),
    ("a field ends in LF", "bare_lf", OK + b"x-a: 1\n" + TWO),
    ("the head ends in LF", "bare_lf", OK + b"content-length: 2\r\n\nok"),
    ("a fold ends in LF", "bare_lf", OK + b"x-a: 1\r\n 2\n" + TWO),
    ("trailers end in LF", "bare_lf", OK + b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-a: 1\n\n"),
    ("space before the colon", "space_before_colon", OK + b"server : s\r\n" + TWO),
    ("tabs before the colon", "space_before_colon", OK + b"server \t : s\r\n" + TWO),
    ("space before the colon of a length", "space_before_colon", OK + b"content-length : 2\r\n\r\nok"),
    (
        "space before the colon of a coding",
        "space_before_colon",
        OK + b"transfer-encoding : chunked\r\n\r\n" + CHUNKS,
    ),
    ("a warning of a script", "non_field_lines", OK + b"Warning in /srv/x.php: odd\r\n" + TWO),
    ("a line without a colon", "non_field_lines", OK + b"garbage\r\n" + TWO),
    ("a second status line", "non_field_lines", OK + b"HTTP/1.1 200 OK\r\n" + TWO),
    ("an empty name", "non_field_lines", OK + b": x\r\n" + TWO),
    ("a name in brackets", "non_field_lines", OK + b"<b>Note</b>: x\r\n" + TWO),
    ("a name beyond ASCII", "non_field_lines", OK + b"caf\xe9: x\r\n" + TWO),
    ("a line that is no field, folded", "non_field_lines", OK + b"no field\r\n more of it\r\n" + TWO),
    ("whitespace before the first field", "non_field_lines", OK + b" x-a: 1\r\n" + TWO),
    ("a control character in a cookie", "control_characters", OK + b"set-cookie: a=\x01b\r\n" + TWO),
    ("DEL in a value", "control_characters", OK + b"x-a: a\x7fb\r\n" + TWO),
    ("an escape sequence in a value", "control_characters", OK + b"x-a: \x1b[1m\r\n" + TWO),
    ("a control character in a fold", "control_characters", OK + b"x-a: a\r\n b\x02\r\n" + TWO),
    ("a control character in the reason", "control_characters", b"HTTP/1.1 200 O\x03K\r\n" + TWO),
    (
        "chunked in two fields",
        "repeated_chunked",
        OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n" + CHUNKS,
    ),
    (
        "chunked twice in a field",
        "repeated_chunked",
        OK + b"transfer-encoding: chunked, Chunked\r\n\r\n" + CHUNKS,
    ),
    (
        "a length beside chunked",
        "length_beside_chunked",
        OK + b"content-length: 9\r\ntransfer-encoding: chunked\r\n\r\n" + CHUNKS,
    ),
    (
        "chunked beside a length",
        "length_beside_chunked",
        OK + b"transfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n" + CHUNKS,
    ),
    ("two spaces before the status", "status_line_whitespace", b"HTTP/1.1  200 OK\r\n" + TWO),
    ("a tab before the status", "status_line_whitespace", b"HTTP/1.1\t200 OK\r\n" + TWO),
    ("a tab behind the status", "status_line_whitespace", b"HTTP/1.1 200\tOK\r\n" + TWO),
    ("identity beside a length", "identity_coding", OK + b"transfer-encoding: identity\r\n" + TWO),
    ("an element of connection", "malformed_connection", OK + b"connection: keep alive\r\n" + TWO),
    ("a parameter of connection", "malformed_connection", OK + b"connection: keep-alive; max=5\r\n" + TWO),
    ("connection in quotes", "malformed_connection", OK + b'connection: "close"\r\n' + TWO),
    ("an empty line before the status line", "empty_lines", b"\r\n" + OK + TWO),
    ("empty lines before the status line", "empty_lines", b"\r\n\r\n\r\n" + OK + TWO),
    (
        "a blank behind a chunk size",
        "chunk_size_whitespace",
        OK + b"transfer-encoding: chunked\r\n\r\n2  \r\nok\r\n0 \r\n\r\n",
    ),
)

ALLOWED: Final[dict[str, bytes]] = {
    "a reason that begins with a space": b"HTTP/1.1 200  OK\r\n" + TWO,
    "a reason that begins with a tab": b"HTTP/1.1 200 \tOK\r\n" + TWO,
    "a reason of spaces": b"HTTP/1.1 200   \r\n" + TWO,
    "an empty reason": b"HTTP/1.1 200 \r\n" + TWO,
    "no reason": b"HTTP/1.1 200\r\n" + TWO,
    "a folded connection": OK + b"connection: keep-alive,\r\n x-note\r\n" + TWO,
    "a folded connection from its start": OK + b"connection:\r\n keep-alive\r\n" + TWO,
    "a folded value": OK + b"x-a: 1\r\n\t2\r\n  3\r\n" + TWO,
    "empty list elements": OK + b"connection: , keep-alive, ,\r\n" + TWO,
    "equal lengths in a list": OK + b"content-length: 2, 2\r\n\r\nok",
    "equal lengths in two fields": OK + b"content-length: 2\r\n" + TWO,
    "an empty value": OK + b"x-a:\r\n" + TWO,
    "octets beyond ASCII": OK + b"x-a: \xff\xfe\r\n" + TWO,
    "tabs around a value": OK + b"x-a:\t1\t\r\n" + TWO,
    "any token as a name": OK + b"!#$%&'*+-.^_`|~09az: 1\r\n" + TWO,
    "chunk extensions": OK + b'transfer-encoding: chunked\r\n\r\n2;a=b;c="d"\r\nok\r\n0\r\n\r\n',
    "zeros before a chunk size": OK + b"transfer-encoding: chunked\r\n\r\n0002\r\nok\r\n000\r\n\r\n",
    "a status that nobody has registered": b"HTTP/1.1 999 Huh\r\n" + TWO,
}

BAD: Final[dict[str, bytes]] = {
    "NUL in a value": OK + b"x-a: a\0b\r\n" + TWO,
    "NUL in a name": OK + b"x\0a: b\r\n" + TWO,
    "NUL in a reason": b"HTTP/1.1 200 O\0K\r\n" + TWO,
    "NUL in a line that is no field": OK + b"gar\0bage\r\n" + TWO,
    "CR in a value": OK + b"x-a: a\rb\r\n" + TWO,
    "CR in a reason": b"HTTP/1.1 200 O\rK\r\n" + TWO,
    "CR ends a field": OK + b"x-a: a\rcontent-length: 2\r\n\r\nok",
    "CR before the status line": b"\r" + OK + TWO,
    "CR behind an empty line": b"\r\n\r" + OK + TWO,
    "CR CR LF ends the head": OK + b"content-length: 2\r\r\n\r\nok",
    "a space within content-length": OK + b"content length: 3\r\ncontent-length : 2\r\n\r\nok",
    "a control character in content-length": OK + b"content-length\x0b: 5\r\n" + TWO,
    "a control character in transfer-encoding": OK + b"transfer-encoding\x0c: chunked\r\n" + TWO,
    "whitespace before transfer-encoding": OK + b"\x0btransfer-encoding: chunked\r\n" + TWO,
    "lengths that disagree": OK + b"content-length: 3\r\n" + TWO,
    "lengths that disagree in a list": OK + b"content-length: 2, 3\r\n\r\nok",
    "a length with a sign": OK + b"content-length: +2\r\n\r\nok",
    "a negative length": OK + b"content-length: -2\r\n\r\nok",
    "a length in hexadecimal": OK + b"content-length: 0x2\r\n\r\nok",
    "a length with a fraction": OK + b"content-length: 2.0\r\n\r\nok",
    "a length with an underscore": OK + b"content-length: 0_2\r\n\r\nok",
    "an empty length": OK + b"content-length:\r\n\r\nok",
    "a length with a control character": OK + b"content-length: 2\x0b\r\n\r\nok",
    "a length too large": OK + b"content-length: 99999999999999999999\r\n\r\nok",
    "a folded length": OK + b"content-length: 2\r\n 0\r\n\r\nok",
    "a folded coding": OK + b"transfer-encoding:\r\n chunked\r\n\r\n" + CHUNKS,
    "a coding with a control character": OK + b"transfer-encoding: \x0bchunked\r\n\r\n" + CHUNKS,
    "chunked, another, chunked": OK + b"transfer-encoding: chunked, gzip, chunked\r\n\r\n" + CHUNKS,
    "chunked with a parameter": OK + b"transfer-encoding: chunked;a=b\r\n\r\n" + CHUNKS,
    "an empty coding": OK + b"transfer-encoding:\r\n\r\n" + CHUNKS,
    "a chunk size that is no number": OK + b"transfer-encoding: chunked\r\n\r\nx\r\nok\r\n0\r\n\r\n",
    "a chunk size with 0x": OK + b"transfer-encoding: chunked\r\n\r\n0x2\r\nok\r\n0\r\n\r\n",
    "a chunk size with a sign": OK + b"transfer-encoding: chunked\r\n\r\n+2\r\nok\r\n0\r\n\r\n",
    "a blank before a chunk size": OK + b"transfer-encoding: chunked\r\n\r\n 2\r\nok\r\n0\r\n\r\n",
    "an empty chunk size": OK + b"transfer-encoding: chunked\r\n\r\n\r\nok\r\n0\r\n\r\n",
    "a chunk size too large": OK + b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nok\r\n0\r\n\r\n",
    "a chunk size that ends in LF": OK + b"transfer-encoding: chunked\r\n\r\n2\nok\r\n0\r\n\r\n",
    "a chunk that ends in LF": OK + b"transfer-encoding: chunked\r\n\r\n2\r\nok\n0\r\n\r\n",
    "an extension that ends in LF": OK + b"transfer-encoding: chunked\r\n\r\n2;a\nok\r\n0\r\n\r\n",
    "a trailer that is no field": OK + b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\ngarbage\r\n\r\n",
    "a trailer without a name": OK + b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n: x\r\n\r\n",
    "a blank before a trailer": OK + b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n x: y\r\n\r\n",
    "a chunk that goes on": OK + b"transfer-encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
    "another protocol": b"HTTP/2.0 200 OK\r\n" + TWO,
    "lower case": b"http/1.1 200 OK\r\n" + TWO,
    "no version": b"HTTP 200 OK\r\n" + TWO,
    "no space before the status": b"HTTP/1.1200 OK\r\n" + TWO,
    "a status of two digits": b"HTTP/1.1 20 OK\r\n" + TWO,
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n" + TWO,
    "a status below 100": b"HTTP/1.1 099 OK\r\n" + TWO,
    "no status": b"HTTP/1.1 OK\r\n" + TWO,
    "whitespace before the status line": b" " + OK + TWO,
    "something before the status line": b"x" + OK + TWO,
}


def alone(switch: str) -> int:
    return bits_of(mint.Tolerance(**{switch: True}))


def is_read(outcome: Outcome) -> bool:
    return outcome.fault is None and outcome.body == b"ok" and outcome.done == [1]


def test_the_switches_are_those_of_the_core() -> None:
    assert tuple(each.name for each in fields(mint.Tolerance)) == TOLERANCES
    assert {switch for _, switch, _ in ODD} == set(TOLERANCES) - {"surrounding_whitespace"}
    assert bits_of(True) == bits_of(mint.Tolerance.all()) == 2 ** len(TOLERANCES) - 1
    assert bits_of(False) == 0


@pytest.mark.parametrize(("switch", "data"), [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_each_response_is_accepted_by_one_switch_only(switch: str, data: bytes) -> None:
    assert answer(data).fault is not None
    assert is_read(answer(data, options=config(tolerance=alone(switch))))
    assert is_read(answer(data, options=config(lenient=True)))
    # The other switches together do not accept it.
    assert not is_read(answer(data, options=config(tolerance=bits_of(True) & ~alone(switch))))


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("data", ALLOWED.values(), ids=ALLOWED)
def test_valid_responses_are_accepted(data: bytes, *, lenient: bool) -> None:
    assert is_read(answer(data, options=config(lenient=lenient)))


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_responses_that_no_switch_accepts(data: bytes, *, lenient: bool) -> None:
    assert answer(data, options=config(lenient=lenient), eof=True).fault is not None


def test_whitespace_before_colons_is_removed_and_invalid_lines_are_ignored() -> None:
    lines = b"server \t: s\r\nno field\r\n more\r\nx-a: 1\r\n"
    outcome = answer(OK + lines + TWO, options=config(lenient=True))
    (headers,) = [each.headers for each in outcome.responses if isinstance(each, mint.Headers)]
    assert headers == (("server", "s"), ("x-a", "1"), ("content-length", "2"))


def test_control_characters_are_kept() -> None:
    outcome = answer(OK + b"x-a: a\x01\x7fb\r\n" + TWO, options=config(lenient=True))
    (headers,) = [each.headers for each in outcome.responses if isinstance(each, mint.Headers)]
    assert headers[0] == ("x-a", "a\x01\x7fb")


def test_a_line_that_is_ignored_is_noted() -> None:
    state = answer(OK + TWO, options=config(lenient=True)).state
    step = state.request("GET", "/", (), None, False).state.feed(OK + b"garbage\r\nset-cookie x\r\n" + TWO)
    assert [note.text for note in step.notes] == [
        "passed over a line that is not a field: garbage",
        "passed over a line that is not a field: (a field that may hold a secret)",
    ]


@pytest.mark.parametrize("switch", ["length_beside_chunked", "malformed_connection"])
def test_some_switches_end_the_connection_after_the_response(switch: str) -> None:
    for _, its, data in ODD:
        if its == switch:
            assert not answer(data, options=config(lenient=True)).state.is_open_write


CAUSES: Final[tuple[tuple[bytes, str], ...]] = (
    (b"HTTP/1.1 200 OK\n", "the line ends in LF without CR"),
    (b"HTTQ/1.1 200 OK\r\n", "byte 0x51 at position 3 does not belong to an HTTP/1 version"),
    (b"HTTP/1.1  200 OK\r\n", "there is extra whitespace before the status"),
    (b"HTTP/1.1 2x0 OK\r\n", "the status is not a three-digit number of at least 100"),
    (b"HTTP/1.1 2000 OK\r\n", "byte 0x30 at position 12 follows the status instead of a space"),
    (b"HTTP/1.1 200 O\0K\r\n", "byte 0x00 at position 14 is a control character"),
    (OK + b"x-a: 1\n\r\n", "the line ends in LF without CR"),
    (OK + b"x a: 1\r\n\r\n", "byte 0x20 at position 1 is not allowed in a field name"),
    (OK + b"x-a : 1\r\n\r\n", "there is whitespace before the colon"),
    (OK + b": 1\r\n\r\n", "the field name is empty"),
    (OK + b"garbage\r\n\r\n", "it has no colon"),
    (OK + b" x: 1\r\n\r\n", "it begins with whitespace, but there is no field before it"),
    (OK + b"x-a: 1\x012\r\n\r\n", "byte 0x01 at position 6 is not allowed in the value of x-a"),
    (
        OK + b"Set-Cookie: id=hunter2\x01\r\n\r\n",
        "byte 0x01 at position 22 is not allowed in the value of set-cookie",
    ),
    (OK + b"transfer-encoding: chunked\r\n\r\nx\r\n", "it does not begin with a hexadecimal digit"),
    (
        OK + b"transfer-encoding: chunked\r\n\r\n1x\r\n",
        "byte 0x78 at position 1 does not begin a chunk extension",
    ),
    (OK + b"transfer-encoding: chunked\r\n\r\n1\n", "the line ends in LF without CR"),
    (OK + b"transfer-encoding: chunked, chunked\r\n\r\n", "chunked is listed twice"),
)


@pytest.mark.parametrize(("data", "cause"), CAUSES)
def test_messages_name_the_cause(data: bytes, cause: str) -> None:
    link = mint.transport.Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="server.test")
    conn, _ = conn.request("GET", "/")
    link.put(data)
    with pytest.raises(mint.HTTPError) as caught:
        conn.recv()
    assert str(caught.value).endswith(cause)
    assert "hunter2" not in str(caught.value) + repr(caught.value)


# -- the end of a connection


ENDINGS: Final[tuple[bytes, ...]] = (
    b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nconnection: x, Close\r\ntransfer-encoding: chunked\r\n\r\n",
    b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
)


@pytest.mark.parametrize("head", ENDINGS)
def test_no_request_is_sent_after_an_announced_close(head: bytes) -> None:
    link = mint.transport.Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="server.test")
    refs = []
    for _ in range(3):
        conn, ref = conn.request("GET", "/")
        refs.append(ref)
    link.take()
    link.put(head)
    conn, _ = conn.recv()
    assert not conn.is_open()
    assert not conn.is_usable()
    assert conn.is_open("read")
    with pytest.raises(mint.errors.ClosedForWriting) as caught:
        conn.request("POST", "/", (), b"x")
    assert caught.value.processed is mint.Processed.NO
    assert link.take() == b""
    link.put_eof()
    try:
        conn, responses = conn.recv()
    except mint.MintError as error:  # the content is incomplete
        responses = list(error.responses)
    behind = [each for each in responses if isinstance(each, mint.RequestFailed) and each.ref != refs[0]]
    assert [(each.ref, each.error.processed) for each in behind] == [
        (refs[1], mint.Processed.NO),
        (refs[2], mint.Processed.NO),
    ]


def test_a_body_is_not_continued_after_an_announced_close() -> None:
    link = mint.transport.Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="server.test")
    conn, _ = conn.request("GET", "/")
    conn, ref = conn.request("POST", "/", (), mint.STREAM)
    link.put(ENDINGS[0])
    conn, _ = conn.recv()
    link.take()
    with pytest.raises(mint.errors.RequestIsNotStreaming):
        conn.stream_request_body(ref, b"x")
    assert link.take() == b""


NO_CONTENT: Final[tuple[tuple[str, bytes], ...]] = (
    ("HEAD", OK + b"content-length: 7\r\n\r\n"),
    ("HEAD", OK + b"transfer-encoding: chunked\r\n\r\n"),
    ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    ("GET", b"HTTP/1.1 204 No Content\r\ncontent-length: 7\r\n\r\n"),
    ("GET", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n"),
)


@pytest.mark.parametrize("surplus", [b"surplus", b"\r\n", OK + TWO])
@pytest.mark.parametrize(("method", "head"), NO_CONTENT)
def test_surplus_octets_after_a_response_without_content(method: str, head: bytes, surplus: bytes) -> None:
    for cut in (len(head) - 1, len(head), len(head) + 1, len(head) + len(surplus)):
        link = mint.transport.Memory()
        conn = mint.http1.initiate(link, scheme="http", hostname="server.test")
        conn, ref = conn.request(method, "/")
        whole = head + surplus
        got: list[mint.Response] = []
        for piece in (whole[:cut], whole[cut:]):
            if piece and conn.is_open("read"):
                link.put(piece)
                conn, responses = conn.recv()
                got += responses
        assert got[-1] == mint.Done(ref)
        assert not conn.is_open()
        assert not conn.is_open("read")
        assert link.closed


# -- tunnels


@pytest.mark.parametrize("method", ["CONNECT", "GET"])
def test_tunnels_are_requested_and_used_alike(method: str) -> None:
    link = mint.transport.Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="server.test")
    if method == "CONNECT":
        conn, ref = conn.request("CONNECT", "far.test:443", (), mint.STREAM)
        opens = b"HTTP/1.1 200 OK\r\n\r\n"
    else:
        conn, ref = conn.request("GET", "/", [("upgrade", "websocket")], mint.STREAM)
        opens = b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\n\r\n"
    sent = link.take()
    assert b"transfer-encoding" not in sent
    assert b"content-length" not in sent
    assert not conn.is_open()
    assert not conn.is_usable()
    with pytest.raises(mint.errors.ClosedForWriting):
        conn.request("GET", "/")
    with pytest.raises(mint.errors.RequestIsNotStreaming):
        conn.stream_request_body(ref, b"early")
    link.put(opens + b"hello")
    conn, responses = conn.recv()
    assert responses[-1] == mint.Data(ref, b"hello")
    conn = conn.stream_request_body(ref, b"raw")
    assert link.take() == b"raw"


@pytest.mark.parametrize("method", ["CONNECT", "GET"])
def test_after_a_refused_tunnel_the_connection_is_usable(method: str) -> None:
    link = mint.transport.Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="server.test")
    if method == "CONNECT":
        conn, ref = conn.request("CONNECT", "far.test:443", (), mint.STREAM)
    else:
        conn, ref = conn.request("GET", "/", [("upgrade", "websocket")], mint.STREAM)
    link.put(b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n")
    conn, responses = conn.recv()
    assert responses[-1] == mint.Done(ref)
    assert conn.is_open()
    conn, _ = conn.request("GET", "/")
