"""How many octets the header blocks of a connection take on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mint._core.hpack import Encoder

from ._hpack import decoded

if TYPE_CHECKING:
    from ..measure import Task
    from ..work import Blocks


class _Sizes:
    """A task whose result is a size, so it runs only once."""

    def __init__(self, work: Blocks, blocks: list[bytes]) -> None:
        self._work = work
        self._blocks = blocks

    def check(self) -> None:
        """Check that the blocks decode to the lists."""
        decoded(self._work, self._blocks)

    def seconds(self, budget: float) -> float:
        """Return the total size of all blocks in octets."""
        del budget
        return float(sum(map(len, self._blocks)))


def _mint(work: Blocks, *, index_credentials: bool) -> Task:
    encoder = Encoder(index_credentials=index_credentials)
    blocks = []
    for one in work.lists:
        block, encoder = encoder.encode(one)
        blocks.append(block)
    return _Sizes(work, blocks)


def mint(work: Blocks) -> Task:
    return _mint(work, index_credentials=False)


def mint_indexing(work: Blocks) -> Task:
    return _mint(work, index_credentials=True)


def hpack(work: Blocks) -> Task:
    return _Sizes(work, list(work.blocks))
