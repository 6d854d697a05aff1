"""The limits of what the strategies draw: each is reached, and none is exceeded."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any  # strategies of many types are in one table

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from mint.testing import strategies

if TYPE_CHECKING:
    from collections.abc import Callable

DILIGENT = settings(max_examples=10_000, database=None, phases=[Phase.generate])
# One in twelve is a 205.
MANY = settings(max_examples=300)


def sized(strategy: st.SearchStrategy[Any], *sizes: int) -> list[tuple[st.SearchStrategy[Any], int]]:
    return [(strategy, size) for size in sizes]


@pytest.mark.parametrize(
    ("strategy", "size"),
    [
        *sized(strategies.fields(), 0, 5),
        *sized(strategies.fields(3, min_size=2), 2, 3),
        *sized(strategies.trailers(), 0, 2),
        *sized(strategies.trailers(3, min_size=2), 2, 3),
        *sized(strategies.bodies(3), 0, 3),
        *sized(strategies.splits(9, 2), 0, 2),
        *sized(strategies.splits(9), 0, 8),
        *sized(strategies.splits(2), 0, 1),
        *sized(strategies.splits(1), 0),
        *sized(strategies.pieces(b"abc"), 1, 3),
        *sized(strategies.pieces(b""), 0),
        *sized(strategies.field_values(), 0),
    ],
)
def test_the_smallest_and_the_largest_size_are_drawn(strategy: st.SearchStrategy[Any], size: int) -> None:
    find(strategy, lambda made: len(made) == size, settings=DILIGENT, random=Random(1))


VALUES: list[tuple[st.SearchStrategy[Any], Callable[[Any], bool]]] = [
    *((strategies.field_values(), lambda made, mark=mark: mark in made) for mark in " !~\xa1\xff"),
    *((strategies.statuses(), lambda made, wanted=wanted: made == wanted) for wanted in (200, 205, 599)),
    *((strategies.splits(5), lambda made, wanted=wanted: made == (wanted,)) for wanted in (1, 4)),
    *((strategies.frames(2), lambda made, wanted=wanted: made.stream == wanted) for wanted in (0, 2)),
    *((strategies.frames(), lambda made, wanted=wanted: made.stream == wanted) for wanted in (0, 5)),
    *((strategies.frames(), lambda made, wanted=wanted: made.type == wanted) for wanted in (0, 255)),
    *((strategies.frames(), lambda made, wanted=wanted: made.flags == wanted) for wanted in (0, 255)),
    (strategies.field_names(), lambda made: made == "set-cookie"),
    (strategies.field_names(), lambda made: made == "x-b"),
    (strategies.responses(), lambda made: len(made.informational) == 2),
    (strategies.responses(), lambda made: not made.informational and isinstance(made.body, bytes)),
    (strategies.responses(), lambda made: bool(made.trailers) and len(list(made.body)) > 1),
]


@pytest.mark.parametrize(("strategy", "wanted"), VALUES, ids=range(len(VALUES)))
def test_the_values_at_the_limits_are_drawn(
    strategy: st.SearchStrategy[Any], wanted: Callable[[Any], bool]
) -> None:
    find(strategy, wanted, settings=DILIGENT, random=Random(1))


@given(strategies.field_values())
def test_values_have_no_control_characters_and_no_spaces_at_the_ends(value: str) -> None:
    assert value == value.strip(" ")
    assert all("\x20" <= mark <= "\x7e" or "\xa1" <= mark <= "\xff" for mark in value)


@given(st.integers(0, 4), st.integers(0, 4), st.data())
def test_no_size_is_exceeded(least: int, more: int, data: st.DataObject) -> None:
    most = least + more
    for strategy in (strategies.fields(most, min_size=least), strategies.trailers(most, min_size=least)):
        assert least <= len(data.draw(strategy)) <= most
    assert len(data.draw(strategies.bodies(most))) <= most
    assert data.draw(strategies.frames(most)).stream <= most
    cuts = data.draw(strategies.splits(most, least))
    assert len(cuts) <= least
    assert list(cuts) == sorted({*cuts} & {*range(1, most)})
    assert 200 <= data.draw(strategies.statuses()) <= 599


@pytest.mark.parametrize("strategy", [strategies.fields, strategies.trailers])
def test_sizes_that_nothing_can_have_are_refused(strategy: Callable[..., object]) -> None:
    strategy(1, min_size=1)
    with pytest.raises(ValueError, match="max_size"):
        strategy(1, min_size=2)
    with pytest.raises(ValueError, match="min_size"):
        strategy(1, min_size=-1)


@given(strategies.responses() | strategies.messages())
@MANY
def test_a_response_that_must_not_have_content_has_none(made: Any) -> None:
    if made.status in {204, 205, 304} and isinstance(made, strategies.RawMessage):
        assert made.body == b""
        assert made.trailers == () or made.status == 205
    elif made.status == 205:
        assert b"".join([made.body] if isinstance(made.body, bytes) else made.body) == b""
