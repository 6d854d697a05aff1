"""Every name of mint that a page formats as code exists: modules, classes, functions, methods and options."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import mint
import mint.transport

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md")))
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
OF_CONNECTIONS = re.compile(r"\bconn\.(?!py\b)([a-z]\w*)")
OF_LINKS = re.compile(r"\blink\.(?!py\b)([a-z]\w*)")
DOTTED = re.compile(r"(?<![\w./-])mint((?:\.(?!py\b)[A-Za-z_]\w*)+)")
OPTIONS = re.compile(
    r"\b((?:TCP|TLS|HTTP1|HTTP2)Options|ClientSettings|Tolerance|Proxy)(?:\.(\w+)|\(([^)]*)\))"
)


def code(page: str) -> list[str]:
    """Return the code spans in the text of a page. test_pages.py runs the code blocks."""
    text = re.sub(r"(?ms)^```.*?^```$", "", (ROOT / page).read_text())
    if page == "docs/migrating.md":
        text = re.sub(r"(?m)^\|[^|\n]*", "", text)  # names of other libraries
    return CODE.findall(text)


def exists(dotted: str) -> bool:
    """Return whether an attribute or a module of mint has this name."""
    found: object = mint
    for place, name in enumerate(names := dotted.split(".")):
        try:
            found = getattr(found, name)
        except AttributeError:
            try:
                found = importlib.import_module(".".join(["mint", *names[: place + 1]]))
            except ImportError:
                return False
    return True


@pytest.mark.parametrize("page", PAGES)
def test_the_names_of_a_page_exist(page: str) -> None:
    spans = code(page)
    unknown = {name for span in spans for name in DOTTED.findall(span) if not exists(name[1:])}
    for owner, pattern in ((mint.HTTP2, OF_CONNECTIONS), (mint.transport.Memory, OF_LINKS)):
        unknown |= {name for span in spans for name in pattern.findall(span) if not hasattr(owner, name)}
    for kind, attribute, arguments in (found for span in spans for found in OPTIONS.findall(span)):
        given = re.findall(r"(?:^|, )([a-z]\w*)(?==|,|$)", arguments)
        known = mint.Proxy.__dict__.keys() | getattr(mint, kind).__dataclass_fields__.keys()
        unknown |= {f"{kind}.{name}" for name in (*given, attribute) if name and name not in known}
    assert not unknown


def test_a_name_that_does_not_exist_is_found() -> None:
    assert exists("pool.Pool")
    assert exists("HTTP2.ping")
    assert not exists("nothing")
    assert not exists("HTTP2.nothing")
    assert DOTTED.findall("mint.http1.connect(mint.Proxy, x.mint.y)") == [".http1.connect", ".Proxy"]
