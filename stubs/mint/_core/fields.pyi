# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

SENSITIVE: frozenset[str]
CONNECTION_SPECIFIC: frozenset[str]
FORBIDDEN_IN_TRAILERS: frozenset[str]
DEFAULT_PORTS: dict[str, int]

def authority(hostname: str, port: int, scheme: str) -> str: ...
TOLERANCES: tuple[str, ...]
