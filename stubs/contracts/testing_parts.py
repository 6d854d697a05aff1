"""What type checkers must know about testing parts. Checked, never executed."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Literal, assert_type

import mint
import mint.testing.build
import mint.testing.certificates
import mint.testing.clock
import mint.testing.hpack
import mint.testing.http2
import mint.testing.memory


def testing_build_octets(text: str | bytes) -> None:
    assert_type(mint.testing.build.octets(text), bytes)


def testing_build_reason(status: int) -> None:
    assert_type(mint.testing.build.reason(status), str)


def testing_build_head(
    start: str | bytes, fields: Sequence[tuple[str | bytes, str | bytes]], line_end: bytes
) -> None:
    assert_type(mint.testing.build.head(start, fields, line_end=line_end), bytes)


def testing_build_status_line(
    status: int | str | bytes, phrase: str | bytes | None, version: str | bytes
) -> None:
    assert_type(mint.testing.build.status_line(status, phrase=phrase, version=version), bytes)


def testing_build_response(
    status: int | str | bytes,
    fields: Sequence[tuple[str | bytes, str | bytes]],
    body: bytes,
    phrase: str | bytes | None,
    version: str | bytes,
    line_end: bytes,
) -> None:
    assert_type(
        mint.testing.build.response(status, fields, body, phrase=phrase, version=version, line_end=line_end),
        bytes,
    )


def testing_build_chunk(data: bytes, size: str | bytes | None, extension: str | bytes, end: bytes) -> None:
    assert_type(mint.testing.build.chunk(data, size=size, extension=extension, end=end), bytes)


def testing_build_chunked(
    pieces: list[bytes], trailers: Sequence[tuple[str | bytes, str | bytes]], last: bool
) -> None:
    assert_type(mint.testing.build.chunked(*pieces, trailers=trailers, last=last), bytes)


def testing_build_chunked_response(
    pieces: list[bytes],
    status: int | str | bytes,
    fields: Sequence[tuple[str | bytes, str | bytes]],
    trailers: Sequence[tuple[str | bytes, str | bytes]],
) -> None:
    assert_type(
        mint.testing.build.chunked_response(*pieces, status=status, fields=fields, trailers=trailers), bytes
    )


def testing_build_request(
    method: str | bytes,
    target: str | bytes,
    fields: Sequence[tuple[str | bytes, str | bytes]],
    body: bytes,
    version: str | bytes,
    line_end: bytes,
) -> None:
    assert_type(
        mint.testing.build.request(method, target, fields, body, version=version, line_end=line_end), bytes
    )


def testing_build_split(data: bytes, cuts: Iterable[int]) -> None:
    assert_type(mint.testing.build.split(data, cuts), list[bytes])


def testing_certificates_authority_client_context(
    it: mint.testing.certificates.Authority, alpn: Sequence[str], certificate: str | None
) -> None:
    assert_type(it.client_context(alpn=alpn, certificate=certificate), ssl.SSLContext)


def testing_certificates_authority_pem(it: mint.testing.certificates.Authority) -> None:
    assert_type(it.pem, str)


def testing_certificates_authority_server_context(
    it: mint.testing.certificates.Authority,
    names: str,
    alpn: Sequence[str],
    expired: bool,
    client_certificates: bool,
) -> None:
    assert_type(
        it.server_context(*names, alpn=alpn, expired=expired, client_certificates=client_certificates),
        ssl.SSLContext,
    )


def testing_certificates_authority_write_pem(it: mint.testing.certificates.Authority, path: Path) -> None:
    assert_type(it.write_pem(path), Path)


def testing_clock_fakeclock_advance(it: mint.testing.clock.FakeClock, seconds: float) -> None:
    it.advance(seconds)


def testing_clock_fakeclock_installed(it: mint.testing.clock.FakeClock, modules: list[ModuleType]) -> None:
    with it.installed(*modules) as clock:
        assert_type(clock, mint.testing.clock.FakeClock)


def testing_clock_fakeclock_monotonic(it: mint.testing.clock.FakeClock) -> None:
    assert_type(it.monotonic(), float)


def testing_clock_fakeclock_sleep(it: mint.testing.clock.FakeClock, seconds: float) -> None:
    it.sleep(seconds)


def testing_clock_fakeclock_time(it: mint.testing.clock.FakeClock) -> None:
    assert_type(it.time(), float)


def testing_memory_memoryserver_deliver(it: mint.testing.memory.MemoryServer, conn: mint.HTTP2) -> None:
    assert_type(it.deliver(conn), tuple[mint.HTTP2, list[mint.Response]])


def testing_memory_memoryserver_end(it: mint.testing.memory.MemoryServer) -> None:
    it.end()


def testing_memory_memoryserver_frames(it: mint.testing.memory.MemoryServer) -> None:
    assert_type(it.frames(), list[mint.testing.http2.Frame])


def testing_memory_memoryserver_received(it: mint.testing.memory.MemoryServer) -> None:
    assert_type(it.received(), bytes)


def testing_memory_memoryserver_send(
    it: mint.testing.memory.MemoryServer, pieces: list[bytes | mint.testing.http2.Frame]
) -> None:
    it.send(*pieces)


def testing_memory_memoryserver_send_together(
    it: mint.testing.memory.MemoryServer, frames: list[mint.testing.http2.Frame]
) -> None:
    it.send_together(*frames)


def testing_memory_http1(
    scheme: Literal["http", "https"], hostname: str, port: int, options: mint.HTTP1Options | None
) -> None:
    assert_type(
        mint.testing.memory.http1(scheme, hostname, port, options=options),
        tuple[mint.HTTP1, mint.testing.memory.MemoryServer],
    )


def testing_memory_http2(
    values: list[tuple[int, int]],
    scheme: Literal["http", "https"],
    hostname: str,
    port: int,
    options: mint.HTTP2Options | None,
) -> None:
    assert_type(
        mint.testing.memory.http2(*values, scheme=scheme, hostname=hostname, port=port, options=options),
        tuple[mint.HTTP2, mint.testing.memory.MemoryServer],
    )


def testing_hpack_huffman(octets: bytes) -> None:
    assert_type(mint.testing.hpack.huffman(octets), bytes)


def testing_hpack_plain(octets: bytes) -> None:
    assert_type(mint.testing.hpack.plain(octets), bytes)


def testing_hpack_integer(value: int, prefix: int, flags: int) -> None:
    assert_type(mint.testing.hpack.integer(value, prefix, flags), bytes)


def testing_hpack_string(text: str | bytes, huffman_coded: bool) -> None:
    assert_type(mint.testing.hpack.string(text, huffman_coded=huffman_coded), bytes)


def testing_hpack_indexed(index: int) -> None:
    assert_type(mint.testing.hpack.indexed(index), bytes)


def testing_hpack_literal(
    name: str | bytes | int,
    value: str | bytes,
    indexing: Literal["incremental", "without", "never"],
    huffman_coded: bool,
) -> None:
    assert_type(mint.testing.hpack.literal(name, value, indexing, huffman_coded=huffman_coded), bytes)


def testing_hpack_table_size(size: int) -> None:
    assert_type(mint.testing.hpack.table_size(size), bytes)


def testing_hpack_encoder_encode(it: mint.testing.hpack.Encoder, fields: Iterable[tuple[str, str]]) -> None:
    assert_type(it.encode(fields), bytes)


def testing_hpack_encoder_table(it: mint.testing.hpack.Encoder) -> None:
    assert_type(it.table, Sequence[tuple[str, str]])


class OwnStep:
    """What a user writes: any class with this method is a step."""

    def play(self, peer: mint.testing.Peer) -> None:
        peer.send(b"")


class NoStep:
    """A method of the same name with other arguments."""

    def play(self) -> None: ...


def a_step_of_ones_own(it: mint.testing.Step, peer: mint.testing.Peer) -> None:
    it.play(peer)
    own: mint.testing.Step = OwnStep()
    mint.testing.ScriptedServer([own, mint.testing.Send(b"")])
    mint.testing.ScriptedServer([NoStep()])  # type: ignore[list-item]  # its method takes no connection
