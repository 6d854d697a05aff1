"""Threads that use tunnels through one connection, of which one reads for all: no wake-up is lost."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING

import pytest

import mint
import mint.http2
from mint.testing import Origin, Request, Response

from ..routes import HTTPProxy
from ..tls import server_context, trusting

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("size", [0, 1_000_000], ids=["receiving", "sending"])
def test_a_thread_does_not_wait_for_octets_that_another_has_read(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread releases the lock before it waits for the socket, and another thread may read first."""
    faster = 0
    waited_for = threading.Event()

    def serve(request: Request) -> Response:
        assert waited_for.wait(10)
        return Response(200, (), b"%d" % len(request.body.read()))

    with (
        Origin(serve) as origin,
        Origin(HTTPProxy(), tls=server_context(alpn=("h2",))) as server,
        mint.Tunnels(mint.http2.connect("https", server.address, server.port, tls=trusting())) as tunnels,
    ):
        read_once = tunnels._read_once

        def overtaken(until: float | None, enough: Callable[[], bool], go_on: Callable[[], bool]) -> bool:
            nonlocal faster
            waited_for.set()
            while not enough():
                assert read_once(monotonic() + 10, lambda: False, go_on)
                faster += 1
            return read_once(monotonic(), enough, go_on)

        conn = tunnels.connect(
            "http", "127.0.0.1", origin.port, protocols=("http1",), tcp=mint.TCPOptions(high_water=1)
        )
        monkeypatch.setattr(tunnels, "_read_once", overtaken)
        conn, _ = conn.request("POST", "/", body=bytes(size))
        content = b""
        while conn.open_request_count:
            conn, responses = conn.recv(timeout=10)
            content += b"".join(each.data for each in responses if isinstance(each, mint.Data))
        assert content == b"%d" % size
        assert faster
        conn.close()
