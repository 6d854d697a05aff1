"""Asyncio: the driver of the connecting procedure, and time limits."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from typing import TYPE_CHECKING, TypeVar

from .._connect.tunnel import establish
from ..errors import TransportTimeout
from .asyncio_link import AsyncioLink
from .asyncio_poller import kept, poller
from .dialer import RACING, RECEIVING, SENDING, AsyncDriver, given_socket, resolving, socket_of

if TYPE_CHECKING:
    import socket as sockets
    from collections.abc import Awaitable, Coroutine

    from .._connect.race import Attempt, Established, Plan
    from ..types import AsyncResolver, Resolver
    from .asyncio_poller import Poller
    from .dialer import Found

_T = TypeVar("_T")


async def open_link(
    plan: Plan, resolver: Resolver | AsyncResolver | None, socket: sockets.socket | None
) -> tuple[AsyncioLink, Established]:
    """Run the connecting procedure; return the link and the result."""
    given = given_socket(socket, plan.tcp)
    driver = Driver(plan.tcp, resolver, given)
    try:
        with kept(asyncio.get_running_loop()):
            established = await driver.run(establish(plan, given))
            link = AsyncioLink(socket_of(established.attempt), plan.tcp, established.layers)
            link.begin(established.arrived, secure=plan.tls is not None)
    except BaseException:
        driver.clear(keep=None)
        raise
    return link, established


class Driver(AsyncDriver):
    """Performs the steps of one procedure with the socket functions of the event loop."""

    async def _look_up(self, host: str, port: int, left: float | None) -> Found:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Found] = loop.create_future()

        def arrive(answer: Found) -> None:
            if not future.done():
                future.set_result(answer)

        def answer(found: Found) -> None:
            # The loop may be closed by the time the system answers.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(arrive, found)

        self.ask(host, port, answer)
        return await within(future, left, resolving(host))

    async def _await_answer(
        self, answer: Coroutine[object, object, Found], left: float | None, phase: str
    ) -> Found:
        return await within(answer, left, phase)

    async def _first(self, attempts: tuple[Attempt, ...], left: float | None) -> Attempt | None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Attempt] = loop.create_future()

        def decide(attempt: Attempt) -> None:
            if not future.done():
                future.set_result(attempt)

        reports = poller(loop)
        try:
            for attempt in attempts:
                reports.add_writer(socket_of(attempt).fileno(), functools.partial(decide, attempt))
            return await within(future, left, RACING)
        except TransportTimeout:
            return None
        finally:
            try:
                _ignore(reports, attempts)
            except BaseException:
                # A signal handler raised it. Remove all of them, because the next socket may get the same
                # descriptor number.
                _ignore(reports, attempts)
                raise

    async def _send(self, socket: sockets.socket, octets: bytes, left: float | None) -> None:
        await within(asyncio.get_running_loop().sock_sendall(socket, octets), left, SENDING)

    async def _receive(self, socket: sockets.socket, left: float | None) -> bytes:
        return await within(
            asyncio.get_running_loop().sock_recv(socket, self.tcp.receive_size), left, RECEIVING
        )


def _ignore(reports: Poller, attempts: tuple[Attempt, ...]) -> None:
    for attempt in attempts:
        reports.remove_writer(socket_of(attempt).fileno())


async def within(work: Awaitable[_T], left: float | None, phase: str) -> _T:
    """Await something; raise `TransportTimeout` if it takes longer than some seconds."""
    limit = asyncio.timeout(left)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise  # of a signal handler
        raise TransportTimeout(phase) from None
