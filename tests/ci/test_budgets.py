"""The budgets of HTTP/2: the table agrees with options and page, and no honest server reaches a limit."""

import dataclasses

import pytest

import mint
from ci import budgets, honest


def test_the_page_is_written_from_the_table() -> None:
    text = budgets.SECURITY.read_text()
    assert budgets.updated(text) == text


def test_every_limit_of_the_options_is_in_the_table() -> None:
    named = {name for row in budgets.ROWS for name in row.limits}
    options = {each.name for each in dataclasses.fields(mint.HTTP2Options)}
    settings = {each.name for each in dataclasses.fields(mint.ClientSettings)}
    assert named <= options | settings
    assert {name for name in options if name.startswith("max_")} <= named


@pytest.mark.parametrize("name", honest.BEHAVIOURS)
def test_honest_behaviour_lasts(name: str) -> None:
    honest.run(name, 12_000 if not name.endswith("busy upload") else 1_100)
