"""The configuration of each engine accepts exactly the range of each declared limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mint import HTTP1Options, HTTP2Options
from mint._core import http1, http1_config, http2_config
from mint._core.events import EVENTS
from mint._declarations import declarations
from mint.tolerance import bits_of
from tests import http1_driver, http2_driver

if TYPE_CHECKING:
    from mint._core import http2

KINDS: tuple[type[HTTP1Options | HTTP2Options], ...] = (HTTP1Options, HTTP2Options)
LIMITS = [
    (kind, declared.config or name, declared.least, declared.most)
    for kind in KINDS
    for name, declared in declarations(kind).items()
    if declared.kind == "limit"
]

# Name, least and most value of each setting that a client may send.
SETTINGS = [
    ("header_table_size", 0, 65_536),
    ("enable_push", 0, 1),
    ("max_concurrent_streams", 0, 2**32 - 1),
    ("initial_window_size", 0, 2**31 - 1),
    ("max_frame_size", 16_384, 2**24 - 1),
    ("max_header_list_size", 1, 2**31 - 1),
    ("no_rfc7540_priorities", 0, 1),
]


def configured(kind: type[HTTP1Options | HTTP2Options], name: str, value: int) -> object:
    """Return the value that a configuration has after it was given this one."""
    made: http1.Config | http2.Config
    if kind is HTTP1Options:
        made = http1_driver.config(**{name: value})  # type: ignore[arg-type]  # every limit is a number
    else:
        made = http2_driver.config((), frozenset(), **{name: value})
    found: object = getattr(made, name)
    return found


@pytest.mark.parametrize(("kind", "name", "least", "most"), LIMITS)
def test_a_limit_has_exactly_its_range(
    kind: type[HTTP1Options | HTTP2Options], name: str, least: int, most: int
) -> None:
    for value in (least, least + 1, most - 1, most):
        assert configured(kind, name, value) == value
    for value in (least - 1, most + 1, -1, -(2**31), 2**32 + least):
        with pytest.raises(ValueError, match=f"{name} must be from {least} to {most}, not {value}"):
            configured(kind, name, value)


# A set of bits, and its greatest value.
BITS = [
    (HTTP1Options, "tolerance", bits_of(True)),
    (HTTP2Options, "tolerance", bits_of(True)),
    (HTTP2Options, "events", sum(EVENTS.values())),
]


@pytest.mark.parametrize(("kind", "name", "most"), BITS)
def test_a_set_of_bits_has_exactly_its_range(
    kind: type[HTTP1Options | HTTP2Options], name: str, most: int
) -> None:
    for value in (0, 1, most - 1, most):
        assert configured(kind, name, value) == value
    for value in (-1, most + 1, -(2**31), 2**31 - 1):
        with pytest.raises(ValueError, match=f"{name} "):
            configured(kind, name, value)


MODULES = {"http1": http1_config, "http2": http2_config}


@pytest.mark.parametrize("protocol", MODULES)
def test_a_port_has_exactly_its_range(protocol: str) -> None:
    module = MODULES[protocol]
    usual = module.Config("a.test", port=1, scheme="http", identity=0, user_agent="mint/1")
    for port in (0, 1, 65_534, 65_535):
        for made in (
            module.Config("a.test", port=port, scheme="http", identity=0, user_agent="mint/1"),
            module.renamed(usual, "a.test", port, "http", 0),
        ):
            assert made.port == port
    for port in (-1, 65_536, -(2**31), 2**31 - 1):
        with pytest.raises(ValueError, match=f"port must be from 0 to 65535, not {port}"):
            module.Config("a.test", port=port, scheme="http", identity=0, user_agent="mint/1")
        with pytest.raises(ValueError, match=f"port must be from 0 to 65535, not {port}"):
            module.renamed(usual, "a.test", port, "http", 0)


@pytest.mark.parametrize("protocol", MODULES)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_port_of_the_scheme_is_not_in_the_authority(protocol: str, scheme: str) -> None:
    usual = 80 if scheme == "http" else 443
    for port in (79, 80, 81, 442, 443, 444):
        wanted = "a.test" if port == usual else f"a.test:{port}"
        if protocol == "http1":
            one = http1_config.Config("a.test", port=port, scheme=scheme, identity=0, user_agent="mint/1")
            (output,) = http1.State(one).request("GET", "/", (), None, False).output
            assert f"\r\nhost: {wanted}\r\n".encode() in output
        else:
            two = http2_config.Config("a.test", port=port, scheme=scheme, identity=0, user_agent="mint/1")
            assert two.authority == wanted


def test_a_request_over_http2_needs_a_host() -> None:
    with pytest.raises(ValueError, match="hostname must not be empty"):
        http2_config.Config("", port=80, scheme="http", identity=0, user_agent="mint/1")
    # Over HTTP/1 the field may be empty: RFC 9112 3.2.
    assert http1_config.Config("", port=80, scheme="http", identity=0, user_agent="mint/1").hostname == ""


@pytest.mark.parametrize("number", [1, 3, 2**31 - 3, 2**31 - 1])
def test_the_first_stream_of_a_client_is_odd(number: int) -> None:
    assert http2_driver.config(first_stream=number).first_stream == number
    for wrong in (number - 1, number + 1):
        with pytest.raises(ValueError, match="first_stream must be"):
            http2_driver.config(first_stream=wrong)


@pytest.mark.parametrize(("name", "least", "most"), SETTINGS)
def test_a_setting_has_exactly_its_range_and_is_given_once(name: str, least: int, most: int) -> None:
    for value in (least, most):
        assert (name, value) in http2_driver.config(((name, value),)).settings
    for value in (least - 1, most + 1, -1, 2**32):
        with pytest.raises(ValueError, match=f"{name} must be from {least} to {most}, not {value}"):
            http2_driver.config(((name, value),))
    with pytest.raises(ValueError, match="must not contain a name twice"):
        http2_driver.config(((name, least), (name, most)))
