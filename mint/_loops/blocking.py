"""The driver of the connecting procedure for blocking code: sockets, `poll`, one absolute deadline.

Name resolution blocks and cannot be cancelled, so it runs in a daemon thread, which is abandoned when the
time is up.
"""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

from .._connect.race import (
    Abandon,
    Answer,
    Arrived,
    Attempt,
    Decided,
    Dial,
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
)
from .._connect.tunnel import establish
from ..errors import MintError, TransportTimeout
from ..errors.transport import system_error
from .dialer import (
    RACING,
    RECEIVING,
    SENDING,
    Dialler,
    SocketAttempt,
    blocking_resolver,
    decide,
    given_socket,
    resolving,
    socket_of,
)
from .system import CONNECTED, POLLIN, POLLOUT, make_poll, milliseconds, pass_on
from .tcp import SocketLink

if TYPE_CHECKING:
    import socket as sockets

    from ..options import TCPOptions
    from ..types import Resolver
    from .dialer import Found


def open_link(
    plan: Plan, resolver: Resolver | None = None, socket: sockets.socket | None = None
) -> tuple[SocketLink, Established]:
    """Run the connecting procedure; return the link and the result.

    A given `socket` is already connected, to the server or to the proxy of the plan. It is closed on every
    failure.
    """
    given = given_socket(socket, plan.tcp)
    established = Driver(plan.tcp, resolver, given).run(establish(plan, given))
    made = socket_of(established.attempt)
    try:
        link = SocketLink(made, plan.tcp, established.layers)
        link.begin(established.arrived, secure=plan.tls is not None)
    except BaseException:
        made.close()
        raise
    return link, established


class Driver(Dialler):
    """Performs the steps of one procedure with blocking calls that end at the deadline."""

    def __init__(
        self, tcp: TCPOptions, resolver: Resolver | None = None, given: SocketAttempt | None = None
    ) -> None:
        super().__init__(tcp, blocking_resolver(resolver), given)

    def run(self, procedure: Procedure) -> Established:
        """Run the procedure; every socket except the result's is closed, on every path."""
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
            self.clear(keep=keep)

    def _answer(self, step: IOStep) -> Answer:  # noqa: PLR0911  # one for each step
        match step:
            case Resolve(host, port):
                return self.local(host, port) or self._resolve(host, port)
            case Dial(endpoint):
                return self.dial(endpoint)
            case Wait(attempts, seconds):
                return self._wait(attempts, seconds)
            case Abandon(attempt):
                return self.abandon(attempt)
            case Send(attempt, octets):
                self._send(socket_of(attempt), octets)
                return Ready()
            case Receive(attempt):
                return Arrived(self._receive(socket_of(attempt)))
            case Limit(seconds):
                return self.limit(seconds)

    def _resolve(self, host: str, port: int) -> Resolved:
        answers: queue.SimpleQueue[Found] = queue.SimpleQueue()
        left = milliseconds(self.left(resolving(host)))
        self.ask(host, port, answers.put)
        try:
            answer = answers.get(timeout=None if left is None else left / 1000)
        except queue.Empty:
            raise TransportTimeout(resolving(host)) from None
        return self.resolved(host, answer)

    def _wait(self, attempts: tuple[Attempt, ...], seconds: float | None) -> Decided:
        most, is_last = self.patience(seconds)
        poll = make_poll()
        numbers: dict[int, Attempt] = {}
        for attempt in attempts:
            numbers[socket_of(attempt).fileno()] = attempt
            poll.register(socket_of(attempt), CONNECTED)
        ready = poll.poll(milliseconds(most))
        if not ready:
            if is_last:
                raise TransportTimeout(RACING)
            return Decided(None)
        return decide(numbers[ready[0][0]])

    def _ready(self, socket: sockets.socket, events: int, phase: str) -> None:
        poll = make_poll()
        poll.register(socket, events)
        if not poll.poll(milliseconds(self.left(phase))):
            raise TransportTimeout(phase)

    def _send(self, socket: sockets.socket, octets: bytes) -> None:
        rest = memoryview(octets)
        while rest:
            try:
                rest = rest[socket.send(rest) :]
            except BlockingIOError:
                self._ready(socket, POLLOUT, SENDING)
            except OSError as error:
                pass_on(error)
                raise system_error(error, doing=SENDING) from error

    def _receive(self, socket: sockets.socket) -> bytes:
        while True:
            self._ready(socket, POLLIN, RECEIVING)
            try:
                return socket.recv(self.tcp.receive_size)
            except BlockingIOError:
                continue
            except OSError as error:
                pass_on(error)
                raise system_error(error, doing=RECEIVING) from error
