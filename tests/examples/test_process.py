from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import process
import process_asyncio
import pytest

import mint
from mint.testing import Reset, ScriptedServer, request

from .serving import PROTOCOLS, TLS, Protocol, serving

COUNT = 300  # more than either protocol takes at once


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_many_threads_ask_one_process(protocol: Protocol) -> None:
    with (
        serving(protocol) as origin,
        process.Process("https", "localhost", origin.port, TLS) as one,
        ThreadPoolExecutor(8) as pool,
    ):
        futures = list(pool.map(lambda size: one.request("GET", f"/bytes/{size}"), range(COUNT)))
        assert [len(each.result(10).body) for each in futures] == list(range(COUNT))


def test_a_request_that_makes_no_sense_fails_alone() -> None:
    with serving() as origin, process.Process("https", "localhost", origin.port, TLS) as one:
        wrong = one.request("GET", "no path")
        right = one.request("GET", "/")
        with pytest.raises(mint.HTTPError):
            wrong.result(10)
        assert right.result(10).status == 200


def test_what_is_open_fails_with_the_connection() -> None:
    with (
        ScriptedServer([request(), Reset()]) as server,
        process.Process("http", server.address, server.port, TLS) as one,
    ):
        with pytest.raises(mint.TransportError):
            one.request("GET", "/").result(10)
        with pytest.raises(mint.HTTPError):
            one.request("GET", "/late").result(10)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_many_tasks_ask_one_process(protocol: Protocol) -> None:
    async def main(port: int) -> list[int]:
        async with process_asyncio.Process("https", "localhost", port, TLS) as one:
            answers = await asyncio.gather(*(one.request("GET", f"/bytes/{size}") for size in range(COUNT)))
            return [len(each.body) for each in answers]

    with serving(protocol) as origin:
        assert asyncio.run(main(origin.port)) == list(range(COUNT))


def test_a_caller_that_is_cancelled_harms_nobody() -> None:
    async def main(port: int) -> int:
        async with process_asyncio.Process("https", "localhost", port, TLS) as one:
            impatient = asyncio.create_task(one.request("GET", "/bytes/1000000"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            impatient.cancel()
            return (await one.request("GET", "/")).status

    with serving() as origin:
        assert asyncio.run(main(origin.port)) == 200
