"""Links, which own a socket or a buffer. Connection values use links and do not own them.

`Memory` is the link without a network, for programs that move the bytes themselves.
"""

from ._loops.tcp import SocketLink
from ._wire.link import Link
from ._wire.memory import Memory

__all__ = ["Link", "Memory", "SocketLink"]
