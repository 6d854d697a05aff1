"""Report which public names the built pages do not describe: `python ci/documented.py PAGES`.

The public names are those in the `__all__` of a module, or in the table below for modules without one.
"""

import importlib
import sys
import zlib
from pathlib import Path

PUBLIC = {
    "mint": (),
    "mint.asyncio": ("Mailbox", "connect", "flush"),
    "mint.content": (),
    "mint.errors": (),
    "mint.exchange": (),
    "mint.exchange.asyncio": (),
    "mint.exchange.trio": (),
    "mint.http1": ("connect", "initiate"),
    "mint.http2": ("connect", "initiate"),
    "mint.pool": (),
    "mint.pool.asyncio": (),
    "mint.pool.trio": (),
    "mint.httpx": (),
    "mint.proxy": ("from_environment",),
    "mint.testing": (),
    "mint.testing.http2": (),
    "mint.transcripts": (),
    "mint.transport": (),
    "mint.trio": ("Mailbox", "connect", "flush"),
}


def public_names() -> set[str]:
    """Return the full name of everything that is public, modules included."""
    found = set()
    for name, listed in PUBLIC.items():
        module = importlib.import_module(name)
        found |= {f"{name}.{each}" for each in listed or module.__all__}
    return found - set(PUBLIC)


def described(pages: Path) -> set[str]:
    """Return the names that the pages describe; an error counts with either of its names."""
    packed = (pages / "objects.inv").read_bytes().split(b"\n", 4)[4]  # after four lines of comments
    lines = [line.split(" ", 2) for line in zlib.decompress(packed).decode().splitlines()]
    names = {name for name, kind, _ in lines if kind.startswith("py:")}
    errors = importlib.import_module("mint.errors").__all__
    return names | {f"mint.errors.{name}" for name in errors if f"mint.{name}" in names}


missing = public_names() - described(Path(sys.argv[1]))
for name in sorted(missing):
    print(f"the reference lacks {name}")
sys.exit(bool(missing))
