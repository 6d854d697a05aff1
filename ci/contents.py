"""Check what a wheel or an sdist contains.

    python ci/contents.py dist/*.whl dist/*.tar.gz

A wheel contains what users run and what their type checkers read, all of it: no C sources, no tests, no
symbols. An sdist contains what is needed to build mint and to run its tests, which is every file of the
repository, and no generated files.
"""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The symbol tables of ELF: `.symtab` is gone from a stripped module, and so is everything of DWARF.
SYMBOLS = (b".symtab", b".debug_info")
IN_SDIST = (
    *("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", "mint/__init__.py"),
    *("mint/_core/http1.pyx", "mint/_core/chars.h", "stubs/mint/_core/http1.pyi", "ci/build.py"),
    *("tests/conftest.py", "docs/index.md", "mint/py.typed"),
)


def wheel_faults(names: Iterable[str]) -> list[str]:
    """Return what is wrong with the names in a wheel."""
    names = set(names)
    faults = []
    for name in sorted(names):
        if not re.match(r"mint/|mint_http-[^/]+\.dist-info/", name):
            faults.append(f"{name} does not belong in a wheel")
        elif re.search(r"\.(c|h|pyx|pyc|html)$", name) and not name.startswith("mint/_core/"):
            faults.append(f"{name} is no part of a wheel")
        elif re.search(r"\.(c|h|pyx|pxd|pyc|html)$", name):
            faults.append(f"{name}: sources of compiled modules stay in the sdist")
        elif re.search(r"(^|/)(tests?|fuzz|bench)/", name):
            faults.append(f"{name}: tests stay in the sdist")
    modules = {name.split(".")[0] for name in names if re.search(r"\.(so|pyd)$", name)}
    if not modules:
        faults.append("no compiled module")
    faults += [f"{module} has no stub" for module in sorted(modules) if f"{module}.pyi" not in names]
    faults += [f"{name} is missing" for name in ("mint/py.typed", "mint/__init__.py") if name not in names]
    if not any(name.endswith("/licenses/LICENSE") for name in names):
        faults.append("the licence is missing")
    return faults


def sdist_faults(names: Iterable[str]) -> list[str]:
    """Return what is wrong with the names in an sdist; each begins with the name of its folder."""
    inside = {name.partition("/")[2] for name in names}
    made = [name for name in inside if re.search(r"^mint/.*\.c$|\.(so|pyc)$", name)]
    faults = [f"{name} is made" for name in sorted(made)]
    hidden = [
        name for name in inside if re.search(r"(^|/)\.(venv|cache|git(?!hub/)|hypothesis|mypy|ruff)", name)
    ]
    faults += [f"{name} does not belong in an sdist" for name in sorted(hidden)]
    return faults + [f"{name} is missing" for name in IN_SDIST if name not in inside]


def absent_from_wheel(names: Iterable[str], root: Path = ROOT) -> list[str]:
    """Return the modules and stubs of a checkout that a wheel lacks."""
    names = set(names)
    wanted = {path.relative_to(root).as_posix() for path in (root / "mint").rglob("*.py")}
    wanted |= {
        path.relative_to(root / "stubs").as_posix() for path in (root / "stubs" / "mint").rglob("*.pyi")
    }
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    compiled = {name.split(".")[0] for name in names if re.search(r"\.(so|pyd)$", name)}
    modules = [module["name"].replace(".", "/") for module in project["tool"]["setuptools"]["ext-modules"]]
    faults = [f"{name} is missing" for name in sorted(wanted - names)]
    return faults + [f"{module} is not compiled" for module in modules if module not in compiled]


def absent_from_sdist(names: Iterable[str], root: Path = ROOT) -> list[str]:
    """Return the files of a repository that an sdist lacks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True)
    inside = {name.partition("/")[2] for name in names}
    wanted = {name for name in listed.stdout.split("\0") if name and (root / name).exists()}
    return [f"{name} is missing" for name in sorted(wanted - inside - {".gitignore"})]


def unstripped(wheel: zipfile.ZipFile) -> list[str]:
    """Return the modules of a wheel that contain symbols."""
    return [
        f"{name} carries {mark.decode()}"
        for name in wheel.namelist()
        if name.endswith(".so")
        for mark in SYMBOLS
        if mark in wheel.read(name)
    ]


def check(archive: Path) -> list[str]:
    """Return what is wrong with an archive."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            names = wheel.namelist()
            return [*wheel_faults(names), *absent_from_wheel(names), *unstripped(wheel)]
    with tarfile.open(archive) as sdist:
        names = [member.name for member in sdist.getmembers() if member.isfile()]
    return [*sdist_faults(names), *absent_from_sdist(names)]


def main(arguments: list[str]) -> int:
    """Print the faults of each archive and its size."""
    failed = 0
    for archive in map(Path, arguments):
        faults = check(archive)
        print(f"{archive.name}: {archive.stat().st_size / 1e6:.2f} MB, {len(faults) or 'no'} faults")
        print(*(f"  {fault}" for fault in faults), sep="\n", end="\n" if faults else "")
        failed |= bool(faults)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
