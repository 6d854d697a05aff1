"""Trio: an interrupt reaches the caller as itself, although mint waits in nurseries of its own."""

from __future__ import annotations

import selectors
import signal
import threading
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

import mint
import mint.exchange.trio
import mint.pool.trio
import mint.trio
from mint._loops.trio_nursery import OneError
from mint.testing import Forever, RefusingServer, ScriptedServer

from ..event_loops import no_socket_left, run_trio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LARGE = bytes(32_000_000)
"""More than the buffers of the system hold."""


async def interrupt() -> None:
    """Interrupt the main task once every task waits; a task of the system is never interrupted itself."""
    await trio.testing.wait_all_tasks_blocked()
    signal.raise_signal(signal.SIGINT)


async def connect(server: ScriptedServer) -> mint.Connection:
    return await mint.trio.connect("http", server.address, server.port, protocols=["http1"])


async def flush(server: ScriptedServer) -> None:
    with await connect(server) as conn:
        conn, ref = conn.request("POST", "/", body=mint.STREAM)
        conn = conn.stream_request_body(ref, LARGE)
        trio.lowlevel.spawn_system_task(interrupt)
        await mint.trio.flush(conn)


async def exchange(server: ScriptedServer) -> None:
    conn = await connect(server)
    trio.lowlevel.spawn_system_task(interrupt)
    await mint.exchange.trio.exchange(conn, "POST", "/", body=LARGE)


async def pool(server: ScriptedServer) -> None:
    async with mint.pool.trio.Pool() as made:
        trio.lowlevel.spawn_system_task(interrupt)
        await made.request("POST", f"http://{server.address}:{server.port}/", body=LARGE)


async def mailbox(server: ScriptedServer) -> None:
    with mint.trio.Mailbox() as made, await connect(server) as conn:
        conn = conn.set_mode("active", made)
        trio.lowlevel.spawn_system_task(interrupt)
        await made.receive()


async def mailbox_without_descriptor(server: ScriptedServer) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selectors, "DefaultSelector", selectors.SelectSelector)
        await mailbox(server)


in_main_thread = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals reach only the main thread"
)


@in_main_thread
@pytest.mark.parametrize("work", [flush, exchange, pool, mailbox, mailbox_without_descriptor])
def test_an_interrupt_while_mint_waits(work: Callable[[ScriptedServer], Awaitable[None]]) -> None:
    with no_socket_left(), ScriptedServer([Forever()]) as server, pytest.raises(KeyboardInterrupt):
        run_trio(work, server)


@in_main_thread
def test_an_interrupt_while_connecting() -> None:
    async def main(server: RefusingServer) -> None:
        trio.lowlevel.spawn_system_task(interrupt)
        await mint.trio.connect("http", server.address, server.port)

    with no_socket_left(), RefusingServer(silent=True) as server, pytest.raises(KeyboardInterrupt):
        run_trio(main, server)


def test_which_exception_of_a_group_is_raised() -> None:
    async def main() -> None:
        interrupted, failed, other = KeyboardInterrupt(), MemoryError(), ValueError()
        context = failed.__context__ = ValueError("before")
        with trio.CancelScope() as scope:
            scope.cancel()
            cancelled: BaseException | None = None
            try:
                await trio.lowlevel.checkpoint()
            except trio.Cancelled as error:
                cancelled = error
                raise
            finally:
                assert cancelled is not None
                for errors, expected in (
                    ([failed], failed),
                    ([cancelled, failed], failed),
                    ([failed, interrupted, cancelled], interrupted),
                    ([cancelled, cancelled], cancelled),
                ):
                    with pytest.raises(type(expected)) as caught, OneError():
                        raise BaseExceptionGroup("of a nursery", errors)
                    assert caught.value is expected
        assert failed.__context__ is context
        with pytest.raises(ExceptionGroup) as several, OneError():
            raise ExceptionGroup("of a nursery", [failed, other])
        assert several.value.exceptions == (failed, other)

    run_trio(main)
