"""What type checkers must know about testing servers. Checked, never executed."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from typing import assert_type

import mint
import mint.testing


def testing_body_read(it: mint.testing.Body) -> None:
    assert_type(it.read(), bytes)


def testing_body_trailers(it: mint.testing.Body) -> None:
    assert_type(it.trailers, tuple[tuple[str, str], ...])


def testing_origin_address(it: mint.testing.Origin) -> None:
    assert_type(it.address, str)


def testing_origin_failures(it: mint.testing.Origin) -> None:
    assert_type(it.failures, tuple[BaseException, ...])


def testing_origin_peers(it: mint.testing.Origin) -> None:
    assert_type(it.peers, tuple[mint.testing.Peer, ...])


def testing_origin_port(it: mint.testing.Origin) -> None:
    assert_type(it.port, int)


def testing_origin_unread(it: mint.testing.Origin) -> None:
    assert_type(it.unread, tuple[bytes, ...])


def testing_peer_abandon(it: mint.testing.Peer) -> None:
    it.abandon()


def testing_peer_abort(it: mint.testing.Peer) -> None:
    it.abort()


def testing_peer_aborted(it: mint.testing.Peer) -> None:
    assert_type(it.aborted, bool)


def testing_peer_alpn(it: mint.testing.Peer) -> None:
    assert_type(it.alpn, str | None)


def testing_peer_close(it: mint.testing.Peer) -> None:
    it.close()


def testing_peer_deadline(it: mint.testing.Peer) -> None:
    assert_type(it.deadline, float)


def testing_peer_drain(it: mint.testing.Peer, limit: float) -> None:
    it.drain(limit)


def testing_peer_ended_cleanly(it: mint.testing.Peer) -> None:
    assert_type(it.ended_cleanly, bool)


def testing_peer_fill(it: mint.testing.Peer) -> None:
    assert_type(it.fill(), bool)


def testing_peer_linger(it: mint.testing.Peer, limit: float) -> None:
    it.linger(limit)


def testing_peer_overdue(it: mint.testing.Peer) -> None:
    assert_type(it.overdue, bool)


def testing_peer_patience(it: mint.testing.Peer) -> None:
    assert_type(it.patience, float)


def testing_peer_read_exactly(it: mint.testing.Peer, count: int) -> None:
    assert_type(it.read_exactly(count), bytes)


def testing_peer_read_some(it: mint.testing.Peer, count: int) -> None:
    assert_type(it.read_some(count), bytes)


def testing_peer_read_until(it: mint.testing.Peer, marker: bytes, limit: int) -> None:
    assert_type(it.read_until(marker, limit), bytes)


def testing_peer_received(it: mint.testing.Peer) -> None:
    assert_type(it.received, bytes)


def testing_peer_reset(it: mint.testing.Peer) -> None:
    it.reset()


def testing_peer_secure(it: mint.testing.Peer) -> None:
    assert_type(it.secure, bool)


def testing_peer_send(it: mint.testing.Peer, data: bytes) -> None:
    it.send(data)


def testing_peer_send_raw(it: mint.testing.Peer, data: bytes) -> None:
    it.send_raw(data)


def testing_peer_shut_write(it: mint.testing.Peer) -> None:
    it.shut_write()


def testing_peer_start_tls(it: mint.testing.Peer, context: ssl.SSLContext) -> None:
    it.start_tls(context)


class Handshake:
    """What a step keeps for a connection."""


def testing_peer_state(it: mint.testing.Peer, kind: type[Handshake]) -> None:
    assert_type(it.state(kind), Handshake)


def testing_peer_stuck(it: mint.testing.Peer) -> None:
    assert_type(it.stuck, bool)


def testing_peer_take(it: mint.testing.Peer, count: int) -> None:
    assert_type(it.take(count), bytes)


def testing_peer_truncate(it: mint.testing.Peer) -> None:
    it.truncate()


def testing_refusingserver_address(it: mint.testing.RefusingServer) -> None:
    assert_type(it.address, str)


def testing_refusingserver_port(it: mint.testing.RefusingServer) -> None:
    assert_type(it.port, int)


def testing_request_header(it: mint.testing.Request, name: str) -> None:
    assert_type(it.header(name), str | None)


def testing_response_declared_length(it: mint.testing.Response) -> None:
    assert_type(it.declared_length(), int | None)


def testing_response_has_header(it: mint.testing.Response, name: str) -> None:
    assert_type(it.has_header(name), bool)


def testing_response_is_plain(it: mint.testing.Response) -> None:
    assert_type(it.is_plain, bool)


def testing_response_pieces(it: mint.testing.Response) -> None:
    assert_type(it.pieces(), Iterator[bytes])


def testing_response_trailer_fields(it: mint.testing.Response) -> None:
    assert_type(it.trailer_fields(), tuple[tuple[str, str], ...])


def testing_scriptedserver_received(it: mint.testing.ScriptedServer) -> None:
    assert_type(it.received, tuple[bytes, ...])


def testing_bytewise(data: bytes, size: int) -> None:
    assert_type(mint.testing.bytewise(data, size), mint.testing.Send)


def testing_optional(steps: Iterable[mint.testing.Step]) -> None:
    assert_type(mint.testing.optional(steps), mint.testing.Script)


def testing_repeated(steps: Iterable[mint.testing.Step], minimum: int, maximum: float) -> None:
    assert_type(mint.testing.repeated(steps, minimum, maximum), mint.testing.Script)


def testing_request(pattern: bytes) -> None:
    assert_type(mint.testing.request(pattern), mint.testing.ExpectUntil)


def testing_showcase(request: mint.testing.Request) -> None:
    assert_type(mint.testing.showcase(request), mint.testing.Response)


def testing_trickle(data: bytes, seconds: float, size: int) -> None:
    assert_type(mint.testing.trickle(data, seconds, size), tuple[mint.testing.Step, ...])
