"""The command line: a small client over the public API, and a tutorial one can run.

arguments.py reads what is asked, fetch.py and transfer.py ask the servers, outputs.py prints. replay.py and
shrink.py are commands of their own, about transcripts. Nothing here is needed by the library.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    match words[:1]:
        case ["replay"]:
            from .replay import main as replay  # noqa: PLC0415  # who fetches does not wait for it

            return replay(words[1:])
        case ["shrink"]:
            from .shrink import main as shrink  # noqa: PLC0415  # who fetches does not wait for it

            return shrink(words[1:])
        case _:
            from .fetch import main as fetch  # noqa: PLC0415  # the others do not wait for it

            return fetch(words)
