"""HTTP/1.1 alone: `connect` speaks it whatever else the server offers, `initiate` over a link of your own."""

from ._connections.http1 import HTTP1, connect, initiate

__all__ = ["HTTP1", "connect", "initiate"]
