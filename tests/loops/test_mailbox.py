"""The mailbox of blocking code, over loopback sockets and in memory."""

from __future__ import annotations

import gc
import resource
import selectors
import socket
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint.testing import (
    Expect,
    Origin,
    Reset,
    ScriptedServer,
    Send,
    ShutWrite,
    Truncate,
    Wait,
    request,
    showcase,
)
from mint.transport import Memory, SocketLink
from tests.refs import ref_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from mint.responses import Response

PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
PATIENCE = 10.0


@pytest.fixture
def mailbox() -> Iterator[mint.Mailbox]:
    with mint.Mailbox() as made:
        yield made


def in_memory(mailbox: mint.Mailbox | None = None) -> tuple[mint.HTTP1, Memory]:
    link = Memory()
    return mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox), link


def over_pair(
    mailbox: mint.Mailbox | None = None, tcp: mint.TCPOptions | None = None
) -> tuple[mint.HTTP1, socket.socket]:
    """Return a connection over one end of a socket pair, and the other end."""
    near, far = socket.socketpair()
    link = SocketLink(near, tcp or mint.TCPOptions())
    return mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox), far


def fed(conn: mint.HTTP1, message: object) -> tuple[mint.HTTP1, list[Response]]:
    streamed = conn.stream(message)
    assert streamed is not mint.UNKNOWN
    return streamed


def finish(conn: mint.HTTP1, mailbox: mint.Mailbox) -> tuple[mint.HTTP1, bytes]:
    body = b""
    while conn.open_request_count:
        conn, responses = fed(conn, mailbox.receive(PATIENCE))
        body += b"".join(each.data for each in responses if isinstance(each, mint.Data))
    return conn, body


class CountingSelector(selectors.DefaultSelector):
    """Counts the calls that cause system calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.calls["select"] += 1
        return super().select(timeout)

    def register(self, fileobj: object, events: int, data: object = None) -> selectors.SelectorKey:
        self.calls["register"] += 1
        return super().register(fileobj, events, data)  # type: ignore[arg-type]  # passed on unchanged

    def unregister(self, fileobj: object) -> selectors.SelectorKey:
        self.calls["unregister"] += 1
        return super().unregister(fileobj)  # type: ignore[arg-type]  # passed on unchanged

    def modify(self, fileobj: object, events: int, data: object = None) -> selectors.SelectorKey:
        self.calls["modify"] += 1
        return super().modify(fileobj, events, data)  # type: ignore[arg-type]  # passed on unchanged


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[mint.Mailbox, Counter[str]]]:
    monkeypatch.setattr(selectors, "DefaultSelector", CountingSelector)
    with mint.Mailbox() as made:
        selector = made._selector
        assert isinstance(selector, CountingSelector)
        yield made, selector.calls


class Alien(Memory):
    loop_name = "trio"


# -- one connection


def test_a_response_arrives_as_messages(mailbox: mint.Mailbox) -> None:
    with (
        Origin(showcase) as origin,
        mint.http1.connect("http", origin.address, origin.port, mailbox=mailbox) as conn,
    ):
        assert conn.mode == "active"
        conn, _ = conn.request("GET", "/bytes/300000")
        conn, body = finish(conn, mailbox)
        assert len(body) == 300_000
        conn, _ = conn.request("GET", "/")
        conn, body = finish(conn, mailbox)
        assert body.startswith(b"Hello")


def test_a_connection_is_not_read_while_a_message_is_outstanding(mailbox: mint.Mailbox) -> None:
    conn, far = over_pair(mailbox)
    with far, conn:
        conn, _ = conn.request("GET", "/")
        far.sendall(PAGE[:20])
        message = mailbox.receive(PATIENCE)
        far.sendall(PAGE[20:])
        with pytest.raises(TimeoutError):
            mailbox.receive(0.01)
        conn, _ = fed(conn, message)
        conn, responses = fed(conn, mailbox.receive(PATIENCE))
        assert isinstance(responses[-1], mint.Done)


def test_receive_times_out(mailbox: mint.Mailbox) -> None:
    with pytest.raises(errors.TransportTimeout) as caught:
        mailbox.receive(0)
    assert isinstance(caught.value, TimeoutError)


def test_an_end_arrives_as_a_message(mailbox: mint.Mailbox) -> None:
    conn, far = over_pair(mailbox)
    far.close()
    message = mailbox.receive(PATIENCE)
    assert message == mint.Closed(conn.source, 1)
    conn, responses = fed(conn, message)
    assert responses == []
    assert not conn.is_open("read")
    conn.close()


def test_an_error_arrives_as_a_message(mailbox: mint.Mailbox) -> None:
    with ScriptedServer([request(), Reset()]) as server:
        conn = mint.http1.connect("http", server.address, server.port, mailbox=mailbox)
        conn, ref = conn.request("GET", "/")
        message = mailbox.receive(PATIENCE)
        assert isinstance(message, mint.Broken)
        with pytest.raises(errors.TransportReset) as caught:
            conn.stream(message)
        assert [ref_of(each) for each in caught.value.responses] == [ref]
        assert not conn.after(caught.value).is_open("read")


def test_a_superseded_value_does_not_affect_messages(mailbox: mint.Mailbox) -> None:
    conn, far = over_pair(mailbox)
    with far, conn:
        conn, _ = conn.request("GET", "/")
        far.sendall(PAGE)
        message = mailbox.receive(PATIENCE)
        stale = conn
        conn, _ = fed(conn, message)
        with pytest.raises(mint.StaleConnectionError):
            stale.stream(message)
        conn, _ = conn.request("GET", "/")
        far.sendall(PAGE)
        conn, responses = fed(conn, mailbox.receive(PATIENCE))
        assert isinstance(responses[-1], mint.Done)


def test_the_next_message_is_available_before_the_successor_is_stored(mailbox: mint.Mailbox) -> None:
    """Another thread may receive it early: the old value refuses the message, and the new one accepts it."""
    conn, far = over_pair(mailbox)
    with far, conn:
        conn, ref = conn.request("GET", "/")
        far.sendall(b"HTTP/1.1 200 OK\r\n\r\nto the end")
        first = mailbox.receive(PATIENCE)
        with pytest.raises(errors.TransportTimeout):
            mailbox.receive(0)  # one message at a time
        far.shutdown(socket.SHUT_WR)
        successor, before = fed(conn, first)
        second = mailbox.receive(PATIENCE)
        assert isinstance(second, mint.Closed)
        with pytest.raises(mint.StaleConnectionError):
            conn.stream(second)
        conn, after = fed(successor, second)
        assert [ref_of(each) for each in before + after] == [ref] * len(before + after)
        assert isinstance(after[-1], mint.Done)


# -- TLS


def test_decrypted_octets_do_not_wait_for_the_socket(
    mailbox: mint.Mailbox, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """Plaintext that the link already holds is returned although the socket is not readable."""
    quiet = threading.Event()
    script = [request(), Send(PAGE), Wait(quiet)]
    with ScriptedServer(script, tls=server_tls) as server:
        tls = mint.TLSOptions(context=client_tls)
        conn = mint.http1.connect("https", server.address, server.port, hostname="localhost", tls=tls)
        link = conn._link
        assert isinstance(link, SocketLink)
        conn, _ = conn.request("GET", "/")
        # The link holds the octets of several reads, as after an operation that read while it wrote.
        link._take_in(link._pull(None, wait=True) or b"")
        while not link._arrived:
            link._take_in(link._pull(None, wait=True) or b"")
        conn = conn.set_mode("active", mailbox)
        conn, responses = fed(conn, mailbox.receive(PATIENCE))
        assert isinstance(responses[-1], mint.Done)
        quiet.set()
        conn.close()


def test_a_tls_end_says_whether_it_was_clean(
    mailbox: mint.Mailbox, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    with ScriptedServer([ShutWrite(), Expect(b"")], tls=server_tls) as server:
        conn = mint.http1.connect(
            "https",
            server.address,
            server.port,
            hostname="localhost",
            tls=mint.TLSOptions(context=client_tls),
            mailbox=mailbox,
        )
        assert mailbox.receive(PATIENCE) == mint.Closed(conn.source, 1, clean=True)
        conn.close()


# -- many connections


def test_messages_name_their_connection_by_source(mailbox: mint.Mailbox) -> None:
    with Origin(showcase) as origin:
        conns = {}
        for number in range(20):
            conn = mint.http1.connect("http", origin.address, origin.port, mailbox=mailbox)
            conn, _ = conn.request("GET", f"/bytes/{number}")
            conns[conn.source] = (conn, number, b"")
        done = 0
        while done < 20:
            message = mailbox.receive(PATIENCE)
            assert isinstance(message, mint.Received)
            conn, number, body = conns[message.source]
            conn, responses = fed(conn, message)
            body += b"".join(each.data for each in responses if isinstance(each, mint.Data))
            conns[message.source] = (conn, number, body)
            if not conn.open_request_count:
                assert len(body) == number
                conn.close()
                done += 1


def pairs(count: int, mailbox: mint.Mailbox) -> list[tuple[mint.HTTP1, socket.socket]]:
    return [over_pair(mailbox) for _ in range(count)]


@pytest.fixture
def descriptors() -> Iterator[int]:
    """Raise the soft limit of descriptors to the hard limit; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def rounds(
    mailbox: mint.Mailbox, conns: list[tuple[mint.HTTP1, socket.socket]], active: int, messages: int
) -> None:
    """Let the first `active` connections receive messages, one after the other."""
    ends = dict(enumerate(conns[:active]))
    for number in range(messages):
        conn, far = ends[number % active]
        conn, _ = conn.request("GET", "/")
        far.sendall(PAGE)
        conn, responses = fed(conn, mailbox.receive(PATIENCE))
        assert isinstance(responses[-1], mint.Done)
        ends[number % active] = conn, far
    conns[:active] = list(ends.values())


def test_5000_connections_cost_no_more_calls_than_ten(
    counted: tuple[mint.Mailbox, Counter[str]], descriptors: int
) -> None:
    mailbox, calls = counted
    count = min(5_000, (descriptors - 200) // 2)  # two descriptors for each; 5,000 if the system allows it
    costs = []
    for size in (10, count):
        conns = pairs(size, mailbox)
        with pytest.raises(TimeoutError):
            mailbox.receive(0)
        calls.clear()
        rounds(mailbox, conns, 10, 200)
        costs.append(dict(calls))
        # All connections receive at once, so that one `select` reports many.
        calls.clear()
        waiting = {}
        for conn, far in conns:
            conn, _ = conn.request("GET", "/")
            waiting[conn.source] = conn
            far.sendall(PAGE)
        while waiting:
            message = mailbox.receive(PATIENCE)
            assert isinstance(message, mint.Received)
            conn, responses = fed(waiting.pop(message.source), message)
            assert isinstance(responses[-1], mint.Done)
            conn.close()
        assert calls["select"] < 5
        for _, far in conns:
            far.close()
        with pytest.raises(TimeoutError):
            mailbox.receive(0)
        assert not mailbox._watches
    assert costs[0] == costs[1] == {"select": 200}


def test_streaming_does_not_change_registrations(counted: tuple[mint.Mailbox, Counter[str]]) -> None:
    mailbox, calls = counted
    conns = pairs(2, mailbox)
    with pytest.raises(TimeoutError):
        mailbox.receive(0)
    calls.clear()
    rounds(mailbox, conns, 2, 50)
    assert dict(calls) == {"select": 50}
    for conn, far in conns:
        conn.close()
        far.close()


def test_a_connection_that_is_not_streamed_is_unregistered_once(
    counted: tuple[mint.Mailbox, Counter[str]],
) -> None:
    mailbox, calls = counted
    (slow, slow_far), *others = pairs(3, mailbox)
    slow, _ = slow.request("GET", "/")
    slow_far.sendall(PAGE[:10])
    kept = mailbox.receive(PATIENCE)
    slow_far.sendall(PAGE[10:])
    calls.clear()
    rounds(mailbox, others, 2, 20)
    assert dict(calls) == {"select": 20, "unregister": 1}
    slow, _ = fed(slow, kept)
    slow, responses = fed(slow, mailbox.receive(PATIENCE))
    assert isinstance(responses[-1], mint.Done)
    for conn, far in [(slow, slow_far), *others]:
        conn.close()
        far.close()


def test_a_busy_connection_does_not_block_the_others(mailbox: mint.Mailbox) -> None:
    tcp = mint.TCPOptions(receive_size=16)
    (loud, loud_far), (quiet, quiet_far) = over_pair(mailbox, tcp), over_pair(mailbox)
    loud, _ = loud.request("GET", "/")
    quiet, _ = quiet.request("GET", "/")
    loud_far.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + bytes(100_000))
    loud, _ = fed(loud, mailbox.receive(PATIENCE))
    quiet_far.sendall(PAGE)
    for _ in range(200):
        message = mailbox.receive(PATIENCE)
        if quiet.owns(message):
            break
        loud, _ = fed(loud, message)
    else:
        pytest.fail("the connection gets no message")
    for conn, far in ((loud, loud_far), (quiet, quiet_far)):
        conn.close()
        far.close()


def test_many_posts_do_not_block_connections(mailbox: mint.Mailbox) -> None:
    conn, far = over_pair(mailbox)
    with far, conn:
        far.sendall(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        mailbox.post("first")
        for number in range(200):
            message = mailbox.receive(PATIENCE)
            if conn.owns(message):
                break
            mailbox.post(number)
        else:
            pytest.fail("the connection gets no message")


# -- references


def test_connections_are_held_weakly(mailbox: mint.Mailbox) -> None:
    conn, far = over_pair(mailbox)
    with pytest.raises(TimeoutError):
        mailbox.receive(0)
    assert len(mailbox._watches) == 1
    socket_of_it = conn.socket
    del conn
    gc.collect()
    assert socket_of_it is not None
    with pytest.raises(TimeoutError):
        mailbox.receive(0)
    assert not mailbox._watches
    socket_of_it.close()
    far.close()


def test_a_descriptor_number_may_be_reused(mailbox: mint.Mailbox) -> None:
    first, far = over_pair(mailbox)
    with pytest.raises(TimeoutError):
        mailbox.receive(0)
    assert first.socket is not None
    number = first.socket.fileno()
    first.close()
    far.close()
    second, far = over_pair(mailbox)
    with second, far:
        assert second.socket is not None
        assert number in {second.socket.fileno(), far.fileno()}
        far.sendall(b"HTTP/1.1 200 OK\r\n")
        assert second.owns(mailbox.receive(PATIENCE))


# -- moving


def test_passive_mode_continues_after_the_outstanding_message(mailbox: mint.Mailbox) -> None:
    conn, far = over_pair(mailbox)
    with far, conn:
        conn, _ = conn.request("GET", "/")
        far.sendall(PAGE[:20])
        message = mailbox.receive(PATIENCE)
        conn = conn.set_mode("passive")
        far.sendall(PAGE[20:])
        with pytest.raises(RuntimeError, match="stream"):
            conn.recv()
        conn, _ = fed(conn, message)
        conn, responses = conn.recv(timeout=PATIENCE)
        assert isinstance(responses[-1], mint.Done)
        with pytest.raises(TimeoutError):
            mailbox.receive(0)


def test_a_connection_keeps_its_messages_when_it_moves(mailbox: mint.Mailbox) -> None:
    conn, far = over_pair(mailbox)
    with far, conn, mint.Mailbox() as other:
        conn, _ = conn.request("GET", "/")
        far.sendall(PAGE[:20])
        with pytest.raises(TimeoutError):
            other.receive(0)
        conn = conn.move_to(other)
        first = other.receive(PATIENCE)
        conn = conn.move_to(mailbox)
        far.sendall(PAGE[20:])
        with pytest.raises(TimeoutError):
            mailbox.receive(0.01)  # one message is outstanding and must be fed first
        conn, _ = fed(conn, first)
        conn, responses = fed(conn, mailbox.receive(PATIENCE))
        assert isinstance(responses[-1], mint.Done)
        with pytest.raises(TimeoutError):
            other.receive(0)


def test_an_in_memory_link_can_be_watched(mailbox: mint.Mailbox) -> None:
    conn, link = in_memory(mailbox)
    conn, _ = conn.request("GET", "/")
    link.put(PAGE[:20])
    link.put(PAGE[20:])
    conn, _ = fed(conn, mailbox.receive(0))
    conn, responses = fed(conn, mailbox.receive(0))
    assert isinstance(responses[-1], mint.Done)
    link.put_eof()
    assert mailbox.receive(0) == mint.Closed(conn.source, 3)


def test_a_fork_of_an_active_connection_is_passive(mailbox: mint.Mailbox) -> None:
    conn, _ = in_memory(mailbox)
    assert conn.fork().mode == "passive"


# -- writing


def test_queued_octets_are_written_while_waiting(mailbox: mint.Mailbox) -> None:
    conn, far = over_pair(mailbox)
    with far, conn:
        for _ in range(3):
            conn, _ = conn.request("GET", "/", flush=False)
        far.setblocking(False)
        with pytest.raises(BlockingIOError):
            far.recv(1)
        with pytest.raises(TimeoutError):
            mailbox.receive(0)
        assert far.recv(65_536).count(b"GET / HTTP/1.1") == 3


def test_a_large_body_is_written_while_the_mailbox_waits(
    counted: tuple[mint.Mailbox, Counter[str]],
) -> None:
    mailbox, calls = counted
    conn, far = over_pair(mailbox, mint.TCPOptions(high_water=10**9, send_buffer=4096))
    with far, conn:
        size = 2_000_000
        conn, _ = conn.request("POST", "/", body=bytes(size))
        got = threading.Event()

        def sink() -> None:
            seen = 0
            while seen < size:
                seen += len(far.recv(65_536))
            far.sendall(PAGE)
            got.set()

        threading.Thread(target=sink, daemon=True).start()
        conn, responses = fed(conn, mailbox.receive(PATIENCE))
        assert got.wait(PATIENCE)
        assert isinstance(responses[-1], mint.Done)
        # When everything is written, the socket is no longer watched for writing.
        calls.clear()
        with pytest.raises(TimeoutError):
            mailbox.receive(0.01)
        assert calls["select"] <= 3


def test_a_response_before_a_broken_transport_is_received(mailbox: mint.Mailbox) -> None:
    """RFC 9112 9.5: an early response is not lost if sending the body fails, in active mode."""
    answer = b"HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    tcp = mint.TCPOptions(high_water=10**9, send_buffer=4096)
    with ScriptedServer([request(), Send(answer), Truncate()]) as server:
        conn = mint.http1.connect("http", server.address, server.port, mailbox=mailbox, tcp=tcp)
        conn, ref = conn.request("POST", "/", body=bytes(5_000_000))
        conn, responses = fed(conn, mailbox.receive(PATIENCE))
        assert responses[0] == mint.Status(ref, 413)
        conn.close()


# -- posts, iteration, the end


def test_anything_can_be_posted(mailbox: mint.Mailbox) -> None:
    conn, _ = in_memory(mailbox)
    for message in ("text", None, 7):
        mailbox.post(message)
        taken = mailbox.receive(0)
        assert taken is message
        assert conn.stream(taken) is mint.UNKNOWN


def test_a_post_wakes_the_receiver(mailbox: mint.Mailbox) -> None:
    threading.Timer(0.02, mailbox.post, ["wake up"]).start()
    assert mailbox.receive(PATIENCE) == "wake up"


def test_iteration_ends_when_the_mailbox_is_closed(mailbox: mint.Mailbox) -> None:
    for number in range(3):
        mailbox.post(number)
    seen = []
    for message in mailbox:
        seen.append(message)
        if message == 2:
            mailbox.close()
    assert seen == [0, 1, 2]
    mailbox.close()


def test_close_wakes_every_receiver() -> None:
    mailbox = mint.Mailbox()
    ended = []

    def wait() -> None:
        try:
            mailbox.receive()
        except errors.MailboxClosed as error:
            ended.append(error)

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    mailbox.close()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(ended) == 3


def test_a_closed_mailbox_accepts_nothing() -> None:
    conn, _ = in_memory()
    mailbox = mint.Mailbox()
    active = conn.set_mode("active", mailbox)
    mailbox.close()
    with pytest.raises(errors.MailboxClosed):
        mailbox.post("late")
    with pytest.raises(errors.MailboxClosed):
        mailbox.receive(0)
    with pytest.raises(errors.MailboxClosed):
        active.move_to(mailbox)
    assert active.set_mode("passive").mode == "passive"


def test_other_links_are_refused(mailbox: mint.Mailbox) -> None:
    conn, _ = in_memory()
    with pytest.raises(TypeError, match="event loop"):
        mailbox.admit(Alien())
    with pytest.raises(TypeError, match="event loop"):
        mint.http1.initiate(Alien(), scheme="http", hostname="a", mailbox=mailbox)
    assert conn.set_mode("active", mailbox).mode == "active"


def test_a_very_long_timeout_is_no_limit() -> None:
    with mint.Mailbox() as mailbox:
        for forever in (1e300, 3e6):
            mailbox.post("here")
            assert mailbox.receive(timeout=forever) == "here"


def test_a_response_that_arrives_while_a_body_is_written_is_a_message(mailbox: mint.Mailbox) -> None:
    """The operation that wrote has read it, so the socket is no longer readable for the mailbox."""
    received_one = threading.Event()

    class Told(SocketLink):
        def _read_now(self) -> bytes | None:
            octets = super()._read_now()
            received_one.set()
            return octets

    near, far = socket.socketpair()
    link = Told(near, mint.TCPOptions(high_water=1))
    conn = mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox)
    with pytest.raises(errors.TransportTimeout):
        mailbox.receive(0)
    body = bytes(2_000_000)
    conn, ref = conn.request("PUT", "/", [("content-length", str(len(body)))], mint.STREAM)
    received_one.clear()
    far.sendall(PAGE)

    def read() -> None:
        # The peer reads only after the response was read, so the body cannot be written before.
        assert received_one.wait(PATIENCE)
        left = len(body)
        while left > 0:
            left -= len(far.recv(65_536))

    reading = threading.Thread(target=read)
    reading.start()
    conn = conn.stream_request_body(ref, body)
    conn, content = finish(conn, mailbox)
    assert content == b"hello"
    reading.join(PATIENCE)
    conn.close()
    far.close()
