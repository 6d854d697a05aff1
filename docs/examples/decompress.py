"""Fetch and decode content while it arrives: the limit applies to what was decoded so far."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import mint
import mint.content
import mint.exchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def content(
    conn: mint.Connection, target: str, *, limit: int, timeout: float = 30.0
) -> tuple[mint.Connection, bytes]:
    """Fetch one target and return its decoded content. If that fails, the connection is closed.

    Raises the errors of `mint.content`; `ContentTooLarge` is raised as soon as the limit is exceeded.
    """
    conn, ref = conn.request("GET", target, [mint.content.accept_encoding()])
    decoder = mint.content.Decoder(max_size=limit)
    pieces: list[bytes] = []
    ended = False
    try:
        while not ended:
            conn, responses = conn.recv(timeout=timeout)
            for response in responses:
                match response:
                    case mint.Headers(ref=each, headers=headers) if each == ref:
                        codings = [value for name, value in headers if name == "content-encoding"]
                        decoder = mint.content.Decoder(codings, max_size=limit)
                    case mint.Data(ref=each, data=data) if each == ref:
                        pieces += decoder.feed(data)
                    case mint.Done(ref=each) if each == ref:
                        ended = True
                    case mint.RequestFailed(ref=each, error=error) if each == ref:
                        raise error
                    case _:
                        pass  # a Pong, a push, or a kind of response that a later version of mint adds
        pieces += decoder.finish()
    except BaseException:
        with suppress(mint.MintError):
            conn.close()
        raise
    return conn, b"".join(pieces)


def decoded(pieces: Iterable[bytes], coding: str, *, limit: int) -> Iterator[bytes]:
    """Yield content piece by piece; the codings were applied in the order in which they are listed."""
    decoder = mint.content.Decoder(coding, max_size=limit)
    for piece in pieces:
        yield from decoder.feed(piece)
    yield from decoder.finish()
