"""Blocking links to the last octet: writing piece by piece, a wire that breaks, and reads without a limit."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

import mint
from mint import TCPOptions, errors
from mint._loops import tcp
from mint._loops.system import POLLOUT
from mint.testing import Origin, Response
from mint.testing.clock import FakeClock
from mint.transport import SocketLink

from ..event_loops import data
from ..inboxes import Box
from ..routes import Whole
from ..tls import server_context, trusting

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any  # the arguments of `send` and `sendmsg` are passed through


class Sluggish(socket.socket):
    """A socket that accepts as many octets as it was given room for."""

    room = 0

    def send(self, octets: Any, flags: int = 0, /) -> int:
        if not self.room:
            raise BlockingIOError
        sent = super().send(memoryview(octets)[: self.room], flags)
        self.room -= sent
        return sent

    def sendmsg(self, pieces: Any, *rest: Any) -> int:
        return self.send(b"".join(pieces))


class OctetByOctet(SocketLink):
    """A link to which the system gives room for one octet during each wait."""

    def __init__(self, near: Sluggish, options: TCPOptions) -> None:
        super().__init__(near, options)
        self.limits: list[float | None] = []
        """Until when it waited each time."""

    waits = 0
    ready = POLLOUT
    """What it returns; 0 if the system does not report so little room."""
    waited: Callable[[], object] = staticmethod(bool)
    """Called at the end of each wait."""

    def _wait(self, events: int, until: float | None) -> int:
        assert events & POLLOUT
        assert isinstance(self._socket, Sluggish)
        self._socket.room = 1
        self.limits.append(until)
        self.waits += 1
        self.waited()
        return self.ready


def sluggish(options: TCPOptions | None = None) -> tuple[OctetByOctet, socket.socket]:
    near, far = socket.socketpair()
    far.settimeout(10)
    return OctetByOctet(Sluggish(fileno=near.detach()), options or TCPOptions()), far


def at_the_end(link: SocketLink, far: socket.socket, octets: bytes) -> None:
    """Queue these octets, and let the link know that the peer has ended its direction."""
    link.send((octets,), flush=False)
    far.shutdown(socket.SHUT_WR)
    assert link._read_now() == b""
    link._take_in(b"")


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("held", [0, 8])
def test_at_its_end_a_link_writes_every_octet_before_it_is_closed(size: int, held: int) -> None:
    """Also if its input queue is full: the peer has ended, and does not wait for anything."""
    link, far = sluggish(TCPOptions(max_read_ahead=8))
    with far:
        link.begin(bytes(held))
        at_the_end(link, far, b"abcde"[:size])
        link.finish_and_close()
        assert (link.waits, link.unsent, link.closed) == (size, 0, True)
        assert far.recv(100, socket.MSG_WAITALL) == b"abcde"[:size]


def test_at_its_end_a_link_that_accepts_everything_is_closed_at_once() -> None:
    near, far = socket.socketpair()
    with far:
        link = SocketLink(near, TCPOptions())
        at_the_end(link, far, b"abc")
        link.finish_and_close()
        assert (link.unsent, link.closed) == (0, True)
        assert far.recv(100, socket.MSG_WAITALL) == b"abc"


def test_at_its_end_a_link_with_a_mailbox_does_not_wait() -> None:
    link, far = sluggish()
    with far:
        link.inbox = Box()
        at_the_end(link, far, b"ab")
        link.finish_and_close()
        assert (link.waits, link.unsent, link.closed) == (0, 2, False)
        assert isinstance(link._socket, Sluggish)
        link._socket.room = 2
        link.write_waiting()  # as a mailbox does
        assert (link.unsent, link.closed) == (0, True)
        assert far.recv(100, socket.MSG_WAITALL) == b"ab"


PIECES = pytest.mark.parametrize("pieces", [1, 2])
"""A link writes a single piece at once, and several through its queue."""


def parts(size: int, pieces: int) -> tuple[bytes, ...]:
    return (bytes(size - pieces + 1), *[b"x"] * (pieces - 1))


@PIECES
@pytest.mark.parametrize("size", [8, 9, 12])
def test_sending_waits_until_no_more_than_the_high_water_mark_is_queued(size: int, pieces: int) -> None:
    link, far = sluggish(TCPOptions(high_water=8))
    with far:
        link.send(parts(size, pieces), flush=True)
        assert (link.waits, link.unsent) == (size - 8, 8)
        link.flush(None)
        assert (link.waits, link.unsent) == (size, 0)
        link.close()


@PIECES
def test_sending_waits_once_there_is_something_to_receive_and_the_caller_sends_all_the_same(
    pieces: int,
) -> None:
    """First it returns, so that the caller can receive; but a queue must not grow without end."""
    link, far = sluggish(TCPOptions(high_water=8, max_read_ahead=4))
    with far:
        link.begin(b"response")
        assert link.full
        link.send(parts(12, pieces), flush=True)
        assert (link.waits, link.unsent) == (0, 12)
        link.send(parts(2, pieces), flush=True)
        assert (link.waits, link.unsent) == (6, 8)
        link.close()


@PIECES
@pytest.mark.parametrize("ready", [0, POLLOUT])
def test_the_time_for_sending_starts_again_with_every_octet(
    pieces: int, ready: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    monkeypatch.setattr(tcp, "monotonic", clock.monotonic)
    link, far = sluggish(TCPOptions(high_water=1, send_timeout=2))
    link.waited, link.ready = lambda: clock.advance(1), ready
    started = clock.monotonic()
    with far:
        link.send(parts(10, pieces), flush=True)
        assert (link.waits, link.unsent) == (9, 1)
        assert link.limits == [started + 2 + number for number in range(9)]
        link.ready = POLLOUT
        link.send((b"more than that",), flush=False)
        with pytest.raises(errors.TransportTimeout):
            link.flush(2)  # the limit of a flush is one for the whole call
        assert link.waits == 11
        link.close()


@PIECES
def test_a_link_that_a_signal_handler_closes_writes_nothing_more(pieces: int) -> None:
    link, far = sluggish(TCPOptions(high_water=8))
    link.waited = link.abort
    with far:
        conn = mint.http1.initiate(link, scheme="http", hostname="example.org")
        link.claim(link.generation)
        with pytest.raises(errors.TransportClosed):
            link.send(parts(20, pieces), flush=True)
        link.release(moved=True)
        assert link.waits == 1
        conn.close()


@pytest.mark.rfc("9112-9.5-a")
@pytest.mark.parametrize("pieces", [(b"x",), (b"x", b"y")])
@pytest.mark.parametrize("queued", [False, True])
def test_an_early_response_survives_a_failed_write_of_any_kind(
    pieces: tuple[bytes, ...], queued: bool
) -> None:
    near, far = socket.socketpair()
    link = SocketLink(near, TCPOptions())
    far.sendall(b"early")
    if queued:
        link.send((b"before",), flush=False)
    far.close()
    link.send(pieces, flush=True)
    assert link.has_failed_to_write
    assert link.receive(None) == b"early"
    link.close()


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("secure", [False, True])
def test_receiving_without_a_limit(protocol: mint.types.ProtocolName, secure: bool) -> None:
    """Without anything queued, such a read waits in the socket itself."""
    alpn = {"http1": "http/1.1", "http2": "h2"}[protocol]
    body = bytes(range(256)) * 1000
    with Origin(
        lambda request: Response(200, (), body), tls=server_context(alpn=(alpn,)) if secure else None
    ) as origin:
        conn = mint.connect(
            "https" if secure else "http",
            "localhost" if secure else origin.address,
            origin.port,
            protocols=(protocol,),
            tls=trusting(),
        )
        for _ in range(2):
            conn, _ref = conn.request("GET", "/")
            found = b""
            while conn.open_request_count:
                conn, responses = conn.recv()
                found += data(responses)
            assert found == body
        conn.close()


def test_a_push_says_how_many_octets_were_accepted() -> None:
    link, far = sluggish()
    with far:
        link.send((b"abc", b"def"), flush=False)
        assert isinstance(link._socket, Sluggish)
        for room, accepted in ((0, 0), (2, 2), (10, 4), (10, 0)):
            link._socket.room = room
            assert link._push() == accepted
        link.close()


@pytest.mark.parametrize("failed", [False, True])
def test_at_its_end_a_tunnel_stays_open_unless_nothing_can_be_written(failed: bool) -> None:
    """The proxy may still send frames, for which the socket must be open."""
    near, far = socket.socketpair()
    with far:
        link = SocketLink(near, TCPOptions(), (Whole(),))
        link._read_event("end")
        if failed:
            link.fail_writing()
        link.finish_and_close()
        assert link.closed is failed
        assert (near.fileno() == -1) is failed
        link.close()
