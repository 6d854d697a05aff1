"""Connections kept idle, for `bench.footprint`.

Each function returns so many connections, each after so many exchanges.
"""

from __future__ import annotations

import dataclasses
from typing import Any  # each package has types of its own

from ..streams import PREFACE, answers, requests


def mint_h1(number: int, _: int) -> list[object]:
    from mint.http1 import initiate  # noqa: PLC0415  # only what is measured is loaded
    from mint.transport import Memory  # noqa: PLC0415  # only what is measured is loaded

    link = Memory()
    return [initiate(link, scheme="http", hostname="example.org", port=80) for _ in range(number)]


def _exchanged(make: type, number: int, exchanges: int) -> list[object]:
    asked = requests(exchanges) if exchanges else ()
    reads = answers(exchanges, 1_024)[0] if exchanges else ()
    kept: list[object] = []
    for _ in range(number):
        client: Any = make()
        client.first()
        if exchanges:
            client.feed(PREFACE)
            for request, read in zip(asked, reads, strict=True):
                client.get(client.prepared(request))
                client.feed(read)
        kept.append(client.kept)
    return kept


def mint_h2(number: int, exchanges: int) -> list[object]:
    from mint.transport import Memory  # noqa: PLC0415  # only what is measured is loaded

    from .mint_h2 import Facade  # noqa: PLC0415  # only what is measured is loaded

    # The value is measured with a link that all share: a link of its own would add the size of its buffers.
    shared = Memory()

    class Kept(Facade):
        @property
        def kept(self) -> object:
            return dataclasses.replace(self.connection, _link=shared)

    return _exchanged(Kept, number, exchanges)


def _hyper(name: str, number: int, exchanges: int) -> list[object]:
    from importlib import import_module  # noqa: PLC0415  # only what is measured is loaded

    from ._hyper import client_class  # noqa: PLC0415  # only what is measured is loaded

    parts = [import_module(f"{name}.{part}") for part in ("connection", "config", "events", "settings")]
    made = client_class(*parts)
    kept = type("Kept", (made,), {"kept": property(lambda self: self._connection)})
    return _exchanged(kept, number, exchanges)


def jh2(number: int, exchanges: int) -> list[object]:
    return _hyper("jh2", number, exchanges)


def h2(number: int, exchanges: int) -> list[object]:
    return _hyper("h2", number, exchanges)


def ctypes_h2(number: int, exchanges: int) -> list[object]:
    from .ctypes_h2 import Client  # noqa: PLC0415  # only what is measured is loaded

    kept = type("Kept", (Client,), {"kept": property(lambda self: self)})
    return _exchanged(kept, number, exchanges)


def httptools(number: int, _: int) -> list[object]:
    from .httptools_h1 import _Reader  # noqa: PLC0415  # only what is measured is loaded

    return [_Reader() for _ in range(number)]


def h11(number: int, _: int) -> list[object]:
    import h11 as package  # noqa: PLC0415  # only what is measured is loaded

    return [package.Connection(package.CLIENT) for _ in range(number)]
