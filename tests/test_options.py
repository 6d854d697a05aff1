"""Options are validated when they are created, so that a bad value is reported before connecting."""

from __future__ import annotations

import ssl
from dataclasses import FrozenInstanceError, fields, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any  # options by name

import pytest

import mint
from mint.options import ClientSettings, HTTP1Options, HTTP2Options, TCPOptions, TLSOptions
from mint.transport import Memory

if TYPE_CHECKING:
    from collections.abc import Iterator


def match_all(host: str, names: mint.CertificateNames) -> bool:
    """Accept any certificate."""
    return bool(host and names)


EVERY = (HTTP1Options, HTTP2Options, ClientSettings, TCPOptions, TLSOptions)


@pytest.mark.parametrize("kind", EVERY)
def test_options_are_values(kind: type) -> None:
    assert kind() == kind()
    assert hash(kind()) == hash(kind())
    name = fields(kind)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(kind(), name, None)


LIMITS = [
    (kind, each.name)
    for kind in (HTTP1Options, HTTP2Options, TCPOptions)
    for each in fields(kind)
    if each.type == "int"
]
FROM_ZERO = {"max_remembered"}


@pytest.mark.parametrize(("kind", "name"), LIMITS)
@pytest.mark.parametrize("value", [0, -1, True, None, "10", 1.5])
def test_a_limit_is_a_positive_number(
    kind: type[HTTP1Options | HTTP2Options | TCPOptions], name: str, value: object
) -> None:
    if value == 0 and value is not False and name in FROM_ZERO:
        value = -1
    with pytest.raises(ValueError, match=name):
        kind(**{name: value})  # type: ignore[arg-type]  # wrong on purpose


EDGES = [0, 1, 9, 10, 255, 256, 65_535, 65_536, 65_537, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**64]


@pytest.mark.parametrize("value", EDGES)
def test_the_engines_accept_every_value_that_options_accept(value: int) -> None:
    """Otherwise the error would be raised only after connecting."""
    settings = ((ClientSettings, each.name) for each in fields(ClientSettings) if each.init)
    for kind, name in (*LIMITS, *settings):
        try:
            options = kind(**{name: value})  # type: ignore[arg-type]  # options by name
        except ValueError:
            continue
        if isinstance(options, ClientSettings):
            options = HTTP2Options(client_settings=options)
        if isinstance(options, HTTP1Options):
            mint.http1.initiate(Memory(), scheme="http", hostname="example.org", http1=options)
        elif isinstance(options, HTTP2Options):
            mint.http2.initiate(Memory(), scheme="http", hostname="example.org", http2=options)


FLAGS = [
    (kind, each.name)
    for kind in (HTTP1Options, TCPOptions, TLSOptions)
    for each in fields(kind)
    if each.type == "bool"
]


@pytest.mark.parametrize(("kind", "name"), FLAGS)
def test_flags_must_be_bool(kind: type[HTTP1Options | TCPOptions | TLSOptions], name: str) -> None:
    """A falsy value that is not `False` must not disable a check (CVE-2021-22939)."""
    for value in (None, 0, "no"):
        with pytest.raises(ValueError, match=name):
            kind(**{name: value})  # type: ignore[arg-type]  # wrong on purpose


def test_times_are_seconds_or_none() -> None:
    assert TCPOptions(connect_timeout=None, send_timeout=0).send_timeout == 0
    for name in ("connect_timeout", "send_timeout"):
        for value in (-1, True):
            with pytest.raises(ValueError, match=name):
                replace(TCPOptions(), **{name: value})  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("kind", "name", "wrong"),
    [
        (TCPOptions, "connect_timeout", "30"),
        (TCPOptions, "connect_timeout", float("nan")),
        (TCPOptions, "local_address", "127.0.0.1"),
        (TCPOptions, "local_address", ("127.0.0.1", 65_536)),
        (HTTP2Options, "client_settings", None),
        (HTTP1Options, "sensitive_headers", "x-key"),
        (HTTP2Options, "sensitive_headers", "x-key"),
        (TLSOptions, "minimum_version", None),
    ],
)
def test_values_of_a_wrong_type_are_refused(kind: type, name: str, wrong: object) -> None:
    with pytest.raises(ValueError, match=name):
        kind(**{name: wrong})


def test_at_least_one_address_family_is_required() -> None:
    with pytest.raises(ValueError, match="inet4"):
        TCPOptions(inet4=False, inet6=False)
    assert not TCPOptions(inet4=False).inet4
    assert not TCPOptions(inet6=False).inet6


def test_buffer_sizes_are_positive_or_none() -> None:
    assert TCPOptions(send_buffer=1).send_buffer == 1
    with pytest.raises(ValueError, match="receive_buffer"):
        TCPOptions(receive_buffer=0)


def test_optional_responses_are_known() -> None:
    assert HTTP1Options(optional_responses=("status_reason",)).optional_responses
    with pytest.raises(ValueError, match="optional_responses"):
        HTTP1Options(optional_responses=("status",))  # type: ignore[arg-type]  # wrong on purpose


def test_tls_is_1_2_or_newer() -> None:
    with pytest.raises(ValueError, match="minimum_version"):
        TLSOptions(minimum_version=ssl.TLSVersion.TLSv1_1)
    with pytest.raises(ValueError, match="key_file"):
        TLSOptions(key_file="key.pem")


PEM = "-----BEGIN CERTIFICATE-----"
OLD, NEW = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minimum_version": NEW, "maximum_version": OLD}, "maximum_version must be .* not older than"),
        ({"minimum_version": ssl.TLSVersion.MINIMUM_SUPPORTED}, "minimum_version must be TLS 1.2 or newer"),
        ({"key_file": "k.pem"}, "key_file needs cert_data or cert_file"),
        ({"key_data": PEM}, "key_data needs cert_data or cert_file"),
        ({"cert_file": "c.pem", "cert_data": PEM}, "cert_file and cert_data cannot be used together"),
        (
            {"cert_file": "c.pem", "key_file": "k.pem", "key_data": PEM},
            "key_file and key_data cannot be used together",
        ),
        *(
            ({"trust": trust, **source}, f"together with ca_file or ca_data, not '{trust}'")
            for trust in ("system", "certifi", "truststore")
            for source in ({"ca_file": "ca.pem"}, {"ca_data": PEM})
        ),
        ({"check_hostname": match_all, "verify": False}, "check_hostname needs verify=True"),
        ({"server_hostname": "a b"}, "server_hostname: 'a b' is not a host name"),
        ({"fingerprints": frozenset({"a" * 65})}, "fingerprints must be"),
        ({"fingerprints": frozenset({"a" * 64, "g" * 64})}, "fingerprints must be"),
    ],
)
def test_tls_options_that_contradict_each_other(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TLSOptions(**options)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "options",
    [
        {"minimum_version": OLD, "maximum_version": OLD},
        {"minimum_version": NEW, "maximum_version": NEW},
        {"minimum_version": NEW},
        {"cert_file": "c.pem", "key_file": "k.pem"},
        {"cert_file": "c.pem", "key_data": PEM},
        {"cert_data": PEM, "key_file": "k.pem"},
        {"cert_data": PEM, "key_data": PEM.encode()},
        {"ca_file": "ca.pem", "ca_data": PEM},
        {"ca_file": "ca.pem", "trust": "auto"},
        {"ca_data": b"\x30\x82", "trust": "auto"},
        {"trust": "system"},
        {"trust": "certifi"},
        {"check_hostname": match_all},
        {"server_hostname": "127.0.0.1"},
        {"verify": False, "fingerprints": frozenset({"a" * 64})},
    ],
)
def test_tls_options_that_go_together(options: dict[str, object]) -> None:
    made = TLSOptions(**options)  # type: ignore[arg-type]  # options by name
    assert {name: getattr(made, name) for name in options} == options


def test_fingerprints_are_compared_without_colons_in_lower_case() -> None:
    written = ":".join(["AB"] * 32)
    assert TLSOptions(fingerprints=frozenset({written})).fingerprints == {"ab" * 32}


@pytest.mark.parametrize("port", [0, 65_535])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_local_addresses(host: str, port: int) -> None:
    assert TCPOptions(local_address=(host, port)).local_address == (host, port)


class Text(str):
    """Text that pretends to be other text."""

    __slots__ = ()

    def __str__(self) -> str:
        return "other"


class Number(IntEnum):
    """A number with a name."""

    PORT = 80


def test_local_addresses_are_kept_with_exact_types() -> None:
    """The code of a subclass must not run later, when its result is not checked any more."""
    found = TCPOptions(local_address=(Text("127.0.0.1"), Number.PORT)).local_address
    assert found is not None
    assert found == ("127.0.0.1", 80)
    assert [type(each) for each in found] == [str, int]


@pytest.mark.parametrize("name", ["ciphers", "ca_file", "cert_file", "key_file", "key_log_file"])
def test_a_wrong_text_is_shown_unless_it_is_secret(name: str) -> None:
    given: dict[str, Any] = {name: "a\0b"}
    with pytest.raises(ValueError, match=rf"{name} must be non-empty .*, not 'a\\x00b'$"):
        TLSOptions(**given)
    with pytest.raises(ValueError, match=r"key_password must be non-empty .*, not another$"):
        TLSOptions(key_password="a\0b")


def test_the_key_password_is_not_shown() -> None:
    assert "hunter2" not in repr(TLSOptions(cert_file="c.pem", key_password="hunter2"))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("header_table_size", -1),
        ("max_concurrent_streams", 2**32),
        ("initial_window_size", 2**31),
        ("max_frame_size", 16_383),
        ("max_frame_size", 2**24),
        ("max_header_list_size", 0),
        ("enable_push", 1),
    ],
)
def test_client_settings_have_ranges(name: str, wrong: int) -> None:
    with pytest.raises(ValueError, match=name):
        ClientSettings(**{name: wrong})  # type: ignore[arg-type]  # wrong on purpose


def test_client_settings_that_are_none_are_not_sent() -> None:
    assert ClientSettings().pairs() == (
        ("enable_push", 0),
        ("initial_window_size", 4_194_304),
        ("max_header_list_size", 262_144),
    )
    assert ClientSettings(enable_push=None, initial_window_size=None, max_header_list_size=None).pairs() == ()


def test_http2_windows_have_ranges() -> None:
    for wrong in (65_534, 2**31):
        with pytest.raises(ValueError, match="connection_window_size"):
            HTTP2Options(connection_window_size=wrong)
    with pytest.raises(ValueError, match="threshold"):
        HTTP2Options(receive_window_update_threshold=2**31)
    for kind in (HTTP1Options, HTTP2Options):
        with pytest.raises(ValueError, match="sensitive"):
            kind(sensitive_headers=frozenset({"X-Key"}))


class Hollow(frozenset[str]):
    """A set that always claims to be empty."""

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_fingerprints_are_those_that_the_set_contains() -> None:
    """A set that misreports its contents must not disable pinning."""
    assert mint.TLSOptions(fingerprints=Hollow(["a" * 64])).fingerprints == {"a" * 64}
    for held in (["short"], [5], [None], ["a" * 64, None]):
        with pytest.raises(ValueError, match="fingerprints"):
            mint.TLSOptions(fingerprints=Hollow(held))  # type: ignore[arg-type]  # wrong on purpose
