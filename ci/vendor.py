"""Copy mint into another project: sources and stubs, nothing made.

    python ci/vendor.py src/acme/_vendor        # makes src/acme/_vendor/mint
    cythonize -i src/acme/_vendor/mint/_core/*.pyx

Every import inside mint is relative and every directive stands in its file, so the copy works under
any name. Compiled modules cannot be moved (they remember their names): compile the copy.
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {".py", ".pyx", ".pxd", ".h", ".pxi"}


def vendor(folder: Path) -> Path:
    """Make `folder/mint` anew; return it."""
    target = folder / "mint"
    if target.exists():
        shutil.rmtree(target)
    for top, suffixes in ((ROOT / "mint", SOURCES), (ROOT / "stubs" / "mint", {".pyi"})):
        for path in sorted(top.rglob("*")):
            if path.suffix in suffixes or path.name == "py.typed":
                copy = target / path.relative_to(top)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
    shutil.copyfile(ROOT / "LICENSE", target / "LICENSE")
    return target


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    print(vendor(Path(sys.argv[1])))
