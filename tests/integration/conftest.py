"""The servers as fixtures; each is started when the first test asks for it."""

from .proxies import dante, locked_microsocks, locked_tinyproxy, microsocks, nghttpx, squid, tinyproxy
from .servers import apache, nginx, node, site

__all__ = [
    "apache",
    "dante",
    "locked_microsocks",
    "locked_tinyproxy",
    "microsocks",
    "nghttpx",
    "nginx",
    "node",
    "site",
    "squid",
    "tinyproxy",
]
