"""Priorities of requests (RFC 9218), as sent in the `priority` field and in PRIORITY_UPDATE frames."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from . import _checks

MOST_URGENCY: Final = 7
DEFAULT_URGENCY: Final = 3

# RFC 8941 4.2: a dictionary, of which only integers and booleans are used here. Every repetition is
# possessive, so that parsing takes linear time whatever a server sends.
_BARE = (
    r"""(?:-?[0-9]{1,15}+(?:\.[0-9]{1,3}+)?+|"(?:[ !\#-\[\]-~]|\\["\\])*+"|:[A-Za-z0-9+/=]*+:|\?[01]"""
    r"""|[A-Za-z*][!\#$%&'*+\-.^_`|~\w:/]*+)"""
)
_PARAMETERS = rf"(?:; *+[a-z*][a-z0-9_\-.*]*+(?:={_BARE})?+)*+"
_INNER_LIST = rf"\( *+(?:{_BARE}{_PARAMETERS}(?: ++|(?=\))))*+\)"
_MEMBER: Final = re.compile(
    rf"(?P<key>[a-z*][a-z0-9_\-.*]*+)(?:=(?:{_INNER_LIST}|(?P<bare>{_BARE})))?+{_PARAMETERS}", re.ASCII
)
_BETWEEN: Final = re.compile(r"[ \t]*+,[ \t]*+")


@dataclass(frozen=True, slots=True)
class Priority:
    """How urgent a response is, and whether its parts are useful as they arrive. RFC 9218 4.

    Send it with a request as a field, `headers=[mint.Priority(1).field()]`, over either protocol; on HTTP/2
    `HTTP2.update_priority` changes it later. The server is free to ignore it.

    Attributes:
        urgency: 0 (first) to 7 (in the background).
        incremental: whether the client can use parts of the response, so that the server should interleave
            several such responses.

    Raises `ValueError` for any other value.

    """

    urgency: int = DEFAULT_URGENCY
    incremental: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "urgency", _checks.number("urgency", self.urgency, 0, MOST_URGENCY))
        _checks.flag("incremental", self.incremental)

    @property
    def value(self) -> str:
        """The value of the field, for example `"u=1, i"`."""
        return f"u={self.urgency}, i" if self.incremental else f"u={self.urgency}"

    def field(self) -> tuple[str, str]:
        """Return the field as a pair of name and value, for the headers of a request."""
        return "priority", self.value

    @classmethod
    def parse(cls, value: str) -> Self:
        """Return the priority in the field of a response, with which a server overrides that of the request.

        As RFC 9218 4 requires, parameters that are unknown, out of range or of the wrong type are ignored. A
        field that is not a dictionary (RFC 8941) is ignored as a whole.
        """
        found = _members(_checks.exact_text("value", value))
        urgency, incremental = found.get("u"), found.get("i")
        return cls(
            int(urgency)
            if urgency is not None and re.fullmatch(r"0{0,14}[0-7]", urgency)
            else DEFAULT_URGENCY,
            incremental == "?1",
        )


def _members(value: str) -> dict[str, str]:
    """Return the members of a dictionary (RFC 8941) as text, an inner list as empty text; none if invalid."""
    value = value.strip(" ")
    members: dict[str, str] = {}
    at = 0
    while at < len(value):
        member = _MEMBER.match(value, at)
        if member is None:
            return {}
        at = member.end()
        has_value = value.startswith("=", member.end("key"))
        members[member["key"]] = (member["bare"] or "") if has_value else "?1"
        if at == len(value):
            break
        between = _BETWEEN.match(value, at)
        if between is None or between.end() == len(value):
            return {}
        at = between.end()
    return members
