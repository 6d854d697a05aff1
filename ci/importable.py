"""Import every module of a package, to show that none of them needs more than it may.

    python -P ci/importable.py mint

Modules that belong to an extra may need the packages of that extra, and must raise `ImportError` without
them.
"""

import importlib
import pkgutil
import sys

OPTIONAL = frozenset({"trio", "hypothesis", "pytest", "trustme", "httpx", "httpx2"})


def lacking(error: ImportError) -> str | None:
    """Return the package that is missing according to an error or its cause."""
    cause = error if isinstance(error, ModuleNotFoundError) else error.__cause__
    return cause.name if isinstance(cause, ModuleNotFoundError) else None


def main(name: str) -> int:
    """Import all modules and print how many there are."""
    package = importlib.import_module(name)
    modules = [found.name for found in pkgutil.walk_packages(package.__path__, name + ".")]
    without = []
    for module in modules:
        if module.endswith("__main__"):
            continue
        try:
            importlib.import_module(module)
        except ImportError as error:
            if lacking(error) not in OPTIONAL:
                raise
            without.append(module)
    print(f"imported {len(modules)} modules of {package.__file__}")
    print(*(f"needs an extra: {module}" for module in without), sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
