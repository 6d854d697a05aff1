# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

SENSITIVE: frozenset[str]
SENSITIVE_LETTERS: frozenset[str]
CONNECTION_SPECIFIC: frozenset[str]
FORBIDDEN_IN_TRAILERS: frozenset[str]
DEFAULT_PORTS: dict[str, int]

def authority(hostname: str, port: int, scheme: str) -> str:
    """Return host and port as in Host and :authority: IPv6 in brackets, without a zone or the default port.

    A port of 0 means that there is none (a Unix socket). RFC 9110 7.2, RFC 9112 3.2.
    """
TOLERANCES: tuple[str, ...]
