"""HTTP/2 connections: the immutable value over the compiled engine, and the functions that make one.

The parts that both protocols share are in base.py. RFC 9113, RFC 7541, RFC 8441.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, overload

from .._checks import flag, instance, number, octets, shown
from .._configuration import http2_configuration
from .._connect.race import make_plan
from .._core import http2 as core
from .._core.events import RequestRef
from .._core.fast_path import FastPath
from .._core.http2_config import renamed
from .._core.values import Slots
from .._loops.blocking import open_link
from .._priority import Priority
from .._process import current_process
from ..errors import BadALPNProtocol, InadequateSecurity, ProtocolNotNegotiated
from ..options import MAX_WINDOW, ClientSettings, HTTP2Options, TCPOptions, TLSOptions
from ..types import UnixAddress
from .arguments import check_initiate, check_mailbox, check_options
from .base import NO_PRIVATE, ConnectionBase
from .failures import connecting
from .recording import check_record, recorded_opening

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Callable

    from .._core.events import Step
    from .._transcripts.recorder import Record
    from ..proxy import Proxy
    from ..types import Address, HeaderFields, Inbox, Resolver, Scheme, TLSInfo, Transport

_DEFAULTS = HTTP2Options()
_TCP = TCPOptions()
_TLS = TLSOptions()

FlagSetting: TypeAlias = Literal["enable_push", "no_rfc7540_priorities"]
ServerFlag: TypeAlias = Literal["enable_push", "enable_connect_protocol", "no_rfc7540_priorities"]
SizeSetting: TypeAlias = Literal["header_table_size", "initial_window_size", "max_frame_size"]
LimitSetting: TypeAlias = Literal["max_concurrent_streams", "max_header_list_size"]

_FLAGS = frozenset({"enable_push", "enable_connect_protocol", "no_rfc7540_priorities"})
PING_SIZE = 8


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HTTP2(ConnectionBase[core.State]):
    """An HTTP/2 connection as an immutable value.

    Up to the server's `max_concurrent_streams`, requests are concurrent. Receive windows are refilled
    automatically; `request_body_window(ref)` says how much you may send. RFC 9113, RFC 8441.

    Every operation leaves the value unchanged and returns a new one. Continue with the new value: an
    operation that would send or receive through an outdated one raises `StaleConnectionError`. `==` compares
    the state of the protocol and the caller's private values, never the socket. Connections are not hashable.
    """

    _counts = True

    def _slots(self) -> Slots:
        return _SLOTS

    @property
    def protocol(self) -> Literal["http2"]:
        """The protocol this connection speaks."""
        return "http2"

    @property
    def settings_received(self) -> bool:
        """Whether the server's first SETTINGS have arrived.

        Until then the limits of the server are unknown, and it refuses requests beyond its
        `max_concurrent_streams`. To wait for the settings, receive until this is true. RFC 9113 3.4.
        """
        return self._state.settings_received

    # -- streams

    def request_body_window(self, ref: RequestRef) -> int:
        """Return how many octets `stream_request_body` accepts now: the smaller of both send windows.

        It is 0 if a window is used up or negative (RFC 9113 6.9.2), or if more than `TCPOptions.high_water`
        octets are queued while something has arrived that was not received: receive until it is larger.
        Raises `ValueError` for a ref whose body is not open.
        """
        if not self._state.body_is_open(ref):
            raise ValueError("this request has no open body")
        if self._link.congested:
            return 0
        return max(0, self._state.body_window(ref))

    def cancel_request(self, ref: RequestRef) -> Self:
        """Cancel a request with RST_STREAM (CANCEL); no further response has its ref.

        Does nothing if the request has ended or was never made. Raises `TransportError` if the connection
        broke, `ValueError` for a ref of another connection. RFC 9113 6.4.
        """
        return self._run(lambda state: state.cancel(ref))

    def _written(self, state: core.State) -> core.State:
        return state.flushed()

    def _current(self, link: Transport) -> core.State:
        state = self._state
        state = state.flushed() if link.written else state.left(getattr(link, "backlog", link.unsent))
        return self._dated(state) if state.timed else state

    def _commit(self, step: Step[core.State], *, flush: bool = True) -> Self:
        if step.timed:
            self._fast_path.remind(self)
        # `dataclass(slots=True)` makes a second class: `super()` without arguments would use the first.
        return super(HTTP2, self)._commit(step, flush=flush)  # see above

    def _dated(self, state: core.State) -> core.State:
        """Return the state with the current time; in memory, only if the link was given a clock."""
        clock: Callable[[], float] | None = getattr(self._link, "clock", monotonic)
        return state if clock is None else state.at(int(clock() * 1000))

    def opened(self, step: Step[core.State]) -> Self:
        """Send the preface over a claimed link; `initiate` calls it once."""
        return self._fast_path.commit(self, step) or self._commit(step)

    # -- the connection

    def ping(self, payload: bytes = bytes(PING_SIZE)) -> tuple[Self, RequestRef]:
        """Send a PING; the server answers with a `Pong` that has the returned ref.

        `payload` must have exactly 8 octets (`ValueError`). Raises `TooManyPings` (local) if more than
        `HTTP2Options.max_pings` are unanswered. RFC 9113 6.7.
        """
        exact = octets(payload)
        if exact is None or len(exact) != PING_SIZE:
            raise ValueError(f"payload must be {PING_SIZE} bytes, not {shown(payload)}")
        return self._asking(lambda state: state.ping(exact))

    def update_priority(self, ref: RequestRef, priority: Priority) -> Self:
        """Change the priority of a request (PRIORITY_UPDATE).

        The initial priority of a request is one of its fields: `priority.field()`. Raises
        `PrioritiesNotEnabled` if the server's SETTINGS say that it ignores priorities; before they have
        arrived, the frame is sent. Raises `UnknownRequestToStream` if the request has ended; both errors are
        local. Raises `ValueError` for a ref that this connection never returned, `TypeError` for anything but
        a `Priority`. RFC 9218 7.1.
        """
        value = instance("priority", priority, Priority).value.encode("ascii")
        return self._run(lambda state: state.update_priority(ref, value))

    def put_settings(
        self,
        *,
        # settings: made by ci/generated.py
        header_table_size: int | None = None,
        enable_push: bool | None = None,
        max_concurrent_streams: int | None = None,
        initial_window_size: int | None = None,
        max_frame_size: int | None = None,
        max_header_list_size: int | None = None,
        # end of settings
    ) -> Self:
        """Change settings of the client; they take effect when the server acknowledges them.

        The ranges are those of `ClientSettings` (`ValueError`); `None` leaves a setting unchanged. Raises
        `TooManySettings` (local) if too many changes have not been acknowledged yet. RFC 9113 6.5.
        """
        settings = ClientSettings(
            header_table_size=header_table_size,
            enable_push=enable_push,
            max_concurrent_streams=max_concurrent_streams,
            initial_window_size=initial_window_size,
            max_frame_size=max_frame_size,
            max_header_list_size=max_header_list_size,
        )
        return self._run(lambda state: state.put_settings(settings.pairs()))

    @overload
    def get_server_setting(self, name: ServerFlag) -> bool: ...
    @overload
    def get_server_setting(self, name: SizeSetting) -> int: ...
    @overload
    def get_server_setting(self, name: LimitSetting) -> int | None: ...
    def get_server_setting(self, name: ServerFlag | SizeSetting | LimitSetting) -> bool | int | None:
        """Return a setting of the server, or its default; `None` means no limit.

        Until its first SETTINGS arrive (`settings_received`), `max_concurrent_streams` is
        `HTTP2Options.initial_max_concurrent_streams`. Raises `ValueError` for an unknown name.
        RFC 9113 6.5.2, RFC 8441 3.
        """
        value = self._state.server_setting(name)
        return bool(value) if name in _FLAGS else value

    @overload
    def get_client_setting(self, name: FlagSetting) -> bool: ...
    @overload
    def get_client_setting(self, name: SizeSetting) -> int: ...
    @overload
    def get_client_setting(self, name: LimitSetting) -> int | None: ...
    def get_client_setting(self, name: FlagSetting | SizeSetting | LimitSetting) -> bool | int | None:
        """Return a setting of the client as the server acknowledged it; `None` means no limit.

        Raises `ValueError` for an unknown name.
        """
        value = self._state.client_setting(name)
        return bool(value) if name in _FLAGS else value

    def get_window_size(self, scope: RequestRef | Literal["connection"]) -> int:
        """Return a *send* window: how many octets the server accepts, for one request or for all.

        This is not the receive window that `set_window_size` changes. It can be negative after the server
        reduced it, and is 0 for a request that has ended. Raises `ValueError` for a ref that this connection
        never returned, `TypeError` for anything but a ref or `"connection"`. RFC 9113 6.9.1.
        """
        return self._state.send_window(_scope(scope))

    def set_window_size(self, scope: RequestRef | Literal["connection"], size: int) -> Self:
        """Enlarge a *receive* window: how many octets the server may send before mint refills it.

        The size is 1 to 2**31 - 1 octets; from now on the window is refilled up to it. Raises
        `WindowSizeTooSmall` if the size is below the current one, `UnknownRequestToStream` if the request has
        ended; both errors are local. Raises `ValueError` for any other size, and for a ref that this
        connection never returned; `TypeError` for any other scope. RFC 9113 6.9.
        """
        number("size", size, 1, MAX_WINDOW)
        ref = _scope(scope)
        return self._run(lambda state: state.set_receive_window(ref, size))

    def set_refill(self, ref: RequestRef, refill: bool) -> Self:
        """Stop or resume refilling the receive window of a request: back-pressure for one request.

        When the window is used up, the server waits; other requests are not affected. Raises
        `UnknownRequestToStream` (local) if the request has ended, `ValueError` for a ref that this connection
        never returned.
        """
        flag("refill", refill)
        return self._run(lambda state: state.set_refill(ref, refill))


def _scope(scope: object) -> RequestRef | None:
    """Return the ref of a scope, `None` for the connection."""
    if isinstance(scope, RequestRef):
        return scope
    if isinstance(scope, str) and str.__str__(scope) == "connection":
        return None
    raise TypeError(f'scope must be a request ref or "connection", not {type(scope).__name__}')


_SLOTS = Slots(HTTP2, "_state", "_generation")
HTTP2._fast_path = FastPath(_SLOTS, "_link", True, core.METHODS)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # its own


def connection_of(state: core.State, transport: Transport) -> HTTP2:
    """Return a connection with this state over a new link; nothing is sent."""
    return _SLOTS.make(HTTP2, state, transport, transport.generation, NO_PRIVATE, ())


def check_security(tls: TLSInfo | None) -> None:
    """Raise an error if TLS is too weak for HTTP/2: version, key exchange or cipher (RFC 9113 9.2)."""
    if tls is None:
        return
    if tls.version not in {"TLSv1.2", "TLSv1.3"}:
        raise InadequateSecurity(f"{tls.version} is older than TLS 1.2")
    if tls.version == "TLSv1.2" and not (
        tls.cipher.startswith(("ECDHE-", "DHE-"))
        and ("-GCM-" in tls.cipher or tls.cipher.endswith("CHACHA20-POLY1305"))
    ):
        raise InadequateSecurity(f"the cipher suite {tls.cipher} is on the list of RFC 9113 appendix A")


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
    http2: HTTP2Options = _DEFAULTS,
    log: bool = False,
    record: Record | None = None,
    resolver: Resolver | None = None,
    socket: sockets.socket | None = None,
) -> HTTP2:
    """Connect and use HTTP/2: over TLS by ALPN, in clear with prior knowledge (RFC 9113 3.3).

    The arguments are those of `mint.connect`. Raises `ProtocolNotNegotiated` or `BadALPNProtocol` if the
    server does not agree to use HTTP/2, and otherwise what `mint.connect` raises.
    """
    plan = make_plan(scheme, address, port, hostname, tcp, tls, ("h2",), proxy)
    check_options(log, http2=http2)
    record = check_record(record)
    check_mailbox(mailbox, "blocking")
    with connecting():
        link, found = open_link(plan, resolver, socket)
        try:
            if scheme == "https" and found.alpn is None:
                raise ProtocolNotNegotiated
            if found.alpn not in {None, "h2"}:
                raise BadALPNProtocol(str(found.alpn))
            check_security(link.tls)
            return initiate(
                link,
                scheme=scheme,
                hostname=plan.hostname,
                port=0 if isinstance(address, UnixAddress) else port,
                http2=http2,
                mailbox=mailbox,
                log=log,
                record=record,
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
    http2: HTTP2Options = _DEFAULTS,
    identity: int | None = None,
    mailbox: Inbox | None = None,
    log: bool = False,
    record: Record | None = None,
    proxy_headers: HeaderFields = (),
) -> HTTP2:
    """Use HTTP/2 over a given link; the preface is sent at once.

    Args:
        transport: the link; with `mint.transport.Memory()` no I/O is done.
        scheme: the scheme of the origin's URIs.
        hostname: the host of the origin, for `:authority`.
        port: the port of the origin; 0 for none (a Unix socket).
        http2: settings, windows and limits of HTTP/2.
        identity: the `connection` of the refs; random by default, or given for a replay.
        mailbox: active mode with this mailbox; passive mode without.
        log: log one record per frame.
        record: write a transcript, as for `mint.connect`.
        proxy_headers: the headers of a proxy's answer to CONNECT, which are kept as `proxy_headers`.

    """
    check_options(log, http2=http2)
    if record is not None:
        record = check_record(record)
    check_initiate(transport, scheme, hostname, port, identity, mailbox, proxy_headers)
    recent, usual = _RECENT[0]
    if recent is not http2:
        usual = _configured(http2)
        _RECENT[0] = (http2, usual)
    if identity is None:
        identity = current_process().identity()
    config = renamed(usual, hostname, port, scheme, identity)
    step = core.State.open(config, log)
    if record is not None:
        step = recorded_opening(step, record)
    transport.claim(transport.generation)
    made = _SLOTS.make(HTTP2, step.state, transport, transport.generation, NO_PRIVATE, proxy_headers)
    connection = made.opened(step)
    return connection if mailbox is None else connection.set_mode("active", mailbox)


def _configured(http2: HTTP2Options) -> core.Config:
    """Return the configuration without the parts that `renamed` fills in for each connection."""
    return http2_configuration(http2, scheme="https", hostname="-", port=0, identity=0)


_RECENT = [(_DEFAULTS, _configured(_DEFAULTS))]
"""The options used last, and their configuration: the next connection mostly uses the same options."""
