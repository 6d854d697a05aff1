"""Servers for tests: one that plays a script byte by byte, and a small well-behaved origin.

They listen on loopback in threads of their own, need nothing but the standard library, and always
end.
"""

from . import http2
from .messages import Body, Handler, Headers, Lost, Push, Request, Response
from .origin import Origin
from .peer import Peer
from .scripted import ScriptedServer, ScriptError
from .showcase import showcase
from .steps import (
    Close,
    Do,
    Drain,
    Expect,
    ExpectCount,
    ExpectEnd,
    ExpectUntil,
    Flood,
    Forever,
    Reset,
    Send,
    SendRaw,
    Set,
    ShutWrite,
    StartTLS,
    Step,
    Truncate,
    Unexpected,
    Wait,
    bytewise,
    request,
)

__all__ = [
    "Body",
    "Close",
    "Do",
    "Drain",
    "Expect",
    "ExpectCount",
    "ExpectEnd",
    "ExpectUntil",
    "Flood",
    "Forever",
    "Handler",
    "Headers",
    "Lost",
    "Origin",
    "Peer",
    "Push",
    "Request",
    "Reset",
    "Response",
    "ScriptError",
    "ScriptedServer",
    "Send",
    "SendRaw",
    "Set",
    "ShutWrite",
    "StartTLS",
    "Step",
    "Truncate",
    "Unexpected",
    "Wait",
    "bytewise",
    "http2",
    "request",
    "showcase",
]
