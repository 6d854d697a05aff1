"""One connection of a program, with its requests and their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mint.types import BytesLike, HeaderPairs

    from .record import Exchange, Record


class Late(Exception):  # noqa: N818  # an event, not an error
    """The time limit has passed."""


class Handle:
    """A connection, its requests, and what was received."""

    def __init__(self, record: Record, conn: mint.Connection) -> None:
        self.record = record
        self.conn = conn
        self.exchanges: dict[mint.RequestRef, Exchange] = {}
        self.error: mint.MintError | None = None
        self.closed = False
        self.interrupted = False
        """Whether an operation may have been interrupted: then the value may be outdated."""
        self.inbox = 0
        """Which of the caller's mailboxes has it."""
        self.lock = record.kernel.lock()
        """Held by threads that receive from one mailbox, while they feed a message to this connection."""

    def request(
        self,
        exchange: Exchange,
        method: str,
        fields: HeaderPairs = (),
        body: BytesLike | mint.types.Stream | None = None,
    ) -> mint.RequestRef | None:
        """Send a request; return `None` if the connection refused it."""
        target = f"{exchange.number}.example:443" if method == "CONNECT" else f"/{exchange.number}"
        if body is not None and body is not mint.STREAM:
            exchange.sent, exchange.ended = len(exchange.body), True
        try:
            self.conn, ref = self.conn.request(method, target, fields, body)
        except mint.MintError as error:
            # It has no ref, so no response to it can arrive.
            exchange.abandoned = True
            self.failed(error)
            return None
        self.exchanges[ref] = exchange
        return ref

    def send(self, ref: mint.RequestRef, data: bytes | mint.Eof) -> bool:
        """Send content; return false if that failed."""
        if not isinstance(data, mint.Eof):
            # Counted before the call, because a call that raises may have sent it.
            self.exchanges[ref].sent += len(data)
        try:
            self.conn = self.conn.stream_request_body(ref, data)
        except mint.MintError as error:
            self.failed(error)
            return False
        self.exchanges[ref].ended = isinstance(data, mint.Eof)
        return True

    def take(self, responses: Iterable[mint.Response]) -> None:
        """Check and store responses."""
        for response in responses:
            if isinstance(response, mint.ConnectionEvent):
                self.record.kernel.blame(f"{type(response).__name__}, for which nobody asked")
                continue
            exchange = self.exchanges.get(response.ref)
            if exchange is None:
                if not isinstance(response, mint.RequestFailed):
                    self.record.kernel.blame(f"{type(response).__name__} for a ref that was never given")
                continue
            self.record.kernel.note(f"got {type(response).__name__} of {exchange.number}")
            wrong = exchange.take(response)
            if wrong:
                self.record.kernel.blame(wrong)

    def failed(self, error: mint.MintError) -> None:
        """Handle an error, and continue with its successor."""
        self.record.kernel.note(f"raised {error!r}")
        self.error = error
        self.take(error.responses)
        if isinstance(error, mint.StaleConnectionError):
            if not self.interrupted:
                self.record.kernel.blame("StaleConnectionError for the newest value")
            self.close()
            return
        if error.successor is not None:
            self.conn = self.conn.after(error)
        if isinstance(error, mint.errors.TransportTimeout):
            return
        if not self.conn.is_open("read") and error.successor is None:
            self.close()

    def close(self) -> None:
        """Close the connection; requests that are still open will not end."""
        for exchange in self.exchanges.values():
            if exchange.end is None:
                exchange.abandoned = True
        self.closed = True
        self.conn = self.conn.close()

    def body_open(self, ref: mint.RequestRef) -> int:
        """Return the window of a request, or -1 if its content can no longer be sent."""
        try:
            return self.conn.request_body_window(ref)
        except (ValueError, mint.MintError):
            return -1
