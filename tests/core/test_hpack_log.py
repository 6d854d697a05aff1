"""The log of table entries that HPACK states share: what is kept, and that no state ever sees a change."""

import gc
import random
import sys

import pytest

from mint._core.hpack import Decoder, Encoder

Fields = list[tuple[str, str]]
Pair = tuple[str, str]

SMALL = 400  # octets: about ten entries, so that entries are evicted all the time


def made_pair(at: int) -> Pair:
    return f"x-{at % 7}", f"value {at}"


def counts(pairs: list[Pair]) -> list[int]:
    """Return how often each pair is referenced."""
    return [sys.getrefcount(pairs[at]) for at in range(len(pairs))]


def decoded(decoder: Decoder, block: bytes) -> tuple[Fields, Decoder]:
    made = decoder.decode(block)
    assert made.fault is None
    return made.fields, made.decoder


def test_the_entries_that_an_encoder_has_evicted_are_dropped() -> None:
    pairs = [made_pair(at) for at in range(200)]
    before = counts(pairs)
    encoder = Encoder(SMALL)
    for pair in pairs:
        encoder = encoder.encode([pair])[1]
    live = len(encoder.entries)
    assert 5 < live < 15
    # What the last block has evicted is kept, because the state before it may still be used.
    kept = [at for at, count in enumerate(counts(pairs)) if count > before[at]]
    assert kept == list(range(200 - live - 1, 200))


def test_the_entries_that_a_decoder_has_evicted_are_dropped() -> None:
    encoder, decoder = Encoder(SMALL), Decoder()
    fields: Fields = []
    before: list[int] = []
    for at in range(200):
        block, encoder = encoder.encode([made_pair(at)])
        found, decoder = decoded(decoder, block)
        fields.append(found.pop())
        before.append(counts(fields)[-1])
    live = len(decoder.entries)
    gone = [at for at, count in enumerate(counts(fields)) if count < before[at]]
    assert gone == list(range(200 - live - 1))


def test_a_state_that_is_kept_keeps_its_entries() -> None:
    encoder, decoder = Encoder(SMALL), Decoder()
    for at in range(50):
        block, encoder = encoder.encode([made_pair(at)])
        decoder = decoded(decoder, block)[1]
    old, entries = (encoder, decoder), encoder.entries
    for at in range(50, 250):
        block, encoder = encoder.encode([made_pair(at)])
        decoder = decoded(decoder, block)[1]
    assert old[0].entries == old[1].entries == entries
    block, after = old[0].encode([entries[-1], ("x-new", "1")])
    assert decoded(old[1], block)[0] == [entries[-1], ("x-new", "1")]
    assert after.entries[0] == ("x-new", "1")
    assert old[0].entries == old[1].entries == entries


def test_the_collector_may_find_a_state_in_a_cycle() -> None:
    encoder = Encoder(SMALL).encode([made_pair(at) for at in range(5)])[1]
    cycle: list[object] = [encoder.encode([made_pair(5)])[1]]
    cycle.append(cycle)
    del cycle
    gc.collect()
    entries = encoder.entries
    for at in range(6, 100):
        after = encoder.encode([made_pair(at)])[1]
        assert after.entries[0] == made_pair(at)
        assert encoder.entries == entries


class Both:
    """An encoder and its decoder, with the blocks that led there."""

    def __init__(self, encoder: Encoder, decoder: Decoder, blocks: list[Fields]) -> None:
        self.encoder = encoder
        self.decoder = decoder
        self.blocks = blocks
        self.entries = encoder.entries

    def after(self, fields: Fields) -> "Both":
        block, encoder = self.encoder.encode(fields)
        found, decoder = decoded(self.decoder, block)
        assert found == fields
        assert encoder.entries == decoder.entries
        return Both(encoder, decoder, [*self.blocks, fields])

    def check(self) -> None:
        assert self.encoder.entries == self.decoder.entries == self.entries

    def replayed(self, size: int) -> tuple[bytes, Encoder]:
        """Return what the last block is when all are encoded again, one after the other."""
        encoder, block = Encoder(size), b""
        for fields in self.blocks:
            block, encoder = encoder.encode(fields)
        return block, encoder


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_forks_gives_what_each_state_alone_would_give(seed: int) -> None:
    chance = random.Random(seed)  # the same forks in every run
    size = chance.choice((100, SMALL, 1_500, 4_096))
    states = [Both(Encoder(size), Decoder(), [])]
    for _ in range(400):
        at = chance.randrange(len(states)) if chance.random() < 0.3 else -1
        state = states[at]
        fields = [made_pair(chance.randrange(40)) for _ in range(chance.randrange(5))]
        after = state.after(fields)
        state.check()
        if chance.random() < 0.7:
            states[at] = after
        else:
            states.append(after)
        if len(states) > 4 or chance.random() < 0.1:
            del states[chance.randrange(len(states)) : -1]
        if chance.random() < 0.1:
            assert after.replayed(size) == (state.encoder.encode(fields)[0], after.encoder)
    for state in states:
        state.check()
