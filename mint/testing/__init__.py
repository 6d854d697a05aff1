"""Servers for tests: one that plays a script byte by byte, and a small correct origin server.

They listen on the loopback interface, each in its own threads, need only the standard library, and always
stop when the test ends.
"""

from . import hpack, http2
from .messages import Body, Fields, Handler, Headers, Lost, Push, Request, Response
from .origin import Origin
from .peer import Peer
from .refusing import RefusingServer
from .replaying import replay
from .scripted import Script, ScriptedServer, ScriptError, optional, repeated
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
    MayEnd,
    Pause,
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
    trickle,
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
    "Fields",
    "Flood",
    "Forever",
    "Handler",
    "Headers",
    "Lost",
    "MayEnd",
    "Origin",
    "Pause",
    "Peer",
    "Push",
    "RefusingServer",
    "Request",
    "Reset",
    "Response",
    "Script",
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
    "hpack",
    "http2",
    "optional",
    "repeated",
    "replay",
    "request",
    "showcase",
    "trickle",
]
