"""Frames: their names, and how a whole frame is written."""

from mint._core import frames


def test_names_of_frames_are_those_of_the_rfc() -> None:
    assert frames.frame_name(0) == "DATA"
    assert frames.frame_name(9) == "CONTINUATION"
    assert [frames.frame_name(kind) for kind in (10, 12, 16)] == ["ALTSVC", "ORIGIN", "PRIORITY_UPDATE"]
    assert [frames.frame_name(kind) for kind in (11, 13, 0x2A)] == ["0x0b", "0x0d", "0x2a"]
    assert frames.error_name(0) == "NO_ERROR"
    assert frames.error_name(11) == "ENHANCE_YOUR_CALM"
    assert frames.error_name(0xDEADBEEF) == "0xdeadbeef"


def test_a_frame_has_nine_octets_and_the_payload() -> None:
    assert frames.frame(6, 1, 0, b"12345678") == b"\x00\x00\x08\x06\x01\x00\x00\x00\x0012345678"
    assert frames.frame(0, 0, 0x7FFFFFFF, b"") == b"\x00\x00\x00\x00\x00\x7f\xff\xff\xff"
    assert frames.frame(0, 0, 1, b"x" * 16384)[:3] == b"\x00\x40\x00"
