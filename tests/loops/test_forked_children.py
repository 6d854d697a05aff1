"""Forked children may only close what they inherited, whatever other threads of the parent were doing."""

from __future__ import annotations

import signal
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import pytest

import mint
from mint import errors
from mint.testing import Forever, Origin, Response, ScriptedServer, http2
from mint.testing.frames import data, headers
from mint.transport import Memory, SocketLink

from ..event_loops import PAGE, Receiver, fed
from ..tls import server_context, trusting
from .test_registrations import in_child, over_pair
from .test_tunnels import KINDS, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mint._core.link_base import Mutex

OPEN = ((":status", "200"),)
SAID = http2.ExpectFrame(http2.FrameType.DATA, 1)
TWICE = [
    *http2.handshake(),
    *(http2.ExpectHeaders(1), http2.send(headers(1, OPEN))),
    *(SAID, http2.send(data(1, PAGE))) * 2,
    Forever(),
]
"""A proxy that opens one tunnel and answers two requests. A frame of the child would look like a request."""


@pytest.fixture
def mailbox() -> Iterator[mint.Mailbox]:
    with mint.Mailbox() as made:
        yield made


def in_time(work: Callable[[], object]) -> Callable[[], None]:
    """Return a function for a child, which the system ends if it takes too long."""

    def limited() -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)
        work()

    return limited


@contextmanager
def held(mutex: Mutex) -> Iterator[None]:
    """Have another thread hold a lock for the time of the block."""
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with mutex:
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert entered.wait(10)
    try:
        yield
    finally:
        leave.set()
        thread.join(10)


def answered(conn: mint.Connection) -> mint.Connection:
    conn, _ = conn.request("GET", "/")
    got: list[mint.Response] = []
    while conn.open_request_count:
        conn, responses = conn.recv(timeout=10)
        got += responses
    assert isinstance(got[-1], mint.Done)
    return conn


@pytest.mark.parametrize("watched", [False, True])
def test_a_connection_that_another_thread_reads_is_closed(mailbox: mint.Mailbox, watched: bool) -> None:
    conn, far = over_pair(mailbox if watched else None)
    link = conn.transport
    assert isinstance(link, SocketLink)

    def close() -> None:
        conn.close()
        assert link.socket is not None
        assert link.socket.fileno() == -1

    with held(link._wire):
        in_child(in_time(close))
    conn, _ = conn.request("GET", "/")
    far.sendall(PAGE)
    conn, responses = fed(conn, mailbox.receive(10)) if watched else conn.recv(timeout=10)
    assert isinstance(responses[-1], mint.Done)
    conn.close()
    far.close()


@pytest.mark.parametrize("lock", ["_receive_lock", "_registry"])
def test_a_mailbox_that_another_thread_uses_is_closed(lock: str) -> None:
    with mint.Mailbox() as mailbox:
        conn, far = over_pair(mailbox)

        def close() -> None:
            conn.close()
            mailbox.close()
            assert mailbox._wake_socket is not None
            assert mailbox._wake_socket._receiver.fileno() == -1

        with held(getattr(mailbox, lock)):
            in_child(in_time(close))
        conn, _ = conn.request("GET", "/")
        far.sendall(PAGE)
        conn, responses = fed(conn, mailbox.receive(10))
        assert isinstance(responses[-1], mint.Done)
        conn.close()
        far.close()


@pytest.mark.parametrize("what", ["tunnel", "tunnels"])
def test_tunnels_that_another_thread_uses_are_closed(what: str) -> None:
    with (
        ScriptedServer(TWICE) as server,
        mint.Tunnels(mint.http2.connect("http", server.address, server.port)) as tunnels,
    ):
        conn: mint.Connection = tunnels.connect("http", "one.example", 80, protocols=("http1",))
        conn = answered(conn)

        def close() -> None:
            (conn if what == "tunnel" else tunnels).close()
            if what == "tunnels":
                assert tunnels._wake_receiver.fileno() == -1

        with held(tunnels._lock):
            in_child(in_time(close))
        answered(conn)


async def received(conn: mint.Connection, mailbox: Receiver) -> mint.Connection:
    conn, _ = conn.request("GET", "/")
    got: list[mint.Response] = []
    while conn.open_request_count:
        conn, responses = fed(conn, await mailbox.receive())
        got += responses
    assert isinstance(got[-1], mint.Done)
    return conn


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("what", ["tunnel", "tunnels", "mailbox"])
def test_tunnels_of_an_event_loop_stay_open_in_the_parent(name: str, what: str) -> None:
    kind: Kind = KINDS[name]

    async def main(server: ScriptedServer) -> None:
        proxy = await kind.module.connect("http", server.address, server.port, protocols=("http2",))
        with kind.module.Tunnels(proxy) as tunnels, kind.module.Mailbox() as mailbox:
            conn = await tunnels.connect("http", "one.example", 80, protocols=("http1",), mailbox=mailbox)
            conn = await received(conn, mailbox)
            in_child(in_time({"tunnel": conn, "tunnels": tunnels, "mailbox": mailbox}[what].close))
            await received(conn, mailbox)

    with ScriptedServer(TWICE) as server:
        kind.run(main(server))


def refused(*operations: Callable[[], object]) -> Callable[[], None]:
    """Return a function for a child: every one of the operations is refused."""

    def work() -> None:
        for each in operations:
            with pytest.raises(mint.StaleConnectionError):
                each()

    return in_time(work)


def mail_refused(mailbox: mint.Mailbox) -> None:
    """Use a mailbox that a child has inherited."""
    with pytest.raises(errors.MailboxClosed):
        mailbox.receive(5)
    with pytest.raises(errors.MailboxClosed):
        mailbox.post("child")
    with pytest.raises(errors.MailboxClosed):
        mailbox.admit(Memory())


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_a_child_cannot_use_a_connection_of_its_parent(protocol: Literal["http1", "http2"]) -> None:
    with Origin(lambda _: Response(200, (), b"hello"), tls=server_context(alpn=("h2", "http/1.1"))) as origin:
        conn: mint.Connection = mint.connect(
            "https", origin.address, origin.port, hostname="localhost", protocols=(protocol,), tls=trusting()
        )
        conn = answered(conn)
        in_child(
            refused(
                lambda: conn.request("GET", "/"),
                lambda: conn.request("GET", "/", flush=False),
                lambda: conn.recv(timeout=5),
                conn.flush,
                conn.is_usable,
                lambda: conn.set_mode("active", mint.Mailbox()),
            )
        )
        answered(conn).close()


def test_a_child_can_use_a_connection_in_memory() -> None:
    conn = mint.http1.initiate(Memory(), scheme="http", hostname="a")
    in_child(in_time(lambda: conn.request("GET", "/")))
    in_child(in_time(lambda: conn.fork().request("GET", "/")))


def test_a_child_cannot_use_the_mailbox_of_its_parent(mailbox: mint.Mailbox) -> None:
    conn, far = over_pair(mailbox)
    conn, _ = conn.request("GET", "/")
    far.sendall(PAGE)

    def work() -> None:
        mail_refused(mailbox)
        refused(lambda: conn.request("GET", "/"), lambda: conn.set_mode("passive"))()

    in_child(in_time(work))
    conn, responses = fed(conn, mailbox.receive(10))
    assert isinstance(responses[-1], mint.Done)
    conn.close()
    far.close()


def test_a_child_cannot_use_the_tunnels_of_its_parent() -> None:
    with (
        ScriptedServer(TWICE) as server,
        mint.Tunnels(mint.http2.connect("http", server.address, server.port)) as tunnels,
    ):
        conn: mint.Connection = tunnels.connect("http", "one.example", 80, protocols=("http1",))
        conn = answered(conn)
        with held(tunnels._lock):
            in_child(
                refused(
                    lambda: conn.request("GET", "/"),
                    lambda: conn.recv(timeout=5),
                    lambda: tunnels.connect("http", "two.example", 80),
                    lambda: tunnels.set_mode("active", mint.Mailbox()),
                    lambda: tunnels.stream("child"),
                )
            )
        answered(conn)


@pytest.mark.parametrize("name", KINDS)
def test_a_child_cannot_use_what_an_event_loop_of_its_parent_uses(name: str) -> None:
    kind: Kind = KINDS[name]

    async def main(server: ScriptedServer) -> None:
        proxy = await kind.module.connect("http", server.address, server.port, protocols=("http2",))
        with kind.module.Tunnels(proxy) as tunnels, kind.module.Mailbox() as mailbox:
            conn = await tunnels.connect("http", "one.example", 80, protocols=("http1",), mailbox=mailbox)
            conn = await received(conn, mailbox)

            def work() -> None:
                with pytest.raises(errors.MailboxClosed):
                    mailbox.receive().send(None)
                with pytest.raises(errors.MailboxClosed):
                    mailbox.post("child")
                refused(
                    lambda: conn.request("GET", "/"),
                    lambda: conn.set_mode("passive"),
                    lambda: kind.module.flush(conn).send(None),
                    lambda: kind.module.flush(tunnels.connection).send(None),
                    lambda: tunnels.connect("http", "two.example", 80).send(None),
                )()

            in_child(in_time(work))
            await received(conn, mailbox)

    with ScriptedServer(TWICE) as server:
        kind.run(main(server))


def test_a_child_that_closes_during_an_operation_of_its_parent_ends_nothing() -> None:
    """Ending the wait for a socket shuts the connection down, which the parent has as well."""
    near, far = socket.socketpair()
    with far:
        far.setblocking(False)
        link = SocketLink(near, mint.TCPOptions())
        conn = mint.http1.initiate(link, scheme="http", hostname="example.org")
        link.claim(link.generation)
        in_child(in_time(link.abort))
        link.release(moved=False)
        with pytest.raises(BlockingIOError):
            far.recv(1)
        conn, _ = conn.request("GET", "/")
        assert far.recv(100).startswith(b"GET / HTTP/1.1")
        conn.close()
