"""Decoded text has the form that Python gives it, whatever was decoded before it."""

from __future__ import annotations

import itertools

import pytest

from mint._core.hpack import Decoder
from tests.core.test_huffman import coded, packed, padded

TEXTS = ("abc", "ab\xe9", "\xff\xfe\xfd", "abcdefghijk", "abcdefghij\xff", "a\tb", "a", "\xe9", "")


def string(text: str, *, huffman: bool) -> bytes:
    octets = packed(padded(coded(text))) if huffman and text else text.encode("latin-1")
    return bytes([(0x80 if huffman and text else 0) | len(octets)]) + octets


@pytest.mark.parametrize("forms", list(itertools.product((False, True), repeat=3)))
def test_a_text_is_ascii_exactly_if_its_characters_are(forms: tuple[bool, bool, bool]) -> None:
    for texts in itertools.product(TEXTS, repeat=3):
        strings = [string(text, huffman=form) for text, form in zip(texts, forms, strict=True)]
        # Values of an indexed name, and a name of its own with a value.
        made = Decoder().decode(b"\x04" + strings[0] + b"\x04" + strings[1] + b"\x00\x01x" + strings[2])
        assert made.fault is None
        for (_, value), text in zip(made.fields, texts, strict=True):
            assert value == text
            assert value.isascii() == all(mark < "\x80" for mark in text)
            assert hash(value) == hash(text)
