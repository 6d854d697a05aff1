from typing import final

from typing_extensions import disjoint_base

from .hpack import Decoder
from .http2_config import Config

# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

@disjoint_base
class Core:
    """The fields of a state; `http2.State` adds the operations."""
    @property
    def config(self) -> Config: ...
    @property
    def decoder(self) -> Decoder: ...

@final
class Work:
    """The results of one operation, and its private clone of the state."""
