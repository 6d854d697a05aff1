"""Options: frozen, validated when they are made, before anything is dialled.

Every limit has a finite default and its own error. Sizes are in octets, times in seconds.
"""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
import sys
from dataclasses import dataclass, field, fields
from typing import Literal, Self, TypeAlias, get_args

from . import _checks
from ._extras import with_truststore
from ._hosts import ascii_host
from ._sessions import TLSSessions
from .tolerance import Tolerance

Trust: TypeAlias = Literal["auto", "system", "certifi", "truststore"]
StatusReasonOption: TypeAlias = Literal["status_reason"]
EventOption: TypeAlias = Literal["origin", "alt_svc", "goaway", "settings"]
Fingerprints: TypeAlias = frozenset[str]
"""SHA-256 in hexadecimal, of certificates or public keys."""
MAX_WINDOW = 2**31 - 1
MAX_LIMIT = 2**31 - 1
"""What a limit may be: the engines count in C."""
MAX_PORT = 65_535
MIN_SETTINGS = 10
MAX_TABLE = 65_536
"""The largest HPACK table that is worth its memory."""
MIN_CONNECTION_WINDOW = 65_535
MIN_FRAME_SIZE = 16_384
MAX_FRAME_SIZE = 2**24 - 1


def _require(condition: bool, name: str, wants: str, value: object) -> None:
    if not condition:
        raise ValueError(f"{name} wants {wants}, not {_checks.shown(value)}")


def _put(options: object, name: str, value: object) -> None:
    """Keep what was checked: of the exact type, whatever a subclass says of itself."""
    object.__setattr__(options, name, value)


def _require_number(options: object, name: str, least: int, most: int, more: str = "") -> None:
    _put(options, name, _checks.number(name, getattr(options, name), least, most, more))


def _require_positive(options: object, *names: str) -> None:
    for name in names:
        _require_number(options, name, 1, MAX_LIMIT)


def _require_times(options: object, *names: str) -> None:
    for name in names:
        value = getattr(options, name)
        if value is not None:
            _put(options, name, _checks.seconds(name, value))


def _require_texts(options: object, *names: str, secret: bool = False) -> None:
    for name in names:
        value = getattr(options, name)
        if value is not None:
            _put(options, name, _checks.text(name, value, secret=secret, more=" or None"))


def _require_address(options: object, name: str) -> None:
    match getattr(options, name):
        case None:
            return
        case tuple((str() as host, int() as port)) if not isinstance(port, bool):
            host, port = str.__str__(host), int.__index__(port)
            with contextlib.suppress(ValueError):
                ipaddress.ip_address(host)
                if 0 <= port <= MAX_PORT:
                    _put(options, name, (host, port))
                    return
        case _:
            pass
    raise ValueError(f"{name} wants an IP address and a port, not {_checks.shown(getattr(options, name))}")


def _require_flags(options: object) -> None:
    for each in fields(options):  # type: ignore[arg-type]  # every caller is a dataclass
        if each.name == "lenient":
            value = getattr(options, each.name)
            if not isinstance(value, Tolerance):
                _checks.flag(each.name, value)
        elif each.type == "bool":
            _checks.flag(each.name, getattr(options, each.name))


def _require_names(options: object) -> None:
    name = "sensitive_headers"
    _put(options, name, _checks.lower_names(name, getattr(options, name)))


@dataclass(frozen=True, slots=True)
class HTTP1Options:
    """How HTTP/1 is spoken. RFC 9112.

    What goes beyond a limit (1 to 2**31 - 1 each) is an error that names it.

    Attributes:
        case_sensitive_headers: send header names as they are given; they go out in lower case otherwise.
        skip_target_validation: send targets that RFC 3986 does not allow; blanks and controls stay refused.
        lenient: accept responses that break a rule, as browsers and curl do: a `Tolerance` says which rules,
            `True` stands for all of them.
        sensitive_headers: names, in lower case, whose values stand in no error and in no log, and are not
            kept for the lines that come next; authorization, cookies and proxy credentials always are
            among them.
        optional_responses: `("status_reason",)` asks for a `StatusReason` after each `Status`.
        max_header_list_size: the octets of one response head.
        max_fields: the fields of one response head; each line of a folded one counts.
        max_status_line: the octets of a status line.
        max_informational: how many interim responses may precede a final one.
        max_informational_size: the octets of all of them together.
        max_trailer_size: the octets of a trailer section.
        max_trailer_fields: the fields of a trailer section.
        max_chunk_line: the octets of a chunk-size line with its extensions.
        max_pipelined: how many requests may wait for their responses.

    """

    case_sensitive_headers: bool = False
    skip_target_validation: bool = False
    lenient: bool | Tolerance = False
    sensitive_headers: frozenset[str] = frozenset()
    optional_responses: tuple[StatusReasonOption, ...] = ()
    max_header_list_size: int = 262_144
    max_fields: int = 512
    max_status_line: int = 8_192
    max_informational: int = 32
    max_informational_size: int = 262_144
    max_trailer_size: int = 16_384
    max_trailer_fields: int = 64
    max_chunk_line: int = 4_096
    max_pipelined: int = 100

    def __post_init__(self) -> None:
        _require_flags(self)
        _require_names(self)
        _require(
            self.optional_responses in {(), ("status_reason",)},
            "optional_responses",
            '() or ("status_reason",)',
            self.optional_responses,
        )
        _require_positive(
            self,
            "max_header_list_size",
            "max_fields",
            "max_status_line",
            "max_informational",
            "max_informational_size",
            "max_trailer_size",
            "max_trailer_fields",
            "max_chunk_line",
            "max_pipelined",
        )


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What we tell the server about ourselves (SETTINGS, RFC 9113 6.5.2).

    `None` leaves a setting as it is: at the beginning as below, later as it was last sent.

    Attributes:
        header_table_size: octets of the HPACK table that the server may use, 0 to 65 536; 4 096 unless
            sent.
        enable_push: accept pushed responses; off unless asked for.
        max_concurrent_streams: how many pushed streams may be open, 0 to 2**32 - 1; 100 unless sent. It
            counts with push only.
        initial_window_size: octets that the server may send on one stream before we refill, 0 to
            2**31 - 1.
        max_frame_size: octets of the largest frame we take, 16 384 (unless sent) to 16 777 215.
        max_header_list_size: octets of the largest header section we take, decoded, 1 to 2**31 - 1.
        no_rfc7540_priorities: say that the priorities of RFC 7540 are not used, only those of RFC 9218
            (`Priority`); not sent unless given, and never changed.

    """

    header_table_size: int | None = None
    enable_push: bool | None = False
    max_concurrent_streams: int | None = None
    initial_window_size: int | None = 4_194_304
    max_frame_size: int | None = None
    max_header_list_size: int | None = 262_144
    no_rfc7540_priorities: bool | None = None
    _pairs: tuple[tuple[str, int], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, least, most in _SETTING_RANGES:
            if getattr(self, name) is not None:
                _require_number(self, name, least, most, ", or None")
        for name in ("enable_push", "no_rfc7540_priorities"):
            value = getattr(self, name)
            _require(value is None or isinstance(value, bool), name, "True, False or None", value)

        object.__setattr__(
            self,
            "_pairs",
            tuple(
                (each.name, int(value))
                for each in fields(self)
                if each.init and (value := getattr(self, each.name)) is not None
            ),
        )

    def pairs(self) -> tuple[tuple[str, int], ...]:
        """Return the settings that are sent, by name."""
        return self._pairs


_EVENTS = get_args(EventOption)
_SETTING_RANGES = (
    ("header_table_size", 0, MAX_TABLE),
    ("max_concurrent_streams", 0, 2**32 - 1),
    ("initial_window_size", 0, MAX_WINDOW),
    ("max_frame_size", MIN_FRAME_SIZE, MAX_FRAME_SIZE),
    ("max_header_list_size", 1, MAX_LIMIT),
)


@dataclass(frozen=True, slots=True)
class HTTP2Options:
    """How HTTP/2 is spoken. RFC 9113, RFC 7541.

    What goes beyond a limit (1 to 2**31 - 1 where nothing else is said) is an error that names it.

    Attributes:
        client_settings: what we tell the server about ourselves.
        connection_window_size: octets that the server may send on all streams before we refill;
            65 535 to 2**31 - 1.
        receive_window_update_threshold: refill a window once so few octets are left in it; one smaller than
            twice as many is refilled when half of it is used.
        skip_target_validation: send targets that RFC 3986 does not allow; whitespace and control characters
            stay refused.
        lenient: accept responses that break a rule: a `Tolerance` says which rules, `True` stands for all
            of them.
        sensitive_headers: names, in lower case, whose values stand in no error and in no log, and are never
            put into HPACK tables; authorization, cookies and proxy credentials always are among them.
        index_credentials: put bearer tokens of 40 characters or more (`authorization: Bearer ...`, also in
            `proxy-authorization`) into the HPACK table, so that requests repeat them in one octet or two. Who
            can make requests on the same connection, and see their size, can then test guesses of the whole
            token (RFC 7541 7.1): leave it off unless tokens are random. Other credentials, and names in
            `sensitive_headers`, stay out of the table.
        optional_responses: what is reported of the connection, as responses without a ref (each a
            `ConnectionEvent`): `"origin"` asks for `Origins`, `"alt_svc"` for `AltSvc`, `"goaway"` for
            `GoAway`, `"settings"` for `ServerSettings`; nothing unless given. ORIGIN and ALTSVC frames that
            break a rule of RFC 8336 or RFC 7838, or are longer than 65 536 octets, are ignored.
        max_fields: the fields of one header section; every cookie crumb counts.
        max_header_block: the compressed octets of one header block.
        max_continuations: the CONTINUATION frames of one header block.
        max_settings: the entries of one SETTINGS frame, 10 at least.
        max_discarded_header_list: the octets, decoded, of a header section that ends the connection. One
            that only exceeds `max_header_list_size` of the client settings fails its own response: it is
            decoded and discarded.
        max_unsent_acks: answers (to PING, SETTINGS and frames on streams that are over) that may wait to be
            written; those that one read asks for wait until it is done.
        max_glitches: frames without use (PING, SETTINGS, empty DATA, unknown types ...), beyond what useful
            traffic pays back. 330 a second are taken back: the limit holds where time is known, that is
            everywhere but on a `Memory` without a clock.
        max_resets: streams that end early by the server's doing: pushes that it resets, and what mint
            resets for what it sent. Requests that the server resets or refuses do not count.
            33 a second are taken back, and one for each complete response.
        max_reserved: how many pushed streams may be promised and not begun.
        max_remembered: how many closed streams are remembered.
        max_informational: how many interim responses may precede a final one; 10 a second are taken back.
        max_informational_size: the octets of all of them together; 4,000 a second are taken back.
        max_trailer_size: the octets of a trailer section.
        max_trailer_fields: the fields of a trailer section.
        max_pings: our pings that may wait for an answer.
        initial_max_concurrent_streams: how many requests may be open before the server's first SETTINGS
            arrive; `HTTP2.settings_received` tells when they have.

    """

    client_settings: ClientSettings = ClientSettings()
    connection_window_size: int = 16_777_216
    receive_window_update_threshold: int = 160_000
    skip_target_validation: bool = False
    lenient: bool | Tolerance = False
    sensitive_headers: frozenset[str] = frozenset()
    index_credentials: bool = False
    optional_responses: tuple[EventOption, ...] = ()
    max_fields: int = 512
    max_discarded_header_list: int = 1_048_576
    max_header_block: int = 524_288
    max_continuations: int = 16
    max_settings: int = 32
    max_unsent_acks: int = 1_000
    max_glitches: int = 10_000
    max_resets: int = 1_000
    max_reserved: int = 100
    max_remembered: int = 1_024
    max_informational: int = 10_000
    max_informational_size: int = 4_194_304
    max_trailer_size: int = 16_384
    max_trailer_fields: int = 64
    max_pings: int = 1_000
    initial_max_concurrent_streams: int = 100

    def __post_init__(self) -> None:
        _require_flags(self)
        _require_positive(
            self,
            "connection_window_size",
            "receive_window_update_threshold",
            "max_fields",
            "max_discarded_header_list",
            "max_header_block",
            "max_continuations",
            "max_unsent_acks",
            "max_glitches",
            "max_resets",
            "max_reserved",
            "max_remembered",
            "max_informational_size",
            "max_trailer_size",
            "max_trailer_fields",
            "max_pings",
            "max_informational",
            "initial_max_concurrent_streams",
        )
        _require_number(self, "max_settings", MIN_SETTINGS, MAX_LIMIT)
        _require(
            isinstance(self.client_settings, ClientSettings),
            "client_settings",
            "ClientSettings",
            self.client_settings,
        )
        _require(
            MIN_CONNECTION_WINDOW <= self.connection_window_size <= MAX_WINDOW,
            "connection_window_size",
            f"a number from {MIN_CONNECTION_WINDOW} to {MAX_WINDOW}",
            self.connection_window_size,
        )
        _require(
            self.receive_window_update_threshold <= MAX_WINDOW,
            "receive_window_update_threshold",
            f"a number from 1 to {MAX_WINDOW}",
            self.receive_window_update_threshold,
        )
        _require_names(self)
        given = self.optional_responses
        _require(
            isinstance(given, tuple) and all(isinstance(each, str) and each in _EVENTS for each in given),
            "optional_responses",
            f"a tuple of {', '.join(map(repr, _EVENTS))}",
            given,
        )


@dataclass(frozen=True, slots=True)
class TCPOptions:
    """How sockets are made and used.

    Attributes:
        connect_timeout: seconds, 0 or more, for everything until the connection can be used: names, attempts,
            proxy, TLS. `None` waits for ever.
        send_timeout: seconds, 0 or more, that an operation waits without the peer taking a single byte, once
            more than `high_water` are queued: the time begins anew whenever some are taken. `None` waits for
            ever.
        max_read_ahead: octets that are read while an operation waits to send. Where so many have arrived that
            nobody received, the operation stops waiting and `request_body_window` is 0: receive first.
        high_water: octets that may be queued before an operation waits.
        inet4: try IPv4 addresses.
        inet6: try IPv6 addresses.
        nodelay: send small writes at once (TCP_NODELAY).
        keepalive: let the system probe idle connections (SO_KEEPALIVE).
        send_buffer: octets of SO_SNDBUF; `None` leaves it to the system.
        receive_buffer: octets of SO_RCVBUF; `None` leaves it to the system.
        local_address: the address (and port, 0 for any) to connect from.
        receive_size: the octets of one read, to begin with; of a stream that fills them, up to 126 976.

    """

    connect_timeout: float | None = 30.0
    send_timeout: float | None = 30.0
    high_water: int = 1_048_576
    max_read_ahead: int = 4 * 1_048_576
    inet4: bool = True
    inet6: bool = True
    nodelay: bool = True
    keepalive: bool = False
    send_buffer: int | None = None
    receive_buffer: int | None = None
    local_address: tuple[str, int] | None = None
    receive_size: int = 65_536

    def __post_init__(self) -> None:
        _require_flags(self)
        _require_times(self, "connect_timeout", "send_timeout")
        _require_number(self, "high_water", 1, sys.maxsize)
        _require_positive(self, "receive_size", "max_read_ahead")
        for name in ("send_buffer", "receive_buffer"):
            if getattr(self, name) is not None:
                _require_positive(self, name)
        _require_address(self, "local_address")
        _require(self.inet4 or self.inet6, "inet4, inet6", "at least one to be true", False)


_DIGITS = frozenset("0123456789abcdef")
_SHA256 = 64


def _fingerprints(given: Fingerprints) -> Fingerprints:
    """Return fingerprints as they are compared: in lower case, without colons."""
    held = tuple(given) if isinstance(given, frozenset) else (None,)
    if all(isinstance(each, str) for each in held):
        made = frozenset(str.__str__(each).replace(":", "").lower() for each in held if each is not None)
        if all(len(each) == _SHA256 and _DIGITS.issuperset(each) for each in made):
            return made
    raise ValueError(f"fingerprints wants a frozenset of SHA-256 in hexadecimal, not {_checks.shown(given)}")


@dataclass(frozen=True, slots=True)
class TLSOptions:
    """How TLS is spoken, and whom it trusts.

    `ca_file` and `ca_data` say who is trusted; where neither is given, `trust` does. Other connections are
    not affected by any of it, and every option counts on every way: direct, through a proxy, to one.

    What `ssl` cannot do is not here: the length of a chain (`depth`) is bounded by OpenSSL alone, and there
    are no checks of revocation unless your own `context` has them.

    Raises `ValueError` for an old `minimum_version`, a `trust` beside `ca_file` or `ca_data`, a `key_file`
    without `cert_file`, an extra that is not installed. What only OpenSSL can judge (files, ciphers) is
    `TLSFailed` when connecting, before anything is dialled.

    Attributes:
        verify: check the certificate and the host name. Turning it off is for tests.
        trust: `"system"` is the operating system's store, `"certifi"` that of the package; `"auto"` is the
            first, or the second where the first is empty. `"truststore"` lets the system itself decide, by
            the package of that name (the extra `truststore`).
        ca_file: a PEM file of the certificates to trust.
        ca_data: the certificates to trust: PEM text, or DER octets.
        cert_file: a PEM file with the client certificate, its chain, and maybe the key.
        key_file: the PEM file of the client key, where `cert_file` does not hold it.
        key_password: what decrypts the key.
        server_hostname: the name for SNI and for the certificate check; the connection's host otherwise.
        minimum_version: the oldest TLS version; never below 1.2.
        maximum_version: the newest TLS version.
        ciphers: an OpenSSL cipher string for TLS 1.2; the suites RFC 9113 allows otherwise.
        partial_chain: trust a chain that ends in a trusted certificate which is no root.
        key_log_file: a file that gets the keys of every connection, to read what was captured. The
            environment variable SSLKEYLOGFILE has the same effect where this is not given.
        fingerprints: pinned certificates: the server's must have one of these SHA-256 fingerprints, of the
            certificate or of its public key (SubjectPublicKeyInfo), beside all other checks. Each is 64
            hexadecimal digits; colons between them are left out. `CertificateNotPinned` otherwise, before
            any request is sent; of a proxy's certificate its own options decide. Any certificate will do
            where there are none.
        sessions: sessions to resume, and where new ones are kept.
        context: an `ssl.SSLContext` of your own, for clients; then only `server_hostname`, `fingerprints` and
            `sessions` of the options above count, and mint sets nothing but ALPN. Any number of connections
            may share one, and each offers its own protocols. Have another context for other libraries that
            set ALPN.

    """

    verify: bool = True
    trust: Trust = "auto"
    ca_file: str | None = None
    ca_data: str | bytes | None = None
    cert_file: str | None = None
    key_file: str | None = None
    key_password: str | None = field(default=None, repr=False)
    server_hostname: str | None = None
    minimum_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    maximum_version: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED
    ciphers: str | None = None
    partial_chain: bool = False
    key_log_file: str | None = None
    fingerprints: Fingerprints = frozenset()
    sessions: TLSSessions | None = field(default=None, repr=False, compare=False)
    context: ssl.SSLContext | None = None

    def __deepcopy__(self, memo: object) -> Self:
        """Return the options themselves: they are never written, and a context cannot be copied."""
        return self

    def __post_init__(self) -> None:
        _require_flags(self)
        for name in ("minimum_version", "maximum_version"):
            _require(
                isinstance(getattr(self, name), ssl.TLSVersion),
                name,
                "an ssl.TLSVersion",
                getattr(self, name),
            )
        newest = self.maximum_version is ssl.TLSVersion.MAXIMUM_SUPPORTED
        _require(
            self.minimum_version >= ssl.TLSVersion.TLSv1_2,
            "minimum_version",
            "TLS 1.2 or newer",
            self.minimum_version,
        )
        _require(
            newest or self.maximum_version >= self.minimum_version,
            "maximum_version",
            "a version that is not older than minimum_version",
            self.maximum_version,
        )
        _put(self, "trust", _checks.one_of("trust", self.trust, get_args(Trust)))
        _require_texts(self, "ca_file", "cert_file", "key_file", "ciphers", "key_log_file")
        _require_texts(self, "key_password", secret=True)
        self._require_data()
        if self.server_hostname is not None:
            _checks.text("server_hostname", self.server_hostname)
            try:
                _put(self, "server_hostname", ascii_host(str.__str__(self.server_hostname)))
            except ValueError as error:
                raise ValueError(f"server_hostname: {error}") from None
        _put(self, "fingerprints", _fingerprints(self.fingerprints))
        if self.sessions is not None:
            _checks.instance("sessions", self.sessions, TLSSessions)
        if self.context is not None:
            _checks.instance("context", self.context, ssl.SSLContext, "an ssl.SSLContext")
        named = self.ca_file is not None or self.ca_data is not None
        _require(
            not named or self.trust == "auto", "trust", "no ca_file and no ca_data beside it", self.trust
        )
        installed = self.trust != "truststore" or with_truststore.is_available()
        _require(installed, "trust", "the extra: install mint-http[truststore]", self.trust)
        _require(
            self.key_file is None or self.cert_file is not None,
            "key_file",
            "a cert_file beside it",
            self.key_file,
        )

    def _require_data(self) -> None:
        """Check `ca_data`, which is PEM text or DER octets."""
        if self.ca_data is None:
            return
        if isinstance(self.ca_data, str):
            _put(self, "ca_data", _checks.text("ca_data", self.ca_data))
        elif isinstance(self.ca_data, bytes) and (exact := _checks.octets(self.ca_data)):
            _put(self, "ca_data", exact)
        else:
            raise ValueError(f"ca_data wants PEM text or DER octets, not {_checks.shown(self.ca_data)}")
