"""Every planted bug can be applied to the sources; the page lists what the harnesses accept."""

import importlib
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]


def module(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "fuzz"))
    return importlib.import_module(name)


def test_every_planted_bug_applies_to_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = module("planted", monkeypatch)
    assert planted.missing() == []
    assert len(planted.BUGS) >= 20
    names = [bug.name for bug in planted.BUGS]
    assert len(set(names)) == len(names)


def test_a_bug_that_no_longer_applies_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    planted = module("planted", monkeypatch)
    assert len(planted.missing(tmp_path)) == len(planted.BUGS)


def test_a_name_that_stands_for_no_bug_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in a name must not look like a success."""
    monkeypatch.syspath_prepend(str(ROOT))
    plant = module("ci.plant", monkeypatch)
    bugs = module("planted", monkeypatch).BUGS
    memory = next(bug.name for bug in bugs if bug.memory)
    other = next(bug.name for bug in bugs if not bug.memory)
    assert len(plant.chosen_bugs(bugs, (), plain=False)) == len(bugs)
    assert not any(bug.memory for bug in plant.chosen_bugs(bugs, (), plain=True))
    assert other in [bug.name for bug in plant.chosen_bugs(bugs, [other], plain=True)]
    for parts in (["no such bug"], [other, "no such bug"]):
        with pytest.raises(SystemExit, match="'no such bug': see"):
            plant.chosen_bugs(bugs, parts, plain=False)
    with pytest.raises(SystemExit, match="only AddressSanitizer"):
        plant.chosen_bugs(bugs, [memory], plain=True)


def test_a_harness_that_fails_without_a_bug_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    plant = module("ci.plant", monkeypatch)
    bugs = module("planted", monkeypatch).BUGS[:1]
    chosen = SimpleNamespace(every=False)
    for code in (0, 1, 2, -11):
        monkeypatch.setattr(
            plant, "fuzzed", lambda *_, code=code: SimpleNamespace(returncode=code, stdout="a", stderr="b")
        )
        if code == 0:
            plant.check_without_bugs(bugs, ROOT, chosen)
        else:
            with pytest.raises(SystemExit, match="fails without a bug:\nab"):
                plant.check_without_bugs(bugs, ROOT, chosen)


def test_what_is_found_for_a_planted_bug_is_not_among_real_findings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each bug has a folder of its own, in which only its last run is kept."""
    monkeypatch.syspath_prepend(str(ROOT))
    plant = module("ci.plant", monkeypatch)
    bugs = module("planted", monkeypatch).BUGS
    assert plant.FOUND.parent == ROOT / ".cache"
    assert not plant.FOUND.is_relative_to(ROOT / ".cache" / "fuzz-found")
    folders = [plant.folder_of(bug) for bug in bugs]
    assert len({plant.folder_of(None), *folders}) == len(bugs) + 1
    monkeypatch.setattr(plant, "FOUND", tmp_path)
    chosen = SimpleNamespace(plain=True, seed=1, every=False, time=1)
    caches = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        cache = Path(command[command.index("--cache") + 1])
        assert not cache.exists()
        (cache / "fuzz-found").mkdir(parents=True)
        caches.append(cache)
        return SimpleNamespace(returncode=len(caches) > 1, stdout="", stderr="")

    monkeypatch.setattr(plant.subprocess, "run", run)
    plant.check_without_bugs(bugs[:1], ROOT, chosen)
    for _ in range(2):
        plant.run(bugs[0], ROOT, chosen)
    assert caches == [plant.folder_of(None), *[plant.folder_of(bugs[0])] * 2]


def test_every_bug_has_a_harness(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = module("planted", monkeypatch)
    for bug in planted.BUGS:
        assert (ROOT / "fuzz" / f"fuzz_{bug.harness}.py").exists(), bug.name


def test_the_page_lists_every_difference_that_a_harness_accepts(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
    for source, name in (("fuzz_http1_h11.py", "Difference"), ("fuzz_http2_h2.py", "LAXER")):
        text = (ROOT / "fuzz" / source).read_text(encoding="utf-8")
        if name == "Difference":
            names = re.findall(r'Difference\(\s*"([a-z-]+)"', text)
        else:
            found = re.search(r"LAXER = frozenset\(\s*\{(.*?)\}", text, re.DOTALL)
            assert found is not None
            names = re.findall(r'"([a-z-]+)"', found[1])
        assert len(names) > 3
        assert [one for one in names if f"`{one}`" not in page] == []
