"""Certificates for tests, created on demand."""

from __future__ import annotations

import ssl
from functools import cache

import trustme

import mint


@cache
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(*names: str, alpn: tuple[str, ...] = (), ask_client: bool = False) -> ssl.SSLContext:
    """Return a server context with a certificate for these names."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority().issue_cert(*(names or ("localhost", "127.0.0.1", "::1"))).configure_cert(context)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if ask_client:
        context.verify_mode = ssl.CERT_REQUIRED
        authority().configure_trust(context)
    return context


def trusting(
    *,
    server_hostname: str | None = None,
    cert_file: str | None = None,
    maximum_version: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
) -> mint.TLSOptions:
    """Return client options that trust only this authority."""
    return mint.TLSOptions(
        ca_data=authority().cert_pem.bytes().decode(),
        server_hostname=server_hostname,
        cert_file=cert_file,
        maximum_version=maximum_version,
    )
