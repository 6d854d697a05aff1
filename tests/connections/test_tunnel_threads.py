"""The thread that waits for the connection of tunnels: what wakes it, and what it may rely on meanwhile."""

from __future__ import annotations

import threading
from time import monotonic
from types import SimpleNamespace

import pytest

import mint
from mint import errors
from mint._connections import tunnels as module
from mint._loops.lock_event import LockEvent
from mint.testing import frames as f
from mint.transport import Memory


def idle() -> mint.Tunnels:
    link = Memory()
    return mint.Tunnels(mint.http2.initiate(link, scheme="http", hostname="proxy.example", port=80))


def was_rung(tunnels: mint.Tunnels) -> bool:
    try:
        return bool(tunnels._wake_receiver.recv(10))
    except BlockingIOError:
        return False


@pytest.mark.parametrize("waits", [False, True])
def test_closing_wakes_the_thread_that_waits_and_leaves_it_its_bell(waits: bool) -> None:
    """It polls the descriptor, whose number must not become that of another socket meanwhile."""
    tunnels = idle()
    tunnels._reading = waits
    tunnels.close()
    assert (tunnels._wake_receiver.fileno() >= 0) is waits
    assert not waits or was_rung(tunnels)
    tunnels._reading = False
    tunnels.close()
    assert tunnels._wake_receiver.fileno() == -1


class Piece:
    """A tunnel that takes everything."""

    ref = mint.RequestRef(1, 1)

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    def write(self, octets: bytes) -> None:
        self.taken.append(octets)

    def give_up(self) -> None:
        raise AssertionError


@pytest.mark.parametrize("unsent", [0, 1, 1000])
@pytest.mark.parametrize("room", [None, 0, 10])
def test_the_thread_that_waits_writes_what_is_left(
    unsent: int, room: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tunnels, tunnel = idle(), Piece()
    connection = tunnels._connection
    monkeypatch.setattr(tunnels, "room", lambda ref: room)
    monkeypatch.setattr(tunnels, "_connection", SimpleNamespace(transport=SimpleNamespace(unsent=unsent)))
    tunnels._reading = True
    assert tunnels.pump(tunnel, b"abc") is (room is not None)  # type: ignore[arg-type]  # a fake
    assert tunnel.taken == [b"abc"]
    assert was_rung(tunnels) is (unsent > 0 and room is not None)
    tunnels._reading = False
    monkeypatch.setattr(tunnels, "_connection", connection)
    tunnels.close()


def test_a_thread_sleeps_while_another_one_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not ask again and again whether something has arrived."""
    sleeps = threading.Event()

    class Noted(LockEvent):
        def wait(self, timeout: float | None) -> bool:
            sleeps.set()
            return super().wait(timeout)

    monkeypatch.setattr(module, "LockEvent", Noted)
    tunnels = idle()
    tunnels._reading = True
    thread = threading.Thread(target=tunnels.wait, args=(None, "receiving", lambda: False))
    thread.start()
    while not sleeps.wait(0.01):
        assert thread.is_alive(), "it did not wait"
    tunnels._stop_reading()
    thread.join()
    assert not tunnels._waiting
    tunnels._reading = False
    tunnels.close()


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("enough", [False, True])
@pytest.mark.parametrize("limit", [None, 0.0, 1_000.0])
def test_time_also_ends_while_something_arrives(
    limit: float | None, enough: bool, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that sends without pause must not keep a thread in `wait` beyond its time limit."""
    link = Memory(reads=True)
    with mint.Tunnels(mint.http2.initiate(link, scheme="http", hostname="proxy.example")) as tunnels:

        def read_once(*_: object) -> bool:
            link.put(f.serialize([f.settings(), f.ping()]))
            assert tunnels._take_now()
            return True

        if waits:
            monkeypatch.setattr(tunnels, "_read_once", read_once)
        else:
            link.put(f.serialize([f.settings(), f.ping()]))
        asked = 0

        def is_enough() -> bool:
            nonlocal asked
            asked += 1
            return enough and asked > 1  # after what has arrived was read

        until = None if limit is None else monotonic() + limit
        if limit == 0.0 and not enough:
            with pytest.raises(errors.TransportTimeout, match="receiving"):
                tunnels.wait(until, "receiving", is_enough)
        else:
            tunnels.wait(until, "receiving", is_enough)
        assert tunnels.connection.settings_received
