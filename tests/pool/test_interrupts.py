"""If a signal handler raises at any instruction of a blocking pool, no place and no connection is lost.

Here a sample of the instructions is interrupted; `ci/interrupts` takes all of them.
"""

from __future__ import annotations

import contextlib
import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import mint
import mint.pool
from mint.pool import PoolOptions, Timeouts
from mint.testing import Origin, showcase

from ..bomb import Bomb, Interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mint.types import ProtocolName

STEP: Final = int(os.environ.get("MINT_INTERRUPT_STEP", "7"))
"""Every STEP-th instruction is interrupted; with `everywhere`, every (7 * STEP)-th."""

SIZE: Final = 100_000


class Use:
    """One use of a pool, and what has to be closed after it."""

    def __init__(self, origin: Origin, protocol: ProtocolName) -> None:
        self.origin = origin
        self.pool = mint.pool.Pool(
            protocols=(protocol,),
            options=PoolOptions(max_connections=1, max_streams=1, buffer_size=10_000),
            timeout=10,
        )
        self.answers: list[mint.pool.StreamedAnswer] = []
        self.read = b""

    def url(self, path: str) -> str:
        return f"http://{self.origin.address}:{self.origin.port}{path}"

    def open(self) -> mint.pool.StreamedAnswer:
        answer = self.pool.stream("GET", self.url(f"/bytes/{SIZE}"))
        self.answers.append(answer)
        return answer

    def get(self) -> None:
        assert self.pool.request("GET", self.url("/bytes/5")).status == 200

    def get_again(self) -> None:
        self.get()
        self.get()

    def upload(self) -> None:
        answer = self.pool.request("POST", self.url("/bytes/5"), (), iter([b"x" * 30_000] * 3))
        assert answer.status == 200

    def put_back(self) -> None:
        with self.open() as answer:
            answer.receive()

    def wait(self) -> None:
        with self.open(), pytest.raises(mint.errors.TransportTimeout):
            self.pool.request("GET", self.url("/bytes/5"), timeout=Timeouts(pool=0.001, total=10))

    def close(self) -> None:
        self.open()
        self.pool.close()

    def check(self) -> None:
        """Check that the pool still answers, or is closed, and has lost nothing."""
        for answer in self.answers:
            answer.close()
        self.answers.clear()
        try:
            self.get()
        except mint.errors.PoolClosed:
            self.pool.close()
            assert not self.pool._state.sessions
            return
        now = self.pool.statistics
        assert (now.connections, now.idle, now.active, now.waiting, now.opening) == (1, 1, 0, 0, 0)
        state = self.pool._state
        assert not state.events
        for session in state.sessions.values():
            assert [session.reader, session.parked, session.blocked, session.streams] == [None, {}, set(), {}]
        assert state._policy._queues == {}
        self.pool.close()
        assert not state.sessions
        assert not self.pool._driver._mailboxes


USES: Final = {each.__name__: each for each in (Use.get_again, Use.upload, Use.put_back, Use.wait, Use.close)}


@pytest.fixture(scope="module", params=["http1", "http2"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[Origin, ProtocolName]]:
    with Origin(showcase) as origin:
        yield origin, request.param


def connections(origin: Origin) -> int:
    """Return how many sockets of this process are connected to the server."""
    gc.collect()
    # The third column is the peer's address, the tenth the inode of the socket.
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    found = {f"socket:[{row[9]}]" for row in rows if int(row[2].split(":")[1], 16) == origin.port}
    own = set()
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            own.add(str(path.readlink()))
    return len(found & own)


# A socket that was not assigned before the interrupt is closed by the garbage collector, with a warning.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="sockets are counted in /proc")
@pytest.mark.parametrize("name", USES)
@pytest.mark.parametrize("everywhere", [False, True])
def test_an_interrupt_loses_nothing(
    served: tuple[Origin, ProtocolName], name: str, *, everywhere: bool
) -> None:
    """Interrupt also where CPython would not run a handler: mint must not depend on where it does."""
    work: Callable[[Use], None] = USES[name]
    off, number = True, 1
    while off:
        use = Use(*served)
        bomb = Bomb(number, everywhere=everywhere)
        off = bomb.goes_off(lambda: work(use))  # noqa: B023  # called at once
        try:
            use.check()
        except (AssertionError, mint.MintError, Interrupt) as error:
            raise AssertionError(f"instruction {number}, {bomb.where}") from error
        number += 7 * STEP if everywhere else STEP
    if not everywhere:  # at other instructions CPython itself may leak a reference
        assert connections(served[0]) == 0
    assert number > 300
