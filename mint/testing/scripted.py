"""`ScriptedServer`: plays one script for each connection, and reports where the client deviated from it."""

import math
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from . import _arguments
from .peer import Peer
from .server import Server, seconds
from .steps import StartTLS, Step, Unexpected, shown

LOOK: Final = 0.02
"""How often a strict server checks whether it has to stop, in seconds."""


class ScriptError(AssertionError):
    """A script could not be played to its end; the message says what was expected and what was received."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script for `minimum` to `maximum` consecutive connections; `optional` and `repeated` make one.

    Attributes:
        steps: the steps.
        minimum: how many connections must be opened, 0 or more.
        maximum: how many connections the script is for, 1 or more; `math.inf` for any number.

    Raises `TypeError` for a step that is none, and for other numbers than `int` and `math.inf`, and
    `ValueError` if `minimum` is larger than `maximum`, or one of them is out of range.

    """

    steps: tuple[Step, ...]
    minimum: int = 1
    maximum: float = 1

    def __post_init__(self) -> None:
        """Refuse what is no step, and numbers that are out of range."""
        object.__setattr__(self, "steps", tuple(self.steps))
        _check_steps(self.steps)
        _arguments.number("minimum", self.minimum, 0)
        if self.maximum != math.inf:
            _arguments.number("maximum", self.maximum, 1)
        if self.minimum > self.maximum:
            raise ValueError(f"minimum must not be larger than maximum, got {self.minimum}, {self.maximum}")


def optional(steps: Iterable[Step]) -> Script:
    """Return a script for one connection that the client need not open."""
    return Script(tuple(steps), 0, 1)


def repeated(steps: Iterable[Step], minimum: int = 1, maximum: float = math.inf) -> Script:
    """Return a script for several consecutive connections, for example of a client that retries.

    At least `minimum` of them must be opened. The next script begins with the connection after `maximum`, so
    only the last script can have no maximum.
    """
    return Script(tuple(steps), minimum, maximum)


class ScriptedServer(Server):
    r"""A server that plays the first script on the first connection, the second one on the second, and so on.

    For example::

        script = [request(b"^GET / "), Send(b"HTTP/1.1 204 No Content\r\n\r\n")]
        with ScriptedServer(script) as server:
            fetch(server.address, server.port)
        assert server.received[0].startswith(b"GET / HTTP/1.1\r\n")

    A script is a sequence of steps (`Send`, `Expect`, `Close` ...). When it ends, its connection is closed.
    Leaving the `with` block waits for the scripts that are being played. It raises `ScriptError` if one of
    them failed, if a connection was opened for which there is no script, or if a connection was not opened.

    Args:
        scripts: the scripts; `optional` and `repeated` make scripts for several connections.
        tls: the server's `ssl.SSLContext`, for a handshake before each script; `None` for no TLS.
        family: `AF_INET`, `AF_INET6` or `AF_UNIX`.
        timeout: seconds for each step, and for the scripts to end; more than 0.
        strict: whether bytes that no step read are an error, too. They are always in `unread`.

    Raises `TypeError` for what is not a script, and `ValueError` for arguments out of range.

    """

    def __init__(
        self,
        *scripts: Iterable[Step] | Script,
        tls: ssl.SSLContext | None = None,
        family: socket.AddressFamily = socket.AF_INET,
        timeout: float = 10.0,
        strict: bool = False,
    ) -> None:
        super().__init__(tls=tls, family=family, timeout=timeout)
        _arguments.flags(strict=strict)
        self._start = None if tls is None else StartTLS(tls)
        self._scripts = tuple(_script(each, number) for number, each in enumerate(scripts, 1))
        for number, each in enumerate(self._scripts[:-1], 1):
            if each.maximum == math.inf:
                raise ValueError(
                    f"script {number} accepts every connection: none is left for the next script"
                )
        self._strict = strict
        self._current: dict[int, int] = {}

    @property
    def received(self) -> tuple[bytes, ...]:
        """For each connection, everything that was read from the client, as plaintext."""
        return tuple(peer.received for peer in self.peers)

    def _admit(self, sock: socket.socket, number: int) -> Peer:
        return Peer(sock, number, record=True)

    def _steps(self, number: int) -> tuple[Step, ...] | None:
        """Return the script for a connection, `None` if there is none."""
        for script in self._scripts:
            if number <= script.maximum:
                return script.steps
            number -= int(script.maximum)
        return None

    def _serve(self, peer: Peer) -> None:
        script = self._steps(peer.number)
        if script is None:
            count = len(self._scripts)
            raise ScriptError(
                f"connection {peer.number} was opened, but there are {count} scripts{_left(peer)}"
            )
        steps = enumerate(script, 1) if self._start is None else enumerate((self._start, *script))
        for number, step in steps:
            self._current[peer.number] = number
            peer.deadline = seconds(self.timeout)
            if not self._play(peer, step):
                return
        if self._strict:
            self._finish(peer)

    def _play(self, peer: Peer, step: Step) -> bool:
        """Play a step, and return whether the next one may be played."""
        try:
            step.play(peer)
        except (Unexpected, OSError, EOFError, ValueError) as error:
            if peer.aborted:
                return False  # the server has aborted the connection, which `_unfinished` reports
            what = str(error) if isinstance(error, Unexpected) else f"{type(error).__name__}: {error}"
            raise ScriptError(f"{self._place(peer)}: {what}{_left(peer)}") from error
        except BaseException as error:  # noqa: BLE001  an error of the test's own code, raised at the end
            error.add_note(f"raised in {self._place(peer)}")
            self._fault(error)
            return False
        return True

    def _finish(self, peer: Peer) -> None:
        """Close the sending direction; raise `ScriptError` if the client then sends anything but its end."""
        peer.deadline, peer.patience = seconds(self.timeout), LOOK
        with suppress(OSError):
            peer.shut_write()
            while not (peer.unread or peer.ended or peer.overdue or peer.stopping.is_set()):
                with suppress(TimeoutError):
                    peer.fill()
        if peer.unread:
            place = f"connection {peer.number}, after the last step"
            raise ScriptError(f"{place}: the client sent bytes that no step read{_left(peer)}")

    def _place(self, peer: Peer) -> str:
        script = self._steps(peer.number) or ()
        number = self._current.get(peer.number, 0)
        if number == 0:
            return f"connection {peer.number}, before the first step"
        return f"connection {peer.number}, step {number} of {len(script)}, {repr(script[number - 1])[:300]}"

    def _unfinished(self, late: list[Peer]) -> list[Exception]:
        hint = "; use `async with`, which does not block the event loop" if self._in_loop else ""
        problems: list[Exception] = [
            ScriptError(f"{self._place(peer)}: still busy when the server stopped{hint}{_left(peer)}")
            for peer in late
        ]
        return problems + self._unplayed()

    def _unplayed(self) -> list[Exception]:
        came, missing, needed = len(self.peers), 0, 0
        for script in self._scripts:
            played = min(came, script.maximum)
            came -= int(played)
            missing += max(0, script.minimum - int(played))
            needed += script.minimum
        return [ScriptError(f"{missing} of {needed} scripts got no connection")] if missing else []


def _script(given: Script | Iterable[Step], number: int) -> Script:
    """Return the argument as a script; raise `TypeError` if it is none."""
    if not isinstance(given, Script):
        if not isinstance(given, Iterable) or isinstance(given, (str, bytes)):
            raise TypeError(
                f"script {number} must be an iterable of steps, got {given!r}: put steps into a list"
            )
        steps = tuple(given)
        _check_steps(steps, f" of script {number}")
        given = Script(steps)
    return given


def _check_steps(steps: Iterable[object], where: str = "") -> None:
    for place, step in enumerate(steps, 1):
        _arguments.method(f"step {place}{where}", step, "play")


def _left(peer: Peer) -> str:
    unread = bytes(peer.unread)
    return f"\n  not yet read: {shown(unread)}" if unread else ""
