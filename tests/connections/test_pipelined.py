"""Octets that were received before a pipelined request was sent are not its response (SECURITY.md)."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

import mint
from mint import Processed, errors

from . import test_idle
from .test_idle import FIRST, STRAY, EventLoop, Kind, opened

loop, kind = test_idle.loop, test_idle.kind


@pytest.mark.parametrize("before", range(len(FIRST + STRAY) + 1))
def test_pipelined_responses_in_every_split(before: int) -> None:
    octets = FIRST + STRAY
    link = mint.transport.Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="a", identity=1)
    conn, one = conn.request("GET", "/1")
    link.put(octets[:before])
    if before > len(FIRST):
        with pytest.raises(errors.UnexpectedData) as caught:
            conn.recv()
        assert mint.Done(one) in caught.value.responses
        assert caught.value.processed is Processed.NO
        conn = conn.after(caught.value)
        link.take()
        with pytest.raises(errors.Closed) as again:
            conn.request("GET", "/2")
        assert again.value.processed is Processed.NO
        assert link.take() == b""
        return
    conn, got = conn.recv() if before else (conn, [])
    conn, two = conn.request("GET", "/2")
    link.put(octets[before:])
    conn, more = conn.recv()
    data = [each for each in [*got, *more] if isinstance(each, mint.Data)]
    content = {ref: b"".join(each.data for each in data if each.ref == ref) for ref in (one, two)}
    assert content == {one: b"first", two: b"stray!"}


@pytest.mark.parametrize("cut", [0, 5, len(FIRST) - 1, len(FIRST)])
def test_octets_that_were_received_answer_no_later_request(loop: EventLoop, kind: Kind, cut: int) -> None:
    async def scenario() -> None:
        with ExitStack() as stack:
            conn, far = await opened(loop, kind, stack)
            conn, ref = conn.request("GET", "/1")
            got: list[mint.Response] = []
            if 0 < cut < len(FIRST):
                far.say(FIRST[:cut])
                conn, got = await loop.receive(conn)
            far.sent()
            far.say((FIRST + STRAY)[cut if cut < len(FIRST) else 0 :])
            with pytest.raises(errors.UnexpectedData) as caught:
                while True:
                    conn, more = await loop.receive(conn)
                    got += more
            got += caught.value.responses
            assert mint.Done(ref) in got
            assert all(getattr(each, "ref", ref) == ref for each in got)
            conn = conn.after(caught.value)
            with pytest.raises(errors.Closed) as again:
                conn.request("POST", "/2")
            assert again.value.processed is Processed.NO
            if kind in {"plain", "HTTP/1 tunnel"}:
                assert far.sent() == b""

    loop.run(scenario)


def test_octets_that_were_not_received_answer_requests_in_order(loop: EventLoop, kind: Kind) -> None:
    """They may be a response to an open request, so nothing is checked before another one is sent."""

    async def scenario() -> None:
        with ExitStack() as stack:
            conn, far = await opened(loop, kind, stack)
            conn, one = conn.request("GET", "/1")
            far.say(FIRST + STRAY)
            await loop.turn()
            conn, two = conn.request("GET", "/2")
            got: list[mint.Response] = []
            while conn.open_request_count:
                conn, more = await loop.receive(conn)
                got += more
            assert [each for each in got if isinstance(each, mint.Data)] == [
                mint.Data(one, b"first"),
                mint.Data(two, b"stray!"),
            ]

    loop.run(scenario)
