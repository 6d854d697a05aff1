"""Responses: the decoded parts of what a server sent, as frozen values.

Exactly one `Done` or `RequestFailed` ends each request. The frequent classes are compiled. All of them
are dataclasses, so `match`, `==`, `hash`, `replace` and `pickle` work with them.
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
