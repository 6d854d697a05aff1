"""Refuse requests that no connection could send, before one is opened for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._connections import http1, http2
from .._connections.request_checks import refusal
from .._wire.memory import Memory
from ..exchange._procedure import SMALL, has

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._connections.negotiation import Connection
    from ..errors import HTTPError, TransportError
    from ..exchange import URL
    from ..options import HTTP1Options, HTTP2Options
    from ..types import HeaderFields, ProtocolName


def refuse(
    method: str,
    url: URL,
    headers: Sequence[tuple[str, str]],
    content: bytes | None,
    *,
    streamed: bool,
    trailers: HeaderFields,
    protocols: Sequence[ProtocolName],
    http1_options: HTTP1Options,
    http2_options: HTTP2Options,
) -> None:
    """Raise the error of a request that cannot be sent over any protocol that may be used."""
    fields = list(headers)
    if content is not None and (trailers or len(content) > SMALL):
        if not trailers and not has(fields, "content-length", "transfer-encoding"):
            fields.append(("content-length", str(len(content))))
        content, streamed = None, True
    first: HTTPError | TransportError | None = None
    for protocol in ("http1",) if url.scheme == "http" and "http1" in protocols else protocols:
        conn: Connection
        if protocol == "http1":
            conn = http1.initiate(
                Memory(),
                scheme=url.scheme,
                hostname=url.host,
                port=url.port,
                http1=http1_options,
                identity=0,
            )
        else:
            conn = http2.initiate(
                Memory(),
                scheme=url.scheme,
                hostname=url.host,
                port=url.port,
                http2=http2_options,
                identity=0,
            )
        error = refusal(conn, method, url.target, fields, content, streaming=streamed, trailers=trailers)
        if error is None:
            return
        first = first or error
    if first is not None:
        raise first
