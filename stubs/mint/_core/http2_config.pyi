from collections.abc import Iterable
from typing import Final, final

# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

PREFACE: Final[bytes]
DEFAULT_CHECKED: Final[tuple[tuple[int, int], ...]]
DEFAULT_OPENING: Final[bytes]
CLIENT_SETTINGS: Final[dict[str, tuple[int, int, int]]]
SERVER_SETTINGS: Final[dict[str, int]]
NAMES_OF_SETTINGS: Final[dict[int, str]]
DEFAULT_SETTINGS: Final[tuple[tuple[str, int], ...]]

@final
class Config:
    """The configuration of a connection; settings have snake_case names."""
    def __init__(
        self,
        hostname: str,
        *,
        port: int,
        scheme: str,
        identity: int,
        user_agent: str,
        settings: Iterable[tuple[str, int]] = (),
        first_stream: int = 1,
        # arguments: made by ci/generated.py
        sensitive: frozenset[str] = ...,
        connection_window_size: int = 16777216,
        window_update_threshold: int = 160000,
        tolerance: int = 0,
        events: int = 0,
        max_fields: int = 512,
        max_discarded_header_list: int = 1048576,
        max_header_block: int = 524288,
        max_continuations: int = 16,
        max_settings: int = 32,
        max_unsent_acks: int = 1000,
        max_glitches: int = 10000,
        max_resets: int = 1000,
        max_reserved: int = 100,
        max_remembered: int = 1024,
        max_informational: int = 10000,
        max_informational_size: int = 4194304,
        max_trailer_size: int = 16384,
        max_trailer_fields: int = 64,
        max_pings: int = 1000,
        assumed_concurrency: int = 100,
        skip_target_validation: bool = False,
        index_credentials: bool = False,
        # end of arguments
    ) -> None: ...
    @property
    def hostname(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def scheme(self) -> str: ...
    @property
    def identity(self) -> int: ...
    @property
    def user_agent(self) -> str: ...
    @property
    def settings(self) -> tuple[tuple[str, int], ...]: ...
    @property
    def first_stream(self) -> int: ...
    @property
    def authority(self) -> str: ...
    # options: made by ci/generated.py
    @property
    def sensitive(self) -> frozenset[str]: ...
    @property
    def connection_window_size(self) -> int: ...
    @property
    def window_update_threshold(self) -> int: ...
    @property
    def tolerance(self) -> int: ...
    @property
    def events(self) -> int: ...
    @property
    def max_fields(self) -> int: ...
    @property
    def max_discarded_header_list(self) -> int: ...
    @property
    def max_header_block(self) -> int: ...
    @property
    def max_continuations(self) -> int: ...
    @property
    def max_settings(self) -> int: ...
    @property
    def max_unsent_acks(self) -> int: ...
    @property
    def max_glitches(self) -> int: ...
    @property
    def max_resets(self) -> int: ...
    @property
    def max_reserved(self) -> int: ...
    @property
    def max_remembered(self) -> int: ...
    @property
    def max_informational(self) -> int: ...
    @property
    def max_informational_size(self) -> int: ...
    @property
    def max_trailer_size(self) -> int: ...
    @property
    def max_trailer_fields(self) -> int: ...
    @property
    def max_pings(self) -> int: ...
    @property
    def assumed_concurrency(self) -> int: ...
    @property
    def skip_target_validation(self) -> bool: ...
    @property
    def index_credentials(self) -> bool: ...
    # end of options
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...

def renamed(usual: Config, hostname: str, port: int, scheme: str, identity: int) -> Config:
    """Return the same options and limits for another connection, without checking them again."""
