"""The identity of the server: its certificates as data, and the checks that OpenSSL does not do."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, TypeGuard

from .._certificates import names_in
from .._checks import is_sequence, shown
from ..errors import CertificateNotPinned, HostnameRejected
from .pins import fingerprints_of, is_pinned

if TYPE_CHECKING:
    from .._certificates import HostnameCheck
    from ..types import TLSInfo

_DER = 2
"""The value of `ENCODING_DER` in `_ssl`."""


def _list_from(owner: object, name: str) -> list[object] | None:
    ask: object = getattr(owner, name, None)
    if not callable(ask):
        return None
    found: object = ask()
    return list(found) if is_sequence(found) else []


def _chain(tls: ssl.SSLObject, name: str) -> list[object]:
    """Return a certificate chain; in Python 3.11 and 3.12, only the inner object has it."""
    public = _list_from(tls, name)
    return (_list_from(getattr(tls, "_sslobj", None), name) or []) if public is None else public


def _der(certificate: object) -> bytes:
    if isinstance(certificate, bytes):
        return certificate
    made: object = getattr(certificate, "public_bytes")(_DER)  # noqa: B009  # a class of `_ssl` without a type
    return made if isinstance(made, bytes) else b""


def _verifies(context: ssl.SSLContext) -> bool:
    """Whether OpenSSL verified the certificate; with `truststore`, the operating system does."""
    openssl = getattr(type(context), "wrap_bio", None) is ssl.SSLContext.wrap_bio
    return openssl and context.verify_mode is ssl.CERT_REQUIRED


def chains(tls: ssl.SSLObject) -> tuple[bytes | None, tuple[bytes, ...], tuple[bytes, ...]]:
    """Return the peer's certificate, the chain it sent, and the chain that was verified."""
    certificate = tls.getpeercert(binary_form=True)
    # A certificate that is in both chains is kept once.
    once: dict[bytes, bytes] = {} if certificate is None else {certificate: certificate}
    sent = [once.setdefault(der, der) for der in map(_der, _chain(tls, "get_unverified_chain"))]
    if not _verifies(tls.context) or tls.session_reused:
        return certificate, tuple(sent), ()
    verified = [once.setdefault(der, der) for der in map(_der, _chain(tls, "get_verified_chain"))]
    return certificate, tuple(sent), tuple(verified)


def _alternatives(tls: ssl.SSLObject) -> object:
    """Return the subject alternative names in the form of `ssl`, even if OpenSSL did not verify."""
    found = tls.getpeercert()
    if found:
        return found.get("subjectAltName")
    # `ssl` decodes a certificate only if it verified it; the certificates of the inner object always can.
    sent = _list_from(getattr(tls, "_sslobj", None), "get_unverified_chain") or []
    ask: object = getattr(sent[0], "get_info", None) if sent else None
    info: object = ask() if callable(ask) else None
    return info.get("subjectAltName") if _is_info(info) else None


def _is_info(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def check_name(tls: ssl.SSLObject, known: TLSInfo, check: HostnameCheck) -> None:
    """Call the caller's check of whether the certificate is valid for the host. Raises `HostnameRejected`."""
    hostname = known.server_hostname or ""
    names = names_in(_alternatives(tls), known.peer_certificate or b"")
    try:
        good: object = check(hostname, names)
    except Exception as error:
        raise HostnameRejected(f"check_hostname failed for {shown(hostname)}") from error
    if good is True:
        return
    if good is False:
        found = ", ".join((*names.dns, *names.addresses))
        raise HostnameRejected(f"check_hostname refused {shown(hostname)}: it is for {shown(found)}")
    _forget(good)
    raise HostnameRejected(f"check_hostname returned {type(good).__name__}, neither True nor False")


def _forget(good: object) -> None:
    """Close a coroutine, which would warn that it was never awaited."""
    close: object = getattr(good, "close", None)
    if hasattr(good, "__await__") and callable(close):
        close()


def check_pins(certificate: bytes | None, pins: frozenset[str]) -> None:
    """Raise `CertificateNotPinned` for a certificate with none of the pinned fingerprints."""
    if not is_pinned(certificate, pins):
        found = fingerprints_of(certificate or b"")[0]
        raise CertificateNotPinned(
            f"it has none of the pinned fingerprints; the SHA-256 of the certificate is {found}"
        )
