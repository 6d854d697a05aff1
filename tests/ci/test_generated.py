"""The generated parts of pages and sources are up to date."""

import re

import pytest

from ci import check_layers, declared, generated


def test_every_part_is_up_to_date() -> None:
    found = [str(path) for path, _ in generated.stale()]
    assert not found, f"{found}: run python ci/generated.py --write"


def test_a_part_is_replaced_and_the_rest_stays() -> None:
    page = "a\n<!-- x: made by ci/generated.py -->\nold \\1\n<!-- end of x -->\nb\n"
    made = generated.renewed(page, "x", "new \\2")
    assert made == "a\n<!-- x: made by ci/generated.py -->\nnew \\2\n<!-- end of x -->\nb\n"
    with pytest.raises(ValueError, match="no part y"):
        generated.renewed(page, "y", "")


@pytest.mark.parametrize("version", [1, 2])
def test_the_engine_reads_every_option(version: int) -> None:
    """Every option in the configuration of an engine is read by one of its modules, comments excluded."""
    core = generated.ROOT / "mint" / "_core"
    sources = [path for path in core.glob("*.pyx") if not path.name.startswith(f"http{3 - version}")]
    code = "".join(
        check_layers.blank(path.read_text()) for path in sources if path.stem != f"http{version}_config"
    )
    names = {entry.name for entry in declared.entries(version)}
    read = {name for name in names if re.search(rf"\bconfig\.{name}\b", code)}
    own = check_layers.blank((core / f"http{version}_config.pyx").read_text())
    read |= {name for name in names if re.search(rf"if (?:self\.)?{name}\b", own)}
    assert names - read == set(), "nothing in mint/_core reads these options"


def test_the_engine_reads_every_tolerance() -> None:
    """The switch of every tolerance is read by a module of the engines, imports excluded."""
    core = generated.ROOT / "mint" / "_core"
    code = "".join(check_layers.blank(path.read_text()) for path in core.glob("*.pyx"))
    code = re.sub(r"(?s)cimport (?:\([^)]*\)|[^\n]*)", "", code)
    switches = re.findall(r"TOLERATE_\w+", declared.tolerance_bits())
    unread = [name for name in switches if not re.search(rf"\b{name}\b", code)]
    assert not unread, "nothing in mint/_core reads these switches"


def test_a_part_of_a_source_is_replaced() -> None:
    source = "a\n    # x: made by ci/generated.py\n    # end of x\nb\n"
    made = generated.renewed(source, "x", "    new")
    assert made == "a\n    # x: made by ci/generated.py\n    new\n    # end of x\nb\n"
    assert generated.renewed(made, "x", "    new") == made
