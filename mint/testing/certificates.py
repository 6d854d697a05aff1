"""Certificates for tests: a certificate authority of the test, and TLS contexts that use and trust it.

This module needs the package `trustme`, which `pip install mint-http[testing]` installs.
"""

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
    """A certificate authority that exists for the test only; nobody else trusts it.

    For example::

        authority = Authority()
        with Origin(handler, tls=authority.server_context(alpn=["h2"])) as origin:
            fetch(origin.port, context=authority.client_context())
    """

    def __init__(self) -> None:
        self._authority = trustme.CA()

    @property
    def pem(self) -> str:
        """The certificate that clients have to trust, in the form that `cadata` and `ca_data` take."""
        return self._authority.cert_pem.bytes().decode("ascii")

    def write_pem(self, path: Path) -> Path:
        """Write `pem` to a file, for clients that want the name of one, and return the path."""
        path.write_text(self.pem, encoding="ascii")
        return path

    def server_context(
        self,
        *names: str,
        alpn: Sequence[str] = (),
        expired: bool = False,
        client_certificates: bool = False,
    ) -> ssl.SSLContext:
        """Return a context for servers, with a certificate for `names`: hosts and addresses.

        Without names it is for loopback. `alpn` are the protocols to agree on, in order (RFC 7301).
        `client_certificates` asks every client for a certificate of this authority.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        yesterday = datetime.now(tz=UTC) - timedelta(days=1)
        issued = self._authority.issue_cert(
            *(names or LOOPBACK_NAMES), not_after=yesterday if expired else None
        )
        _use(context, issued)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        if client_certificates:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=self.pem)
        return context

    def client_context(self, *, alpn: Sequence[str] = (), certificate: str | None = None) -> ssl.SSLContext:
        """Return a context for clients that trusts this authority and nobody else.

        `certificate` is a name in a certificate of the client's own, for servers that ask for one.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.pem)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        if certificate is not None:
            _use(context, self._authority.issue_cert(certificate))
        return context


def _use(context: ssl.SSLContext, certificate: trustme.LeafCert) -> None:
    with certificate.private_key_and_cert_chain_pem.tempfile() as path:
        context.load_cert_chain(path)
