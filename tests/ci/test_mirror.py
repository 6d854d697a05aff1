"""The tests mirror the source tree: each module has its place, and each other folder has a reason.

The tests of `mint/_loops/trio.py` are in `tests/loops`, those of `mint/_hosts.py` in `tests/test_hosts.py`: a
package has the folder of its name, a module the file of its name, both without the underscore. The tables
below list the exceptions.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import mint

PACKAGE = Path(mint.__file__).parent
TESTS = Path(__file__).parents[1]

ELSEWHERE = {
    "__init__.py": ("test_names.py", "it only exports"),
    "__main__.py": ("command", "it only calls mint/_command"),
    "_alternatives.py": (
        "connections/test_connection_events.py",
        "the values come with events of connections",
    ),
    "_certificates.py": ("wire/test_tls_options.py", "the rules of TLS options show in a handshake"),
    "_checks.py": ("test_arguments.py", "each check is tested through the functions that use it"),
    "_configuration.py": ("test_declarations.py", "it is generated from the declarations"),
    "_environment.py": ("test_proxy.py", "it reads the proxy of the environment"),
    "_extras": ("wire", "the trust stores are a part of TLS; those of idna and socksio are in tests/connect"),
    "_pool_options.py": ("test_declarations.py", "they are declared as other options are"),
    "_sessions.py": ("wire", "sessions are a part of TLS"),
    "_version.py": ("test_names.py", "a number"),
    "asyncio.py": ("loops/test_asyncio.py", "the module only exports mint/_loops and mint/_connections"),
    "http1.py": ("core/http1", "the module only exports mint/_connections"),
    "http2.py": ("connections/test_http2.py", "the module only exports mint/_connections"),
    "httpx.py": ("httpx", "it is tested together with mint/httpx2.py, which is generated from it"),
    "httpx2.py": ("httpx", "it is tested together with mint/httpx.py"),
    "content.py": ("content", "it is tested together with mint/_content"),
    "messages.py": ("test_values.py", "they are values"),
    "responses.py": ("test_values.py", "they are values"),
    "tolerance.py": ("core/http1/test_http1_tolerance.py", "the engines read the switches"),
    "transport.py": ("wire/test_memory_link.py", "the module only exports mint/_wire and mint/_loops"),
    "trio.py": ("loops/test_trio.py", "the module only exports mint/_loops and mint/_connections"),
    "types.py": ("test_values.py", "protocols and values"),
}
"""Modules and packages whose tests are elsewhere: the place, and the reason."""

OF_MANY = {
    "advisories": "what made other libraries publish an advisory, against the whole",
    "ci": "the checks in ci/",
    "conformance": "the rules of the RFCs, whichever module keeps them",
    "docs": "the pages",
    "examples": "the programs in docs/examples",
    "fuzz": "the harnesses in fuzz/",
    "integration": "other servers and proxies",
    "kit": "other clients, judged by mint.testing",
    "properties": "properties of the engines and of the way to them",
    "simulation": "every event loop on a simulated kernel",
}
"""Folders of tests that belong to no single package, each with the reason."""

UNITS = sorted(
    path.name
    for path in PACKAGE.iterdir()
    if path.suffix == ".py" or (path.is_dir() and (path / "__init__.py").exists())
)


def place(unit: str) -> Path:
    """Return where the tests of a module or a package of mint are."""
    if unit in ELSEWHERE:
        return TESTS / ELSEWHERE[unit][0]
    name = unit.lstrip("_")
    return TESTS / (f"test_{name}" if name.endswith(".py") else name)


@pytest.mark.parametrize("unit", UNITS)
def test_every_module_has_a_place_for_its_tests(unit: str) -> None:
    where = place(unit)
    complaint = (
        f"mint/{unit} has no tests at {where.relative_to(TESTS.parent)}: add them, or a row of ELSEWHERE"
    )
    assert where.is_file() or any(where.rglob("test_*.py")), complaint


def test_no_row_is_out_of_date() -> None:
    assert set(ELSEWHERE) <= set(UNITS)


def test_every_folder_of_tests_mirrors_a_package() -> None:
    folders = {path.name for path in TESTS.iterdir() if path.is_dir() and any(path.rglob("test_*.py"))}
    mirrored = {place(unit).relative_to(TESTS).parts[0] for unit in UNITS}
    unknown = folders - mirrored - set(OF_MANY)
    assert not unknown, f"{unknown} mirror no package of mint: rename them, or add them to OF_MANY"
    assert set(OF_MANY) <= folders
