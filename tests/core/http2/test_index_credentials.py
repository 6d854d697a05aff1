"""`HTTP2Options.index_credentials`: only long bearer tokens enter the HPACK table.

The tests decode what is sent with the library `hpack`.
"""

from __future__ import annotations

import hpack
import pytest
from hpack import NeverIndexedHeaderTuple

import mint
from mint import HTTP2Options
from mint.transport import Memory

TOKEN = "k3F9-x_Q7.tZ0aVb2Lc8Wd4Xe6Yf1Rg5Sh"
LONG = TOKEN + "+/7Jm~p="
assert len(TOKEN) < 40 <= len(LONG)
PREFACE = len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

INDEXED = [
    ("authorization", f"Bearer {LONG}"),
    ("Authorization", f"bearer {LONG}"),
    ("proxy-authorization", f"BEARER {LONG}"),
    ("authorization", "Bearer " + "0123456789" * 4),
]
NEVER = [
    ("authorization", f"Bearer {TOKEN}"),
    ("authorization", "Bearer " + "0123456789" * 3 + "012345678"),
    ("authorization", "Bearer " + "a" * 100),
    ("authorization", "Bearer " + "012345678" * 10),
    ("authorization", f"Bearer {TOKEN} {LONG}"),
    ("authorization", f"Bearer  {LONG}"),
    ("authorization", f"Bearer\t{LONG}"),
    ("authorization", f"Bearer{LONG}"),
    ("authorization", f"Bearer {LONG}\xe4"),
    ("authorization", f"Basic {LONG}"),
    ("authorization", f"Bearer, {LONG}"),
    ("authorization", LONG),
    ("cookie", f"Bearer {LONG}"),
    ("x-authorization", f"Bearer {LONG}"),
    ("x-api-key", f"Bearer {LONG}"),
]


def _blocks(options: HTTP2Options, name: str, value: str) -> list[bytes]:
    """Return the header blocks of three requests with this field."""
    link = Memory()
    conn = mint.http2.initiate(link, scheme="https", hostname="example.org", port=443, http2=options)
    link.take()
    blocks = []
    for _ in range(3):
        conn, _ref = conn.request("GET", "/", ((name, value),))
        octets = link.take()
        assert octets[3] == 1
        assert int.from_bytes(octets[:3]) == len(octets) - 9
        blocks.append(octets[9:])
    return blocks


def _read(blocks: list[bytes], name: str) -> list[tuple[str, bool]]:
    """Return the value of the field in each block, and whether it was sent as never indexed."""
    decoder = hpack.Decoder()
    return [
        (bytes(pair[1]).decode("latin-1"), isinstance(pair, NeverIndexedHeaderTuple))
        for block in blocks
        for pair in decoder.decode(block, raw=True)
        if bytes(pair[0]).decode() == name.lower()
    ]


@pytest.mark.parametrize(("name", "value"), INDEXED)
def test_a_long_bearer_token_is_sent_once(name: str, value: str) -> None:
    blocks = _blocks(HTTP2Options(index_credentials=True), name, value)
    assert _read(blocks, name) == [(value, False)] * 3
    assert len(blocks[0]) > 30
    assert max(map(len, blocks[1:])) < 10


@pytest.mark.parametrize(("name", "value"), NEVER)
def test_other_credentials_are_not_indexed(name: str, value: str) -> None:
    blocks = _blocks(HTTP2Options(index_credentials=True), name, value)
    assert _read(blocks, name) == [(value, True)] * 3


@pytest.mark.parametrize(("name", "value"), INDEXED + NEVER)
def test_no_credential_is_indexed_by_default(name: str, value: str) -> None:
    assert _read(_blocks(HTTP2Options(), name, value), name) == [(value, True)] * 3


@pytest.mark.parametrize(("name", "value"), INDEXED)
def test_sensitive_headers_of_the_caller_are_not_indexed(name: str, value: str) -> None:
    options = HTTP2Options(index_credentials=True, sensitive_headers=frozenset({name.lower()}))
    assert _read(_blocks(options, name, value), name) == [(value, True)] * 3


def test_an_indexed_token_is_in_no_text() -> None:
    link = Memory()
    options = HTTP2Options(index_credentials=True)
    conn = mint.http2.initiate(link, scheme="https", hostname="example.org", port=443, http2=options)
    conn, _ = conn.request("GET", "/", INDEXED[:1])
    assert LONG not in repr(conn) + repr(conn._state)  # what a debugger shows


@pytest.mark.parametrize("value", [None, 1, "yes"])
def test_the_option_is_a_flag(value: object) -> None:
    with pytest.raises(ValueError, match="index_credentials must be True or False"):
        HTTP2Options(index_credentials=value)  # type: ignore[arg-type]  # wrong on purpose
