"""Code that HPACK contenders share: a round is one connection, with all blocks in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any  # each package has types of its own

from ..measure import Rounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..work import Blocks


def decoding(
    work: Blocks,
    fresh: Callable[[], Any],
    run: Callable[[Any, tuple[bytes, ...]], list[Any]],
    normal: Callable[[Any], Iterable[tuple[str, str]]],
) -> Rounds:
    """Return rounds of `run(fresh(), blocks)`; `normal` converts a decoded list to the common form."""

    def verify(_: int, native: list[Any]) -> None:
        assert len(native) == len(work.lists)
        for one, expected in zip(native, work.lists, strict=True):
            got = tuple(normal(one))
            assert got == expected, f"{got!r:.400} is not {expected!r:.400}"

    return Rounds(lambda _: fresh(), lambda decoder: run(decoder, work.blocks), verify, len(work.blocks))


def encoding(
    work: Blocks,
    lists: list[Any],
    fresh: Callable[[], Any],
    run: Callable[[Any, list[Any]], list[bytes]],
) -> Rounds:
    """Return rounds of `run(fresh(), lists)`; the resulting blocks must decode to the lists."""

    def verify(_: int, native: list[bytes]) -> None:
        decoded(work, native)

    return Rounds(lambda _: fresh(), lambda encoder: run(encoder, lists), verify, len(lists))


def decoded(work: Blocks, blocks: Iterable[bytes]) -> None:
    """Raise `AssertionError` unless the blocks decode to the lists."""
    from hpack import Decoder  # noqa: PLC0415  # the reference decoder, which may be missing

    decoder = Decoder()
    for block, expected in zip(blocks, work.lists, strict=True):
        got = tuple((str(name), str(value)) for name, value in decoder.decode(block))
        assert got == expected, f"{got!r:.400} is not {expected!r:.400}"
