"""What a server of TLS sends after its handshake, such as session tickets, is no answer without a request."""

from __future__ import annotations

import select

import mint
import mint.http2
from mint.testing import Origin, Request, Response

from ..event_loops import fed
from ..routes import HTTPProxy
from ..tls import server_context, trusting


def serve(_: Request) -> Response:
    return Response(200, (), b"hello")


def test_tickets_that_a_mailbox_has_not_delivered_do_not_prevent_a_request() -> None:
    with (
        Origin(serve, tls=server_context()) as origin,
        Origin(HTTPProxy(), tls=server_context(alpn=("h2",))) as server,
        mint.Mailbox() as mailbox,
        mint.Tunnels(mint.http2.connect("https", server.address, server.port, tls=trusting())) as tunnels,
    ):
        conn: mint.Connection = tunnels.connect(
            "https", "localhost", origin.port, protocols=("http1",), tls=trusting()
        )
        tunnels.set_mode("active", mailbox)
        conn = conn.set_mode("active", mailbox)
        socket = tunnels.wire.socket
        assert socket is not None
        assert select.select([socket], [], [], 10)[0]
        conn, _ = conn.request("GET", "/")
        content = b""
        while conn.open_request_count:
            message = mailbox.receive(timeout=10)
            if tunnels.stream(message) is mint.UNKNOWN:
                conn, responses = fed(conn, message)
                content += b"".join(each.data for each in responses if isinstance(each, mint.Data))
        assert content == b"hello"
        conn.close()
