"""Another parser reads the messages that `mint.testing` builds; mint meets every hostile server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any  # h2 and h11 have untyped events

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mint
from mint.testing import ScriptedServer, ScriptError, build, hostile, strategies
from mint.testing.steps import ExpectEnd, Flood

from ..tls import server_context, trusting
from .clients import GET, dial, read_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mint.types import ProtocolName


def parsed(raw: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes, list[tuple[bytes, bytes]]]:
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(raw)
    status, fields, body = 0, [], b""
    while True:
        event: Any = client.next_event()
        match event:
            case h11.InformationalResponse():
                pass
            case h11.Response():
                status, fields = event.status_code, list(event.headers)
            case h11.Data():
                body += event.data
            case h11.EndOfMessage():
                return status, fields, body, list(event.headers)
            case _:
                raise AssertionError(event)


def coded(fields: Sequence[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in fields]


@given(strategies.messages())
def test_another_parser_reads_the_messages(message: strategies.RawMessage) -> None:
    status, fields, body, trailers = parsed(message.raw)
    framing = {b"content-length", b"transfer-encoding"}
    assert (status, body) == (message.status, message.body)
    assert [pair for pair in fields if pair[0] not in framing] == coded(message.fields)
    assert trailers == coded(message.trailers)
    assert not (message.body and message.status in {204, 205, 304})  # none of them has content


def test_builders_of_messages() -> None:
    assert build.response(204) == b"HTTP/1.1 204 No Content\r\n\r\n"
    assert build.response(299, [("a", b"\xff")], b"x") == (
        b"HTTP/1.1 299 \r\na: \xff\r\ncontent-length: 1\r\n\r\nx"
    )
    assert build.response(
        "2 0", [("Content-Length", "+1")], phrase="?", version="HTTP/9", line_end=b"\n"
    ) == (b"HTTP/9 2 0 ?\nContent-Length: +1\n\n")
    assert build.chunk(b"ab", size="0x2", extension=";q", end=b"") == b"0x2;q\r\nab"
    assert build.chunked(b"a", b"", b"b" * 17, trailers=[("t", "u")]) == (
        b"1\r\na\r\n11\r\n" + b"b" * 17 + b"\r\n0\r\nt: u\r\n\r\n"
    )
    assert build.chunked(b"a", last=False) == b"1\r\na\r\n"
    assert build.request("POST", "/x", [("host", "a"), ("content-length", "1")], b"y") == (
        b"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\ny"
    )


@given(st.data(), st.binary(max_size=50))
def test_splits_lose_nothing(data: st.DataObject, octets: bytes) -> None:
    pieces = data.draw(strategies.pieces(octets))
    assert b"".join(pieces) == octets
    assert b"" not in pieces


def fetch(server: ScriptedServer, protocol: ProtocolName) -> tuple[int, bytes]:
    status, body = 0, b""
    with mint.connect("http", server.address, server.port, protocols=(protocol,)) as conn:
        conn, ref = conn.request("GET", "/")
        while conn.open_request_count:
            conn, responses = conn.recv(timeout=10.0)
            for response in responses:
                match response:
                    case mint.Status(ref=same, status=status) if same == ref:
                        pass
                    case mint.Data(data=data):
                        body += data
                    case mint.RequestFailed(error=error):
                        raise error
                    case _:
                        pass
    return status, body


@pytest.mark.parametrize(
    ("protocol", "name"),
    [("http1", name) for name in hostile.HTTP1] + [("http2", name) for name in hostile.HTTP2],
)
def test_mint_reacts_to_hostile_servers_as_the_rfcs_require(protocol: ProtocolName, name: str) -> None:
    behaviour = (hostile.HTTP1 if protocol == "http1" else hostile.HTTP2)[name]
    with ScriptedServer(behaviour.steps) as server:
        try:
            came: object = fetch(server, protocol)
        except mint.errors.MintError as error:
            came = error
    if behaviour.expected == "refuse":
        assert isinstance(came, mint.errors.MintError)
    elif behaviour.expected == "accept":
        assert came == (200, b"ok")


@pytest.mark.parametrize("name", hostile.TLS)
def test_mint_reacts_to_hostile_tls_servers_as_the_rfcs_require(name: str) -> None:
    behaviour = hostile.TLS[name]
    assert behaviour.expected == "refuse"
    with ScriptedServer(behaviour.steps, tls=server_context()) as server:
        conn = mint.http1.connect("https", server.address, server.port, tls=trusting())
        conn, ref = conn.request("GET", "/")
        came: list[mint.Response] = []
        with conn, pytest.raises(mint.MintError) as caught:
            while True:
                conn, responses = conn.recv(timeout=10)
                came += responses
    kind = mint.errors.TruncatedTLS if name == "end without close_notify" else mint.errors.TLSFailed
    assert isinstance(caught.value, kind)
    came += caught.value.responses
    # The part of the response that arrived is delivered, and it is not reported as complete.
    assert not any(isinstance(each, mint.Done) for each in came)
    assert [each.ref for each in came if isinstance(each, mint.RequestFailed)] == [ref]
    content = b"".join(each.data for each in came if isinstance(each, mint.Data))
    assert content == (b"ok" if name == "end without close_notify" else b"")


def test_endless_behaviours_are_marked() -> None:
    for behaviour in (*hostile.HTTP1.values(), *hostile.HTTP2.values(), *hostile.TLS.values()):
        assert behaviour.endless is any(isinstance(step, Flood) for step in behaviour.steps)
        assert behaviour.rule.startswith("RFC ")


def test_a_client_that_reads_an_endless_response_fails() -> None:
    script = [*hostile.HTTP1["endless 100 (Continue)"].steps, ExpectEnd()]
    with (
        pytest.raises(ScriptError, match="did not end"),
        ScriptedServer(script, timeout=0.2) as server,
        dial(server) as sock,
    ):
        sock.sendall(GET)
        read_all(sock)
