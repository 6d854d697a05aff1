"""Run one test of exchanges with blocking calls and in every event loop."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias  # arguments of others are passed through

import trio
import uvloop

import mint
import mint.asyncio
import mint.exchange.asyncio
import mint.exchange.trio
import mint.trio

from ..event_loops import Loop, run_trio
from ..tls import trusting

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from mint.exchange import Answer

LoopName: TypeAlias = Literal["blocking", "asyncio", "uvloop", "trio"]
LOOPS: tuple[LoopName, ...] = ("blocking", "asyncio", "uvloop", "trio")
TLS = trusting()


class Client:
    """Makes exchanges in one event loop, for tests that are the same in all of them."""

    def __init__(self, loop: LoopName, port: int, **options: Any) -> None:  # options of connect()
        self.loop = loop
        scheme = options.pop("scheme", "https")
        self._where = (scheme, "localhost" if scheme == "https" else "127.0.0.1", port)
        self._options = {"tls": TLS, **options}

    def run(self, *calls: tuple[tuple[Any, ...], dict[str, Any]]) -> list[Answer | mint.MintError]:
        """Make exchanges one after the other on one connection; return answers and errors."""
        if self.loop == "blocking":
            return self._blocking(calls)
        if self.loop == "trio":
            return run_trio(partial(self._asynchronous, mint.trio, mint.exchange.trio), calls)
        make = uvloop.new_event_loop if self.loop == "uvloop" else asyncio.new_event_loop
        work: Coroutine[Any, Any, list[Answer | mint.MintError]] = self._asynchronous(
            mint.asyncio, mint.exchange.asyncio, calls
        )
        return Loop(make)(work)

    def _blocking(self, calls: tuple[tuple[tuple[Any, ...], dict[str, Any]], ...]) -> list[Any]:
        found: list[Any] = []
        with mint.connect(*self._where, **self._options) as conn:
            for given, named in calls:
                try:
                    conn, answer = mint.exchange.exchange(conn, *given, **named)
                    found.append(answer)
                except mint.MintError as error:
                    conn = conn.after(error)
                    found.append(error)
        return found

    async def _asynchronous(
        self, module: Any, exchanges: Any, calls: tuple[tuple[tuple[Any, ...], dict[str, Any]], ...]
    ) -> list[Any]:
        found: list[Any] = []
        with await module.connect(*self._where, **self._options) as conn:
            for given, named in calls:
                try:
                    conn, answer = await exchanges.exchange(conn, *given, **named)
                    found.append(answer)
                except mint.MintError as error:
                    conn = conn.after(error)
                    found.append(error)
                assert conn.mode == "passive"
        if module is mint.asyncio:
            await asyncio.sleep(0)
        else:
            await trio.lowlevel.checkpoint()
        return found


def call(*given: Any, **named: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of one exchange, except the connection."""
    return given, named
