"""HTTP/1.1 connections: the immutable value over the compiled engine, and the functions that make one.

The parts that both protocols share are in base.py. RFC 9110, RFC 9112.
"""

from __future__ import annotations

from dataclasses import dataclass
from sys import maxsize
from typing import TYPE_CHECKING, Literal

from .. import _checks
from .._configuration import http1_configuration
from .._connect.race import make_plan
from .._core import http1 as core
from .._core.fast_path import FastPath
from .._core.http1_config import renamed
from .._core.values import Slots
from .._loops.blocking import open_link
from .._process import current_process
from .._wire.memory import Memory
from ..errors import BadALPNProtocol, Closed, Processed, TransportError
from ..options import HTTP1Options, TCPOptions, TLSOptions
from ..types import UnixAddress
from .arguments import check_initiate, check_mailbox, check_options
from .base import NO_PRIVATE, ConnectionBase
from .engine import unrecorded
from .failures import connecting
from .recording import check_record, recorded

if TYPE_CHECKING:
    import socket as sockets

    from .._core.events import RequestRef
    from .._transcripts.recorder import Record
    from ..proxy import Proxy
    from ..types import Address, HeaderFields, Inbox, Resolver, Scheme, Transport, Unread

_DEFAULTS = HTTP1Options()
_TCP = TCPOptions()
_TLS = TLSOptions()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HTTP1(ConnectionBase[core.State]):
    """An HTTP/1.1 connection as an immutable value.

    Requests can be pipelined: up to `max_pipelined` may be sent before earlier responses have arrived, and
    the responses arrive in the order of the requests. While a body is streamed, no other request can be sent.
    RFC 9112.

    Every operation leaves the value unchanged and returns a new one. Continue with the new value: an
    operation that would send or receive through an outdated one raises `StaleConnectionError`. `==` compares
    the state of the protocol and the caller's private values, never the socket. Connections are not hashable.
    """

    def _slots(self) -> Slots:
        return _SLOTS

    @property
    def protocol(self) -> Literal["http1"]:
        """The protocol this connection speaks."""
        return "http1"

    @property
    def _is_tunnel(self) -> bool:
        return self._state.is_tunnel

    def _is_unsolicited(self, found: Unread) -> bool:
        return (not self.open_request_count or self._link.lone) and (
            found.handed_out or unrecorded(self._state).unasked(b"".join(found.octets)).fault is not None
        )

    def _check_unsolicited(self, *, queues: bool = False) -> None:
        """Raise an error if something arrived before the request that is about to be sent or flushed.

        It cannot be a response to a request that has not been sent (RFC 9112 9.2). The link is claimed. If
        this returns, nothing but empty lines had arrived; those are tolerated.
        """
        link = self._link
        found = link.look()
        if found is not None:
            self._refuse_unsolicited(found)
        if queues:
            # Whatever arrives before it is written is not its response. In memory, the order is unknown.
            link.lone = not isinstance(link, Memory)

    def _refuse_unsolicited(self, found: Unread) -> None:
        link = self._link
        if found.handed_out:
            # The program has the message, and decides what happens to the connection.
            link.release(moved=False)
            raise Closed().marked(processed=Processed.NO, successor=self)
        try:
            octets = b"".join([link.receive_now() or b"" for _ in found.octets])
            step = self._state.unasked(octets)
        except BaseException:
            link.poison()
            raise
        if step.fault is not None:
            self._fed(step, [])
        if isinstance(found.failure, TransportError):
            self._lost(self._state, found.failure, ())
            raise found.failure.marked(processed=Processed.NO)
        if found.failure is not None:
            link.poison()
            raise found.failure
        if found.ended and link.lone:
            self._take(b"", [])
        elif found.ended:
            successor = self._commit(self._state.feed_eof(link.clean_end))
            raise Closed().marked(processed=Processed.NO, successor=successor)

    def request_body_window(self, ref: RequestRef) -> int:
        """Return how many octets `stream_request_body` accepts now: on HTTP/1 `sys.maxsize` or 0.

        It is 0 while more than `TCPOptions.high_water` octets are queued and something has arrived that was
        not received. The server may then be waiting for you to receive, before it reads more.
        Raises `ValueError` for a ref whose body is not open.
        """
        if not self._state.body_is_open(ref):
            raise ValueError("this request has no open body")
        return 0 if self._link.congested else maxsize


_SLOTS = Slots(HTTP1, "_state", "_generation")
HTTP1._fast_path = FastPath(_SLOTS, "_link", False, core.METHODS)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # its own


def connection_of(state: core.State, transport: Transport) -> HTTP1:
    """Return a connection with this state over a new link; nothing is sent."""
    return _SLOTS.make(HTTP1, state, transport, transport.generation, NO_PRIVATE, ())


def connect(
    scheme: Scheme,
    address: Address,
    port: int,
    *,
    hostname: str | None = None,
    proxy: Proxy | None = None,
    mailbox: Inbox | None = None,
    tcp: TCPOptions = _TCP,
    tls: TLSOptions = _TLS,
    http1: HTTP1Options = _DEFAULTS,
    log: bool = False,
    record: Record | None = None,
    resolver: Resolver | None = None,
    socket: sockets.socket | None = None,
) -> HTTP1:
    """Connect and use HTTP/1.1, even if the server also offers HTTP/2.

    The arguments and exceptions are those of `mint.connect`.
    """
    plan = make_plan(scheme, address, port, hostname, tcp, tls, ("http/1.1",), proxy)
    check_options(log, http1=http1)
    record = check_record(record)
    check_mailbox(mailbox, "blocking")
    with connecting():
        link, found = open_link(plan, resolver, socket)
        try:
            if found.alpn not in {None, "http/1.1"}:
                raise BadALPNProtocol(str(found.alpn))
            return initiate(
                link,
                scheme=scheme,
                hostname=plan.hostname,
                port=0 if isinstance(address, UnixAddress) else port,
                http1=http1,
                mailbox=mailbox,
                log=log,
                record=record,
                forward_proxy=plan.forwarded,
                proxy_headers=found.proxy_headers,
            )
        except BaseException:
            link.close()
            raise


def initiate(
    transport: Transport,
    *,
    scheme: Scheme,
    hostname: str,
    port: int = 0,
    http1: HTTP1Options = _DEFAULTS,
    identity: int | None = None,
    mailbox: Inbox | None = None,
    log: bool = False,
    record: Record | None = None,
    forward_proxy: bool = False,
    proxy_headers: HeaderFields = (),
) -> HTTP1:
    """Use HTTP/1.1 over a given link.

    Args:
        transport: the link; with `mint.transport.Memory()` no I/O is done.
        scheme: the scheme of the origin's URIs.
        hostname: the host of the origin, for the Host field.
        port: the port of the origin; 0 for none (a Unix socket).
        http1: limits and other options of HTTP/1.
        identity: the `connection` of the refs; random by default, or given for a replay.
        mailbox: active mode with this mailbox; passive mode without.
        log: log one record per message head.
        record: write a transcript, as for `mint.connect`.
        forward_proxy: whether the link leads to a proxy; targets are then sent in absolute form.
        proxy_headers: with a forward proxy, headers to send with every request. Otherwise the headers of the
            proxy's answer to CONNECT, which are kept as `proxy_headers`.

    """
    check_options(log, http1=http1)
    _checks.flag("forward_proxy", forward_proxy)
    if record is not None:
        record = check_record(record)
    check_initiate(transport, scheme, hostname, port, identity, mailbox, proxy_headers)
    if forward_proxy:
        usual = _configured(http1, proxy_headers)
    else:
        recent, usual = _RECENT[0]
        if recent is not http1:
            usual = _configured(http1)
            _RECENT[0] = (http1, usual)
    if identity is None:
        identity = current_process().identity()
    config = renamed(usual, hostname, port, scheme, identity)
    state = core.State(config)
    if record is not None:
        state = recorded(state, record)
    if log:
        state = state.traced(True)  # engines take no keyword arguments
    told = () if forward_proxy else proxy_headers
    connection = _SLOTS.make(HTTP1, state, transport, transport.generation, NO_PRIVATE, told)
    if mailbox is not None:
        connection = connection.set_mode("active", mailbox)
    return connection


def _configured(http1: HTTP1Options, forwarded: HeaderFields | None = None) -> core.Config:
    """Return the configuration without the parts that `renamed` fills in for each connection.

    `forwarded` has the headers for a forward proxy; `None` if there is none.
    """
    return http1_configuration(
        http1,
        scheme="http",
        hostname="-",
        port=0,
        identity=0,
        forward_proxy=forwarded is not None,
        proxy_headers=forwarded or (),
    )


_RECENT = [(_DEFAULTS, _configured(_DEFAULTS))]
"""The options used last, and their configuration: the next connection mostly uses the same options."""
