"""Addresses to connect to, and the host that is sent: Unix sockets, IP literals, names, given sockets."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint._connect.race import Endpoint, Resolve, Resolved, as_endpoints, make_plan, resolve
from mint.testing import Origin, Request, Response, ScriptedServer, Send, request

from ..routes import fetch
from ..tls import server_context, trusting

if TYPE_CHECKING:
    from pathlib import Path

PAGE = b"HTTP/1.1 204 No Content\r\n\r\n"
ABSENT = "/nonexistent/mint/socket"
TCP, TLS = mint.TCPOptions(), mint.TLSOptions()


def echo_host(request: Request) -> Response:
    return Response(200, (), f"{request.scheme} {request.authority}".encode())


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_a_unix_socket_in_clear_text_and_with_tls(
    scheme: mint.types.Scheme, protocol: mint.types.ProtocolName
) -> None:
    context = server_context(alpn=("h2", "http/1.1")) if scheme == "https" else None
    with Origin(echo_host, family=socket.AF_UNIX, tls=context) as origin:
        address = mint.UnixAddress(origin.address)
        conn = mint.connect(scheme, address, 0, hostname="localhost", protocols=(protocol,), tls=trusting())
        assert conn.protocol == protocol
        assert conn.peer_address == origin.address
        # A Unix socket has no port, so the Host field has none.
        assert fetch(conn) == (200, f"{scheme} localhost".encode())


def test_a_unix_socket_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="hostname"):
        mint.connect("http", mint.UnixAddress(ABSENT), 0)
    with pytest.raises(ValueError, match="local_address"):
        tcp = mint.TCPOptions(local_address=("127.0.0.1", 0))
        mint.connect("http", mint.UnixAddress(ABSENT), 0, hostname="a", tcp=tcp)


@pytest.mark.parametrize("path", [ABSENT, "/" + "x" * 200, "\0mint-nobody-listens-here"])
def test_a_unix_socket_without_a_listener(path: str) -> None:
    with pytest.raises(errors.TransportError) as caught:
        mint.connect("http", mint.UnixAddress(path), 0, hostname="a")
    assert caught.value.processed is mint.Processed.NO


def test_an_abstract_unix_socket(tmp_path: Path) -> None:
    name = f"\0mint-test-{tmp_path}"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(name)
        listening.listen()
        conn = mint.connect("http", mint.UnixAddress(name), 0, hostname="localhost")
        listening.accept()[0].close()
        conn.close()


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("::1", "[::1]"),
        ("[::1]", "[::1]"),
        ("0:0:0:0:0:0:0:1", "[::1]"),
        (ipaddress.IPv6Address("::1"), "[::1]"),
    ],
)
def test_ipv6_addresses_in_every_form(address: mint.types.Address, host: str) -> None:
    with Origin(echo_host, family=socket.AF_INET6, tls=server_context()) as origin:
        conn = mint.connect("https", address, origin.port, tls=trusting())
        assert conn.tls is not None
        assert conn.tls.server_hostname == "::1"
        assert fetch(conn) == (200, f"https {host}:{origin.port}".encode())


@pytest.mark.parametrize("address", ["127.0.0.1", ipaddress.IPv4Address("127.0.0.1")])
def test_ipv4_addresses_in_every_form(address: mint.types.Address) -> None:
    with Origin(echo_host) as origin:
        conn = mint.connect("http", address, origin.port)
        assert fetch(conn) == (200, f"http 127.0.0.1:{origin.port}".encode())


@pytest.mark.parametrize("address", ["fe80::1%7", "[fe80::1%7]", ipaddress.IPv6Address("fe80::1%7")])
def test_a_zone_is_used_to_connect_and_not_sent(address: mint.types.Address) -> None:
    plan = make_plan("http", address, 80, None, TCP, TLS, ("http/1.1",))
    assert plan.hostname == "fe80::1"
    steps = resolve(plan)
    assert next(steps) == Resolve("fe80::1%7", 80)
    with pytest.raises(StopIteration) as caught:
        steps.send(Resolved((Endpoint("inet6", ("fe80::1", 80, 0, 7)),)))
    assert caught.value.value == [Endpoint("inet6", ("fe80::1", 80, 0, 7))]


def test_a_zone_is_resolved_by_the_system_and_not_by_a_resolver() -> None:
    def never(host: str, port: int) -> list[str]:
        raise AssertionError(host)

    with pytest.raises(errors.TransportError):
        mint.connect("http", "fe80::1%no-such-interface", 80, resolver=never)


def test_an_internationalized_name() -> None:
    asked: list[str] = []

    def note(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    name = "b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example"
    with Origin(echo_host, tls=server_context("xn--bcher-kva.example")) as origin:
        conn = mint.connect("https", name, origin.port, resolver=note, tls=trusting())
        assert conn.tls is not None
        assert conn.tls.server_hostname == "xn--bcher-kva.example"
        assert fetch(conn) == (200, f"https xn--bcher-kva.example:{origin.port}".encode())
    assert asked == ["xn--bcher-kva.example"]


@pytest.mark.parametrize("port", [-1, 65_536, True, "80", 80.0])
def test_ports_are_checked(port: object) -> None:
    with pytest.raises(ValueError, match="port"):
        mint.connect("http", "a.example", port)  # type: ignore[call-overload]  # wrong on purpose


def test_a_resolver_gives_addresses_in_every_form() -> None:
    given: list[str | ipaddress.IPv6Address] = [
        "192.0.2.1",
        ipaddress.IPv6Address("2001:db8::1"),
        "[2001:db8::2]",
    ]
    assert as_endpoints(given, "a.example", 80) == (
        Endpoint("inet4", ("192.0.2.1", 80)),
        Endpoint("inet6", ("2001:db8::1", 80, 0, 0)),
        Endpoint("inet6", ("2001:db8::2", 80, 0, 0)),
    )
    with pytest.raises(errors.NameNotResolved, match="not an IP address"):
        as_endpoints(["b.example"], "a.example", 80)


@pytest.mark.parametrize("answer", [[], ["a.example"]])
def test_a_resolver_that_finds_nothing(answer: list[str]) -> None:
    with pytest.raises(errors.NameNotResolved):
        mint.connect("http", "a.example", 80, resolver=lambda _, __: answer)


def test_an_error_of_a_resolver_is_reported() -> None:
    def fail(host: str, port: int) -> list[str]:
        raise KeyError(host)

    with pytest.raises(KeyError):
        mint.connect("http", "a.example", 80, resolver=fail)


# -- a socket that is already connected


def test_a_socket_of_the_caller_is_used_and_closed() -> None:
    with ScriptedServer([request(rb"^GET / "), Send(PAGE)]) as server:
        mine = socket.create_connection((server.address, server.port))
        conn = mint.connect("http", "origin.example", 80, socket=mine)
        assert conn.socket is mine
        assert fetch_root(conn) == 204
        assert mine.fileno() == -1


def fetch_root(conn: mint.Connection) -> int:
    status = 0
    with conn:
        conn, _ = conn.request("GET", "/")
        while conn.open_request_count:
            conn, responses = conn.recv(timeout=5)
            for response in responses:
                if isinstance(response, mint.Status):
                    status = response.status
    return status


def test_a_socket_pair_is_a_connection() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(PAGE[:1])
        conn = mint.http1.connect("http", "origin.example", 80, socket=ours)
        assert conn.is_open()
        conn.close()


def test_a_socket_that_is_connected_to_the_proxy() -> None:
    asked = request(rb"^GET http://origin\.example/ ")
    with ScriptedServer([asked, Send(PAGE)]) as server:
        mine = socket.create_connection((server.address, server.port))
        proxy = mint.Proxy("http", "proxy.example", 3128)
        assert fetch_root(mint.connect("http", "origin.example", 80, proxy=proxy, socket=mine)) == 204


def test_a_given_socket_is_closed_if_connecting_fails() -> None:
    with ScriptedServer([Send(b"not TLS\r\n")]) as server:
        mine = socket.create_connection((server.address, server.port))
        with pytest.raises(errors.TransportError):
            mint.connect("https", "origin.example", 443, socket=mine)
        assert mine.fileno() == -1


def test_other_sockets_are_refused_and_left_open() -> None:
    with socket.socket() as unconnected, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        for wrong in (unconnected, datagrams):
            with pytest.raises(ValueError, match="socket"):
                mint.connect("http", "origin.example", 80, socket=wrong)
            assert wrong.fileno() >= 0


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("proxy", "http://proxy.test:3128", "from_url"),
        ("tcp", 5.0, "TCPOptions"),
        ("tls", None, "TLSOptions"),
    ],
)
def test_arguments_of_another_type_are_refused_by_name(name: str, value: object, message: str) -> None:
    with pytest.raises(TypeError, match=f"^{name} must be .*{message}"):
        mint.connect("http", "origin.test", 80, **{name: value})  # type: ignore[call-overload]  # wrong on purpose
