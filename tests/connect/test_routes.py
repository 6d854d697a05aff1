"""Every option applies to every route: direct, every kind of proxy, a Unix socket, a given socket."""

from __future__ import annotations

import hashlib
import logging
import re
import socket
import ssl
import threading
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final  # arguments for other functions are passed on

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate

import mint
from mint import errors
from mint._sessions import TLSSessions
from mint.testing import Origin, Request, Response

from ..routes import ALL, SECURE, TUNNELS, Route, RouteName, family_of, fetch, open_route
from ..tls import authority, server_context, trusting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CA: Final = authority().cert_pem.bytes().decode()


def hello(_: Request) -> Response:
    return Response(200, (("x-origin", "yes"),), b"hello")


def tls_of(conn: mint.Connection) -> mint.TLSInfo:
    info = conn.tls
    assert info is not None
    assert fetch(conn) == (200, b"hello")
    return info


# -- TLS: the effect of each option


def verify(route: Route, tmp: Path) -> None:
    with pytest.raises(errors.CertificateRejected):
        route.connect("https")
    tls_of(route.connect("https", tls=mint.TLSOptions(verify=False)))


def trust(route: Route, tmp: Path) -> None:
    with pytest.raises(errors.CertificateRejected):
        route.connect("https", tls=mint.TLSOptions(trust="certifi"))


def ca_file(route: Route, tmp: Path) -> None:
    (tmp / "ca.pem").write_text(CA)
    tls_of(route.connect("https", tls=mint.TLSOptions(ca_file=str(tmp / "ca.pem"))))


def ca_data(route: Route, tmp: Path) -> None:
    tls_of(route.connect("https", tls=mint.TLSOptions(ca_data=CA)))


def cert_file(route: Route, tmp: Path) -> None:
    issued = authority().issue_cert("client.example")
    issued.private_key_and_cert_chain_pem.write_to_path(str(tmp / "client.pem"))
    tls_of(route.connect("https", tls=mint.TLSOptions(ca_data=CA, cert_file=str(tmp / "client.pem"))))
    with pytest.raises((errors.TransportError, errors.HTTPError)):
        fetch(route.connect("https", tls=trusting()))


def key_file(route: Route, tmp: Path) -> None:
    issued = authority().issue_cert("client.example")
    issued.cert_chain_pems[0].write_to_path(str(tmp / "cert.pem"))
    issued.private_key_pem.write_to_path(str(tmp / "key.pem"))
    cert, key = str(tmp / "cert.pem"), str(tmp / "key.pem")
    tls_of(route.connect("https", tls=mint.TLSOptions(ca_data=CA, cert_file=cert, key_file=key)))


def key_password(route: Route, tmp: Path) -> None:
    issued = authority().issue_cert("client.example")
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"hush"),
    )
    (tmp / "locked.pem").write_bytes(locked + issued.cert_chain_pems[0].bytes())
    file = str(tmp / "locked.pem")
    tls_of(route.connect("https", tls=mint.TLSOptions(ca_data=CA, cert_file=file, key_password="hush")))
    with pytest.raises(errors.TLSFailed):
        route.connect("https", tls=mint.TLSOptions(ca_data=CA, cert_file=file, key_password="wrong"))


def shows_client(route: Route, **told: Any) -> None:
    tls_of(route.connect("https", tls=mint.TLSOptions(ca_data=CA, **told)))


def cert_data(route: Route, tmp: Path) -> None:
    issued = authority().issue_cert("client.example")
    pem = issued.private_key_and_cert_chain_pem.bytes()
    shows_client(route, cert_data=pem)
    shows_client(route, cert_data=pem.decode())
    with pytest.raises(errors.TLSFailed, match="cannot load cert_data"):
        shows_client(route, cert_data=issued.cert_chain_pems[0].bytes())


def key_data(route: Route, tmp: Path) -> None:
    issued = authority().issue_cert("client.example")
    cert, key = issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()
    (tmp / "cert.pem").write_bytes(cert)
    (tmp / "key.pem").write_bytes(key)
    shows_client(route, cert_data=cert, key_data=key)
    shows_client(route, cert_data=cert, key_file=str(tmp / "key.pem"))
    shows_client(route, cert_file=str(tmp / "cert.pem"), key_data=key.decode())
    locked = serialization.load_pem_private_key(key, None).private_bytes(
        Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"hush")
    )
    shows_client(route, cert_data=cert, key_data=locked, key_password="hush")
    with pytest.raises(errors.TLSFailed, match="encrypted: give key_password") as caught:
        shows_client(route, cert_data=cert, key_data=locked)
    assert caught.value.processed is mint.Processed.NO
    other = authority().issue_cert("other.example").private_key_pem.bytes()
    with pytest.raises(errors.TLSFailed, match="cannot load cert_data or key_data: key values mismatch"):
        shows_client(route, cert_data=cert, key_data=other)


def server_hostname(route: Route, tmp: Path) -> None:
    info = tls_of(route.connect("https", tls=trusting(server_hostname="other.example")))
    assert info.server_hostname == "other.example"
    with pytest.raises(errors.CertificateRejected):
        route.connect("https", tls=trusting(server_hostname="wrong.example"))


def minimum_version(route: Route, tmp: Path) -> None:
    old = mint.TLSOptions(ca_data=CA, minimum_version=ssl.TLSVersion.TLSv1_3)
    with pytest.raises(errors.TLSFailed):
        route.connect("https", tls=old)


def maximum_version(route: Route, tmp: Path) -> None:
    info = tls_of(route.connect("https", tls=trusting(maximum_version=ssl.TLSVersion.TLSv1_2)))
    assert info.version == "TLSv1.2"


def ciphers(route: Route, tmp: Path) -> None:
    suite = "ECDHE-ECDSA-CHACHA20-POLY1305"
    only = mint.TLSOptions(ca_data=CA, ciphers=suite, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert tls_of(route.connect("https", tls=only)).cipher == suite


def partial_chain(route: Route, tmp: Path) -> None:
    leaf = ssl.DER_cert_to_PEM_cert(
        tls_of(route.connect("https", tls=trusting())).peer_certificate or b"",
    )
    with pytest.raises(errors.CertificateRejected):
        route.connect("https", tls=mint.TLSOptions(ca_data=leaf))
    tls_of(route.connect("https", tls=mint.TLSOptions(ca_data=leaf, partial_chain=True)))


def key_log_file(route: Route, tmp: Path) -> None:
    tls_of(route.connect("https", tls=mint.TLSOptions(ca_data=CA, key_log_file=str(tmp / "keys"))))
    assert "SECRET" in (tmp / "keys").read_text()


def sessions(route: Route, tmp: Path) -> None:
    options = mint.TLSOptions(ca_data=CA, sessions=TLSSessions())
    assert not tls_of(route.connect("https", tls=options)).resumed
    assert tls_of(route.connect("https", tls=options)).resumed


def fingerprints(route: Route, tmp: Path) -> None:
    certificate = tls_of(route.connect("https", tls=mint.TLSOptions(ca_data=CA))).peer_certificate
    assert certificate is not None
    of_certificate = hashlib.sha256(certificate).hexdigest()
    of_key = hashlib.sha256(key_of(certificate)).hexdigest()
    other = "0" * 64
    for right in ({of_certificate.upper(), other}, {of_key}, {":".join(re.findall("..", of_key))}):
        tls_of(route.connect("https", tls=mint.TLSOptions(ca_data=CA, fingerprints=frozenset(right))))
    with pytest.raises(errors.CertificateNotPinned, match=of_certificate) as caught:
        route.connect("https", tls=mint.TLSOptions(ca_data=CA, fingerprints=frozenset({other})))
    assert caught.value.processed is mint.Processed.NO
    # They are checked in addition to the other checks, even if those are off, and with the caller's context.
    with pytest.raises(errors.CertificateRejected, match=r"self.signed|unable to get"):
        route.connect("https", tls=mint.TLSOptions(fingerprints=frozenset({of_certificate})))
    with pytest.raises(errors.CertificateNotPinned):
        route.connect("https", tls=mint.TLSOptions(verify=False, fingerprints=frozenset({other})))
    mine = mint.TLSOptions(context=ssl.create_default_context(cadata=CA), fingerprints=frozenset({other}))
    with pytest.raises(errors.CertificateNotPinned):
        route.connect("https", tls=mine)


def check_hostname(route: Route, tmp: Path) -> None:
    asked: list[tuple[str, mint.CertificateNames]] = []

    def check(host: str, names: mint.CertificateNames) -> bool:
        asked.append((host, names))
        return names.match(host)

    for name in ("other.example", "my_host.wild.example"):
        asked.clear()
        certificate = tls_of(
            route.connect(
                "https", tls=mint.TLSOptions(ca_data=CA, server_hostname=name, check_hostname=check)
            )
        ).peer_certificate
        ((host, names),) = asked
        assert (host, names.certificate) == (name, certificate)
        assert {"other.example", "*.wild.example"} <= set(names.dns)
        assert names.addresses == ("127.0.0.1",)
    # In OpenSSL's own check, a wildcard does not match an underscore.
    with pytest.raises(errors.HostnameRejected, match="not valid for 'my_host"):
        route.connect("https", tls=mint.TLSOptions(ca_data=CA, server_hostname="my_host.wild.example"))
    with pytest.raises(errors.HostnameRejected, match=r"refused 'wrong.example'") as caught:
        wrong = mint.TLSOptions(ca_data=CA, server_hostname="wrong.example", check_hostname=check)
        route.connect("https", tls=wrong)
    assert caught.value.processed is mint.Processed.NO
    # Everything else is checked as usual.
    with pytest.raises(errors.CertificateRejected, match=r"self.signed|unable to get"):
        route.connect("https", tls=mint.TLSOptions(check_hostname=lambda _host, _names: True))
    mine = ssl.create_default_context(cadata=CA)
    mine.check_hostname = False
    with pytest.raises(errors.HostnameRejected):
        route.connect("https", tls=mint.TLSOptions(context=mine, check_hostname=lambda _host, _names: False))


def post_handshake_auth(route: Route, tmp: Path) -> None:
    pem = authority().issue_cert("client.example").private_key_and_cert_chain_pem.bytes()
    for offered in (True, False):
        tls = mint.TLSOptions(ca_data=CA, cert_data=pem, post_handshake_auth=offered)
        conn = route.connect("https", tls=tls, protocols=("http1",))
        tls_of(conn)
    with pytest.raises(ValueError, match="HTTP/1 only"):
        mint.connect("https", "localhost", 1, tls=mint.TLSOptions(post_handshake_auth=True))


def key_of(certificate: bytes) -> bytes:
    public = load_der_x509_certificate(certificate).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def context(route: Route, tmp: Path) -> None:
    mine = ssl.create_default_context(cadata=CA)
    mine.maximum_version = ssl.TLSVersion.TLSv1_2
    assert tls_of(route.connect("https", tls=mint.TLSOptions(context=mine))).version == "TLSv1.2"


TLS_CHECKS: Final[dict[str, Callable[[Route, Path], None]]] = {
    each.__name__: each
    for each in (
        *(verify, trust, ca_file, ca_data, cert_file, key_file, key_password, server_hostname),
        *(minimum_version, maximum_version, ciphers, partial_chain, key_log_file, sessions, context),
        *(fingerprints, cert_data, key_data, check_hostname, post_handshake_auth),
    )
}


def test_every_tls_option_is_tested() -> None:
    assert set(TLS_CHECKS) == {each.name for each in fields(mint.TLSOptions)}


def tls_origin(option: str) -> ssl.SSLContext:
    asked = option in {"cert_file", "key_file", "key_password", "cert_data", "key_data"}
    names = "localhost", "127.0.0.1", "other.example", "*.wild.example"
    made = server_context(*names, ask_client=asked)
    if option == "minimum_version":
        made.maximum_version = ssl.TLSVersion.TLSv1_2
    return made


@pytest.mark.parametrize("route", SECURE)
@pytest.mark.parametrize("option", TLS_CHECKS)
def test_tls(option: str, route: RouteName, tmp_path: Path) -> None:
    with (
        Origin(hello, tls=tls_origin(option), family=family_of(route)) as origin,
        open_route(route, origin) as made,
    ):
        TLS_CHECKS[option](made, tmp_path)


# -- TCP

IP: Final = tuple(route for route in ALL if route != "unix socket")
NAMED: Final = ("direct", *TUNNELS, "forwarded", "forwarded over TLS")


def connected(route: Route, **options: Any) -> mint.Connection:
    return route.connect("http", protocols=("http1",), tcp=mint.TCPOptions(**options))


def socket_option(conn: mint.Connection, level: int, name: int) -> int:
    assert conn.socket is not None
    value = conn.socket.getsockopt(level, name)
    assert fetch(conn) == (200, b"hello")
    return value


def nodelay(route: Route) -> None:
    assert socket_option(connected(route), socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    assert socket_option(connected(route, nodelay=False), socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0


def keepalive(route: Route) -> None:
    assert socket_option(connected(route), socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0
    assert socket_option(connected(route, keepalive=True), socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0


def send_buffer(route: Route) -> None:
    # Linux doubles the requested size.
    assert socket_option(connected(route, send_buffer=10_000), socket.SOL_SOCKET, socket.SO_SNDBUF) == 20_000


def receive_buffer(route: Route) -> None:
    assert (
        socket_option(connected(route, receive_buffer=10_000), socket.SOL_SOCKET, socket.SO_RCVBUF) == 20_000
    )


def receive_size(route: Route) -> None:
    conn = connected(route, receive_size=2)
    conn, _ = conn.request("GET", "/page")
    reads = 0
    while conn.open_request_count:
        conn, _ = conn.recv(timeout=10)
        reads += 1
    conn.close()
    # A TLS record gives no plaintext before it is complete.
    assert reads > 1 or "TLS" in route.name or route.name == "https proxy"


def high_water(route: Route) -> None:
    """The peer does not read the body; with a low mark the request waits, with a high one it does not."""
    body = bytes(30_000_000)
    conn = connected(route, high_water=100_000_000, send_timeout=0.05)
    conn.request("POST", "/wait", (), body)[0].close()
    conn = connected(route, high_water=1, send_timeout=0.05)
    with conn, pytest.raises(errors.TransportTimeout):
        conn.request("POST", "/wait", (), body)


send_timeout = high_water


def max_read_ahead(route: Route) -> None:
    """An operation that waits to send stops waiting when `max_read_ahead` octets have arrived."""
    if route.name.startswith("forwarded"):
        return  # the test's own proxy forwards whole bodies
    conn = connected(route, high_water=1, max_read_ahead=1, send_timeout=10)
    with conn:
        conn, ref = conn.request("POST", "/echo", [("content-length", "12000000")], mint.STREAM)
        sent = came = 0
        while sent < 12_000_000:
            if conn.request_body_window(ref):
                conn = conn.stream_request_body(ref, bytes(1_000_000))
                sent += 1_000_000
            else:
                conn, responses = conn.recv(timeout=10)
                came += sum(len(each.data) for each in responses if isinstance(each, mint.Data))
        while conn.open_request_count:
            conn, responses = conn.recv(timeout=10)
            came += sum(len(each.data) for each in responses if isinstance(each, mint.Data))
        assert came == sent


def connect_timeout(route: Route) -> None:
    if route.name == "given socket":
        return  # without TLS, there is nothing left to wait for
    with pytest.raises((errors.TransportTimeout, errors.TunnelTimeout)):
        connected(route, connect_timeout=0)


def local_address(route: Route) -> None:
    if route.name == "given socket":
        mine = socket.create_connection((route.origin.address, route.origin.port))
        with mine, pytest.raises(ValueError, match="local_address"):
            route.connect("http", socket=mine, tcp=mint.TCPOptions(local_address=("127.0.0.2", 0)))
        return
    conn = connected(route, local_address=("127.0.0.2", 0))
    assert conn.local_address is not None
    assert conn.local_address[0] == "127.0.0.2"
    assert fetch(conn) == (200, b"hello")


def inet4(route: Route) -> None:
    if route.name != "given socket":
        with pytest.raises(errors.NameNotResolved):
            connected(route, inet4=False)


def inet6(route: Route) -> None:
    if route.name == "given socket":
        return
    # The proxy, or the origin, is at an IPv4 address: leaving IPv6 out changes nothing else.
    assert fetch(connected(route, inet6=False)) == (200, b"hello")
    if route.proxy is None:
        with pytest.raises(errors.NameNotResolved):
            route.connect("http", address="::1", tcp=mint.TCPOptions(inet6=False))


TCP_CHECKS: Final[dict[str, Callable[[Route], None]]] = {
    "connect_timeout": connect_timeout,
    "send_timeout": send_timeout,
    "high_water": high_water,
    "max_read_ahead": max_read_ahead,
    "inet4": inet4,
    "inet6": inet6,
    "nodelay": nodelay,
    "keepalive": keepalive,
    "send_buffer": send_buffer,
    "receive_buffer": receive_buffer,
    "local_address": local_address,
    "receive_size": receive_size,
}
FOR_UNIX: Final = ("connect_timeout", "high_water", "send_buffer", "receive_size")


def test_every_tcp_option_is_tested() -> None:
    assert set(TCP_CHECKS) == {each.name for each in fields(mint.TCPOptions)}


@pytest.mark.parametrize("route", ALL)
@pytest.mark.parametrize("option", TCP_CHECKS)
def test_tcp(option: str, route: RouteName) -> None:
    if route == "unix socket" and option not in FOR_UNIX:
        return  # these are options of IP
    if option in {"high_water", "send_timeout"} and route.startswith("HTTP/2"):
        return  # the proxy of the test reads everything at once; see wire/test_stream.py

    def wait(request: Request) -> Response:
        if request.target.endswith("/wait"):
            stop.wait(5)
        if request.target.endswith("/echo"):
            return Response(200, (), iter(request.body))
        return hello(request)

    stop = threading.Event()
    with Origin(wait, family=family_of(route)) as origin, open_route(route, origin) as made:
        try:
            TCP_CHECKS[option](made)
        finally:
            stop.set()


# -- the options of connect


@pytest.mark.parametrize("route", ALL)
def test_hostname(route: RouteName) -> None:
    seen: list[str | None] = []

    def note(request: Request) -> Response:
        seen.append(request.header("host"))
        return hello(request)

    with Origin(note, family=family_of(route)) as origin, open_route(route, origin) as made:
        if route.startswith("forwarded"):
            return  # the absolute target names the host: see test_tunnel.py
        fetch(made.connect("http", hostname="other.example"))
    assert seen[0] is not None
    assert seen[0].startswith("other.example")


@pytest.mark.parametrize("route", SECURE)
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_protocols(route: RouteName, protocol: mint.types.ProtocolName) -> None:
    context = server_context(alpn=("http/1.1", "h2"))
    with Origin(hello, tls=context, family=family_of(route)) as origin, open_route(route, origin) as made:
        conn = made.connect("https", protocols=(protocol,), tls=trusting())
        assert conn.protocol == protocol
        assert fetch(conn) == (200, b"hello")


@pytest.mark.parametrize("route", SECURE)
def test_http2_must_be_negotiated_if_it_is_the_only_protocol(route: RouteName) -> None:
    with (
        Origin(hello, tls=server_context(), family=family_of(route)) as origin,
        open_route(route, origin) as made,
        pytest.raises(errors.ProtocolNotNegotiated),
    ):
        made.connect("https", protocols=("http2",), tls=trusting())


@pytest.mark.parametrize("route", SECURE)
def test_the_socket_is_closed_if_the_protocol_is_not_negotiated(route: RouteName) -> None:
    context = server_context(alpn=("http/1.1",))
    # A socket that the handshake left open would cause a ResourceWarning, which is an error here.
    with (
        Origin(hello, tls=context, family=family_of(route)) as origin,
        open_route(route, origin) as made,
        pytest.raises((errors.ProtocolNotNegotiated, errors.TLSFailed)),
    ):
        made.connect("https", protocols=("http2",), tls=trusting())


@pytest.mark.parametrize("route", ALL)
def test_http1_options(route: RouteName) -> None:
    options = mint.HTTP1Options(optional_responses=("status_reason",), max_fields=1)
    with Origin(hello, family=family_of(route)) as origin, open_route(route, origin) as made:
        conn = made.connect("http", http1=options)
        with conn, pytest.raises(errors.TooManyHeaders) as caught:
            conn, _ = conn.request("GET", "/page")
            while conn.open_request_count:
                conn, _ = conn.recv(timeout=10)
        assert [type(each) for each in caught.value.responses][:2] in (
            [mint.Status, mint.StatusReason],
            [mint.RequestFailed],
        )


@pytest.mark.parametrize("route", SECURE)
def test_http2_options(route: RouteName) -> None:
    settings = mint.ClientSettings(initial_window_size=70_000)
    context = server_context(alpn=("h2",))
    with Origin(hello, tls=context, family=family_of(route)) as origin, open_route(route, origin) as made:
        options = mint.HTTP2Options(client_settings=settings)
        conn = made.connect("https", tls=trusting(), http2=options)
        assert isinstance(conn, mint.HTTP2)
        conn, _ = conn.request("GET", "/page")
        while conn.open_request_count:
            conn, _ = conn.recv(timeout=10)
        assert conn.get_client_setting("initial_window_size") == 70_000
        conn.close()


@pytest.mark.parametrize("route", ALL)
def test_mailbox(route: RouteName) -> None:
    with (
        Origin(hello, family=family_of(route)) as origin,
        open_route(route, origin) as made,
        mint.Mailbox() as mailbox,
    ):
        conn = made.connect("http", mailbox=mailbox)
        assert conn.mode == "active"
        conn, _ = conn.request("GET", "/page")
        responses: list[mint.Response] = []
        while conn.open_request_count:
            taken = conn.stream(mailbox.receive(timeout=10))
            assert taken is not mint.UNKNOWN
            conn, more = taken
            responses += more
        conn.close()
        assert any(isinstance(each, mint.Data) for each in responses)


@pytest.mark.parametrize("route", ALL)
def test_log(route: RouteName, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "mint")
    with Origin(hello, family=family_of(route)) as origin, open_route(route, origin) as made:
        fetch(made.connect("http", log=True))
    assert any("/page" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("route", NAMED)
def test_resolver(route: RouteName) -> None:
    """The resolver gets the name of the first peer: the server, or the proxy."""
    names: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        names.append(host)
        return ["127.0.0.1"]

    with Origin(hello) as origin, open_route(route, origin) as made:
        if made.proxy is not None:
            fields_of = {each.name: getattr(made.proxy, each.name) for each in fields(mint.Proxy)}
            secure = made.proxy.scheme == "https"
            made.proxy = mint.Proxy(
                **{**fields_of, "address": "proxy.example", "hostname": "127.0.0.1" if secure else None}
            )
        fetch(made.connect("http", address="127.0.0.1" if made.proxy else "origin.example", resolver=resolve))
    assert names == ["proxy.example" if made.proxy else "origin.example"]


@pytest.mark.parametrize("route", ["direct", *TUNNELS])
def test_half_closing_a_tunnel_inside_the_route(route: RouteName) -> None:
    """CONNECT inside the tunnel of the route: one direction ends, the other continues to its own end."""

    def answer(request: Request) -> Iterator[bytes]:
        yield request.body.read()
        yield b"!"

    def echo(request: Request) -> Response:
        return Response(200, (), answer(request))

    data = bytes(range(256)) * 1_000
    with Origin(echo) as origin, open_route(route, origin) as made:
        conn = made.connect("http", protocols=("http1",))
        with conn:
            conn, ref = conn.request("CONNECT", "inner.example:80", (), mint.STREAM)
            content, sent = b"", False
            while conn.is_open("read"):
                conn, responses = conn.recv(timeout=10)
                for response in responses:
                    if isinstance(response, mint.Data):
                        content += response.data
                    elif isinstance(response, mint.Headers) and not sent:
                        sent = True
                        conn = conn.stream_request_body(ref, data)
                        conn = conn.stream_request_body(ref, mint.Eof())
        assert content == data + b"!"


# -- headers are sent only to the peer that they are meant for

TO_ORIGIN: Final = (("authorization", "Bearer for-the-origin"), ("cookie", "for=the-origin"))
TO_PROXY: Final = (("x-for", "the-proxy"),)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("route", [*TUNNELS, "forwarded", "forwarded over TLS"])
def test_credentials_are_sent_only_to_their_peer(route: RouteName, scheme: mint.types.Scheme) -> None:
    if scheme == "https" and route.startswith("forwarded"):
        return
    seen: list[Request] = []

    def note(request: Request) -> Response:
        seen.append(request)
        return hello(request)

    told: dict[str, Any] = {"username": "me", "password": "hush"}
    if route == "socks4a":
        del told["password"]
    if not route.startswith("socks"):
        told["headers"] = TO_PROXY
    context = server_context() if scheme == "https" else None
    with Origin(note, tls=context) as origin, open_route(route, origin, **told) as made:
        assert fetch(made.connect(scheme, tls=trusting()), TO_ORIGIN) == (200, b"hello")
        if made.http is not None:
            (request,) = made.http.requests
            names = {name for name, _ in request.headers}
            assert {"proxy-authorization", "x-for"} <= names
            # A forwarding proxy reads the request; a proxy that opens a tunnel does not.
            assert ("authorization" in names) is route.startswith("forwarded")
        else:
            assert made.socks is not None
            assert b"me" in made.socks.handshake
            assert b"origin" not in made.socks.handshake
        if not route.startswith("forwarded"):
            assert not {name for name, _ in seen[0].headers} & {"proxy-authorization", "x-for"}
        assert ("authorization", "Bearer for-the-origin") in seen[0].headers
