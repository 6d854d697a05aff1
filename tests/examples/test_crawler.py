from __future__ import annotations

import threading

from crawler import Crawler

from mint.testing import Close, Origin, Request, Response, ScriptedServer, Send, request, showcase

CONNECTIONS = 200


def test_200_connections_at_once() -> None:
    together = threading.Barrier(CONNECTIONS)

    def handler(asked: Request) -> Response:
        if asked.target.startswith("/together"):
            together.wait(20)  # only a crawler that has them all open comes further
            return Response(200, (), b"x" * int(asked.target.rpartition("/")[2]))
        return showcase(asked)

    pages = [f"/together/{number}" for number in range(CONNECTIONS)]
    pages += [f"/bytes/{number}" for number in range(CONNECTIONS, 500)]
    with Origin(handler, timeout=30) as origin:
        found = list(Crawler("http", origin.address, origin.port, connections=CONNECTIONS).crawl(pages))
        assert sorted(found) == sorted((page, 200, int(page.rpartition("/")[2])) for page in pages)
        assert len(origin.peers) == CONNECTIONS


def test_a_page_that_fails_does_not_stop_the_others() -> None:
    page = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
    scripts = [[request(), Send(page[:-2]), Close()], [request(), Send(page)]]
    with ScriptedServer(*scripts) as server:
        found = list(Crawler("http", server.address, server.port, connections=1).crawl(["/one", "/two"]))
    assert found == [("/one", 0, 3), ("/two", 200, 5)]
