"""A timer may fire slightly early: a wait for all the remaining time ends with the timeout nevertheless."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import trio

import mint
from mint._connect.race import Decided
from mint._loops import asyncio_connecting, blocking, dialer, trio_connecting
from mint.testing.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 0.001


def threads(tcp: mint.TCPOptions, seconds: float | None) -> Decided:
    return blocking.Driver(tcp, None, None)._wait((), seconds)


def in_asyncio(tcp: mint.TCPOptions, seconds: float | None) -> Decided:
    async def main() -> Decided:
        return await asyncio_connecting.Driver(tcp, None, None)._wait((), seconds)

    return asyncio.run(main())


def in_trio(tcp: mint.TCPOptions, seconds: float | None) -> Decided:
    async def main() -> Decided:
        return await trio_connecting.Driver(tcp, None, None)._wait((), seconds)

    return trio.run(main)


@pytest.mark.parametrize("wait", [threads, in_asyncio, in_trio])
@pytest.mark.parametrize(("seconds", "limit"), [(None, LIMIT), (LIMIT, LIMIT), (5.0, LIMIT), (LIMIT, 5.0)])
def test_a_wait_for_all_the_time_ends_with_the_timeout(
    wait: Callable[[mint.TCPOptions, float | None], Decided], seconds: float | None, limit: float
) -> None:
    """The clock stands still, so it never shows that the time is up."""
    tcp = mint.TCPOptions(connect_timeout=limit)
    with FakeClock().installed(dialer):
        if limit == LIMIT:
            with pytest.raises(mint.errors.TransportTimeout):
                wait(tcp, seconds)
        else:
            assert wait(tcp, seconds) == Decided(None)
