"""The limits of tunnels exactly, and responses for several tunnels in one read."""

from __future__ import annotations

import gc
import socket
from typing import TYPE_CHECKING

import pytest

import mint
from mint import TCPOptions, errors
from mint._connections import tunnels as blocking
from mint._connections import tunnels_base
from mint._core.http2 import Config
from mint._loops.system import POLLIN, POLLOUT
from mint._wire.stream import StreamLayer
from mint.testing.frames import Frame, data, headers, serialize, settings
from mint.transport import Memory, SocketLink

from ..inboxes import Box

if TYPE_CHECKING:
    from mint._loops.shared import TunnelLink

OPEN = ((":status", "200"),)


class Proxy:
    """Tunnels over memory; `say` plays the proxy."""

    def __init__(self, wire: Memory | None = None) -> None:
        self.wire = wire or Memory()
        self.tunnels = mint.Tunnels(
            mint.http2.initiate(
                self.wire,
                scheme="http",
                hostname="proxy.example",
                port=80,
                http2=mint.HTTP2Options(optional_responses=("settings",)),
            )
        )
        self.say(settings())

    def say(self, *frames: Frame) -> None:
        """Let these frames arrive in one read."""
        self.wire.put(serialize(frames))
        self.tunnels.look()

    def ask(self) -> TunnelLink:
        """Return the link of one more tunnel, which the proxy has not opened yet."""
        return self.tunnels._ask("one.example:80", TCPOptions())


def test_a_window_is_refilled_up_to_a_limit_and_again_from_its_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnels_base, "MOST_HELD", 10)
    proxy = Proxy()
    with proxy.tunnels as tunnels:
        link = proxy.ask()
        tunnel = link.tunnel
        proxy.say(headers(1, OPEN))
        for size in (5, 1, 4):
            proxy.say(data(1, bytes(size)))
        assert tunnel.held == 10
        assert tunnels.is_refilled(tunnel)
        proxy.say(data(1, b"x"))
        assert not tunnels.is_refilled(tunnel)
        for held, refilled in ((6, False), (5, True), (1, True)):
            assert tunnels.read(tunnel)
            assert (tunnel.held, tunnels.is_refilled(tunnel)) == (held, refilled)


@pytest.mark.parametrize("before", ["an event of the connection", "an answer", "data"])
def test_what_follows_in_the_same_read_reaches_its_tunnel(before: str) -> None:
    """If something precedes it that is for no tunnel, or for one whose link was dropped."""
    proxy = Proxy()
    with proxy.tunnels as tunnels:
        dropped, kept = proxy.ask(), proxy.ask()
        proxy.say(headers(3, OPEN))
        if before == "data":
            proxy.say(headers(1, OPEN))
        del dropped
        gc.collect()
        frames = {
            "an event of the connection": settings((99, 1)),
            "an answer": headers(1, OPEN),
            "data": data(1, b"lost"),
        }
        proxy.say(frames[before], data(3, b"kept"))
        assert tunnels.read(kept.tunnel) == b"kept"


def test_when_a_tunnel_can_still_be_written() -> None:
    proxy = Proxy()
    with proxy.tunnels:
        one, two, three = (proxy.ask() for _ in range(3))
        proxy.say(*(headers(stream, OPEN) for stream in (1, 3, 5)))
        assert all(each.is_writable for each in (one, two, three))
        one.fail_writing()
        two.close()
        assert [each.is_writable for each in (one, two, three)] == [False, False, True]
        proxy.wire.fail_writing()
        assert not three.is_writable


@pytest.mark.parametrize(("until", "late"), [(None, False), (4.0, True), (5.0, True), (6.0, False)])
def test_the_time_is_up_at_its_limit(
    until: float | None, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocking, "monotonic", lambda: 5.0)
    mint.Tunnels._in_time(until, "opening", lambda: True)
    if late:
        with pytest.raises(errors.TransportTimeout, match="opening"):
            mint.Tunnels._in_time(until, "opening", lambda: False)
    else:
        mint.Tunnels._in_time(until, "opening", lambda: False)


def test_what_is_waited_for() -> None:
    """Room only if something is unsent. Beside a mailbox, an end would be reported again and again."""
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 10_000)
    with far:
        wire = SocketLink(near, TCPOptions())
        with mint.Tunnels(mint.http2.initiate(wire, scheme="http", hostname="proxy.example")) as tunnels:
            assert tunnels._awaited() == POLLIN
            wire.queue_pieces((bytes(1_000_000),))
            assert tunnels._awaited() == POLLIN | POLLOUT
            tunnels.set_mode("active", Box())
            assert not tunnels._flush_now()
            assert tunnels._awaited() == POLLIN | POLLOUT
            far.shutdown(socket.SHUT_WR)
            assert not tunnels._flush_now()
            assert tunnels._awaited() == POLLOUT
            tunnels.set_mode("passive")
            assert tunnels._awaited() == POLLIN | POLLOUT


@pytest.mark.parametrize("mode", ["passive", "active"])
def test_an_upload_that_waits_for_a_window_does_not_wait_for_room(mode: str) -> None:
    """The proxy is reached through the tunnel of another one."""
    near, far = socket.socketpair()
    with far:
        config = Config("outer.example", port=80, scheme="http", identity=0, user_agent="x")
        layer = StreamLayer(config, "proxy.example:80", ())
        far.sendall(serialize([settings(), headers(1, OPEN)]))
        wire = SocketLink(near, TCPOptions(), (layer,))
        with mint.Tunnels(mint.http2.initiate(wire, scheme="http", hostname="proxy.example")) as tunnels:
            if mode == "active":
                tunnels.set_mode("active", Box())
            wire.queue_pieces((bytes(100_000),))
            assert not tunnels._flush_now()
            assert wire.unsent
            assert tunnels._awaited() == POLLIN


@pytest.mark.parametrize(
    "error", [None, errors.TransportTimeout("x"), errors.TransportReset(), errors.StaleConnectionError()]
)
def test_a_flush_that_fails_while_a_mailbox_reads(error: errors.MintError | None) -> None:
    """Only a time limit is an error of the flush. Any other ends the tunnels, and their links report it.

    If it does not fail although something is left, something must be received first.
    """

    class Failing(SocketLink):
        def flush(self, timeout: float | None) -> None:
            asked.append(timeout)
            if error is not None:
                raise error

    asked: list[float | None] = []
    near, far = socket.socketpair()
    with far:
        wire = Failing(near, TCPOptions())
        connection = mint.http2.initiate(wire, scheme="http", hostname="proxy.example", port=80)
        far.sendall(serialize([settings()]))
        with mint.Tunnels(connection) as tunnels:
            tunnels.look()
            link = tunnels._ask("one.example:80", TCPOptions())
            far.sendall(serialize([headers(1, OPEN)]))
            tunnels.look()
            tunnels.set_mode("active", Box())
            tunnels.flush_wire(0, lambda: False)
            assert asked == []  # nothing is queued
            wire.queue_pieces((b"x",))
            tunnels.flush_wire(0, lambda: True)
            assert asked == []
            if isinstance(error, errors.TransportTimeout):
                far.sendall(b"x")  # the socket is ready
                with pytest.raises(errors.TransportTimeout, match="sending"):
                    tunnels.flush_wire(0, lambda: False)
            else:
                tunnels.flush_wire(0, lambda: False)
            assert asked
            assert not any(asked)
            assert link.tunnel.over is isinstance(error, (errors.TransportReset, errors.StaleConnectionError))


@pytest.mark.parametrize("until", [4.0, 5.0])
def test_waiting_for_the_thread_that_reads_ends_with_the_time(
    until: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocking, "monotonic", lambda: 5.0)
    with Proxy().tunnels as tunnels:
        tunnels._reading = True
        with pytest.raises(errors.TransportTimeout, match="receiving"):
            tunnels.wait(until, "receiving", lambda: False)
        assert not tunnels._waiting
        tunnels._reading = False
