"""The servers as fixtures; each is started when the first test asks for it."""

from .proxies import locked_microsocks, locked_tinyproxy, microsocks, nghttpx, pproxy, squid, tinyproxy
from .servers import apache, nginx, node, site

__all__ = [
    "apache",
    "locked_microsocks",
    "locked_tinyproxy",
    "microsocks",
    "nghttpx",
    "nginx",
    "node",
    "pproxy",
    "site",
    "squid",
    "tinyproxy",
]
