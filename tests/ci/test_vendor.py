"""`ci/vendor.py`: the record of a copy, and the files that are never overwritten."""

import subprocess
import sys
from pathlib import Path

import pytest

from ci import hollow, vendor, vendor_record


def test_a_copy_holds_every_source_and_its_record(tmp_path: Path) -> None:
    target = vendor.vendor(tmp_path)
    assert vendor.changes(target) == []
    assert vendor.updates(target) == []
    names = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert names == {*vendor_record.hashes(target), vendor_record.NAME}
    assert {
        "__init__.py",
        "py.typed",
        "LICENSE",
        "_core/http1.pyx",
        "_core/http1.pyi",
        "_core/chars.h",
    } <= names
    assert not {name for name in names if name.endswith((".c", ".so", ".pyc"))}
    text = (target / vendor_record.NAME).read_text()
    for expected in ("version: ", "commit: ", "left out: nothing", "cython", "C compiler"):
        assert expected in text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda target: (target / "types.py").write_text("ours = 1\n"), "changed: types.py"),
        (lambda target: (target / "types.py").unlink(), "removed: types.py"),
        (lambda target: (target / "ours.py").write_text("ours = 1\n"), "added: ours.py"),
    ],
)
def test_local_changes_are_kept_unless_forced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: object, expected: str
) -> None:
    target = vendor.vendor(tmp_path)
    assert callable(change)
    change(target)
    before = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    with pytest.raises(vendor_record.Refused, match=expected):
        vendor.vendor(tmp_path)
    assert vendor.main([str(tmp_path)]) == 1
    assert expected in capsys.readouterr().err
    assert vendor.main([str(tmp_path), "--check"]) == 1
    assert expected in capsys.readouterr().out
    assert {path: path.read_bytes() for path in target.rglob("*") if path.is_file()} == before
    assert vendor.main([str(tmp_path), "--force"]) == 0
    assert vendor.changes(target) == []


def test_a_folder_without_a_record_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mint").mkdir()
    (tmp_path / "mint" / "ours.py").write_text("ours = 1\n")
    with pytest.raises(vendor_record.Refused, match="has no VENDORED"):
        vendor.vendor(tmp_path)
    assert vendor.check(tmp_path) == 2


def test_check_shows_what_an_update_would_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    older = {**vendor.sources(), "types.py": b"an older version\n", "gone.py": b""}
    del older["responses.py"]
    with monkeypatch.context() as patch:
        patch.setattr(vendor, "sources", lambda _: older)
        target = vendor.vendor(tmp_path)
    assert vendor.main([str(tmp_path), "--check"]) == 0
    expected = capsys.readouterr().out.splitlines()
    assert expected == [
        "nothing was changed since it was copied",
        "new: responses.py",
        "gone: gone.py",
        "newer: types.py",
    ]
    assert vendor.main([str(tmp_path)]) == 0
    assert {name: (target / name).read_bytes() for name in vendor.sources()} == vendor.sources()
    assert not (target / "gone.py").exists()


@pytest.mark.parametrize("part", sorted(vendor.PARTS))
def test_a_part_is_left_out_and_the_rest_imports(tmp_path: Path, part: str) -> None:
    target = vendor.vendor(tmp_path, frozenset({part}))
    assert vendor_record.left_out(target, vendor.PARTS) == {part}
    assert vendor.updates(target) == []
    names = set(vendor_record.hashes(target))
    whole = vendor.sources()
    assert names < set(whole) or any((target / name).read_bytes() != whole[name] for name in names)
    # An update leaves out the same parts.
    assert vendor.main([str(tmp_path)]) == 0
    assert set(vendor_record.hashes(target)) == names
    # No file of the copy imports one that was left out.
    kept = {name: (target / name).read_bytes() for name in names if name.endswith(".py")}
    for name, octets in kept.items():
        missing = (hollow.places(name, octets) & whole.keys()) - names
        assert not {other for other in missing if not other.startswith("_core/")}, (name, missing)


def test_an_unknown_part_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, vendor.__file__, str(tmp_path), "--without", "tls"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "the parts are trio, " in done.stderr


def test_a_part_that_was_left_out_says_so() -> None:
    text = (
        '"""Docs."""\n\nfrom __future__ import annotations\n\nimport os\nfrom .x import A, B\n\n\n'
        "def f(a: A) -> str:\n    '''Do.'''\n    return g(a)\n\n\ndef _g(a: A) -> B:\n    return os.x\n"
    )
    made = hollow.hollowed(text)
    assert "import os" not in made
    assert "B" not in made
    assert "from .x import A" in made
    space: dict[str, object] = {"__name__": "x"}
    exec(compile(made.replace("from .x import A\n", ""), "x", "exec"), space)
    function = space["f"]
    assert callable(function)
    with pytest.raises(ModuleNotFoundError, match="left out when mint was vendored"):
        function(None)
