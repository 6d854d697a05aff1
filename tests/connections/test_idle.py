"""Octets that arrive while no request is open are never a response, in every event loop and on every route.

RFC 9112 9.2, 9.5; RFC 9113 6.8. The scenarios use only the public API. Each server is the other end of a
socket pair that the test itself writes to, so that what "has arrived" is known without waiting.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import sys
import termios
import threading
from abc import ABC, abstractmethod
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Literal, TypeAlias  # arguments for other functions are passed on

import pytest
import uvloop

import mint
import mint.asyncio
import mint.trio
from mint import Processed, errors
from mint.testing import http2

from ..event_loops import Loop, fed, run_trio
from ..tls import server_context, trusting

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine

FIRST = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst"
STRAY = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstray!"
OPENED = b"HTTP/1.1 200 OK\r\n\r\n"
OPENED_STREAM = b"".join(
    each.serialize()
    for each in (http2.settings(), http2.settings(ack=True), http2.headers(1, ((":status", "200"),)))
)

Kind: TypeAlias = Literal["plain", "TLS", "HTTP/1 tunnel", "HTTP/2 tunnel"]
KINDS: tuple[Kind, ...] = ("plain", "TLS", "HTTP/1 tunnel", "HTTP/2 tunnel")


class Far:
    """The other end of a connection, which the test controls."""

    def __init__(self, kind: Kind) -> None:
        self.near, self.sock = socket.socketpair()
        self.kind = kind
        self.tls: ssl.SSLSocket | None = None

    def say(self, octets: bytes) -> None:
        """Send these octets to the client."""
        if self.tls is not None:
            self.tls.sendall(octets)
        elif self.kind == "HTTP/2 tunnel":
            self.sock.sendall(http2.data(1, octets).serialize())
        else:
            self.sock.sendall(octets)

    def end(self) -> None:
        """End the direction to the client."""
        if self.kind == "HTTP/2 tunnel":
            self.sock.sendall(http2.data(1, b"", end=True).serialize())
        else:
            (self.tls or self.sock).shutdown(socket.SHUT_WR)

    def sent(self) -> bytes:
        """Return what the client has sent since the last call; not for TLS."""
        if self.tls is not None:
            return b""
        self.sock.setblocking(False)
        octets = b""
        with suppress(BlockingIOError, ConnectionResetError):
            while more := self.sock.recv(65_536):
                octets += more
        self.sock.setblocking(True)
        return octets

    def close(self) -> None:
        (self.tls or self.sock).close()


class EventLoop(ABC):
    """An event loop or blocking code: how to connect, how to receive, and how to let the loop run."""

    @abstractmethod
    async def connect(self, *where: Any, **options: Any) -> mint.Connection: ...

    @abstractmethod
    async def receive(self, conn: mint.Connection) -> tuple[mint.Connection, list[mint.Response]]: ...

    @abstractmethod
    async def flush(self, conn: mint.Connection) -> mint.Connection: ...

    @abstractmethod
    async def turn(self) -> None:
        """Let the loop run, so that it reads what has arrived, if it reads by itself."""

    @abstractmethod
    def run(self, work: Callable[[], Coroutine[object, object, None]]) -> None: ...


class Blocking(EventLoop):
    """Blocking code, in coroutines that never suspend."""

    async def connect(self, *where: Any, **options: Any) -> mint.Connection:
        conn: mint.Connection = mint.connect(*where, **options)
        return conn

    async def receive(self, conn: mint.Connection) -> tuple[mint.Connection, list[mint.Response]]:
        return conn.recv(timeout=10)

    async def flush(self, conn: mint.Connection) -> mint.Connection:
        return conn.flush(timeout=10)

    async def turn(self) -> None:
        """Nothing reads by itself."""

    def run(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        with pytest.raises(StopIteration):
            work().send(None)


class WithMailbox(Blocking):
    def __init__(self) -> None:
        self.mailbox = mint.Mailbox()

    async def connect(self, *where: Any, **options: Any) -> mint.Connection:
        conn: mint.Connection = mint.connect(*where, mailbox=self.mailbox, **options)
        return conn

    async def receive(self, conn: mint.Connection) -> tuple[mint.Connection, list[mint.Response]]:
        return fed(conn, self.mailbox.receive(timeout=10))

    def run(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        with self.mailbox:
            super().run(work)


class InAsyncio(EventLoop):
    make: Callable[[], asyncio.AbstractEventLoop] = staticmethod(asyncio.SelectorEventLoop)

    async def connect(self, *where: Any, **options: Any) -> mint.Connection:
        self.mailbox = mint.asyncio.Mailbox()
        conn: mint.Connection = await mint.asyncio.connect(*where, mailbox=self.mailbox, **options)
        return conn

    async def receive(self, conn: mint.Connection) -> tuple[mint.Connection, list[mint.Response]]:
        return fed(conn, await self.mailbox.receive())

    async def flush(self, conn: mint.Connection) -> mint.Connection:
        await mint.asyncio.flush(conn)
        return conn

    async def turn(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    def run(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        Loop(self.make)(work())


class UnderUvloop(InAsyncio):
    make = staticmethod(uvloop.new_event_loop)


class InTrio(EventLoop):
    mailbox: mint.trio.Mailbox

    async def connect(self, *where: Any, **options: Any) -> mint.Connection:
        self.mailbox = mint.trio.Mailbox()
        conn: mint.Connection = await mint.trio.connect(*where, mailbox=self.mailbox, **options)
        return conn

    async def receive(self, conn: mint.Connection) -> tuple[mint.Connection, list[mint.Response]]:
        return fed(conn, await self.mailbox.receive())

    async def flush(self, conn: mint.Connection) -> mint.Connection:
        await mint.trio.flush(conn)
        return conn

    async def turn(self) -> None:
        """Nothing reads by itself."""

    def run(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        try:
            run_trio(work)
        finally:
            self.mailbox.close()


EVENT_LOOPS: dict[str, type[EventLoop]] = {
    "blocking": Blocking,
    "mailbox": WithMailbox,
    "asyncio": InAsyncio,
    "uvloop": UnderUvloop,
    "trio": InTrio,
}


@pytest.fixture(params=EVENT_LOOPS)
def loop(request: pytest.FixtureRequest) -> EventLoop:
    return EVENT_LOOPS[request.param]()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    made: Kind = request.param
    return made


async def opened(
    loop: EventLoop, kind: Kind, stack: ExitStack, spoken: mint.types.ProtocolName = "http1"
) -> tuple[mint.Connection, Far]:
    """Return a connection of this kind, and its other end."""
    far = Far(kind)
    stack.callback(far.close)
    options: dict[str, Any] = {"socket": far.near, "protocols": (spoken,)}
    if kind == "TLS":
        context = server_context()
        context.set_alpn_protocols(["h2" if spoken == "http2" else "http/1.1"])

        def shake_hands() -> None:
            far.tls = context.wrap_socket(far.sock, server_side=True)

        thread = threading.Thread(target=shake_hands)
        thread.start()
        conn = await loop.connect("https", "localhost", 443, tls=trusting(), **options)
        thread.join()
    elif kind == "plain":
        conn = await loop.connect("http", "localhost", 80, **options)
    else:
        far.sock.sendall(OPENED if kind == "HTTP/1 tunnel" else OPENED_STREAM)
        protocol: mint.types.ProtocolName = "http1" if kind == "HTTP/1 tunnel" else "http2"
        proxy = mint.Proxy("http", "proxy.test", 80, tunnel=True, protocols=(protocol,))
        conn = await loop.connect("http", "localhost", 80, proxy=proxy, **options)
    stack.enter_context(conn)
    return conn, far


async def exchanged(loop: EventLoop, conn: mint.Connection, far: Far) -> mint.Connection:
    """Make one request, so that the connection is idle again."""
    assert conn.is_usable()
    conn, ref = conn.request("GET", "/first")
    far.say(FIRST)
    got: list[mint.Response] = []
    while conn.open_request_count:
        conn, responses = await loop.receive(conn)
        got += responses
    assert [each for each in got if isinstance(each, (mint.Data, mint.Done))] == [
        mint.Data(ref, b"first"),
        mint.Done(ref),
    ]
    assert conn.is_usable()
    return conn


def say_and_end(far: Far) -> None:
    far.say(STRAY)
    far.end()


ARRIVALS: dict[str, tuple[Callable[[Far], None], type[mint.MintError]]] = {
    "a response": (lambda far: far.say(STRAY), errors.UnexpectedData),
    "the start of one": (lambda far: far.say(b"H"), errors.UnexpectedData),
    "an interim response": (lambda far: far.say(b"HTTP/1.1 100 Continue\r\n\r\n"), errors.UnexpectedData),
    "an empty line": (lambda far: far.say(b"\r\n"), errors.UnexpectedData),
    "a response and the end": (say_and_end, errors.UnexpectedData),
    "the end": (Far.end, errors.Closed),
}


@pytest.mark.parametrize("turn", [False, True], ids=["at once", "after the loop ran"])
@pytest.mark.parametrize("before", [False, True], ids=["new", "used"])
@pytest.mark.parametrize("arrival", ARRIVALS)
def test_octets_that_arrive_before_a_request_are_not_its_response(
    loop: EventLoop, kind: Kind, arrival: str, before: bool, turn: bool
) -> None:
    arrive, expected = ARRIVALS[arrival]

    async def scenario() -> None:
        with ExitStack() as stack:
            conn, far = await opened(loop, kind, stack)
            if before:
                conn = await exchanged(loop, conn, far)
            far.sent()
            arrive(far)
            if turn:
                await loop.turn()
            assert conn.is_open()
            assert not conn.is_usable()
            with pytest.raises(mint.MintError) as caught:
                conn.request("POST", "/second", (), b"pay")
            error = caught.value
            assert type(error) is expected
            assert error.processed is Processed.NO
            assert not error.local
            conn = conn.after(error)
            assert not conn.is_open()
            assert not conn.is_open("read")
            assert not conn.is_usable()
            if kind in {"plain", "HTTP/1 tunnel"}:
                assert far.sent() == b""
            with pytest.raises(errors.Closed) as again:
                conn.request("GET", "/")
            assert again.value.processed is Processed.NO

    loop.run(scenario)


WRITERS = ("receiving", "another request", "a piece", "flush")


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("turn", [False, True], ids=["at once", "after the loop ran"])
@pytest.mark.parametrize("arrival", ARRIVALS)
def test_octets_that_arrive_before_a_queued_request_is_sent_are_not_its_response(
    loop: EventLoop, kind: Kind, arrival: str, turn: bool, writer: str
) -> None:
    """Whichever call would send the queue, nothing of the request is sent, and it fails with `NO`."""
    arrive, _ = ARRIVALS[arrival]

    async def scenario() -> None:
        with ExitStack() as stack:
            conn, far = await opened(loop, kind, stack)
            conn = await exchanged(loop, conn, far)
            far.sent()
            body = mint.STREAM if writer == "a piece" else None
            conn, ref = conn.request("POST", "/queued", (), body, flush=False)
            arrive(far)
            if turn:
                await loop.turn()
            assert not conn.is_usable()
            with pytest.raises(mint.MintError) as caught:
                if writer == "another request":
                    conn, _ = conn.request("GET", "/more")
                elif writer == "a piece":
                    conn = conn.stream_request_body(ref, b"piece")
                elif writer == "flush":
                    conn = await loop.flush(conn)
                while conn.open_request_count:
                    conn, _ = await loop.receive(conn)
            error = caught.value
            assert isinstance(error, (errors.UnexpectedData, errors.TransportClosed))
            assert isinstance(error, errors.TransportClosed) is (arrival == "the end")
            assert error.processed is Processed.NO
            failed = [each for each in error.responses if isinstance(each, mint.RequestFailed)]
            assert failed[0].ref == ref
            assert {each.error.processed for each in failed} == {Processed.NO}
            assert len(failed) == len(error.responses)
            conn = conn.after(error)
            assert not conn.is_open("read")
            if kind in {"plain", "HTTP/1 tunnel"}:
                assert far.sent() == b""

    loop.run(scenario)


@pytest.mark.parametrize("writer", WRITERS[1:])
def test_a_queued_request_is_sent_if_nothing_arrived_before(loop: EventLoop, kind: Kind, writer: str) -> None:
    async def scenario() -> None:
        with ExitStack() as stack:
            conn, far = await opened(loop, kind, stack)
            conn = await exchanged(loop, conn, far)
            body = mint.STREAM if writer == "a piece" else None
            conn, ref = conn.request("POST", "/queued", (), body, flush=False)
            if writer == "another request":
                conn, _ = conn.request("GET", "/more")
            elif writer == "a piece":
                conn = conn.stream_request_body(ref, b"piece")
            else:
                conn = await loop.flush(conn)
            await loop.turn()
            far.say(STRAY)
            got: list[mint.Response] = []
            while mint.Done(ref) not in got:
                conn, responses = await loop.receive(conn)
                got += responses
            assert mint.Data(ref, b"stray!") in got

    loop.run(scenario)


@pytest.mark.parametrize("turn", [False, True], ids=["at once", "after the loop ran"])
def test_a_reset_is_reported_before_a_request_is_sent(loop: EventLoop, turn: bool) -> None:
    async def scenario() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        with ExitStack() as stack:
            stack.enter_context(listener)
            conn = await loop.connect("http", *listener.getsockname())
            stack.enter_context(conn)
            far = stack.enter_context(listener.accept()[0])
            far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            far.close()
            if turn:
                await loop.turn()
            assert not conn.is_usable()
            with pytest.raises(mint.MintError) as caught:
                conn.request("POST", "/", (), b"pay")
            assert caught.value.processed is Processed.NO
            assert not conn.after(caught.value).is_open("read")

    loop.run(scenario)


def test_octets_after_the_response_of_a_proxy(loop: EventLoop) -> None:
    async def scenario() -> None:
        with ExitStack() as stack:
            far = Far("HTTP/1 tunnel")
            stack.callback(far.close)
            far.sock.sendall(OPENED + STRAY)
            proxy = mint.Proxy("http", "proxy.test", 80, tunnel=True)
            conn = await loop.connect("http", "localhost", 80, proxy=proxy, socket=far.near)
            stack.enter_context(conn)
            far.sent()
            assert not conn.is_usable()
            with pytest.raises(errors.UnexpectedData) as caught:
                conn.request("GET", "/")
            assert caught.value.processed is Processed.NO
            assert far.sent() == b""

    loop.run(scenario)


def test_is_usable_changes_nothing(loop: EventLoop, kind: Kind) -> None:
    """TLS session tickets and frames of the proxy that have arrived are not a response."""

    async def scenario() -> None:
        with ExitStack() as stack:
            conn, far = await opened(loop, kind, stack)
            if kind == "HTTP/2 tunnel":
                far.sock.sendall(http2.ping(b"12345678").serialize() + http2.window_update(0, 9).serialize())
            for _ in range(3):
                assert conn.is_usable()
            conn = await exchanged(loop, conn, far)
            conn, ref = conn.request("GET", "/third")
            far.say(STRAY)
            await loop.turn()
            assert conn.is_usable()  # it may be the response to an open request
            got: list[mint.Response] = []
            while conn.open_request_count:
                conn, responses = await loop.receive(conn)
                got += responses
            assert mint.Data(ref, b"stray!") in got

    loop.run(scenario)


FRAMES: dict[str, tuple[bytes, bool]] = {
    "nothing": (b"", True),
    "a PING": (http2.ping(b"12345678").serialize(), True),
    "SETTINGS": (http2.settings().serialize(), True),
    "WINDOW_UPDATE": (http2.window_update(0, 1000).serialize(), True),
    "GOAWAY": (http2.goaway(0, 0).serialize(), False),
    "a PING and GOAWAY": (http2.ping(b"12345678").serialize() + http2.goaway(0, 0).serialize(), False),
    "GOAWAY with an error": (http2.goaway(0, 2).serialize(), False),
    "a violation": (http2.window_update(0, 0).serialize(), False),
}


@pytest.mark.parametrize("turn", [False, True], ids=["at once", "after the loop ran"])
@pytest.mark.parametrize("name", FRAMES)
def test_http2_is_usable_unless_the_server_closes(loop: EventLoop, name: str, turn: bool) -> None:
    frames, usable = FRAMES[name]

    async def scenario() -> None:
        with ExitStack() as stack:
            far = Far("plain")
            stack.callback(far.close)
            conn = await loop.connect("http", "localhost", 80, protocols=("http2",), socket=far.near)
            stack.enter_context(conn)
            far.sock.sendall(http2.settings().serialize())
            conn, _ = await loop.receive(conn)
            far.sock.sendall(frames)
            if turn:
                await loop.turn()
            assert conn.is_usable() is usable
            assert conn.is_usable() is usable
            if name in {"nothing", "a PING", "SETTINGS", "WINDOW_UPDATE"}:
                conn, ref = conn.request("GET", "/")
                far.sock.sendall(http2.headers(1, ((":status", "204"),), end=True).serialize())
                got: list[mint.Response] = []
                while conn.open_request_count:
                    conn, responses = await loop.receive(conn)
                    got += responses
                assert got[-1] == mint.Done(ref)
            far.end()
            if turn:
                await loop.turn()
            assert not conn.is_usable()

    loop.run(scenario)


@pytest.mark.parametrize("turn", [False, True], ids=["at once", "after the loop ran"])
@pytest.mark.parametrize(
    ("kind", "last"),
    [
        *(("plain", last) for last in ("end", "GOAWAY", "reset")),
        *((kind, last) for kind in ("TLS", "HTTP/2 tunnel") for last in ("end", "GOAWAY")),
    ],
)
def test_an_end_after_other_frames_is_noticed(loop: EventLoop, kind: Kind, last: str, turn: bool) -> None:
    """Each frame is written separately, so that one read of the socket may return only the first."""

    async def scenario() -> None:
        with ExitStack() as stack:
            conn, far = await opened(loop, kind, stack, "http2")
            far.say(http2.settings().serialize())
            conn, _ = await loop.receive(conn)
            for each in (http2.ping(b"12345678"), http2.settings(), http2.ping(b"87654321")):
                far.say(each.serialize())
            if turn:
                await loop.turn()
            if last == "GOAWAY":
                far.say(http2.goaway(0, 0).serialize())
            elif last == "end":
                far.end()
            else:
                far.close()
            assert not conn.is_usable()
            assert not conn.is_usable()

    loop.run(scenario)


def test_repeated_calls_of_is_usable_do_not_empty_the_socket() -> None:
    """`is_usable` reads at most 64 KiB and one read more, however often it is called."""
    with ExitStack() as stack:
        far = Far("plain")
        stack.callback(far.close)
        conn = mint.connect("http", "localhost", 80, protocols=("http2",), socket=far.near)
        stack.enter_context(conn)
        far.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_000_000)
        unknown = (16_384).to_bytes(3) + b"\xee" + bytes(5 + 16_384)  # ignored: RFC 9113 4.1
        sent = http2.settings().serialize() + unknown * 100
        far.sock.setblocking(False)
        size = far.sock.send(sent)
        assert size > 400_000
        for _ in range(20):
            assert conn.is_usable()
        left = int.from_bytes(fcntl.ioctl(far.near, termios.FIONREAD, bytes(4)), sys.byteorder)
        assert left >= size - 2 * 65_536 - 65_536


def test_a_message_that_the_mailbox_has_returned_counts(loop: EventLoop) -> None:
    """A message that a mailbox has returned counts as arrived, although it was not decoded yet."""
    if isinstance(loop, Blocking) and not isinstance(loop, WithMailbox):
        return  # there is no mailbox

    async def scenario() -> None:
        with ExitStack() as stack:
            conn, far = await opened(loop, "plain", stack)
            conn = await exchanged(loop, conn, far)
            far.say(STRAY)
            received = loop.mailbox.receive()  # type: ignore[attr-defined]  # these classes have a mailbox
            message = received if isinstance(received, mint.Received) else await received
            assert not conn.is_usable()
            with pytest.raises(errors.Closed) as caught:
                conn.request("GET", "/second")
            assert caught.value.processed is Processed.NO
            with pytest.raises(errors.UnexpectedData):
                conn.after(caught.value).stream(message)

    loop.run(scenario)


# -- tunnels that share one connection to a proxy


def tunnels_to(far: Far, stack: ExitStack) -> tuple[mint.Tunnels, mint.Connection]:
    far.sock.sendall(OPENED_STREAM)
    proxy = mint.http2.connect("http", "proxy.test", 80, socket=far.near)
    tunnels = stack.enter_context(mint.Tunnels(proxy))
    return tunnels, tunnels.connect("http", "localhost", 80, protocols=("http1",))


@pytest.mark.parametrize("active", [False, True], ids=["passive", "active"])
@pytest.mark.parametrize("arrival", ARRIVALS)
def test_octets_that_arrive_through_a_shared_connection(arrival: str, active: bool) -> None:
    arrive, expected = ARRIVALS[arrival]
    with ExitStack() as stack:
        far = Far("HTTP/2 tunnel")
        stack.callback(far.close)
        tunnels, conn = tunnels_to(far, stack)
        assert conn.is_usable()
        if active:
            mailbox = stack.enter_context(mint.Mailbox())
            tunnels.set_mode("active", mailbox)
            conn = conn.set_mode("active", mailbox)
            assert conn.is_usable()
            arrive(far)
            assert not conn.is_usable()
            # Messages that the mailbox has not returned yet stay in the mailbox.
            with pytest.raises(errors.Closed) as refused:
                conn.request("POST", "/", (), b"pay")
            assert refused.value.processed is Processed.NO
            assert tunnels.stream(mailbox.receive(timeout=5)) is True
        else:
            arrive(far)
        assert not conn.is_usable()
        with pytest.raises(mint.MintError) as caught:
            conn.request("POST", "/", (), b"pay")
        assert type(caught.value) is expected
        assert caught.value.processed is Processed.NO
        assert b"pay" not in far.sent()


# -- in memory


def test_in_memory() -> None:
    link = mint.transport.Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="server.test")
    assert conn.is_usable()
    link.put(STRAY)
    assert not conn.is_usable()
    with pytest.raises(errors.UnexpectedData) as caught:
        conn.request("GET", "/")
    assert (caught.value.processed, link.take()) == (Processed.NO, b"")
    assert link.closed


def test_a_refused_request_does_not_look_at_the_link() -> None:
    """An error of the request is raised first; the connection is unchanged."""
    link = mint.transport.Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="server.test")
    link.put(STRAY)
    with pytest.raises(errors.InvalidRequestTarget) as caught:
        conn.request("GET", "no target")
    assert conn.after(caught.value) is conn


def test_is_usable_of_a_superseded_value_raises() -> None:
    conn = mint.http1.initiate(mint.transport.Memory(), scheme="http", hostname="server.test")
    newer, _ = conn.request("GET", "/")
    with pytest.raises(errors.StaleConnectionError):
        conn.is_usable()
    assert newer.is_usable()


def test_lenient_connections_ignore_empty_lines_while_idle() -> None:
    link = mint.transport.Memory()
    conn = mint.http1.initiate(
        link, scheme="http", hostname="server.test", http1=mint.HTTP1Options(lenient=True)
    )
    link.put(b"\r\n")
    assert conn.is_usable()
    conn, ref = conn.request("GET", "/")
    link.put(FIRST)
    conn, got = conn.recv()
    assert got[-1] == mint.Done(ref)


def test_fields_from_an_iterator_are_sent_after_a_check_of_the_link() -> None:
    link = mint.transport.Memory()
    conn = mint.http1.initiate(
        link, scheme="http", hostname="server.test", http1=mint.HTTP1Options(lenient=True)
    )
    link.put(b"\r\n")
    conn, _ = conn.request("GET", "/", iter([("x-a", "1")]))
    assert b"x-a: 1\r\n" in link.take()
