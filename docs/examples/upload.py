"""A streaming upload: `mint.exchange.send_body` sends as fast as possible and notices an early answer.

The same code works with both protocols.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

import mint
import mint.exchange

if TYPE_CHECKING:
    from collections.abc import Iterable


class Upload:
    """One upload on a connection of your own; `run` returns the status."""

    def __init__(self, conn: mint.Connection, target: str, *, timeout: float = 30.0) -> None:
        self.conn: mint.Connection
        self.conn, self._ref = conn.request("POST", target, body=mint.STREAM)
        self.body = b""
        self._timeout = timeout

    def run(self, chunks: Iterable[bytes]) -> int:
        """Send the chunks and wait for the answer, for at most `timeout` seconds in all."""
        until = monotonic() + self._timeout
        collector = mint.exchange.Collector(max_size=10_000_000)
        ended: dict[mint.RequestRef, mint.exchange.Answer | mint.MintError] = {}

        def hear(responses: Iterable[mint.Response]) -> None:
            ended.update(collector.feed(responses))

        try:
            self.conn, _ = mint.exchange.send_body(
                self.conn, self._ref, chunks, timeout=self._timeout, received=hear
            )
            while self._ref not in ended:
                self.conn, responses = self.conn.recv(timeout=max(0.0, until - monotonic()))
                hear(responses)
                if self._ref not in ended and monotonic() > until:
                    raise mint.errors.TransportTimeout("waiting for the answer")
        except mint.MintError as error:
            # The answer may have arrived before the error: a server may refuse the upload and then close.
            hear(error.responses)
            if self._ref not in ended:
                self.conn.close()
                raise
        outcome = ended[self._ref]
        if not isinstance(outcome, mint.exchange.Answer):
            raise outcome
        self.body = outcome.content
        return outcome.status
