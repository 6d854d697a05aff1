"""The rules of RFC 8441 (extended CONNECT) in rows.txt, and that of RFC 9218 on the value of its setting."""

import pytest

from mint._core.events import Data
from tests.http2_driver import (
    CANCEL,
    HOST,
    NO_ERROR,
    OK,
    PROTOCOL_ERROR,
    Conversation,
    assert_breach,
    data,
    failure,
    kinds,
    opened,
    ref,
    reset,
    resets,
    settings,
)

ENABLED = (8, 1)
WEBSOCKET = (":protocol", "websocket")


def connected() -> Conversation:
    talk = opened(ENABLED)
    talk.request("CONNECT", "/chat", [WEBSOCKET], None, True)
    return talk


@pytest.mark.rfc("8441-3-a")
def test_the_setting_is_zero_or_one() -> None:
    talk = opened()
    talk.feed(settings((8, 2)))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("8441-3-b")
def test_the_setting_cannot_be_disabled_again() -> None:
    talk = opened((8, 0))
    talk.feed(settings((8, 1)), settings((8, 1)))
    assert talk.state.server_setting("enable_connect_protocol") == 1
    talk.feed(settings((8, 0)))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


@pytest.mark.rfc("8441-3-c")
def test_extended_connect_must_be_enabled_first() -> None:
    talk = opened()
    fault = talk.refuse("CONNECT", "/chat", [WEBSOCKET], None, True)
    assert fault.reason == "extended_connect_not_enabled"
    talk.feed(settings(ENABLED))
    talk.request("CONNECT", "/chat", [WEBSOCKET], None, True)


@pytest.mark.rfc("8441-4-a")
def test_scheme_path_and_authority_are_sent() -> None:
    talk = connected()
    assert talk.fields() == [
        (":method", "CONNECT"),
        (":scheme", "https"),
        (":path", "/chat"),
        (":authority", HOST),
        (":protocol", "websocket"),
        ("user-agent", "mint/test"),
    ]
    talk.request(
        "CONNECT",
        "/",
        [("x", "y"), (":scheme", "http"), (":path", "/own"), WEBSOCKET, (":authority", "b.example")],
        None,
        True,
    )
    assert talk.fields()[:5] == [
        (":method", "CONNECT"),
        (":scheme", "http"),
        (":path", "/own"),
        (":authority", "b.example"),
        (":protocol", "websocket"),
    ]


@pytest.mark.rfc("8441-4-a")
@pytest.mark.parametrize(
    ("method", "target", "headers", "reason"),
    [
        ("GET", "/", [WEBSOCKET], "invalid_pseudo_header"),
        ("CONNECT", "/", [(":path", "/")], "invalid_pseudo_header"),
        ("CONNECT", "/", [(":scheme", "ftp"), WEBSOCKET], "invalid_pseudo_header"),
        ("CONNECT", "/", [(":authority", "u@h"), WEBSOCKET], "invalid_pseudo_header"),
        ("CONNECT", "/", [(":path", "no"), WEBSOCKET], "invalid_request_target"),
        ("CONNECT", "a:1", [WEBSOCKET], "invalid_request_target"),
        ("CONNECT", "/", [WEBSOCKET, ("host", "b"), (":authority", "c")], "invalid_header_value"),
    ],
)
def test_invalid_requests_are_refused(
    method: str, target: str, headers: list[tuple[str, str]], reason: str
) -> None:
    assert opened(ENABLED).refuse(method, target, headers, None, True).reason == reason


@pytest.mark.rfc("8441-4-b")
@pytest.mark.parametrize("protocol", ["", "a b", "x/y", "\xe9"])
def test_protocol_is_a_token(protocol: str) -> None:
    fault = opened(ENABLED).refuse("CONNECT", "/", [(":protocol", protocol)], None, True)
    assert (fault.reason, fault.name) == ("invalid_pseudo_header", ":protocol")


@pytest.mark.rfc("8441-4-c")
def test_a_2xx_response_opens_a_tunnel() -> None:
    talk = connected()
    talk.feed(talk.server.headers(1, OK), data(1, b"frame"))
    talk.take(talk.state.stream_body(ref(1), b"mine"))
    talk.take(talk.state.end_body(ref(1), ()))
    talk.feed(data(1, b"last", end=True))
    assert [event.data for event in talk.events if isinstance(event, Data)] == [b"frame", b"last"]
    assert kinds(talk.events)[-1] == "done:1"
    assert resets(talk) == []
    refused = connected()
    refused.feed(refused.server.answer(1, b"no", status=403))
    assert resets(refused) == [(1, NO_ERROR)]


@pytest.mark.rfc("8441-5-a")
def test_a_websocket_request_has_a_scheme() -> None:
    assert (":scheme", "https") in connected().fields()


@pytest.mark.rfc("8441-5-b")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("upgrade", "connection_specific_header"),
        ("connection", "connection_specific_header"),
        ("sec-websocket-key", "invalid_header_name"),
        ("Sec-WebSocket-Accept", "invalid_header_name"),
    ],
)
def test_fields_of_the_http1_handshake_are_refused(name: str, reason: str) -> None:
    fault = opened(ENABLED).refuse("CONNECT", "/", [WEBSOCKET, (name, "x")], None, True)
    assert fault.reason == reason


@pytest.mark.rfc("8441-5-c")
def test_cancel_stands_for_a_tcp_reset() -> None:
    talk = connected()
    talk.feed(talk.server.headers(1, OK), reset(1, CANCEL))
    assert failure(talk).code == CANCEL
    other = connected()
    other.drop()
    other.take(other.state.cancel(ref(1)))
    assert resets(other) == [(1, CANCEL)]


@pytest.mark.rfc("9218-2.1-a")
def test_the_setting_about_priorities_is_zero_or_one() -> None:
    talk = opened((9, 1))
    assert not talk.closed
    talk.feed(settings((9, 2)))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")
