"""Many tunnels through one HTTP/2 connection to a proxy."""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import pytest

import mint
from mint import errors
from mint._connections.tunnels_base import MOST_HELD
from mint._loops.shared import TunnelLink
from mint.testing import Close, Forever, Origin, Request, Response, ScriptedServer, Step, Wait, http2
from mint.testing.frames import data, goaway, headers, ping, rst_stream, window_update

from ..routes import Breaking, HTTPProxy, Whole, fetch
from ..tls import server_context, trusting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mint.types import ProtocolName

BIG = 6 * MOST_HELD


def serve(request: Request) -> Response:
    if request.target == "/big":
        return Response(200, (("content-length", str(BIG)),), (bytes(65_536) for _ in range(BIG // 65_536)))
    return Response(200, (), request.authority.encode())


@contextmanager
def shared(window: int = 100_000) -> Iterator[tuple[mint.Tunnels, Origin, HTTPProxy]]:
    """Run a proxy and connect to it."""
    proxy = HTTPProxy()
    options = mint.HTTP2Options(client_settings=mint.ClientSettings(initial_window_size=window))
    with Origin(proxy, tls=server_context(alpn=("h2",))) as server:
        conn = mint.http2.connect("https", server.address, server.port, tls=trusting(), http2=options)
        with mint.Tunnels(conn) as tunnels:
            yield tunnels, server, proxy


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_two_connections_share_one(protocol: ProtocolName) -> None:
    context = server_context(alpn=("h2", "http/1.1"))
    with Origin(serve, tls=context) as origin, shared() as (tunnels, server, proxy):
        conns = []
        for _ in range(2):
            conn = tunnels.connect(
                *("https", "127.0.0.1", origin.port), protocols=(protocol,), tls=trusting()
            )
            assert conn.protocol == protocol
            assert conn.tls is not None
            assert conn.tls.server_hostname == "127.0.0.1"
            assert conn.proxy_headers == (("via", "tester"),)
            assert conn.peer_address == (server.address, server.port)
            conns.append(conn)
        for conn in conns:
            assert fetch(conn) == (200, f"127.0.0.1:{origin.port}".encode())
        assert len(server.peers) == 1
        assert len(proxy.requests) == 2


def test_tunnels_in_clear_text_after_others_have_ended() -> None:
    with Origin(serve) as origin, shared() as (tunnels, _, __):
        for limit in (None, 30, 30.0):
            conn = tunnels.connect("http", "127.0.0.1", origin.port, tunnel_timeout=limit)
            assert conn.tls is None
            assert fetch(conn)[0] == 200
        assert tunnels.connection.open_request_count == 0


def test_threads_share_one_connection() -> None:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                conn = tunnels.connect("http", "127.0.0.1", origin.port)
                assert fetch(conn)[0] == 200
        except BaseException as error:
            failed.append(error)
            raise

    with Origin(serve) as origin, shared() as (tunnels, server, _):
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert not failed
        assert len(server.peers) == 1


def test_a_slow_reader_does_not_delay_others_and_its_buffer_is_limited() -> None:
    with Origin(serve) as origin, shared() as (tunnels, _, __):
        slow = tunnels.connect("http", "127.0.0.1", origin.port)
        slow, _ = slow.request("GET", "/big")
        link = slow.transport
        assert isinstance(link, TunnelLink)
        for _ in range(40):
            assert fetch(tunnels.connect("http", "127.0.0.1", origin.port))[0] == 200
        # At most the octets that arrived before the window was closed, and those it still allowed, are held.
        assert link.tunnel.held <= MOST_HELD + 200_000
        count = 0
        with slow:
            while slow.open_request_count:
                slow, responses = slow.recv(timeout=10)
                count += sum(len(each.data) for each in responses if isinstance(each, mint.Data))
        assert count == BIG


def test_a_large_body_is_sent_through_small_windows() -> None:
    received: list[int] = []

    def take(request: Request) -> Response:
        received.append(len(request.body.read()))
        return Response(200, (), b"")

    with Origin(take) as origin, shared() as (tunnels, _, __):
        conn = tunnels.connect("http", "127.0.0.1", origin.port)
        with conn:
            conn, _ = conn.request("PUT", "/", (), bytes(5_000_000))
            conn = conn.flush(10)
            while conn.open_request_count:
                conn, _ = conn.recv(timeout=10)
    assert received == [5_000_000]


def test_a_large_body_is_sent_in_active_mode() -> None:
    """Above the high-water mark a body was refused and the connection broken, because nothing else reads."""
    received: list[int] = []

    def take(request: Request) -> Response:
        received.append(len(request.body.read()))
        return Response(200, (), b"")

    with Origin(take) as origin, shared() as (tunnels, _, __), mint.Mailbox() as mailbox:
        conn = tunnels.connect("http", "127.0.0.1", origin.port)
        tunnels.set_mode("active", mailbox)
        conn, _ = conn.set_mode("active", mailbox).request("PUT", "/", (), bytes(5_000_000))
        while conn.open_request_count:
            message = mailbox.receive(timeout=10)
            if tunnels.stream(message) is mint.UNKNOWN:
                taken = conn.stream(message)
                assert taken is not mint.UNKNOWN
                conn = taken[0]
        conn.close()
    assert received == [5_000_000]


def test_through_a_mailbox() -> None:
    with Origin(serve) as origin, shared() as (tunnels, _, __), mint.Mailbox() as mailbox:
        conns = [tunnels.connect("http", "127.0.0.1", origin.port) for _ in range(3)]
        with pytest.raises(RuntimeError, match="set_mode"):
            conns[0].set_mode("active", mailbox)
        assert conns[0].is_open()  # a misuse does not break the connection
        tunnels.set_mode("active", mailbox)
        with pytest.raises(RuntimeError, match="passive"):
            tunnels.connect("http", "127.0.0.1", origin.port)
        sources = {}
        for each in conns:
            conn, _ = each.set_mode("active", mailbox).request("GET", "/page")
            sources[conn.source] = conn
        while any(conn.open_request_count for conn in sources.values()):
            message = mailbox.receive(timeout=10)
            if tunnels.stream(message) is mint.UNKNOWN:
                assert isinstance(message, (mint.Received, mint.Closed))
                taken = sources[message.source].stream(message)
                assert taken is not mint.UNKNOWN
                sources[message.source] = taken[0]
        for conn in sources.values():
            conn.close()
        with pytest.raises(ValueError, match="mode"):
            tunnels.set_mode("sideways")


def test_closing_the_proxy_connection_closes_everything() -> None:
    with Origin(serve) as origin, shared() as (tunnels, _, __):
        conn = tunnels.connect("http", "127.0.0.1", origin.port)
        conn, _ = conn.request("GET", "/page")
        tunnels.close()
        tunnels.close()
        with pytest.raises((errors.TransportClosed, errors.IncompleteResponse)):
            while conn.open_request_count:
                conn, _ = conn.recv(timeout=5)
        with pytest.raises(errors.MintError):
            tunnels.connect("http", "127.0.0.1", origin.port)


def test_the_proxy_gets_its_credentials() -> None:
    proxy = HTTPProxy()
    with Origin(proxy) as server, Origin(serve) as origin:
        known = mint.Proxy("http", server.address, server.port, username="me", password="hush")
        conn = mint.http2.connect("http", server.address, server.port)
        with mint.Tunnels(conn, known.sent_headers) as tunnels:
            fetch(tunnels.connect("http", "127.0.0.1", origin.port))
    assert proxy.requests[0].header("proxy-authorization") == "Basic bWU6aHVzaA=="
    with pytest.raises(ValueError, match="headers"):
        mint.Tunnels(conn, (("a b", "c"),))


def test_a_certificate_is_checked_in_every_tunnel() -> None:
    with Origin(serve, tls=server_context("other.example")) as origin, shared() as (tunnels, _, __):
        for _ in range(2):
            with pytest.raises(errors.CertificateRejected) as caught:
                tunnels.connect("https", "127.0.0.1", origin.port, tls=trusting())
            assert caught.value.processed is mint.Processed.NO


# -- scripted proxies

PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
OPEN = ((":status", "200"),)
REFUSED = ((":status", "403"),)
SAID = http2.ExpectFrame(http2.FrameType.DATA, 1)


@contextmanager
def scripted(*steps: Step, tcp: mint.TCPOptions = mint.TCPOptions()) -> Iterator[mint.Tunnels]:  # noqa: B008  # immutable
    with ScriptedServer(steps) as server:
        conn = mint.http2.connect("http", server.address, server.port, tcp=tcp)
        with mint.Tunnels(conn) as tunnels:
            yield tunnels


def test_a_refusal_concerns_one_tunnel_only() -> None:
    steps = [
        *(*http2.handshake(), http2.ExpectHeaders(1)),
        http2.send(headers(1, REFUSED), data(1, b"no", end=True)),
        http2.ExpectFrame(http2.FrameType.RST_STREAM, 1),
        *(http2.ExpectHeaders(3), http2.send(headers(3, OPEN), data(3, b""))),
        *(http2.ExpectFrame(http2.FrameType.DATA, 3), http2.send(data(3, PAGE))),
    ]
    with scripted(*steps) as tunnels:
        with pytest.raises(errors.UnexpectedProxyStatus) as caught:
            tunnels.connect("http", "one.example", 80)
        assert (caught.value.status, caught.value.body) == (403, b"no")
        assert fetch(tunnels.connect("http", "two.example", 80)) == (200, b"hello")


def test_a_reset_concerns_one_tunnel_only() -> None:
    steps = [
        *(*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), SAID),
        http2.send(rst_stream(1, http2.ErrorCode.CONNECT_ERROR)),
        *(http2.ExpectHeaders(3), http2.send(headers(3, OPEN))),
        *(http2.ExpectFrame(http2.FrameType.DATA, 3), http2.send(data(3, PAGE))),
    ]
    with scripted(*steps) as tunnels:
        with pytest.raises(errors.TransportReset):
            fetch(tunnels.connect("http", "one.example", 80))
        assert fetch(tunnels.connect("http", "two.example", 80)) == (200, b"hello")


@pytest.mark.parametrize("end", [[Close()], [http2.send(goaway(0, 1)), Close()]])
def test_if_the_proxy_closes_its_tunnels_end(end: list[Step]) -> None:
    steps = [*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), SAID, *end]
    with scripted(*steps) as tunnels:
        with pytest.raises(errors.TransportClosed):
            fetch(tunnels.connect("http", "one.example", 80))
        with pytest.raises(errors.MintError) as caught:
            tunnels.connect("http", "two.example", 80)
        assert caught.value.processed is mint.Processed.NO


def test_a_proxy_that_does_not_answer() -> None:
    steps = [*http2.handshake(), http2.ExpectHeaders(1), Forever()]
    with scripted(*steps) as tunnels, pytest.raises(errors.TunnelTimeout):
        tunnels.connect("http", "one.example", 80, tunnel_timeout=0.1)


def test_a_proxy_that_ends_the_stream_without_an_answer() -> None:
    steps = [*http2.handshake(), http2.ExpectHeaders(1), http2.send(rst_stream(1)), Forever()]
    with scripted(*steps) as tunnels, pytest.raises(errors.ProxyFailed):
        tunnels.connect("http", "one.example", 80)


def test_the_proxy_limits_the_number_of_tunnels() -> None:
    steps = [
        *http2.handshake((http2.Setting.MAX_CONCURRENT_STREAMS, 1)),
        *(http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), Forever()),
    ]
    with scripted(*steps) as tunnels:
        conn = tunnels.connect("http", "one.example", 80)
        with pytest.raises(errors.TooManyConcurrentRequests):
            tunnels.connect("http", "two.example", 80)
        conn.close()


def test_a_window_that_never_opens_ends_with_send_timeout() -> None:
    steps = [
        *http2.handshake((http2.Setting.INITIAL_WINDOW_SIZE, 4)),
        *(http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), SAID, Forever()),
    ]
    with scripted(*steps) as tunnels:
        tcp = mint.TCPOptions(high_water=1, send_timeout=0.1)
        conn = tunnels.connect("http", "one.example", 80, tcp=tcp)
        with conn, pytest.raises(errors.TransportTimeout):
            conn.request("PUT", "/", (), bytes(1_000))


def test_a_handshake_in_a_tunnel_ends_with_the_time() -> None:
    steps = [*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), SAID, Forever()]
    with scripted(*steps) as tunnels, pytest.raises(errors.TransportTimeout):
        tunnels.connect("https", "one.example", 443, tcp=mint.TCPOptions(connect_timeout=0.3))


class Read(Protocol):
    """The type of `Tunnels.wait`."""

    def __call__(self, until: float | None, phase: str, enough: Callable[[], bool]) -> None: ...


def let_another_thread_read(tunnels: mint.Tunnels, monkeypatch: pytest.MonkeyPatch) -> None:
    """Act as if another thread was reading, and received the WINDOW_UPDATE."""
    wait: Read = tunnels.wait

    def after_another(until: float | None, phase: str, enough: Callable[[], bool]) -> None:
        (ref,) = tunnels._links
        if phase == "receiving" and tunnels.room(ref) == 0:
            wait(until, phase, lambda: tunnels.room(ref) != 0)
            monkeypatch.setattr(tunnels, "_reading", True)
            try:
                wait(until, phase, enough)
            finally:
                monkeypatch.setattr(tunnels, "_reading", False)
        else:
            wait(until, phase, enough)

    monkeypatch.setattr(tunnels, "wait", after_another)


OPENS_LATER: tuple[Step, ...] = (
    *http2.handshake((http2.Setting.INITIAL_WINDOW_SIZE, 4)),
    *(http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), SAID),
    *(http2.send(window_update(1, 65_535)), SAID),
)


def test_a_request_continues_if_another_thread_receives_its_window_update(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with scripted(*OPENS_LATER, http2.send(data(1, PAGE)), Forever()) as tunnels:
        conn = tunnels.connect("http", "one.example", 80)
        let_another_thread_read(tunnels, monkeypatch)
        assert fetch(conn) == (200, b"hello")


def test_a_handshake_continues_if_another_thread_receives_its_window_update(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with scripted(*OPENS_LATER, http2.send(data(1, b"", end=True)), Forever()) as tunnels:
        let_another_thread_read(tunnels, monkeypatch)
        with pytest.raises(errors.TransportClosed):
            tunnels.connect("https", "one.example", 443, tcp=mint.TCPOptions(connect_timeout=10))


def test_octets_with_the_answer_belong_to_the_tunnel() -> None:
    both = http2.send(headers(1, OPEN), data(1, b"HTTP"))
    with scripted(*http2.handshake(), http2.ExpectHeaders(1), both, Forever()) as tunnels:
        conn = tunnels.connect("http", "one.example", 80)
        with conn, pytest.raises(errors.UnexpectedData):
            conn.recv(timeout=5)


def test_half_closing_through_a_tunnel() -> None:
    steps = [
        *(*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), SAID),
        http2.send(data(1, b"HTTP/1.1 200 OK\r\n\r\n")),
        http2.ExpectData(1, b"last words", end=True),
        http2.send(data(1, b"answer", end=True)),
    ]
    with scripted(*steps) as tunnels:
        conn = tunnels.connect("http", "one.example", 80)
        assert conn.local_address == tunnels.connection.local_address
        conn, ref = conn.request("CONNECT", "inner.example:80", (), mint.STREAM)
        conn, _ = conn.recv(timeout=5)
        conn = conn.stream_request_body(ref, b"last words")
        conn = conn.stream_request_body(ref, mint.Eof())
        content = b""
        while conn.is_open("read"):
            conn, responses = conn.recv(timeout=5)
            content += b"".join(each.data for each in responses if isinstance(each, mint.Data))
        conn.close()
        assert content == b"answer"


def test_a_dropped_tunnel_is_reset_when_data_arrives_for_it() -> None:
    steps = [
        *(*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN))),
        *(http2.ExpectHeaders(3), http2.send(headers(3, OPEN))),
        *(http2.ExpectFrame(http2.FrameType.DATA, 3), http2.send(data(1, b"for nobody"), data(3, PAGE))),
        http2.expect_reset(1, http2.ErrorCode.CANCEL),
    ]
    with scripted(*steps) as tunnels:
        dropped = tunnels.connect("http", "one.example", 80)
        other = tunnels.connect("http", "two.example", 80)
        del dropped
        gc.collect()
        assert fetch(other) == (200, b"hello")


def test_a_dropped_tunnel_does_not_count_towards_the_limit() -> None:
    """If nothing more arrived for such a tunnel, it counted towards the limit of the proxy for ever."""
    steps = [
        *http2.handshake((http2.Setting.MAX_CONCURRENT_STREAMS, 1)),
        *(http2.ExpectHeaders(1), http2.send(headers(1, OPEN))),
        http2.expect_reset(1, http2.ErrorCode.CANCEL),
        *(http2.ExpectHeaders(3), http2.send(headers(3, OPEN))),
        *(http2.ExpectFrame(http2.FrameType.DATA, 3), http2.send(data(3, PAGE))),
    ]
    with scripted(*steps) as tunnels:
        # The value is dropped at once, together with its link.
        tunnels.connect("http", "one.example", 80)
        gc.collect()
        assert fetch(tunnels.connect("http", "two.example", 80)) == (200, b"hello")


def test_closing_a_tunnel_wakes_the_thread_that_waits_for_it() -> None:
    steps = [
        *(*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN))),
        *(http2.ExpectHeaders(3), http2.send(headers(3, OPEN)), SAID),
        *(http2.ExpectFrame(http2.FrameType.DATA, 3), Forever()),
    ]
    with scripted(*steps) as tunnels:
        raised: list[BaseException] = []
        conns = [tunnels.connect("http", name, 80) for name in ("one.example", "two.example")]
        conns = [conn.request("GET", "/")[0] for conn in conns]

        def wait(conn: mint.Connection) -> None:
            try:
                conn.recv(timeout=20)
            except errors.MintError as error:
                raised.append(error)

        threads = [threading.Thread(target=wait, args=(conn,)) for conn in conns]
        for thread in threads:
            thread.start()
        for conn, thread in zip(conns, threads, strict=True):
            conn.close()
            thread.join(10)
            assert not thread.is_alive()
        # A thread that had not started to wait yet finds that its value is superseded.
        assert all(isinstance(each, (errors.TransportClosed, errors.StaleConnectionError)) for each in raised)
        assert len(raised) == len(conns)
        assert tunnels.connection.is_open()


def test_unsent_octets_are_written_by_a_thread_that_waits_for_another_tunnel() -> None:
    """The thread that waits did not watch for writing, so the rest of a request could remain unsent."""
    much, given = 8 * 1_048_576, threading.Event()
    steps = [
        *http2.handshake((http2.Setting.INITIAL_WINDOW_SIZE, 2 * much)),
        http2.send(window_update(0, 2 * much)),
        *(http2.ExpectHeaders(1), http2.send(headers(1, OPEN))),
        *(http2.ExpectHeaders(3), http2.send(headers(3, OPEN)), SAID),
        Wait(given),
        *[http2.ExpectFrame(http2.FrameType.DATA, 3)] * (much // 16_384),
        *(http2.send(data(1, PAGE)), Forever()),
    ]
    with scripted(*steps, tcp=mint.TCPOptions(send_buffer=131_072, high_water=2 * much)) as tunnels:
        one = tunnels.connect("http", "one.example", 80)
        two = tunnels.connect("http", "two.example", 80)
        one, _ = one.request("GET", "/")
        got: list[mint.Response] = []

        def wait() -> None:
            got.extend(one.recv(timeout=10)[1])

        waiting = threading.Thread(target=wait)
        waiting.start()
        link = two.transport
        assert isinstance(link, TunnelLink)
        assert tunnels.pump(link.tunnel, bytes(much))
        given.set()
        waiting.join(20)
        assert any(isinstance(each, mint.Done) for each in got)


def test_a_time_limit_of_a_month_works() -> None:
    steps = [
        *(*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), SAID),
        http2.send(data(1, PAGE)),
    ]
    with scripted(*steps) as tunnels:
        conn = tunnels.connect("http", "one.example", 80)
        with conn:
            conn, _ = conn.request("GET", "/")
            conn, responses = conn.recv(timeout=2_678_400.0)
        assert isinstance(responses[-1], mint.Done)


def test_after_a_goaway_with_an_error_tunnels_continue() -> None:
    """RFC 9113 6.8: only the streams above the last stream id are affected."""
    steps = [
        *(*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN))),
        *(http2.ExpectHeaders(3), http2.send(headers(3, OPEN)), SAID),
        http2.send(goaway(1, http2.ErrorCode.ENHANCE_YOUR_CALM), ping()),
        *(http2.ExpectFrame(http2.FrameType.PING, flags=1), http2.send(data(1, PAGE))),
    ]
    with scripted(*steps) as tunnels:
        one = tunnels.connect("http", "one.example", 80)
        two = tunnels.connect("http", "two.example", 80)
        assert fetch(one) == (200, b"hello")
        with pytest.raises(errors.TransportClosed):
            fetch(two)


def test_a_message_fed_twice_is_refused_and_affects_no_tunnel() -> None:
    steps = [
        *(*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), SAID),
        *(http2.send(data(1, PAGE[:20])), Forever()),
    ]
    with scripted(*steps) as tunnels, mint.Mailbox() as mailbox:
        conn = tunnels.connect("http", "one.example", 80)
        tunnels.set_mode("active", mailbox)
        conn, _ = conn.set_mode("active", mailbox).request("GET", "/")
        message = mailbox.receive(timeout=5)
        assert tunnels.stream(message) is True
        with pytest.raises(errors.StaleConnectionError):
            tunnels.stream(message)
        link = conn.transport
        assert isinstance(link, TunnelLink)
        assert not link.tunnel.over
        assert tunnels.connection.is_open()


def test_an_endless_refusal_ends_with_the_time_limit() -> None:
    steps = [*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, REFUSED)), Forever()]
    with scripted(*steps) as tunnels, pytest.raises(errors.UnexpectedProxyStatus):
        tunnels.connect("http", "one.example", 80, tunnel_timeout=0.2)


@pytest.mark.parametrize("end", [[Close()], [http2.send(headers(5, OPEN)), Forever()]])
def test_a_proxy_that_closes_or_breaks_a_rule_in_active_mode(end: list[Step]) -> None:
    steps = [*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), SAID, *end]
    with scripted(*steps) as tunnels, mint.Mailbox() as mailbox:
        conn = tunnels.connect("http", "one.example", 80)
        tunnels.set_mode("active", mailbox)
        conn, _ = conn.set_mode("active", mailbox).request("GET", "/")
        assert conn.transport.receive_now() is None
        with pytest.raises((errors.TransportClosed, errors.IncompleteResponse)):
            while conn.open_request_count:
                message = mailbox.receive(timeout=5)
                if tunnels.stream(message) is mint.UNKNOWN:
                    taken = conn.stream(message)
                    assert taken is not mint.UNKNOWN
                    conn = taken[0]
        assert not tunnels.connection.is_open()


def test_passive_reading_is_refused_while_a_mailbox_reads() -> None:
    steps = [*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), Forever()]
    with scripted(*steps) as tunnels, mint.Mailbox() as mailbox:
        conn = tunnels.connect("http", "one.example", 80)
        tunnels.set_mode("active", mailbox)
        with pytest.raises(RuntimeError, match="mailbox"):
            conn.recv(timeout=1)
        conn, _ = conn.request("PUT", "/", (), bytes(100_000))
        with pytest.raises(RuntimeError, match="mailbox"):
            conn.flush(timeout=1)
        # A misuse does not break the connection.
        assert conn.is_open()
        assert isinstance(conn.transport, TunnelLink)
        assert not conn.transport.closed
        tunnels.set_mode("passive")


def test_a_change_to_active_mode_ends_a_waiting_read() -> None:
    def echo(request: Request) -> Response:
        return Response(body=request.body.read())

    # The server responds only when the body has ended, and the body does not end.
    with Origin(echo) as origin, shared() as (tunnels, _server, _proxy), mint.Mailbox() as mailbox:
        conn = tunnels.connect("http", "127.0.0.1", origin.port)
        conn, _ = conn.request("PUT", "/", [("content-length", "1")], mint.STREAM)
        told: list[BaseException] = []

        def wait() -> None:
            try:
                conn.recv(timeout=10)
            except RuntimeError as error:
                told.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        while not tunnels._reading:
            assert thread.is_alive()
            threading.Event().wait(0.001)
        tunnels.set_mode("active", mailbox)
        thread.join(10)
        assert "a mailbox receives for this tunnel" in str(told[0])
        # The thread gets an error, which does not break the connection.
        assert isinstance(conn.transport, TunnelLink)
        assert not conn.transport.closed
        tunnels.set_mode("passive")
        conn = conn.close()


def test_a_connection_that_breaks_while_a_tunnel_is_opened_is_closed() -> None:
    link = Breaking()
    tunnels = mint.Tunnels(mint.http2.initiate(link, scheme="http", hostname="proxy.example", port=80))
    link.broken = True
    with tunnels:
        with pytest.raises(errors.TransportReset):
            tunnels.connect("http", "one.example", 80)
        assert not tunnels.connection.is_open("read")
        with pytest.raises(errors.Closed):
            tunnels.connect("http", "two.example", 80)


def test_tunnels_end_if_their_connection_is_used_otherwise() -> None:
    steps = [*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), SAID, Forever()]
    with scripted(*steps) as tunnels:
        conn = tunnels.connect("http", "one.example", 80)
        conn, _ = conn.request("GET", "/")
        own, _ = tunnels.connection.ping()
        with pytest.raises(errors.TransportClosed):
            conn.recv(timeout=5)
        own.close()


def test_a_read_continues_until_a_record_is_complete() -> None:
    """One read of a tunnel may give no plaintext, and no socket reports the next piece."""
    heard = threading.Event()
    steps = [
        *(*http2.handshake(), http2.ExpectHeaders(1), http2.send(headers(1, OPEN)), SAID),
        *(http2.send(data(1, PAGE[:20])), Wait(heard), http2.send(data(1, PAGE[20:] + b"\0")), Forever()),
    ]
    with scripted(*steps) as tunnels, mint.Mailbox() as mailbox:
        conn = tunnels.connect("http", "one.example", 80)
        link = conn.transport
        assert isinstance(link, TunnelLink)
        link.adopt((Whole(),))
        conn, _ = conn.request("GET", "/")
        tunnels.set_mode("active", mailbox)
        while link.tunnel.held < len(PAGE) + 1:
            assert tunnels.stream(mailbox.receive(timeout=5)) is True
            if link.tunnel.held:
                heard.set()
        assert len(link.tunnel._arrived) > 1
        conn = conn.set_mode("active", mailbox)
        taken = conn.stream(mailbox.receive(timeout=5))
        assert taken is not mint.UNKNOWN
        conn, responses = taken
        assert isinstance(responses[-1], mint.Done)
