"""Defects of the HTTP/1.1 engine that reviews found."""

from __future__ import annotations

import pytest

from mint._core.http1 import State
from tests.http1_driver import HEAD, answer, config, play, refused, sent, with_requests


def test_a_204_to_connect_opens_the_tunnel_as_any_2xx() -> None:
    """RFC 9110 9.3.6: after any 2xx response the proxy tunnels, so the following octets are no response."""
    outcome = answer(b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 raw", "CONNECT")
    assert outcome.state.is_tunnel
    assert (outcome.body, outcome.done, outcome.fault) == (b"HTTP/1.1 200 raw", [], None)


@pytest.mark.parametrize(
    "authority",
    [
        "[::1",
        "a:b:80",
        "1::1",
        "a:99999",
        "a:080808",
        "a,b",
        "[::1]x",
        "a:80:",
        "[[::1]]",
        "[]",
        ":80",
        "",
        "a]",
    ],
)
def test_a_target_with_an_invalid_authority_is_refused(authority: str) -> None:
    """The Host field is made from the authority: "http://[::1/" was sent with `host: [:]:1`."""
    assert refused("GET", f"http://{authority}/").reason == "invalid_request_target"


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("http://[::1]:8080/", b"[::1]:8080"),
        ("http://a.b:80?x", b"a.b"),
        ("http://a:/", b"a:"),
        ("https://[::1]", b"[::1]"),
    ],
)
def test_an_authority_in_a_target_is_the_host(target: str, host: bytes) -> None:
    assert b"\r\nhost: " + host + b"\r\n" in sent("GET", target)


@pytest.mark.parametrize("target", ["http://a:²/", "http://a:b:1/", "http://[::1/"])
def test_an_unchecked_target_raises_no_other_error(target: str) -> None:
    """A digit outside ASCII in a port caused a bare ValueError."""
    options = config(skip_target_validation=True)
    host = target.removeprefix("http://").removesuffix("/").encode("latin-1")
    assert b"\r\nhost: " + host + b"\r\n" in sent("GET", target, options=options)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "http://user:hunter2@host/"),
        ("GET", "http://user:hunter2@host/ x"),
        ("GET", "ftp://user:hunter2@host?a"),
        ("GET", "user:hunter2@host"),
        ("CONNECT", "user:hunter2@host:80"),
        ("GET", "user:hunter2@host/?u=http://x"),
        ("GET", "http://user:hunt/er2:hunter2@host/"),
        ("GET", "http://user:hunter2?@host/"),
    ],
)
def test_credentials_in_a_target_are_not_repeated(method: str, target: str) -> None:
    for options in (config(), config(skip_target_validation=True)):
        step = State(options).request(method, target, (), None, False)
        if step.fault is not None:
            assert "hunter2" not in step.fault.value
            assert "(redacted)@host" in step.fault.value


def test_unexpected_data_is_shown_without_its_secrets() -> None:
    octets = b"HTTP/1.1 408 late\r\nSet-Cookie: id=hunter2\r\n\r\n"
    fault = State(config()).feed(octets).fault
    assert fault is not None
    assert (fault.reason, fault.value) == ("unexpected_data", "HTTP/1.1 408 late\r\n")
    for secret in (octets[19:], b"set-cookie: id=hunter2"):
        fault = State(config()).feed(secret).fault
        assert fault is not None
        assert fault.value == "(a field that may hold a secret)"


def test_a_folded_line_of_a_secret_is_not_shown() -> None:
    outcome = play(with_requests(), [HEAD + b"Set-Cookie: a=b;\r\n id=hunter2\n\r\n"])
    assert outcome.fault is not None
    assert (outcome.fault.reason, outcome.fault.value) == ("invalid_header", "(a folded line)")
