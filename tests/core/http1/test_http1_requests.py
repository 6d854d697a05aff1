"""The serializer: what is sent, octet by octet, and what is refused."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from mint._core.http1 import Config, State
from tests.http1_driver import AGENT, HOST, config, given, play, refused, sent, with_requests

DEFAULTS = f"host: {HOST}\r\nuser-agent: {AGENT}\r\n".encode()


def test_a_get_has_host_user_agent_and_the_fields_of_the_caller() -> None:
    assert sent("GET", "/a?b=c", [("Accept", "*/*"), ("X-One", "1"), ("x-one", "2")]) == (
        b"GET /a?b=c HTTP/1.1\r\n" + DEFAULTS + b"accept: */*\r\nx-one: 1\r\nx-one: 2\r\n\r\n"
    )


def test_the_callers_host_is_first_and_its_user_agent_keeps_its_place() -> None:
    assert sent("GET", "/", [("user-agent", "me"), ("Host", "other:1")]) == (
        b"GET / HTTP/1.1\r\nhost: other:1\r\nuser-agent: me\r\n\r\n"
    )


def test_names_keep_their_case_on_request() -> None:
    kept = config(case_sensitive_headers=True)
    assert sent("POST", "/", [("X-aB", "1"), ("TE", "trailers")], b"xy", options=kept) == (
        b"POST / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: mint/test\r\nContent-Length: 2\r\n"
        b"X-aB: 1\r\nTE: trailers\r\nConnection: te\r\n\r\nxy"
    )
    assert b"\r\nTransfer-Encoding: chunked\r\n" in sent("POST", streaming=True, options=kept)
    assert refused("GET", "/", [("HoSt", "a"), ("host", "a")], options=kept).name == "host"


@pytest.mark.parametrize(
    ("hostname", "port", "scheme", "host"),
    [
        ("example.org", 443, "https", b"example.org"),
        ("example.org", 80, "https", b"example.org:80"),
        ("example.org", 8080, "http", b"example.org:8080"),
        ("::1", 8080, "http", b"[::1]:8080"),
        ("[::1]", 80, "http", b"[::1]"),
        ("fe80::1%eth0", 443, "https", b"[fe80::1]"),
        ("localhost", 0, "http", b"localhost"),
        ("", 0, "http", b""),
    ],
)
def test_host_is_the_authority(hostname: str, port: int, scheme: str, host: bytes) -> None:
    options = config(hostname=hostname, port=port, scheme=scheme)
    assert b"\r\nhost: " + host + b"\r\n" in sent("GET", options=options)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_methods_that_expect_content_have_a_length_of_0(method: str) -> None:
    assert b"\r\ncontent-length: 0\r\n" in sent(method)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_without_body_have_no_length(method: str) -> None:
    assert b"content-length" not in sent(method)


def test_a_known_body_has_a_length_even_if_it_is_empty() -> None:
    assert sent("POST", body=b"hello").endswith(b"\r\ncontent-length: 5\r\n\r\nhello")
    assert sent("GET", body=b"").endswith(b"\r\ncontent-length: 0\r\n\r\n")


def test_the_callers_length_is_kept_if_it_is_correct() -> None:
    assert sent("PUT", headers=[("Content-Length", "2")], body=b"ab").count(b"content-length") == 1
    fault = refused("PUT", headers=[("Content-Length", "3")], body=b"ab")
    assert (fault.reason, fault.size, fault.limit) == ("content_length_mismatch", 2, 3)
    assert refused("GET", headers=[("Content-Length", "3")]).reason == "content_length_mismatch"
    assert sent("GET", headers=[("Content-Length", "0")]).endswith(b"content-length: 0\r\n\r\n")


def test_a_body_in_pieces_is_one_write_when_small_and_by_reference_when_large() -> None:
    state = State(config())
    small = state.request("POST", "/", [], (b"ab", b"", b"cd"), False)
    assert [piece[-6:] for piece in small.output] == [b"\r\nabcd"]
    large = bytes(70_000)
    step = state.request("POST", "/", [], (large, b"x"), False)
    assert step.output[1] is large
    assert step.output[2] == b"x"
    assert step.output[0].endswith(b"content-length: 70001\r\n\r\n")


def test_if_the_caller_gives_chunked_mint_encodes_the_body() -> None:
    assert sent("POST", headers=[("Transfer-Encoding", "gzip, Chunked")], body=b"hello").endswith(
        b"transfer-encoding: gzip, Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
    assert sent("POST", headers=[("transfer-encoding", "chunked")]).endswith(b"\r\n\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ([("transfer-encoding", "chunked"), ("content-length", "2")], "transfer-encoding"),
        ([("transfer-encoding", "gzip")], "transfer-encoding"),
        ([("transfer-encoding", "chunked, gzip")], "transfer-encoding"),
        ([("transfer-encoding", "chunked, chunked")], "transfer-encoding"),
        ([("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], "transfer-encoding"),
        ([("content-length", "2"), ("Content-Length", "2")], "content-length"),
        ([("content-length", "2, 2")], "content-length"),
        ([("content-length", "+2")], "content-length"),
        ([("content-length", "")], "content-length"),
        ([("content-length", "2" * 30)], "content-length"),
        ([("host", "a"), ("host", "a")], "host"),
        ([("content-type", "a/b"), ("Content-Type", "a/b")], "content-type"),
    ],
)
def test_contradictory_framing_is_refused(headers: list[tuple[str, str]], name: str) -> None:
    fault = refused("POST", headers=headers, body=b"ab")
    assert (fault.reason, fault.name) == ("invalid_request_framing", name)
    assert refused("POST", headers=headers, streaming=True).reason == "invalid_request_framing"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([("transfer-encoding", "")], "empty_token_list"),
        ([("transfer-encoding", "chunked;q=1")], "invalid_token_list"),
        ([("connection", "")], "empty_token_list"),
        ([("connection", "a b")], "invalid_token_list"),
        ([("connection", "close, host")], "invalid_header_value"),
        ([("connection", "Cache-Control")], "invalid_header_value"),
        ([("te", "trailers, chunked;q=0.5")], "invalid_header_value"),
        ([("upgrade", "")], "invalid_header_value"),
        ([("upgrade", "web socket")], "invalid_header_value"),
        ([("upgrade", "a/")], "invalid_header_value"),
        ([("host", "a/b")], "invalid_header_value"),
        ([("host", "user@a")], "invalid_header_value"),
        ([("host", "a b")], "invalid_header_value"),
    ],
)
def test_connection_specific_fields_are_checked(headers: list[tuple[str, str]], reason: str) -> None:
    assert refused("POST", headers=headers, body=b"ab").reason == reason


def test_options_are_named_in_connection() -> None:
    assert sent("GET", headers=[("te", "trailers")]).endswith(b"te: trailers\r\nconnection: te\r\n\r\n")
    wanted = b"connection: close, te, keep-alive, upgrade\r\nx: y\r\n\r\n"
    headers = [
        ("TE", "trailers"),
        ("Keep-Alive", "timeout=5"),
        ("Upgrade", "websocket"),
        ("connection", "close"),
        ("x", "y"),
    ]
    assert sent("GET", headers=headers).endswith(wanted)
    named = [("connection", "TE"), ("te", "trailers")]
    assert sent("GET", headers=named).endswith(b"connection: TE\r\nte: trailers\r\n\r\n")


def test_expect_needs_a_body() -> None:
    expect = [("Expect", "100-Continue")]
    assert refused("POST", headers=expect).name == "expect"
    assert refused("POST", headers=expect, body=b"").name == "expect"
    assert sent("POST", headers=expect, body=b"x")
    assert sent("POST", headers=expect, streaming=True)
    assert sent("POST", headers=[("expect", "something-else")])
    # The octets that follow CONNECT go through the tunnel.
    assert refused("CONNECT", "a:1", headers=expect, streaming=True).name == "expect"


def test_trace_and_connect_take_no_content() -> None:
    assert refused("TRACE", body=b"x").reason == "invalid_request_framing"
    assert refused("TRACE", streaming=True).reason == "invalid_request_framing"
    assert refused("TRACE", headers=[("Authorization", "x")]).name == "authorization"
    assert refused("CONNECT", "a.b:1", body=b"").reason == "invalid_request_framing"
    assert refused("CONNECT", "a.b:1", headers=[("content-length", "0")]).name == "CONNECT"
    assert refused("CONNECT", "a.b:1", headers=[("transfer-encoding", "chunked")]).name == "CONNECT"


def test_connect_has_the_authority_as_host() -> None:
    wanted = b"CONNECT far.example:443 HTTP/1.1\r\nhost: far.example:443\r\nuser-agent: mint/test\r\n\r\n"
    assert sent("CONNECT", "far.example:443") == wanted
    assert sent("CONNECT", "far.example:443", streaming=True) == wanted


def test_an_absolute_target_decides_the_host() -> None:
    assert b"\r\nhost: a.example:81\r\n" in sent("GET", "http://a.example:81/x")
    assert b"\r\nhost: a.example\r\n" in sent("GET", "http://a.example:80?x")
    assert b"\r\nhost: A.example\r\n" in sent("GET", "http://a.example/", [("host", "A.example")])
    fault = refused("GET", "http://a.example/", [("host", "b.example")])
    assert (fault.reason, fault.name) == ("invalid_header_value", "host")


@pytest.mark.parametrize(
    ("method", "target", "line"),
    [
        ("GET", "/a?b", b"GET http://example.org:81/a?b HTTP/1.1\r\n"),
        ("OPTIONS", "*", b"OPTIONS http://example.org:81 HTTP/1.1\r\n"),
        ("GET", "http://other/x", b"GET http://other/x HTTP/1.1\r\n"),
        ("CONNECT", "far:443", b"CONNECT far:443 HTTP/1.1\r\n"),
    ],
)
def test_a_forward_proxy_gets_absolute_targets(method: str, target: str, line: bytes) -> None:
    options = config(scheme="http", port=81, forward_proxy=True)
    assert sent(method, target, options=options).startswith(line)


def test_a_forward_proxy_gets_its_fields_with_every_request() -> None:
    fields = (("Proxy-Authorization", "Basic abc"),)
    options = config(forward_proxy=True, proxy_headers=fields)
    assert sent("GET", options=options).endswith(b"\r\nproxy-authorization: Basic abc\r\n\r\n")
    assert b"proxy-authorization" not in sent("GET", options=config(proxy_headers=fields))
    bad = config(forward_proxy=True, proxy_headers=(("a", "b\n"),))
    assert refused("GET", options=bad).reason == "invalid_header_value"


def test_only_pairs_of_str_are_accepted() -> None:
    state = State(config())
    for headers in ([("a", None)], [(None, "a")], [("a", b"b")], [("a",)], ["abc"], [1]):
        with pytest.raises((TypeError, ValueError)):
            state.request("GET", "/", headers, None, False)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(TypeError):
        state.request("POST", "/", [], ("text",), False)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(TypeError):
        state.request("POST", "/", [], (b"given",), True)


@pytest.mark.parametrize("headers", [{"te": "trailers"}, MappingProxyType({"te": "trailers"}), "te"])
def test_a_mapping_is_not_accepted_as_pairs(headers: object) -> None:
    with pytest.raises(TypeError, match="items"):
        State(config()).request("GET", "/", headers, None, False)  # type: ignore[arg-type]  # wrong on purpose
    step = State(config()).request("POST", "/", [], None, True)
    assert step.ref is not None
    with pytest.raises(TypeError, match="items"):
        step.state.end_body(step.ref, headers)  # type: ignore[arg-type]  # wrong on purpose


def test_a_closed_state_refuses_requests() -> None:
    state = with_requests(headers=[("connection", "close")])
    assert state.is_open_read
    assert not state.is_open_write
    step = state.request("GET", "/", [], None, False)
    assert step.fault is not None
    assert step.fault.reason == "closed_for_writing"
    step = state.close().state.request("GET", "/", [], None, False)
    assert step.fault is not None
    assert step.fault.reason == "closed"


def test_numbers_increase_and_refused_requests_have_none() -> None:
    state = State(config(identity=2**64 - 1))
    first = state.request("GET", "/", [], None, False)
    assert first.state.request("G T", "/", [], None, False).ref is None
    second = first.state.request("GET", "/", [], None, False)
    refs = [given(first.ref), given(second.ref)]
    assert [(ref.connection, ref.number) for ref in refs] == [(2**64 - 1, 1), (2**64 - 1, 2)]


def test_pipelining_ends_at_its_limit() -> None:
    options = config(max_pipelined=3)
    state = with_requests("GET", "GET", "GET", options=options)
    step = state.request("GET", "/", [], None, False)
    assert step.fault is not None
    assert (step.fault.reason, step.fault.size, step.fault.limit) == (
        "too_many_pipelined_requests",
        3,
        3,
    )
    state = play(state, [b"HTTP/1.1 204 x\r\n\r\n"]).state
    assert state.request("GET", "/", [], None, False).fault is None


def test_configurations_are_values() -> None:
    one, two = config(), config()
    assert one == two
    assert hash(one) == hash(two)
    assert one != config(port=1)
    assert one != "config"
    assert "example.org" in repr(one)
    assert (one.port, one.scheme, one.hostname, one.tolerance) == (443, "https", HOST, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scheme": "ftp"},
        {"port": -1},
        {"port": 65536},
        {"hostname": "a b"},
        {"hostname": "a\r\nb"},
        {"hostname": "a/b"},
        {"hostname": "u@b"},
        {"hostname": "bücher"},
        {"user_agent": ""},
        {"user_agent": "a\r\nb: c"},
        {"max_fields": 0},
    ],
)
def test_configured_values_that_are_sent_are_checked(wrong: dict[str, object]) -> None:
    right: dict[str, object] = {
        "hostname": HOST,
        "port": 1,
        "scheme": "http",
        "identity": 1,
        "user_agent": AGENT,
    }
    with pytest.raises(ValueError, match=r"."):
        Config(**(right | wrong))  # type: ignore[arg-type]  # options by name


TEXT = st.text(st.characters(max_codepoint=0x2FF), max_size=6) | st.text(
    st.sampled_from("a:/\r\n\t \0\x7f\x85é%2,*"), max_size=6
)


@hypothesis_given(method=TEXT, target=TEXT, name=TEXT, value=TEXT, unchecked=...)
def test_nothing_the_caller_gives_can_end_a_line(
    method: str, target: str, name: str, value: str, *, unchecked: bool
) -> None:
    options = config(skip_target_validation=unchecked)
    step = State(options).request(method, target, [(name, value)], None, False)
    if step.fault is not None:
        assert step.output == ()
        return
    (head,) = step.output
    lines = head.split(b"\r\n")
    assert lines[-2:] == [b"", b""]
    assert head.count(b"\n") == head.count(b"\r") == len(lines) - 1
    assert lines[0] == f"{method} {target} HTTP/1.1".encode("latin-1")
    assert len(lines[0].split(b" ")) == 3
    assert all(b":" in line for line in lines[1:-2])
    assert len(lines) - 3 <= 4
