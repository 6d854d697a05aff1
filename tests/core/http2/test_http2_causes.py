"""Error messages name the frame, its stream or length, and the value of a setting."""

from __future__ import annotations

import pytest

import mint
from mint import errors
from mint.testing import http2
from mint.testing.http2 import Frame, FrameType

OK = http2.headers(1, ((":status", "200"),)).payload
ON_STREAMS = ("DATA", "HEADERS", "PRIORITY", "RST_STREAM", "PUSH_PROMISE", "CONTINUATION")
ON_CONNECTIONS = {"SETTINGS": b"", "PING": bytes(8), "GOAWAY": bytes(8)}
SIZES = {"PRIORITY": 4, "RST_STREAM": 3, "SETTINGS": 7, "PING": 9, "GOAWAY": 5, "WINDOW_UPDATE": 5}
SETTINGS = {
    "ENABLE_PUSH": (2, 1),
    "INITIAL_WINDOW_SIZE": (4, 2**31 + 7),
    "MAX_FRAME_SIZE": (5, 17),
    "ENABLE_CONNECT_PROTOCOL": (8, 9),
    "NO_RFC7540_PRIORITIES": (9, 11),
}


def setting(identifier: int, value: int) -> bytes:
    return identifier.to_bytes(2) + value.to_bytes(4)


def of(name: str) -> int:
    return FrameType[name].value


CASES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    **{
        f"{name} on stream 0": (Frame(of(name), 0, 0, bytes(5)).serialize(), (name, "stream 0"))
        for name in ON_STREAMS
    },
    **{
        f"{name} on stream 3": (Frame(of(name), 0, 3, payload).serialize(), (name, "stream 3"))
        for name, payload in ON_CONNECTIONS.items()
    },
    **{
        f"{name} of {size}": (
            Frame(of(name), 0, 1 if name in ON_STREAMS else 0, bytes(size)).serialize(),
            (name, f"{size} octets"),
        )
        for name, size in SIZES.items()
        if name != "PRIORITY"  # its error is one of the stream
    },
    "DATA that is too long": (Frame(0, 0, 1, bytes(16_385)).serialize(), ("DATA", "16385", "16384")),
    "an acknowledgement": (Frame(4, 1, 0, bytes(6)).serialize(), ("acknowledgement", "SETTINGS", "6 octets")),
    "a window of the connection": (
        http2.window_update(0, 0).serialize(),
        ("WINDOW_UPDATE", "increment of 0"),
    ),
    "padding of DATA": (Frame(0, 8, 1, b"\x07ab").serialize(), ("DATA", "3 octets", "7 octets")),
    "padding of HEADERS": (Frame(1, 0xC, 1, b"\x07ab").serialize(), ("HEADERS", "7 octets", "the 2 ")),
    "no room for the weight": (Frame(1, 0x24, 1, b"abc").serialize(), ("HEADERS", "3 octets")),
    "another frame in a block": (
        Frame(1, 0, 1, OK).serialize() + Frame(6, 0, 0, bytes(8)).serialize(),
        ("PING", "block of stream 1"),
    ),
    "a block of another stream": (
        Frame(1, 0, 1, OK).serialize() + Frame(9, 4, 3, b"").serialize(),
        ("CONTINUATION on stream 3", "block of stream 1"),
    ),
    **{
        name: (Frame(4, 0, 0, setting(*given)).serialize(), (f"SETTINGS_{name}", str(given[1])))
        for name, given in SETTINGS.items()
    },
}


@pytest.mark.parametrize("case", CASES)
def test_the_message_names_the_cause(case: str) -> None:
    octets, words = CASES[case]
    link = mint.transport.Memory()
    conn = mint.http2.initiate(link, scheme="https", hostname="a.test", identity=1)
    link.put(http2.settings().serialize())
    conn, _ = conn.recv()
    conn, ref = conn.request("GET", "/")
    link.put(octets)
    with pytest.raises(mint.HTTPError) as caught:
        conn.recv()
    for word in words:
        assert word in str(caught.value), str(caught.value)
    failed = [each for each in caught.value.responses if isinstance(each, mint.RequestFailed)]
    assert [each.ref for each in failed] == [ref]


def test_arguments_of_a_request_are_named() -> None:
    for conn in (
        mint.http1.initiate(mint.transport.Memory(), scheme="http", hostname="a.test"),
        mint.http2.initiate(mint.transport.Memory(), scheme="http", hostname="a.test"),
    ):
        for value in (None, 5, True, b"GET", ["GET"]):
            with pytest.raises(TypeError, match="method must be a str"):
                conn.request(value, "/")  # type: ignore[arg-type]  # not a str
            with pytest.raises(TypeError, match="target must be a str"):
                conn.request("GET", value)  # type: ignore[arg-type]  # not a str


def test_messages_about_lengths_and_upgrades() -> None:
    assert "too large" in str(errors.InvalidContentLengthHeader("9" * 30))
    for value in ("", "+5", "5 5", "0x5", "\u0665"):
        assert "not a decimal number" in str(errors.InvalidContentLengthHeader(value))
    assert "switched protocols, which" in str(errors.UnexpectedUpgrade(""))
    assert "'q'" in str(errors.UnexpectedUpgrade("q"))
