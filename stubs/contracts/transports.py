"""What type checkers must know about transports. Checked, never executed."""

from __future__ import annotations

import socket as sockets
from typing import Literal, assert_type

import mint
import mint.transcripts
import mint.transport
import mint.types
from mint import Message, TLSInfo
from mint._transcripts.recorder import Track
from mint.types import Inbox, SocketAddress, Source, Transport, Unread


def transcripts_recorder_close(it: mint.transcripts.Recorder) -> None:
    it.close()


def transcripts_recorder_failure(it: mint.transcripts.Recorder) -> None:
    assert_type(it.failure, Exception | None)


def transcripts_recorder_track(it: mint.transcripts.Recorder, protocol: str, identity: int) -> None:
    assert_type(it.track(protocol, identity), Track)


def transcripts_textsink_write(it: mint.transcripts.TextSink, text: str) -> None:
    assert_type(it.write(text), object)


def transport_memory_put(it: mint.transport.Memory, octets: bytes) -> None:
    it.put(octets)


def transport_memory_put_eof(it: mint.transport.Memory, clean: bool) -> None:
    it.put_eof(clean=clean)


def transport_memory_take(it: mint.transport.Memory) -> None:
    assert_type(it.take(), bytes)


def transport_memory_write_ended(it: mint.transport.Memory) -> None:
    assert_type(it.write_ended, bool)


def types_inbox_admit(it: mint.types.Inbox, transport: Transport) -> None:
    it.admit(transport)


def types_inbox_unwatch(it: mint.types.Inbox, transport: Transport) -> None:
    it.unwatch(transport)


def types_inbox_watch(it: mint.types.Inbox, transport: Transport) -> None:
    it.watch(transport)


def types_transport_abort(it: mint.types.Transport) -> None:
    it.abort()


def types_transport_accept(it: mint.types.Transport, message: Message) -> None:
    assert_type(it.accept(message), bytes)


def types_transport_arm(it: mint.types.Transport) -> None:
    it.arm()


def types_transport_claim(it: mint.types.Transport, generation: int) -> None:
    it.claim(generation)


def types_transport_clean_end(it: mint.types.Transport) -> None:
    assert_type(it.clean_end, bool)


def types_transport_close(it: mint.types.Transport) -> None:
    it.close()


def types_transport_closed(it: mint.types.Transport) -> None:
    assert_type(it.closed, bool)


def types_transport_congested(it: mint.types.Transport) -> None:
    assert_type(it.congested, bool)


def types_transport_ended(it: mint.types.Transport) -> None:
    assert_type(it.ended, bool)


def types_transport_fail_writing(it: mint.types.Transport) -> None:
    it.fail_writing()


def types_transport_flush(it: mint.types.Transport, timeout: float | None) -> None:
    it.flush(timeout)


def types_transport_generation(it: mint.types.Transport) -> None:
    assert_type(it.generation, int)


def types_transport_inbox(it: mint.types.Transport) -> None:
    assert_type(it.inbox, Inbox | None)


def types_transport_local_address(it: mint.types.Transport) -> None:
    assert_type(it.local_address, SocketAddress | None)


def types_transport_look(it: mint.types.Transport) -> None:
    assert_type(it.look(), Unread | None)


def types_transport_peer_address(it: mint.types.Transport) -> None:
    assert_type(it.peer_address, SocketAddress | None)


def types_transport_permit(it: mint.types.Transport, call: Literal["recv", "flush"]) -> None:
    it.permit(call)


def types_transport_poison(it: mint.types.Transport) -> None:
    it.poison()


def types_transport_receive(it: mint.types.Transport, until: float | None) -> None:
    assert_type(it.receive(until), bytes)


def types_transport_receive_now(it: mint.types.Transport) -> None:
    assert_type(it.receive_now(), bytes | None)


def types_transport_release(it: mint.types.Transport, moved: bool) -> None:
    assert_type(it.release(moved=moved), int)


def types_transport_send(it: mint.types.Transport, pieces: tuple[bytes, ...], flush: bool) -> None:
    it.send(pieces, flush=flush)


def types_transport_set_inbox(it: mint.types.Transport, inbox: Inbox | None) -> None:
    it.set_inbox(inbox)


def types_transport_settle(it: mint.types.Transport, generation: int, error: BaseException) -> None:
    it.settle(generation, error)


def types_transport_shut_write(it: mint.types.Transport) -> None:
    it.shut_write()


def types_transport_socket(it: mint.types.Transport) -> None:
    assert_type(it.socket, sockets.socket | None)


def types_transport_source(it: mint.types.Transport) -> None:
    assert_type(it.source, Source)


def types_transport_tls(it: mint.types.Transport) -> None:
    assert_type(it.tls, TLSInfo | None)


def types_transport_unsent(it: mint.types.Transport) -> None:
    assert_type(it.unsent, int)


def types_transport_written(it: mint.types.Transport) -> None:
    assert_type(it.written, bool)
