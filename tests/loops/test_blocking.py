"""Connecting with blocking calls over real sockets: every possible failure, and no leaked sockets."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint._connect.race import Endpoint, make_plan
from mint._loops import dialer
from mint._loops.blocking import Driver, open_link
from mint._loops.dialer import look_up
from mint._wire.tls import TLSLayer
from mint.testing import Close, Forever, Origin, ScriptedServer, Send, showcase
from tests.event_loops import free_port, no_socket_left
from tests.tls import server_context, trusting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mint._connect.race import Answer, IOStep


@pytest.fixture(autouse=True)
def _no_descriptor_is_left_behind() -> Iterator[None]:
    with no_socket_left():
        yield


def fetch(conn: mint.HTTP1, target: str = "/") -> list[mint.Response]:
    conn, ref = conn.request("GET", target)
    responses: list[mint.Response] = []
    while mint.Done(ref) not in responses:
        conn, more = conn.recv(timeout=10)
        responses += more
    conn.close()
    return responses


def test_in_clear() -> None:
    with Origin(showcase) as origin:
        conn = mint.http1.connect("http", "127.0.0.1", origin.port)
        assert conn.peer_address == ("127.0.0.1", origin.port)
        assert conn.tls is None
        assert isinstance(fetch(conn)[0], mint.Status)


@pytest.mark.parametrize("address", ["::1", "[::1]", ipaddress.IPv6Address("::1")])
def test_ipv6_literals_are_bracketed_in_host(address: str | ipaddress.IPv6Address) -> None:
    with Origin(showcase, family=socket.AF_INET6) as origin:
        conn = mint.http1.connect("http", address, origin.port)
        seen = b"".join(each.data for each in fetch(conn, "/headers") if isinstance(each, mint.Data))
        assert f"host: [::1]:{origin.port}\n".encode() in seen


def test_an_ipv4_object() -> None:
    with Origin(showcase) as origin:
        assert fetch(mint.http1.connect("http", ipaddress.IPv4Address("127.0.0.1"), origin.port))


def test_a_unix_socket() -> None:
    with Origin(showcase, family=socket.AF_UNIX) as origin:
        address = mint.UnixAddress(str(origin.address))
        conn = mint.http1.connect("http", address, 0, hostname="example.org")
        seen = b"".join(each.data for each in fetch(conn, "/headers") if isinstance(each, mint.Data))
        assert b"host: example.org\n" in seen
    with pytest.raises(ValueError, match="hostname"):
        mint.http1.connect("http", address, 0)


@pytest.mark.parametrize("alpn", [(), ("http/1.1",)])
def test_over_tls(alpn: tuple[str, ...]) -> None:
    with Origin(showcase, tls=server_context(alpn=alpn)) as origin:
        conn = mint.http1.connect("https", "localhost", origin.port, tls=trusting())
        assert conn.tls is not None
        assert conn.tls.alpn == (alpn[0] if alpn else None)
        assert fetch(conn, "/bytes/100000")


def test_a_protocol_that_was_not_offered_is_refused_and_the_socket_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # OpenSSL refuses most such protocols itself; this tests the check of mint for the others.
    monkeypatch.setattr(TLSLayer, "alpn", property(lambda _: "h3"))
    with (
        Origin(showcase, tls=server_context()) as origin,
        pytest.raises(errors.BadALPNProtocol) as caught,
    ):
        mint.http1.connect("https", "localhost", origin.port, tls=trusting())
    assert caught.value.protocol == "h3"


def test_a_certificate_for_another_name_is_rejected_and_the_alert_is_sent() -> None:
    with (
        pytest.raises(errors.CertificateRejected),
        Origin(showcase, tls=server_context("elsewhere.test")) as origin,
    ):
        mint.http1.connect("https", "localhost", origin.port, tls=trusting())


def test_the_hostname_is_checked_and_not_the_address() -> None:
    with Origin(showcase, tls=server_context("example.org")) as origin:
        conn = mint.http1.connect("https", "127.0.0.1", origin.port, hostname="example.org", tls=trusting())
        assert fetch(conn)


def test_a_refused_connection() -> None:
    with pytest.raises(errors.ConnectionRefused) as caught:
        mint.http1.connect("http", "127.0.0.1", free_port())
    assert isinstance(caught.value, ConnectionRefusedError)
    assert caught.value.successor is None


def test_a_missing_unix_socket(tmp_path: Path) -> None:
    with pytest.raises(errors.Unreachable):
        mint.http1.connect("http", mint.UnixAddress(str(tmp_path / "absent")), 0, hostname="x")
    with pytest.raises(errors.Unreachable):
        mint.http1.connect("http", mint.UnixAddress("x" * 1000), 0, hostname="x")


def test_a_server_that_does_not_speak_tls() -> None:
    with (
        ScriptedServer([Send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Close()]) as origin,
        pytest.raises(errors.TransportError),
    ):
        mint.http1.connect("https", "localhost", origin.port, tls=trusting())


def test_a_server_that_closes_in_the_handshake() -> None:
    with ScriptedServer([Close()]) as origin, pytest.raises((errors.TransportClosed, errors.TransportReset)):
        mint.http1.connect("https", "localhost", origin.port, tls=trusting())


def test_the_deadline_includes_the_handshake() -> None:
    with ScriptedServer([Forever()]) as origin, pytest.raises(errors.TransportTimeout) as caught:
        mint.http1.connect(
            "https", "127.0.0.1", origin.port, tcp=mint.TCPOptions(connect_timeout=0.05), tls=trusting()
        )
    assert "connecting" in caught.value.phase


def test_a_connect_timeout_of_zero() -> None:
    with pytest.raises(TimeoutError):
        mint.http1.connect("http", "127.0.0.1", 1, tcp=mint.TCPOptions(connect_timeout=0))
    with pytest.raises(TimeoutError):
        mint.http1.connect("http", "localhost", 1, tcp=mint.TCPOptions(connect_timeout=0))


@pytest.mark.parametrize("seconds", [1e10, 1e300])
def test_a_time_that_is_too_long_for_the_system_is_no_limit(seconds: float) -> None:
    patient = mint.TCPOptions(connect_timeout=seconds, send_timeout=seconds)
    with Origin(showcase, tls=server_context()) as origin:
        conn = mint.http1.connect("https", "localhost", origin.port, tcp=patient, tls=trusting())
        fetch(conn)


def test_a_resolver_and_an_unreachable_address_before_a_reachable_one() -> None:
    with Origin(showcase) as origin:

        def resolver(host: str, port: int) -> list[str]:
            assert (host, port) == ("example.test", origin.port)
            return ["127.0.0.2", "127.0.0.1"]

        plan = make_plan("http", "example.test", origin.port, None, mint.TCPOptions(), mint.TLSOptions(), ())
        link, found = open_link(plan, resolver)
        assert found.alpn is None
        assert link.peer_address == ("127.0.0.1", origin.port)
        link.close()


def test_a_resolver_that_fails_or_takes_too_long() -> None:
    plan = make_plan("http", "nowhere.test", 80, None, mint.TCPOptions(), mint.TLSOptions(), ())

    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with pytest.raises(errors.NameNotResolved, match=r"nowhere\.test"):
        open_link(plan, unknown)

    with pytest.raises(ValueError, match="is not a host name"):
        make_plan("http", "a" * 70, 80, None, mint.TCPOptions(), mint.TLSOptions(), ())

    def broken(host: str, port: int) -> list[str]:
        raise LookupError("a defect of the resolver")

    with pytest.raises(LookupError):
        open_link(plan, broken)

    def nothing(host: str, port: int) -> list[str]:
        return []

    with pytest.raises(errors.NameNotResolved):
        open_link(plan, nothing)

    release = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        release.wait(10)
        return []

    hurried = make_plan(
        "http", "slow.test", 80, None, mint.TCPOptions(connect_timeout=0.01), mint.TLSOptions(), ()
    )
    with pytest.raises(errors.TransportTimeout, match="resolving"):
        open_link(hurried, slow)
    release.set()


def test_the_system_resolves_localhost() -> None:
    found = look_up("localhost", 80)
    assert Endpoint("inet4", ("127.0.0.1", 80)) in found or Endpoint("inet6", ("::1", 80, 0, 0)) in found


def test_families_can_be_refused() -> None:
    with pytest.raises(errors.NameNotResolved, match="family"):
        mint.http1.connect("http", "127.0.0.1", 80, tcp=mint.TCPOptions(inet4=False))


def test_socket_options_are_set() -> None:
    with Origin(showcase) as origin:
        tcp = mint.TCPOptions(
            keepalive=True, send_buffer=70_000, receive_buffer=80_000, local_address=("127.0.0.2", 0)
        )
        conn = mint.http1.connect("http", "127.0.0.1", origin.port, tcp=tcp)
        sock = conn.socket
        assert sock is not None
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) >= 70_000
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 80_000
        assert conn.local_address is not None
        assert conn.local_address[0] == "127.0.0.2"
        conn.close()


def test_a_local_address_of_another_machine() -> None:
    with pytest.raises(errors.Unreachable):
        mint.http1.connect("http", "127.0.0.1", 1, tcp=mint.TCPOptions(local_address=("192.0.2.1", 0)))


@pytest.mark.parametrize(
    ("scheme", "address", "port", "hostname"),
    [
        ("ftp", "localhost", 80, None),
        ("http", "localhost", -1, None),
        ("http", "localhost", 65_536, None),
        ("http", "localhost", "80", None),
        ("http", "", 80, None),
        ("http", "a b", 80, None),
        ("http", "user@host", 80, None),
        ("http", "host/path", 80, None),
        ("http", "localhost", 80, "a\r\nb"),
        ("http", "localhost", 80, ""),
    ],
)
def test_invalid_arguments_are_refused_before_connecting(
    scheme: str, address: str, port: int, hostname: str | None
) -> None:
    with pytest.raises(ValueError, match=r"must be|is not a host name"):
        mint.http1.connect(scheme, address, port, hostname=hostname)  # type: ignore[arg-type]  # wrong on purpose


def test_an_interrupted_connect_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with ScriptedServer([Forever()], timeout=1) as origin:
        monkeypatch.setattr(Driver, "_receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            mint.http1.connect("https", "127.0.0.1", origin.port, tls=trusting())


@pytest.mark.parametrize("secure", [False, True])
def test_an_interrupt_at_any_step_leaves_no_socket(monkeypatch: pytest.MonkeyPatch, *, secure: bool) -> None:
    made: list[socket.socket] = []
    original_open, original_answer = dialer.open_socket, Driver._answer
    left = 0

    def recorded(endpoint: Endpoint, tcp: mint.TCPOptions) -> socket.socket:
        made.append(original_open(endpoint, tcp))
        return made[-1]

    def interrupted(self: Driver, step: IOStep) -> Answer:
        nonlocal left
        answer = original_answer(self, step)
        left -= 1
        if not left:
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(dialer, "open_socket", recorded)
    monkeypatch.setattr(Driver, "_answer", interrupted)
    with no_socket_left(), Origin(showcase, tls=server_context() if secure else None) as origin:
        for steps in range(1, 100):
            left = steps
            try:
                conn = mint.connect("https" if secure else "http", "localhost", origin.port, tls=trusting())
            except KeyboardInterrupt:
                assert all(each.fileno() == -1 for each in made)
            else:
                conn.close()
                break
        assert 3 < steps < 99
    assert made
