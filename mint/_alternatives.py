"""Alternative services (RFC 7838): the contents of an Alt-Svc field or an ALTSVC frame."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from . import _checks
from ._hosts import MAX_PORT

DAY: Final = 86_400
MOST_AGE: Final = 2**31 - 1
"""The largest `max_age`, 68 years; a larger one is reduced to it."""

_WORD = f"{_checks.TCHAR}++"
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_SERVICE: Final = re.compile(rf"(?P<protocol>{_WORD})=(?P<authority>{_QUOTED})")
_PARAMETER: Final = re.compile(rf"[ \t]*+;[ \t]*+(?P<name>{_WORD})=(?P<value>{_WORD}|{_QUOTED})")
_BETWEEN: Final = re.compile(r"(?:[ \t]*+,)++[ \t]*+")
_AUTHORITY: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]++\]|[0-9A-Za-z\-._]*+):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Alternative:
    """One alternative service of an origin. RFC 7838 3.

    Requests to the service keep the URI and the `host` of the origin, and its certificate is checked against
    the name of the origin. So pass `hostname=` to `connect`.

    Attributes:
        protocol: the ALPN name of its protocol, percent-decoded: `"h2"`, `"h3"`.
        host: the host of the service, without brackets; empty for the host of the origin.
        port: its TCP or UDP port, 1 to 65,535.
        max_age: for how many seconds it may be remembered, counted from the time of the response.
        persist: whether it may be kept when the network changes.

    """

    protocol: str
    host: str
    port: int
    max_age: int = DAY
    persist: bool = False


def alternatives(value: str) -> tuple[Alternative, ...]:
    """Return the services that an `alt-svc` field or `AltSvc.value` names, the preferred one first.

    If the value is `clear`, there are none, and those that you remember should be forgotten. Unknown
    parameters are ignored. mint never uses an alternative service by itself. Raises `ValueError` if RFC 7838
    3 does not allow the value. The value comes from a server, so be prepared to ignore it.
    """
    text = _checks.exact_text("value", value).strip(" \t,")
    if text == "clear":
        return ()
    made: list[Alternative] = []
    at = 0
    while True:
        service = _SERVICE.match(text, at)
        if service is None:
            raise ValueError(
                f'an alternative service must be protocol="host:port", not {_checks.shown(text[at:])}'
            )
        at = service.end()
        max_age, persist = DAY, False
        while parameter := _PARAMETER.match(text, at):
            at = parameter.end()
            content = _unquoted(parameter["value"])
            if parameter["name"] == "ma" and content.isascii() and content.isdecimal():
                max_age = int(content) if len(content) < len(str(MOST_AGE)) else MOST_AGE
            elif parameter["name"] == "persist":
                persist = content == "1"
        made.append(_alternative(service["protocol"], _unquoted(service["authority"]), max_age, persist))
        if at == len(text):
            return tuple(made)
        between = _BETWEEN.match(text, at)
        if between is None:
            raise ValueError(f"alternative services are separated by commas, not {_checks.shown(text[at:])}")
        at = between.end()


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def _alternative(protocol: str, authority: str, max_age: int, persist: bool) -> Alternative:
    found = _AUTHORITY.fullmatch(authority)
    if found is None or not 1 <= int(found["port"]) <= MAX_PORT:
        raise ValueError(f"an alternative service must be a host and a port, not {_checks.shown(authority)}")
    name = re.sub("%([0-9A-Fa-f]{2})", lambda octet: chr(int(octet[1], 16)), protocol)
    return Alternative(name, found["host"].strip("[]").lower(), int(found["port"]), max_age, persist)
