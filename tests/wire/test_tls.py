"""The TLS layer. Both ends are in memory, so that any split and any end can be tested."""

from __future__ import annotations

import re
import ssl
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from mint import TLSOptions, TLSSessions, errors
from mint._wire.files import _what_failed
from mint._wire.tls import TLSLayer, make_context, prepare, tls_error
from tests.tls import authority, server_context, trusting

if TYPE_CHECKING:
    from pathlib import Path


class Server:
    """The other end of a layer."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.arriving, self.leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.arriving, self.leaving, server_side=True)

    def handshake(self) -> bool:
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True


def joined(layer: TLSLayer, server: Server) -> None:
    ours = theirs = False
    while not (ours and theirs):
        ours = ours or layer.handshake()
        server.arriving.write(layer.leaving())
        theirs = theirs or server.handshake()
        if server.leaving.pending:
            layer.feed(server.leaving.read())


def connected(
    options: TLSOptions, context: ssl.SSLContext, name: str = "localhost"
) -> tuple[TLSLayer, Server]:
    layer = TLSLayer(make_context(options, ("h2", "http/1.1")), name)
    server = Server(context)
    joined(layer, server)
    return layer, server


@pytest.mark.rfc("9112-9.7-a")
def test_plaintext_in_both_directions() -> None:
    layer, server = connected(trusting(), server_context(alpn=("http/1.1",)))
    layer.write(b"hello")
    server.arriving.write(layer.leaving())
    assert server.tls.read() == b"hello"
    server.tls.write(b"x" * 100_000)
    layer.feed(server.leaving.read())
    assert layer.read() == b"x" * 100_000
    assert not layer.ended
    info = layer.info()
    assert info.version == "TLSv1.3"
    assert info.alpn == "http/1.1"
    assert info.server_hostname == "localhost"
    assert info.peer_certificate is not None
    assert info.cipher
    assert not info.resumed


def test_a_record_may_arrive_octet_by_octet() -> None:
    layer, server = connected(trusting(), server_context())
    server.tls.write(b"slow")
    octets = server.leaving.read()
    read = b""
    for place in range(len(octets)):
        assert read in {b"", b"slow"}
        layer.feed(octets[place : place + 1])
        read += layer.read()
    assert read == b"slow"


def test_close_notify_is_a_clean_end() -> None:
    layer, server = connected(trusting(), server_context())
    server.tls.write(b"last")
    with pytest.raises(ssl.SSLWantReadError):
        server.tls.unwrap()
    layer.feed(server.leaving.read())
    assert layer.read() == b"last"
    assert layer.read() == b""
    assert layer.ended
    assert layer.clean_end


def test_an_end_without_close_notify_is_not_clean() -> None:
    layer, server = connected(trusting(), server_context())
    server.tls.write(b"last")
    layer.feed(server.leaving.read())
    assert layer.read() == b"last"
    layer.feed(b"")
    assert layer.read() == b""
    assert layer.ended
    assert not layer.clean_end


@pytest.mark.rfc("9112-9.8-a")
def test_our_close_notify_reaches_the_peer() -> None:
    layer, server = connected(trusting(), server_context())
    layer.close_notify()
    server.arriving.write(layer.leaving())
    assert server.tls.read() == b""
    layer.close_notify()


def test_invalid_records_are_a_typed_error_after_valid_ones() -> None:
    layer, server = connected(trusting(), server_context())
    known = layer.info()
    server.tls.write(b"good")
    layer.feed(server.leaving.read() + b"GARBAGE GARBAGE GARBAGE")
    assert layer.read() == b"good"
    with pytest.raises(errors.TLSFailed) as caught:
        layer.read()
    assert isinstance(caught.value.__cause__, ssl.SSLError)
    with pytest.raises(errors.TLSFailed):
        layer.write(b"more")
    assert layer.info() == known


@pytest.mark.rfc("9110-4.3.4-a")
@pytest.mark.rfc("9110-4.3.4-d")
def test_a_certificate_for_another_name_is_rejected() -> None:
    """RFC 9110 4.3.4: the certificate must be valid for the host of the URI."""
    with pytest.raises(errors.CertificateRejected, match=r"[Hh]ostname mismatch"):
        connected(trusting(), server_context("elsewhere.test"))


def test_an_unknown_authority_is_rejected() -> None:
    with pytest.raises(errors.CertificateRejected) as caught:
        connected(TLSOptions(), server_context())
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)


@pytest.mark.rfc("9110-4.3.4-c")
def test_the_common_name_is_not_used() -> None:
    """RFC 9110 4.3.4: only subject alternative names count."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority().issue_cert("other.test", common_name="localhost").configure_cert(context)
    with pytest.raises(errors.CertificateRejected):
        connected(trusting(), context)


@pytest.mark.rfc("9110-4.3.4-b")
def test_an_ip_address_must_be_in_the_certificate() -> None:
    """RFC 9110 4.3.4: an address is compared with the addresses in the certificate only."""
    connected(trusting(), server_context("127.0.0.1"), "127.0.0.1")
    with pytest.raises(errors.CertificateRejected):
        connected(trusting(), server_context("localhost"), "127.0.0.1")


def test_verification_can_be_turned_off() -> None:
    layer, _ = connected(TLSOptions(verify=False), server_context("elsewhere.test"))
    assert layer.info().version


def test_only_the_given_authorities_are_trusted() -> None:
    """CVE-2019-11324: with a custom authority, those of the system are not trusted."""
    context = make_context(trusting(), ())
    assert len(context.get_ca_certs()) == 1


def test_a_client_certificate_is_sent(tmp_path: Path) -> None:
    blob = authority().issue_cert("client.test")
    path = tmp_path / "client.pem"
    blob.private_key_and_cert_chain_pem.write_to_path(path)
    context = server_context(ask_client=True)
    layer, server = connected(trusting(cert_file=str(path)), context)
    assert layer.info().version
    assert server.tls.getpeercert() is not None


def test_files_that_cannot_be_loaded_are_typed_errors(tmp_path: Path) -> None:
    for options in (
        TLSOptions(ca_file=str(tmp_path / "absent.pem")),
        TLSOptions(ca_data="not a certificate"),
        TLSOptions(cert_file=str(tmp_path / "absent.pem")),
        TLSOptions(ciphers="NO-SUCH-CIPHER"),
    ):
        with pytest.raises(errors.TLSFailed):
            make_context(options, ())


@pytest.mark.parametrize("sessions", [None, TLSSessions()])
def test_the_file_that_cannot_be_loaded_is_named(tmp_path: Path, sessions: TLSSessions | None) -> None:
    absent, empty, good = (str(tmp_path / name) for name in ("absent.pem", "empty.pem", "good.pem"))
    (tmp_path / "empty.pem").touch()
    authority().issue_cert("client.test").private_key_and_cert_chain_pem.write_to_path(good)
    folder = str(tmp_path)
    for options, culprit in (
        (TLSOptions(ca_file=absent, sessions=sessions), absent),
        (TLSOptions(ca_file=empty, sessions=sessions), empty),
        (TLSOptions(ca_file=folder, sessions=sessions), folder),
        (TLSOptions(cert_file=absent, sessions=sessions), absent),
        (TLSOptions(cert_file=empty, sessions=sessions), empty),
        (TLSOptions(cert_file=good, key_file=absent, sessions=sessions), absent),
        (TLSOptions(cert_file=empty, key_file=absent, sessions=sessions), absent),
        (TLSOptions(cert_file=good, key_file=empty, sessions=sessions), f"{good} or {empty}"),
        (TLSOptions(key_log_file=f"{absent}/log", sessions=sessions), f"{absent}/log"),
    ):
        with pytest.raises(errors.TLSFailed, match=re.escape(f"cannot load {culprit}: ")):
            prepare(options, (), "origin.example", ())


def test_the_key_log_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    connected(trusting(), server_context())
    assert "TRAFFIC_SECRET" in log.read_text()


def test_a_context_of_the_caller_is_used_unchanged() -> None:
    mine = ssl.create_default_context()
    authority().configure_trust(mine)
    assert make_context(TLSOptions(context=mine), ("http/1.1",)) is mine
    layer = prepare(TLSOptions(context=mine), ("http/1.1",), "localhost", None).layer()
    joined(layer, Server(server_context(alpn=("h2", "http/1.1"))))
    assert layer.alpn == "http/1.1"
    # The protocols of the context itself are not changed, because others may use it.
    mine.set_alpn_protocols(["h2"])
    make_context(TLSOptions(context=mine), ("http/1.1",))
    theirs = TLSLayer(mine, "localhost")
    joined(theirs, Server(server_context(alpn=("h2", "http/1.1"))))
    assert theirs.alpn == "h2"


def test_partial_chains_need_an_option() -> None:
    assert not make_context(trusting(), ()).verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    options = TLSOptions(ca_data=authority().cert_pem.bytes().decode(), partial_chain=True)
    assert make_context(options, ()).verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN


@pytest.mark.rfc("9113-9.2.1-a")
@pytest.mark.rfc("9113-9.2.3-a")
def test_a_context_fulfils_the_requirements_of_http2() -> None:
    """RFC 9113 9.2: TLS 1.2 or newer, without compression, renegotiation or late authentication."""
    context = make_context(TLSOptions(), ("h2",))
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_COMPRESSION
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert not context.post_handshake_auth
    assert context.check_hostname


def test_the_trust_store_falls_back_to_certifi(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the system has no trust store, that of `certifi` is used."""
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *_: None)
    monkeypatch.setattr("mint._wire.tls._has_store", lambda: False)
    assert make_context(TLSOptions(), ()).get_ca_certs()


def test_a_name_that_tls_does_not_accept_is_a_typed_error() -> None:
    with pytest.raises(errors.TLSFailed):
        TLSLayer(make_context(trusting(), ()), ".leading.dot")
    assert isinstance(tls_error(ValueError("bad")), errors.TLSFailed)


@pytest.mark.parametrize(
    ("ticket", "identifier", "version", "kept"),
    [
        *((True, b"", "TLSv1.3", True), (True, b"", "TLSv1.2", True), (False, b"x", "TLSv1.2", True)),
        *((False, b"", "TLSv1.2", False), (False, b"x", "TLSv1.3", False), (True, b"x", "TLSv1.3", True)),
    ],
)
def test_which_sessions_are_kept(ticket: bool, identifier: bytes, version: str, kept: bool) -> None:
    """With TLS 1.3, a session without a ticket cannot be resumed, although it has an identifier."""
    session = SimpleNamespace(has_ticket=ticket, id=identifier)
    for found in (session, None):
        layer = SimpleNamespace(
            ssl_object=SimpleNamespace(session=found, version=lambda: version), watched=True, _keep=True
        )
        stored: list[object] = []
        TLSLayer._keep_session(layer, stored.append)  # type: ignore[arg-type]  # a fake
        keeps = kept and found is not None
        assert stored == ([session] if keeps else [])
        assert (layer.watched, layer._keep) == ((False, None) if keeps else (True, True))


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (OSError(5, "Input/output error"), "Input/output error"),
        (OSError("odd"), "odd"),
        (ssl.SSLError(1, "[PEM: NO_START_LINE] no start line"), "not in PEM form, or for another password"),
    ],
)
def test_why_a_readable_file_cannot_be_loaded(error: OSError, detail: str, tmp_path: Path) -> None:
    (tmp_path / "a.pem").touch()
    file = str(tmp_path / "a.pem")
    assert _what_failed([file], (), error) == f"cannot load {file}: {detail}"
    assert _what_failed([file], ("key_data",), error) == f"cannot load key_data or {file}: {detail}"


@pytest.mark.parametrize(
    ("options", "name", "kind"),
    [
        (trusting(), "other.example", errors.HostnameRejected),
        (trusting(), "127.0.0.1", errors.HostnameRejected),
        (TLSOptions(), "localhost", errors.CertificateRejected),
    ],
    ids=["another name", "another address", "an unknown authority"],
)
def test_a_certificate_for_another_host_has_an_error_of_its_own(
    options: TLSOptions, name: str, kind: type[errors.CertificateRejected]
) -> None:
    with pytest.raises(errors.CertificateRejected) as caught:
        connected(options, server_context("localhost"), name)
    assert type(caught.value) is kind
