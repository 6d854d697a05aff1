"""The complete connecting procedure: name resolution, connection attempts, proxies, TLS and ALPN.

Tunnels through HTTP proxies are opened here (RFC 9110 9.3.6), those through SOCKS proxies in socks.py. The
engines parse the answer to CONNECT, with all their limits. As in race.py, nothing here touches a socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._configuration import http1_configuration, http2_configuration
from .._core.http1 import State
from .._wire.stream import MAX_BODY, Answer, StreamLayer
from .._wire.tls import prepare
from ..errors import (
    BadALPNProtocol,
    MintError,
    Processed,
    ProtocolNotNegotiated,
    ProxyFailed,
    TransportError,
    TransportTimeout,
    TunnelTimeout,
    UnexpectedProxyStatus,
)
from ..errors.table import from_fault
from .race import (
    Attempt,
    Established,
    Limit,
    Plan,
    Procedure,
    exchange,
    proxy_plan,
    race,
    receive,
    resolve,
    send,
    shake_hands,
    tolerating_close,
)
from .socks import open_socks, resolved_here

if TYPE_CHECKING:
    from collections.abc import Generator

    from .._wire.layer import Layer
    from .._wire.tls import TLSLayer
    from ..proxy import Proxy
    from ..types import Address
    from .race import Answer as StepAnswer
    from .race import IOStep


def establish(plan: Plan, given: Attempt | None = None) -> Procedure:
    """Run the complete procedure; with `given`, over a socket that is already connected.

    No request has been sent yet, so every error is marked `Processed.NO`.
    """
    try:
        return (yield from _establish(plan, given))
    except MintError as error:
        error.marked(processed=Processed.NO)
        raise


def _establish(plan: Plan, given: Attempt | None) -> Procedure:
    proxy = plan.proxy
    # Prepare TLS first: if a file cannot be loaded, or a context is for servers, nothing is connected.
    layer: TLSLayer | None = None
    if plan.tls is not None:
        route = (str(plan.address), plan.port, proxy, plan.tcp.local_address)
        layer = prepare(plan.tls, plan.alpn, plan.hostname, route).layer()
    if proxy is None:
        made = Established((yield from _reach(plan)) if given is None else given, (), None)
    else:
        made = yield from _through(proxy, plan, given)
    if layer is None:
        return made
    yield from shake_hands(made.attempt, made.layers, layer, made.arrived)
    return Established(made.attempt, (*made.layers, layer), layer.alpn, made.proxy_headers)


def _reach(plan: Plan) -> Generator[IOStep, StepAnswer, Attempt]:
    endpoints = yield from resolve(plan)
    return (yield from race(endpoints))


def _through(proxy: Proxy, plan: Plan, given: Attempt | None) -> Procedure:
    """Connect to the proxy; unless it forwards requests, have it open a tunnel."""
    hop = proxy_plan(proxy, plan.tcp)
    target = plan.address
    if not proxy.is_http:
        target = yield from resolved_here(proxy, plan)
    route = ("proxy", proxy, plan.tcp.local_address)
    layer = None if hop.tls is None else prepare(hop.tls, hop.alpn, hop.hostname, route).layer()
    attempt = (yield from _reach(hop)) if given is None else given
    layers: tuple[Layer, ...] = ()
    if layer is not None:
        yield from shake_hands(attempt, (), layer)
        check_alpn(layer, hop.alpn)
        layers = (layer,)
    if plan.forwarded:
        return Established(attempt, layers, None, proxy.sent_headers)
    yield Limit(proxy.tunnel_timeout)
    try:
        made = yield from _tunnel(proxy, plan, target, Established(attempt, layers, None))
    except TransportTimeout as error:
        raise TunnelTimeout from error
    except TransportError as error:
        raise ProxyFailed(error) from error
    yield Limit(None)
    return made


def check_alpn(layer: TLSLayer, offer: tuple[str, ...]) -> None:
    """Raise an error if the proxy did not choose the protocol it was offered; HTTP/1 needs no ALPN."""
    if layer.alpn is None and "h2" in offer:
        raise ProtocolNotNegotiated
    if layer.alpn not in {None, *offer}:
        raise BadALPNProtocol(str(layer.alpn))


def _tunnel(proxy: Proxy, plan: Plan, target: Address, reached: Established) -> Procedure:
    """Have the proxy open a tunnel."""
    attempt, layers = reached.attempt, reached.layers
    if not proxy.is_http:
        arrived = yield from open_socks(proxy, target, plan.port, attempt)
        return Established(attempt, layers, None, (), arrived)
    if proxy.protocols == ("http2",):
        config = http2_configuration(
            proxy.http2, scheme="http", hostname=str(plan.address), port=plan.port, identity=0
        )
        stream = StreamLayer(config, authority(plan), proxy.sent_headers)
        answer, around = stream.answer, layers
        layers = (*layers, stream)
        while not answer.complete:
            yield from tolerating_close(exchange(attempt, layers))
            stream.feed((yield from receive(attempt, around)))
        if answer.opened:
            yield from exchange(attempt, layers)
    else:
        answer = yield from _ask(proxy, plan, attempt, layers)
    if answer.refused:
        raise UnexpectedProxyStatus(answer.status, answer.headers or (), bytes(answer.content[:MAX_BODY]))
    if answer.fault is not None and not answer.opened:
        fault = from_fault(answer.fault)
        raise ProxyFailed(fault) from fault
    arrived = bytes(answer.content) if proxy.protocols == ("http1",) else layers[-1].read()
    return Established(attempt, layers, None, answer.headers or (), arrived)


def authority(plan: Plan) -> str:
    """Return the target of CONNECT: the address, not the hostname, and always with a port."""
    host = str(plan.address)
    return f"[{host}]:{plan.port}" if ":" in host else f"{host}:{plan.port}"


def _ask(
    proxy: Proxy, plan: Plan, attempt: Attempt, layers: tuple[Layer, ...]
) -> Generator[IOStep, StepAnswer, Answer]:
    """Send CONNECT to an HTTP/1 proxy and read its answer."""
    config = http1_configuration(
        proxy.http1, scheme="http", hostname=str(plan.address), port=plan.port, identity=0
    )
    step = State(config).request(
        "CONNECT",
        authority(plan),
        proxy.sent_headers,
        None,
        False,  # engines take no keyword arguments
    )
    if step.fault is not None:
        raise from_fault(step.fault)
    yield from tolerating_close(send(attempt, layers, b"".join(step.output)))
    answer = Answer()
    while not answer.complete:
        try:
            octets = yield from receive(attempt, layers)
        except TransportError:
            if answer.refused:
                break  # the part of the refusal that arrived is more useful than this error
            raise
        clean = layers[-1].clean_end if layers else True
        step = step.state.feed(octets) if octets else step.state.feed_eof(clean)
        answer.take(step.responses)
        answer.fault = step.fault or answer.fault
    return answer
