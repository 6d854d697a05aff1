"""The default and the range of every option, as the pages promise them, and what `repr` leaves out.

The tables repeat on purpose what the classes declare. A change of a default or of a bound changes what
programs observe, so it must be made in two places.
"""

from __future__ import annotations

import ssl
import sys
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING

import pytest

from mint import ClientSettings, HTTP1Options, HTTP2Options, Proxy, TCPOptions, TLSOptions, Tolerance
from mint._declarations import declarations
from mint.pool import PoolOptions, Timeouts

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CLASSES: tuple[type[DataclassInstance], ...] = (
    *(HTTP1Options, HTTP2Options, ClientSettings),
    *(TCPOptions, TLSOptions, Proxy, PoolOptions, Timeouts, Tolerance),
)
LIMIT, ENOUGH, WINDOW = 2**31 - 1, sys.maxsize, 2**31 - 1

# The default of each option; an option that is missing here has no default.
DEFAULTS: dict[type[DataclassInstance], dict[str, object]] = {
    HTTP1Options: {
        "case_sensitive_headers": False,
        "skip_target_validation": False,
        "lenient": False,
        "sensitive_headers": frozenset(),
        "optional_responses": (),
        "max_header_list_size": 262_144,
        "max_fields": 512,
        "max_status_line": 8_192,
        "max_informational": 32,
        "max_informational_size": 262_144,
        "max_trailer_size": 16_384,
        "max_trailer_fields": 64,
        "max_chunk_line": 4_096,
        "max_pipelined": 100,
    },
    HTTP2Options: {
        "client_settings": ClientSettings(),
        "connection_window_size": 16_777_216,
        "receive_window_update_threshold": 160_000,
        "skip_target_validation": False,
        "lenient": False,
        "sensitive_headers": frozenset(),
        "index_credentials": False,
        "optional_responses": (),
        "max_fields": 512,
        "max_discarded_header_list": 1_048_576,
        "max_header_block": 524_288,
        "max_continuations": 16,
        "max_settings": 32,
        "max_unsent_acks": 1_000,
        "max_glitches": 10_000,
        "max_resets": 1_000,
        "max_reserved": 100,
        "max_remembered": 1_024,
        "max_informational": 10_000,
        "max_informational_size": 4_194_304,
        "max_trailer_size": 16_384,
        "max_trailer_fields": 64,
        "max_pings": 1_000,
        "initial_max_concurrent_streams": 100,
    },
    ClientSettings: {
        "header_table_size": None,
        "enable_push": False,
        "max_concurrent_streams": None,
        "initial_window_size": 4_194_304,
        "max_frame_size": None,
        "max_header_list_size": 262_144,
        "no_rfc7540_priorities": None,
    },
    TCPOptions: {
        "connect_timeout": 30.0,
        "send_timeout": 30.0,
        "high_water": 1_048_576,
        "max_read_ahead": 4_194_304,
        "inet4": True,
        "inet6": True,
        "nodelay": True,
        "keepalive": False,
        "send_buffer": None,
        "receive_buffer": None,
        "local_address": None,
        "receive_size": 65_536,
    },
    TLSOptions: {
        "verify": True,
        "trust": "auto",
        "ca_file": None,
        "ca_data": None,
        "cert_file": None,
        "key_file": None,
        "cert_data": None,
        "key_data": None,
        "key_password": None,
        "server_hostname": None,
        "minimum_version": ssl.TLSVersion.TLSv1_2,
        "maximum_version": ssl.TLSVersion.MAXIMUM_SUPPORTED,
        "ciphers": None,
        "partial_chain": False,
        "key_log_file": None,
        "fingerprints": frozenset(),
        "check_hostname": None,
        "post_handshake_auth": False,
        "sessions": None,
        "context": None,
    },
    Proxy: {
        "hostname": None,
        "headers": (),
        "username": None,
        "password": None,
        "tls": TLSOptions(),
        "http1": HTTP1Options(),
        "http2": HTTP2Options(),
        "protocols": ("http1",),
        "tunnel": False,
        "tunnel_timeout": 30.0,
    },
    PoolOptions: {
        "max_connections": 100,
        "max_per_origin": 10,
        "max_streams": 100,
        "idle_timeout": 60.0,
        "max_age": None,
        "ping_interval": 30.0,
        "ping_timeout": 10.0,
        "max_retries": 2,
        "retry_idempotent": False,
        "buffer_size": 262_144,
    },
    Timeouts: {"total": None, "pool": None, "connect": None, "read": None, "write": None},
    Tolerance: {each.name: False for each in fields(Tolerance)},
}
# The range of each number that is not from 1 to 2**31 - 1.
RANGES: dict[tuple[type[DataclassInstance], str], tuple[int, int]] = {
    (HTTP2Options, "connection_window_size"): (65_535, WINDOW),
    (HTTP2Options, "max_settings"): (10, LIMIT),
    (HTTP2Options, "max_remembered"): (0, LIMIT),
    (ClientSettings, "header_table_size"): (0, 65_536),
    (ClientSettings, "enable_push"): (0, 1),
    (ClientSettings, "max_concurrent_streams"): (0, 2**32 - 1),
    (ClientSettings, "initial_window_size"): (0, WINDOW),
    (ClientSettings, "max_frame_size"): (16_384, 2**24 - 1),
    (ClientSettings, "no_rfc7540_priorities"): (0, 1),
    (TCPOptions, "high_water"): (1, ENOUGH),
    (PoolOptions, "max_connections"): (1, ENOUGH),
    (PoolOptions, "max_per_origin"): (1, ENOUGH),
    (PoolOptions, "max_streams"): (1, ENOUGH),
    (PoolOptions, "max_retries"): (0, ENOUGH),
    (PoolOptions, "buffer_size"): (0, ENOUGH),
}
# What `repr` leaves out: secrets, and the store of sessions, which is not a part of the value either.
HIDDEN = {
    (TLSOptions, "cert_data"),
    (TLSOptions, "key_data"),
    (TLSOptions, "key_password"),
    (TLSOptions, "sessions"),
    (Proxy, "headers"),
    (Proxy, "username"),
    (Proxy, "password"),
}
NOT_COMPARED = {(TLSOptions, "sessions")}
OPTIONS = [(kind, each) for kind in CLASSES for each in declarations(kind)]


@pytest.mark.parametrize("kind", CLASSES)
def test_defaults(kind: type[DataclassInstance]) -> None:
    found = {each.name: each.default for each in fields(kind) if each.init and each.default is not MISSING}
    assert found == DEFAULTS[kind]


@pytest.mark.parametrize(("kind", "name"), OPTIONS)
def test_ranges(kind: type[DataclassInstance], name: str) -> None:
    declared = declarations(kind)[name]
    assert (declared.least, declared.most) == RANGES.get((kind, name), (1, LIMIT))


def test_what_is_shown_and_compared() -> None:
    every = [(kind, each) for kind in CLASSES for each in fields(kind) if each.name in declarations(kind)]
    assert {(kind, each.name) for kind, each in every if not each.repr} == HIDDEN
    assert {(kind, each.name) for kind, each in every if not each.compare} == NOT_COMPARED
    # What options keep beside their values is made from them.
    made = [each for kind in CLASSES for each in fields(kind) if not each.init]
    assert {each.name for each in made} == {"_pairs"}
    assert not [each for each in made if each.repr or each.compare]
