"""Certificates for tests: a certificate authority, and TLS contexts that use its certificates or trust it.

This module needs the package `trustme`, which `pip install mint-http[testing]` installs.
"""

import os
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

try:
    import trustme
except ImportError as _missing:  # pragma: no cover  the tests have it
    raise ImportError(
        "mint.testing.certificates needs trustme: pip install 'mint-http[testing]'"
    ) from _missing

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")


class Authority:
    """A certificate authority with a new key, which only the contexts of the test trust.

    For example::

        authority = Authority()
        with Origin(handler, tls=authority.server_context(alpn=["h2"])) as origin:
            fetch(origin.port, context=authority.client_context())
    """

    def __init__(self) -> None:
        self._authority = trustme.CA()

    @property
    def pem(self) -> str:
        """The certificate that clients have to trust, as PEM text (`cadata` of `ssl`, `ca_data` of mint)."""
        return self._authority.cert_pem.bytes().decode("ascii")

    def write_pem(self, path: str | os.PathLike[str]) -> Path:
        """Write `pem` to a file, for clients that take the path of one, and return the path."""
        written = Path(path)
        written.write_text(self.pem, encoding="ascii")
        return written

    def server_context(
        self,
        *names: str,
        alpn: Sequence[str] = (),
        expired: bool = False,
        client_certificates: bool = False,
    ) -> ssl.SSLContext:
        """Return a context for servers, with a new certificate.

        Args:
            names: the host names and IP addresses of the certificate; by default those of the loopback
                interface (`localhost`, `127.0.0.1`, `::1`).
            alpn: the ALPN protocols that the server supports, the preferred one first (RFC 7301).
            expired: make a certificate that expired yesterday.
            client_certificates: require a certificate of this authority from every client.

        Raises `TypeError` if `alpn` is text.

        """
        protocols = _protocols(alpn)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        yesterday = datetime.now(tz=UTC) - timedelta(days=1)
        issued = self._authority.issue_cert(
            *(names or LOOPBACK_NAMES), not_after=yesterday if expired else None
        )
        _use(context, issued)
        if protocols:
            context.set_alpn_protocols(protocols)
        if client_certificates:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=self.pem)
        return context

    def client_context(self, *, alpn: Sequence[str] = (), certificate: str | None = None) -> ssl.SSLContext:
        """Return a context for clients that trusts only this authority.

        Args:
            alpn: the ALPN protocols to offer, the preferred one first (RFC 7301).
            certificate: a host name for a certificate of the client, for servers that require one; by default
                the client has none.

        Raises `TypeError` if `alpn` is text.

        """
        protocols = _protocols(alpn)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.pem)
        if protocols:
            context.set_alpn_protocols(protocols)
        if certificate is not None:
            _use(context, self._authority.issue_cert(certificate))
        return context


def _protocols(alpn: Sequence[str]) -> list[str]:
    """Return the protocols as a list; refuse `alpn="h2"`, which would be the protocols `h` and `2`."""
    if isinstance(alpn, str):
        raise TypeError(f"alpn must be a list of protocols: write [{alpn!r}]")
    return list(alpn)


def _use(context: ssl.SSLContext, certificate: trustme.LeafCert) -> None:
    with certificate.private_key_and_cert_chain_pem.tempfile() as path:
        context.load_cert_chain(path)
