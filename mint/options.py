"""Options: frozen values that are validated when they are made, before a connection is opened.

Every limit has a finite default and its own error. Sizes are in octets, times in seconds. Each option is
declared once, here (see `_declarations.py`). Its documentation, its range, the configuration of the engines
and the tables of the pages are made from the declaration.
"""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
import sys
from dataclasses import dataclass, field, fields
from typing import Literal, Self, TypeAlias, get_args

from . import _checks
from ._certificates import PEM, HostnameCheck, check_hostname_check, check_pem
from ._declarations import (
    MAX_LIMIT,
    check,
    documented,
    flag,
    flag_setting,
    limit,
    names,
    option,
    seconds,
    setting,
)
from ._extras import remedy, with_truststore
from ._hosts import MAX_PORT, ascii_host
from ._sessions import TLSSessions
from .tolerance import Tolerance, leniency

Trust: TypeAlias = Literal["auto", "system", "certifi", "truststore"]
StatusReasonOption: TypeAlias = Literal["status_reason"]
EventOption: TypeAlias = Literal["origin", "alt_svc", "goaway", "settings"]
Fingerprints: TypeAlias = frozenset[str]
"""SHA-256 in hexadecimal, of certificates or public keys."""
MAX_WINDOW = 2**31 - 1
MIN_SETTINGS = 10
MAX_TABLE = 65_536
"""The largest HPACK table that is worth its memory."""
MIN_CONNECTION_WINDOW = 65_535
MIN_FRAME_SIZE = 16_384
MAX_FRAME_SIZE = 2**24 - 1


def _require(condition: bool, name: str, expected: str, value: object) -> None:
    if not condition:
        raise ValueError(f"{name} must be {expected}, not {_checks.shown(value)}")


def _put(options: object, name: str, value: object) -> None:
    """Store a value that was checked and replaced with one of the exact type."""
    object.__setattr__(options, name, value)


def _require_texts(options: object, *names: str, kind: str = "text", secret: bool = False) -> None:
    for name in names:
        value = getattr(options, name)
        if value is not None:
            _put(options, name, _checks.text(name, value, secret=secret, kind=kind, more=" or None"))


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
    raise ValueError(f"{name} must be an IP address and a port, not {_checks.shown(getattr(options, name))}")


@documented
@dataclass(frozen=True, slots=True)
class HTTP1Options:
    """Limits and other options of HTTP/1. RFC 9112.

    Limits are numbers from 1 to 2**31 - 1.
    """

    case_sensitive_headers: bool = flag(
        False, "send header names exactly as they are given; by default they are sent in lower case."
    )
    skip_target_validation: bool = flag(
        False, "send targets that RFC 3986 does not allow; blanks and control characters are still refused."
    )
    lenient: bool | Tolerance = leniency()
    sensitive_headers: frozenset[str] = names(
        "names, in lower case, of fields whose values appear in no error and no log, and are not remembered "
        "for later requests; authorization, cookies and proxy credentials are always included."
    )
    optional_responses: tuple[StatusReasonOption, ...] = option(
        (), '`("status_reason",)` adds a `StatusReason` after each `Status`.', config="status_reason"
    )
    max_header_list_size: int = limit(
        262_144, "the octets of one response head.", error="MaxHeaderListSizeExceeded"
    )
    max_fields: int = limit(
        512,
        "the fields of one response head; each line of a folded field counts.",
        unit="fields",
        error="TooManyHeaders",
    )
    max_status_line: int = limit(8_192, "the octets of a status line.", error="StatusLineTooLong")
    max_informational: int = limit(
        32,
        "how many interim responses may precede a final one.",
        unit="responses",
        error="TooManyInformational",
    )
    max_informational_size: int = limit(
        262_144,
        "the octets of all interim responses that precede a final one.",
        error="TooManyInformational",
    )
    max_trailer_size: int = limit(
        16_384, "the octets of a trailer section.", error="MaxHeaderListSizeExceeded"
    )
    max_trailer_fields: int = limit(
        64, "the fields of a trailer section.", unit="fields", error="TooManyHeaders"
    )
    max_chunk_line: int = limit(
        4_096, "the octets of a chunk-size line with its extensions.", error="ChunkLineTooLong"
    )
    max_pipelined: int = limit(
        100,
        "how many requests may wait for their responses.",
        unit="requests",
        error="TooManyPipelinedRequests",
    )

    def __post_init__(self) -> None:
        check(self)
        _require(
            _checks.words(self.optional_responses) in {(), ("status_reason",)},
            "optional_responses",
            '() or ("status_reason",)',
            self.optional_responses,
        )


@documented
@dataclass(frozen=True, slots=True)
class ClientSettings:
    """The settings that the client sends to the server (SETTINGS, RFC 9113 6.5.2).

    `None` leaves a setting unchanged: at first it has the initial value below, later the value last sent.
    """

    header_table_size: int | None = setting(
        None,
        "octets of the HPACK table that the server may use",
        identifier=1,
        least=0,
        most=MAX_TABLE,
        unset=4_096,
    )
    enable_push: bool | None = flag_setting(False, "accept pushed responses; off by default", identifier=2)
    max_concurrent_streams: int | None = setting(
        None,
        "how many pushed streams may be open; it has an effect only with `enable_push`",
        identifier=3,
        least=0,
        most=2**32 - 1,
        unset=100,
        unit="streams",
    )
    initial_window_size: int | None = setting(
        4_194_304,
        "octets that the server may send on one stream before mint refills the window",
        identifier=4,
        least=0,
        most=MAX_WINDOW,
    )
    max_frame_size: int | None = setting(
        None,
        "octets of the largest frame that mint accepts",
        identifier=5,
        least=MIN_FRAME_SIZE,
        most=MAX_FRAME_SIZE,
        unset=MIN_FRAME_SIZE,
        error="FrameSizeError",
    )
    max_header_list_size: int | None = setting(
        262_144,
        "octets of the largest header section that mint accepts, decoded",
        identifier=6,
        least=1,
        most=MAX_LIMIT,
        error="MaxHeaderListSizeExceeded",
    )
    no_rfc7540_priorities: bool | None = flag_setting(
        None,
        "announce that only the priorities of RFC 9218 (`Priority`) are used, not those of RFC 7540; sent "
        "only if given, and cannot be changed later",
        identifier=9,
        fixed=True,
    )
    _pairs: tuple[tuple[str, int], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check(self)
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


@documented
@dataclass(frozen=True, slots=True)
class HTTP2Options:
    """Settings, limits and other options of HTTP/2. RFC 9113, RFC 7541.

    Limits are numbers from 1 to 2**31 - 1 unless stated otherwise.
    """

    client_settings: ClientSettings = option(
        ClientSettings(), "the settings that the client sends to the server.", config="settings"
    )
    connection_window_size: int = limit(
        16_777_216,
        "octets that the server may send on all streams together before mint refills the window",
        least=MIN_CONNECTION_WINDOW,
        most=MAX_WINDOW,
        error="FlowControlError",
    )
    receive_window_update_threshold: int = limit(
        160_000,
        "refill a window when only this many octets are left in it. A window smaller than twice this "
        "value is refilled when half of it is used.",
        config="window_update_threshold",
    )
    skip_target_validation: bool = flag(
        False,
        "send targets that RFC 3986 does not allow; whitespace and control characters are still refused.",
    )
    lenient: bool | Tolerance = leniency()
    sensitive_headers: frozenset[str] = names(
        "names, in lower case, of fields whose values appear in no error and no log, and are never put into "
        "HPACK tables; authorization, cookies and proxy credentials are always included."
    )
    index_credentials: bool = flag(
        False,
        "put bearer tokens of 40 characters or more (`authorization: Bearer ...`, also in "
        "`proxy-authorization`) into the HPACK table, so that requests repeat them in one or two octets. "
        "Anyone who can make requests on the same connection, and see their size, can then test guesses of "
        "the whole token (RFC 7541 7.1): leave it off unless tokens are random. Other credentials, and the "
        "fields in `sensitive_headers`, stay out of the table.",
    )
    optional_responses: tuple[EventOption, ...] = option(
        (),
        "the events of the connection that are reported, as responses without a ref (`ConnectionEvent`): "
        '`"origin"` reports `Origins`, `"alt_svc"` `AltSvc`, `"goaway"` `GoAway`, and `"settings"` '
        "`ServerSettings`; by default none. ORIGIN and ALTSVC frames that break a rule of RFC 8336 or "
        "RFC 7838, or are longer than 65,536 octets, are ignored.",
        config="events",
    )
    max_fields: int = limit(
        512,
        "the fields of one header section; every cookie crumb counts.",
        unit="fields",
        error="TooManyHeaders",
    )
    max_discarded_header_list: int = limit(
        1_048_576,
        "the octets, decoded, of one header section before the connection ends. A section that exceeds only "
        "`max_header_list_size` of the client settings is decoded and discarded, and its response fails.",
        error="MaxHeaderListSizeExceeded",
    )
    max_header_block: int = limit(
        524_288, "the compressed octets of one header block.", error="EnhanceYourCalm"
    )
    max_continuations: int = limit(
        16, "the CONTINUATION frames of one header block.", unit="frames", error="EnhanceYourCalm"
    )
    max_settings: int = limit(
        32, "the entries of one SETTINGS frame", unit="entries", least=MIN_SETTINGS, error="EnhanceYourCalm"
    )
    max_unsent_acks: int = limit(
        1_000,
        "answers (to PING, SETTINGS and frames on streams that have ended) that may wait to be written. The "
        "answers to the frames of one read are written after the whole read has been processed.",
        unit="answers",
        error="EnhanceYourCalm",
    )
    max_glitches: int = limit(
        10_000,
        "frames that serve no purpose (PING, SETTINGS, empty DATA, unknown types ...). Useful traffic lowers "
        "the count, and so does time, by 330 a second. The limit applies everywhere except on a `Memory` "
        "without a clock, where time is not known.",
        unit="frames",
        error="EnhanceYourCalm",
    )
    max_resets: int = limit(
        1_000,
        "streams that end early because of the server: pushes that it resets, and streams that mint resets "
        "because of what the server sent. Requests that the server resets or refuses do not count. The count "
        "falls by 33 a second, and by one for each complete response.",
        unit="streams",
        error="EnhanceYourCalm",
    )
    max_reserved: int = limit(
        100,
        "how many pushed streams may be promised but not yet begun; further ones are refused.",
        unit="streams",
    )
    max_remembered: int = limit(
        1_024,
        "how many streams that mint has reset are remembered; the oldest are forgotten first",
        unit="streams",
        least=0,
    )
    max_informational: int = limit(
        10_000,
        "how many interim responses may precede a final one; the count falls by 10 a second.",
        unit="responses",
        error="TooManyInformational",
    )
    max_informational_size: int = limit(
        4_194_304,
        "the octets of all interim responses that precede a final one; the count falls by 4,000 a second.",
        error="TooManyInformational",
    )
    max_trailer_size: int = limit(
        16_384, "the octets of a trailer section.", error="MaxHeaderListSizeExceeded"
    )
    max_trailer_fields: int = limit(
        64, "the fields of a trailer section.", unit="fields", error="TooManyHeaders"
    )
    max_pings: int = limit(
        1_000, "how many pings of the client may wait for an answer.", unit="pings", error="TooManyPings"
    )
    initial_max_concurrent_streams: int = limit(
        100,
        "how many requests may be open before the server's first SETTINGS frame arrives; "
        "`HTTP2.settings_received` says whether it has.",
        unit="requests",
        error="TooManyConcurrentRequests",
        config="assumed_concurrency",
    )

    def __post_init__(self) -> None:
        check(self)
        _require(
            isinstance(self.client_settings, ClientSettings),
            "client_settings",
            "a ClientSettings",
            self.client_settings,
        )
        given = self.optional_responses
        _require(
            (exact := _checks.words(given)) is not None and all(each in _EVENTS for each in exact),
            "optional_responses",
            f"a tuple of {', '.join(map(repr, _EVENTS))}",
            given,
        )


@documented
@dataclass(frozen=True, slots=True)
class TCPOptions:
    """How sockets are made and used."""

    connect_timeout: float | None = seconds(
        30.0,
        "seconds, 0 or more, for connecting as a whole: name resolution, attempts, proxy and TLS. "
        "`None` means no limit.",
        error="TransportTimeout",
    )
    send_timeout: float | None = seconds(
        30.0,
        "seconds, 0 or more, that an operation waits while more than `high_water` octets are queued and the "
        "peer takes none. The time starts again whenever the peer takes some. `None` means no limit.",
        error="TransportTimeout",
    )
    high_water: int = limit(
        1_048_576, "octets that may be queued before an operation waits", most=sys.maxsize
    )
    max_read_ahead: int = limit(
        4 * 1_048_576,
        "octets that may be read while an operation waits to send. When this many have arrived and have not "
        "been received, the operation stops waiting and `request_body_window` is 0: receive first.",
    )
    inet4: bool = flag(True, "try IPv4 addresses.")
    inet6: bool = flag(True, "try IPv6 addresses.")
    nodelay: bool = flag(True, "send small writes at once (TCP_NODELAY).")
    keepalive: bool = flag(False, "let the system probe idle connections (SO_KEEPALIVE).")
    send_buffer: int | None = limit(None, "octets of SO_SNDBUF; `None` leaves it to the system.")
    receive_buffer: int | None = limit(None, "octets of SO_RCVBUF; `None` leaves it to the system.")
    local_address: tuple[str, int] | None = option(None, "the address (and port, 0 for any) to connect from.")
    receive_size: int = limit(
        65_536, "the octets of one read at first; while reads are full, the size grows to 126,976."
    )

    def __post_init__(self) -> None:
        check(self)
        _require_address(self, "local_address")
        if not (self.inet4 or self.inet6):
            raise ValueError("inet4 and inet6 must not both be False")


_DIGITS = frozenset("0123456789abcdef")
_SHA256 = 64


def _fingerprints(given: Fingerprints) -> Fingerprints:
    """Return fingerprints as they are compared: in lower case, without colons."""
    held: set[object] = set()
    # Copied without calling methods of a subclass: if it claimed to be empty, nothing would be pinned.
    held.update(given if isinstance(given, frozenset) else (None,))
    if all(isinstance(each, str) for each in held):
        made = frozenset(str.__str__(each).replace(":", "").lower() for each in held if isinstance(each, str))
        if all(len(each) == _SHA256 and _DIGITS.issuperset(each) for each in made):
            return made
    raise ValueError(
        f"fingerprints must be a frozenset of SHA-256 digests in hexadecimal, not {_checks.shown(given)}"
    )


@documented
@dataclass(frozen=True, slots=True)
class TLSOptions:
    """How TLS is used, and which certificates are trusted.

    `ca_file` and `ca_data` give the trusted certificates; without them, `trust` chooses. The options do not
    affect other connections. All of them apply to direct connections, through a proxy, and to a proxy.

    There is no option for the length of a chain (OpenSSL has its own limit), or for revocation checks,
    because `ssl` does not offer them. Use your own `context` for those.

    Raises `ValueError` for a `minimum_version` that is too old, `trust` together with `ca_file` or `ca_data`,
    a key without a certificate, `check_hostname` without `verify`, or an extra that is not installed. What
    only OpenSSL can check (files, ciphers) raises `TLSFailed` when connecting, before a socket is opened.
    """

    verify: bool = flag(True, "check the certificate and the host name. Turn it off only in tests.")
    trust: Trust = option(
        "auto",
        '`"system"` is the operating system\'s store, `"certifi"` that of the package; `"auto"` is the first '
        'of them, or the second if the first is empty. With `"truststore"` the operating system itself '
        "verifies, through the package of that name (the extra `truststore`).",
    )
    ca_file: str | None = option(None, "a PEM file of the certificates to trust.")
    ca_data: str | bytes | None = option(None, "the certificates to trust: PEM text, or DER octets.")
    cert_file: str | None = option(
        None, "a PEM file with the client certificate, its chain and, optionally, the key."
    )
    key_file: str | None = option(
        None, "the PEM file of the client key, if the file of the certificate does not contain it."
    )
    cert_data: PEM | None = option(
        None,
        "the contents of `cert_file`, as PEM text or octets. `ssl` can only load files, so on Linux mint "
        "passes it a file that exists in memory alone, and on other systems a temporary file that only the "
        "current user can read and that is removed at once.",
        repr=False,
    )
    key_data: PEM | None = option(
        None,
        "the contents of `key_file`, as PEM text or octets; passed to `ssl` like `cert_data`.",
        repr=False,
    )
    key_password: str | None = option(
        None,
        "the password of the key. Without it, an encrypted key is refused.",
        repr=False,
    )
    server_hostname: str | None = option(
        None, "the name for SNI and for the certificate check; by default the connection's host."
    )
    minimum_version: ssl.TLSVersion = option(
        ssl.TLSVersion.TLSv1_2, "the oldest TLS version; never below 1.2."
    )
    maximum_version: ssl.TLSVersion = option(ssl.TLSVersion.MAXIMUM_SUPPORTED, "the newest TLS version.")
    ciphers: str | None = option(
        None, "an OpenSSL cipher string for TLS 1.2; by default the suites that RFC 9113 allows."
    )
    partial_chain: bool = flag(False, "accept chains that end in a trusted certificate that is not a root.")
    key_log_file: str | None = option(
        None,
        "a file to which the keys of every connection are written, to decrypt captured traffic. If it is "
        "not given, the environment variable SSLKEYLOGFILE has the same effect.",
    )
    fingerprints: Fingerprints = option(
        frozenset(),
        "pinned certificates. In addition to all other checks, the server's certificate, or its public key "
        "(SubjectPublicKeyInfo), must have one of these SHA-256 fingerprints. Each is 64 hexadecimal digits; "
        "colons between them are ignored. Otherwise `CertificateNotPinned` is raised before any request is "
        "sent. For a proxy's certificate, the proxy's own options apply. Empty means that certificates are "
        "not pinned.",
    )
    check_hostname: HostnameCheck | None = option(
        None,
        "a function that decides, in place of OpenSSL, whether a certificate is valid for the host; "
        "everything else about the certificate is still checked. It is called once in each handshake, "
        "with the name that OpenSSL would check (`server_hostname`, or the connection's host) and the "
        "`CertificateNames`, and returns `True` or `False`. If it returns anything but `True`, or "
        "raises an exception, "
        "`HostnameRejected` is raised before any request is sent. `lambda host, names: names.match(host)` "
        "also lets wildcards match names with underscores, which OpenSSL does not. Event loops call the "
        "function in their thread, so it must not block.",
    )
    post_handshake_auth: bool = flag(
        False,
        "allow the server to ask for the client's certificate after the handshake, as some servers do for "
        "certain resources (TLS 1.3, RFC 8446 4.6.2). HTTP/2 forbids this (RFC 9113 9.2.3), so the "
        'connection must offer HTTP/1 only: `ValueError` if `protocols` contains `"http2"`.',
    )
    sessions: TLSSessions | None = option(
        None,
        "the store of sessions to resume; new sessions are added to it.",
        repr=False,
        compare=False,
    )
    context: ssl.SSLContext | None = option(
        None,
        "your own `ssl.SSLContext` for clients. Of the options above, only `server_hostname`, "
        "`fingerprints`, `check_hostname` and `sessions` then apply. mint sets nothing but ALPN: the context "
        "still checks the host name itself, unless you turn that off. Any number of connections "
        "may share a context, and each offers its own protocols. Do not share it with other "
        "libraries that set ALPN.",
    )

    def __deepcopy__(self, memo: object) -> Self:
        """Return the options themselves: they are never written, and a context cannot be copied."""
        return self

    def __post_init__(self) -> None:
        check(self)
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
        _require_texts(self, "ca_file", "cert_file", "key_file", "key_log_file", kind="a path")
        _require_texts(self, "ciphers", kind="ASCII")
        _require_texts(self, "key_password", secret=True)
        self._require_data()
        if self.check_hostname is not None:
            check_hostname_check("check_hostname", self.check_hostname)
            if not self.verify:
                raise ValueError("check_hostname needs verify=True")
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
        if named and self.trust != "auto":
            raise ValueError(f"trust must be 'auto' together with ca_file or ca_data, not {self.trust!r}")
        installed = self.trust != "truststore" or with_truststore.is_available()
        if not installed:
            advice = remedy("truststore", is_included=with_truststore.INCLUDED)
            raise ValueError(f"trust='truststore' needs the package truststore: {advice}")

    def _require_data(self) -> None:
        """Check certificates and keys, and that none is given both as a file and as data."""
        for name in ("cert", "key"):
            file: object = getattr(self, f"{name}_file")
            data: object = getattr(self, f"{name}_data")
            if data is None:
                continue
            _put(self, f"{name}_data", check_pem(f"{name}_data", data))
            if file is not None:
                raise ValueError(f"{name}_file and {name}_data cannot be used together")
        if self.cert_file is None and self.cert_data is None:
            for name in ("key_file", "key_data"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name} needs cert_data or cert_file")
        if self.ca_data is None:
            return
        if isinstance(self.ca_data, str):
            _put(self, "ca_data", _checks.text("ca_data", self.ca_data, kind="ASCII"))
        elif isinstance(self.ca_data, bytes) and (exact := _checks.octets(self.ca_data)):
            _put(self, "ca_data", exact)
        else:
            raise ValueError(f"ca_data must be PEM text or DER octets, not {_checks.shown(self.ca_data)}")
