"""A configuration is made once for equal options; only host name, port and scheme are checked each time."""

from __future__ import annotations

import pytest

from mint._core import http1_config, http2_config

OPTIONS1: dict[str, object] = {
    "case_sensitive_headers": True,
    "skip_target_validation": True,
    "tolerance": 3,
    "status_reason": True,
    "forward_proxy": True,
    "proxy_headers": (("a", "b"),),
    "sensitive": frozenset({"x-key"}),
}
LIMITS1 = (
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
OPTIONS2: dict[str, object] = {
    "settings": (("enable_push", 1), ("max_frame_size", 20_000)),
    "connection_window_size": 100_000,
    "skip_target_validation": True,
    "tolerance": 3,
    "sensitive": frozenset({"x-key"}),
    "index_credentials": True,
    "events": 1,
    "first_stream": 7,
}
LIMITS2 = (
    "window_update_threshold",
    "max_fields",
    "max_header_block",
    "max_continuations",
    "max_settings",
    "max_unsent_acks",
    "max_glitches",
    "max_resets",
    "max_reserved",
    "max_remembered",
    "max_informational",
    "max_informational_size",
    "max_trailer_size",
    "max_trailer_fields",
    "max_pings",
    "assumed_concurrency",
    "max_discarded_header_list",
)
MODULES = {
    "http1": (http1_config, OPTIONS1 | {name: 100 + at for at, name in enumerate(LIMITS1)}),
    "http2": (http2_config, OPTIONS2 | {name: 100 + at for at, name in enumerate(LIMITS2)}),
}


NAMED = {"hostname", "port", "scheme", "identity", "user_agent", "authority"}


@pytest.mark.parametrize("protocol", MODULES)
def test_every_option_is_listed(protocol: str) -> None:
    """A new option of a configuration must be added above, with a value that is not the default."""
    module, options = MODULES[protocol]
    usual = module.Config(hostname="-", port=0, scheme="http", identity=0, user_agent="mint/1")
    known = {name for name in dir(module.Config) if not name.startswith("_")}
    assert set(options) == known - NAMED
    assert [name for name in options if getattr(usual, name) == options[name]] == []


@pytest.mark.parametrize("protocol", MODULES)
def test_a_renamed_configuration_equals_one_made_with_that_name(protocol: str) -> None:
    module, options = MODULES[protocol]
    usual = module.Config(hostname="-", port=0, scheme="http", identity=0, user_agent="mint/1", **options)
    made = module.Config(
        hostname="example.org", port=81, scheme="https", identity=7, user_agent="mint/1", **options
    )
    renamed = module.renamed(usual, "example.org", 81, "https", 7)
    assert renamed == made
    assert renamed != usual
    assert usual.hostname == "-"


@pytest.mark.parametrize("protocol", MODULES)
@pytest.mark.parametrize(
    ("hostname", "port", "scheme"),
    [("a b", 80, "http"), ("example.org", 65_536, "http"), ("example.org", -1, "http"), ("a", 80, "ftp")],
)
def test_a_name_is_checked_each_time(protocol: str, hostname: str, port: int, scheme: str) -> None:
    module, _ = MODULES[protocol]
    usual = module.Config(hostname="-", port=0, scheme="http", identity=0, user_agent="mint/1")
    with pytest.raises(ValueError, match=r"."):
        module.renamed(usual, hostname, port, scheme, 1)
