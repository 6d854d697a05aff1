"""Find unknown options, which are reported before any other mistake in a command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_NUMBER = re.compile(r"-\d+|-\d*\.\d+")


def unknown_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> list[str]:
    """Return the names of the options that the parser does not have, up to `--`.

    Values after a name are left out, because they may be secrets.
    """
    known: set[str] = set()
    for action in parser._actions:  # noqa: SLF001  # argparse has no public list of its options
        known.update(action.option_strings)
    found: list[str] = []
    for each in words[: words.index("--")] if "--" in words else words:
        if len(each) < len("-x") or each[0] != "-" or " " in each or _NUMBER.fullmatch(each):
            continue  # a value, by the rules of argparse
        if each.startswith("--"):
            name = each.partition("=")[0]
            if not any(full.startswith(name) for full in known):
                found.append(name)
        elif each[:2] not in known:
            found.append(each[:2])
    return found
