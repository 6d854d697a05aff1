"""`ci/contents.py`: the files in wheels and sdists. ci/wheel runs it on real ones."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from ci import contents, release

GOOD = [
    "mint/__init__.py",
    "mint/py.typed",
    "mint/_core/__init__.py",
    "mint/_core/http1.cpython-311-x86_64-linux-gnu.so",
    "mint/_core/http1.pyi",
    "mint/testing/__init__.py",
    "mint_http-0.1.0.dist-info/METADATA",
    "mint_http-0.1.0.dist-info/licenses/LICENSE",
]


def test_a_good_wheel_has_no_faults() -> None:
    assert contents.wheel_faults(GOOD) == []


@pytest.mark.parametrize(
    "name",
    [
        "mint/_core/http1.c",
        "mint/_core/http1.pyx",
        "mint/_core/http1.pxd",
        "mint/_core/chars.h",
        "mint/__pycache__/types.cpython-311.pyc",
        "tests/test_names.py",
        "mint/tests/test_names.py",
        "ci/build.py",
        "mint/_core/http2.abi3.so",
        "stubs/mint/_core/http1.pyi",
    ],
)
def test_files_that_do_not_belong_in_a_wheel_are_found(name: str) -> None:
    (fault,) = contents.wheel_faults([*GOOD, name])
    assert name.split(".", maxsplit=1)[0] in fault


@pytest.mark.parametrize(
    "name", ["mint/py.typed", "mint/_core/http1.pyi", "mint_http-0.1.0.dist-info/licenses/LICENSE"]
)
def test_files_that_are_missing_in_a_wheel_are_found(name: str) -> None:
    assert len(contents.wheel_faults([other for other in GOOD if other != name])) == 1


def test_a_wheel_needs_compiled_modules() -> None:
    assert "no compiled module" in contents.wheel_faults([name for name in GOOD if ".so" not in name])


def test_an_sdist_has_the_tests_and_no_generated_files() -> None:
    good = [f"mint_http-0.1.0/{name}" for name in contents.IN_SDIST]
    assert contents.sdist_faults(good) == []
    assert contents.sdist_faults([*good, "mint_http-0.1.0/bench/c/session.c"]) == []
    for name in ("mint/_core/http1.c", "mint/_core/http1.so", ".venv-ci/bin/python", "tests/a.pyc"):
        assert len(contents.sdist_faults([*good, f"mint_http-0.1.0/{name}"])) == 1, name
    assert contents.sdist_faults(good[:-1]) == [f"{contents.IN_SDIST[-1]} is missing"]


def test_every_package_is_configured() -> None:
    project = tomllib.loads((release.ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    held = {path.parent for path in (release.ROOT / "mint").rglob("*.py")}
    names = {".".join(folder.relative_to(release.ROOT).parts) for folder in held}
    assert sorted(project["packages"]) == sorted(names)
    compiled = {module["name"].replace(".", "/") + ".pyx" for module in project["ext-modules"]}
    found = {path.relative_to(release.ROOT).as_posix() for path in (release.ROOT / "mint").rglob("*.pyx")}
    assert compiled == found


def test_what_a_wheel_lacks_of_the_sources_is_found(tmp_path: Path) -> None:
    for name in ("mint/__init__.py", "mint/late/__init__.py", "stubs/mint/_core/one.pyi"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.setuptools]\next-modules = [{ name = "mint._core.one", sources = ["mint/_core/one.pyx"] }]\n'
    )
    good = ["mint/__init__.py", "mint/late/__init__.py", "mint/_core/one.pyi", "mint/_core/one.abi3.so"]
    assert contents.absent_from_wheel(good, tmp_path) == []
    assert [
        contents.absent_from_wheel([*good[:place], *good[place + 1 :]], tmp_path) for place in range(4)
    ] == [
        ["mint/__init__.py is missing"],
        ["mint/late/__init__.py is missing"],
        ["mint/_core/one.pyi is missing"],
        ["mint/_core/one is not compiled"],
    ]


def test_what_an_sdist_lacks_of_the_repository_is_found(tmp_path: Path) -> None:
    for name in ("README.md", ".gitignore", ".github/workflows/ci.yml", "tests/a.py", "made.txt", "gone.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    for command in (["init", "-q"], ["add", "."], ["rm", "-q", "--cached", "made.txt"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (tmp_path / "gone.txt").unlink()
    good = [f"mint_http-0.1.0/{name}" for name in ("README.md", ".github/workflows/ci.yml", "tests/a.py")]
    assert contents.absent_from_sdist(good, tmp_path) == []
    assert contents.absent_from_sdist(good[:1], tmp_path) == [
        ".github/workflows/ci.yml is missing",
        "tests/a.py is missing",
    ]


def test_the_version_the_changelog_and_the_links_agree() -> None:
    assert release.link_faults() == []
    assert release.machine_faults() == []
    assert [fault for fault in release.version_faults() if "CHANGELOG" not in fault] == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    source = "https://github.com/acme/it"
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\nversion = "1.2"\nreadme = "README.md"\nurls = {{ Source = "{source}" }}\n'
    )
    (tmp_path / "here.md").write_text("")
    (tmp_path / "README.md").write_text(
        f"[a]({source}/blob/main/here.md) [b]({source}/blob/main/gone.md#x) [c](here.md) [d](#top)"
    )
    assert release.link_faults(tmp_path) == [
        "README.md: gone.md does not exist",
        "README.md: here.md is relative: it leads nowhere on an index page",
    ]
    (tmp_path / "mint").mkdir()
    (tmp_path / "mint" / "_version.py").write_text('__version__ = "1.1"\n')
    (tmp_path / "CHANGELOG.md").write_text("## [1.1]\n")
    assert release.version_faults(tmp_path) == [
        "mint/_version.py does not say 1.2",
        "CHANGELOG.md has no section for 1.2",
    ]


def test_missing_and_extra_wheels_are_found() -> None:
    good = {
        platform: [f"{python}-{kind}" for python in release.PYTHONS for kind in kinds]
        for platform, kinds in release.PLATFORMS.items()
    }
    assert [release.wheel_faults(platform, "\n".join(good[platform])) for platform in good] == [[], [], []]
    first, *others = good["windows"]
    assert release.wheel_faults("windows", "\n".join([*others, "pp311-win_amd64"])) == [
        f"{first} would not be built",
        "pp311-win_amd64 would be built, too",
    ]


def test_a_wrong_architecture_in_the_workflow_is_found(tmp_path: Path) -> None:
    for name in ("pyproject.toml", ".github/workflows/wheels.yml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((release.ROOT / name).read_text())
    assert release.machine_faults(tmp_path) == []
    workflow = tmp_path / ".github" / "workflows" / "wheels.yml"
    for old, new in (("archs: aarch64", "archs: x86_64"), ("{ os: macos-latest, archs: arm64 }", "")):
        workflow.write_text((release.ROOT / ".github/workflows/wheels.yml").read_text().replace(old, new))
        assert len(release.machine_faults(tmp_path)) == 1


def test_wheels_are_tested_without_the_tests_that_read_sources() -> None:
    common = (release.ROOT / "ci" / "common.sh").read_text()
    of_sources = re.search(r"(?s)\nOF_SOURCES=\((.*?)\)", common)
    assert of_sources
    left_out = set(re.findall(r"tests/\S+", of_sources[1])) - {"tests/fuzz"}
    configured = tomllib.loads((release.ROOT / "pyproject.toml").read_text())["tool"]["cibuildwheel"]
    for table in (configured, *configured["overrides"]):
        words = table["test-command"].split()
        assert set(re.findall(r"(?:--ignore|--deselect) (\S+)", table["test-command"])) == left_out
        assert all((release.ROOT / word.partition("::")[0]).exists() for word in words if "/" in word)
    assert all((release.ROOT / source).exists() for source in configured["test-sources"])
