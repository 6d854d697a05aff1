"""What a link asks of the layers between the wire and the octets it carries: TLS, or a tunnel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..errors import TransportError


class Layer(Protocol):
    """One layer: what it is given on one side comes out, changed, on the other. Layers stack."""

    ended: bool
    """Whether no more will come through it."""
    clean_end: bool
    """Whether the peer said so itself."""
    failure: TransportError | None
    """What broke it: nothing comes after what was read."""

    @property
    def keeps_wire(self) -> bool:
        """Whether the wire must stay open in both directions after this direction has ended."""
        ...

    @property
    def waiting(self) -> int:
        """How many octets it was given and cannot send yet."""
        ...

    def feed(self, octets: bytes, /) -> None:
        """Take what came from outside; `b""` says that it ended."""
        ...

    def read(self) -> bytes:
        """Return what is for the inside, all of it. Raises what broke the layer."""
        ...

    def write(self, octets: bytes | memoryview[int], /) -> None:
        """Take what comes from the inside."""
        ...

    def leaving(self) -> bytes:
        """Return what is for the outside now."""
        ...

    def written(self) -> None:
        """Take that the wire took everything that had left: the peer reads."""
        ...

    def close_notify(self) -> None:
        """Say that no more will come from the inside."""
        ...
