"""Timeouts of single calls of a streamed answer, and the calls of a trace function, with a blocking pool.

tests/httpx/test_extensions.py tests both with every event loop.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any  # wrong arguments are passed, which the types forbid

import pytest

import mint.pool
from mint import errors
from mint.testing import Close, Do, Origin, Request, Response, ScriptedServer, Send, request

if TYPE_CHECKING:
    from mint.types import ProtocolName

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


def test_the_timeout_of_a_call_replaces_those_of_the_request() -> None:
    go = threading.Event()
    wait = Do(lambda _peer: go.wait(30))
    with (
        ScriptedServer((request(), Send(HEAD), wait, Send(b"late"), Close())) as server,
        mint.pool.Pool(timeout=2) as pool,
        pool.stream("GET", f"http://127.0.0.1:{server.port}/") as streamed,
    ):
        for limit in (0.01, 0.05):
            with pytest.raises(errors.TransportTimeout):
                streamed.receive(timeout=limit)
        with pytest.raises(errors.TransportTimeout):
            streamed.receive()  # with the timeout of the request
        go.set()
        assert streamed.receive(timeout=None) == b"late"
        assert streamed.receive(timeout=30) is None


@pytest.mark.parametrize("wrong", [float("nan"), -2, "1", True])
def test_invalid_timeouts_are_refused(wrong: Any) -> None:
    with (
        ScriptedServer((request(), Send(HEAD + b"done"), Close())) as server,
        mint.pool.Pool() as pool,
        pool.stream("GET", f"http://127.0.0.1:{server.port}/") as streamed,
    ):
        with pytest.raises(ValueError, match="timeout"):
            streamed.receive(timeout=wrong)
        assert streamed.read() == b"done"


def echo(received: Request) -> Response:
    return Response(200, (), received.body.read())


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("body", [None, b"x", (b"x", b"y")])
def test_the_phases_of_a_request(protocol: ProtocolName, body: Any) -> None:
    calls: list[tuple[str, dict[str, object]]] = []
    with Origin(echo) as origin, mint.pool.Pool(protocols=(protocol,)) as pool:
        for new in (True, False):
            calls.clear()
            url = f"http://127.0.0.1:{origin.port}/"
            with pool.stream("POST", url, (), body, trace=lambda *each: calls.append(each)) as streamed:
                streamed.read()
            phases = [*(["connect"] if new else []), "request", "request_body", "response"]
            assert [name for name, _ in calls] == [
                f"{phase}.{state}" for phase in phases for state in ("started", "complete")
            ]
            known = dict(calls)
            assert known["request.complete"]["ref"] == streamed.ref
            assert known["response.complete"]["status"] == 200


def test_a_trace_is_a_function() -> None:
    async def later(_name: str, _info: dict[str, object]) -> None:
        pass

    with Origin(echo) as origin, mint.pool.Pool() as pool:
        url = f"http://127.0.0.1:{origin.port}/"
        for wrong in (later, 5):
            with pytest.raises(TypeError, match="trace must be a function"):
                pool.stream("GET", url, trace=wrong)  # type: ignore[arg-type]  # that is the point
        assert pool.request("GET", url).status == 200
        assert pool.statistics.active == 0
