"""The types and protocols that all parts of mint share.

This module contains no behaviour. Connections use links and mailboxes only through `Transport` and `Inbox`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, TypeAlias

from . import _checks
from ._core.events import shown
from ._core.messages import Source as Source  # noqa: PLC0414, TC001  # one of the shared types

if TYPE_CHECKING:
    import socket as sockets

    from .messages import Message

Scheme: TypeAlias = Literal["http", "https"]
"""The scheme of a URI: `http` is in clear text, `https` over TLS."""

ProtocolName: TypeAlias = Literal["http1", "http2"]
"""The protocols that mint supports."""

HeaderPairs: TypeAlias = Iterable[tuple[str, str]]
"""Fields to send, with names in any case and values in latin-1; order and duplicates are kept."""

HeaderFields: TypeAlias = tuple[tuple[str, str], ...]
"""Received fields, with names in lower case and values in latin-1; order and duplicates are kept."""

BytesLike: TypeAlias = "bytes | bytearray | memoryview[int]"
"""The types of content to send; `bytes` are passed by reference, mutable buffers are copied."""

SocketAddress: TypeAlias = tuple[str, int] | tuple[str, int, int, int] | str
"""An address in the form that the `socket` module uses, for IPv4 or IPv6, or the path of a Unix socket."""


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """The path of a Unix domain socket; a leading NUL names an abstract one (Linux)."""

    path: str

    def __post_init__(self) -> None:
        text = str.__str__(self.path) if isinstance(self.path, str) else ""
        if not text or "\0" in text[1:] or not _checks.encodes(text, "a path"):
            kind = type(self.path).__name__
            raise ValueError(
                "path must be a non-empty str without lone surrogates, with NUL only as its first character,"
                f" not {kind} {text!a}"
            )
        object.__setattr__(self, "path", text)


Address: TypeAlias = str | ipaddress.IPv4Address | ipaddress.IPv6Address | UnixAddress
"""Where to connect: a host name, an IP literal (IPv6 with or without brackets), or a Unix socket."""


Resolver: TypeAlias = Callable[[str, int], Iterable[str | ipaddress.IPv4Address | ipaddress.IPv6Address]]
"""Takes a host name and a port, and returns IP addresses, the preferred first; it may block."""

AsyncResolver: TypeAlias = Callable[
    [str, int], Coroutine[object, object, Iterable[str | ipaddress.IPv4Address | ipaddress.IPv6Address]]
]
"""A `Resolver` as a coroutine function, for asyncio and trio. It runs in the task that connects, and is
cancelled when that task is cancelled or the time for connecting is up."""


class Stream(Enum):
    """The type of `STREAM`."""

    STREAM = "stream"


STREAM: Final = Stream.STREAM
"""The body of a request that will be streamed with `stream_request_body`."""


class Unknown(Enum):
    """The type of `UNKNOWN`."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
"""What `stream` returns for a message that does not belong to the connection."""

Body: TypeAlias = "BytesLike | Sequence[BytesLike] | Literal[Stream.STREAM] | None"
"""The content of a request: none, bytes, a sequence of bytes, or streamed."""


@dataclass(frozen=True, slots=True)
class Eof:
    """The end of a streamed request body, with trailers if there are any.

    On HTTP/1, trailers can only follow a chunked body, that is, one without content-length. RFC 9110 6.5.
    """

    trailers: HeaderFields = ()

    def __post_init__(self) -> None:
        if self.trailers != ():
            object.__setattr__(self, "trailers", _checks.pairs("trailers", self.trailers))

    def __repr__(self) -> str:
        return f"Eof(trailers={shown(self.trailers)!r})"


@dataclass(frozen=True, slots=True)
class TLSInfo:
    """What was negotiated on a TLS connection.

    Attributes:
        version: for example `"TLSv1.3"`.
        cipher: the name of the cipher suite, as OpenSSL spells it.
        alpn: the protocol the server chose, or `None`.
        server_hostname: the name sent as SNI and checked against the certificate; `None` if there is none.
        peer_certificate: the server's certificate in DER, verified or not.
        resumed: whether a session was resumed.
        peer_chain: the certificates that the server sent, in DER, its own first; verified or not.
        verified_chain: the chain that OpenSSL found, in DER, from the server's certificate to a trusted one.
            Empty if OpenSSL did not verify the certificate: with `verify=False`, with `truststore` on macOS
            and Windows, and if a session was resumed.

    """

    version: str
    cipher: str
    alpn: str | None
    server_hostname: str | None
    peer_certificate: bytes | None
    resumed: bool
    peer_chain: tuple[bytes, ...] = ()
    verified_chain: tuple[bytes, ...] = ()


class Unread(NamedTuple):
    """What has arrived at a link and has not been received by a connection value. See `Transport.look`."""

    octets: tuple[bytes, ...]
    """Plaintext, oldest first; it stays in the link until it is received."""
    ended: bool
    """Whether the peer closes the connection after these octets."""
    failure: Exception | None
    """What broke the transport after that, if anything did."""
    handed_out: bool
    """Whether a mailbox has returned a message that has not been passed to `stream` yet."""

    def __repr__(self) -> str:
        """Show only the size of what arrived, because it may contain secrets."""
        size = sum(map(len, self.octets))
        return (
            f"Unread(octets=<{size} bytes>, ended={self.ended}, failure={self.failure!r}, "
            f"handed_out={self.handed_out})"
        )


class Inbox(Protocol):
    """What a connection needs from a mailbox: to watch a link, and to stop watching it."""

    def admit(self, transport: Transport) -> None:
        """Raise `TypeError` for a link of another event loop, `MailboxClosed` if the mailbox is closed."""
        ...

    def watch(self, transport: Transport) -> None:
        """Watch the link: it is armed for one message, or has something left to write."""
        ...

    def unwatch(self, transport: Transport) -> None:
        """Stop watching the link, and keep no reference to it."""
        ...


class Transport(Protocol):
    """What a connection needs from its link, the mutable object that owns the socket or the memory buffers.

    The guard: `claim` takes the link for one operation, if the generation is the newest and no other
    operation holds the link; `release` gives it back, and increments the generation if bytes were moved.
    """

    @property
    def source(self) -> Source:
        """The token that its messages carry."""
        ...

    @property
    def generation(self) -> int:
        """How many operations have moved bytes."""
        ...

    @property
    def clean_end(self) -> bool:
        """Whether the peer closed the connection properly; with TLS, after close_notify."""
        ...

    @property
    def inbox(self) -> Inbox | None:
        """The mailbox in active mode, `None` in passive mode."""
        ...

    @property
    def socket(self) -> sockets.socket | None:
        """The socket, to read its options; `None` if there is none."""
        ...

    @property
    def tls(self) -> TLSInfo | None:
        """What TLS negotiated; `None` without TLS."""
        ...

    @property
    def local_address(self) -> SocketAddress | None:
        """The address of this end."""
        ...

    @property
    def peer_address(self) -> SocketAddress | None:
        """The address of the other end."""
        ...

    note: object
    """What the mailbox stores about the link; `None` at first."""

    lone: bool
    """Whether a request was queued while no other was open, and nothing of it has been written yet."""

    def claim(self, generation: int) -> None:
        """Take the link for one operation; raise `StaleConnectionError` if the value is superseded."""
        ...

    def settle(self, generation: int, error: BaseException) -> None:
        """Close the link if an exception interrupted an operation of the value with this generation."""
        ...

    def release(self, *, moved: bool) -> int:
        """Give the link back and return the current generation."""
        ...

    def poison(self) -> None:
        """Close for good: an operation was interrupted, and it is unknown how far it got."""
        ...

    def send(self, pieces: tuple[bytes, ...], *, flush: bool) -> None:
        """Queue the octets and, if `flush` is true, write what the operating system accepts."""
        ...

    def fail_writing(self) -> None:
        """Discard what is queued, and write nothing more."""
        ...

    def flush(self, timeout: float | None) -> None:
        """Write all that is queued; raise `TransportTimeout` when the time is up."""
        ...

    @property
    def unsent(self) -> int:
        """How many octets are queued but not written."""
        ...

    @property
    def congested(self) -> bool:
        """Whether the peer accepts nothing more until what it sent has been received."""
        ...

    @property
    def written(self) -> bool:
        """Whether everything that was sent has been written, including what TLS layers hold."""
        ...

    def receive(self, until: float | None) -> bytes:
        """Return what arrived, at most one read, or `b""` at the end; wait until the time `until`."""
        ...

    def receive_now(self) -> bytes | None:
        """Return what has arrived, without waiting; `None` if nothing has, `b""` at the end."""
        ...

    def look(self) -> Unread | None:
        """Return what has arrived, without waiting and without consuming it; `None` if nothing has.

        It makes one system call, which does not wait, or none if something is already known to
        have arrived. The link must be claimed.
        """
        ...

    def permit(self, call: Literal["recv", "flush"]) -> None:
        """Raise `RuntimeError` if this call, which may wait, is not allowed here."""
        ...

    def arm(self) -> None:
        """In active mode, ask the mailbox for the next message."""
        ...

    def accept(self, message: Message) -> bytes:
        """Take one message of this link, in order, and return its data; `b""` if the peer has ended."""
        ...

    def set_inbox(self, inbox: Inbox | None) -> None:
        """Change the mode."""
        ...

    @property
    def closed(self) -> bool:
        """Whether this end was closed."""
        ...

    def shut_write(self) -> None:
        """Close the sending direction after everything that is queued has been written."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the peer has closed, cleanly or not; data sent before may still have to be received."""
        ...

    def close(self) -> None:
        """Close the transport; idempotent, never raises."""
        ...

    def abort(self) -> None:
        """Close the transport from any thread or signal handler, even while an operation is in progress."""
        ...
