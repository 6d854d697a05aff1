"""Status lines and fields: which are accepted, which are refused, and when."""

from __future__ import annotations

import pytest

from mint._core.events import Headers, Status, StatusReason
from mint._core.http1_heads import COMMON, SPELLINGS
from tests.http1_driver import HEAD, LENIENT, answer, config, cut, octets, play, with_requests
from tests.refs import ref_of

END = b"Content-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"HTTP/1.1 200 OK", 200, "OK"),
        (b"HTTP/1.1 200", 200, ""),
        (b"HTTP/1.1 200 ", 200, ""),
        (b"HTTP/1.0 404 Not  found\t!", 404, "Not  found\t!"),
        (b"HTTP/1.9 599 \xe4\xff", 599, "\xe4\xff"),
        (b"HTTP/1.1 299 x", 299, "x"),
        (b"HTTP/1.1 999 Request denied", 999, "Request denied"),
    ],
)
def test_status_lines(line: bytes, status: int, reason: str) -> None:
    outcome = answer(line + b"\r\n" + END, options=config(status_reason=True))
    ref = ref_of(outcome.responses[0])
    assert outcome.responses[:2] == [Status(ref, status), StatusReason(ref, reason)]
    assert "StatusReason" not in answer(line + b"\r\n" + END).kinds


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"HTTP/1.1 20 OK\r\n", "HTTP/1.1 20 OK"),
        (b"HTTP/1.1 2000 OK\r\n", "HTTP/1.1 2000 OK"),
        (b"HTTP/1.1 099 OK\r\n", "HTTP/1.1 099 OK"),
        (b"HTTP/1.1 20a OK\r\n", "HTTP/1.1 20a OK"),
        (b"HTTP/1.1  200 OK\r\n", "HTTP/1.1  200 OK"),
        (b"HTTP/1.1\t200 OK\r\n", "HTTP/1.1\t200 OK"),
        (b"HTTP/1.1 200\tOK\r\n", "HTTP/1.1 200\tOK"),
        (b"HTTP/1.1 OK\r\n", "HTTP/1.1 OK"),
        (b"HTTP/1.10 200 OK\r\n", "HTTP/1.10 200 OK"),
        (b"HTTP/1. 200 OK\r\n", "HTTP/1. 200 OK"),
        (b"HTTP/1.1 200 O\x00K\r\n", "HTTP/1.1 200 O\x00K"),
        (b"HTTP/1.1 200 O\rK\r\n", "HTTP/1.1 200 O\rK"),
        (b"HTTP/1.1 200 O\x7fK\r\n", "HTTP/1.1 200 O\x7fK"),
        (b"HTTP/1.1 200 OK\n", "HTTP/1.1 200 OK"),
        (b"HTTP/1.1 200 OK\r\r\n", "HTTP/1.1 200 OK\r"),
        (b"\r\n", "\r"),
        (b"\n", "\n"),
        (b"http/1.1 200 OK\r\n", "h"),
        (b"HTTP/2.0 200 OK\r\n", "HTTP/2"),
        (b"HTTP/11 200 OK\r\n", "HTTP/11"),
        (b"HTT\r\n", "HTT\r"),
        (b" HTTP/1.1 200 OK\r\n", " "),
        (b"ICY 200 OK\r\n", "I"),
        (b"\x00\x00\x12\x04", "\x00"),
        (b"GET / HTTP/1.1\r\n", "G"),
    ],
)
def test_invalid_status_lines(line: bytes, shown: str) -> None:
    outcome = answer(line)
    assert outcome.fault is not None
    assert (outcome.fault.reason, outcome.fault.value) == ("invalid_status_line", shown)
    # Input that does not begin with the name of the protocol does not prove that the request was processed.
    assert outcome.failed == [(1, "invalid_status_line", 2 if line.startswith(b"HTTP/") else 1)]
    assert outcome.end == 2
    assert not outcome.state.is_open_read


def test_a_status_is_reported_when_its_line_is_complete() -> None:
    step = with_requests().feed(b"HTTP/1.1 200 OK\r\n")
    assert [type(r).__name__ for r in step.responses] == ["Status"]


def test_fields_are_in_lower_case_trimmed_in_order_with_duplicates() -> None:
    head = HEAD + b"X-A:1\r\nServer:\t a b \t\r\nx-a: 2\r\nZ:\r\nQ:  \r\nU: \xfc\xe9\r\n" + END
    assert answer(head).headers == (
        ("x-a", "1"),
        ("server", "a b"),
        ("x-a", "2"),
        ("z", ""),
        ("q", ""),
        ("u", "\xfc\xe9"),
        ("content-length", "0"),
    )


def test_a_section_may_be_empty() -> None:
    outcome = answer(b"HTTP/1.1 204 x\r\n\r\n")
    assert outcome.kinds == ["Status", "Headers", "Done"]
    assert outcome.headers == ()


def test_long_names_and_values() -> None:
    name, value = b"X-" + b"n" * 300, b"v" * 5000
    assert answer(HEAD + name + b": " + value + b"\r\n" + END).headers[0] == (
        name.lower().decode(),
        value.decode(),
    )


def test_every_octet_of_a_name_and_of_a_value() -> None:
    token = set(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for octet in range(256):
        name = play(with_requests(), [HEAD + b"a" + bytes([octet]) + b"b: c\r\n" + END])
        assert (name.fault is None) == (octet in token or octet == 0x3A), octet
        value = play(with_requests(), [HEAD + b"a: b" + bytes([octet]) + b"c\r\n" + END])
        allowed = octet == 0x09 or (octet >= 0x20 and octet != 0x7F)
        assert (value.fault is None) == (allowed), octet


@pytest.mark.parametrize(
    "line",
    [
        b": x",
        b"abc",
        b"abc : x",
        b"abc\t: x",
        b" abc: x",
        b"\tabc: x",
        b"a\xe4: x",
        b"a\x00: x",
        b"a: x\x00",
        b"a: x\ry",
        b"a: \rx",
        b"a\r: x",
        b"a: x\r",
        b"Content-Length : 5",
    ],
)
def test_invalid_field_lines(line: bytes) -> None:
    outcome = answer(HEAD + line + b"\r\n" + END)
    assert outcome.reason == "invalid_header"
    assert outcome.kinds == ["Status", "Failed"]
    assert outcome.fault is not None
    assert outcome.fault.value == line.decode("latin-1")


def test_an_invalid_line_is_reported_when_it_ends() -> None:
    step = with_requests().feed(HEAD + b"bad\r\n")
    assert step.fault is not None
    assert step.fault.reason == "invalid_header"


def test_faults_contain_no_secrets() -> None:
    for line in (b"Set-Cookie : s3cret", b" authorization: s3cret", b"cookie s3cret", b"cookie: s3cret\x00"):
        outcome = answer(HEAD + line + b"\r\n")
        assert outcome.fault is not None
        assert "s3cret" not in repr(outcome.fault)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (b"X: a\r\n b", "a b"),
        (b"X: a  \r\n\t  b \t", "a b"),
        (b"X: a\r\n b\r\n c", "a b c"),
        (b"X:\r\n b", "b"),
        (b"X: a\r\n  \r\n b", "a b"),
        (b"X: a\r\n ", "a"),
        (b"X:\r\n \r\n ", ""),
    ],
)
def test_folds_become_a_space(lines: bytes, value: str) -> None:
    outcome = answer(HEAD + b"A: 1\r\n" + lines + b"\r\nB: 2\r\n" + END)
    assert outcome.headers[:3] == (("a", "1"), ("x", value), ("b", "2"))


FRAMING = ("content-length", "transfer-encoding", "upgrade")
FIRST_LINES = ("", "5", "x", ",", "chunked", "chunked, chunked", "5, 6", "(", "websocket")


@pytest.mark.parametrize("status", [b"100", b"101", b"200", b"204", b"304"])
@pytest.mark.parametrize("name", FRAMING)
@pytest.mark.parametrize("value", FIRST_LINES)
def test_a_folded_framing_field_is_refused_as_folded(name: str, value: str, status: bytes) -> None:
    """It does not matter what its first line would mean alone, or how the octets are split."""
    headers = (("connection", "upgrade"), ("upgrade", "websocket")) if status == b"101" else ()
    for fold in (b" 5", b"\tchunked", b" websocket", b" "):
        data = b"HTTP/1.1 %s X\r\n%s:%s\r\n%s\r\n\r\n" % (status, name.encode(), value.encode(), fold)
        for pieces in ([data], octets(data), *(cut(data, [i]) for i in range(1, len(data)))):
            fault = play(with_requests(headers=headers), pieces).fault
            assert fault is not None
            assert (fault.reason, fault.value) == ("invalid_header", name)
            assert fault.name == "a field that frames the message must not be folded"


@pytest.mark.parametrize("name", [*FRAMING, "connection"])
@pytest.mark.parametrize("value", FIRST_LINES)
@pytest.mark.parametrize("status", [b"100", b"101", b"200"])
def test_the_error_of_a_framing_field_is_the_same_in_every_split(
    name: str, value: str, status: bytes
) -> None:
    headers = (("connection", "upgrade"), ("upgrade", "websocket")) if status == b"101" else ()
    for rest in (b"\r\n", b"a: b\r\n\r\n", b" fold\r\n\r\n"):
        data = b"HTTP/1.1 %s X\r\n%s:%s\r\n%s" % (status, name.encode(), value.encode(), rest)
        whole = play(with_requests(headers=headers), [data])
        for pieces in (octets(data), *(cut(data, [i]) for i in range(1, len(data)))):
            one = play(with_requests(headers=headers), pieces)
            assert (one.fault, one.responses, one.state) == (whole.fault, whole.responses, whole.state)


def test_folds_are_checked_like_values() -> None:
    for octet in (*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F):
        outcome = answer(HEAD + b"X: a\r\n b" + bytes([octet]) + b"c\r\n" + END)
        assert outcome.fault is not None
        assert (outcome.fault.reason, outcome.fault.value) == ("invalid_header", "x")
        assert f"byte 0x{octet:02x} at position 2 of a folded line" in outcome.fault.name


def test_bare_line_ends_need_a_lenient_connection() -> None:
    loose = b"HTTP/1.1 200 OK\nA: b\n c\nContent-Length: 1\n\nx"
    assert answer(loose).reason == "invalid_status_line"
    assert answer(HEAD + b"A: b\n\r\n").reason == "invalid_header"
    assert answer(HEAD + b"\n").reason == "invalid_header"
    outcome = answer(loose, options=LENIENT)
    assert (outcome.fault, outcome.headers[0], outcome.body) == (None, ("a", "b c"), b"x")


def test_lenient_connections_ignore_empty_lines_before_a_response() -> None:
    data = b"\r\n\n" + HEAD + b"Content-Length: 0\r\n\r\n\r\n\r\n"
    assert answer(data, options=LENIENT).fault is None
    assert answer(b"\r\n" + HEAD).reason == "invalid_status_line"
    assert answer(HEAD + b"Content-Length: 0\r\n\r\n\r\n").reason == "unexpected_data"


def test_repeated_lines_share_a_pair_unless_they_are_secret() -> None:
    state = with_requests("GET", "GET", "GET", "GET")
    lines = b"X-Something: abc\r\nSet-Cookie: abcdef\r\nX-Other: abc\r\nX-Other: ab\r\n"
    outcome = play(state, [(HEAD + lines + END) * 4])
    first, second, third, fourth = (r.headers for r in outcome.responses if isinstance(r, Headers))
    assert first == second == third == fourth
    assert second[0] is third[0] is fourth[0]
    assert third[1] is not fourth[1]


@pytest.mark.parametrize("size", [8, 9, 10, 15, 16, 17, 18, 23, 24, 25, 31, 32, 33, 100, 1023, 1024, 1025])
def test_lines_of_every_length_are_shared_only_if_all_octets_are_equal(size: int) -> None:
    line = b"X-A: " + bytes(0x61 + i % 26 for i in range(size - 5))
    head = b"HTTP/1.1 204 No Content\r\n"  # no other field, which could take the place of the line
    state = with_requests(*["GET"] * 5)
    for place in sorted({*range(5, min(size, 40)), size // 2, size - 9, size - 8, size - 1} - set(range(5))):
        other = line[:place] + b"#" + line[place + 1 :]
        outcome = play(state, [b"".join(head + one + b"\r\n\r\n" for one in (line, line, line, other, line))])
        pairs = [r.headers[0] for r in outcome.responses if isinstance(r, Headers)]
        assert [value.encode() for _, value in pairs] == [line[5:]] * 3 + [other[5:], line[5:]]
        assert (pairs[1] is pairs[2] is pairs[4]) == (9 <= size <= 1024), place  # the lines that are cached


@pytest.mark.parametrize("size", [16, 17, 18, 25, 33, 40, 41])
def test_lines_that_differ_in_one_octet_of_the_name_are_told_apart(size: int) -> None:
    """So many names that some of them share a place of the cache."""
    token = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
    head = b"HTTP/1.1 204 No Content\r\n"
    for place in (0, 1, 4, 8):
        names = [b"x" * place + bytes([octet]) + b"x" * (8 - place) for octet in token]
        lines = [name + b": " + b"v" * (size - 11) for name in names]
        given = [line for line in lines for _ in range(3)] + lines
        state = with_requests()
        found = []
        for line in given:
            outcome = play(state, [head + line + b"\r\n\r\n"])
            found.append(outcome.headers[0][0].encode())
            state = outcome.state.request("GET", "/", [], None, False).state
        assert found == [line[:9] for line in given]


def test_the_cache_stays_small_and_correct() -> None:
    state = with_requests(*["GET"] * 100)
    heads = [HEAD + b"".join(b"N%d: value-%d\r\n" % (i, j) for i in range(40)) + END for j in range(100)]
    outcome = play(state, [b"".join(heads)])
    sections = [r.headers for r in outcome.responses if isinstance(r, Headers)]
    for j, section in enumerate(sections):
        assert section[:-1] == tuple((f"n{i}", f"value-{j}") for i in range(40))


@pytest.mark.parametrize("octet", [0x07, 0x7F, 0x80, 0xA9, 0xFF, 0x09])
def test_every_place_of_a_value_of_every_length(octet: int) -> None:
    """Values are read eight octets at a time, the last of them twice."""
    for size in range(3, 35):
        for place in range(1, size - 1):
            value = b"v" * place + bytes([octet]) + b"v" * (size - place - 1)
            outcome = play(with_requests(), [HEAD + b"a: " + value + b"\r\n" + END])
            if octet in (0x07, 0x7F):
                assert outcome.fault is not None, (size, place)
            else:  # a str of octets below 0x80 is kept in another form, which a comparison does not show
                text = outcome.headers[0][1]
                assert text.encode() == value.decode("latin-1").encode(), (size, place)
                assert text.isascii() == (octet < 0x80)


def test_octets_are_never_decoded_as_text() -> None:
    for blank in (b"\x85", b"\xa0"):
        outcome = answer(HEAD + b"A: " + blank + b"x" + blank + b"\r\n" + END)
        assert outcome.headers[0] == ("a", (blank + b"x" + blank).decode("latin-1"))


def test_every_common_name_is_found_in_each_of_its_spellings() -> None:
    """The names are in a hash table, in which some share a place."""
    of_framing = {"content-length", "transfer-encoding", "connection", "upgrade", "trailer"}
    assert of_framing < set(COMMON)
    for text in COMMON:
        capital = "-".join(part.capitalize() for part in text.split("-"))
        for spelled in {text, capital, text.upper(), *(s for s in SPELLINGS if s.lower() == text)}:
            line = spelled.encode() + (b": 0" if text == "content-length" else b": chunked")
            outcome = play(with_requests(), [HEAD + line + b"\r\n\r\n"])
            assert outcome.headers[0][0] is text, spelled


def test_common_names_are_made_once() -> None:
    one = answer(HEAD + b"SERVER: a\r\n" + END).headers[0][0]
    two = play(with_requests(), octets(HEAD + b"server: bcdefghijklmn\r\n" + END)).headers[0][0]
    assert one is two
