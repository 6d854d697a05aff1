"""The error of connection pools (mint.pool)."""

from __future__ import annotations

from .base import MintError


class PoolClosed(MintError, RuntimeError):
    """The pool was closed: it takes no new requests, and requests in progress were cancelled.

    `processed` says whether the server may have acted on the request.
    """

    reason = "pool_closed"

    def __init__(self) -> None:
        super().__init__("the pool is closed: make a new one")
