"""Check what `mint.which` says if the unrelated distribution `mint` is installed as well.

    python ci/clash.py WHEEL PYTHON      # leaves WHEEL installed for PYTHON

The distribution `mint` is a stand-in that this script makes: it contains a module, or a package, called
`mint`. pip installs it before and after the wheel. Then the script runs what `mint.which` says to run, and
checks that it helps.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

MODULE = {"mint.py": "print 'a template engine for Python 2'\n"}
PACKAGE = {"mint/__init__.py": "class Template: pass\n"}


def make_wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> Path:
    """Write a wheel without compiled modules and return its path."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    held = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: mint\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    for path, text in held.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(text.encode())}\n")
    held[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"])
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in held.items():
            archive.writestr(path, text)
    return wheel


class Environment:
    """A Python environment into which pip installs."""

    def __init__(self, python: str, *options: str) -> None:
        self.python = python
        self.options = options

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the Python of the environment, which must find nothing but what is installed there."""
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [self.python, "-P", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=variables,
        )

    def pip(self, command: str, *arguments: str) -> None:
        """Run pip, which must succeed."""
        done = self.run("-m", "pip", command, *arguments)
        if done.returncode:
            raise RuntimeError(f"pip {command}: {done.stdout}{done.stderr}")

    def install(self, wheel: Path) -> None:
        """Install a wheel, again if it is installed."""
        self.pip("install", "-qq", "--no-index", "--no-deps", "--force-reinstall", str(wheel))

    def uninstall(self, *names: str) -> None:
        """Uninstall distributions; pip ignores those that are not installed."""
        self.pip("uninstall", "-qq", "-y", *names)

    def purelib(self) -> Path:
        """Return the folder that wheels are installed into."""
        done = self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
        return Path(done.stdout.strip())

    def which(self) -> subprocess.CompletedProcess[str]:
        """Run `mint.which` by its path, which does not import `mint`."""
        return self.run(str(self.purelib() / "mint" / "which.py"))


def faults(environment: Environment, ours: Path, theirs: Path, *, ours_first: bool) -> list[str]:
    """Install both wheels in one order, do what `mint.which` says, and return what went wrong."""
    faults: list[str] = []
    environment.uninstall("mint", "mint-http")
    for wheel in (ours, theirs) if ours_first else (theirs, ours):
        environment.install(wheel)
    found = environment.which()
    if found.returncode != 1 or "The distribution mint 0.5 is installed" not in found.stdout:
        faults.append(f"mint.which does not see the other distribution: {found.stdout}{found.stderr}")
    advice = found.stdout.rpartition("Run: ")[2].split("; ")
    for command in (each.strip() for each in advice):
        match command.split():
            case ["pip", "uninstall", *names]:
                environment.uninstall(*names)
            case ["pip", "install", "--force-reinstall", "mint-http"]:
                environment.install(ours)
            case _:
                faults.append(f"mint.which says to run {command!r}")
    found = environment.run("-m", "mint.which")
    if found.returncode or "That is the HTTP client mint-http." not in found.stdout:
        faults.append(f"what it says to run does not help: {found.stdout}{found.stderr}")
    if environment.run("-c", "import mint; mint.__version__").returncode:
        faults.append("mint cannot be imported")
    return faults


def main(arguments: list[str]) -> int:
    """Check both forms of the stand-in in both orders, and print what went wrong."""
    ours, environment = Path(arguments[0]).resolve(), Environment(arguments[1])
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for form, files in (("module", MODULE), ("package", PACKAGE)):
            theirs = make_wheel(Path(folder), "mint", "0.5", files)
            for ours_first in (True, False):
                found = faults(environment, ours, theirs, ours_first=ours_first)
                order = "after" if ours_first else "before"
                print(f"a {form} called mint, installed {order} this one:", end=" ")
                print(*(found or ["explained, and helped"]), sep="\n  ")
                failed |= bool(found)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
