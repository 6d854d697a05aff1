"""The command line: what is written to which stream, and the exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mint._command import main
from mint._command.arguments import parse, parse_location
from mint._command.show import amount, visible
from mint._command.usage import UsageError
from mint.testing import (
    Close,
    Forever,
    Origin,
    Request,
    Response,
    ScriptedServer,
    Send,
    request,
    showcase,
)
from mint.testing import http2 as h2
from tests.event_loops import free_port
from tests.tls import authority, server_context

if TYPE_CHECKING:
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

    def handler(request: Request) -> Response:
        seen.append(request)
        return Response(200, (), request.body.read())

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


def test_a_server_that_closes_between_urls_is_connected_to_again(capsysbinary: Capture) -> None:
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


def test_the_response_is_shown_although_the_upload_failed(tmp_path: Path, capsysbinary: Capture) -> None:
    (tmp_path / "content").write_bytes(bytes(10_000_000))
    refusal = h2.send(h2.headers(1, ((":status", "413"),)))
    with ScriptedServer([*h2.handshake(), h2.ExpectHeaders(1), refusal, Close()]) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert main(["-i", "-d", f"@{tmp_path}/content", "--h2c", url]) == 56
    assert capsysbinary.readouterr().out == b"HTTP/2 413\n\n"


def test_verbose_shows_both_directions_without_secrets() -> None:
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


def test_certificates_are_verified_unless_insecure_is_given(tmp_path: Path, capsysbinary: Capture) -> None:
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


def played(*script: Step) -> ScriptedServer:
    return ScriptedServer(script, timeout=2)


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"


@pytest.mark.parametrize(
    ("script", "options", "code", "text"),
    [
        ((request(), Send(b"SMTP ready\r\n"), Close()), (), 8, b"status line"),
        ((request(), Send(OK + b"half"), Close()), (), 56, b"in the middle of the response"),
        ((request(), Close()), (), 56, b"closed"),
        ((Forever(),), ("--max-time", "0.05"), 28, b"timeout expired"),
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


def test_content_before_a_failure_is_shown(capsysbinary: Capture) -> None:
    with played(request(), Send(OK + b"half"), Close()) as server:
        assert main(["-i", f"http://127.0.0.1:{server.port}/"]) == 56
    assert capsysbinary.readouterr().out.endswith(b"\n\nhalf")


def test_refused_connections_unknown_hosts_and_unwritable_files(
    tmp_path: Path, capsysbinary: Capture
) -> None:
    assert main([f"http://127.0.0.1:{free_port()}/"]) == 7
    assert main(["http://name.invalid/"]) == 6
    with Origin(showcase) as origin:
        assert main(["-o", str(tmp_path / "no" / "file"), f"http://127.0.0.1:{origin.port}/"]) == 23
    assert capsysbinary.readouterr().err.count(b"mint: ") == 3


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--nonsense", "http://example.org/"],
        ["-H", "no colon", "http://example.org/"],
        ["-d", "@/does/not/exist", "http://example.org/"],
        ["-d", "@/", "http://example.org/"],
        ["-d", "@", "http://example.org/"],
        ["-d", "@\0", "http://example.org/"],
        ["--key", "k.pem", "https://example.org/"],
        ["--unix-socket", "/s", "-x", "http://proxy.example", "http://example.org/"],
        ["--http1.1", "--http2", "https://example.org/"],
        ["--http2", "http://example.org/"],
        ["--h2c", "https://example.org/"],
        ["--max-time", "0", "http://example.org/"],
        ["--max-time", "nan", "http://example.org/"],
        ["--max-time", "soon", "http://example.org/"],
        ["-o", "a", "-o", "b", "http://example.org/"],
    ],
)
def test_usage_errors_have_code_2(arguments: list[str], capsysbinary: Capture) -> None:
    assert main(arguments) == 2
    assert_one_line(capsysbinary)


@pytest.mark.parametrize(
    "url",
    [
        *("", "ftp://example.org/", "http://", "http:///path", "http://user:secret@example.org/"),
        *("http://example.org:99999/", "http://example.org:-1/", "http://example.org:x/", "http://[::1"),
        *("http://a b/", "http://a..b/", "http://\udcff/", "http://[zz]/"),
    ],
)
def test_bad_urls_have_code_3(url: str, capsysbinary: Capture) -> None:
    assert main([url]) == 3
    assert b"secret" not in assert_one_line(capsysbinary)


def assert_one_line(capture: Capture) -> bytes:
    err = capture.readouterr().err
    assert err.startswith(b"mint: ")
    assert err.count(b"\n") == 1
    return err


@pytest.mark.parametrize(
    ("arguments", "path", "code"),
    [
        (("-X", "G T"), "/", 2),
        (("-X", "M\xe9"), "/", 2),
        (("-H", ": x"), "/", 2),
        (("-H", "x: \u20ac"), "/", 2),
        (("-H", "x: a\nb"), "/", 2),
        (("-H", "content-length: 5", "-d", "x"), "/", 2),
        (("-H", "transfer-encoding: foo"), "/", 2),
        (("--h2c", "-H", "connection: close"), "/", 2),
        ((), "/a b", 3),
        ((), "/\xe9", 3),
        ((), "/\udcff", 3),
        (("-X", "CONNECT"), "/", 2),
    ],
)
def test_requests_that_cannot_be_sent_are_usage_or_url_errors(
    arguments: tuple[str, ...], path: str, code: int, capsysbinary: Capture
) -> None:
    with Origin(showcase) as origin:
        assert main([*arguments, f"http://127.0.0.1:{origin.port}{path}"]) == code
    assert_one_line(capsysbinary)


@pytest.mark.parametrize("option", ["--cacert", "--cert", "--key", "--proxy-cacert"])
def test_a_file_that_cannot_be_loaded_is_named(option: str, tmp_path: Path, capsysbinary: Capture) -> None:
    absent = str(tmp_path / "absent.pem")
    present = tmp_path / "present.pem"
    authority().issue_cert("client.test").private_key_and_cert_chain_pem.write_to_path(str(present))
    beside = {"--key": ["--cert", str(present)], "--proxy-cacert": ["-x", "https://127.0.0.1:1"]}
    assert main([option, absent, *beside.get(option, []), "https://127.0.0.1:1/"]) == 35
    assert f"cannot load {absent}: No such file".encode() in assert_one_line(capsysbinary)


@pytest.mark.parametrize("name", ["no/file", ""])
def test_an_output_that_cannot_be_written_is_named(name: str, tmp_path: Path, capsysbinary: Capture) -> None:
    target = str(tmp_path / name)
    with Origin(showcase) as origin:
        assert main(["-o", target, f"http://127.0.0.1:{origin.port}/"]) == 23
    assert assert_one_line(capsysbinary).startswith(f"mint: {target}: ".encode())


def test_a_missing_socket_is_named(tmp_path: Path, capsysbinary: Capture) -> None:
    path = str(tmp_path / "socket")
    assert main(["--unix-socket", path, "http://example.org/"]) == 7
    assert path.encode() in assert_one_line(capsysbinary)


def run(*arguments: str, **streams: object) -> subprocess.CompletedProcess[bytes]:
    """Run the command in its own process, with these streams."""
    given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.run([sys.executable, "-m", "mint", *arguments], check=False, **given)  # type: ignore[call-overload,no-any-return]  # streams by name


def test_content_from_standard_input(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def handler(request: Request) -> Response:
        seen.append(request.body.read())
        return Response(200, (), b"")

    (tmp_path / "content").write_bytes(b"\xff piped")
    with Origin(handler) as origin, (tmp_path / "content").open("rb") as content:
        url = f"http://127.0.0.1:{origin.port}/"
        assert run("-d", "a", "-d", "@-", url, stdin=content).returncode == 0
        assert main(["-d", "\udcff", url]) == 0
    assert seen == [b"a&\xff piped", b"\xff"]


def test_standard_input_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "only to be written").open("wb") as unreadable:
        ran = run("-d", "@-", "http://127.0.0.1:1/", stdin=unreadable)
    assert (ran.returncode, ran.stderr) == (2, b"mint: standard input: Bad file descriptor\n")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="closed"):
        parse(["-d", "@-", "http://127.0.0.1:1/"])


@pytest.mark.parametrize("broken", ["stdout", "stderr"])
@pytest.mark.parametrize("options", [(), ("-v",)])
def test_a_broken_pipe_causes_no_traceback(broken: str, options: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with Origin(showcase) as origin:
            ran = run(*options, f"http://127.0.0.1:{origin.port}/bytes/10", **{broken: writing})
    finally:
        os.close(writing)
    used = broken == "stdout" or options
    assert ran.returncode == (23 if used else 0)
    assert b"Traceback" not in (ran.stderr or b"")
    assert b"ignored" not in (ran.stderr or b"")


def test_a_full_disk_causes_no_traceback() -> None:
    with Path("/dev/full").open("wb") as nowhere, Origin(showcase) as origin:
        url = f"http://127.0.0.1:{origin.port}/bytes/100000"
        ran = run(url, stdout=nowhere)
        assert (ran.returncode, ran.stderr) == (23, b"mint: cannot write: No space left on device\n")
        assert run("-v", url, stderr=nowhere).returncode == 23
        assert run("http://127.0.0.1:1/", stderr=nowhere).returncode == 7


def test_verbose_and_progress_work_without_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: Capture
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with Origin(showcase) as origin:
        url = f"http://127.0.0.1:{origin.port}/bytes/10"
        assert main(["-v", "-o", str(tmp_path / "page"), url, url]) == 0
    assert len(capsysbinary.readouterr().out) == len((tmp_path / "page").read_bytes()) == 10


def test_help_and_version_exit_cleanly(capsysbinary: Capture) -> None:
    for option in ("--help", "--version"):
        with pytest.raises(SystemExit) as caught:
            main([option])
        assert caught.value.code == 0
    assert b"Exit codes" in capsysbinary.readouterr().out


def test_closed_streams_cause_no_traceback(monkeypatch: pytest.MonkeyPatch, capsysbinary: Capture) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["http://127.0.0.1/"]) == 23
    assert capsysbinary.readouterr().err == b"mint: standard output is closed\n"
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["http://127.0.0.1/"]) == 23


def test_an_interruption_causes_no_traceback(monkeypatch: pytest.MonkeyPatch, capsysbinary: Capture) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mint._command.fetch.Fetcher.run", interrupted)
    assert main(["http://example.org/"]) == 130
    assert capsysbinary.readouterr().err == b"mint: interrupted\n"


@pytest.mark.parametrize("command", ["fetch", "replay", "shrink"])
def test_an_interruption_while_modules_are_loaded(command: str) -> None:
    program = f"""if True:
    import sys

    class Interrupted:
        def find_spec(self, name, *_):
            if name == "mint._command.{command}":
                raise KeyboardInterrupt

    from mint._command import main

    sys.meta_path.insert(0, Interrupted())
    sys.exit(main(["{command}", "x"]))
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "mint: interrupted\n")


def test_locations() -> None:
    assert parse_location("example.org").origin == ("http", "example.org", 80)
    assert parse_location("https://[::1]/a?b=c#d").target == "/a?b=c"
    assert parse_location("https://[::1]/").origin == ("https", "::1", 443)
    with pytest.raises(UsageError):
        parse_location("http://[::1")


def test_defaults() -> None:
    settings = parse(["http://example.org/"])
    assert settings.method == "GET"
    assert settings.orders[0].request.headers == (("accept", "*/*"),)
    assert parse(["-d", "x", "http://example.org/"]).method == "POST"
    assert parse(["--http2", "https://example.org/"]).protocols == ("http2",)
    assert parse(["--unix-socket", "/s", "http://example.org/"]).unix_socket == "/s"


def test_texts_for_people() -> None:
    assert amount(10) == "10 B"
    assert amount(5 * 1024**5) == "5120.0 TiB"
    assert visible("a\x1b[31mb\n") == "a?[31mb?"
