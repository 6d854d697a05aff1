"""Mailboxes whose selector the system does not let watch a socket: no memory, or too many watched sockets."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

import mint
import mint.trio
from mint import TCPOptions, errors
from mint._loops.trio_link import TrioLink

from ..event_loops import PAGE, fed, run_trio
from .test_registrations import over_pair

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint._loops.mailbox import Watcher

MANY = 1_000
"""A receiver that asks so often does not wait."""


class Overworked(BaseException):
    """The mailbox asks again and again."""


def refusing(mailbox: Watcher, number: int, then: Callable[[], object] = lambda: None) -> None:
    """Have the system refuse registrations; at the number-th attempt, call a function."""
    register = mailbox._selector.register
    attempts = 0

    def refuse(*arguments: object) -> object:
        nonlocal attempts
        attempts += 1
        if attempts == number:
            then()
        if attempts > MANY:
            raise Overworked
        if attempts > number and then is not nothing:
            return register(*arguments)  # type: ignore[arg-type]  # passed through
        raise OSError(errno.ENOSPC, "No space left on device")

    mailbox._selector.register = refuse  # type: ignore[method-assign, assignment]  # what the test is about


def nothing() -> None:
    """Do nothing; the system goes on refusing."""


def test_receive_ends_in_time() -> None:
    with mint.Mailbox() as mailbox:
        refusing(mailbox, 1, nothing)
        conn, far = over_pair(mailbox)
        with pytest.raises(errors.TransportTimeout):
            mailbox.receive(0)
        mailbox.post("posted")
        assert mailbox.receive(10) == "posted"
        conn.close()
        far.close()


@pytest.mark.parametrize("number", [1, 3, 6])
def test_what_arrives_is_received(number: int) -> None:
    with mint.Mailbox() as mailbox:
        conn, far = over_pair(mailbox)
        refusing(mailbox, number, lambda: far.sendall(PAGE))
        conn, _ = conn.request("GET", "/")
        conn, responses = fed(conn, mailbox.receive(10))
        assert isinstance(responses[-1], mint.Done)
        assert far.recv(65_536).startswith(b"GET")
        conn.close()
        far.close()


def test_what_is_queued_is_sent() -> None:
    with mint.Mailbox() as mailbox:
        conn, far = over_pair(mailbox)
        conn, _ = conn.request("POST", "/", body=bytes(300_000))
        assert conn.transport.unsent
        got = bytearray()

        def read() -> None:
            far.setblocking(False)
            while len(got) < 300_000:
                try:
                    got.extend(far.recv(1_000_000))
                except BlockingIOError:
                    return

        register = mailbox._selector.register
        attempts = 0

        def refuse(*arguments: object) -> object:
            nonlocal attempts
            attempts += 1
            read()
            if len(got) > 300_000:
                far.setblocking(True)
                far.sendall(PAGE)
                return register(*arguments)  # type: ignore[arg-type]  # passed through
            assert attempts < MANY
            raise OSError(errno.ENOMEM, "Cannot allocate memory")

        mailbox._selector.register = refuse  # type: ignore[method-assign, assignment]  # what the test is about
        conn, responses = fed(conn, mailbox.receive(10))
        assert isinstance(responses[-1], mint.Done)
        conn.close()
        far.close()


@pytest.mark.parametrize("number", [1, 3, 6])
def test_what_arrives_is_received_in_trio(number: int) -> None:
    async def main() -> None:
        near, far = socket.socketpair()
        with mint.trio.Mailbox() as mailbox:
            link = TrioLink(near, TCPOptions())
            conn: mint.Connection = mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox)
            refusing(mailbox, number, lambda: far.sendall(PAGE))
            conn, _ = conn.request("GET", "/")
            with trio.fail_after(10):
                conn, responses = fed(conn, await mailbox.receive())
            assert isinstance(responses[-1], mint.Done)
            conn.close()
            far.close()

    run_trio(main)


def test_a_receiver_in_trio_lets_other_tasks_run() -> None:
    async def main() -> None:
        near, far = socket.socketpair()
        with mint.trio.Mailbox() as mailbox:
            refusing(mailbox, 1, nothing)
            link = TrioLink(near, TCPOptions())
            conn = mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox)
            async with trio.open_nursery() as nursery:

                async def receive() -> None:
                    assert await mailbox.receive() == "posted"

                nursery.start_soon(receive)
                await trio.testing.wait_all_tasks_blocked()
                mailbox.post("posted")
            conn.close()
            far.close()

    run_trio(main)
