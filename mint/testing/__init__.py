"""Servers for tests: one that plays a script byte by byte, and a small well-behaved origin.

They listen on loopback in threads of their own, need nothing but the standard library, and always
end.
"""

from .peer import Peer
from .scripted import ScriptedServer, ScriptError
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
    "Close",
    "Do",
    "Drain",
    "Expect",
    "ExpectCount",
    "ExpectEnd",
    "ExpectUntil",
    "Flood",
    "Forever",
    "Peer",
    "Reset",
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
    "request",
]
