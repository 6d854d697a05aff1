"""Advisories about TLS, proxies, credentials, hosts and timeouts (rules 24 to 32 of test_rules.py).

Advisories about redirects and cookies are omitted, because mint has neither. Advisories with the same rule
share a test. Those about pools (rule 25) are tested by what every pool needs: the values that identify a
connection differ if any of their fields differs.
"""

from __future__ import annotations

import datetime as dt
import ssl
import threading
from dataclasses import fields, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any  # arguments for other functions are passed on

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import mint
from mint import Proxy, errors
from mint._hosts import ascii_host
from mint._sessions import TLSSessions
from mint._wire.tls import TLSLayer, make_context
from mint.proxy import from_environment
from mint.testing import (
    Close,
    Do,
    Expect,
    Forever,
    Origin,
    Peer,
    Request,
    Response,
    ScriptedServer,
    Send,
    StartTLS,
    Step,
    http2,
    request,
)
from tests.routes import TUNNELS, RouteName, fetch, open_route
from tests.tls import authority, server_context, trusting

if TYPE_CHECKING:
    from collections.abc import Callable

advisory = pytest.mark.advisory
CA = authority().cert_pem.bytes().decode()
OPEN = b"HTTP/1.1 200 OK\r\n\r\n"


def hello(_: Request) -> Response:
    return Response(200, (), b"hello")


def connect(
    origin: Origin, tls: mint.TLSOptions, hostname: str = "localhost", **more: Any
) -> mint.Connection:
    conn: mint.Connection = mint.connect(
        "https", origin.address, origin.port, hostname=hostname, tls=tls, **more
    )
    return conn


# -- rule 24: certificates are checked for the right name, on every route


@advisory("CVE-2016-10932")
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_the_name_is_checked(protocol: mint.types.ProtocolName) -> None:
    with (
        Origin(hello, tls=server_context("good.example", alpn=("h2", "http/1.1"))) as origin,
        pytest.raises(errors.CertificateRejected),
    ):
        connect(origin, trusting(), "evil.example", protocols=(protocol,))


@advisory("CVE-2013-2037")
def test_the_name_is_checked_every_time() -> None:
    tls = mint.TLSOptions(ca_data=CA, sessions=TLSSessions())
    with Origin(hello, tls=server_context("localhost")) as origin:
        fetch(connect(origin, tls))
        with pytest.raises(errors.CertificateRejected):
            connect(origin, tls, "evil.example")
        fetch(connect(origin, tls))


@advisory("CVE-2016-9015", "CVE-2019-11324", "CVE-2026-11564")
def test_given_authorities_replace_those_of_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "system.pem").write_text(CA)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    other = ssl.DER_cert_to_PEM_cert(certificate([x509.DNSName("other.example")], tmp_path)[0])
    with Origin(hello, tls=server_context()) as origin:
        fetch(connect(origin, mint.TLSOptions()))
        for own in (mint.TLSOptions(ca_data=other), mint.TLSOptions(ca_file=str(tmp_path / "cert.pem"))):
            with pytest.raises(errors.CertificateRejected):
                connect(origin, own)


@advisory("CVE-2021-28363")
def test_the_certificate_of_a_proxy_is_checked_by_default() -> None:
    with ScriptedServer([Forever()], tls=None) as plain, Origin(hello, tls=server_context()) as server:
        proxy = Proxy("https", server.address, server.port)
        with pytest.raises(errors.CertificateRejected):
            mint.connect("http", "origin.example", 80, proxy=proxy)
        # The TLS options of the origin do not apply to the proxy.
        with pytest.raises(errors.CertificateRejected):
            mint.connect("https", "origin.example", 443, proxy=proxy, tls=mint.TLSOptions(verify=False))
        Proxy("http", plain.address, plain.port)
        mint.connect("http", plain.address, plain.port).close()


@advisory("CVE-2026-9697", "GHSA-vmh5-mc38-953g")
@pytest.mark.parametrize("route", TUNNELS)
def test_the_name_is_checked_on_every_route(route: RouteName) -> None:
    """tests/connect/test_routes.py tests every option on every route."""
    with (
        Origin(hello, tls=server_context("localhost")) as origin,
        open_route(route, origin) as made,
        pytest.raises(errors.CertificateRejected),
    ):
        made.connect("https", hostname="evil.example", tls=trusting())


def certificate(
    names: list[x509.GeneralName], folder: Path, common_name: str = "localhost"
) -> tuple[bytes, ssl.SSLContext, str]:
    """Make a self-signed certificate; return it as DER, the context of a server with it, and the PEM text."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36_500))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    if names:
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signed = made.sign(key, hashes.SHA256())
    pem = signed.public_bytes(serialization.Encoding.PEM)
    (folder / "cert.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return signed.public_bytes(serialization.Encoding.DER), context, pem.decode()


@advisory("CVE-2014-0139", "CVE-2014-2522", "CVE-2014-1263", "CVE-2023-28321", "CVE-2013-7440")
@advisory("CVE-2009-2417", "CVE-2013-4238", "CVE-2021-44532", "CVE-2021-44533")
@pytest.mark.parametrize(
    ("names", "host"),
    [
        ([x509.DNSName("*.1.1.1")], "1.1.1.1"),
        ([x509.DNSName("127.0.0.1")], "127.0.0.1"),
        ([x509.DNSName("*")], "localhost"),
        ([x509.DNSName("*.example")], "example"),
        ([x509.DNSName("*.example")], "a.b.example"),
        ([x509.DNSName("xn--*.example")], "xn--bcher-kva.example"),
        ([x509.DNSName("x*.example")], "xn--bcher-kva.example"),
        ([x509.DNSName("good.example\0.evil.example")], "good.example"),
        ([x509.DNSName("evil.example\0good.example")], "good.example"),
        ([x509.UniformResourceIdentifier("http://evil.example/, DNS:good.example")], "good.example"),
        ([x509.RFC822Name("a@evil.example")], "evil.example"),
        ([x509.DNSName("other.example")], "good.example"),
        ([], "good.example"),
    ],
)
def test_certificates_for_other_names_are_rejected(
    names: list[x509.GeneralName], host: str, tmp_path: Path
) -> None:
    """The common name of each certificate is the host, which must not make a difference."""
    _, context, pem = certificate(names, tmp_path, common_name=host)
    with Origin(hello, tls=context) as origin, pytest.raises(errors.CertificateRejected):
        connect(origin, mint.TLSOptions(ca_data=pem), host)


@advisory("CVE-2021-22939")
def test_none_does_not_turn_a_check_off() -> None:
    for name in ("verify", "partial_chain"):
        with pytest.raises(ValueError, match=name):
            mint.TLSOptions(**{name: None})  # type: ignore[arg-type]  # wrong on purpose


# -- rules 25 and 26: nothing is shared between connections that differ


@advisory("CVE-2024-35195")
def test_verification_is_off_for_one_connection_only() -> None:
    sessions = TLSSessions()
    with Origin(hello, tls=server_context("other.example")) as origin:
        fetch(connect(origin, mint.TLSOptions(verify=False, sessions=sessions)))
        with pytest.raises(errors.CertificateRejected):
            connect(origin, mint.TLSOptions(ca_data=CA, sessions=sessions))


@advisory("CVE-2024-0853")
@advisory("CVE-2016-5419", "CVE-2017-7468", "CVE-2021-22890", "CVE-2021-22901")
def test_a_session_without_verification_is_not_resumed_with_it() -> None:
    """tests/wire/test_tls_options.py tests the other options that the key of a session contains."""
    sessions = TLSSessions()
    with Origin(hello, tls=server_context()) as origin:
        fetch(connect(origin, mint.TLSOptions(verify=False, sessions=sessions)))
        conn = connect(origin, mint.TLSOptions(ca_data=CA, sessions=sessions))
        assert conn.tls is not None
        assert not conn.tls.resumed
        conn.close()


@advisory("CVE-2026-8932", "CVE-2016-5420", "CVE-2016-7141")
def test_each_connection_has_its_own_client_certificate(tmp_path: Path) -> None:
    shown: list[str] = []

    def note(peer: Peer) -> None:
        tls = peer._tls
        assert tls is not None
        der = tls.object.getpeercert(binary_form=True)
        assert der is not None
        names = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        shown.extend(names.value.get_values_for_type(x509.DNSName))

    context, sessions = server_context(ask_client=True), TLSSessions()
    steps = [StartTLS(context), Do(note), Close()]
    with ScriptedServer(steps, steps) as server:
        for name in ("one.example", "two.example"):
            file = tmp_path / f"{name}.pem"
            authority().issue_cert(name).private_key_and_cert_chain_pem.write_to_path(str(file))
            tls = mint.TLSOptions(ca_data=CA, cert_file=str(file), sessions=sessions)
            mint.connect("https", server.address, server.port, tls=tls).close()
    assert shown == ["one.example", "two.example"]


@pytest.mark.rfc("8446-8")
@advisory("CVE-2026-9545")
def test_there_is_no_early_data() -> None:
    """A client that resumes a session sends only its ClientHello before the server answers."""
    kept: list[ssl.SSLSession] = []
    server, context = server_context(), make_context(trusting(), ())
    for session in (None, "kept"):
        layer = TLSLayer(context, "localhost", kept[0] if session else None, kept.append)
        arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        other = server.wrap_bio(arriving, leaving, server_side=True)
        assert not layer.handshake()
        hello = layer.leaving()
        # It is one handshake record, without the early_data extension (type 42, empty).
        assert hello[0] == 22
        assert len(hello) == 5 + int.from_bytes(hello[3:5], "big")
        assert b"\x00\x2a\x00\x00" not in hello
        arriving.write(hello)
        ours = theirs = False
        while not (ours and theirs):
            theirs = theirs or shaken(other)
            layer.feed(leaving.read())
            ours = ours or layer.handshake()
            arriving.write(layer.leaving())
        other.write(b"page")
        layer.feed(leaving.read())
        assert layer.read() == b"page"
        assert layer.info().resumed is (session is not None)


def shaken(other: ssl.SSLObject) -> bool:
    try:
        other.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


PROXY = Proxy("http", "proxy.example", 3128, username="me", password="hush")


def any_name(_host: str, _names: mint.CertificateNames) -> bool:
    return True


CHANGES: dict[type, dict[str, object]] = {
    Proxy: {
        "scheme": "https",
        "address": "other.example",
        "port": 3129,
        "hostname": "other.example",
        "headers": (("a", "b"),),
        "username": "you",
        "password": "other",
        "tls": mint.TLSOptions(verify=False),
        "http1": mint.HTTP1Options(lenient=True),
        "http2": mint.HTTP2Options(max_fields=1),
        "protocols": ("http2",),
        "tunnel": True,
        "tunnel_timeout": 1.0,
    },
    mint.TLSOptions: {
        "verify": False,
        "trust": "system",
        "ca_file": "a",
        "ca_data": "b",
        "cert_file": "c",
        "key_file": "d",
        "fingerprints": frozenset({"ab" * 32}),
        "key_password": "e",
        "cert_data": "-----BEGIN i",
        "key_data": "-----BEGIN j",
        "check_hostname": any_name,
        "post_handshake_auth": True,
        "server_hostname": "f",
        "minimum_version": ssl.TLSVersion.TLSv1_3,
        "maximum_version": ssl.TLSVersion.TLSv1_2,
        "ciphers": "g",
        "partial_chain": True,
        "key_log_file": "h",
        "context": ssl.create_default_context(),
    },
    mint.TCPOptions: {
        "connect_timeout": 1.0,
        "send_timeout": 1.0,
        "high_water": 1,
        "max_read_ahead": 1,
        "inet4": False,
        "inet6": False,
        "nodelay": False,
        "keepalive": True,
        "send_buffer": 1,
        "receive_buffer": 1,
        "local_address": ("127.0.0.1", 0),
        "receive_size": 1,
    },
}
BASES: dict[type, Any] = {
    Proxy: PROXY,
    mint.TLSOptions: mint.TLSOptions(cert_file="x"),
    mint.TCPOptions: mint.TCPOptions(),
}


@advisory("CVE-2026-6734", "GHSA-hm92-r4w5-c3mj", "CVE-2026-3784", "CVE-2026-4873", "CVE-2026-8286")
@advisory("CVE-2026-8458", "CVE-2022-27775", "CVE-2022-22576", "CVE-2026-1965", "CVE-2026-5545")
@advisory("CVE-2014-0015", "CVE-2015-3143", "CVE-2015-3148", "aiohttp 3.14.1 (server_hostname)")
@pytest.mark.parametrize("kind", CHANGES, ids=lambda kind: kind.__name__)
def test_values_that_identify_a_connection_differ_in_each_field(kind: type) -> None:
    base = BASES[kind]
    changes = CHANGES[kind]
    # `sessions` is a store for results, and not a part of the configuration.
    assert set(changes) | {"sessions"} == {each.name for each in fields(kind)} | {"sessions"}
    seen = {base}
    for name, value in changes.items():
        if name == "cert_data":
            seen.add(base := replace(base, cert_file=None))  # one excludes the other
            changed = replace(base, cert_data=value)
            base = BASES[kind]
        else:
            changed = replace(base, **{name: value})
        assert changed not in seen, name
        seen.add(changed)


# -- rule 27: credentials


@advisory("CVE-2003-1605", "CVE-2015-3153", "CVE-2014-1830", "CVE-2023-32681", "CVE-2025-4673")
@advisory("GHSA-34jh-p97f-mpxf", "CVE-2024-37891", "CVE-2026-34518")
@advisory("CVE-2026-9079", "CVE-2026-6253", "CVE-2026-7168", "CVE-2026-8927", "CVE-2026-11856")
def test_fields_for_the_proxy_and_for_the_origin_are_kept_apart() -> None:
    """This includes repeated fields; tests/connect/test_routes.py tests every kind of proxy."""
    seen: list[Request] = []

    def note(request: Request) -> Response:
        seen.append(request)
        return hello(request)

    # A second authorization field would be refused; cookie fields may be repeated.
    secrets = (("authorization", "Basic one"), ("cookie", "a=1"), ("cookie", "b=2"))
    with Origin(note) as origin:
        for name in ("first", "second"):
            told = {"username": name, "password": "hush", "headers": (("x-for", "proxy"),) * 2}
            with open_route("http proxy", origin, **told) as made:
                fetch(made.connect("http"), secrets)
                assert made.http is not None
                (request,) = made.http.requests
                assert not {"authorization", "cookie"} & {field for field, _ in request.headers}
                assert len([field for field, _ in request.headers if field == "proxy-authorization"]) == 1
    for told_origin in seen:
        names = [name for name, _ in told_origin.headers]
        assert "x-for" not in names
        assert "proxy-authorization" not in names
        assert names.count("authorization") == 1
        assert names.count("cookie") == 2


@advisory("CVE-2018-20060", "CVE-2018-25091", "CVE-2023-43804", "CVE-2026-44431", "CVE-2018-18074")
@advisory("CVE-2024-45336", "CVE-2023-45289", "CVE-2022-27774", "CVE-2022-27776", "CVE-2018-1000007")
@advisory("CVE-2025-14524", "CVE-2021-22876", "CVE-2023-45803", "CVE-2025-50181", "CVE-2025-50182")
@advisory("GHSA-h73q-4w9q-82h4")
@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("route", ["direct", "http proxy", "forwarded"])
def test_nothing_is_redirected(route: RouteName, protocol: mint.types.ProtocolName) -> None:
    seen: list[str] = []

    def move(request: Request) -> Response:
        seen.append(request.target)
        return Response(302, (("location", "http://127.0.0.1:1/elsewhere"),), b"")

    if route == "forwarded" and protocol == "http2":
        return
    with Origin(move) as origin, open_route(route, origin) as made:
        conn = made.connect("http", protocols=(protocol,))
        assert fetch(conn, (("authorization", "Basic secret"),))[0] == 302
    assert seen == ["/page"]


@advisory("CVE-2018-18074", "CVE-2014-1829", "CVE-2015-2296", "CVE-2024-47081")
def test_credentials_come_only_from_the_caller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("default login me password hush\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    seen: list[Request] = []

    def note(request: Request) -> Response:
        seen.append(request)
        return Response(401, (("www-authenticate", "Basic realm=x"), ("set-cookie", "a=b")), b"")

    with Origin(note) as origin:
        for _ in range(2):
            fetch(mint.connect("http", origin.address, origin.port))
        with pytest.raises(ValueError, match="host"):
            mint.connect("http", f"me:hush@{origin.address}", origin.port)
    assert all({name for name, _ in each.headers} == {"host", "user-agent"} for each in seen)


# -- rule 28: tunnels


@advisory("CVE-2021-22946", "CVE-2021-22947")
@pytest.mark.parametrize(
    "early", [b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil", b"\x15\x03\x03", b"\0"]
)
def test_octets_before_tls_are_never_http(early: bytes) -> None:
    script = [request(), Send(OPEN + early), Expect(b"\x16\x03\x01"), Forever()]
    tcp = mint.TCPOptions(connect_timeout=0.8)
    with ScriptedServer(script) as server:
        proxy = Proxy("http", server.address, server.port)
        with pytest.raises((errors.TLSFailed, errors.TransportTimeout)) as caught:
            mint.connect("https", "origin.example", 443, proxy=proxy, tls=trusting(), tcp=tcp)
    assert caught.value.responses == ()


CONNECTS: dict[str, tuple[dict[str, Any], bytes, bytes]] = {
    "host is the authority": ({}, rb"^CONNECT origin\.example:443 .*\r\nhost: origin\.example:443\r\n", OPEN),
    "authority of IPv6": (
        {"address": "2001:db8::1"},
        rb"^CONNECT \[2001:db8::1\]:443 .*\r\nhost: \[2001:db8::1\]:443\r\n",
        OPEN,
    ),
    "the address, not the hostname": ({"address": "192.0.2.1"}, rb"^CONNECT 192\.0\.2\.1:443 ", OPEN),
    "content-length with 2xx": ({}, rb"^CONNECT ", b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n"),
    "HTTP/1.0": ({}, rb"^CONNECT ", b"HTTP/1.0 200 OK\r\n\r\n"),
    "connection: close": ({}, rb"^CONNECT ", b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"),
}


@advisory("Mint 491", "Mint 492", "Mint 493", "Mint 494", "Mint 495", "Mint 496", "Mint 503")
@pytest.mark.parametrize("case", CONNECTS)
def test_connect_requests_follow_the_specification(case: str) -> None:
    options, target, answer = CONNECTS[case]
    context = server_context("origin.example")
    with ScriptedServer([request(target), Send(answer), StartTLS(context)]) as server:
        # The TLS options are those of the origin; the connection to the proxy does not use TLS.
        conn = mint.connect(
            *("https", options.get("address", "origin.example"), 443),
            hostname="origin.example",
            proxy=Proxy("http", server.address, server.port),
            tls=trusting(),
        )
        conn.close()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@advisory("CVE-2022-42915", "CVE-2022-43552")
@pytest.mark.parametrize("status", [407, 502])
def test_a_refused_tunnel_leaves_nothing_behind(status: int) -> None:
    answer = b"HTTP/1.1 %d No\r\ncontent-length: 5\r\n\r\nhello" % status
    count = 6
    with ScriptedServer(*[[request(), Send(answer)] for _ in range(count)]) as server:
        proxy = Proxy("http", server.address, server.port)
        before = open_files()
        held = []
        for _ in range(count):
            with pytest.raises(errors.UnexpectedProxyStatus) as caught:
                mint.connect("https", "origin.example", 443, proxy=proxy)
            held.append(caught.value)
    assert open_files() <= before
    assert all(each.body == b"hello" for each in held)


# -- rule 32: SOCKS


@advisory("CVE-2023-38545")
@pytest.mark.parametrize("size", [254, 255, 256, 65_536])
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4a"])
def test_a_name_that_socks_cannot_carry_is_refused(scheme: mint.proxy.ProxyScheme, size: int) -> None:
    name = ("a" * 63 + ".") * (size // 64) + "a" * (size % 64 or 1)
    with pytest.raises(ValueError, match="host name"):
        mint.connect("http", name[:size], 80, proxy=Proxy(scheme, "127.0.0.1", 1))


@advisory("CVE-2023-38545")
def test_the_longest_name_goes_through_a_slow_handshake() -> None:
    name = ".".join(["a" * 62] * 4)
    octets = bytes((len(name),)) + name.encode()
    script = [
        *(Expect(b"\x05\x01\x00"), Send(b"\x05\x00", cuts=(1,))),
        *(
            Expect(b"\x05\x01\x00\x03" + octets + b"\x00\x50"),
            Send(b"\x05\x00\x00\x01" + bytes(6), cuts=(3, 7)),
        ),
    ]
    with ScriptedServer(script) as server:
        proxy = Proxy("socks5h", server.address, server.port)
        mint.connect("http", name, 80, proxy=proxy).close()


# -- rule 31: one deadline for connecting

SOCKS: list[Step] = [Expect(b"\x05\x01\x00"), Send(b"\x05\x00"), Expect(b"\x05\x01\x00\x03")]
STALLS: dict[str, list[Step]] = {
    "nothing": [],
    "the method": [Expect(b"\x05\x01\x00"), Send(b"\x05")],
    "the reply": [*SOCKS],
    "half a reply": [*SOCKS, Send(b"\x05\x00\x00\x01")],
    "TLS": [*SOCKS, Send(b"\x05\x00\x00\x01" + bytes(6))],
}


@advisory("CVE-2026-47071", "GHSA-gp9c-pm5m-5cxr")
@pytest.mark.parametrize("stall", STALLS)
def test_the_time_limit_covers_every_step_of_socks_and_tls(stall: str) -> None:
    tcp = mint.TCPOptions(connect_timeout=0.6)
    with ScriptedServer([*STALLS[stall], Forever()]) as server:
        proxy = Proxy("socks5h", server.address, server.port)
        with pytest.raises(TimeoutError):
            mint.connect("https", "origin.example", 443, proxy=proxy, tcp=tcp)


def drip(stop: threading.Event) -> Callable[[Peer], None]:
    """Return an action that sends a field line without end, an octet at a time."""

    def play(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nx: ")
        while not stop.wait(0.02):
            peer.send(b"y")

    return play


@advisory("GHSA-jq4m-q6p2-8gwc")
def test_an_endless_response_does_not_extend_the_time_limit() -> None:
    stop = threading.Event()
    with ScriptedServer([request(), Do(drip(stop))]) as server:
        proxy = Proxy("http", server.address, server.port, tunnel_timeout=0.4)
        start = monotonic()
        try:
            with pytest.raises(errors.TunnelTimeout):
                mint.connect("https", "origin.example", 443, proxy=proxy)
        finally:
            stop.set()
        assert monotonic() - start < 5


@advisory("CVE-2026-56853")
@pytest.mark.parametrize("steps", [[], [Send(b"\x16\x03\x03\x00\x7a")]])
def test_the_deadline_covers_the_negotiation(steps: list[Step]) -> None:
    tcp = mint.TCPOptions(connect_timeout=0.5)
    with ScriptedServer([*steps, Forever()]) as server, pytest.raises(errors.TransportTimeout):
        mint.connect("https", server.address, server.port, tcp=tcp)
    proxied = [http2.ExpectPreface(), Forever()]
    with ScriptedServer(proxied) as server, pytest.raises(errors.TunnelTimeout):
        proxy = Proxy("http", server.address, server.port, protocols=("http2",))
        mint.connect("https", "origin.example", 443, proxy=proxy, tcp=tcp)


# -- rule 30: the environment


@advisory("CVE-2025-22870")
@pytest.mark.parametrize("host", ["::1%25.example.com", "[::1%25.example.com]", "::1%.example.com"])
def test_a_zone_is_not_matched_as_a_name(host: str) -> None:
    environ = {"http_proxy": "proxy.example", "no_proxy": ".example.com,example.com"}
    assert from_environment("http", host, environ=environ) is not None


@advisory("CVE-2016-5386", "CVE-2016-1000110")
def test_a_request_to_a_cgi_program_chooses_no_proxy() -> None:
    environ = {"HTTP_PROXY": "evil.example", "REQUEST_METHOD": "GET"}
    assert from_environment("http", "origin.example", environ=environ) is None


# -- rule 29: hosts


@advisory("CVE-2026-47076", "CVE-2025-1211", "CVE-2022-27780", "CVE-2016-8624", "CVE-2016-8625")
@advisory("CVE-2020-8169", "CVE-2026-39821", "aiohttp 3.14.1")
@pytest.mark.parametrize(
    "host",
    [
        *("%31%32%37.0.0.1", "example.com%2F127.0.0.1", "example.com#@evil.example", "example.com%00"),
        *("me:hush@example.com", "me%40example.com", "2130706433", "127.1", "0x7f.0.0.1", "0177.0.0.1"),
        *("xn--example-.com", "xn--localhost-", "xn--a-.com"),
        *("127\N{FULLWIDTH DIGIT ZERO}.0.0.1", "\N{CIRCLED LATIN SMALL LETTER A}.example"),
        "evil\N{FULLWIDTH SOLIDUS}example.com",
    ],
)
def test_misleading_hosts_are_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"host name|A-label|internationalized"):
        mint.connect("http", host, 80)
    with pytest.raises(ValueError, match=r"."):
        Proxy("http", host, 80)


@advisory("CVE-2021-33503", "CVE-2020-7212", "GO-2026-6218")
def test_hosts_and_urls_are_parsed_in_linear_time() -> None:
    """With 200,000 characters, quadratic work would take minutes."""
    for mark in "@:[]%/.-a0":
        for text in (mark * 200_000, f"http://{mark * 200_000}", f"http://a{mark * 200_000}@b"):
            with pytest.raises(ValueError, match=r"."):
                ascii_host(text)
            with pytest.raises(ValueError, match=r"."):
                Proxy.from_url(f"{text}!^")
    environ = {"http_proxy": "proxy.example", "no_proxy": "a," * 200_000}
    assert from_environment("http", "origin.example", environ=environ) is not None
