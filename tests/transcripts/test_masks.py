"""Masks replace secrets, without changing sizes or whether the text is valid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mint._core.hpack import Decoder, Encoder
from mint._transcripts import masks
from mint._transcripts.blocks import huffman

NAMES = masks.secret_names({"x-mine"})
LATIN = st.characters(min_codepoint=0x20, max_codepoint=0xFF, blacklist_characters="\x7f")


def wire(text: str) -> int:
    """Return how many octets the encoder makes of a value, without the length before it."""
    block, _ = Encoder().encode((("authorization", text),))
    size = len(block) - 2
    return size if size < 128 else size - 1 if size < 256 else size - 2


@given(st.text(LATIN, min_size=1, max_size=100))
def test_a_mask_is_as_long_as_the_secret_with_and_without_huffman_coding(secret: str) -> None:
    masked = masks.refit(secret, [(0, len(secret))])
    assert len(masked) == len(secret)
    assert wire(masked) == wire(secret)


@given(st.text(LATIN, min_size=1, max_size=100))
def test_a_mask_fits_a_secret_whose_huffman_code_is_longer_than_itself(secret: str) -> None:
    compressed = huffman(secret)
    masked = masks.refit(secret, [(0, len(secret))], len(compressed))
    assert len(masked) == len(secret)
    assert len(huffman(masked)) == len(compressed)


@given(st.text(LATIN, max_size=200))
def test_the_engine_decodes_the_huffman_code_of_masks(text: str) -> None:
    octets = huffman(text)
    size = bytes([0x80 | len(octets)]) if len(octets) < 127 else b"\xff" + _continued(len(octets) - 127)
    decoded = Decoder().decode(b"\x00\x01a" + size + octets)
    assert decoded.fault is None
    assert decoded.fields == [("a", text)]


def _continued(number: int) -> bytes:
    made = bytearray()
    while number >= 128:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


@given(st.text(st.characters(min_codepoint=1, max_codepoint=0x2FF), min_size=1, max_size=40), st.booleans())
def test_a_mask_keeps_only_characters_that_make_the_value_invalid(secret: str, fitted: bool) -> None:
    ((_, masked),) = masks.fields((("x-mine", secret),), NAMES, fitted=fitted)
    assert len(masked) == len(secret)
    inner = secret.strip(" \t")
    for mark, was in zip(masked, secret, strict=True):
        if mark == was:
            assert (
                mark == "\t" or mark < " " or mark in "\x7f \u0100" or mark in "0-x*!|#@^{\\" or mark > "\x80"
            )
    assert masked.strip(" \t") == "" if not inner else len(masked.strip(" \t")) == len(inner)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("/", "/"),
        ("*", "*"),
        ("/@scope/package?mail=a@b", "/@scope/package?mail=a@b"),
        ("http://host/@scope", "http://host/@scope"),
        ("http://host:80/@scope", "http://host:80/@scope"),
        ("http://[::1]/@scope", "http://[::1]/@scope"),
        ("http://user:pass@host/", "http://xxxxxxxxx@host/"),
        ("http://user@host:80/a@b", "http://xxxx@host:80/a@b"),
        ("http://us@er:pa@host/", "http://xxxxxxxx@host/"),
        ("http://user:pa/ss@host/", "http://xxxxxxxxxx@host/"),
        ("http://user:pa?ss@host/", "http://xxxxxxxxxx@host/"),
        ("user:pass@host:443", "xxxxxxxxx@host:443"),
        ("host:443", "host:443"),
        ("//user:pass@host/", "//user:pass@host/"),
    ],
)
def test_credentials_in_targets(text: str, masked: str) -> None:
    assert masks.target(text) == masked


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        ("Authorization", "Bearer abc", "Bearer xxx"),
        ("authorization", "abc def", "xxxxxxx"),
        ("PROXY-AUTHORIZATION", "Basic dTpw", "Basic xxxx"),
        ("cookie", "Basic a", "xxxxxxx"),
        ("X-Mine", "key", "xxx"),
        ("x-other", "key", "key"),
        ("referer", "https://u:it's'!$&()*+,;=~._-%20@h/", f"https://{'x' * 24}@h/"),
        ("x-a", 'url="http://u:<">@h/"', 'url="http://xxxxx@h/"'),
        ("referer", "https://u:p@h/?q=a@b", "https://xxx@h/?q=a@b"),
        ("link", "<https://u:p@h/>, <https://h/a@b>", "<https://xxx@h/>, <https://h/a@b>"),
        ("authorization ", "Bearer abc", "xxxxxxxxxx"),
        ("\nset_cookie", "abc", "xxx"),
        ("x-a b", "abc", "abc"),
        ("x-a", "b\r\nCookie: abc", "b\r\nxxxxxxxxxxx"),
        ("Host", "user:pass@h:80", "xxxxxxxxx@h:80"),
        (":authority", "user@h", "xxxx@h"),
        ("cookie", " a", " x"),
        ("cookie", "a\x00b", "x\x00x"),
    ],
)
def test_secrets_in_fields(name: str, value: str, masked: str) -> None:
    assert masks.fields(((name, value),), NAMES, fitted=False) == ((name, masked),)
