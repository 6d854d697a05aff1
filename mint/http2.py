"""HTTP/2 only: `connect` fails if the server does not support it; `initiate` uses it over a given link."""

from ._connections.http2 import HTTP2, connect, initiate

__all__ = ["HTTP2", "connect", "initiate"]
