"""`ci/vendor.py` where something is in its way: links, damage, failures, other systems, and mint itself."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ci import vendor, vendor_record

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = {
    "mint/__init__.py": '"""A client."""\n',
    "mint/py.typed": "",
    "mint/trio.py": "import trio\n\n\ndef wait() -> None:\n    trio.run(print)\n",
    "mint/_core/one.pyx": "cdef int one\n",
    "stubs/mint/_core/one.pyi": "ONE: int\n",
    "LICENSE": "free\n",
    "pyproject.toml": '[build-system]\nrequires = ["cython"]\n[project]\nversion = "1.2"\n'
    'requires-python = ">=3.11"\ndependencies = ["certifi"]\n',
}
"""A checkout of mint, but small: what goes wrong here loses nothing."""


def lay(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the checkout from which is copied; like most clones it is called mint."""
    root = tmp_path / "clones" / "mint"
    lay(root, FILES)
    monkeypatch.setattr(vendor, "ROOT", root)
    return root


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Return the folder for the copy in an application."""
    return tmp_path / "my app" / "its packages"


def held(folder: Path) -> dict[str, bytes | str]:
    """Return everything in a folder; of a link, where it leads."""
    return {
        path.relative_to(folder).as_posix(): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_a_name_with_blanks(app: Path) -> None:
    target = vendor.vendor(app)
    assert target == app / "mint"
    assert vendor.main([str(app), "--check"]) == 0


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "PATCHES.md",
        "data.json",
        ".hidden",
        "deep/folder/fix.diff",
        "_core/ours.c",
        "_core/ours.so",
        "_core/one.py",
        "_core/extra.pyi",
        "ours.pxi",
    ],
)
def test_whatever_was_added_is_kept(app: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    target = vendor.vendor(app)
    lay(target, {name: "ours"})
    assert vendor.main([str(app)]) == 1
    assert f"added: {name}" in capsys.readouterr().err
    assert (target / name).read_text() == "ours"
    assert vendor.main([str(app), "--check"]) == 1
    assert vendor.main([str(app), "--force"]) == 0
    assert not (target / name).exists()


@pytest.mark.parametrize(
    "name",
    [
        "_core/one.c",
        "_core/one.html",
        "_core/one.cpython-311-x86_64-linux-gnu.so",
        "_core/one.cp311-win_amd64.pyd",
        "__pycache__/__init__.cpython-311.pyc",
        "_core/__pycache__/x.pyc",
        ".mypy_cache/x.json",
    ],
)
def test_what_is_made_from_the_copy_is_no_change(app: Path, name: str) -> None:
    target = vendor.vendor(app)
    lay(target, {name: "made"})
    assert vendor.changes(target) == []
    # It belongs to the old sources, and a compiled module would be imported in place of the new ones.
    vendor.vendor(app)
    assert not (target / name).exists()


def test_links_in_a_copy_are_changes(app: Path, tmp_path: Path) -> None:
    target = vendor.vendor(app)
    elsewhere = tmp_path / "elsewhere"
    lay(elsewhere, {"__init__.py": FILES["mint/__init__.py"]})
    (target / "__init__.py").unlink()
    (target / "__init__.py").symlink_to(elsewhere / "__init__.py")
    (target / "linked").symlink_to(elsewhere)
    (target / "dangling").symlink_to(tmp_path / "nowhere")
    assert vendor.changes(target) == ["changed: __init__.py", "added: dangling", "added: linked"]
    vendor.vendor(app, force=True)
    assert vendor.changes(target) == []
    assert held(elsewhere) == {"__init__.py": FILES["mint/__init__.py"].encode()}


@pytest.mark.parametrize("exists", [True, False])
def test_a_copy_behind_a_link_is_updated_where_it_is(app: Path, tmp_path: Path, *, exists: bool) -> None:
    there = tmp_path / "there"
    if exists:
        vendor.vendor(there)
    app.mkdir(parents=True)
    (app / "mint").symlink_to(there / "mint")
    assert vendor.vendor(app) == there / "mint"
    assert (app / "mint").is_symlink()
    assert vendor.main([str(app), "--check"]) == 0


def test_a_link_that_leads_to_itself(app: Path) -> None:
    app.mkdir(parents=True)
    (app / "mint").symlink_to(app / "mint")
    assert vendor.main([str(app)]) == 1


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("folder", [".", "..", "mint", "mint/_vendor", "stubs", "stubs/mint", "linked"])
def test_mint_itself_is_not_overwritten(
    checkout: Path, folder: str, capsys: pytest.CaptureFixture[str], *, force: bool
) -> None:
    (checkout / "linked").mkdir()
    (checkout / "linked" / "mint").symlink_to(checkout)
    before = held(checkout.parent)
    assert vendor.main([str(checkout / folder), *(["--force"] if force else [])]) == 1
    assert "the sources of mint" in capsys.readouterr().err
    assert held(checkout.parent) == before


def test_elsewhere_in_the_checkout_a_copy_can_be_made(checkout: Path) -> None:
    first = held(vendor.vendor(checkout / "build" / "vendor"))
    assert held(vendor.vendor(checkout / "build" / "vendor")) == first


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", ["its packages", "its packages/mint"])
def test_a_file_in_the_way(app: Path, name: str, capsys: pytest.CaptureFixture[str], *, force: bool) -> None:
    lay(app.parent, {name: "ours"})
    assert vendor.main([str(app), *(["--force"] if force else [])]) == 1
    assert capsys.readouterr().err == f"{app.parent / name} is not a folder\n"
    assert (app.parent / name).read_text() == "ours"


class Stop:
    """Takes the place of a method of `Path` and raises at a call with a certain number."""

    def __init__(self, name: str, last: int, error: BaseException) -> None:
        self.method: Callable[..., object] = getattr(Path, name)
        self.calls = 0
        self.last = last
        self.error = error

    def __get__(self, path: Path, _: type) -> Callable[..., object]:
        def called(*arguments: object) -> object:
            self.calls += 1
            if self.calls == self.last:
                raise self.error
            return self.method(path, *arguments)

        return called


@pytest.mark.parametrize("update", [False, True])
@pytest.mark.parametrize(
    ("method", "last"),
    [("write_bytes", 1), ("write_bytes", 3), ("write_bytes", 7), ("rename", 1), ("rename", 2)],
)
@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "full"), PermissionError(errno.EACCES, "no"), KeyboardInterrupt()],
    ids=repr,
)
def test_a_failure_changes_nothing(
    app: Path,
    checkout: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    method: str,
    last: int,
    error: BaseException,
    *,
    update: bool,
) -> None:
    if update:
        vendor.vendor(app)
        lay(checkout, {"mint/__init__.py": "newer = 1\n"})
    app.mkdir(parents=True, exist_ok=True)
    before = held(app)
    with monkeypatch.context() as patch:
        stop = Stop(method, last, error)
        patch.setattr(Path, method, stop)
        if isinstance(error, KeyboardInterrupt) and (update or last == 1 or method == "write_bytes"):
            with pytest.raises(KeyboardInterrupt):
                vendor.main([str(app)])
        else:
            status = vendor.main([str(app)])
            assert status == (stop.calls >= last)
    if stop.calls >= last:
        assert held(app) == before
        assert [path.name for path in app.iterdir()] == (["mint"] if update else [])
        assert isinstance(error, KeyboardInterrupt) or str(error) in capsys.readouterr().err
    assert vendor.main([str(app)]) == 0
    assert vendor.updates(app / "mint") == []


def test_line_ends_are_no_changes(app: Path, checkout: Path) -> None:
    target = vendor.vendor(app)
    for folder in (target, checkout):
        for name, content in held(folder).items():
            assert isinstance(content, bytes)
            (folder / name).write_bytes(content.replace(b"\n", b"\r\n"))
    assert vendor.changes(target) == []
    assert vendor.updates(target) == []
    vendor.vendor(app)
    assert not any(b"\r" in (target / name).read_bytes() for name in held(target))
    (target / "__init__.py").write_bytes(b"other = 1\r\n")
    assert vendor.changes(target) == ["changed: __init__.py"]


def damage(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


A_HASH = f"{vendor_record.digest(FILES['LICENSE'].encode())}  LICENSE\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _: "", "lists no files"),
        (lambda text: text[: text.rindex("```\n")], "lists no files"),
        (damage("# mint, vendored", "# our notes"), "changed: VENDORED.md"),
        (lambda text: f"{text}\nOur patch:\n\n```\nx = 1\n```\n", "changed: VENDORED.md"),
        (damage(A_HASH, ""), "added: LICENSE"),
        (damage(A_HASH, f"{'0' * 64}  LICENSE\n"), "changed: LICENSE"),
        (damage(A_HASH, "<<<<<<< ours\n"), "'<<<<<<< ours' is not the hash"),
        (damage("  LICENSE\n", "  ../../LICENSE\n"), "is not the hash"),
        (damage("  LICENSE\n", "  /etc/passwd\n"), "is not the hash"),
        (damage("  LICENSE\n", "  c:\\LICENSE\n"), "is not the hash"),
        (damage("left out: nothing\n", ""), "changed: VENDORED.md"),
        (damage("left out: nothing", "left out: trio"), "changed: VENDORED.md"),
    ],
    ids=range(12),
)
def test_a_damaged_record_is_not_trusted(
    app: Path, capsys: pytest.CaptureFixture[str], change: Callable[[str], str], said: str
) -> None:
    record = vendor.vendor(app) / vendor_record.NAME
    text = record.read_text()
    assert change(text) != text
    record.write_text(change(text))
    before = held(app)
    assert vendor.main([str(app)]) == 1
    assert said in capsys.readouterr().err
    assert held(app) == before
    assert vendor.main([str(app), "--check"]) in {1, 2}
    assert vendor.main([str(app), "--force", "--without", "nothing"]) == 0
    assert vendor.main([str(app), "--check"]) == 0


@pytest.mark.parametrize("octets", [b"\xff\xfe", None])
def test_a_record_that_cannot_be_read(app: Path, octets: bytes | None) -> None:
    record = vendor.vendor(app) / vendor_record.NAME
    if octets is None:
        record.unlink()
    else:
        record.write_bytes(octets)
    assert vendor.main([str(app)]) == 1
    assert vendor.main([str(app), "--check"]) == 2
    assert vendor.main([str(app), "--force", "--without", ""]) == 0


@pytest.mark.parametrize("line", ["left out: teapot", "left out: trio, teapot", ""])
def test_parts_that_this_version_does_not_know(
    app: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    record = vendor.vendor(app) / vendor_record.NAME
    record.write_text(record.read_text().replace("left out: nothing", line))
    assert vendor.main([str(app), "--force"]) == 1
    assert "use --without" in capsys.readouterr().err
    assert vendor.main([str(app), "--force", "--without", "trio"]) == 0
    assert not (app / "mint" / "trio.py").exists()


@pytest.mark.parametrize("value", ["", "nothing", " nothing , "])
def test_parts_come_back(app: Path, value: str) -> None:
    assert vendor.main([str(app), "--without", "trio, idna"]) == 0
    target = app / "mint"
    assert vendor_record.left_out(target, vendor.PARTS) == {"trio", "idna"}
    assert not (target / "trio.py").exists()
    assert vendor.main([str(app)]) == 0
    assert not (target / "trio.py").exists()
    assert vendor.updates(target, frozenset()) == ["new: trio.py"]
    assert vendor.main([str(app), "--without", value]) == 0
    assert (target / "trio.py").exists()
    assert vendor_record.left_out(target, vendor.PARTS) == frozenset()


def test_the_commit_is_that_of_the_checkout(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(folder: Path, *arguments: str) -> str:
        identity = ("-c", "user.name=mint", "-c", "user.email=mint@example.org")
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    # As an sdist, unpacked in the repository of another project.
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "another project")
    assert vendor_record.commit(checkout) == "unknown"
    git(checkout, "init", "-q")
    assert vendor_record.commit(checkout) == "unknown"  # it has none yet
    git(checkout, "add", "-A")
    git(checkout, "commit", "-q", "-m", "mint")
    expected = git(checkout, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))  # as for a hook of another project
    assert vendor_record.commit(checkout) == expected
    lay(checkout, {"mint/__init__.py": "other = 1\n"})
    assert vendor_record.commit(checkout) == f"{expected} with changes"
