"""HPACK: mint, a naive decoder and the `hpack` library decode the same blocks, and what mint encodes.

Blocks are made from decisions: fields in every representation that suits the table, table size updates,
changes of the limit, strings with or without Huffman coding, and now and then a wrong octet.
"""

import re

import hpack
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

from mint._core.hpack import Decoder, Encoder
from model_hpack import STATIC, Pair, Refusal, Table
from support import Choices, check, documented, fuzz

HUFFMAN = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)
NAMES = (
    b"a",
    b"x-name",
    b"server",
    b":status",
    b"cookie",
    b"",
    b"X",
    b"set-cookie",
    b"content-type",
    b"\xff\x00",
    b":Path",
    b"a b",
)
VALUES = (
    b" x",
    b"x\t",
    b"a\x7f",
    b"",
    b"1",
    b"v" * 40,
    b"text/html",
    b"\xe9\x00",
    b"0123456789abcdefghij" * 3,
)
SECRETS = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "proxy-authenticate",
    "www-authenticate",
    "authentication-info",
    "proxy-authentication-info",
    "x-api-key",
    "apikey",
    "x-auth",
    "auth-token",
    "x-authentication",
    "x-authorization",
    "my-cookie",
    "x-credential",
    "x-credentials",
    "x-csrf",
    "x-csrf-token",
    "jwt",
    "x-jwt",
    "x-otp",
    "x-password",
    "x-secret",
    "x-session",
    "session-id",
    "x-session-id",
    "sid",
    "x-signature",
    "x-token",
    "xsrf",
    "x-xsrf-token",
    "aws-access-key",
    "x-account-key",
    "private-key",
    "client-secret-key",
    "ocp-apim-subscription-key",
    "x-mine",
]
# Other names that the caller may declare to be secret; most are in the static table, some with a value.
OWN = (
    ":method",
    ":path",
    ":scheme",
    ":status",
    "accept-encoding",
    "authorization",
    "etag",
    "server",
    "a",
    "x-name",
)
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789ABCD"  # forty
LONG = ("Bearer " + LETTERS, "BeareR " + "abcdefghij" * 4)
TOKENS = (
    *LONG,
    "Bearer " + LETTERS[:39],
    "Bearer " + "abcdefghi" * 5,
    "Bearer " + LETTERS[:20] + " " + LETTERS[:20],
    "Basic  " + LETTERS,
    "Bearer\t" + LETTERS,
)


def integer(value: int, bits: int, first: int) -> bytes:
    """Encode an integer (RFC 7541 5.1)."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    made = [first | most]
    value -= most
    while value >= 128:  # seven bits
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


def string(choices: Choices, octets: bytes) -> bytes:
    """Encode a string, with or without Huffman coding."""
    if choices.chance(50):
        coded = HUFFMAN.encode(octets)
        if choices.chance(4):
            coded = spoiled(choices, octets)
        return integer(len(coded), 7, 0x80) + coded
    return integer(len(octets), 7, 0) + octets


def spoiled(choices: Choices, octets: bytes) -> bytes:
    """Return a Huffman code with the end-of-string symbol in it, or with padding that is not allowed."""
    codes = [f"{REQUEST_CODES[octet]:0{REQUEST_CODES_LENGTH[octet]}b}" for octet in octets]
    end = f"{REQUEST_CODES[256]:0{REQUEST_CODES_LENGTH[256]}b}"
    if choices.chance(40):
        codes.insert(choices.below(len(codes) + 1), end)
    bits = "".join(codes)
    padding = -len(bits) % 8
    style = choices.below(4)
    if style == 0:  # a whole octet too many, or several
        padding += 8 * choices.between(1, 4)
    ones = "1" * padding
    if style == 1 and padding:  # a zero in the padding
        place = choices.below(padding)
        ones = ones[:place] + "0" + ones[place + 1 :]
    bits += ones
    return bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits), 8))


def block_for(choices: Choices, table: Table) -> bytes:
    """Return a block that is mostly valid with this table."""
    made = b""
    if table.required is not None and choices.chance(90):
        size = min(table.required, table.limit)
        if choices.chance(30):  # the smallest limit since the last block, or one more or less
            size = max(0, size + choices.pick((-1, 1)))
        made += integer(size, 5, 0x20)
    for _ in range(choices.below(3) if choices.chance(25) else 0):
        made += integer(choices.pick((0, 33, 70, 100, table.limit, table.limit, table.limit + 1)), 5, 0x20)
    count = len(STATIC) + len(table.entries)
    for _ in range(choices.pick((0, 1, 3, 6, 12))):
        form = choices.below(6)
        if form < 2:  # indexed
            made += integer(
                choices.pick((choices.between(1, count), count, 62, count + 1 if choices.chance(5) else 1)),
                7,
                0x80,
            )
            continue
        bits, first = ((6, 0x40), (6, 0x40), (4, 0), (4, 0x10))[form - 2]
        if choices.chance(50):
            made += integer(choices.between(1, count), bits, first)
        else:
            made += integer(0, bits, first) + string(choices, choices.pick(NAMES))
        made += string(choices, choices.pick(VALUES) if choices.chance(80) else choices.octets(20))
    if made and choices.chance(12):
        place = choices.below(len(made))
        made = (
            made[:place] + choices.pick((b"", b"\xff", b"\x80", bytes([choices.byte()]))) + made[place + 1 :]
        )
    if choices.chance(6):
        # Beyond 32 bits: an index, a size or a length that is right once the bits above are lost.
        large = choices.between(0, 70) + (1 << 32)
        made += choices.pick(
            (
                integer(large, 7, 0x80),
                integer(large, 6, 0x40) + b"\x01v",
                b"\x00" + integer(large, 7, 0) + b"v" * 70,
                b"\xff\x80\x80\x80\x80\x10",
                b"\x7f\x80\x80\x80\x80\x00\x01a",
            )
        )
    return made


def octets_of(fields: list[tuple[str, str]]) -> list[Pair]:
    """Return fields as octets."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]


def marks_of(fields: list[Pair]) -> int:
    """Return what a decoder must notice about fields: invalid names, invalid values, pseudo-headers."""
    marks = 0
    for name, value in fields:
        if name.startswith(b":"):
            marks |= 4
        if not re.fullmatch(rb":?[!#$%&'*+\-.^_`|~0-9a-z]+", name):
            marks |= 1
        if not re.fullmatch(
            rb"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?", value
        ):
            marks |= 2
    return marks


def is_long(name: str, value: str) -> bool:
    """Whether a secret is a bearer token that nobody can guess: only such a one may be indexed."""
    return value in LONG and name.lower() in ("authorization", "proxy-authorization")


def decode_one(choices: Choices, ours: Decoder, table: Table, block: bytes) -> tuple[Decoder, Table] | None:
    """Decode a block with mint and the naive decoder; return `None` if both refuse it."""
    most_size = choices.pick((65_536, 65_536, 100, 300))
    most_fields = choices.pick((512, 512, 3, 6))
    before = (ours.entries, ours.size, ours.maximum)
    decoded = ours.decode(block, most_size, most_fields)
    again = ours.decode(block, most_size, most_fields)
    check(decoded.fields == again.fields and decoded.fault == again.fault, "the second time differs", block)
    check(before == (ours.entries, ours.size, ours.maximum), "decoding wrote to a state", block)
    try:
        fields, never, after = table.decode(block, most_size, most_fields)
    except Refusal as refusal:
        check(decoded.fault is not None, "mint accepts what the naive decoder refuses", refusal, block, table)
        if decoded.fault is not None:
            documented(decoded.fault)
        return None
    check(decoded.fault is None, "mint refuses what the naive decoder accepts", decoded.fault, block, table)
    check(octets_of(decoded.fields) == fields, "wrong fields", decoded.fields, fields)
    marked = {place for place, one in enumerate(never) if one}
    check(
        (decoded.never or frozenset()) == marked, "the wrong fields are never indexed", decoded.never, marked
    )
    entries = octets_of(list(decoded.decoder.entries))
    check(entries == after.entries, "a wrong table", entries, after.entries)
    check(decoded.decoder.maximum == after.maximum, "a wrong maximum", decoded.decoder.maximum, after.maximum)
    size = sum(len(name) + len(value) + 32 for name, value in entries)
    check(decoded.marks == marks_of(fields), "wrong marks of invalid fields", decoded.marks, fields)
    total = sum(len(name) + len(value) + 32 for name, value in fields)
    check(decoded.size == total, "a wrong size of the section", decoded.size, total)
    check(
        size == decoded.decoder.size <= after.maximum, "a wrong size of the table", size, decoded.decoder.size
    )
    return decoded.decoder, after


def decoding(choices: Choices) -> None:
    """Decode block after block, each with the latest or an earlier state of those that are kept."""
    ours, table = Decoder(), Table()
    theirs: hpack.Decoder | None = hpack.Decoder(max_header_list_size=1 << 24)
    known = [(ours, table)]
    # A table drops entries only when no other state of it is left, so half of the inputs keep few states.
    most = choices.pick((1, 2, 13, 13))
    for _ in range(choices.between(1, 12)):
        if choices.chance(15):
            for _ in range(choices.between(1, 2)):
                limit = choices.pick((0, 50, 100, 4_096, 65_536))
                ours, table = ours.resized(limit), table.resized(limit)
            theirs = None
        if choices.chance(20):
            ours, table = choices.pick(known)
            theirs = None
        block = block_for(choices, table)
        made = decode_one(choices, ours, table, block)
        if theirs is not None:
            compare(block, theirs, table)
        if made is None:
            theirs = None
            continue
        ours, table = made
        known.append(made)
        del known[:-most]
    for state, naive in known:
        check(octets_of(list(state.entries)) == naive.entries, "an old table has changed", state, naive)


def compare(block: bytes, theirs: hpack.Decoder, table: Table) -> None:
    """Check that `hpack` reads the same fields, or that both refuse the block."""
    try:
        expected, _, _ = table.decode(block, 1 << 24, 1 << 16)
    except Refusal as refusal:
        naive: list[Pair] | None = None
        why = str(refusal)
    else:
        naive, why = expected, ""
    try:
        got: list[Pair] | None = [
            (bytes(name), bytes(value)) for name, value in theirs.decode(block, raw=True)
        ]
    except (hpack.HPACKError, IndexError, ValueError):
        got = None
    if got != naive:
        # D-HPACK-1: an integer of more than five octets, or 32 bits, that `hpack` accepts.
        # D-HPACK-2: empty names, which `hpack` refuses in literals.
        check(
            (naive is None and why == "integer")
            or (got is None and naive is not None and any(name == b"" for name, _ in naive)),
            "hpack reads something different",
            got,
            naive,
            why,
            block,
        )


def encoding(choices: Choices) -> None:
    """Encode section after section, some with old states; a decoder with the same history reads the same."""
    credentials = choices.chance(40)
    own = frozenset({"x-mine", *(choices.pick(OWN) for _ in range(choices.below(4)))})
    cap, allowed = choices.pick((4_096, 4_096, 200, 0)), 4_096
    encoder, table = Encoder(cap, credentials), Table(1 << 20)
    known = [(encoder, table, hpack.Decoder(max_header_list_size=1 << 24))]
    reference = known[0][2]
    for _ in range(choices.between(1, 8)):
        forked = choices.chance(20)
        if forked:
            encoder.encode([("x-fork", "y"), ("server", "other")])
        for _ in range(choices.between(1, 3) if choices.chance(15) else 0):
            size = choices.pick((0, 50, 100, 4_096, 65_536))
            encoder, allowed = encoder.resized(size), size
            reference.max_allowed_table_size = max(size, 4_096)
        fields: list[tuple[str, str]] = []
        for _ in range(choices.below(8)):
            name = choices.pick(NAMES).decode("latin-1") if choices.chance(60) else choices.pick(SECRETS)
            value = choices.pick(VALUES).decode("latin-1")
            if name in SECRETS:
                value = choices.pick(("hidden-1", "hidden-2", "x", *TOKENS))
            elif choices.chance(20):  # as in the static table
                name, value = (octets.decode("ascii") for octets in choices.pick(STATIC))
            fields.append((name or "n", value))
        entries = encoder.entries
        declared = own if choices.chance(80) else frozenset({"x-mine"})
        block, after = encoder.encode(fields, declared)
        again, _ = encoder.encode(fields, declared)
        check(block == again, "the second time differs", block, again)
        check(encoder.entries == entries, "encoding wrote to a state")
        try:
            got, never, table = table.decode(block, 1 << 24, 1 << 16)
        except Refusal as refusal:
            check(False, "what was encoded cannot be decoded", refusal, block, fields)
            return
        check(got == octets_of(fields), "the round trip changes", got, fields)
        most = (after.maximum, table.maximum)
        check(most == (min(cap, allowed),) * 2, "another size of the table", most, cap, allowed)
        check(
            octets_of(list(after.entries)) == table.entries, "the tables differ", after.entries, table.entries
        )
        for (name, value), hidden in zip(fields, never, strict=True):
            check(
                hidden
                or (name not in SECRETS and name not in declared)
                or (credentials and is_long(name, value) and name not in declared),
                "a secret may be indexed",
                name,
                block,
            )
        check(
            not any(
                value.startswith((b"hidden", b"Be")) and value.decode() not in LONG
                for _, value in table.entries
            ),
            "a secret is in a table",
            table,
        )
        read = [(bytes(name), bytes(value)) for name, value in reference.decode(block, raw=True)]
        check(read == octets_of(fields), "hpack reads something different", read, fields)
        encoder = after


def one(data: bytes) -> None:
    """Try one input."""
    if not data:
        return
    choices = Choices(data[1:])
    if data[0] < 32:  # an eighth: the octets are one block
        decode_one(choices, Decoder(), Table(), data[1:])
    elif data[0] < 160:  # half
        decoding(choices)
    else:
        encoding(choices)


if __name__ == "__main__":
    fuzz(one)
