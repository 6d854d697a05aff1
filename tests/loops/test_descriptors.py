"""No descriptor is left: what mint opens for itself fails with an error of mint, and connections go on."""

from __future__ import annotations

import asyncio
import errno
import selectors
import socket
from typing import TYPE_CHECKING, NoReturn

import pytest
import uvloop

import mint
import mint.asyncio
import mint.exchange.trio
import mint.pool.trio
import mint.trio
from mint.errors import Unreachable
from mint.testing import Origin, Response

from ..event_loops import Loop, data, fed, fetch, no_socket_left, run_trio
from .test_other_systems import Deaf

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint.testing import Request

UVLOOP = Loop(uvloop.new_event_loop)


def refuse(*_: object) -> NoReturn:
    raise OSError(errno.EMFILE, "Too many open files")


def hello(request: Request) -> Response:
    return Response(200, (), b"hello")


def no_selector(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(selectors, "DefaultSelector", refuse)


def no_pair(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(socket, "socketpair", refuse)


def is_typed(error: Unreachable) -> bool:
    return (
        error.processed is mint.Processed.NO
        and "Too many open files" in error.detail
        and isinstance(error.__cause__, OSError)
    )


@pytest.mark.parametrize("exhaust", [no_selector, no_pair])
def test_a_mailbox(exhaust: Callable[[pytest.MonkeyPatch], None]) -> None:
    made: list[type[selectors.BaseSelector]] = []

    class Selector(selectors.DefaultSelector):
        def close(self) -> None:
            made.remove(Selector)
            super().close()

        def __init__(self) -> None:
            super().__init__()
            made.append(Selector)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selectors, "DefaultSelector", Selector)
        exhaust(patch)
        with pytest.raises(Unreachable) as caught:
            mint.Mailbox()
    assert is_typed(caught.value)
    assert not made


def test_a_mailbox_of_trio() -> None:
    async def main() -> None:
        with pytest.MonkeyPatch.context() as patch:
            no_selector(patch)
            with pytest.raises(Unreachable) as caught:
                mint.trio.Mailbox()
        assert is_typed(caught.value)

    run_trio(main)


def test_tunnels() -> None:
    with Origin(hello) as origin:
        conn = mint.http2.connect("http", origin.address, origin.port)
        with conn, pytest.MonkeyPatch.context() as patch:
            no_pair(patch)
            with pytest.raises(Unreachable) as caught:
                mint.Tunnels(conn)
            assert is_typed(caught.value)
            assert conn.after(caught.value) is conn


def test_an_exchange_in_trio() -> None:
    async def main(origin: Origin) -> None:
        conn = await mint.trio.connect("http", origin.address, origin.port)
        with pytest.MonkeyPatch.context() as patch:
            no_selector(patch)
            with pytest.raises(Unreachable) as caught:
                await mint.exchange.trio.exchange(conn, "GET", "/")
        assert is_typed(caught.value)
        conn, answer = await mint.exchange.trio.exchange(conn.after(caught.value), "GET", "/")
        assert answer.content == b"hello"
        conn.close()

    with no_socket_left(), Origin(hello) as origin:
        run_trio(main, origin)


def test_a_pool_of_trio() -> None:
    async def main(origin: Origin) -> None:
        async with mint.pool.trio.Pool() as pool:
            with pytest.MonkeyPatch.context() as patch:
                no_selector(patch)
                with pytest.raises(Unreachable) as caught:
                    await pool.request("GET", f"http://{origin.address}:{origin.port}/")
            assert is_typed(caught.value)
            answer = await pool.request("GET", f"http://{origin.address}:{origin.port}/")
            assert answer.content == b"hello"

    with no_socket_left(), Origin(hello) as origin:
        run_trio(main, origin)


@pytest.mark.parametrize("given", [False, True], ids=["dialled", "given"])
def test_connecting_with_uvloop(given: bool) -> None:
    async def main(origin: Origin) -> None:
        sock = socket.create_connection((origin.address, origin.port)) if given else None
        with pytest.MonkeyPatch.context() as patch:
            no_selector(patch)
            with pytest.raises(Unreachable) as caught:
                await mint.asyncio.connect("http", origin.address, origin.port, socket=sock)
        assert is_typed(caught.value)

    with no_socket_left(), Origin(hello) as origin:
        UVLOOP(main(origin))


def test_connecting_with_a_thread_that_watches() -> None:
    async def main(origin: Origin) -> None:
        with pytest.MonkeyPatch.context() as patch:
            no_pair(patch)
            with pytest.raises(Unreachable) as caught:
                await mint.asyncio.connect("http", origin.address, origin.port)
        assert is_typed(caught.value)

    with no_socket_left(), Origin(hello) as origin:
        Loop(Deaf)(main(origin))


def test_connecting_if_the_loop_cannot_watch_more() -> None:
    async def main(origin: Origin) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio.get_running_loop(), "add_writer", refuse)
            with pytest.raises(Unreachable) as caught:
                await mint.asyncio.connect("http", origin.address, origin.port)
        assert caught.value.processed is mint.Processed.NO

    with no_socket_left(), Origin(hello) as origin:
        Loop(asyncio.SelectorEventLoop)(main(origin))


def test_a_mode_that_the_loop_cannot_watch() -> None:
    async def main(origin: Origin) -> None:
        conn = await mint.asyncio.connect("http", origin.address, origin.port)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio.get_running_loop(), "add_reader", refuse)
            with pytest.raises(Unreachable):
                conn.set_mode("active", mint.asyncio.Mailbox())
        with pytest.raises(mint.errors.TransportClosed):
            conn.request("GET", "/")
        conn.close()

    with no_socket_left(), Origin(hello) as origin:
        Loop(asyncio.SelectorEventLoop)(main(origin))


def test_a_connection_of_uvloop_goes_on() -> None:
    async def main(origin: Origin) -> None:
        conn = await mint.asyncio.connect("http", origin.address, origin.port)
        with pytest.MonkeyPatch.context() as patch:
            no_selector(patch)  # although nothing is registered at the moment
            mailbox = mint.asyncio.Mailbox()
            conn = conn.set_mode("active", mailbox)
            conn, body = await fetch(conn, mailbox, "/")
            assert body == b"hello"
            conn, _ = conn.request("GET", "/")
            message = await mailbox.receive()
            await asyncio.sleep(0)
            conn, responses = fed(conn, message)
            while conn.open_request_count:
                conn, more = fed(conn, await mailbox.receive())
                responses += more
            assert data(responses) == b"hello"
        conn.close()

    with no_socket_left(), Origin(hello) as origin:
        UVLOOP(main(origin))


def test_a_loop_of_uvloop_keeps_nothing_without_connections() -> None:
    made: list[selectors.BaseSelector] = []

    class Selector(selectors.DefaultSelector):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

        def close(self) -> None:
            super().close()
            made.remove(self)

    async def main(origin: Origin) -> None:
        one = await mint.asyncio.connect("http", origin.address, origin.port)
        two = await mint.asyncio.connect("http", origin.address, origin.port)
        assert len(made) == 1
        one.close()
        assert len(made) == 1
        two.close()
        assert not made

    with pytest.MonkeyPatch.context() as patch, Origin(hello) as origin:
        patch.setattr("mint._loops.asyncio_poller.selectors.DefaultSelector", Selector)
        UVLOOP(main(origin))
