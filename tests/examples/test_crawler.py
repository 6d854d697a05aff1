from __future__ import annotations

import gc
import threading

from crawler import Crawler

import mint
from mint.testing import (
    Close,
    ExpectUntil,
    Origin,
    Request,
    Response,
    ScriptedServer,
    Send,
    Step,
    request,
    showcase,
)

CONNECTIONS = 200
PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


def test_200_connections_at_once() -> None:
    together = threading.Barrier(CONNECTIONS)

    def handler(received: Request) -> Response:
        if received.target.startswith("/together"):
            together.wait(20)  # passes only if all connections are open at once
            return Response(200, (), b"x" * int(received.target.rpartition("/")[2]))
        return showcase(received)

    pages = [f"/together/{number}" for number in range(CONNECTIONS)]
    pages += [f"/bytes/{number}" for number in range(CONNECTIONS, 500)]
    with Origin(handler, timeout=30) as origin:
        found = list(Crawler("http", origin.address, origin.port, connections=CONNECTIONS).crawl(pages))
        assert sorted(found) == sorted((page, 200, int(page.rpartition("/")[2])) for page in pages)
        assert len(origin.peers) == CONNECTIONS


def test_a_page_that_fails_does_not_stop_the_others() -> None:
    scripts = [[request(), Send(PAGE[:-2]), Close()], [request(), Send(PAGE)]]
    with ScriptedServer(*scripts) as server:
        crawler = Crawler("http", server.address, server.port, connections=1)
        found = list(crawler.crawl(["/one", "/two"]))
    assert found == [("/one", 0, 3), ("/two", 200, 5)]
    assert isinstance(crawler.errors["/one"], mint.TransportError | mint.HTTPError)


def test_a_server_that_closes_after_each_response_without_announcing_it() -> None:
    scripts: list[list[Step]] = [[ExpectUntil(b"\r\n\r\n"), Send(PAGE), Close()] for _ in range(60)]
    with ScriptedServer(*scripts) as server:
        crawler = Crawler("http", server.address, server.port, connections=5)
        pages = [f"/{number}" for number in range(60)]
        found = list(crawler.crawl(pages))
    assert sorted(found) == sorted((page, 200, 5) for page in pages)


def test_a_server_that_refuses_connections() -> None:
    with Origin(showcase) as origin:
        address, port = origin.address, origin.port
    crawler = Crawler("http", address, port, connections=20)
    pages = [f"/{number}" for number in range(100)]
    assert sorted(crawler.crawl(pages)) == sorted((page, 0, 0) for page in pages)
    assert {type(error) for error in crawler.errors.values()} == {mint.errors.ConnectionRefused}


def test_a_crawl_that_is_stopped_leaves_nothing_open() -> None:
    with Origin(showcase) as origin:
        crawl = Crawler("http", origin.address, origin.port, connections=20).crawl(
            f"/bytes/{n}" for n in range(10**9)
        )
        assert next(crawl)[1] == 200
        crawl.close()  # type: ignore[attr-defined]  # a generator
        del crawl
        gc.collect()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]
