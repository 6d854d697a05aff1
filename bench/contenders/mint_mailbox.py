"""One mailbox and many connections: one after the other makes a request and receives the response."""

from __future__ import annotations

import resource
import select
import socket
from typing import TYPE_CHECKING

import mint
from mint.http1 import initiate
from mint.transport import SocketLink

from ..measure import MissingError, Rounds

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint import HTTP1
    from mint.messages import Source

    from ..measure import Task
    from ..work import Watched

MESSAGES = 1_000
HEAD = b"GET / HTTP/1.1\r\nhost: example.org\r\nuser-agent: bench\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


def _enough(descriptors: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < descriptors:
        if hard < descriptors:
            raise MissingError(f"{descriptors} descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, hard))


def messages(work: Watched) -> Task:
    _enough(2 * work.connections + 100)
    box = mint.Mailbox()
    peers: list[socket.socket] = []
    held: dict[Source, HTTP1] = {}
    for _ in range(work.connections):
        near, far = socket.socketpair()
        link = SocketLink(near, mint.TCPOptions())
        connection = initiate(link, scheme="http", hostname="example.org", port=80, mailbox=box)
        peers.append(far)
        held[connection.source] = connection
    sources = list(held)
    # Connections that are used one after the other are not adjacent in the list.
    order = [at * 7 % work.connections for at in range(MESSAGES)]

    def run(_: object) -> int:
        receive: Callable[[], object] = box.receive
        done = 0
        for at in order:
            source = sources[at]
            held[source], _ = held[source].request("GET", "/")
            peers[at].recv(4096)
            peers[at].send(ANSWER)
            message = receive()
            assert isinstance(message, mint.Received)
            fed = held[message.source].stream(message)
            assert fed is not mint.UNKNOWN
            held[message.source], responses = fed
            done += isinstance(responses[-1], mint.Done)
        return done

    def verify(_: int, done: int) -> None:
        assert done == MESSAGES, done

    return Rounds(lambda _: None, run, verify, MESSAGES)


def epoll(work: Watched) -> Task:
    """The least that such a program must do: `epoll` and sockets, without parsing."""
    if not hasattr(select, "epoll"):
        raise MissingError("epoll")
    _enough(4 * work.connections + 200)  # mint's sockets are open as well
    waiting = select.epoll()
    held: dict[int, socket.socket] = {}
    peers: list[socket.socket] = []
    for _ in range(work.connections):
        near, far = socket.socketpair()
        near.setblocking(False)
        waiting.register(near, select.EPOLLIN)
        held[near.fileno()] = near
        peers.append(far)
    numbers = list(held)
    order = [at * 7 % work.connections for at in range(MESSAGES)]

    def run(_: object) -> int:
        done = 0
        for at in order:
            held[numbers[at]].send(HEAD)
            peers[at].recv(4096)
            peers[at].send(ANSWER)
            for number, _ in waiting.poll():
                done += held[number].recv(65_536) == ANSWER
        return done

    def verify(_: int, done: int) -> None:
        assert done == MESSAGES, done

    return Rounds(lambda _: None, run, verify, MESSAGES)
