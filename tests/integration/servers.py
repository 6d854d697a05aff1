"""Real servers on loopback for the integration tests: nginx, Apache httpd, Node, nghttpd.

Each runs as a child process in its own directory and process group, on free ports and with a certificate of
the test run, and is always killed at the end. As far as they can, all serve the content of `Site`.

The tests of a server that is not installed are skipped; with MINT_CI_STRICT=1 they fail.
"""

import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pytest
import trustme

from mint.testing.showcase import pattern

HERE: Final = Path(__file__).parent
HOST: Final = "127.0.0.1"
START_TIMEOUT: Final = 20.0
SEARCH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/usr/local/bin"
APACHE_MODULES: Final = ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules")

PAGE: Final = b"A small page, always the same.\n" * 4
BIG: Final = 200_000_000
MIDDLE: Final = 100_000_000


@dataclass(frozen=True)
class Site:
    """The content and the certificate of every server."""

    root: Path
    key: Path
    chain: Path


@dataclass(frozen=True)
class Running:
    """A running server; `ports` maps the protocols that it serves ("http", "https", "h2c" ...) to ports."""

    process: subprocess.Popen[bytes]
    ports: dict[str, int]
    folder: Path

    @property
    def uploads(self) -> Path:
        """The directory of the files that were PUT to /uploads/NAME."""
        return self.folder / "uploads"

    def send_signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


def require(*names: str) -> str:
    """Return the path of the first program that is installed; if none is, skip, or fail in strict CI."""
    for name in names:
        if found := shutil.which(name, path=SEARCH):
            return found
    message = f"{names[0]} is not installed"
    if os.environ.get("MINT_CI_STRICT") == "1":
        pytest.fail(message)
    pytest.skip(message)


def free_ports(count: int) -> list[int]:
    """Return ports that are free now; if one is taken meanwhile, the server is started again."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for sock in sockets:
            sock.bind((HOST, 0))
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()


@contextmanager
def folder() -> Iterator[Path]:
    """Make a directory that a server can read, and write in part, after it has given up root privileges."""
    with tempfile.TemporaryDirectory(prefix="mint-server-") as name:
        path = Path(name)
        path.chmod(0o755)
        for writable in ("uploads", "tmp"):
            (path / writable).mkdir()
            (path / writable).chmod(0o777)
        yield path


@contextmanager
def child(command: Sequence[str], where: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in its own process group, and kill the whole group at the end.

    If `setpriv` is installed, the program also ends when this process is killed.
    """
    guard = [setpriv, "--pdeathsig", "TERM"] if (setpriv := shutil.which("setpriv")) else []
    with (where / "output").open("wb") as output:
        process = subprocess.Popen(
            [*guard, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=where,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(3)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def listening(ports: dict[str, int]) -> bool:
    """Return whether every one of these ports accepts connections."""
    for port in ports.values():
        with socket.socket() as sock:
            sock.settimeout(1)
            if sock.connect_ex((HOST, port)) != 0:
                return False
    return True


def wait_until(process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> bool:
    """Wait until `ready` is true; return false if the process ends or the time is up."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
            return False
        if ready():
            return True
    return False


@contextmanager
def start(
    names: Sequence[str], command: Callable[[dict[str, int], Path], Sequence[str]]
) -> Iterator[Running]:
    """Run a server on the ports that it is given; try up to three times if they are taken."""
    for attempt in (1, 2, 3):
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        with folder() as where, child(command(ports, where), where) as process:
            if wait_until(process, partial(listening, ports)):
                yield Running(process, ports, where)
                return
            output = (where / "output").read_text(errors="replace")
            if attempt == 3 or "in use" not in output:
                pytest.fail(f"{process.args!r} did not start:\n{output}")


@pytest.fixture(scope="session")
def site(certificate: trustme.LeafCert) -> Iterator[Site]:
    """Write the content that the servers serve."""
    with tempfile.TemporaryDirectory(prefix="mint-site-") as name:
        top = Path(name)
        root = top / "root"
        root.mkdir()
        (root / "page.txt").write_bytes(PAGE)
        (root / "index.html").write_bytes(PAGE)
        (root / "style.css").write_bytes(b"p { color: teal }\n")
        (root / "page.gz").write_bytes(gzip.compress(PAGE, mtime=0))
        for file, size in (("big.bin", BIG), ("middle.bin", MIDDLE)):
            with (root / file).open("wb") as out:
                out.writelines(pattern(size, 1 << 20))
        site = Site(root, top / "key.pem", top / "chain.pem")
        certificate.private_key_pem.write_to_path(str(site.key))
        for pem in certificate.cert_chain_pems:
            pem.write_to_path(str(site.chain), append=True)
        for path in (top, root):
            path.chmod(0o755)
        yield site


NGINX: Final = """
{user}
daemon off;
worker_processes 1;
error_log stderr warn;
pid {where}/tmp/pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {where}/tmp/body;
    proxy_temp_path {where}/tmp/proxy;
    fastcgi_temp_path {where}/tmp/fastcgi;
    uwsgi_temp_path {where}/tmp/uwsgi;
    scgi_temp_path {where}/tmp/scgi;
    client_max_body_size 0;
    keepalive_requests 100000;
    sendfile on;
    gzip_types text/plain;
    types {{ text/plain txt; text/css css; text/html html; }}
    default_type application/octet-stream;
    ssl_certificate {site.chain};
    ssl_certificate_key {site.key};
    server {{
        listen {host}:{ports[http]};
        listen {host}:{ports[https]} ssl http2;
        listen {host}:{ports[h2c]} http2;
        root {site.root};
        location = /empty {{ return 204; }}
        location = /page.gz {{ add_header content-encoding gzip; }}
        location = /trailers.txt {{ alias {site.root}/page.txt; gzip on; gzip_min_length 1;
                                    add_trailer x-trailer sent; }}
        location = /gzip.txt {{ alias {site.root}/page.txt; gzip on; gzip_min_length 1; }}
        location = /push.txt {{ alias {site.root}/page.txt; http2_push /style.css; }}
        location = /close.txt {{ alias {site.root}/page.txt; keepalive_timeout 0; }}
        location /uploads/ {{ root {where}; dav_methods PUT DELETE; }}
    }}
}}
"""


@pytest.fixture(scope="session")
def nginx(site: Site) -> Iterator[Running]:
    """Run nginx: http, https (HTTP/1.1 and HTTP/2 by ALPN), h2c."""
    program = require("nginx")

    def command(ports: dict[str, int], where: Path) -> list[str]:
        user = "user root;" if os.geteuid() == 0 else ""
        config = where / "nginx.conf"
        config.write_text(NGINX.format(user=user, where=where, site=site, host=HOST, ports=ports))
        return [program, "-e", "stderr", "-p", str(where), "-c", str(config)]

    with start(("http", "https", "h2c"), command) as running:
        yield running


APACHE: Final = """
ServerRoot {where}
ServerName localhost
PidFile {where}/tmp/pid
DefaultRuntimeDir {where}/tmp
ErrorLog {where}/output
User {user}
{modules}
Listen {host}:{ports[http]}
Listen {host}:{ports[https]}
DocumentRoot {site.root}
TypesConfig /dev/null
AddType text/plain .txt
AddType text/css .css
KeepAlive On
MaxKeepAliveRequests 0
EnableSendfile On
Protocols h2 h2c http/1.1
H2Push on
H2EarlyHints on
StartServers 1
ServerLimit 2
DavLockDB {where}/tmp/dav
<Directory />
    Require all granted
</Directory>
Redirect 204 /empty
Alias /gzip.txt {site.root}/page.txt
<Location /gzip.txt>
    SetOutputFilter DEFLATE
</Location>
<Files page.gz>
    Header set content-encoding gzip
</Files>
<Location /push.txt>
    H2PushResource /style.css
</Location>
Alias /push.txt {site.root}/page.txt
Alias /close.txt {site.root}/page.txt
SetEnvIf Request_URI "^/close.txt$" nokeepalive
Alias /uploads {where}/uploads
<Location /uploads>
    Dav On
</Location>
<VirtualHost {host}:{ports[https]}>
    SSLEngine on
    SSLCertificateFile {site.chain}
    SSLCertificateKeyFile {site.key}
</VirtualHost>
"""
APACHE_LOADED: Final = (
    "mpm_event authz_core unixd alias mime headers filter deflate setenvif dav dav_fs ssl socache_shmcb http2"
)


@pytest.fixture(scope="session")
def apache(site: Site) -> Iterator[Running]:
    """Run Apache httpd: http (HTTP/1.1 and h2c), https (HTTP/1.1 and HTTP/2 by ALPN)."""
    program = require("apache2", "httpd")
    library = next(path for path in APACHE_MODULES if Path(path).is_dir())

    def command(ports: dict[str, int], where: Path) -> list[str]:
        loaded = "\n".join(
            f"LoadModule {name}_module {library}/mod_{name}.so"
            for name in APACHE_LOADED.split()
            if Path(f"{library}/mod_{name}.so").exists()  # otherwise it is built in
        )
        config = where / "apache.conf"
        config.write_text(
            APACHE.format(
                user="www-data" if Path("/etc/debian_version").exists() else "apache",
                modules=loaded,
                where=where,
                site=site,
                host=HOST,
                ports=ports,
            )
        )
        return [program, "-d", str(where), "-f", str(config), "-DFOREGROUND"]

    with start(("http", "https"), command) as running:
        yield running


@pytest.fixture(scope="session")
def node(site: Site) -> Iterator[Running]:
    """Run Node: http, https, h2c, h2 (with HTTP/1.1 by ALPN). It chooses its ports itself."""
    program = require("node", "nodejs")
    command = [program, str(HERE / "node_server.mjs"), str(site.key), str(site.chain)]
    with folder() as where, child(command, where) as process:
        output = where / "output"
        if not wait_until(process, lambda: output.read_bytes().endswith(b"}\n")):
            pytest.fail(f"node did not start:\n{output.read_text(errors='replace')}")
        yield Running(process, json.loads(output.read_text()), where)


@contextmanager
def nghttpd(site: Site, *options: str, tls: bool = True) -> Iterator[Running]:
    """Run nghttpd with these options; its port is "h2", or "h2c" without TLS."""
    program = require("nghttpd")

    def command(ports: dict[str, int], where: Path) -> list[str]:
        (port,) = ports.values()
        files = [str(site.key), str(site.chain)] if tls else ["--no-tls"]
        settings = ["-a", HOST, "-d", str(site.root), *options]
        return [program, *settings, str(port), *files]

    with start(("h2" if tls else "h2c",), command) as running:
        yield running
