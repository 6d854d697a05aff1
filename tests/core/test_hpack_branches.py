"""Programs that continue from any earlier HPACK state and drop the others, compared with the library `hpack`.

In the middle of an operation, code of the caller may continue from the same state. Allocations may fail.
"""

import copy
import gc
import random
import sys
from collections.abc import Callable, Iterable, Iterator

import hpack
import pytest

from mint._core.hpack import Decoder, Encoder

Pair = tuple[str, str]

SIZES = (0, 40, 100, 400, 1_500, 4_096, 20_000)
LIMIT = 20_000  # of the decoders: no size that an encoder chooses is larger


class Branch:
    """An encoder, the decoder that has followed it, and another decoder of the same blocks."""

    def __init__(self, encoder: Encoder, decoder: Decoder, other: hpack.Decoder) -> None:
        self.encoder = encoder
        self.decoder = decoder
        self.other = other

    def check(self) -> None:
        expected = tuple(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in self.other.header_table.dynamic_entries
        )
        assert self.encoder.entries == self.decoder.entries == expected
        assert self.encoder.size == self.decoder.size == sum(len(n) + len(v) + 32 for n, v in expected)

    def after(self, given: Iterable[Pair], fields: list[Pair], size: int | None = None) -> "Branch":
        """Encode `given`, which stands for these fields, and decode the block."""
        encoder = self.encoder if size is None else self.encoder.resized(size)
        block, encoder = encoder.encode(given)
        made = self.decoder.decode(block)
        assert made.fault is None
        assert made.fields == fields
        other = copy.deepcopy(self.other)
        read = [
            (field[0].decode("latin-1"), field[1].decode("latin-1"))
            for field in other.decode(block, raw=True)
        ]
        assert read == fields
        after = Branch(encoder, made.decoder, other)
        after.check()
        return after


def first_branch(cap: int) -> Branch:
    other = hpack.Decoder(max_header_list_size=1 << 24)
    other.max_allowed_table_size = LIMIT
    return Branch(Encoder(cap), Decoder().resized(LIMIT), other)


class OddPair(tuple[str, str]):  # noqa: SLOT001  # a tuple with slots cannot have an attribute
    """A pair that runs code when it is read."""

    hook: Callable[[], object]

    def __iter__(self) -> Iterator[str]:
        self.hook()
        return super().__iter__()


class OddList(list[Pair]):
    """A list that runs code before every pair."""

    hook: Callable[[], object]

    def __iter__(self) -> Iterator[Pair]:
        for pair in super().__iter__():
            self.hook()
            yield pair


class OddName(str):
    """A name that runs code when it is compared."""

    __slots__ = ("hook",)
    hook: Callable[[], object]

    def __eq__(self, other: object) -> bool:
        self.hook()
        return False

    __hash__ = str.__hash__


def odd_pairs(fields: list[Pair], hook: Callable[[], object]) -> list[Pair]:
    pairs = [OddPair(pair) for pair in fields]
    for pair in pairs:
        pair.hook = hook
    return list(pairs)


def odd_list(fields: list[Pair], hook: Callable[[], object]) -> OddList:
    made = OddList(fields)
    made.hook = hook
    return made


def produced(fields: list[Pair], hook: Callable[[], object]) -> Iterator[Pair]:
    for pair in fields:
        hook()
        yield pair


FORMS: tuple[Callable[[list[Pair], Callable[[], object]], Iterable[Pair]], ...] = (
    odd_pairs,
    odd_list,
    produced,
)


class Program:
    """Random operations on a few states, the same for each seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.names = [f"x-{at}" for at in range(self.chance.choice((1, 3, 12)))] + [
            "server",
            "etag",
            "cookie",
        ]
        self.values = self.chance.choice((2, 10, 100))
        self.branches = [first_branch(self.chance.choice(SIZES))]
        self.most = self.chance.choice((1, 2, 4))

    def fields(self) -> list[Pair]:
        def value() -> str:
            long = self.chance.choice((0, 20, 100, 400)) if self.chance.random() < 0.1 else 0
            return f"{self.chance.randrange(self.values)} " + "y" * long

        count = self.chance.choice((0, 1, 1, 2, 3, 8))
        return [(self.chance.choice(self.names), value()) for _ in range(count)]

    def step(self, branch: Branch, depth: int = 0) -> Branch:
        chance = self.chance
        fields = self.fields()
        given: Iterable[Pair] = fields

        def hook() -> None:
            if chance.random() < 0.3:
                made = self.step(chance.choice((branch, chance.choice(self.branches))), depth + 1)
                if chance.random() < 0.3:
                    self.branches.append(made)

        if depth < 2 and chance.random() < 0.2:
            given = chance.choice(FORMS)(fields, hook)
        if chance.random() < 0.05:
            broken: list[Pair] = [*fields, ("x", None)]  # type: ignore[list-item]  # refused half way
            with pytest.raises(TypeError):
                branch.encoder.encode(broken)
        if chance.random() < 0.05:
            broken_block = branch.encoder.encode(fields)[0] + b"\xff" * 7
            assert branch.decoder.decode(broken_block).fault is not None
        after = branch.after(given, fields, chance.choice(SIZES) if chance.random() < 0.05 else None)
        branch.check()
        return after

    def run(self, steps: int) -> None:
        for _ in range(steps):
            at = self.chance.randrange(len(self.branches)) if self.chance.random() < 0.3 else -1
            after = self.step(self.branches[at])
            if self.chance.random() < 0.8:
                self.branches[at] = after
            else:
                self.branches.append(after)
            while len(self.branches) > self.most:
                del self.branches[self.chance.randrange(len(self.branches))]
            for branch in self.branches:
                branch.check()


@pytest.mark.parametrize("seed", range(30))
def test_every_branch_has_the_table_that_its_own_blocks_made(seed: int) -> None:
    Program(seed).run(60)


@pytest.mark.parametrize("form", FORMS)
def test_code_of_the_caller_does_not_change_what_is_sent(
    form: Callable[[list[Pair], Callable[[], object]], Iterable[Pair]],
) -> None:
    # The other branch gets an entry with the same name, which must not hide that of this branch.
    encoder = Encoder().encode([("x-name", "1")])[1]
    fields = [("x-name", "2")]
    expected = encoder.encode(fields)
    encoder = Encoder().encode([("x-name", "1")])[1]
    assert encoder.encode(form(fields, lambda: encoder.encode([("x-name", "3")]))) == expected


def test_sensitive_names_with_code_do_not_change_what_is_sent() -> None:
    encoder = Encoder().encode([("x-name", "1")])[1]
    fields = [("x-name", "2")]
    expected = encoder.encode(fields)
    encoder = Encoder().encode([("x-name", "1")])[1]
    name = OddName("x-name")
    name.hook = lambda: encoder.encode([("x-name", "3")])
    assert encoder.encode(fields, frozenset({name})) == expected


def kept(pairs: list[Pair], before: list[int]) -> list[int]:
    """Return which pairs a table still has."""
    return [at for at in range(len(pairs)) if sys.getrefcount(pairs[at]) > before[at]]


def test_states_that_the_collector_frees_do_not_count() -> None:
    pairs = [(f"x-{at}", "value") for at in range(12)]
    before = [sys.getrefcount(pairs[at]) for at in range(12)]
    encoder = Encoder(120)
    for at, pair in enumerate(pairs):
        encoder = encoder.encode([pair])[1]
        cycle: list[object] = [encoder.encode([])[1], encoder.resized(100 + at)]
        cycle.append(cycle)
        del cycle
        gc.collect()
    # The last operation has dropped what the one before it had evicted.
    live = len(encoder.entries)
    assert kept(pairs, before) == list(range(12 - live, 12))


def test_states_that_operations_without_result_made_do_not_count() -> None:
    pairs = [(f"x-{at}", "value") for at in range(12)]
    before = [sys.getrefcount(pairs[at]) for at in range(12)]
    encoder = Encoder(120)
    broken: list[Pair] = [("x", None)]  # type: ignore[list-item]  # refused
    for pair in pairs:
        with pytest.raises(TypeError):
            encoder.encode(broken)
        encoder = encoder.encode([pair])[1]
    live = len(encoder.entries)
    assert kept(pairs, before) == list(range(12 - live - 1, 12))
