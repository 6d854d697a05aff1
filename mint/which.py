"""Show which distribution `import mint` imports: `python -m mint.which`.

The distribution `mint` on the package index is a template engine. It installs a module with the same name as
this package, and Python imports the one that it finds first. If that is the template engine, importing it
fails with a `SyntaxError` in `mint.py`; then run this file by its path: `python -P .../mint/which.py`.
"""

from __future__ import annotations

import sys
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

OURS = Path(__file__).parent


def report() -> tuple[list[str], bool]:
    """Return the lines of the report, and whether `import mint` certainly imports this package."""
    said: list[str] = []
    found = PathFinder.find_spec("mint")
    origin = None if found is None or found.origin is None else Path(found.origin)
    is_ours = origin is not None and origin.resolve().parent == OURS.resolve()
    said.append(f"import mint gives {origin or 'nothing'}")
    try:
        other = metadata.distribution("mint")
    except metadata.PackageNotFoundError:
        other = None
    if other is not None:
        said.append(
            f"The distribution mint {other.version} is installed: a template engine with a module of this "
            "name."
        )
    if is_ours and other is None:
        said.append("That is the HTTP client mint-http.")
    elif other is not None and (mixed := _shared(other)):
        said.append(f"It has installed files among those of the HTTP client mint-http: {', '.join(mixed)}.")
        said.append("Run: pip uninstall mint; pip install --force-reinstall mint-http")
    elif is_ours:
        said.append(
            "That is the HTTP client mint-http; programs that want the template engine get the wrong one."
        )
        said.append("Run: pip uninstall mint")
    else:
        said.append(f"That is not the HTTP client mint-http, which is in {OURS}.")
        said.append("Run: pip uninstall mint; pip install --force-reinstall mint-http")
    return said, is_ours and other is None


def _shared(other: metadata.Distribution) -> list[str]:
    """Return the files of another distribution that are in the folder of this package."""
    return sorted(
        str(path)
        for path in other.files or ()
        if path.suffix == ".py" and OURS.resolve() in Path(str(path.locate())).resolve().parents
    )


def main() -> int:
    """Print the report; return 1 if the two distributions conflict."""
    said, is_fine = report()
    sys.stdout.write("".join(f"{line}\n" for line in said))
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
