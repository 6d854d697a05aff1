"""`ci/check_layers.py` finds each planted violation, with its file and line."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_layers", ROOT / "ci" / "check_layers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_layers"] = module
    spec.loader.exec_module(module)
    return module


check_layers = load()
HEADER = str(check_layers.DIRECTIVES) + "\n"


def findings(root: Path, files: dict[str, str]) -> list[str]:
    for name in ("mint/__init__.py", "mint/_core/__init__.py"):
        files.setdefault(name, "")
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEADER + text if name.endswith(".pyx") else text)
    found = check_layers.Checker(root).run()
    return [f"{path.as_posix()}:{line}: {text}" for path, line, text in found]


def test_this_project_keeps_its_rules() -> None:
    assert [str(finding) for finding in check_layers.Checker(ROOT).run()] == []


def test_a_clean_tree_has_no_findings(tmp_path: Path) -> None:
    files = {
        "mint/http1.py": "import socket\nfrom . import errors\nfrom ._core.http1 import State\n",
        "mint/errors.py": '"""assert nothing: import mint."""\nfrom ._core import faults\n',
        "mint/_wire/__init__.py": "from .tls import TLS\n",
        "mint/_wire/tls.py": "import ssl\nfrom ..errors import MintError\n",
        "mint/_core/faults.pxd": "cdef int size(str name) except -1\n",
        "mint/_core/faults.pyx": (
            'cimport cython\nfrom libc.string cimport memcpy\n\nTABLE: dict = {"a": 1}\n'
            "cdef tuple NAMES = tuple([1, 2])\n"
            'cdef extern from "x.h":\n    int from_c(int)\n    int loose\n\n'
            "cdef inline bint is_it(str name,\n                       int more) noexcept nogil:\n"
            '    """import socket; assert 1."""\n    return more == 1  # global x\n'
        ),
        "mint/_core/http1.pyx": (
            "from .faults cimport size\nfrom .faults import TABLE\n"
            "cdef class State:\n    cdef int used\n    cdef bint done(self) noexcept:\n"
            "        local = [1]\n        return TABLE['a'] == 1\n"
        ),
    }
    assert findings(tmp_path, files) == []


CORE = "mint/_core/http1.pyx"
PLANTED = [
    ("mint/errors.py", "from .http1 import HTTP1\n", 1, "imports mint.http1: upwards"),
    ("mint/errors.py", "def f():\n    from . import http1\n", 2, "imports mint.http1: upwards"),
    ("mint/errors.py", "if TYPE_CHECKING:\n    from .http1 import HTTP1\n", 2, "mint.http1: upwards"),
    ("mint/errors.py", "from . import __version__\n", 1, "imports mint: upwards"),
    ("mint/_wire/tcp.py", "from ..http1 import HTTP1\n", 1, "imports mint.http1: upwards"),
    (
        "mint/_loops/blocking.py",
        "from .._connections.http1 import HTTP1\n",
        1,
        "imports mint._connections.http1: upwards",
    ),
    ("mint/errors.py", "import mint.types\n", 1, "absolute import of mint"),
    ("mint/errors.py", "from mint.types import Eof\n", 1, "absolute import of mint"),
    ("mint/errors.py", "import attrs\n", 1, "attrs is not a dependency"),
    ("mint/asyncio.py", "import trio\n", 1, "trio is for "),
    ("mint/errors.py", "from ... import x\n", 1, "leaves the package"),
    ("mint/novelty.py", "", 1, "is in no layer"),
    ("mint/errors.py", "def f(x):\n    assert x\n", 2, "assert"),
    (CORE, "from ..errors import MintError\n", 2, "imports mint.errors: upwards"),
    ("mint/_core/faults.pyx", "from .http1 cimport State\n", 2, "upwards"),
    ("mint/_core/faults.pxd", "from .http1 cimport (\n    State,\n)\n", 1, "upwards"),
    ("mint/_core/faults.pxd", "cimport mint._core.http1\n", 1, "absolute import of mint"),
    (CORE, "import socket\n", 2, "may not import socket"),
    (CORE, "from time import monotonic\n", 2, "may not import time"),
    (CORE, "def f():\n    import os, enum\n", 3, "may not import os"),
    ("mint/_core/__init__.py", "import random\n", 1, "may not import random"),
    (CORE, 'x = """\n"""\ndef f(x):\n    assert x\n', 5, "assert"),
    (CORE, "seen = {}\n", 2, "module-level mutable seen"),
    (CORE, "cdef dict seen = {}\n", 2, "module-level mutable seen"),
    (CORE, "cdef int counter\n", 2, "module-level C variable counter"),
    (CORE, "cdef unsigned char room[64]\n", 2, "module-level C variable room"),
    (CORE, "def f():\n    global count\n    count = 1\n", 3, "global"),
    (CORE, "SEEN = []\ndef f():\n    SEEN.append(1)\n", 4, "writes to the module-level SEEN"),
    (CORE, "SEEN: dict = {}\ndef f():\n    SEEN[1] = 2\n", 4, "writes to the module-level SEEN"),
    (CORE, "cdef int f(str name):\n    return 1\n", 2, "f() says neither"),
    (CORE, "cdef class A:\n    cdef void f(self,\n      int x):\n        pass\n", 3, "f() says"),
    (CORE, "cdef inline unsigned long long f(int x) nogil:\n    return 1\n", 2, "f() says neither"),
    ("mint/_core/faults.pxd", "cdef bint f(str name)\n", 1, "f() says neither"),
    (CORE, "#" * 111 + "\n", 2, "111 characters"),
    ("tests/test_long.py", "\n" * 701, 701, "701 lines"),
]


@pytest.mark.parametrize(("name", "text", "line", "message"), PLANTED)
def test_a_planted_violation_is_found(tmp_path: Path, name: str, text: str, line: int, message: str) -> None:
    files = {
        "mint/http1.py": "",
        "mint/_loops/mailbox.py": "",
        "mint/types.py": "",
        "mint/_core/http1.pyx": "",
        name: text,
    }
    found = findings(tmp_path, files)
    assert len(found) == 1, found
    assert found[0].startswith(f"{name}:{line}: ")
    assert message in found[0]


def test_import_cycles_within_a_layer_are_found(tmp_path: Path) -> None:
    files = {
        "mint/types.py": "from .options import Options\n",
        "mint/options.py": "from . import errors\n",
        "mint/errors.py": "from .types import Eof\n",
    }
    (found,) = findings(tmp_path, files)
    assert "imports in a circle: " in found


@pytest.mark.parametrize("unseen", [("types",), ("options",), ("types", "options")])
def test_imports_for_type_checkers_count_as_parts_of_a_cycle(tmp_path: Path, unseen: tuple[str, ...]) -> None:
    files = {}
    for module, other in (("types", "options"), ("options", "types")):
        line = f"from .{other} import Name\n"
        seen = f"if TYPE_CHECKING:\n    {line}" if module in unseen else line
        files[f"mint/{module}.py"] = seen
    (found,) = findings(tmp_path, files)
    assert "circle" in found
    assert "mint.types" in found
    assert "mint.options" in found


def test_types_of_lower_modules_may_be_imported_for_type_checkers(tmp_path: Path) -> None:
    files = {
        "mint/types.py": "",
        "mint/options.py": "if TYPE_CHECKING:\n    from .types import A\n    from _typeshed import B\n",
    }
    assert findings(tmp_path, files) == []
    files = {"mint/types.py": "from _typeshed import Incomplete\n"}
    (found,) = findings(tmp_path, files)
    assert "_typeshed is not a dependency" in found


def test_every_module_has_the_same_directives(tmp_path: Path) -> None:
    path = tmp_path / "mint" / "_core" / "http1.pyx"
    path.parent.mkdir(parents=True)
    path.write_text("# cython: language_level=3\n")
    (found,) = findings(tmp_path, {})
    assert found.startswith("mint/_core/http1.pyx:1: the first line")
