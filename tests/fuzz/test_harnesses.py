"""Run the fuzz harnesses with their seeds, with former findings, and with some hundred random inputs.

Each harness compares the core with a simple model or another library, so it is a useful property test even
without a fuzzer.
"""

import importlib
import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

FUZZ = Path(__file__).resolve().parents[2] / "fuzz"
NAMES = sorted(path.stem.removeprefix("fuzz_") for path in FUZZ.glob("fuzz_*.py"))
# The number of random inputs, such that each harness takes a second or two.
COUNTS = {
    "http2_talk": 120,
    "http2_h2": 120,
    "http2_requests": 200,
    "http2_floods": 300,
    "http1_talk": 300,
    "exchanges": 250,
    "forks": 50,
    "link": 300,
    "pipe": 200,
    "facade": 300,
    "transcripts": 80,
    "streams": 150,
    "records": 300,
    "tunnel": 200,
}


def harness(name: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    monkeypatch.syspath_prepend(str(FUZZ))
    if name == "http1_h11":
        pytest.importorskip("httptools", reason="httptools (llhttp) is not installed: --group fuzz has it")
    module = importlib.import_module(f"fuzz_{name}")
    one: Callable[[bytes], None] = module.one
    return one


def files(kind: str) -> list[Path]:
    return sorted(path for path in (FUZZ / kind).glob("*/*") if path.is_file())


@pytest.mark.parametrize("name", NAMES)
def test_the_seeds_find_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = harness(name, monkeypatch)
    for path in files("corpus"):
        if path.parent.name == name:
            one(path.read_bytes())


def test_former_findings_are_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in files("findings"):
        harness(path.parent.name, monkeypatch)(path.read_bytes())


def test_the_progress_is_shown_every_two_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(FUZZ))
    runner = importlib.import_module("runner")
    now = [100.0]
    for quiet in (False, True):
        progress = runner.Progress("http1", quiet=quiet, clock=lambda: now[0])
        for runs in range(10, 60, 10):
            now[0] += 1
            progress.show(runs, ", coverage 7")
    lines = ["http1: 2 s, 20 runs, 10/s, coverage 7", "http1: 4 s, 40 runs, 10/s, coverage 7"]
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize("seconds", ["0", "-1", "1.5", "x", "\N{SUPERSCRIPT TWO}"])
def test_a_run_of_no_time_is_refused(seconds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would find nothing, or never end."""
    monkeypatch.syspath_prepend(str(FUZZ))
    monkeypatch.setattr(sys, "argv", ["runner.py", "http1", "--plain", "--time", seconds])
    with pytest.raises(SystemExit) as ended:
        importlib.import_module("runner").main()
    assert ended.value.code == 2


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_random_inputs_find_nothing(name: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one = harness(name, monkeypatch)
    source = random.Random(f"{name} {seed}")
    for _ in range(COUNTS.get(name, 600)):
        one(source.randbytes(source.choice((4, 16, 64, 200))))


def test_a_finding_is_kept_in_the_given_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """`ci/planted` keeps what it finds apart from real findings."""
    monkeypatch.syspath_prepend(str(FUZZ))
    runner = importlib.import_module("runner")

    def one(_: bytes) -> None:
        raise ValueError("found")

    monkeypatch.setattr(runner.importlib, "import_module", lambda _: SimpleNamespace(one=one))
    arguments = ["http1", "--plain", "--fresh", "--seed", "1", "--cache", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["runner.py", *arguments])
    assert runner.main() == 1
    kept = [path.relative_to(tmp_path).parent for path in tmp_path.rglob("crash-*")]
    assert kept == [Path("fuzz-found") / "http1"]
    assert str(tmp_path) in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "chosen"), [((), set()), (("--seed", "1"), {"-seed=1", "-use_cmp=0"})])
def test_with_a_seed_no_addresses_are_tried_as_input(
    arguments: tuple[str, ...], chosen: set[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They differ each time; without a seed, the operands of comparisons lead the fuzzer further."""
    monkeypatch.syspath_prepend(str(FUZZ))
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\necho "$@" >"{tmp_path}/given"\n', encoding="utf-8")
    program.chmod(0o700)
    place = ["--place", str(tmp_path), "--python", str(program), "--preload", "", "--cache", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["runner.py", "http1", *place, *arguments])
    assert importlib.import_module("runner").main() == 0
    given = (tmp_path / "given").read_text(encoding="utf-8").split()
    assert {one for one in given if one.startswith(("-seed", "-use_cmp"))} == chosen


def test_every_harness_can_be_run_by_itself() -> None:
    for name in NAMES:
        text = (FUZZ / f"fuzz_{name}.py").read_text(encoding="utf-8")
        assert "def one(data: bytes) -> None:" in text
        assert text.rstrip().endswith("fuzz(one)")


@pytest.fixture(autouse=True)
def forget_the_modules() -> None:
    """Remove the modules of fuzz/, so that other tests do not import them by their short names."""
    for name in [
        name for name, module in sys.modules.items() if str(FUZZ) in str(getattr(module, "__file__", ""))
    ]:
        del sys.modules[name]
