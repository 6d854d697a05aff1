"""If any allocation of a pool fails with `MemoryError`, no place, connection or descriptor is lost.

Here a sample of the allocations of each use fails; `ci/memory` takes all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from ast import literal_eval
from pathlib import Path
from typing import Final

import pytest

from mint.testing import Origin, showcase

pytest.importorskip("_testcapi")
pytest.importorskip("trio")

STEP: Final = int(os.environ.get("MINT_MEMORY_STEP", "11"))
"""Every STEP-th allocation fails, each in a run of its own."""


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("loop", ["blocking", "asyncio", "trio"])
def test_no_memory(loop: str, protocol: str) -> None:
    program = ["failing_memory.py"] if loop == "blocking" else ["failing_async_memory.py", loop]
    path = str(Path(__file__).with_name(program[0]))
    with Origin(showcase) as origin:
        done = subprocess.run(
            [sys.executable, "-P", path, *program[1:], protocol, str(origin.port), str(STEP)],
            env={**os.environ, "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            timeout=3_600,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    failed: dict[str, int] = literal_eval(done.stdout)
    assert set(failed) == {"get", "get_again", "upload", "put_back", "wait", "close"}
    assert all(failed.values()), failed
