"""Every route to an origin, with proxies that run in this process and record what they receive."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias  # arguments of others are passed through
from urllib.parse import urlsplit

import mint
from mint import Proxy, errors
from mint.testing import Origin, Peer, Request, Response
from mint.testing.messages import Lost
from mint.testing.server import Server
from mint.transport import Memory

from .tls import server_context, trusting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mint.proxy import ProxyScheme

RouteName: TypeAlias = Literal[
    "direct",
    "forwarded",
    "forwarded over TLS",
    "http proxy",
    "https proxy",
    "HTTP/2 proxy",
    "HTTP/2 proxy over TLS",
    "socks5",
    "socks5h",
    "socks4a",
    "unix socket",
    "given socket",
]
TUNNELS: Final[tuple[RouteName, ...]] = (
    *("http proxy", "https proxy", "HTTP/2 proxy", "HTTP/2 proxy over TLS"),
    *("socks5", "socks5h", "socks4a"),
)
SECURE: Final[tuple[RouteName, ...]] = ("direct", *TUNNELS, "unix socket", "given socket")
ALL: Final[tuple[RouteName, ...]] = (*SECURE, "forwarded", "forwarded over TLS")
SIZE = 65_536


def dial(host: str, port: int) -> socket.socket:
    return socket.create_connection((host, port), timeout=10)


def pump_out(source: Iterator[bytes], sink: socket.socket) -> None:
    """Forward what the client sends; the client may close or reset the connection."""
    with suppress(OSError, Lost):
        for piece in source:
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def pump_in(source: socket.socket) -> Iterator[bytes]:
    with source, suppress(OSError):
        while data := source.recv(SIZE):
            yield data


def tunnel(source: Iterator[bytes], there: socket.socket) -> Iterator[bytes]:
    """Forward both directions, beginning when the first piece is requested, after the tunnel was opened."""
    threading.Thread(target=pump_out, args=(source, there), daemon=True).start()
    yield from pump_in(there)


class Inside:
    """The data in a tunnel. Its socket is closed even if the client leaves before the first read."""

    def __init__(self, source: Iterator[bytes], there: socket.socket) -> None:
        self._source, self._there = source, there

    def __iter__(self) -> Iterator[bytes]:
        return tunnel(self._source, self._there)

    def __del__(self) -> None:
        self._there.close()


class HTTPProxy:
    """A handler of `Origin` that acts as a proxy: it tunnels and forwards, over either protocol."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        if request.method == "CONNECT":
            host, _, port = (request.target if ":" in request.target else request.authority).rpartition(":")
            there = dial(host.strip("[]"), int(port))
            return Response(200, (("via", "tester"),), Inside(iter(request.body), there))
        return self._forward(request)

    def _forward(self, request: Request) -> Response:
        parts = urlsplit(request.target)
        there = dial(str(parts.hostname), parts.port or 80)
        lines = [f"{request.method} {parts.path or '/'} HTTP/1.1", *(f"{n}: {v}" for n, v in request.headers)]
        there.sendall(("\r\n".join([*lines, "connection: close", "", ""])).encode("latin-1"))
        head, _, content = b"".join(pump_in(there)).partition(b"\r\n\r\n")
        first, *fields = head.decode("latin-1").split("\r\n")
        headers = tuple((n.lower(), v.strip()) for n, _, v in (line.partition(":") for line in fields))
        kept = tuple(pair for pair in headers if pair[0] not in {"content-length", "connection"})
        return Response(int(first.split()[1]), kept, content)


class SocksProxy(Server):
    """A SOCKS proxy of both versions; `handshake` has the octets before the tunnel, `targets` the origins."""

    def __init__(self) -> None:
        super().__init__(tls=None, family=socket.AF_INET, timeout=10)
        self.handshake = bytearray()
        self.targets: list[tuple[str, int]] = []

    def _admit(self, sock: socket.socket, number: int) -> Peer:
        return Peer(sock, number)

    def _unfinished(self, late: list[Peer]) -> list[Exception]:
        return []

    def _patience(self) -> float:
        return 0.0

    def _read(self, peer: Peer, count: int) -> bytes:
        octets = peer.read_exactly(count)
        self.handshake += octets
        return octets

    def _serve(self, peer: Peer) -> None:
        with suppress(OSError, EOFError):
            host, port = self._five(peer) if self._read(peer, 1) == b"\x05" else self._four(peer)
            self.targets.append((host, port))
            there = dial(host, port)
            for piece in tunnel(iter(peer.read_some, b""), there):
                peer.send(piece)

    def _five(self, peer: Peer) -> tuple[str, int]:
        methods = self._read(peer, self._read(peer, 1)[0])
        if 2 in methods:
            peer.send(b"\x05\x02")
            self._read(peer, 1)
            self._read(peer, self._read(peer, 1)[0])
            self._read(peer, self._read(peer, 1)[0])
            peer.send(b"\x01\x00")
        else:
            peer.send(b"\x05\x00")
        kind = self._read(peer, 4)[3]
        if kind == 3:
            host = self._read(peer, self._read(peer, 1)[0]).decode()
        else:
            family = socket.AF_INET if kind == 1 else socket.AF_INET6
            host = socket.inet_ntop(family, self._read(peer, 4 if kind == 1 else 16))
        port = int.from_bytes(self._read(peer, 2), "big")
        peer.send(b"\x05\x00\x00\x01" + bytes(6))
        return host, port

    def _four(self, peer: Peer) -> tuple[str, int]:
        self._read(peer, 1)
        port = int.from_bytes(self._read(peer, 2), "big")
        address = self._read(peer, 4)
        self.handshake += peer.read_until(b"\0")
        host = socket.inet_ntoa(address)
        if address[:3] == bytes(3):
            name = peer.read_until(b"\0")
            self.handshake += name
            host = name[:-1].decode()
        peer.send(b"\x00\x5a" + bytes(6))
        return host, port


class Route:
    """A route with running servers: the arguments for `mint.connect`, and what the proxy has received."""

    def __init__(self, route: RouteName, origin: Origin) -> None:
        self.name = route
        self.origin = origin
        self.http: HTTPProxy | None = None
        self.socks: SocksProxy | None = None
        self.proxy: Proxy | None = None

    def arguments(
        self, *, scheme: mint.types.Scheme, **options: Any
    ) -> tuple[tuple[mint.types.Scheme, mint.types.Address, int], dict[str, Any]]:
        """Return the arguments of `connect` in any event loop for this route; the host is localhost."""
        address: mint.types.Address = "127.0.0.1"
        port = self.origin.port
        if self.name == "unix socket":
            address, port = mint.UnixAddress(self.origin.address), 80
        elif self.name == "given socket" and "socket" not in options:
            options["socket"] = dial(self.origin.address, port)
        options = {"hostname": "localhost", "proxy": self.proxy, **options}
        return (scheme, options.pop("address", address), port), options

    def connect(self, scheme: mint.types.Scheme, **options: Any) -> mint.Connection:
        """Connect by this route with blocking calls."""
        where, options = self.arguments(scheme=scheme, **options)
        conn: mint.Connection = mint.connect(*where, **options)
        return conn


@contextmanager
def open_route(route: RouteName, origin: Origin, **given: Any) -> Iterator[Route]:
    """Run the servers of this route; `given` has arguments for the `Proxy`."""
    made = Route(route, origin)
    with ExitStack() as stack:
        if route.startswith("socks"):
            made.socks = stack.enter_context(SocksProxy())
            scheme: ProxyScheme = route  # type: ignore[assignment]  # the routes of SOCKS are called by scheme
            made.proxy = Proxy(scheme, made.socks.address, made.socks.port, **given)
        elif "proxy" in route or route.startswith("forwarded"):
            secure = route.endswith("TLS") or route == "https proxy"
            made.http = HTTPProxy()
            alpn = ("h2",) if "HTTP/2" in route else ("http/1.1",)
            context = server_context("127.0.0.1", alpn=alpn) if secure else None
            server = stack.enter_context(Origin(made.http, tls=context))
            made.proxy = Proxy(
                "https" if secure else "http",
                server.address,
                server.port,
                **{
                    "tls": trusting(),
                    "protocols": ("http2",) if "HTTP/2" in route else ("http1",),
                    "tunnel": not route.startswith("forwarded"),
                    **given,
                },
            )
        yield made


def family_of(route: RouteName) -> socket.AddressFamily:
    return socket.AF_UNIX if route == "unix socket" else socket.AF_INET


def fetch(conn: mint.Connection, headers: mint.types.HeaderPairs = ()) -> tuple[int, bytes]:
    """Fetch a page, close, and return status and content."""
    status, content = 0, b""
    with conn:
        conn, _ = conn.request("GET", "/page", headers)
        while conn.open_request_count:
            conn, responses = conn.recv(timeout=10)
            for response in responses:
                match response:
                    case mint.Status(status=status):
                        pass
                    case mint.Data(data=data):
                        content += data
                    case mint.RequestFailed(error=error):
                        raise error
                    case _:
                        pass
    return status, content


class Breaking(Memory):
    """A link that fails to send once a test sets `broken`."""

    broken = False

    def __init__(self) -> None:
        super().__init__()
        self.still = False

    def _transmit(self, *, wait: bool) -> None:
        if self.broken:
            raise errors.TransportReset
        super()._transmit(wait=wait)


class Narrow:
    """A layer with exhausted windows, which keeps everything that is written to it."""

    keeps_wire = True

    def __init__(self) -> None:
        self.ended: bool = False
        self.clean_end: bool = False
        self.failure: mint.TransportError | None = None
        self.waiting: int = 0
        self.came = b""

    def feed(self, octets: bytes) -> None:
        self.came += octets

    def read(self) -> bytes:
        octets, self.came = self.came, b""
        return octets

    def write(self, octets: bytes | memoryview) -> None:
        self.waiting += len(octets)

    def leaving(self) -> bytes:
        return b""

    def written(self) -> None:
        """Do nothing: there is no peer."""

    def close_notify(self) -> None:
        self.waiting = 0


class Whole(Narrow):
    """A layer that returns what arrived before the last zero octet; output passes unchanged."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = b""

    def read(self) -> bytes:
        whole, _, self.came = self.came.rpartition(b"\0")
        return whole

    def write(self, octets: bytes | memoryview) -> None:
        self.gone += octets

    def leaving(self) -> bytes:
        octets, self.gone = self.gone, b""
        return octets


class Swallowing(Narrow):
    """A layer that returns nothing of what arrives."""

    def read(self) -> bytes:
        self.came = b""
        return b""


__all__ = [
    "ALL",
    "SECURE",
    "TUNNELS",
    "Breaking",
    "Narrow",
    "Route",
    "RouteName",
    "Swallowing",
    "Whole",
    "family_of",
    "fetch",
    "open_route",
    "server_context",
]
