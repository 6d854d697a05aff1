"""Features that other operating systems lack: exchanges without them, and tests of each substitute."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import selectors
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import trio

import mint
import mint.trio
from mint import errors
from mint._loops import dialer, system
from mint._loops.asyncio_poller import poller
from mint._loops.asyncio_thread import ThreadPoller
from mint.errors.transport import system_error

from ..event_loops import run_trio

ROOT = Path(__file__).resolve().parents[2]
EXCHANGES = (
    *("tests/loops/test_async_loops.py", "tests/loops/test_blocking.py", "tests/loops/test_tunnels.py"),
    "tests/exchange/test_exchange.py",
)
"""Some of the tests that `ci/systems` runs."""


@pytest.mark.parametrize("lacking", ["windows", "macos"])
def test_exchanges_under_every_event_loop(lacking: str) -> None:
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"),
        *("-p", "without", *EXCHANGES),
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        # The plugin is loaded by its own name, because pytest must rewrite the package before it is imported.
        env={
            **os.environ,
            "MINT_WITHOUT": lacking,
            "PYTHONOPTIMIZE": "",
            "PYTHONPATH": str(Path(__file__).parent),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-2_000:]
    assert " passed" in done.stdout


def test_the_substitute_of_poll_reports_the_same() -> None:
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        for poll in (system.make_poll(), system.SelectPoll()):
            poll.register(near, system.POLLIN)
            assert poll.poll(0) == []
            poll.modify(near, system.POLLIN | system.POLLOUT)
            assert poll.poll() == [(near.fileno(), system.POLLOUT)]
            far.send(b"x")
            assert poll.poll() == [(near.fileno(), system.POLLIN | system.POLLOUT)]
            poll.modify(near.fileno(), 0)
            assert poll.poll(1) == []
            near.recv(1)
        number = near.fileno()
    with pytest.raises(ValueError, match=r"negative|closed"):
        system.SelectPoll().register(near, system.POLLIN)
    closed = system.SelectPoll()
    closed.register(number, system.POLLIN)
    assert closed.poll()[0][0] == number  # reported as ready, like POLLNVAL of `poll`


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        *(((1, 2, 3), 6), ((70_000, 1), 70_000), ((1, 70_000), 1), ((40_000, 40_000), 40_000), ((0, 5), 5)),
        *(((65_535, 1), 65_536), ((65_535, 2), 65_535), ((65_536, 1), 65_536), ((65_537, 1), 65_537)),
    ],
)
def test_pieces_are_joined_up_to_a_size(sizes: tuple[int, ...], expected: int) -> None:
    whole = os.urandom(sum(sizes))
    pieces, at = [], 0
    for size in sizes:
        pieces.append(memoryview(whole)[at : at + size])
        at += size
    assert bytes(system.joined(pieces)) == whole[:expected]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(None, None), (-1.0, 0), (0.0, 0), (0.0001, 1), (0.001, 1), (1.5, 1500), (system.LONGEST + 1, None)],
)
def test_the_timeout_of_poll(seconds: float | None, expected: int | None) -> None:
    assert system.milliseconds(seconds) == expected


def test_the_longest_timeout_of_poll_fits_31_bits() -> None:
    assert system.milliseconds(system.LONGEST) == 2_000_000_000 < 2**31


def test_a_unix_socket_on_a_system_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dialer.FAMILIES, "unix", None)
    with pytest.raises(errors.Unreachable, match="no Unix sockets on this system"):
        mint.connect("http", mint.UnixAddress("/nowhere/socket"), 80, hostname="example.org")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EPROTOTYPE, errors.TransportReset),  # macOS, while a socket is being reset
        (errno.ENETRESET, errors.TransportReset),  # Windows, where keepalive failed
        (errno.ENOTSOCK, errors.TransportClosed),  # Windows, of a socket that was closed
    ],
)
def test_errors_of_other_systems(number: int, kind: type[errors.TransportError]) -> None:
    assert type(system_error(OSError(number, os.strerror(number)))) is kind


def test_errors_on_windows_have_other_descriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert system.describe(errno.ECONNREFUSED) == "Connection refused"
    monkeypatch.setattr(socket, "errorTab", {10061: "The connection was refused."}, raising=False)
    assert system.describe(10061) == "The connection was refused."


class Deaf(asyncio.SelectorEventLoop):
    """A loop that cannot watch sockets, like the default loop of Windows."""

    add_reader = asyncio.AbstractEventLoop.add_reader


def watchers() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "mint-sockets"]


def test_a_thread_watches_sockets_until_the_last_is_removed() -> None:
    near, far = socket.socketpair()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        reports = poller(loop)
        assert isinstance(reports, ThreadPoller)
        assert poller(loop) is reports
        reports.remove_reader(near.fileno())
        assert not watchers()
        messages: asyncio.Queue[str] = asyncio.Queue()

        def readable() -> None:
            messages.put_nowait(near.recv(100).decode())

        def writable() -> None:
            reports.remove_writer(near.fileno())
            messages.put_nowait("writable")

        reports.add_reader(near.fileno(), readable)
        far.send(b"one")
        assert await messages.get() == "one"
        reports.add_writer(near.fileno(), writable)
        assert await messages.get() == "writable"
        far.send(b"two")
        assert await messages.get() == "two"
        (thread,) = watchers()
        reports.remove_reader(near.fileno())
        far.send(b"three")
        thread.join(10)
        assert not thread.is_alive()
        assert near.recv(100) == b"three"

    with near, far, asyncio.Runner(loop_factory=Deaf) as runner:
        runner.run(asyncio.wait_for(main(), 30))
    assert not watchers()


def test_the_thread_reports_only_what_is_ready() -> None:
    pairs = [socket.socketpair() for _ in range(3)]
    told: list[str] = []

    async def main() -> None:
        reports = poller(asyncio.get_running_loop())
        done = asyncio.Event()

        def ready() -> None:
            pairs[0][0].recv(1)
            told.append("ready")
            done.set()

        for quiet, _ in pairs[1:]:
            reports.add_reader(quiet.fileno(), lambda: told.append("quiet"))
        reports.add_reader(pairs[0][0].fileno(), ready)
        for _ in range(3):
            done.clear()
            pairs[0][1].send(b"x")
            await done.wait()
        for near, _ in pairs:
            reports.remove_reader(near.fileno())

    with contextlib.ExitStack() as stack, asyncio.Runner(loop_factory=Deaf) as runner:
        for pair in pairs:
            for each in pair:
                stack.enter_context(each)
        runner.run(asyncio.wait_for(main(), 30))
    assert told == ["ready"] * 3


def test_a_thread_ends_with_its_loop() -> None:
    near, far = socket.socketpair()

    async def main() -> None:
        poller(asyncio.get_running_loop()).add_reader(near.fileno(), lambda: None)

    with near, far:
        with asyncio.Runner(loop_factory=Deaf) as runner:
            runner.run(main())
        (thread,) = watchers()
        far.send(b"x")  # no callback is left
        thread.join(10)
        assert not thread.is_alive()


def test_a_selector_without_a_descriptor_in_trio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "DefaultSelector", selectors.SelectSelector)

    async def main() -> None:
        with mint.trio.Mailbox() as mailbox:
            for number in range(20):
                with trio.move_on_after(0):
                    assert await mailbox.receive() is None
                async with trio.open_nursery() as nursery:
                    with trio.CancelScope() as scope:
                        nursery.start_soon(mailbox.receive)
                        await trio.testing.wait_all_tasks_blocked()
                        scope.cancel()
                    nursery.cancel_scope.cancel()  # this waits for the thread, which the mailbox wakes
                threading.Timer(0.01, mailbox.post, (number,)).start()
                assert await mailbox.receive() == number

    run_trio(main)
