"""Shorten the arguments of calls and the options of connections of a transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from .._transcripts.calls import Call
from ..transcripts._reading import NEEDED, Beginning
from .remaking import Edit
from .searching import Search, entries, reduced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_BUILT = frozenset({"hostname", "user_agent"})
"""Options that are required, but may be shortened."""


def with_shorter_arguments(search: Search) -> Iterator[None]:
    """Shorten the arguments of calls: fewer fields, pieces and octets, shorter text and numbers."""
    for at, part in entries(search.best):
        arguments = list(part.call.arguments)
        for place, given in enumerate(part.call.arguments):

            def keeps(
                less: object,
                at: int = at,
                verb: str = part.call.verb,
                arguments: list[object] = arguments,
                place: int = place,
            ) -> bool:
                changed = (*arguments[:place], less, *arguments[place + 1 :])
                if not search.accepts(search.best, Edit(calls={at: Call(verb, changed)})):
                    return False
                arguments[place] = less
                return True

            yield from _less(given, keeps)


def _less(given: object, keeps: Callable[[object], bool]) -> Iterator[None]:
    """Try smaller values than a value of any kind."""
    if isinstance(given, bytes):
        yield from _fewer_octets(given, keeps)
    elif isinstance(given, str):
        for _ in reduced(given, lambda marks: keeps("".join(marks))):
            yield
    elif isinstance(given, int) and not isinstance(given, bool):
        yield from _smaller_number(given, keeps)
    elif _is_tuple(given):
        yield from _shorter_tuple(given, keeps)


def _fewer_octets(given: bytes, keeps: Callable[[object], bool]) -> Iterator[None]:
    """Remove lines, and then octets."""
    lines = given.splitlines(keepends=True)
    if len(lines) > 1:
        for left in reduced(lines, lambda some: keeps(b"".join(some))):
            given = b"".join(left)
            yield
    for _ in reduced(given, lambda octets: keeps(bytes(octets))):
        yield


def _smaller_number(given: int, keeps: Callable[[object], bool]) -> Iterator[None]:
    """Try 0, and then numbers with one digit, two digits, and so on."""
    digits = len(str(given))
    for size in range(1, digits):
        for candidate in (0, 10 ** (size - 1), int(str(given)[:size])):
            if keeps(candidate):
                yield
                return


def _shorter_tuple(given: tuple[object, ...], keeps: Callable[[object], bool]) -> Iterator[None]:
    """Remove items, and then shorten each of the others."""
    items = list(given)
    for left in reduced(given, lambda some: keeps(tuple(some))):
        items = list(left)
        yield
    for place, item in enumerate(items):

        def keeps_item(less: object, place: int = place) -> bool:
            changed = [*items[:place], less, *items[place + 1 :]]
            if keeps(tuple(changed)):
                items[place] = less
                return True
            return False

        if _is_tuple(item):  # a pair, of which no item can be removed
            for each in range(len(item)):

                def keeps_half(less: object, each: int = each, place: int = place) -> bool:
                    pair = items[place]
                    return _is_tuple(pair) and keeps_item((*pair[:each], less, *pair[each + 1 :]), place)

                yield from _less(item[each], keeps_half)
        else:
            yield from _less(item, keeps_item)


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)


# -- options


def with_fewer_options(search: Search) -> Iterator[None]:
    """Reset options to the defaults of the engine, and shorten those that are required."""
    for at, part in enumerate(search.best.parts):
        if isinstance(part, Beginning):
            yield from _with_fewer_options(search, at, part.options)


def _with_fewer_options(search: Search, at: int, options: dict[str, object]) -> Iterator[None]:
    def becomes(changed: dict[str, object]) -> bool:
        nonlocal options
        if not search.accepts(search.best, Edit(options={at: changed})):
            return False
        options = changed
        return True

    def keeps(names: Sequence[str]) -> bool:
        return becomes({name: each for name, each in options.items() if name in {*names, *NEEDED}})

    for _ in reduced([name for name in options if name not in NEEDED], keeps):
        yield
    for name in _BUILT:

        def keeps_value(less: object, name: str = name) -> bool:
            return becomes({**options, name: less})

        yield from _less(options[name], keeps_value)
