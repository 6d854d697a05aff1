"""Build steps setuptools does not have: lay the stubs beside the compiled modules.

Type checkers find the types of `mint._core` only beside the modules, in the repository, in a wheel
and in a vendored copy alike, so the build copies `stubs/mint/**/*.pyi` into the tree.
"""

import shutil
from pathlib import Path

from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent.parent


def lay_stubs(root: Path = ROOT) -> list[Path]:
    """Copy every stub of the compiled modules beside its module; return their places."""
    laid = []
    for stub in sorted((root / "stubs" / "mint").rglob("*.pyi")):
        target = root / stub.relative_to(root / "stubs")
        # What is there already is left alone: a checker may be reading it.
        if not target.exists() or target.read_bytes() != stub.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(stub, target)
        laid.append(target)
    return laid


class StubbedBuildPy(build_py):
    """`build_py` that lays the stubs first."""

    def run(self) -> None:
        """Lay the stubs, then build as usual."""
        lay_stubs()
        super().run()
