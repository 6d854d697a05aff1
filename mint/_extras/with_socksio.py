"""Whether SOCKS proxies can be used: mint/_connect/socks.py needs the package `socksio`."""

import importlib.util

INCLUDED = True


def is_available() -> bool:
    """Whether the package is installed."""
    return INCLUDED and importlib.util.find_spec("socksio") is not None
