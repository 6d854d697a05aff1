from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mint.exchange import URL, split_url


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://example.org", ("http", "example.org", 80, "/")),
        ("https://example.org/", ("https", "example.org", 443, "/")),
        ("HTTPS://Example.ORG:8443/A?B#C", ("https", "example.org", 8443, "/A?B")),
        ("http://h?q=1", ("http", "h", 80, "/?q=1")),
        ("http://h#f", ("http", "h", 80, "/")),
        ("http://h:/x", ("http", "h", 80, "/x")),
        ("http://h:0080/x", ("http", "h", 80, "/x")),
        ("http://h:0/x", ("http", "h", 0, "/x")),
        ("http://h:65535/x", ("http", "h", 65_535, "/x")),
        ("https://h:00000065535/x", ("https", "h", 65_535, "/x")),
        ("http://[::1]:81/x", ("http", "::1", 81, "/x")),
        ("http://[2001:DB8::1]", ("http", "2001:db8::1", 80, "/")),
        ("http://127.0.0.1/x", ("http", "127.0.0.1", 80, "/x")),
        ("http://h/?u=http://user@other/", ("http", "h", 80, "/?u=http://user@other/")),
        ("http://h/@x", ("http", "h", 80, "/@x")),
        ("http://h//x", ("http", "h", 80, "//x")),
        ("http://h/%20;x", ("http", "h", 80, "/%20;x")),
        ("http://example.org./", ("http", "example.org.", 80, "/")),
    ],
)
def test_parts(url: str, parts: tuple[str, str, int, str]) -> None:
    found = split_url(url)
    assert found == parts
    assert found.origin == parts[:3]


@pytest.mark.parametrize(
    "url",
    [
        *("", "/x", "example.org", "//example.org/", "ftp://h/", "http:/h/", "http:h", "http//h", "http://"),
        *("http:///x", "http://:80/", "http://h:65536/", "http://h:-1/", "http://h:8x/"),
        *("http://h:100000/", "http://h:165535/", "http://h:000065536/"),
        "http://h:" + "1" * 5000,
        *("http://h:80:80/", "http://[::1/", "http://::1/", "http://[h]/", "http://a b/"),
        "http://[127.0.0.1]/",
        *("http://h\\x/", "http://h%41/", "http://h\x00/", "http://h\n/", "http://h/\n"),
        *("http://h/a b", "http://h/\x7f"),
        *("http://h/é", " http://h/", "http://h/ ", "http://h/\t", "http://h/?a\r\nb", "http://127.1/"),
        "http://0x7f.1/",
        *("http://h\uff0fx/", "http://h\u2044x/", "http://a..b/", "http://-/\u0663", "http://h:\u0663/"),
    ],
)  # fmt: skip
def test_invalid_urls(url: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        split_url(url)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@h/",
        "https://secret@h:1/",
        "http://a@secret@h/",
        "x://user:secret@h/",
        "user:secret@h",
        *("http://user:secret/x@h/", "http://user:secret?x@h/", "http://user:secret#x@h/"),
    ],
)
def test_credentials_are_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        split_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://user:x@h/", "credentials in a URL are not sent"),
        ("http://user:x/y@h/", "the authority of the URL is not a host"),
        ("http://h:65536/", "h:65536"),
        ("ftp://h/", "ftp://h/"),
    ],
)
def test_the_error_says_what_is_wrong(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        split_url(url)


@given(st.text())
def test_any_target_is_refused_or_kept_unchanged(text: str) -> None:
    try:
        found = split_url(f"http://h/{text}")
    except ValueError:
        return
    assert found == URL("http", "h", 80, f"/{text.partition('#')[0]}")
    assert found.target.isascii()
    assert found.target.isprintable()
