"""Other HTTP clients run fifty scripts concurrently, and each script has the expected result.

A script passes if the client does what it expects; otherwise it fails and names the difference.
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from mint.testing import ScriptedServer

from ..leftovers import no_thread_left
from .clients import ASYNC, BLOCKING, HAS_CURL, Target
from .scripts import AUTHORITY, CASES

if TYPE_CHECKING:
    from pathlib import Path

    from .clients import Came
    from .scripts import Case

CLIENTS = sorted({name for name, _ in (*BLOCKING, *ASYNC)})
WORKERS = 16


def server_of(case: Case) -> ScriptedServer:
    return ScriptedServer(*case.scripts, tls=case.tls, timeout=case.timeout, strict=case.strict)


def blocking(client: str, case: Case, authority: Path | None) -> list[Came]:
    with server_of(case) as server:
        return BLOCKING[client, case.protocol](Target(server, authority), case.calls)


async def in_loop(client: str, case: Case, authority: Path | None) -> list[Came]:
    async with server_of(case) as server:
        return await ASYNC[client, case.protocol](Target(server, authority), case.calls)


def wrong(client: str, case: Case, authority: Path) -> str | None:
    """Return how the result of a script differs from the expected one, or `None`."""
    trusted = authority if case.secure else None
    came: list[Came] | None = None
    verdict: BaseException | None = None
    try:
        if (client, case.protocol) in BLOCKING:
            came = blocking(client, case, trusted)
        else:
            came = asyncio.run(in_loop(client, case, trusted))
    except BaseException as error:  # noqa: BLE001  any exception is the result
        verdict = error
    if case.verdict is None:
        if verdict is not None:
            return f"{case.name}: should pass, but {verdict!r} {getattr(verdict, '__notes__', '')}"
        if case.came is not None and came != case.came:
            return f"{case.name}: the client got {came}"
        return None
    if verdict is None:
        return f"{case.name}: passed, but should say {case.verdict!r}; the client got {came}"
    if not isinstance(verdict, case.error) or not re.search(case.verdict, str(verdict), re.DOTALL):
        return f"{case.name}: should say {case.verdict!r}, said {verdict!r}"
    return None


@pytest.mark.parametrize("client", CLIENTS)
def test_every_script_has_the_expected_result(client: str, tmp_path: Path) -> None:
    if client == "curl" and not HAS_CURL:
        pytest.skip("curl is not installed")
    authority = AUTHORITY.write_pem(tmp_path / "authority.pem")
    speaks = {protocol for name, protocol in (*BLOCKING, *ASYNC) if name == client}
    cases = [case for case in CASES if case.protocol in speaks and (case.only is None or client in case.only)]
    assert len(cases) >= 50
    with no_thread_left(), ThreadPoolExecutor(WORKERS) as pool:
        found = list(pool.map(lambda case: wrong(client, case, authority), cases))
    assert [each for each in found if each is not None] == []
