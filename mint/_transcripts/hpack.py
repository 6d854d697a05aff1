"""Strings and integers of HPACK, and its static table, in pure Python (RFC 7541 5, appendices A and B).

The compiled core has its own implementation. This module shares no code with it, so that each can be checked
against the other, and so that transcripts of a failing core can be edited. `mint.testing.hpack` makes the
functions public.
"""

from typing import Final

# The lengths of the codes of the octets and of EOS, "A" for 5 bits to "Z" for 30 (RFC 7541 appendix B). The
# code is canonical: codes are in order of length, and codes of the same length are in order of the octet.
_LENGTHS: Final = (
    "ISXXXXXXXTZXXZXXXXXXXXZXXXXXXXXXBFFHIBDGFFDGDBBBAAABBBBBBBCDKBHF"
    "IBCCCCCCCCCCCCCCCCCCCCCCDCDIOIJBKABABABBBACCBBBABCBAABCCCCCKGJIX"
    "PRPPRRRSRSSSSSTSTTRSTSSSSQRSRSSTRQPRRSSQSRRTQRSSQQRQSRSSPRRRSRRS"
    "VVPORSRUVVVWWVTUOQVWWVWTQQVVXWWWPTPQRQQSRRUUTTVSVWVVWWWWWXWWWWWV"
    "Z"
)

STATIC_TABLE: Final[tuple[tuple[str, str], ...]] = (
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
)
"""The entries of the static table; the first has index 1 (RFC 7541 appendix A)."""


def _codes() -> tuple[tuple[int, int], ...]:
    lengths = [ord(letter) - ord("A") + 5 for letter in _LENGTHS]
    codes: dict[int, tuple[int, int]] = {}
    code, before = 0, 0
    for symbol in sorted(range(len(lengths)), key=lambda each: (lengths[each], each)):
        code <<= lengths[symbol] - before
        before = lengths[symbol]
        codes[symbol] = (code, before)
        code += 1
    return tuple(codes[symbol] for symbol in range(len(lengths)))


_CODES: Final = _codes()


def huffman(octets: bytes) -> bytes:
    """Encode octets in the Huffman code, padded with ones (RFC 7541 5.2)."""
    bits, count = 0, 0
    for octet in octets:
        code, length = _CODES[octet]
        bits, count = bits << length | code, count + length
    padding = -count % 8
    return (bits << padding | (1 << padding) - 1).to_bytes((count + padding) // 8, "big")


_SYMBOLS: Final = {(length, code): symbol for symbol, (code, length) in enumerate(_CODES)}
_EOS: Final = 256
_LONGEST_PADDING: Final = 7


def plain(octets: bytes) -> bytes:
    """Decode octets in the Huffman code; the inverse of `huffman` (RFC 7541 5.2).

    Raises `ValueError` for what a decoder must refuse: EOS, and padding that is longer than seven bits or
    contains a zero.
    """
    decoded = bytearray()
    code, length = 1, 0  # the leading 1 bit preserves leading zeros
    for octet in octets:
        for place in range(7, -1, -1):
            code, length = code << 1 | octet >> place & 1, length + 1
            symbol = _SYMBOLS.get((length, code ^ 1 << length))
            if symbol is None:
                continue
            if symbol == _EOS:
                raise ValueError("the string contains EOS")
            decoded.append(symbol)
            code, length = 1, 0
    if length > _LONGEST_PADDING or code + 1 != 2 << length:
        raise ValueError(f"the string ends with {length} bits that are not valid padding")
    return bytes(decoded)


def integer(value: int, prefix: int = 8, flags: int = 0) -> bytes:
    """Return an integer with a prefix of `prefix` bits after the bits of `flags` (RFC 7541 5.1)."""
    full = (1 << prefix) - 1
    if value < full:
        return bytes((flags | value,))
    encoded = bytearray((flags | full,))
    value -= full
    while value >= 128:
        encoded.append(value % 128 + 128)
        value //= 128
    encoded.append(value)
    return bytes(encoded)


def string(text: str | bytes, *, huffman_coded: bool = False) -> bytes:
    """Return a string literal; a `str` is encoded as ISO 8859-1 (RFC 7541 5.2)."""
    octets = text.encode("latin-1") if isinstance(text, str) else text
    if not huffman_coded:
        return integer(len(octets), 7) + octets
    coded = huffman(octets)
    return integer(len(coded), 7, 0x80) + coded
