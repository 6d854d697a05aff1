"""The servers themselves: other clients check that each starts, serves its content and ends."""

import gzip
import http.client
import os
import shutil
import ssl
import subprocess

import pytest

from .servers import HOST, PAGE, Running, Site, nghttpd, require


def get(
    running: Running,
    target: str,
    tls: ssl.SSLContext | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    connection: http.client.HTTPConnection
    if tls is None:
        connection = http.client.HTTPConnection(HOST, running.ports["http"], timeout=10)
    else:
        port = running.ports["https"]
        connection = http.client.HTTPSConnection(HOST, port, timeout=10, context=tls)
    try:
        connection.request("GET", target, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def put(running: Running, name: str, data: bytes) -> int:
    connection = http.client.HTTPConnection(HOST, running.ports["http"], timeout=10)
    try:
        connection.request("PUT", f"/uploads/{name}", data)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.fixture(params=["nginx", "apache"])
def files(request: pytest.FixtureRequest) -> Running:
    running: Running = request.getfixturevalue(request.param)
    return running


def test_files(files: Running, client_tls: ssl.SSLContext) -> None:
    assert get(files, "/page.txt") == (200, PAGE)
    assert get(files, "/page.txt", client_tls) == (200, PAGE)
    assert get(files, "/empty") == (204, b"")
    assert gzip.decompress(get(files, "/page.gz")[1]) == PAGE
    assert gzip.decompress(get(files, "/gzip.txt", headers={"accept-encoding": "gzip"})[1]) == PAGE
    assert get(files, "/push.txt") == (200, PAGE)
    assert get(files, "/close.txt") == (200, PAGE)


def test_uploads(files: Running) -> None:
    assert put(files, "name", b"data") == 201
    assert (files.uploads / "name").read_bytes() == b"data"


def test_node(node: Running, client_tls: ssl.SSLContext) -> None:
    assert get(node, "/") == (200, PAGE)
    assert get(node, "/", client_tls) == (200, PAGE)
    assert get(node, "/empty") == (204, b"")
    assert get(node, "/stream/70000") == get(node, "/bytes/70000")
    assert gzip.decompress(get(node, "/gzip")[1]) == PAGE


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_http2(nginx: Running, apache: Running, node: Running, site: Site) -> None:
    def curl(port: int, target: str, *options: str) -> bytes:
        scheme = "http" if options else "https"
        command = ["curl", "-sk", *(options or ["--http2"]), "-w", "%{http_version}"]
        return subprocess.check_output([*command, f"{scheme}://{HOST}:{port}{target}"], timeout=20)

    clear = "--http2-prior-knowledge"
    assert curl(nginx.ports["https"], "/page.txt") == PAGE + b"2"
    assert curl(nginx.ports["h2c"], "/page.txt", clear) == PAGE + b"2"
    assert curl(apache.ports["https"], "/page.txt") == PAGE + b"2"
    assert curl(apache.ports["http"], "/page.txt", clear) == PAGE + b"2"
    assert curl(node.ports["h2"], "/") == PAGE + b"2"
    assert curl(node.ports["h2c"], "/", clear) == PAGE + b"2"
    with nghttpd(site) as running:
        assert curl(running.ports["h2"], "/page.txt") == PAGE + b"2"
    with nghttpd(site, tls=False) as running:
        assert curl(running.ports["h2c"], "/page.txt", clear) == PAGE + b"2"


def test_a_server_ends_with_its_fixture(site: Site) -> None:
    with nghttpd(site) as running:
        process = running.process
        assert process.poll() is None
    assert process.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_if_a_server_is_not_installed_the_test_is_skipped_or_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINT_CI_STRICT", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-server is not installed"):
        require("no-such-server")
    monkeypatch.setenv("MINT_CI_STRICT", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-server is not installed"):
        require("no-such-server")
