"""Requests of the asynchronous pools that are cancelled wherever they wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import mint
from mint.testing import Origin, Request, Response

from ..cancelling import cancelled_at
from .pools import Client, LoopName, play

if TYPE_CHECKING:
    from collections.abc import Iterator

TCP = mint.TCPOptions(send_buffer=4_096, high_water=8_192)
"""The body of a request has to wait for the server many times."""
SIZE = 200_000
MOST = 30
WHEN = [("asyncio", False), ("asyncio", True), ("uvloop", False), ("uvloop", True), ("trio", False)]
"""The event loops, and whether the cancellation comes after what it would interrupt, which trio prevents."""
BODIES = {"none": 0, "whole": SIZE, "pieces": SIZE}


def serve(request: Request) -> Response:
    return Response(200, (), request.body.read()[::-1])


def pieces() -> Iterator[bytes]:
    for _ in range(4):
        yield bytes(SIZE // 4)


def body_of(kind: str) -> Any:  # bytes or an iterator
    return {"none": None, "whole": bytes(SIZE), "pieces": pieces()}[kind]


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize(("loop", "late"), WHEN)
def test_a_request_is_cancelled_at_any_suspension(
    loop: LoopName, late: bool, protocol: str, kind: str
) -> None:
    """A cancellation ends the request, is never swallowed, and leaves the pool usable."""

    async def scenario(client: Client) -> None:
        url = f"http://127.0.0.1:{origin.port}/"
        ended = 0
        for number in range(1, MOST):
            _, answers = await cancelled_at(
                loop, client.pool.request("POST", url, body=body_of(kind)), number, late=late
            )
            assert [len(each.content) for each in answers] in ([], [BODIES[kind]])
            found = client.pool.statistics
            assert (found.active, found.waiting) == (0, 0)
            answer = await client.pool.request("POST", url, body=b"abc")
            assert answer.content == b"cba"
            ended += len(answers)
            if ended == 2:
                break

    with Origin(serve) as origin:
        play(loop, scenario, tcp=TCP, protocols=(protocol,))
