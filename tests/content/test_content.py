from __future__ import annotations

import gzip
import os
import random
import time
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, NoReturn

import brotli  # type: ignore[import-untyped]  # it has no types
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from mint import content
from mint.errors import (
    CompressionRatioExceeded,
    ContentTooLarge,
    InvalidContent,
    TooManyCodings,
    TruncatedContent,
    UnknownCoding,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def raw_deflate(data: bytes) -> bytes:
    made = zlib.compressobj(wbits=-15)
    return made.compress(data) + made.flush()


ENCODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "members": ("gzip", lambda data: b"".join(gzip.compress(each) for each in halves(data))),
    "padded": ("x-gzip", lambda data: gzip.compress(data) + bytes(700)),
    "zlib": ("deflate", zlib.compress),
    "stored": ("deflate", lambda data: zlib.compress(data, 0)),
    "raw": ("deflate", raw_deflate),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstd.compress),
    "frames": ("zstd", lambda data: b"".join(zstd.compress(each) for each in (b"", *halves(data), b""))),
    "identity": ("identity", bytes),
}
ONE = ("gzip", "zlib", "raw", "br", "zstd")


def halves(data: bytes) -> tuple[bytes, bytes]:
    return data[: len(data) // 2], data[len(data) // 2 :]


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    ends = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(ends)]


def decoded(decoder: content.Decoder, pieces: Iterable[bytes]) -> bytes:
    out = [each for piece in pieces for each in decoder.feed(piece)]
    out += decoder.finish()
    assert all(0 < len(each) <= 200_000 for each in out)
    return b"".join(out)


CONTENTS = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda unit, count: unit * count, st.binary(min_size=1, max_size=9), st.integers(0, 40_000)),
    st.builds(
        lambda size, seed: random.Random(seed).randbytes(size),
        st.sampled_from((0, 1, 65_535, 65_536, 65_537, 131_072)),
        st.integers(0, 9),
    ),
)


@pytest.mark.rfc("9110-8.4-a")
@given(CONTENTS, st.lists(st.sampled_from(sorted(ENCODERS)), max_size=4), st.lists(st.integers(0, 10**6)))
def test_any_content_in_any_codings_split_anywhere(data: bytes, kinds: list[str], places: list[int]) -> None:
    encoded = data
    for kind in kinds:
        encoded = ENCODERS[kind][1](encoded)
    decoder = content.Decoder(", ".join(ENCODERS[kind][0] for kind in kinds), max_ratio=None)
    assert decoded(decoder, cut(encoded, places)) == data
    assert decoder.size == len(data)


@pytest.mark.rfc("9110-8.4.1-a")
@pytest.mark.parametrize("kind", sorted(ENCODERS))
def test_a_byte_at_a_time(kind: str) -> None:
    data = b"hello " * 50 + os.urandom(50)
    name, encode = ENCODERS[kind]
    encoded = encode(data)
    assert decoded(content.Decoder(name), [encoded[i : i + 1] for i in range(len(encoded))]) == data


@pytest.mark.parametrize("size", [*range(65_530, 65_545), 131_072, 98_272, 196_608])
@pytest.mark.parametrize("kind", ONE)
def test_content_whose_size_is_near_that_of_a_piece(kind: str, size: int) -> None:
    name, encode = ENCODERS[kind]
    for data in (bytes(size), os.urandom(size)):
        assert content.decode(encode(data), name) == data


@pytest.mark.parametrize("kind", [kind for kind in ENCODERS if kind not in {"identity", "padded"}])
def test_truncated_content(kind: str) -> None:
    name, encode = ENCODERS[kind]
    encoded = encode(bytes(100) + os.urandom(300))
    whole = {len(encode(b"")), len(encoded)}
    for end in range(1, len(encoded)):
        if kind in {"members", "frames"} and end in boundaries(encoded, name):
            continue
        with pytest.raises(TruncatedContent) as caught:
            content.decode(encoded[:end], name)
        assert caught.value.coding == name, (end, whole)


def boundaries(encoded: bytes, name: str) -> set[int]:
    """Return where one member ends and the next begins."""
    found, rest = set(), encoded
    while rest:
        made = zstd.ZstdDecompressor() if name == "zstd" else zlib.decompressobj(31)
        made.decompress(rest)
        rest = made.unused_data
        found.add(len(encoded) - len(rest))
    return found


@pytest.mark.parametrize("kind", ONE)
def test_content_that_is_damaged_or_followed_by_something(kind: str) -> None:
    name, encode = ENCODERS[kind]
    encoded = encode(os.urandom(300))
    for bad in (b"<html>not encoded at all</html>", encoded + b"<html>"):
        with pytest.raises(InvalidContent) as caught:
            content.decode(bad, name)
        assert caught.value.coding == name
    with pytest.raises(InvalidContent):
        decoder = content.Decoder(name)
        decoded(decoder, [encoded, b"more"])


def test_raw_deflate_that_begins_like_zlib() -> None:
    # Stored blocks that look like a zlib header: the padding is not 0, and the check of the header holds.
    for first in (0x08, 0x18, 0x28, 0x38, 0x48, 0x58, 0x68, 0x78):
        for size in range(256):
            if (first << 8 | size) % 31 == 0 and not size & 0x20:
                raw = bytes((first, size, 0, size ^ 0xFF, 0xFF)) + bytes(size) + b"\x03\x00"
                for places in ([], [1], [2], [3], range(len(raw))):
                    assert decoded(content.Decoder("deflate"), cut(raw, places)) == bytes(size)


@pytest.mark.parametrize("kind", ONE)
def test_a_bomb_is_refused_by_its_ratio_and_by_its_size(kind: str) -> None:
    name, encode = ENCODERS[kind]
    bomb = encode(bytes(50_000_000))
    for decoder, error in (
        (content.Decoder(name), CompressionRatioExceeded),
        (content.Decoder(name, max_ratio=None, max_size=100_000), ContentTooLarge),
    ):
        with pytest.raises(error):
            for _ in decoder.feed(bomb):
                assert decoder.size <= allowed(bomb) + 200_000


def allowed(encoded: bytes) -> int:
    return max(1_048_576, 200 * len(encoded))


def test_a_bomb_inside_another() -> None:
    bomb = gzip.compress(gzip.compress(bytes(500_000_000), 1))
    with pytest.raises(CompressionRatioExceeded):
        content.decode(bomb, "gzip, gzip")


@pytest.mark.parametrize(
    ("name", "unit"),
    [("gzip", gzip.compress(b"", mtime=0)), ("zstd", zstd.compress(b""))],
    ids=["gzip", "zstd"],
)
def test_many_empty_members_inside_another_coding_are_refused(name: str, unit: bytes) -> None:
    for outer in ("gzip", "br", "zstd"):
        bomb = ENCODERS[outer][1](unit * 2_000_000)
        decoder = content.Decoder(f"{name}, {outer}")
        with pytest.raises(CompressionRatioExceeded):
            decoded(decoder, [bomb])
        assert all(stage.units * stage.unit_cost <= allowed(bomb) + 200_000 for stage in decoder._stages)


def test_many_members_without_nesting_take_linear_time() -> None:
    # Two megabytes of members of 20 bytes; copying the remaining input for each would take quadratic time.
    members = gzip.compress(b"") * 100_000
    began = time.process_time()
    assert content.decode(members, "gzip") == b""
    assert time.process_time() - began < 30  # quadratic time would be minutes


def test_the_limit_applies_while_content_arrives() -> None:
    data = os.urandom(1_000_000)
    encoded = gzip.compress(data)
    decoder = content.Decoder("gzip", max_size=1000)
    seen = 0
    with pytest.raises(ContentTooLarge) as caught:
        for start in range(0, len(encoded), 500):
            seen += 500
            for _ in decoder.feed(encoded[start : start + 500]):
                pass
    assert seen <= 2000
    assert caught.value.limit == 1000
    assert decoded(content.Decoder("gzip", max_size=len(data)), [encoded]) == data


def test_output_that_was_not_consumed_is_returned_later() -> None:
    data = os.urandom(400_000)
    encoded = gzip.compress(data)
    decoder = content.Decoder("gzip")
    first = next(decoder.feed(encoded))
    assert first + b"".join([*decoder.feed(b""), *decoder.finish()]) == data


@pytest.mark.parametrize("coding", ["compress", "exi", "gzip;q=1", "", "br"])
def test_unknown_codings(coding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not coding:
        assert content.decode(b"plain", coding) == b"plain"
        return
    if coding == "br":
        monkeypatch.setitem(content._STAGES, "br", not_installed)
    with pytest.raises(UnknownCoding) as caught:
        content.Decoder(f"gzip, {coding}")
    assert caught.value.coding == coding
    assert ("mint-http[br]" in str(caught.value)) is (coding == "br")


def not_installed() -> NoReturn:
    raise ImportError("brotli")


def test_too_many_codings() -> None:
    for codings in (", ".join(["gzip"] * 6), ["gzip"] * 6, ",".join(["gzip"] * 1_000_000)):
        with pytest.raises(TooManyCodings) as caught:
            content.Decoder(codings)
        assert caught.value.limit == 5
    data = b"x" * 100
    for _ in range(5):
        data = gzip.compress(data)
    assert content.decode(data, ["gzip", "GZIP, x-gzip", " gzip ,, gzip"]) == b"x" * 100


@pytest.mark.parametrize("kind", [*ONE, "identity"])
def test_empty_content_is_valid(kind: str) -> None:
    assert content.decode(b"", ENCODERS[kind][0]) == b""


def test_windows_that_are_too_large_are_refused() -> None:
    data = os.urandom(1000) + bytes(20_000_000)
    parameters = zstd.CompressionParameter
    options = {int(parameters.window_log): 27, int(parameters.compression_level): 1}
    made = zstd.ZstdCompressor(options=options)
    encoded = made.compress(data) + made.flush()
    with pytest.raises(InvalidContent):
        content.decode(encoded, "zstd", max_ratio=None)


def test_supported_codings() -> None:
    assert content.supported() == ("gzip", "deflate", "br", "zstd")
    assert content.accept_encoding() == ("accept-encoding", "gzip, deflate, br, zstd")


class Growing:
    """A coding of which each octet becomes several; every input is a member."""

    coding = "growing"
    unit_cost = 3

    def __init__(self, times: int) -> None:
        self.units = 0
        self._times = times
        self._rest = b""

    def push(self, data: bytes) -> None:
        self._rest = data

    def pull(self, size: int) -> bytes | None:
        self.units += bool(self._rest)
        out, self._rest = self._rest * self._times, b""
        return out or None

    def finish(self) -> None:
        pass


@pytest.mark.parametrize("free", [10, 11, 12])
def test_the_ratio_is_checked_above_a_size(free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_FREE", free)
    monkeypatch.setitem(content._STAGES, "growing", lambda: Growing(8))
    if free < 8 + Growing.unit_cost:
        with pytest.raises(CompressionRatioExceeded):
            content.decode(b"x", "growing", max_ratio=1)
    else:
        assert content.decode(b"x", "growing", max_ratio=1) == b"x" * 8


@pytest.mark.parametrize("ratio", [10, 11, 12])
def test_a_ratio_is_exceeded_above_its_limit(ratio: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_FREE", 0)
    monkeypatch.setitem(content._STAGES, "growing", lambda: Growing(8))
    if ratio < 8 + Growing.unit_cost:
        with pytest.raises(CompressionRatioExceeded) as caught:
            content.decode(b"x", "growing", max_ratio=ratio)
        assert caught.value.limit == ratio
    else:
        assert content.decode(b"x", "growing", max_ratio=ratio) == b"x" * 8


@pytest.mark.parametrize("codings", ["", "gzip"])
@pytest.mark.parametrize("size", [0, 1, 10])
def test_content_may_be_as_large_as_its_limit(codings: str, size: int) -> None:
    data = b"x" * size
    encoded = gzip.compress(data) if codings else data
    assert content.decode(encoded, codings, max_size=size) == data
    for limit in range(size):
        with pytest.raises(ContentTooLarge) as caught:
            content.decode(encoded, codings, max_size=limit)
        assert caught.value.limit == limit


@pytest.mark.parametrize(
    ("kind", "counted", "cost"),
    [
        ("gzip", True, 1024),
        ("zlib", False, 1024),
        ("raw", False, 1024),
        ("br", False, 1024),
        ("zstd", True, 4096),
    ],
)
def test_members_and_frames_count_as_output(
    kind: str, counted: bool, cost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise many empty ones would take much time for little output."""
    monkeypatch.setattr(content, "_FREE", 0)
    name, encode = ENCODERS[kind]
    unit = encode(b"x")
    for number in (1, 2, 7) if counted else (1,):
        decoder = content.Decoder(name, max_ratio=None)
        assert decoded(decoder, [unit * number]) == b"x" * number
        [stage] = decoder._stages
        assert (stage.units, stage.unit_cost) == (number, cost)
        most = (cost + 1) * number / (len(unit) * number)
        for ratio in (int(most), int(most) + 1):
            if ratio < most:
                with pytest.raises(CompressionRatioExceeded):
                    content.decode(unit * number, name, max_ratio=ratio)
            else:
                assert content.decode(unit * number, name, max_ratio=ratio) == b"x" * number


def test_sizes() -> None:
    """The limits of the ratio and the sizes of pieces, in bytes."""
    assert (content._FREE, content._PIECE, content._INPUT) == (1_048_576, 65_536, 16_384)
