"""Links: the mutable things that own a wire. Values never do."""

from .link import Link
from .memory import Memory
from .tcp import SocketLink

__all__ = ["Link", "Memory", "SocketLink"]
