from __future__ import annotations

import threading

import pytest
from pool import Pool

import mint
from mint.testing import Close, Reset, ScriptedServer, Send, Set, Step, request

from .serving import PROTOCOLS, TLS, Protocol, serving

PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_connection_is_used_again(protocol: Protocol) -> None:
    with serving(protocol) as origin:
        pool = Pool(tls=TLS)
        for size in range(5):
            answer = pool.fetch("GET", ("https", "localhost", origin.port), f"/bytes/{size}")
            assert (answer.status, len(answer.body)) == (200, size)
        assert len(origin.peers) == 1
        pool.close()


def test_a_connection_that_the_server_closed_is_not_used() -> None:
    closed = threading.Event()
    first: list[Step] = [request(), Send(PAGE), Close(), Set(closed)]
    with ScriptedServer(first, [request(), Send(PAGE)]) as server:
        pool = Pool(tls=TLS)
        origin: tuple[mint.types.Scheme, str, int] = ("http", server.address, server.port)
        assert pool.fetch("POST", origin, "/", body=b"x").body == b"hello"
        assert closed.wait(10)
        assert pool.fetch("POST", origin, "/", body=b"x").body == b"hello"
        pool.close()


def test_what_may_have_been_processed_is_sent_again_only_if_idempotent() -> None:
    scripts = [[request(), Reset()], [request(), Send(PAGE)], [request(), Reset()]]
    with ScriptedServer(*scripts) as server:
        pool = Pool(tls=TLS)
        origin: tuple[mint.types.Scheme, str, int] = ("http", server.address, server.port)
        assert pool.fetch("GET", origin, "/").body == b"hello"
        pool.close()
        with pytest.raises(mint.TransportError) as caught:
            pool.fetch("POST", origin, "/", body=b"x")
        assert caught.value.processed is mint.Processed.MAYBE
        pool.close()


def test_what_is_wrong_with_the_request_is_not_tried_again() -> None:
    with serving() as origin:
        pool = Pool(tls=TLS)
        with pytest.raises(mint.HTTPError):
            pool.fetch("GET", ("https", "localhost", origin.port), "no path")
        assert len(origin.peers) == 1
