import re
import socket
import ssl
import threading
from contextlib import ExitStack, suppress
from typing import Any  # the arguments of the methods of bytearray

import pytest

from mint.testing import (
    Close,
    Do,
    Drain,
    Expect,
    ExpectCount,
    ExpectEnd,
    ExpectUntil,
    Flood,
    Forever,
    Peer,
    Reset,
    ScriptedServer,
    ScriptError,
    Send,
    SendRaw,
    Set,
    ShutWrite,
    StartTLS,
    Step,
    Truncate,
    Wait,
    bytewise,
    request,
)

from ..leftovers import no_thread_left

GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


def dial(server: ScriptedServer) -> socket.socket:
    if server.family == socket.AF_UNIX:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(10)
        sock.connect(server.address)
        return sock
    return socket.create_connection((server.address, server.port), timeout=10)


def dial_tls(server: ScriptedServer, client: ssl.SSLContext) -> ssl.SSLSocket:
    return client.wrap_socket(dial(server), server_hostname="localhost", suppress_ragged_eofs=False)


def read_all(sock: socket.socket) -> bytes:
    taken = bytearray()
    while data := sock.recv(4096):
        taken += data
    return bytes(taken)


def play(*script: Step, send: bytes = GET, timeout: float = 10.0) -> bytes:
    """Play one script against a client that sends, ends its direction and reads to the end."""
    taken = bytearray()
    # A script that closes without reading may reset the connection while the client still sends.
    with ScriptedServer(script, timeout=timeout) as server, dial(server) as sock, suppress(OSError):
        sock.sendall(send)
        sock.shutdown(socket.SHUT_WR)
        while piece := sock.recv(4096):
            taken += piece
    return bytes(taken)


def test_a_script_runs_and_received_octets_are_kept() -> None:
    with ScriptedServer([request(b"^GET / "), Send(NO_CONTENT)]) as server, dial(server) as sock:
        sock.sendall(GET)
        assert read_all(sock) == NO_CONTENT
    assert server.received == (GET,)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6, socket.AF_UNIX])
def test_every_family(family: socket.AddressFamily) -> None:
    with ScriptedServer([Expect(GET), Send(b"x")], family=family) as server, dial(server) as sock:
        sock.sendall(GET)
        assert read_all(sock) == b"x"
        assert (server.port == 0) is (family == socket.AF_UNIX)


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(ValueError, match="AF_INET"):
        ScriptedServer(family=socket.AF_PACKET)


def test_a_server_that_does_not_run_has_no_port_and_runs_once() -> None:
    server = ScriptedServer()
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.port
    with server, pytest.raises(RuntimeError, match="cannot be started twice"):
        server.__enter__()


def test_positions_of_splits_are_checked() -> None:
    for cuts in ((0,), (4,), (2, 1), (1, 1)):
        with pytest.raises(ValueError, match=r"ascend|a cut must be 1 or more"):
            Send(b"abcd", cuts)
    assert bytewise(b"abcde", 2) == Send(b"abcde", (2, 4))


def test_pieces_arrive_complete_and_are_records_of_their_own(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    with (
        ScriptedServer([Send(NO_CONTENT, (1, 5))], tls=server_tls) as server,
        dial_tls(server, client_tls) as sock,
    ):
        assert [sock.recv(4096) for _ in range(3)] == [
            NO_CONTENT[:1],
            NO_CONTENT[1:5],
            NO_CONTENT[5:],
        ]
        assert sock.recv(1) == b""
        sock.unwrap()


def test_one_script_per_connection() -> None:
    with ScriptedServer([Send(b"1")], [Send(b"2")]) as server:
        with dial(server) as first:
            assert read_all(first) == b"1"
        with dial(server) as second:
            assert read_all(second) == b"2"


def test_a_connection_too_many_is_an_error() -> None:
    with pytest.raises(ScriptError, match="connection 1 was opened, but there are 0 scripts"):  # noqa: SIM117  # the order
        with ScriptedServer() as server, dial(server) as sock:
            assert read_all(sock) == b""


def test_a_script_without_a_connection_is_an_error() -> None:
    with pytest.raises(ScriptError, match="1 of 1 scripts got no connection"), ScriptedServer([]):
        pass


def test_the_first_of_several_errors_is_raised_and_the_others_are_noted() -> None:
    with (
        pytest.raises(ScriptError, match="other bytes were received") as caught,
        ScriptedServer([Expect(b"x")], []) as server,
        dial(server) as sock,
    ):
        sock.sendall(b"y")
        read_all(sock)
    assert caught.value.__notes__ == ["and: 1 of 2 scripts got no connection"]


@pytest.mark.parametrize(
    ("step", "send", "message"),
    [
        (Expect(b"GET /"), b"GEM", r"connection 1, step 1 of 1, Expect\(.*other bytes were received"),
        (Expect(b"GET /"), b"GET", r"the client ended before the expected bytes arrived\n.*GET /'\n.*b'GET'"),
        (Expect(re.compile(rb"P.*\r\n")), b"GET /\r\n", "ended before the expected bytes arrived"),
        (ExpectCount(9), b"12345678", "9 bytes"),
        (ExpectUntil(b"\r\n", re.compile(b"POST")), b"GET /\r\n", "pattern was not found"),
        (ExpectUntil(b"\r\n"), b"GET /", "ended before the expected bytes arrived"),
        (ExpectEnd(), b"surplus", "bytes were received instead of the end"),
    ],
)
def test_failed_expectations_show_expected_and_received(step: Step, send: bytes, message: str) -> None:
    with pytest.raises(ScriptError, match=f"(?s){message}"):
        play(step, send=send)


def test_expectations_that_are_met() -> None:
    assert (
        play(
            Expect(re.compile(rb"GET (\S+) HTTP/1.1\r\n")),
            ExpectUntil(b"\r\n"),
            ExpectCount(2),
            ExpectEnd(clean=True),
            Send(b"ok"),
        )
        == b"ok"
    )


def test_a_step_that_times_out_says_what_was_missing() -> None:
    with (
        pytest.raises(ScriptError, match=r"(?s)did not arrive in time.*b'GET'"),
        ScriptedServer([Expect(GET)], timeout=0.05) as server,
        dial(server) as sock,
    ):
        sock.sendall(b"GET")
        read_all(sock)


def test_long_bytes_are_shortened_in_messages() -> None:
    with pytest.raises(ScriptError) as caught:
        play(Expect(b"x"), send=b"y" * 100_000)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("step", [ExpectEnd(), Wait(threading.Event()), Expect(b"x")])
def test_a_script_that_is_stuck_ends_with_the_server(step: Step) -> None:
    with (
        ExitStack() as kept,  # the client stays until the server has ended
        pytest.raises(ScriptError, match=r"in time|still busy"),
        ScriptedServer([Send(b"!"), step], timeout=0.05) as server,
    ):
        sock = kept.enter_context(dial(server))
        assert sock.recv(1) == b"!"


def test_the_error_of_the_body_is_raised_with_the_servers_as_notes() -> None:
    with pytest.raises(KeyError) as caught, ScriptedServer([Expect(b"x")]) as server:
        with dial(server) as sock:
            sock.sendall(b"y")
            assert read_all(sock) == b""
        raise KeyError
    assert "other bytes were received" in caught.value.__notes__[0]


def test_after_an_error_in_the_with_block_nothing_is_awaited() -> None:
    script: list[Step] = [Forever(), Send(b"x")]
    with pytest.raises(KeyError) as caught, ScriptedServer(script) as server, dial(server):
        raise KeyError
    # The server may not have seen the connection yet.
    assert all("the server says" in note for note in getattr(caught.value, "__notes__", ()))


def test_forever_ends_with_the_server() -> None:
    with ScriptedServer([Send(b"x"), Forever()]) as server, dial(server) as sock:
        assert sock.recv(10) == b"x"


def test_flood_ends_when_the_client_does() -> None:
    with ScriptedServer([Flood(b"x" * 65536)]) as server, dial(server) as sock:
        for _ in range(100):
            assert sock.recv(65536)


def test_events_order_the_two_sides() -> None:
    go, there = threading.Event(), threading.Event()
    script = [Send(b"1"), Set(there), Wait(go), Send(b"2")]
    with ScriptedServer(script) as server, dial(server) as sock:
        assert there.wait(10)
        assert sock.recv(10) == b"1"
        go.set()
        assert read_all(sock) == b"2"


def test_half_close() -> None:
    script = [Send(b"x"), ShutWrite(), Expect(b"late"), ExpectEnd()]
    with ScriptedServer(script) as server, dial(server) as sock:
        assert read_all(sock) == b"x"
        sock.sendall(b"late")


def test_reset() -> None:
    with ScriptedServer([Expect(GET), Reset()]) as server, dial(server) as sock:
        sock.sendall(GET)
        with pytest.raises(ConnectionResetError):
            sock.recv(10)


def reset_as_a_client(end: ExpectEnd) -> None:
    with ScriptedServer([Send(b"x" * 10), end]) as server, dial(server) as sock:
        sock.recv(1)  # closing with unread bytes is a reset


def test_a_client_that_resets_has_ended_but_not_cleanly() -> None:
    reset_as_a_client(ExpectEnd())
    with pytest.raises(ScriptError, match="did not end cleanly"):
        reset_as_a_client(ExpectEnd(clean=True))


def test_a_step_after_close_fails() -> None:
    with pytest.raises(ScriptError, match="step 2 of 2"):
        play(Close(), Send(b"x"))


def test_a_function_as_a_step() -> None:
    def echo(peer: Peer) -> None:
        peer.send(peer.read_until(b"\r\n"))
        peer.send(peer.read_exactly(4))
        peer.drain()

    assert play(Do(echo)) == b"GET / HTTP/1.1\r\nhost"


def test_close_delivers_sent_data_even_if_input_is_unread() -> None:
    sent = threading.Event()
    with ScriptedServer([Wait(sent), Send(b"x" * 100_000)]) as server, dial(server) as sock:
        sock.sendall(b"y" * 1000)
        sent.set()
        assert read_all(sock) == b"x" * 100_000


def test_tls(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    with (
        ScriptedServer(
            [Expect(GET), Send(NO_CONTENT), ShutWrite(), ExpectEnd(clean=True)],
            tls=server_tls,
        ) as server,
        dial_tls(server, client_tls) as sock,
    ):
        sock.sendall(GET)
        assert sock.recv(4096) == NO_CONTENT
        assert sock.recv(4096) == b""
        sock.unwrap()
    assert server.received == (GET,)
    assert server.peers[0].alpn is None


def test_tls_cut_off_without_close_notify(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    with (
        ScriptedServer([Send(b"half"), Truncate()], tls=server_tls) as server,
        dial_tls(server, client_tls) as sock,
    ):
        assert sock.recv(4096) == b"half"
        with pytest.raises(ssl.SSLEOFError):
            sock.recv(4096)


def test_a_client_without_close_notify_did_not_end_cleanly(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    with (
        pytest.raises(ScriptError, match="without close_notify"),
        ScriptedServer([Expect(b"x"), ExpectEnd(clean=True)], tls=server_tls) as server,
        dial_tls(server, client_tls) as sock,
    ):
        sock.sendall(b"x")
        sock.shutdown(socket.SHUT_WR)  # beneath TLS
        read_all(sock)


def test_bytes_beneath_tls(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    with (
        ScriptedServer([SendRaw(b"HTTP/1.1 400 \r\n\r\n")], tls=server_tls) as server,
        dial_tls(server, client_tls) as sock,
        pytest.raises(ssl.SSLError, match=r"(?i)version|record"),
    ):
        sock.recv(4096)


def distrust(server: ScriptedServer) -> None:
    stranger = ssl.create_default_context()
    with server, dial(server) as sock, pytest.raises(ssl.SSLCertVerificationError):
        stranger.wrap_socket(sock, server_hostname="localhost")


def test_a_handshake_that_fails_is_an_error_or_expected(server_tls: ssl.SSLContext) -> None:
    distrust(ScriptedServer([StartTLS(server_tls, refused=True)]))
    with pytest.raises(ScriptError, match=r"handshake failed|ExpectEnd"):
        distrust(ScriptedServer([ExpectEnd(clean=True)], tls=server_tls))
    with pytest.raises(ScriptError, match="the TLS handshake failed"):
        play(StartTLS(server_tls))


def test_step_numbers_do_not_count_the_handshake(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    with (
        pytest.raises(ScriptError, match=r"step 2 of 2, Expect"),
        ScriptedServer([Send(b"x"), Expect(b"less")], tls=server_tls) as server,
        dial_tls(server, client_tls) as sock,
    ):
        assert sock.recv(1) == b"x"
        sock.sendall(b"more")
    with pytest.raises(ScriptError, match="connection 1, before the first step: the TLS handshake failed"):
        distrust(ScriptedServer([Send(b"x")], tls=server_tls))


def test_a_handshake_that_should_have_failed(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    with (
        pytest.raises(ScriptError, match="the client sent more"),
        ScriptedServer([StartTLS(server_tls, refused=True)]) as server,
        dial_tls(server, client_tls) as sock,
    ):
        sock.sendall(b"x")
        sock.recv(10)


def test_tls_after_a_connect(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    with (
        ScriptedServer(
            [
                request(b"^CONNECT "),
                Send(b"HTTP/1.1 200 OK\r\n\r\n"),
                StartTLS(server_tls),
                Expect(GET),
                Send(NO_CONTENT),
            ]
        ) as server,
        dial(server) as sock,
    ):
        sock.sendall(b"CONNECT localhost:443 HTTP/1.1\r\n\r\n")
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")
        with client_tls.wrap_socket(sock, server_hostname="localhost") as inner:
            inner.sendall(GET)
            assert inner.recv(4096) == NO_CONTENT


@pytest.mark.parametrize("before", [b"C", b"CONNECT localhost:443 HTTP/1.1\r\n\r\n", b"x" * 2_000])
def test_a_handshake_that_arrives_with_the_bytes_before_it_is_not_received(
    before: bytes, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    script = [Expect(before), StartTLS(server_tls), Expect(GET), Send(NO_CONTENT)]
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    inner = client_tls.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with ScriptedServer(script) as server, dial(server) as sock:
        first = before
        while True:
            try:
                inner.do_handshake()
                break
            except ssl.SSLWantReadError:
                sock.sendall(first + outgoing.read())
                first = b""
                incoming.write(sock.recv(65536))
        inner.write(GET)
        sock.sendall(outgoing.read())
        read_all(sock)
    assert server.received == (before + GET,)


def test_tls_inside_tls(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    with (
        ScriptedServer([StartTLS(server_tls), Expect(GET), Send(NO_CONTENT)], tls=server_tls) as server,
        dial_tls(server, client_tls) as outer,
    ):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        inner = client_tls.wrap_bio(incoming, outgoing, server_hostname="localhost")
        while True:
            try:
                inner.do_handshake()
                break
            except ssl.SSLWantReadError:
                outer.sendall(outgoing.read())
                incoming.write(outer.recv(65536))
        inner.write(GET)
        outer.sendall(outgoing.read())
        taken = b""
        while not taken:
            try:
                taken = inner.read()
            except ssl.SSLWantReadError:
                incoming.write(outer.recv(65536))
        assert taken == NO_CONTENT
        outer.sendall(b"")


def test_drain_takes_everything() -> None:
    with ScriptedServer([Drain(), Send(b"done")]) as server, dial(server) as sock:
        sock.sendall(b"x" * 1_000_000)
        sock.shutdown(socket.SHUT_WR)
        assert read_all(sock) == b"done"
    assert len(server.received[0]) == 1_000_000


def test_no_thread_is_left() -> None:
    with no_thread_left():
        play(Send(b"x"))


class Counted(bytearray):
    """Counts the octets that are copied or searched."""

    work = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        self.work += len(found) if isinstance(found, bytearray) else 1
        return found

    def find(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        self.work += len(self) - start
        return super().find(sub, start, len(self))


@pytest.mark.parametrize(
    "step",
    [Expect(b"x" * 1_000_000), ExpectUntil(b"xy"), ExpectCount(1_000_000)],
    ids=lambda step: type(step).__name__,
)
def test_the_work_for_large_content_does_not_depend_on_its_pieces(step: Step) -> None:
    class Near(Peer):
        def fill(self) -> bool:
            self.unread += b"x" * 1000 if len(self.unread) < 1_000_000 else b"y"
            return True

    near, far = socket.socketpair()
    with near, far:
        peer = Near(near, 1)
        peer.unread = counted = Counted()
        step.play(peer)
        assert counted.work < 3 * 1_000_001
        assert not peer.unread
