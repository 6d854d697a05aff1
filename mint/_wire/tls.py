"""TLS as a layer without a socket: it converts ciphertext to plaintext and back (`ssl.MemoryBIO`).

Layers stack: TLS inside TLS is two layers. Contexts are made here, too. OpenSSL decides which certificates
are trusted; nothing here parses a certificate. RFC 9112 9.7, 9.8; RFC 9113 9.2.
"""

from __future__ import annotations

import os
import ssl
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from .._core.records import Records
from .._extras import with_certifi, with_truststore
from ..errors import CertificateRejected, HostnameRejected, TLSFailed
from ..types import TLSInfo
from .contexts import shared, stamp, wrapping
from .files import load_certificate, loading
from .peers import chains, check_name, check_pins

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from .._certificates import HostnameCheck
    from ..errors import TransportError
    from ..options import TLSOptions

_ABOUT_THE_NAME = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH

# RFC 9113 9.2.2 forbids the suites of its appendix A; those with ephemeral keys and AEAD remain.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20"


def tls_error(error: ssl.SSLError | OSError | ValueError) -> TransportError:
    """Return the transport error for an error of `ssl`, with the original as its cause."""
    made: TransportError
    if isinstance(error, ssl.SSLCertVerificationError):
        kind = HostnameRejected if error.verify_code in _ABOUT_THE_NAME else CertificateRejected
        made = kind(error.verify_message or str(error))
    elif isinstance(error, ssl.SSLError):
        # Some errors of `ssl` have no reason.
        made = TLSFailed((getattr(error, "reason", None) or str(error)).replace("_", " ").lower())
    else:
        made = TLSFailed(str(error))
    made.__cause__ = error
    return made


def _pass_on(error: OSError) -> None:
    """Raise an error again that has no number, and is not of `ssl`: a signal handler raised it."""
    if error.errno is None and not isinstance(error, ssl.SSLError):
        raise error


def _has_store() -> bool:
    """Whether the operating system has a directory of certificates, which OpenSSL reads when needed."""
    from pathlib import Path  # noqa: PLC0415  # importing it takes longer than all of this module

    folder = ssl.get_default_verify_paths().capath
    return bool(folder) and any(Path(folder).iterdir())


def _trust(context: ssl.SSLContext, options: TLSOptions) -> None:
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return
    if options.ca_file is not None or options.ca_data is not None:
        if options.ca_file is not None:
            with loading(options.ca_file):
                context.load_verify_locations(cafile=options.ca_file)
        if options.ca_data is not None:
            context.load_verify_locations(cadata=options.ca_data)
    elif options.trust in {"auto", "system"}:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        empty = not context.get_ca_certs() and not _has_store()
        if empty and options.trust == "auto":
            context.load_verify_locations(cafile=with_certifi.bundle())
    elif options.trust == "certifi":
        context.load_verify_locations(cafile=with_certifi.bundle())
    if options.check_hostname is not None:
        context.check_hostname = False  # the caller's function decides, after the handshake
    if options.partial_chain:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


def _new_context(options: TLSOptions) -> ssl.SSLContext:
    if options.trust == "truststore" and options.verify:
        return with_truststore.new_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def make_context(options: TLSOptions, alpn: Sequence[str]) -> ssl.SSLContext:
    """Return the context that the options describe; a new one offers these ALPN protocols.

    A context that the caller supplied is not changed, because it may be in use elsewhere. Raises `TLSFailed`
    if a file cannot be loaded or a cipher string selects no suite.
    """
    try:
        if options.context is not None:
            context = options.context
        else:
            context = _new_context(options)
            context.minimum_version = options.minimum_version
            context.maximum_version = options.maximum_version
            context.set_ciphers(options.ciphers or CIPHERS)
            context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
            context.post_handshake_auth = options.post_handshake_auth
            context.hostname_checks_common_name = False  # RFC 9110 4.3.4
            _trust(context, options)
            load_certificate(context, options)
            key_log = options.key_log_file or os.environ.get("SSLKEYLOGFILE")
            if key_log:
                with loading(key_log):
                    context.keylog_filename = key_log
            context.set_alpn_protocols(list(alpn))
    except TLSFailed:
        raise
    except (ssl.SSLError, OSError, ValueError) as error:
        raise tls_error(error) from error
    return context


class Prepared(NamedTuple):
    """Everything about a TLS connection that can be prepared, and can fail, before connecting."""

    context: ssl.SSLContext
    server_hostname: str
    alpn: Sequence[str]
    session: ssl.SSLSession | None = None
    keep: Callable[[ssl.SSLSession], None] | None = None
    pins: frozenset[str] = frozenset()
    check: HostnameCheck | None = None

    def layer(self) -> TLSLayer:
        """Return the layer, before its handshake."""
        return TLSLayer(
            self.context, self.server_hostname, self.session, self.keep, self.alpn, self.pins, self.check
        )


def prepare(options: TLSOptions, alpn: Sequence[str], hostname: str, route: Hashable) -> Prepared:
    """Prepare TLS with a server; sessions are resumed only over the same `route` (R25, R26)."""
    # RFC 6066 3: without the trailing dot of a fully qualified name; certificates have none either.
    name = (options.server_hostname or hostname).removesuffix(".")
    sessions = options.sessions
    pins, check = options.fingerprints, options.check_hostname
    if sessions is None:
        return Prepared(shared(options, alpn, make_context), name, alpn, pins=pins, check=check)
    # A missing file has a stamp, too, and fails when the context is made.
    stamps = tuple(map(stamp, (options.ca_file, options.cert_file, options.key_file)))
    key = options, stamps, name, tuple(alpn), route
    found = sessions.take(key)
    context, session = found or (shared(options, alpn, make_context), None)
    return Prepared(context, name, alpn, session, partial(sessions.keep, key, context), pins, check)


class TLSLayer(Records):
    """One TLS connection over in-memory buffers."""

    __slots__ = (
        "_check",
        "_keep",
        "_known",
        "_pins",
        "clean_end",
        "ended",
        "failure",
    )

    def __init__(
        self,
        context: ssl.SSLContext,
        server_hostname: str | None,
        session: ssl.SSLSession | None = None,
        keep: Callable[[ssl.SSLSession], None] | None = None,
        alpn: Sequence[str] | None = None,
        pins: frozenset[str] = frozenset(),
        check: HostnameCheck | None = None,
    ) -> None:
        """Start a client; `server_hostname` is for SNI and for the certificate check.

        It offers to resume `session`; `keep` is called once with a session that can be resumed later. It
        offers the protocols in `alpn`; if `None`, those of the context. If `pins` is not empty, the server's
        certificate must have one of these fingerprints. If there is a `check`, it must accept the names in
        the certificate.
        """
        self._pins = pins
        self._check = check
        self._keep = keep
        self._known: TLSInfo | None = None
        self.watched: bool = keep is not None
        self.clean_end: bool = False
        """Whether the peer sent close_notify."""
        self.ended: bool = False
        """Whether no more plaintext will come."""
        self.failure: TransportError | None = None
        """The error that broke the layer: no more plaintext will come after what was read."""
        arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            wrap = partial(
                context.wrap_bio, arriving, leaving, server_hostname=server_hostname, session=session
            )
            made = wrap() if alpn is None else wrapping.wrapped(context, alpn, wrap)
        except (ssl.SSLError, ValueError) as error:
            raise tls_error(error) from error
        self.attach(made, arriving, leaving)

    @property
    def keeps_wire(self) -> bool:
        """Whether the transport must stay open after close_notify: false."""
        return False

    @property
    def waiting(self) -> int:
        """How many octets cannot be sent yet: 0 after the handshake."""
        return 0

    def handshake(self) -> bool:
        """Continue the handshake; return whether it is complete. Raises `TLSFailed`."""
        try:
            self.ssl_object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except (ssl.SSLError, OSError) as error:
            raise tls_error(error) from error
        # Stored now: after a failure, or during a message after the handshake, `ssl` no longer returns it.
        self._known = self._negotiated()
        try:
            if self._check is not None:
                check_name(self.ssl_object, self._known, self._check)
            if self._pins:
                check_pins(self._known.peer_certificate, self._pins)
        except CertificateRejected:
            # Do not send the last flight of the handshake: it may contain the client's certificate.
            self.leaving()
            raise
        return True

    def read(self) -> bytes:
        """Return all available plaintext; set `ended` at the end. Raises `TLSFailed`."""
        if self.failure is None and not self.ended:
            try:
                self.decrypt()
            except OSError as error:  # every error of ssl is one
                self.stop(error)
        pieces = self.take_plaintext()
        if self.over:
            self.ended = self.clean_end = True
        # Plaintext from before a bad record is delivered first.
        if self.failure is not None and not pieces:
            raise self.failure
        if self._keep is not None and pieces:
            self._keep_session(self._keep)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def stop(self, error: OSError) -> None:
        """Note what an error of `ssl` means for reading: nothing if only the rest of a record is missing."""
        _pass_on(error)
        if isinstance(error, ssl.SSLZeroReturnError):
            self.ended = self.clean_end = True
        elif isinstance(error, ssl.SSLEOFError):
            self.ended = True
        elif not isinstance(error, ssl.SSLWantReadError):
            self.failure = tls_error(error)

    def _keep_session(self, keep: Callable[[ssl.SSLSession], None]) -> None:
        """Keep the session if it can be resumed; with TLS 1.3 a ticket must have arrived."""
        session = self.ssl_object.session
        if session is not None and (
            session.has_ticket or (session.id and self.ssl_object.version() != "TLSv1.3")
        ):
            keep(session)
            self._keep = None
            self.watched = False

    def write(self, plaintext: bytes | memoryview[int]) -> None:
        """Encrypt; `leaving` returns the result. Raises `TLSFailed`."""
        try:
            self.ssl_object.write(plaintext)
        except OSError as error:
            _pass_on(error)
            raise tls_error(error) from error

    def seal(self, plaintext: bytes) -> bytes:
        """Encrypt, and return what must be sent to the peer now. Raises `TLSFailed`."""
        try:
            return self.encrypt(plaintext)
        except OSError as error:
            _pass_on(error)
            raise tls_error(error) from error

    def written(self) -> None:
        """Do nothing: TLS has no answers to count."""

    def close_notify(self) -> None:
        """Queue close_notify: no more plaintext will be written."""
        try:
            self.ssl_object.unwrap()
        except (ssl.SSLError, OSError, ValueError):
            # SSLWantReadError: our close_notify is queued. Any other error: the connection is broken anyway.
            return

    @property
    def alpn(self) -> str | None:
        """The protocol that the server chose."""
        return self.ssl_object.selected_alpn_protocol()

    def info(self) -> TLSInfo:
        """Return what was negotiated."""
        return self._negotiated() if self._known is None else self._known

    def _negotiated(self) -> TLSInfo:
        cipher = self.ssl_object.cipher()
        certificate, sent, verified = chains(self.ssl_object)
        return TLSInfo(
            version=self.ssl_object.version() or "",
            cipher=cipher[0] if cipher else "",
            alpn=self.alpn,
            server_hostname=self.ssl_object.server_hostname,
            peer_certificate=certificate,
            resumed=bool(self.ssl_object.session_reused),
            peer_chain=sent,
            verified_chain=verified,
        )
