"""Connection limits and keep-alive: mint's transports behave like those of httpx."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any  # httpx and httpx2 have no common types

import pytest
import trio

from mint.pool import PoolOptions
from mint.testing import Close, Origin, Request, Response, ScriptedServer, Send, request, showcase

from .clients import KINDS, Kind, User, Whose, play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Flavour

BOTH: tuple[Whose, ...] = ("mint", "own")
SOON = {"timeout": {"pool": 0.05}}
"""The extensions of a request that waits only briefly for a connection."""


def limits(flavour: Flavour, whose: Whose, **limits: Any) -> dict[str, Any]:
    """Return the options of a transport for HTTP/1 with these limits of httpx."""
    if whose == "own":
        return {"limits": flavour[0].Limits(**limits)}
    options: dict[str, Any] = {}
    if "max_connections" in limits:
        options["max_connections"] = limits["max_connections"]
    if "keepalive_expiry" in limits:
        options["idle_timeout"] = limits["keepalive_expiry"]
    return {"protocols": ("http1",), "options": PoolOptions(**options)}


def connection(response: Any) -> tuple[str, int]:
    """Return the local address, which identifies the connection."""
    found: tuple[str, int] = response.extensions["network_stream"].get_extra_info("client_addr")[:2]
    return found


@contextmanager
def origins(count: int) -> Iterator[list[str]]:
    with ExitStack() as stack:
        made = [stack.enter_context(Origin(showcase)) for _ in range(count)]
        yield [f"http://127.0.0.1:{each.port}" for each in made]


@pytest.mark.parametrize("whose", BOTH)
@pytest.mark.parametrize("kind", KINDS)
def test_waiting_for_a_connection_times_out(flavour: Flavour, kind: Kind, whose: Whose) -> None:
    """The limit is for all origins together; a response holds its connection until it is read."""
    with origins(2) as (one, other):

        async def scenario(user: User) -> None:
            held = await user.open(f"{one}/stream/500000")
            for url in (one, other, one):
                with pytest.raises(user.package.PoolTimeout) as caught:
                    await user.get(url, extensions=SOON)
                assert caught.value.request.url == url
            assert len(await user.read(held)) == 500_000
            for url in (other, one):
                assert (await user.get(url, extensions=SOON)).status_code == 200

        play(flavour, kind, scenario, limits(flavour, whose, max_connections=1), whose=whose)


@pytest.mark.parametrize("whose", BOTH)
@pytest.mark.parametrize("kind", KINDS)
def test_the_limit_is_a_number_of_connections(flavour: Flavour, kind: Kind, whose: Whose) -> None:
    with origins(1) as (one,):

        async def scenario(user: User) -> None:
            held = [await user.open(f"{one}/stream/500000") for _ in range(3)]
            assert len({connection(each) for each in held}) == 3
            with pytest.raises(user.package.PoolTimeout):
                await user.get(one, extensions=SOON)
            await user.close(held[1])
            assert (await user.get(one, extensions=SOON)).status_code == 200
            assert len(await user.read(held[0])) == 500_000
            await user.close(held[2])

        play(flavour, kind, scenario, limits(flavour, whose, max_connections=3), whose=whose)


# In several threads, httpx's own pool may close the connection while a request uses it: it looks whether the
# connection is idle, and then whether its socket is readable, and a request may begin in between.
@pytest.mark.parametrize(
    ("kind", "whose"), [*((kind, "mint") for kind in KINDS), ("asyncio", "own"), ("trio", "own")]
)
def test_waiting_requests_use_the_connection_one_after_another(
    flavour: Flavour, kind: Kind, whose: Whose
) -> None:
    busy = threading.Lock()

    def alone(received: Request) -> Response:
        # This fails if two requests are handled at the same time.
        assert busy.acquire(blocking=False)
        try:
            return Response(200, body=received.target.encode())
        finally:
            busy.release()

    with Origin(alone) as origin:

        async def scenario(user: User) -> None:
            async def one(number: int) -> tuple[str, tuple[str, int]]:
                answer = await user.get(f"http://127.0.0.1:{origin.port}/{number}")
                return answer.text, connection(answer)

            found = await user.together(*(lambda number=number: one(number) for number in range(8)))
            assert [text for text, _ in found] == [f"/{number}" for number in range(8)]
            assert len({where for _, where in found}) == 1

        play(flavour, kind, scenario, limits(flavour, whose, max_connections=1), whose=whose)


@pytest.mark.parametrize("whose", BOTH)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("expiry", "again"), [(0.0, False), (None, True), (100.0, True)])
def test_how_long_a_connection_is_kept(
    flavour: Flavour, kind: Kind, whose: Whose, expiry: float | None, again: bool
) -> None:
    with origins(1) as (one,):

        async def scenario(user: User) -> None:
            found: set[tuple[str, int]] = set()
            for _ in range(3):
                answer = await user.open(f"{one}/stream/5000000")
                found.add(connection(answer))  # before the response is read, it is certainly open
                await user.read(answer)
            assert len(found) == (1 if again else 3)

        play(flavour, kind, scenario, limits(flavour, whose, keepalive_expiry=expiry), whose=whose)


@pytest.mark.parametrize("whose", BOTH)
@pytest.mark.parametrize("kind", KINDS)
def test_idle_connections_make_room_for_other_origins(flavour: Flavour, kind: Kind, whose: Whose) -> None:
    with origins(3) as urls:

        async def scenario(user: User) -> None:
            before = [connection(await user.get(url, extensions=SOON)) for url in urls]
            # The first connection was closed to make room for the third; the last two are still open.
            assert [connection(await user.get(url, extensions=SOON)) for url in urls[1:]] == before[1:]
            assert connection(await user.get(urls[0], extensions=SOON)) != before[0]

        play(flavour, kind, scenario, limits(flavour, whose, max_connections=2), whose=whose)


HEAD = b"HTTP/1.1 200 OK\r\n"
ENDS: dict[str, tuple[Any, ...]] = {
    "announced": (Send(HEAD + b"connection: close\r\ncontent-length: 2\r\n\r\nok"), Close()),
    "HTTP/1.0": (Send(b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"), Close()),
    "by the end of the content": (Send(HEAD + b"\r\nok"), Close()),
}


@pytest.mark.parametrize("whose", BOTH)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", ENDS)
def test_a_connection_that_the_server_closes_does_not_count(
    flavour: Flavour, kind: Kind, whose: Whose, end: str
) -> None:
    scripts = [(request(), *ENDS[end])] * 3
    with ScriptedServer(*scripts) as server:

        async def scenario(user: User) -> None:
            for _ in range(3):
                answer = await user.open(f"http://127.0.0.1:{server.port}/", extensions=SOON)
                assert await user.read(answer) == b"ok"

        play(flavour, kind, scenario, limits(flavour, whose, max_connections=1), whose=whose)


@pytest.mark.parametrize("whose", BOTH)
@pytest.mark.parametrize("kind", KINDS)
def test_failed_requests_release_their_places(flavour: Flavour, kind: Kind, whose: Whose) -> None:
    with origins(1) as (nowhere,):
        pass
    broken = [(request(), Send(b"HTTP/9 what\r\n\r\n"), Close())] * 2
    with origins(1) as (one,), ScriptedServer(*broken) as server:

        async def scenario(user: User) -> None:
            for _ in range(2):
                with pytest.raises(user.package.ConnectError):
                    await user.get(nowhere)
                with pytest.raises(user.package.RemoteProtocolError):
                    await user.get(f"http://127.0.0.1:{server.port}/")
                held = await user.open(f"{one}/bytes/5000000")
                await user.close(held)
            assert (await user.get(one, extensions=SOON)).status_code == 200

        play(flavour, kind, scenario, limits(flavour, whose, max_connections=1), whose=whose)


@pytest.mark.parametrize("whose", BOTH)
@pytest.mark.parametrize("kind", ["asyncio", "trio"])
def test_a_cancelled_wait_releases_its_place(flavour: Flavour, kind: Kind, whose: Whose) -> None:
    with origins(1) as (one,):

        async def scenario(user: User) -> None:
            held = await user.open(f"{one}/stream/500000")
            for _ in range(3):
                if kind == "trio":
                    with trio.move_on_after(0.02):
                        await user.get(one)
                else:
                    with pytest.raises(TimeoutError):
                        async with asyncio.timeout(0.02):
                            await user.get(one)
            assert len(await user.read(held)) == 500_000
            found = await user.together(*[lambda: user.get(one)] * 3)
            assert {connection(each) for each in found} == {connection(held)}

        play(flavour, kind, scenario, limits(flavour, whose, max_connections=1), whose=whose)


@pytest.mark.parametrize("kind", KINDS)
def test_waiting_for_a_stream_times_out(flavour: Flavour, kind: Kind) -> None:
    """Over HTTP/2 requests share the connection, so the number of streams is limited."""
    options = {"protocols": ("http2",), "options": PoolOptions(max_connections=1, max_streams=2)}
    with origins(1) as (one,):

        async def scenario(user: User) -> None:
            held = [await user.open(f"{one}/bytes/5000000") for _ in range(2)]
            assert connection(held[0]) == connection(held[1])
            with pytest.raises(user.package.PoolTimeout):
                await user.get(one, extensions=SOON)
            await user.close(held[0])
            answer = await user.get(one, extensions=SOON)
            assert connection(answer) == connection(held[1])
            await user.close(held[1])

        play(flavour, kind, scenario, options)
