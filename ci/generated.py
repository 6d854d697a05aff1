"""Generate those parts of pages and sources that come from declarations and tables in the code.

    python ci/generated.py            # reports which parts are out of date
    python ci/generated.py --write    # updates them

In a page, such a part is between the comments `<!-- NAME: made by ci/generated.py -->` and
`<!-- end of NAME -->`; in a source, between `# NAME: made by ci/generated.py` and `# end of NAME`.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ci import check_layers, declared  # noqa: E402  # the line above makes them importable


def layers() -> str:
    """Return the diagram of the layers, from the table that `ci/check_layers.py` enforces."""
    rows = []
    for name, members in check_layers.LAYERS:
        short = [member.removeprefix("mint.") for member in members]
        lines, line = [], ""
        for each in short:
            if line and len(line) + len(each) > 72:
                lines.append(line)
                line = ""
            line += f"{each}  "
        rows.append((name, [*lines, line]))
    width = max(len(line.rstrip()) for _, lines in rows for line in lines) + 2
    border = f"+{'-' * 18}+{'-' * width}+"
    made = [border]
    for name, lines in rows:
        for number, line in enumerate(lines):
            made.append(f"| {name if not number else '':<16} | {line.rstrip():<{width - 2}} |")
        made.append(border)
    return "```text\n" + "\n".join(made) + "\n```"


PARTS: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("docs/architecture.md", "layers", layers),
    *declared.parts(),
)


def renewed(text: str, name: str, made: str) -> str:
    """Return a page with one part replaced. Raises `ValueError` if it has no such part."""
    begin, end = f"<!-- {name}: made by ci/generated.py -->", f"<!-- end of {name} -->"
    if begin not in text:
        begin, end = f"# {name}: made by ci/generated.py", f"# end of {name}"
    found = re.compile(rf"(?s)({re.escape(begin)}\n).*?( *{re.escape(end)}\n)")
    if not found.search(text):
        raise ValueError(f"no part {name}")
    return found.sub(lambda match: f"{match[1]}{made}\n{match[2]}", text)


def stale() -> list[tuple[Path, str]]:
    """Return the pages that are out of date, each with its new text."""
    pages: dict[Path, str] = {}
    for file, name, make in PARTS:
        path = ROOT / file
        pages[path] = renewed(pages.get(path) or path.read_text(), name, make())
    return [(path, text) for path, text in pages.items() if path.read_text() != text]


def main(arguments: list[str]) -> int:
    """Compare, and update the files if the command line asks for it."""
    found = stale()
    for path, text in found:
        if "--write" in arguments:
            path.write_text(text)
        print(f"{path.relative_to(ROOT)} {'renewed' if '--write' in arguments else 'is out of date'}")
    return int(bool(found) and "--write" not in arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
