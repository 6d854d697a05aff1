"""The route to a server on the command line: proxies, given addresses, and what -v prints about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mint._command import main
from mint._command.arguments import parse
from mint._command.usage import UsageError
from mint.testing import Expect, Origin, Request, Response, ScriptedServer, Send, request
from tests.routes import HTTPProxy, SocksProxy
from tests.tls import authority, server_context

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[bytes]


def hello(_: Request) -> Response:
    return Response(200, (), b"hello")


def test_a_proxy_that_forwards(capsysbinary: Capture) -> None:
    proxy = HTTPProxy()
    with Origin(hello) as origin, Origin(proxy) as server:
        via = f"http://me:hush@{server.address}:{server.port}"
        url = f"http://127.0.0.1:{origin.port}/"
        assert main(["-v", "-x", via, "--proxy-header", "x-for: proxy", url]) == 0
    out, err = capsysbinary.readouterr()
    assert out == b"hello"
    assert b"the http proxy, which forwards" in err
    assert b"hush" not in err
    assert proxy.requests[0].header("x-for") == "proxy"
    assert proxy.requests[0].header("proxy-authorization") == "Basic bWU6aHVzaA=="


def test_a_tunnel_and_tls_in_it(capsysbinary: Capture, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(authority().cert_pem.bytes())
    proxy, ca = HTTPProxy(), str(tmp_path / "ca.pem")
    context = server_context(alpn=("h2",))
    with Origin(hello, tls=context) as origin, Origin(proxy, tls=server_context()) as server:
        via = f"https://{server.address}:{server.port}"
        url = f"https://127.0.0.1:{origin.port}/"
        assert main(["-v", "--cacert", ca, "-x", via, "--proxy-cacert", ca, url]) == 0
        assert main(["--cacert", ca, "-x", via, url]) == 60
        assert main(["--cacert", ca, "-x", via, "--proxy-insecure", url]) == 0
    out, err = capsysbinary.readouterr()
    assert out == b"hellohello"
    assert b"the https proxy, by a tunnel" in err
    assert b"* TLSv1.3, " in err
    assert b"ALPN h2" in err
    assert b"* using HTTP/2" in err
    assert proxy.requests[0].method == "CONNECT"


def test_http2_with_the_proxy_and_a_tunnel_for_http(capsysbinary: Capture) -> None:
    proxy = HTTPProxy()
    with Origin(hello) as origin, Origin(proxy) as server:
        via = f"http://{server.address}:{server.port}"
        assert main(["-x", via, "-p", "--proxy-http2", f"http://127.0.0.1:{origin.port}/"]) == 0
    assert capsysbinary.readouterr().out == b"hello"
    assert proxy.requests[0].version == "HTTP/2"


def test_socks(capsysbinary: Capture) -> None:
    with Origin(hello) as origin, SocksProxy() as server:
        via = f"socks5h://{server.address}:{server.port}"
        assert main(["-v", "-x", via, f"http://localhost:{origin.port}/"]) == 0
        assert server.targets == [("localhost", origin.port)]
    assert b"the socks5h proxy, by a tunnel" in capsysbinary.readouterr().err


def test_the_environment_is_read_only_on_request(
    capsysbinary: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = HTTPProxy()
    with Origin(hello) as origin, Origin(proxy) as server:
        monkeypatch.setenv("http_proxy", f"http://{server.address}:{server.port}")
        url = f"http://127.0.0.1:{origin.port}/"
        assert main([url]) == 0
        assert not proxy.requests
        assert main(["--proxy-env", url]) == 0
        assert len(proxy.requests) == 1
        monkeypatch.setenv("http_proxy", "ftp://me:hush@proxy.example")
        assert main(["--proxy-env", url]) == 2
    assert b"hush" not in capsysbinary.readouterr().err


def test_addresses_given_with_resolve(capsysbinary: Capture) -> None:
    with Origin(hello) as origin:
        port = origin.port
        resolve = f"Origin.example:{origin.port}:127.0.0.1"
        assert main(["-v", "--resolve", resolve, f"http://origin.example:{origin.port}/"]) == 0
    out, err = capsysbinary.readouterr()
    assert out == b"hello"
    assert f"* connected to 127.0.0.1 port {port}\n".encode() in err


def test_a_proxy_that_refuses_has_an_exit_code(capsysbinary: Capture) -> None:
    refusal = Send(b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n")
    with ScriptedServer([request(rb"^CONNECT "), refusal]) as server:
        assert main(["-x", f"{server.address}:{server.port}", "https://origin.example/"]) == 97
    with ScriptedServer([Expect(b"\x05\x01\x00"), Send(b"\x05\xff")]) as server:
        assert main(["-x", f"socks5h://{server.address}:{server.port}", "https://origin.example/"]) == 97
    err = capsysbinary.readouterr().err
    assert err.count(b"\n") == 2
    assert b"status 407" in err


@pytest.mark.parametrize(
    "wrong",
    [
        ["-x", "ftp://proxy.example"],
        ["-x", "http://proxy.example", "--proxy-env"],
        ["-x", "http://proxy.example", "--proxy-header", "no colon"],
        ["-x", "http://proxy.example", "--proxy-header", "host: a"],
        ["-x", "socks5://proxy.example", "--proxy-http2"],
        ["--proxy-header", "a: b"],
        ["--proxy-insecure"],
        ["--resolve", "a"],
        ["--resolve", "a:x:127.0.0.1"],
        ["--resolve", "a:80:b"],
        ["--resolve", "a:80:"],
        ["--resolve", "a:65536:127.0.0.1"],
        ["--resolve", "a:" + "9" * 5000 + ":127.0.0.1"],
        ["--resolve", ":80:127.0.0.1"],
    ],
)
def test_invalid_options_are_refused(wrong: list[str]) -> None:
    with pytest.raises(UsageError):
        parse([*wrong, "http://origin.example/"])


RESOLVED = [
    ("a.test:80:127.0.0.1", "a.test", 80, ("127.0.0.1",)),
    ("A.test:0:127.0.0.1", "a.test", 0, ("127.0.0.1",)),
    ("a.test:65535:::1,127.0.0.1", "A.TEST", 65_535, ("::1", "127.0.0.1")),
    ("b\xfccher.test:00443:::1", "xn--bcher-kva.test", 443, ("::1",)),
]


@pytest.mark.parametrize(("given", "host", "port", "addresses"), RESOLVED)
def test_the_addresses_of_one_host_and_port(
    given: str, host: str, port: int, addresses: tuple[str, ...]
) -> None:
    """The host is found in any case; no other host or port has these addresses."""
    route = parse(["--resolve", "c.test:81:::2", "--resolve", given, "http://a.test"]).route
    assert route.addresses(host, port) == addresses
    assert route.addresses("c.test", 81) == ("::2",)
    assert route.addresses(host, port + 1) is None
    assert route.addresses("other.test", port) is None
