"""The classes with and without `await` have the same methods, arguments and defaults."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Flavour

PAIRS = ("Network", "Stream", "Trace")
RENAMED = {"aclose": "close", "handle_async_request": "handle_request"}


def functions(owner: type) -> dict[str, list[tuple[str, object, object]]]:
    """Return the functions of a class, and the name, kind and default of each argument."""
    return {
        RENAMED.get(name, name): [
            (each.name, each.kind, each.default) for each in inspect.signature(found).parameters.values()
        ]
        for name, found in vars(owner).items()
        if inspect.isfunction(found) and (name[0] != "_" or name == "__init__")
    }


@pytest.mark.parametrize("name", [*(f"_{each}" for each in PAIRS), "MintTransport"])
def test_classes_with_and_without_await_agree(flavour: Flavour, name: str) -> None:
    _, module = flavour
    other = "AsyncMintTransport" if name == "MintTransport" else f"_Async{name[1:]}"
    one = functions(getattr(module, name))
    assert one
    assert one == functions(getattr(module, other))
