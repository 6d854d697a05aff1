"""h2, in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from h2 import config, connection, events, settings

from ._http2 import task
from ._hyper import client_class

if TYPE_CHECKING:
    from ..measure import Task


def client(work: object) -> Task:
    return task(work, client_class(connection, config, events, settings))
