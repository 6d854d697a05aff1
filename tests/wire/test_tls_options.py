"""TLS options of connections: trust, sessions, the key log, and the requirements of HTTP/2."""

from __future__ import annotations

import importlib.util
import os
import ssl
from typing import TYPE_CHECKING, Any  # wrong arguments are passed, which the types forbid

import pytest
import trustme

import mint
from mint import errors
from mint._sessions import TLSSessions
from mint._wire.tls import make_context
from mint.testing import Origin, Request, Response, ScriptedServer, Send, StartTLS, request

from ..tls import authority, server_context, trusting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mint.types import ProtocolName

DEFAULT_TCP = mint.TCPOptions()
CA = authority().cert_pem.bytes().decode()


def hello(_: Request) -> Response:
    return Response(200, (), b"hello")


def fetch(conn: mint.Connection) -> bool:
    """Fetch a page; return whether a TLS session was resumed for it."""
    resumed = conn.tls is not None and conn.tls.resumed
    with conn:
        conn, _ = conn.request("GET", "/")
        while conn.open_request_count:
            conn, _ = conn.recv(timeout=5)
    return resumed


def visit(
    origin: Origin | ScriptedServer,
    tls: mint.TLSOptions,
    *,
    address: str | None = None,
    hostname: str | None = None,
    protocols: Sequence[ProtocolName] = ("http2", "http1"),
    tcp: mint.TCPOptions = DEFAULT_TCP,
) -> bool:
    where = address or origin.address
    conn = mint.connect("https", where, origin.port, hostname=hostname, protocols=protocols, tls=tls, tcp=tcp)
    return fetch(conn)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed_if_everything_is_the_same(version: ssl.TLSVersion) -> None:
    sessions = TLSSessions()
    tls = mint.TLSOptions(ca_data=CA, maximum_version=version, sessions=sessions)
    with Origin(hello, tls=server_context()) as origin:
        assert [visit(origin, tls) for _ in range(3)] == [False, True, True]
        assert len(sessions) == 1
        sessions.clear()
        assert not visit(origin, tls)


def test_sessions_are_not_resumed_by_default() -> None:
    with Origin(hello, tls=server_context()) as origin:
        assert not any(visit(origin, trusting()) for _ in range(2))


@pytest.mark.parametrize(
    "other",
    [
        {"verify": False, "ca_data": None},
        {"ca_data": CA + "\n"},
        {"server_hostname": "localhost"},
        {"partial_chain": True},
        {"ciphers": "ECDHE+AESGCM"},
        {"minimum_version": ssl.TLSVersion.TLSv1_3},
    ],
)
def test_other_options_do_not_share_a_session(other: dict[str, object]) -> None:
    sessions = TLSSessions()
    with Origin(hello, tls=server_context()) as origin:
        visit(origin, mint.TLSOptions(ca_data=CA, sessions=sessions))
        changed: dict[str, object] = {"ca_data": CA, **other}
        assert not visit(origin, mint.TLSOptions(sessions=sessions, **changed))  # type: ignore[arg-type]  # as above
        assert len(sessions) == 2


def test_another_route_does_not_share_a_session() -> None:
    tls = mint.TLSOptions(ca_data=CA, sessions=TLSSessions())
    with Origin(hello, tls=server_context()) as origin:
        assert not visit(origin, tls)
        assert not visit(origin, tls, hostname="localhost")
        assert not visit(origin, tls, protocols=("http1",))
        assert not visit(origin, tls, tcp=mint.TCPOptions(local_address=("127.0.0.1", 0)))
        tunnel = [request(), Send(b"HTTP/1.1 200 OK\r\n\r\n"), StartTLS(server_context()), request()]
        with ScriptedServer(tunnel) as server:
            conn = mint.connect(
                *("https", origin.address, origin.port),
                proxy=mint.Proxy("http", server.address, server.port),
                tls=tls,
            )
            assert conn.tls is not None
            assert not conn.tls.resumed
            conn.request("GET", "/")[0].close()
        assert visit(origin, tls)


def test_another_client_certificate_does_not_share_a_session(tmp_path: Path) -> None:
    sessions, context = TLSSessions(), server_context(ask_client=True)
    file = tmp_path / "client.pem"

    def issue(name: str) -> None:
        authority().issue_cert(name).private_key_and_cert_chain_pem.write_to_path(str(file))

    with Origin(hello, tls=context) as origin:
        issue("one.example")
        tls = mint.TLSOptions(ca_data=CA, cert_file=str(file), sessions=sessions)
        assert [visit(origin, tls) for _ in range(2)] == [False, True]
        issue("another.example")
        assert not visit(origin, tls)


def test_a_server_may_refuse_to_resume_a_session() -> None:
    context = server_context()
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    tls = mint.TLSOptions(ca_data=CA, sessions=TLSSessions())
    with Origin(hello, tls=context) as origin:
        assert not any(visit(origin, tls) for _ in range(3))


@pytest.mark.parametrize("most", [0, -1, True, None, "1", 1.5, float("nan")])
def test_the_number_of_sessions_must_be_positive(most: Any) -> None:
    with pytest.raises(ValueError, match="most"):
        mint.TLSSessions(most)


def test_the_store_of_sessions_is_bounded() -> None:
    sessions = TLSSessions(most=1)
    with Origin(hello, tls=server_context()) as origin:
        for name in (None, "localhost"):
            visit(origin, mint.TLSOptions(ca_data=CA, sessions=sessions), hostname=name)
    assert len(sessions) == 1
    for most in (0, True):
        with pytest.raises(ValueError, match="most"):
            TLSSessions(most)


def test_a_missing_file_is_a_typed_error(tmp_path: Path) -> None:
    tls = mint.TLSOptions(ca_file=str(tmp_path / "none.pem"), sessions=TLSSessions())
    with ScriptedServer() as server, pytest.raises(errors.TLSFailed) as caught:
        mint.connect("https", server.address, server.port, tls=tls)
    assert caught.value.processed is mint.Processed.NO


# -- trust


def test_the_system_alone_is_trusted_on_request(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert not make_context(mint.TLSOptions(trust="system"), ()).get_ca_certs()
    assert make_context(mint.TLSOptions(trust="auto"), ()).get_ca_certs()
    assert make_context(mint.TLSOptions(trust="certifi"), ()).get_ca_certs()


def test_truststore_decides_by_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("truststore")
    file = tmp_path / "ca.pem"
    file.write_text(CA)
    tls = mint.TLSOptions(trust="truststore")
    with Origin(hello, tls=server_context()) as origin:
        with pytest.raises(errors.CertificateRejected):
            visit(origin, tls)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        assert not visit(origin, tls)
        with pytest.raises(errors.CertificateRejected):
            visit(origin, tls, hostname="other.example")


def test_truststore_must_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"mint-http\[truststore\]"):
        mint.TLSOptions(trust="truststore")


@pytest.mark.parametrize("wrong", [{"trust": "me"}, {"trust": "system", "ca_data": CA}, {"verify": None}])
def test_invalid_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"trust|verify"):
        mint.TLSOptions(**wrong)  # type: ignore[arg-type]  # wrong on purpose


# -- the key log


def test_keys_are_logged_to_the_given_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSLKEYLOGFILE", raising=False)
    file = tmp_path / "keys"
    with Origin(hello, tls=server_context()) as origin:
        visit(origin, mint.TLSOptions(ca_data=CA, key_log_file=str(file)))
    assert "TRAFFIC_SECRET" in file.read_text()
    assert "SSLKEYLOGFILE" not in os.environ


# -- requirements of HTTP/2

WEAK = ("AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES128-SHA256")


def test_no_suite_that_http2_forbids_is_offered() -> None:
    offered = make_context(trusting(), ("h2",)).get_ciphers()
    assert offered
    for suite in offered:
        assert suite["aead"]
        assert suite["protocol"] == "TLSv1.3" or suite["kea"] in {"kx-ecdhe", "kx-dhe"}


@pytest.mark.rfc("9113-9.2.2-a")
@pytest.mark.parametrize("suite", WEAK)
def test_the_suite_is_checked_again_after_the_handshake(suite: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("127.0.0.1", key_type=trustme.KeyType.RSA).configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ALL")
    tls = mint.TLSOptions(ca_data=CA, ciphers=suite)
    with Origin(hello, tls=context) as origin:
        with pytest.raises(errors.InadequateSecurity, match=suite):
            mint.connect("https", origin.address, origin.port, tls=tls)
        # This rule does not apply to HTTP/1, so the options of the caller are used.
        conn = mint.connect("https", origin.address, origin.port, protocols=("http1",), tls=tls)
        assert conn.tls is not None
        assert conn.tls.cipher == suite
        conn.close()


def test_a_common_name_is_not_used() -> None:
    assert make_context(trusting(), ()).hostname_checks_common_name is False


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_an_address_is_not_sent_as_server_name(host: str) -> None:
    seen: list[str | None] = []
    context = server_context()
    context.sni_callback = lambda _, name, __: seen.append(name)
    with Origin(hello, tls=context) as origin:
        conn = mint.connect("https", origin.address, origin.port, hostname=host, tls=trusting())
        conn.close()
        mint.connect("https", origin.address, origin.port, hostname="localhost", tls=trusting()).close()
    assert seen == [None, "localhost"]


@pytest.mark.parametrize(
    ("hostname", "tls"), [("localhost.", trusting()), (None, trusting(server_hostname="localhost."))]
)
def test_a_trailing_dot_of_a_name_is_ignored(hostname: str | None, tls: mint.TLSOptions) -> None:
    """RFC 6066 3: neither SNI nor certificates contain the trailing dot. Connecting with it failed."""
    with Origin(hello, tls=server_context("localhost")) as origin:
        conn = mint.connect("https", origin.address, origin.port, hostname=hostname, tls=tls)
        assert conn.tls is not None
        assert conn.tls.server_hostname == "localhost"
        fetch(conn)
