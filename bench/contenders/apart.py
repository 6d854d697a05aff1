"""Parts of the work: the cost of a value, of the public API around it, and of response objects.

Each part is a single operation, so that it can be compared with the whole operations of the other tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mint import Data, Done, Headers, Status
from mint._core.events import RequestRef
from mint._core.http1 import Config as Config1
from mint._core.http1 import State as State1
from mint._core.http2 import Config as Config2
from mint._core.http2 import State as State2
from mint.http1 import initiate
from mint.transport import Memory

from ..measure import Rounds

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..measure import Task

TIMES = 1_000


def _repeated(operation: Callable[[], object]) -> Task:
    def run(_: object) -> None:
        for _ in range(TIMES):
            operation()

    return Rounds(lambda _: None, run, lambda *_: None, TIMES)


def nothing(_: object) -> Task:
    """Measure the loop itself and a Python call that does nothing; every other result here includes these."""
    return _repeated(lambda: None)


def clone_h1(_: object) -> Task:
    """Measure making a successor of an HTTP/1 state, as every operation does; `traced` does nothing else."""
    config = Config1(hostname="example.org", port=80, scheme="http", identity=1, user_agent="m")
    state = State1(config).request("GET", "/", (), None, False).state
    return _repeated(lambda: state.traced(False))


def clone_h2(_: object) -> Task:
    """Measure the same over HTTP/2 with 100 open streams, which are shared and not copied."""
    config = Config2(hostname="example.org", port=443, scheme="https", identity=1, user_agent="m")
    one = State2.open(config).state
    for _number in range(100):
        one = one.request("GET", "/", (), None, False).state
    two = one.traced(True)
    return _repeated(lambda: two.traced(False))


def facade_value(_: object) -> Task:
    """Measure making a successor of the frozen connection value."""
    connection = initiate(Memory(), scheme="http", hostname="example.org", port=80)
    return _repeated(lambda: connection.put_log(False))


def objects(_: object) -> Task:
    """Measure making the four response objects of a small response with calls from Python."""
    ref = RequestRef(1, 1)
    fields = (("server", "nginx"),)

    def four() -> tuple[Status, Headers, Data, Done]:
        return Status(ref, 200), Headers(ref, fields), Data(ref, b"x"), Done(ref)

    return _repeated(four)
