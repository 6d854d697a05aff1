"""A signal handler may close connections through tunnels, and `Tunnels`, that its own thread is using."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

import pytest

import mint
from mint import STREAM, TCPOptions, errors
from mint._loops.shared import TunnelLink
from mint.testing import Drain, Origin, Response, ScriptedServer, http2
from mint.testing.frames import headers

from ..bomb import Handler
from ..routes import HTTPProxy, fetch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mint.testing import Request

OPEN = ((":status", "200"),)
ONE_TUNNEL = [*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN))]
TWO_TUNNELS = [*ONE_TUNNEL, http2.ExpectHeaders(3), http2.send(headers(3, OPEN))]
BIG = 3_000_000


def opened(tunnels: mint.Tunnels) -> mint.HTTP1:
    tcp = TCPOptions(send_timeout=None)
    return tunnels.connect("http", "one.example", 80, protocols=("http1",), tcp=tcp)


@contextlib.contextmanager
def signalled(handler: Callable[[], object], when: Callable[[], bool]) -> Iterator[None]:
    """Call the handler in this thread once it waits in the block: `when` is true, and nothing happens."""
    main = threading.main_thread().ident
    assert main is not None
    over = threading.Event()

    def ring() -> None:
        while not when() and not over.wait(0.001):
            pass
        # Before this thread waits, the handler would run as well; both must work.
        over.wait(0.02)
        signal.pthread_kill(main, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, lambda *_: handler())
    thread = threading.Thread(target=ring)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)
        signal.signal(signal.SIGUSR1, before)


def receive(conn: mint.HTTP1) -> None:
    conn, _ = conn.request("GET", "/")
    conn.recv()


def flush(conn: mint.HTTP1) -> None:
    conn, ref = conn.request("POST", "/", (("content-length", str(BIG)),), STREAM)
    conn.stream_request_body(ref, bytes(200_000)).flush()


def upload(conn: mint.HTTP1) -> None:
    conn, ref = conn.request("POST", "/", (("content-length", str(BIG)),), STREAM)
    conn.stream_request_body(ref, bytes(BIG))


CLOSES: dict[str, Callable[[mint.HTTP1, mint.Tunnels], object]] = {
    "connection": lambda conn, _: conn.close(),
    "tunnels": lambda _, tunnels: tunnels.close(),
    "the proxy's connection": lambda _, tunnels: tunnels.connection.close(),
}


@pytest.mark.parametrize("what", CLOSES)
@pytest.mark.parametrize("work", [receive, flush, upload])
def test_a_handler_closes_what_its_thread_waits_for(work: Callable[[mint.HTTP1], None], what: str) -> None:
    """The thread waits without a time limit, so it must be woken."""
    with ScriptedServer([*ONE_TUNNEL, Drain()]) as server:
        tunnels = mint.Tunnels(mint.http2.connect("http", server.address, server.port))
        conn = opened(tunnels)
        closing = signalled(lambda: CLOSES[what](conn, tunnels), lambda: tunnels._reading)
        with closing, pytest.raises(errors.TransportClosed):
            work(conn)
        assert conn.transport.closed or what != "connection"
        tunnels.close()


def test_a_handler_closes_while_another_thread_reads() -> None:
    """The thread waits until the other one has read."""
    with ScriptedServer([*TWO_TUNNELS, Drain()]) as server:
        tunnels = mint.Tunnels(mint.http2.connect("http", server.address, server.port))
        conn, other = opened(tunnels), opened(tunnels)

        def read() -> None:
            with contextlib.suppress(errors.TransportClosed):
                receive(other)

        thread = threading.Thread(target=read)
        thread.start()
        while not tunnels._reading:
            assert thread.is_alive()
        closing = signalled(conn.close, lambda: bool(tunnels._waiting))
        with closing, pytest.raises(errors.TransportClosed):
            receive(conn)
        tunnels.close()
        thread.join(10)
        assert not thread.is_alive()


class Overtaken:
    """An idle operation; a second handler comes when it is asked, and does what the first one postponed."""

    def __init__(self, tunnels: mint.Tunnels) -> None:
        self._tunnels = tunnels

    @property
    def held(self) -> bool:
        self._tunnels._postponed.clear()
        return False


def test_a_second_handler_does_what_the_first_postponed(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer([*ONE_TUNNEL, Drain()]) as server:
        tunnels = mint.Tunnels(mint.http2.connect("http", server.address, server.port))
        conn = opened(tunnels)
        with monkeypatch.context() as patched:
            patched.setattr(tunnels, "_in_operation", Overtaken(tunnels))
            tunnels._postponed.append(lambda _: pytest.fail("done twice"))
            tunnels._catch_up()
        assert conn.is_open()
        tunnels.close()


def serve(request: Request) -> Response:
    return Response(200, (), request.authority.encode())


@pytest.mark.parametrize("what", ["other", "tunnels"])
def test_a_handler_closes_at_any_instruction(what: str) -> None:
    """Closing another tunnel cancels it, and affects no operation on the connection to the proxy."""
    runs, number = True, 1
    with Origin(serve) as origin, Origin(HTTPProxy()) as proxy:
        while runs:
            tunnels = mint.Tunnels(mint.http2.connect("http", proxy.address, proxy.port))
            other = tunnels.connect("http", "127.0.0.1", origin.port)

            def work() -> None:
                fetch(tunnels.connect("http", "127.0.0.1", origin.port))  # noqa: B023  # called at once

            handler = Handler(number, other.close if what == "other" else tunnels.close)
            try:
                if what == "other":
                    runs = handler.runs(work)
                else:
                    with contextlib.suppress(errors.TransportError, errors.ProxyFailed, errors.Closed):
                        runs = handler.runs(work)
                assert not tunnels._lock.held
                assert not tunnels._reading
                if runs and what == "other":
                    assert isinstance(other.transport, TunnelLink)
                    assert tunnels.room(other.transport.tunnel.ref) is None
                    work()
                elif runs:
                    assert not tunnels.connection.is_open("read")
            except (AssertionError, errors.MintError, RuntimeError, LookupError) as error:
                raise AssertionError(f"instruction {number}, {handler.where}") from error
            tunnels.close()
            number += 83
    assert number > 1000
