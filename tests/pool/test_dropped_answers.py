"""An answer that is dropped without being closed gives its place on the connection to the next request."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from typing import TYPE_CHECKING

import pytest
import trio

import mint
from mint.pool import PoolOptions

from ..examples.serving import PROTOCOLS, Protocol, serving
from .pools import LOOPS, Client, LoopName, play
from .test_pool import url

if TYPE_CHECKING:
    from collections.abc import Callable

ONE = PoolOptions(max_per_origin=1, max_streams=1)


def drop(held: list[object]) -> None:
    """Empty the list, which holds the last reference to the answer."""
    held.clear()
    gc.collect()


def drop_in_a_thread(held: list[object]) -> None:
    thread = threading.Thread(target=drop, args=(held,))
    thread.start()
    thread.join()


async def someone_waits(client: Client) -> None:
    while not client.pool.statistics.waiting:
        if client.name == "blocking":
            threading.Event().wait(0.001)
        elif client.name == "trio":
            await trio.sleep(0.001)
        else:
            await asyncio.sleep(0.001)


async def open_answer(client: Client, address: str) -> list[object]:
    """Return an answer that does not end, because its request does not end."""
    return [await client.pool.stream("POST", address, body=mint.STREAM)]


@pytest.mark.parametrize("dropping", [drop, drop_in_a_thread])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_the_next_request_gets_the_place(
    loop: LoopName, protocol: Protocol, dropping: Callable[[list[object]], None]
) -> None:
    with serving(protocol) as origin:

        async def scenario(client: Client) -> None:
            held = await open_answer(client, url(origin, "/echo"))
            with pytest.warns(ResourceWarning, match="unclosed answer of a pool") as warned:
                dropping(held)
            # It says where: by default, Python shows a warning only once for each place.
            assert [each.filename for each in warned] == [__file__]
            answer = await client.pool.request("GET", url(origin, "/bytes/10"))
            assert len(answer.content) == 10
            assert client.pool.statistics.active == 0

        play(loop, scenario, options=ONE)
        assert len(origin.peers) == (1 if protocol == "http2" else 2)


@pytest.mark.parametrize("dropping", [drop, drop_in_a_thread])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_requests_that_wait_already_get_the_place(
    loop: LoopName, protocol: Protocol, dropping: Callable[[list[object]], None]
) -> None:
    with serving(protocol) as origin:

        async def scenario(client: Client) -> None:
            held = await open_answer(client, url(origin, "/echo"))

            async def wait() -> int:
                return len((await client.pool.request("GET", url(origin, "/bytes/10"))).content)

            async def let_go() -> int:
                await someone_waits(client)
                dropping(held)
                return 0

            with pytest.warns(ResourceWarning, match="unclosed"):
                assert await client.together(wait, wait, let_go) == [10, 10, 0]

        play(loop, scenario, options=ONE)


@pytest.mark.parametrize("loop", LOOPS)
def test_many_answers_dropped_while_the_pool_settles(loop: LoopName) -> None:
    with serving() as origin:

        async def scenario(client: Client) -> None:
            held: list[object] = []
            for _ in range(100):
                held += await open_answer(client, url(origin, "/echo"))
            assert client.pool.statistics.active == 100
            state = client.pool._state
            state._settles = True  # a finalizer may run in the middle of `settle`
            with state.lock, pytest.warns(ResourceWarning):
                drop(held)
            assert client.pool.statistics.active == 100
            state._settles = False
            await client.pool.request("GET", url(origin, "/bytes/10"))
            assert client.pool.statistics.active == 0

        play(loop, scenario, options=PoolOptions(max_per_origin=100))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_answers_that_hold_no_place_are_dropped_silently(loop: LoopName, protocol: Protocol) -> None:
    with serving(protocol) as origin:

        async def scenario(client: Client) -> None:
            read = await client.pool.stream("GET", url(origin, "/bytes/10"))
            await read.read()
            closed = await client.pool.stream("POST", url(origin, "/echo"), body=mint.STREAM)
            closed.close()
            outlived = await client.pool.stream("POST", url(origin, "/echo"), body=mint.STREAM)
            client.pool.close()
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                del read, closed, outlived
                gc.collect()

        play(loop, scenario)


@pytest.mark.parametrize("loop", LOOPS)
def test_an_answer_that_outlives_its_event_loop(loop: LoopName) -> None:
    with serving() as origin:

        async def scenario(client: Client) -> Client:
            await client.pool.request("GET", url(origin, "/bytes/10"))
            return client

        state = play(loop, scenario).pool._state
        state._loop.settle_soon(state)  # nothing is left to settle, and nothing fails
