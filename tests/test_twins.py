"""Functions and classes that exist for several event loops have the same names, arguments and defaults.

Python needs one copy with `await` and one without, and each event loop needs its own module. These tests show
that the copies agree.
"""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

import mint
import mint.asyncio
import mint.exchange.asyncio
import mint.exchange.trio
import mint.trio
from mint._core.watching import Poller
from mint._loops import asyncio_connecting, asyncio_tunnels, trio_connecting, trio_tunnels
from mint.pool import asyncio as asyncio_pool
from mint.pool import trio as trio_pool
from mint.pool._asynchronous import AsyncPool
from mint.pool._asynchronous import StreamedAnswer as AsyncStreamedAnswer
from mint.pool._blocking import Pool, StreamedAnswer

TWINS: dict[str, tuple[ModuleType | type, ModuleType | type]] = {
    "mint.asyncio and mint.trio": (mint.asyncio, mint.trio),
    "the mailboxes of asyncio and trio": (mint.asyncio.Mailbox, mint.trio.Mailbox),
    "exchanges in asyncio and trio": (mint.exchange.asyncio, mint.exchange.trio),
    "exchanges with and without await": (mint.exchange, mint.exchange.asyncio),
    "pools with and without await": (Pool, AsyncPool),
    "streamed answers with and without await": (StreamedAnswer, AsyncStreamedAnswer),
    "drivers that connect in asyncio and trio": (asyncio_connecting.Driver, trio_connecting.Driver),
    "readers for tunnels in asyncio and trio": (asyncio_tunnels.LoopReader, trio_tunnels.TrioReader),
    "drivers of the pools for asyncio and trio": (asyncio_pool._Driver, trio_pool._Driver),
}
SHARED = {"split_url", "send_body"}
"""Functions of `mint.exchange` that the modules of event loops do not have."""
MADE_BY_POOLS = {(StreamedAnswer, "__init__"), (AsyncStreamedAnswer, "__init__")}
"""Constructors that programs do not call."""


def is_function(found: object) -> bool:
    """Return whether this is a function, in Python or compiled."""
    return inspect.isfunction(found) or type(found) is type(Poller.select)


def functions(owner: ModuleType | type) -> dict[str, list[tuple[str, object, object]]]:
    """Return the public functions of a module or class, and the name, kind and default of each argument."""
    return {
        name: [(each.name, each.kind, each.default) for each in inspect.signature(found).parameters.values()]
        for name, found in inspect.getmembers(owner, is_function)
        if (name in owner.__all__ if isinstance(owner, ModuleType) else name[0] != "_" or name == "__init__")
        and name not in SHARED
        and (owner, name) not in MADE_BY_POOLS
    }


@pytest.mark.parametrize("name", TWINS)
def test_copies_for_event_loops_have_the_same_functions_and_arguments(name: str) -> None:
    one, other = TWINS[name]
    assert functions(one)
    assert functions(one) == functions(other)
