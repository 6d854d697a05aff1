"""TLS as a layer without a socket: ciphertext in, plaintext out, and back (`ssl.MemoryBIO`).

Layers stack, so TLS inside TLS is two of them. Contexts are made here too. What trust means is decided
by OpenSSL; nothing here parses a certificate. RFC 9112 9.7, 9.8; RFC 9113 9.2.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import certifi

from ..errors import CertificateRejected, TLSFailed
from ..types import TLSInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..errors import TransportError
    from ..options import TLSOptions

RECORD = 65_536
"""How much plaintext is taken out of OpenSSL at a time."""

# RFC 9113 9.2.2 forbids the suites of its appendix A: what remains is ephemeral key exchange and AEAD.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20"


def tls_error(error: ssl.SSLError | OSError | ValueError) -> TransportError:
    """Return the transport error for a failure of `ssl`; the original is its cause."""
    made: TransportError
    if isinstance(error, ssl.SSLCertVerificationError):
        made = CertificateRejected(error.verify_message or str(error))
    elif isinstance(error, ssl.SSLError):
        # Some errors of ssl have no reason at all.
        made = TLSFailed((getattr(error, "reason", None) or str(error)).replace("_", " ").lower())
    else:
        made = TLSFailed(str(error))
    made.__cause__ = error
    return made


def _has_store() -> bool:
    """Whether the operating system has a folder of certificates that OpenSSL looks into by need."""
    folder = ssl.get_default_verify_paths().capath
    return folder is not None and any(Path(folder).iterdir())


def _trust(context: ssl.SSLContext, options: TLSOptions) -> None:
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return
    if options.ca_file is not None or options.ca_data is not None:
        context.load_verify_locations(cafile=options.ca_file, cadata=options.ca_data)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        if not context.get_ca_certs() and not _has_store():
            context.load_verify_locations(cafile=certifi.where())
    if options.partial_chain:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


def make_context(options: TLSOptions, alpn: Sequence[str]) -> ssl.SSLContext:
    """Return the context that the options describe, offering these protocols.

    Raises `TLSFailed` where a file cannot be loaded or a cipher string names nothing.
    """
    try:
        if options.context is not None:
            context = options.context
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = options.minimum_version
            context.maximum_version = options.maximum_version
            context.set_ciphers(options.ciphers or CIPHERS)
            context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
            context.post_handshake_auth = False
            _trust(context, options)
            if options.cert_file is not None:
                context.load_cert_chain(options.cert_file, options.key_file, options.key_password)
            key_log = os.environ.get("SSLKEYLOGFILE")
            if key_log:
                context.keylog_filename = key_log
        context.set_alpn_protocols(list(alpn))
    except (ssl.SSLError, OSError, ValueError) as error:
        raise tls_error(error) from error
    return context


class TLSLayer:
    """One TLS connection between two streams of octets."""

    __slots__ = ("_arriving", "_leaving", "_object", "clean_end", "ended", "failure")

    def __init__(self, context: ssl.SSLContext, server_hostname: str | None) -> None:
        """Start a client; `server_hostname` is for SNI and for the certificate check."""
        self._arriving = ssl.MemoryBIO()
        self._leaving = ssl.MemoryBIO()
        self.clean_end = False
        """Whether the peer sent close_notify."""
        self.ended = False
        """Whether no more plaintext will come."""
        self.failure: TransportError | None = None
        """What broke the layer: no more plaintext will come after what was read."""
        try:
            self._object = context.wrap_bio(self._arriving, self._leaving, server_hostname=server_hostname)
        except (ssl.SSLError, ValueError) as error:
            raise tls_error(error) from error

    @property
    def waiting(self) -> int:
        """How many octets cannot be sent yet: none, after the handshake."""
        return 0

    def handshake(self) -> bool:
        """Go on with the handshake; true when it is done. Raises `TLSFailed`."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except (ssl.SSLError, OSError) as error:
            raise tls_error(error) from error
        return True

    def feed(self, ciphertext: bytes) -> None:
        """Take what came from the peer; `b""` says that the peer ended."""
        if ciphertext:
            self._arriving.write(ciphertext)
        else:
            self._arriving.write_eof()

    def read(self) -> bytes:
        """Return the plaintext that is there, all of it; sets `ended` at the end. Raises `TLSFailed`."""
        if self.failure is not None:
            raise self.failure
        pieces: list[bytes] = []
        read = self._object.read
        try:
            while True:
                piece = read(RECORD)
                if not piece:
                    self.ended = self.clean_end = True
                    break
                pieces.append(piece)
                if not self._object.pending() and not self._arriving.pending:
                    break
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = self.clean_end = True
        except ssl.SSLEOFError:
            self.ended = True
        except (ssl.SSLError, OSError) as error:
            self.failure = tls_error(error)
            # What was decrypted before the bad record is delivered first.
            if not pieces:
                raise self.failure from error
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def write(self, plaintext: bytes) -> None:
        """Encrypt; the result waits in `leaving`. Raises `TLSFailed`."""
        try:
            self._object.write(plaintext)
        except (ssl.SSLError, OSError) as error:
            raise tls_error(error) from error

    def leaving(self) -> bytes:
        """Return what must be written to the peer now."""
        return self._leaving.read() if self._leaving.pending else b""

    def close_notify(self) -> None:
        """Queue close_notify: no more plaintext will be written."""
        try:
            self._object.unwrap()
        except (ssl.SSLError, OSError, ValueError):
            # Want-read means that ours is queued; anything else, that nobody listens any more.
            return

    @property
    def alpn(self) -> str | None:
        """The protocol that the server chose."""
        return self._object.selected_alpn_protocol()

    def info(self) -> TLSInfo:
        """Return what was negotiated."""
        cipher = self._object.cipher()
        return TLSInfo(
            version=self._object.version() or "",
            cipher=cipher[0] if cipher else "",
            alpn=self.alpn,
            server_hostname=self._object.server_hostname,
            peer_certificate=self._object.getpeercert(binary_form=True),
            resumed=bool(self._object.session_reused),
        )
