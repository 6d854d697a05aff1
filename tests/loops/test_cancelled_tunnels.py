"""Tunnels that are cancelled while they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mint.testing import Origin

from ..cancelling import cancelled_at
from ..event_loops import no_socket_left
from ..routes import HTTPProxy
from ..tls import server_context, trusting
from .test_tunnels import KINDS, answered, open_tunnels, serve

if TYPE_CHECKING:
    import mint

WHEN = [("asyncio", False), ("asyncio", True), ("uvloop", False), ("uvloop", True), ("trio", False)]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(("name", "late"), WHEN)
def test_a_tunnel_that_is_cancelled_at_any_suspension_leaves_nothing(
    name: str, late: bool, scheme: mint.types.Scheme
) -> None:
    """Its stream is cancelled, and the other tunnels continue."""
    kind = KINDS[name]

    async def main(origin: Origin, server: Origin) -> None:
        async def opened() -> mint.Connection:
            made: mint.Connection = await tunnels.connect(
                *(scheme, "127.0.0.1", origin.port), tls=trusting(), protocols=("http1",), mailbox=mailbox
            )
            return made

        with await open_tunnels(kind, server) as tunnels, kind.module.Mailbox() as mailbox:
            other = await opened()
            number, ended = 0, 0
            while ended < 2:
                number += 1
                reached, made = await cancelled_at(name, opened(), number, late=late)
                for conn in made:
                    conn.close()
                ended += not reached
                assert len(tunnels._links) == tunnels.connection.open_request_count == 1
                other, _ = other.request("POST", "/", body=b"abc")
                other, body = await answered(other, mailbox)
                assert body == b"cba"
            assert number >= 3
            other.close()

    context = server_context(alpn=("h2", "http/1.1")) if scheme == "https" else None
    with (
        no_socket_left(),
        Origin(serve, tls=context) as origin,
        Origin(HTTPProxy(), tls=server_context(alpn=("h2",))) as server,
    ):
        kind.run(main(origin, server))
