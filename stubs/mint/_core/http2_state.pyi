from typing import final

from typing_extensions import disjoint_base

from .http2_config import Config

# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

@disjoint_base
class Core:
    @property
    def config(self) -> Config: ...

@final
class Work: ...
