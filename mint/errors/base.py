"""The base classes of mint's errors, and the response that carries an error.

The classes for single reasons are in the sibling modules. An error can be compared (by type and fields)
and pickled. It says whether it is `local`, whether the request may have been `processed`, and what was
decoded before it (`responses`).

`RequestFailed` is here because a response may carry an error, and an error carries responses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Self, TypeAlias

from .._core.events import (
    AltSvc,
    Data,
    Done,
    GoAway,
    Headers,
    Informational,
    Origins,
    Pong,
    PushPromise,
    RequestRef,
    ServerSettings,
    Status,
    StatusReason,
    Trailers,
)

if TYPE_CHECKING:
    from collections.abc import Callable


_SHOWN = 120


class Processed(Enum):
    """Whether the server may have acted on a request (RFC 9110 9.2.2, RFC 9113 8.7)."""

    NO = "no"
    """It has not; the request can safely be sent again elsewhere, whatever the method."""
    MAYBE = "maybe"
    """It is unknown; send the request again only if it is idempotent."""
    YES = "yes"
    """It has; part of the response was received."""


def shown(text: str) -> str:
    """Return what a peer or a caller sent, escaped and shortened for a message or a log."""
    if len(text) > _SHOWN:
        return f"{text[:_SHOWN]!a}... ({len(text)} characters)"
    return ascii(text)


class MintError(Exception):
    """Base class of what mint raises because of a peer, the network or a request that cannot be sent.

    Attributes:
        reason: a stable snake_case name of what happened; each class has one.
        local: whether the caller asked for something impossible. Then nothing was sent, and the
            connection value is unchanged.
        processed: whether the request may have been processed.
        responses: what was decoded before the error, oldest first. After a fatal error it contains a
            `RequestFailed` for every request that was still open.
        successor: the connection value to continue with (`conn.after(error)` returns it with its exact
            type); `None` if the error was not raised by an operation on a connection, or was unpickled.

    """

    reason: ClassVar[str] = "error"

    local: bool = False
    processed: Processed = Processed.MAYBE
    responses: tuple[Response, ...] = ()
    successor: object | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        """Return the message: what was seen and what to do."""
        return self.message

    def _names(self) -> tuple[str, ...]:
        if type(self).__init__ is MintError.__init__:
            return ("message",)
        names: tuple[str, ...] = getattr(self, "__match_args__", ())
        return names

    def _fields(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self._names())

    def __repr__(self) -> str:
        fields = ", ".join(
            f"{name}={value!r}" for name, value in zip(self._names(), self._fields(), strict=True)
        )
        return f"{type(self).__name__}({fields})"

    def __eq__(self, other: object) -> bool:
        """Compare by type and fields; the successor is not a field."""
        if not isinstance(other, MintError) or type(self) is not type(other):
            return NotImplemented
        return (
            self._fields() == other._fields()
            and self.local is other.local
            and self.processed is other.processed
            and self.responses == other.responses
        )

    def __hash__(self) -> int:
        return hash((type(self), self.reason, self.local, self.processed))

    def __copy__(self) -> Self:
        """Return an equal error with the same successor."""
        make: Callable[..., Self] = type(self)
        _, fields, state = self.__reduce__()
        made = make(*fields)  # pyright: ignore[reportArgumentType]  # what __init__ took
        made.__dict__.update(state, successor=self.successor)
        made.__cause__ = self.__cause__
        return made

    def __deepcopy__(self, memo: object) -> Self:
        """Return an equal error; its contents are immutable and need no copy."""
        return self.__copy__()

    def __reduce__(self) -> tuple[type[Self], tuple[object, ...], dict[str, object]]:
        """Pickle everything but the successor, because a connection cannot be pickled."""
        state: dict[str, object] = {
            "local": self.local,
            "processed": self.processed,
            "responses": self.responses,
        }
        return type(self), self._fields(), state

    def marked(
        self,
        *,
        local: bool | None = None,
        processed: Processed | None = None,
        responses: tuple[Response, ...] | None = None,
        successor: object | None = None,
    ) -> Self:
        """Set these attributes and return the error; used by mint itself."""
        if local is not None:
            self.local = local
        if processed is not None:
            self.processed = processed
        if responses is not None:
            self.responses = responses
        if successor is not None:
            self.successor = successor
        return self


class HTTPError(MintError):
    """A violation of HTTP by the peer, or a request that HTTP does not allow."""


class TransportError(MintError):
    """A failure below HTTP: name resolution, sockets or TLS."""


class _Late:
    """Makes the error when it is first read, because one broken connection may fail thousands of requests."""

    __slots__ = ("_late",)

    _late: tuple[Callable[[object], HTTPError | TransportError], object]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name != "error":
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            make, fault = self._late
            error = make(fault)
            object.__setattr__(self, "error", error)
            return error


@dataclass(frozen=True, slots=True)
class RequestFailed(_Late):
    """A request failed: no `Done` follows for it, and other requests are not affected.

    `error.processed` says whether it is safe to send the request again.
    """

    ref: RequestRef
    error: HTTPError | TransportError


ConnectionEvent: TypeAlias = Origins | AltSvc | GoAway | ServerSettings
"""An event that concerns the connection and not a request, so it has no `ref`.

It is reported only if `HTTP2Options.optional_responses` names it.
"""

Response: TypeAlias = (
    Informational
    | Status
    | StatusReason
    | Headers
    | Data
    | Trailers
    | Done
    | RequestFailed
    | Pong
    | PushPromise
    | ConnectionEvent
)
"""Anything that `recv` and `stream` return.

Each has a `ref`, except a `ConnectionEvent`.
"""


class StaleConnectionError(MintError, RuntimeError):
    """An outdated value was used, or two threads used the connection at once; no byte was sent or received.

    Every operation returns a new value: use that one. The connection and its newest value are not affected.
    A forked child gets this error if it uses a connection of its parent, which only the parent may use.
    """

    reason = "stale_connection"
    local = True
    processed = Processed.NO

    def __init__(self) -> None:
        super().__init__(
            "this connection value is superseded (or in use by another thread, or it belongs to the parent of"
            " this forked process): use the value that the last operation returned"
        )


class MailboxClosed(MintError, RuntimeError):
    """The mailbox was closed and returns no more messages. Its connections stay open.

    In a forked child, the mailboxes of its parent are closed.
    """

    reason = "mailbox_closed"
    local = True
    processed = Processed.NO

    def __init__(self) -> None:
        super().__init__("the mailbox is closed: give its connections another one with move_to()")
