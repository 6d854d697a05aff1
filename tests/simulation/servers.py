"""The servers of a simulation: sessions on top of channels, without threads, sockets or clocks.

A `Peer` is one accepted connection. It moves octets between its stream and the session on top of it; a
session is a protocol (TLS, HTTP/1, HTTP/2, a proxy) and gives its own channels to what runs inside it.
What is answered is up to a script (scripts.py), and when it acts is up to the scheduler.
"""

from __future__ import annotations

import math
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from .kernel import Kernel
    from .streams import Stream


class Channel(Protocol):
    """The interface through which a session sends octets to the client."""

    def send(self, octets: bytes) -> None:
        """Send octets; they are kept until they can be sent."""
        ...

    def pending(self) -> int:
        """Return how much is kept."""
        ...

    def finish(self) -> None:
        """End this direction after the octets that are kept, with the announcement of this layer."""
        ...

    def cut(self) -> None:
        """End this direction without the announcement of the layer (close_notify)."""
        ...

    def reset(self) -> None:
        """Break the connection."""
        ...

    def close(self) -> None:
        """End both directions: whatever still arrives is answered with a reset."""
        ...


class Session(Protocol):
    """The interface of a protocol on top of a channel."""

    def received(self, octets: bytes) -> None:
        """Handle octets from the client."""
        ...

    def ended(self) -> None:
        """Handle that the client ended its direction, or broke the connection."""
        ...

    def hungry(self) -> bool:
        """Return whether it wants more octets now."""
        ...

    def moves(self) -> list[Callable[[], None]]:
        """Return what it can do on its own."""
        ...

    def alarm(self) -> float:
        """Return when it can do something on its own, at the latest."""
        ...


class Peer:
    """One accepted connection: the actor of the scheduler, and the channel of the lowest session."""

    def __init__(self, kernel: Kernel, stream: Stream, serve: Callable[[Channel], Session]) -> None:
        self.kernel = kernel
        self.stream = stream
        self._leaving = bytearray()
        self._finish = self._close = self._over = self._deaf = False
        self.session = serve(self)
        kernel.actors.append(self)

    # -- the channel

    def send(self, octets: bytes) -> None:
        """Send what the system accepts, and keep the rest."""
        if not (self._finish or self._over or self._close):
            self._leaving += octets
            self._write()

    def pending(self) -> int:
        """Return how much is kept."""
        return len(self._leaving)

    def finish(self) -> None:
        """End the outgoing direction with a FIN."""
        self._finish = True
        self._write()

    def cut(self) -> None:
        """End the direction: TCP has no other announcement."""
        self.finish()

    def reset(self) -> None:
        """Close with a RST."""
        self._over = True
        self.stream.close(abort=True)

    def close(self) -> None:
        """Close both directions once everything is written."""
        self._close = True
        self._write()

    # -- the actor

    def moves(self) -> list[Callable[[], None]]:
        """Return what can be done now."""
        if self._over:
            return self.session.moves()
        found = self.session.moves()
        stream = self.stream
        if (stream.incoming or stream.ended or stream.dead) and not self._deaf and self.session.hungry():
            found.append(self._read)
        if (self._leaving or self._close) and (stream.room or stream.dead):
            found.append(self._write)
        return found

    def alarm(self) -> float:
        """Return when the session acts on its own."""
        return self.session.alarm()

    def _read(self) -> None:
        try:
            octets = self.stream.receive(self.kernel.choices.amount(65_536))
        except OSError:
            octets = b""
        if octets:
            self.session.received(octets)
        else:
            self._deaf = True
            self.session.ended()

    def _write(self) -> None:
        if self._over:
            return
        try:
            while self._leaving and self.stream.room:
                sent = self.stream.send(self._leaving)
                del self._leaving[:sent]
            if not self._leaving and self._close:
                self._over = True
                self.stream.close()
            elif not self._leaving and self._finish and not self.stream.finishing:
                self.stream.shut(read=False, write=True)
        except OSError:
            self._leaving.clear()
            self._over = True
            self.stream.close()
            if not self._deaf:
                self._deaf = True
                self.session.ended()


class TLSSession:
    """TLS as a server, a session below and a channel above."""

    def __init__(
        self, channel: Channel, context: ssl.SSLContext, serve: Callable[[Channel, str | None], Session]
    ) -> None:
        self._channel = channel
        self._serve = serve
        self._arriving, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._arriving, self._leaving, server_side=True)
        self._session: Session | None = None
        self._over = self._finished = False

    # -- the session

    def received(self, octets: bytes) -> None:
        """Handle ciphertext."""
        self._arriving.write(octets)
        if self._session is None and not self._shake_hands():
            return
        self._read()

    def _shake_hands(self) -> bool:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        except ssl.SSLError:
            self._flush()
            self._channel.close()
            return False
        self._flush()
        self._session = self._serve(self, self._object.selected_alpn_protocol())
        return True

    def _read(self) -> None:
        session = self._session
        if session is None:
            return
        try:
            while octets := self._object.read(65_536):
                session.received(octets)
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLError, OSError):
            self._end()
        else:
            self._end()
        self._flush()

    def _end(self) -> None:
        if not self._over and self._session is not None:
            self._over = True
            self._session.ended()

    def ended(self) -> None:
        """Take that the client ended."""
        self._end()

    def hungry(self) -> bool:
        """Return whether the session inside wants more."""
        return self._session is None or self._session.hungry()

    def moves(self) -> list[Callable[[], None]]:
        """Return what the session inside can do."""
        return [] if self._session is None else self._session.moves()

    def alarm(self) -> float:
        """Return when the session inside acts."""
        return math.inf if self._session is None else self._session.alarm()

    # -- the channel

    def _flush(self) -> None:
        if self._leaving.pending:
            self._channel.send(self._leaving.read())

    def send(self, octets: bytes) -> None:
        """Encrypt and send."""
        if self._finished:
            return
        for at in range(0, len(octets), 16_384):
            self._object.write(octets[at : at + 16_384])
        self._flush()

    def pending(self) -> int:
        """Return how much is kept."""
        return self._channel.pending()

    def _say_goodbye(self) -> None:
        if self._finished:
            return
        self._finished = True
        with suppress(ssl.SSLError, OSError, ValueError):
            self._object.unwrap()
        self._flush()

    def finish(self) -> None:
        """Send close_notify, and end the channel below."""
        self._say_goodbye()
        self._channel.finish()

    def cut(self) -> None:
        """End the channel below without close_notify."""
        self._finished = True
        self._channel.finish()

    def reset(self) -> None:
        """Break the channel below."""
        self._channel.reset()

    def close(self) -> None:
        """Send close_notify and close the channel below."""
        self._say_goodbye()
        self._channel.close()


class ConnectSession:
    """An HTTP/1 proxy that opens every tunnel and serves the origin itself, without a second connection."""

    def __init__(self, channel: Channel, serve: Callable[[Channel], Session]) -> None:
        self._channel = channel
        self._serve = serve
        self._head = b""
        self._session: Session | None = None

    def received(self, octets: bytes) -> None:
        """Handle the head of CONNECT, then the octets in the tunnel."""
        if self._session is not None:
            self._session.received(octets)
            return
        self._head += octets
        _, mark, rest = self._head.partition(b"\r\n\r\n")
        if mark:
            self._channel.send(b"HTTP/1.1 200 OK\r\n\r\n")
            self._session = self._serve(self._channel)
            if rest:
                self._session.received(rest)

    def ended(self) -> None:
        """Take that the client ended."""
        if self._session is None:
            self._channel.close()
        else:
            self._session.ended()

    def hungry(self) -> bool:
        """Return whether more is wanted."""
        return self._session is None or self._session.hungry()

    def moves(self) -> list[Callable[[], None]]:
        """Return what the session inside can do."""
        return [] if self._session is None else self._session.moves()

    def alarm(self) -> float:
        """Return when the session inside acts."""
        return math.inf if self._session is None else self._session.alarm()
