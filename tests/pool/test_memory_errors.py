"""A `MemoryError` at any allocation of a blocking pool costs no place, no connection and no descriptor.

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

PROGRAM: Final = Path(__file__).with_name("failing_memory.py")
STEP: Final = int(os.environ.get("MINT_MEMORY_STEP", "11"))
"""How many allocations lie between two that fail."""


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_no_memory(protocol: str) -> None:
    with Origin(showcase) as origin:
        done = subprocess.run(
            [sys.executable, "-P", PROGRAM, protocol, str(origin.port), str(STEP)],
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
