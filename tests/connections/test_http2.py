"""HTTP/2 connections over an in-memory link: every method, typed settings, windows, GOAWAY."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, assert_type

import pytest

import mint
from mint import errors
from mint._connections.http2 import check_security
from mint.testing import frames as f
from mint.transport import Memory
from tests.refs import ref_of

from ..routes import Breaking

if TYPE_CHECKING:
    from collections.abc import Callable

OK = ((":status", "200"),)


def over_memory(
    options: mint.HTTP2Options | None = None, *, settings: tuple[tuple[int, int], ...] = ()
) -> tuple[mint.HTTP2, Memory]:
    """Return a connection after the exchange of SETTINGS."""
    link = Memory()
    conn = mint.http2.initiate(
        link,
        scheme="https",
        hostname="example.org",
        port=443,
        identity=7,
        http2=options or mint.HTTP2Options(),
    )
    link.put(f.serialize([f.settings(*settings), f.settings(ack=True)]))
    conn, responses = conn.recv()
    assert responses == []
    link.take()
    return conn, link


def frames_in(octets: bytes) -> list[f.Frame]:
    """Parse the frames that were sent."""
    found = []
    while octets:
        length, frame = f.parse_head(octets[: f.HEAD_SIZE])
        end = f.HEAD_SIZE + length
        found.append(f.Frame(frame.type, frame.flags, frame.stream, octets[f.HEAD_SIZE : end]))
        octets = octets[end:]
    return found


def kinds(octets: bytes) -> list[int]:
    return [frame.type for frame in frames_in(octets)]


def test_the_preface_is_sent_at_once() -> None:
    link = Memory()
    conn = mint.http2.initiate(link, scheme="http", hostname="example.org", port=80)
    sent = link.take()
    assert sent.startswith(f.PREFACE)
    assert kinds(sent[len(f.PREFACE) :]) == [f.FrameType.SETTINGS, f.FrameType.WINDOW_UPDATE]
    assert conn.protocol == "http2"
    conn, _ = conn.request("GET", "/")
    assert kinds(link.take()) == [f.FrameType.HEADERS]


def test_requests_are_concurrent_and_responses_come_in_any_order() -> None:
    conn, link = over_memory()
    conn, first = conn.request("GET", "/1")
    conn, second = conn.request("GET", "/2")
    assert conn.open_request_count == 2
    link.put(
        f.serialize(
            [
                f.headers(3, OK),
                f.data(3, b"two", end=True),
                f.headers(1, OK),
                f.data(1, b"one", end=True),
            ]
        )
    )
    conn, responses = conn.recv()
    assert responses == [
        mint.Status(second, 200),
        mint.Headers(second, ()),
        mint.Data(second, b"two"),
        mint.Done(second),
        mint.Status(first, 200),
        mint.Headers(first, ()),
        mint.Data(first, b"one"),
        mint.Done(first),
    ]
    assert conn.open_request_count == 0


def test_a_failed_request_does_not_affect_the_others() -> None:
    conn, link = over_memory()
    conn, first = conn.request("GET", "/1")
    conn, second = conn.request("GET", "/2")
    link.put(f.serialize([f.rst_stream(1, f.ErrorCode.REFUSED_STREAM), f.headers(3, OK, end=True)]))
    conn, responses = conn.recv()
    failed = responses[0]
    assert isinstance(failed, mint.RequestFailed)
    assert failed.ref == first
    assert failed.error.processed is mint.Processed.NO
    assert responses[-1] == mint.Done(second)
    assert conn.is_open()


def test_a_streamed_body_respects_the_window() -> None:
    conn, link = over_memory(settings=((f.Setting.INITIAL_WINDOW_SIZE, 10),))
    conn, ref = conn.request("POST", "/", (), mint.STREAM)
    assert conn.request_body_window(ref) == 10
    with pytest.raises(errors.ExceedsWindowSize, match=r"mint\.STREAM") as caught:
        conn.stream_request_body(ref, b"x" * 11)
    assert caught.value.local
    assert caught.value.window == 10
    conn = conn.after(caught.value)
    conn = conn.stream_request_body(ref, b"x" * 10)
    assert conn.request_body_window(ref) == 0
    link.put(f.serialize([f.window_update(1, 5)]))
    conn, _ = conn.recv()
    assert conn.request_body_window(ref) == 5
    assert conn.get_window_size(ref) == 5
    assert conn.get_window_size("connection") == 65_535 - 10
    conn = conn.stream_request_body(ref, b"y" * 5)
    link.take()
    conn = conn.stream_request_body(ref, mint.Eof((("x-sum", "15"),)))
    assert kinds(link.take()) == [f.FrameType.HEADERS]
    with pytest.raises(ValueError, match="no open body"):
        conn.request_body_window(ref)


def test_a_fixed_body_larger_than_the_window_sends_nothing() -> None:
    conn, link = over_memory()
    with pytest.raises(errors.ExceedsWindowSize):
        conn.request("POST", "/", (), b"x" * 65_536)
    assert link.take() == b""
    conn, ref = conn.request("POST", "/", (), [b"a", b"b"])
    assert ref.number == 1
    assert [frame.payload for frame in frames_in(link.take())][1:] == [b"ab"]


def test_cancelling_is_not_an_error() -> None:
    conn, link = over_memory()
    conn, ref = conn.request("GET", "/")
    link.take()
    conn = conn.cancel_request(ref)
    assert kinds(link.take()) == [f.FrameType.RST_STREAM]
    assert conn.open_request_count == 0
    conn = conn.cancel_request(ref)
    assert link.take() == b""
    link.put(f.serialize([f.headers(1, OK, end=True)]))
    conn, responses = conn.recv()
    assert responses == []
    conn = conn.cancel_request(mint.RequestRef(7, 99))
    assert link.take() == b""


def test_pings_may_be_acknowledged_in_any_order() -> None:
    conn, link = over_memory()
    conn, first = conn.ping(b"11111111")
    conn, second = conn.ping(b"22222222")
    link.put(f.serialize([f.ping(b"22222222", ack=True), f.ping(b"11111111", ack=True)]))
    conn, responses = conn.recv()
    assert responses == [mint.Pong(second), mint.Pong(first)]
    with pytest.raises(ValueError, match="8 bytes"):
        conn.ping(b"short")


def test_a_ping_of_the_server_is_answered() -> None:
    conn, link = over_memory()
    link.put(f.serialize([f.ping(b"abcdefgh")]))
    conn, _ = conn.recv()
    [answer] = frames_in(link.take())
    assert answer.payload == b"abcdefgh"
    assert answer.has(f.ACK)


def test_settings_are_typed_by_name() -> None:
    conn, link = over_memory(
        settings=((f.Setting.MAX_CONCURRENT_STREAMS, 5), (f.Setting.ENABLE_CONNECT_PROTOCOL, 1))
    )
    assert_type(conn.get_server_setting("enable_connect_protocol"), bool)
    assert_type(conn.get_server_setting("max_concurrent_streams"), int | None)
    assert_type(conn.get_server_setting("max_frame_size"), int)
    assert conn.get_server_setting("enable_connect_protocol") is True
    assert conn.get_server_setting("max_concurrent_streams") == 5
    assert conn.get_server_setting("max_frame_size") == 16_384
    assert conn.get_server_setting("max_header_list_size") is None
    assert conn.get_client_setting("initial_window_size") == 4_194_304
    assert conn.get_client_setting("enable_push") is False
    changed = conn.put_settings(max_frame_size=20_000, enable_push=False)
    assert kinds(link.take()) == [f.FrameType.SETTINGS]
    assert changed.get_client_setting("max_frame_size") == 16_384
    link.put(f.serialize([f.settings(ack=True)]))
    changed, _ = changed.recv()
    assert changed.get_client_setting("max_frame_size") == 20_000
    for ask in (changed.get_server_setting, changed.get_client_setting):
        with pytest.raises(ValueError, match=r"."):
            ask("no_such_setting")  # type: ignore[call-overload]  # wrong on purpose
    with pytest.raises(ValueError, match="max_frame_size"):
        changed.put_settings(max_frame_size=1)


def test_receive_windows_grow() -> None:
    conn, link = over_memory()
    conn, ref = conn.request("GET", "/")
    link.take()
    conn = conn.set_window_size("connection", 20_000_000)
    conn = conn.set_window_size(ref, 5_000_000)
    assert [(frame.stream, f.number_of(frame)) for frame in frames_in(link.take())] == [
        (0, 20_000_000 - 16_777_216),
        (1, 5_000_000 - 4_194_304),
    ]
    same = conn.set_window_size(ref, 5_000_000)
    assert link.take() == b""
    with pytest.raises(errors.WindowSizeTooSmall):
        same.set_window_size("connection", 1)
    for wrong in (0, 2**31, True, "1"):
        with pytest.raises(ValueError, match="size must be"):
            same.set_window_size("connection", wrong)  # type: ignore[arg-type]  # wrong on purpose
    link.put(f.serialize([f.headers(1, OK, end=True)]))
    same, _ = same.recv()
    with pytest.raises(errors.UnknownRequestToStream):
        same.set_window_size(ref, 6_000_000)


def test_one_window_need_not_be_refilled() -> None:
    conn, link = over_memory()
    conn, ref = conn.request("GET", "/")
    link.take()
    link.put(f.serialize([f.headers(1, OK)]))
    conn, _ = conn.recv()
    conn = conn.set_refill(ref, False)
    for _ in range(256):
        link.put(f.serialize([f.data(1, bytes(16_384))]))
        conn, _ = conn.recv()
    assert not [frame for frame in frames_in(link.take()) if frame.stream == 1]
    conn = conn.set_refill(ref, True)
    assert [f.number_of(frame) for frame in frames_in(link.take())] == [256 * 16_384]
    link.put(f.serialize([f.data(1, end=True)]))
    conn, _ = conn.recv()
    with pytest.raises(errors.UnknownRequestToStream):
        conn.set_refill(ref, True)


def test_after_goaway_open_requests_continue() -> None:
    conn, link = over_memory()
    conn, first = conn.request("GET", "/1")
    conn, second = conn.request("GET", "/2")
    link.put(f.serialize([f.goaway(1)]))
    conn, responses = conn.recv()
    [failed] = responses
    assert isinstance(failed, mint.RequestFailed)
    assert failed.ref == second
    assert failed.error.processed is mint.Processed.NO
    assert isinstance(failed.error, errors.Unprocessed)
    assert not conn.is_open()
    assert conn.is_open("read")
    assert repr(conn) == "<HTTP2 draining, 1 open requests>"
    assert conn.get_window_size(second) == 0
    with pytest.raises(errors.ClosedForWriting):
        conn.request("GET", "/3")
    link.put(f.serialize([f.headers(1, OK, end=True)]))
    conn, responses = conn.recv()
    assert responses[-1] == mint.Done(first)


def test_a_connection_error_sends_goaway_and_closes() -> None:
    conn, link = over_memory()
    conn, ref = conn.request("GET", "/")
    link.take()
    link.put(f.serialize([f.data(0, b"x")]))
    with pytest.raises(errors.ProtocolViolation) as caught:
        conn.recv()
    assert [ref_of(each) for each in caught.value.responses] == [ref]
    [goodbye] = frames_in(link.take())
    assert goodbye.type == f.FrameType.GOAWAY
    assert link.closed
    assert not conn.after(caught.value).is_open("read")


def test_closing_sends_goaway() -> None:
    conn, link = over_memory()
    conn = conn.close()
    assert kinds(link.take()) == [f.FrameType.GOAWAY]
    assert link.closed
    assert not conn.is_open()


def test_an_http1_answer_is_recognised() -> None:
    link = Memory()
    conn = mint.http2.initiate(link, scheme="http", hostname="example.org")
    link.put(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(errors.HTTP1Response):
        conn.recv()


def test_a_fork_replays(caplog: pytest.LogCaptureFixture) -> None:
    conn, link = over_memory()
    conn, ref = conn.request("GET", "/", [("authorization", "secret")])
    assert link.take()
    twins = [conn.fork(), conn.fork()]
    answer = f.serialize([f.headers(1, OK), f.data(1, b"x", end=True)])
    results = []
    for twin in twins:
        memory = twin._link
        assert isinstance(memory, Memory)
        memory.put(answer)
        results.append(twin.recv())
    assert results[0] == results[1]
    assert results[0][1][-1] == mint.Done(ref)


def test_the_log_names_frames_and_no_secrets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="mint")
    link = Memory()
    conn = mint.http2.initiate(link, scheme="http", hostname="example.org", log=True)
    conn, _ = conn.request("GET", "/", [("authorization", "hunter2")])
    link.put(f.serialize([f.settings()]))
    conn, _ = conn.recv()
    conn.close()
    assert [record.getMessage().split(" stream=")[0] for record in caplog.records] == [
        "> SETTINGS",
        "> WINDOW_UPDATE",
        "> HEADERS",
        "< SETTINGS",
        "> SETTINGS",
        "> GOAWAY",
    ]
    assert "hunter2" not in caplog.text


def test_pushes_have_their_own_refs() -> None:
    options = mint.HTTP2Options(client_settings=mint.ClientSettings(enable_push=True))
    conn, link = over_memory(options)
    conn, ref = conn.request("GET", "/")
    promise = (
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/style.css"),
        (":authority", "example.org"),
    )
    link.put(f.serialize([f.push_promise(1, 2, promise), f.headers(2, OK), f.data(2, b"css", end=True)]))
    conn, responses = conn.recv()
    push = responses[0]
    assert isinstance(push, mint.PushPromise)
    assert push.ref == ref
    assert (":path", "/style.css") in push.headers
    assert responses[-1] == mint.Done(push.promised_ref)


def info(version: str, cipher: str) -> mint.TLSInfo:
    return mint.TLSInfo(version, cipher, "h2", None, None, resumed=False)


def test_weak_tls_is_refused_for_http2() -> None:
    """RFC 9113 9.2, 9.2.2: TLS 1.2 or newer, without a prohibited cipher suite."""
    check_security(None)
    check_security(info("TLSv1.3", "TLS_AES_128_GCM_SHA256"))
    check_security(info("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"))
    check_security(info("TLSv1.2", "ECDHE-ECDSA-CHACHA20-POLY1305"))
    for version, cipher in (
        ("TLSv1.1", "ECDHE-RSA-AES128-GCM-SHA256"),
        ("TLSv1.2", "AES128-GCM-SHA256"),
        ("TLSv1.2", "ECDHE-RSA-AES128-SHA"),
        ("TLSv1.2", "DES-CBC3-SHA"),
    ):
        with pytest.raises(errors.InadequateSecurity):
            check_security(info(version, cipher))


def test_an_error_that_ends_a_connection_names_every_request_that_was_open() -> None:
    """After a GOAWAY requests stay open; they fail if a reply to the next frame cannot be written."""
    link = Breaking()
    conn = mint.http2.initiate(link, scheme="https", hostname="example.org", port=443, identity=7)
    conn, first = conn.request("GET", "/")
    conn, second = conn.request("GET", "/")
    link.put(f.serialize([f.settings(), f.settings(ack=True)]))
    conn, _ = conn.recv()
    link.broken = True
    link.put(f.serialize([f.goaway(1, f.ErrorCode.ENHANCE_YOUR_CALM), f.ping()]))
    with pytest.raises(errors.ServerClosedConnection) as caught:
        conn.recv()
    assert isinstance(caught.value.__cause__, errors.TransportReset)
    failed = [each for each in caught.value.responses if isinstance(each, mint.RequestFailed)]
    assert [each.ref for each in failed] == [second, first]
    assert isinstance(failed[0].error, errors.Unprocessed)
    assert isinstance(failed[1].error, errors.TransportReset)
    assert not conn.after(caught.value).is_open("read")


class Refusing(Memory):
    """A link that refuses output, although input has arrived."""

    cause: BaseException | None = None

    def __init__(self) -> None:
        super().__init__()
        self.plain = False
        self.broken = False

    def send(self, pieces: tuple[bytes, ...], *, flush: bool) -> None:
        if self.broken:
            raise errors.TransportReset from self.cause
        super().send(pieces, flush=flush)


OPERATIONS: dict[str, Callable[[mint.HTTP2, mint.RequestRef], mint.HTTP2]] = {
    "request": lambda conn, _: conn.request("GET", "/")[0],
    "cancel_request": lambda conn, ref: conn.cancel_request(ref),
    "ping": lambda conn, _: conn.ping()[0],
    "put_settings": lambda conn, _: conn.put_settings(enable_push=False),
    "set_window_size": lambda conn, _: conn.set_window_size("connection", 2**30),
}
VIOLATION = f.data(0, b"x").serialize()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("outlived", [True, False])
@pytest.mark.parametrize(
    ("heard", "kind"),
    [
        (f.goaway(0, f.ErrorCode.ENHANCE_YOUR_CALM).serialize(), errors.ServerClosedConnection),
        (f.goaway(1, f.ErrorCode.ENHANCE_YOUR_CALM).serialize(), errors.ServerClosedConnection),
        (f.goaway(2**31 - 1, f.ErrorCode.INTERNAL_ERROR).serialize(), errors.ServerClosedConnection),
        (f.goaway(1, f.ErrorCode.INTERNAL_ERROR).serialize() + VIOLATION, errors.ServerClosedConnection),
        (VIOLATION, errors.HTTPError),
    ],
)
def test_errors_that_arrive_while_sending_fails_are_not_lost(
    operation: str, outlived: bool, heard: bytes, kind: type[errors.HTTPError]
) -> None:
    link: Breaking | Refusing = Breaking() if outlived else Refusing()
    conn = mint.http2.initiate(link, scheme="https", hostname="example.org", port=443, identity=7)
    conn, ref = conn.request("GET", "/")
    link.put(f.serialize([f.settings(), f.settings(ack=True)]))
    conn, _ = conn.recv()
    link.broken = True
    link.put(heard)
    with pytest.raises(mint.MintError) as caught:
        OPERATIONS[operation](conn, ref).recv()
    error: BaseException | None = caught.value
    if not outlived:
        assert isinstance(error, errors.TransportReset)
        error = error.__cause__
    while error is not None and not isinstance(error, kind):
        error = error.__cause__
    assert isinstance(error, kind)
    # Input that had arrived is received first; the next read raises the error.
    assert not conn.after(caught.value).is_open("write" if outlived else "read")


def test_the_error_of_the_system_is_the_last_cause() -> None:
    link = Refusing()
    conn = mint.http2.initiate(link, scheme="https", hostname="example.org", port=443, identity=7)
    link.put(f.serialize([f.settings(), f.settings(ack=True)]))
    conn, _ = conn.recv()
    link.put(f.serialize([f.goaway(0, f.ErrorCode.INTERNAL_ERROR)]))
    link.broken, link.cause = True, OSError("what the system said")
    with pytest.raises(errors.TransportReset) as caught:
        conn.ping()
    assert isinstance(caught.value.__cause__, errors.ServerClosedConnection)
    assert caught.value.__cause__.__cause__ is link.cause
