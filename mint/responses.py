"""Responses: what a server's bytes mean, as frozen values, oldest first.

Exactly one of `Done` and `RequestFailed` ends each request. The frequent ones are compiled; all of them
are dataclasses, so `match`, `==`, `hash`, `replace` and `pickle` work on them.
"""

from __future__ import annotations

from ._core.events import (
    Data,
    Done,
    Headers,
    Informational,
    Pong,
    PushPromise,
    RequestRef,
    Status,
    StatusReason,
    Trailers,
)
from .errors.base import RequestFailed, Response

__all__ = [
    "Data",
    "Done",
    "Headers",
    "Informational",
    "Pong",
    "PushPromise",
    "RequestFailed",
    "RequestRef",
    "Response",
    "Status",
    "StatusReason",
    "Trailers",
]
