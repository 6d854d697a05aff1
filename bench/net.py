"""End-to-end work: real servers and sockets, and each contender in a separate process."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass, replace

from . import servers
from .measure import BUDGET, MissingError

LACKING = 3


@dataclass(frozen=True, slots=True)
class Errand:
    """What a client process has to do repeatedly."""

    verb: str  # "get", "connect", "first", "down", "up"
    tls: bool
    http2: bool
    port: int
    path: str
    authority: str  # path of the CA certificate
    count: int  # operations in a sample of the usual budget
    together: int = 1  # requests at once
    floor: int = 0  # port of the server for the floor, if it is a different one
    size: int = 0  # octets of a download
    wall: bool = False  # whether wall-clock time is measured instead of CPU time
    warm: str = ""  # for "first": the CA certificate of the connection that is made before the measured one

    @property
    def url(self) -> str:
        """The URL to ask for."""
        return f"http{'s' * self.tls}://localhost:{self.port}{self.path}"


def gets(*, tls: bool = False, http2: bool = False, together: int = 1, count: int = 5_000) -> Errand:
    """Return GETs of 200 B from nginx."""
    port = servers.nginx()[tls]
    return Errand("get", tls, http2, port, "/small", servers.authority(), count, together)


def connects(*, tls: bool = False, authorities: int = 1) -> Errand:
    """Return GETs of 200 B from nginx over HTTP/1, each over a connection of its own."""
    port = servers.nginx()[tls]
    return Errand("connect", tls, False, port, "/small", servers.authority(authorities), 300)


def first(authorities: int) -> Errand:
    """Return the first GET with so many CA certificates, after a connection with only one of them."""
    port = servers.nginx()[True]
    trusted = servers.authority(authorities)
    return Errand("first", True, False, port, "/small", trusted, 1, warm=servers.authority())


def down(*, tls: bool = False, http2: bool = False) -> Errand:
    """Return a download of 100 MB from nginx."""
    port = servers.nginx()[tls]
    return Errand("down", tls, http2, port, "/bulk", servers.authority(), 5, size=servers.BULK)


def large() -> Errand:
    """Return a download of 1 GB over HTTP/1 without TLS, to measure the throughput."""
    port, _ = servers.nginx()
    return Errand("down", False, False, port, "/large", servers.authority(), 6, size=servers.LARGE, wall=True)


def up(*, tls: bool = False) -> Errand:
    """Return an upload of 100 MB: over HTTP/1 without TLS to the sink, or over HTTP/2 and TLS to nghttpd."""
    port = servers.nghttpd() if tls else servers.sink(tls=False)
    floor = servers.sink(tls=tls)
    return Errand("up", tls, tls, port, "/up", servers.authority(), 5, floor=floor)


class Apart:
    """A task in a separate process."""

    def __init__(self, where: str, errand: Errand) -> None:
        self._where = where
        self._errand = errand

    def _ran(self, verb: str, errand: Errand) -> str:
        run = subprocess.run(
            [sys.executable, "-m", "bench.client", verb, self._where, json.dumps(asdict(errand))],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if run.returncode == LACKING:
            raise MissingError(run.stdout.strip())
        assert run.returncode == 0, f"{run.stdout[-400:]}{run.stderr[-1600:]}"
        return run.stdout

    def check(self) -> None:
        """Let the process verify its results."""
        self._ran("check", self._errand)

    def seconds(self, budget: float) -> float:
        """Let the process measure its own time; CPU time includes all threads.

        The number of operations is that of the errand for the usual budget, and proportional to it.
        """
        count = max(1, round(self._errand.count * budget / BUDGET))
        return float(self._ran("time", replace(self._errand, count=count)))
