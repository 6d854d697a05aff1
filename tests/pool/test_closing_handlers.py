"""A signal handler may close a blocking pool, or an answer, whatever its own thread is doing.

The handler runs before every STEP-th instruction of mint's Python code. Requests end as if another thread had
closed: a handler cannot wait until its own thread has released the lock of the pool.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mint.pool
from mint import errors
from mint.testing import Origin, showcase

from ..bomb import Handler
from .test_interrupts import STEP, USES, Use, connections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mint.types import ProtocolName


@pytest.fixture(scope="module", params=["http1", "http2"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[Origin, ProtocolName]]:
    with Origin(showcase) as origin:
        yield origin, request.param


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="sockets are counted in /proc")
@pytest.mark.parametrize("name", USES)
def test_a_handler_closes_the_pool(served: tuple[Origin, ProtocolName], name: str) -> None:
    work: Callable[[Use], None] = USES[name]
    closed, number = True, 1
    while closed:
        use = Use(*served)
        handler = Handler(number, use.pool.close)
        try:
            with contextlib.suppress(errors.PoolClosed):
                closed = handler.runs(lambda: work(use))  # noqa: B023  # called at once
            if closed:
                with pytest.raises(errors.PoolClosed):
                    use.get()
                assert not use.pool._state.sessions
                assert not use.pool._driver._mailboxes
                assert not use.pool._driver._postponed
        except (AssertionError, errors.MintError, RuntimeError, LookupError) as error:
            raise AssertionError(f"instruction {number}, {handler.where}") from error
        use.pool.close()
        number += 7 * STEP
    assert connections(served[0]) == 0
    assert number > 300


def test_a_handler_closes_an_answer(served: tuple[Origin, ProtocolName]) -> None:
    """Its request is cancelled once; the other one, which the handler interrupts, is not affected."""
    closed, number = True, 1
    with Origin(showcase) as origin:
        while closed:
            pool = mint.pool.Pool(protocols=(served[1],), timeout=10)
            url = f"http://{origin.address}:{origin.port}"
            answer = pool.stream("GET", f"{url}/bytes/100000")
            handler = Handler(number, answer.close)
            try:
                closed = handler.runs(lambda: pool.request("GET", f"{url}/bytes/5"))  # noqa: B023  # at once
                if closed:
                    assert pool.statistics.active == 0
                    assert pool.request("GET", f"{url}/bytes/5").status == 200
            except (AssertionError, errors.MintError, RuntimeError, LookupError) as error:
                raise AssertionError(f"instruction {number}, {handler.where}") from error
            answer.close()
            pool.close()
            number += 7 * STEP
    assert number > 300
