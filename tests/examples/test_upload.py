from __future__ import annotations

import hashlib

import pytest
from upload import Upload

from mint.testing import Request, Response

from .serving import PROTOCOLS, Protocol, connected


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
