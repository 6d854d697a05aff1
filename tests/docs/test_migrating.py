"""docs/migrating.md names only what the other libraries have, in the versions that the tests use."""

from __future__ import annotations

import http.client
import inspect
import re
from pathlib import Path
from typing import Final

import h2.connection
import h2.events
import h11
import httpcore
import httpx
import pytest

PAGE: Final = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text()
OWNERS: Final[dict[str, dict[str, tuple[object, ...]]]] = {
    "httpx": {
        "httpx": (httpx,),
        "client": (httpx.Client,),
        "response": (httpx.Response,),
        "": (httpx.Client, httpx.Response, httpx),
    },
    "httpcore": {
        "httpcore": (httpcore,),
        "pool": (httpcore.ConnectionPool,),
        "connection": (httpcore.HTTPConnection,),
        "": (httpcore,),
    },
    "h11": {"h11": (h11,), "conn": (h11.Connection,), "": (h11, h11.Connection)},
    "h2": {"h2": (h2,), "": (h2.connection.H2Connection, h2.events)},
    "http.client": {
        "http": (http,),
        "conn": (http.client.HTTPConnection,),
        "response": (http.client.HTTPResponse,),
        "": (http.client,),
    },
}
"""By section and first name: what has the rest of a dotted name; under "", what has bare names."""
WORDS: Final = {"network_stream", "trace"}
"""Keys of dictionaries, which nothing else shows."""
SPAN: Final = re.compile(r"([A-Za-z_][\w.]*?)(?:\((.*)\)|=\w*)?")


def spans(section: str) -> list[str]:
    """Return what the first column of a section has in code."""
    rows = PAGE.partition(f"## From {section}\n")[2].partition("\n## ")[0]
    left = re.findall(r"(?m)^\|([^|\n]*)\|", rows)[2:]
    found = [span for cell in left for span in re.findall(r"`([^`]+)`", cell)]
    # `option=value(...)` names two things.
    return [part for span in found for part in re.sub(r"^(\w+=)(?=[\w.]+\()", r"\1|", span).split("|")]


def missing(section: str, span: str) -> str | None:
    """Return the name in some code that does not exist, or `None`."""
    match = SPAN.fullmatch(span)
    if match is None:
        return span
    dotted, arguments = match[1], match[2] or ""
    first, *rest = dotted.split(".")
    owners = OWNERS[section]
    found = [*owners[first]] if rest and first in owners else [*owners[""]]
    for name in rest if rest and first in owners else (first, *rest):
        found = [getattr(owner, name) for owner in found if hasattr(owner, name)] or [
            inspect.signature(owner).parameters[name]
            for owner in found
            if isinstance(owner, type) and name in inspect.signature(owner).parameters
        ]
        if not found:
            return dotted
    for keyword in re.findall(r"(\w+)=", arguments):
        if not any(callable(each) and keyword in inspect.signature(each).parameters for each in found):
            return f"{dotted}({keyword}=)"
    return None


@pytest.mark.parametrize("section", OWNERS)
def test_the_names_of_another_library_exist(section: str) -> None:
    named = [span for span in spans(section) if span not in WORDS]
    assert named
    assert [name for span in named if (name := missing(section, span))] == []


def test_every_section_is_checked() -> None:
    assert re.findall(r"(?m)^## From (\S+)$", PAGE) == list(OWNERS)


@pytest.mark.parametrize(
    ("section", "span"),
    [
        ("httpx", "httpx.Klient()"),
        ("httpx", "client.got(url)"),
        ("httpx", "http3=True"),
        ("httpx", "httpx.Timeout(conect=)"),
        ("h2", "StreamStarted"),
        ("http.client", "conn.get(url)"),
    ],
)
def test_a_name_that_does_not_exist_is_found(section: str, span: str) -> None:
    assert missing(section, span)
