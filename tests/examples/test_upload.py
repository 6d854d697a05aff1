from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import pytest
from upload import Upload

import mint
from mint.errors import TransportTimeout
from mint.testing import ExpectUntil, Request, Response, ScriptedServer, Send, Wait

from .serving import PROTOCOLS, Protocol, connected

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_upload_larger_than_any_window(protocol: Protocol) -> None:
    chunks = [bytes([number]) * 300_000 for number in range(20)]
    with connected(protocol) as conn:
        upload = Upload(conn, "/sink")
        assert upload.run(chunks) == 200
        whole = b"".join(chunks)
        assert upload.body == f"{len(whole)} {hashlib.sha256(whole).hexdigest()}\n".encode()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_answer_before_the_end(protocol: Protocol) -> None:
    def refusing(request: Request) -> Response:
        return Response(413, (("connection", "close"),) if protocol == "http1" else (), b"too large")

    def endless() -> object:
        while True:
            yield bytes(100_000)

    with connected(protocol, refusing) as conn:
        upload = Upload(conn, "/")
        chunks = (bytes(100_000) for _ in range(10_000))
        assert upload.run(chunks) == 413


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_that_echoes(protocol: Protocol) -> None:
    whole = bytes(range(250)) * 20_000
    with connected(protocol) as conn:
        upload = Upload(conn, "/echo", timeout=20)
        assert upload.run([whole]) == 200
        assert upload.body == whole


def test_a_server_that_refuses_and_stops_reading() -> None:
    over = threading.Event()
    refusal = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nno!"
    with ScriptedServer([ExpectUntil(b"\r\n\r\n"), Send(refusal), Wait(over)], timeout=60) as server:
        conn = mint.connect("http", server.address, server.port)
        upload = Upload(conn, "/", timeout=20)
        sent = 0

        def chunks() -> Iterator[bytes]:
            nonlocal sent
            for _ in range(2000):
                sent += 1
                yield bytes(100_000)

        assert upload.run(chunks()) == 413
        assert upload.body == b"no!"
        assert sent < 1000
        over.set()
        conn.close()


def test_a_server_that_never_reads() -> None:
    over = threading.Event()
    with ScriptedServer([ExpectUntil(b"\r\n\r\n"), Wait(over)], timeout=60) as server:
        upload = Upload(mint.connect("http", server.address, server.port), "/", timeout=0.3)
        with pytest.raises(TransportTimeout):
            upload.run([bytes(50_000_000)])
        over.set()
