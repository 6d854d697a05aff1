"""Host names and IP literals: which are valid, and in which form they are sent.

Nothing is decoded, guessed or cut off: a host is an IP literal, or a name that the rules below allow, or it
is refused. Names that are not ASCII need the optional package `idna`. RFC 3986 3.2.2, RFC 5890, RFC 6874.
"""

from __future__ import annotations

import ipaddress
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from ._extras import remedy, with_idna
from .types import UnixAddress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .types import Address, Scheme

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

DEFAULT_PORTS: Final[Mapping[Scheme, int]] = {"http": 80, "https": 443}
"""The default port of each scheme (RFC 9110 4.2.1, 4.2.2)."""

MAX_PORT: Final = 65_535
MAX_NAME: Final = 253
MAX_LABEL: Final = 63

# reg-name of RFC 3986 3.2.2 without percent-encoding, and without the comma, which joins lists of fields.
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+;=")


def literal(address: Address) -> IPAddress | None:
    """Return the IP address that this is, with or without brackets; `None` for a name or a Unix socket."""
    if isinstance(address, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
        return address
    if isinstance(address, UnixAddress):
        return None
    text = address[1:-1] if address.startswith("[") and address.endswith("]") else address
    # Text that is not a host may contain a password, so it is not cached.
    return _remembered(text) if len(text) <= MAX_NAME and "@" not in text else _parsed(text)


def _parsed(text: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


# The same text is parsed three times for each connection, and most connections lead to few hosts.
_remembered = lru_cache(maxsize=128)(_parsed)


def is_localhost(name: str) -> bool:
    """Whether a name always means this machine: localhost, or a name below it (RFC 6761 6.3)."""
    lower = name.lower().removesuffix(".")
    return lower == "localhost" or lower.endswith(".localhost")


@lru_cache(maxsize=128)
def _dotted(number: int) -> str:
    return str(ipaddress.IPv4Address(number))


def without_zone(known: IPAddress) -> str:
    """Return an IP address as text; a zone is meaningful only on this machine (RFC 6874 4)."""
    if type(known) is ipaddress.IPv4Address:
        return _dotted(int(known))  # cached, because `ipaddress` formats slowly
    return str(known).partition("%")[0]


def ascii_host(text: str) -> str:
    """Return a host in the form in which it is sent: an IP address without zone, or an ASCII name.

    Raises `ValueError` if the text is not a host.
    """
    known = literal(text)
    return ascii_name(text) if known is None else without_zone(known)


def _no_name(text: str) -> str:
    return f"{text!r} is not a host name: it must not contain a user, a port, a path or percent-encoding"


def ascii_name(text: str) -> str:
    """Return a host name in ASCII (A-labels). Raises `ValueError` for what is not a host name."""
    at = max(text.rfind("@"), text.rfind("%40"))
    if at >= 0:
        # There may be a password before it.
        raise ValueError(_no_name(f"(redacted){text[at:]}"))
    name = text if text.isascii() else _encode(text)
    if not name or not _ALLOWED.issuperset(name):
        raise ValueError(_no_name(text))
    labels = name.removesuffix(".").split(".")
    if len(name) > MAX_NAME or not all(0 < len(label) <= MAX_LABEL for label in labels):
        raise ValueError(
            f"{text!r} is not a host name: labels have 1 to {MAX_LABEL} characters, names at most {MAX_NAME}"
        )
    if _is_number(labels[-1]):
        raise ValueError(f"{text!r} is neither a host name nor an IPv4 address with four decimal parts")
    for label in labels:
        _check_label(label)
    return name


def _is_number(label: str) -> bool:
    """Whether this last label makes other software read the name as an IPv4 address (127.1, 0x7f.1)."""
    return label.isdigit() or (
        label[:2].lower() == "0x" and all(c in "0123456789abcdefABCDEF" for c in label[2:])
    )


def _check_label(label: str) -> None:
    """Refuse an A-label that is not the encoding of normalized, printable Unicode (RFC 5891 4.2.1, 5.4)."""
    if label[:4].lower() != "xn--":
        return
    encoded = label[4:].lower()
    try:
        decoded = encoded.encode("ascii").decode("punycode")
        same = decoded.encode("punycode").decode("ascii") == encoded
    except (UnicodeError, ValueError, OverflowError):
        same, decoded = False, ""
    normal = decoded.isprintable() and unicodedata.is_normalized("NFC", decoded)
    if not same or decoded.isascii() or not normal:
        raise ValueError(f"{label!r} is not a valid A-label")


def _encode(text: str) -> str:
    """Return the A-labels of an internationalized name (IDNA 2008), lowercased first (RFC 5895 2.1)."""
    try:
        return with_idna.encode(unicodedata.normalize("NFC", text.lower()))
    except ModuleNotFoundError:
        advice = remedy("idna", is_included=with_idna.INCLUDED)
        raise ValueError(
            f"{text!r} is an internationalized name, which needs the package idna: {advice}, or give its "
            "A-labels (xn--...)"
        ) from None
    except UnicodeError as error:
        raise ValueError(f"{text!r} is not a valid internationalized name: {error}") from error
