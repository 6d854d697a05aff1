"""Build the small C programs in `bench/c` on this machine, and run them.

They read the work from a file, in which each piece follows its length (32 bits, little-endian), and print the
result as text.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from .measure import MissingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SOURCES = Path(__file__).parent / "c"
PLACE = Path(__file__).resolve().parent.parent / "build" / "bench"
OPTIONS = ("-O3", "-std=gnu11", "-Wall")


@cache
def build(name: str, *more: str, libraries: tuple[str, ...] = (), shared: bool = False) -> Path:
    """Compile `bench/c/NAME.c` and the files that it needs; raise `MissingError` if that fails."""
    compiler = os.environ.get("CC", "cc")
    if shutil.which(compiler) is None:
        raise MissingError(f"no C compiler ({compiler})")
    PLACE.mkdir(parents=True, exist_ok=True)
    target = PLACE / (f"{name}.so" if shared else name)
    kind = ("-shared", "-fPIC") if shared else ()
    run = subprocess.run(
        [compiler, *OPTIONS, *kind, str(SOURCES / f"{name}.c"), *more, "-o", str(target),
         *(f"-l{library}" for library in libraries)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode:
        wrong = next((line for line in run.stderr.splitlines() if "error" in line), run.stderr)
        raise MissingError(f"{name}.c does not build: {wrong}")
    return target


@cache
def llhttp() -> Path:
    """Return the folder with the sources of llhttp that are part of httptools."""
    try:
        package = f"httptools-{version('httptools')}"
    except PackageNotFoundError:
        raise MissingError("httptools is not installed: it carries the source of llhttp") from None
    folder = PLACE / package / "vendor" / "llhttp"
    if folder.is_dir():
        return folder
    PLACE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        run = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary",
             ":all:", "--no-build-isolation", "--dest", place, package.replace("-", "==")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        found = list(Path(place).glob("*.tar.gz"))
        if run.returncode or not found:
            raise MissingError("the source of httptools, which carries llhttp, cannot be fetched")
        with tarfile.open(found[0]) as archive:
            archive.extractall(PLACE, filter="data")
    return folder


def pieces(items: Iterable[bytes]) -> bytes:
    """Write octet strings to a file, each after its length."""
    return b"".join(struct.pack("<I", len(item)) + item for item in items)


def unpacked(octets: bytes) -> list[bytes]:
    """Read the octet strings that `pieces` wrote."""
    found, at = [], 0
    while at < len(octets):
        (size,) = struct.unpack_from("<I", octets, at)
        found.append(octets[at + 4 : at + 4 + size])
        at += 4 + size
    return found


class Program:
    """A task outside this process: a C program that times itself.

    `PROGRAM MODE check FILE` prints what came out; `PROGRAM MODE time FILE SECONDS` prints the CPU
    seconds of one operation.
    """

    def __init__(self, program: Path, arguments: Sequence[str], work: bytes, expected: bytes) -> None:
        handle, name = tempfile.mkstemp(dir=PLACE, suffix=".work")
        os.write(handle, work)
        os.close(handle)
        self._name = name
        self._program = str(program)
        self._arguments = tuple(arguments)
        self.expected = expected

    def __del__(self) -> None:
        Path(self._name).unlink(missing_ok=True)

    def said(self, verb: str, *more: str) -> bytes:
        """Run the program and return what it prints."""
        return subprocess.run(
            [self._program, *self._arguments, verb, self._name, *more],
            stdout=subprocess.PIPE, check=True,
        ).stdout  # fmt: skip

    def check(self) -> None:
        """Compare the output of the program with the expected output."""
        said = self.said("check")
        assert said == self.expected, f"{said!r:.400} is not {self.expected!r:.400}"

    def seconds(self, budget: float) -> float:
        """Let the program measure itself."""
        return float(self.said("time", str(budget)))
