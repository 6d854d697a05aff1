import re
import socket
from contextlib import suppress

import pytest
from hpack import Encoder

from mint.testing import ScriptedServer, ScriptError, Send, Step, http2
from mint.testing.http2 import (
    Conversation,
    ErrorCode,
    ExpectData,
    ExpectFrame,
    ExpectHeaders,
    Frame,
    FrameType,
    Setting,
)

GET = ((":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a"))
PREFACE = http2.PREFACE + http2.settings().serialize()


def play(*script: Step, send: bytes) -> bytes:
    """Play a script against a client that sends, ends its direction and reads to the end."""
    taken = bytearray()
    # A script that closes without reading may reset what the client still does.
    with (
        ScriptedServer(script) as server,
        socket.create_connection((server.address, server.port), 10) as sock,
        suppress(OSError),
    ):
        sock.sendall(send)
        sock.shutdown(socket.SHUT_WR)
        while piece := sock.recv(65536):
            taken += piece
    return bytes(taken)


def octets(*frames: Frame) -> bytes:
    return b"".join(frame.serialize() for frame in frames)


def test_a_request_and_its_response() -> None:
    encoder = Encoder()
    script = [
        *http2.handshake((Setting.MAX_CONCURRENT_STREAMS, 1)),
        ExpectHeaders(1, GET, end=False, exact=True),
        ExpectData(1, b"abcdef", end=True),
        http2.send(http2.headers(1, ((":status", "200"),)), http2.data(1, b"x", end=True)),
        # The second block refers to what the first one added to the table.
        ExpectHeaders(3, ((":path", "/"),), end=True),
        ExpectFrame(FrameType.GOAWAY),
    ]
    block = encoder.encode(GET)
    taken = play(
        *script,
        send=PREFACE
        + octets(
            http2.settings(ack=True),
            http2.window_update(0, 1000),
            http2.headers(1, block[:2], end_headers=False, padding=3),
            http2.continuation(1, block[2:]),
            http2.data(1, b"abc"),
            http2.data(1, b"def", end=True, padding=1),
            http2.headers(3, encoder.encode(GET), end=True),
            http2.goaway(0),
        ),
    )
    assert taken == octets(
        http2.settings((3, 1)),
        http2.settings(ack=True),
        http2.headers(1, ((":status", "200"),)),
        http2.data(1, b"x", end=True),
    )


def test_what_the_client_sent_is_kept() -> None:
    with (
        ScriptedServer([*http2.handshake(), ExpectHeaders(1)]) as server,
        socket.create_connection((server.address, server.port), 10) as sock,
    ):
        sock.sendall(PREFACE + http2.headers(1, GET).serialize())
        while sock.recv(65536):
            pass
    conversation = server.peers[0].state(Conversation)
    assert conversation.requests == {1: GET}
    assert [frame.type for frame in conversation.frames] == [FrameType.SETTINGS, FrameType.HEADERS]


def test_any_bytes_can_be_sent() -> None:
    frame = Frame(0xFE, 0xFF, 5, b"x", length=100, reserved=True)
    taken = play(http2.send(frame), Send(b"tail"), send=b"")
    assert taken == b"\0\0\x64\xfe\xff\x80\0\0\x05xtail"


def test_frames_as_expected() -> None:
    play(
        http2.expect_reset(1, ErrorCode.CANCEL),
        http2.expect_goaway(ErrorCode.PROTOCOL_ERROR),
        ExpectFrame(FrameType.WINDOW_UPDATE, 1, 0, re.compile(rb"\0\0\0.")),
        ExpectFrame(FrameType.SETTINGS, flags=http2.ACK),
        ExpectFrame(0x55, payload=b"p"),
        send=octets(
            http2.window_update(0, 5),
            http2.rst_stream(1, 8),
            http2.goaway(7, 1, b"debug\n"),
            http2.window_update(1, 6),
            http2.settings(ack=True),
            http2.settings(ack=True),
            Frame(0x55, payload=b"p"),
        ),
    )


@pytest.mark.parametrize(
    ("step", "send", "message"),
    [
        (http2.ExpectPreface(), b"GET / HTTP/1.1\r\n\r\n", "something else came"),
        (http2.ExpectPreface(), http2.PREFACE + octets(http2.ping()), "another frame came: PING"),
        (ExpectFrame(FrameType.PING), b"", "ended instead of sending ExpectFrame"),
        (ExpectFrame(FrameType.PING), b"\0\0", "EOFError"),
        (ExpectFrame(FrameType.PING), octets(http2.goaway(0)), "another frame came: GOAWAY"),
        (ExpectFrame(0, 3), octets(http2.data(1)), "another frame came: DATA"),
        (ExpectFrame(0, flags=1), octets(http2.data(1)), "flags 0x0"),
        (ExpectFrame(0, payload=b"x"), octets(http2.data(1)), "payload b''"),
        (ExpectFrame(0, payload=re.compile(b"x")), octets(http2.data(1, b"xy")), "payload b'xy'"),
        (ExpectFrame(0), octets(Frame(0x55)), "type 85"),
        (ExpectHeaders(3), octets(http2.headers(1, GET)), "stream 1"),
        (ExpectHeaders(1, end=True), octets(http2.headers(1, GET)), "END_STREAM is False"),
        (ExpectHeaders(1, GET[::-1]), octets(http2.headers(1, GET)), "other fields"),
        (ExpectHeaders(1, GET[:1], exact=True), octets(http2.headers(1, GET)), "other fields"),
        (ExpectHeaders(1), octets(http2.headers(1, b"\xff\xff")), "does not decode"),
        (
            ExpectHeaders(1),
            octets(http2.headers(1, b"", end_headers=False), http2.settings(ack=True)),
            "another frame came: SETTINGS",
        ),
        (ExpectData(1, b"abc"), octets(http2.data(1, b"abd")), "other data"),
        (ExpectData(1, b"abc"), octets(http2.data(1, b"ab", end=True)), "other data"),
        (ExpectData(1, b"abc", end=False), octets(http2.data(1, b"abc", end=True)), "is True"),
        (ExpectData(1, b"abc"), octets(http2.data(3, b"abc")), "stream 3"),
    ],
)
def test_what_was_expected_and_what_came(step: Step, send: bytes, message: str) -> None:
    with pytest.raises(ScriptError, match=message):
        play(step, send=send)


def test_a_frame_that_does_not_come() -> None:
    with (
        pytest.raises(ScriptError, match="did not come in time"),
        ScriptedServer([ExpectFrame(FrameType.PING)], timeout=0.05) as server,
        socket.create_connection((server.address, server.port), 10) as sock,
    ):
        sock.recv(10)
