"""Messages for what is wrong with a target, a field name or a field value of a request.

A fault contains the position (`size`) of a character (`limit`) that may not be sent, so that the message
can name it even if the value is a secret. If all characters are allowed, its code says what else is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._core.faults import Fault

# In the order of the WHY_ numbers of `_core/fields.pxd`.
_MEANINGS = (
    "",
    "it is not a host with an optional port",
    "it differs from the host that the request is for",
    "te must not name chunked, which every recipient accepts",
    "over HTTP/2, te may only be trailers",
    "it names a field that must reach the origin",
    "it names no protocol",
)


def _seen(fault: Fault) -> str:
    if fault.limit > 0xFF:
        return f"character U+{fault.limit:04X} at position {fault.size}"
    return f"byte 0x{fault.limit:02x} at position {fault.size}"


def of_target(fault: Fault) -> tuple[str, ...]:
    """Return what is wrong with a target; nothing if the target has the wrong form."""
    if fault.size < 0:
        return ()
    return (f"{_seen(fault)} must be percent-encoded",)


def of_name(fault: Fault) -> tuple[str, ...]:
    """Return what is wrong with a field name."""
    if fault.code:
        return ("extended CONNECT does not use it",)
    if fault.size < 0:
        return ("it is empty",)
    return (f"{_seen(fault)} is not allowed in a field name",)


def of_value(fault: Fault) -> tuple[str, ...]:
    """Return what is wrong with a field value."""
    if fault.code:
        return (_MEANINGS[fault.code],)
    if fault.size < 0:
        return ()
    if fault.limit > 0xFF:
        return (f"{_seen(fault)} is not in latin-1",)
    if fault.limit in {0x20, 0x09}:
        return ("it begins with whitespace" if fault.size == 0 else "it ends with whitespace",)
    return (f"{_seen(fault)} is a control character",)
