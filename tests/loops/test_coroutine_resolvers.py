"""Resolvers that are coroutine functions: in asyncio, uvloop and trio; blocking code refuses them."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from typing import TYPE_CHECKING, Any  # for wrong arguments, which the types forbid

import pytest
import trio

import mint
import mint.pool
import mint.pool.asyncio
import mint.pool.trio
from mint import errors
from mint.testing import Origin, showcase

from ..event_loops import no_socket_left
from .test_async_loops import EVENT_LOOPS, EventLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


@pytest.fixture(params=EVENT_LOOPS)
def loop(request: pytest.FixtureRequest) -> EventLoop:
    return EVENT_LOOPS[request.param]


async def pause() -> None:
    """Let the event loop run once."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        await trio.lowlevel.checkpoint()
    else:
        await asyncio.sleep(0)


async def forever() -> None:
    while True:
        await pause()


async def loopback(host: str, port: int) -> list[str]:
    assert (host, threading.current_thread()) == ("a.test", threading.main_thread())
    await pause()
    return ["127.0.0.1"]


class Object:
    async def __call__(self, host: str, port: int) -> list[str]:
        return await loopback(host, port)

    async def method(self, host: str, port: int) -> list[str]:
        return await loopback(host, port)


async def with_more(more: int, host: str, port: int) -> list[str]:
    assert more == 1
    return await loopback(host, port)


COROUTINES: dict[str, Callable[[str, int], Coroutine[Any, Any, list[str]]]] = {
    "function": loopback,
    "method": Object().method,
    "object": Object(),
    "partial": functools.partial(with_more, 1),
    "partial of a partial": functools.partial(functools.partial(with_more), 1),
    "partial of an object": functools.partial(Object()),
}


@pytest.mark.parametrize("name", COROUTINES)
def test_the_addresses_of_the_resolver_are_used(loop: EventLoop, name: str) -> None:
    async def main() -> None:
        with Origin(showcase) as origin:
            conn = await loop.connect("http", "a.test", origin.port, resolver=COROUTINES[name])
            conn.close()

    with no_socket_left():
        loop.run(main())


@pytest.mark.parametrize(
    ("raised", "becomes"),
    [
        (OSError(1, "no"), errors.TransportError),
        (TimeoutError(), errors.TransportError),
        (UnicodeError(), errors.NameNotResolved),
        (errors.NameNotResolved("a.test", "no"), errors.NameNotResolved),
        (LookupError("a defect"), LookupError),
        (StopAsyncIteration(), RuntimeError),
    ],
)
def test_an_exception_of_the_resolver_is_reported(
    loop: EventLoop, raised: Exception, becomes: type[Exception]
) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        await pause()
        raise raised

    async def main() -> None:
        with pytest.raises(becomes) as caught:
            await loop.connect("http", "a.test", 80, resolver=resolver)
        assert not isinstance(caught.value, errors.TransportTimeout) or isinstance(raised, TimeoutError)

    with no_socket_left():
        loop.run(main())


@pytest.mark.parametrize("answer", [None, 5, "localhost", ["localhost"], [None], [], {}, [b"127.0.0.1"]])
def test_wrong_results_of_the_resolver_end_connecting(loop: EventLoop, answer: Any) -> None:
    async def resolver(host: str, port: int) -> Any:
        return answer

    async def main() -> None:
        with pytest.raises((errors.NameNotResolved, TypeError)):
            await loop.connect("http", "a.test", 80, resolver=resolver)

    loop.run(main())


def test_the_connect_timeout_includes_the_resolver(loop: EventLoop) -> None:
    left: list[bool] = []

    async def resolver(host: str, port: int) -> list[str]:
        try:
            await forever()
        finally:
            left.append(True)
        return []

    async def main() -> None:
        tcp = mint.TCPOptions(connect_timeout=0.01)
        with pytest.raises(errors.TransportTimeout, match=r"resolving a\.test"):
            await loop.connect("http", "a.test", 80, resolver=resolver, tcp=tcp)

    loop.run(main())
    assert left == [True]


def test_the_resolver_is_cancelled_with_the_task_in_asyncio() -> None:
    left: list[bool] = []

    async def main() -> None:
        began = asyncio.Event()

        async def resolver(host: str, port: int) -> list[str]:
            began.set()
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                left.append(True)
            return []

        task = asyncio.create_task(mint.asyncio.connect("http", "a.test", 80, resolver=resolver))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for name in ("asyncio", "uvloop"):
        EVENT_LOOPS[name].run(main())
    assert left == [True, True]


def test_the_resolver_is_cancelled_with_the_task_in_trio() -> None:
    left: list[bool] = []

    async def main() -> None:
        async with trio.open_nursery() as nursery:

            async def resolver(host: str, port: int) -> list[str]:
                nursery.cancel_scope.cancel()
                try:
                    await trio.sleep_forever()
                finally:
                    left.append(True)
                return []

            await mint.trio.connect("http", "a.test", 80, resolver=resolver)

    trio.run(main)
    assert left == [True]


def test_a_function_that_returns_an_awaitable_is_refused(loop: EventLoop) -> None:
    made: list[Coroutine[Any, Any, list[str]]] = []

    def resolver(host: str, port: int) -> Any:
        made.append(loopback(host, port))
        return made[-1]

    async def main() -> None:
        with pytest.raises(TypeError, match="returned an awaitable"):
            await loop.connect("http", "a.test", 80, resolver=resolver)

    loop.run(main())
    assert all(inspect.getcoroutinestate(each) == inspect.CORO_CLOSED for each in made)


BLOCKING: dict[str, Callable[..., object]] = {
    "connect": lambda **named: mint.connect("http", "a.test", 80, **named),
    "http1": lambda **named: mint.http1.connect("http", "127.0.0.1", 80, **named),
    "http2": lambda **named: mint.http2.connect("http", "a.test", 80, **named),
    "pool": mint.pool.Pool,
}


@pytest.mark.parametrize("call", BLOCKING)
@pytest.mark.parametrize("name", COROUTINES)
def test_blocking_code_refuses_coroutine_resolvers_by_name(
    call: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mint._loops.dialer.open_socket", lambda *_: pytest.fail("dialled"))
    with pytest.raises(TypeError, match="resolver must be a function that returns addresses"):
        BLOCKING[call](resolver=COROUTINES[name])


@pytest.mark.parametrize("name", EVENT_LOOPS)
def test_pools_accept_coroutine_resolvers(name: str) -> None:
    made: Any = mint.pool.trio.Pool if name == "trio" else mint.pool.asyncio.Pool

    async def main() -> None:
        with Origin(showcase) as origin:
            async with made(resolver=loopback) as pool:
                answer = await pool.request("GET", f"http://a.test:{origin.port}/")
                assert answer.status == 200

    work: Callable[[Coroutine[object, object, None]], object] = EVENT_LOOPS[name].run
    work(main())
