"""The events of the extension `trace`, with the names and in the order of httpcore.

They are made from the events of a pool (`trace` of `Pool.stream`), for which connecting is one phase. The
events for TLS and for the beginning of HTTP/2 are therefore made when that phase is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..errors import BadALPNProtocol, ProtocolNotNegotiated, TLSFailed
from .parts import raw_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..exchange import URL
    from ..types import HeaderFields

Event: TypeAlias = tuple[str, dict[str, object]]

_PHASES = {
    "request": "send_request_headers",
    "request_body": "send_request_body",
    "response": "receive_response_headers",
}
_AFTER_TCP = (TLSFailed, ProtocolNotNegotiated, BadALPNProtocol)


class Tracing:
    """Translates the events of one request."""

    def __init__(self, request: object, url: URL, connect_timeout: float | None) -> None:
        """Begin; `request` is an `httpx.Request`."""
        self._request = request
        self._url = url
        self._timeout = connect_timeout
        self._prefix = "http11"
        self._stream_id: int | None = None

    def events(self, name: str, info: Mapping[str, object]) -> Iterator[Event]:
        """Yield the events of httpcore for an event of a pool."""
        phase, _, state = name.partition(".")
        if phase == "connect":
            yield from self._connecting(state, info)
            return
        if phase == "request" and state == "started":
            self._begin(info.get("connection"))
        if phase == "request" and state == "complete" and self._prefix == "http2":
            self._stream_id = getattr(info.get("ref"), "number", None)
        given: dict[str, object] = dict(info)
        if state == "started":
            given = self._known({"request": self._request})
        elif state == "complete":
            given = {"return_value": self._head(info) if phase == "response" else None}
        yield f"{self._prefix}.{_PHASES[phase]}.{state}", given

    def content(self, state: str, error: BaseException | None = None) -> Event:
        """Return an event about the content of the response."""
        return self._own("receive_response_body", state, error)

    def closed(self, state: str) -> Event:
        """Return an event about the closing of a response."""
        name, info = self._own("response_closed", state, None)
        info.pop("request", None)
        return name, info

    def _own(self, phase: str, state: str, error: BaseException | None) -> Event:
        info: dict[str, object] = {"return_value": None}
        if state == "started":
            info = self._known({"request": self._request})
        elif error is not None:
            info = {"exception": error}
        return f"{self._prefix}.{phase}.{state}", info

    def _known(self, info: dict[str, object]) -> dict[str, object]:
        return info if self._stream_id is None else {**info, "stream_id": self._stream_id}

    def _begin(self, connection: object) -> None:
        self._prefix = "http2" if getattr(connection, "protocol", "http1") == "http2" else "http11"
        self._stream_id = None

    def _head(self, info: Mapping[str, object]) -> tuple[object, ...]:
        fields: HeaderFields = getattr(info["stream"], "headers")  # noqa: B009  # a stream of the pool
        reason: str = getattr(info["stream"], "reason")  # noqa: B009  # as above
        if self._prefix == "http2":
            return info["status"], raw_fields(fields)
        return b"HTTP/1.1", info["status"], reason.encode("latin-1"), raw_fields(fields)

    def _connecting(self, state: str, info: Mapping[str, object]) -> Iterator[Event]:
        if state == "started":
            yield (
                "connection.connect_tcp.started",
                {
                    "host": self._url.host,
                    "port": self._url.port,
                    "local_address": None,
                    "timeout": self._timeout,
                    "socket_options": None,
                },
            )
            return
        error = info.get("exception")
        if state == "failed" and not isinstance(error, _AFTER_TCP):
            yield "connection.connect_tcp.failed", {"exception": error}
            return
        connection = info.get("connection")
        done: dict[str, object] = {"return_value": connection}
        yield "connection.connect_tcp.complete", done
        if self._url.scheme == "https":
            given: dict[str, object] = {
                "ssl_context": None,
                "server_hostname": self._url.host,
                "timeout": self._timeout,
            }
            yield "connection.start_tls.started", given
            if state == "failed":
                yield "connection.start_tls.failed", {"exception": error}
                return
            yield "connection.start_tls.complete", done
        if getattr(connection, "protocol", "") == "http2":
            yield "http2.send_connection_init.started", {"request": self._request}
            yield "http2.send_connection_init.complete", {"return_value": None}
