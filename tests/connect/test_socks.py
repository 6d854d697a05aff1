"""SOCKS5 and SOCKS4a, with scripted proxies: messages, errors and time limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import mint
from mint import Proxy, errors
from mint._connect import race
from mint._connect.socks import open_socks
from mint.testing import Close, Expect, Forever, ScriptedServer, Send, StartTLS, Step, bytewise

from ..tls import server_context, trusting

if TYPE_CHECKING:
    from mint.types import Resolver

PAGE = b"HTTP/1.1 204 No Content\r\n\r\n"
TLS = server_context("origin.example")
HELLO = Expect(b"\x05\x01\x00")
NAME = b"\x03\x0eorigin.example"
GRANTED = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"


def connect_to(address: bytes, port: int = 80) -> Expect:
    return Expect(b"\x05\x01\x00" + address + port.to_bytes(2, "big"))


def through(
    server: ScriptedServer,
    *,
    scheme: mint.proxy.ProxyScheme = "socks5h",
    host: str = "origin.example",
    resolver: Resolver | None = None,
    username: str | None = None,
    password: str | None = None,
    tunnel_timeout: float | None = 30.0,
) -> None:
    proxy = Proxy(
        scheme,
        server.address,
        server.port,
        username=username,
        password=password,
        tunnel_timeout=tunnel_timeout,
    )
    conn = mint.connect("http", host, 80, proxy=proxy, resolver=resolver)
    with conn:
        conn, _ = conn.request("GET", "/")
        while conn.open_request_count:
            conn, _ = conn.recv(timeout=5)


def request() -> Expect:
    return Expect(re.compile(rb"GET / HTTP/1\.1\r\nhost: origin\.example\r\n.*\r\n\r\n", re.DOTALL))


@pytest.mark.parametrize(
    "bound",
    [
        b"\x01\x00\x00\x00\x00\x00\x00",
        b"\x04" + bytes(18),
        b"\x03\x00\x00\x00",
        b"\x03\xff" + b"x" * 255 + b"\x00\x00",
    ],
)
def test_socks5h_leaves_names_to_the_proxy(bound: bytes) -> None:
    script = [
        HELLO,
        Send(b"\x05\x00"),
        connect_to(NAME),
        Send(b"\x05\x00\x00" + bound),
        request(),
        Send(PAGE),
    ]
    with ScriptedServer(script) as server:
        through(server)


def test_every_reply_may_arrive_octet_by_octet() -> None:
    script = [
        *(Expect(b"\x05\x02\x00\x02"), bytewise(b"\x05\x02")),
        *(Expect(b"\x01\x02me\x04hush"), bytewise(b"\x01\x00")),
        *(connect_to(NAME), bytewise(GRANTED), request(), bytewise(PAGE)),
    ]
    with ScriptedServer(script) as server:
        through(server, username="me", password="hush")


def test_octets_after_the_reply_belong_to_the_tunnel() -> None:
    with ScriptedServer([HELLO, Send(b"\x05\x00"), connect_to(NAME), Send(GRANTED + b"HTTP")]) as server:
        proxy = Proxy("socks5h", server.address, server.port)
        conn = mint.connect("http", "origin.example", 80, proxy=proxy)
        with conn, pytest.raises(errors.UnexpectedData):
            conn.recv(timeout=5)


def test_socks5_resolves_names_locally() -> None:
    script = [
        *(HELLO, Send(b"\x05\x00")),
        *(connect_to(b"\x01\xc0\x00\x02\x01"), Send(GRANTED), request(), Send(PAGE)),
    ]
    with ScriptedServer(script) as server:
        through(server, scheme="socks5", resolver=lambda host, port: ["192.0.2.1"])


def test_socks5_supports_ipv6() -> None:
    six = b"\x04\x20\x01\x0d\xb8" + bytes(11) + b"\x01"
    with ScriptedServer([HELLO, Send(b"\x05\x00"), connect_to(six), Send(GRANTED), Close()]) as server:
        proxy = Proxy("socks5", server.address, server.port)
        mint.connect("http", "2001:db8::1", 80, proxy=proxy).close()


def test_a_name_that_cannot_be_resolved_is_not_sent_to_the_proxy() -> None:
    def fail(host: str, port: int) -> list[str]:
        raise OSError(2, "no such name")

    with ScriptedServer() as server, pytest.raises(errors.TransportError):
        through(server, scheme="socks5", resolver=fail)


def test_socks_carries_tls() -> None:
    script = [HELLO, Send(b"\x05\x00"), connect_to(NAME, 443), Send(GRANTED), StartTLS(TLS)]
    with ScriptedServer(script) as server:
        proxy = Proxy("socks5h", server.address, server.port)
        conn = mint.connect("https", "origin.example", 443, proxy=proxy, tls=trusting())
        assert conn.tls is not None
        conn.close()


@pytest.mark.parametrize(
    ("host", "sent"),
    [
        ("origin.example", b"\x04\x01\x00\x50\x00\x00\x00\xffme\0origin.example\0"),
        ("192.0.2.1", b"\x04\x01\x00\x50\xc0\x00\x02\x01me\0"),
    ],
)
def test_socks4a_leaves_names_to_the_proxy(host: str, sent: bytes) -> None:
    with ScriptedServer([Expect(sent), bytewise(b"\x00\x5a" + bytes(6))]) as server:
        proxy = Proxy("socks4a", server.address, server.port, username="me")
        mint.connect("http", host, 80, proxy=proxy).close()


def test_socks4a_needs_no_user() -> None:
    sent = b"\x04\x01\x00\x50\x00\x00\x00\xff\0origin.example\0"
    with ScriptedServer([Expect(sent), Send(b"\x00\x5a" + bytes(6)), request(), Send(PAGE)]) as server:
        through(server, scheme="socks4a")


HEAD: list[Step] = [HELLO, Send(b"\x05\x00"), connect_to(NAME)]


@pytest.mark.rfc("1928-a")
@pytest.mark.parametrize(
    ("script", "message"),
    [
        ([HELLO, Send(b"\x04\x00")], "not SOCKS5"),
        ([HELLO, Send(b"\x05\xff")], "was not offered"),
        ([HELLO, Send(b"\x05\x02")], "was not offered"),
        ([HELLO, Send(b"\x05\x01")], "was not offered"),
        ([HELLO, Send(b"\x05\x03")], "was not offered"),
        ([HELLO, Send(b"\x05\x77")], "was not offered"),
        ([HELLO, Send(b"\x04"), Forever()], "not SOCKS5"),
        ([HELLO, Send(b"HTTP/1.1 400 Bad Request\r\n\r\n")], "not SOCKS5"),
        ([HELLO, Send(b"\x05"), Close()], "closed"),
        ([*HEAD, Send(GRANTED[:7]), Close()], "closed"),
        ([*HEAD, Send(b"\x05\x05" + GRANTED[2:])], "SOCKS: connection refused"),
        ([*HEAD, Send(b"\x05\x02" + GRANTED[2:])], "SOCKS: connection not allowed by ruleset"),
        ([*HEAD, Send(b"\x05\x99" + GRANTED[2:])], "SOCKS: reply code 153"),
        # A refusal is complete with its code, whatever follows.
        ([*HEAD, Send(b"\x05\x01\x00\x00" + bytes(6))], "SOCKS: general server failure"),
        ([*HEAD, Send(b"\x05\x04\x00\x77")], "SOCKS: host unreachable"),
        ([*HEAD, Send(b"\x05\x06"), Close()], "SOCKS: ttl expired"),
        ([*HEAD, Send(b"\x05\x07"), Forever()], "SOCKS: command not supported"),
        ([*HEAD, Send(b"\x05\x08\x00\x03\xff"), Forever()], "SOCKS: address type not supported"),
        ([*HEAD, Send(b"\x05\x09"), Forever()], "SOCKS: reply code 9"),
        ([*HEAD, Send(b"\x05"), Close()], "closed"),
        ([*HEAD, Send(b"\x05\x00\x00\x00" + bytes(6))], "not SOCKS5"),
        ([*HEAD, Send(b"HTTP/1.1 400 Bad Request\r\n\r\n")], "not SOCKS5"),
        ([*HEAD, Send(b"\x04" + GRANTED[1:])], "not SOCKS"),
        ([*HEAD, Send(b"\x05\x00\x00\x02" + GRANTED[4:])], "not SOCKS5"),
    ],
)
def test_a_proxy_that_refuses_or_breaks_socks(script: list[Step], message: str) -> None:
    with ScriptedServer(script) as server, pytest.raises(errors.ProxyFailed, match=message) as caught:
        through(server)
    assert caught.value.processed is mint.Processed.NO


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([Send(b"\x01\x01")], "refused the credentials"),
        ([Send(b"\x01\xff"), Close()], "refused the credentials"),
        ([Send(b"\x05\x01"), Forever()], "refused the credentials"),
        ([Send(b"\x05\x00"), Forever()], "not SOCKS5"),
        ([Send(b"\x00\x00"), Forever()], "not SOCKS5"),
        ([Send(b"\x02"), Forever()], "not SOCKS5"),
        ([Send(b"HTTP/1.1 400 Bad Request\r\n\r\n")], "not SOCKS5"),
        ([Send(b"\x01"), Close()], "closed"),
    ],
)
def test_a_proxy_that_refuses_or_misreads_credentials(answer: list[Step], message: str) -> None:
    hello = [Expect(b"\x05\x02\x00\x02"), Send(b"\x05\x02"), Expect(b"\x01\x02me\x04hush")]
    with (
        ScriptedServer([*hello, *answer]) as server,
        pytest.raises(errors.ProxyFailed, match=message) as caught,
    ):
        through(server, username="me", password="hush")
    assert "hush" not in repr(caught.value)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([Send(b"\x00\x5b" + bytes(6))], "SOCKS: request rejected or failed"),
        ([Send(b"\x00\x5b"), Close()], "SOCKS: request rejected or failed"),
        ([Send(b"\x00\x5c\x00"), Forever()], "SOCKS: connection failed"),
        ([Send(b"\x04\x5d" + bytes(6))], "SOCKS: authentication failed"),
        ([Send(b"\x00\x77" + bytes(6))], "SOCKS: reply code 119"),
        ([Send(b"\x00\x00"), Close()], "SOCKS: reply code 0"),
        ([Send(b"\x04\x5a" + bytes(6))], "not SOCKS4"),
        ([Send(b"\x05\x00" + bytes(6))], "not SOCKS4"),
        ([Send(b"H"), Forever()], "not SOCKS4"),
        ([Send(b"\x00\x5a" + bytes(5)), Close()], "closed"),
        ([Send(b"\x00"), Close()], "closed"),
    ],
)
def test_a_proxy_that_refuses_or_breaks_socks4(answer: list[Step], message: str) -> None:
    sent = b"\x04\x01\x00\x50\x00\x00\x00\xff\0origin.example\0"
    with (
        ScriptedServer([Expect(sent), *answer]) as server,
        pytest.raises(errors.ProxyFailed, match=message),
    ):
        through(server, scheme="socks4a")


@pytest.mark.parametrize(
    ("scheme", "arrived", "message"),
    [
        ("socks5h", [b"\x05\xff"], "was not offered"),
        ("socks5h", [b"\x05\x02\x01\x01"], "refused the credentials"),
        ("socks5h", [b"\x05\x00", b"\x05\x02"], "SOCKS: connection not allowed by ruleset"),
        ("socks4a", [b"\x00\x5b"], "SOCKS: request rejected or failed"),
        ("socks5h", [b""], "closed"),
    ],
)
def test_a_refusal_is_read_although_writing_fails(
    scheme: mint.proxy.ProxyScheme, arrived: list[bytes], message: str
) -> None:
    password = None if scheme == "socks4a" else "hush"
    proxy = Proxy(scheme, "proxy.example", 1080, username="me", password=password)
    procedure = open_socks(proxy, "origin.example", 80, race.Attempt())
    answers = iter(arrived)
    step = next(procedure)
    with pytest.raises(errors.ProxyFailed, match=message):
        while True:
            if isinstance(step, race.Send):
                step = procedure.throw(errors.TransportClosed())
            else:
                step = procedure.send(race.Arrived(next(answers)))


@pytest.mark.rfc("1928-a")
@pytest.mark.parametrize(
    "script",
    [
        [HELLO],
        [HELLO, Send(b"\x05")],
        [HELLO, Send(b"\x05\x00"), connect_to(NAME)],
        [HELLO, Send(b"\x05\x00"), connect_to(NAME), Send(GRANTED[:9])],
    ],
)
def test_the_tunnel_timeout_covers_every_step(script: list[Step]) -> None:
    with ScriptedServer([*script, Forever()]) as server, pytest.raises(errors.TunnelTimeout):
        through(server, tunnel_timeout=0.1)
