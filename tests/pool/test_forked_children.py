"""Pools in forked children: the parent's requests continue, and a child begins without connections."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

import mint.pool
import mint.pool.asyncio
from mint._core.link_base import Mutex
from mint.testing import Origin, showcase

from ..loops.test_forked_children import held, in_time
from ..loops.test_registrations import in_child
from ..tls import authority, server_context
from .pools import Client, LoopName, play

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


SIZE = 500_000
PROTOCOLS = ["http1", "http2"]


class Setting:
    """A pool with a streamed answer that is being read, and everything that children share with it."""

    def __init__(self, stack: ExitStack, protocol: Any, path: Path) -> None:  # the name of a protocol
        origin = stack.enter_context(Origin(showcase, tls=server_context(alpn=("h2", "http/1.1"))))
        self.url = f"https://127.0.0.1:{origin.port}/bytes/"
        self.sessions = mint.TLSSessions()
        self.recorder = stack.enter_context(mint.transcripts.Recorder(path))
        self.options: dict[str, Any] = {  # of different types
            "tls": mint.TLSOptions(ca_data=authority().cert_pem.bytes().decode(), sessions=self.sessions),
            "protocols": (protocol,),
            "record": self.recorder,
        }
        self.pool = stack.enter_context(mint.pool.Pool(**self.options))
        self.answer = stack.enter_context(self.pool.stream("GET", f"{self.url}{SIZE}"))
        self.read = len(self.answer.receive() or b"")

    def locks(self) -> list[Mutex]:
        lock = self.pool._state.lock
        assert isinstance(lock, Mutex)
        return [lock, self.recorder._desk._lock, self.sessions._lock]

    def use(self, pool: mint.pool.Pool) -> None:
        """Fetch something and close the pool, in a child."""
        assert pool.request("GET", f"{self.url}10").status == 200
        assert pool.statistics.connections == 1
        pool.close()

    def drop(self) -> None:
        self.answer = self.pool.stream("GET", f"{self.url}10")

    def read_rest(self) -> None:
        with pytest.raises(mint.errors.TransportClosed):
            self.answer.read()

    def close_recorder(self) -> None:
        self.recorder.close()
        self.answer.connection.close()

    def finish(self) -> None:
        """Read the rest of the answer, and fetch something through the same connection."""
        assert self.read + len(self.answer.read()) == SIZE
        assert self.pool.request("GET", f"{self.url}10").status == 200
        assert self.pool.statistics.opened == 1


WORK: dict[str, Callable[[Setting], object]] = {
    "close the pool": lambda it: it.pool.close(),
    "close the answer": lambda it: it.answer.close(),
    "close the connection": lambda it: it.answer.connection.close(),
    "close the recorder": Setting.close_recorder,
    "drop the answer": Setting.drop,
    "read the answer": Setting.read_rest,
    "use the pool": lambda it: it.use(it.pool),
    "make a pool": lambda it: it.use(mint.pool.Pool(**it.options)),
}


@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("work", WORK)
def test_a_child_does_not_affect_the_requests_of_its_parent(
    work: str, protocol: str, locked: bool, tmp_path: Path
) -> None:
    """It waits for no lock either that other threads held when it was forked."""
    with ExitStack() as stack:
        setting = Setting(stack, protocol, tmp_path / "transcript")
        with ExitStack() as other:
            for lock in setting.locks() if locked else []:
                other.enter_context(held(lock))
            in_child(in_time(lambda: WORK[work](setting)))
        setting.finish()
    assert "\n2 " not in (tmp_path / "transcript").read_text()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", ["asyncio", "uvloop", "trio"])
@pytest.mark.parametrize("what", ["answer", "pool", "use"])
def test_children_of_event_loops(what: str, loop: LoopName, protocol: str) -> None:
    with Origin(showcase, tls=server_context(alpn=("h2", "http/1.1"))) as origin:
        url = f"https://127.0.0.1:{origin.port}/bytes/"

        async def scenario(client: Client) -> None:
            def use() -> None:
                """Use the pool in a new event loop; trio allows none, because the parent's seems to run."""
                if loop == "trio":
                    assert client.pool.statistics.connections == 0
                else:
                    assert asyncio.run(client.pool.request("GET", f"{url}10")).status == 200

            async with await client.pool.stream("GET", f"{url}{SIZE}") as answer:
                read = len(await answer.receive())
                in_child(in_time({"answer": answer.close, "pool": client.pool.close, "use": use}[what]))
                assert read + len(await answer.read()) == SIZE
            assert (await client.pool.request("GET", f"{url}10")).status == 200
            assert client.pool.statistics.opened == 1

        play(loop, scenario, protocols=(protocol,))


def test_a_fork_while_this_thread_holds_the_lock() -> None:
    """The thread continues in the child, and releases its own lock."""
    with mint.pool.Pool() as pool:
        lock = pool._state.lock
        assert isinstance(lock, Mutex)

        def leave() -> None:
            assert pool._state.lock is lock

        with lock:
            in_child(in_time(leave))
