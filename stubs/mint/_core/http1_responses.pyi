from typing import final

from typing_extensions import disjoint_base

from .http1_config import Config

@final
class Pending: ...

@disjoint_base
class Reading:
    @property
    def config(self) -> Config: ...
