from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait

import process
import process_asyncio
import pytest

import mint
from mint.errors import PoolClosed
from mint.testing import Request, Reset, Response, ScriptedServer, Send, request

from .serving import PROTOCOLS, TLS, Protocol, serving

COUNT = 300  # more than either protocol allows at once
PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_many_threads_use_one_process(protocol: Protocol) -> None:
    with (
        serving(protocol) as origin,
        process.Process("https", "localhost", origin.port, TLS) as one,
        ThreadPoolExecutor(8) as pool,
    ):
        futures = list(pool.map(lambda size: one.request("GET", f"/bytes/{size}"), range(COUNT)))
        assert [len(each.result(20).content) for each in futures] == list(range(COUNT))
        assert len(one.request("POST", "/echo", (), bytes(2_000_000)).result(20).content) == 2_000_000
        assert len(origin.peers) == 1


def test_an_invalid_request_does_not_affect_others() -> None:
    with serving() as origin, process.Process("https", "localhost", origin.port, TLS) as one:
        wrong = one.request("GET", "no path")
        right = one.request("GET", "/")
        with pytest.raises(mint.HTTPError):
            wrong.result(10)
        assert right.result(10).status == 200


def test_after_the_server_was_restarted() -> None:
    with (
        ScriptedServer([request(), Reset()], [request(), Send(PAGE)]) as server,
        process.Process("http", server.address, server.port) as one,
    ):
        with pytest.raises(mint.TransportError) as caught:
            one.request("GET", "/").result(10)
        assert caught.value.processed is mint.Processed.MAYBE
        assert one.request("GET", "/").result(10).content == b"hello"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_cancelled_futures_do_not_affect_others(protocol: Protocol) -> None:
    with serving(protocol) as origin, process.Process("https", "localhost", origin.port, TLS) as one:
        futures = [one.request("GET", f"/bytes/{size}") for size in range(COUNT)]
        cancelled = [each.cancel() for each in futures[::2]]
        assert any(cancelled)
        for size, each in enumerate(futures):
            if not each.cancelled():
                assert len(each.result(20).content) == size


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_future_completes_while_the_process_ends(protocol: Protocol) -> None:
    entered, over = threading.Event(), threading.Event()

    def hanging(given: Request) -> Response:
        if given.target == "/hang":
            entered.set()
            over.wait(20)
        return Response(200)

    futures: list[Future[mint.exchange.Answer]] = []
    with serving(protocol, hanging) as origin, ThreadPoolExecutor(4) as pool:
        one = process.Process("https", "localhost", origin.port, TLS)
        futures.append(one.request("GET", "/hang"))
        assert entered.wait(10)

        def ask() -> None:
            futures.extend(one.request("GET", "/") for _ in range(500))

        asking = [pool.submit(ask) for _ in range(4)]
        one.close()
        over.set()
        wait(asking, 20)
        late = one.request("GET", "/")
        assert isinstance(late.exception(), PoolClosed)
        done, left = wait(futures, 20)
        assert not left
        assert len(done) == 2001
        errors = [each.exception() for each in done]
        assert {type(error) for error in errors} <= {PoolClosed, type(None)}
        assert {error.processed for error in errors if isinstance(error, PoolClosed)} <= set(mint.Processed)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_many_tasks_use_one_process(protocol: Protocol) -> None:
    async def main(port: int) -> list[int]:
        async with process_asyncio.Process("https", "localhost", port, TLS) as one:
            answers = await asyncio.gather(*(one.request("GET", f"/bytes/{size}") for size in range(COUNT)))
            return [len(each.content) for each in answers]

    with serving(protocol) as origin:
        assert asyncio.run(main(origin.port)) == list(range(COUNT))
        assert len(origin.peers) == 1


@pytest.mark.parametrize("steps", range(12))
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_cancelled_caller_does_not_affect_others(protocol: Protocol, steps: int) -> None:
    async def main(port: int) -> tuple[int, int]:
        async with process_asyncio.Process("https", "localhost", port, TLS) as one:
            impatient = asyncio.create_task(one.request("GET", "/bytes/1000000"))
            for _ in range(steps):
                await asyncio.sleep(0)
            others = [asyncio.create_task(one.request("GET", "/")) for _ in range(3)]
            impatient.cancel()
            return len(await asyncio.gather(*others)), (await one.request("GET", "/")).status

    with serving(protocol) as origin:
        assert asyncio.run(main(origin.port)) == (3, 200)


def test_every_wait_ends_with_the_process() -> None:
    over = threading.Event()

    def hanging(_: Request) -> Response:
        over.wait(20)
        return Response(200)

    async def main(port: int) -> list[type]:
        async with process_asyncio.Process("https", "localhost", port, TLS) as one:
            tasks = [asyncio.create_task(one.request("GET", "/")) for _ in range(20)]
            await asyncio.sleep(0)
        over.set()
        found = [type(each) for each in await asyncio.gather(*tasks, return_exceptions=True)]
        with pytest.raises(PoolClosed):
            await one.request("GET", "/")
        return found

    with serving("http2", hanging) as origin:
        assert set(asyncio.run(main(origin.port))) == {PoolClosed}
