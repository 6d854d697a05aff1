"""HTTP/1.1 only: `connect` uses it even if the server offers HTTP/2; `initiate` uses it over a given link."""

from ._connections.http1 import HTTP1, connect, initiate

__all__ = ["HTTP1", "connect", "initiate"]
