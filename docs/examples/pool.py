"""A small pool: idle connections by origin, a look at their health, and retries where they are safe.

What makes a retry safe is `error.processed`: after `NO` the server has not acted on the request, whatever
its method; after `MAYBE` only what is idempotent (RFC 9110 9.2.2) may be sent again.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TypeAlias

import mint

Origin: TypeAlias = tuple[mint.types.Scheme, str, int]

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})


@dataclass
class Answer:
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytearray = field(default_factory=bytearray)


class Pool:
    def __init__(self, *, tls: mint.TLSOptions, timeout: float = 30.0, tries: int = 3) -> None:
        self._idle: defaultdict[Origin, list[mint.Connection]] = defaultdict(list)
        self._tls = tls
        self._timeout = timeout
        self._tries = tries

    def fetch(
        self,
        method: str,
        origin: Origin,
        target: str,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes | None = None,
    ) -> Answer:
        tries_left = self._tries
        while True:
            tries_left -= 1
            try:
                conn = self._check_out(origin)
                answer, conn = self._exchange(conn, method, target, headers, body)
            except mint.MintError as error:
                if not tries_left or not may_retry(error, method):
                    raise
            else:
                self._check_in(origin, conn)
                return answer

    def close(self) -> None:
        for conns in self._idle.values():
            for conn in conns:
                conn.close()
        self._idle.clear()

    def _check_out(self, origin: Origin) -> mint.Connection:
        idle = self._idle[origin]
        while idle:
            conn = idle.pop()
            if conn.is_usable():
                return conn
            conn.close()
        scheme, address, port = origin
        return mint.connect(scheme, address, port, tls=self._tls)

    def _check_in(self, origin: Origin, conn: mint.Connection) -> None:
        if conn.is_open():
            self._idle[origin].append(conn)
        else:
            conn.close()

    def _exchange(
        self,
        conn: mint.Connection,
        method: str,
        target: str,
        headers: tuple[tuple[str, str], ...],
        body: bytes | None,
    ) -> tuple[Answer, mint.Connection]:
        """Send one request and wait for its response; the connection is closed on every failure."""
        answer = Answer()
        try:
            conn, _ = conn.request(method, target, headers, body)
            while conn.open_request_count:
                conn, responses = conn.recv(timeout=self._timeout)
                collect(answer, responses)
        except BaseException as error:
            conn.close()
            if isinstance(error, mint.MintError):
                # What came before the error counts, and so does how the request itself ended.
                collect(answer, error.responses)
            raise
        return answer, conn


def collect(answer: Answer, responses: list[mint.Response] | tuple[mint.Response, ...]) -> None:
    for response in responses:
        match response:
            case mint.Status(status=status):
                answer.status = status
            case mint.Headers(headers=headers):
                answer.headers = headers
            case mint.Data(data=data):
                answer.body += data
            case mint.RequestFailed(error=error):
                raise error
            case _:
                pass


def may_retry(error: mint.MintError, method: str) -> bool:
    """Say whether the same request may be sent again, to whom it matters most: the caller's data."""
    if error.local:
        return False  # the request itself is wrong
    if error.processed is mint.Processed.NO:
        return True
    return error.processed is mint.Processed.MAYBE and method in IDEMPOTENT
