"""The interface of the layers between a link and its transport: TLS, or a tunnel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..errors import TransportError


class Layer(Protocol):
    """One layer: it converts the octets that pass through it in each direction. Layers stack.

    "Outside" is the side of the network, "inside" the side of the HTTP protocol.
    """

    ended: bool
    """Whether nothing more will arrive through the layer."""
    clean_end: bool
    """Whether the peer ended properly, for example with close_notify."""
    failure: TransportError | None
    """The error that broke the layer: nothing arrives after what was read."""

    @property
    def keeps_wire(self) -> bool:
        """Whether the transport must stay open in both directions after the outgoing direction has ended."""
        ...

    @property
    def waiting(self) -> int:
        """How many octets were written to the layer and cannot be sent yet."""
        ...

    def feed(self, octets: bytes, /) -> None:
        """Take octets that arrived from outside; `b""` means that the outside has ended."""
        ...

    def read(self) -> bytes:
        """Return all octets for the inside. Raises the error that broke the layer."""
        ...

    def write(self, octets: bytes | memoryview[int], /) -> None:
        """Take octets from the inside."""
        ...

    def leaving(self) -> bytes:
        """Return the octets for the outside that are ready."""
        ...

    def written(self) -> None:
        """Note that everything the layer has produced was written, which shows that the peer reads."""
        ...

    def close_notify(self) -> None:
        """End the outgoing direction: nothing more will be written."""
        ...
