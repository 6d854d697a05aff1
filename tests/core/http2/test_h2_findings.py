"""Defects of the HTTP/2 engine that fuzzers found (named after the hash of the input) or reviews."""

from __future__ import annotations

import pytest

from mint._core.events import Done, Failed
from mint._core.http2 import Config, State
from tests.http2_driver import Server, config, data, goaway, opened, settings


def test_c8de839d_a_drained_connection_does_not_close_inside_a_frame() -> None:
    """The rest of a frame causes the same error, whether it arrives in the same read or in the next."""
    state = opened().state.request("GET", "/", (), None, False).state
    broken = data(1, b"x", padding=3)
    octets = goaway(0x1100_3300, 0x0400_1500) + broken[:9] + b"\xf9" * (len(broken) - 9)
    whole = state.feed(octets)
    assert whole.fault is not None
    assert whole.fault.reason == "protocol_error"
    for cut in range(len(octets) - len(broken) + 1, len(octets)):
        first = state.feed(octets[:cut])
        then = first.state.feed(octets[cut:])
        assert (then.fault or first.fault) == whole.fault
        assert [event for event in (*first.responses, *then.responses) if isinstance(event, Failed)] == [
            event for event in whole.responses if isinstance(event, Failed)
        ]


@pytest.mark.parametrize("target", ["\u012f", "\u2f2f", "\U0001012f"])
def test_a_target_outside_latin_1_is_refused(target: str) -> None:
    """The first octet of U+012F in memory is 0x2F, a slash, so the target was sent as "/"."""
    fault = opened().state.request("GET", target, (), None, False).fault
    assert fault is not None
    assert (fault.reason, fault.value) == ("invalid_request_target", target)


def test_the_largest_limits_do_not_overflow() -> None:
    """Adding to 2**31 - 1 overflowed, so that every field block and every SETTINGS frame was too long."""
    most = 2**31 - 1
    state = State.open(config(max_header_block=most, max_settings=most)).state
    state = state.request("GET", "/", (), None, False).state
    step = state.feed(settings((4, 1)) + Server().answer(1))
    assert step.fault is None
    assert isinstance(step.responses[-1], Done)


def test_credentials_in_a_path_are_not_repeated() -> None:
    pseudo = ((":protocol", "websocket"), (":path", "http://user:hunter2@host/"))
    fault = opened().state.request("CONNECT", "/", pseudo, None, True).fault
    assert fault is not None
    assert fault.value == "http://(redacted)@host/"


@pytest.mark.parametrize(
    "name",
    [
        *("from", "referer", "if-range", "content-type", "max-forwards", "authorization", "user-agent"),
        *("if-modified-since", "if-unmodified-since", "proxy-authorization"),
    ],
)
@pytest.mark.parametrize("agent", ["", "mint/test"])
def test_a_field_that_is_not_a_list_is_sent_once(name: str, agent: str) -> None:
    """RFC 9110 5.3: of two such fields, a gateway and the server behind it may use different ones."""
    state = State.open(Config("a", port=1, scheme="https", identity=7, user_agent=agent)).state
    fault = state.request("GET", "/", [(name, "1"), ("x", "1"), (name.title(), "2")], None, False).fault
    assert fault is not None
    assert (fault.reason, fault.name) == ("invalid_request_framing", name)
    several = [("cookie", "a"), ("cookie", "b"), ("x", "a"), ("x", "b"), (name, "1")]
    assert state.request("GET", "/", several, None, False).fault is None


@pytest.mark.parametrize(
    ("method", "fields", "body", "streaming"),
    [
        ("TRACE", [], (b"x",), False),
        ("TRACE", [], None, True),
        ("TRACE", [("authorization", "s3cret")], None, False),
        ("TRACE", [("x-own", "s3cret")], None, False),
        ("GET", [("expect", "100-continue")], None, False),
        ("POST", [("Expect", "100-Continue")], (b"",), False),
        ("CONNECT", [("expect", "100-continue")], None, True),
        ("CONNECT", [], (b"x",), False),
        ("CONNECT", [("content-length", "0")], None, True),
    ],
)
def test_messages_that_http1_refuses_are_refused_over_http2(
    method: str, fields: list[tuple[str, str]], body: tuple[bytes, ...] | None, streaming: bool
) -> None:
    """RFC 9110 9.3.6, 9.3.8, 10.1.1: these rules apply to HTTP/1 and to HTTP/2."""
    target = "a:1" if method == "CONNECT" else "/"
    state = State.open(config(sensitive=frozenset({"x-own"}))).state
    fault = state.request(method, target, fields, body, streaming).fault
    assert fault is not None
    assert fault.reason == "invalid_request_framing"


def test_messages_that_these_rules_allow_are_sent() -> None:
    state = opened().state
    for method, fields, body, streaming in (
        ("TRACE", [("x", "y")], None, False),
        ("POST", [("expect", "100-continue")], (b"x",), False),
        ("POST", [("expect", "100-continue")], None, True),
        ("POST", [("expect", "something-else")], None, False),
    ):
        assert state.request(method, "/", fields, body, streaming).fault is None
