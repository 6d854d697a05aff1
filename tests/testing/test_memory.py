"""A server in memory, and a clock that tests advance."""

from __future__ import annotations

import time
import types

import pytest

import mint
from mint.testing import build, http2, memory
from mint.testing.clock import FakeClock
from mint.testing.http2 import FrameType
from mint.transport import Memory


def test_http1_in_memory() -> None:
    conn, server = memory.http1()
    conn, ref = conn.request("GET", "/x")
    assert server.received().startswith(b"GET /x HTTP/1.1\r\n")
    assert server.received() == b""
    server.send(b"HTTP/1.1 200 OK\r\ncontent-le", b"ngth: 2\r\n\r\no", b"k")
    conn, responses = server.deliver(conn)
    assert [each.data for each in responses if isinstance(each, mint.Data)] == [b"o", b"k"]
    assert responses[-1] == mint.Done(ref)
    assert server.deliver(conn) == (conn, [])


@pytest.mark.parametrize("cuts", [(), (17,), (40,), (17, 40, 45)])
def test_an_error_has_everything_that_was_delivered_before_it(cuts: tuple[int, ...]) -> None:
    """This does not depend on the pieces in which it arrived."""
    octets = build.response(200, [("a", "b")], b"hello") + b"nonsense\r\n\r\n"
    conn, server = memory.http1()
    for _ in range(2):
        conn, _ = conn.request("GET", "/")
    server.send(*build.split(octets, cuts))
    server.send(b"more")
    with pytest.raises(mint.errors.InvalidStatusLine) as caught:
        server.deliver(conn)
    kinds = [type(each) for each in caught.value.responses]
    assert (kinds[:2], kinds[-2:]) == ([mint.Status, mint.Headers], [mint.Done, mint.RequestFailed])
    assert b"".join(each.data for each in caught.value.responses if isinstance(each, mint.Data)) == b"hello"
    assert not conn.after(caught.value).is_open()


def test_only_octets_and_frames_can_be_sent() -> None:
    _, server = memory.http1()
    for wrong in ("text", None, 5):
        with pytest.raises(TypeError, match="piece 2 must be bytes"):
            server.send(b"x", wrong)  # type: ignore[arg-type]  # the mistake


def test_the_end_in_memory() -> None:
    conn, server = memory.http1()
    conn, _ = conn.request("GET", "/")
    server.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no", b"")
    server.end()
    with pytest.raises(mint.errors.TransportClosed) as caught:
        server.deliver(conn)
    assert [each.data for each in caught.value.responses if isinstance(each, mint.Data)] == [b"o"]


def test_http2_in_memory() -> None:
    conn, server = memory.http2((http2.Setting.MAX_CONCURRENT_STREAMS, 5))
    assert [frame.type for frame in server.frames()][:1] == [FrameType.SETTINGS]
    conn, first = conn.request("GET", "/")
    conn, second = conn.request("GET", "/")
    assert [(frame.type, frame.stream) for frame in server.frames()] == [(1, 1), (1, 3)]
    fields = ((":status", "200"),)
    server.send_together(http2.headers(3, fields, end=True), http2.headers(1, fields))
    server.send(http2.data(1, b"x", end=True))
    conn, responses = server.deliver(conn)
    done = [each.ref for each in responses if isinstance(each, mint.Done)]
    assert done == [second, first]
    server.send(http2.ping(b"01234567"))
    conn, _ = server.deliver(conn)
    assert server.frames() == [http2.ping(b"01234567", ack=True)]


def test_a_fake_clock_moves_only_when_it_is_advanced() -> None:
    clock = FakeClock(5.0)
    assert clock() == clock.monotonic() == clock.time() == 5.0
    clock.advance(1.5)
    clock.sleep(0.5)
    assert clock.now == 7.0
    for wrong in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="cannot go back"):
            clock.advance(wrong)


def test_a_clock_in_a_module() -> None:
    module = types.ModuleType("module")
    vars(module).update(monotonic=time.monotonic, sleep=time.sleep, time=time)
    clock = FakeClock()
    with clock.installed(module) as same:
        assert same is clock
        assert vars(module)["monotonic"]() == clock.now
        vars(module)["sleep"](3600.0)
        assert vars(module)["time"] is time
    assert clock.now == 4600.0
    assert vars(module)["monotonic"] is time.monotonic


def test_a_clock_in_mint() -> None:
    """`installed` replaces the clock of mint's modules, and restores it at the end."""
    from mint._loops import mailbox  # noqa: PLC0415  # only used here

    clock = FakeClock()
    with clock.installed():
        assert vars(mailbox)["monotonic"] == clock.monotonic
    assert vars(mailbox)["monotonic"] is time.monotonic


class Asked(Memory):
    """A link that records the deadline of a wait, and times out at once."""

    until: float | None = None
    _plain = True  # like links of event loops, so that the fast path is used

    def receive(self, until: float | None) -> bytes:
        self.until = until
        raise mint.errors.TransportTimeout("receiving")


@pytest.mark.parametrize("byte_count", [0, 1])
def test_timeouts_use_the_installed_clock(byte_count: int) -> None:
    """Also if `recv` has no byte count and takes the compiled fast path."""
    clock, link = FakeClock(), Asked()
    conn = mint.http1.initiate(link, scheme="http", hostname="example.org")
    conn, _ = conn.request("GET", "/")
    with clock.installed(), pytest.raises(mint.errors.TransportTimeout):
        conn.recv(byte_count, timeout=5)
    assert link.until == clock.now + 5
