"""`ci/check_pointers.py` finds each planted violation, with its file and line."""

import shutil
from pathlib import Path

import pytest

from ci import check_pointers

ROOT = Path(__file__).resolve().parents[2]

PLANTED = {
    "logs.pyx": (
        """

cdef int enlarge(ByteLog log) except -1:
    log.octets = <unsigned char *>PyMem_Realloc(log.octets, 2 * log.room)
""",
        {"shared memory is never reallocated", "enlarge() sets octets"},
    ),
    "hpack_table.pyx": (
        """

cdef int grow(Table table) except -1:
    table.entries = <Entry *>PyMem_Malloc(64 * sizeof(Entry))
""",
        {"grow() sets entries"},
    ),
    "hpack.pyx": (
        "\n\ncdef int take(Decoder state, Table table) except -1:\n    state.table = table\n",
        {"call join(table) right before"},
    ),
    "http2_receive.pyx": (
        "\n\ncdef int peek_at(Core core) except -1:\n    return read_u31(core.block.octets + 4)\n",
        {"a pointer is taken through core.block"},
    ),
    "link_base.pyx": (
        "\n\ncdef int peek_at(LinkBase link) except -1:\n    link.wanted_word = 1; return link.armed_word\n",
        {"wanted_word is shared by threads", "armed_word is shared by threads"},
    ),
    "http2_state.pxd": (
        "\n\ncdef class Keeper:\n    cdef const unsigned char *kept   # of a log\n",
        {"Keeper.kept is a pointer"},
    ),
}


@pytest.fixture
def core(tmp_path: Path) -> Path:
    """Return a copy of the sources of the core."""
    target = tmp_path / "mint" / "_core"
    target.mkdir(parents=True)
    for path in (ROOT / "mint" / "_core").glob("*.p[yx][xd]"):
        shutil.copy(path, target)
    return target


def test_the_core_keeps_the_rule() -> None:
    assert check_pointers.findings(ROOT) == []


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_violation_is_found(core: Path, name: str) -> None:
    planted, texts = PLANTED[name]
    path = core / name
    before = path.read_text()
    path.write_text(before + planted)
    found = check_pointers.findings(core.parents[1])
    assert {each.path for each in found} == {name}
    assert all(each.line > before.count("\n") for each in found)
    assert all(any(text in each.text for each in found) for text in texts)


def test_every_listed_pointer_exists(core: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an empty list, the check reports every pointer of the list, so no entry is out of date."""
    monkeypatch.setattr(check_pointers, "HELD", {})
    found = {(each.path, each.text.split(" ")[0]) for each in check_pointers.findings(core.parents[1])}
    pointers = {(path, f"{owner}.{name}") for path, owner, name in check_pointers.HELD}
    assert found >= pointers
    assert ("logs.pxd", "ByteLog.octets") in found
