"""Verification of certificates by the operating system, with the package `truststore`."""

import importlib.util
import ssl

INCLUDED = True


def is_available() -> bool:
    """Whether the package is installed."""
    return INCLUDED and importlib.util.find_spec("truststore") is not None


def new_context() -> ssl.SSLContext:
    """Return a context for clients with which the operating system verifies certificates."""
    import truststore  # noqa: PLC0415  # optional

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
