"""What a tunnel sends while much is queued for the proxy, and how long it waits."""

from __future__ import annotations

import socket
from typing import Self

import pytest

import mint
from mint import TCPOptions, errors
from mint._connections import tunnels as blocking
from mint._loops import shared_connection
from mint.testing.frames import headers, serialize, settings, window_update
from mint.transport import SocketLink

from ..inboxes import Box

OPEN = ((":status", "200"),)


class Busy:
    """Tunnels over a socket whose peer reads nothing, with one open tunnel, beside a mailbox."""

    def __init__(self, tcp: TCPOptions) -> None:
        near, self.far = socket.socketpair()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 10_000)
        self.wire = SocketLink(near, tcp)
        connection = mint.http2.initiate(self.wire, scheme="http", hostname="proxy.example", port=80)
        self.far.sendall(serialize([settings()]))
        self.tunnels = mint.Tunnels(connection)
        self.tunnels.look()
        self.link = self.tunnels._ask("one.example:80", TCPOptions())
        self.far.sendall(serialize([headers(1, OPEN)]))
        self.tunnels.look()
        self.tunnels.set_mode("active", Box())
        self.wire.queue_pieces((bytes(1_000_000),))
        assert not self.tunnels._flush_now()
        assert self.tunnels.is_crowded

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.tunnels.close()
        self.far.close()


def test_a_mailbox_passes_on_what_the_windows_allow_although_much_is_queued() -> None:
    """Nothing else would: when the proxy accepts what is queued, the mailbox does not look at tunnels."""
    with Busy(TCPOptions(high_water=1)) as busy:
        busy.link.queue_pieces((bytes(100_000),))
        busy.link.write_waiting()
        assert busy.link.unsent == 100_000 - 65_535


def test_what_must_be_received_first_does_not_hold_back_an_upload_beside_a_mailbox() -> None:
    """The mailbox writes what the connection has queued; it would not look for it in the tunnel."""
    with Busy(TCPOptions(high_water=1, max_read_ahead=1)) as busy:
        busy.far.sendall(serialize([settings()]))
        busy.link.send((bytes(100_000),), flush=True)
        assert busy.link.unsent == 100_000 - 65_535


@pytest.mark.parametrize("mode", ["passive", "active"])
def test_a_tunnel_that_an_exception_has_broken_does_not_wait(mode: str) -> None:
    with Busy(TCPOptions(high_water=1)) as busy:
        if mode == "passive":
            busy.tunnels.set_mode("passive")
        busy.link.queue_pieces((bytes(100_000),))
        busy.link.high_water = 1
        busy.link.tunnel.give_up()
        with pytest.raises(errors.TransportClosed):
            busy.link._transmit(wait=True)


def test_a_window_that_opens_starts_the_time_of_an_upload_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is reading, although the proxy accepts nothing at the moment."""
    now = 100.0
    limits: list[float | None] = []

    def wait(_: object, until: float | None, *__: object) -> None:
        nonlocal now
        now += 1
        limits.append(until)
        if len(limits) > 1:
            raise errors.TransportTimeout("sending")
        busy.far.sendall(serialize([window_update(1, 10), window_update(0, 10)]))
        busy.tunnels.look()

    with Busy(TCPOptions(high_water=1)) as busy:
        busy.tunnels.set_mode("passive")
        busy.tunnels._high_water = 10_000_000
        busy.link.queue_pieces((bytes(100_000),))
        busy.link.write_waiting()
        monkeypatch.setattr(shared_connection, "monotonic", lambda: now)
        monkeypatch.setattr(mint.Tunnels, "wait", wait)
        with pytest.raises(errors.TransportTimeout):
            busy.link._drain(0, 5, each=True)
    assert limits == [105, 106]


@pytest.mark.parametrize(("queued", "room"), [(0, True), (10, True), (11, False)])
def test_there_is_no_room_while_much_is_queued(queued: int, room: bool) -> None:
    near, far = socket.socketpair()
    with far:
        wire = SocketLink(near, TCPOptions(high_water=20))
        with mint.Tunnels(mint.http2.initiate(wire, scheme="http", hostname="proxy.example")) as tunnels:
            far.sendall(serialize([settings()]))
            tunnels.look()
            link = tunnels._ask("one.example:80", TCPOptions())
            wire.queue_pieces((bytes(queued),))
            assert bool(tunnels.room(link.tunnel.ref)) is room
            assert not tunnels.is_crowded
            wire.queue_pieces((bytes(20 - queued),))
            assert not tunnels.is_crowded
            wire.queue_pieces((b"x",))
            assert tunnels.is_crowded


@pytest.mark.parametrize("is_ready", [False, True])
@pytest.mark.parametrize("is_enough", [False, True])
def test_what_follows_a_wait(is_ready: bool, is_enough: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may have done meanwhile what this one waited for."""
    asked, went_on = 0, False

    def enough() -> bool:
        nonlocal asked
        asked += 1
        return is_enough and asked > 1

    def go_on() -> bool:
        nonlocal went_on
        went_on = True
        return True

    monkeypatch.setattr(blocking, "_ready", lambda *_: is_ready)
    near, far = socket.socketpair()
    with far:
        wire = SocketLink(near, TCPOptions())
        with mint.Tunnels(mint.http2.initiate(wire, scheme="http", hostname="proxy.example")) as tunnels:
            assert tunnels._read_once(None, enough, go_on) is is_ready
    assert went_on is (is_ready and not is_enough)
