from typing import final

from .http2_config import Config

# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

class Core:
    @property
    def config(self) -> Config: ...

@final
class Work: ...
