from typing import final

@final
class Config:
    """Immutable and compared by content. It checks limits and what is written into requests."""
    def __init__(
        self,
        hostname: str,
        *,
        port: int,
        scheme: str,
        identity: int,
        user_agent: str,
        forward_proxy: bool = False,
        proxy_headers: tuple[tuple[str, str], ...] = (),
        # arguments: made by ci/generated.py
        sensitive: frozenset[str] = ...,
        max_header_list_size: int = 262144,
        max_fields: int = 512,
        max_status_line: int = 8192,
        max_informational: int = 32,
        max_informational_size: int = 262144,
        max_trailer_size: int = 16384,
        max_trailer_fields: int = 64,
        max_chunk_line: int = 4096,
        max_pipelined: int = 100,
        tolerance: int = 0,
        case_sensitive_headers: bool = False,
        skip_target_validation: bool = False,
        status_reason: bool = False,
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
    def forward_proxy(self) -> bool: ...
    @property
    def proxy_headers(self) -> tuple[tuple[str, str], ...]: ...
    # options: made by ci/generated.py
    @property
    def sensitive(self) -> frozenset[str]: ...
    @property
    def max_header_list_size(self) -> int: ...
    @property
    def max_fields(self) -> int: ...
    @property
    def max_status_line(self) -> int: ...
    @property
    def max_informational(self) -> int: ...
    @property
    def max_informational_size(self) -> int: ...
    @property
    def max_trailer_size(self) -> int: ...
    @property
    def max_trailer_fields(self) -> int: ...
    @property
    def max_chunk_line(self) -> int: ...
    @property
    def max_pipelined(self) -> int: ...
    @property
    def tolerance(self) -> int: ...
    @property
    def case_sensitive_headers(self) -> bool: ...
    @property
    def skip_target_validation(self) -> bool: ...
    @property
    def status_reason(self) -> bool: ...
    # end of options
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...

def renamed(usual: Config, hostname: str, port: int, scheme: str, identity: int) -> Config:
    """Return the same options and limits for another connection, without checking them again."""
