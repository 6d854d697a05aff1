"""Every rule in rows.txt has a test, or a reason why it does not concern mint."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rfc_rows", ROOT / "ci" / "rfc_rows.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["rfc_rows"] = module
    spec.loader.exec_module(module)
    return module


rfc_rows = load()


def ids() -> list[str]:
    return [row.id for row in rfc_rows.rows()]


def test_every_rule_has_a_test_or_a_reason() -> None:
    known = set(rfc_rows.covered()) | set(rfc_rows.not_ours())
    assert [each for each in ids() if each not in known] == []


def test_no_mark_names_an_unknown_rule() -> None:
    assert sorted(set(rfc_rows.covered()) - set(ids())) == []


def test_a_reason_belongs_to_a_rule_without_a_test() -> None:
    excused = rfc_rows.not_ours()
    assert sorted(set(excused) - set(ids())) == []
    assert sorted(set(excused) & set(rfc_rows.covered())) == []
    assert all(len(reason.split()) > 2 for reason in excused.values())


def test_the_list_is_complete() -> None:
    rows = rfc_rows.rows()
    assert len({row.id for row in rows}) == len(rows)
    assert {row.layer for row in rows} == {"CORE", "IO"}
    assert sum(row.layer == "CORE" for row in rows) == 290


def test_marks_are_found_without_running_anything(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(
        'raise SystemExit\n@pytest.mark.rfc("1-a", "1-b")\n@pytest.mark.rfc("2")\ndef test_it(): ...\n'
    )
    where = ["test_one.py::test_it"]
    assert rfc_rows.covered(tmp_path) == {"1-a": where, "1-b": where, "2": where}


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    assert page == rfc_rows.page(), "run: python ci/rfc_rows.py --page"


def test_every_rule_is_a_row_of_the_page() -> None:
    text = rfc_rows.page()
    for row in rfc_rows.rows():
        assert text.count(f"| {row.id} |") == 1
    assert "**no test**" not in text


def test_a_rule_without_a_test_or_a_reason_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfc_rows, "covered", dict)
    monkeypatch.setattr(rfc_rows, "not_ours", dict)
    assert rfc_rows.main([]) == 1
    assert rfc_rows.page().count("**no test**") == len(rfc_rows.rows())
