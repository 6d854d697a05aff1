"""The format of -w, which is printed after each transfer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .show import visible
from .usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..types import HeaderFields

_PART = re.compile(r"%%|%\{([^}]*)\}|%header\{([^}]*)\}|\\[nrt\\]|.", re.DOTALL)
_ESCAPES = {"\\n": "\n", "\\r": "\r", "\\t": "\t", "\\\\": "\\", "%%": "%"}


@dataclass(slots=True)
class Facts:
    """Information about one transfer; times are in seconds since it began."""

    url: str
    number: int = 0
    url_effective: str = ""
    method: str = ""
    scheme: str = ""
    status: int = 0
    http_version: str = "0"
    headers: HeaderFields = ()
    redirects: int = 0
    redirect_url: str = ""
    size_download: int = 0
    size_upload: int = 0
    connects: int = 0
    time_connect: float = 0.0
    time_starttransfer: float = 0.0
    time_redirect: float = 0.0
    time_total: float = 0.0
    remote: tuple[str, int] = ("", 0)
    local: tuple[str, int] = ("", 0)
    path: str = ""
    exit_code: int = 0
    error: str = ""
    streams: list[str] = field(default_factory=list[str])

    def header(self, name: str) -> str:
        """Return the first value of a header of the last response."""
        return next((value for each, value in self.headers if each == name.lower()), "")

    def speed(self, octets: int) -> str:
        """Return the average number of octets a second during the whole transfer."""
        return str(int(octets / self.time_total)) if self.time_total else "0"


_VARIABLES: dict[str, Callable[[Facts], str]] = {
    "content_type": lambda facts: facts.header("content-type"),
    "errormsg": lambda facts: facts.error,
    "exitcode": lambda facts: str(facts.exit_code),
    "filename_effective": lambda facts: facts.path,
    "http_code": lambda facts: f"{facts.status:03d}",
    "http_version": lambda facts: facts.http_version,
    "local_ip": lambda facts: facts.local[0],
    "local_port": lambda facts: str(facts.local[1]),
    "method": lambda facts: facts.method,
    "num_connects": lambda facts: str(facts.connects),
    "num_headers": lambda facts: str(len(facts.headers)),
    "num_redirects": lambda facts: str(facts.redirects),
    "redirect_url": lambda facts: facts.redirect_url,
    "remote_ip": lambda facts: facts.remote[0],
    "remote_port": lambda facts: str(facts.remote[1]),
    "response_code": lambda facts: f"{facts.status:03d}",
    "scheme": lambda facts: facts.scheme.upper(),
    "size_download": lambda facts: str(facts.size_download),
    "size_upload": lambda facts: str(facts.size_upload),
    "speed_download": lambda facts: facts.speed(facts.size_download),
    "speed_upload": lambda facts: facts.speed(facts.size_upload),
    "time_connect": lambda facts: f"{facts.time_connect:.6f}",
    "time_redirect": lambda facts: f"{facts.time_redirect:.6f}",
    "time_starttransfer": lambda facts: f"{facts.time_starttransfer:.6f}",
    "time_total": lambda facts: f"{facts.time_total:.6f}",
    "url": lambda facts: facts.url,
    "url_effective": lambda facts: facts.url_effective,
    "urlnum": lambda facts: str(facts.number),
}
_STREAMS = frozenset({"stdout", "stderr"})


def check_format(text: str) -> None:
    """Raise `UsageError` for a format with an unknown variable."""
    for found in _PART.finditer(text):
        name = found[1]
        if name is not None and name not in _VARIABLES and name not in _STREAMS:
            raise UsageError(
                f"-w: unknown variable {name!a}; known variables: {', '.join(sorted(_VARIABLES))}"
            )


def written(text: str, facts: Facts) -> list[tuple[str, str]]:
    """Return the text to print as pieces for `stdout` and `stderr`, safe for a terminal."""
    made: list[tuple[str, str]] = []
    stream, line = "stdout", ""
    for found in _PART.finditer(text):
        name, field_name = found[1], found[2]
        if name in _STREAMS:
            made.append((stream, line))
            stream, line = str(name), ""
        elif name is not None:
            line += visible(_VARIABLES[name](facts))
        elif field_name is not None:
            line += visible(facts.header(field_name))
        else:
            line += _ESCAPES.get(found[0], found[0])
    made.append((stream, line))
    return [(each, piece) for each, piece in made if piece]
