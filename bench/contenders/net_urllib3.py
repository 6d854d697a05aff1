"""urllib3: one pool, one connection."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import urllib3

from ..servers import content
from ._net import asks

if TYPE_CHECKING:
    from ..net import Errand
    from ._net import Run


def client(errand: Errand) -> Run:
    pool = urllib3.HTTPConnectionPool("localhost", errand.port, maxsize=1)
    waiting = asks(errand)

    def get() -> tuple[int, bytes]:
        target, fields = next(waiting)
        response = pool.request("GET", target, headers=dict(fields))
        return response.status, response.data

    def down() -> tuple[int, bytes]:
        response = pool.request("GET", errand.path, preload_content=False)
        total = sum(map(len, response.stream(1 << 18)))
        response.release_conn()
        return response.status, b"%d" % total

    body = content() if errand.verb == "up" else b""

    def up() -> tuple[int, bytes]:
        length = {"content-length": str(len(body))}
        response = pool.request("POST", errand.path, body=io.BytesIO(body), headers=length)
        return response.status, response.data

    one = {"get": get, "down": down, "up": up}[errand.verb]
    return lambda number: [one() for _ in range(number)]
