"""Each limit in the options of a proxy applies to its tunnels, as do limits that depend on the time."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

import mint
from mint import errors
from mint._configuration import http1_configuration, http2_configuration
from mint._core.http2 import Config
from mint._wire import stream
from mint.testing.frames import priority, serialize, settings

# Options about the number of requests, or about other uses of a connection, do not apply to one tunnel.
NOT_OF_TUNNELS = {"max_pipelined", "max_pings", "initial_max_concurrent_streams", "skip_target_validation"}


def limits(options: mint.HTTP1Options | mint.HTTP2Options) -> list[str]:
    return [
        each.name
        for each in fields(options)
        if type(getattr(options, each.name)) is int and each.name not in NOT_OF_TUNNELS
    ]


@pytest.mark.parametrize("name", limits(mint.HTTP1Options()))
def test_every_limit_of_http1_reaches_a_proxy(name: str) -> None:
    options = mint.HTTP1Options()
    options = replace(options, **{name: getattr(options, name) - 1})
    proxy = mint.Proxy("http", "proxy.example", 3128, http1=options)
    config = http1_configuration(proxy.http1, scheme="http", hostname="a", port=443, identity=0)
    assert getattr(config, name) == getattr(options, name)


@pytest.mark.parametrize("name", limits(mint.HTTP2Options()))
def test_every_limit_of_http2_reaches_a_proxy(name: str) -> None:
    options = mint.HTTP2Options()
    options = replace(options, **{name: getattr(options, name) + 1})
    proxy = mint.Proxy("https", "proxy.example", 3128, http2=options)
    config = http2_configuration(proxy.http2, scheme="http", hostname="a", port=443, identity=0)
    there = {"receive_window_update_threshold": "window_update_threshold"}.get(name, name)
    assert getattr(config, there) == getattr(options, name)


@pytest.mark.parametrize("per_second", [100, 1_000_000])
def test_a_flood_differs_from_a_busy_proxy(per_second: int, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(stream, "monotonic", lambda: now)
    config = Config("origin.example", port=80, scheme="http", identity=0, user_agent="x", max_glitches=500)
    layer = stream.StreamLayer(config, "origin.example:80", ())
    layer.feed(serialize([settings(), settings(ack=True)]))
    for _ in range(2_000):
        now += 1 / per_second
        layer.feed(serialize([priority(3)]))
    if per_second == 100:
        assert layer.failure is None
        return
    assert isinstance(layer.failure, errors.TransportClosed)
    assert isinstance(layer.failure.__cause__, errors.EnhanceYourCalm)
