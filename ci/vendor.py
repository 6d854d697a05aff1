"""Copy mint into another project, with a record of what was copied.

    python ci/vendor.py src/acme/_vendor                      # creates or updates the copy
    python ci/vendor.py src/acme/_vendor --without trio,idna  # leaves out optional parts
    python ci/vendor.py src/acme/_vendor --check              # shows local changes and those of an update
    cythonize -i src/acme/_vendor/mint/_core/*.pyx            # compiles the copy

All imports inside mint are relative and every file contains its own directives, so the copy works under any
name and compiles to the same code as the wheel. Compiled modules cannot be moved; compile the copy instead.

The copy contains VENDORED.md, which records the version, the commit, the parts that were left out, and a
hash of each file. Files that were changed after they were copied are not overwritten without --force. The
copy passes mypy --strict and pyright in strict mode even if nothing else is installed: files that use an
optional package contain a comment for the type checkers.
"""

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ci import hollow  # noqa: E402  # the line above makes it importable

RECORD = "VENDORED.md"
SOURCES = frozenset({".py", ".pyx", ".pxd", ".h", ".pxi", ".typed"})

# The parts that can be left out: their files, as patterns below mint/.
PARTS = {
    "trio": ("trio.py", "_loops/trio.py", "**/trio.py", "**/_trio.py"),
    "truststore": ("_extras/with_truststore.py",),
    "idna": ("_extras/with_idna.py",),
    "socks": ("_extras/with_socksio.py", "_connect/socks.py"),
    "testing": ("testing/**/*",),
    "httpx": ("httpx.py", "httpx2.py", "_httpx/**/*"),
    "command": ("__main__.py", "_command/**/*"),
}


class Refused(Exception):  # noqa: N818  # it is a message to a person, not a failure of the program
    """The copy was not changed, for the reason in the message."""


def sources(without: frozenset[str] = frozenset()) -> dict[str, bytes]:
    """Return the contents of a copy: each file by its path below mint/."""
    found: dict[str, bytes] = {}
    for top, suffixes in ((ROOT / "mint", SOURCES), (ROOT / "stubs" / "mint", frozenset({".pyi"}))):
        for path in sorted(top.rglob("*")):
            if path.is_file() and (path.suffix in suffixes or path.name == "py.typed"):
                found[path.relative_to(top).as_posix()] = path.read_bytes()
    found["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    left = {
        path.relative_to(ROOT / "mint").as_posix()
        for part in without
        for pattern in PARTS[part]
        for path in (ROOT / "mint").glob(pattern)
    }
    return hollow.leave_out(found, left)


def digest(octets: bytes) -> str:
    """Return the hash of a file, as it is written in the record."""
    return hashlib.sha256(octets).hexdigest()


def recorded(target: Path) -> dict[str, str]:
    """Return the hashes of the record; empty if there is no record."""
    record = target / RECORD
    if not record.is_file():
        return {}
    return {name: value for value, name in re.findall(r"(?m)^([0-9a-f]{64})  (.+)$", record.read_text())}


def recorded_parts(target: Path) -> frozenset[str]:
    """Return the parts that were left out of a copy."""
    found = re.search(r"(?m)^left out: (.*)$", (target / RECORD).read_text())
    return frozenset(found.group(1).split(", ")) & frozenset(PARTS) if found else frozenset()


def changes(target: Path) -> list[str]:
    """Return the local changes of a copy: a line for each file."""
    before = recorded(target)
    said = []
    for name, value in before.items():
        path = target / name
        if not path.is_file():
            said.append(f"removed: {name}")
        elif digest(path.read_bytes()) != value:
            said.append(f"changed: {name}")
    for path in sorted(target.rglob("*")):
        name = path.relative_to(target).as_posix()
        known = name in before or name == RECORD
        if path.is_file() and not known and path.suffix in {".py", ".pyx", ".pxd", ".h", ".pyi"}:
            said.append(f"added: {name}")
    return said


def updates(target: Path) -> list[str]:
    """Return what this version of mint would change in a copy: a line for each file."""
    before = recorded(target)
    new = {name: digest(octets) for name, octets in sources(recorded_parts(target)).items()}
    return [
        *(f"new: {name}" for name in new if name not in before),
        *(f"gone: {name}" for name in before if name not in new),
        *(f"newer: {name}" for name in new if name in before and new[name] != before[name]),
    ]


def commit() -> str:
    """Return the commit of this tree, and whether files differ from it; in an sdist it is not known."""
    try:
        here = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
        )
        state = subprocess.run(
            ["git", "status", "--porcelain", "mint", "stubs"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return here.stdout.strip() + (" with changes" if state.stdout.strip() else "")


def record_text(files: dict[str, bytes], without: frozenset[str]) -> str:
    """Return the text of VENDORED.md."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    build = ", ".join(f"`{need}`" for need in project["build-system"]["requires"])
    python, needs = project["project"]["requires-python"], ", ".join(project["project"]["dependencies"])
    hashes = "\n".join(f"{digest(octets)}  {name}" for name, octets in sorted(files.items()))
    return f"""# mint, vendored

This folder is a copy of mint. `python ci/vendor.py FOLDER --check`, in a checkout of mint, says what was
changed here and what that version of mint would change.

```
version: {project["project"]["version"]}
commit: {commit()}
left out: {", ".join(sorted(without)) or "nothing"}
```

To compile it: CPython {python} with its headers, a C compiler and {build}; then
`cythonize -i mint/_core/*.pyx`. To run it: `{needs}`, on systems without certificates of their own.

Each file and its SHA-256:

```
{hashes}
```
"""


def vendor(folder: Path, without: frozenset[str] = frozenset(), *, force: bool = False) -> Path:
    """Create or update `folder/mint`; return it. Raises `Refused` if local changes would be lost."""
    target = folder / "mint"
    if target.exists() and not force:
        if not (target / RECORD).is_file():
            raise Refused(f"{target} has no {RECORD}: nothing says what it is. --force overwrites it")
        if lost := changes(target):
            listed = "\n".join(f"  {line}" for line in lost)
            raise Refused(f"{target} was changed since it was copied; --force overwrites this:\n{listed}")
    files = sources(without)
    if target.exists():
        shutil.rmtree(target)
    for name, octets in files.items():
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(octets)
    (target / RECORD).write_text(record_text(files, without))
    return target


def check(folder: Path) -> int:
    """Print how a copy differs from its record and from this version; return 1 if it has local changes."""
    target = folder / "mint"
    if not (target / RECORD).is_file():
        print(f"{target} has no {RECORD}")
        return 2
    local, newer = changes(target), updates(target)
    print(*(local or ["nothing was changed since it was copied"]), sep="\n")
    print(*(newer or ["it is this version of mint"]), sep="\n")
    return 1 if local else 0


def parts(text: str) -> frozenset[str]:
    """Parse the value of --without."""
    chosen = frozenset(text.split(","))
    if unknown := chosen - frozenset(PARTS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: the parts are {', '.join(PARTS)}")
    return chosen


def main(arguments: list[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="ci/vendor.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="the folder that contains mint/, or will contain it"
    )
    parser.add_argument(
        "--without",
        type=parts,
        default=None,
        metavar="PART,...",
        help=f"leave out these parts: {', '.join(PARTS)}; an update leaves out the same parts by default",
    )
    parser.add_argument("--force", action="store_true", help="overwrite files that were changed in the copy")
    parser.add_argument(
        "--check", action="store_true", help="compare the copy with its record and with this version of mint"
    )
    asked = parser.parse_args(arguments)
    if asked.check:
        return check(asked.folder)
    target = asked.folder / "mint"
    without = asked.without
    if without is None:
        without = recorded_parts(target) if (target / RECORD).is_file() else frozenset()
    try:
        print(vendor(asked.folder, without, force=asked.force))
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
