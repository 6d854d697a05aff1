"""The Huffman tables are up to date, and contain the code of RFC 7541."""

import runpy
from pathlib import Path

from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = runpy.run_path(str(ROOT / "ci" / "generate_huffman.py"))


def test_the_header_is_what_the_generator_writes() -> None:
    header = ROOT / "mint" / "_core" / "huffman.h"
    assert header.read_text() == GENERATOR["generate"]()


def test_the_code_is_that_of_appendix_b() -> None:
    book = GENERATOR["codes"]()
    assert len(book) == 257
    theirs = zip(REQUEST_CODES, REQUEST_CODES_LENGTH, strict=True)
    assert [book[symbol] for symbol in range(257)] == list(theirs)
