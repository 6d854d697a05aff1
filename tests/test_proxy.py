"""`Proxy` as a value, and proxies from the environment."""

from __future__ import annotations

import importlib.util

import pytest

import mint
from mint import Proxy
from mint._connect.race import make_plan
from mint.proxy import from_environment
from mint.testing import ScriptedServer


def test_a_proxy_is_a_value_and_hides_its_secrets() -> None:
    def made() -> Proxy:
        headers = (("x-token", "t0p"),)
        return Proxy("http", "proxy.example", 3128, username="me", password="hush", headers=headers)

    proxy = made()
    assert proxy == made()
    assert hash(proxy) != hash(Proxy("http", "proxy.example", 3128))
    assert not any(secret in repr(proxy) for secret in ("hush", "me'", "t0p"))
    assert proxy.sent_headers == (("x-token", "t0p"), ("Proxy-Authorization", "Basic bWU6aHVzaA=="))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (
            {"scheme": "ftp"},
            "scheme must be 'http' or 'https' or 'socks5' or 'socks5h' or 'socks4a', not 'ftp'",
        ),
        ({"port": -1}, "port must be a number from 0 to 65535, not -1"),
        ({"port": 65_536}, "port must be a number from 0 to 65535, not 65536"),
        ({"port": True}, "port must be a number from 0 to 65535, not True"),
        ({"port": "80"}, "port must be a number from 0 to 65535, not '80'"),
        (
            {"address": "a b"},
            "'a b' is not a host name: it must not contain a user, a port, a path or percent-encoding",
        ),
        (
            {"address": "%41"},
            "'%41' is not a host name: it must not contain a user, a port, a path or percent-encoding",
        ),
        (
            {"hostname": "a/b"},
            "'a/b' is not a host name: it must not contain a user, a port, a path or percent-encoding",
        ),
        ({"tunnel": None}, "tunnel must be True or False, not None"),
        ({"tunnel_timeout": -1}, "tunnel_timeout must be a number of seconds, or None for no limit, not -1"),
        (
            {"tunnel_timeout": True},
            "tunnel_timeout must be a number of seconds, or None for no limit, not True",
        ),
        ({"protocols": ()}, 'protocols must be ("http1",) or ("http2",), not ()'),
        (
            {"protocols": ("http1", "http2")},
            "protocols must be (\"http1\",) or (\"http2\",), not ('http1', 'http2')",
        ),
        ({"headers": (("host", "a"),)}, "headers must not contain host, which names the origin"),
        ({"headers": (("a b", "c"),)}, "headers: invalid header name: a b"),
        ({"headers": (("a", "b\r\nc: d"),)}, "headers: invalid header value: a"),
        ({"headers": (("content-length", "5"),)}, "headers: content length mismatch"),
        ({"headers": (("transfer-encoding", "chunked"),)}, "headers: invalid request framing: CONNECT"),
        (
            {"headers": (("proxy-authorization", "x"),), "username": "a", "password": "b"},
            "username and a proxy-authorization header cannot be used together",
        ),
        ({"password": "b"}, "password must not be given without username"),
        ({"username": "a:b"}, "username must not contain a colon: Basic authentication cannot carry it"),
        (
            {"username": "a\r\nb"} | {"scheme": "socks4a", "password": "x"},
            "SOCKS4a does not support passwords: use socks5 or socks5h",
        ),
        (
            {"scheme": "https", "address": mint.UnixAddress("/a")},
            "a Unix socket has no host name: give hostname for the certificate",
        ),
        (
            {"scheme": "socks5", "headers": (("a", "b"),)},
            "headers can be used only with HTTP proxies, not with SOCKS",
        ),
        (
            {"scheme": "socks5", "protocols": ("http2",)},
            "protocols can be used only with HTTP proxies, not with SOCKS",
        ),
        ({"scheme": "socks5", "username": "a"}, "SOCKS5 needs both a username and a password, or neither"),
        (
            {"scheme": "socks5", "username": "a" * 256, "password": "b"},
            "username must be 1 to 255 bytes long",
        ),
        (
            {"scheme": "socks5", "username": "a", "password": "b" * 65_536},
            "password must be 1 to 255 bytes long",
        ),
        ({"scheme": "socks5", "username": "", "password": ""}, "username must be 1 to 255 bytes long"),
        (
            {"scheme": "socks4a", "username": "a\0b"},
            "username must not contain NUL or characters that UTF-8 cannot encode",
        ),
        (
            {"scheme": "socks4a", "username": "a", "password": "b"},
            "SOCKS4a does not support passwords: use socks5 or socks5h",
        ),
    ],
)
def test_invalid_proxies_are_refused(wrong: dict[str, object], says: str) -> None:
    options: dict[str, object] = {"scheme": "http", "address": "proxy.example", "port": 3128, **wrong}
    with pytest.raises(ValueError, match=r".") as caught:
        Proxy(**options)  # type: ignore[arg-type]  # wrong on purpose
    assert str(caught.value) == says


@pytest.mark.parametrize("name", ["username", "password"])
@pytest.mark.parametrize("letter", ["a", "\xe4", "\u20ac"])
@pytest.mark.parametrize("size", [1, 84, 85, 86, 127, 128, 255, 256])
def test_credentials_of_socks5_have_up_to_255_octets(name: str, letter: str, size: int) -> None:
    given = letter * size
    names = ("u", given) if name == "password" else (given, "p")

    def proxy() -> Proxy:
        return Proxy("socks5", "proxy.example", 1080, username=names[0], password=names[1])

    if len(given.encode()) <= 255:
        assert getattr(proxy(), name) == given
    else:
        with pytest.raises(ValueError, match=f"{name} must be 1 to 255 bytes long"):
            proxy()


def test_without_socks_support_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"mint-http\[socks\]"):
        Proxy("socks5", "proxy.example", 1080)


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://proxy.example", Proxy("http", "proxy.example", 80)),
        ("proxy.example:3128", Proxy("http", "proxy.example", 3128)),
        ("HTTPS://proxy.example/", Proxy("https", "proxy.example", 443)),
        ("socks5h://[2001:db8::1]", Proxy("socks5h", "2001:db8::1", 1080)),
        ("http://a:b%40c@proxy.example:1", Proxy("http", "proxy.example", 1, username="a", password="b@c")),
        ("socks4a://me@proxy.example", Proxy("socks4a", "proxy.example", 1080, username="me")),
    ],
)
def test_proxies_from_urls(url: str, proxy: Proxy) -> None:
    assert Proxy.from_url(url) == proxy


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://",
        "ftp://proxy.example",
        "http://proxy.example:99999",
        "http://proxy.example:x",
        "http://a:hush@pro xy.example",
        "http://a:hush@proxy.example/path",
        "http://a:hush@proxy.example?query",
        "http://a:hush@%31.example",
        "http://a:hush%ff@proxy.example",
        "http://[::1",
        "http://a:hush@proxy.example\n",
    ],
)
def test_invalid_urls_are_refused_without_showing_secrets(url: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        Proxy.from_url(url)
    assert "hush" not in str(caught.value)


def test_unix_sockets_and_link_local_addresses_need_a_direct_connection() -> None:
    proxy, tcp, tls = Proxy("http", "proxy.example", 80), mint.TCPOptions(), mint.TLSOptions()
    for address in (mint.UnixAddress("/a"), "fe80::1%eth0"):
        with pytest.raises(ValueError, match="proxy"):
            make_plan("http", address, 80, "x.example", tcp, tls, ("http/1.1",), proxy)
    socks = Proxy("socks4a", "proxy.example", 80)
    with pytest.raises(ValueError, match="SOCKS4a"):
        make_plan("http", "::1", 80, None, tcp, tls, ("http/1.1",), socks)


# -- the environment

HTTP = Proxy("http", "one.example", 1)
HTTPS = Proxy("http", "two.example", 2)
ALL = Proxy("socks5h", "three.example", 3)


@pytest.mark.parametrize(
    ("scheme", "environ", "proxy"),
    [
        ("http", {}, None),
        ("http", {"http_proxy": "one.example:1"}, HTTP),
        ("http", {"HTTP_PROXY": "one.example:1"}, HTTP),
        ("http", {"http_proxy": "one.example:1", "HTTP_PROXY": "two.example:2"}, HTTP),
        ("http", {"http_proxy": "", "HTTP_PROXY": "one.example:1"}, HTTP),
        ("http", {"http_proxy": " ", "all_proxy": "socks5h://three.example:3"}, ALL),
        ("http", {"https_proxy": "two.example:2"}, None),
        ("https", {"https_proxy": "two.example:2", "all_proxy": "one.example:1"}, HTTPS),
        ("https", {"HTTPS_PROXY": "two.example:2"}, HTTPS),
        ("https", {"http_proxy": "one.example:1", "ALL_PROXY": "socks5h://three.example:3"}, ALL),
        ("http", {"HTTP_PROXY": "one.example:1", "REQUEST_METHOD": "GET"}, None),
        ("http", {"http_proxy": "one.example:1", "REQUEST_METHOD": "GET"}, HTTP),
        ("https", {"HTTPS_PROXY": "two.example:2", "REQUEST_METHOD": "GET"}, HTTPS),
    ],
)
def test_proxies_from_the_environment(
    scheme: mint.types.Scheme, environ: dict[str, str], proxy: Proxy | None
) -> None:
    assert from_environment(scheme, "origin.example", environ=environ) == proxy


@pytest.mark.parametrize(
    ("entries", "host", "port", "direct"),
    [
        ("*", "origin.example", 80, True),
        ("a, *", "origin.example", 80, True),
        ("origin.example", "origin.example", 80, True),
        ("ORIGIN.example.", "origin.EXAMPLE", 80, True),
        ("origin.example", "ORIGIN.example.", 80, True),
        ("example", "origin.example", 80, True),
        ("example", "notexample", 80, False),
        ("ample", "origin.example", 80, False),
        (".example", "origin.example", 80, True),
        ("*.example", "deep.origin.example", 80, True),
        (".origin.example", "origin.example", 80, False),
        ("*.origin.example", "origin.example", 80, False),
        ("origin.example:80", "origin.example", 80, True),
        ("origin.example:8080", "origin.example", 80, False),
        (".example:443", "origin.example", 443, True),
        ("origin.example:x", "origin.example", 80, False),
        ("origin.*", "origin.example", 80, False),
        ("a,b c\td,,origin.example", "origin.example", 80, True),
        ("10.0.0.1", "10.0.0.1", 80, True),
        ("10.0.0.0/8", "10.9.8.7", 80, True),
        ("10.0.0.0/8", "11.0.0.1", 80, False),
        ("10.0.0.0/8:443", "10.9.8.7", 443, True),
        ("10.0.0.1:80", "10.0.0.1", 80, True),
        ("10.0.0.1:81", "10.0.0.1", 80, False),
        ("10.0.0.0/33", "10.0.0.1", 80, False),
        (".0.1", "10.0.0.1", 80, False),
        ("1", "10.0.0.1", 80, False),
        ("::1", "::1", 80, True),
        ("[::1]", "[::1]", 80, True),
        ("[::1]:80", "::1", 80, True),
        ("[::1]:81", "::1", 80, False),
        ("0:0:0:0:0:0:0:1", "::1", 80, True),
        ("fe80::/10", "fe80::1%eth0", 80, True),
        (".example.com", "::1%25.example.com", 80, False),
        (".example.com", "[::1%25.example.com]", 80, False),
        ("127.0.0.1", "localhost", 80, False),
        ("", "origin.example", 80, False),
        (".", "origin.example", 80, False),
    ],
)
def test_which_origins_no_proxy_matches(entries: str, host: str, port: int, direct: bool) -> None:
    environ = {"http_proxy": "one.example:1", "no_proxy": entries}
    assert (from_environment("http", host, port, environ) is None) is direct
    upper = {"http_proxy": "one.example:1", "NO_PROXY": entries}
    assert (from_environment("http", host, port, upper) is None) is direct


def test_no_proxy_uses_the_default_port_of_the_scheme() -> None:
    environ = {"https_proxy": "one.example:1", "no_proxy": "origin.example:443"}
    assert from_environment("https", "origin.example", environ=environ) is None
    assert from_environment("https", "origin.example", 444, environ) == HTTP


def test_an_invalid_variable_is_named_without_its_value() -> None:
    with pytest.raises(ValueError, match=r"^https_proxy: ") as caught:
        from_environment("https", "a", environ={"https_proxy": "ftp://me:hush@proxy.example"})
    assert "hush" not in str(caught.value)
    with pytest.raises(ValueError, match="scheme"):
        from_environment("ftp", "a", environ={})  # type: ignore[arg-type]  # wrong on purpose


def test_connect_does_not_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert from_environment("http", "origin.example") == Proxy("http", "127.0.0.1", 1)
    with ScriptedServer([]) as server:
        conn = mint.connect("http", server.address, server.port)
        assert conn.peer_address == (server.address, server.port)
        conn.close()
