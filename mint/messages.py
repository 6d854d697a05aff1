"""The messages that a mailbox hands out: one for each read of a connection, to be given to `stream` in order.

`Received` is compiled, because there is one for each read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ._core.messages import Received

if TYPE_CHECKING:
    from ._core.messages import Source
    from .errors import TransportError

__all__ = ["Broken", "Closed", "Message", "Received"]


@dataclass(frozen=True, slots=True)
class Closed:
    """The peer ended; `clean` is false where TLS ended without close_notify."""

    source: Source
    sequence: int
    clean: bool = True


@dataclass(frozen=True, slots=True)
class Broken:
    """The wire failed."""

    source: Source
    sequence: int
    error: TransportError


Message: TypeAlias = Received | Closed | Broken
"""Anything about a connection that comes out of a mailbox."""
