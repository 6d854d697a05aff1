"""What type checkers must know about loops. Checked, never executed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_type

import mint
import mint.asyncio
import mint.trio
from mint import HTTP2, Connection, HTTP1Options, HTTP2Options, TCPOptions, TLSOptions
from mint._transcripts.recorder import Record
from mint.types import Address, Inbox, ProtocolName, Scheme, Unknown


def mailbox_close(it: mint.Mailbox) -> None:
    it.close()


def mailbox_post(it: mint.Mailbox, message: object) -> None:
    it.post(message)


def mailbox_receive(it: mint.Mailbox, timeout: float | None) -> None:
    assert_type(it.receive(timeout), object)


def tunnels_close(it: mint.Tunnels) -> None:
    it.close()


def tunnels_connect(
    it: mint.Tunnels,
    scheme: Scheme,
    address: Address,
    port: int,
    hostname: str | None,
    protocols: Sequence[ProtocolName],
    tcp: TCPOptions,
    tls: TLSOptions,
    http1: HTTP1Options,
    http2: HTTP2Options,
    log: bool,
    record: Record | None,
    tunnel_timeout: float | None,
) -> None:
    assert_type(
        it.connect(
            scheme,
            address,
            port,
            hostname=hostname,
            protocols=protocols,
            tcp=tcp,
            tls=tls,
            http1=http1,
            http2=http2,
            log=log,
            record=record,
            tunnel_timeout=tunnel_timeout,
        ),
        Connection,
    )


def tunnels_connection(it: mint.Tunnels) -> None:
    assert_type(it.connection, HTTP2)


def tunnels_mode(it: mint.Tunnels) -> None:
    assert_type(it.mode, str)


def tunnels_set_mode(it: mint.Tunnels, mode: str, mailbox: Inbox | None) -> None:
    it.set_mode(mode, mailbox)


def tunnels_stream(it: mint.Tunnels, message: object) -> None:
    assert_type(it.stream(message), bool | Unknown)


def asyncio_mailbox_close(it: mint.asyncio.Mailbox) -> None:
    it.close()


def asyncio_mailbox_post(it: mint.asyncio.Mailbox, message: object) -> None:
    it.post(message)


async def asyncio_mailbox_receive(it: mint.asyncio.Mailbox) -> None:
    assert_type(await it.receive(), object)


def asyncio_tunnels_close(it: mint.asyncio.Tunnels) -> None:
    it.close()


async def asyncio_tunnels_connect(
    it: mint.asyncio.Tunnels,
    scheme: Scheme,
    address: Address,
    port: int,
    hostname: str | None,
    protocols: Sequence[ProtocolName],
    mailbox: Inbox | None,
    tcp: TCPOptions,
    tls: TLSOptions,
    http1: HTTP1Options,
    http2: HTTP2Options,
    log: bool,
    record: Record | None,
    tunnel_timeout: float | None,
) -> None:
    assert_type(
        await it.connect(
            scheme,
            address,
            port,
            hostname=hostname,
            protocols=protocols,
            mailbox=mailbox,
            tcp=tcp,
            tls=tls,
            http1=http1,
            http2=http2,
            log=log,
            record=record,
            tunnel_timeout=tunnel_timeout,
        ),
        Connection,
    )


async def asyncio_flush(conn: Connection) -> None:
    await mint.asyncio.flush(conn)


def trio_mailbox_close(it: mint.trio.Mailbox) -> None:
    it.close()


async def trio_mailbox_receive(it: mint.trio.Mailbox) -> None:
    assert_type(await it.receive(), object)


async def trio_flush(conn: Connection) -> None:
    await mint.trio.flush(conn)
