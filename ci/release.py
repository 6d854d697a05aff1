"""Check that the version, the changelog, the links and the configuration of the wheels agree.

python ci/release.py [--wheels]     # also check that cibuildwheel, which must be installed, builds all
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


PYTHONS = ("cp311", "cp312", "cp313", "cp314", "cp314t")
"""Every CPython for which there are wheels; `t` means without a GIL."""
PLATFORMS = {
    "linux": ("manylinux_x86_64", "manylinux_aarch64", "musllinux_x86_64", "musllinux_aarch64"),
    "macos": ("macosx_x86_64", "macosx_arm64"),
    "windows": ("win_amd64", "win_arm64"),
}
"""The platform tags of the wheels, by the platform for which cibuildwheel builds."""
SYSTEMS = {"ubuntu": "linux", "macos": "macos", "windows": "windows"}
"""The platform for which cibuildwheel builds, by the first word of the name of a machine."""


def version_faults(root: Path = ROOT) -> list[str]:
    """Return where the version differs from that of pyproject.toml."""
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    faults = []
    if f'__version__ = "{version}"' not in (root / "mint" / "_version.py").read_text():
        faults.append(f"mint/_version.py does not say {version}")
    if not re.search(rf"(?m)^## \[{re.escape(version)}\]", (root / "CHANGELOG.md").read_text()):
        faults.append(f"CHANGELOG.md has no section for {version}")
    return faults


def link_faults(root: Path = ROOT) -> list[str]:
    """Return the links of the README that would not work on the package index, or that lead nowhere."""
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


def machine_faults(root: Path = ROOT) -> list[str]:
    """Return how the machines of the workflow differ from the architectures that wheels are configured for.

    Each machine builds for its own architecture; a wheel that two machines build would be uploaded twice.
    """
    configured = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["cibuildwheel"]
    workflow = (root / ".github" / "workflows" / "wheels.yml").read_text()
    machines = re.findall(r"(?m)^ +- \{ os: (\w+)[^,]*, archs: (\w+) \}$", workflow)
    built = sorted(f"{SYSTEMS[system]} {arch}" for system, arch in machines)
    wanted = sorted(f"{platform} {arch}" for platform in PLATFORMS for arch in configured[platform]["archs"])
    return [] if built == wanted else [f"wheels.yml builds for {built}; pyproject.toml wants {wanted}"]


def wheel_faults(platform: str, printed: str) -> list[str]:
    """Return how the wheels that cibuildwheel would build for a platform differ from the expected ones."""
    wanted = {f"{python}-{kind}" for python in PYTHONS for kind in PLATFORMS[platform]}
    would = set(printed.split())
    faults = [f"{name} would not be built" for name in sorted(wanted - would)]
    return faults + [f"{name} would be built, too" for name in sorted(would - wanted)]


def ask_cibuildwheel() -> list[str]:
    """Print how many wheels cibuildwheel would build for each platform; return what is wrong with them."""
    faults = []
    for platform in PLATFORMS:
        command = [sys.executable, "-m", "cibuildwheel", "--platform", platform, "--print-build-identifiers"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            faults.append(f"cibuildwheel rejects its configuration for {platform}: {done.stderr.strip()}")
            continue
        print(f"{platform}: {len(done.stdout.split())} wheels")
        faults += wheel_faults(platform, done.stdout)
    return faults


def main(arguments: list[str]) -> int:
    """Print the faults."""
    faults = [*version_faults(), *link_faults(), *machine_faults()]
    if arguments == ["--wheels"]:
        faults += ask_cibuildwheel()
    print(*(faults or ["they agree"]), sep="\n")
    return int(bool(faults))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
