"""Print the names of the project's extension modules, one per line."""

import tomllib
from pathlib import Path

if __name__ == "__main__":
    pyproject = Path(__file__).resolve().parent.parent / "pyproject.toml"
    modules = tomllib.loads(pyproject.read_text())["tool"]["setuptools"]["ext-modules"]
    print(*(module["name"] for module in modules), sep="\n")
