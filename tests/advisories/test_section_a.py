"""Injections into requests, which other libraries sent: mint refuses them, and sends nothing.

Each case has the id of its advisory. The rules are 1, 9, 22 and 29 of test_rules.py. HTTP/1 and HTTP/2
have one serializer each.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mint
from mint import errors
from mint._core import http2_config
from mint._core.http1 import State
from mint.transport import Memory
from tests.http1_driver import config, play, refused, sent
from tests.http2_driver import opened

if TYPE_CHECKING:
    from mint._core.faults import Fault

Headers = list[tuple[str, str]]

CTLS = [chr(octet) for octet in (*range(9), *range(10, 32), 127)]


def both(method: str, target: str, headers: Headers) -> tuple[Fault, Fault]:
    """Return why HTTP/1 and HTTP/2 refuse a request; both assert that nothing is sent."""
    return refused(method, target, headers), opened().refuse(method, target, headers)


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        pytest.param("GET / HTTP/1.1\r\nX: 1\r\nGET /", "/", [], id="CVE-2026-48861"),
        pytest.param("GET\r\nX: 1", "/", [], id="CVE-2020-26116"),
        pytest.param("GET\n", "/", [], id="CVE-2020-26137"),
        pytest.param("GET", "/a\r\nX: 1", [], id="CVE-2019-9740"),
        pytest.param("GET", "/a?b\r\nX: 1", [], id="CVE-2019-9947"),
        pytest.param("GET", "/", [("x", "a\r\n b: 1")], id="CVE-2016-5699"),
        pytest.param("GET", "/a HTTP/1.1\r\nX: 1\r\nY: ", [], id="CVE-2019-11236"),
        pytest.param("GET", "http://u:p@example.org/", [], id="CVE-2021-41945"),
        pytest.param("GET\r\n\r\nPOST / HTTP/1.1", "/", [], id="CVE-2023-49082"),
        pytest.param("GET", "/", [("content-type", "a/b\r\nx: 1")], id="CVE-2026-34514"),
        pytest.param("GET", "/", [("content-disposition", "a; name=\0")], id="CVE-2026-50269"),
        pytest.param("GET", "/", [("host", "example.org\r\nx: 1")], id="CVE-2023-29406-crlf"),
        pytest.param("GET", "/", [("host", "example.org x")], id="CVE-2023-29406-space"),
        pytest.param("GET", "/", [("host", "example.org/x")], id="CVE-2023-29406-slash"),
        pytest.param("GET", "/", [("x", "a\nb: 1")], id="CVE-2017-18587"),
        pytest.param("GET", "/\r\n", [], id="CVE-2022-31150"),
        pytest.param("GET", "/", [("content-type", "a\r\n\r\nb")], id="CVE-2022-35948"),
        pytest.param("GET", "/", [("Host", "a\r\nb")], id="CVE-2023-23936"),
        pytest.param("GET", "/", [("upgrade", "websocket\r\nx: 1")], id="CVE-2026-1527"),
        pytest.param("GET", "/\u010a\u010d\u560d", [], id="CVE-2018-12116"),
        pytest.param("GET", "/", [("x", "\u010a\u010d")], id="CVE-2018-12116-value"),
        pytest.param("GET", "/", [(" x", "1")], id="CVE-2024-27982"),
        pytest.param("GET", "/", [("x ", "1")], id="CVE-2016-2216"),
        pytest.param("GET", "/", [("x", "a\rb")], id="CVE-2026-34519"),
        pytest.param("GET", "/", [("priority", "u=1\r\nx: 1")], id="CVE-2026-43966"),
        pytest.param("GET", "/", [("cookie", "a=b\r\nx: 1")], id="CVE-2026-43969"),
        pytest.param("GET", "/", [("cookie", "a\0")], id="CVE-2026-47069"),
        pytest.param("GET", "/?a=\r\n", [], id="CVE-2026-47075"),
        pytest.param("GET", "http://example.org/\r\nx: 1", [], id="CVE-2014-8150"),
        pytest.param("GET", "http://example.org/ x", [], id="CVE-2020-11078"),
        pytest.param("CONNECT", "a.example:443\r\nx: 1", [], id="CVE-2026-1502"),
        pytest.param("GET", "/", [("content-disposition", 'a; name="\r\n"')], id="GHSA-px9f-whj3-246m"),
        pytest.param("GET", "/", [("host", "a.example"), ("Host", "b.example")], id="CVE-2026-34525"),
    ],
)
def test_r01_injections_are_refused(method: str, target: str, headers: Headers) -> None:
    for fault in both(method, target, headers):
        assert fault.local


@pytest.mark.parametrize("control", CTLS, ids=lambda text: f"{ord(text):02x}")
def test_r01_controls_are_refused_by_both_writers(control: str) -> None:
    """As in change 12689 of aiohttp: every control character is refused everywhere, not only CR and LF."""
    for place in (f"a{control}b", f"{control}b", f"a{control}"):
        assert {fault.reason for fault in both("GET", "/", [("x", place)])} == {"invalid_header_value"}
        assert {fault.reason for fault in both("GET", "/", [(place, "x")])} == {"invalid_header_name"}
        assert {fault.reason for fault in both(place, "/", [])} == {"invalid_request_method"}
        assert {fault.reason for fault in both("GET", f"/{place}", [])} == {"invalid_request_target"}
        assert {fault.reason for fault in both("GET", "/", [("host", place)])} <= {
            "invalid_header_value",
            "invalid_pseudo_header",
        }
        unchecked = config(skip_target_validation=True)
        assert refused("GET", f"/{place}", options=unchecked).reason == "invalid_request_target"


@pytest.mark.parametrize("text", ["a\r\nb: c", "a\n", "a\0b", " a", "a\x7f"])
def test_r01_trailers_are_written_by_the_same_rules(text: str) -> None:
    step = State(config()).request("POST", "/", [], None, True)
    assert step.ref is not None
    talk = opened()
    number = talk.request("POST", "/", [], None, True)
    for trailers in ([("x", text)], [(text, "x")]):
        first, second = step.state.end_body(step.ref, trailers), talk.state.end_body(number, trailers)
        assert first.fault is not None
        assert second.fault is not None
        assert first.fault.local
        assert second.fault.local
        assert (first.output, first.state) == ((), step.state)
        assert (second.output, second.state) == ((), talk.state)


@pytest.mark.parametrize(
    "hostname",
    ["a\r\nx: 1", "a b", "a/b", "u@a", "a\0"],
    ids=["crlf", "space", "slash", "user", "nul"],
)
def test_r01_the_host_of_a_connection_cannot_end_a_line(hostname: str) -> None:
    """CVE-2026-1502 and similar ones: the host name of a connection is a part of every head."""
    for connect in (mint.http1.initiate, mint.http2.initiate):
        link = Memory()
        with pytest.raises(ValueError, match="hostname"):
            connect(link, scheme="http", hostname=hostname, port=80)
        assert link.take() == b""
    with pytest.raises(ValueError, match="host"):
        mint.connect("http", "127.0.0.1", 9, hostname=hostname)


def test_r01_http2_needs_a_host() -> None:
    with pytest.raises(ValueError, match="hostname"):
        mint.http2.initiate(Memory(), scheme="http", hostname="")
    with pytest.raises(ValueError, match="agent"):
        http2_config.Config("a", port=1, scheme="http", identity=1, user_agent="a\r\nb")


@pytest.mark.parametrize("field", [("x", "a\r\nb"), ("x\r\n", "a"), ("x y", "a"), ("", "a")])
def test_r01_fields_for_a_proxy_are_checked(field: tuple[str, str]) -> None:
    """CVE-2026-1502, change 5091 of urllib3: fields for a proxy are checked like those of a request."""
    link = Memory()
    with pytest.raises((ValueError, errors.HTTPError)):
        proxy = mint.Proxy("http", "127.0.0.1", 9, headers=(field,))
        conn = mint.http1.initiate(
            link, scheme="http", hostname="a", port=80, forward_proxy=True, proxy_headers=proxy.headers
        )
        conn.request("GET", "/")
    assert link.take() == b""


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "PROPFIND"])
def test_r01_a_body_is_framed_whatever_the_method(method: str) -> None:
    """CVE-2020-35863: a body without framing would be read as the next request."""
    head, _, body = sent(method, "*" if method == "OPTIONS" else "/", body=b"abc").partition(b"\r\n\r\n")
    assert b"\r\ncontent-length: 3" in head
    assert body == b"abc"
    streamed = sent(method, "*" if method == "OPTIONS" else "/", streaming=True)
    assert b"\r\ntransfer-encoding: chunked\r\n" in streamed


def test_r01_nothing_is_decoded_before_it_is_sent() -> None:
    """CVE-2026-9679: percent-encoded octets are sent unchanged."""
    assert b"\r\ncookie: a=%0d%0ax\r\n" in sent("GET", "/%0d%0a", [("cookie", "a=%0d%0ax")])
    assert sent("GET", "/%0d%0a").startswith(b"GET /%0d%0a HTTP/1.1\r\n")


def test_r29_a_target_is_sent_whole_or_refused() -> None:
    """httptools 0.8.0, CVE-2022-33124: no target is truncated, and wrong brackets cause a typed error."""
    target = "/" + "a" * 1_000_000 + "?" + "b" * 1_000_000
    assert sent("GET", target).startswith(f"GET {target} HTTP/1.1\r\n".encode())
    for odd in ("http://[::1", "http://[", "http://]/", "http://[::1]:/", "http://[1:2", "//[", "[::1]"):
        step = State(config()).request("GET", odd, [], None, False)
        assert step.fault is None or step.fault.reason == "invalid_request_target"
    for odd in ("[::1:443", "::1:443", "[]:443", "[::1]443", "a:b:443", "a:65536", "a:+1", "a:", ":443"):
        assert {fault.reason for fault in both("CONNECT", odd, [])} == {"invalid_request_target"}


def test_r01_two_lengths_are_refused() -> None:
    """CVE-2026-1525: two content-lengths are refused, also if the names differ in case."""
    headers = [("Content-Length", "3"), ("content-length", "4")]
    for fault in both("POST", "/", headers):
        assert fault.local
    refused("POST", "/", [("Content-Length", "3"), ("CONTENT-LENGTH", "3")], b"abc")
    refused("POST", "/", headers, b"abc", options=config(case_sensitive_headers=True))


WILD = st.text(max_size=8) | st.text(st.sampled_from("aZ09 -:/?#%@*\r\n\t\0\x7f\x80\xff\u0120"), max_size=8)


@given(method=WILD, target=WILD.map("/".__add__), headers=st.lists(st.tuples(WILD, WILD), max_size=3))
def test_r01_another_parser_reads_exactly_one_request(
    method: str, target: str, headers: list[tuple[str, str]]
) -> None:
    step = State(config()).request(method, target, headers, (b"abc",), False)
    if step.fault is not None:
        assert step.output == ()
        return
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"".join(step.output))
    request = server.next_event()
    assert isinstance(request, h11.Request)
    assert (request.method, request.target) == (method.encode(), target.encode("latin-1"))
    given_names = [name.lower().encode("latin-1") for name, _ in headers]
    assert [
        name for name, _ in request.headers if name in given_names
    ] == given_names or b"host" in given_names
    assert server.next_event() == h11.Data(data=b"abc")
    assert type(server.next_event()) is h11.EndOfMessage
    assert server.trailing_data == (b"", False)


def seconds(size: int) -> float:
    headers = [("x", "a" + " \t" * size + "b"), ("y", "," * size)]
    best = 1e9
    for _ in range(3):
        begun = time.process_time()
        sent("GET", "/" + "a" * size, headers)
        opened().request("GET", "/" + "a" * size, headers)
        best = min(best, time.process_time() - begun)
    return best


def test_r09_values_take_linear_time() -> None:
    """CVE-2023-24807, CVE-2021-21240: a long run of blanks must not make a regular expression backtrack."""
    small, large = seconds(30_000), seconds(480_000)
    assert large < 64 * small + 0.05


def test_r22_input_in_messages_is_escaped_and_shortened() -> None:
    """CVE-2026-42507: the text of an error is printable and of limited length."""
    state = State(config()).request("GET", "/", [], None, False).state
    evil = b"\x1b[2J\r\xe2\x80\xa8 " * 2_000
    for start in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"):
        outcome = play(state, [start + evil + b"\n"])
        assert outcome.fault is not None
        for text in (
            str(errors.table.from_fault(outcome.fault)),
            repr(errors.table.from_fault(outcome.fault)),
        ):
            assert text.isprintable()
            assert len(text) < 1_500
        assert str(errors.table.from_fault(outcome.fault)).isascii()
