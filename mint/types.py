"""The vocabulary of values and protocols that every part of mint shares.

No behaviour lives here. Connections know of links and mailboxes only what `Transport` and `Inbox` say.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, TypeAlias

from . import _checks
from ._core.events import shown
from ._core.messages import Source as Source  # noqa: PLC0414, TC001  # of this vocabulary

if TYPE_CHECKING:
    import socket as sockets

    from .messages import Message

Scheme: TypeAlias = Literal["http", "https"]
"""What a URI says; `http` is in clear, `https` over TLS."""

ProtocolName: TypeAlias = Literal["http1", "http2"]
"""The protocols mint speaks."""

HeaderPairs: TypeAlias = Iterable[tuple[str, str]]
"""Fields as they go in, names in any case, values in latin-1, order and duplicates kept."""

HeaderFields: TypeAlias = tuple[tuple[str, str], ...]
"""Fields as they come out, names in lower case, values in latin-1, order and duplicates kept."""

BytesLike: TypeAlias = "bytes | bytearray | memoryview[int]"
"""What content is given as; `bytes` pass by reference, mutable buffers are copied."""

SocketAddress: TypeAlias = tuple[str, int] | tuple[str, int, int, int] | str
"""An address as the `socket` module has it, for IPv4, for IPv6, or the path of a Unix socket."""


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """The path of a Unix domain socket; a leading NUL names an abstract one (Linux)."""

    path: str

    def __post_init__(self) -> None:
        text = str.__str__(self.path) if isinstance(self.path, str) else ""
        if not text or "\0" in text[1:] or not _checks.encodes(text, "a path"):
            kind = type(self.path).__name__
            raise ValueError(
                "path wants a str that is not empty, and has no NUL but the first and no lone surrogates,"
                f" not {kind} {text!a}"
            )
        object.__setattr__(self, "path", text)


Address: TypeAlias = str | ipaddress.IPv4Address | ipaddress.IPv6Address | UnixAddress
"""Where to connect, a host name, an IP literal (IPv6 with or without brackets), or a Unix socket."""


Resolver: TypeAlias = Callable[[str, int], Iterable[str | ipaddress.IPv4Address | ipaddress.IPv6Address]]
"""Takes a host name and a port and returns IP addresses, the preferred first; it may block."""

AsyncResolver: TypeAlias = Callable[
    [str, int], Coroutine[object, object, Iterable[str | ipaddress.IPv4Address | ipaddress.IPv6Address]]
]
"""The same as a coroutine function, for asyncio and trio: it runs in the task that connects, and is cancelled
with it and at the end of its time."""


class Stream(Enum):
    """The type of `STREAM`."""

    STREAM = "stream"


STREAM: Final = Stream.STREAM
"""The body of a request that will be streamed with `stream_request_body`."""


class Unknown(Enum):
    """The type of `UNKNOWN`."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
"""What `stream` returns for a message that is not this connection's."""

Body: TypeAlias = "BytesLike | Sequence[BytesLike] | Literal[Stream.STREAM] | None"
"""A request's content, none, known, known in pieces, or streamed."""


@dataclass(frozen=True, slots=True)
class Eof:
    """The end of a streamed request body, with trailers if there are any.

    On HTTP/1 trailers can only follow a chunked body: one without content-length. RFC 9110 6.5.
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
        server_hostname: the name sent as SNI and checked against the certificate; `None` if neither.
        peer_certificate: the server's certificate in DER, verified or not.
        resumed: whether a session was resumed.
        peer_chain: the certificates that the server sent, in DER, its own first; verified or not.
        verified_chain: the certificates in DER from the server's own to one that is trusted, as OpenSSL has
            found them. Empty where OpenSSL did not verify: with `verify=False`, by `truststore` on macOS and
            Windows, and where a session was resumed.

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
    """What has arrived at a link and no connection value has read yet. See `Transport.look`."""

    octets: tuple[bytes, ...]
    """Plaintext, oldest first; it stays in the link until it is received."""
    ended: bool
    """Whether the peer's end follows."""
    failure: Exception | None
    """What broke the transport after that, if anything did."""
    handed_out: bool
    """Whether a mailbox has handed out a message that was not fed to `stream` yet."""

    def __repr__(self) -> str:
        """Give the size of what arrived, which may hold secrets."""
        size = sum(map(len, self.octets))
        return (
            f"Unread(octets=<{size} bytes>, ended={self.ended}, failure={self.failure!r}, "
            f"handed_out={self.handed_out})"
        )


class Inbox(Protocol):
    """What a connection needs of a mailbox: to watch a link, and to let go of it."""

    def admit(self, transport: Transport) -> None:
        """Raise `TypeError` where the link is of another world, `MailboxClosed` where nobody listens."""
        ...

    def watch(self, transport: Transport) -> None:
        """Look after the link: it is armed for one message, or has something left to write."""
        ...

    def unwatch(self, transport: Transport) -> None:
        """Let go of the link; nothing of it is held."""
        ...


class Transport(Protocol):
    """What a connection needs of its link, the mutable thing that owns the wire.

    The guard: `claim` takes the link for one operation, if the generation is the newest and nobody
    else holds it; `release` gives it back, one generation on if the operation moved bytes.
    """

    @property
    def source(self) -> Source:
        """The token its messages carry."""
        ...

    @property
    def generation(self) -> int:
        """How many operations have moved bytes."""
        ...

    @property
    def clean_end(self) -> bool:
        """Whether the peer ended properly, with close_notify where there is TLS."""
        ...

    @property
    def inbox(self) -> Inbox | None:
        """The mailbox in active mode, `None` in passive mode."""
        ...

    @property
    def socket(self) -> sockets.socket | None:
        """The socket, to read from its options; `None` where there is none."""
        ...

    @property
    def tls(self) -> TLSInfo | None:
        """What TLS negotiated; `None` in clear."""
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
    """What the mailbox keeps about it; `None` to begin with."""

    lone: bool
    """Whether a request was queued while no other was open, and nothing of it was written."""

    def claim(self, generation: int) -> None:
        """Take the link for one operation; raise `StaleConnectionError` through a superseded value."""
        ...

    def settle(self, generation: int, error: BaseException) -> None:
        """Close the link where an exception broke an operation of this generation's value off."""
        ...

    def release(self, *, moved: bool) -> int:
        """Give the link back and return the generation that is the newest now."""
        ...

    def poison(self) -> None:
        """Close for good: an operation was interrupted and nobody knows how far it came."""
        ...

    def send(self, pieces: tuple[bytes, ...], *, flush: bool) -> None:
        """Queue the octets and, if told so, write what the kernel takes."""
        ...

    def fail_writing(self) -> None:
        """Drop what is queued, and write no more."""
        ...

    def flush(self, timeout: float | None) -> None:
        """Write all that is queued; raise `TransportTimeout` when the time is up."""
        ...

    @property
    def unsent(self) -> int:
        """How many octets are queued and not written."""
        ...

    @property
    def congested(self) -> bool:
        """Whether the peer takes nothing more before what it sent is received."""
        ...

    @property
    def written(self) -> bool:
        """Whether all that was sent has left, layers included."""
        ...

    def receive(self, until: float | None) -> bytes:
        """Return what came, at most one read; `b""` at the end; wait until the clock says `until`."""
        ...

    def receive_now(self) -> bytes | None:
        """Return what came without waiting; `None` where nothing did, `b""` at the end."""
        ...

    def look(self) -> Unread | None:
        """Fetch what is there without waiting, and say what it is; `None` where nothing is.

        Nothing is consumed. It makes one system call, which does not wait, and none where something is known
        to be there already. The link must be claimed.
        """
        ...

    def permit(self, call: Literal["recv", "flush"]) -> None:
        """Raise `RuntimeError` where this call, which may wait, has no place."""
        ...

    def arm(self) -> None:
        """In active mode, ask the mailbox for the next message."""
        ...

    def accept(self, message: Message) -> bytes:
        """Take one message of this link in its turn; `b""` says that the peer ended."""
        ...

    def set_inbox(self, inbox: Inbox | None) -> None:
        """Change the mode."""
        ...

    @property
    def closed(self) -> bool:
        """Whether this end was closed."""
        ...

    def shut_write(self) -> None:
        """Say that no more will be sent, once all that is queued is written."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the peer has ended, cleanly or not; what it said before may still wait."""
        ...

    def close(self) -> None:
        """Close the wire; idempotent, never raises."""
        ...

    def abort(self) -> None:
        """Close the wire from any thread and any signal handler, while an operation may be in progress."""
        ...
