"""HPACK without memory: any allocation may fail, and then the states are as before."""

import pytest

from mint._core.hpack import Decoded, Decoder, Encoder

_testcapi = pytest.importorskip("_testcapi")

NO_MEMORY = (MemoryError, SystemError)
"""CPython raises `SystemError` if it cannot allocate the `MemoryError`."""
FIELDS = [
    (":status", "200"),
    ("x-name", "value"),
    ("x-name", "another value"),
    ("x-long", "a long value, " * 40),
    ("x" * 300, "é" * 200),
    ("etag", '"0123"'),
]


def read(decoder: Decoder, block: bytes, number: int) -> Decoded | None:
    """Decode a block while one allocation fails; return `None` if that was reported."""
    _testcapi.set_nomemory(number, number + 1)
    try:
        return decoder.decode(block)
    except NO_MEMORY:
        return None
    finally:
        _testcapi.remove_mem_hooks()


def written(encoder: Encoder, number: int) -> tuple[bytes, Encoder] | None:
    """Encode the fields while one allocation fails; return `None` if that was reported."""
    _testcapi.set_nomemory(number, number + 1)
    try:
        return encoder.encode(FIELDS)
    except NO_MEMORY:
        return None
    finally:
        _testcapi.remove_mem_hooks()


@pytest.mark.parametrize("size", [200, 600, 4_096])
def test_a_block_is_decoded_or_refused_for_lack_of_memory(size: int) -> None:
    first, encoder = Encoder(size).encode([("x-old", str(at)) for at in range(20)])
    block = encoder.encode(FIELDS)[0]
    decoder = Decoder().decode(first).decoder
    expected = decoder.decode(block)
    assert expected.fields == FIELDS
    failed = 0
    for number in range(60):
        made = read(decoder, block, number)
        failed += made is None
        assert made is None or (made.fault, made.fields, made.decoder) == (None, FIELDS, expected.decoder)
        assert decoder.entries == Decoder().decode(first).decoder.entries
    assert failed > 5


@pytest.mark.parametrize("size", [200, 600, 4_096])
def test_fields_are_encoded_or_refused_for_lack_of_memory(size: int) -> None:
    encoder = Encoder(size).encode([("x-old", str(at)) for at in range(20)])[1]
    entries = encoder.entries
    expected = encoder.encode(FIELDS)
    failed = 0
    for number in range(60):
        made = written(encoder, number)
        failed += made is None
        assert made is None or made == expected
        assert encoder.entries == entries
    assert failed > 0
