"""A pytest plugin that removes features which Python lacks on other systems, before mint is imported.

    PYTHONPATH=tests/loops MINT_WITHOUT=windows python -m pytest -p without tests/loops/test_async_loops.py

So the code of mint for other systems runs on this one. `test_other_systems.py` uses it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import select
import selectors
import socket
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

import trio  # noqa: F401  # imported before anything is removed, so that it still works
import uvloop  # noqa: F401  # as above

if TYPE_CHECKING:
    import pytest

POLL: Final = ("poll", "POLLIN", "POLLOUT", "POLLERR", "POLLHUP", "POLLNVAL", "POLLPRI")
LACKING: Final = {
    "windows": {select: POLL, socket: ("AF_UNIX", "MSG_DONTWAIT"), os: ("fork", "register_at_fork")},
    # macOS has MSG_DONTWAIT, but `send` waits in spite of it; in some versions `poll` does not work.
    "macos": {select: POLL, socket: ("MSG_DONTWAIT",)},
}
"""The names to remove, by system. (`select` keeps `epoll`, which the event loop of trio needs.)"""
UNSUITED: Final[dict[str, tuple[str, ...]]] = {
    "windows": (
        *("unix", "uvloop", "fork"),  # Windows has no Unix sockets, uvloop and fork
        "::test_5000_connections_cost_no_more_calls_than_ten",  # more sockets than `select` supports
        # A thread waits in these tests, which trio does not count as a task.
        *(
            "::test_cancelling_a_receive_loses_no_message",
            "tests/loops/test_trio.py::test_iteration_and_close",
        ),
        "::test_the_resolver_is_cancelled_with_the_task_in_asyncio",  # a part of it uses uvloop
        # These depend on the buffer sizes of Unix sockets, and fail with TCP sockets.
        "::test_repeated_calls_of_is_usable_do_not_empty_the_socket",
        "::test_a_peer_that_does_not_read_replies_gets_enhance_your_calm",
        "::test_replies_no_longer_count_when_the_peer_reads_again",
        "::test_a_flush_does_not_lose_an_early_response",
        "::test_send_timeout_restarts_whenever_the_peer_reads",
    ),
    "macos": (),
}
"""Parts of the names of tests that need what the system lacks, and are deselected."""


class Absent:
    """An attribute that hides one of a base class, so that it seems not to exist."""

    def __get__(self, instance: object, owner: type) -> object:
        raise AttributeError


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Return what `socket.socketpair` returns on Windows: two ends of a connection through the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        near = socket.socket()
        near.connect(listening.getsockname())  # `create_connection` would ask the resolver
        far, _ = listening.accept()
    for end in (near, far):
        # Octets are sent at once, as in the pair of Unix sockets that the tests are written for.
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return near, far


def remove(system: str) -> None:
    """Remove the features that the system lacks."""
    # trio looks for `poll` when it is called, except on Windows: it keeps what mint must not find.
    vars(sys.modules["trio._socket"])["select"] = SimpleNamespace(**vars(select))
    make_pair, family = socket.socketpair, socket.AF_UNIX

    def socketpair() -> tuple[socket.socket, socket.socket]:
        return tcp_pair() if system == "windows" else make_pair(family)

    socket.socketpair = socketpair  # type: ignore[assignment]  # the real one looks for AF_UNIX
    for module, names in LACKING[system].items():
        for name in names:
            delattr(module, name)
    if system == "windows":
        socket.socket.sendmsg = Absent()  # type: ignore[method-assign, assignment]  # hides the method
        selectors.DefaultSelector = selectors.SelectSelector  # type: ignore[misc, assignment]  # it has no descriptor
        for name in ("add_reader", "add_writer"):
            # The default loop of Windows inherits them, and they raise NotImplementedError. (The methods that
            # remove are used inside asyncio.)
            setattr(asyncio.SelectorEventLoop, name, getattr(asyncio.AbstractEventLoop, name))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that need what the system lacks."""
    words = UNSUITED.get(os.environ.get("MINT_WITHOUT", ""), ())
    unsuited = [item for item in items if any(word in item.nodeid.lower() for word in words)]
    if unsuited:
        config.hook.pytest_deselected(items=unsuited)
        items[:] = [item for item in items if item not in unsuited]


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Collect garbage at the end of a file, so that sockets which it left open fail its last test.

    Otherwise they would fail the test that collects garbage next. A failed test also leaves its sockets open.
    """
    if nextitem is None or nextitem.path != item.path:
        gc.collect()


if lacking := os.environ.get("MINT_WITHOUT"):
    remove(lacking)
