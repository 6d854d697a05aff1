"""The origin over HTTP/2, tested with a client that uses another library."""

import hashlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Self

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest

from mint.testing import Origin, Request, Response, http2, showcase
from mint.testing.http2 import ErrorCode, Frame, FrameType, Setting
from mint.testing.origin2 import Session
from mint.testing.peer import Peer
from mint.testing.showcase import GREETING, pattern


class Client:
    """A small client that uses h2 and acknowledges data as soon as it reads it."""

    def __init__(self, origin: Origin, tls: ssl.SSLContext | None = None) -> None:
        sock = socket.create_connection((origin.address, origin.port), 10)
        self.sock = tls.wrap_socket(sock, server_hostname="localhost") if tls else sock
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.events: list[h2.events.Event] = []
        self.acknowledge = True
        self.http.initiate_connection()
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def flush(self) -> None:
        self.sock.sendall(self.http.data_to_send())

    def request(self, method: str, path: str, *fields: tuple[str, str], end: bool = True) -> int:
        stream: int = self.http.get_next_available_stream_id()
        start = [(":method", method), (":authority", "localhost")]
        if path:
            start += [(":scheme", "https"), (":path", path)]
        self.http.send_headers(stream, [*start, *fields], end_stream=end)
        self.flush()
        return stream

    def read(self) -> bool:
        octets = self.sock.recv(65536)
        for event in self.http.receive_data(octets):
            self.events.append(event)
            if isinstance(event, h2.events.DataReceived) and self.acknowledge:
                self.http.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
        self.flush()
        return bool(octets)

    def until(self, kind: type[h2.events.Event], stream: int) -> None:
        while not any(
            isinstance(event, (kind, h2.events.StreamReset)) and event.stream_id == stream  # type: ignore[attr-defined]  # h2: not all
            for event in self.events
        ):
            if not self.read():
                raise EOFError

    def upload(self, stream: int, body: bytes, trailers: list[tuple[str, str]] | None = None) -> None:
        while body:
            room = min(self.http.local_flow_control_window(stream), self.http.max_outbound_frame_size)
            if room <= 0:
                self.read()
                continue
            self.http.send_data(stream, body[:room], end_stream=not trailers and room >= len(body))
            body = body[room:]
            self.flush()
        if trailers:
            self.http.send_headers(stream, trailers, end_stream=True)
            self.flush()

    def of(self, stream: int, kind: type[h2.events.Event]) -> list[dict[str, str]]:
        return [
            dict(event.headers)  # type: ignore[attr-defined]  # h2: not all
            for event in self.events
            if isinstance(event, kind) and event.stream_id == stream  # type: ignore[attr-defined]  # h2: not all
        ]

    def data(self, stream: int) -> bytes:
        return b"".join(
            event.data or b""
            for event in self.events
            if isinstance(event, h2.events.DataReceived) and event.stream_id == stream
        )

    def fetch(self, method: str, path: str, *fields: tuple[str, str]) -> tuple[str, bytes]:
        stream = self.request(method, path, *fields)
        self.until(h2.events.StreamEnded, stream)
        (head,) = self.of(stream, h2.events.ResponseReceived)
        return head[":status"], self.data(stream)


@pytest.fixture
def client() -> Iterator[Client]:
    with Origin(showcase) as origin, Client(origin) as client:
        yield client


def test_requests_one_after_another(client: Client) -> None:
    for _ in range(3):
        assert client.fetch("GET", "/") == ("200", GREETING)
    assert client.fetch("HEAD", "/") == ("200", b"")
    assert client.fetch("GET", "/status/204") == ("204", b"")
    assert client.fetch("GET", "/status/304") == ("304", b"")
    assert client.fetch("GET", "/none")[0] == "404"


def test_tls_and_alpn(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    for context in (server_tls, client_tls):
        context.set_alpn_protocols(["h2"])
    with Origin(showcase, tls=server_tls) as origin, Client(origin, client_tls) as client:
        assert client.fetch("GET", "/bytes/300000") == ("200", b"".join(pattern(300_000)))


def test_many_requests_at_once(client: Client) -> None:
    sizes = {client.request("GET", f"/stream/{size}"): size for size in range(50_000, 50_050)}
    for stream, size in sizes.items():
        client.until(h2.events.StreamEnded, stream)
        whole = b"".join(pattern(size))
        assert client.data(stream) == whole
        (trailers,) = client.of(stream, h2.events.TrailersReceived)
        assert trailers == {"x-sha256": hashlib.sha256(whole).hexdigest()}


def test_the_clients_windows_are_respected(client: Client) -> None:
    client.acknowledge = False
    stream = client.request("GET", "/bytes/100000")
    while len(client.data(stream)) < 65_535:
        client.read()
    assert len(client.data(stream)) == 65_535
    client.http.increment_flow_control_window(10, stream)
    client.http.increment_flow_control_window(10)
    client.flush()
    while len(client.data(stream)) < 65_545:
        client.read()
    client.http.increment_flow_control_window(100_000, stream)
    client.http.increment_flow_control_window(100_000)
    client.flush()
    client.until(h2.events.StreamEnded, stream)
    assert client.data(stream) == b"".join(pattern(100_000))


def test_settings_change_windows(client: Client) -> None:
    client.acknowledge = False
    codes = h2.settings.SettingCodes
    client.http.update_settings({codes.INITIAL_WINDOW_SIZE: 0, codes.HEADER_TABLE_SIZE: 0})
    client.flush()
    stream = client.request("GET", "/bytes/20000")
    client.until(h2.events.ResponseReceived, stream)
    client.http.update_settings({codes.INITIAL_WINDOW_SIZE: 20_000})
    client.flush()
    client.until(h2.events.StreamEnded, stream)
    assert len(client.data(stream)) == 20_000


@pytest.mark.parametrize("window", [1, 1000, 65_535, 1 << 20])
def test_windows_are_opened_for_uploads(window: int) -> None:
    size = 3000 if window == 1 else 300_000
    body = b"".join(pattern(size))
    expected = f"{size} {hashlib.sha256(body).hexdigest()}\n".encode()
    with (
        Origin(showcase, settings={Setting.INITIAL_WINDOW_SIZE: window}) as origin,
        Client(origin) as client,
    ):
        for _ in range(2):
            stream = client.request("POST", "/sink", end=False)
            client.upload(stream, body)
            client.until(h2.events.StreamEnded, stream)
            assert client.data(stream) == expected


def test_echo_with_trailers(client: Client) -> None:
    stream = client.request("POST", "/echo", end=False)
    client.upload(stream, b"abc", [("x-sum", "1")])
    client.until(h2.events.StreamEnded, stream)
    assert client.data(stream) == b"abc"
    assert client.of(stream, h2.events.TrailersReceived) == [{"x-sum": "1"}]


def test_early_hints(client: Client) -> None:
    stream = client.request("GET", "/early")
    client.until(h2.events.StreamEnded, stream)
    (hints,) = client.of(stream, h2.events.InformationalResponseReceived)
    assert hints[":status"] == "103"
    assert client.data(stream) == GREETING


@pytest.mark.parametrize("path", ["/sink", "/echo"])
def test_100_continue(client: Client, path: str) -> None:
    stream = client.request("POST", path, ("expect", "100-continue"), end=False)
    client.until(h2.events.InformationalResponseReceived, stream)
    client.upload(stream, b"abc")
    client.until(h2.events.StreamEnded, stream)
    assert len(client.of(stream, h2.events.InformationalResponseReceived)) == 1


def test_a_body_that_is_not_wanted_is_reset_without_error(client: Client) -> None:
    stream = client.request("POST", "/", end=False)
    client.until(h2.events.StreamReset, stream)
    codes = [event.error_code for event in client.events if isinstance(event, h2.events.StreamReset)]
    assert codes == [ErrorCode.NO_ERROR]
    assert client.data(stream) == GREETING


def test_push(client: Client) -> None:
    stream = client.request("GET", "/push")
    client.until(h2.events.StreamEnded, stream)
    (promise,) = [event for event in client.events if isinstance(event, h2.events.PushedStreamReceived)]
    assert promise.parent_stream_id == stream
    assert ":path: /style.css" in [f"{name!s}: {value!s}" for name, value in promise.headers or ()]
    pushed = promise.pushed_stream_id or 0
    client.until(h2.events.StreamEnded, pushed)
    assert client.data(pushed).startswith(b"p {")


def test_without_enable_push_nothing_is_pushed(client: Client) -> None:
    client.http.update_settings({h2.settings.SettingCodes.ENABLE_PUSH: 0})
    client.flush()
    assert client.fetch("GET", "/push") == ("200", GREETING)
    assert not any(isinstance(event, h2.events.PushedStreamReceived) for event in client.events)


def test_connect_and_extended_connect_echo(client: Client) -> None:
    for path, fields in (("", ()), ("/chat", ((":protocol", "websocket"),))):
        stream = client.request("CONNECT", path, *fields, end=False) if not path else None
        if stream is None:
            stream = client.http.get_next_available_stream_id()
            start = [(":method", "CONNECT"), (":scheme", "https"), (":path", path), (":authority", "a")]
            client.http.send_headers(stream, [*start, *fields])
            client.flush()
        client.until(h2.events.ResponseReceived, stream)
        for word in (b"one", b"two"):
            client.http.send_data(stream, word)
            client.flush()
            while not client.data(stream).endswith(word):
                client.read()
        client.http.end_stream(stream)
        client.flush()
        client.until(h2.events.StreamEnded, stream)
        assert client.data(stream) == b"onetwo"


def test_cookie_crumbs_and_host() -> None:
    seen: list[Request] = []

    def handler(request: Request) -> Response:
        seen.append(request)
        return Response(204)

    with Origin(handler) as origin, Client(origin) as client:
        client.fetch("GET", "/x", ("cookie", "a=1"), ("x-y", "z"), ("cookie", "b=2"))
    (request,) = seen
    assert request.headers == (("x-y", "z"), ("cookie", "a=1; b=2"))
    assert (request.version, request.authority, request.scheme) == ("HTTP/2", "localhost", "https")


def test_too_many_streams_are_refused() -> None:
    def handler(request: Request) -> Response:
        return Response(body=request.body)

    with (
        Origin(handler, settings={Setting.MAX_CONCURRENT_STREAMS: 1}) as origin,
        Client(origin) as client,
    ):
        first = client.request("POST", "/", end=False)
        second = client.request("POST", "/", end=False)
        client.until(h2.events.StreamReset, second)
        codes = [e.error_code for e in client.events if isinstance(e, h2.events.StreamReset)]
        assert codes == [ErrorCode.REFUSED_STREAM]
        client.upload(first, b"abc")
        client.until(h2.events.StreamEnded, first)


def test_a_client_may_reset_a_stream_and_continue(client: Client) -> None:
    stream = client.request("GET", "/bytes/9000000")
    client.until(h2.events.DataReceived, stream)
    client.http.reset_stream(stream)
    client.flush()
    upload = client.request("POST", "/echo", end=False)
    client.http.reset_stream(upload)
    client.flush()
    assert client.fetch("GET", "/") == ("200", GREETING)


def test_a_client_that_closed_its_direction_still_gets_its_responses() -> None:
    """The end of an incomplete request shows that the origin has noticed the end of the client."""
    noticed = threading.Event()

    def handler(request: Request) -> Response:
        if request.method == "POST":
            try:
                return Response(body=request.body)
            finally:
                noticed.set()
        assert noticed.wait(10)
        return Response(body=b"late")

    taken = talk_in_full(http2.headers(1, GET, end=True), http2.headers(3, START), handler=handler)
    assert [frame for frame in taken if frame.type == FrameType.DATA] == [http2.data(1, b"late", end=True)]


@pytest.mark.parametrize("ours", [0, 1_000, 65_535, 65_536, 1 << 20])
def test_the_window_of_streams_is_ours_once_the_client_knows_it(ours: int) -> None:
    """Until then it is at least the default one (RFC 9113 6.9.2)."""
    near, far = socket.socketpair()
    with near, far:
        session = Session(
            Peer(near, 1), showcase, lambda _: None, {Setting.INITIAL_WINDOW_SIZE: ours}, timeout=1
        )
        wire = session._wire
        early = wire.streams[1] = wire.new_stream(1)
        early.allowed -= 100
        session.on_settings(http2.settings(ack=True))
        assert early.allowed == ours - 100
        assert wire.granted == wire.new_stream(3).allowed == ours
        session.on_settings(http2.settings(ack=True))
        assert early.allowed == ours - 100


@pytest.mark.parametrize("more", [0, 1, 3])
def test_every_settings_of_the_client_is_acknowledged(more: int) -> None:
    """After the origin's own SETTINGS, which come first (RFC 9113 3.4, 6.5.3)."""
    taken = talk_in_full(http2.settings((4, 100)), *[http2.settings()] * more)
    assert taken[0].type == FrameType.SETTINGS
    assert taken[0].flags == 0
    acknowledged = [frame for frame in taken[1:] if frame.type == FrameType.SETTINGS]
    assert acknowledged == [http2.settings(ack=True)] * (1 + more)


def test_pings_are_answered(client: Client) -> None:
    client.http.ping(b"12345678")
    client.flush()
    while not any(isinstance(event, h2.events.PingAckReceived) for event in client.events):
        client.read()


def test_handlers_that_fail() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x"
        raise KeyError

    def handler(request: Request) -> Response:
        if request.target == "/at-once":
            raise ValueError
        return Response(body=pieces())

    with (
        pytest.raises(ValueError) as caught,  # noqa: PT011  the class is the point
        Origin(handler) as origin,
        Client(origin) as client,
    ):
        assert client.fetch("GET", "/at-once")[0] == "500"
        stream = client.request("GET", "/later")
        client.until(h2.events.StreamReset, stream)
    assert len(caught.value.__notes__) == 1


GET = http2.block((":method", "GET"), (":scheme", "http"), (":path", "/"))
POST = http2.headers(1, ((":method", "POST"), (":scheme", "http"), (":path", "/echo"), (":authority", "a")))


START = ((":method", "POST"), (":scheme", "http"), (":path", "/sink"))
MALFORMED = (
    *((name, "y") for name in ("X", "", "x y", "x\0", "x:", "\xe9", "connection", "upgrade")),
    *(("x", value) for value in ("a\0", "a\r", "a\nb", " a", "a\t")),
    ("te", "gzip"),
)


def headers(*fields: tuple[str, str]) -> Frame:
    return http2.headers(1, fields, end=True)


def talk(*frames: Frame) -> list[Frame]:
    """Send frames and end; return the received frames except SETTINGS and WINDOW_UPDATE."""
    left_out = {FrameType.SETTINGS, FrameType.WINDOW_UPDATE}
    return [frame for frame in talk_in_full(*frames) if frame.type not in left_out]


def talk_in_full(*frames: Frame, handler: Callable[[Request], Response] = showcase) -> list[Frame]:
    """Send frames, preceded by SETTINGS unless these are the first, and end; return the received frames."""
    with (
        Origin(handler) as origin,
        socket.create_connection((origin.address, origin.port), 10) as sock,
        sock.makefile("rb") as reader,
    ):
        first = [] if frames and frames[0].type == FrameType.SETTINGS else [http2.settings()]
        sock.sendall(http2.PREFACE + b"".join(frame.serialize() for frame in (*first, *frames)))
        sock.shutdown(socket.SHUT_WR)
        taken = []
        while len(head := reader.read(9)) == 9:
            length = int.from_bytes(head[:3], "big")
            stream = int.from_bytes(head[5:], "big")
            taken.append(Frame(head[3], head[4], stream, reader.read(length)))
        return taken


# Types of frames that are about one stream, or about none, each with a size that it may have.
OF_A_STREAM = (
    *((FrameType.DATA, 1), (FrameType.HEADERS, 1), (FrameType.PRIORITY, 5), (FrameType.RST_STREAM, 4)),
    *((FrameType.PUSH_PROMISE, 5), (FrameType.CONTINUATION, 1)),
)
OF_THE_CONNECTION = ((FrameType.PING, 8), (FrameType.GOAWAY, 8))


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([http2.settings(ack=True)], ErrorCode.PROTOCOL_ERROR),
        ([Frame(FrameType.DATA, length=1 << 20)], ErrorCode.FRAME_SIZE_ERROR),
        ([http2.data(1, b"x")], ErrorCode.PROTOCOL_ERROR),
        ([http2.data(0, b"x")], ErrorCode.PROTOCOL_ERROR),
        ([http2.window_update(3, 1)], ErrorCode.PROTOCOL_ERROR),
        ([Frame(FrameType.RST_STREAM, 0, 1, bytes(4))], ErrorCode.PROTOCOL_ERROR),
        ([POST, Frame(FrameType.RST_STREAM, 0, 3, bytes(4))], ErrorCode.PROTOCOL_ERROR),
        *(([Frame(kind, 0, 0, bytes(size))], ErrorCode.PROTOCOL_ERROR) for kind, size in OF_A_STREAM),
        *(([Frame(kind, 0, 1, bytes(size))], ErrorCode.PROTOCOL_ERROR) for kind, size in OF_THE_CONNECTION),
        ([http2.window_update(0, 0)], ErrorCode.PROTOCOL_ERROR),
        ([http2.window_update(0, 2**31 - 1)], ErrorCode.FLOW_CONTROL_ERROR),
        ([Frame(FrameType.PING, payload=b"short")], ErrorCode.FRAME_SIZE_ERROR),
        ([Frame(FrameType.SETTINGS, payload=b"short")], ErrorCode.FRAME_SIZE_ERROR),
        ([http2.settings((4, 2**31))], ErrorCode.FLOW_CONTROL_ERROR),
        *(([http2.settings((name, 2))], ErrorCode.PROTOCOL_ERROR) for name in (2, 8, 9)),
        *(([http2.settings((5, size))], ErrorCode.PROTOCOL_ERROR) for size in (0, 16_383, 1 << 24)),
        ([http2.settings(), Frame(FrameType.SETTINGS, stream=1)], ErrorCode.PROTOCOL_ERROR),
        ([http2.headers(2, GET)], ErrorCode.PROTOCOL_ERROR),
        ([http2.headers(1, b"\xff\xff\xff\xff\xff\xff")], ErrorCode.COMPRESSION_ERROR),
        ([http2.headers(1, GET, end_headers=False), http2.ping()], ErrorCode.PROTOCOL_ERROR),
        ([http2.headers(1, GET, end_headers=False)], ErrorCode.PROTOCOL_ERROR),
        ([Frame(FrameType.HEADERS, http2.PADDED, 1, b"\x09")], ErrorCode.PROTOCOL_ERROR),
        ([http2.continuation(1, GET)], ErrorCode.PROTOCOL_ERROR),
        ([POST, Frame(FrameType.DATA, http2.PADDED, 1, b"\x09x")], ErrorCode.PROTOCOL_ERROR),
        ([http2.push_promise(1, 2, GET)], ErrorCode.PROTOCOL_ERROR),
        (
            [http2.headers(1, b"x" * 10_000, end_headers=False)]
            + [http2.continuation(1, b"x" * 16_000, end_headers=False)] * 20,
            ErrorCode.ENHANCE_YOUR_CALM,
        ),
    ],
)
def test_connection_errors(frames: list[Frame], code: ErrorCode) -> None:
    *_, last = talk(*frames)
    assert last.type == FrameType.GOAWAY
    assert last.payload[4:8] == code.to_bytes(4, "big")


def test_a_client_that_agreed_on_http2_and_speaks_another_protocol(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    for context in (server_tls, client_tls):
        context.set_alpn_protocols(["h2"])
    with (
        Origin(showcase, tls=server_tls) as origin,
        socket.create_connection((origin.address, origin.port), 10) as tcp,
        client_tls.wrap_socket(tcp, server_hostname="localhost") as sock,
    ):
        sock.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        taken = bytearray()
        while piece := sock.recv(65536):
            taken += piece
        assert taken.endswith(
            http2.goaway(0, ErrorCode.PROTOCOL_ERROR, b"the connection preface is missing").serialize()
        )


@pytest.mark.parametrize(
    "frames",
    [
        [headers((":method", "GET"))],
        [headers((":method", "GET"), (":scheme", "http"), (":path", "/"), ("X", "y"))],
        [headers((":method", "GET"), (":scheme", "http"), (":path", "/"), ("te", "gzip"))],
        [headers((":method", "GET"), (":scheme", "http"), ("x", "y"), (":path", "/"))],
        [headers((":method", "GET"), (":scheme", "a"), (":scheme", "b"), (":path", "/"))],
        [headers((":method", "GET"), (":scheme", "a"), (":path", "/"), (":other", "/"))],
        [headers((":method", "GET"), (":scheme", "a"), (":path", "/"), ("connection", "x"))],
        [headers((":method", "CONNECT"), (":authority", "a"), (":path", "/"))],
        [headers((":method", "GET"), (":scheme", "http"), (":path", ""))],
        [headers((":method", "GET"), (":scheme", "http"), (":path", "/\r\nx: y"))],
        *([headers(*START, field)] for field in MALFORMED),
        *([headers(*START, ("content-length", length))] for length in ("", "+0", "0, 0", "1")),
        [headers(*START, ("content-length", "0"), ("content-length", "1"))],
    ],
)
def test_malformed_requests_are_reset(frames: list[Frame]) -> None:
    assert talk(*frames) == [http2.rst_stream(1, ErrorCode.PROTOCOL_ERROR)]


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([POST, http2.headers(1, (("x", "y"),))], ErrorCode.PROTOCOL_ERROR),
        ([POST, http2.headers(1, ((":x", "y"),), end=True)], ErrorCode.PROTOCOL_ERROR),
        *(([POST, http2.headers(1, (field,), end=True)], ErrorCode.PROTOCOL_ERROR) for field in MALFORMED),
        *(
            ([http2.headers(1, (*START, ("content-length", "3"))), *frames], ErrorCode.PROTOCOL_ERROR)
            for frames in (
                [http2.data(1, b"ab", end=True)],
                [http2.data(1, b"ab"), http2.data(1, b"cd", padding=4)],
                [http2.data(1, b"ab", padding=1), http2.headers(1, (("x", "y"),), end=True)],
                [http2.headers(1, (), end=True)],
            )
        ),
        ([POST, http2.window_update(1, 0)], ErrorCode.PROTOCOL_ERROR),
        ([POST, http2.window_update(1, 2**31 - 1)], ErrorCode.FLOW_CONTROL_ERROR),
    ],
)
def test_stream_errors(frames: list[Frame], code: ErrorCode) -> None:
    resets = [frame for frame in talk(*frames) if frame.type == FrameType.RST_STREAM]
    assert resets == [http2.rst_stream(1, code)]


def test_content_of_its_declared_length_is_accepted() -> None:
    for frames in (
        [http2.data(1, b"ab", padding=9), http2.data(1, b"c", end=True)],
        [http2.data(1, b"abc"), http2.headers(1, (("x", "y"),), end=True)],
    ):
        start = http2.headers(1, (*START, ("content-length", "3"), ("content-length", "3")))
        received = talk(start, *frames)
        assert not [frame for frame in received if frame.type == FrameType.RST_STREAM]
        assert received[-1].payload.startswith(b"3 ")


def test_the_clients_frame_size_is_used() -> None:
    get = http2.headers(1, ((":method", "GET"), (":scheme", "http"), (":path", "/bytes/20000")), end=True)
    taken = talk(http2.settings((Setting.MAX_FRAME_SIZE, 20_000)), get)
    assert [len(frame.payload) for frame in taken if frame.type == FrameType.DATA] == [20_000, 0]


def test_frames_that_are_ignored() -> None:
    taken = talk(
        Frame(0x55, 0xFF, 7, b"unknown"),
        http2.priority(9, 1),
        http2.ping(ack=True),
        http2.goaway(0),
        http2.ping(b"12345678"),
    )
    assert taken == [http2.ping(b"12345678", ack=True)]


def test_a_client_that_opens_no_window_is_disconnected() -> None:
    with (
        Origin(showcase, timeout=0.05) as origin,
        Client(origin) as client,
    ):
        client.acknowledge = False
        stream = client.request("GET", "/bytes/100000")
        client.until(h2.events.StreamReset, stream)
        assert len(client.data(stream)) == 65_535


PIECE = http2.data(1, bytes(16_000))


@pytest.mark.parametrize(
    ("window", "frames", "expected"),
    [
        (100, [PIECE], http2.rst_stream(1, ErrorCode.FLOW_CONTROL_ERROR)),
        (65_535, [PIECE] * 5, http2.goaway(1, ErrorCode.FLOW_CONTROL_ERROR, b"DATA exceeds the window")),
        (
            65_535,
            [http2.data(1, b"x", end=True), http2.data(1, b"x")],
            http2.rst_stream(1, ErrorCode.STREAM_CLOSED),
        ),
    ],
)
def test_data_that_is_not_allowed(window: int, frames: list[Frame], expected: Frame) -> None:
    release = threading.Event()

    def handler(request: Request) -> Response:
        release.wait(10)
        return showcase(request)

    with (
        Origin(handler, settings={Setting.INITIAL_WINDOW_SIZE: window}) as origin,
        socket.create_connection((origin.address, origin.port), 10) as sock,
    ):
        first = [http2.settings(), http2.settings(ack=True), POST]
        sock.sendall(http2.PREFACE + b"".join(frame.serialize() for frame in (*first, *frames)))
        taken = b""
        while expected.serialize() not in taken:
            taken += sock.recv(65536) or pytest.fail("the end came first")
        release.set()
