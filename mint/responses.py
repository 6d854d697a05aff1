"""Responses: what a server's bytes mean, as frozen values, oldest first.

Exactly one of `Done` and `RequestFailed` ends each request. The frequent ones are compiled; all of them
are dataclasses, so `match`, `==`, `hash`, `replace` and `pickle` work on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

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

if TYPE_CHECKING:
    from .errors import HTTPError, TransportError

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


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """This request failed, and only this one: no `Done` follows.

    `error.processed` says whether it is safe to send the request again.
    """

    ref: RequestRef
    error: HTTPError | TransportError


Response: TypeAlias = (
    Informational
    | Status
    | StatusReason
    | Headers
    | Data
    | Trailers
    | Done
    | RequestFailed
    | Pong
    | PushPromise
)
"""Anything that `recv` and `stream` return."""
