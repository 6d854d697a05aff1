"""Connection values made from the engine states of a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core import http1 as core1
from .._wire.memory import Memory
from .http1 import connection_of as http1_of
from .http2 import connection_of as http2_of

if TYPE_CHECKING:
    from .._core import http2 as core2
    from .negotiation import Connection


def connection_of(state: core1.State | core2.State) -> Connection:
    """Return a connection with this state, over a `Memory` whose peer reads."""
    link = Memory(reads=True)
    if isinstance(state, core1.State):
        return http1_of(state, link)
    return http2_of(state, link)
