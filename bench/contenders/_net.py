"""Code that the end-to-end contenders share: the requests, with 30 % new fields."""

from __future__ import annotations

import ssl
from itertools import cycle
from typing import TYPE_CHECKING

from ..traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..net import Errand
    from ..traffic import Field

    Got = list[tuple[int, bytes]]
    Run = Callable[[int], Got]

PIECE = 1 << 18


def asks(errand: Errand) -> Iterator[tuple[str, list[Field]]]:
    """Yield the target and the fields of one request after the other, without end."""
    traffic = Traffic()
    kept = [(f"{errand.path}?{traffic.word(8)}", traffic.request()) for _ in range(1_000)]
    return cycle(kept)


def trust(errand: Errand) -> ssl.SSLContext:
    """Return a context that trusts the benchmark's authority."""
    return ssl.create_default_context(cafile=errand.authority)


def pieces(content: bytes) -> list[memoryview]:
    """Return the content of an upload in the pieces in which it is sent."""
    whole = memoryview(content)
    return [whole[at : at + PIECE] for at in range(0, len(whole), PIECE)]
