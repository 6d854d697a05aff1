"""HTTP/2 alone: `connect` insists on it, `initiate` speaks it over a link of your own."""

from ._connections.http2 import HTTP2, connect, initiate

__all__ = ["HTTP2", "connect", "initiate"]
