"""A `MemoryError` at any allocation inside an operation: no crash, no lock held, no octet sent twice.

Here some of the allocations of each operation fail; `ci/memory` tests all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from ast import literal_eval
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from mint.testing import Origin, Request, Response

from ..routes import HTTPProxy
from ..tls import authority, server_context

if TYPE_CHECKING:
    from collections.abc import Callable

pytest.importorskip("_testcapi")
pytest.importorskip("trio")

ROUTES: Final = (
    *("HTTP/1", "HTTP/1, TLS", "HTTP/2", "HTTP/2, TLS"),
    *("HTTP/1, TLS, proxy", "HTTP/1, HTTP/2 proxy", "HTTP/2, TLS, HTTP/2 proxy"),
)
STEP: Final = int(os.environ.get("MINT_MEMORY_STEP", "11"))
"""The distance between the allocations that fail; in each exchange, one of them does."""

SENDING: Final = {"request", "stream", "body", "eof", "close"}
OPERATIONS: Final = {
    "blocking": {"connect", *SENDING, "flush", "recv"},
    "mailbox": {"connect", *SENDING, "flush", "receive", "feed"},
    "asyncio": {"connect", *SENDING, "flush", "receive", "feed"},
    "trio": {*SENDING, "feed"},
}
"""The operations of each event loop; trio itself does not survive a `MemoryError` while it waits."""

TUNNEL_ROUTES: Final = ("HTTP/1, HTTP/2 proxy", "HTTP/2, TLS, HTTP/2 proxy")
TUNNEL_OPERATIONS: Final = {
    "blocking": {*OPERATIONS["blocking"], "close_all"},
    "mailbox": {*OPERATIONS["mailbox"], "share", "close_all"},
    "asyncio": {*OPERATIONS["asyncio"], "make", "heard", "close_all"},
    "trio": {*OPERATIONS["trio"], "heard", "close_all"},
}
"""The operations on tunnels; in asyncio and trio, the event loop reads the shared connection."""

BODY: Final = b"0123456789" * 600


def record(sent: Counter[str], broken: list[str]) -> Callable[[Request], Response]:
    """Return a handler that counts the requests by their numbers, and checks their bodies."""

    def handle(request: Request) -> Response:
        fields = dict(request.headers)
        sent[fields["x-number"]] += 1
        body = request.body.read()
        if body != (BODY if fields["x-kind"] == "post" else b""):
            broken.append(f"{fields}: {len(body)} octets of content")
        return Response(200, (), b"hello")

    return handle


def failing(program: str, loop: str, route: str, directory: Path) -> dict[str, int]:
    """Run a program whose allocations fail; return the number of failures of each operation."""
    (directory / "CA").write_bytes(authority().cert_pem.bytes())
    sent: Counter[str] = Counter()
    broken: list[str] = []
    alpn = ("h2",) if route.startswith("HTTP/2") else ("http/1.1",)
    tls = server_context(alpn=alpn) if "TLS" in route else None
    with Origin(record(sent, broken), tls=tls) as origin, Origin(HTTPProxy()) as proxy:
        path = Path(__file__).with_name(program)
        done = subprocess.run(
            [sys.executable, "-P", path, loop, route, str(origin.port), str(proxy.port), str(STEP)],
            cwd=directory,
            env={**os.environ, "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            timeout=3_600,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    assert [number for number, times in sent.items() if times > 1] == []
    assert broken == []
    failed: dict[str, int] = literal_eval(done.stdout)
    assert all(failed.values()), failed
    return failed


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("loop", OPERATIONS)
def test_exchanges_survive_memory_errors(loop: str, route: str, tmp_path: Path) -> None:
    assert set(failing("failing_memory.py", loop, route, tmp_path)) == OPERATIONS[loop]


@pytest.mark.parametrize("route", TUNNEL_ROUTES)
@pytest.mark.parametrize("loop", TUNNEL_OPERATIONS)
def test_tunnels_survive_memory_errors(loop: str, route: str, tmp_path: Path) -> None:
    """The other tunnels of the connection continue, or report that it is closed."""
    assert set(failing("failing_tunnels.py", loop, route, tmp_path)) == TUNNEL_OPERATIONS[loop]
