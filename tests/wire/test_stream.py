"""Tunnels through scripted HTTP/2 proxies."""

from __future__ import annotations

import socket
from typing import Literal

import pytest

import mint
from mint import ClientSettings, HTTP2Options, Proxy, errors
from mint._configuration import http2_configuration
from mint._core.http2 import Config
from mint._wire.stream import MAX_BODY, Answer, StreamLayer, Tunnel
from mint.testing import Close, Forever, Reset, ScriptedServer, Send, Step, http2
from mint.testing.frames import data, goaway, headers, ping, rst_stream, serialize, settings, window_update

from ..tls import server_context, trusting

TLS = server_context("origin.example", "127.0.0.1", alpn=("h2",))
PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
ASKED = http2.ExpectHeaders(1, ((":method", "CONNECT"), (":authority", "origin.example:80")))
OPEN = http2.send(headers(1, ((":status", "200"), ("via", "2 tester"))))
SAID = http2.ExpectFrame(http2.FrameType.DATA, 1)
START: tuple[Step, ...] = (*http2.handshake(), ASKED)


def through(server: ScriptedServer, **options: object) -> Proxy:
    defaults: dict[str, object] = {"protocols": ("http2",), "tunnel": True}
    return Proxy("http", server.address, server.port, **(defaults | options))  # type: ignore[arg-type]  # each test gives valid options


def test_a_tunnel_is_a_stream() -> None:
    script = [*START, OPEN, SAID, http2.send(data(1, PAGE))]
    with ScriptedServer(script) as server:
        conn = mint.connect("http", "origin.example", 80, proxy=through(server))
        assert conn.proxy_headers == (("via", "2 tester"),)
        assert conn.tls is None
        content = b""
        with conn:
            conn, _ = conn.request("GET", "/")
            while conn.open_request_count:
                conn, responses = conn.recv(timeout=5)
                content += b"".join(each.data for each in responses if isinstance(each, mint.Data))
        assert content == b"hello"


def fetch(conn: mint.Connection) -> bytes:
    content = b""
    with conn:
        conn, _ = conn.request("GET", "/")
        while conn.open_request_count:
            conn, responses = conn.recv(timeout=5)
            content += b"".join(each.data for each in responses if isinstance(each, mint.Data))
    return content


def test_tls_to_the_origin_through_a_proxy_over_tls() -> None:
    script = [
        *http2.handshake(),
        http2.ExpectHeaders(1, ((":method", "CONNECT"), (":authority", "origin.example:443"))),
        OPEN,
        SAID,
    ]
    with ScriptedServer(script, tls=TLS) as server:
        proxy = Proxy("https", server.address, server.port, protocols=("http2",), tls=trusting())
        # The answer is not TLS; only the number of layers matters here.
        with pytest.raises(errors.TransportClosed):
            mint.connect("https", "origin.example", 443, proxy=proxy, tls=trusting())


def test_a_proxy_that_does_not_negotiate_http2() -> None:
    old = server_context("127.0.0.1", alpn=("http/1.1",))
    for context, wanted in (
        (old, errors.TLSFailed),
        (server_context("127.0.0.1"), errors.ProtocolNotNegotiated),
    ):
        with ScriptedServer([], tls=context) as server:
            proxy = Proxy("https", server.address, server.port, protocols=("http2",), tls=trusting())
            with pytest.raises((wanted, errors.ProtocolNotNegotiated)):
                mint.connect("https", "origin.example", 443, proxy=proxy)


def test_the_proxy_gets_its_own_fields() -> None:
    connect_request = http2.ExpectHeaders(
        1, (("x-for", "proxy"), ("proxy-authorization", "Basic bWU6aHVzaA=="))
    )
    with ScriptedServer(
        [*http2.handshake(), connect_request, OPEN, SAID, http2.send(data(1, PAGE))]
    ) as server:
        proxy = through(server, headers=(("x-for", "proxy"),), username="me", password="hush")
        assert fetch(mint.connect("http", "origin.example", 80, proxy=proxy)) == b"hello"


def test_interim_responses_are_skipped() -> None:
    interim = http2.send(headers(1, ((":status", "103"),)))
    with ScriptedServer([*START, interim, OPEN, SAID, http2.send(data(1, PAGE))]) as server:
        assert fetch(mint.connect("http", "origin.example", 80, proxy=through(server))) == b"hello"


def test_octets_with_the_answer_belong_to_the_tunnel() -> None:
    both = http2.send(headers(1, ((":status", "200"),)), data(1, b"HTTP"))
    with ScriptedServer([*START, both]) as server:
        conn = mint.connect("http", "origin.example", 80, proxy=through(server))
        with conn, pytest.raises(errors.UnexpectedData):
            conn.recv(timeout=5)


def test_a_refusal_is_an_error_with_status_headers_and_body() -> None:
    refusal = http2.send(headers(1, ((":status", "407"), ("a", "b"))), data(1, b"says", end=True))
    # If a server closes at once, a reset may destroy its answer.
    script = [*START, refusal, Forever()]
    with ScriptedServer(script) as server, pytest.raises(errors.UnexpectedProxyStatus) as caught:
        mint.connect("http", "origin.example", 80, proxy=through(server))
    assert (caught.value.status, caught.value.headers, caught.value.body) == (407, (("a", "b"),), b"says")
    assert caught.value.processed is mint.Processed.NO


def test_the_body_of_a_refusal_is_bounded() -> None:
    much = [http2.send(data(1, bytes(16_384))) for _ in range(5)]
    script = [*START, http2.send(headers(1, ((":status", "407"),))), *much, Forever()]
    with ScriptedServer(script) as server, pytest.raises(errors.UnexpectedProxyStatus) as caught:
        mint.connect("http", "origin.example", 80, proxy=through(server))
    assert len(caught.value.body) == MAX_BODY


@pytest.mark.parametrize(
    "broken",
    [
        [http2.send(rst_stream(1, http2.ErrorCode.CONNECT_ERROR))],
        [http2.send(goaway(0))],
        [http2.send(data(1, b"too early"))],
        [http2.send(headers(1, (("no", "status"),)))],
        [Send(b"HTTP/1.1 400 Bad Request\r\n\r\n")],
        [Close()],
        [Reset()],
    ],
)
def test_a_proxy_that_breaks_a_rule_or_closes(broken: list[Step]) -> None:
    with ScriptedServer([*START, *broken]) as server, pytest.raises(errors.ProxyFailed) as caught:
        mint.connect("http", "origin.example", 80, proxy=through(server))
    assert caught.value.processed is mint.Processed.NO


def test_a_proxy_that_sends_nothing() -> None:
    script = [http2.ExpectPreface(), Forever()]
    with ScriptedServer(script) as server, pytest.raises(errors.TunnelTimeout):
        mint.connect("http", "origin.example", 80, proxy=through(server, tunnel_timeout=0.2))


@pytest.mark.parametrize(
    ("broken", "wanted"),
    [
        ([http2.send(rst_stream(1, http2.ErrorCode.CONNECT_ERROR))], errors.TransportReset),
        ([http2.send(data(1, PAGE[:9])), http2.send(rst_stream(1))], errors.TransportReset),
        ([http2.send(settings((99, 1))), http2.send(goaway(1, 1)), Close()], errors.TransportClosed),
        ([Close()], errors.TransportClosed),
    ],
)
def test_an_error_of_a_tunnel_is_a_transport_error(
    broken: list[Step], wanted: type[errors.TransportError]
) -> None:
    with ScriptedServer([*START, OPEN, SAID, *broken]) as server:
        conn = mint.connect("http", "origin.example", 80, proxy=through(server))
        with pytest.raises(wanted):
            fetch(conn)


def test_any_number_of_answered_pings_is_accepted_in_a_tunnel() -> None:
    """Replies to pings were never counted as sent, so that the tunnel was closed after a thousand pings."""
    answered = http2.ExpectFrame(http2.FrameType.PING, 0, flags=1)
    often = [step for _ in range(12) for step in (http2.send(*[ping()] * 100), *[answered] * 100)]
    with ScriptedServer([*START, OPEN, SAID, *often, http2.send(data(1, PAGE))]) as server:
        assert fetch(mint.connect("http", "origin.example", 80, proxy=through(server))) == b"hello"


def test_a_proxy_that_pings_and_does_not_read_is_an_error() -> None:
    config = Config("origin.example", port=80, scheme="http", identity=0, user_agent="x")
    layer = StreamLayer(config, "origin.example:80", ())
    layer.feed(serialize([settings(), settings(ack=True)]))
    for _ in range(1_000):
        assert layer.failure is None
        layer.feed(serialize([ping()]))
    assert isinstance(layer.failure, errors.TransportClosed)
    assert isinstance(layer.failure.__cause__, errors.EnhanceYourCalm)


@pytest.mark.parametrize(
    ("status", "opens"), [(199, False), (200, True), (299, True), (300, False), (407, False), (999, False)]
)
def test_which_answers_open_a_tunnel(status: int, opens: bool) -> None:
    ref = mint.RequestRef(1, 1)
    answer = Answer()
    assert (answer.opened, answer.refused, answer.complete) == (False, False, False)
    answer.take([mint.Status(ref, status)])
    assert (answer.opened, answer.refused, answer.complete) == (False, not opens, False)
    answer.take([mint.Headers(ref, ())])
    assert (answer.opened, answer.refused, answer.complete) == (opens, not opens, opens)


def test_how_much_content_of_a_refusal_is_waited_for() -> None:
    ref = mint.RequestRef(1, 1)
    answer = Answer()
    answer.take([mint.Status(ref, 407), mint.Headers(ref, ()), mint.Data(ref, bytes(MAX_BODY - 1))])
    assert not answer.complete
    answer.take([mint.Data(ref, b"x")])
    assert answer.complete


def test_the_time_of_a_tunnel_is_in_milliseconds() -> None:
    class Timed:
        """A state that only takes the time."""

        timed = True

        def at(self, milliseconds: int) -> None:
            told.append(milliseconds)
            raise KeyError

    told: list[int] = []
    config = Config("origin.example", port=80, scheme="http", identity=0, user_agent="x")
    layer = StreamLayer(config, "origin.example:80", (), clock=lambda: 12.5009)
    layer._state = Timed()  # type: ignore[assignment]  # see above
    with pytest.raises(KeyError):
        layer.feed(b"x")
    assert told == [12_500]


UNKNOWN = bytes(3) + b"\x77" + bytes(5)


def test_useless_frames_of_a_proxy_are_limited_by_time() -> None:
    """A tunnel had no clock and the default limit: long-lived tunnels were closed, and floods accepted."""
    now = [0.0]
    options = HTTP2Options(max_glitches=10)
    config = http2_configuration(options, scheme="http", hostname="origin.example", port=80, identity=0)
    layer = StreamLayer(config, "origin.example:80", (), clock=lambda: now[0])
    layer.feed(serialize([settings(), settings(ack=True)]))
    for _ in range(20_000):
        now[0] += 0.1
        layer.feed(UNKNOWN)
    assert layer.failure is None
    for _ in range(200):
        layer.feed(UNKNOWN * 100)
    assert isinstance(layer.failure, errors.TransportClosed)
    cause = layer.failure.__cause__
    assert isinstance(cause, errors.EnhanceYourCalm)
    assert (cause.option, cause.limit) == ("max_glitches", 10)


def test_the_limits_of_the_proxy_options_apply_to_its_answer() -> None:
    small = ClientSettings(max_header_list_size=100)
    options = HTTP2Options(client_settings=small, max_discarded_header_list=200)
    answer = http2.send(headers(1, ((":status", "200"), ("via", "x" * 200))))
    with ScriptedServer([*START, answer]) as server:
        with pytest.raises(errors.ProxyFailed) as caught:
            mint.connect("http", "origin.example", 80, proxy=through(server, http2=options))
        cause = caught.value.__cause__
        assert isinstance(cause, errors.MaxHeaderListSizeExceeded)
        assert cause.limit == 200


def test_after_a_goaway_with_an_error_the_tunnel_continues() -> None:
    """RFC 9113 6.8: only the streams above the last stream id are affected."""
    parting = http2.send(goaway(1, http2.ErrorCode.ENHANCE_YOUR_CALM), data(1, PAGE))
    with ScriptedServer([*START, OPEN, SAID, parting]) as server:
        assert fetch(mint.connect("http", "origin.example", 80, proxy=through(server))) == b"hello"
    early = http2.send(goaway(1, http2.ErrorCode.ENHANCE_YOUR_CALM))
    with ScriptedServer([*START, early, OPEN, SAID, http2.send(data(1, PAGE))]) as server:
        assert fetch(mint.connect("http", "origin.example", 80, proxy=through(server))) == b"hello"


def test_the_end_of_a_tunnel_is_the_end_of_the_transport() -> None:
    until_end = http2.send(data(1, b"HTTP/1.1 200 OK\r\n\r\nall", end=True))
    with ScriptedServer([*START, OPEN, SAID, until_end]) as server:
        assert fetch(mint.connect("http", "origin.example", 80, proxy=through(server))) == b"all"


def test_closing_ends_the_stream() -> None:
    script = [*START, OPEN, http2.ExpectFrame(http2.FrameType.DATA, 1, flags=1, payload=b"")]
    with ScriptedServer(script) as server:
        mint.connect("http", "origin.example", 80, proxy=through(server)).close()


WINDOW = 4


def test_output_that_exceeds_the_window_waits() -> None:
    parts = [http2.ExpectFrame(http2.FrameType.DATA, 1), http2.send(window_update(1, 100_000))]
    script: list[Step] = [
        *http2.handshake((http2.Setting.INITIAL_WINDOW_SIZE, WINDOW)),
        ASKED,
        OPEN,
        *parts,
        http2.ExpectFrame(http2.FrameType.DATA, 1),
        http2.send(data(1, PAGE)),
    ]
    with ScriptedServer(script) as server:
        assert fetch(mint.connect("http", "origin.example", 80, proxy=through(server))) == b"hello"


def test_a_window_that_never_opens_ends_with_send_timeout() -> None:
    script: list[Step] = [
        *http2.handshake((http2.Setting.INITIAL_WINDOW_SIZE, WINDOW)),
        ASKED,
        OPEN,
        http2.ExpectFrame(http2.FrameType.DATA, 1),
        Forever(),
    ]
    with ScriptedServer(script) as server:
        tcp = mint.TCPOptions(high_water=1, send_timeout=0.2)
        conn = mint.connect("http", "origin.example", 80, proxy=through(server), tcp=tcp)
        with conn, pytest.raises(errors.TransportTimeout):
            conn.request("POST", "/", (), bytes(100_000))


def test_flush_waits_for_the_window() -> None:
    script: list[Step] = [
        *http2.handshake((http2.Setting.INITIAL_WINDOW_SIZE, WINDOW)),
        ASKED,
        OPEN,
        http2.ExpectFrame(http2.FrameType.DATA, 1),
        http2.send(window_update(1, 100_000)),
        http2.ExpectFrame(http2.FrameType.DATA, 1),
    ]
    with ScriptedServer(script) as server:
        conn = mint.connect("http", "origin.example", 80, proxy=through(server))
        conn, _ = conn.request("GET", "/")
        conn.flush(5).close()


def test_flush_of_a_finished_tunnel_ends_in_time_if_the_window_stays_shut() -> None:
    """It took the socket, which could be written, for progress, and tried again and again without an end."""
    script: list[Step] = [
        *http2.handshake((http2.Setting.INITIAL_WINDOW_SIZE, 1_000)),
        *(ASKED, OPEN, SAID, http2.send(data(1, b"HTTP/1.1 200 OK\r\n\r\n")), SAID),
        # The last octets are given to the tunnel, but the window has no room for all of them.
        http2.send(window_update(0, 70_000), window_update(1, 70_000)),
        Forever(),
    ]
    with ScriptedServer(script) as server:
        conn = mint.connect("http", "origin.example", 80, proxy=through(server))
        with conn:
            conn, ref = conn.request("CONNECT", "inner.example:80", (), mint.STREAM)
            conn, _ = conn.recv(timeout=5)
            conn = conn.stream_request_body(ref, bytes(100_000))
            conn = conn.stream_request_body(ref, mint.Eof())
            with pytest.raises(errors.TransportTimeout):
                conn.flush(timeout=0.2)


def test_the_transport_stays_open_after_the_outgoing_direction_has_ended() -> None:
    """If a tunnel inside a tunnel is half-closed, the connection to the proxy stays fully open."""
    script: list[Step] = [
        *(*START, OPEN, SAID, http2.send(data(1, b"HTTP/1.1 200 OK\r\n\r\n"))),
        http2.ExpectData(1, b"last words", end=True),
        *(http2.send(http2.ping(b"12345678")), http2.ExpectFrame(http2.FrameType.PING, 0, flags=1)),
        http2.send(data(1, b"answer", end=True)),
    ]
    with ScriptedServer(script) as server:
        conn = mint.connect("http", "origin.example", 80, proxy=through(server))
        with conn:
            conn, ref = conn.request("CONNECT", "inner.example:80", (), mint.STREAM)
            conn, _ = conn.recv(timeout=5)
            conn = conn.stream_request_body(ref, b"last words")
            conn = conn.stream_request_body(ref, mint.Eof())
            content = b""
            while conn.is_open("read"):
                conn, responses = conn.recv(timeout=5)
                content += b"".join(each.data for each in responses if isinstance(each, mint.Data))
        assert content == b"answer"


@pytest.mark.rfc("9112-9.5-a")
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_a_refusal_is_received_if_the_proxy_no_longer_reads(protocol: Literal["http1", "http2"]) -> None:
    near, far = socket.socketpair()
    refusal = {
        "http1": b"HTTP/1.1 503 No\r\ncontent-length: 4\r\n\r\nbusy",
        "http2": serialize([settings(), headers(1, ((":status", "503"),)), data(1, b"busy", end=True)]),
    }
    far.sendall(refusal[protocol])
    far.close()
    proxy = Proxy("http", "127.0.0.1", 3128, protocols=(protocol,), tunnel=True)
    with pytest.raises(errors.UnexpectedProxyStatus) as caught:
        mint.connect("http", "origin.example", 80, proxy=proxy, socket=near)
    assert (caught.value.status, caught.value.body) == (503, b"busy")


class Narrow:
    """A connection that notes what a tunnel sends; the test sets its window."""

    def __init__(self) -> None:
        self.window = 0
        self.sent: list[bytes | None] = []

    def room(self, ref: mint.RequestRef) -> int:
        return self.window

    def send(self, ref: mint.RequestRef, octets: bytes) -> None:
        self.window -= len(octets)
        self.sent.append(octets)

    def finish(self, ref: mint.RequestRef) -> None:
        self.sent.append(None)


def waiting_tunnel(*, ends: bool) -> tuple[Tunnel, Narrow]:
    """Return a tunnel in which octets wait for a window, and others have arrived."""
    carrier, ref = Narrow(), mint.RequestRef(1, 1)
    tunnel = Tunnel(carrier, ref)
    tunnel.answer.take([mint.Status(ref, 200), mint.Headers(ref, ())])
    tunnel.take_event(mint.Data(ref, b"arrived"))
    tunnel.write(b"unsent")
    if ends:
        tunnel.close_notify()
    assert (tunnel.waiting, carrier.sent) == (6, [])
    return tunnel, carrier


@pytest.mark.parametrize("ends", [False, True])
def test_what_waits_for_a_window_is_sent_when_it_opens(ends: bool) -> None:
    tunnel, carrier = waiting_tunnel(ends=ends)
    carrier.window = 4
    tunnel.pump()
    assert (tunnel.waiting, carrier.sent) == (2, [b"unse"])
    carrier.window = 100
    tunnel.pump()
    assert (tunnel.waiting, carrier.sent) == (0, [b"unse", b"nt", *([None] if ends else [])])
    assert (tunnel.take(), tunnel.take(), tunnel.over) == (b"arrived", None, False)


@pytest.mark.parametrize("ends", [False, True])
def test_a_tunnel_that_was_given_up_sends_nothing_more(ends: bool) -> None:
    """An exception has interrupted it: what came before the octets that wait may have been lost."""
    tunnel, carrier = waiting_tunnel(ends=ends)
    tunnel.give_up()
    assert (tunnel.waiting, tunnel.over) == (0, True)
    carrier.window = 100
    tunnel.pump()
    assert carrier.sent == []
    assert tunnel.take() == b"arrived"
    with pytest.raises(errors.TransportClosed):
        tunnel.take()
