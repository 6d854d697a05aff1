"""A request is refused before a connection is opened if, and only if, the connection would refuse it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import mint
from mint._loops.lock_event import LockEvent
from mint.errors import MintError
from mint.exchange import URL, Origin
from mint.exchange._procedure import SMALL
from mint.pool import PoolOptions
from mint.pool._policy import Ticket
from mint.pool._procedures import _open
from mint.pool._requests import ConnectOptions, make_request
from mint.pool._session import Session

if TYPE_CHECKING:
    from mint.pool._procedures import PoolRequest
    from mint.types import BytesLike, HeaderFields, HeaderPairs, ProtocolName, Scheme, Stream

HERE = URL("https", "a", 443, "/")
PROTOCOLS: tuple[ProtocolName, ...] = ("http1", "http2")
HEADERS: tuple[HeaderPairs, ...] = (
    (),
    (("expect", "100-continue"),),
    (("upgrade", "x"),),
    (("upgrade", "x"), ("expect", "100-continue")),
    (("content-length", "1"),),
    (("Content-Length", str(SMALL + 1)), ("expect", "100-continue")),
    (("transfer-encoding", "chunked"),),
    (("transfer-encoding", "gzip"),),
    (("transfer-encoding", "chunked"), ("content-length", "1")),
    (("te", "chunked"),),
    (("x", "\n"),),
    ((":path", "/"),),
)
BODIES: tuple[BytesLike | Stream | None, ...] = (
    *(None, b"", b"x", bytes(SMALL), bytes(SMALL + 1), bytearray(SMALL + 1)),
    mint.STREAM,
)


def clock() -> float:
    return 0.0


def rehearsed(request: PoolRequest, *protocols: ProtocolName) -> str:
    """Return the error of a request that is refused before connecting; empty if there is none."""
    try:
        ConnectOptions(protocols=protocols).check(request)
    except MintError as error:
        return repr(error)
    return ""


def sent(request: PoolRequest, protocol: ProtocolName) -> str:
    """Return the error of a request on a new connection; empty if there is none."""
    module = mint.http1 if protocol == "http1" else mint.http2
    conn: mint.Connection = module.initiate(
        mint.transport.Memory(), scheme="https", hostname="a", port=443, identity=0
    )
    session = Session(1, conn, PoolOptions(), clock, lambda _: None)
    request.ticket = Ticket(1, Origin("https", "a", 443))
    try:
        stream = _open(session, request, (LockEvent(), LockEvent()))
        if request.trailers:
            session.push(stream, memoryview(request.content or b""))
            session.end_body(stream, request.trailers)
    except MintError as error:
        return repr(error)
    return ""


@pytest.mark.parametrize("method", ["GET", "POST", "TRACE", "CONNECT"])
@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_what_a_connection_would_refuse(method: str, headers: HeaderPairs) -> None:
    for body in BODIES:
        if method == "CONNECT" and body is not mint.STREAM:
            continue
        request = make_request(method, HERE, headers, body, (), None, clock)
        results = {each: sent(request, each) for each in PROTOCOLS}
        for protocol, result in results.items():
            assert rehearsed(request, protocol) == result, repr(body)[:40]
        # With two protocols, one that accepts the request is enough; the error is that of the first.
        for first, second in (PROTOCOLS, PROTOCOLS[::-1]):
            wanted = "" if "" in results.values() else results[first]
            assert rehearsed(request, first, second) == wanted


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("protocols", [("http1",), ("http2",), ("http1", "http2"), ("http2", "http1")])
def test_only_http1_is_used_in_clear_if_it_may_be(
    protocols: tuple[ProtocolName, ...], scheme: Scheme
) -> None:
    """Only HTTP/2 can send trailers after content whose length is declared."""
    url = URL(scheme, "a", 443, "/")
    request = make_request("POST", url, (("content-length", "1"),), b"x", (("a", "b"),), None, clock)
    may_use_http2 = "http2" in protocols and (scheme == "https" or protocols == ("http2",))
    assert bool(rehearsed(request, *protocols)) is not may_use_http2


@pytest.mark.parametrize(
    "headers", [(), (("transfer-encoding", "chunked"),), (("content-length", "1"),)], ids=str
)
@pytest.mark.parametrize("body", [b"", b"x", bytes(SMALL), bytes(SMALL + 1)], ids=len)
@pytest.mark.parametrize(
    "trailers",
    [(("x", "y"),), (("x", "\n"),), (("\n", "x"),), ((":x", "y"),), (("x", "y"), ("content-length", "1"))],
    ids=str,
)
def test_trailers_that_a_connection_would_refuse(
    trailers: HeaderFields, body: bytes, headers: HeaderPairs
) -> None:
    if headers == (("content-length", "1"),) and len(body) != 1:
        return  # that is refused while the body is sent, which a rehearsal does not do
    request = make_request("POST", HERE, headers, body, trailers, None, clock)
    for protocol in PROTOCOLS:
        assert rehearsed(request, protocol) == sent(request, protocol)
