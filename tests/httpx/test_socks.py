"""Clients with SOCKS proxies have the same answers and errors as with httpx's own transports."""

from __future__ import annotations

import ssl
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any  # httpx and httpx2 have no common types

import pytest

from mint.testing import Close, Drain, ExpectUntil, Origin, ScriptedServer, Send, Step, showcase
from mint.testing.steps import ExpectCount

from ..routes import SocksProxy
from ..tls import authority, server_context, trusting
from .clients import KINDS, Kind, User, Whose, play

if TYPE_CHECKING:
    from .conftest import Flavour

BOTH: tuple[Whose, ...] = ("mint", "own")
HELLO = b"Hello from the origin of mint.testing.\n"


def options_of(whose: Whose, proxy: str, *, http2: bool = False) -> dict[str, Any]:
    if whose == "mint":
        return {"proxy": proxy, "tls": trusting(), "protocols": ("http1", "http2") if http2 else ("http1",)}
    trusts = ssl.create_default_context(cadata=authority().cert_pem.bytes().decode())
    return {"proxy": proxy, "verify": trusts, "http2": http2}


@pytest.mark.parametrize("whose", BOTH)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("alpn", [None, "http/1.1", "h2"])
def test_requests_go_through(flavour: Flavour, kind: Kind, whose: Whose, alpn: str | None) -> None:
    """The proxy resolves the name; TLS, HTTP/2 and bodies work as without it."""
    with ExitStack() as stack:
        tls = None if alpn is None else server_context(alpn=(alpn,))
        origin = stack.enter_context(Origin(showcase, tls=tls))
        proxy = stack.enter_context(SocksProxy())
        root = f"{'http' if tls is None else 'https'}://localhost:{origin.port}"

        async def scenario(user: User) -> None:
            for _ in range(2):
                answer = await user.get(root)
                assert answer.content == HELLO
                assert answer.http_version == ("HTTP/2" if alpn == "h2" else "HTTP/1.1")
            streamed = await user.open(f"{root}/stream/300000")
            assert len(await user.read(streamed)) == 300_000

        # With the transports of httpx the proxy resolves every name.
        scheme = "socks5h" if whose == "mint" else "socks5"
        given = options_of(whose, f"{scheme}://127.0.0.1:{proxy.port}", http2=alpn == "h2")
        play(flavour, kind, scenario, given, whose=whose)
        assert proxy.targets == [("localhost", origin.port)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("scheme", "host"), [("socks5", "127.0.0.1"), ("socks5h", "localhost"), ("socks4a", "localhost")]
)
def test_who_resolves_the_name(flavour: Flavour, kind: Kind, scheme: str, host: str) -> None:
    with Origin(showcase) as origin, SocksProxy() as proxy:

        async def scenario(user: User) -> None:
            assert (await user.get(f"http://localhost:{origin.port}/")).content == HELLO

        given = options_of("mint", f"{scheme}://127.0.0.1:{proxy.port}")
        play(flavour, kind, scenario, given)
        assert proxy.targets[-1] == (host, origin.port)


@pytest.mark.parametrize("whose", BOTH)
@pytest.mark.parametrize("kind", KINDS)
def test_credentials_of_the_url(flavour: Flavour, kind: Kind, whose: Whose) -> None:
    with Origin(showcase) as origin, SocksProxy() as proxy:

        async def scenario(user: User) -> None:
            assert (await user.get(f"http://127.0.0.1:{origin.port}/")).content == HELLO

        given = options_of(whose, f"socks5://me:hush%20hush@127.0.0.1:{proxy.port}")
        play(flavour, kind, scenario, given, whose=whose)
        assert b"\x01\x02me\x09hush hush" in proxy.handshake


REFUSALS: dict[str, tuple[Step, ...]] = {
    "no method": (Send(b"\x05\xff"), Close()),
    "credentials": (Send(b"\x05\x02"), ExpectCount(9), Send(b"\x01\x01"), Close()),
    **{
        f"reply {reply}": (
            *(Send(b"\x05\x02"), ExpectCount(9), Send(b"\x01\x00"), ExpectCount(10)),
            *(Send(bytes([5, reply, 0, 1]) + bytes(6)), Close()),
        )
        for reply in (1, 2, 3, 4, 5, 6, 7, 8)
    },
}


# The transports of httpx raise the same errors, but leave the socket open.
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_is_a_proxy_error(flavour: Flavour, kind: Kind, refusal: str) -> None:
    with ScriptedServer([ExpectUntil(b"\x02"), *REFUSALS[refusal]]) as server:

        async def scenario(user: User) -> None:
            with pytest.raises(user.package.ProxyError) as caught:
                await user.get("http://127.0.0.1:1/")
            assert caught.value.request.url.port == 1
            assert "hush" not in str(caught.value)

        play(flavour, kind, scenario, options_of("mint", f"socks5://me:hush@127.0.0.1:{server.port}"))


@pytest.mark.parametrize("whose", BOTH)
@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_that_refuses_connections(flavour: Flavour, kind: Kind, whose: Whose) -> None:
    with Origin(showcase) as origin:
        nowhere = origin.port

    async def scenario(user: User) -> None:
        with pytest.raises(user.package.ConnectError):
            await user.get("http://127.0.0.1:1/")

    play(flavour, kind, scenario, options_of(whose, f"socks5://127.0.0.1:{nowhere}"), whose=whose)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4a", "http"])
def test_a_silent_proxy_causes_a_timeout(flavour: Flavour, kind: Kind, scheme: str) -> None:
    with ScriptedServer([Drain()]) as server:

        async def scenario(user: User) -> None:
            with pytest.raises(user.package.ConnectTimeout):
                await user.get("https://127.0.0.1:1/", timeout=user.package.Timeout(10.0, connect=0.1))

        play(flavour, kind, scenario, options_of("mint", f"{scheme}://127.0.0.1:{server.port}"))
