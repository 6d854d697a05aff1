"""The names of the package are imported on first use, and are those that type checkers see."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mint

SOURCE = ast.parse(Path(mint.__file__).read_text())


def imports_for_checkers() -> set[tuple[str, str]]:
    """Return module and name of everything that is imported for type checkers only."""
    (block,) = (node for node in SOURCE.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name))
    return {
        (node.module or "", alias.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_every_name_is_in_the_module_that_type_checkers_see() -> None:
    imports = imports_for_checkers()
    assert {name for _, name in imports} == {name for name in mint.__all__ if name != "__version__"}
    for home, name in imports:
        expected = getattr(import_module(f"mint.{home}"), name) if home else import_module(f"mint.{name}")
        assert getattr(mint, name) is expected
    assert set(mint.__all__) <= set(dir(mint))


@pytest.mark.parametrize(
    "module", sorted({home for home, _ in imports_for_checkers() if home and home[0] != "_"})
)
def test_every_module_that_type_checkers_see_is_available_after_import_mint(module: str) -> None:
    ran = subprocess.run([sys.executable, "-c", f"import mint; mint.{module}"], check=False)
    assert ran.returncode == 0


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'mint' has no attribute 'conect'"):
        getattr(mint, "conect")  # noqa: B009  # type checkers know that there is none


def test_importing_the_package_loads_no_other_module() -> None:
    code = "import sys, mint; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = ran.stdout.split()
    assert {name for name in loaded if name.partition(".")[0] == "mint"} == {"mint", "mint._version"}
    assert "ssl" not in loaded
