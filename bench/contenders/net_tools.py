"""Load generators in C: h2load and wrk. They only report that all responses succeeded."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from ..footprint import children
from ..measure import MissingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..net import Errand
    from ._net import Got

MORE = 20  # times the requests of a Python client, so that the start of the program is negligible


class _Tool:
    def __init__(self, name: str, command: Callable[[int], list[str]], good: str) -> None:
        if shutil.which(name) is None:
            raise MissingError(name)
        self._command = command
        self._good = good

    def __call__(self, number: int) -> Got:
        raise NotImplementedError

    def seconds(self, number: int) -> float:
        before = children()
        run = subprocess.run(self._command(number * MORE), capture_output=True, text=True, check=True)
        spent = children() - before
        found = re.search(self._good, run.stdout)
        assert found, run.stdout
        return spent / int(found[1])


def h2load(errand: Errand) -> _Tool:
    version = [] if errand.http2 else ["--h1"]

    def command(number: int) -> list[str]:
        return [
            "h2load", *version, "-n", str(number), "-c", "1", "-m", str(errand.together),
            "-H", "accept: application/json, text/plain, */*", errand.url,
        ]  # fmt: skip

    return _Tool("h2load", command, r"status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx")


def wrk(errand: Errand) -> _Tool:
    def command(_: int) -> list[str]:
        return ["wrk", "-c", "1", "-t", "1", "-d", "1", errand.url]

    return _Tool("wrk", command, r"(\d+) requests in")
