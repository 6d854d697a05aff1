"""The files for OSS-Fuzz: which names `build.sh` gives, and that what it packs can be started.

`ci/oss-fuzz` compiles and packs the harnesses. Here, stand-ins take the place of the compiler and the packer.
"""

import configparser
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUZZ = ROOT / "fuzz"
NAMES = sorted(path.stem for path in FUZZ.glob("fuzz_*.py"))
PACKER = """#!/bin/sh
cp "$1" "$OUT/packed/"
echo "$@" >> "$OUT/arguments"
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that `build.sh` has filled."""
    for program in ("bash", "zip"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    place = tmp_path_factory.mktemp("oss-fuzz")
    made, programs = place / "out", place / "bin"
    for folder in (made / "packed", programs, place / "temporary"):
        folder.mkdir(parents=True)
    for name, text in (("python3", "#!/bin/sh\n"), ("compile_python_fuzzer", PACKER)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "TMPDIR": str(place / "temporary"),
        "OUT": str(made),
        "CC": "clang",
        "CFLAGS": "-O1",
    }
    command = ["bash", "-eu", "fuzz/oss-fuzz/build.sh"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=60)
    return made


def test_every_harness_is_packed(out: Path) -> None:
    assert sorted(path.stem for path in (out / "packed").iterdir()) == NAMES
    lines = (out / "arguments").read_text().splitlines()
    assert all(f"--paths {ROOT} --paths {FUZZ} --collect-submodules mint" in line for line in lines)


def test_seeds_dictionaries_and_options_have_the_names_that_oss_fuzz_expects(out: Path) -> None:
    names = {path.name for path in out.iterdir()} - {"packed", "arguments"}
    dictionaries = {f"fuzz_{path.name}" for path in FUZZ.glob("*.dict")}
    seeds = {f"fuzz_{path.name}_seed_corpus.zip" for path in (FUZZ / "corpus").iterdir()}
    assert names == {*dictionaries, *seeds, *(f"{name}.options" for name in NAMES)}
    assert {name.removesuffix(".dict") for name in dictionaries} <= set(NAMES)
    assert {name.removesuffix("_seed_corpus.zip") for name in seeds} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_options_allow_every_seed(name: str, out: Path) -> None:
    options = configparser.ConfigParser()
    options.read(out / f"{name}.options")
    assert dict(options["libfuzzer"]) == {"len_control": "0", "max_len": "1024"}
    with zipfile.ZipFile(out / f"{name}_seed_corpus.zip") as seeds:
        files = {one.filename: seeds.read(one) for one in seeds.infolist() if not one.is_dir()}
    folder = FUZZ / "corpus" / name.removeprefix("fuzz_")
    assert files == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert max(map(len, files.values())) <= 1024


@pytest.mark.parametrize("before", ["", "import sys\n"], ids=["alone", "with statements before it"])
@pytest.mark.parametrize("name", NAMES)
def test_a_program_runs_its_harness(before: str, name: str, out: Path, tmp_path: Path) -> None:
    """OSS-Fuzz puts statements before the first line of a program whose coverage it measures."""
    if name == "fuzz_http1_h11":
        pytest.importorskip("httptools", reason="httptools (llhttp) is not installed: --group fuzz has it")
    program = tmp_path / f"{name}.py"
    program.write_text(before + (out / "packed" / program.name).read_text())
    seed = min((FUZZ / "corpus" / name.removeprefix("fuzz_")).iterdir())
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{FUZZ}"}
    done = subprocess.run(
        [sys.executable, str(program), str(seed)],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--help"], 0, "ci/oss-fuzz [--sanitizer address|undefined|coverage] [--time SECONDS] [HARNESS...]"),
        (["--time"], 2, "--time needs a value"),
        (["--time", "x", "hpack"], 2, "--time needs a number"),
        (["--time", "0"], 2, "--time needs a number"),
        (["--sanitizer", "memory"], 2, "memory is not a sanitizer"),
        (["nothing"], 2, "nothing is neither"),
        (["--times", "1"], 2, "--times is neither"),
    ],
)
def test_the_command_line_is_checked_before_anything_is_built(
    arguments: list[str], code: int, says: str
) -> None:
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    done = subprocess.run(
        ["bash", "ci/oss-fuzz", *arguments], cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == code
    assert says in done.stdout + done.stderr
    assert "==" not in done.stdout  # what is printed before something is built
