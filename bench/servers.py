"""The servers of the end-to-end rows: nginx and nghttpd, if they are installed, and the sink of `bench.sink`.

Each is started once, on a free port of the loopback interface, and ends with this process.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from functools import cache, partial
from pathlib import Path

import trustme

from . import places
from .measure import MissingError
from .traffic import USUAL, Traffic

BULK = 100_000_000
LARGE = 10 * BULK
SMALL = 200
NGINX = """
daemon off; worker_processes 1; pid {place}/pid; error_log /dev/null crit;
events {{ worker_connections 512; }}
http {{
    access_log off; sendfile on; keepalive_requests 1000000000; keepalive_timeout 600s;
    client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi; uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;
    http2_max_concurrent_streams 256; http2_max_requests 1000000000;
    ssl_certificate {place}/server.pem; ssl_certificate_key {place}/server.pem;
    server {{
        listen 127.0.0.1:{clear}; listen 127.0.0.1:{tls} ssl http2; root {place};
        location = /small {{
            default_type application/json; {fields}
            add_header x-request-id $request_id; add_header etag 'W/"$request_id"';
            return 200 "{body}";
        }}
    }}
}}
"""


@cache
def _place() -> Path:
    place = Path(tempfile.mkdtemp(prefix="bench-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(place / "ca.pem"))
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        str(place / "server.pem")
    )
    (place / "bulk").write_bytes(content())
    with (place / "large").open("wb") as file:
        for _ in range(LARGE // BULK):
            file.write(content())
    place.chmod(0o755)
    return place


@cache
def authority(number: int = 1) -> str:
    """Return the path of a file with so many CA certificates; the last one signed those of the servers."""
    path = _place() / "ca.pem"
    if number == 1:
        return str(path)
    others = b"".join(trustme.CA().cert_pem.bytes() for _ in range(number - 1))
    many = path.with_name(f"ca-{number}.pem")
    many.write_bytes(others + path.read_bytes())
    return str(many)


@cache
def content() -> bytes:
    """Return the content of /bulk."""
    piece = Traffic().octets(1 << 20)
    return (piece * (BULK // len(piece) + 1))[:BULK]


def small() -> bytes:
    """Return the content of /small."""
    return Traffic().word(SMALL).encode()


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _listener() -> socket.socket:
    """Return a listening socket; its connections use the congestion control Reno.

    BBR, the default of some systems, paces what it sends according to its estimate of the bandwidth. On
    loopback this can make the same transfer several times as long. Every Linux has Reno.
    """
    listener = socket.create_server(("127.0.0.1", 0), backlog=511)
    if hasattr(socket, "TCP_CONGESTION"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    return listener


def _begin(command: list[str], port: int, listeners: tuple[socket.socket, ...] = ()) -> None:
    program = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise MissingError(command[0])
    fds = [listener.fileno() for listener in listeners]
    process = subprocess.Popen(
        [program, *command[1:]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=fds,
        # The descriptors of sockets that nginx inherits instead of opening them.
        env={**os.environ, "NGINX": "".join(f"{fd};" for fd in fds)} if fds else None,
        preexec_fn=partial(places.keep, 0, client=False),  # noqa: PLW1509  # no threads here
    )
    for listener in listeners:
        listener.close()
    atexit.register(process.wait)
    atexit.register(process.terminate)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise MissingError(f"{command[0]} does not start")


@cache
def nginx() -> tuple[int, int]:
    """Return the ports of nginx, without and with TLS (HTTP/2 by ALPN)."""
    place, listeners = _place(), (_listener(), _listener())
    clear, tls = (listener.getsockname()[1] for listener in listeners)
    fields = "".join(f"add_header {name} '{value}';" for name, value in USUAL[2:7])
    (place / "nginx.conf").write_text(
        NGINX.format(place=place, clear=clear, tls=tls, fields=fields, body=small().decode())
    )
    _begin(["nginx", "-e", "stderr", "-p", str(place), "-c", str(place / "nginx.conf")], tls, listeners)
    return clear, tls


@cache
def nghttpd() -> int:
    """Return the port of nghttpd over TLS, with windows that never stop a client."""
    place, port = _place(), _free()
    (place / "up").write_bytes(b"taken")
    key = str(place / "server.pem")
    _begin(["nghttpd", "-w", "30", "-W", "30", "-n", "1", "-d", str(place), str(port), key, key], port)
    return port


@cache
def sink(*, tls: bool) -> int:
    """Return the port of a server that accepts HTTP/1 requests of any size and sends short answers."""
    port = _free()
    more = [str(_place() / "server.pem")] if tls else []
    _begin([sys.executable, "-m", "bench.sink", str(port), *more], port)
    return port
