"""jh2: h2 with its HPACK and buffers in Rust."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jh2 import config, connection, events, settings

from ._http2 import task
from ._hyper import client_class

if TYPE_CHECKING:
    from ..measure import Task


def client(work: object) -> Task:
    return task(work, client_class(connection, config, events, settings))
