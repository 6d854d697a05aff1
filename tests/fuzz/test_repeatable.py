"""A harness makes the same decisions for the same input, in every process: what it finds can be replayed."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

FUZZ = Path(__file__).resolve().parents[2] / "fuzz"
NAMES = sorted(path.stem.removeprefix("fuzz_") for path in FUZZ.glob("fuzz_*.py"))
# Print a digest of the octets that each harness draws for some inputs.
SCRIPT = """
import hashlib, importlib, random, sys

sys.path.insert(0, sys.argv[1])
import support

draw, drawn = support.Choices.byte, bytearray()


def recorded(choices):
    drawn.append(draw(choices))
    return drawn[-1]


support.Choices.byte = recorded
for name in sys.argv[2:]:
    one = importlib.import_module(f"fuzz_{name}").one
    source = random.Random(name)
    for size in (16, 64, 200, 400) * 2:
        one(b"\\xff" + source.randbytes(size))
    print(name, len(drawn), hashlib.sha256(drawn).hexdigest())
"""


def test_decisions_depend_on_the_input_only() -> None:
    """The order of sets and the addresses of objects differ from process to process."""
    names = [
        name for name in NAMES if name != "http1_h11" or importlib.util.find_spec("httptools") is not None
    ]
    seen = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(FUZZ), *names],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1
    lines = seen.pop().splitlines()
    assert [line.split()[0] for line in lines] == names
    assert all(int(line.split()[1]) > 100 for line in lines)


def test_random_inputs_are_the_same_with_the_same_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many there are depends on the time."""
    monkeypatch.syspath_prepend(str(FUZZ))
    support = importlib.import_module("support")
    runs: list[list[bytes]] = []
    for seed in (1, 1, 2):
        inputs: list[bytes] = []
        now = iter(range(100))
        monkeypatch.setattr(support, "time", SimpleNamespace(monotonic=lambda now=now: float(next(now))))
        support.plain(inputs.append, 30.0, seed)
        runs.append(inputs)
    assert len(runs[0]) > 20
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
