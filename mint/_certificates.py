"""The names in a certificate, and the rules by which a host name matches them. RFC 5280 4.2.1.6, RFC 9525."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from . import _checks
from ._hosts import literal

if TYPE_CHECKING:
    from collections.abc import Callable

HostnameCheck: TypeAlias = "Callable[[str, CertificateNames], bool]"
"""Decides whether a certificate is good for a host name. See `TLSOptions.check_hostname`."""
PEM: TypeAlias = str | bytes
"""Certificates and keys in PEM (RFC 7468)."""

_LEAST_DOTS: Final = 2
"""`*.example.com` may match, `*.com` may not."""


@dataclass(frozen=True, slots=True)
class CertificateNames:
    """The names a server's certificate was issued for: its subject alternative names. RFC 5280 4.2.1.6.

    Attributes:
        dns: the DNS names, as the certificate spells them; `"*.example.com"` is a wildcard.
        addresses: the IP addresses, as `ipaddress` spells them.
        certificate: the whole certificate in DER, for other checks.

    """

    dns: tuple[str, ...]
    addresses: tuple[str, ...]
    certificate: bytes = field(default=b"", repr=False)

    def match(self, hostname: str) -> bool:
        """Whether one of the names is this host name, or a wildcard for it.

        Names are compared case-insensitively (RFC 9525 6.3). `*` stands for exactly one label, the first one,
        and never for a label directly below a top-level domain. Unlike OpenSSL, this lets a wildcard match a
        label with an underscore. An IP address matches an IP address only.
        """
        address = literal(hostname)
        if address is not None:
            return str(address) in self.addresses
        wanted = hostname.lower().removesuffix(".")
        return any(_matches(wanted, name.lower().removesuffix(".")) for name in self.dns)


def _matches(wanted: str, name: str) -> bool:
    if "*" not in name:
        return bool(wanted) and wanted == name
    first, _, rest = name.partition(".")
    label, _, others = wanted.partition(".")
    return (
        first == "*"
        and "*" not in rest
        and name.count(".") >= _LEAST_DOTS
        and bool(label)
        and "*" not in label
        and rest == others
    )


def names_in(alternatives: object, certificate: bytes) -> CertificateNames:
    """Return the names in a certificate, given the `subjectAltName` entry that `getpeercert` returned."""
    dns: list[str] = []
    addresses: list[str] = []
    for pair in alternatives if _checks.is_sequence(alternatives) else ():
        match pair:
            case ("DNS", str(name)):
                dns.append(name)
            case ("IP Address", str(address)) if (known := literal(address.strip())) is not None:
                addresses.append(str(known))
            case _:
                pass
    return CertificateNames(tuple(dns), tuple(addresses), certificate)


def check_hostname_check(name: str, value: object) -> None:
    """Refuse anything but a plain function: a coroutine would be a true value for every host."""
    if not callable(value):
        raise TypeError(f"{name} must be a function of a host name and CertificateNames, or None")
    if _checks.is_coroutine_function(value):
        raise TypeError(f"{name} must be a function that returns True or False, not a coroutine function")


def check_pem(name: str, value: object) -> PEM:
    """Return PEM text or octets. Errors never show the value, because it may be a key."""
    exact: PEM | None = None
    if isinstance(value, str):
        exact = _checks.text(name, value, secret=True)
        found = "-----BEGIN " in exact
    elif isinstance(value, bytes):
        exact = _checks.octets(value)
        found = exact is not None and b"-----BEGIN " in exact
    else:
        found = False
    if exact is None or not found:
        raise ValueError(f"{name} must be PEM, as str or bytes, but there is no '-----BEGIN' in it")
    return exact
