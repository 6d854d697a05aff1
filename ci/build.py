"""Build steps that setuptools does not have.

* `StubbedBuildPy` puts the stubs beside the compiled modules: type checkers find the types of `mint._core`
  only there, in the repository, in a wheel and in a vendored copy alike.
* `CheckedBuildExt` says what to install if the compiler or Python's headers are missing, and strips the
  modules of debugging symbols, unless CFLAGS asks for them.
"""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

from setuptools import Extension
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.errors import CompileError, PlatformError

ROOT = Path(__file__).resolve().parent.parent

MISSING = (
    "mint is compiled from C when it is installed from source, and {missing}. Install a C compiler and the "
    "headers of this Python (Debian and Ubuntu: apt-get install gcc python3-dev; Fedora: dnf install gcc "
    "python3-devel; Alpine: apk add gcc musl-dev python3-dev; macOS: xcode-select --install; Windows: the "
    "Build Tools for Visual Studio with C++), or install a wheel."
)


def copy_stubs(root: Path = ROOT) -> list[Path]:
    """Copy the stub of each compiled module beside the module; return the paths of the copies."""
    copies = []
    for stub in sorted((root / "stubs" / "mint").rglob("*.pyi")):
        target = root / stub.relative_to(root / "stubs")
        # A stub that is up to date is not written again: a type checker may be reading it.
        if not target.exists() or target.read_bytes() != stub.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(stub, target)
        copies.append(target)
    return copies


def wants_symbols(flags: str) -> bool:
    """Whether CFLAGS asks for debugging symbols; its last -g option decides."""
    options = [flag for flag in flags.split() if flag.startswith("-g") and not flag.startswith("-gcc")]
    return bool(options) and options[-1] != "-g0"


class StubbedBuildPy(build_py):
    """`build_py` that copies the stubs first."""

    def run(self) -> None:
        """Copy the stubs, then build as usual."""
        copy_stubs()
        super().run()


class CheckedBuildExt(build_ext):
    """`build_ext` that strips the modules, and whose errors say what is missing."""

    def run(self) -> None:
        """Check that Python's headers are installed, then build as usual."""
        header = Path(sysconfig.get_path("include"), "Python.h")
        if not header.is_file():
            raise PlatformError(MISSING.format(missing=f"Python.h is not in {header.parent}"))
        super().run()

    def build_extension(self, ext: Extension) -> None:
        """Compile one module."""
        if self.compiler.compiler_type == "unix" and not wants_symbols(os.environ.get("CFLAGS", "")):
            ext.extra_compile_args = [*ext.extra_compile_args, "-g0"]
            # The linker of macOS has another option for it.
            ext.extra_link_args = [*ext.extra_link_args, "-Wl,-x" if _is_darwin() else "-Wl,-s"]
        try:
            super().build_extension(ext)
        except CompileError as error:
            if self.compiler.compiler_type == "unix" and not _compiler_runs(self.compiler.compiler[0]):
                missing = f"the compiler {self.compiler.compiler[0]!r} does not run here"
                raise PlatformError(MISSING.format(missing=missing)) from error
            raise
        except PlatformError as error:  # Windows without a compiler
            raise PlatformError(MISSING.format(missing="no C compiler was found")) from error


def _is_darwin() -> bool:
    return sysconfig.get_platform().startswith("macosx")


def _compiler_runs(command: str) -> bool:
    try:
        return subprocess.run([command, "--version"], check=False, capture_output=True).returncode == 0
    except OSError:
        return False
