"""A recorded connection behaves like any other, and its transcript contains no secret."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mint
from mint._core.hpack import Encoder
from mint._transcripts.blocks import huffman as coded
from mint.testing import http2 as frames
from mint.testing import strategies as draws
from mint.transcripts import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mint.transcripts import Record

SECRETS = (
    "hunter2-in-authorization",
    "hunter3-in-a-cookie",
    "hunter4-of-mine",
    "hunter5-in-a-url",
    "hunter6-set",
)
HEADERS = (
    ("Authorization", f"Bearer {SECRETS[0]}"),
    ("cookie", f"id={SECRETS[1]}; more={SECRETS[1]}"),
    ("X-Mine", SECRETS[2]),
    ("referer", f"https://user:{SECRETS[3]}@example.org/"),
)
ANSWER = (
    ("server", "one"),
    ("Set-Cookie", f"id={SECRETS[4]}; path=/"),
    ("x-mine", SECRETS[2]),
    ("location", f"https://user:{SECRETS[3]}@example.org/"),
    ("www-authenticate", f'Digest nonce="{SECRETS[0]}"'),
)
BODY = b"Set-Cookie: a line of the content\r\n//not@secret\r\n"


def http1(record: Record | None, memory: mint.transport.Memory | None = None) -> mint.HTTP1:
    return mint.http1.initiate(
        memory or mint.transport.Memory(),
        scheme="https",
        hostname="example.org",
        port=443,
        identity=7,
        http1=mint.HTTP1Options(sensitive_headers=frozenset({"x-mine"})),
        record=record,
    )


def http2(record: Record | None, memory: mint.transport.Memory | None = None) -> mint.HTTP2:
    return mint.http2.initiate(
        memory or mint.transport.Memory(),
        scheme="https",
        hostname="example.org",
        port=443,
        identity=7,
        http2=mint.HTTP2Options(sensitive_headers=frozenset({"x-mine"}), index_credentials=True),
        record=record,
    )


MAKERS: dict[str, Callable[[Record | None], mint.Connection]] = {"http1": http1, "http2": http2}


def answer_http1(count: int) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in ANSWER)
    folded = f"set-cookie: a={SECRETS[4]};\r\n b={SECRETS[4]}\r\n".encode()
    head = b"HTTP/1.1 200 OK\r\n" + lines.encode() + folded
    chunked = (
        head + b"transfer-encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY + b"\r\n0\r\nx-mine: %s\r\n\r\n"
    )
    whole = head + b"content-length: %d\r\n\r\n" % len(BODY) + BODY
    return b"".join(whole if each % 2 else chunked % SECRETS[2].encode() for each in range(count))


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def answer_http2(count: int) -> bytes:
    """Return answers with field blocks that are padded, continued, and refer to earlier blocks."""
    made = [frame(4, 0, 0, b"")]
    encoder = Encoder()
    for each in range(count):
        stream = 2 * each + 1
        fields = [(":status", "200"), *((name.lower(), value) for name, value in ANSWER)]
        block, encoder = encoder.encode(fields)
        # A literal with incremental indexing, as servers send cookies, and a reference to that entry.
        block += b"\x77" + bytes([len(SECRETS[4])]) + SECRETS[4].encode() + b"\xbe"
        third = len(block) // 3
        padded = bytes([3]) + bytes(4) + b"\x10" + block[:third] + bytes(3)
        made += [
            frame(1, 8 | 32, stream, padded),
            frame(9, 0, stream, block[third : 2 * third]),
            frame(9, 4, stream, block[2 * third :]),
            frame(0, 0, stream, BODY),
        ]
        trailers, encoder = encoder.encode([("x-mine", SECRETS[2])])
        made.append(frame(1, 5, stream, trailers))
    return b"".join(made)


INTERIM = b"\x08\x03103"
ANSWERS = {"http1": answer_http1, "http2": answer_http2}


def talk(
    conn: mint.Connection, pieces: list[bytes]
) -> tuple[mint.Connection, list[object], bytes, mint.MintError | None]:
    """Send three requests, receive the pieces, and close; return everything that was received and sent."""
    for _ in range(3):
        conn, _ = conn.request("GET", "/", HEADERS)
    received: list[object] = []
    error: mint.MintError | None = None
    link = conn.transport
    assert isinstance(link, mint.transport.Memory)
    for piece in pieces:
        link.put(piece)
        try:
            conn, responses = conn.recv()
            received += responses
        except mint.MintError as met:
            error = met
            received += met.responses
            conn = conn.after(met)
            break
    link.put_eof()
    if conn.is_open("read"):
        try:
            conn, responses = conn.recv()
            received += responses
        except mint.MintError as met:
            error = met
            received += met.responses
            conn = conn.after(met)
    conn = conn.close()
    return conn, received, link.take(), error


@pytest.mark.parametrize("protocol", MAKERS)
@given(data=st.data())
def test_recording_changes_nothing_and_shows_no_secret(protocol: str, data: st.DataObject) -> None:
    octets = ANSWERS[protocol](3)
    if broken := data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(octets) - 1))
        octets = octets[:at] + bytes([data.draw(st.integers(0, 255))]) + octets[at + 1 :]
    octets = octets[: data.draw(st.integers(0, len(octets)) | st.just(len(octets)))]
    pieces = data.draw(draws.pieces(octets)) if octets else []
    out = io.StringIO()
    conn, received, sent, error = talk(MAKERS[protocol](out), pieces)
    plain, expected_responses, expected_octets, expected_error = talk(MAKERS[protocol](None), pieces)
    assert received == expected_responses
    assert sent == expected_octets
    assert conn == plain
    assert plain == conn
    assert (type(error), str(error)) == (type(expected_error), str(expected_error))
    if not broken:  # damage to a field name can hide that its value is a secret
        check_secrets(out.getvalue())


def check_secrets(text: str) -> None:
    """Check that a transcript has no secret, neither as text nor in HPACK."""
    octets = b"".join(
        bytes.fromhex(line[4:].split("  #")[0])
        for line in text.splitlines()
        if line[:4] in {"  < ", "  > "} and line[4:5] != '"'
    )
    for secret in SECRETS:
        number = secret[:7]
        assert number not in text.replace('"\n  < "', "").replace('"\n  > "', "")
        assert number.encode() not in octets
        block, _ = Encoder().encode([("authorization", secret)])
        assert block[-12:-2] not in octets


@pytest.mark.parametrize("protocol", MAKERS)
def test_complete_answers_are_recorded_without_marks_of_failed_masking(protocol: str) -> None:
    out = io.StringIO()
    talk(MAKERS[protocol](out), [ANSWERS[protocol](3)])
    text = out.getvalue()
    assert "~" not in text
    assert text.count("a line of the content") > 0
    assert text.count("* done") == 3


@pytest.mark.parametrize("protocol", MAKERS)
def test_secrets_are_recorded_on_request(protocol: str) -> None:
    out = io.StringIO()
    talk(MAKERS[protocol](Recorder(out, secrets=True)), [ANSWERS[protocol](3)])
    for secret in SECRETS:
        assert secret in out.getvalue()


def test_credentials_of_a_refused_target_are_masked() -> None:
    out = io.StringIO()
    conn = http1(out)
    with pytest.raises(mint.errors.InvalidRequestTarget):
        conn.request("GET", "http://user:hunter7@example.org/")
    assert "hunter7" not in out.getvalue()


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize(
    "field",
    [
        ("authorization: Bearer hunter2", ""),
        ("x-api-key: hunter2", ""),
        ("x-a\r\ncookie: hunter2", "v"),
        ("hunter2 ", "authorization"),
        ("aHVudGVyMg==hunter2", ""),
    ],
)
def test_a_secret_in_a_refused_name_is_masked(protocol: str, field: tuple[str, str]) -> None:
    out = io.StringIO()
    conn = MAKERS[protocol](Recorder(out))
    with pytest.raises(mint.HTTPError):
        conn.request("GET", "/", [field])
    conn, ref = conn.request("POST", "/", body=mint.STREAM)
    with pytest.raises(mint.HTTPError):
        conn.stream_request_body(ref, mint.Eof((field,)))
    text = out.getvalue()
    assert "hunter2" not in text
    assert text.count("! invalid_header_name") == 2
    assert "~" not in text
    assert not mint.transcripts.replay(io.StringIO(text)).differing


@pytest.mark.parametrize("huffman", [False, True])
@pytest.mark.parametrize("name", ["set-cookie: hunter2", "x-a hunter2", "aHVudGVyMg=hunter2"])
def test_a_secret_in_an_invalid_name_of_an_http2_response_is_masked(name: str, huffman: bool) -> None:
    out = io.StringIO()
    conn = http2(Recorder(out))
    conn, _ = conn.request("GET", "/")
    link = conn.transport
    assert isinstance(link, mint.transport.Memory)
    octets = coded(name) if huffman else name.encode()
    size = bytes([len(octets) | 0x80 * huffman])
    block = b"\x88\x40" + size + octets + b"\x01v"
    link.put(frame(4, 0, 0, b"") + frame(1, 5, 1, block))
    conn, responses = conn.recv()
    assert isinstance(responses[-1], mint.RequestFailed)
    text = out.getvalue()
    assert "hunter2" not in text
    assert octets.hex() not in text.replace("\n  < ", "")
    assert "~" not in text
    assert not mint.transcripts.replay(io.StringIO(text)).differing


def test_fields_for_a_proxy_are_masked_in_the_options() -> None:
    out = io.StringIO()
    conn = mint.http1.initiate(
        mint.transport.Memory(),
        scheme="http",
        hostname="example.org",
        forward_proxy=True,
        proxy_headers=(("proxy-authorization", "Basic aHVudGVyMjpodW50ZXIy"),),
        record=out,
    )
    conn, _ = conn.request("GET", "/")
    assert "aHVudGVyMjpodW50ZXIy" not in out.getvalue()
    assert out.getvalue().count("Basic xxxx") == 2


def test_a_file_is_overwritten_flushed_after_each_step_and_private(tmp_path: Path) -> None:
    path = tmp_path / "record"
    path.write_text("old")
    path.unlink()
    conn = http1(path)
    conn, _ = conn.request("GET", "/")
    assert path.read_text().splitlines()[0] == "mint-transcript 1"
    assert "1 request" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    http1(str(path))
    assert "1 request" not in path.read_text()


def test_the_transcript_of_a_killed_process_has_every_step(tmp_path: Path) -> None:
    program = (
        "import mint, os, signal, sys\n"
        "link = mint.transport.Memory()\n"
        "conn = mint.http1.initiate(link, scheme='http', hostname='h', record=sys.argv[1])\n"
        "conn, _ = conn.request('GET', '/')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "record"
    ended = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert path.read_text().rstrip().endswith("1 open, reads, writes")


@pytest.mark.parametrize("record", [7, b"path", io.StringIO, object()])
def test_an_invalid_recorder_is_refused_before_anything_is_sent(record: object) -> None:
    link = mint.transport.Memory()
    with pytest.raises(TypeError, match="record must be"):
        mint.http2.initiate(link, scheme="http", hostname="h", record=record)  # type: ignore[arg-type]  # the test
    assert not link.take()


def test_a_file_that_cannot_be_created_is_an_error_before_connecting(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        mint.connect("http", "127.0.0.1", 1, record=tmp_path / "missing" / "file")


class Full(io.StringIO):
    """A file that accepts `room` writes; after that, the disk is full."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, text: str) -> int:
        if not self.room:
            raise OSError(28, "no space left")
        self.room -= 1
        return super().write(text)


@pytest.mark.parametrize("room", range(1, 6))
@pytest.mark.parametrize("protocol", MAKERS)
def test_a_full_disk_ends_the_recording_but_not_the_connection(protocol: str, room: int) -> None:
    recorder = Recorder(Full(room))
    _, received, sent, error = talk(MAKERS[protocol](recorder), [ANSWERS[protocol](3)])
    _, expected_responses, expected_octets, _ = talk(MAKERS[protocol](None), [ANSWERS[protocol](3)])
    assert (received, sent, error) == (expected_responses, expected_octets, None)
    assert isinstance(recorder.failure, OSError)


def test_a_recorder_serves_many_connections_and_closes_its_file(tmp_path: Path) -> None:
    path = tmp_path / "record"
    with Recorder(path) as recorder:
        one, two = http1(recorder), http2(recorder)
        one, _ = one.request("GET", "/one")
        two, _ = two.request("GET", "/two")
    text = path.read_text()
    assert "connection 1 http1" in text
    assert "connection 2 http2" in text
    assert text.index("1 request") < text.index("2 request")
    one, _ = one.request("GET", "/three")
    http1(recorder).request("GET", "/four")
    assert path.read_text() == text
    recorder.close()


def test_steps_of_several_threads_are_not_mixed() -> None:
    out = io.StringIO()
    recorder = Recorder(out)

    def work() -> None:
        conn = http1(recorder)
        for _ in range(50):
            conn, _ = conn.request("GET", "/")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    steps = [part for part in out.getvalue().split("\n\n") if part[0].isdigit()]
    assert len(steps) == 200
    assert all(part.splitlines()[-1].startswith("  . ") for part in steps)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
def test_only_the_parent_records_after_a_fork(tmp_path: Path) -> None:
    path = tmp_path / "record"
    conn = http1(path)
    before = path.read_text()
    child = os.fork()
    if child == 0:
        conn.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert path.read_text() == before


def test_steps_from_old_values_name_the_step_they_continue_from() -> None:
    out = io.StringIO()
    conn = http1(out)
    first, _ = conn.request("GET", "/one")
    first.fork().request("GET", "/two")
    first.fork().request("GET", "/three")
    assert out.getvalue().count("  from 1\n") == 1


def test_is_usable_records_nothing() -> None:
    out = io.StringIO()
    conn = http1(out)
    before = out.getvalue()
    link = conn.transport
    assert isinstance(link, mint.transport.Memory)
    assert conn.is_usable()
    link.put(b"HTTP/1.1 200 OK\r\n")
    assert not conn.is_usable()
    assert out.getvalue() == before


def test_times_are_relative_to_the_first_one() -> None:
    now = [12345.0]
    out = io.StringIO()
    link = mint.transport.Memory(clock=lambda: now[0])
    conn = http2(out, link)
    link.put(frame(4, 0, 0, b""))
    conn, _ = conn.recv()
    conn, _ = conn.request("GET", "/")
    for _ in range(3):
        link.put(frame(1, 4, 1, INTERIM))  # an interim response, which is counted against a limit per time
        conn, _ = conn.recv()
        now[0] += 2.5
    assert [line for line in out.getvalue().splitlines() if "milliseconds" in line] == [
        "  milliseconds 0",
        "  milliseconds 2500",
    ]


def test_events_of_the_connection_and_priorities_are_recorded() -> None:
    out, link = io.StringIO(), mint.transport.Memory()
    options = mint.HTTP2Options(optional_responses=("origin", "alt_svc", "goaway", "settings"))
    conn = mint.http2.initiate(
        link, scheme="https", hostname="example.org", identity=7, http2=options, record=out
    )
    link.put(frames.settings((9, 1)).serialize())
    conn, _ = conn.recv()
    conn, ref = conn.request("GET", "/")
    conn = conn.update_priority(ref, mint.Priority(1, incremental=True))
    sent = (
        frames.origin_set("https://a.test", "https://b.test"),
        frames.alt_svc("clear", stream=1),
        frames.alt_svc('h3=":1"', origin="https://a.test"),
        frames.goaway(1, 0, b"bye"),
    )
    link.put(b"".join(frame.serialize() for frame in sent))
    conn, responses = conn.recv()
    assert len(responses) == len(sent)
    lines = [line.strip() for line in out.getvalue().splitlines()]
    for wanted in (
        "* settings no_rfc7540_priorities=1",
        '* origins "https://a.test" "https://b.test"',
        '* goaway 1 NO_ERROR "bye"',
    ):
        assert wanted in lines, out.getvalue()
    assert sum("* alt-svc" in line for line in lines) == 2
    assert sum("update_priority" in line for line in lines) == 1


@pytest.mark.parametrize("protocol", MAKERS)
def test_a_timeout_that_leaves_the_connection_open_is_no_step(protocol: str) -> None:
    out = io.StringIO()
    conn, _ = MAKERS[protocol](out).request("GET", "/")
    before = out.getvalue()
    with pytest.raises(mint.errors.TransportTimeout) as caught:
        conn.recv()
    assert conn.after(caught.value).is_open()
    assert out.getvalue() == before


@pytest.mark.parametrize("protocol", MAKERS)
def test_what_arrives_after_the_end_shows_no_secret(protocol: str) -> None:
    out = io.StringIO()
    memory = mint.transport.Memory()
    conn = (http1 if protocol == "http1" else http2)(out, memory)
    conn, _ = conn.request("GET", "/")
    bad = b"HTTP/1.1 2" if protocol == "http1" else frame(4, 0, 0, b"") + frame(6, 0, 1, bytes(20))[:13]
    memory.put(bad + b"00\0\r\n" if protocol == "http1" else bad)
    with pytest.raises(mint.HTTPError) as caught:
        conn.recv()
    closed = conn.after(caught.value)
    memory.put(f"set-cookie: {SECRETS[0]}".encode())
    closed.recv()
    assert SECRETS[0] not in out.getvalue()
    mint.testing.replay(io.StringIO(out.getvalue()))
