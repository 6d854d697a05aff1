"""The blocking world's driver of the connecting procedure: sockets, `poll`, one absolute deadline.

Name resolution blocks and cannot be given up, so it runs in a daemon thread that is left behind when
the time is up.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import queue
import select
import socket as sockets
import threading
from time import monotonic
from typing import TYPE_CHECKING

from .connecting import (
    Abandon,
    Answer,
    Arrived,
    Attempt,
    Decided,
    Dial,
    Dialled,
    Endpoint,
    Established,
    IOStep,
    Limit,
    Plan,
    Procedure,
    Ready,
    Receive,
    Resolve,
    Resolved,
    Send,
    Wait,
    as_endpoints,
)
from .errors import MintError, NameNotResolved, TransportError, TransportTimeout
from .errors.transport import system_error
from .transport.tcp import SocketLink
from .tunnelling import establish

if TYPE_CHECKING:
    from .options import TCPOptions
    from .types import Resolver

FAMILIES = {"inet4": sockets.AF_INET, "inet6": sockets.AF_INET6, "unix": sockets.AF_UNIX}
_NAMES = {sockets.AF_INET: "inet4", sockets.AF_INET6: "inet6"}


def look_up(host: str, port: int) -> tuple[Endpoint, ...]:
    """Ask the system's resolver."""
    found = sockets.getaddrinfo(host, port, type=sockets.SOCK_STREAM)
    endpoints: list[Endpoint] = []
    for family, _, _, _, address in found:
        name = _NAMES.get(sockets.AddressFamily(family))
        if name == "inet4":
            endpoints.append(Endpoint(name, (str(address[0]), port)))
        elif name == "inet6":
            scope = int(address[3]) if len(address) > 3 else 0
            endpoints.append(Endpoint(name, (str(address[0]), port, 0, scope)))
    return tuple(dict.fromkeys(endpoints))


class SocketAttempt(Attempt):
    """An attempt that is a socket."""

    __slots__ = ("endpoint", "socket")

    def __init__(self, socket: sockets.socket, endpoint: Endpoint) -> None:
        self.socket = socket
        self.endpoint = endpoint


def open_socket(endpoint: Endpoint, tcp: TCPOptions) -> sockets.socket:
    """Make a non-blocking socket with the options set."""
    socket = sockets.socket(FAMILIES[endpoint.family], sockets.SOCK_STREAM)
    try:
        set_options(socket, tcp)
        if endpoint.family != "unix" and tcp.local_address is not None:
            socket.bind(tcp.local_address)
    except BaseException:
        socket.close()
        raise
    return socket


def set_options(socket: sockets.socket, tcp: TCPOptions) -> None:
    """Set what the options say, on a socket of any family."""
    socket.setblocking(False)
    if tcp.send_buffer is not None:
        socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, tcp.send_buffer)
    if tcp.receive_buffer is not None:
        socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, tcp.receive_buffer)
    if socket.family != sockets.AF_UNIX:
        socket.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, tcp.nodelay)
        socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_KEEPALIVE, tcp.keepalive)


def given_socket(socket: sockets.socket, tcp: TCPOptions) -> SocketAttempt:
    """Take over a socket that the caller connected; `ValueError` where it is none."""
    if socket.type != sockets.SOCK_STREAM:
        raise ValueError("socket wants a stream socket")
    if tcp.local_address is not None:
        raise ValueError("local_address has no effect on a socket that is connected already")
    try:
        peer = socket.getpeername()
        set_options(socket, tcp)
    except OSError as error:
        raise ValueError(f"socket wants a connected socket: {error.strerror}") from error
    return SocketAttempt(socket, Endpoint(_NAMES.get(socket.family, "unix"), peer))


def open_link(
    plan: Plan, resolver: Resolver | None = None, socket: sockets.socket | None = None
) -> tuple[SocketLink, Established]:
    """Connect by the plan; return the link, and what connecting found out.

    A `socket` is connected already: to the server, or to the proxy of the plan. It is closed on
    every failure.
    """
    given = None if socket is None else given_socket(socket, plan.tcp)
    established = Driver(plan.tcp, resolver, given).run(establish(plan, given))
    made = _socket(established.attempt).socket
    try:
        link = SocketLink(made, plan.tcp, established.layers)
        link.begin(established.arrived, secure=plan.tls is not None)
    except BaseException:
        made.close()
        raise
    return link, established


class Driver:
    """Answers the steps of one procedure with blocking calls that end at the deadline."""

    def __init__(
        self, tcp: TCPOptions, resolver: Resolver | None = None, given: SocketAttempt | None = None
    ) -> None:
        self._tcp = tcp
        self._resolver = resolver
        timeout = tcp.connect_timeout
        self._deadline = None if timeout is None else monotonic() + timeout
        self._until = self._deadline
        self._open: set[SocketAttempt] = set() if given is None else {given}

    def run(self, procedure: Procedure) -> Established:
        """Drive the procedure; every socket but the winner's is closed, on every path."""
        keep: Attempt | None = None
        try:
            step = next(procedure)
            while True:
                try:
                    answer = self._answer(step)
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
            for attempt in self._open:
                if attempt is not keep:
                    attempt.socket.close()

    def _answer(self, step: IOStep) -> Answer:  # noqa: PLR0911  # one for each step
        match step:
            case Resolve(host, port):
                return Resolved(self._resolve(host, port))
            case Dial(endpoint):
                return self._dial(endpoint)
            case Wait(attempts, seconds):
                return self._wait(attempts, seconds)
            case Abandon(attempt):
                made = _socket(attempt)
                self._open.discard(made)
                made.socket.close()
                return Ready()
            case Send(attempt, octets):
                self._send(_socket(attempt).socket, octets)
                return Ready()
            case Receive(attempt):
                return Arrived(self._receive(_socket(attempt).socket))
            case Limit(seconds):
                self._limit(seconds)
                return Ready()

    def _limit(self, seconds: float | None) -> None:
        self._until = self._deadline
        if seconds is not None:
            limit = monotonic() + seconds
            self._until = limit if self._deadline is None else min(limit, self._deadline)

    def _left(self, phase: str) -> float | None:
        if self._until is None:
            return None
        left = self._until - monotonic()
        if left <= 0:
            raise TransportTimeout(phase)
        return left

    def _resolve(self, host: str, port: int) -> tuple[Endpoint, ...]:
        answers: queue.SimpleQueue[tuple[Endpoint, ...] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                # A zone is for the system alone to understand.
                if self._resolver is None or "%" in host:
                    answers.put(look_up(host, port))
                else:
                    answers.put(as_endpoints(self._resolver, host, port))
            except Exception as error:  # noqa: BLE001  # handed over to the asking thread
                answers.put(error)

        phase = f"resolving {host}"
        left = self._left(phase)
        threading.Thread(target=ask, name="mint-resolver", daemon=True).start()
        try:
            answer = answers.get(timeout=left)
        except queue.Empty:
            raise TransportTimeout(phase) from None
        if isinstance(answer, UnicodeError):
            raise NameNotResolved(host, "it is no valid host name") from answer
        if isinstance(answer, OSError):
            raise system_error(answer, doing=phase, address=host) from answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _dial(self, endpoint: Endpoint) -> Dialled:
        self._left("connecting")
        try:
            attempt = SocketAttempt(open_socket(endpoint, self._tcp), endpoint)
        except OSError as error:
            return Dialled(Attempt(), system_error(error, address=_show(endpoint)))
        self._open.add(attempt)
        try:
            code = attempt.socket.connect_ex(endpoint.address)
        except (OSError, OverflowError, ValueError) as error:
            failed = error if isinstance(error, OSError) else OSError(errno.EINVAL, str(error))
            return Dialled(attempt, system_error(failed, address=_show(endpoint)))
        if code in {0, errno.EINPROGRESS, errno.EWOULDBLOCK}:
            return Dialled(attempt)
        return Dialled(attempt, _failure(code, endpoint))

    def _wait(self, attempts: tuple[Attempt, ...], seconds: float | None) -> Decided:
        left = self._left("connecting")
        timeout = left if seconds is None else seconds if left is None else min(left, seconds)
        poll = select.poll()
        numbers: dict[int, SocketAttempt] = {}
        for attempt in attempts:
            made = _socket(attempt)
            numbers[made.socket.fileno()] = made
            poll.register(made.socket, select.POLLOUT)
        ready = poll.poll(None if timeout is None else math.ceil(timeout * 1000))
        if not ready:
            self._left("connecting")
            return Decided(None)
        decided = numbers[ready[0][0]]
        code = decided.socket.getsockopt(sockets.SOL_SOCKET, sockets.SO_ERROR)
        return Decided(decided, _failure(code, decided.endpoint) if code else None)

    def _ready(self, socket: sockets.socket, events: int, phase: str) -> None:
        poll = select.poll()
        poll.register(socket, events)
        left = self._left(phase)
        if not poll.poll(None if left is None else math.ceil(left * 1000)):
            raise TransportTimeout(phase)

    def _send(self, socket: sockets.socket, octets: bytes) -> None:
        rest = memoryview(octets)
        while rest:
            try:
                rest = rest[socket.send(rest) :]
            except BlockingIOError:
                self._ready(socket, select.POLLOUT, "connecting: sending")
            except OSError as error:
                raise system_error(error, doing="connecting: sending") from error

    def _receive(self, socket: sockets.socket) -> bytes:
        while True:
            self._ready(socket, select.POLLIN, "connecting: waiting for the server")
            try:
                return socket.recv(self._tcp.receive_size)
            except BlockingIOError:
                continue
            except OSError as error:
                raise system_error(error, doing="connecting: receiving") from error


def _socket(attempt: Attempt) -> SocketAttempt:
    if not isinstance(attempt, SocketAttempt):
        raise TypeError("an attempt of another world")
    return attempt


def _show(endpoint: Endpoint) -> str:
    address = endpoint.address
    if isinstance(address, str):
        return address
    host = f"[{address[0]}]" if endpoint.family == "inet6" else address[0]
    return f"{host}:{address[1]}"


def _failure(code: int, endpoint: Endpoint) -> TransportError:
    # OSError picks its subclass by number: ConnectionRefusedError and the like.
    with contextlib.suppress(ValueError):
        return system_error(OSError(code, os.strerror(code)), address=_show(endpoint))
    return system_error(OSError(code, f"error {code}"), address=_show(endpoint))
