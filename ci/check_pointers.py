"""Check the core's rules about memory that states share: `python ci/check_pointers.py [ROOT]`.

docs/architecture.md ("Pointers") gives the reasons. Memory that successive states share never moves, and is
not freed as long as its owner is referenced. Therefore:

* only the functions that are listed here may set the pointer of a shared owner, and none may reallocate it;
* code takes a pointer into a shared owner only from a local variable or an argument, which keeps the owner
  alive while the pointer is used: any other reference may be dropped by code that runs meanwhile;
* a class has a raw pointer only if it is listed here, with what keeps the memory alive;
* a log of HPACK counts the states that use it, because it drops entries for its last state. A state that
  takes a log without being counted would lose entries that it still uses.

The same page ("Threads") describes words that threads share: only the functions of `atomics.pxd` read and
write them.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

# Pointers of owners that states share: attribute -> the module and the functions that may set it.
MAKERS = {
    "octets": ("logs.pyx", {"fresh_log"}),
    "entries": ("hpack_table.pyx", {"fresh_table"}),
    "slots": ("hpack_table.pyx", {"fresh_table"}),
}
# Where memory is never reallocated.
FIXED = {"logs.pyx", "hpack_table.pyx", "streams.pyx"}
# Attributes of a state that hold a log: no pointer is taken through them.
LOGS = r"(?:partial|block|resets|answers|log)"
# Expressions that are allowed although they break a rule, and why.
THROUGH = {
    (
        "http1_responses.pyx",
        "self.log",
    ): "a private clone, which keeps the log until the line was read",
    ("http2.pyx", "self.answers"): "a published state, which is never written",
}
# Pointers that classes have, and what keeps their memory alive.
HELD = {
    ("logs.pxd", "ByteLog", "octets"): "owned",
    ("hpack_table.pxd", "Table", "entries"): "owned",
    ("hpack_table.pxd", "Table", "slots"): "owned",
    ("streams.pxd", "Node", "children"): "owned references",
    ("streams.pxd", "Table", "root"): "an owned reference",
    ("http2_state.pxd", "Work", "out"): "owned, of one operation",
    ("http2_state.pxd", "Work", "pieces"): "owned; they point into `source`, which is held",
    ("link_base.pxd", "Mutex", "lock"): "owned",
    ("values.pxd", "Slots", "offsets"): "an array within",
}
# The modules with words that threads share.
SHARING = {"link_base.pyx", "fast_path.pyx", "watching.pyx"}
# Where states take logs that count them, and how.
COUNTED = "hpack.pyx"
TAKES = re.compile(r"\.table = (.+)$")
# Words that are read without the lock under which they are written.
WORD = re.compile(r"(?<!&)\b(?:self|link|watch|\(<LinkBase>self\))\.(\w+_word|owner|mover)\b")
CLASS = re.compile(r"^cdef class (\w+)")
POINTER = re.compile(r"^    cdef (?:readonly |public |const )*[\w ]+?\*+\s*(\w+)")
FUNCTION = re.compile(r"^ {0,4}(?:cdef|cpdef|def)\b[^=(]*?(\w+)\(")
SETS = re.compile(r"(\w+)\.(octets|entries|slots)\s*=(?!=)")
ALLOCATES = re.compile(r"\bPyMem_\w*alloc\(|\bmalloc\(")


class Finding(NamedTuple):
    """One broken rule, and where it is broken."""

    path: str
    line: int
    text: str


def code(line: str) -> str:
    """Return a line without its comment."""
    return re.sub(r"\s+#.*$", "", line) if '"' not in line else line


def class_pointers(path: Path) -> list[Finding]:
    """Find raw pointers in classes that are not listed."""
    found = []
    owner = ""
    for number, line in enumerate(path.read_text().split("\n"), 1):
        if match := CLASS.match(line):
            owner = match.group(1)
        elif line and not line[0].isspace():
            owner = ""
        match = POINTER.match(line)
        if owner and match and "(" not in line.split("#")[0]:
            name = match.group(1)
            if (path.name, owner, name) not in HELD:
                text = f"{owner}.{name} is a pointer: say in ci/check_pointers.py what keeps its memory alive"
                found.append(Finding(path.name, number, text))
    return found


def uses(path: Path) -> list[Finding]:
    """Find broken rules in the functions of a module."""
    found = []
    function = ""
    allocated: set[str] = set()
    for number, raw in enumerate(path.read_text().split("\n"), 1):
        line = code(raw)
        if match := FUNCTION.match(line):
            function, allocated = match.group(1), set()
        if path.name in FIXED and "Realloc(" in line:
            found.append(Finding(path.name, number, "shared memory is never reallocated: make a new owner"))
        match = SETS.search(line)
        if match and ALLOCATES.search(line):
            allocated.add(match.group(2))
            module, makers = MAKERS[match.group(2)]
            if path.name == module and function not in makers:
                text = f"{function}() sets {match.group(2)} of what states share: a new owner is made instead"
                found.append(Finding(path.name, number, text))
        for match in re.finditer(rf"\b(\w+(?:\.\w+)*\.{LOGS})\.octets\b", line):
            if (path.name, match.group(1)) not in THROUGH:
                text = f"a pointer is taken through {match.group(1)}: hold the log in a local variable"
                found.append(Finding(path.name, number, text))
    return found


def uncounted(path: Path) -> list[Finding]:
    """Find states that take a log of HPACK without being counted right before."""
    found = []
    before = ""
    for number, raw in enumerate(path.read_text().split("\n"), 1):
        line = code(raw).strip()
        match = TAKES.search(line)
        if match and before != f"join({match[1]})":
            text = f"a state takes a log that does not count it: call join({match[1]}) right before"
            found.append(Finding(path.name, number, text))
        before = line
    return found


def plain_accesses(path: Path) -> list[Finding]:
    """Find accesses to words that threads share which do not use the functions of atomics.pxd."""
    return [
        Finding(path.name, number, f"{match[1]} is shared by threads: use the functions of atomics.pxd")
        for number, line in enumerate(path.read_text().split("\n"), 1)
        for match in WORD.finditer(code(line))
    ]


def findings(root: Path) -> list[Finding]:
    """Check the core."""
    core = root / "mint" / "_core"
    found = []
    for path in sorted(core.glob("*.p[yx][xd]")):
        found += class_pointers(path)
        if path.suffix == ".pyx":
            found += uses(path)
            found += plain_accesses(path) if path.name in SHARING else []
            found += uncounted(path) if path.name == COUNTED else []
    return found


def main(arguments: list[str]) -> int:
    """Print the findings; return 1 if there are any."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    found = findings(root)
    for path, line, text in found:
        print(f"mint/_core/{path}:{line}: {text}")
    if not found:
        print("pointers: nothing to report")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
