from collections.abc import Iterable
from typing import ClassVar, final

from .faults import Fault

SEEN: tuple[str, ...]

@final
class Decoded:
    """The fields of one header block, or its fault."""
    @property
    def fields(self) -> list[tuple[str, str]]: ...
    @property
    def never(self) -> frozenset[int] | None: ...
    @property
    def size(self) -> int: ...
    @property
    def marks(self) -> int: ...
    @property
    def fault(self) -> Fault | None: ...
    @property
    def decoder(self) -> Decoder: ...

@final
class Decoder:
    """The state of a decoder of header blocks."""
    def __init__(self, limit: int = 4096) -> None: ...
    @property
    def limit(self) -> int: ...
    @property
    def entries(self) -> tuple[tuple[str, str], ...]:
        """The dynamic table, the newest entry first."""
    @property
    def size(self) -> int:
        """The size of the dynamic table in octets."""
    @property
    def maximum(self) -> int:
        """The maximum size of the dynamic table in octets, as the peer last set it."""
    def resized(self, limit: int) -> Decoder:
        """Return the successor after the peer acknowledged our SETTINGS_HEADER_TABLE_SIZE."""
    def decode(self, block: bytes, max_size: int = 262144, max_fields: int = 512) -> Decoded:
        """Decode one complete header block."""
    def __eq__(self, value: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]  # the class is not hashable

@final
class Encoded:
    """One header block, and the state after it."""
    @property
    def block(self) -> bytes: ...
    @property
    def encoder(self) -> Encoder: ...

@final
class Encoder:
    """The state of an encoder of header blocks."""
    def __init__(self, cap: int = 4096, index_credentials: bool = False) -> None: ...
    @property
    def index_credentials(self) -> bool: ...
    @property
    def cap(self) -> int: ...
    @property
    def entries(self) -> tuple[tuple[str, str], ...]:
        """The dynamic table, the newest entry first."""
    @property
    def size(self) -> int:
        """The size of the dynamic table in octets."""
    @property
    def maximum(self) -> int:
        """The maximum size of the dynamic table in octets: what the peer allows, but at most the cap."""
    def resized(self, limit: int) -> Encoder:
        """Return the successor after the peer's SETTINGS_HEADER_TABLE_SIZE changed (7541-4.2-a)."""
    def encode(
        self, headers: Iterable[tuple[str, str]], sensitive: frozenset[str] | None = None
    ) -> tuple[bytes, Encoder]:
        """Encode fields; return the block and the successor."""
    def __eq__(self, value: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]  # the class is not hashable
