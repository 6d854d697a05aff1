"""How failures of the transport, and of connecting, affect requests.

RFC 9110 9.2.2: whether a request may be sent again depends on whether the server may have processed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.faults import Fault
from .._wire.link import Link
from ..errors import (
    MintError,
    Processed,
    ProxyFailed,
    StaleConnectionError,
    TLSFailed,
    TransportError,
    TransportTimeout,
    Unreachable,
)
from ..responses import RequestFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..responses import Response
    from ..types import Transport

_FAULTS = {
    "closed": "transport_closed",
    "econnreset": "transport_reset",
    "timeout": "transport_timeout",
    "tls_alert": "tls_failed",
}
_LEVELS = {"no": 0, "maybe": 1, "yes": 2}


def claim_to_close(link: Transport, generation: int) -> None:
    """Take a link in order to close it. Raises an error if it is not available.

    In a forked child it never is: a lock that another thread of the parent held is never released there.
    """
    if isinstance(link, Link) and link.is_inherited:
        raise StaleConnectionError
    link.claim(generation)


def end_link(link: Transport, fault: Fault | None, *, is_tunnel: bool, is_http2: bool) -> None:
    """Close a link because its connection has ended.

    If that is no fault, and the peer has ended its direction, all is written first: in tunnels over HTTP/1,
    and over HTTP/2 what is queued already. A blocking link waits for it, as long as `send_timeout` allows.
    """
    in_order = fault is None and (is_tunnel or (is_http2 and link.unsent > 0))
    if in_order and isinstance(link, Link) and link.ended:
        link.finish_and_close()
    else:
        link.close()


def as_fault(error: TransportError) -> Fault:
    """Convert the transport's error to a fault of the engine, which fails the open requests with it."""
    reason = _FAULTS.get(error.reason, "unreachable")
    match error:
        case TransportTimeout(phase):
            value = phase
        case TLSFailed(detail) | Unreachable(detail):
            value = detail
        case _:
            value = str(error)
    return Fault(reason, value=value, processed=_LEVELS[error.processed.value])


def no_successor(found: object) -> ValueError:
    """Return what `after` raises for an error whose successor is `None` or of another connection."""
    if found is None:
        return ValueError(
            "the error has no successor: it was not raised by an operation on a connection, or was unpickled"
        )
    return ValueError("the error is of another connection: pass it to the method after() of that connection")


class _Connecting:
    """The context manager of `connecting`. It has no state, so one instance is shared."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, MintError):
            error.marked(processed=Processed.NO)
            if isinstance(error, ProxyFailed) and isinstance(error.error, MintError):
                error.error.marked(processed=Processed.NO)


_CONNECTING = _Connecting()


def connecting() -> _Connecting:
    """Mark every `MintError` that leaves the block with `Processed.NO`: no request was sent yet."""
    return _CONNECTING


def common(responses: Sequence[Response]) -> Processed:
    """Return the `processed` of the failed requests: NO if none failed, MAYBE if they differ."""
    said = {each.error.processed for each in responses if isinstance(each, RequestFailed)}
    if not said:
        return Processed.NO
    return said.pop() if len(said) == 1 else Processed.MAYBE


class Settled:
    """Closes the link if an exception interrupts the operation in the block (`Transport.settle`)."""

    __slots__ = ("_generation", "_link")

    def __init__(self, link: Transport, generation: int) -> None:
        self._link = link
        self._generation = generation

    def __enter__(self) -> None:
        """Do nothing: the operation claims the link itself."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is not None:
            self._link.settle(self._generation, error)
