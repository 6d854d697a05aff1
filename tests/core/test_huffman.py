"""The Huffman code, compared with a decoder that reads one bit at a time. RFC 7541 5.2."""

from __future__ import annotations

import random

import pytest
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

from mint._core.hpack import Decoder, Encoder

CODES: list[str] = [
    f"{code:0{length}b}" for code, length in zip(REQUEST_CODES, REQUEST_CODES_LENGTH, strict=True)
]
"""The code of each octet in binary digits; the last one is the end of a string."""
SYMBOLS = {code: symbol for symbol, code in enumerate(CODES)}
EOS = 256
PADDING = "the Huffman padding is too long or not all ones"
ENDED = "a string contains the end-of-string symbol"


def naive(bits: str) -> str:
    """Decode bits one by one; return the text, or the words of the fault in brackets."""
    made, code = "", ""
    for bit in bits:
        code += bit
        symbol = SYMBOLS.get(code)
        if symbol == EOS:
            return f"[{ENDED}]"
        if symbol is not None:
            made += chr(symbol)
            code = ""
    return f"[{PADDING}]" if len(code) > 7 or "0" in code else made


def packed(bits: str) -> bytes:
    assert len(bits) % 8 == 0
    return int("1" + bits, 2).to_bytes(len(bits) // 8 + 1, "big")[1:]


def padded(bits: str) -> str:
    return bits + "1" * (-len(bits) % 8)


def coded(text: str) -> str:
    return "".join(CODES[ord(mark)] for mark in text)


def decoded(bits: str) -> str:
    """Decode bits as the value of a field; return the text, or the words of the fault in brackets."""
    octets = packed(bits)
    count = len(octets)
    length = (
        bytes([0x80 | count]) if count < 127 else bytes([0xFF, (count - 127) & 127 | 128, (count - 127) >> 7])
    )
    made = Decoder().decode(b"\x04" + length + octets)
    return made.fields[0][1] if made.fault is None else f"[{made.fault.value}]"


@pytest.mark.parametrize("after", ["", "0", "0" * 9, "z" * 20, "\xff0"])
def test_every_octet_at_every_place(after: str) -> None:
    """The decoder reads eight octets at once and several codes of up to a few bits at once."""
    for before in range(40):
        for symbol in range(256):
            text = "0" * before + chr(symbol) + after
            assert decoded(padded(coded(text))) == text


@pytest.mark.parametrize("seed", range(5))
def test_any_text(seed: int) -> None:
    chance = random.Random(seed)  # the same texts in every run
    alphabets = ["01aeiost", "".join(map(chr, range(32, 127))), "".join(map(chr, range(256))), "\n\xff\x00"]
    for _ in range(300):
        text = "".join(chance.choices(chance.choice(alphabets), k=chance.randrange(90)))
        assert decoded(padded(coded(text))) == text


@pytest.mark.parametrize("tail", ["", "0", "\xff"])
def test_padding_is_at_most_seven_ones(tail: str) -> None:
    for before in range(40):
        bits = coded("a" * before + tail)
        for ones in range(48):
            if (len(bits) + ones) % 8 == 0:
                assert decoded(bits + "1" * ones) == naive(bits + "1" * ones)
        whole = padded(bits)
        for place in range(len(bits), len(whole)):
            wrong = whole[:place] + "0" + whole[place + 1 :]
            assert decoded(wrong) == naive(wrong)


def test_the_end_of_string_is_refused_at_every_place() -> None:
    for before in range(40):
        for after in ("", "0", "a" * 12, "\xff"):
            bits = padded(coded("0" * before) + CODES[EOS] + coded(after))
            assert decoded(bits) == f"[{ENDED}]"


@pytest.mark.parametrize("seed", range(5))
def test_any_bits(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(600):
        ones = chance.choice((0.5, 0.8, 0.95))
        bits = "".join("1" if chance.random() < ones else "0" for _ in range(8 * chance.randrange(1, 40)))
        assert decoded(bits) == naive(bits)


@pytest.mark.parametrize("seed", range(5))
def test_damaged_text(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(600):
        text = "".join(chr(chance.randrange(256)) for _ in range(chance.randrange(1, 12)))
        bits = padded(coded("0" * chance.randrange(20) + text))
        place = chance.randrange(len(bits))
        bits = bits[:place] + ("1" if bits[place] == "0" else "0") + bits[place + 1 :]
        bits = bits[: len(bits) - 8 * chance.randrange(len(bits) // 8)]
        assert decoded(bits) == naive(bits)


def test_the_code_of_every_octet_is_written_at_every_place() -> None:
    for before in range(24):
        for symbol in range(256):
            # Zeros have short codes, so that the coded string is the shorter one.
            text = "0" * before + chr(symbol) + "0" * 60
            octets = packed(padded(coded(text)))
            assert Encoder().encode([(":path", text)])[0] == b"\x04" + bytes([0x80 | len(octets)]) + octets


def test_the_code_is_used_only_if_it_is_shorter() -> None:
    for symbol in range(256):
        for count in range(1, 12):
            text = chr(symbol) * count
            octets = packed(padded(coded(text)))
            plain = text.encode("latin-1")
            string = bytes([count]) + plain if len(octets) >= count else bytes([0x80 | len(octets)]) + octets
            assert Encoder().encode([("x", text)], frozenset({"x"}))[0] == b"\x10\x01x" + string
