"""The thread that waits for the connection of tunnels: what wakes it, and what it may rely on meanwhile."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import mint
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
