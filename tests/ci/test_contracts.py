"""`ci/contracts.py`: every public function has a typing contract, and missing ones are found."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest

import mint
from ci import contracts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def names(found: Iterable[contracts.Public]) -> list[str]:
    return [each.name for each in found]


def test_every_public_function_has_a_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert contracts.main([]) == 0, capsys.readouterr().out


def test_a_missing_contract_is_reported_with_a_proposal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in contracts.CONTRACTS.glob("*.py"):
        if file.name not in {"methods.py", "connections.py", "choices.py"}:
            (tmp_path / file.name).write_text(file.read_text())
    missing = names(contracts.lacking(tmp_path))
    assert "mint.HTTP2.ping" in missing
    assert "mint.connect" not in missing  # the contracts of other functions use it
    assert "mint.pool.Pool.request" not in missing
    monkeypatch.setattr(
        contracts, "lacking", lambda: [each for each in contracts.public() if each.name == "mint.HTTP2.ping"]
    )
    assert contracts.main([]) == 1
    output = capsys.readouterr().out
    assert "mint.HTTP2.ping has no contract. Add one to stubs/contracts" in output
    assert "assert_type(it.ping(payload), tuple[mint.HTTP2, RequestRef])" in output


@pytest.mark.parametrize(
    ("contract", "is_one"),
    [
        ("def f(it: mint.HTTP2) -> None:\n    it.ping()", True),
        ("def f(it: mint.HTTP2) -> None:\n    assert_type(it.ping(), object)", True),
        ("def f(it: mint.HTTP1) -> None:\n    it.ping()", False),  # not a method of HTTP1
        ("def f(it: mint.HTTP2, other: object) -> None:\n    other.ping()", False),  # of any type
        ("def f(it: mint.HTTP2) -> None:\n    it.close()", False),
    ],
)
def test_a_contract_is_for_the_class_of_its_parameter(contract: str, is_one: bool) -> None:
    source = f"from typing import assert_type\nimport mint\n\n{contract}\n"
    assert ((mint.HTTP2, "ping") in set(contracts.covered(source))) is is_one


def test_every_module_that_says_what_is_public_is_looked_at() -> None:
    listed = [importlib.import_module(name) for name in (*contracts.LISTED, *contracts.DESCRIBED)]
    walked = pkgutil.walk_packages(mint.__path__, "mint.")
    found = [
        mint,
        *(importlib.import_module(each.name) for each in walked if not each.name.endswith("__main__")),
    ]
    for module in found:
        hidden = any(part.startswith("_") for part in module.__name__.split("."))
        if hidden or module in listed or not hasattr(module, "__all__"):
            continue
        # Users import its names from another module.
        values = [getattr(module, name) for name in module.__all__]
        assert all(any(value in vars(other).values() for other in listed) for value in values), module


def test_steps_that_users_write_and_transports_of_every_library_need_contracts() -> None:
    found = names(contracts.public())
    assert [name for name in found if name.endswith(".play")] == ["mint.testing.Step.play"]
    for library in ("httpx", "httpx2"):
        assert f"mint.{library}.MintTransport.handle_request" in found
        assert f"mint.{library}.AsyncMintTransport.handle_async_request" in found


def test_a_method_that_is_inherited_needs_one_contract() -> None:
    found = names(contracts.public())
    assert len(found) == len(set(found))
    assert ("mint.HTTP1.fork" in found) != ("mint.HTTP2.fork" in found)
