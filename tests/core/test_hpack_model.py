"""The encoder of HPACK, compared octet by octet with a naive model of what it chooses. RFC 7541 6, 7.1."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hypothesis import given
from hypothesis import strategies as st

from mint._core.fields import SENSITIVE
from mint._core.hpack import Encoder
from mint._core.hpack_rules import STATIC, UNREPEATED

Pair = tuple[str, str]

HUFFMAN = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)
STATIC_NAMES = [name for name, _ in STATIC]
NEVER, UNINDEXED, NAME_INDEXED, INDEXED = range(4)

SECRET_PARTS = {
    *("apikey", "auth", "authentication", "authorization", "cookie", "credential", "credentials", "csrf"),
    *("jwt", "otp", "password", "secret", "session", "sid", "signature", "token", "xsrf"),
}
SECRET_ENDS = tuple(
    f"{kind}-key" for kind in ("access", "account", "api", "private", "secret", "subscription")
)
NUMBER_ENDS = (
    *(f"{kind}-id" for kind in ("correlation", "request", "span", "trace", "transaction")),
    "traceparent",
)


def integer(number: int, prefix: int, first: int) -> bytes:
    most = (1 << prefix) - 1
    if number < most:
        return bytes([first | number])
    number -= most
    out = [first | most]
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def string(text: str) -> bytes:
    plain = text.encode("latin-1")
    coded = HUFFMAN.encode(plain)
    if len(coded) < len(plain):
        return integer(len(coded), 7, 0x80) + coded
    return integer(len(plain), 7, 0) + plain


def looks_random(value: str) -> bool:
    """Whether a value is long, without separators, and of digits only or of kinds that often change."""
    if len(value) < 16 or any(mark <= '"' or mark in ",;" for mark in value):
        return False
    kinds = "".join(
        kind
        for mark in value
        for kind, least, most in (("d", "0", "9"), ("l", "a", "z"), ("u", "A", "Z"))
        if least <= mark <= most
    )
    changes = sum(one != two for one, two in pairwise(kinds))
    return changes >= len(value) / 4 or kinds == "d" * len(value)


def is_long_credential(name: str, value: str) -> bool:
    token = value[7:]
    return (
        name in {"authorization", "proxy-authorization"}
        and value[:7].lower() == "bearer "
        and len(token) >= 40
        and all("!" <= mark <= "~" for mark in token)
        and len(set(token)) >= 10
    )


def policy_of_unknown(name: str, value: str) -> int:
    if SECRET_PARTS & set(name.split("-")) or name.endswith(SECRET_ENDS):
        return NEVER
    if name.endswith(NUMBER_ENDS):
        return NAME_INDEXED
    return UNINDEXED if looks_random(value) else INDEXED


class Model:
    """An encoder that searches lists."""

    def __init__(self, maximum: int, *, credentials: bool) -> None:
        self.maximum = maximum
        self.credentials = credentials
        self.entries: list[Pair] = []

    def policy(self, name: str, value: str, sensitive: frozenset[str]) -> int:
        if name in sensitive:
            return NEVER
        if name in SENSITIVE:
            return INDEXED if self.credentials and is_long_credential(name, value) else NEVER
        if name in STATIC_NAMES:
            return UNINDEXED if name in UNREPEATED else INDEXED
        return INDEXED if (name, value) in self.entries else policy_of_unknown(name, value)

    def index_of_name(self, name: str) -> int:
        if name in STATIC_NAMES:
            return STATIC_NAMES.index(name) + 1
        names = [each for each, _ in self.entries]
        return names.index(name) + 62 if name in names else 0

    def size(self) -> int:
        return sum(len(name) + len(value) + 32 for name, value in self.entries)

    def field(self, name: str, value: str, sensitive: frozenset[str]) -> bytes:
        pair = (name, value)
        policy = self.policy(name, value, sensitive)
        if policy != NEVER and pair in STATIC:
            return integer(STATIC.index(pair) + 1, 7, 0x80)
        if policy == INDEXED and pair in self.entries:
            return integer(self.entries.index(pair) + 62, 7, 0x80)
        index = self.index_of_name(name)
        if policy == NAME_INDEXED:
            policy = UNINDEXED if index else INDEXED
        if policy == INDEXED and len(name) + len(value) + 32 > self.maximum * 3 / 4:
            policy = UNINDEXED
        first, prefix = {NEVER: (0x10, 4), UNINDEXED: (0, 4), INDEXED: (0x40, 6)}[policy]
        if policy == INDEXED:
            self.entries.insert(0, pair)
            while self.size() > self.maximum:
                self.entries.pop()
        return integer(index, prefix, first) + (b"" if index else string(name)) + string(value)


NAMES = [
    *(
        ":path",
        ":method",
        "accept-encoding",
        "server",
        "etag",
        "www-authenticate",
        "x",
        "x-y",
        "x-long-name-z",
    ),
    *("authorization", "proxy-authorization", "cookie", "set-cookie"),
    *("x-token", "token-x", "x-sid-y", "x-side", "tokens", "x-api-key", "api-keys", "x-key", "aapi-key"),
    *("x-request-id", "request-id", "request-ids", "traceparent", "x-traceparent", "x-id"),
]
# The first and the last mark of each kind, and their neighbours.
MARKS = '09az"AZ/:@[`{!#,;-.\x7f\x80\xff '


def bearer(scheme: str, count: int, different: int) -> str:
    """Return a credential with a token of so many characters, of which so many are different."""
    return scheme + ("0123456789abcdef"[:different] * 40)[:count]


PLAIN_MARKS = "".join(mark for mark in MARKS if mark > '"' and mark not in ",;")
VALUES = st.one_of(
    st.sampled_from(["", "GET", "/", "gzip, deflate", "1", "2", "a" * 40, "b" * 300, "0" * 15, "0" * 16]),
    st.text("0aA", min_size=12, max_size=24),
    st.text("aaaaaaa0-", min_size=14, max_size=40),
    st.text(PLAIN_MARKS, max_size=30),
    st.text(MARKS, max_size=30),
    st.builds(
        bearer,
        st.sampled_from(["Bearer ", "bearer ", "BEARER ", "Bearer", "Basic  "]),
        st.integers(38, 42),
        st.integers(9, 11),
    ),
)
SECTIONS = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=12)


@given(
    st.lists(st.tuples(SECTIONS, st.frozensets(st.sampled_from(NAMES), max_size=2)), max_size=6),
    st.sampled_from([64, 100, 150, 200, 400, 4096]),
    st.booleans(),
)
def test_the_encoder_writes_what_the_model_writes(
    talk: list[tuple[list[Pair], frozenset[str]]], maximum: int, credentials: bool
) -> None:
    encoder = Encoder(maximum, index_credentials=credentials).encode([])[1]
    model = Model(maximum, credentials=credentials)
    for section, sensitive in talk:
        block, encoder = encoder.encode(section, sensitive)
        assert block == b"".join(model.field(name, value, sensitive) for name, value in section)
        assert encoder.entries == tuple(model.entries)
        assert encoder.size == model.size()


@pytest.mark.parametrize("maximum", [64, 100, 4096])
def test_an_entry_may_take_three_quarters_of_the_table(maximum: int) -> None:
    for size in range(maximum * 3 // 4 - 3, maximum * 3 // 4 + 4):
        encoder = Encoder(maximum).encode([])[1]
        added = encoder.encode([("server", "x" * (size - 38))])[1].entries
        assert (len(added) == 1) == (4 * size <= 3 * maximum)


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 64, 65, 66, 67, 100])
def test_every_entry_is_found_by_its_pair_and_by_its_name(count: int) -> None:
    pairs = [(f"x-{at}", "value") for at in range(count)]
    encoder = Encoder().encode(pairs)[1]
    for at, (name, value) in enumerate(pairs):
        index = 62 + count - 1 - at
        assert encoder.encode([(name, value)]) == (integer(index, 7, 0x80), encoder)
        assert encoder.encode([(name, "other")])[0] == integer(index, 6, 0x40) + string("other")
        shy = encoder.encode([(name, value)], frozenset({name}))
        assert shy == (integer(index, 4, 0x10) + string(value), encoder)


def is_indexed(value: str) -> bool:
    """Whether the encoder puts an unknown field with this value into its table."""
    return Encoder().encode([("x-y", value)])[1].entries == (("x-y", value),)


@pytest.mark.parametrize("whole", ["a0" * 10, "0123456789012345", "aB" * 8, "abcdefghijklmnopqrst"])
def test_one_octet_decides_whether_a_value_looks_random(whole: str) -> None:
    for octet in range(256):
        for place in range(len(whole) + 1):
            for value in (
                whole[:place] + chr(octet) + whole[place:],
                whole[:place] + chr(octet) + whole[place + 1 :],
            ):
                assert is_indexed(value) != looks_random(value), value


@pytest.mark.parametrize("kinds", ["0a", "aA", "A0", "0aA", "00aa", "0000a", "aaaA", "0-a-", "0-", "a.", "0"])
def test_how_long_a_value_must_be_and_how_often_it_must_change(kinds: str) -> None:
    for count in range(1, 40):
        for quiet in range(40):
            value = (kinds * 40)[:count] + "z" * quiet
            assert is_indexed(value) != looks_random(value), value
