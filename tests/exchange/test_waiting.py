"""How a blocking exchange writes and waits: what is flushed, and for how long it sleeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import mint
from mint.errors import ContentTooLarge
from mint.exchange import _blocking, send_body
from mint.exchange._blocking import _look, _wait_for_room
from mint.exchange._procedure import PIECE, QUEUE, SMALL, Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n"


class Link(mint.transport.Memory):
    """Memory that counts how often it is flushed, and may write some of its output then."""

    def __init__(self, *, writes: bool = False) -> None:
        super().__init__(reads=True)
        self.writes = writes
        self.flushed: list[float | None] = []

    def flush(self, timeout: float | None) -> None:
        self.flushed.append(timeout)
        if self.writes:
            self.take()


class Poll:
    """Stands for `poll`, and remembers the times."""

    def __init__(self) -> None:
        self.times: list[int | None] = []

    def register(self, number: int, events: int) -> None:
        raise AssertionError("there is no socket")

    modify = register

    def poll(self, left: int | None = None) -> Sequence[tuple[int, int]]:
        self.times.append(left)
        return []


def begun(link: mint.transport.Memory, length: int = 20) -> tuple[mint.http1.HTTP1, mint.RequestRef]:
    conn = mint.http1.initiate(link, scheme="http", hostname="h", identity=1)
    return conn.request("POST", "/", [("content-length", str(length))], mint.STREAM)


def run_of(link: mint.transport.Memory) -> Run:
    conn, ref = begun(link)
    return Run(conn, ref, lambda _: None, waits=True)


def test_sizes() -> None:
    """So many octets are sent with the head, passed on at once and queued."""
    assert (SMALL, PIECE, QUEUE) == (16_384, 65_536, 262_144)


@pytest.mark.parametrize("queued", [False, True])
def test_a_look_writes_what_is_queued(queued: bool) -> None:
    link = Link()
    run = run_of(link)
    if not queued:
        link.take()
    link.flushed.clear()
    responses: list[mint.Response] = []
    _look(run, responses)
    assert link.flushed == ([0] if queued else [])
    assert responses == []
    link.put(HEAD + b"x")
    _look(run, responses)
    assert [type(each) for each in responses] == [mint.Status, mint.Headers, mint.Data]


@pytest.mark.parametrize(
    ("left", "slept"), [(None, 50), (10.0, 50), (0.051, 50), (0.05, 50), (0.049, 49), (0.001, 1), (0.0, 0)]
)
@pytest.mark.parametrize("writes", [False, True])
def test_the_time_until_more_is_tried_without_a_socket(
    left: float | None, slept: int, writes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no wait if something was written."""
    poll = Poll()
    monkeypatch.setattr(_blocking, "make_poll", lambda: poll)
    link = Link(writes=writes)
    run = run_of(link)
    link.flushed.clear()
    _wait_for_room(run, left)
    assert link.flushed == [0]
    assert poll.times == ([] if writes else [slept])


@pytest.mark.parametrize("passed_on", [False, True])
def test_send_body_delivers_what_arrived_before_an_error(passed_on: bool) -> None:
    """In the error, or to the function that gets the responses; then the error has the last ones only."""
    link = Link()
    conn, ref = begun(link, length=2)
    got: list[mint.Response] = []

    def pieces() -> Iterator[bytes]:
        yield b"x"
        link.put(b"HTTP/2 what\r\n\r\n")
        yield b"y"

    link.put(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    with pytest.raises(mint.HTTPError) as caught:
        send_body(conn, ref, pieces(), received=got.extend if passed_on else None)
    early: list[mint.Response] = [mint.Informational(ref, 103, ())]
    assert got == (early if passed_on else [])
    first, *others = caught.value.responses
    assert (first in early) is not passed_on
    assert not {*early} & {*others}
    assert not conn.after(caught.value).is_open()


@pytest.mark.parametrize("size", [9, 10, 11])
def test_the_maximum_size_of_what_send_body_returns(size: int) -> None:
    link = Link()
    conn, ref = begun(link, length=2)
    link.put(HEAD + bytes(size))
    body = [b"x", b"y"]
    if size <= 10:
        _, kept = send_body(conn, ref, body, max_size=10)
        assert mint.Data(ref, bytes(size)) in kept
    else:
        with pytest.raises(ContentTooLarge) as caught:
            send_body(conn, ref, body, max_size=10)
        assert str(caught.value) == str(ContentTooLarge(10))
        assert mint.Data(ref, bytes(size)) in caught.value.responses
