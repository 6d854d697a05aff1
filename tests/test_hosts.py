"""Which strings are accepted as host names and addresses, and the form in which they are sent."""

from __future__ import annotations

import ipaddress
import sys

import pytest

import mint
from mint._hosts import _remembered, ascii_host, ascii_name, literal, without_zone


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("example.org", "example.org"),
        ("EXAMPLE.org.", "EXAMPLE.org."),
        ("under_score.example", "under_score.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25.example.com]", "fe80::1"),
        ("2001:0db8:0:0::0001", "2001:db8::1"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("B\N{LATIN CAPITAL LETTER U WITH DIAERESIS}cher.EXAMPLE", "xn--bcher-kva.example"),
        ("BU\N{COMBINING DIAERESIS}cher.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
    ],
)
def test_hosts_are_sent_in_a_normal_form(given: str, sent: str) -> None:
    assert ascii_host(given) == sent


@pytest.mark.parametrize(
    "given",
    [
        "",
        ".",
        "..",
        "a..b",
        ".example",
        "%31%32%37.0.0.1",
        "exa%6dple.org",
        "user@example.org",
        "user:secret@example.org",
        "example.org:80",
        "example.org/path",
        "example.org#fragment",
        "example.org?query",
        "example.org\\x",
        "exa mple.org",
        "example.org\r\nx: y",
        "example\0.org",
        "exam\tple",
        "[::1",
        "::1]",
        "[example.org]",
        "1.2.3",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "256.1.1.1",
        "1.2.3.4.5",
        "example.0x1",
        "xn--.example",
        "xn--example-.example",
        "xn--a.example",
        "xn--abc-def-.example",
        "a" * 64 + ".example",
        ".".join(["a" * 60] * 5),
        "a\N{IDEOGRAPHIC FULL STOP}example",
        "a\N{ZERO WIDTH JOINER}b.example",
        "\N{LATIN SMALL LETTER U WITH DIAERESIS}" * 64 + ".example",
    ],
)
def test_invalid_hosts_are_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"is not a |is neither |valid"):
        ascii_host(given)


def test_address_objects_are_literals() -> None:
    four, six = ipaddress.IPv4Address("192.0.2.1"), ipaddress.IPv6Address("fe80::1%3")
    assert literal(four) is four
    assert literal(six) is six
    assert without_zone(six) == "fe80::1"
    assert literal(mint.UnixAddress("/a")) is None


def test_without_idna_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "idna", None)
    with pytest.raises(ValueError, match=r"mint-http\[idna\]"):
        ascii_name("b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example")
    assert ascii_name("example.org") == "example.org"


def test_the_cache_of_hosts_is_limited_and_has_no_passwords() -> None:
    _remembered.cache_clear()
    for number in range(1_000):
        assert literal(f"host{number}.example") is None
        assert literal(f"127.0.{number // 256}.{number % 256}") is not None
    assert _remembered.cache_info().currsize == _remembered.cache_info().maxsize
    _remembered.cache_clear()
    assert literal("user:secret@example.org") is None
    assert literal("a" * 300) is None
    assert _remembered.cache_info().currsize == 0
    assert literal("[::1]") == literal("::1")
    assert _remembered.cache_info().hits == 1
