"""An exception of a signal handler at every instruction of mint, for each protocol, route and event loop.

python -m tests.simulation.interrupts                 # every instruction of every kind
python -m tests.simulation.interrupts mailbox TLS     # only the kinds whose names contain these parts

A kind is an event loop, a route, and the action of the caller unless that is one request with its response:
several connections at once, an upload, or a request of a connection pool.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import mint

from ..bomb import Bomb, Interrupt
from .patches import simulated_system
from .pools import Work, make, options
from .programs import finish, interrupted_get, send_all
from .record import DONE
from .run import run
from .scripts import content
from .table import LOOPS, ROUTES, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from .callers import Caller
    from .handles import Handle


class Kind(NamedTuple):
    """What is interrupted, from connecting to closing."""

    row: Row
    program: Callable[[Caller, Bomb], Coroutine[object, object, None]]


async def one(caller: Caller, bomb: Bomb) -> None:
    """Send one request and receive its response."""
    handle: Handle | None = None
    try:
        with armed(bomb):
            handle = await interrupted_get(caller, Interrupt)
    except mint.errors.ProxyFailed:
        if bomb.left:
            raise
        # The exception was raised in a callback of the loop, which closed the connection to the proxy.
    if handle is not None:
        await finish(caller, handle)
        handle.close()
    await caller.check_alive()


async def several(caller: Caller, bomb: Bomb) -> None:
    """Send requests over several connections; interrupting one must not affect the others."""
    others = [await caller.connect() for _ in range(2)]
    for each in others:
        # An operation of any of them may be the one that is interrupted.
        each.interrupted = caller.record.interrupted = True
    handle: Handle | None = None
    exchanges = [caller.record.exchange() for _ in others]
    try:
        with armed(bomb):
            for each, exchange in zip(others, exchanges, strict=True):
                each.request(exchange, "GET")
            handle = await interrupted_get(caller, Interrupt)
            await finish(caller, *others)
    except Interrupt:
        if caller.unfed is not None:
            caller.dispatch(caller.unfed)
    for each, exchange in zip(others, exchanges, strict=True):
        if exchange in each.exchanges.values():
            if not each.closed:
                await caller.flush(each)
        else:
            exchange.abandoned = True
            each.close()
    live = [each for each in (*others, handle) if each is not None]
    await finish(caller, *live)
    for each in live:
        each.close()
    await caller.check_alive()


async def uploading(caller: Caller, bomb: Bomb) -> None:
    """Stream content. After an interrupt, it is unknown how much was sent, and nothing must be sent twice."""
    handle = await caller.connect()
    exchange = caller.record.exchange(content(80, 150_000))
    handle.interrupted = caller.record.interrupted = True
    try:
        with armed(bomb):
            ref = handle.request(exchange, "POST", (), mint.STREAM)
            if ref is not None:
                await send_all(caller, handle, exchange, ref)
            await finish(caller, handle)
    except Interrupt:
        if caller.unfed is not None:
            caller.dispatch(caller.unfed)
        exchange.abandoned = True
        if not handle.closed:
            await caller.flush(handle)
    handle.close()
    await caller.check_alive()


async def pooled(caller: Caller, bomb: Bomb) -> None:
    """Send a request through a pool, which must answer the next one whatever happened to the first."""
    chosen = options(caller)
    view = make(caller, chosen)
    work = Work(caller, view, chosen)
    exchange = caller.record.exchange()
    caller.record.interrupted = True
    try:
        with armed(bomb):
            await work.one(exchange, None)
    except Interrupt:
        exchange.abandoned = True
    after = caller.record.exchange()
    await work.one(after, 10.0)
    if after.end != DONE:
        caller.kernel.blame(f"after an interrupt the pool gives no answer ({after.error!r})")
    work.check_over(view.pool.statistics)
    view.pool.close()


@contextmanager
def armed(bomb: Bomb) -> Iterator[None]:
    """Raise the exception of the bomb at the chosen instruction within the block.

    An exception that a nursery of trio has put into a group is the same one.
    """
    sys.settrace(bomb)
    try:
        yield
    except BaseExceptionGroup as group:
        if group.split(Interrupt)[1] is not None:
            raise
        raise Interrupt from group
    finally:
        sys.settrace(None)


def kinds() -> Iterator[tuple[str, Kind]]:
    """Return the names of the kinds, and the kinds."""
    for loop in LOOPS:
        for route in ROUTES:
            # With a mailbox, tunnels are opened in passive mode. In trio, a system task reads for them, where
            # Ctrl-C is never raised, and any other exception would end trio.
            if route != "shared tunnel" or loop in {"blocking", "asyncio"}:
                name = f"{loop}/{route.replace('/', '')}"
                yield name, Kind(Row("get", loop, route, "answers"), one)
                if route in {"plain", "HTTP/2 over TLS", "HTTP/2 tunnel"}:
                    yield f"{name}/upload", Kind(Row("upload", loop, route, "answers"), uploading)
    for loop in ("mailbox", "asyncio", "trio"):
        for route in ("plain", "HTTP/2 over TLS"):
            name = f"{loop}/{route.replace('/', '')}/several"
            yield name, Kind(Row("get", loop, route, "answers"), several)
    for loop in ("blocking", "asyncio", "trio"):
        yield f"{loop}/HTTP2/pool", Kind(Row("pool", loop, "HTTP/2", "answers"), pooled)
        yield f"{loop}/plain/pool", Kind(Row("pool", loop, "plain", "answers"), pooled)


KINDS = dict(kinds())


NEVER = 1 << 60


class Outcome(NamedTuple):
    """The result of one interrupted exchange."""

    left: int
    """How many instructions were missing to the chosen one; 0 if it was reached."""
    where: str
    violations: tuple[str, ...]


def interrupted(kind: Kind, number: int) -> Outcome:
    """Interrupt an exchange before this instruction of mint. The simulated system must be in place."""
    row = kind.row
    # The locks of trio and threading are not interrupted: signal handlers cannot raise within them.
    foreign = row.loop == "trio" or row.route == "shared tunnel" or row.action == "pool"
    bomb = Bomb(number, everywhere=not foreign)
    result = run(row, recorded=[0], program=lambda caller: kind.program(caller, bomb))
    return Outcome(bomb.left, bomb.where, result.violations)


def count_of(kind: Kind) -> int:
    """Return the number of instructions of an exchange that is not interrupted."""
    return NEVER - interrupted(kind, NEVER).left


def all_of(kind: Kind, step: int = 1) -> Iterator[tuple[int, Outcome]]:
    """Interrupt an exchange before each instruction."""
    number = 1
    while True:
        outcome = interrupted(kind, number)
        yield number, outcome
        if outcome.left:
            return
        number += step


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="ci/interrupts", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="run only kinds whose names contain this")
    parser.add_argument("--step", type=int, default=1, help="interrupt only before every STEP-th instruction")
    given = parser.parse_args()
    failures = 0
    with simulated_system():
        for name, kind in KINDS.items():
            if not all(part in name for part in given.parts):
                continue
            count = last = 0
            seen: set[tuple[str, str]] = set()
            for last, outcome in all_of(kind, given.step):
                count += 1
                for violation in outcome.violations:
                    if (outcome.where, violation) not in seen:
                        seen.add((outcome.where, violation))
                        print(f"{name}, instruction {last}, {outcome.where}: {violation}", flush=True)
            failures += len(seen)
            print(f"{name}: {count} of {last} instructions, {len(seen)} failures", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
