"""Iterators over the pieces of a body that raise an error for a piece that is not bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from .._checks import view

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable


class Pieces:
    """Iterates over pieces. Raises `TypeError` for a piece that is not bytes."""

    def __init__(self, name: str, source: Iterable[object]) -> None:
        self._name = name
        self._source = iter(source)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> memoryview[int]:
        return view(self._name, next(self._source))


class AsyncPieces:
    """The same for an asynchronous iterable."""

    def __init__(self, name: str, source: AsyncIterable[object]) -> None:
        self._name = name
        self._source = aiter(source)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> memoryview[int]:
        return view(self._name, await anext(self._source))
