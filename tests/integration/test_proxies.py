"""Connections to a real server through real proxies of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import mint
from mint import Proxy, errors

from .proxies import PASSWORD, USER
from .servers import HOST, PAGE, Running

if TYPE_CHECKING:
    import trustme

    from mint.proxy import ProxyScheme
    from mint.types import ProtocolName, Scheme

pytestmark = pytest.mark.integration("proxies")

# The proxy, the name of its port, and the scheme and protocol to connect to it with.
WAYS: dict[str, tuple[str, str, ProxyScheme, ProtocolName]] = {
    "tinyproxy": ("tinyproxy", "http", "http", "http1"),
    "squid": ("squid", "http", "http", "http1"),
    "squid over TLS": ("squid", "https", "https", "http1"),
    "nghttpx over TLS": ("nghttpx", "h2", "https", "http2"),
    "nghttpx in clear": ("nghttpx", "h2c", "http", "http2"),
    "microsocks": ("microsocks", "socks5", "socks5", "http1"),
    "microsocks, names": ("microsocks", "socks5", "socks5h", "http1"),
    "dante": ("dante", "socks", "socks5h", "http1"),
    "dante, SOCKS4": ("dante", "socks", "socks4a", "http1"),
}


@pytest.fixture
def trusting(authority: trustme.CA) -> mint.TLSOptions:
    return mint.TLSOptions(ca_data=authority.cert_pem.bytes().decode())


def host_of(way: str) -> str:
    """Return the host of the origin; with SOCKS4, Dante resolves no names."""
    return HOST if way == "dante, SOCKS4" else "localhost"


def proxy_of(
    request: pytest.FixtureRequest, way: str, tls: mint.TLSOptions, *, tunnel: bool = False
) -> Proxy:
    name, port, scheme, protocol = WAYS[way]
    running: Running = request.getfixturevalue(name)
    return Proxy(scheme, HOST, running.ports[port], tls=tls, protocols=(protocol,), tunnel=tunnel)


def fetch(conn: mint.Connection, target: str = "/page.txt") -> tuple[int, bytes, dict[str, str]]:
    status, content, headers = 0, bytearray(), {}
    with conn:
        conn, _ = conn.request("GET", target)
        while conn.open_request_count:
            conn, responses = conn.recv(timeout=10)
            for response in responses:
                match response:
                    case mint.Status(status=status):
                        pass
                    case mint.Headers(headers=fields):
                        headers = dict(fields)
                    case mint.Data(data=data):
                        content += data
                    case _:
                        pass
    return status, bytes(content), headers


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("way", WAYS)
def test_a_page_through_every_proxy(
    way: str, scheme: Scheme, nginx: Running, trusting: mint.TLSOptions, request: pytest.FixtureRequest
) -> None:
    proxy = proxy_of(request, way, trusting)
    conn = mint.connect(
        scheme, host_of(way), nginx.ports[scheme], protocols=("http1",), proxy=proxy, tls=trusting
    )
    assert (conn.tls is not None) is (scheme == "https")
    status, content, headers = fetch(conn)
    assert (status, content) == (200, PAGE)
    # A proxy that forwards the request adds a Via header; one that tunnels cannot.
    assert ("via" in headers) is (proxy.is_http and scheme == "http" and proxy.protocols == ("http1",))


@pytest.mark.parametrize("way", WAYS)
def test_http2_goes_through_every_tunnel(
    way: str, nginx: Running, trusting: mint.TLSOptions, request: pytest.FixtureRequest
) -> None:
    proxy = proxy_of(request, way, trusting)
    conn = mint.connect("https", host_of(way), nginx.ports["https"], proxy=proxy, tls=trusting)
    assert isinstance(conn, mint.HTTP2)
    assert fetch(conn)[:2] == (200, PAGE)
    known = mint.http2.connect("http", host_of(way), nginx.ports["h2c"], proxy=proxy)
    assert fetch(known)[:2] == (200, PAGE)


@pytest.mark.parametrize("way", WAYS)
def test_a_tunnel_for_http(
    way: str, nginx: Running, trusting: mint.TLSOptions, request: pytest.FixtureRequest
) -> None:
    proxy = proxy_of(request, way, trusting, tunnel=True)
    conn = mint.connect("http", host_of(way), nginx.ports["http"], protocols=("http1",), proxy=proxy)
    status, content, headers = fetch(conn)
    assert (status, content) == (200, PAGE)
    assert "via" not in headers


@pytest.mark.parametrize("way", WAYS)
def test_a_large_upload_through_every_proxy(
    way: str, nginx: Running, trusting: mint.TLSOptions, request: pytest.FixtureRequest
) -> None:
    """Upload ten megabytes, which is more than any window or buffer holds."""
    proxy = proxy_of(request, way, trusting, tunnel=True)
    body = bytes(range(256)) * 40_960
    conn = mint.connect(
        "https", host_of(way), nginx.ports["https"], protocols=("http1",), proxy=proxy, tls=trusting
    )
    name = f"/uploads/{way.replace(' ', '-').replace(',', '')}"
    with conn:
        conn, _ = conn.request("PUT", name, (), body)
        status = 0
        while conn.open_request_count:
            conn, responses = conn.recv(timeout=20)
            for response in responses:
                if isinstance(response, mint.Status):
                    status = response.status
        assert status in {201, 204}
    assert (nginx.uploads / name.rpartition("/")[2]).read_bytes() == body


@pytest.mark.parametrize(("name", "port"), [("locked_tinyproxy", "http"), ("squid", "locked")])
@pytest.mark.parametrize("tunnel", [False, True])
def test_proxies_that_require_a_password(
    name: str, port: str, tunnel: bool, nginx: Running, request: pytest.FixtureRequest
) -> None:
    running: Running = request.getfixturevalue(name)
    where = HOST, running.ports[port]
    known = Proxy("http", *where, username=USER, password=PASSWORD, tunnel=tunnel)
    conn = mint.connect("http", "localhost", nginx.ports["http"], proxy=known)
    assert fetch(conn)[:2] == (200, PAGE)
    for unknown in (Proxy("http", *where, tunnel=tunnel), Proxy("http", *where, username="x", tunnel=tunnel)):
        if tunnel:
            with pytest.raises(errors.UnexpectedProxyStatus) as caught:
                mint.connect("http", "localhost", nginx.ports["http"], proxy=unknown)
            assert caught.value.status in {401, 407}
            assert caught.value.body
        else:
            conn = mint.connect("http", "localhost", nginx.ports["http"], proxy=unknown)
            assert fetch(conn)[0] in {401, 407}


def test_a_socks_proxy_that_requires_a_password(nginx: Running, locked_microsocks: Running) -> None:
    port = locked_microsocks.ports["socks5"]
    known = Proxy("socks5h", HOST, port, username=USER, password=PASSWORD)
    assert fetch(mint.connect("http", "localhost", nginx.ports["http"], proxy=known))[:2] == (200, PAGE)
    for unknown in (Proxy("socks5h", HOST, port), Proxy("socks5h", HOST, port, username="x", password="y")):
        with pytest.raises(errors.ProxyFailed):
            mint.connect("http", "localhost", nginx.ports["http"], proxy=unknown)


@pytest.mark.parametrize("way", WAYS)
def test_an_origin_that_refuses_connections(
    way: str, trusting: mint.TLSOptions, request: pytest.FixtureRequest
) -> None:
    proxy = proxy_of(request, way, trusting, tunnel=True)
    with pytest.raises((errors.ProxyError, errors.TransportError)) as caught:
        mint.connect("https", HOST, 1, protocols=("http1",), proxy=proxy, tls=trusting).close()
    assert caught.value.processed is mint.Processed.NO


def test_the_certificate_of_a_proxy_is_checked(squid: Running) -> None:
    proxy = Proxy("https", HOST, squid.ports["https"])
    with pytest.raises(errors.CertificateRejected):
        mint.connect("http", "localhost", 80, proxy=proxy)


@pytest.mark.parametrize(("port", "scheme"), [("h2", "https"), ("h2c", "http")])
def test_many_tunnels_share_one_connection(
    port: str, scheme: Scheme, nginx: Running, nghttpx: Running, trusting: mint.TLSOptions
) -> None:
    shared = mint.http2.connect(scheme, HOST, nghttpx.ports[port], hostname="localhost", tls=trusting)
    with mint.Tunnels(shared) as tunnels:
        name, there = "localhost", nginx.ports["https"]
        both: tuple[ProtocolName, ...] = ("http1", "http2")
        # nghttpx opens at most eight tunnels to one origin at a time.
        conns = [
            tunnels.connect("https", name, there, protocols=(both[number % 2],), tls=trusting)
            for number in range(6)
        ]
        assert {conn.protocol for conn in conns} == {"http1", "http2"}
        for conn in reversed(conns):
            assert fetch(conn)[:2] == (200, PAGE)
        with pytest.raises(errors.MintError):
            tunnels.connect("https", HOST, 1, tls=trusting)
        assert fetch(tunnels.connect("https", name, there, tls=trusting))[:2] == (200, PAGE)
