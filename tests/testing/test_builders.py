"""What the builders of the kit make: each default, each flag, and each number at its limit and one beyond."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hpack import Decoder

from mint.testing import build, frames, hpack, http2, memory
from mint.testing.clock import FakeClock
from mint.testing.frames import ErrorCode, Frame, FrameType, Setting

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 2**32 - 1

# -- frames


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (frames.data(1), Frame(0, 0, 1)),
        (frames.data(1, b"a", end=True), Frame(0, 1, 1, b"a")),
        (frames.data(1, b"a", padding=0), Frame(0, 8, 1, b"\0a")),
        (frames.data(1, b"a", padding=255), Frame(0, 8, 1, b"\xffa" + bytes(255))),
        (frames.headers(1, b"b"), Frame(1, 4, 1, b"b")),
        (frames.headers(1, b"b", end=True), Frame(1, 5, 1, b"b")),
        (frames.headers(1, b"b", end_headers=False), Frame(1, 0, 1, b"b")),
        (frames.headers(1, b"b", priority=(MOST, 256, False)), Frame(1, 0x24, 1, b"\xff" * 5 + b"b")),
        (frames.headers(1, b"b", priority=(3, 1, True)), Frame(1, 0x24, 1, b"\x80\0\0\3\0b")),
        (
            frames.headers(1, b"b", end=True, padding=1, priority=(0, 2, False)),
            Frame(1, 0x2D, 1, b"\1\0\0\0\0\1b\0"),
        ),
        (frames.headers(1, (("a", "b"),)), Frame(1, 4, 1, b"\0\1a\1b")),
        (frames.priority(1), Frame(2, 0, 1, b"\0\0\0\0\x0f")),
        (frames.priority(1, 3, 1, exclusive=True), Frame(2, 0, 1, b"\x80\0\0\3\0")),
        (frames.rst_stream(1), Frame(3, 0, 1, b"\0\0\0\x08")),
        (frames.rst_stream(1, MOST), Frame(3, 0, 1, b"\xff" * 4)),
        (frames.settings(), Frame(4)),
        (frames.settings((65_535, MOST), (0, 0)), Frame(4, 0, 0, b"\xff" * 6 + bytes(6))),
        (frames.settings((1, 2), ack=True), Frame(4, 1, 0, b"\0\1\0\0\0\2")),
        (frames.push_promise(1, 2, b"b"), Frame(5, 4, 1, b"\0\0\0\2b")),
        (
            frames.push_promise(1, MOST, b"b", end_headers=False, padding=2),
            Frame(5, 8, 1, b"\2\xff\xff\xff\xffb\0\0"),
        ),
        (frames.push_promise(1, 2, (("a", "b"),)), Frame(5, 4, 1, b"\0\0\0\2\0\1a\1b")),
        (frames.ping(), Frame(6, 0, 0, bytes(8))),
        (frames.ping(b"x", ack=True), Frame(6, 1, 0, b"x")),
        (frames.goaway(5), Frame(7, 0, 0, b"\0\0\0\5\0\0\0\0")),
        (frames.goaway(MOST, 2, b"why"), Frame(7, 0, 0, b"\xff\xff\xff\xff\0\0\0\2why")),
        (frames.window_update(1, MOST), Frame(8, 0, 1, b"\xff" * 4)),
        (frames.continuation(1, b"b"), Frame(9, 4, 1, b"b")),
        (frames.continuation(1, (("a", "b"),), end_headers=False), Frame(9, 0, 1, b"\0\1a\1b")),
        (frames.origin_set("a"), Frame(12, 0, 0, b"\0\1a")),
        (frames.alt_svc("v", origin="o", stream=3), Frame(10, 0, 3, b"\0\1ov")),
        (frames.alt_svc(b"\xff"), Frame(10, 0, 0, b"\0\0\xff")),
        (frames.priority_update(5), Frame(16, 0, 0, b"\0\0\0\5u=3")),
    ],
)
def test_each_frame(frame: Frame, expected: Frame) -> None:
    assert frame == expected
    length, head = frames.parse_head(frame.serialize()[: frames.HEAD_SIZE])
    assert (length, head) == (len(frame.payload), Frame(frame.type, frame.flags, frame.stream))


LIMITED: dict[str, tuple[Callable[[int], Frame], int, int]] = {
    "type": (Frame, 0, 255),
    "flags": (lambda number: Frame(0, number), 0, 255),
    "stream": (lambda number: Frame(0, 0, number), 0, MOST),
    "length": (lambda number: Frame(0, length=number), 0, 2**24 - 1),
    "padding of DATA": (lambda number: frames.data(1, padding=number), 0, 255),
    "padding of HEADERS": (lambda number: frames.headers(1, b"", padding=number), 0, 255),
    "padding of PUSH_PROMISE": (lambda number: frames.push_promise(1, 2, b"", padding=number), 0, 255),
    "dependency": (lambda number: frames.priority(1, number), 0, MOST),
    "weight": (lambda number: frames.priority(1, 0, number), 1, 256),
    "dependency of HEADERS": (lambda number: frames.headers(1, b"", priority=(number, 1, False)), 0, MOST),
    "weight of HEADERS": (lambda number: frames.headers(1, b"", priority=(0, number, False)), 1, 256),
    "code of RST_STREAM": (lambda number: frames.rst_stream(1, number), 0, MOST),
    "identifier of a setting": (lambda number: frames.settings((number, 0)), 0, 65_535),
    "value of a setting": (lambda number: frames.settings((0, number)), 0, MOST),
    "promised stream": (lambda number: frames.push_promise(1, number, b""), 0, MOST),
    "last stream": (frames.goaway, 0, MOST),
    "code of GOAWAY": (lambda number: frames.goaway(0, number), 0, MOST),
    "increment": (lambda number: frames.window_update(0, number), 0, MOST),
    "prioritized stream": (frames.priority_update, 0, MOST),
}


@pytest.mark.parametrize("name", LIMITED)
def test_numbers_up_to_their_limits(name: str) -> None:
    make, least, most = LIMITED[name]
    for number in (least, most):
        assert len(make(number).serialize()) >= frames.HEAD_SIZE
    for number in (least - 1, most + 1):
        with pytest.raises(ValueError, match=f"from {least} to {most}"):
            make(number)


def test_texts_up_to_their_limits() -> None:
    assert len(frames.origin_set("x" * 65_535).payload) == 2 + 65_535
    assert len(frames.alt_svc("", origin="x" * 65_535).payload) == 2 + 65_535
    assert len(Frame(0, payload=bytes(2**24 - 1)).serialize()) == 9 + 2**24 - 1
    with pytest.raises(ValueError, match="length"):
        Frame(0, payload=bytes(2**24))
    assert Frame(0, payload=bytes(2**24), length=1).serialize()[:3] == b"\0\0\1"


@pytest.mark.parametrize("length", [0, 1, 0xFF, 0x100, 0xFFFF, 0x10000, 0x10203])
def test_the_length_of_a_frame_is_three_octets(length: int) -> None:
    octets = Frame(0, payload=bytes(length)).serialize()
    assert octets[:3] == length.to_bytes(3)
    assert frames.parse_head(octets[:9])[0] == length


@pytest.mark.parametrize("reserved", [False, True])
@pytest.mark.parametrize("stream", [0, 1, 2**31 - 1, 2**31, MOST])
def test_the_reserved_bit(reserved: bool, stream: int) -> None:
    octets = Frame(0, stream=stream, reserved=reserved).serialize()
    assert int.from_bytes(octets[5:9]) == stream | (2**31 if reserved else 0)
    _, head = frames.parse_head(octets)
    assert (head.stream, head.reserved) == (stream & (2**31 - 1), reserved or stream >= 2**31)


def test_flags_and_what_is_shown() -> None:
    frame = frames.headers(1, b"secret", end=True)
    assert frame.has(frames.END_STREAM)
    assert frame.has(frames.END_HEADERS | frames.PADDED)
    assert not frame.has(frames.PADDED | frames.PRIORITY_FLAG)
    for each in (frame, frames.push_promise(1, 2, b"secret"), frames.continuation(1, b"secret")):
        assert "secret" not in repr(each)
        assert f"payload=<{len(each.payload)} bytes>" in repr(each)
    assert "payload=b'content'" in repr(frames.data(1, b"content"))


@pytest.mark.parametrize("size", [0, 1, 126, 127, 128, 254, 255, 256, 16_510, 16_511])
def test_long_strings_in_blocks(size: int) -> None:
    fields = ((":status", "200"), ("x", "y" * size))
    decoder = Decoder(max_header_list_size=1 << 20)
    assert [(str(name), str(value)) for name, value in decoder.decode(frames.block(*fields))] == [*fields]


@pytest.mark.parametrize(
    ("frame", "content"),
    [
        (frames.data(1, b"abc"), b"abc"),
        *((frames.data(1, b"abc", padding=size), b"abc") for size in (0, 1, 255)),
        (frames.headers(1, b"abc"), b"abc"),
        (frames.headers(1, b"abc", padding=1), b"abc"),
        (frames.headers(1, b"abcdef", priority=(1, 1, True)), b"abcdef"),
        (frames.headers(1, b"abcdef", priority=(1, 1, True), padding=2), b"abcdef"),
        (frames.push_promise(1, 2, b"abcdef"), b"abcdef"),
        (frames.push_promise(1, 2, b"abcdef", padding=3), b"abcdef"),
        (Frame(FrameType.DATA, frames.PRIORITY_FLAG, 1, b"abcdef"), b"abcdef"),
    ],
)
def test_the_content_of_frames(frame: Frame, content: bytes) -> None:
    assert frames.content(frame) == content


def test_numbers_that_are_read() -> None:
    for frame, number in (
        (frames.goaway(7, 8), 7),
        (frames.rst_stream(1, 9), 9),
        (frames.window_update(1, MOST), MOST),
        (frames.ping(b"\0\0"), 0),
    ):
        assert frames.number_of(frame) == number
    payload = frames.settings((1, 2), (3, MOST), (1, 4)).payload
    for more in range(6):
        assert frames.settings_of(Frame(4, payload=payload + bytes(more))) == {1: 4, 3: MOST}


def test_the_names_of_numbers() -> None:
    """As the registries of IANA have them."""
    assert [each.value for each in FrameType] == [*range(11), 12, 16]
    assert [each.value for each in Setting] == [1, 2, 3, 4, 5, 6, 8, 9]
    assert [each.value for each in ErrorCode] == [*range(14)]


# -- header blocks


@pytest.mark.parametrize("prefix", range(1, 9))
def test_integers_have_as_many_octets_as_they_need(prefix: int) -> None:
    full = 2**prefix - 1
    for value, size in (
        *((0, 1), (full - 1, 1), (full, 2), (full + 127, 2), (full + 128, 3), (full + 16_383, 3)),
        (full + 16_384, 4),
    ):
        made = hpack.integer(value, prefix)
        assert len(made) == size
        assert made[0] == min(value, full)
        rest = sum((octet & 127) << 7 * place for place, octet in enumerate(made[1:]))
        assert min(value, full) + rest == value
        assert [octet >= 128 for octet in made[1:]] == [True] * (size - 2) + [False] * (size > 1)


@pytest.mark.parametrize("size", [0, 33, 34, 67, 68, 102])
def test_the_table_of_an_encoder_has_its_size(size: int) -> None:
    """Each field takes 34 octets."""
    encoder = hpack.Encoder(size=size)
    encoder.encode([(name, "1") for name in "abcd"])
    assert [name for name, _ in encoder.table] == ["d", "c", "b", "a"][: size // 34]


# -- messages of HTTP/1


@pytest.mark.parametrize("status", [100, 101, 199, 200, 203, 204, 205, 303, 304, 305, 404, 999])
def test_which_responses_get_a_length(status: int) -> None:
    has = not (status < 200 or status in {204, 304})
    made = build.response(status, body=b"ab")
    assert (b"content-length: 2\r\n" in made) is has
    assert made.endswith(b"\r\n\r\nab")
    for name in ("Content-Length", "TRANSFER-ENCODING"):
        assert b"content-length: 2" not in build.response(status, [(name, "x")], b"ab")


def test_the_defaults_of_messages() -> None:
    assert build.request() == b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
    assert build.response() == b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    assert build.status_line() == b"HTTP/1.1 200 OK"
    assert build.status_line("404") == b"HTTP/1.1 404 "
    assert build.status_line(404, phrase="") == b"HTTP/1.1 404 "
    assert build.status_line(404, version="HTTP/1.0") == b"HTTP/1.0 404 Not Found"
    assert build.chunked_response(b"a") == (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
    )
    assert [build.reason(each) for each in (200, 404, 299, -1)] == ["OK", "Not Found", "", ""]


@pytest.mark.parametrize(
    ("cuts", "pieces"),
    [
        ([], [b"abcd"]),
        ([0, 4], [b"abcd"]),
        ([1, 1, 3], [b"a", b"bc", b"d"]),
        ([3, 1], [b"a", b"bc", b"d"]),
        ([-1], [b"abcd"]),
        ([5, 2, -4], [b"ab", b"cd"]),
    ],
)
def test_splits(cuts: list[int], pieces: list[bytes]) -> None:
    assert build.split(b"abcd", cuts) == pieces
    for empty in ([], [0], cuts):
        assert build.split(b"", empty) == []


# -- clocks and servers in memory


@pytest.mark.parametrize("seconds", [0.0, 5e-324, 1.5])
def test_a_clock_goes_on_by_what_it_is_given(seconds: float) -> None:
    clock = FakeClock()
    assert clock.now == 1000.0
    clock.advance(seconds)
    assert clock() == clock.time() == clock.monotonic() == 1000.0 + seconds
    for wrong in (-5e-324, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="cannot go back"):
            clock.advance(wrong)
    for wrong in (math.inf, -math.inf, math.nan):
        with pytest.raises(ValueError, match="finite"):
            FakeClock(wrong)


def test_frames_are_read_whole_however_they_were_sent() -> None:
    _, server = memory.http2()
    server.received()
    sent = [frames.ping(), frames.data(1, b"abc"), frames.settings()]
    octets = frames.serialize(sent)
    for cut in range(len(octets) + 1):
        found = []
        for piece in (octets[:cut], octets[cut:]):
            server._unparsed += piece
            found += server.frames()
        assert found == sent
    server._unparsed = http2.PREFACE + octets
    assert server.frames() == sent
