"""The functions that connect have the same parameters, and their overloads declare all of them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

import mint
import mint.asyncio
import mint.trio
from mint._connections import signatures

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECTS: dict[str, Callable[..., object]] = {
    "mint": mint.connect,
    "mint.asyncio": mint.asyncio.connect,
    "mint.trio": mint.trio.connect,
    "mint.http1": mint.http1.connect,
    "mint.http2": mint.http2.connect,
}
# Parameters that the module of the function determines, or that have no use there.
LEFT_OUT = {"mint.http1": {"protocols", "http2"}, "mint.http2": {"protocols", "http1"}}


def parameters(name: str) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(CONNECTS[name]).parameters)


@pytest.mark.parametrize("name", CONNECTS)
def test_every_connect_takes_the_arguments_of_mint_connect(name: str) -> None:
    wanted = parameters("mint")
    for left in LEFT_OUT.get(name, ()):
        del wanted[left]
    found = parameters(name)
    assert list(found) == list(wanted)
    for each, parameter in found.items():
        assert parameter.kind is wanted[each].kind
        assert parameter.default == wanted[each].default
        if each == "resolver" and name in {"mint.asyncio", "mint.trio"}:
            assert parameter.annotation == "Resolver | AsyncResolver | None"
        elif each != "mailbox":  # each event loop has its own
            assert parameter.annotation == wanted[each].annotation


# As the pages promise them; repeated here on purpose, like those of options in tests/test_defaults.py.
CONNECT: dict[str, object] = {
    "hostname": None,
    "protocols": ("http1", "http2"),
    "proxy": None,
    "mailbox": None,
    "tcp": mint.TCPOptions(),
    "tls": mint.TLSOptions(),
    "http1": mint.HTTP1Options(),
    "http2": mint.HTTP2Options(),
    "log": False,
    "record": None,
    "resolver": None,
    "socket": None,
}
OPENING = {name: CONNECT[name] for name in CONNECT if name not in {"proxy", "mailbox", "resolver", "socket"}}
TUNNEL: dict[str, object] = {**OPENING, "tunnel_timeout": 30.0}
INITIATE: dict[str, object] = {
    "port": 0,
    "identity": None,
    "mailbox": None,
    "log": False,
    "record": None,
    "proxy_headers": (),
}
OPERATIONS: dict[str, dict[str, object]] = {
    "request": {"headers": (), "body": None, "flush": True},
    "stream_request_body": {"flush": True},
    "recv": {"byte_count": 0, "timeout": None},
    "flush": {"timeout": None},
}
DEFAULTS: list[tuple[Callable[..., object], dict[str, object]]] = [
    (mint.connect, CONNECT),
    (mint.Tunnels, {"headers": ()}),
    (mint.asyncio.Tunnels, {"headers": ()}),
    (mint.trio.Tunnels, {"headers": ()}),
    (mint.Tunnels.connect, TUNNEL),
    (mint.asyncio.Tunnels.connect, {**TUNNEL, "mailbox": None}),
    (mint.trio.Tunnels.connect, {**TUNNEL, "mailbox": None}),
    (mint.http1.initiate, {**INITIATE, "http1": mint.HTTP1Options(), "forward_proxy": False}),
    (mint.http2.initiate, {**INITIATE, "http2": mint.HTTP2Options()}),
    (mint.HTTP2.ping, {"payload": bytes(8)}),
    *((getattr(mint.HTTP1, name), OPERATIONS[name]) for name in OPERATIONS),
    *((getattr(mint.HTTP2, name), OPERATIONS[name]) for name in OPERATIONS),
]


@pytest.mark.parametrize(("function", "defaults"), DEFAULTS)
def test_the_defaults_of_arguments(function: Callable[..., object], defaults: dict[str, object]) -> None:
    found = inspect.signature(function).parameters
    known = {name: each.default for name, each in found.items() if each.default is not each.empty}
    assert known == defaults
    assert {name: type(known[name]) for name in known} == {name: type(defaults[name]) for name in defaults}


@pytest.mark.parametrize(
    ("connect", "kinds"),
    [
        (mint.Tunnels.connect, (signatures.TunnelArguments,)),
        (mint.asyncio.Tunnels.connect, (signatures.TunnelArguments, signatures.AsyncTunnelArguments)),
    ],
)
def test_the_overloads_of_tunnels_declare_every_parameter(
    connect: Callable[..., object], kinds: tuple[type, ...]
) -> None:
    keywords = {
        name: parameter.annotation
        for name, parameter in inspect.signature(connect).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name != "protocols"
    }
    known = {
        name: annotation.__forward_arg__
        for kind in kinds
        for name, annotation in kind.__annotations__.items()
    }
    assert known == keywords


def test_the_overloads_declare_every_parameter() -> None:
    keywords = {
        name: parameter.annotation
        for name, parameter in parameters("mint").items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name != "protocols"
    }
    known = {
        name: annotation.__forward_arg__
        for kind in (signatures.Arguments, signatures.BlockingArguments)
        for name, annotation in kind.__annotations__.items()
    }
    assert known == keywords
