"""The locks of mint are released even if there is no memory at all."""

from __future__ import annotations

import ast
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mint
from mint._core.link_base import LinkBase, Mutex

if TYPE_CHECKING:
    from collections.abc import Callable

MINT = Path(mint.__file__).parent
OWN = {"mint/_loops/lock_event.py": ["Lock"]}
"""What acquires and releases a lock of `threading` by methods that need no memory."""


def test_a_lock_is_released_without_memory() -> None:
    """CPython needs memory to leave a `with` block of `threading.RLock`: a tuple of three arguments."""
    testing = pytest.importorskip("_testcapi")
    lock = Mutex()
    # CPython keeps some tuples for later; there must be none.
    held = [(each, each, each) for each in range(5_000)]
    with lock:
        testing.set_nomemory(0)
    testing.remove_mem_hooks()
    assert len(held) == 5_000
    taken: list[bool] = []
    thread = threading.Thread(target=lock.attempt, args=(taken.append, True, 10.0))
    thread.start()
    thread.join()
    assert taken == [True]


def test_a_lock_is_released_if_memory_runs_out_in_the_block() -> None:
    testing = pytest.importorskip("_testcapi")
    lock = Mutex()
    held = [(each, each, each) for each in range(5_000)]
    failed = False
    try:
        with lock:
            testing.set_nomemory(0)
            [held]  # noqa: B018  # it needs memory
    except MemoryError:
        failed = True
    finally:
        testing.remove_mem_hooks()
    assert failed
    assert not lock.held


@pytest.mark.parametrize("make", [Mutex, LinkBase])
def test_a_lock_that_cannot_be_made_is_a_memory_error(make: Callable[[], object]) -> None:
    testing = pytest.importorskip("_testcapi")
    failures = 0
    for number in range(12):  # which allocation fails
        testing.set_nomemory(number, number + 1)
        try:
            make()
        except (MemoryError, SystemError):  # `SystemError` if not even a `MemoryError` can be allocated
            failures += 1
        finally:
            testing.remove_mem_hooks()
    assert failures > 0


@pytest.mark.parametrize("path", sorted(MINT.rglob("*.py")), ids=lambda path: str(path.relative_to(MINT)))
def test_no_lock_of_threading_is_used(path: Path) -> None:
    """The command line is exempt, which ends if memory runs out, and so are the servers for tests."""
    name = path.relative_to(MINT.parent).as_posix()
    if {"_command", "testing"} & set(path.parts):
        return
    used = [
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr)
        in {("threading", each) for each in ("Lock", "RLock", "Condition", "Event")}
    ]
    assert used == OWN.get(name, [])
