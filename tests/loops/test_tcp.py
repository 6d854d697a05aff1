"""The link of blocking calls, over real sockets."""

from __future__ import annotations

import contextlib
import errno
import math
import socket
import ssl
import struct
import sys
import threading
from time import monotonic
from typing import TYPE_CHECKING

import pytest

import mint
from mint import TCPOptions, errors
from mint._loops.system import POLLIN, POLLOUT, milliseconds
from mint._wire.pipe import MAX_READ_AHEAD
from mint.transport import SocketLink
from tests.refs import ref_of

from ..routes import Narrow, Whole

if TYPE_CHECKING:
    from collections.abc import Callable

BIG = bytes(range(256)) * 4096  # 1 MiB


def pair(options: TCPOptions | None = None) -> tuple[SocketLink, socket.socket]:
    listener = socket.create_server(("127.0.0.1", 0))
    near = socket.create_connection(listener.getsockname())
    far, _ = listener.accept()
    listener.close()
    far.settimeout(10)
    return SocketLink(near, options or TCPOptions()), far


@pytest.mark.parametrize("given", ["a path", None, 3, ssl.SSLSocket, object()])
def test_other_objects_than_sockets_are_refused_by_name(given: object) -> None:
    if given is ssl.SSLSocket:
        given = ssl.SSLSocket.__new__(ssl.SSLSocket)
    with pytest.raises(TypeError, match=r"^socket must (be|not be) an? "):
        SocketLink(given, TCPOptions())  # type: ignore[arg-type]  # wrong on purpose


def test_other_options_are_refused_by_name() -> None:
    near, far = socket.socketpair()
    with near, far, pytest.raises(TypeError, match=r"^options must be a mint\.TCPOptions"):
        SocketLink(near, mint.TLSOptions())  # type: ignore[arg-type]  # wrong on purpose


def soon() -> float:
    return monotonic() + 10


def test_octets_in_both_directions() -> None:
    link, far = pair()
    link.send((b"ab", b"cd"), flush=True)
    assert far.recv(10) == b"abcd"
    far.sendall(b"back")
    assert link.receive(soon()) == b"back"
    assert link.receive_now() is None
    far.sendall(b"again")
    assert link.receive(soon()) == b"again"
    far.close()
    assert link.receive(soon()) == b""
    assert link.clean_end
    assert link.receive(soon()) == b""
    link.close()


def test_addresses_and_socket_are_available_until_close() -> None:
    link, far = pair()
    assert link.local_address == far.getpeername()
    assert link.peer_address == far.getsockname()
    assert link.socket is not None
    assert link.tls is None
    link.close()
    assert link.local_address is None
    far.close()


def test_receiving_can_continue_after_a_timeout() -> None:
    link, far = pair()
    with pytest.raises(errors.TransportTimeout, match="receiving"):
        link.receive(monotonic())
    far.sendall(b"late")
    assert link.receive(soon()) == b"late"
    link.close()
    far.close()


@pytest.mark.parametrize("seconds", [1e7, math.inf])
def test_a_time_that_is_too_long_for_the_system_is_no_limit(seconds: float) -> None:
    link, far = pair()
    threading.Timer(0.01, far.sendall, (b"at last",)).start()
    link.flush(seconds)
    assert link.receive(monotonic() + seconds) == b"at last"
    link.close()
    far.close()


def test_queued_octets_wait_for_a_flush() -> None:
    link, far = pair()
    link.send((b"a",), flush=False)
    link.send((b"b",), flush=False)
    assert link.unsent == 2
    link.flush(1)
    assert link.unsent == 0
    assert far.recv(10) == b"ab"
    link.close()
    far.close()


def test_a_peer_that_does_not_read_makes_sending_time_out() -> None:
    link, far = pair(TCPOptions(send_timeout=0, high_water=65_536))
    with pytest.raises(errors.TransportTimeout, match="sending"):
        link.send((BIG,) * 16, flush=True)
    link.close()
    far.close()


@pytest.mark.parametrize("layered", [False, True])
def test_the_time_for_sending_starts_again_when_the_peer_takes_less_than_poll_reports(layered: bool) -> None:
    """Linux reports a socket as writable only once a large part of its buffer is empty."""

    class SlowlyRead(SocketLink):
        """The peer takes one segment during each wait; the time is always up."""

        waits = 0

        def _wait(self, events: int, until: float | None) -> int:
            if len(received) < self.most:
                received.extend(far.recv(65_536))
            self.waits += 1
            assert super()._wait(events, until) in {0, POLLOUT}
            return 0

        most = 16 * len(BIG)

    near, far = socket.socketpair()
    received = bytearray()
    layers = (Whole(),) if layered else ()
    link = SlowlyRead(near, TCPOptions(send_timeout=0, high_water=65_536), layers)
    link.send((BIG,) * 16, flush=True)
    assert link.waits > 1
    link.most = 0
    with pytest.raises(errors.TransportTimeout, match="sending"):
        link.send((BIG,) * 16, flush=True)
    link.close()
    far.setblocking(False)
    with contextlib.suppress(BlockingIOError, ConnectionResetError):
        while octets := far.recv(1 << 20):
            received.extend(octets)
    far.close()
    assert bytes(received) == (BIG * 32)[: len(received)]


def test_below_the_high_water_mark_sending_does_not_wait() -> None:
    link, far = pair(TCPOptions(send_timeout=0, high_water=64 * len(BIG)))
    link.send((BIG,) * 16, flush=True)
    assert link.unsent > 0
    with pytest.raises(errors.TransportTimeout, match="sending"):
        link.flush(0)
    received = bytearray()

    def read() -> None:
        while len(received) < 16 * len(BIG):
            received.extend(far.recv(1 << 20))

    reader = threading.Thread(target=read)
    reader.start()
    link.flush(10)
    reader.join()
    assert received == BIG * 16
    link.close()
    far.close()


@pytest.mark.rfc("9113-5.2.2-a")
def test_two_peers_that_both_write_do_not_deadlock() -> None:
    """While a send waits it reads, so the peer can finish writing and then reads."""
    link, far = pair(TCPOptions(high_water=65_536))
    received = bytearray()

    def write_first_then_read() -> None:
        far.sendall(BIG * 3)
        while len(received) < 16 * len(BIG):
            received.extend(far.recv(1 << 20))

    peer = threading.Thread(target=write_first_then_read)
    peer.start()
    link.send((BIG,) * 16, flush=True)
    link.flush(10)
    peer.join()
    assert received == BIG * 16
    came = bytearray()
    while len(came) < 3 * len(BIG):
        came += link.receive(soon())
    assert came == BIG * 3
    link.close()
    far.close()


def test_receiving_also_writes_queued_octets() -> None:
    link, far = pair(TCPOptions(high_water=64 * len(BIG)))
    link.send((BIG,) * 16, flush=True)
    assert link.unsent > 0

    def read_then_answer() -> None:
        seen = 0
        while seen < 16 * len(BIG):
            seen += len(far.recv(1 << 20))
        far.sendall(b"thanks")

    peer = threading.Thread(target=read_then_answer)
    peer.start()
    assert link.receive(soon()) == b"thanks"
    peer.join()
    link.close()
    far.close()


def reset(far: socket.socket) -> None:
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    far.close()


def test_a_reset_is_a_transport_error() -> None:
    link, far = pair()
    reset(far)
    with pytest.raises(errors.TransportReset) as caught:
        link.receive(soon())
    assert isinstance(caught.value, ConnectionResetError)
    assert isinstance(caught.value.__cause__, OSError)
    link.close()


class Dead(socket.socket):
    """A socket whose peer no longer responds, which the system reports once."""

    alive = True
    told = False

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        if self.alive:
            raise BlockingIOError
        if self.told:
            return b""
        self.told = True
        raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")


def test_a_timeout_of_the_system_is_not_a_transport_timeout() -> None:
    """RFC 9112 6.3: the end that the socket reports afterwards does not complete a body."""
    near, far = socket.socketpair()
    dead = Dead(fileno=near.detach())
    link = SocketLink(dead, TCPOptions())
    conn = mint.http1.initiate(link, scheme="http", hostname="example.org")
    conn, ref = conn.request("GET", "/")
    dead.alive = False
    link.begin(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
    conn, responses = conn.recv(timeout=10)
    assert responses[-1] == mint.Data(ref, b"half of it")
    far.sendall(b"x")
    with pytest.raises(errors.Unreachable, match="timed out") as caught:
        conn.recv(timeout=10)
    assert isinstance(caught.value.__cause__, OSError)
    assert isinstance(caught.value.responses[-1], mint.RequestFailed)
    assert not conn.after(caught.value).is_open("read")
    far.close()


def test_sending_to_a_peer_that_is_gone_fails() -> None:
    link, far = pair()
    reset(far)
    with pytest.raises((errors.TransportReset, errors.TransportClosed)):
        link.send((b"x",), flush=True)
    with pytest.raises(errors.TransportClosed):
        link.flush(1)
    link.close()


@pytest.mark.rfc("9110-7.5-a")
@pytest.mark.rfc("9112-9.5-a")
def test_an_early_response_is_received_after_a_broken_pipe() -> None:
    """RFC 9112 9.5: if the peer responds, stops reading and closes, its response is not lost."""
    link, far = pair()
    far.sendall(b"HTTP/1.1 413 Too Large\r\n\r\n")
    far.shutdown(socket.SHUT_RDWR)
    assert link.receive(soon()) == b"HTTP/1.1 413 Too Large\r\n\r\n"
    link.close()
    far.close()
    link, far = pair()
    far.sendall(b"early")
    far.close()
    # The first write causes a reset, and a later one fails; the response has arrived before that.
    with contextlib.suppress(errors.TransportReset, errors.TransportClosed):
        for _ in range(100):
            link.send((b"x" * 1000,), flush=True)
    assert link.receive(soon()) == b"early"
    link.close()


@pytest.mark.parametrize("tried", [False, True])
def test_a_flush_does_not_lose_an_early_response(tried: bool) -> None:
    """RFC 9112 9.5, for queued octets, and for a link whose sending has already failed."""
    near, far = socket.socketpair()
    link = SocketLink(near, TCPOptions())
    far.sendall(b"early")
    far.close()
    link.send((b"x",), flush=tried)
    link.flush(1)
    assert link.receive(soon()) == b"early"
    assert link.receive(soon()) == b""  # the peer ended its direction before the reset
    with pytest.raises(errors.TransportClosed):
        link.flush(1)
    link.close()


def test_shut_write_follows_queued_octets() -> None:
    link, far = pair(TCPOptions(high_water=64 * len(BIG)))
    link.send((BIG,) * 8, flush=True)
    link.shut_write()
    link.shut_write()
    seen = bytearray()

    def read() -> None:
        while piece := far.recv(1 << 20):
            seen.extend(piece)

    reader = threading.Thread(target=read)
    reader.start()
    link.flush(10)
    reader.join()
    assert seen == BIG * 8
    with pytest.raises(errors.TransportClosed):
        link.send((b"x",), flush=True)
    far.sendall(b"still listening")
    assert link.receive(soon()) == b"still listening"
    link.close()
    far.close()


def test_closing_wakes_a_thread_that_waits() -> None:
    link, far = pair()
    outcome: list[object] = []
    waiting = threading.Event()

    def wait() -> None:
        waiting.set()
        try:
            outcome.append(link.receive(soon()))
        except errors.TransportError as error:
            outcome.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait()
    link.close()
    link.close()
    thread.join()
    assert len(outcome) == 1
    with pytest.raises(errors.TransportClosed):
        link.send((b"x",), flush=True)
    with pytest.raises(errors.TransportClosed):
        SocketLink.receive(link, soon()) if outcome[0] != b"" else link.send((b"",), flush=True)
    far.close()


def test_a_socket_that_is_in_use_is_closed_after_the_operation() -> None:
    """Otherwise the system could reuse its number, and the operation would read from another socket."""
    link, far = pair()
    link.claim(0)
    number = link._socket.fileno()
    thread = threading.Thread(target=link.close)
    thread.start()
    thread.join()
    assert link.closed
    assert far.recv(10) == b""
    assert link._socket.fileno() == number
    assert link._wait(POLLIN, soon())
    with pytest.raises(errors.TransportClosed):
        link.receive(soon())
    link.release(moved=True)
    assert link._socket.fileno() == -1
    far.close()


def test_closing_writes_octets_without_waiting() -> None:
    link, far = pair()
    link.send((b"goodbye",), flush=False)
    link.close()
    assert far.recv(10) == b"goodbye"
    far.close()


class Through(Narrow):
    """A layer that passes octets on unchanged, and records the writes."""

    keeps_wire = False

    def __init__(self) -> None:
        super().__init__()
        self.given: list[bytes] = []
        self.left = b""

    def write(self, octets: bytes | memoryview) -> None:
        self.given.append(bytes(octets))
        self.left += octets

    def leaving(self) -> bytes:
        octets, self.left = self.left, b""
        return octets


def test_a_layer_that_fails_while_a_mailbox_writes_fails_open_requests() -> None:
    class Failing(Through):
        def write(self, octets: bytes | memoryview) -> None:
            del octets
            raise errors.TLSFailed("broken")

    near, far = socket.socketpair()
    link = SocketLink(near, TCPOptions(), (Failing(),))
    conn = mint.http1.initiate(link, scheme="http", hostname="example.org", port=80)
    conn, ref = conn.request("GET", "/", flush=False)
    with mint.Mailbox() as mailbox:
        conn = conn.set_mode("active", mailbox)
        with pytest.raises(errors.TLSFailed) as caught:
            conn.stream(mailbox.receive(10))
    assert [ref_of(each) for each in caught.value.responses] == [ref]
    assert not conn.after(caught.value).is_open()
    far.close()


@pytest.mark.parametrize(
    "operation",
    [
        lambda link: link.flush(None),
        lambda link: link.send((b"",), flush=True),
        lambda link: link.shut_write(),
        lambda link: link.close(),
        lambda link: link.receive(monotonic()),
    ],
    ids=["flush", "send", "shut_write", "close", "receive"],
)
def test_queued_pieces_go_through_the_layers_together(
    operation: Callable[[SocketLink], object],
) -> None:
    near, far = socket.socketpair()
    layer = Through()
    link = SocketLink(near, TCPOptions(), (layer,))
    for piece in (b"one,", b"two,", b"three"):
        link.send((piece,), flush=False)
    assert link.unsent == 13
    assert not layer.given
    with contextlib.suppress(errors.TransportTimeout):
        operation(link)
    assert layer.given[0] == b"one,two,three"
    assert link.unsent == 0
    assert far.recv(100) == b"one,two,three"
    link.close()
    far.close()


def test_a_mailbox_writes_queued_pieces_together() -> None:
    near, far = socket.socketpair()
    layer = Through()
    link = SocketLink(near, TCPOptions(), (layer,))
    link.send((b"one,",), flush=False)
    with mint.Mailbox() as mailbox:
        link.set_inbox(mailbox)
        link.send((b"two",), flush=False)
        link.arm()
        with pytest.raises(errors.TransportTimeout):
            mailbox.receive(0)
        assert layer.given == [b"one,two"]
        assert far.recv(100) == b"one,two"
    link.close()
    far.close()


class Watchful(SocketLink):
    """A link that fails if it waits too often."""

    waits = 0

    def _wait(self, events: int, until: float | None) -> int:
        self.waits += 1
        assert self.waits < 10, "it waits again and again"
        return super()._wait(events, until)


@pytest.mark.parametrize("held", [0, MAX_READ_AHEAD])
def test_a_hang_up_ends_the_wait_for_the_windows_of_a_tunnel(held: int) -> None:
    """The system always reports a hang-up, so a loop that waits for something else would spin."""
    near, far = socket.socketpair()
    link = Watchful(near, TCPOptions(), (Narrow(),))
    link.begin(bytes(held))
    link.send((b"more than the windows take",), flush=False)
    far.close()
    if held:
        # Octets of the peer are received first.
        link.flush(None)
        assert len(link.receive(None)) == held
    else:
        with pytest.raises(errors.TransportClosed):
            link.flush(None)
    assert link.receive(None) == b""
    assert not link.clean_end
    link.close()


def test_an_end_of_the_socket_ends_the_link_whatever_its_layers_do() -> None:
    near, far = socket.socketpair()
    link = Watchful(near, TCPOptions(), (Narrow(),))
    far.close()
    assert link.receive(None) == b""
    assert not link.clean_end
    link.close()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_link_can_be_closed_during_an_operation(elsewhere: bool) -> None:
    """A socket must stay open, so that its number is not reused, while an operation is in progress."""
    link, far = pair()
    conn = mint.http1.initiate(link, scheme="http", hostname="example.org")
    link.claim(link.generation)
    with pytest.raises(errors.StaleConnectionError):
        conn.request("GET", "/")
    if elsewhere:
        closer = threading.Thread(target=conn.close)
        closer.start()
        closer.join()
    else:
        conn.close()
    assert link.closed
    assert far.recv(10) == b""
    near = link.socket
    assert near is not None
    assert near.fileno() >= 0
    link.release(moved=False)
    assert near.fileno() == -1
    far.close()


@pytest.mark.parametrize(
    ("left", "most"),
    [(None, None), (0.0, 0), (-3.0, 0), (1e-9, 1), (1.5, 1500), (2e6, 2_000_000_000), (2.1e6, None)]
    + [(each, None) for each in (1e12, sys.float_info.max, math.inf)],
)
def test_times_for_poll(left: float | None, most: int | None) -> None:
    """Milliseconds are rounded up and fit in 31 bits; longer waits have no time limit."""
    assert milliseconds(left) == most
