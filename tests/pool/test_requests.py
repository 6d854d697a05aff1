"""Requests of a pool as values: their bodies and time limits, and the options for connecting."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest

import mint
from mint.exchange import Origin
from mint.pool import Timeouts
from mint.pool._procedures import UNLIMITED, PoolRequest
from mint.pool._requests import ConnectOptions, make_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from mint.pool._requests import AsyncStreamedBody
    from mint.types import ProtocolName, Scheme

NOW = 100.0


def clock() -> float:
    return NOW


def request(
    body: AsyncStreamedBody = None, timeout: float | Timeouts | None = None, method: str = "GET"
) -> PoolRequest:
    return make_request(method, "http://a/", (), body, (), timeout, clock)


# -- options for connecting


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("protocols", "shares"),
    [
        (("http1",), ()),
        (("http2",), ("http", "https")),
        (("http1", "http2"), ("https",)),
        (("http2", "http1"), ("https",)),
    ],
)
def test_which_connections_requests_may_share(
    protocols: tuple[ProtocolName, ...], scheme: Scheme, shares: tuple[str, ...]
) -> None:
    """HTTP/2 in clear is used only if nothing else may be."""
    options = ConnectOptions(protocols=protocols)
    assert options.may_share(Origin(scheme, "a", 1)) is (scheme in shares)


@pytest.mark.parametrize(
    ("own", "left", "expected"),
    [
        *((None, None, None), (None, 0.0, 0.0), (None, 3.0, 3.0)),
        *((5.0, None, 5.0), (5.0, 0.0, 0.0), (5.0, 3.0, 3.0), (5.0, 5.0, 5.0), (5.0, 7.0, 5.0)),
    ],
)
def test_the_earlier_limit_of_connecting_counts(
    own: float | None, left: float | None, expected: float | None
) -> None:
    tcp = mint.TCPOptions(connect_timeout=own, nodelay=False)
    found = ConnectOptions(tcp=tcp).tcp_within(left)
    assert found == replace(tcp, connect_timeout=expected)
    assert (found is tcp) is (expected == own)


# -- time limits


@pytest.mark.parametrize(
    ("timeout", "until", "timeouts"),
    [
        (None, None, UNLIMITED),
        (3, NOW + 3, UNLIMITED),
        (0.0, NOW, UNLIMITED),
        (Timeouts(read=2.0), None, Timeouts(read=2.0)),
        (Timeouts(total=4.0, read=2.0), NOW + 4, Timeouts(total=4.0, read=2.0)),
        (Timeouts(total=0.0), NOW, Timeouts(total=0.0)),
    ],
)
def test_the_limits_of_a_request(
    timeout: float | Timeouts | None, until: float | None, timeouts: Timeouts
) -> None:
    made = request(timeout=timeout)
    assert (made.until, made.timeouts) == (until, timeouts)
    # A limit that is given later replaces all of them, except -1.
    assert made.with_limit(-1) is made
    for given, expected in ((None, None), (0.0, NOW), (7, NOW + 7)):
        later = made.with_limit(given)
        assert (later.until, later.timeouts) == (expected, UNLIMITED)
        names = {each.name for each in fields(made)} - {"until", "timeouts"}
        assert all(getattr(later, name) is getattr(made, name) for name in names)
    with pytest.raises(ValueError, match="timeout"):
        made.with_limit(-2)


@pytest.mark.parametrize("since", [None, 90.0, 99.0])
@pytest.mark.parametrize("limit", [None, 0.0, 3.0, 5.0, 20.0])
@pytest.mark.parametrize("total", [None, 0.0, 5.0])
def test_a_phase_ends_with_its_own_limit_or_that_of_the_request(
    total: float | None, limit: float | None, since: float | None
) -> None:
    ends = [] if total is None else [NOW + total]
    if limit is not None:
        ends.append((NOW if since is None else since) + limit)
    assert request(timeout=total).within(limit, since) == min(ends, default=None)


# -- bodies


def pieces() -> Iterator[bytes]:
    yield b"ab"
    yield b"c"


async def awaited() -> AsyncIterator[bytes]:
    yield b"abc"


@pytest.mark.parametrize(
    ("body", "content"),
    [(None, None), (b"", b""), (b"abc", b"abc"), (bytearray(b"abc"), b"abc"), (memoryview(b"abc"), b"abc")],
)
def test_a_body_of_bytes_can_be_sent_again(body: AsyncStreamedBody, content: bytes | None) -> None:
    made = request(body)
    assert made.content == content
    assert type(made.content) is type(content)
    assert (made.make_source, made.sends_itself, made.replays) == (None, False, True)


@pytest.mark.parametrize("body", [pieces(), [b"ab", b"c"], awaited()], ids=["iterator", "list", "async"])
def test_a_body_of_pieces_is_taken_once(body: AsyncStreamedBody) -> None:
    """A second call continues with the same iterator, from which nothing may have been taken yet."""
    made = request(body)
    assert (made.content, made.sends_itself, made.replays) == (None, False, False)
    assert made.make_source is not None
    assert made.make_source() is made.make_source()


def test_a_body_that_the_caller_sends() -> None:
    made = request(mint.STREAM, method="CONNECT")
    assert (made.content, made.make_source, made.sends_itself, made.replays) == (None, None, True, True)
