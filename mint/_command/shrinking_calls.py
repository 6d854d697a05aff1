"""Shorten the arguments of calls and the options of connections of a transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from .._transcripts.calls import Call
from ..transcripts._reading import NEEDED, Beginning, Entry
from .remaking import Edit
from .searching import Search, reduced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_BUILT = frozenset({"hostname", "user_agent"})
"""Options that are required, but may be shortened."""


def with_shorter_arguments(search: Search) -> Iterator[None]:
    """Shorten the arguments of calls: fewer fields, pieces and octets, shorter text and numbers."""
    for at in range(len(search.best.parts)):
        part = search.best.parts[at]
        if isinstance(part, Entry):
            for place in range(len(part.call.arguments)):
                yield from _with_less_at(search, at, place)


def _with_less_at(search: Search, at: int, place: int) -> Iterator[None]:
    part = search.best.parts[at]
    if not isinstance(part, Entry) or place >= len(part.call.arguments):
        return

    def keeps(less: object) -> bool:
        now = search.best.parts[at]
        if not isinstance(now, Entry):
            return False
        arguments = (*now.call.arguments[:place], less, *now.call.arguments[place + 1 :])
        return search.accepts(search.best, Edit(calls={at: Call(now.call.verb, arguments)}))

    yield from _less(part.call.arguments[place], keeps)


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
    for at in range(len(search.best.parts)):
        part = search.best.parts[at]
        if not isinstance(part, Beginning):
            continue
        options = part.options

        def keeps(names: Sequence[str], options: dict[str, object] = options, at: int = at) -> bool:
            kept = {name: options[name] for name in options if name in {*names, *NEEDED}}
            return search.accepts(search.best, Edit(options={at: kept}))

        for names in reduced([name for name in options if name not in NEEDED], keeps):
            options = {name: each for name, each in options.items() if name in {*names, *NEEDED}}
            yield
        for name in _BUILT:

            def keeps_value(less: object, name: str = name, at: int = at) -> bool:
                now = search.best.parts[at]
                return isinstance(now, Beginning) and search.accepts(
                    search.best, Edit(options={at: {**now.options, name: less}})
                )

            yield from _less(part.options[name], keeps_value)
