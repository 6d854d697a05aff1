"""Features of HTTP/2 that only some servers have: push, trailers, 103, tunnels, restarts, new settings."""

import hashlib
import signal
import ssl

import pytest

import mint

from .fetching import Exchanges, connect2, echo_through, fetch, upload
from .servers import MIDDLE, PAGE, Running, Site, nghttpd

PUSH = mint.HTTP2Options(client_settings=mint.ClientSettings(enable_push=True))
STYLES = {b"p { color: teal }\n", b"p {}\n"}


def check_push(conn: mint.HTTP2, target: str) -> None:
    exchanges = Exchanges(conn)
    ref = exchanges.ask("GET", target)
    assert exchanges.finish(ref).body == PAGE
    (promise,) = exchanges.others
    assert isinstance(promise, mint.PushPromise)
    assert promise.ref == ref
    assert (":path", "/style.css") in promise.headers
    pushed = exchanges.finish(promise.promised_ref)
    assert pushed.status == 200
    assert pushed.body in STYLES


@pytest.mark.parametrize(
    ("name", "port", "target"),
    [
        ("nginx", "h2c", "/push.txt"),
        ("apache", "http", "/push.txt"),
        ("node", "h2c", "/push"),
    ],
)
def test_push(name: str, port: str, target: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue(name)
    assert isinstance(server, Running)
    with connect2(server.ports[port], options=PUSH) as conn:
        check_push(conn, target)


def test_push_by_nghttpd(site: Site) -> None:
    with (
        nghttpd(site, "--push=/page.txt=/style.css", tls=False) as server,
        connect2(server.ports["h2c"], options=PUSH) as conn,
    ):
        check_push(conn, "/page.txt")


def test_no_push_by_default(nginx: Running) -> None:
    with connect2(nginx.ports["h2c"]) as conn:
        exchanges = Exchanges(conn)
        assert exchanges.finish(exchanges.ask("GET", "/push.txt")).body == PAGE
        assert exchanges.others == []


def test_trailers(node: Running, client_tls: ssl.SSLContext) -> None:
    with connect2(node.ports["h2"], client_tls) as conn:
        for size in (1, 300_000):
            conn, result = fetch(conn, "GET", f"/stream/{size}")
            assert result.size == size
            assert result.trailers == (("x-sha256", result.digest.hexdigest()),)


def test_trailers_of_a_request(node: Running) -> None:
    with connect2(node.ports["h2c"]) as conn:
        conn, result = upload(conn, "POST", "/sink", [b"data"], trailers=(("x-sum", "1"),))
        assert result.body.endswith(b'{"x-sum":"1"}\n')


def test_trailers_by_nghttpd(site: Site) -> None:
    with (
        nghttpd(site, "--trailer=x-sum: 1", tls=False) as server,
        connect2(server.ports["h2c"]) as conn,
    ):
        conn, result = fetch(conn, "GET", "/page.txt")
        assert (result.body, result.trailers) == (PAGE, (("x-sum", "1"),))


@pytest.mark.parametrize(
    ("name", "port", "target"), [("node", "h2c", "/early"), ("apache", "http", "/push.txt")]
)
def test_early_hints(name: str, port: str, target: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue(name)
    assert isinstance(server, Running)
    with connect2(server.ports[port]) as conn:
        conn, result = fetch(conn, "GET", target)
        assert [each.status for each in result.informational] == [103]
        assert "link" in dict(result.informational[0].headers)
        assert (result.status, result.body) == (200, PAGE)


def test_100_continue(node: Running) -> None:
    with connect2(node.ports["h2c"]) as conn:
        exchanges = Exchanges(conn)
        ref = exchanges.ask("POST", "/sink", [("expect", "100-continue")], mint.STREAM)
        exchanges.until(ref, lambda result: bool(result.informational))
        exchanges.send(ref, b"data")
        exchanges.end(ref)
        assert hashlib.sha256(b"data").hexdigest().encode() in exchanges.finish(ref).body


def test_an_echo_that_answers_while_the_body_is_sent(node: Running) -> None:
    with connect2(node.ports["h2c"]) as conn:
        exchanges = Exchanges(conn)
        echo_through(exchanges, exchanges.ask("POST", "/echo", [], mint.STREAM), 200)


def test_connect_and_extended_connect(node: Running, client_tls: ssl.SSLContext) -> None:
    with connect2(node.ports["h2"], client_tls) as conn:
        exchanges = Exchanges(conn)
        echo_through(exchanges, exchanges.ask("CONNECT", "other.example:443", body=mint.STREAM), 200)
        assert exchanges.conn.get_server_setting("enable_connect_protocol")
        extended = exchanges.ask("CONNECT", "/chat", [(":protocol", "websocket")], mint.STREAM)
        echo_through(exchanges, extended, 200)
        assert exchanges.finish(exchanges.ask("GET", "/")).body == PAGE


def test_a_stream_reset_does_not_affect_other_streams(node: Running) -> None:
    with connect2(node.ports["h2c"]) as conn:
        exchanges = Exchanges(conn)
        other = exchanges.ask("GET", "/bytes/1000000")
        result = exchanges.finish(exchanges.ask("GET", "/rst/2"))
        assert (result.done, result.status) == (False, 200)
        assert isinstance(result.error, mint.HTTPError)
        assert exchanges.finish(other).size == 1_000_000
        assert exchanges.conn.is_open()


def test_goaway_while_requests_are_in_flight(node: Running) -> None:
    with connect2(node.ports["h2c"]) as conn:
        exchanges = Exchanges(conn, keep=False)
        big = exchanges.ask("GET", "/bytes/20000000")
        bye = exchanges.ask("GET", "/goaway")
        while exchanges.conn.is_open("write"):
            exchanges.receive()
        with pytest.raises(mint.HTTPError) as caught:
            exchanges.conn.request("GET", "/")
        assert caught.value.processed is mint.Processed.NO
        assert exchanges.finish(bye).size == len(PAGE)
        assert exchanges.finish(big).size == 20_000_000


@pytest.mark.parametrize(
    ("name", "port", "number"),
    [("nginx", "h2c", signal.SIGHUP), ("apache", "http", signal.SIGUSR1)],
)
def test_a_restart_while_responses_arrive(
    name: str, port: str, number: signal.Signals, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(name)
    assert isinstance(server, Running)
    with connect2(server.ports[port]) as conn:
        exchanges = Exchanges(conn, keep=False)
        refs = [exchanges.ask("GET", target) for target in ("/middle.bin", "/page.txt")]
        exchanges.until(refs[0], lambda result: result.size > 0)
        server.send_signal(number)
        big, small = map(exchanges.finish, refs)
        assert (big.done, big.size) == (True, MIDDLE)
        assert (small.done, small.size) == (True, len(PAGE))
    with connect2(server.ports[port]) as conn:
        conn, result = fetch(conn, "GET", "/page.txt")
        assert result.body == PAGE


def test_settings_changed_in_flight(node: Running) -> None:
    with connect2(node.ports["h2c"]) as conn:
        exchanges = Exchanges(conn)
        echo = exchanges.ask("POST", "/echo", [], mint.STREAM)
        exchanges.send(echo, b"x" * 50_000)
        assert exchanges.finish(exchanges.ask("GET", "/settings")).body == PAGE
        assert exchanges.conn.get_server_setting("initial_window_size") == 1000
        assert exchanges.conn.get_server_setting("max_concurrent_streams") == 5
        exchanges.send(echo, b"y" * 50_000)
        exchanges.end(echo)
        assert exchanges.finish(echo).body == b"x" * 50_000 + b"y" * 50_000
        refs = [exchanges.ask("GET", "/bytes/100000") for _ in range(5)]
        with pytest.raises(mint.HTTPError) as caught:
            exchanges.conn.request("GET", "/")
        assert caught.value.local
        assert {exchanges.finish(ref).size for ref in refs} == {100_000}


def test_own_settings_changed_in_flight(nginx: Running) -> None:
    with connect2(nginx.ports["h2c"]) as conn:
        exchanges = Exchanges(conn, keep=False)
        big = exchanges.ask("GET", "/middle.bin")
        exchanges.until(big, lambda result: result.size > 0)
        for size in (100_000, 65_535, 1_000_000):
            exchanges.conn = exchanges.conn.put_settings(initial_window_size=size)
            assert exchanges.finish(exchanges.ask("GET", "/page.txt")).size == len(PAGE)
        assert exchanges.finish(big).size == MIDDLE
