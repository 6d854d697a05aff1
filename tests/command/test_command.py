"""The command line: what is printed where, and what the exit code says."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint.command import main
from mint.command.arguments import parse, parse_location
from mint.command.fetch import Exchange
from mint.command.show import Bar, amount, visible
from mint.command.usage import UsageError
from mint.testing import (
    Close,
    Forever,
    Origin,
    Request,
    Response,
    ScriptedServer,
    Send,
    frames,
    request,
    showcase,
)
from mint.transport import Memory
from tests.tls import authority, server_context

if TYPE_CHECKING:
    from pathlib import Path

    from mint.testing import Step

Capture = pytest.CaptureFixture[bytes]


def test_a_page_goes_to_standard_output(capsysbinary: Capture) -> None:
    with Origin(showcase) as origin:
        assert main([f"http://127.0.0.1:{origin.port}/bytes/1000"]) == 0
    out, err = capsysbinary.readouterr()
    assert len(out) == 1000
    assert err == b""


def test_include_shows_heads_interim_responses_and_trailers(capsysbinary: Capture) -> None:
    with Origin(showcase) as origin:
        base = f"http://127.0.0.1:{origin.port}"
        assert main(["-i", f"{base}/early", f"{base}/stream/10"]) == 0
    out = capsysbinary.readouterr().out
    assert out.startswith(b"HTTP/1.1 103\nlink: ")
    assert b"HTTP/1.1 200\n" in out
    assert b"sha256" in out.lower() or b"digest" in out.lower()


def test_method_headers_and_content(capsysbinary: Capture, tmp_path: Path) -> None:
    seen: list[Request] = []

    def handler(asked: Request) -> Response:
        seen.append(asked)
        return Response(200, (), asked.body.read())

    (tmp_path / "content").write_bytes(b"from a file")
    with Origin(handler) as origin:
        url = f"http://127.0.0.1:{origin.port}/x?q=1"
        assert main(["-X", "PUT", "-H", "x-a: b", "-d", "one", "-d", f"@{tmp_path}/content", url]) == 0
        assert main(["-I", url]) == 0
    assert seen[0].method == "PUT"
    assert seen[0].target == "/x?q=1"
    assert seen[0].header("x-a") == "b"
    assert seen[0].header("content-type") == "application/x-www-form-urlencoded"
    assert seen[1].method == "HEAD"
    assert capsysbinary.readouterr().out.startswith(b"one&from a file")


def test_several_urls_of_one_origin_share_a_connection(capsysbinary: Capture) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n%d\n"
    script: list[Step] = []
    for number in range(3):
        script += [request(), Send(answer % number)]
    with ScriptedServer(script) as server:
        urls = [f"http://127.0.0.1:{server.port}/{number}" for number in range(3)]
        assert main(urls) == 0
    assert capsysbinary.readouterr().out == b"0\n1\n2\n"


def test_a_server_that_closes_between_urls_is_asked_again(capsysbinary: Capture) -> None:
    answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx"
    script = [request(), Send(answer), Close()]
    with ScriptedServer(script, script) as server:
        assert main([f"http://127.0.0.1:{server.port}/"] * 2) == 0
    assert capsysbinary.readouterr().out == b"xx"


def test_output_goes_to_a_file(tmp_path: Path, capsysbinary: Capture) -> None:
    target = tmp_path / "page"
    with Origin(showcase) as origin:
        assert main(["-o", str(target), f"http://127.0.0.1:{origin.port}/bytes/70000"]) == 0
    assert len(target.read_bytes()) == 70_000
    assert capsysbinary.readouterr().out == b""


def test_one_url_twice_goes_to_two_files(tmp_path: Path) -> None:
    with Origin(showcase) as origin:
        url = f"http://127.0.0.1:{origin.port}/bytes/10"
        assert main([url, url, "-o", str(tmp_path / "a"), "-o", str(tmp_path / "b")]) == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != b""


class Unwilling(Memory):
    """A link that sends no more, once it is told to."""

    broken = False

    def send(self, pieces: tuple[bytes, ...], *, flush: bool) -> None:
        if self.broken:
            raise errors.TransportClosed
        super().send(pieces, flush=flush)


def test_what_came_before_an_upload_broke_is_shown(tmp_path: Path, capsysbinary: Capture) -> None:
    (tmp_path / "content").write_bytes(bytes(100_000))
    link = Unwilling()
    exchange = Exchange(
        parse(["-i", "-d", f"@{tmp_path}/content", "--h2c", "http://example.org/"]),
        mint.http2.initiate(link, scheme="http", hostname="example.org"),
    )
    assert exchange.begin([parse_location("http://example.org/")], iter(()))
    link.put(frames.serialize([frames.settings(), frames.headers(1, ((":status", "413"),))]))
    link.broken = True
    with pytest.raises(errors.TransportClosed):
        exchange.go_on(1)
    exchange.close()
    assert capsysbinary.readouterr().out == b"HTTP/2 413\n\n"


def test_verbose_says_what_goes_out_and_comes_in_without_secrets() -> None:
    with Origin(showcase) as origin:
        url = f"http://127.0.0.1:{origin.port}/"
        ran = subprocess.run(
            [sys.executable, "-m", "mint", "-v", "-H", "authorization: Bearer hunter2", url],
            capture_output=True,
            check=True,
        )
    assert b"> GET / HTTP/1.1" in ran.stderr
    assert b"< HTTP/1.1 200" in ran.stderr
    assert b"hunter2" not in ran.stderr
    assert b"Hello" in ran.stdout


def test_tls_is_checked_unless_told_otherwise(tmp_path: Path, capsysbinary: Capture) -> None:
    ca = tmp_path / "ca.pem"
    authority().cert_pem.write_to_path(str(ca))
    with Origin(showcase, tls=server_context()) as origin:
        url = f"https://localhost:{origin.port}/"
        assert main([url]) == 60
        assert main(["--cacert", str(ca), url]) == 0
        assert main(["-k", url]) == 0
    out, err = capsysbinary.readouterr()
    assert out.count(b"Hello") == 2
    assert err.count(b"\n") == 1
    assert err.startswith(b"mint: the server's certificate was rejected")


def dead_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def played(*script: Step) -> ScriptedServer:
    return ScriptedServer(script, timeout=2)


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"


@pytest.mark.parametrize(
    ("script", "options", "code", "text"),
    [
        ((request(), Send(b"SMTP ready\r\n"), Close()), (), 8, b"status line"),
        ((request(), Send(OK + b"half"), Close()), (), 56, b"closed"),
        ((request(), Close()), (), 56, b"closed"),
        ((Forever(),), ("--max-time", "0.05"), 28, b"time is up"),
        ((Close(),), ("-k",), 56, b"closed"),
    ],
)
def test_each_failure_has_a_code_and_one_line(
    script: tuple[Step, ...], options: tuple[str, ...], code: int, text: bytes, capsysbinary: Capture
) -> None:
    scheme = "https" if "-k" in options else "http"
    with played(*script) as server:
        assert main([*options, f"{scheme}://127.0.0.1:{server.port}/"]) == code
    err = capsysbinary.readouterr().err
    assert err.startswith(b"mint: ")
    assert text in err
    assert err.count(b"\n") == 1


def test_what_came_before_a_failure_is_shown(capsysbinary: Capture) -> None:
    with played(request(), Send(OK + b"half"), Close()) as server:
        assert main(["-i", f"http://127.0.0.1:{server.port}/"]) == 56
    assert capsysbinary.readouterr().out.endswith(b"\n\nhalf")


def test_refused_unknown_and_unwritable(tmp_path: Path, capsysbinary: Capture) -> None:
    assert main([f"http://127.0.0.1:{dead_port()}/"]) == 7
    assert main(["http://name.invalid/"]) == 6
    with Origin(showcase) as origin:
        assert main(["-o", str(tmp_path / "no" / "file"), f"http://127.0.0.1:{origin.port}/"]) == 23
    assert capsysbinary.readouterr().err.count(b"mint: ") == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["ftp://example.org/"],
        ["http://"],
        ["http://user:secret@example.org/"],
        ["http://example.org:99999/"],
        ["-H", "no colon", "http://example.org/"],
        ["-d", "@/does/not/exist", "http://example.org/"],
        ["--http1.1", "--http2", "https://example.org/"],
        ["--http2", "http://example.org/"],
        ["--h2c", "https://example.org/"],
        ["--max-time", "0", "http://example.org/"],
        ["-o", "a", "-o", "b", "http://example.org/"],
    ],
)
def test_usage_errors_are_two(arguments: list[str], capsysbinary: Capture) -> None:
    assert main(arguments) == 2
    err = capsysbinary.readouterr().err
    assert err.startswith(b"mint: ")
    assert b"secret" not in err


def test_help_and_version_exit_cleanly(capsysbinary: Capture) -> None:
    for option in ("--help", "--version"):
        with pytest.raises(SystemExit) as caught:
            main([option])
        assert caught.value.code == 0
    assert b"Exit codes" in capsysbinary.readouterr().out


def test_closed_streams_are_no_traceback(monkeypatch: pytest.MonkeyPatch, capsysbinary: Capture) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["http://127.0.0.1/"]) == 23
    assert capsysbinary.readouterr().err == b"mint: standard output is closed\n"
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["http://127.0.0.1/"]) == 23


def test_an_interruption_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsysbinary: Capture) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mint.command.fetch.Fetcher.run", interrupted)
    assert main(["http://example.org/"]) == 130
    assert capsysbinary.readouterr().err == b"mint: interrupted\n"


def test_locations() -> None:
    assert parse_location("example.org").origin == ("http", "example.org", 80)
    assert parse_location("https://[::1]/a?b=c#d").target == "/a?b=c"
    assert parse_location("https://[::1]/").origin == ("https", "::1", 443)
    with pytest.raises(UsageError):
        parse_location("http://[::1")


def test_defaults() -> None:
    wanted = parse(["http://example.org/"])
    assert wanted.method == "GET"
    assert wanted.headers == (("accept", "*/*"),)
    assert parse(["-d", "x", "http://example.org/"]).method == "POST"
    assert parse(["--http2", "https://example.org/"]).protocols == ("http2",)
    assert parse(["--unix-socket", "/s", "http://example.org/"]).unix_socket == "/s"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_is_drawn_on_a_terminal_only() -> None:
    terminal = Terminal()
    bar = Bar(terminal)
    bar.expect((("content-length", "200"), ("content-type", "text/plain")))
    bar.advance(100)
    bar.advance(0)
    bar.advance(100)
    bar.finish()
    assert " 50% 100 B" in terminal.getvalue()
    assert terminal.getvalue().endswith("100% 200 B\n")
    unknown = Terminal()
    bar = Bar(unknown)
    bar.advance(2048)
    assert unknown.getvalue() == "\r2.0 KiB"
    silent = io.StringIO()
    bar = Bar(silent)
    bar.advance(10)
    bar.finish()
    assert silent.getvalue() == ""


def test_texts_for_people() -> None:
    assert amount(10) == "10 B"
    assert amount(5 * 1024**5) == "5120.0 TiB"
    assert visible("a\x1b[31mb\n") == "a?[31mb?"
