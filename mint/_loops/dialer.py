"""The base of the drivers of all event loops: sockets, the deadline, name resolution in a thread.

A driver performs the steps of the connecting procedure. Nothing here waits; waiting is in blocking.py,
asyncio_connecting.py and trio_connecting.py. Every socket that is made is in `opened` until it is closed or
handed over, so that none leaks on any path.
"""

from __future__ import annotations

import contextlib
import errno
import socket as sockets
import threading
from abc import ABC, abstractmethod
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias, cast

from .._checks import is_coroutine_function
from .._connect.race import (
    Abandon,
    Arrived,
    Attempt,
    Decided,
    Dial,
    Dialled,
    Endpoint,
    Limit,
    Ready,
    Receive,
    Resolve,
    Resolved,
    Send,
    Wait,
    as_endpoints,
)
from .._hosts import is_localhost
from ..errors import MintError, NameNotResolved, TransportError, TransportTimeout
from ..errors.transport import system_error
from .sockets import check_socket
from .system import UNIX, describe, pass_on

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from .._connect.race import Answer, Established, IOStep, Procedure
    from ..options import TCPOptions
    from ..types import AsyncResolver, Resolver

Found: TypeAlias = "tuple[Endpoint, ...] | BaseException"
"""The result of resolving a name: its addresses, or the exception."""

FAMILIES = {"inet4": sockets.AF_INET, "inet6": sockets.AF_INET6, "unix": UNIX}
NAMES = {sockets.AF_INET: "inet4", sockets.AF_INET6: "inet6"}

RACING = "connecting"
SENDING = "connecting: sending"
RECEIVING = "connecting: waiting for the server"


class SocketAttempt(Attempt):
    """A connection attempt with its socket."""

    __slots__ = ("endpoint", "socket")

    def __init__(self, socket: sockets.socket, endpoint: Endpoint) -> None:
        self.socket: sockets.socket = socket
        self.endpoint: Endpoint = endpoint


def look_up(host: str, port: int) -> tuple[Endpoint, ...]:
    """Ask the system's resolver; blocks."""
    found = sockets.getaddrinfo(host, port, type=sockets.SOCK_STREAM)
    endpoints: list[Endpoint] = []
    for family, _, _, _, address in found:
        name = NAMES.get(family)  # other families are ignored
        if name == "inet4":
            endpoints.append(Endpoint(name, (str(address[0]), port)))
        elif name == "inet6":
            scope = int(address[3]) if len(address) > 3 else 0
            endpoints.append(Endpoint(name, (str(address[0]), port, 0, scope)))
    return tuple(dict.fromkeys(endpoints))


def open_socket(endpoint: Endpoint, tcp: TCPOptions) -> sockets.socket:
    """Make a non-blocking socket with the options set."""
    family = FAMILIES[endpoint.family]
    if family is None:
        raise OSError(errno.EAFNOSUPPORT, "this Python has no Unix sockets on this system")
    socket = sockets.socket(family, sockets.SOCK_STREAM)
    try:
        set_options(socket, tcp, unix=endpoint.family == "unix", fresh=True)
        if endpoint.family != "unix" and tcp.local_address is not None:
            socket.bind(tcp.local_address)
    except BaseException:
        socket.close()
        raise
    return socket


def set_options(socket: sockets.socket, tcp: TCPOptions, *, unix: bool, fresh: bool = False) -> None:
    """Set the options of a socket; on a fresh one, keep-alive is off and need not be turned off."""
    socket.setblocking(False)
    if tcp.send_buffer is not None:
        socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, tcp.send_buffer)
    if tcp.receive_buffer is not None:
        socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, tcp.receive_buffer)
    if not unix:
        socket.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, tcp.nodelay)
        if tcp.keepalive or not fresh:
            socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_KEEPALIVE, tcp.keepalive)


def given_socket(socket: sockets.socket | None, tcp: TCPOptions) -> SocketAttempt | None:
    """Take over a socket that the caller connected. Raises `ValueError` if it is not connected."""
    if socket is None:
        return None
    check_socket(socket)
    if socket.type != sockets.SOCK_STREAM:
        raise ValueError("socket must be a stream socket")
    if tcp.local_address is not None:
        raise ValueError("local_address has no effect on a socket that is connected already")
    try:
        peer = socket.getpeername()
        set_options(socket, tcp, unix=socket.family == UNIX)
    except OSError as error:
        pass_on(error)
        raise ValueError(f"socket must be a connected socket: {error.strerror}") from error
    return SocketAttempt(socket, Endpoint(NAMES.get(socket.family, "unix"), peer))


def socket_of(attempt: Attempt) -> sockets.socket:
    """Return the socket of an attempt."""
    if not isinstance(attempt, SocketAttempt):
        raise TypeError("the connection attempt belongs to another event loop")
    return attempt.socket


def decide(attempt: Attempt) -> Decided:
    """Return whether an attempt succeeded or failed, after the system has reported its socket."""
    code = socket_of(attempt).getsockopt(sockets.SOL_SOCKET, sockets.SO_ERROR)
    if not code or not isinstance(attempt, SocketAttempt):
        return Decided(attempt)
    return Decided(attempt, _failure(code, attempt.endpoint))


def blocking_resolver(resolver: Resolver | AsyncResolver | None) -> Resolver | None:
    """Return a resolver that can be called in a thread. Raises `TypeError` for a coroutine function."""
    if resolver is None:
        return None
    if is_coroutine_function(resolver):
        raise TypeError(
            "resolver must be a function that returns addresses:"
            " coroutine functions are for mint.asyncio and mint.trio"
        )
    return cast("Resolver", resolver)  # see above


class Dialler:
    """The base of all drivers: options, deadline, and the open sockets."""

    def __init__(
        self, tcp: TCPOptions, resolver: Resolver | AsyncResolver | None, given: SocketAttempt | None
    ) -> None:
        """Start: the deadline is `connect_timeout` from now."""
        if resolver is not None and not callable(resolver):
            raise TypeError(
                f"resolver must be a function of a host and a port, not {type(resolver).__name__}"
            )
        self.tcp = tcp
        self._resolver = resolver
        timeout = tcp.connect_timeout
        self._deadline = None if timeout is None else monotonic() + timeout
        self._until = self._deadline
        self.opened: set[Attempt] = set() if given is None else {given}

    # -- time

    def limit(self, seconds: float | None) -> Ready:
        """Set an earlier deadline for the following steps; `None` removes it."""
        self._until = self._deadline
        if seconds is not None:
            limit = monotonic() + seconds
            self._until = limit if self._deadline is None else min(limit, self._deadline)
        return Ready()

    def left(self, phase: str) -> float | None:
        """Return the seconds until the deadline, `None` without one; raise `TransportTimeout` after it."""
        if self._until is None:
            return None
        left = self._until - monotonic()
        if left <= 0:
            raise TransportTimeout(phase)
        return left

    def patience(self, seconds: float | None) -> tuple[float | None, bool]:
        """Return how long to wait for an attempt, at most `seconds`, and whether that is until the deadline.

        If it is, the caller must give up after this wait without looking at the clock again: timers may fire
        slightly early, so the clock could show that time is left, and then the timeout would not be raised.
        """
        left = self.left(RACING)
        if left is None or (seconds is not None and seconds < left):
            return seconds, False
        return left, True

    # -- names

    def local(self, host: str, port: int) -> Resolved | None:
        """Return the loopback addresses for `localhost` names, without a lookup; `None` for other names.

        RFC 6761 6.3 recommends it, and a thread would take longer than the whole connection. IPv4 comes
        first, because most servers that listen on only one of the two listen there.
        """
        if self._resolver is not None or not is_localhost(host):
            return None
        return Resolved(
            (Endpoint("inet4", ("127.0.0.1", port)), Endpoint("inet6", ("::1", port, 0, 0))), in_order=True
        )

    def ask(self, host: str, port: int, answer: Callable[[Found], object]) -> None:
        """Resolve a name in a daemon thread, which is abandoned when the time is up; it calls `answer`."""

        def run() -> None:
            try:
                # Only the system's resolver understands zones.
                if self._resolver is None or "%" in host:
                    found = look_up(host, port)
                else:
                    resolver = cast("Resolver", self._resolver)  # `_resolve` awaits the others
                    found = as_endpoints(resolver(host, port), host, port)
            except BaseException as error:  # noqa: BLE001  # the thread that asked raises it
                answer(error)
            else:
                answer(found)

        threading.Thread(target=run, name="mint-resolver", daemon=True).start()

    @staticmethod
    def resolved(host: str, answer: Found) -> Resolved:
        """Return the addresses that `ask` found, or raise the error."""
        if isinstance(answer, MintError):
            raise answer
        if isinstance(answer, UnicodeError):
            raise NameNotResolved(host, "it is not a valid host name") from answer
        if isinstance(answer, OSError):
            raise system_error(answer, doing=resolving(host), address=host) from answer
        if isinstance(answer, (StopIteration, StopAsyncIteration)) or (
            isinstance(answer, BaseException)
            and not isinstance(answer, (Exception, SystemExit, KeyboardInterrupt))
        ):
            # Generators and tasks would misinterpret such an exception if it passed through them.
            raise RuntimeError(f"the resolver raised {type(answer).__name__}") from answer  # noqa: TRY004  # no type
        if isinstance(answer, BaseException):
            raise answer
        return Resolved(answer)

    # -- sockets

    def dial(self, endpoint: Endpoint) -> Dialled:
        """Start to connect; never blocks."""
        self.left(RACING)
        try:
            attempt = SocketAttempt(open_socket(endpoint, self.tcp), endpoint)
        except OSError as error:
            pass_on(error)
            return Dialled(Attempt(), system_error(error, address=show(endpoint)))
        self.opened.add(attempt)
        try:
            code = attempt.socket.connect_ex(endpoint.address)
        except (OSError, OverflowError, ValueError) as error:
            if type(error) is not OSError:  # Python refuses a path that is too long with one without a number
                pass_on(error)
            failed = error if isinstance(error, OSError) else OSError(errno.EINVAL, str(error))
            return Dialled(attempt, system_error(failed, address=show(endpoint)))
        # For a Unix socket, EAGAIN means that the backlog is full, and no connection is in progress.
        if code in {0, errno.EINPROGRESS} or (code == errno.EWOULDBLOCK and endpoint.family != "unix"):
            return Dialled(attempt)
        return Dialled(attempt, _failure(code, endpoint))

    def abandon(self, attempt: Attempt) -> Ready:
        """Close an attempt."""
        self.opened.discard(attempt)
        if isinstance(attempt, SocketAttempt):
            attempt.socket.close()
        return Ready()

    def clear(self, *, keep: Attempt | None) -> None:
        """Close every open socket except the one that is handed over."""
        for attempt in tuple(self.opened):
            if attempt is not keep:
                self.abandon(attempt)


class AsyncDriver(Dialler, ABC):
    """Performs the steps of one procedure; it waits with `await`."""

    async def run(self, procedure: Procedure) -> Established:
        """Run the procedure; every socket except the result's is closed, even after a cancellation."""
        keep: Attempt | None = None
        try:
            step = next(procedure)
            while True:
                try:
                    answer = await self._answer(step)
                except MintError as error:
                    step = procedure.throw(error)
                else:
                    step = procedure.send(answer)
        except StopIteration as stop:
            established: Established = stop.value
            keep = established.attempt
            return established
        finally:
            procedure.close()
            self.clear(keep=keep)

    async def _answer(self, step: IOStep) -> Answer:  # noqa: PLR0911  # one for each step
        match step:
            case Resolve(host, port):
                return self.local(host, port) or self.resolved(host, await self._resolve(host, port))
            case Dial(endpoint):
                return self.dial(endpoint)
            case Wait(attempts, seconds):
                return await self._wait(attempts, seconds)
            case Abandon(attempt):
                return self.abandon(attempt)
            case Send(attempt, octets):
                with _phase(SENDING):
                    await self._send(socket_of(attempt), octets, self.left(SENDING))
                return Ready()
            case Receive(attempt):
                with _phase(RECEIVING):
                    return Arrived(await self._receive(socket_of(attempt), self.left(RECEIVING)))
            case Limit(seconds):
                return self.limit(seconds)

    async def _resolve(self, host: str, port: int) -> Found:
        left = self.left(resolving(host))
        # Only the system's resolver understands zones.
        if "%" not in host and is_coroutine_function(self._resolver):
            return await self._await_answer(self._call_resolver(host, port), left, resolving(host))
        return await self._look_up(host, port, left)

    async def _call_resolver(self, host: str, port: int) -> Found:
        """Await the caller's coroutine; a cancellation is passed on."""
        resolver = cast("AsyncResolver", self._resolver)  # as `_resolve` has found
        try:
            return as_endpoints(await resolver(host, port), host, port)
        except Exception as error:  # noqa: BLE001  # `resolved` raises it, or the error that it means
            return error

    @abstractmethod
    async def _await_answer(
        self, answer: Coroutine[object, object, Found], left: float | None, phase: str
    ) -> Found: ...

    async def _wait(self, attempts: tuple[Attempt, ...], seconds: float | None) -> Decided:
        most, is_last = self.patience(seconds)
        with _phase(RACING):
            first = await self._first(attempts, most)
        if first is None:
            if is_last:
                raise TransportTimeout(RACING)
            return Decided(None)
        return decide(first)

    @abstractmethod
    async def _look_up(self, host: str, port: int, left: float | None) -> Found: ...

    @abstractmethod
    async def _first(self, attempts: tuple[Attempt, ...], left: float | None) -> Attempt | None: ...

    @abstractmethod
    async def _send(self, socket: sockets.socket, octets: bytes, left: float | None) -> None: ...

    @abstractmethod
    async def _receive(self, socket: sockets.socket, left: float | None) -> bytes: ...


def resolving(host: str) -> str:
    """Return the phase for errors while a name is looked up."""
    return f"resolving {host}"


def show(endpoint: Endpoint) -> str:
    """Return an endpoint as text for error messages."""
    address = endpoint.address
    if isinstance(address, str):
        return address
    host = f"[{address[0]}]" if endpoint.family == "inet6" else address[0]
    return f"{host}:{address[1]}"


@contextlib.contextmanager
def _phase(phase: str) -> Generator[None]:
    """Convert an `OSError` to a `TransportError` that names the phase."""
    try:
        yield
    except TransportError:
        raise
    except OSError as error:
        pass_on(error)
        raise system_error(error, doing=phase) from error


def _failure(code: int, endpoint: Endpoint) -> TransportError:
    # OSError chooses its subclass by the number, for example ConnectionRefusedError.
    with contextlib.suppress(ValueError):
        return system_error(OSError(code, describe(code)), address=show(endpoint))
    return system_error(OSError(code, f"the system reported error {code}"), address=show(endpoint))
