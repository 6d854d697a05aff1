"""A proxy that reads nothing: one tunnel's upload waits, and the others are not affected."""

from __future__ import annotations

import threading

import pytest

import mint
from mint import TCPOptions, errors
from mint.testing import Drain, ScriptedServer, Wait, http2
from mint.testing.frames import Setting, data, headers, window_update

from ..event_loops import PAGE

OPEN = ((":status", "200"),)
WINDOW = 2**30
BIG = 30_000_000


def test_an_upload_ends_in_its_own_time() -> None:
    """The limit is that of the tunnel, and only this tunnel is closed."""
    read = threading.Event()
    script = [
        *http2.handshake((Setting.INITIAL_WINDOW_SIZE, WINDOW)),
        http2.send(window_update(0, WINDOW)),
        *(http2.ExpectHeaders(1), http2.send(headers(1, OPEN))),
        *(http2.ExpectHeaders(3), http2.send(headers(3, OPEN))),
        *(Wait(read), http2.send(data(3, PAGE)), Drain()),
    ]
    with ScriptedServer(script) as server:
        tcp = TCPOptions(send_timeout=None, send_buffer=20_000)
        tunnels = mint.Tunnels(mint.http2.connect("http", server.address, server.port, tcp=tcp))
        one, two = (
            tunnels.connect(
                "http", "one.example", 80, protocols=("http1",), tcp=TCPOptions(send_timeout=limit)
            )
            for limit in (0.05, None)
        )
        with pytest.raises(errors.TransportTimeout):
            one.request("POST", "/", (), bytes(BIG))
        assert one.transport.closed
        assert not two.transport.closed
        two, ref = two.request("GET", "/")
        read.set()
        responses: list[mint.Response] = []
        while two.open_request_count:
            two, received = two.recv()
            responses += received
        assert mint.Done(ref) in responses
        tunnels.close()
