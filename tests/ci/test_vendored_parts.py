"""`ci/vendor.py --without`: copies that lack two parts, or all, without any other package installed."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ci import vendor, vendor_record

if TYPE_CHECKING:
    from pathlib import Path

PARTS = sorted(vendor.PARTS)
SOME = [*itertools.combinations(PARTS, 2), tuple(PARTS)]
GONE = {
    "trio": ("mint.trio", "mint.pool.trio", "mint.exchange.trio"),
    "testing": ("mint.testing", "mint.testing.pytest"),
    "httpx": ("mint.httpx", "mint.httpx2", "mint._httpx"),
    "command": ("mint.__main__", "mint._command"),
    "truststore": (),
    "idna": (),
    "socks": (),
}
"""The modules that are absent without a part. The modules of other parts remain, and say what is missing."""
ASKS = {
    "truststore": "mint.TLSOptions(trust='truststore')",
    "idna": "mint.connect('https', 'b\\u00fccher.example', 443)",
    "socks": "mint.Proxy('socks5', '127.0.0.1', 1080)",
}
"""Code that needs a part."""
PROBE = """
import sys
import mint
try:
    {asks}
except ValueError as error:
    sys.exit(str(error))
"""


@pytest.fixture(params=SOME, ids=",".join)
def left_out(request: pytest.FixtureRequest) -> frozenset[str]:
    return frozenset(request.param)


def made(folder: Path, without: frozenset[str]) -> Path:
    """Return a copy with the compiled modules of this tree, which fit as the package has the same name."""
    assert vendor.main([str(folder), "--without", ",".join(sorted(without))]) == 0
    target = folder / "mint"
    for module in (vendor.ROOT / "mint" / "_core").glob("*.so"):
        shutil.copy(module, target / "_core")
    return target


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the copy and the standard library alone."""
    return subprocess.run(
        [sys.executable, "-S", "-P", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_copy_without_parts(
    tmp_path: Path, left_out: frozenset[str], capsys: pytest.CaptureFixture[str]
) -> None:
    target = made(tmp_path, left_out)
    # The record is correct, and an update leaves out the same parts.
    assert vendor_record.left_out(target, vendor.PARTS) == left_out
    assert vendor.main([str(tmp_path), "--check"]) == 0
    assert capsys.readouterr().out.endswith(
        "nothing was changed since it was copied\nit is this version of mint\n"
    )
    record = vendor_record.hashes(target)
    # The remaining modules can be imported, and every name that they import exists.
    ran = run(tmp_path, str(vendor.ROOT / "ci" / "importable.py"), "mint")
    assert ran.returncode == 0, ran.stderr
    assert str(target) in ran.stdout
    for part in PARTS:
        for module in GONE[part]:
            name = module.removeprefix("mint.").replace(".", "/")
            is_there = not {f"{name}.py", f"{name}/__init__.py"}.isdisjoint(record)
            assert is_there is not (part in left_out), module
        # Without site-packages, errors name the part that was left out or the package to install.
        if part in ASKS:
            refused = run(tmp_path, "-c", PROBE.format(asks=ASKS[part]))
            expected = f"--without {part}" if part in left_out else f"install mint-http[{part}]"
            assert refused.returncode == 1, refused.stderr
            assert expected in refused.stderr
            assert len(refused.stderr.splitlines()) == 1, refused.stderr
    assert vendor.main([str(tmp_path)]) == 0
    assert vendor_record.hashes(target) == record
