"""Each page of `showcase`, called as a function."""

from __future__ import annotations

import gzip
import hashlib
from typing import TYPE_CHECKING

import pytest

from mint.testing import Request, Response, showcase
from mint.testing.messages import Body
from mint.testing.showcase import GREETING, PATTERN, PIECE, pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

TEXT = ("content-type", "text/plain; charset=utf-8")


def request(
    target: str,
    method: str = "GET",
    headers: tuple[tuple[str, str], ...] = (),
    body: Iterable[bytes] = (),
    protocol: str | None = None,
) -> Request:
    content = Body(iter(body), lambda: (("t", "u"),))
    return Request("HTTP/1.1", method, target, "h", headers, content, protocol)


def parts(response: Response) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    return response.status, tuple(response.headers), b"".join(response.pieces())


@pytest.mark.parametrize(
    ("target", "status", "headers", "content"),
    [
        ("/", 200, (TEXT,), b"Hello from the origin of mint.testing.\n"),
        ("/?a/b", 200, (TEXT,), GREETING),
        ("/early", 200, (TEXT,), GREETING),
        ("/push", 200, (TEXT,), GREETING),
        ("/gzip", 200, (TEXT, ("content-encoding", "gzip")), gzip.compress(GREETING, mtime=0)),
        ("/headers", 200, (TEXT,), b"a: \xe4\nb: c\n"),
        ("/sink", 200, (TEXT,), f"5 {hashlib.sha256(b'abcde').hexdigest()}\n".encode()),
        ("/echo", 200, (("content-type", "application/octet-stream"),), b"abcde"),
        ("/bytes/0", 200, (("content-length", "0"),), b""),
        ("/bytes/3", 200, (("content-length", "3"),), b"\0\1\2"),
        ("/bytes/3?x", 200, (("content-length", "3"),), b"\0\1\2"),
        ("/stream/252", 200, (), bytes(range(251)) + b"\0"),
        ("/status/200", 200, (), b""),
        ("/status/599", 599, (), b""),
        ("/status/199", 400, (), b""),
        ("/status/600", 400, (), b""),
        ("/none", 404, (TEXT,), b"no such page\n"),
        ("/bytes", 404, (TEXT,), b"no such page\n"),
        ("/bytes/x", 404, (TEXT,), b"no such page\n"),
        ("/bytes/-1", 404, (TEXT,), b"no such page\n"),
        ("/echo/1", 404, (TEXT,), b"no such page\n"),
    ],
)
def test_each_page(target: str, status: int, headers: tuple[tuple[str, str], ...], content: bytes) -> None:
    given = request(target, headers=(("a", "\xe4"), ("b", "c")), body=[b"abc", b"de"])
    assert parts(showcase(given)) == (status, headers, content)


def test_what_precedes_and_follows_a_page() -> None:
    early = showcase(request("/early"))
    assert list(early.informational) == [(103, (("link", "</style.css>; rel=preload; as=style"),))]
    [push] = showcase(request("/push")).pushes
    assert push.target == "/style.css"
    assert parts(push.response) == (200, (("content-type", "text/css"),), b"p { color: teal }\n")
    stream = showcase(request("/stream/9"))
    content = b"".join(stream.pieces())
    assert tuple(stream.trailer_fields()) == (("x-sha256", hashlib.sha256(content).hexdigest()),)
    echo = showcase(request("/echo", headers=(("content-type", "text/x"),), body=[b"a"]))
    assert parts(echo) == (200, (("content-type", "text/x"),), b"a")
    assert tuple(echo.trailer_fields()) == (("t", "u"),)


def test_tunnels() -> None:
    tunnel = showcase(request("h:1", "CONNECT", body=[b"abc"]))
    assert parts(tunnel) == (200, (), b"abc")
    upgraded = showcase(request("/", body=[b"abc"], protocol="echo"))
    assert parts(upgraded) == (101, (("connection", "upgrade"), ("upgrade", "echo")), b"abc")


@pytest.mark.parametrize("size", [0, 1, 250, 251, 252, 65_535, 65_536, 65_537, 200_000])
@pytest.mark.parametrize("piece", [1_000, PIECE])
def test_the_pattern_is_the_same_in_pieces_of_any_size(size: int, piece: int) -> None:
    pieces = list(pattern(size, piece))
    assert b"".join(pieces) == (bytes(range(251)) * (size // 251 + 1))[:size]
    assert [len(each) for each in pieces] == [
        *[piece] * (size // piece),
        *([size % piece] if size % piece else []),
    ]
    assert (65_536, bytes(range(251))) == (PIECE, PATTERN)
