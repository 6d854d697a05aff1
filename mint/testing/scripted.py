"""`ScriptedServer`: plays one script per connection and says clearly where it went otherwise."""

import socket
import ssl
from collections.abc import Iterable

from .peer import Peer
from .server import Server, seconds
from .steps import StartTLS, Step, Unexpected, shown


class ScriptError(AssertionError):
    """A script could not be played to its end: what was expected, and what came."""


class ScriptedServer(Server):
    r"""Plays `scripts[0]` on the first connection, `scripts[1]` on the second, and so on.

    A script is a sequence of steps (`Send`, `Expect`, `Close` ...); its end closes the connection.
    With `tls`, each connection starts with a TLS handshake. Every step has `timeout` seconds.
    Leaving the `with` statement waits for the scripts that are being played and raises
    `ScriptError` if one failed, if a connection came for which there is no script, or if one never
    came::

        script = [request(b"^GET / "), Send(b"HTTP/1.1 204 No Content\r\n\r\n")]
        with ScriptedServer(script) as server:
            fetch(server.address, server.port)
        assert server.received[0].startswith(b"GET / HTTP/1.1\r\n")
    """

    def __init__(
        self,
        *scripts: Iterable[Step],
        tls: ssl.SSLContext | None = None,
        family: socket.AddressFamily = socket.AF_INET,
        timeout: float = 10.0,
    ) -> None:
        super().__init__(tls=tls, family=family, timeout=timeout)
        start = () if tls is None else (StartTLS(tls),)
        self._scripts = tuple((*start, *script) for script in scripts)
        self._current: dict[int, int] = {}

    @property
    def received(self) -> tuple[bytes, ...]:
        """What the client sent on each connection, as plaintext, as far as it was read."""
        return tuple(peer.received for peer in self.peers)

    def _admit(self, sock: socket.socket, number: int) -> Peer:
        return Peer(sock, number, record=True)

    def _serve(self, peer: Peer) -> None:
        if peer.number > len(self._scripts):
            raise ScriptError(f"connection {peer.number} came, but there are {len(self._scripts)} scripts")
        script = self._scripts[peer.number - 1]
        for number, step in enumerate(script, 1):
            self._current[peer.number] = number
            peer.deadline = seconds(self.timeout)
            try:
                step.play(peer)
            except Unexpected as error:
                raise ScriptError(f"{self._place(peer)}: {error}") from error
            except (OSError, EOFError, ValueError) as error:
                what = f"{type(error).__name__}: {error}"
                unread = shown(bytes(peer.unread))
                raise ScriptError(
                    f"{self._place(peer)}: {what}\n  not yet read by a step: {unread}"
                ) from error

    def _place(self, peer: Peer) -> str:
        script = self._scripts[peer.number - 1]
        number = self._current[peer.number]
        title = repr(script[number - 1])[:300]
        return f"connection {peer.number}, step {number} of {len(script)}, {title}"

    def _unfinished(self, late: list[Peer]) -> list[Exception]:
        problems: list[Exception] = [
            ScriptError(f"{self._place(peer)}: still busy when the server stopped") for peer in late
        ]
        count, played = len(self._scripts), len(self.peers)
        if played < count:
            problems.append(ScriptError(f"{count - played} of {count} scripts got no connection"))
        return problems
