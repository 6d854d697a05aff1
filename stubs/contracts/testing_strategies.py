"""What type checkers must know about testing strategies. Checked, never executed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_type

from hypothesis.strategies import SearchStrategy

import mint
import mint.testing
import mint.testing.http2
import mint.testing.strategies


def testing_strategies_field_names() -> None:
    assert_type(mint.testing.strategies.field_names(), SearchStrategy[str])


def testing_strategies_field_values() -> None:
    assert_type(mint.testing.strategies.field_values(), SearchStrategy[str])


def testing_strategies_fields(max_size: int, min_size: int) -> None:
    assert_type(
        mint.testing.strategies.fields(max_size, min_size=min_size), SearchStrategy[list[tuple[str, str]]]
    )


def testing_strategies_trailers(max_size: int, min_size: int) -> None:
    assert_type(
        mint.testing.strategies.trailers(max_size, min_size=min_size), SearchStrategy[list[tuple[str, str]]]
    )


def testing_strategies_bodies(max_size: int) -> None:
    assert_type(mint.testing.strategies.bodies(max_size), SearchStrategy[bytes])


def testing_strategies_statuses() -> None:
    assert_type(mint.testing.strategies.statuses(), SearchStrategy[int])


def testing_strategies_responses() -> None:
    assert_type(mint.testing.strategies.responses(), SearchStrategy[mint.testing.Response])


def testing_strategies_splits(length: int, max_cuts: int) -> None:
    assert_type(mint.testing.strategies.splits(length, max_cuts), SearchStrategy[tuple[int, ...]])


def testing_strategies_pieces(data: bytes) -> None:
    assert_type(mint.testing.strategies.pieces(data), SearchStrategy[list[bytes]])


def testing_strategies_split(data: bytes, cuts: Sequence[int]) -> None:
    assert_type(mint.testing.strategies.split(data, cuts), list[bytes])


def testing_strategies_messages() -> None:
    assert_type(mint.testing.strategies.messages(), SearchStrategy[mint.testing.strategies.RawMessage])


def testing_strategies_frames(max_stream: int) -> None:
    assert_type(mint.testing.strategies.frames(max_stream), SearchStrategy[mint.testing.http2.Frame])


def testing_strategies_frame_sequences(stream: int) -> None:
    assert_type(
        mint.testing.strategies.frame_sequences(stream), SearchStrategy[list[mint.testing.http2.Frame]]
    )


def testing_strategies_behaviours(http_2: bool) -> None:
    assert_type(
        mint.testing.strategies.behaviours(http_2=http_2), SearchStrategy[tuple[mint.testing.Step, ...]]
    )


def testing_strategies_damaged(data: bytes) -> None:
    assert_type(mint.testing.strategies.damaged(data), SearchStrategy[bytes])
