"""The compiled fast path of operations (`_core/fast_path.pyx`) and the general path give the same results.

The same operations run on two links, one of which is not `plain`: all its operations take the general path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mint
from mint._core.http2 import State
from mint.testing import http2
from mint.testing.frames import data, goaway, headers, ping, rst_stream, settings, window_update
from mint.transport import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mint.types import Inbox, Transport

    Result = tuple[object, ...]

OK = headers(1, ((":status", "200"), ("a", "b")))
ANSWERS: dict[str, Sequence[bytes]] = {
    "http1": (
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\na: b\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"nonsense\r\n",
    ),
    "http2": tuple(
        frame.serialize()
        for frame in (
            settings(),
            OK,
            data(1, b"hello"),
            data(1, b"", end=True),
            headers(3, ((":status", "204"),), end=True),
            ping(),
            window_update(0, 5),
            rst_stream(1, http2.ErrorCode.CANCEL),
            goaway(1),
            data(0, b"nonsense"),
        )
    ),
}


class Box:
    """A mailbox that counts the calls of `watch`."""

    def __init__(self) -> None:
        self.watched = 0

    def admit(self, transport: Transport) -> None:
        """Accept every link."""

    def watch(self, transport: Transport) -> None:
        self.watched += transport.inbox is self

    def unwatch(self, transport: Transport) -> None:
        """Do nothing, because this mailbox holds no links."""


class Client:
    """One connection over memory; its methods return the result of an operation and the state after it."""

    def __init__(self, protocol: str, *, plain: bool, active: bool) -> None:
        self.link = Memory()
        self.link.plain = plain
        initiate: Callable[..., mint.Connection] = mint.http1.initiate
        if protocol == "http2":
            initiate = mint.http2.initiate
        self.conn = initiate(self.link, scheme="http", hostname="example.org", port=80, identity=7)
        self.box = Box()
        if active:
            inbox: Inbox = self.box
            self.conn = self.conn.set_mode("active", inbox)

    def result(self, operation: Callable[[], tuple[mint.Connection, object]]) -> Result:
        returned: object
        try:
            self.conn, returned = operation()
        except mint.MintError as error:
            self.conn = self.conn.after(error)
            returned = type(error), str(error), error.responses, error.processed
        link = self.link
        return (
            returned,
            self.conn._state,
            link.generation,
            link.armed,
            link.closed,
            link.take(),
            self.box.watched,
        )

    def request(self) -> Result:
        return self.result(lambda: self.conn.request("GET", "/", [("a", "b")]))

    def start_upload(self, headers: Sequence[tuple[str, str]]) -> Result:
        return self.result(lambda: self.conn.request("POST", "/", headers, mint.STREAM))

    def send(self, ref: mint.RequestRef, piece: bytes | mint.Eof, *, flush: bool) -> Result:
        return self.result(lambda: (self.conn.stream_request_body(ref, piece, flush=flush), None))

    def receive(self, octets: bytes) -> Result:
        if octets:
            self.link.put(octets)
        else:
            self.link.put_eof()
        return self.result(lambda: self.conn.recv(timeout=0))

    def feed_message(self, octets: bytes) -> Result:
        def stream() -> tuple[mint.Connection, object]:
            streamed = self.conn.stream(self.link.deliver(octets))
            assert streamed is not mint.UNKNOWN
            return streamed

        return self.result(stream)


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@given(st.data())
def test_both_paths_give_the_same_results(protocol: str, drawn: st.DataObject) -> None:
    active = drawn.draw(st.booleans())
    clients = [Client(protocol, plain=plain, active=active) for plain in (True, False)]
    for _ in range(drawn.draw(st.integers(1, 3))):
        first, second = (client.request() for client in clients)
        assert first == second
    octets = b"".join(drawn.draw(st.lists(st.sampled_from(ANSWERS[protocol]), max_size=6)))
    cuts = sorted(drawn.draw(st.lists(st.integers(0, len(octets)), max_size=4)))
    pieces = [octets[start:end] for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True)]
    if drawn.draw(st.booleans()):
        pieces.append(b"")
    for piece in pieces:
        if not clients[0].conn.is_open("read"):
            break
        first, second = (
            client.feed_message(piece) if active else client.receive(piece) for client in clients
        )
        assert first == second


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@given(st.data())
def test_both_paths_stream_the_same_body(protocol: str, drawn: st.DataObject) -> None:
    clients = [Client(protocol, plain=plain, active=False) for plain in (True, False)]
    pieces = drawn.draw(st.lists(st.sampled_from((b"", b"a", b"hello", bytes(70_000))), max_size=4))
    size = drawn.draw(st.sampled_from((None, sum(map(len, pieces)), 5)))
    first, second = (
        client.start_upload([] if size is None else [("content-length", str(size))]) for client in clients
    )
    assert first == second
    ref = first[0]
    assert isinstance(ref, mint.RequestRef)
    ends: list[bytes | mint.Eof] = [*pieces, mint.Eof(), b"late"]
    for piece in ends:
        flush = drawn.draw(st.booleans())
        first, second = (client.send(ref, piece, flush=flush) for client in clients)
        assert first == second
        answer = drawn.draw(st.sampled_from((None, *ANSWERS[protocol])))
        if answer is not None and clients[0].conn.is_open("read"):
            first, second = (client.receive(answer) for client in clients)
            assert first == second


def refuse_target(client: Client, ref: mint.RequestRef) -> Result:
    return client.result(lambda: client.conn.request("GET", "not valid"))


def refuse_piece(client: Client, ref: mint.RequestRef) -> Result:
    return client.send(ref, bytes(100_000), flush=True)


def misuse_request(client: Client, ref: mint.RequestRef) -> Result:
    with pytest.raises(TypeError):
        client.conn.request("GET", "/", [("a", 1)])  # type: ignore[list-item]  # what is tested
    return ()


def misuse_piece(client: Client, ref: mint.RequestRef) -> Result:
    with pytest.raises(ValueError, match="does not belong"):
        client.conn.stream_request_body(mint.RequestRef(99, 1), b"a")
    return ()


@pytest.mark.parametrize("refused", [refuse_target, refuse_piece, misuse_request, misuse_piece])
def test_after_a_refused_operation_the_state_still_learns_what_was_written(
    refused: Callable[[Client, mint.RequestRef], Result],
) -> None:
    """The reply to a ping was taken out of the link before the operation, which returns no new value."""
    results: list[tuple[Result, Result]] = []
    for plain in (True, False):
        client = Client("http2", plain=plain, active=False)
        client.receive(settings().serialize())
        ref = client.start_upload([])[0]
        assert isinstance(ref, mint.RequestRef)
        owing = client.receive(ping().serialize())[1]
        results.append((refused(client, ref), client.request()))
        state = client.conn._state
        assert isinstance(state, State)
        assert owing != state
        assert state.flushed() is state  # it counts nothing as unwritten
    assert results[0] == results[1]
