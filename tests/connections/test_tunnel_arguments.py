"""Wrong arguments of `Tunnels` are refused by name before anything is sent, in threads, asyncio and trio."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

import mint
import mint.asyncio
import mint.trio
from mint._connections import tunnels_base
from mint._connections.negotiation import check_connect
from mint.transport import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

CLASSES: dict[str, Callable[..., mint.Tunnels | mint.asyncio.Tunnels | mint.trio.Tunnels]] = {
    "threads": mint.Tunnels,
    "asyncio": mint.asyncio.Tunnels,
    "trio": mint.trio.Tunnels,
}
NO_CONNECTION: list[object] = [
    None,
    5,
    "x",
    mint.HTTP2,
    mint.http1.initiate(Memory(), scheme="http", hostname="p"),
]
NO_HEADERS: list[object] = [
    *(
        None,
        5,
        "te",
        b"te",
        {"te": "x"},
        ["te"],
        [b"te"],
        [{"t", "e"}],
        [("a",)],
        [("a", "b", "c")],
        [("a", 5)],
    ),
    *([(b"a", "b")], [("a", None)], [None]),
]
ARGUMENTS: dict[str, list[object]] = {
    "scheme": [None, 5, "ftp", b"http"],
    "address": [None, 5, "", "a\0b", b"a", "u@h"],
    "port": [None, "80", 80.0, -1, 65_536, True, math.nan],
    "hostname": [5, "", "a\0b", b"a", "u@h"],
    "protocols": [None, 5, "http1", (), ("http3",), ("http1", 5)],
    "tcp": [None, 5, mint.TLSOptions(), mint.TCPOptions],
    "tls": [None, 5, mint.TCPOptions(), mint.TLSOptions],
    "http1": [None, 5, mint.HTTP2Options(), mint.HTTP1Options],
    "http2": [None, 5, mint.HTTP1Options(), mint.HTTP2Options],
    "log": [None, 1, "yes"],
    "tunnel_timeout": [True, "1", b"1", -1, -0.5, math.nan, math.inf, -math.inf, 10**400, [1]],
}


def proxied() -> tuple[mint.HTTP2, Memory]:
    link = Memory(reads=True)
    conn = mint.http2.initiate(link, scheme="http", hostname="proxy.example")
    link.take()
    return conn, link


@pytest.mark.parametrize("loop", CLASSES)
def test_a_wrong_connection_is_refused_by_name(loop: str) -> None:
    for wrong in NO_CONNECTION:
        with pytest.raises((TypeError, ValueError), match="connection"):
            CLASSES[loop](wrong)
    for wrong in NO_HEADERS:
        with pytest.raises((TypeError, ValueError), match="headers"):
            CLASSES[loop](proxied()[0], wrong)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_of_a_tunnel_are_refused_by_name(name: str) -> None:
    """The arguments in asyncio and trio are checked by the same functions."""
    for wrong in ARGUMENTS[name]:
        given: dict[str, object] = {"scheme": "http", "address": "origin.example", "port": 80, name: wrong}
        conn, link = proxied()
        tunnels = mint.Tunnels(conn)
        with pytest.raises((TypeError, ValueError), match=name):
            getattr(tunnels, "connect")(**given)  # noqa: B009  # of any arguments
        assert link.take() == b"", wrong
        tunnels.close()


@pytest.mark.parametrize(
    ("connect_timeout", "tunnel_timeout", "until", "answered_by"),
    [
        (None, None, None, None),
        (None, 3, None, 103),
        (8, None, 108, 108),
        (8, 3, 108, 103),
        (8, 9.5, 108, 108),
        (8, 0, 108, 100),
        (0, 3, 100, 100),
    ],
)
def test_how_long_opening_a_tunnel_may_take(
    monkeypatch: pytest.MonkeyPatch,
    connect_timeout: float | None,
    tunnel_timeout: float | None,
    until: float | None,
    answered_by: float | None,
) -> None:
    """`connect_timeout` is for all of it, `tunnel_timeout` for the answer to CONNECT; `None` is no limit."""
    monkeypatch.setattr(tunnels_base, "monotonic", lambda: 100.0)
    tcp = mint.TCPOptions(connect_timeout=connect_timeout)
    options = (mint.TLSOptions(), mint.HTTP1Options(), mint.HTTP2Options())
    checked = check_connect(
        "http", "origin.example", 80, None, ("http1", "http2"), None, tcp, *options, False, None
    )
    with mint.Tunnels(proxied()[0]) as tunnels:
        planned, target = tunnels._check(checked, tunnel_timeout)
    assert target == "origin.example:80"
    assert (planned.until, planned.answered_by) == (until, answered_by)
