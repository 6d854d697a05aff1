"""What type checkers must know about methods. Checked, never executed."""

from __future__ import annotations

import socket as sockets
from typing import Literal, assert_type

import mint
import mint.types
from mint import Eof, RequestRef, TLSInfo, TransportError
from mint._connections.http2 import FlagSetting, LimitSetting, ServerFlag, SizeSetting
from mint._core.events import Event
from mint.types import (
    BytesLike,
    HeaderFields,
    HeaderPairs,
    Inbox,
    SocketAddress,
    Source,
    Transport,
)


def http1_close(it: mint.HTTP1) -> None:
    assert_type(it.close(), mint.HTTP1)


def http1_delete_private(it: mint.HTTP1, key: str) -> None:
    assert_type(it.delete_private(key), mint.HTTP1)


def http1_flush(it: mint.HTTP1, timeout: float | None) -> None:
    assert_type(it.flush(timeout), mint.HTTP1)


def http1_foreseen(it: mint.HTTP1) -> None:
    assert_type(it.foreseen(), list[Event])


def http1_fork(it: mint.HTTP1) -> None:
    assert_type(it.fork(), mint.HTTP1)


def http1_get_private(it: mint.HTTP1, key: str, default: object) -> None:
    assert_type(it.get_private(key, default), object)


def http1_is_open(it: mint.HTTP1, direction: Literal["write", "read"]) -> None:
    assert_type(it.is_open(direction), bool)


def http1_is_usable(it: mint.HTTP1) -> None:
    assert_type(it.is_usable(), bool)


def http1_local_address(it: mint.HTTP1) -> None:
    assert_type(it.local_address, SocketAddress | None)


def http1_mode(it: mint.HTTP1) -> None:
    assert_type(it.mode, Literal["active", "passive"])


def http1_move_to(it: mint.HTTP1, mailbox: Inbox) -> None:
    assert_type(it.move_to(mailbox), mint.HTTP1)


def http1_open_request_count(it: mint.HTTP1) -> None:
    assert_type(it.open_request_count, int)


def http1_owns(it: mint.HTTP1, message: object) -> None:
    assert_type(it.owns(message), bool)


def http1_peer_address(it: mint.HTTP1) -> None:
    assert_type(it.peer_address, SocketAddress | None)


def http1_protocol(it: mint.HTTP1) -> None:
    assert_type(it.protocol, Literal["http1"])


def http1_proxy_headers(it: mint.HTTP1) -> None:
    assert_type(it.proxy_headers, HeaderFields)


def http1_put_log(it: mint.HTTP1, log: bool) -> None:
    assert_type(it.put_log(log), mint.HTTP1)


def http1_put_private(it: mint.HTTP1, key: str, value: object) -> None:
    assert_type(it.put_private(key, value), mint.HTTP1)


def http1_request(
    it: mint.HTTP1, method: str, target: str, headers: HeaderPairs, body: mint.types.Body, flush: bool
) -> None:
    assert_type(it.request(method, target, headers, body, flush=flush), tuple[mint.HTTP1, RequestRef])


def http1_request_body_window(it: mint.HTTP1, ref: RequestRef) -> None:
    assert_type(it.request_body_window(ref), int)


def http1_set_mode(it: mint.HTTP1, mode: Literal["active", "passive"], mailbox: Inbox | None) -> None:
    assert_type(it.set_mode(mode, mailbox), mint.HTTP1)


def http1_socket(it: mint.HTTP1) -> None:
    assert_type(it.socket, sockets.socket | None)


def http1_source(it: mint.HTTP1) -> None:
    assert_type(it.source, Source)


def http1_stream_request_body(it: mint.HTTP1, ref: RequestRef, data: BytesLike | Eof, flush: bool) -> None:
    assert_type(it.stream_request_body(ref, data, flush=flush), mint.HTTP1)


def http1_tls(it: mint.HTTP1) -> None:
    assert_type(it.tls, TLSInfo | None)


def http1_transport(it: mint.HTTP1) -> None:
    assert_type(it.transport, Transport)


def http1_undelivered(it: mint.HTTP1, error: TransportError) -> None:
    it.undelivered(error)


def http2_cancel_request(it: mint.HTTP2, ref: RequestRef) -> None:
    assert_type(it.cancel_request(ref), mint.HTTP2)


def http2_get_client_setting(it: mint.HTTP2, name: FlagSetting | SizeSetting | LimitSetting) -> None:
    assert_type(it.get_client_setting(name), bool | int | None)


def http2_get_server_setting(it: mint.HTTP2, name: ServerFlag | SizeSetting | LimitSetting) -> None:
    assert_type(it.get_server_setting(name), bool | int | None)


def http2_get_window_size(it: mint.HTTP2, scope: RequestRef | Literal["connection"]) -> None:
    assert_type(it.get_window_size(scope), int)


def http2_ping(it: mint.HTTP2, payload: bytes) -> None:
    assert_type(it.ping(payload), tuple[mint.HTTP2, RequestRef])


def http2_protocol(it: mint.HTTP2) -> None:
    assert_type(it.protocol, Literal["http2"])


def http2_put_settings(
    it: mint.HTTP2,
    header_table_size: int | None,
    enable_push: bool | None,
    max_concurrent_streams: int | None,
    initial_window_size: int | None,
    max_frame_size: int | None,
    max_header_list_size: int | None,
) -> None:
    assert_type(
        it.put_settings(
            header_table_size=header_table_size,
            enable_push=enable_push,
            max_concurrent_streams=max_concurrent_streams,
            initial_window_size=initial_window_size,
            max_frame_size=max_frame_size,
            max_header_list_size=max_header_list_size,
        ),
        mint.HTTP2,
    )


def http2_request_body_window(it: mint.HTTP2, ref: RequestRef) -> None:
    assert_type(it.request_body_window(ref), int)


def http2_set_refill(it: mint.HTTP2, ref: RequestRef, refill: bool) -> None:
    assert_type(it.set_refill(ref, refill), mint.HTTP2)


def http2_set_window_size(it: mint.HTTP2, scope: RequestRef | Literal["connection"], size: int) -> None:
    assert_type(it.set_window_size(scope, size), mint.HTTP2)


def http2_settings_received(it: mint.HTTP2) -> None:
    assert_type(it.settings_received, bool)
