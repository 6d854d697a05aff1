"""The table of streams: additions, changes and removals in any order, with forks, against dictionaries.

Indices are often far apart, so that the tree has several levels and its nodes are made, shared and removed.
"""

from __future__ import annotations

from mint._core.streams import Table
from support import Choices, check, fuzz

GAPS = (1, 1, 1, 2, 7, 8, 9, 127, 128, 129, 2_047, 2_048, 30_000, 1 << 24)


def agrees(table: Table, model: dict[int, int]) -> None:
    """Check what a table contains."""
    check(table.numbers() == sorted(model), "other streams", table.numbers()[:9], sorted(model)[:9])
    check(len(table) == len(model), "a wrong count", len(table), len(model))


def rebuilt(model: dict[int, int]) -> Table:
    """Make a table with the same contents in the simplest manner."""
    table = Table()
    for index in sorted(model):
        table = table.added(index)
        for _ in range(model[index]):
            table = table.touched(index)
    return table


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    table, highest = Table(), -1
    model: dict[int, int] = {}
    known: list[tuple[Table, dict[int, int], int]] = [(table, {}, -1)]
    for _ in range(choices.between(1, 80)):
        kind = choices.below(16)
        if kind < 7 or not model:
            for _ in range(choices.pick((1, 1, 9))):
                highest += choices.pick(GAPS[:4] if choices.chance(60) else GAPS)
                if highest >= 1 << 30:  # the highest stream
                    return
                table = table.added(highest)
                model = {**model, highest: 0}
        elif kind < 10:  # a change
            index = choices.pick(sorted(model))
            table = table.touched(index)
            model = {**model, index: model[index] + 1}
        elif kind < 13:  # a removal, or many
            for index in choices.pick(([choices.pick(sorted(model))], sorted(model)[:-1], sorted(model)[1:])):
                table = table.dropped(index)
                model = {one: count for one, count in model.items() if one != index}
        elif kind == 13:  # an earlier value
            table, model, highest = choices.pick(known)
        else:
            known.append((table, model, highest))
            del known[:-8]
        agrees(table, model)
    for earlier, contents, _ in [*known, (table, model, highest)]:
        agrees(earlier, contents)
        check(earlier == rebuilt(contents), "a fork has changed a table", contents)
        if contents:
            index = choices.pick(sorted(contents))
            check(earlier != rebuilt({**contents, index: contents[index] + 1}), "different, but equal", index)


if __name__ == "__main__":
    fuzz(one)
