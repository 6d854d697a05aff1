"""Servers that several tests of the command line use."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mint.testing import Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Seen:
    """One request as the server received it."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    version: str

    def header(self, name: str) -> str | None:
        return next((value for each, value in self.headers if each == name), None)


@dataclass
class Site:
    """Answers by path, with 404 for unknown paths, and records the requests."""

    pages: Mapping[str, Response | tuple[int, str]]
    seen: list[Seen] = field(default_factory=list[Seen])

    def __call__(self, request: Request) -> Response:
        body = request.body.read()
        self.seen.append(Seen(request.method, request.target, tuple(request.headers), body, request.version))
        found = self.pages.get(request.target.partition("?")[0])
        if found is None:
            return Response(404, (), b"not here\n")
        if isinstance(found, tuple):
            return Response(found[0], (("location", found[1]),), b"moved\n")
        return found

    @property
    def request_lines(self) -> list[str]:
        return [f"{each.method} {each.target}" for each in self.seen]


def command(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command in its own process."""
    return subprocess.run(
        [sys.executable, "-m", "mint", *arguments], check=False, capture_output=True, input=stdin, timeout=60
    )
