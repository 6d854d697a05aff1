"""What a streamed answer shows of its request and response, the same for every event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exchange._answer import Fields

if TYPE_CHECKING:
    from .._connections.negotiation import Connection
    from ..responses import Informational, RequestRef
    from ..types import HeaderFields
    from ._session import Stream


class Streamed(Fields):
    """Base class of the streamed answers of all pools."""

    _stream: Stream

    @property
    def status(self) -> int:
        """The status code; 0 before the head of the answer was received (`receive_head`)."""
        return self._stream.status

    @property
    def reason(self) -> str:
        """The reason phrase; empty unless it is enabled (`HTTP1Options.optional_responses`)."""
        return self._stream.reason

    @property
    def headers(self) -> HeaderFields:  # type: ignore[override]  # read-only, as of every answer
        """The header fields, names in lower case, with order and duplicates kept."""
        return self._stream.headers

    @property
    def interim(self) -> tuple[Informational, ...]:
        """The interim responses (1xx) that preceded the answer, in order."""
        return tuple(self._stream.interim)

    @property
    def trailers(self) -> HeaderFields:
        """The fields after the content; empty before its end."""
        return self._stream.trailers

    @property
    def ref(self) -> RequestRef:
        """The reference of the request on its connection."""
        return self._stream.ref

    @property
    def connection(self) -> Connection:
        """The current value of the connection, for its protocol, addresses and TLS; do not send on it."""
        return self._stream.session.conn
