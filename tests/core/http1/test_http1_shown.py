"""A fault shows at most 200 octets of what the server sent: the first ones, whatever is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.http1_driver import HEAD, octets, play, with_requests

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"


def filled(start: str, size: int, filling: str = "x") -> str:
    return (start + filling * size)[:size]


# What is shown, of a given size, and the input that contains it.
CASES: dict[str, tuple[Callable[[int], str], Callable[[str], bytes], str]] = {
    "a length that is no number": (
        lambda n: filled("9" * 18 + "x", n),
        lambda text: HEAD + f"content-length: {text}\r\n\r\n".encode(),
        "invalid_content_length_header",
    ),
    "another length": (
        lambda n: filled("", n - 1, "0") + "2",
        lambda text: HEAD + f"content-length: 1\r\ncontent-length: {text}\r\n\r\n".encode(),
        "more_than_one_content_length_header",
    ),
    "no list of codings": (
        lambda n: filled("a b", n),
        lambda text: HEAD + f"transfer-encoding: {text}\r\n\r\n".encode(),
        "invalid_token_list",
    ),
    "chunked twice": (
        lambda n: filled("chunked, chunked, ", n),
        lambda text: HEAD + f"transfer-encoding: {text}\r\n\r\n".encode(),
        "invalid_token_list",
    ),
    "no list of options": (
        lambda n: filled("a b", n),
        lambda text: HEAD + f"connection: {text}\r\n\r\n".encode(),
        "invalid_token_list",
    ),
    "a protocol that was not offered": (
        lambda n: filled("", n),
        lambda text: f"HTTP/1.1 101 x\r\nupgrade: {text}\r\n\r\n".encode(),
        "unexpected_upgrade",
    ),
    "a status line": (
        lambda n: filled("HTTP/1.1 2x0 ", n),
        lambda text: f"{text}\r\n".encode(),
        "invalid_status_line",
    ),
    "a line without a colon": (
        lambda n: filled("", n),
        lambda text: HEAD + f"{text}\r\n\r\n".encode(),
        "invalid_header",
    ),
    "a line that ends in LF": (
        lambda n: filled("a: ", n),
        lambda text: HEAD + f"{text}\n".encode(),
        "invalid_header",
    ),
    "the name of a field with a wrong fold": (
        lambda n: filled("", n),
        lambda text: HEAD + f"{text}: b\r\n \x00\r\n\r\n".encode(),
        "invalid_header",
    ),
    "a trailer without a colon": (
        lambda n: filled("", n),
        lambda text: CHUNKED + f"0\r\n{text}\r\n\r\n".encode(),
        "invalid_trailer_header",
    ),
    "a chunk line": (
        lambda n: filled("1 ", n),
        lambda text: CHUNKED + f"{text}\r\n".encode(),
        "invalid_chunk_size",
    ),
    "what nobody asked for": (
        lambda n: filled("", n),
        lambda text: HEAD + f"content-length: 0\r\n\r\n{text}".encode(),
        "unexpected_data",
    ),
}


@pytest.mark.parametrize("size", [30, 199, 200, 201, 1_000])
@pytest.mark.parametrize("name", CASES)
def test_at_most_200_octets_are_shown(name: str, size: int) -> None:
    shown, made, reason = CASES[name]
    text = shown(size)
    assert len(text) == size
    state = with_requests(headers=(("upgrade", "other"),))
    pieces = [[made(text)]]
    if name != "what nobody asked for":  # there, the first octet is too many
        pieces.append(octets(made(text)))
    for given in pieces:
        fault = play(state, given).fault
        assert fault is not None
        assert (fault.reason, fault.value) == (reason, text[:200])
