"""What examples connect to: example.org and its like are an origin here, and proxy.example is a proxy."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any  # options that are passed on

import pytest

import mint
import mint._command.connecting
import mint.asyncio
import mint.pool
from mint.testing import Origin, showcase

from .. import routes
from ..tls import authority, server_context

if TYPE_CHECKING:
    from collections.abc import Iterator

ORIGINS = ("example.org", "one.example", "two.example")
PROXY = "proxy.example"


def origin(*names: str, alpn: tuple[str, ...], handler: mint.testing.Handler = showcase) -> Origin:
    return Origin(handler, tls=server_context(*names, alpn=alpn))


@pytest.fixture(params=["http/1.1", "h2"])
def hosts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Replace the hosts of the pages with servers of this process, whose certificates are trusted."""
    trusted = tmp_path / "authority.pem"
    authority().cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    monkeypatch.chdir(tmp_path)  # pages write files here
    with (
        ExitStack() as ways_out,
        origin(*ORIGINS, alpn=(request.param,)) as site,
        origin(*ORIGINS, alpn=("h2",)) as site_of_http2,
        origin(PROXY, alpn=("h2",), handler=routes.HTTPProxy()) as secure_proxy,
        Origin(routes.HTTPProxy()) as proxy,
    ):
        ports = {(PROXY, 443): secure_proxy.port, (PROXY, 3128): proxy.port}

        def dial(host: str, port: int, met: Origin = site) -> socket.socket:
            found = met.port if host in ORIGINS else ports.get((host, port), port)
            return socket.create_connection(("127.0.0.1", found), timeout=10)

        def shorter(module: Any, scheme: str, host: str, port: int, **options: Any) -> Any:
            proxy = options.get("proxy")
            first = (host, port) if proxy is None else (proxy.address, proxy.port)
            there = dial(first[0], first[1], site_of_http2 if module is mint.http2 else site)
            ways_out.callback(there.close)
            return real[module](scheme, host, port, socket=there, **options)

        real = {module: module.connect for module in (mint, mint.http2, mint.asyncio)}
        monkeypatch.setattr(routes, "dial", dial)
        for module in real:
            monkeypatch.setattr(module, "connect", partial(shorter, module))
        monkeypatch.setattr(mint.pool._driver, "connect", partial(shorter, mint))
        monkeypatch.setattr(mint._command.connecting, "connect", partial(shorter, mint))
        # In pages, "python" is the Python in which mint is installed.
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        yield
