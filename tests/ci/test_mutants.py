"""Mutation testing: which changes are tried, which tests run first, and when a mutant counts as killed."""

from __future__ import annotations

import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from ci import mutants

if TYPE_CHECKING:
    from pathlib import Path


def tried(text: str) -> set[str]:
    """Return every mutant of a source, as the line that it changes."""
    return {one.applied(text).splitlines()[one.row].strip() for one in mutants.mutants("a.py", text)}


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("x = a < b", {"x = a <= b", "x = a >= b", "pass"}),
        ("x = a == b", {"x = a != b", "pass"}),
        ("x = 7", {"x = 8", "pass"}),
        ("x = 65_535", {"x = 65536", "pass"}),
        ("x = 0xFF", {"x = 256", "pass"}),
        ("x = 0.5", {"pass"}),
        (
            "def f(a: int = 1_000, *, b: bool = True) -> str | None:",
            {
                "def f(a: int = 1001, *, b: bool = True) -> str | None:",
                "def f(a: int = 1_000, *, b: bool = False) -> str | None:",
            },
        ),
        ("return a and not b", {"return a or not b", "return a and  b"}),
        ("if a:", {"if True:", "if False:"}),
        ("elif a:", {"elif True:", "elif False:"}),
        ("call(a)", {"pass"}),
        ("call(&a)", {"pass"}),
        ("return a & b", {"return a | b"}),
        ("if TYPE_CHECKING:", set()),
        ("Pair: TypeAlias = int | str", set()),
        ('T = TypeVar("T")', set()),
        ("from a import b", set()),
        ("def f(x: int | None) -> str | None:", set()),
        ("cdef int x", set()),
        ("for x in y:", set()),
        ("# a < b", set()),
        ("x = call(", set()),
    ],
)
def test_mutants_of_a_line(line: str, changed: set[str]) -> None:
    assert tried(f"{line}\n") == changed


def test_values_of_enumerations_are_not_changed() -> None:
    assert tried("cdef enum:\n    A = 1\n\ncdef int f():\n    return 2\n") == {"pass", "return 3"}


def test_every_change_of_the_sources_changes_one_line() -> None:
    for file in mutants.sources("_wire/"):
        text = (mutants.ROOT / file).read_text("utf-8")
        lines = text.splitlines()
        for one in mutants.mutants(file, text):
            changed = one.applied(text).splitlines()
            assert [row for row, line in enumerate(changed) if line != lines[row]] == [one.row], one


def test_every_source_has_tests_that_run_first() -> None:
    for file in mutants.sources(""):
        near = mutants.closest(file, mutants.ROOT, quick=True)
        assert near, file
        assert all((mutants.ROOT / path).exists() for paths in near for path in paths)
        assert mutants.closest(file, mutants.ROOT, quick=False) == [*near, list(mutants.REST)]


@pytest.mark.parametrize("option", mutants.ABOUT_SOURCES)
def test_tests_that_compare_sources_as_text_are_left_out(option: str) -> None:
    """A renamed test would be run, and any change of a source would count as killed."""
    kind, _, named = option.partition("=")
    path, _, name = named.partition("::")
    assert kind == ("--deselect" if name else "--ignore")
    assert f"def {name}" in (mutants.ROOT / path).read_text("utf-8")


def test_tests_named_like_the_source_come_first() -> None:
    first, second, *_ = mutants.closest("mint/pool/_policy.py", mutants.ROOT, quick=True)
    assert first == ["tests/pool/test_policy.py", "tests/pool/test_policy_limits.py"]
    assert second == ["tests/pool"]


def test_tests_named_like_another_source_do_not_come_first() -> None:
    named = "tests/connections/test_request_checks.py"
    assert mutants.closest("mint/_connections/request_checks.py", mutants.ROOT, quick=True)[0] == [named]
    assert named not in mutants.closest("mint/_checks.py", mutants.ROOT, quick=True)[0]


def test_tests_of_arguments_and_values_run_for_every_python_module() -> None:
    """They are the first for modules that have no folder, and the last for the others."""
    general = "tests/test_helper_arguments.py"
    assert general in mutants.closest("mint/_checks.py", mutants.ROOT, quick=True)[0]
    assert general in mutants.closest("mint/options.py", mutants.ROOT, quick=True)[1]
    *others, last = mutants.closest("mint/exchange/_blocking.py", mutants.ROOT, quick=True)
    assert general in last
    assert not any(general in paths for paths in others)
    core = mutants.closest("mint/_core/hpack_decoder.pyx", mutants.ROOT, quick=True)
    assert not any(general in paths for paths in core)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def test(): pass", ""),
        ("", ""),
        ("def test(): assert False", "FAILED test_one.py::test"),
        ("import missing", "ERROR test_one.py"),
        ("import os, signal\ndef test(): os.kill(os.getpid(), signal.SIGSEGV)", "exit status -11"),
    ],
    ids=["passes", "none", "fails", "cannot be imported", "crashes"],
)
def test_when_a_mutant_counts_as_killed(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "test_one.py").write_text(text)
    seen = mutants.failure(tmp_path, ["test_one.py"], 60)
    assert found in seen
    assert bool(found) == bool(seen)


def test_tests_that_do_not_end_are_killed_with_their_children(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        child = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]})).recv(1)"
        # The child would keep the pipe open.
        text = f'import subprocess, sys\ndef test(): subprocess.run([sys.executable, "-c", "{child}"])'
        (tmp_path / "test_one.py").write_text(text)
        assert mutants.failure(tmp_path, ["test_one.py"], 15) == "test_one.py (it does not end)"
        server.settimeout(30)
        connection, _ = server.accept()
        with connection:
            connection.settimeout(30)
            assert not connection.recv(1)


class Copy:
    """A copy of a minimal source tree."""

    def __init__(self, folder: Path) -> None:
        self.place, self.kept = folder / "copy", folder / "kept"
        (self.place / "mint").mkdir(parents=True)
        (self.place / "tests" / "wire").mkdir(parents=True)
        self.source = self.place / "mint" / "_wire" / "a.py"
        self.source.parent.mkdir()
        self.source.write_text("x = 1\n")
        self.test = self.place / "tests" / "wire" / "test_it.py"
        self.mutant = mutants.Mutant("mint/_wire/a.py", 0, 4, 5, "2", "1")

    def is_clean(self) -> bool:
        return self.source.read_text() == "x = 1\n" and not self.kept.exists()


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Copy:
    made = Copy(tmp_path)
    monkeypatch.setattr(mutants, "PLACE", made.place)
    monkeypatch.setattr(mutants, "KEPT", made.kept)
    return made


READ = "from pathlib import Path\ndef test(): assert '1' in Path('mint/_wire/a.py').read_text()"


@pytest.mark.parametrize(
    ("text", "found"), [(READ, "FAILED"), (READ.replace("'1'", "'x'"), "")], ids=["killed", "survives"]
)
def test_after_a_trial_the_mutant_is_removed(copy: Copy, text: str, found: str) -> None:
    copy.test.write_text(text)
    compiles, by = mutants.Trial(60, quick=True).outcome(copy.mutant)
    assert compiles
    assert found in by
    assert bool(found) == bool(by)
    assert copy.is_clean()


def test_a_mutant_that_does_not_compile_is_not_counted(copy: Copy) -> None:
    wrong = mutants.Mutant("mint/_wire/a.py", 0, 4, 5, "(", "1")
    assert mutants.Trial(60, quick=True).outcome(wrong) == (False, "")
    assert copy.is_clean()


def test_no_mutant_is_killed_by_tests_that_fail_without_it(copy: Copy) -> None:
    copy.test.write_text("def test(): assert False")
    with pytest.raises(SystemExit, match="fail without any mutant"):
        mutants.Trial(60, quick=True).outcome(copy.mutant)
    assert copy.is_clean()


def test_an_interrupt_removes_the_mutant(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(mutants, "failure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mutants.Trial(60, quick=True).outcome(copy.mutant)
    assert copy.is_clean()


@pytest.mark.parametrize("ended", [True, False])
def test_a_copy_with_a_leftover_mutant_is_replaced(
    copy: Copy, monkeypatch: pytest.MonkeyPatch, ended: bool
) -> None:
    """The compiled mutant is newer than every source, so a build would keep it."""
    if not ended:
        mutants.Planted(copy.mutant).__enter__()
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: None)
    mutants.prepare()
    assert copy.place.exists() is ended
    assert not copy.kept.exists()


def test_a_module_that_does_not_exist_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistake in its name must not look like a success."""
    monkeypatch.setattr("sys.argv", ["ci/mutate", "--module", "no_such_module", "--list"])
    with pytest.raises(SystemExit) as ended:
        mutants.main()
    assert ended.value.code == 2
    assert "no file to mutate has 'no_such_module'" in capsys.readouterr().err
