import re
import socket
from collections.abc import Callable
from contextlib import suppress

import pytest
from hpack import Encoder

from mint.testing import Do, Peer, ScriptedServer, ScriptError, Send, Step, hpack, http2
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
    # A script that closes without reading may reset the connection while the client still sends.
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
        # The second block refers to table entries that the first one added.
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
        (http2.ExpectPreface(), b"GET / HTTP/1.1\r\n\r\n", "other bytes were received"),
        (http2.ExpectPreface(), http2.PREFACE + octets(http2.ping()), "another frame was received: PING"),
        (ExpectFrame(FrameType.PING), b"", "ended instead of sending ExpectFrame"),
        (ExpectFrame(FrameType.PING), b"\0\0", "EOFError"),
        (ExpectFrame(FrameType.PING), octets(http2.goaway(0)), "another frame was received: GOAWAY"),
        (ExpectFrame(0, 3), octets(http2.data(1)), "another frame was received: DATA"),
        (ExpectFrame(0, flags=1), octets(http2.data(1)), "flags 0x0"),
        (ExpectFrame(0, payload=b"x"), octets(http2.data(1)), "payload b''"),
        (ExpectFrame(0, payload=re.compile(b"x")), octets(http2.data(1, b"xy")), "payload b'xy'"),
        (ExpectFrame(0), octets(Frame(0x55)), "type 85"),
        (ExpectHeaders(3), octets(http2.headers(1, GET)), "stream 1"),
        (ExpectHeaders(1, end=True), octets(http2.headers(1, GET)), "END_STREAM is False"),
        (ExpectHeaders(1, GET[::-1]), octets(http2.headers(1, GET)), "the fields differ"),
        (ExpectHeaders(1, GET[:1], exact=True), octets(http2.headers(1, GET)), "the fields differ"),
        (ExpectHeaders(1), octets(http2.headers(1, b"\xff\xff")), "cannot be decoded"),
        (
            ExpectHeaders(1),
            octets(http2.headers(1, b"", end_headers=False), http2.settings(ack=True)),
            "another frame was received: SETTINGS",
        ),
        (ExpectData(1, b"abc"), octets(http2.data(1, b"abd")), "the data differ"),
        (ExpectData(1, b"abc"), octets(http2.data(1, b"ab", end=True)), "the data differ"),
        (ExpectData(1, b"abc", end=False), octets(http2.data(1, b"abc", end=True)), "is True"),
        (ExpectData(1, b"abc"), octets(http2.data(3, b"abc")), "stream 3"),
    ],
)
def test_failed_expectations_show_expected_and_received(step: Step, send: bytes, message: str) -> None:
    with pytest.raises(ScriptError, match=message):
        play(step, send=send)


def test_a_frame_that_does_not_come() -> None:
    with (
        pytest.raises(ScriptError, match="did not arrive in time"),
        ScriptedServer([ExpectFrame(FrameType.PING)], timeout=0.05) as server,
        socket.create_connection((server.address, server.port), 10) as sock,
    ):
        sock.recv(10)


HEADERS = http2.headers(1, GET)
SCRAMBLED = (GET[3], GET[0], GET[2], GET[1])


def test_fields_in_any_order() -> None:
    play(ExpectHeaders(1, SCRAMBLED, any_order=True, exact=True), send=octets(HEADERS))
    play(ExpectHeaders(1, [*SCRAMBLED[:2]], any_order=True), send=octets(HEADERS))


@pytest.mark.parametrize(
    "step",
    [
        ExpectHeaders(1, (*GET, ("x", "y")), any_order=True),
        ExpectHeaders(1, (GET[0], GET[0]), any_order=True),
        ExpectHeaders(1, SCRAMBLED[:3], any_order=True, exact=True),
        ExpectHeaders(1, SCRAMBLED),
    ],
    ids=["absent", "twice", "one more", "another order"],
)
def test_other_fields_in_any_order(step: Step) -> None:
    with pytest.raises(
        ScriptError, match=r"(?s)the fields differ\n  expected: .* order, .*received: \(\(':method'"
    ):
        play(step, send=octets(HEADERS))


def test_priority_frames_are_skipped_unless_they_are_expected() -> None:
    frames = (http2.priority(3), http2.priority(0, 5), Frame(0x10, 0, 0, b"\0\0\0\1u=3"))
    play(ExpectHeaders(1, GET), send=octets(*frames, http2.headers(1, GET, priority=(3, 200, True))))
    play(
        *(ExpectFrame(frame.type, frame.stream) for frame in frames),
        ExpectHeaders(1),
        send=octets(*frames, HEADERS),
    )


def test_blocks_are_decoded_in_order_by_whichever_step_reads_them() -> None:
    encoder = Encoder()
    first, second = encoder.encode(GET), encoder.encode(GET)
    play(
        ExpectFrame(FrameType.HEADERS),
        ExpectHeaders(3, GET, exact=True),
        send=octets(http2.headers(1, first), http2.headers(3, second)),
    )
    play(
        ExpectFrame(FrameType.HEADERS),
        ExpectFrame(FrameType.CONTINUATION),
        ExpectHeaders(3, GET, exact=True),
        send=octets(
            http2.headers(1, first[:3], end_headers=False),
            http2.continuation(1, first[3:]),
            http2.headers(3, second),
        ),
    )


TWO_UPLOADS = (
    http2.Interleaved(
        ExpectHeaders(1, GET),
        ExpectData(1, b"abc", end=True),
        ExpectHeaders(3, GET),
        ExpectData(3, b"def", end=True),
        ExpectFrame(FrameType.RST_STREAM, 3),
    ),
    ExpectFrame(FrameType.GOAWAY),
)
RESET, GOAWAY = http2.rst_stream(3), http2.goaway(0)


def upload(stream: int, encoder: Encoder, *pieces: bytes) -> list[Frame]:
    block = encoder.encode(GET)
    start = [
        http2.headers(stream, block[:1], end_headers=False),
        http2.continuation(stream, block[1:]),
    ]
    return [*start, *(http2.data(stream, piece, end=piece is pieces[-1]) for piece in pieces)]


def test_frames_of_streams_may_be_interleaved() -> None:
    one, three = upload(1, encoder := Encoder(), b"ab", b"c"), upload(3, encoder, b"d", b"ef")
    window = http2.window_update(0, 1)
    for order in (
        [*one, *three],
        [*one[:2], *three[:2], window, one[2], three[2], three[3], one[3]],
        [*one[:2], *three[:2], three[2], one[2], window, one[3], three[3]],
    ):
        play(*TWO_UPLOADS, send=octets(*order, RESET, GOAWAY))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda frames: [frames[0], *frames[4:6], *frames[1:4], *frames[6:]],
            "another frame was received: HEADERS",
        ),
        (lambda frames: [*frames[:3], http2.data(3, b"x"), *frames[3:]], "DATA, flags 0x0, stream 3"),
        (lambda frames: [*frames[:2], http2.data(5, b"x"), *frames[2:]], "stream 5"),
        (lambda frames: [*frames[:3], http2.data(1, b"X", end=True), *frames[4:]], "the data differ"),
    ],
    ids=["inside a block", "before its HEADERS", "another stream", "other bytes"],
)
def test_wrong_frames_on_interleaved_streams(
    change: Callable[[list[Frame]], list[Frame]], message: str
) -> None:
    frames = [*upload(1, encoder := Encoder(), b"ab", b"c"), *upload(3, encoder, b"d", b"ef")]
    with pytest.raises(ScriptError, match=f"(?s)step 1 of 2.*{message}"):
        play(*TWO_UPLOADS, send=octets(*change(frames), RESET, GOAWAY))


def test_an_extra_frame_on_interleaved_streams() -> None:
    step = http2.Interleaved(ExpectFrame(FrameType.PING, 1), ExpectFrame(FrameType.PING, 3))
    frames = [Frame(FrameType.PING, 0, stream, bytes(8)) for stream in (3, 3, 1)]
    with pytest.raises(ScriptError, match="no more frames on these streams"):
        play(step, send=octets(*frames))


def test_blocks_with_a_table() -> None:
    def in_table(peer: Peer) -> None:
        assert peer.state(Conversation).encoder.table == (("x", "y" * 100),)

    fields = [(":status", "200"), ("x", "y" * 100)]
    taken = play(
        http2.SendHeaders(1, fields, size=10),
        http2.SendHeaders(3, fields, end=True, padding=2, priority=(0, 16, False)),
        Do(in_table),
        send=b"",
    )
    block = hpack.Encoder().encode(fields)
    parts = [block[at : at + 10] for at in range(0, len(block), 10)]
    assert taken == octets(
        http2.headers(1, parts[0], end_headers=False),
        *(http2.continuation(1, part, end_headers=part is parts[-1]) for part in parts[1:]),
        http2.headers(3, b"\x88\xbe", end=True, padding=2, priority=(0, 16, False)),
    )


@pytest.mark.parametrize(
    "frame",
    [
        Frame(FrameType.DATA, http2.PADDED, 1, b""),
        Frame(FrameType.DATA, http2.PADDED, 1, b"\3ab"),
        Frame(FrameType.HEADERS, http2.PADDED | http2.END_HEADERS, 1, b"\x09"),
        Frame(FrameType.HEADERS, http2.PADDED | http2.PRIORITY_FLAG | http2.END_HEADERS, 1, b"\1\0\0\0\0\0"),
    ],
)
def test_padding_that_is_longer_than_its_frame(frame: Frame) -> None:
    with pytest.raises(ScriptError, match="padding is longer than the payload"):
        play(ExpectFrame(), send=octets(frame))
