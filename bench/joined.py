"""Compare an extension module for each source of the core with one file that holds them all.

python -m bench.joined [--rounds 15]     # in an environment in which mint's core is translated in place

Makes three copies of the package: one with a file for each module, as mint is built; one with all modules
linked into one file; and one for which the linker also optimizes across modules and merges identical
functions. Prints the size of the files, the size of an archive of them (their share of a wheel), and the CPU
and wall-clock time of importing both engines in a fresh interpreter, minus those of one that imports nothing:
the medians of interleaved rounds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from .footprint import children

ROOT = Path(__file__).resolve().parent.parent
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
IMPORTED = "import mint._core.http1, mint._core.http2"
WHOLE = "joined"
FINDER = f"""
import importlib.machinery as _machinery, sys as _sys
from pathlib import Path as _Path

class _Joined:
    file = str(_Path(__file__).with_name("{WHOLE}{SUFFIX}"))

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name in NAMES:
            loader = _machinery.ExtensionFileLoader(name, cls.file)
            return _machinery.ModuleSpec(name, loader, origin=cls.file)

_sys.meta_path.insert(0, _Joined)
"""
"""Code that finds the modules in the one file, which has an init function for each."""


@dataclass(frozen=True, slots=True)
class Build:
    """One method of building the core."""

    title: str
    flags: tuple[str, ...]
    joined: bool


BUILDS = (
    Build("a file for each module", ("-O2", "-g0"), joined=False),
    Build("one file", ("-O2", "-g0"), joined=True),
    Build("one file, optimized when linked", ("-O2", "-g0", "-flto", "-fno-fat-lto-objects"), joined=True),
)


def sources() -> list[Path]:
    """Return the C files of the modules."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = [module["sources"][0] for module in project["tool"]["setuptools"]["ext-modules"]]
    return [(ROOT / name).with_suffix(".c") for name in listed]


def make(build: Build, into: Path) -> list[Path]:
    """Make a copy of the package with this build; return its extension modules."""
    shutil.copytree(
        ROOT / "mint",
        into / "mint",
        ignore=shutil.ignore_patterns("*.so", "*.c", "*.pyx", "*.pxd", "__pycache__"),
    )
    core = into / "mint" / "_core"
    compiler = os.environ.get("CC", "cc")
    include = [f"-I{sysconfig.get_path('include')}", f"-I{ROOT / 'mint' / '_core'}", "-DNDEBUG", "-fPIC"]

    def run(*arguments: str | Path) -> None:
        subprocess.run([compiler, *build.flags, *map(str, arguments)], check=True)

    def compiled(source: Path) -> Path:
        made = into / f"{source.stem}.o"
        run(*include, "-c", source, "-o", made)
        return made

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compiled, sources()))
    if not build.joined:
        for each in objects:
            run("-shared", "-Wl,-s", each, "-o", core / f"{each.stem}{SUFFIX}")
        return sorted(core.glob("*.so"))
    run("-shared", "-Wl,-s", *objects, "-o", core / f"{WHOLE}{SUFFIX}")
    names = {f"mint._core.{each.stem}" for each in objects}
    with (core / "__init__.py").open("a") as file:
        file.write(FINDER.replace("NAMES", repr(names)))
    return [core / f"{WHOLE}{SUFFIX}"]


def archived(files: list[Path], into: Path) -> int:
    """Return the size of an archive of the files."""
    archive = into / "archive.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for file in files:
            out.write(file, file.name)
    return archive.stat().st_size


def spent(code: str, folder: Path) -> tuple[float, float]:
    """Return the CPU time and the wall-clock time of a fresh interpreter, in milliseconds."""
    cpu, begun = children(), perf_counter()
    subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}
    )
    return (children() - cpu) * 1e3, (perf_counter() - begun) * 1e3


def main() -> int:
    """Build, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds: int = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        places = []
        print(f"{'build':34} {'files':>6} {'octets':>10} {'archive':>10} {'CPU ms':>8} {'time ms':>8}")
        figures = []
        for number, build in enumerate(BUILDS):
            place = Path(name) / str(number)
            place.mkdir()
            files = make(build, place)
            figures.append((len(files), sum(file.stat().st_size for file in files), archived(files, place)))
            spent(IMPORTED, place)  # writes the compiled files
            places.append(place)
        runs: list[list[tuple[float, float]]] = [[] for _ in BUILDS]
        for _ in range(rounds):
            for place, taken in zip(places, runs, strict=True):
                bare, whole = spent("pass", place), spent(IMPORTED, place)
                taken.append((whole[0] - bare[0], whole[1] - bare[1]))
        for build, (count, size, packed), taken in zip(BUILDS, figures, runs, strict=True):
            cpu, time = (statistics.median(column) for column in zip(*taken, strict=True))
            print(f"{build.title:34} {count:6} {size:10,} {packed:10,} {cpu:8.1f} {time:8.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
