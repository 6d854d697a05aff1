"""Options that a program does not have: they are reported before anything else that is wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_NUMBER = re.compile(r"-\d+|-\d*\.\d+")


def unknown_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> list[str]:
    """Return the names of the options that the parser does not have, up to `--`.

    What stands behind a name may be a secret, and is left out.
    """
    known: set[str] = set()
    for action in parser._actions:  # noqa: SLF001  # argparse has no public list of its options
        known.update(action.option_strings)
    found: list[str] = []
    for each in words[: words.index("--")] if "--" in words else words:
        if len(each) < len("-x") or each[0] != "-" or " " in each or _NUMBER.fullmatch(each):
            continue  # a value, as argparse sees it
        if each.startswith("--"):
            name = each.partition("=")[0]
            if not any(full.startswith(name) for full in known):
                found.append(name)
        elif each[:2] not in known:
            found.append(each[:2])
    return found
