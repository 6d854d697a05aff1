"""Registrations of links: descriptor numbers may be reused, and processes may fork."""

from __future__ import annotations

import os
import socket
from itertools import product
from typing import TYPE_CHECKING

import pytest

import mint
from mint import TCPOptions, errors
from mint.transport import SocketLink

from ..tls import server_context, trusting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mint.types import Source

PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


@pytest.fixture
def mailbox() -> Iterator[mint.Mailbox]:
    with mint.Mailbox() as made:
        yield made


def over_pair(mailbox: mint.Mailbox | None = None) -> tuple[mint.Connection, socket.socket]:
    near, far = socket.socketpair()
    link = SocketLink(near, TCPOptions())
    return mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox), far


def answered(conn: mint.Connection, mailbox: mint.Mailbox) -> mint.Connection:
    while conn.open_request_count:
        taken = conn.stream(mailbox.receive(5))
        if taken is not mint.UNKNOWN:
            conn, _ = taken
    return conn


def ready(mailbox: mint.Mailbox, count: int) -> tuple[dict[Source, mint.Connection], list[socket.socket]]:
    """Return connections whose responses have all arrived, so that one `select` reports all of them."""
    conns, fars = {}, []
    for _ in range(count):
        conn, far = over_pair(mailbox)
        conn, _ = conn.request("GET", "/")
        far.sendall(PAGE)
        conns[conn.source] = conn
        fars.append(far)
    return conns, fars


@pytest.mark.parametrize(
    ("leave", "write"), list(product(["close", "drop", "passive", "move"], [False, True]))
)
def test_a_number_may_be_reused_after_a_select(mailbox: mint.Mailbox, leave: str, write: bool) -> None:
    """A reported link is closed before it is read, and another link gets its descriptor number."""
    conns, fars = ready(mailbox, 2)
    message = mailbox.receive(5)
    assert isinstance(message, mint.Received)
    taken = conns.pop(message.source).stream(message)
    assert taken is not mint.UNKNOWN
    first = taken[0]
    (other,) = conns.values()
    conns.clear()
    assert other.socket is not None
    number = other.socket.fileno()
    with mint.Mailbox() as elsewhere:
        if leave == "drop":
            other.socket.close()
            del other
        elif leave == "passive":
            other = other.set_mode("passive").close()
        elif leave == "move":
            other = other.move_to(elsewhere).close()
        else:
            other = other.close()
        new, far = over_pair(mailbox)
        assert new.socket is not None
        assert number in {new.socket.fileno(), far.fileno()}
        new, _ = new.request("POST", "/", body=bytes(900_000 if write else 0))
        if write:
            far.setblocking(False)
            received = 0
            while new.transport.unsent:
                with pytest.raises(errors.TransportTimeout):
                    mailbox.receive(0)
                received += len(far.recv(1 << 20))
        far.sendall(PAGE)
        new = answered(new, mailbox)
    for conn in (first, new):
        conn.close()
    for each in (far, *fars):
        each.close()


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_connection_may_leave_a_mailbox_and_return(mailbox: mint.Mailbox, times: int) -> None:
    conns, fars = ready(mailbox, 2)
    number = {source: at for at, source in enumerate(conns)}
    message = mailbox.receive(5)
    assert isinstance(message, mint.Received)
    taken = conns.pop(message.source).stream(message)
    assert taken is not mint.UNKNOWN
    first = taken[0]
    (conn,) = conns.values()
    far = fars[number[conn.source]]
    for _ in range(times):
        conn = conn.set_mode("passive")
        while conn.open_request_count:
            conn, _ = conn.recv(timeout=5)
        conn = conn.set_mode("active", mailbox)
        with pytest.raises(errors.TransportTimeout):
            mailbox.receive(0)
        conn, _ = conn.request("GET", "/")
        far.sendall(PAGE)
        conn = answered(conn, mailbox)
        conn, _ = conn.request("GET", "/")
        far.sendall(PAGE)
    conn.close()
    first.close()
    for far in fars:
        far.close()


# -- forked children


def in_child(work: object) -> None:
    """Run a function in a forked child, and wait for the child."""
    assert callable(work)
    pid = os.fork()
    if not pid:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_closing_in_a_forked_child_does_not_affect_the_parent(mailbox: mint.Mailbox) -> None:
    passive, passive_far = over_pair()
    active, active_far = over_pair(mailbox)
    active, _ = active.request("GET", "/")
    with pytest.raises(errors.TransportTimeout):
        mailbox.receive(0)

    def close_all() -> None:
        passive.close()
        active.close()
        mailbox.close()
        assert passive.socket is not None
        assert passive.socket.fileno() == -1

    in_child(close_all)
    active_far.sendall(PAGE)
    active = answered(active, mailbox)
    passive, _ = passive.request("GET", "/")
    passive_far.recv(1000)
    passive_far.sendall(PAGE)
    passive, responses = passive.recv(timeout=5)
    assert isinstance(responses[-1], mint.Done)
    for conn, far in ((passive, passive_far), (active, active_far)):
        conn.close()
        far.close()


def test_a_forked_child_sends_no_close_notify() -> None:
    from mint.testing import Origin, showcase  # noqa: PLC0415  # needed only here

    with Origin(showcase, tls=server_context("127.0.0.1")) as origin:
        conn = mint.connect("https", "127.0.0.1", origin.port, tls=trusting(), protocols=("http1",))
        in_child(conn.close)
        conn, _ = conn.request("GET", "/")
        done = False
        while conn.open_request_count:
            conn, responses = conn.recv(timeout=5)
            done = done or any(isinstance(each, mint.Done) for each in responses)
        assert done
        conn.close()
