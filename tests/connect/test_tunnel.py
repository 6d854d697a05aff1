"""Tunnels through HTTP/1 proxies, over loopback, with scripted proxies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import mint
from mint import Proxy, errors
from mint._wire.stream import MAX_BODY
from mint.testing import (
    Close,
    Do,
    Expect,
    Flood,
    Forever,
    ScriptedServer,
    Send,
    ShutWrite,
    StartTLS,
    Step,
    bytewise,
    request,
)
from mint.transport import Memory

from ..event_loops import data as content
from ..tls import server_context, trusting

if TYPE_CHECKING:
    from mint.responses import Response
    from mint.types import ProtocolName

GET = re.compile(rb"GET /page HTTP/1\.1\r\nhost: origin\.example\r\n.*\r\n\r\n", re.DOTALL)
PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
TLS = server_context("origin.example", "localhost", "127.0.0.1")
TRUSTING = trusting()


def proxied(server: ScriptedServer, **options: object) -> Proxy:
    return Proxy("http", server.address, server.port, **options)  # type: ignore[arg-type]  # each test gives valid options


def secure(server: ScriptedServer, **options: object) -> Proxy:
    return Proxy("https", server.address, server.port, tls=TRUSTING, **options)  # type: ignore[arg-type]  # as above


def fetch(conn: mint.Connection, target: str = "/page") -> list[Response]:
    with conn:
        conn, _ = conn.request("GET", target)
        responses: list[Response] = []
        while conn.open_request_count:
            conn, more = conn.recv(timeout=5)
            responses += more
        return responses


def test_http_requests_are_forwarded_in_absolute_form() -> None:
    script = [
        request(rb"^GET http://origin\.example/page HTTP/1\.1\r\nhost: origin\.example\r\n"),
        Send(PAGE),
    ]
    with ScriptedServer(script) as server:
        conn = mint.connect("http", "origin.example", 80, proxy=proxied(server))
        assert type(conn) is mint.HTTP1
        assert content(fetch(conn)) == b"hello"


def test_https_requests_go_through_a_tunnel() -> None:
    script = [
        request(rb"^CONNECT origin\.example:443 HTTP/1\.1\r\nhost: origin\.example:443\r\n"),
        Send(b"HTTP/1.1 200 Fine\r\nvia: 1.1 tester\r\n\r\n"),
        StartTLS(TLS),
        Expect(GET),
        Send(PAGE),
    ]
    with ScriptedServer(script) as server:
        conn = mint.connect("https", "origin.example", 443, proxy=proxied(server), tls=TRUSTING)
        assert conn.proxy_headers == (("via", "1.1 tester"),)
        assert conn.tls is not None
        assert conn.tls.server_hostname == "origin.example"
        assert content(fetch(conn)) == b"hello"


def test_a_tunnel_for_http_is_made_on_request() -> None:
    script = [request(rb"^CONNECT origin\.example:80 "), Send(OPEN), Expect(GET), Send(PAGE)]
    with ScriptedServer(script) as server:
        conn = mint.connect("http", "origin.example", 80, proxy=proxied(server, tunnel=True))
        assert content(fetch(conn)) == b"hello"


def test_a_proxy_over_tls_forwards() -> None:
    script = [request(rb"^GET http://origin\.example:8080/page "), Send(PAGE)]
    with ScriptedServer(script, tls=TLS) as server:
        conn = mint.connect("http", "origin.example", 8080, proxy=secure(server))
        assert content(fetch(conn)) == b"hello"


def test_a_tunnel_through_a_proxy_over_tls_is_tls_in_tls() -> None:
    script = [request(rb"^CONNECT "), Send(OPEN), StartTLS(TLS), Expect(GET), Send(PAGE)]
    with ScriptedServer(script, tls=TLS) as server:
        conn = mint.connect("https", "origin.example", 443, proxy=secure(server), tls=TRUSTING)
        assert content(fetch(conn)) == b"hello"


def test_an_ipv6_origin_is_bracketed() -> None:
    script = [
        request(rb"^CONNECT \[2001:db8::1\]:8443 HTTP/1\.1\r\nhost: \[2001:db8::1\]:8443\r\n"),
        Send(OPEN),
    ]
    with ScriptedServer([*script, Close()]) as server, pytest.raises(errors.TransportClosed):
        mint.connect("https", "2001:db8::1", 8443, hostname="x.example", proxy=proxied(server))


def test_the_proxy_is_asked_for_the_address_and_not_for_the_hostname() -> None:
    script = [request(rb"^CONNECT 192\.0\.2\.7:443 "), Send(OPEN), StartTLS(TLS)]
    with ScriptedServer(script) as server:
        conn = mint.connect(
            "https", "192.0.2.7", 443, hostname="origin.example", proxy=proxied(server), tls=TRUSTING
        )
        assert conn.tls is not None
        assert conn.tls.server_hostname == "origin.example"
        conn.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 Connection established\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nproxy-connection: close\r\nconnection: close\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 299 Odd\r\n\r\n",
    ],
)
def test_any_2xx_response_opens_a_tunnel(answer: bytes) -> None:
    script = [request(rb"^CONNECT "), Send(answer), StartTLS(TLS), Expect(GET), Send(PAGE)]
    with ScriptedServer(script) as server:
        conn = mint.connect("https", "origin.example", 443, proxy=proxied(server), tls=TRUSTING)
        assert content(fetch(conn)) == b"hello"


@pytest.mark.parametrize(
    "framing",
    [b"content-length: 5", b"transfer-encoding: chunked", b"content-length: 5\r\ncontent-length: 6"],
)
def test_framing_fields_of_a_2xx_response_to_connect_are_ignored(framing: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n"
    script = [request(rb"^CONNECT "), Send(answer), StartTLS(TLS), Expect(GET), Send(PAGE)]
    with ScriptedServer(script) as server:
        conn = mint.connect("https", "origin.example", 443, proxy=proxied(server), tls=TRUSTING)
        assert content(fetch(conn)) == b"hello"


def test_interim_responses_of_a_proxy_are_skipped() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    script = [request(rb"^CONNECT "), Send(interim), Send(OPEN), StartTLS(TLS), Expect(GET), Send(PAGE)]
    with ScriptedServer(script) as server:
        conn = mint.connect("https", "origin.example", 443, proxy=proxied(server), tls=TRUSTING)
        assert conn.proxy_headers == ()
        assert content(fetch(conn)) == b"hello"


def test_options_of_the_connection_and_of_the_proxy_are_independent() -> None:
    script = [request(rb"^CONNECT "), Send(OPEN), Expect(GET), Send(PAGE)]
    reason = mint.HTTP1Options(optional_responses=("status_reason",))
    with ScriptedServer(script) as server:
        proxy = proxied(server, tunnel=True, tunnel_timeout=None, http1=reason)
        conn = mint.connect("http", "origin.example", 80, proxy=proxy, http1=reason)
        responses = fetch(conn)
    assert [type(each).__name__ for each in responses][:2] == ["Status", "StatusReason"]


def test_a_response_may_arrive_octet_by_octet() -> None:
    script = [request(rb"^CONNECT "), bytewise(OPEN), Expect(GET), bytewise(PAGE)]
    with ScriptedServer(script) as server:
        conn = mint.connect("http", "origin.example", 80, proxy=proxied(server, tunnel=True))
        assert content(fetch(conn)) == b"hello"


def test_octets_after_the_reply_belong_to_the_tunnel() -> None:
    with ScriptedServer([request(rb"^CONNECT "), Send(OPEN + b"HTTP/1.1 200 OK\r\n")]) as server:
        conn = mint.connect("http", "origin.example", 80, proxy=proxied(server, tunnel=True))
        # They are read as input from the origin, where no request is open.
        with conn, pytest.raises(errors.UnexpectedData):
            conn.recv(timeout=5)


def test_octets_after_the_reply_of_a_proxy_over_tls_belong_to_the_tunnel() -> None:
    script = [request(rb"^CONNECT "), Send(OPEN + b"HTTP/1.1 200 OK\r\n")]
    with ScriptedServer(script, tls=TLS) as server:
        conn = mint.connect("http", "origin.example", 80, proxy=secure(server, tunnel=True))
        assert conn.tls is None
        with conn, pytest.raises(errors.UnexpectedData):
            conn.recv(timeout=5)


@pytest.mark.rfc("9112-9.1-a")
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_nothing_of_http_is_sent_before_the_tunnel_and_tls(protocol: ProtocolName) -> None:
    """The proxy gets CONNECT and waits; then the client sends a TLS record, and no preface of HTTP/2."""
    alpn = {"http1": "http/1.1", "http2": "h2"}[protocol]
    late: list[bytes] = []
    script = [
        request(rb"^CONNECT "),
        Do(lambda peer: late.append(bytes(peer.unread))),
        Send(OPEN),
        StartTLS(server_context("origin.example", alpn=(alpn,))),
        Expect(b"PRI * HTTP/2.0" if protocol == "http2" else GET),
        Close(),
    ]
    with ScriptedServer(script) as server:
        conn = mint.connect(
            "https", "origin.example", 443, proxy=proxied(server), tls=TRUSTING, protocols=[protocol]
        )
        with conn:
            conn.request("GET", "/page")
    assert late == [b""]


@pytest.mark.rfc("9110-4.2.2-b")
def test_octets_before_tls_are_never_http() -> None:
    script = [request(rb"^CONNECT "), Send(OPEN + PAGE), Forever()]
    with ScriptedServer(script) as server, pytest.raises(errors.TLSFailed) as caught:
        mint.connect("https", "origin.example", 443, proxy=proxied(server), tls=TRUSTING)
    assert caught.value.processed is mint.Processed.NO


@pytest.mark.parametrize("status", [301, 403, 407, 500, 502])
def test_a_refusal_is_an_error_with_status_headers_and_body(status: int) -> None:
    answer = b"HTTP/1.1 %d No\r\nproxy-authenticate: Basic realm=x\r\ncontent-length: 4\r\n\r\nsays" % status
    with (
        ScriptedServer([request(), Send(answer)]) as server,
        pytest.raises(errors.UnexpectedProxyStatus) as caught,
    ):
        mint.connect("https", "origin.example", 443, proxy=proxied(server))
    assert caught.value == errors.UnexpectedProxyStatus(
        status, (("proxy-authenticate", "Basic realm=x"), ("content-length", "4")), b"says"
    ).marked(processed=mint.Processed.NO)


@pytest.mark.parametrize("framing", [b"", b"content-length: 99999999\r\n", b"transfer-encoding: chunked\r\n"])
def test_the_body_of_a_refusal_is_bounded(framing: bytes) -> None:
    chunk = b"1000\r\n" + bytes(4096) + b"\r\n" if b"chunked" in framing else bytes(4096)
    script = [request(), Send(b"HTTP/1.1 407 No\r\n" + framing + b"\r\n"), Flood(chunk)]
    with ScriptedServer(script) as server, pytest.raises(errors.UnexpectedProxyStatus) as caught:
        mint.connect("https", "origin.example", 443, proxy=proxied(server))
    assert len(caught.value.body) == MAX_BODY


def test_a_refusal_with_an_incomplete_body_is_reported() -> None:
    script = [request(), Send(b"HTTP/1.1 407 No\r\ncontent-length: 9\r\n\r\nsays"), Close()]
    with ScriptedServer(script) as server, pytest.raises(errors.UnexpectedProxyStatus) as caught:
        mint.connect("https", "origin.example", 443, proxy=proxied(server))
    assert caught.value.body == b"says"


def test_an_endless_refusal_ends_with_the_time_limit() -> None:
    script = [request(), Send(b"HTTP/1.1 407 No\r\ncontent-length: 9\r\n\r\nsays"), Forever()]
    with ScriptedServer(script) as server, pytest.raises(errors.UnexpectedProxyStatus) as caught:
        mint.connect("https", "origin.example", 443, proxy=proxied(server, tunnel_timeout=0.2))
    assert caught.value.body == b"says"


def test_407_of_a_forwarding_proxy_is_an_ordinary_response() -> None:
    answer = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"
    with ScriptedServer([request(), Send(answer)]) as server:
        responses = fetch(mint.connect("http", "origin.example", 80, proxy=proxied(server)))
    assert isinstance(responses[0], mint.Status)
    assert responses[0].status == 407


@pytest.mark.parametrize(
    "steps", [[Forever()], [Send(b"HTTP/1.1 200"), Forever()], [Send(b"HTTP/1.1 200 OK\r\n"), Forever()]]
)
def test_the_tunnel_timeout_applies(steps: list[Step]) -> None:
    with ScriptedServer([request(), *steps]) as server, pytest.raises(errors.TunnelTimeout) as caught:
        mint.connect("https", "origin.example", 443, proxy=proxied(server, tunnel_timeout=0.1))
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.processed is mint.Processed.NO


def test_the_tunnel_timeout_ends_before_the_deadline() -> None:
    tcp = mint.TCPOptions(connect_timeout=2)
    with ScriptedServer([request(), Forever()]) as server, pytest.raises(errors.TunnelTimeout):
        mint.connect("https", "origin.example", 443, proxy=proxied(server), tcp=tcp)


def test_the_deadline_applies_after_the_tunnel() -> None:
    tcp = mint.TCPOptions(connect_timeout=0.8)
    with ScriptedServer([request(), Send(OPEN), Forever()]) as server, pytest.raises(errors.TransportTimeout):
        mint.connect("https", "origin.example", 443, proxy=proxied(server, tunnel_timeout=0.7), tcp=tcp)


@pytest.mark.parametrize(
    ("answer", "inner"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", errors.InvalidStatusLine),
        (b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", errors.InvalidHeader),
        (b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", errors.UnexpectedUpgrade),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 600, errors.TooManyHeaders),
        (b"HTTP/1.1 200 OK\r\na: " + b"b" * 300_000, errors.MaxHeaderListSizeExceeded),
        (b"HTTP/1.1 103 Hints\r\n\r\n" * 40, errors.TooManyInformational),
    ],
)
def test_a_proxy_that_breaks_http_is_a_proxy_error(answer: bytes, inner: type[errors.HTTPError]) -> None:
    script = [request(), Send(answer), Forever()]
    with ScriptedServer(script) as server, pytest.raises(errors.ProxyFailed) as caught:
        mint.connect("https", "origin.example", 443, proxy=proxied(server))
    assert isinstance(caught.value.error, inner)
    assert caught.value.processed is mint.Processed.NO


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_proxy_that_closes_before_it_answered_is_a_proxy_error(answer: bytes) -> None:
    script: list[Step] = [request(), *([Send(answer)] if answer else []), Close()]
    with ScriptedServer(script) as server, pytest.raises(errors.ProxyFailed):
        mint.connect("https", "origin.example", 443, proxy=proxied(server))


def test_the_limits_on_the_response_are_those_of_the_proxy() -> None:
    script = [request(), Send(b"HTTP/1.1 200 OK\r\na: b\r\nc: d\r\n\r\n")]
    few = mint.HTTP1Options(max_fields=1)
    with ScriptedServer(script) as server, pytest.raises(errors.ProxyFailed):
        mint.connect("https", "origin.example", 443, proxy=proxied(server, http1=few))


def test_a_proxy_that_does_not_listen() -> None:
    with ScriptedServer() as server:
        gone = proxied(server)
    with pytest.raises(errors.ConnectionRefused) as caught:
        mint.connect("https", "origin.example", 443, proxy=gone)
    assert caught.value.processed is mint.Processed.NO


def test_a_half_closed_tunnel_ends_the_connection() -> None:
    script = [request(rb"^CONNECT "), Send(OPEN), Expect(GET), Send(PAGE), ShutWrite(), Forever()]
    with ScriptedServer(script) as server:
        conn = mint.connect("http", "origin.example", 80, proxy=proxied(server, tunnel=True))
        conn, _ = conn.request("GET", "/page")
        while conn.is_open("read"):
            conn, _ = conn.recv(timeout=5)
        conn.close()


@pytest.mark.parametrize(
    ("method", "target", "line"),
    [
        ("OPTIONS", "*", b"OPTIONS http://origin.example HTTP/1.1\r\n"),
        ("GET", "/", b"GET http://origin.example/ HTTP/1.1\r\n"),
        ("GET", "/a?b", b"GET http://origin.example/a?b HTTP/1.1\r\n"),
        ("GET", "http://origin.example/x", b"GET http://origin.example/x HTTP/1.1\r\n"),
    ],
)
def test_every_form_of_target_is_forwarded(method: str, target: str, line: bytes) -> None:
    link = Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="origin.example", port=80, forward_proxy=True)
    conn, _ = conn.request(method, target)
    assert link.take().startswith(line)
    assert type(conn.close()) is mint.HTTP1


def test_options_of_the_connection_apply_to_forwarded_requests() -> None:
    reason = mint.HTTP1Options(optional_responses=("status_reason",), case_sensitive_headers=True)
    script = [request(rb"\r\nHost: origin\.example\r\n"), Send(PAGE)]
    with ScriptedServer(script) as server:
        responses = fetch(mint.connect("http", "origin.example", 80, proxy=proxied(server), http1=reason))
    assert isinstance(responses[1], mint.StatusReason)


def test_http1_through_a_tunnel_works_without_alpn() -> None:
    odd = server_context("origin.example", alpn=("h2",))
    script = [request(), Send(OPEN), StartTLS(odd)]
    with ScriptedServer(script) as server:
        conn = mint.http1.connect("https", "origin.example", 443, proxy=proxied(server), tls=TRUSTING)
        assert conn.tls is not None
        assert conn.tls.alpn is None
        conn.close()
