"""The messages that a mailbox returns, one for each read of a connection. Pass them to `stream` in order.

`Received` is compiled, because it is by far the most frequent.
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
    """The peer closed the connection; `clean` is false if TLS ended without close_notify.

    `source` identifies the connection; `sequence` counts its messages.
    """

    source: Source
    sequence: int
    clean: bool = True


@dataclass(frozen=True, slots=True)
class Broken:
    """The connection broke; `error` is the reason.

    `source` identifies the connection; `sequence` counts its messages.
    """

    source: Source
    sequence: int
    error: TransportError


Message: TypeAlias = Received | Closed | Broken
"""Any message that a mailbox returns."""
