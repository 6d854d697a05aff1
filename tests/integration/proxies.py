"""Real proxies on loopback: tinyproxy, squid, nghttpx (HTTP/2), microsocks, Dante (SOCKS4).

They are started as the servers are; see servers.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from .servers import HOST, Running, Site, require, start

USER: Final = "me"
PASSWORD: Final = "hush"

TINYPROXY: Final = """
Listen {host}
Port {port}
Timeout 30
MaxClients 50
LogLevel Error
DisableViaHeader No
{more}
"""


@contextmanager
def run_tinyproxy(more: str = "") -> Iterator[Running]:
    """Run tinyproxy: "http". It answers CONNECT in HTTP/1.0."""
    program = require("tinyproxy")

    def command(ports: dict[str, int], where: Path) -> list[str]:
        config = where / "tinyproxy.conf"
        config.write_text(TINYPROXY.format(host=HOST, port=ports["http"], more=more))
        return [program, "-d", "-c", str(config)]

    with start(("http",), command) as running:
        yield running


@pytest.fixture(scope="session")
def tinyproxy() -> Iterator[Running]:
    """Run tinyproxy without a password."""
    with run_tinyproxy() as running:
        yield running


@pytest.fixture(scope="session")
def locked_tinyproxy() -> Iterator[Running]:
    """Run tinyproxy with a password."""
    with run_tinyproxy(f"BasicAuth {USER} {PASSWORD}") as running:
        yield running


SQUID: Final = """
http_port {host}:{ports[http]}
http_port {host}:{ports[locked]} name=locked
https_port {host}:{ports[https]} tls-cert={site.chain} tls-key={site.key}
auth_param basic program /bin/sh {where}/helper
auth_param basic children 1 startup=1
acl locked_port myportname locked
acl known proxy_auth REQUIRED
http_access deny locked_port !known
http_access allow all
cache deny all
cache_mem 8 MB
access_log none
cache_log {where}/squid.log
pid_filename none
coredump_dir {where}/tmp
shutdown_lifetime 0 seconds
visible_hostname localhost
via on
"""
HELPER: Final = f"""
while read -r user password
do if test "$user $password" = "{USER} {PASSWORD}"; then echo OK; else echo ERR; fi
done
"""


@pytest.fixture(scope="session")
def squid(site: Site) -> Iterator[Running]:
    """Run squid: "http", "https" (the connection to the proxy uses TLS), "locked" (with a password)."""
    program = require("squid")

    def command(ports: dict[str, int], where: Path) -> list[str]:
        config = where / "squid.conf"
        config.write_text(SQUID.format(host=HOST, ports=ports, site=site, where=where))
        (where / "helper").write_text(HELPER)
        for path in (where, where / "tmp"):
            path.chmod(0o777)
        return [program, "-N", "-f", str(config)]

    with start(("http", "https", "locked"), command) as running:
        yield running


@pytest.fixture(scope="session")
def nghttpx(site: Site, squid: Running) -> Iterator[Running]:
    """Run nghttpx as an HTTP/2 proxy before squid: "h2" over TLS, "h2c" in clear."""
    program = require("nghttpx")

    def command(ports: dict[str, int], where: Path) -> list[str]:
        return [
            program,
            "--http2-proxy",
            *("--workers", "1", "--conf", "/dev/null", "--errorlog-file", "/dev/stderr"),
            f"--frontend={HOST},{ports['h2']}",
            f"--frontend={HOST},{ports['h2c']};no-tls",
            f"--backend={HOST},{squid.ports['http']}",
            str(site.key),
            str(site.chain),
        ]

    with start(("h2", "h2c"), command) as running:
        yield running


@contextmanager
def run_microsocks(*options: str) -> Iterator[Running]:
    """Run microsocks: "socks5"."""
    program = require("microsocks")

    def command(ports: dict[str, int], where: Path) -> list[str]:
        return [program, "-i", HOST, "-p", str(ports["socks5"]), *options]

    with start(("socks5",), command) as running:
        yield running


@pytest.fixture(scope="session")
def microsocks() -> Iterator[Running]:
    """Run microsocks without a password."""
    with run_microsocks() as running:
        yield running


@pytest.fixture(scope="session")
def locked_microsocks() -> Iterator[Running]:
    """Run microsocks with a password."""
    with run_microsocks("-u", USER, "-P", PASSWORD) as running:
        yield running


DANTE: Final = """
logoutput: stderr
internal: {host} port = {port}
external: lo
socksmethod: none
clientmethod: none
user.privileged: root
user.unprivileged: nobody
client pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}
socks pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}
"""


@pytest.fixture(scope="session")
def dante() -> Iterator[Running]:
    """Run Dante: "socks". It speaks SOCKS5, and SOCKS4 (of which SOCKS4a is an extension)."""
    program = require("danted", "sockd")

    def command(ports: dict[str, int], where: Path) -> list[str]:
        config = where / "dante.conf"
        config.write_text(DANTE.format(host=HOST, port=ports["socks"]))
        return [program, "-f", str(config), "-p", str(where / "tmp" / "pid")]

    with start(("socks",), command) as running:
        yield running
