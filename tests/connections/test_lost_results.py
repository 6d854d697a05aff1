"""Tunnels that lose the result of an operation on the proxy's connection report that everything is closed."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint.testing import Forever, ScriptedServer, Wait, http2
from mint.testing.frames import headers, ping

if TYPE_CHECKING:
    from collections.abc import Callable

OPEN = ((":status", "200"),)


class Interrupt(BaseException):
    """What a signal handler raises."""


def lose(patch: pytest.MonkeyPatch, name: str) -> None:
    """Lose the result of the next operation with this name on a connection over HTTP/2 that succeeds."""
    original: Callable[..., object] = getattr(mint.HTTP2, name)

    def lost(*args: object, **kwargs: object) -> None:
        original(*args, **kwargs)
        patch.setattr(mint.HTTP2, name, original)
        raise Interrupt

    patch.setattr(mint.HTTP2, name, lost)


def use(name: str, tunnels: mint.Tunnels, tunnel: mint.Connection, mailbox: mint.Mailbox, ask: Event) -> None:
    """Do what calls this operation on the connection to the proxy."""
    match name:
        case "set_mode":
            tunnels.set_mode("active", mailbox)
        case "stream":
            tunnels.set_mode("active", mailbox)
            ask.set()
            while not tunnels.stream(mailbox.receive(10)):
                pass
        case "recv":
            ask.set()
            tunnel.recv(timeout=10)
        case "cancel_request":
            tunnel.close()
        case "request":
            tunnels.connect("http", "two.example", 80, protocols=("http1",))
        case _:
            tunnel.request("GET", "/")


@pytest.mark.parametrize(
    "name", ["set_mode", "stream", "recv", "request", "stream_request_body", "cancel_request"]
)
def test_everything_is_closed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operation may have sent or received something, so nobody knows where the tunnels are."""
    ask = Event()
    script = [
        *http2.handshake(),
        *(http2.ExpectHeaders(1), http2.send(headers(1, OPEN))),
        *(Wait(ask), http2.send(ping(b"12345678")), Forever()),
    ]
    with ScriptedServer(script) as server, mint.Mailbox() as mailbox:
        tunnels = mint.Tunnels(mint.http2.connect("http", server.address, server.port))
        tunnel = tunnels.connect("http", "one.example", 80, protocols=("http1",))
        lose(monkeypatch, name)
        with pytest.raises(Interrupt):
            use(name, tunnels, tunnel, mailbox, ask)
        ask.set()
        assert not tunnels.connection.is_open("read")
        with pytest.raises(errors.Closed):
            tunnels.connection.request("GET", "/")  # this value is the newest
        tunnels.set_mode("passive")
        with pytest.raises(errors.Closed):
            tunnels.connect("http", "two.example", 80, protocols=("http1",))
        tunnels.close()
