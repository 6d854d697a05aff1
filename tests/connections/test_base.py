"""The base of the connections of both protocols, tested with HTTP/1 over an in-memory link."""

from __future__ import annotations

import copy
import enum
import logging
import pickle
import socket
import threading
from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint._connections.body import as_pieces
from mint.messages import Broken, Closed, Received
from mint.transport import Memory, SocketLink
from tests.refs import ref_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from mint.responses import Response
    from mint.types import Inbox, Transport

PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


def over_memory() -> tuple[mint.HTTP1, Memory]:
    link = Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="example.org", port=80, identity=7)
    return conn, link


class Unwilling(Memory):
    """A link whose sending fails when a test asks for it."""

    failure: BaseException | None = None

    def send(self, pieces: tuple[bytes, ...], *, flush: bool) -> None:
        if self.failure is not None:
            raise self.failure
        super().send(pieces, flush=flush)


def over_unwilling() -> tuple[mint.HTTP1, Unwilling]:
    link = Unwilling()
    conn = mint.http1.initiate(link, scheme="http", hostname="example.org", port=80, identity=7)
    return conn, link


def kinds(responses: list[Response]) -> list[str]:
    return [type(response).__name__ for response in responses]


def test_a_request_leaves_the_value_as_it_was() -> None:
    conn, link = over_memory()
    after, ref = conn.request("GET", "/")
    assert conn.open_request_count == 0
    assert after.open_request_count == 1
    assert ref == mint.RequestRef(7, 1)
    assert link.take().startswith(b"GET / HTTP/1.1\r\nhost: example.org\r\n")


def test_recv_returns_responses() -> None:
    conn, link = over_memory()
    conn, ref = conn.request("GET", "/")
    link.put(PAGE)
    conn, responses = conn.recv()
    assert responses == [
        mint.Status(ref, 200),
        mint.Headers(ref, (("content-length", "5"),)),
        mint.Data(ref, b"hello"),
        mint.Done(ref),
    ]
    assert conn.is_open()


def test_recv_waits_for_as_many_bytes_as_asked() -> None:
    conn, link = over_memory()
    conn, _ = conn.request("GET", "/")
    link.put(PAGE[:10])
    link.put(PAGE[10:])
    conn, responses = conn.recv(len(PAGE))
    assert kinds(responses) == ["Status", "Headers", "Data", "Done"]


def test_a_timeout_of_recv_leaves_the_connection_open_and_keeps_responses() -> None:
    conn, link = over_memory()
    conn, ref = conn.request("GET", "/")
    link.put(b"HTTP/1.1 200 OK\r\n")
    with pytest.raises(TimeoutError) as caught:
        conn.recv(1000, timeout=0)
    error = caught.value
    assert isinstance(error, errors.TransportTimeout)
    assert error.responses == (mint.Status(ref, 200),)
    conn = conn.after(error)
    link.put(PAGE[len(b"HTTP/1.1 200 OK\r\n") :])
    conn, responses = conn.recv()
    assert kinds(responses) == ["Headers", "Data", "Done"]


def test_recv_refuses_a_negative_count() -> None:
    with pytest.raises(ValueError, match="byte_count"):
        over_memory()[0].recv(-1)


def test_a_superseded_value_sends_nothing() -> None:
    conn, link = over_memory()
    newest, _ = conn.request("GET", "/first")
    link.take()
    for operation in (
        lambda: conn.request("GET", "/second"),
        conn.recv,
        conn.flush,
        lambda: conn.stream_request_body(mint.RequestRef(7, 1), b"x"),
        lambda: conn.set_mode("passive"),
    ):
        with pytest.raises(mint.StaleConnectionError):
            operation()
    assert link.take() == b""
    newest, _ = newest.request("GET", "/second")
    assert link.take().startswith(b"GET /second")


def test_a_pure_operation_keeps_the_generation() -> None:
    conn, link = over_memory()
    noted = conn.put_private("who", "me")
    noted, _ = noted.request("GET", "/")
    assert link.take()
    with pytest.raises(mint.StaleConnectionError):
        conn.request("GET", "/")


def test_a_refused_request_changes_nothing() -> None:
    conn, link = over_memory()
    with pytest.raises(errors.InvalidHeaderValue) as caught:
        conn.request("GET", "/", [("x", "a\r\nb: c")])
    assert caught.value.local
    assert caught.value.processed is mint.Processed.NO
    assert conn.after(caught.value) is conn
    assert link.take() == b""
    conn.request("GET", "/")


def test_wrong_headers_leave_the_link_usable() -> None:
    conn, _ = over_memory()
    with pytest.raises(TypeError, match="headers must be pairs"):
        conn.request("GET", "/", [("only a name",)])  # type: ignore[list-item]  # wrong on purpose
    conn.request("GET", "/")


def test_a_fork_does_not_affect_the_original() -> None:
    conn, link = over_memory()
    conn, ref = conn.request("GET", "/")
    link.take()
    twin = conn.fork()
    assert twin == conn
    assert twin.source is not conn.source
    other, _ = twin.request("GET", "/elsewhere")
    assert other != conn
    assert link.take() == b""
    link.put(PAGE)
    conn, responses = conn.recv()
    assert responses[-1] == mint.Done(ref)


def test_equality_compares_the_state_and_the_private_store() -> None:
    one, _ = over_memory()
    two, _ = over_memory()
    assert one == two
    assert one.put_private("a", 1) != two
    assert one.put_private("a", 1) == two.put_private("a", 1)
    assert one != "a connection"
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_the_private_store_is_a_value() -> None:
    conn, _ = over_memory()
    noted = conn.put_private("who", "me").put_private("n", 1)
    assert conn.get_private("who") is None
    assert conn.get_private("who", "nobody") == "nobody"
    assert noted.get_private("who") == "me"
    assert noted.delete_private("who").get_private("who") is None
    assert noted.delete_private("who").get_private("n") == 1
    assert noted.delete_private("absent").get_private("who") == "me"


def test_an_error_carries_earlier_responses_and_closes() -> None:
    conn, link = over_memory()
    conn, first = conn.request("GET", "/1")
    conn, second = conn.request("GET", "/2")
    link.put(PAGE + b"SMTP/1.0 nonsense\r\n")
    with pytest.raises(errors.InvalidStatusLine) as caught:
        conn.recv()
    assert caught.value.responses[:4][-1] == mint.Done(first)
    failed = caught.value.responses[-1]
    assert isinstance(failed, mint.RequestFailed)
    assert failed.ref == second
    with pytest.raises(ValueError, match="the error has no successor"):
        conn.after(failed.error)
    conn = conn.after(caught.value)
    assert not conn.is_open()
    assert not conn.is_open("read")
    assert link.closed
    with pytest.raises(errors.Closed):
        conn.request("GET", "/3")


def test_the_peer_ending_while_idle_is_a_graceful_close() -> None:
    conn, link = over_memory()
    link.put_eof()
    conn, responses = conn.recv()
    assert responses == []
    assert not conn.is_open()
    assert link.closed


def test_after_refuses_errors_of_other_connections() -> None:
    conn, _ = over_memory()
    other, _ = over_memory()
    with pytest.raises(errors.InvalidRequestMethod) as caught:
        other.request("", "/")
    with pytest.raises(ValueError, match="the error is of another connection: pass it to the method after"):
        conn.after(caught.value)
    unpickled = pickle.loads(pickle.dumps(caught.value))
    assert unpickled == caught.value
    with pytest.raises(ValueError, match="the error has no successor: it was not raised by an operation"):
        other.after(unpickled)


def test_after_gives_the_same_value_for_every_local_error() -> None:
    conn, _ = over_memory()
    newest, _ = conn.request("GET", "/")
    with pytest.raises(mint.StaleConnectionError) as stale:
        conn.request("GET", "/")
    assert stale.value.local
    assert conn.after(stale.value) is conn
    mailbox = mint.Mailbox()
    mailbox.close()
    with pytest.raises(errors.MailboxClosed) as closed:
        newest.set_mode("active", mailbox)
    assert newest.after(closed.value) is newest
    fed, link, _ = active()
    link.put(PAGE)
    message = Received(link.source, 7, b"")
    with pytest.raises(mint.StaleConnectionError) as twice:
        fed.stream(message)
    assert fed.after(twice.value) is fed


def test_close_is_idempotent_and_works_through_any_value() -> None:
    conn, link = over_memory()
    newest, _ = conn.request("GET", "/")
    closed = conn.close()
    assert link.closed
    assert not closed.is_open()
    assert not newest.close().is_open("read")
    assert not closed.close().is_open()


def test_with_closes_whichever_value_is_current() -> None:
    conn, link = over_memory()
    with conn:
        conn.request("GET", "/")
    assert link.closed


def test_another_thread_can_close_during_an_operation() -> None:
    conn, link = over_memory()
    link.claim(conn._generation)
    thread = threading.Thread(target=conn.close)
    thread.start()
    thread.join()
    assert link.closed
    link.release(moved=False)


def test_an_operation_during_another_one_is_stale() -> None:
    conn, link = over_memory()
    link.claim(conn._generation)
    with pytest.raises(mint.StaleConnectionError):
        conn.request("GET", "/")
    link.release(moved=False)
    conn.request("GET", "/")


def test_another_exception_in_an_operation_closes_the_link() -> None:
    conn, link = over_unwilling()
    link.failure = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        conn.request("GET", "/")
    assert link.closed
    link.failure = None
    with pytest.raises(errors.TransportClosed) as caught:
        conn.request("GET", "/")
    assert not conn.after(caught.value).is_open()


def test_a_failed_send_closes_and_fails_open_requests() -> None:
    conn, link = over_unwilling()
    conn, first = conn.request("GET", "/")
    link.failure = errors.TransportClosed()
    with pytest.raises(errors.TransportClosed) as caught:
        conn.request("GET", "/")
    failures = [each for each in caught.value.responses if isinstance(each, mint.RequestFailed)]
    assert [each.ref.number for each in failures] == [1, 2]
    assert failures[0].ref == first
    conn = conn.after(caught.value)
    assert not conn.is_open()


@pytest.mark.parametrize("operation", ["request", "recv", "flush"])
def test_an_error_of_the_transport_keeps_its_cause(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    conn, link = over_memory()
    link.plain = False
    conn, _ = conn.request("GET", "/")
    told = OSError("what the system said")

    def broken(*_: object, **__: object) -> None:
        raise errors.TransportReset from told

    for name in ("send", "receive", "flush"):
        monkeypatch.setattr(link, name, broken)
    operations: dict[str, Callable[[], object]] = {
        "request": lambda: conn.request("GET", "/"),
        "recv": conn.recv,
        "flush": conn.flush,
    }
    with pytest.raises(errors.TransportReset) as caught:
        operations[operation]()
    assert caught.value.__cause__ is told


def test_the_error_of_a_send_carries_responses_that_had_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    conn, link = over_memory()
    link.plain = False
    conn, first = conn.request("POST", "/", [("content-length", "9")], mint.STREAM)
    link.put(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno")

    def broken(*_: object, **__: object) -> None:
        raise errors.TransportTimeout("sending")

    monkeypatch.setattr(link, "send", broken)
    with pytest.raises(errors.TransportTimeout) as caught:
        conn.stream_request_body(first, b"x")
    assert kinds(list(caught.value.responses)) == ["Status", "Headers", "Data", "Done"]
    assert not conn.after(caught.value).is_open()


def test_an_error_does_not_change_after_it_was_raised() -> None:
    near, far = socket.socketpair()
    conn = mint.http1.initiate(SocketLink(near, mint.TCPOptions()), scheme="http", hostname="example.org")
    conn, _ = conn.request("GET", "/", flush=False)
    far.close()
    with pytest.raises(errors.TransportClosed) as caught:
        conn.request("GET", "/")
    assert kinds(list(caught.value.responses)) == ["RequestFailed"]
    assert caught.value.processed is mint.Processed.NO
    closed = conn.after(caught.value)
    with pytest.raises(errors.TransportClosed) as later:
        closed.recv(timeout=10)
    assert later.value is not caught.value
    assert kinds(list(caught.value.responses)) == ["RequestFailed"]


@pytest.mark.parametrize(
    "error",
    [
        errors.TransportClosed(),
        errors.TransportReset(),
        errors.TransportTimeout("sending"),
        errors.TLSFailed("bad record mac"),
        errors.Unreachable("no route to host"),
    ],
)
def test_a_request_fails_with_the_error_of_the_transport(
    error: errors.TransportError, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, link = over_memory()
    link.plain = False
    conn, ref = conn.request("GET", "/", flush=False)

    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(link, "send", broken)
    with pytest.raises(type(error)) as caught:
        conn.request("GET", "/")
    failure = caught.value.responses[0]
    assert isinstance(failure, mint.RequestFailed)
    assert failure.ref == ref
    assert type(failure.error) is type(error)
    assert str(failure.error) == str(error)


class Box:
    """A mailbox that only records its calls."""

    def __init__(self) -> None:
        self.watched: list[Transport] = []

    def admit(self, transport: Transport) -> None:
        pass

    def watch(self, transport: Transport) -> None:
        self.watched.append(transport)

    def unwatch(self, transport: Transport) -> None:
        self.watched.clear()


def active() -> tuple[mint.HTTP1, Memory, Box]:
    conn, link = over_memory()
    box = Box()
    inbox: Inbox = box
    return conn.set_mode("active", inbox), link, box


def test_messages_are_fed_in_active_mode() -> None:
    conn, link, box = active()
    assert conn.mode == "active"
    conn, ref = conn.request("GET", "/")
    message = link.deliver(PAGE)
    assert conn.owns(message)
    assert message.source is conn.source
    watched = len(box.watched)
    streamed = conn.stream(message)
    assert streamed is not mint.UNKNOWN
    conn, responses = streamed
    assert responses[-1] == mint.Done(ref)
    assert len(box.watched) > watched
    assert conn.source is message.source


def test_a_message_fed_twice_is_refused() -> None:
    conn, link, _ = active()
    conn, _ = conn.request("GET", "/")
    first = link.deliver(PAGE[:20])
    second = link.deliver(PAGE[20:])
    with pytest.raises(mint.StaleConnectionError):
        conn.stream(second)
    streamed = conn.stream(first)
    assert streamed is not mint.UNKNOWN
    with pytest.raises(mint.StaleConnectionError):
        streamed[0].stream(first)
    assert streamed[0].stream(second) is not mint.UNKNOWN


def test_messages_of_other_connections_are_unknown() -> None:
    conn, _, _ = active()
    _, other_link, _ = active()
    for message in ("something", None, other_link.deliver(b"x")):
        assert conn.stream(message) is mint.UNKNOWN
        assert not conn.owns(message)


def test_recv_in_active_mode_raises() -> None:
    conn, _, _ = active()
    with pytest.raises(RuntimeError, match="passive"):
        conn.recv()


def test_the_mode_can_change() -> None:
    conn, link, box = active()
    conn = conn.set_mode("passive")
    assert conn.mode == "passive"
    assert box.watched == []
    conn, _ = conn.request("GET", "/")
    link.put(PAGE)
    conn, responses = conn.recv()
    assert kinds(responses)[-1] == "Done"
    other = Box()
    conn = conn.move_to(other)
    assert other.watched
    with pytest.raises(ValueError, match="mode must be"):
        conn.set_mode("idle")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ValueError, match="mailbox"):
        conn.set_mode("active")
    with pytest.raises(ValueError, match="mailbox"):
        conn.set_mode("passive", other)


def test_an_end_and_an_error_arrive_as_messages() -> None:
    conn, link, _ = active()
    streamed = conn.stream(link.deliver(b""))
    assert streamed is not mint.UNKNOWN
    assert not streamed[0].is_open("read")
    conn, link, _ = active()
    conn, ref = conn.request("GET", "/")
    link.deliver(b"x")
    with pytest.raises(errors.TransportReset) as caught:
        conn.stream(Broken(conn.source, 1, errors.TransportReset()))
    assert [ref_of(each) for each in caught.value.responses] == [ref]


def test_messages_are_values() -> None:
    source = over_memory()[0].source
    assert Received(source, 1, b"x") == Received(source, 1, b"x")
    assert Closed(source, 2) != Closed(source, 2, clean=False)
    assert repr(source).startswith("<mint source")
    message = Received(source, 1, b"x")
    assert copy.copy(message) == message
    assert pickle.loads(pickle.dumps(message)).data == b"x"


def test_an_uninitialized_value_raises_attribute_error() -> None:
    hollow = object.__new__(mint.HTTP1)
    source = over_memory()[0].source
    operations: tuple[Callable[[], object], ...] = (
        lambda: hollow.request("GET", "/"),
        hollow.recv,
        lambda: hollow.stream(Received(source, 1, b"x")),
    )
    for operation in operations:
        with pytest.raises(AttributeError):
            operation()


class Name(str):
    """A subclass of `str`."""

    __slots__ = ()


@pytest.mark.parametrize("protocol", [mint.http1, mint.http2])
def test_subclasses_of_str_may_name_an_origin(protocol: ModuleType) -> None:
    link = Memory()
    scheme = Name("http")
    conn = protocol.initiate(link, scheme=scheme, hostname=Name("example.org"), port=80)
    conn.request("GET", "/", [(Name("a"), Name("b"))])
    assert link.take()


def test_subclasses_of_str_may_be_fields_for_a_proxy() -> None:
    link = Memory()
    told = ((Name("x-a"), Name("b")),)
    conn = mint.http1.initiate(
        link, scheme="http", hostname="example.org", port=80, forward_proxy=True, proxy_headers=told
    )
    conn.request("GET", "/")
    assert b"x-a: b\r\n" in link.take()


def test_after_an_error_in_active_mode_the_mailbox_is_not_asked_again() -> None:
    conn, link, box = active()
    conn, _ = conn.request("GET", "/")
    with pytest.raises(errors.InvalidStatusLine):
        conn.stream(link.deliver(b"nonsense\r\n"))
    assert box.watched == []


def test_if_an_error_leaves_reading_open_the_mailbox_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """No error of HTTP/1 leaves reading open, but `stream` supports it."""
    conn, link, box = active()
    link.plain = False  # the compiled code would not call the patched method
    conn, _ = conn.request("GET", "/")

    def failing(self: mint.HTTP1, data: bytes, responses: list[Response]) -> mint.HTTP1:
        successor = self._succeed(self._state, self._link.release(moved=True))
        raise errors.InvalidStatusLine("odd").marked(successor=successor)

    message = link.deliver(PAGE)
    box.watched.clear()
    with monkeypatch.context() as patched, pytest.raises(errors.InvalidStatusLine) as caught:
        patched.setattr(mint.HTTP1, "_take", failing)
        conn.stream(message)
    assert link.armed
    assert box.watched[-1] is link
    conn = conn.after(caught.value)
    streamed = conn.stream(link.deliver(PAGE))
    assert streamed is not mint.UNKNOWN
    assert kinds(streamed[1])[-1] == "Done"


def test_the_log_is_off_by_default(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="mint")
    conn, link = over_memory()
    conn, _ = conn.request("GET", "/quiet")
    assert caplog.records == []
    conn = conn.put_log(True)
    conn, _ = conn.request("GET", "/loud", [("authorization", "Bearer secret-token")])
    assert "/loud" in caplog.text
    assert "secret-token" not in caplog.text
    link.put(PAGE)
    conn, _ = conn.recv()
    assert "200" in caplog.text
    with pytest.raises(ValueError, match="log must be"):
        conn.put_log(None)  # type: ignore[arg-type]  # None must not mean off


def test_attributes_without_a_socket() -> None:
    conn, _ = over_memory()
    assert conn.socket is None
    assert conn.tls is None
    assert conn.local_address is None
    assert conn.peer_address is None
    assert conn.proxy_headers == ()
    assert conn.protocol == "http1"
    assert repr(conn) == "<HTTP1 open, 0 open requests>"
    with pytest.raises(ValueError, match="direction"):
        conn.is_open("sideways")  # type: ignore[arg-type]  # wrong on purpose


def test_bodies_may_have_every_documented_type() -> None:
    whole = b"bytes"
    assert as_pieces(whole)[0] is whole
    assert as_pieces(bytearray(b"ab")) == (b"ab",)
    assert as_pieces(memoryview(b"ab")) == (b"ab",)
    assert as_pieces([b"a", bytearray(b"b"), memoryview(b"c")]) == (b"a", b"b", b"c")
    for wrong in ("text", 7, ["text"], {"a": 1}):
        with pytest.raises(TypeError):
            as_pieces(wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_a_streamed_body_is_sent_in_pieces() -> None:
    conn, link = over_memory()
    conn, ref = conn.request("POST", "/", (), mint.STREAM)
    assert conn.request_body_window(ref) > 2**31
    conn = conn.stream_request_body(ref, b"abc")
    conn = conn.stream_request_body(ref, bytearray(b"de"))
    conn = conn.stream_request_body(ref, b"")
    conn = conn.stream_request_body(ref, mint.Eof((("x-sum", "5"),)))
    assert link.take().endswith(b"\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 5\r\n\r\n")
    with pytest.raises(errors.RequestIsNotStreaming):
        conn.stream_request_body(ref, b"more")
    with pytest.raises(ValueError, match=r"."):
        conn.request_body_window(ref)
    with pytest.raises(ValueError, match=r"."):
        conn.stream_request_body(mint.RequestRef(7, 99), b"x")
    with pytest.raises(ValueError, match=r"."):
        conn.stream_request_body(mint.RequestRef(8, 1), b"x")


@pytest.mark.parametrize("wrong", [5, "text", [1, 2], None])
def test_a_piece_that_is_not_bytes_raises(wrong: object) -> None:
    """In particular 5 is refused, because `bytes(5)` would be five zero octets."""
    conn, link = over_memory()
    conn, ref = conn.request("POST", "/", (), mint.STREAM)
    link.take()
    with pytest.raises(TypeError, match="must be bytes"):
        conn.stream_request_body(ref, wrong)  # type: ignore[arg-type]  # wrong on purpose
    assert link.take() == b""
    conn.stream_request_body(ref, memoryview(b"still fine"))


def test_requests_can_be_queued_and_flushed_together() -> None:
    conn, link = over_memory()
    for number in range(3):
        conn, _ = conn.request("GET", f"/{number}", flush=False)
    conn = conn.flush(timeout=1)
    assert link.take().count(b"HTTP/1.1") == 3


class Text(enum.StrEnum):
    """Members that are instances of `str`."""

    METHOD = "PUT"
    TARGET = "/here"
    NAME = "x-name"
    VALUE = "value"


class Octets(bytes):
    """A subclass of `bytes`."""


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("initiate", [mint.http1.initiate, mint.http2.initiate], ids=["http1", "http2"])
def test_subclasses_of_str_and_bytes_are_accepted(
    initiate: Callable[..., mint.HTTP1 | mint.HTTP2], plain: bool
) -> None:
    """`http.HTTPMethod.GET` is an instance of `str`, but was refused with TypeError."""

    def sent(method: str, target: str, name: str, value: str, octets: bytes) -> bytes:
        link = Memory()
        link.plain = plain
        conn = initiate(link, scheme="http", hostname="example.org", port=80)
        conn, _ = conn.request(method, target, [(name, value)], octets)
        conn, ref = conn.request(method, target, [(name, value)], mint.STREAM)
        conn = conn.stream_request_body(ref, octets)
        conn.stream_request_body(ref, mint.Eof(((name, value),)))
        return link.take()

    exact = sent("PUT", "/here", "x-name", "value", b"content")
    assert sent(Text.METHOD, Text.TARGET, Text.NAME, Text.VALUE, Octets(b"content")) == exact
    for wrong in (
        (b"PUT", "/"),
        ("PUT", b"/"),
        (None, "/"),
        ("PUT", "/", [("a", b"b")]),
        ("PUT", "/", [(None, "b")]),
    ):
        conn = initiate(Memory(), scheme="http", hostname="example.org", port=80)
        with pytest.raises(TypeError, match="str"):
            conn.request(*wrong)
