from typing import final

from typing_extensions import disjoint_base

from .http1_config import Config
from .http1_heads import SECRET as SECRET

@final
class Pending:
    """A request whose response is not complete."""

@disjoint_base
class Reading:
    """The fields of a state, and the methods that read responses. `State` adds the operations."""
    @property
    def config(self) -> Config: ...
