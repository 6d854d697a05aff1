"""A planted bug: one change of one place."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Bug:
    """One bug: a change of one place, and the harness that should find it first."""

    name: str
    file: str
    old: str
    new: str
    harness: str
    memory: bool = False  # only AddressSanitizer can find it

    def applied(self, text: str) -> str:
        """Return the text of the file with the bug in it."""
        count = text.count(self.old)
        if count != 1:
            raise ValueError(
                f"{self.name}: {self.file} has {count} places for it, not one: adapt fuzz/planted.py"
            )
        return text.replace(self.old, self.new)


def core(module: str) -> str:
    """Return the path of a source file of the core."""
    return f"mint/_core/{module}"
