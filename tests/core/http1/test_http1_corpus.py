"""Whether strict and lenient connections accept the odd and the bad responses of `responses.py`.

The goal for all switches together was measured with another corpus: 690 of 702 odd responses accepted
(98.3 %), and 150 of 202 bad ones refused (74 %). `docs/tolerance.md` compares the numbers with other clients.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mint._core.events import Done, Failed
from tests.http1_driver import config, octets, play, with_requests

from .responses import BAD, ODD

PAGE = Path(__file__).parents[3] / "docs" / "tolerance.md"


def is_accepted(data: bytes, *, lenient: bool, bytewise: bool = False) -> bool:
    outcome = play(
        with_requests(options=config(lenient=lenient)), octets(data) if bytewise else [data], eof=True
    )
    kinds = {type(each) for each in outcome.responses}
    return outcome.fault is None and Done in kinds and Failed not in kinds


@pytest.mark.parametrize("bytewise", [False, True])
def test_every_odd_response_is_accepted_with_all_switches(*, bytewise: bool) -> None:
    refused = [each for each in ODD if not is_accepted(each, lenient=True, bytewise=bytewise)]
    assert refused == []


@pytest.mark.parametrize("bytewise", [False, True])
@pytest.mark.parametrize("lenient", [False, True])
def test_every_bad_response_is_refused_whatever_is_tolerated(*, lenient: bool, bytewise: bool) -> None:
    accepted = [each for each in BAD if is_accepted(each, lenient=lenient, bytewise=bytewise)]
    assert accepted == []


def test_the_page_has_the_numbers() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, lenient in (("strict", False), ("all switches", True)):
        accepted = sum(is_accepted(each, lenient=lenient) for each in ODD)
        refused = sum(not is_accepted(each, lenient=lenient) for each in BAD)
        assert re.search(rf"\| mint, {name} \| {accepted} of {len(ODD)} \| {refused} of {len(BAD)} \|", text)
