"""Pinned certificates: whether a server's certificate has one of the expected fingerprints.

A fingerprint is the SHA-256 of the certificate in DER, or of the public key in it (SubjectPublicKeyInfo,
RFC 5280 4.1), which stays the same when the certificate is renewed for the same key, as in RFC 7469 2.4.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

SEQUENCE, VERSION = 0x30, 0xA0
BEFORE_KEY = 5
"""The number of elements between the version and the key: serial, algorithm, issuer, validity, subject."""
LONG = 0x80


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """Return the tag of an element, and the start and end of its content; `ValueError` if it is truncated."""
    if at + 2 > len(der):
        raise ValueError(f"the DER element at octet {at} is truncated")
    tag, size, start = der[at], der[at + 1], at + 2
    if size >= LONG:
        count = size - LONG
        size, start = int.from_bytes(der[start : start + count]), start + count
    if start + size > len(der):
        raise ValueError(f"the DER element at octet {at} is truncated")
    return tag, start, start + size


def public_key(certificate: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of a certificate in DER. Raises `ValueError` for anything else."""
    _, at, _ = _element(certificate, 0)
    _, at, _ = _element(certificate, at)
    tag, _, end = _element(certificate, at)
    if tag == VERSION:
        at = end
    for _ in range(BEFORE_KEY):
        at = _element(certificate, at)[2]
    tag, _, end = _element(certificate, at)
    if tag != SEQUENCE:
        raise ValueError("the certificate has no public key where RFC 5280 places it")
    return certificate[at:end]


def fingerprints_of(certificate: bytes) -> tuple[str, ...]:
    """Return the fingerprints of a certificate and of its key, in lower-case hexadecimal."""
    found = [hashlib.sha256(certificate).hexdigest()]
    with contextlib.suppress(ValueError):  # OpenSSL accepted it, so its own fingerprint is still valid
        found.append(hashlib.sha256(public_key(certificate)).hexdigest())
    return tuple(found)


def is_pinned(certificate: bytes | None, pins: Collection[str]) -> bool:
    """Whether a certificate has one of these fingerprints."""
    return certificate is not None and any(each in pins for each in fingerprints_of(certificate))
