# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

SENSITIVE: frozenset[str]
SENSITIVE_LETTERS: frozenset[str]
CONNECTION_SPECIFIC: frozenset[str]
FORBIDDEN_IN_TRAILERS: frozenset[str]
DEFAULT_PORTS: dict[str, int]

def authority(hostname: str, port: int, scheme: str) -> str:
    """Host and port as Host and :authority want them: IPv6 in brackets, zone and default port left out.

    A port of 0 means there is none (a Unix socket). RFC 9110 7.2, RFC 9112 3.2.
    """
TOLERANCES: tuple[str, ...]
