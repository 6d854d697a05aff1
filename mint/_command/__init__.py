"""The command line: a small client that uses the public API, and an example of how to use it.

`arguments.py` parses the command line, `fetch.py` and `transfer.py` send requests, and `outputs.py` writes
the content. `replay.py` and `shrink.py` are separate commands for transcripts. The library does not use this
package.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _command(words[:1])(words)
    except KeyboardInterrupt:
        # While the modules of a command are loaded, or at its very end; otherwise the command handles it.
        from .show import complain  # noqa: PLC0415  # rarely needed

        complain("interrupted")
        return 130


def _command(first: list[str]) -> Callable[[list[str]], int]:
    match first:
        case ["replay"]:
            from .replay import main as replay  # noqa: PLC0415  # the other commands start faster

            return lambda words: replay(words[1:])
        case ["shrink"]:
            from .shrink import main as shrink  # noqa: PLC0415  # the other commands start faster

            return lambda words: shrink(words[1:])
        case _:
            from .fetch import main as fetch  # noqa: PLC0415  # the other commands start faster

            return fetch
