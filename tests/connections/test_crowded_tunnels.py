"""A proxy that reads nothing or little: one tunnel's upload waits, and the others are not affected."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any  # arguments are passed through

import pytest

import mint
from mint import TCPOptions, errors
from mint._connections import tunnels as blocking
from mint._wire.pipe import AHEAD
from mint.testing import Drain, ExpectUntil, ScriptedServer, Wait, http2
from mint.testing.frames import Setting, data, headers, window_update

from ..event_loops import PAGE, fed

if TYPE_CHECKING:
    from mint.testing import Step

OPEN = ((":status", "200"),)
WINDOW = 2**30
BIG = 5_000_000


def opening(*then: Step) -> list[Step]:
    """Return a script of a proxy that opens two tunnels and has large windows."""
    return [
        *http2.handshake((Setting.INITIAL_WINDOW_SIZE, WINDOW)),
        http2.send(window_update(0, WINDOW)),
        *(http2.ExpectHeaders(1), http2.send(headers(1, OPEN))),
        *(http2.ExpectHeaders(3), http2.send(headers(3, OPEN))),
        *then,
    ]


def opened(tunnels: mint.Tunnels, *limits: float | None) -> list[mint.Connection]:
    """Open a tunnel with each of these limits for sending."""
    return [
        tunnels.connect("http", "one.example", 80, protocols=("http1",), tcp=TCPOptions(send_timeout=limit))
        for limit in limits
    ]


@pytest.mark.parametrize("high_water", [1, 65_536, 1_048_576])
@pytest.mark.parametrize("mode", ["passive", "active"])
def test_an_upload_ends_in_its_own_time(mode: str, high_water: int) -> None:
    """The limit is that of the tunnel, and only this tunnel is closed."""
    read = threading.Event()
    with (
        ScriptedServer(
            opening(Wait(read), ExpectUntil(b"GET / "), http2.send(data(3, PAGE)), Drain())
        ) as server,
        mint.Mailbox() as mailbox,
    ):
        tcp = TCPOptions(send_timeout=1, send_buffer=20_000, high_water=high_water)
        tunnels = mint.Tunnels(mint.http2.connect("http", server.address, server.port, tcp=tcp))
        one, two = opened(tunnels, 0.05, None)
        if mode == "active":
            tunnels.set_mode("active", mailbox)
            one, two = (each.set_mode("active", mailbox) for each in (one, two))
        with pytest.raises(errors.TransportTimeout):
            one.request("POST", "/", (), bytes(BIG))
        assert one.transport.closed
        assert not two.transport.closed
        assert tunnels.wire.unsent < high_water + 2 * AHEAD
        if mode == "active":
            read.set()  # there, the request waits
        two, ref = two.request("GET", "/")
        read.set()
        responses: list[mint.Response] = []
        while two.open_request_count:
            if mode == "passive":
                two, received = two.recv()
                responses += received
                continue
            message = mailbox.receive(10)
            if tunnels.stream(message) is mint.UNKNOWN and two.owns(message):
                two, received = fed(two, message)
                responses += received
        assert mint.Done(ref) in responses
        tunnels.close()


@pytest.mark.parametrize("mode", ["passive", "active"])
def test_time_starts_again_when_the_proxy_takes_something(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have taken it from another tunnel, or too little for this one to go on."""
    over = threading.Event()
    with ScriptedServer(opening(Wait(over), Drain())) as server, mint.Mailbox() as mailbox:
        tcp = TCPOptions(send_timeout=None, send_buffer=20_000)
        tunnels = mint.Tunnels(mint.http2.connect("http", server.address, server.port, tcp=tcp))
        one, _ = opened(tunnels, 10, 10)
        if mode == "active":
            tunnels.set_mode("active", mailbox)
            one = one.set_mode("active", mailbox)
        waits: list[float] = []

        def wait(_: object, until: float, *__: object) -> None:
            waits.append(until)
            raise errors.TransportTimeout("sending")

        def taken(_: object) -> int:
            return min(len(waits), 3)

        monkeypatch.setattr(mint.Tunnels, "wait" if mode == "passive" else "write_beside_mailbox", wait)
        monkeypatch.setattr(mint.Tunnels, "taken", property(taken))
        with pytest.raises(errors.TransportTimeout):
            one.request("POST", "/", (), bytes(BIG))
        assert len(waits) == 4
        assert waits == sorted(waits)
        tunnels.close()
        over.set()


def test_a_flush_beside_a_mailbox_does_not_hold_up_other_tunnels(monkeypatch: pytest.MonkeyPatch) -> None:
    read = threading.Event()
    with ScriptedServer(opening(Wait(read), Drain())) as server, mint.Mailbox() as mailbox:
        tcp = TCPOptions(send_buffer=20_000, high_water=2 * BIG)
        tunnels = mint.Tunnels(mint.http2.connect("http", server.address, server.port, tcp=tcp))
        one, two = opened(tunnels, None, None)
        tunnels.set_mode("active", mailbox)
        one, two = (each.set_mode("active", mailbox) for each in (one, two))
        one, _ = one.request("POST", "/", (), bytes(BIG))
        waiting = blocking._ready

        def ready(*arguments: Any) -> bool:
            if not two.transport.closed:
                other = threading.Thread(target=two.close)
                other.start()
                other.join(10)
                assert not other.is_alive()
            read.set()
            return waiting(*arguments)

        monkeypatch.setattr(blocking, "_ready", ready)
        one = one.flush()
        assert two.transport.closed
        assert not tunnels.wire.unsent
        tunnels.close()
