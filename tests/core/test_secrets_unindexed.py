"""Secret fields are never indexed: for every name in the lists, two requests are sent and decoded."""

from __future__ import annotations

import re
from pathlib import Path

import hpack
import pytest
from hpack import NeverIndexedHeaderTuple

import mint
from mint._core.events import RequestRef
from mint._core.fields import SENSITIVE
from mint._core.hpack import Encoder
from tests.http2_driver import Frame, config, frames_of, opened

RULES = (Path(mint.__file__).parent / "_core" / "hpack_rules.pyx").read_text(encoding="utf-8")


def listed(name: str) -> list[str]:
    """Return the entries of a list in the source of the compiled module, so that each entry is tested."""
    found = re.search(rf"\*{name}\[\] = \{{(.*?)NULL\}}", RULES, re.DOTALL)
    assert found is not None
    return re.findall(r'"([^"]+)"', found[1])


PARTS = listed("mint_secret_parts")
ENDS = listed("mint_secret_ends")
NUMBERS = listed("mint_number_ends")
SECRET_NAMES = list(
    dict.fromkeys(
        [
            *sorted(SENSITIVE),
            *PARTS,
            *(f"x-{part}" for part in PARTS),
            *(f"{part}-x" for part in PARTS),
            *(f"a-{part}-b" for part in PARTS),
            *ENDS,
            *(f"x-{end}" for end in ENDS),
        ]
    )
)
OWN = frozenset({"x-mine", "server", ":path", "accept"})


def test_the_lists_are_read() -> None:
    assert len(PARTS) > 10
    assert len(ENDS) > 4
    assert len(NUMBERS) > 4
    assert len(SENSITIVE) == 8


def read(decoder: hpack.Decoder, frames: list[Frame]) -> list[tuple[str, str, bool]]:
    block = b"".join(one.payload for one in frames if one.kind in (1, 9))
    return [
        (bytes(pair[0]).decode(), bytes(pair[1]).decode(), isinstance(pair, NeverIndexedHeaderTuple))
        for pair in decoder.decode(block, raw=True)
    ]


@pytest.mark.parametrize("name", SECRET_NAMES)
@pytest.mark.parametrize("value", ["s", "hidden value", "0123456789abcdef" * 4])
def test_a_secret_name_is_sent_as_never_indexed_twice(name: str, value: str) -> None:
    encoder, decoder = Encoder(), hpack.Decoder()
    for _ in range(2):
        block, encoder = encoder.encode([(name, value), ("x-plain", "1")])
        pairs = list(decoder.decode(block, raw=True))
        assert [bytes(pair[0]) for pair in pairs] == [name.encode(), b"x-plain"]
        assert bytes(pairs[0][1]) == value.encode()
        assert isinstance(pairs[0], NeverIndexedHeaderTuple)
        assert [bytes(entry[0]) for entry in decoder.header_table.dynamic_entries] == [b"x-plain"]
        assert not any(value in pair for pair in encoder.entries)


@pytest.mark.parametrize("name", ["x-mine", "server", "accept", "cookie", "x-session-token"])
def test_sensitive_headers_are_never_indexed_in_requests_and_trailers(name: str) -> None:
    talk = opened()
    talk.state = type(talk.state).open(config((), OWN)).state
    decoder = hpack.Decoder()
    for number in (1, 3):
        step = talk.state.request("POST", "/", [(name, "hidden"), ("x-plain", "1")], None, True)
        assert step.ref == RequestRef(7, number)
        fields = read(decoder, frames_of(step.output))
        assert (name, "hidden", True) in fields
        end = step.state.end_body(
            RequestRef(7, number), [(name, "hidden")] if name != "cookie" else [("x-mine", "hidden")]
        )
        assert end.fault is None, end.fault
        trailers = read(decoder, frames_of(end.output))
        assert trailers[0][1:] == ("hidden", True)
        talk.state = end.state
    assert not any(b"hidden" in bytes(entry[1]) for entry in decoder.header_table.dynamic_entries)
    assert any(bytes(entry[0]) == b"x-plain" for entry in decoder.header_table.dynamic_entries)


@pytest.mark.parametrize("end", NUMBERS)
def test_a_number_of_a_message_is_not_indexed_but_its_name_is(end: str) -> None:
    encoder, decoder = Encoder(), hpack.Decoder()
    name = f"x-{end}"
    for value in ("first", "second", "third"):
        block, encoder = encoder.encode([(name, value)])
        pairs = list(decoder.decode(block, raw=True))
        assert [(bytes(pair[0]).decode(), bytes(pair[1]).decode()) for pair in pairs] == [(name, value)]
        assert not isinstance(pairs[0], NeverIndexedHeaderTuple)
    # the name was indexed with its first value; later values were not
    assert [bytes(entry[1]) for entry in decoder.header_table.dynamic_entries] == [b"first"]


def is_indexed(value: str) -> bool:
    _, encoder = Encoder().encode([("x-plain", value)])
    return bool(encoder.entries)


def test_a_value_that_looks_random_is_not_indexed() -> None:
    """16 or more characters without a gap look random if they are digits, or often change their kind."""
    assert is_indexed("a1b2c3d4e5f6g7h")  # fifteen
    assert not is_indexed("a1b2c3d4e5f6g7h8")  # sixteen
    assert not is_indexed("1234567890123456")
    assert is_indexed("123456789012345")
    assert is_indexed("abcdefghijklmnop")  # never changes
    assert not is_indexed("aaaa111aaa111aaa")  # four changes of sixteen
    assert is_indexed("aaaaa111aaa111aaa")  # four of seventeen
    assert is_indexed("aaaaa11111bbbbb22222")  # three changes of twenty
    assert not is_indexed("aaa1aaa1aaa1aaa1")  # seven of sixteen
    for gap in (" ", "!", '"', ",", ";"):
        assert is_indexed(f"a1b2c3d4{gap}e5f6g7h8"), gap
    for other in "#-._/:":
        assert not is_indexed(f"a1b2c3d4{other}e5f6g7h8"), other
