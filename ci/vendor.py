"""Copy mint into another project, with a record of what was copied.

    python ci/vendor.py src/acme/_vendor                      # creates or updates the copy
    python ci/vendor.py src/acme/_vendor --without trio,idna  # leaves out optional parts
    python ci/vendor.py src/acme/_vendor --check              # shows local changes and those of an update
    cythonize -i src/acme/_vendor/mint/_core/*.pyx            # compiles the copy

All imports inside mint are relative and every file contains its own directives, so the copy works under any
name and compiles to the same code as the wheel. Compiled modules cannot be moved; compile the copy instead.

The copy contains VENDORED.md, which records the version, the commit, the parts that were left out, and a
hash of each file. A copy in which files were changed, added or removed is not overwritten without --force;
what the compilation adds is no change. An update that fails leaves the copy as it was. The copy passes
mypy --strict and pyright in strict mode even if nothing else is installed: files that use an optional package
contain a comment for the type checkers.
"""

import argparse
import sys
import tempfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ci import hollow, vendor_record  # noqa: E402  # the line above makes it importable
from ci.vendor_record import NOTHING, Refused, digest  # noqa: E402  # as above

SOURCES = frozenset({".py", ".pyx", ".pxd", ".h", ".pxi", ".typed"})
CACHES = frozenset({"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"})
COMPILED = frozenset({".c", ".html", ".pyd", ".so"})
"""Suffixes of what Cython and the compiler make from a .pyx file."""

# The parts that can be left out: their files, as patterns below mint/.
PARTS = {
    "trio": ("trio.py", "_loops/trio*.py", "**/trio.py", "**/_trio.py"),
    "truststore": ("_extras/with_truststore.py",),
    "idna": ("_extras/with_idna.py",),
    "socks": ("_extras/with_socksio.py", "_connect/socks.py"),
    "testing": ("testing/**/*",),
    "httpx": ("httpx.py", "httpx2.py", "_httpx/**/*"),
    "command": ("__main__.py", "_command/**/*"),
}


def sources(without: frozenset[str] = frozenset()) -> dict[str, bytes]:
    """Return the contents of a copy: each file by its path below mint/."""
    found: dict[str, bytes] = {}
    for top, suffixes in ((ROOT / "mint", SOURCES), (ROOT / "stubs" / "mint", frozenset({".pyi"}))):
        for path in sorted(top.rglob("*")):
            if path.is_file() and (path.suffix in suffixes or path.name == "py.typed"):
                found[path.relative_to(top).as_posix()] = vendor_record.read(path)
    found["LICENSE"] = vendor_record.read(ROOT / "LICENSE")
    left = {
        path.relative_to(ROOT / "mint").as_posix()
        for part in without
        for pattern in PARTS[part]
        for path in (ROOT / "mint").glob(pattern)
    }
    return hollow.leave_out(found, left)


def place(folder: Path) -> Path:
    """Return where the copy in a folder is, or will be; raises `Refused` if it cannot be there."""
    try:
        target = (folder / "mint").resolve()
    except RuntimeError as error:  # what Python says of it before 3.13
        raise Refused(f"{folder / 'mint'} is a symbolic link that leads to itself") from error
    holders = (ROOT, *ROOT.parents)
    if target in holders or not {ROOT / "mint", ROOT / "stubs"}.isdisjoint({target, *target.parents}):
        raise Refused(f"{target} contains the sources of mint, or is among them: choose another folder")
    for path in (target, *target.parents):
        if path.exists():
            if not path.is_dir():
                raise Refused(f"{path} is not a folder")
            break
    return target


def is_made(name: str, before: dict[str, str]) -> bool:
    """Whether a file is made from the files of a copy, by the compilation or when Python imports them."""
    path = PurePosixPath(name)
    source = path.with_name(path.name.partition(".")[0] + ".pyx")
    return not CACHES.isdisjoint(path.parts) or (path.suffix in COMPILED and str(source) in before)


def changes(target: Path) -> list[str]:
    """Return the local changes of a copy: a line for each file."""
    before = vendor_record.hashes(target)
    changes = [f"changed: {vendor_record.NAME}"] if vendor_record.is_changed(target) else []
    for name, value in before.items():
        path = target / name
        if not path.is_file():
            changes.append(f"removed: {name}")
        elif path.is_symlink() or digest(vendor_record.read(path)) != value:
            changes.append(f"changed: {name}")
    for path in sorted(target.rglob("*")):
        name = path.relative_to(target).as_posix()
        if path.is_dir() and not path.is_symlink():
            continue
        if name not in before and name != vendor_record.NAME and not is_made(name, before):
            changes.append(f"added: {name}")
    return changes


def updates(target: Path, without: frozenset[str] | None = None) -> list[str]:
    """Return what this version of mint would change in a copy: a line for each file."""
    before = vendor_record.hashes(target)
    parts = vendor_record.left_out(target, PARTS) if without is None else without
    new = {name: digest(octets) for name, octets in sources(parts).items()}
    return [
        *(f"new: {name}" for name in new if name not in before),
        *(f"gone: {name}" for name in before if name not in new),
        *(f"newer: {name}" for name in new if name in before and new[name] != before[name]),
    ]


def vendor(folder: Path, without: frozenset[str] | None = None, *, force: bool = False) -> Path:
    """Create or update `folder/mint`; return it.

    An update leaves out the same parts, unless `without` is given. Raises `Refused` if local changes would be
    lost, and `OSError` if the files cannot be written; then the folder is as it was.
    """
    target = place(folder)
    has_record = (target / vendor_record.NAME).is_file()
    if target.exists() and not force:
        if not has_record:
            raise Refused(
                f"{target} has no {vendor_record.NAME}: nothing says what it is. --force overwrites it"
            )
        if lost := changes(target):
            listed = "\n".join(f"  {line}" for line in lost)
            raise Refused(f"{target} was changed since it was copied; --force overwrites this:\n{listed}")
    if without is None:
        without = vendor_record.left_out(target, PARTS) if has_record else frozenset()
    files = sources(without)
    replace(target, {**files, vendor_record.NAME: vendor_record.write(ROOT, files, without).encode()})
    return target


def replace(target: Path, files: dict[str, bytes]) -> None:
    """Put a new folder in the place of another, or leave everything as it was."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".mint-", dir=target.parent) as beside:
        new, old = Path(beside, "new"), Path(beside, "old")
        for name, octets in files.items():
            copy = new / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(octets)
        try:
            if target.exists():
                target.rename(old)
            new.rename(target)
        except BaseException:
            if old.exists() and not target.exists():
                old.rename(target)
            raise


def check(folder: Path, without: frozenset[str] | None = None) -> int:
    """Print how a copy differs from its record and from this version; return 1 if it has local changes."""
    target = folder / "mint"
    if not (target / vendor_record.NAME).is_file():
        print(f"{target} has no {vendor_record.NAME}")
        return 2
    try:
        local, newer = changes(target), updates(target, without)
    except Refused as error:
        print(error)
        return 2
    print(*(local or ["nothing was changed since it was copied"]), sep="\n")
    print(*(newer or ["it is this version of mint"]), sep="\n")
    return 1 if local else 0


def parts(text: str) -> frozenset[str]:
    """Parse the value of --without."""
    chosen = frozenset(part.strip() for part in text.split(",")) - {"", NOTHING}
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
        help=f"leave out these parts: {', '.join(PARTS)}; an update leaves out the same parts by "
        f"default, and none with '{NOTHING}'",
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that were changed or added in the copy"
    )
    parser.add_argument(
        "--check", action="store_true", help="compare the copy with its record and with this version of mint"
    )
    options = parser.parse_args(arguments)
    if options.check:
        return check(options.folder, options.without)
    try:
        print(vendor(options.folder, options.without, force=options.force))
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"nothing was changed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
