"""Check that the version, the changelog and the links of a release agree.

python ci/release.py
"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def version_faults(root: Path = ROOT) -> list[str]:
    """Return where the version is not that of pyproject.toml."""
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    faults = []
    if f'__version__ = "{version}"' not in (root / "mint" / "_version.py").read_text():
        faults.append(f"mint/_version.py does not say {version}")
    if not re.search(rf"(?m)^## \[{re.escape(version)}\]", (root / "CHANGELOG.md").read_text()):
        faults.append(f"CHANGELOG.md has no section for {version}")
    return faults


def link_faults(root: Path = ROOT) -> list[str]:
    """Return the links of the README that would not work on an index page, or lead nowhere."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    source = project["urls"]["Source"]
    faults = []
    for target in re.findall(r"\]\(([^)\s]+)\)", (root / project["readme"]).read_text()):
        if target.startswith("#"):
            continue
        if not target.startswith("https://"):
            faults.append(f"README.md: {target} is relative: it leads nowhere on an index page")
        elif (
            found := re.fullmatch(rf"{re.escape(source)}/(?:blob|tree|raw)/main/([^#?]+)(?:[#?].*)?", target)
        ) and not (root / found.group(1)).exists():
            faults.append(f"README.md: {found.group(1)} does not exist")
    return faults


def main() -> int:
    """Print the faults."""
    faults = [*version_faults(), *link_faults()]
    print(*(faults or ["they agree"]), sep="\n")
    return int(bool(faults))


if __name__ == "__main__":
    raise SystemExit(main())
