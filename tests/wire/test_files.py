"""Files that exist for the duration of a block: where they are, who can read them, and what is left."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from mint._wire.files import as_file

DATA = b"a secret key\n"
IN_MEMORY = hasattr(os, "memfd_create") and Path("/proc/self/fd").exists()


def open_files() -> list[str]:
    """Return the numbers of the open files; none where the system does not tell."""
    return sorted(each.name for each in Path("/proc/self/fd").iterdir()) if IN_MEMORY else []


class Broken(Exception):  # noqa: N818  # an event, not an error
    pass


@pytest.mark.skipif(not IN_MEMORY, reason="the system has no files in memory")
@pytest.mark.parametrize("broken", [False, True])
def test_on_linux_the_file_is_in_memory_only(
    broken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = open_files()
    try:
        with as_file(DATA) as path:
            assert path.startswith("/proc/self/fd/")
            assert Path(path).read_bytes() == DATA
            assert Path(path).stat().st_mode & 0o777 == 0o600
            assert list(tmp_path.iterdir()) == []
            if broken:
                raise Broken
    except Broken:
        pass
    assert open_files() == before


@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize("reason", ["no function", "refused", "no /proc"])
def test_elsewhere_the_file_is_temporary(
    reason: str, broken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if reason == "no function":
        monkeypatch.delattr(os, "memfd_create", raising=False)
    elif reason == "refused":

        def refuse(name: str) -> int:
            raise PermissionError(name)

        monkeypatch.setattr(os, "memfd_create", refuse, raising=False)
    else:
        monkeypatch.setattr(os.path, "exists", lambda _: False)
    before = open_files()
    try:
        with as_file(DATA) as path:
            assert [str(each) for each in tmp_path.iterdir()] == [path]
            assert Path(path).name.startswith("mint-")
            assert Path(path).read_bytes() == DATA
            assert Path(path).stat().st_mode & 0o777 == 0o600
            if broken:
                raise Broken
    except Broken:
        pass
    assert list(tmp_path.iterdir()) == []
    assert open_files() == before
