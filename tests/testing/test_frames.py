from __future__ import annotations

from typing import TYPE_CHECKING

import hyperframe.frame as oracle
import pytest
from hpack import Decoder

from mint.testing import http2
from mint.testing.frames import HEAD_SIZE, parse_head, serialize
from mint.testing.http2 import Frame, FrameType

if TYPE_CHECKING:
    from collections.abc import Callable

FIELDS = ((":status", "200"), ("x-long", "y" * 300), ("x-empty", ""))


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (http2.data(1, b"abc", end=True), oracle.DataFrame(1, b"abc", flags=["END_STREAM"])),
        (
            http2.data(1, b"abc", padding=2),
            oracle.DataFrame(1, b"abc", pad_length=2, flags=["PADDED"]),
        ),
        (
            http2.headers(3, b"block", padding=1, priority=(1, 256, True)),
            oracle.HeadersFrame(
                3,
                b"block",
                pad_length=1,
                depends_on=1,
                stream_weight=255,
                exclusive=True,
                flags=["PADDED", "PRIORITY", "END_HEADERS"],
            ),
        ),
        (http2.priority(5, 3, 1), oracle.PriorityFrame(5, depends_on=3, stream_weight=0)),
        (http2.rst_stream(7, 8), oracle.RstStreamFrame(7, error_code=8)),
        (http2.settings((4, 10), (1, 0)), oracle.SettingsFrame(0, settings={4: 10, 1: 0})),
        (http2.settings(ack=True), oracle.SettingsFrame(0, flags=["ACK"])),
        (
            http2.push_promise(1, 2, b"block", padding=3),
            oracle.PushPromiseFrame(1, 2, b"block", pad_length=3, flags=["PADDED", "END_HEADERS"]),
        ),
        (http2.ping(b"12345678", ack=True), oracle.PingFrame(0, b"12345678", flags=["ACK"])),
        (http2.goaway(5, 1, b"why"), oracle.GoAwayFrame(0, 5, 1, b"why")),
        (http2.window_update(0, 9), oracle.WindowUpdateFrame(0, 9)),
        (
            http2.alt_svc('h2=":1"', origin="https://a.test"),
            oracle.AltSvcFrame(0, b"https://a.test", b'h2=":1"'),
        ),
        (http2.alt_svc("clear", stream=1), oracle.AltSvcFrame(1, b"", b"clear")),
        (
            http2.continuation(1, b"rest", end_headers=False),
            oracle.ContinuationFrame(1, b"rest"),
        ),
    ],
)
def test_frames_equal_those_of_another_library(frame: Frame, expected: oracle.Frame) -> None:
    assert frame.serialize() == expected.serialize()


def test_frames_round_trip() -> None:
    frame = Frame(FrameType.DATA, 0xFF, 2**31 - 1, b"x" * 70_000, reserved=True)
    octets = serialize([frame])
    length, head = parse_head(octets[:HEAD_SIZE])
    assert length == 70_000
    assert (head.type, head.flags, head.stream, head.reserved) == (0, 0xFF, 2**31 - 1, True)
    assert Frame(0x20, length=5, payload=b"x").serialize() == b"\0\0\x05\x20\0\0\0\0\0x"


def test_another_library_decodes_our_block() -> None:
    decoded = Decoder().decode(http2.block(*FIELDS))
    assert [f"{name!s}: {value!s}" for name, value in decoded] == [": ".join(pair) for pair in FIELDS]


def test_content_is_without_padding_and_fixed_fields() -> None:
    assert http2.content(http2.data(1, b"abc", padding=9)) == b"abc"
    assert http2.content(http2.headers(1, b"abc", priority=(0, 1, False), padding=1)) == b"abc"
    assert http2.content(http2.push_promise(1, 2, b"abc", padding=1)) == b"abc"


def test_frames_of_extensions() -> None:
    """Compared with literal octets, because no other library knows these frames."""
    frame = http2.origin_set("https://a.test", b"\xff", "")
    assert frame.serialize() == b"\0\0\x15\x0c\0\0\0\0\0\0\x0ehttps://a.test\0\x01\xff\0\0"
    assert http2.origin_set(stream=1, flags=8) == Frame(FrameType.ORIGIN, 8, 1, b"")
    assert http2.priority_update(5, "u=1, i").serialize() == b"\0\0\x0a\x10\0\0\0\0\0\0\0\0\x05u=1, i"


def test_numbers() -> None:
    assert http2.settings_of(http2.settings((4, 10), (1, 0))) == {4: 10, 1: 0}
    assert http2.number_of(http2.window_update(1, 77)) == 77


HUGE = 1 << 32
UNFIT: dict[str, Callable[[], object]] = {
    "type": lambda: Frame(256),
    "flags": lambda: Frame(0, -1),
    "stream": lambda: http2.data(HUGE),
    "payload": lambda: Frame(0, payload="text"),  # type: ignore[arg-type]  # wrong
    "length": lambda: Frame(0, length=1 << 24),
    "padding": lambda: http2.data(1, padding=256),
    "dependency": lambda: http2.priority(1, HUGE),
    "weight": lambda: http2.headers(1, b"", priority=(0, 0, False)),
    "code": lambda: http2.rst_stream(1, -1),
    "a setting": lambda: http2.settings((1 << 16, 1)),
    "promised": lambda: http2.push_promise(1, HUGE, b""),
    "last": lambda: http2.goaway(-1),
    "increment": lambda: http2.window_update(0, HUGE),
    "origins": lambda: http2.origin_set("x" * 65_536),
    "origin": lambda: http2.alt_svc("", origin="x" * 65_536),
}


@pytest.mark.parametrize("name", UNFIT)
def test_values_out_of_range_are_refused_by_name_when_a_frame_is_built(name: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{name} "):
        UNFIT[name]()


def test_steps_refuse_codes_out_of_range() -> None:
    with pytest.raises(ValueError, match="code"):
        http2.expect_goaway(HUGE)
    with pytest.raises(ValueError, match="code"):
        http2.expect_reset(1, HUGE)


@pytest.mark.parametrize("read", [http2.content, http2.number_of])
def test_only_frames_are_read(read: Callable[[Frame], object]) -> None:
    with pytest.raises(TypeError, match=r"^frame must be a "):
        read(b"")  # type: ignore[arg-type]  # wrong on purpose
