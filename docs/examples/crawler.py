"""A crawler: one thread, one mailbox, many connections, each with one request at a time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import mint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass
class Visit:
    """A connection, and the page it is fetching."""

    conn: mint.Connection
    page: str
    status: int = 0
    size: int = 0


class Crawler:
    def __init__(self, scheme: mint.types.Scheme, address: str, port: int, *, connections: int = 200) -> None:
        self._where = scheme, address, port
        self._most = connections

    def crawl(self, pages: Iterable[str]) -> Iterator[tuple[str, int, int]]:
        """Yield page, status and size, in the order in which they are finished."""
        waiting = deque(pages)
        visits: dict[mint.types.Source, Visit] = {}
        with mint.Mailbox() as mailbox:
            while waiting or visits:
                while waiting and len(visits) < self._most:
                    conn = mint.connect(*self._where, mailbox=mailbox)
                    visits[conn.source] = Visit(conn, "")
                    self._next(visits, visits[conn.source], waiting)
                message = mailbox.receive(timeout=30)
                if not isinstance(message, (mint.Received, mint.Closed, mint.Broken)):
                    continue
                visit = visits.get(message.source)
                if visit is not None and self._feed(visit, message):
                    yield visit.page, visit.status, visit.size
                    self._next(visits, visit, waiting)

    @staticmethod
    def _next(visits: dict[mint.types.Source, Visit], visit: Visit, waiting: deque[str]) -> None:
        """Fetch the next page on this connection, or let it go."""
        if waiting and visit.conn.is_open():
            page = waiting.popleft()
            conn, _ = visit.conn.request("GET", page)
            visits[conn.source] = Visit(conn, page)
        else:
            del visits[visit.conn.source]
            visit.conn.close()

    @staticmethod
    def _feed(visit: Visit, message: mint.Message) -> bool:
        """Feed a message; say whether the page is finished. One that failed has the status 0."""
        failed = False
        try:
            fed = visit.conn.stream(message)
            if fed is mint.UNKNOWN:
                return False
            visit.conn, responses = fed
        except mint.MintError as error:
            visit.conn, responses = visit.conn.after(error), list(error.responses)
        for response in responses:
            match response:
                case mint.Status(status=status):
                    visit.status = status
                case mint.Data(data=data):
                    visit.size += len(data)
                case mint.RequestFailed():
                    failed = True
                case _:
                    pass
        if failed:
            visit.status = 0
        return not visit.conn.open_request_count
