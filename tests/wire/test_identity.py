"""Client certificates from memory, the certificate chain of the server, and names in certificates."""

from __future__ import annotations

import gc
import os
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self  # arguments for other functions are passed on

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

import mint
from mint import CertificateNames, errors
from mint._certificates import names_in
from mint._wire import contexts, files
from mint._wire.peers import chains
from mint._wire.tls import make_context
from mint.testing import Close, Do, Origin, Peer, Request, Response, ScriptedServer, Send, StartTLS, request

from ..tls import authority, server_context, trusting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CA = authority().cert_pem.bytes().decode()
ISSUED = authority().issue_cert("client.example")
CERT, KEY = ISSUED.cert_chain_pems[0].bytes(), ISSUED.private_key_pem.bytes()
LOCKED = serialization.load_pem_private_key(KEY, None).private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.BestAvailableEncryption(b"hush"),
)


def hello(_: Request) -> Response:
    return Response(200, (), b"hello")


# -- client certificates from memory


def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)


def forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_name: str) -> int:
        raise OSError(38, "not implemented")

    monkeypatch.setattr(os, "memfd_create", refuse, raising=False)


def no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    exists = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: "/proc/" not in str(path) and exists(path))


def as_it_is(_monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the kind of file that this system supports."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a new directory, in which temporary files are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    contexts.forget()
    return tmp_path


def descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0  # noqa: PTH112, PTH208  # as quick


SYSTEMS = [as_it_is, no_memory, forbidden, no_proc]
GIVEN: list[tuple[dict[str, Any], str | None]] = [
    ({"cert_data": CERT + KEY}, None),
    ({"cert_data": (CERT + KEY).decode()}, None),
    ({"cert_data": CERT, "key_data": KEY}, None),
    ({"cert_data": CERT, "key_data": LOCKED, "key_password": "hush"}, None),
    ({"cert_data": CERT, "key_data": LOCKED}, "the client's key is encrypted"),
    ({"cert_data": CERT, "key_data": LOCKED, "key_password": "wrong"}, "cannot load cert_data or key_data"),
    ({"cert_data": CERT}, "cannot load cert_data: "),
    ({"cert_data": KEY}, "cannot load cert_data: "),
    ({"cert_data": "-----BEGIN nothing"}, "cannot load cert_data: "),
    ({"cert_data": CERT, "key_file": "/absent"}, "cannot load /absent: No such file"),
    ({"cert_file": "/absent", "key_data": KEY}, "cannot load /absent: No such file"),
]


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(("given", "message"), GIVEN)
def test_a_certificate_from_memory_leaves_no_file_behind(
    system: Callable[[pytest.MonkeyPatch], None],
    given: dict[str, Any],
    message: str | None,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    system(monkeypatch)
    before = descriptors()
    tls = mint.TLSOptions(ca_data=CA, **given)
    if message is None:
        make_context(tls, ())
    else:
        with pytest.raises(errors.TLSFailed, match=message) as caught:
            make_context(tls, ())
        secret = KEY.decode().splitlines()[1]
        assert secret not in str(caught.value) + repr(caught.value)
    assert not list(folder.iterdir())
    assert descriptors() == before


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_the_file_is_private_and_is_removed_after_an_exception(
    system: Callable[[pytest.MonkeyPatch], None],
    error: type[BaseException],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    system(monkeypatch)
    before = descriptors()
    with pytest.raises(error), files.as_file(KEY) as path:
        assert Path(path).read_bytes() == KEY
        assert Path(path).stat().st_mode & 0o777 == 0o600
        raise error
    assert not list(folder.iterdir())
    assert descriptors() == before


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_file_that_could_not_be_written_is_removed(
    error: BaseException, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_memory(monkeypatch)

    class Full:
        def __init__(self, descriptor: int, _mode: str) -> None:
            self.descriptor = descriptor

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            os.close(self.descriptor)

        def write(self, _data: bytes) -> None:
            raise error

    monkeypatch.setattr(files, "open", Full, raising=False)
    expected = errors.TLSFailed if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected, match="No space" if isinstance(error, OSError) else None):
        make_context(mint.TLSOptions(ca_data=CA, cert_data=CERT + KEY), ())
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cert_data": CERT, "cert_file": "a"}, "cert_file and cert_data cannot be used together"),
        (
            {"cert_data": CERT, "key_data": KEY, "key_file": "a"},
            "key_file and key_data cannot be used together",
        ),
        ({"key_data": KEY}, "key_data needs cert_data or cert_file"),
        ({"key_file": "a"}, "key_file needs cert_data or cert_file"),
        ({"cert_data": "hush"}, "cert_data must be PEM"),
        ({"cert_data": b"hush"}, "cert_data must be PEM"),
        ({"cert_data": bytearray(CERT)}, "cert_data must be PEM"),
        ({"cert_data": ""}, "cert_data must be non-empty text"),
        ({"cert_data": CERT, "key_data": "hush\0"}, "key_data must be non-empty text"),
        ({"cert_data": CERT, "key_data": 5}, "key_data must be PEM"),
        ({"verify": False, "check_hostname": bool}, "check_hostname needs verify"),
    ],
)
def test_invalid_options_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        mint.TLSOptions(**given)
    assert "hush" not in str(caught.value)


def test_the_key_is_not_shown() -> None:
    shown = repr(mint.TLSOptions(cert_data=CERT + KEY, key_data=KEY))
    assert "BEGIN" not in shown
    assert "data=" not in shown.replace("ca_data=", "")


def test_an_encrypted_key_in_a_file_is_refused_without_asking_at_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "client.pem").write_bytes(CERT + LOCKED)
    with pytest.raises(errors.TLSFailed, match="give key_password"):
        make_context(mint.TLSOptions(ca_data=CA, cert_file=str(tmp_path / "client.pem")), ())


def test_another_certificate_in_memory_does_not_share_a_session() -> None:
    sessions = mint.TLSSessions()
    resumed: list[bool] = []
    with Origin(hello, tls=server_context(ask_client=True)) as origin:
        for name in ("one.example", "one.example", "two.example"):
            pem = CLIENTS[name]
            tls = mint.TLSOptions(ca_data=CA, cert_data=pem, sessions=sessions)
            with mint.connect("https", origin.address, origin.port, tls=tls) as conn:
                assert conn.tls is not None
                resumed.append(conn.tls.resumed)
                conn, _ = conn.request("GET", "/")
                while conn.open_request_count:
                    conn, _ = conn.recv(timeout=10)
    assert resumed == [False, True, False]


CLIENTS = {
    name: authority().issue_cert(name).private_key_and_cert_chain_pem.bytes()
    for name in ("one.example", "two.example")
}


# -- the certificate chain


def chain_of(server: ssl.SSLContext, tls: mint.TLSOptions, times: int = 1) -> mint.TLSInfo:
    info: mint.TLSInfo | None = None
    with Origin(hello, tls=server) as origin:
        for _ in range(times):
            with mint.connect("https", origin.address, origin.port, tls=tls) as conn:
                info = conn.tls
                conn, _ = conn.request("GET", "/")
                while conn.open_request_count:
                    conn, _ = conn.recv(timeout=10)
    assert info is not None
    return info


def child() -> tuple[ssl.SSLContext, list[bytes], bytes]:
    """Return a server with an intermediate authority, the chain that it sends, and the root."""
    root = trustme.CA()
    issued = root.create_child_ca().issue_cert("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    sent = [ssl.PEM_cert_to_DER_cert(pem.bytes().decode()) for pem in issued.cert_chain_pems]
    return context, sent, root.cert_pem.bytes()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_chain_is_reported(version: ssl.TLSVersion) -> None:
    server, sent, root = child()
    sessions = mint.TLSSessions()
    tls = mint.TLSOptions(ca_data=root.decode(), maximum_version=version, sessions=sessions)
    info = chain_of(server, tls)
    assert info.peer_chain == tuple(sent)
    assert info.verified_chain == (*sent, ssl.PEM_cert_to_DER_cert(root.decode()))
    assert info.peer_certificate == sent[0]
    again = chain_of(server, mint.TLSOptions(verify=False, maximum_version=version))
    assert again.peer_chain == tuple(sent)
    assert again.verified_chain == ()
    # With a resumed session, nothing was verified.
    later = chain_of(server, tls, times=2)
    assert later.resumed
    assert later.verified_chain == ()
    assert later.peer_certificate == sent[0]


def test_the_chain_from_public_methods_of_ssl() -> None:
    """In Python 3.13 the methods of the object itself return octets."""

    class Public:
        context = ssl.create_default_context()
        session_reused = False

        def getpeercert(self, binary_form: bool) -> bytes:
            return b"leaf"

        def get_unverified_chain(self) -> list[bytes]:
            return [b"leaf", b"ca"]

        def get_verified_chain(self) -> list[bytes]:
            return [b"leaf", b"ca", b"root"]

    known = chains(Public())  # type: ignore[arg-type]  # it has the methods that are called
    assert known == (b"leaf", (b"leaf", b"ca"), (b"leaf", b"ca", b"root"))


def test_no_chain_without_support_in_ssl() -> None:
    context = make_context(trusting(), ())
    tls = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a.test")
    with pytest.raises(ValueError, match="handshake"):
        tls.getpeercert()

    class Old:
        context = ssl.create_default_context()
        session_reused = None

        def getpeercert(self, binary_form: bool) -> None:
            return None

    assert chains(Old()) == (None, (), ())  # type: ignore[arg-type]  # as above


# -- names in certificates

MATCHES = [
    ("a.example.com", ("a.example.com",), True),
    ("A.Example.COM", ("a.example.com",), True),
    ("a.example.com.", ("a.example.com",), True),
    ("a.example.com", ("b.example.com", "a.example.com"), True),
    ("a.example.com", ("*.example.com",), True),
    ("a_b.example.com", ("*.example.com",), True),
    ("_dmarc.example.com", ("*.example.com",), True),
    ("a_b.example.com", ("a_b.example.com",), True),
    ("xn--bcher-kva.example.com", ("*.example.com",), True),
    ("a.b.example.com", ("*.example.com",), False),
    ("example.com", ("*.example.com",), False),
    (".example.com", ("*.example.com",), False),
    ("example.com", ("*.com",), False),
    ("com", ("*",), False),
    ("a.example.com", ("*",), False),
    ("ab.example.com", ("a*.example.com",), False),
    ("ab.example.com", ("*b.example.com",), False),
    ("a.b.example.com", ("*.*.example.com",), False),
    ("a.b.example.com", ("a.*.example.com",), False),
    ("*.example.com", ("*.example.com",), False),
    ("a.example.com", ("a.example.com\0.evil.test",), False),
    ("a.example.com", (), False),
    ("", ("",), False),
    ("127.0.0.1", ("127.0.0.1",), False),
    ("127.0.0.1", ("*.0.0.1",), False),
]


@pytest.mark.parametrize(("host", "names", "expected"), MATCHES)
def test_which_names_match(host: str, names: tuple[str, ...], expected: bool) -> None:
    assert CertificateNames(names, ("192.0.2.1", "2001:db8::1")).match(host) is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *(("192.0.2.1", True), ("2001:db8::1", True), ("2001:DB8:0::1", True), ("[2001:db8::1]", True)),
        *(("192.0.2.2", False), ("2001:db8::2", False), ("::ffff:192.0.2.1", False), ("a.test", False)),
    ],
)
def test_which_addresses_match(host: str, expected: bool) -> None:
    assert CertificateNames((), ("192.0.2.1", "2001:db8::1")).match(host) is expected


@pytest.mark.parametrize(
    ("alternatives", "dns", "addresses"),
    [
        ((), (), ()),
        (None, (), ()),
        ((("DNS", "a.test"), ("DNS", "*.b.test")), ("a.test", "*.b.test"), ()),
        ((("IP Address", "192.0.2.1"),), (), ("192.0.2.1",)),
        # OpenSSL writes IPv6 addresses in full, and some versions of `ssl` leave a line break at the end.
        ((("IP Address", "2001:DB8:0:0:0:0:0:1\n"),), (), ("2001:db8::1",)),
        ((("IP Address", "<invalid>"), ("URI", "https://a.test")), (), ()),
    ],
)
def test_names_in_a_certificate(
    alternatives: object, dns: tuple[str, ...], addresses: tuple[str, ...]
) -> None:
    assert names_in(alternatives, b"der") == CertificateNames(dns, addresses, b"der")


def test_names_are_found_if_openssl_does_not_verify() -> None:
    """With `truststore` on macOS and Windows, the system verifies the certificate instead."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    asked: list[CertificateNames] = []

    def check(_host: str, names: CertificateNames) -> bool:
        asked.append(names)
        return names.match("a.test")

    chain_of(server_context("a.test", "::1"), mint.TLSOptions(context=context, check_hostname=check))
    ((names),) = asked
    assert names.dns == ("a.test",)
    assert names.addresses == ("::1",)


def test_a_coroutine_function_is_refused_as_a_check() -> None:
    async def later(_host: str, _names: CertificateNames) -> bool:
        return False

    with pytest.raises(TypeError, match="not a coroutine function"):
        mint.TLSOptions(check_hostname=later)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(TypeError, match="check_hostname must be a function"):
        mint.TLSOptions(check_hostname=True)  # type: ignore[arg-type]  # as above


def test_a_check_that_returns_a_coroutine_accepts_nothing() -> None:
    """A coroutine would be true for every host. There is no warning that it was not awaited."""

    async def later(_host: str, _names: CertificateNames) -> bool:
        return True

    def now(host: str, names: CertificateNames) -> bool:
        return later(host, names)  # type: ignore[return-value]  # wrong on purpose

    tls = mint.TLSOptions(ca_data=CA, check_hostname=now)
    with (
        Origin(hello, tls=server_context()) as origin,
        pytest.raises(errors.HostnameRejected, match="returned coroutine"),
    ):
        mint.connect("https", origin.address, origin.port, tls=tls)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_check_is_repeated_when_a_session_is_resumed(version: ssl.TLSVersion) -> None:
    asked: list[CertificateNames] = []

    def check(_host: str, names: CertificateNames) -> bool:
        asked.append(names)
        return len(asked) < 3

    tls = mint.TLSOptions(
        ca_data=CA, sessions=mint.TLSSessions(), maximum_version=version, check_hostname=check
    )
    with Origin(hello, tls=server_context()) as origin:
        for _ in range(2):
            with mint.connect("https", origin.address, origin.port, tls=tls) as conn:
                conn, _ = conn.request("GET", "/")
                while conn.open_request_count:
                    conn, _ = conn.recv(timeout=10)
        with pytest.raises(errors.HostnameRejected):
            mint.connect("https", origin.address, origin.port, tls=tls)
    assert asked[0] == asked[1] == asked[2]


@pytest.mark.parametrize("refused", ["name", "fingerprint"])
def test_a_refused_server_does_not_get_the_client_certificate(refused: str) -> None:
    """In TLS 1.3 the last messages of the handshake, with the client's certificate, are not sent."""
    came: list[bytes] = []

    def note(peer: Peer) -> None:
        try:
            came.append(peer.read_some())
        except (OSError, EOFError):
            came.append(b"")

    def hello_only(peer: Peer) -> None:
        arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = server_context(ask_client=True).wrap_bio(arriving, leaving, server_side=True)
        while not leaving.pending:
            arriving.write(peer.read_some())
            with pytest.raises(ssl.SSLWantReadError):
                server.do_handshake()
        peer.send(leaving.read())

    options: dict[str, Any] = {"check_hostname": lambda _host, _names: False}
    if refused == "fingerprint":
        options = {"fingerprints": frozenset({"0" * 64})}
    tls = mint.TLSOptions(ca_data=CA, cert_data=CERT + KEY, **options)
    with ScriptedServer([Do(hello_only), Do(note)]) as server, pytest.raises(errors.CertificateRejected):
        mint.connect("https", server.address, server.port, tls=tls)
    assert came == [b""]


# -- authentication after the handshake

PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


@pytest.fixture
def asks_later() -> Iterator[tuple[ScriptedServer, list[object]]]:
    """Run a server that asks for a client certificate after the request (RFC 8446 4.6.2)."""
    context = server_context()
    context.post_handshake_auth = True
    context.verify_mode = ssl.CERT_REQUIRED
    authority().configure_trust(context)
    seen: list[object] = []

    def ask(peer: Peer) -> None:
        tls = peer._tls
        assert tls is not None
        seen.append(tls.object.getpeercert())
        tls.object.verify_client_post_handshake()

    def note(peer: Peer) -> None:
        tls = peer._tls
        assert tls is not None
        seen.append(tls.object.getpeercert())

    steps = [StartTLS(context), request(), Do(ask), Send(PAGE), request(), Do(note), Send(PAGE), Close()]
    with ScriptedServer(steps) as server:
        yield server, seen


def test_a_server_may_ask_after_the_handshake(asks_later: tuple[ScriptedServer, list[object]]) -> None:
    server, seen = asks_later
    tls = mint.TLSOptions(ca_data=CA, cert_data=CERT + KEY, post_handshake_auth=True)
    content = b""
    with mint.http1.connect("https", server.address, server.port, tls=tls) as conn:
        for _ in range(2):
            conn, _ = conn.request("GET", "/")
            while conn.open_request_count:
                conn, responses = conn.recv(timeout=10)
                content += b"".join(each.data for each in responses if isinstance(each, mint.Data))
    assert content == b"hellohello"
    before, after = seen
    assert not before
    assert "client.example" in str(after)


@pytest.mark.parametrize("protocols", [("http2",), ("http1", "http2")])
def test_http2_has_no_authentication_after_the_handshake(protocols: Any) -> None:
    tls = mint.TLSOptions(post_handshake_auth=True)
    for proxy in (None, mint.Proxy("http", "127.0.0.1", 1)):
        with pytest.raises(ValueError, match="HTTP/1 only"):
            mint.connect("https", "127.0.0.1", 1, protocols=protocols, tls=tls, proxy=proxy)
    with pytest.raises(ValueError, match="HTTP/1 only"):
        mint.http2.connect("https", "127.0.0.1", 1, tls=tls)
    # In clear, the option has no effect.
    with pytest.raises(errors.TransportError):
        mint.connect("http", "127.0.0.1", 1, tls=tls, socket=None, protocols=("http1",))
