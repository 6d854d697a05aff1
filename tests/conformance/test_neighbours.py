"""Rules of RFC 9218, 8336, 7838, 8297 and 8305 that concern mint, and some of RFC 9110 and 9113."""

from __future__ import annotations

import socket
import threading

import pytest

import mint
from mint import errors
from mint._connect.race import (
    Abandon,
    Attempt,
    Decided,
    Dial,
    Dialled,
    Endpoint,
    Ready,
    Wait,
    interleave,
    race,
)
from mint._core.events import Data, Done, Headers, Informational, Status
from mint.transport import Memory
from tests.http1_driver import answer
from tests.http2_driver import frame, goaway, kinds, opened, ref

ALTSVC, ORIGIN = 0x0A, 0x0C


def over_memory() -> tuple[mint.HTTP1, Memory]:
    link = Memory()
    return mint.http1.initiate(link, scheme="http", hostname="example.org", port=80), link


@pytest.mark.rfc("9110-7.8-c")
@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
def test_http2_requests_have_no_upgrade(protocol: str) -> None:
    assert opened().refuse("GET", "/", [("upgrade", protocol)]).reason == "connection_specific_header"


@pytest.mark.rfc("9218-5-a")
def test_the_priority_field_is_passed_on_unchanged() -> None:
    talk = opened()
    talk.request("GET", "/", [("priority", "u=9, i=?2, whatever")])
    assert ("priority", "u=9, i=?2, whatever") in talk.fields()
    talk.request("GET", "/")
    assert "priority" not in dict(talk.fields())
    talk.feed(talk.server.answer(1, fields=[("priority", "u=0")]))
    assert talk.events[1] == Headers(ref(1), (("priority", "u=0"),))


@pytest.mark.rfc("8336-2.1")
@pytest.mark.rfc("7838-4")
@pytest.mark.parametrize("kind", [ALTSVC, ORIGIN])
@pytest.mark.parametrize("stream", [0, 1, 2, 99])
@pytest.mark.parametrize("flags", [0, 1, 2, 4, 8, 255])
def test_altsvc_and_origin_are_ignored_by_default(kind: int, stream: int, flags: int) -> None:
    talk = opened()
    talk.request()
    for payload in (b"", b"\0", b"\0\xff", b'\0\x0bhttps://x.yh3=":443"', b"\xff" * 40):
        step = talk.feed(frame(kind, flags, stream, payload))
        assert (step.responses, step.output, step.fault) == ([], (), None)
    talk.feed(talk.server.answer(1, b"still here"))
    assert kinds(talk.events) == ["status:1", "headers:1", "data:1", "done:1"]


@pytest.mark.rfc("8297-2a")
@pytest.mark.rfc("8297-2b")
def test_early_hints_do_not_affect_the_final_response() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\ncontent-length: 99\r\nconnection: close\r\nlink: </a>\r\n\r\n"
    played = answer(hints + b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    assert played.interim == [103]
    assert played.body == b"ok"
    assert played.headers == (("content-length", "2"),)
    assert played.state.is_open_write
    talk = opened()
    talk.request()
    talk.feed(talk.server.headers(1, [(":status", "103"), ("content-length", "99"), ("link", "</a>")]))
    talk.feed(talk.server.answer(1, b"ok"))
    assert talk.events == [
        Informational(ref(1), 103, (("content-length", "99"), ("link", "</a>"))),
        Status(ref(1), 200),
        Headers(ref(1), ()),
        Data(ref(1), b"ok"),
        Done(ref(1)),
    ]


@pytest.mark.rfc("9110-9.2.2-a")
@pytest.mark.rfc("9112-9.3.1-a")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_request_is_repeated(method: str) -> None:
    conn, link = over_memory()
    conn, number = conn.request(method, "/", (), b"pay")
    assert link.take().count(b"HTTP/1.1") == 1
    link.put_eof()
    with pytest.raises(errors.TransportClosed) as caught:
        conn.recv()
    (failed,) = caught.value.responses
    assert isinstance(failed, mint.RequestFailed)
    assert failed.ref == number
    # The server closed without a response, so it is not known whether it processed the request.
    assert failed.error.processed is mint.Processed.MAYBE
    assert link.take() == b""


@pytest.mark.rfc("9113-6.8-f")
def test_debug_data_is_escaped_and_shortened() -> None:
    talk = opened()
    talk.request()
    talk.feed(goaway(0, 11, b"\x1b[2Jcalm\r\n down " + b"x" * 10_000))
    text = str(errors.table.from_fault(talk.faults[-1]))
    assert text.isascii()
    assert text.isprintable()
    assert len(text) < 400


def hello(address: str, hostname: str | None) -> bytes:
    """Return what a client sends first to a server, which then closes the connection."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            far, _ = listener.accept()
            with far:
                seen.append(far.recv(65_536))

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(errors.TransportError):
            mint.connect("https", address, listener.getsockname()[1], hostname=hostname)
        thread.join()
    return seen[0]


@pytest.mark.rfc("9113-3.2-a")
@pytest.mark.rfc("9113-9.2-a")
def test_the_client_hello_has_alpn_sni_and_new_versions() -> None:
    first = hello("127.0.0.1", "example.org")
    assert b"\x00\x0c\x02h2\x08http/1.1" in first
    assert b"h2c" not in first
    assert b"\x00\x00\x0bexample.org" in first
    # The supported_versions extension: 1.3 and 1.2 only.
    assert b"\x00\x2b\x00\x05\x04\x03\x04\x03\x03" in first


@pytest.mark.rfc("8305-a")
def test_attempts_alternate_families_and_losers_are_closed() -> None:
    sixes = [Endpoint("inet6", (f"2001:db8::{i}", 443, 0, 0)) for i in (1, 2)]
    fours = [Endpoint("inet4", (f"192.0.2.{i}", 443)) for i in (1, 2)]
    order = interleave([*fours, *sixes])
    assert order == [sixes[0], fours[0], sixes[1], fours[1]]
    procedure = race(order)
    first, second = Attempt(), Attempt()
    assert next(procedure) == Dial(sixes[0])
    assert procedure.send(Dialled(first)) == Wait((first,), 0.25)
    assert procedure.send(Decided(None)) == Dial(fours[0])
    assert procedure.send(Dialled(second)) == Wait((first, second), 0.25)
    assert procedure.send(Decided(second)) == Abandon(first)
    with pytest.raises(StopIteration) as won:
        procedure.send(Ready())
    assert won.value.value is second
