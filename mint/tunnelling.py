"""The whole way to a server as one procedure: names, attempts, a proxy in between, TLS, ALPN.

How HTTP proxies make tunnels lives here (RFC 9110 9.3.6); SOCKS is in socks.py. The answer to CONNECT is
parsed by the HTTP/1 engine with all its limits. Like connecting.py, nothing here touches a socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._core.events import Data, Failed, Headers, Status
from ._core.http1 import Config, State
from .connecting import (
    Attempt,
    Established,
    Limit,
    Plan,
    Procedure,
    proxy_plan,
    race,
    receive,
    resolve,
    send,
    shake_hands,
)
from .errors import (
    BadALPNProtocol,
    MintError,
    Processed,
    ProxyFailed,
    TransportError,
    TransportTimeout,
    TunnelTimeout,
    UnexpectedProxyStatus,
)
from .errors.table import from_fault
from .socks import open_socks, resolved_here
from .transport.tls import TLSLayer, make_context
from .version import USER_AGENT

if TYPE_CHECKING:
    from collections.abc import Generator

    from ._core.events import Event, Step
    from .connecting import Answer, IOStep
    from .proxy import Proxy
    from .types import HeaderFields

MAX_BODY = 65_536
"""How much of the content of a refusal (407 ...) is kept, in octets."""

_OPENS = range(200, 300)


def establish(plan: Plan, given: Attempt | None = None) -> Procedure:
    """Connect: the whole procedure. With `given`, over something that is connected already.

    Whatever fails here fails before a request was sent: every error is `Processed.NO`.
    """
    try:
        return (yield from _establish(plan, given))
    except MintError as error:
        error.marked(processed=Processed.NO)
        raise


def _establish(plan: Plan, given: Attempt | None) -> Procedure:
    # Contexts first: a file that cannot be loaded must not cost a connection.
    context = None if plan.tls is None else make_context(plan.tls, plan.alpn)
    proxy = plan.proxy
    if proxy is None:
        way = Established((yield from _reach(plan)) if given is None else given, (), None)
    else:
        way = yield from _through(proxy, plan, given)
    if plan.tls is None or context is None:
        return way
    layer = TLSLayer(context, plan.tls.server_hostname or plan.hostname)
    layers = (*way.layers, layer)
    yield from shake_hands(way.attempt, layers, way.arrived)
    return Established(way.attempt, layers, layer.alpn, way.proxy_headers)


def _reach(plan: Plan) -> Generator[IOStep, Answer, Attempt]:
    endpoints = yield from resolve(plan)
    return (yield from race(endpoints))


def _through(proxy: Proxy, plan: Plan, given: Attempt | None) -> Procedure:
    """Connect to the proxy; where it does not forward, have it open a tunnel."""
    hop = proxy_plan(proxy, plan.tcp)
    target = plan.address
    if not proxy.is_http:
        target = yield from resolved_here(proxy, plan)
    context = None if hop.tls is None else make_context(hop.tls, hop.alpn)
    attempt = (yield from _reach(hop)) if given is None else given
    layers: tuple[TLSLayer, ...] = ()
    if hop.tls is not None and context is not None:
        layer = TLSLayer(context, hop.tls.server_hostname or hop.hostname)
        layers = (layer,)
        yield from shake_hands(attempt, layers)
        if layer.alpn not in {None, *hop.alpn}:
            raise BadALPNProtocol(str(layer.alpn))
    if plan.forwarded:
        return Established(attempt, layers, None, proxy.sent_headers)
    yield Limit(proxy.tunnel_timeout)
    try:
        if proxy.is_http:
            headers, arrived = yield from _connect(proxy, plan, attempt, layers)
        else:
            headers, arrived = (), (yield from open_socks(proxy, target, plan.port, attempt))
    except TransportTimeout as error:
        raise TunnelTimeout from error
    except TransportError as error:
        raise ProxyFailed(error) from error
    yield Limit(None)
    return Established(attempt, layers, None, headers, arrived)


def authority(plan: Plan) -> str:
    """Return what CONNECT asks for: the address, not the hostname, and always with a port."""
    host = str(plan.address)
    return f"[{host}]:{plan.port}" if ":" in host else f"{host}:{plan.port}"


def _connect(
    proxy: Proxy, plan: Plan, attempt: Attempt, layers: tuple[TLSLayer, ...]
) -> Generator[IOStep, Answer, tuple[HeaderFields, bytes]]:
    """Ask an HTTP/1 proxy for a tunnel; return its headers, and what came behind them."""
    limits = proxy.http1
    config = Config(
        hostname=str(plan.address),
        port=plan.port,
        scheme="http",
        identity=0,
        user_agent=USER_AGENT,
        case_sensitive_headers=limits.case_sensitive_headers,
        lenient=limits.lenient,
        max_header_list_size=limits.max_header_list_size,
        max_fields=limits.max_fields,
        max_status_line=limits.max_status_line,
        max_informational=limits.max_informational,
        max_informational_size=limits.max_informational_size,
        max_trailer_size=limits.max_trailer_size,
        max_trailer_fields=limits.max_trailer_fields,
        max_chunk_line=limits.max_chunk_line,
    )
    step = State(config).request("CONNECT", authority(plan), proxy.sent_headers, None, False)
    if step.fault is not None:
        raise from_fault(step.fault)
    yield from send(attempt, layers, b"".join(step.output))
    answer = _Answer()
    while not answer.complete:
        try:
            octets = yield from receive(attempt, layers)
        except TransportError:
            if answer.refused:
                break  # what was told so far says more than how it ended
            raise
        clean = layers[-1].clean_end if layers else True
        step = step.state.feed(octets) if octets else step.state.feed_eof(clean)
        answer.take(step)
    if answer.refused:
        raise UnexpectedProxyStatus(answer.status, answer.headers, bytes(answer.content[:MAX_BODY]))
    return answer.headers, bytes(answer.content)


class _Answer:
    """What a proxy has said to CONNECT so far. Interim responses count for nothing."""

    __slots__ = ("complete", "content", "headers", "status")

    def __init__(self) -> None:
        self.status = 0
        self.headers: HeaderFields = ()
        self.content = bytearray()
        """The content of a refusal; of an open tunnel, what came through it already."""
        self.complete = False

    @property
    def refused(self) -> bool:
        """Whether the status is known, and opens no tunnel."""
        return self.status != 0 and self.status not in _OPENS

    def take(self, step: Step[State]) -> None:
        """Take what the engine made of one read."""
        for event in step.responses:
            self._note(event)
        if step.fault is not None and not self.refused:
            fault = from_fault(step.fault)
            raise ProxyFailed(fault) from fault
        self.complete = (
            step.fault is not None
            or not step.state.open_request_count
            or step.state.is_tunnel
            or len(self.content) >= MAX_BODY
        )

    def _note(self, event: Event) -> None:
        match event:
            case Status(status=status):
                self.status = status
            case Headers(headers=headers):
                self.headers = headers
            case Data(data=data):
                self.content += data
            case Failed(fault=fault) if not self.refused:
                raise ProxyFailed(from_fault(fault))
            case _:
                pass
