"""Input that never ends and gives no plaintext: time limits apply, and other connections are served.

A proxy can send such input, for example frames of unknown types.
"""

from __future__ import annotations

import socket
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

import pytest

import mint
from mint import TCPOptions, errors
from mint._loops.system import POLLOUT
from mint._wire.link import PATIENCE
from mint.testing import Forever, ScriptedServer, http2
from mint.testing.frames import headers
from mint.transport import SocketLink

from ..routes import Swallowing, Whole

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

SHORT = 0.05


class Flooded(SocketLink):
    """A link whose socket is always readable and never writable."""

    def _wait(self, events: int, until: float | None) -> int:
        return super()._wait(events, until) & ~POLLOUT

    def _read_now(self) -> bytes | None:
        return bytes(1000)


@pytest.fixture
def link() -> Iterator[Flooded]:
    near, far = socket.socketpair()
    far.sendall(b"never read")
    made = Flooded(near, TCPOptions(high_water=1, send_timeout=SHORT), (Swallowing(),))
    with far:
        yield made
        made.close()


def test_octets_that_have_arrived_are_received_without_time_left() -> None:
    """This is also true if only many reads together give plaintext."""
    near, far = socket.socketpair()
    link = SocketLink(near, TCPOptions(receive_size=1), (Whole(),))
    with far:
        for receive in (lambda: link.receive(monotonic()), link.receive_now):
            far.sendall(b"x" * 1000 + b"\0")
            assert receive() == b"x" * 1000
        link.close()


class Counted(SocketLink):
    """A link whose every read gives `size` octets; it counts the reads."""

    size = 0
    pulls = 0

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:
        self.pulls += 1
        return bytes(self.size)


@contextmanager
def counted(size: int, *layers: Swallowing) -> Generator[Counted]:
    near, far = socket.socketpair()
    link = Counted(near, TCPOptions(), layers)
    link.size = size
    with far:
        yield link
        link.close()


@pytest.mark.parametrize(
    ("size", "reads"),
    [(1000, 66), (PATIENCE // 4, 5), (PATIENCE - 1, 2), (PATIENCE, 2), (PATIENCE + 1, 1)],
)
def test_how_much_is_read_without_time_left(size: int, reads: int) -> None:
    """Reading ends with the read that exceeds the limit, which is exact to the octet."""
    with counted(size, Swallowing()) as link:
        with pytest.raises(errors.TransportTimeout, match="receiving"):
            link.receive(monotonic())
        assert link.pulls == reads
        assert link.receive_now() is None
        assert link.pulls == 2 * reads
    # What was looked at stays in the queue, and is counted by the next look.
    with counted(size) as link:
        for _ in range(2):
            assert link.look() is not None
            assert link.pulls == reads


def test_plaintext_is_waited_for_while_time_is_left() -> None:
    """However much has arrived before that gives none."""

    class Told(SocketLink):
        def _pull(self, until: float | None, *, wait: bool) -> bytes | None:
            return pieces.pop(0)

    near, far = socket.socketpair()
    link = Told(near, TCPOptions(), (Whole(),))
    with far:
        pieces = [b"x" * (PATIENCE + 1), b"y", b"\0"]
        assert link.receive(monotonic() + 1000) == b"x" * (PATIENCE + 1) + b"y"
        link.close()


def test_receiving_ends_with_its_time_limit(link: Flooded) -> None:
    with pytest.raises(errors.TransportTimeout, match="receiving"):
        link.receive(monotonic() + SHORT)


def test_flushing_ends_with_its_time_limit(link: Flooded) -> None:
    link.send((b"kept by the layer",), flush=False)
    with pytest.raises(errors.TransportTimeout, match="sending"):
        link.flush(SHORT)


def test_sending_ends_with_its_time_limit(link: Flooded) -> None:
    with pytest.raises(errors.TransportTimeout, match="sending"):
        link.send((b"kept by the layer",), flush=True)


def test_a_mailbox_keeps_its_time_limit_and_serves_others(link: Flooded) -> None:
    with mint.Mailbox() as mailbox:
        conn: mint.Connection = mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox)
        with pytest.raises(errors.TransportTimeout):
            mailbox.receive(SHORT)
        near, far = socket.socketpair()
        with far:
            other: mint.Connection = mint.http1.initiate(
                SocketLink(near, TCPOptions()), scheme="http", hostname="b", mailbox=mailbox
            )
            far.sendall(b"HTTP/1.1")
            message = mailbox.receive(10)
            assert isinstance(message, mint.Received)
            assert other.owns(message)
            other.close()
        conn.close()


def test_waiting_for_a_tunnel_ends_with_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [
        *(*http2.handshake(), http2.ExpectHeaders(1)),
        http2.send(headers(1, ((":status", "200"),))),
    ]
    with ScriptedServer([*steps, Forever()]) as server:
        proxy = mint.http2.connect("http", server.address, server.port)
        with mint.Tunnels(proxy) as tunnels:
            conn = tunnels.connect("http", "one.example", 80)
            conn, _ = conn.request("GET", "/")

            def read(*_: object) -> bool:
                return True

            monkeypatch.setattr(tunnels, "_read_once", read)
            with pytest.raises(errors.TransportTimeout, match="receiving") as caught:
                conn.recv(timeout=SHORT)
            conn = conn.after(caught.value)
            conn, ref = conn.request("POST", "/", body=mint.STREAM)
            conn = conn.stream_request_body(ref, bytes(100_000))  # more than the windows permit
            with pytest.raises(errors.TransportTimeout, match="sending"):
                conn.flush(timeout=SHORT)
