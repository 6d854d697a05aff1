"""The checks of the arguments of `connect` and `initiate`, before anything is connected or written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from .. import _checks
from .._core.link_base import LinkBase
from .._hosts import MAX_PORT
from .._process import IDENTITIES
from .._wire.memory import Memory
from ..options import HTTP1Options, HTTP2Options

if TYPE_CHECKING:
    from ..types import Inbox

_HTTP1 = HTTP1Options()
_HTTP2 = HTTP2Options()


def check_inbox(mailbox: Inbox | None) -> None:
    """Raise `TypeError` for anything but a mailbox or `None`."""
    if mailbox is None:
        return
    verbs = ("admit", "watch", "unwatch")
    if isinstance(mailbox, type) or not all(callable(getattr(mailbox, each, None)) for each in verbs):
        raise TypeError(f"mailbox must be a mint.Mailbox, not {type(mailbox).__name__}")


def check_mailbox(mailbox: Inbox | None, loop_name: str | None = None) -> None:
    """Raise an error if this is not a mailbox, belongs to another event loop, or is closed."""
    check_inbox(mailbox)
    if mailbox is None:
        return
    theirs = getattr(mailbox, "_loop_name", loop_name)
    if loop_name is not None and theirs != loop_name:
        raise TypeError(f"mailbox must be for {loop_name}, like the connection, not for {theirs}")
    mailbox.admit(Memory())


def direction_of(direction: object) -> Literal["write", "read"]:
    """Return the direction as a plain `str`; subclasses of `str` may override comparison."""
    return "read" if _checks.one_of("direction", direction, ("write", "read")) == "read" else "write"


def check_options(log: object, http1: object = _HTTP1, http2: object = _HTTP2) -> None:
    """Raise `TypeError` for options of the wrong type."""
    if log is not True and log is not False:
        _checks.flag("log", log)
    if type(http1) is not HTTP1Options:
        _checks.instance("http1", http1, HTTP1Options)
    if type(http2) is not HTTP2Options:
        _checks.instance("http2", http2, HTTP2Options)


def check_initiate(
    transport: object,
    scheme: object,
    hostname: object,
    port: object,
    identity: object,
    mailbox: Inbox | None,
    proxy_headers: object,
) -> None:
    """Check the arguments of `initiate`; the engines check whether `hostname` is valid in a Host field.

    The usual types are compared first, because this runs for every connection.
    """
    if not isinstance(transport, LinkBase):
        verbs = ("claim", "release", "send", "receive")
        if isinstance(transport, type) or not all(callable(getattr(transport, each, None)) for each in verbs):
            raise TypeError(f"transport must be a mint.transport.Link, not {type(transport).__name__}")
    if type(scheme) is not str or (scheme != "http" and scheme != "https"):  # noqa: PLR1714  # no set
        _checks.one_of("scheme", scheme, ("http", "https"))
    if type(hostname) is not str or not hostname or "\0" in hostname:
        _checks.text("hostname", hostname)
    if type(port) is not int or not 0 <= port <= MAX_PORT:
        _checks.number("port", port, 0, MAX_PORT)
    if identity is not None and (type(identity) is not int or not 0 <= identity < IDENTITIES):
        _checks.number("identity", identity, 0, IDENTITIES - 1)
    if mailbox is not None:
        check_mailbox(mailbox)
    given = proxy_headers
    if type(given) is not tuple or given:
        _checks.pairs("proxy_headers", proxy_headers)
