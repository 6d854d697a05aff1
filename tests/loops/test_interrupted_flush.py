"""A flush that is interrupted while it reads: octets may be lost, so the connection is closed."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any  # the classes of the links have no common base with these methods

import pytest

import mint
from mint import errors
from mint.testing import Forever, ScriptedServer, Send, Wait

from .test_half_closed import BUFFER, MUCH, NAMES, Program, run

if TYPE_CHECKING:
    from collections.abc import Callable

TCP = mint.TCPOptions(send_buffer=BUFFER, high_water=2 * MUCH)


class Interrupted(BaseException):
    """What a signal handler raises."""


def failing_once(original: Callable[..., object], error: type[BaseException], *, after: bool) -> object:
    """Return a method that raises an error the first time, before or after its work."""
    left = [error]

    def method(*given: object) -> object:
        result = original(*given) if after or not left else None
        if left:
            raise left.pop()
        return result

    return method


@pytest.mark.parametrize("error", [Interrupted, MemoryError])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("place", ["_read_now", "_take_in"])
@pytest.mark.parametrize("name", NAMES)
def test_an_interrupt_while_a_flush_reads(
    name: str, place: str, after: bool, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = threading.Event()

    async def main(server: ScriptedServer) -> None:
        if name in {"asyncio", "uvloop"}:  # the loop reads, and reports errors of its callbacks
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        with Program(name) as program:
            conn = await program.open("http", server.address, server.port, tcp=TCP)
            conn, ref = conn.request("POST", "/", [("content-length", str(MUCH))], mint.STREAM)
            conn = conn.stream_request_body(ref, bytes(MUCH))
            kind: Any = type(conn.transport)
            monkeypatch.setattr(kind, place, failing_once(getattr(kind, place), error, after=after))
            ready.set()
            with pytest.raises((error, errors.TransportClosed)):
                await program.flush(conn)
            with pytest.raises(errors.TransportClosed):
                for _ in range(2):  # what had arrived completely comes first
                    conn, _ = await program.receive(conn)

    with ScriptedServer([Wait(ready), Send(b"HTTP/1.1 100 Continue\r\n\r\n"), Forever()]) as server:
        run(name, main(server))
