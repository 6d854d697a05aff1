"""Certificates of `mint.testing` are trusted only by clients that trust its authority."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from mint.testing import Expect, ScriptedServer, Send, StartTLS
from mint.testing.certificates import Authority

from .clients import dial

if TYPE_CHECKING:
    from pathlib import Path

AUTHORITY = Authority()


def handshake(
    server: ssl.SSLContext, client: ssl.SSLContext, name: str = "localhost", *, refused: bool = False
) -> tuple[str | None, bytes]:
    steps = [StartTLS(server, refused=refused)] + ([] if refused else [Expect(b"x"), Send(b"y")])
    with (
        ScriptedServer(steps) as running,
        dial(running) as sock,
        client.wrap_socket(sock, server_hostname=name) as secure,
    ):
        secure.sendall(b"x")
        return secure.selected_alpn_protocol(), secure.recv(1)


def test_a_client_that_trusts_the_authority() -> None:
    server = AUTHORITY.server_context(alpn=["h2", "http/1.1"])
    assert handshake(server, AUTHORITY.client_context()) == (None, b"y")
    assert handshake(server, AUTHORITY.client_context(alpn=["h2"])) == ("h2", b"y")
    assert handshake(server, AUTHORITY.client_context(), "127.0.0.1") == (None, b"y")


@pytest.mark.parametrize(
    ("server", "client", "name", "message"),
    [
        (
            AUTHORITY.server_context(),
            ssl.create_default_context(),
            "localhost",
            "unable to get local issuer|self",
        ),
        (
            AUTHORITY.server_context(),
            Authority().client_context(),
            "localhost",
            "unable to get local issuer|self",
        ),
        (AUTHORITY.server_context("a.example"), AUTHORITY.client_context(), "localhost", "mismatch"),
        (AUTHORITY.server_context(expired=True), AUTHORITY.client_context(), "localhost", "expired"),
    ],
    ids=["nobody", "another authority", "another name", "expired"],
)
def test_a_client_that_must_not_trust(
    server: ssl.SSLContext, client: ssl.SSLContext, name: str, message: str
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=message):
        handshake(server, client, name, refused=True)


def test_certificates_of_clients() -> None:
    server = AUTHORITY.server_context(client_certificates=True)
    assert handshake(server, AUTHORITY.client_context(certificate="me@example.org")) == (None, b"y")
    with suppress(ssl.SSLError, ConnectionError):
        assert handshake(server, AUTHORITY.client_context(), refused=True)[1] == b""


def test_the_authority_in_a_file(tmp_path: Path) -> None:
    path = AUTHORITY.write_pem(tmp_path / "authority.pem")
    assert path.read_text() == AUTHORITY.pem
    context = ssl.create_default_context(cafile=str(path))
    assert handshake(AUTHORITY.server_context(), context) == (None, b"y")
