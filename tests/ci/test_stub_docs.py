"""`ci/stub_docs.py`: stubs have the docstrings of the compiled modules, for every form of docstring."""

from __future__ import annotations

import ast
from types import SimpleNamespace

import pytest

from ci import stub_docs


def test_every_stub_has_the_docstrings_of_its_module(capsys: pytest.CaptureFixture[str]) -> None:
    assert stub_docs.main([]) == 0, capsys.readouterr().out


class Thing:
    """A thing.

    With more to say: a backslash \\ and quotes.
    """

    def plain(self) -> None:
        """Do it."""

    @property
    def size(self) -> int:
        """How large it is."""
        return 0

    def bare(self) -> None: ...


def function() -> None:
    """Work."""


PLAIN = "    def plain(self) -> None: ...\n"
SIZE = "    @property\n    def size(self) -> int: ...\n"
LONG = "    def plain(\n        self,\n    ) -> None: ...\n"
OVERLOADED = f"    @overload\n{PLAIN}    @overload\n    def plain(self, a: int) -> None: ...\n"
OLD = (
    '    """Old.\n\n    Lines.\n    """\n    def plain(self) -> None:\n        """Older."""\n    size: int\n'
)


@pytest.mark.parametrize(
    "stub",
    [
        f"class Thing:\n{PLAIN}{SIZE}",
        f"class Thing:\n{SIZE}{LONG}",
        f"class Thing:\n{OLD}",
        "class Thing: ...\n\ndef function() -> None: ...\n",
        "class Thing:\n    a: int\n    def bare(self) -> None: ...\n",
        f"@final\nclass Thing:\n{OVERLOADED}",
    ],
)
def test_docstrings_are_put_in(stub: str) -> None:
    module = SimpleNamespace(Thing=Thing, function=function)
    made, missing = stub_docs.put_right(stub, module)
    assert missing
    assert stub_docs.put_right(made, module) == (made, [])
    before, after = ast.parse(stub), ast.parse(made)
    for tree in (before, after):  # nothing else has changed
        for node in ast.walk(tree):
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                if ast.get_docstring(node) is not None:
                    del node.body[0]
                node.body = [each for each in node.body if not _is_ellipsis(each)]
    assert ast.dump(before) == ast.dump(after)


def _is_ellipsis(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is ...
