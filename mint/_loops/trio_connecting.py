"""Trio: the driver of the connecting procedure, and time limits."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import trio

from .._connect.tunnel import establish
from ..errors import TransportTimeout
from .dialer import RACING, RECEIVING, SENDING, AsyncDriver, given_socket, resolving, socket_of
from .trio_link import TrioLink
from .trio_nursery import OneError

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Coroutine, Generator

    from .._connect.race import Attempt, Established, Plan
    from ..types import AsyncResolver, Resolver
    from .dialer import Found


async def open_link(
    plan: Plan, resolver: Resolver | AsyncResolver | None, socket: sockets.socket | None
) -> tuple[TrioLink, Established]:
    """Run the connecting procedure; return the link and the result."""
    given = given_socket(socket, plan.tcp)
    established = await Driver(plan.tcp, resolver, given).run(establish(plan, given))
    made = socket_of(established.attempt)
    try:
        link = TrioLink(made, plan.tcp, established.layers)
        link.begin(established.arrived, secure=plan.tls is not None)
    except BaseException:
        made.close()
        raise
    return link, established


class Driver(AsyncDriver):
    """Performs the steps of one procedure with trio."""

    async def _look_up(self, host: str, port: int, left: float | None) -> Found:
        token = trio.lowlevel.current_trio_token()
        answers: list[Found] = []
        answered = trio.Event()

        def answer(found: Found) -> None:
            answers.append(found)
            # trio may have ended by the time the system answers.
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(answered.set)

        self.ask(host, port, answer)
        with limited(left, resolving(host)):
            await answered.wait()
        return answers[0]

    async def _await_answer(
        self, answer: Coroutine[object, object, Found], left: float | None, phase: str
    ) -> Found:
        with limited(left, phase):
            return await answer

    async def _first(self, attempts: tuple[Attempt, ...], left: float | None) -> Attempt | None:
        decided: list[Attempt] = []

        async def wait(attempt: Attempt) -> None:
            await trio.lowlevel.wait_writable(socket_of(attempt))
            decided.append(attempt)
            nursery.cancel_scope.cancel()

        with contextlib.suppress(TransportTimeout), limited(left, RACING), OneError():
            async with trio.open_nursery() as nursery:
                for attempt in attempts:
                    nursery.start_soon(wait, attempt)
        return decided[0] if decided else None

    async def _send(self, socket: sockets.socket, octets: bytes, left: float | None) -> None:
        rest = memoryview(octets)
        with limited(left, SENDING):
            while rest:
                await trio.lowlevel.wait_writable(socket)
                with contextlib.suppress(BlockingIOError):
                    rest = rest[socket.send(rest) :]

    async def _receive(self, socket: sockets.socket, left: float | None) -> bytes:
        with limited(left, RECEIVING):
            while True:
                await trio.lowlevel.wait_readable(socket)
                with contextlib.suppress(BlockingIOError):
                    return socket.recv(self.tcp.receive_size)


@contextlib.contextmanager
def limited(left: float | None, phase: str) -> Generator[None]:
    """Raise `TransportTimeout` if the block takes longer than some seconds."""
    with trio.move_on_after(float("inf") if left is None else left) as scope:
        yield
    if scope.cancelled_caught:
        raise TransportTimeout(phase)
