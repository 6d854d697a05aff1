from __future__ import annotations

import threading

import pytest
from pool import Client

import mint
from mint.testing import Close, ExpectUntil, Reset, ScriptedServer, Send, Set, Step, Wait, request

from .serving import PROTOCOLS, TLS, Protocol, serving

PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


def client(server: ScriptedServer, timeout: float = 20.0) -> Client:
    return Client(f"http://{server.address}:{server.port}", timeout=timeout)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_connection_is_used_again(protocol: Protocol) -> None:
    with serving(protocol) as origin:
        one = Client(f"https://localhost:{origin.port}", tls=TLS)
        for size in range(5):
            answer = one.fetch("GET", f"/bytes/{size}")
            assert (answer.status, len(answer.content)) == (200, size)
        assert len(one.fetch("POST", "/echo", bytes(3_000_000)).content) == 3_000_000
        assert len(origin.peers) == 1
        answers = one.fetch_all([f"/bytes/{size}" for size in range(100)])
        assert [len(answer.content) for answer in answers] == list(range(100))
        assert one.statistics.active == 0
        one.close()


def test_a_connection_that_the_server_closed_is_not_used() -> None:
    closed = threading.Event()
    first: list[Step] = [request(), Send(PAGE), Close(), Set(closed)]
    with ScriptedServer(first, [request(), Send(PAGE)]) as server:
        one = client(server)
        assert one.fetch("POST", "/", b"x").content == b"hello"
        assert closed.wait(10)
        assert one.fetch("POST", "/", b"x").content == b"hello"
        one.close()


def test_a_request_that_may_have_been_processed_is_sent_again_only_if_idempotent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    scripts = [[request(), Reset()], [request(), Send(PAGE), request(), Reset()]]
    with ScriptedServer(*scripts) as server:
        one = client(server)
        assert one.fetch("GET", "/").content == b"hello"
        with pytest.raises(mint.TransportError) as caught:
            one.fetch("POST", "/", b"x")
        assert caught.value.processed is mint.Processed.MAYBE
        assert "may have acted" in capsys.readouterr().out
        one.close()


def test_an_early_refusal_is_returned_as_the_answer() -> None:
    over = threading.Event()
    refusal = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nno!"
    with ScriptedServer([ExpectUntil(b"\r\n\r\n"), Send(refusal), Wait(over)], timeout=60) as server:
        one = client(server)
        answer = one.fetch("POST", "/", bytes(30_000_000))
        assert (answer.status, answer.content) == (413, b"no!")
        over.set()
        one.close()
