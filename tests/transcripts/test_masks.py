"""Masks replace secrets, without changing sizes or whether the text is valid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mint
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


@pytest.mark.parametrize("mark", [*"0-x*!|#@^{\\", "\x80", "\xe9", "\xff"])
def test_a_mask_of_one_character_again_and_again(mark: str) -> None:
    """Each length of code, so that its octets are used to the last bit, or not."""
    for count in range(1, 41):
        for secret in (mark * count, "0" * count + mark, mark * count + "{"):
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
        ("@host/", "@host/"),
        ("http://@host/", "http://@host/"),
        ("http://@host:80/a@b", "http://@host:80/a@b"),
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
        ("location", "//u:p@h/", "//xxx@h/"),
        ("link", "<https://u:p@h/>, <https://h/a@b>", "<https://xxx@h/>, <https://h/a@b>"),
        ("authorization ", "Bearer abc", "xxxxxxxxxx"),
        ("x-a", "b\r\nCookie: abc", "b\r\nxxxxxxxxxxx"),
        ("Host", "user:pass@h:80", "xxxxxxxxx@h:80"),
        (":authority", "user@h", "xxxx@h"),
        ("cookie", " a", " x"),
        ("cookie", "a\x00b", "x\x00x"),
    ],
)
def test_secrets_in_fields(name: str, value: str, masked: str) -> None:
    assert masks.fields(((name, value),), NAMES, fitted=False) == ((name, masked),)


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        # The line of a field as its name.
        ("Authorization: Bearer abc", "", ("Authorization: xxxxxxxxxx", "")),
        ("X-Api-Key: abc", "", ("X-Api-Key: xxx", "")),
        ("x-a\r\nCookie: abc", "v", ("x-a\r\nxxxxxxxxxxx", "x")),
        ("x-a b", "abc", ("x-a x", "abc")),
        ("X-B3-TraceId abc", "", ("xxxxxxxxxxxx xxx", "")),
        ("x_a1: b", "", ("x_a1: x", "")),
        ("SID=abc=", "", ("SID=xxxx", "")),
        (":authority: abc", "", (":authority: xxx", "")),
        ("::abc", "", ("::xxx", "")),
        ("authorization ", "Bearer abc", ("authorization ", "xxxxxxxxxx")),
        ("\nset_cookie", "abc", ("\nxxxxxxxxxx", "xxx")),
        ("x\u20ac abc\u20ac\x00", "", ("x\u20ac xxx\u0100\x00", "")),
        # A value as the name.
        ("Bearer abc", "Authorization", ("xxxxxx xxx", "Authorization")),
        ("dXNlcjpwYXNz==", "", ("xxxxxxxxxxxx=x", "")),
        ("sk_live_4eC39HqLyjWD:", "", ("xxxxxxxxxxxxxxxxxxxx:", "")),
        ("0123456789abcdef/1", "", ("xxxxxxxxxxxxxxxx/x", "")),
        ("abc def", "x-mine", ("xxx xxx", "x-mine")),
        # Valid names, and names without anything that could be masked.
        ("4eC39HqLyjWDarjtT1zdp7dc", "abc", ("4eC39HqLyjWDarjtT1zdp7dc", "abc")),
        (":authority", "abc", (":authority", "abc")),
        ("", "abc", ("", "abc")),
        (":", "abc", (":", "abc")),
        (" ", "abc", (" ", "abc")),
    ],
)
@pytest.mark.parametrize("fitted", [False, True])
def test_secrets_in_names(name: str, value: str, masked: tuple[str, str], fitted: bool) -> None:
    (shown,) = masks.fields(((name, value),), NAMES, fitted=fitted)
    assert shown[0] == masked[0]
    if not fitted:
        assert shown == masked


@given(st.text(st.characters(max_codepoint=0x2FF), max_size=20), st.sampled_from(["", "cookie", "abc"]))
def test_a_masked_name_is_refused_at_the_same_character(name: str, value: str) -> None:
    ((shown, _),) = masks.fields(((name, value),), NAMES, fitted=True)
    seen: list[str] = []
    for each in (name, shown):
        conn = mint.http1.initiate(mint.transport.Memory(), scheme="http", hostname="a", identity=1)
        try:
            conn.request("GET", "/", [(each, "v")])
        except mint.errors.InvalidHeaderName as error:
            seen.append(error.cause)
        else:
            assert name == shown
    assert len(seen) in {0, 2}
    assert len(set(seen)) < 2
