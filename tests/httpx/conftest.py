"""Fixtures for the packages httpx and httpx2, and for both event loops."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import TYPE_CHECKING

import httpx
import httpx2
import pytest
import trio

import mint.httpx
import mint.httpx2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

# The packages have the same interface and no common types.
Flavour = tuple[ModuleType, ModuleType]
PACKAGES: list[Flavour] = [(httpx, mint.httpx), (httpx2, mint.httpx2)]
LOOPS: list[Callable[[Callable[[], Awaitable[None]]], None]] = [
    lambda main: asyncio.run(main()),  # type: ignore[arg-type]  # every main is a coroutine function
    trio.run,
]


@pytest.fixture(params=PACKAGES, ids=["httpx", "httpx2"])
def flavour(request: pytest.FixtureRequest) -> Flavour:
    found: Flavour = request.param
    return found
