"""Responses: what a server's bytes mean, as frozen values, oldest first.

Exactly one of `Done` and `RequestFailed` ends each request. The frequent ones are compiled; all of them
are dataclasses, so `match`, `==`, `hash`, `replace` and `pickle` work on them.
"""

from __future__ import annotations

from ._core.events import (
    AltSvc,
    Data,
    Done,
    GoAway,
    Headers,
    Informational,
    Origins,
    Pong,
    PushPromise,
    RequestRef,
    ServerSettings,
    Status,
    StatusReason,
    Trailers,
)
from .errors.base import ConnectionEvent, RequestFailed, Response

__all__ = [
    "AltSvc",
    "ConnectionEvent",
    "Data",
    "Done",
    "GoAway",
    "Headers",
    "Informational",
    "Origins",
    "Pong",
    "PushPromise",
    "RequestFailed",
    "RequestRef",
    "Response",
    "ServerSettings",
    "Status",
    "StatusReason",
    "Trailers",
]
