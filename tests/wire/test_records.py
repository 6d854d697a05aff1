"""TLS records: the plaintext does not depend on how they are split, and OpenSSL gets whole records only."""

from __future__ import annotations

import contextlib
import ssl
import struct
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mint import TLSOptions, TLSSessions, errors
from mint._core.records import Records
from mint._wire.pipe import Pipe
from mint._wire.tls import TLSLayer, prepare
from tests.tls import server_context, trusting
from tests.wire.test_tls import Server, connected, joined

if TYPE_CHECKING:
    from collections.abc import Iterable

SIZES = [1, 2, 5, 300, 16_383, 16_384, 16_385, 40_000]
CUTS = st.lists(st.one_of(st.integers(1, 8), st.integers(1, 40_000)), max_size=12)


def cut(octets: bytes, sizes: Iterable[int]) -> list[bytes]:
    """Split into pieces of these sizes; the rest is the last piece."""
    pieces, at = [], 0
    for size in sizes:
        pieces.append(octets[at : at + size])
        at += size
    return [piece for piece in (*pieces, octets[at:]) if piece]


def arrived(pipe: Pipe) -> bytes:
    out = b""
    while pipe._arrived:
        out += pipe._next() or b""
    return out


def fed(pipe: Pipe, octets: bytes) -> bytes:
    """Feed these octets; return the plaintext that they complete."""
    pipe._take_in(octets)
    return arrived(pipe)


def talk(version: ssl.TLSVersion) -> tuple[TLSLayer, Server]:
    context = server_context()
    context.maximum_version = version
    return connected(trusting(maximum_version=version), context)


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("version", VERSIONS)
@given(sizes=st.lists(st.sampled_from(SIZES), min_size=1, max_size=4), cuts=CUTS)
@settings(max_examples=40)
def test_splits_change_nothing(version: ssl.TLSVersion, sizes: list[int], cuts: list[int]) -> None:
    layer, server = talk(version)
    assert layer.info().version == version.name.replace("_", ".")
    sent = b"".join(bytes([number]) * size for number, size in enumerate(sizes))
    server.tls.write(sent[: sizes[0]])
    ciphertext = server.leaving.read()
    server.tls.write(sent)
    ciphertext += server.leaving.read()
    pipe = Pipe((layer,))
    expected = sent[: sizes[0]] + sent
    assert b"".join(fed(pipe, piece) for piece in cut(ciphertext, cuts)) == expected
    server.tls.write(b"more")
    assert fed(pipe, server.leaving.read()) == b"more"
    with pytest.raises(ssl.SSLWantReadError):
        server.tls.unwrap()
    assert fed(pipe, server.leaving.read()) == b""
    assert pipe.clean_end


@pytest.mark.parametrize("version", VERSIONS)
@given(cuts=CUTS)
@settings(max_examples=20)
def test_plaintext_that_arrives_with_the_end_is_not_lost(version: ssl.TLSVersion, cuts: list[int]) -> None:
    layer, server = talk(version)
    server.tls.write(b"last" * 9_000)
    with pytest.raises(ssl.SSLWantReadError):
        server.tls.unwrap()
    pipe = Pipe((layer,))
    pieces = cut(server.leaving.read(), cuts)
    assert b"".join(fed(pipe, piece) for piece in pieces) == b"last" * 9_000
    assert pipe.clean_end


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x00" * 5,
        b"\x13\x03\x03\x00\x10" + bytes(16),  # a type below those of TLS
        b"\x19\x03\x03\x00\x10" + bytes(16),  # and one above
        b"\x17\x02\x03\x00\x10" + bytes(16),  # another version
        b"\x17\x03\x03\x48\x01",  # a record longer than any
        b"\x17\x03\x03\x00\x20" + bytes(32),  # a record that is not encrypted
    ],
)
@pytest.mark.parametrize("first", [b"", b"first" * 10_000])
def test_invalid_records_are_an_error_at_once(garbage: bytes, first: bytes) -> None:
    layer, server = talk(ssl.TLSVersion.TLSv1_3)
    if first:
        server.tls.write(first)
    pipe = Pipe((layer,))
    assert fed(pipe, server.leaving.read() + garbage) == first
    with pytest.raises(errors.TLSFailed):
        pipe._next()
    with pytest.raises(errors.TransportClosed):
        pipe._next()


def test_a_session_is_stored_when_its_ticket_arrives() -> None:
    sessions = TLSSessions()
    options = TLSOptions(ca_data=trusting().ca_data, sessions=sessions)
    context = server_context()
    for resumed in (False, True):
        layer = prepare(options, (), "localhost", "here").layer()
        server = Server(context)
        joined(layer, server)
        assert layer.info().resumed is resumed
        server.tls.write(b"hello")
        pipe = Pipe((layer,))
        assert fed(pipe, server.leaving.read()) + arrived(pipe) == b"hello"
        server.tls.write(b"again")
        assert fed(pipe, server.leaving.read()) == b"again"


class FakeTLS:
    """Reads records that are not encrypted; fails if it is called before a record is complete."""

    def __init__(self, arriving: ssl.MemoryBIO) -> None:
        self._arriving = arriving

    def read(self, _: int) -> bytes:
        head = self._arriving.read(5)
        assert len(head) == 5
        (size,) = struct.unpack(">H", head[3:])
        content = self._arriving.read(size)
        assert len(content) == size
        return content


@given(sizes=st.lists(st.sampled_from([1, 4, 5, 6, 255, 256, 16_384 + 2_048]), max_size=8), cuts=CUTS)
def test_openssl_reads_whole_records_only(sizes: list[int], cuts: list[int]) -> None:
    ciphertext = b"".join(b"\x17\x03\x03" + struct.pack(">H", size) + b"x" * size for size in sizes)
    arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    records = Records()
    fake = cast("ssl.SSLObject", FakeTLS(arriving))  # it has the method that is called
    records.attach(fake, arriving, leaving)
    out = b""
    for number, piece in enumerate(cut(ciphertext, cuts)):
        if number % 2:
            out += records.opened(piece) or b""
        else:
            records.feed(piece)
            records.decrypt()
            out += b"".join(records.take_plaintext())
    assert out == b"x" * sum(sizes)
    assert not arriving.pending


class Ending:
    """Reads its content, and then ends or fails."""

    def __init__(self, content: list[bytes], end: OSError | bytes) -> None:
        self._content = content
        self._end = end

    def read(self, _: int) -> bytes:
        if self._content:
            return self._content.pop()
        if isinstance(self._end, bytes):
            return self._end
        raise self._end


@pytest.mark.parametrize("end", [ssl.SSLZeroReturnError(), ssl.SSLEOFError(), ssl.SSLError(), b""])
@pytest.mark.parametrize("content", [[], [b"content"]])
def test_plaintext_before_an_end_is_kept(end: OSError | bytes, content: list[bytes]) -> None:
    arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    records = Records()
    fake = cast("ssl.SSLObject", Ending(content.copy(), end))  # it has the method that is called
    records.attach(fake, arriving, leaving)
    with contextlib.suppress(ssl.SSLError):
        assert records.opened(b"\x17\x03\x03\x00\x01x") is None
    assert records.take_plaintext() == content
    assert records.take_plaintext() == []
    assert records.over is (end == b"")


def is_reported(header: bytes) -> bool:
    """Whether OpenSSL is asked at once about a record of which only the header has arrived."""
    arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    records = Records()
    fake = cast("ssl.SSLObject", Ending([], ssl.SSLError()))  # it has the method that is called
    records.attach(fake, arriving, leaving)
    try:
        assert records.opened(header) == b""
    except ssl.SSLError:
        return True
    return False


def test_a_header_that_is_none_of_tls_is_reported_without_waiting_for_more() -> None:
    for kind in range(256):
        assert is_reported(bytes([kind, 3, 3, 0, 1])) == (not 20 <= kind <= 24)
    for major in range(256):
        for minor in (0, 1, 3, 4, 255):
            assert is_reported(bytes([23, major, minor, 0, 1])) == (major != 3)
    for size in (1, 255, 256, 16_383, 16_384, 18_431, 18_432, 18_433, 65_535):
        assert is_reported(struct.pack(">BBBH", 23, 3, 3, size)) == (size > 18_432)


def test_a_header_that_is_incomplete_is_not_reported() -> None:
    for header in (b"\x00\x00\x00\x00", b"HTTP", b"\x17\x03\x03\xff"):
        for count in range(1, 5):
            assert not is_reported(header[:count])
