"""-O, -f, --compressed, --max-filesize, -s, -S, and what may reach a terminal."""

from __future__ import annotations

import gzip
import io
import os
import pty
import subprocess
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from mint import content
from mint._command import main
from mint._command.arguments import parse
from mint._command.outputs import OutputOrder
from mint._command.show import ForTerminal
from mint._command.usage import OutputRefused, UsageError
from mint.testing import Origin, Response, ScriptedServer, Send, request

from .servers import Site, command

if TYPE_CHECKING:
    from collections.abc import Sequence

Capture = pytest.CaptureFixture[bytes]
HELLO = Response(200, (), b"hello\n")


# -- names of files


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/page.html", "page.html"),
        ("/page?x=/../../y", "page"),
        ("/%2e%2e%2fpasswd", "%2e%2e%2fpasswd"),
        ("/..%2f..%2fx", "..%2f..%2fx"),
        ("/a/../../x", "x"),
        ("/.bashrc", ".bashrc"),
        ("/-rf", "-rf"),
    ],
)
def test_the_name_is_the_last_part_of_the_path(path: str, name: str) -> None:
    assert parse(["-O", f"http://a.test{path}"]).orders[0].output == name


@pytest.mark.parametrize("path", ["", "/", "/a/", "/..", "/a/..", "/.", "/a\\b", "/..\\x", "/a/?x=b"])
def test_urls_without_a_usable_file_name_are_refused(path: str) -> None:
    with pytest.raises(UsageError, match="-O"):
        parse(["-O", f"http://a.test{path}"])


def test_the_server_does_not_choose_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: Capture
) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    named = Response(200, (("content-disposition", 'attachment; filename="../../evil"'),), b"hello\n")
    with Origin(Site({"/page": (302, "/x/..%2f..%2fevil"), "/x/..%2f..%2fevil": named})) as origin:
        url = f"http://127.0.0.1:{origin.port}/page"
        assert main(["-L", "-O", url, "-o", "other", url]) == 0
    assert sorted(str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*")) == [
        "in",
        "in/other",
        "in/page",
    ]
    assert capsysbinary.readouterr().out == b""


def test_files_are_created_only_when_content_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Origin(Site({"/empty": Response(200)})) as origin:
        base = f"http://127.0.0.1:{origin.port}"
        assert main(["-f", "-O", "-O", f"{base}/absent", f"{base}/empty"]) == 22
    assert [each.name for each in tmp_path.iterdir()] == ["empty"]


# -- failures


@pytest.mark.parametrize("status", [200, 299, 304, 399, 400, 404, 500, 599])
def test_a_status_of_400_or_above_is_a_failure(status: int, capsysbinary: Capture) -> None:
    with Origin(Site({"/": Response(status, (), b"" if status == 304 else b"content")})) as origin:
        code = main(["-f", f"http://127.0.0.1:{origin.port}/"])
    out, err = capsysbinary.readouterr()
    assert code == (22 if status >= 400 else 0)
    assert out == (b"" if status >= 400 or status == 304 else b"content")
    assert (f"status {status}".encode() in err) is (status >= 400)


def test_after_a_failure_the_other_urls_are_fetched(capsysbinary: Capture) -> None:
    with Origin(Site({"/b": HELLO})) as origin:
        base = f"http://127.0.0.1:{origin.port}"
        assert main(["-f", f"{base}/a", f"{base}/b", "http://127.0.0.1:1/"]) == 22
    assert capsysbinary.readouterr().out == b"hello\n"


@pytest.mark.parametrize(("options", "lines"), [((), 1), (("-s",), 0), (("-sS",), 1), (("-S",), 1)])
def test_silence(options: tuple[str, ...], lines: int, capsysbinary: Capture) -> None:
    assert main([*options, "http://127.0.0.1:1/"]) == 7
    assert capsysbinary.readouterr().err.count(b"\n") == lines


# -- codings


def coded(body: bytes, coding: str) -> Response:
    return Response(200, (("content-encoding", coding),), body)


def test_compressed_content_is_asked_for_and_decoded(capsysbinary: Capture) -> None:
    text = b"some text " * 10_000
    site = Site(
        {
            "/gzip": coded(gzip.compress(text), "gzip"),
            "/deflate": coded(zlib.compress(text), "deflate"),
            "/plain": Response(200, (), text),
            "/both": coded(gzip.compress(zlib.compress(text)), "deflate, gzip"),
        }
    )
    with Origin(site) as origin:
        for path in site.pages:
            url = f"http://127.0.0.1:{origin.port}{path}"
            assert main(["--compressed", url]) == 0
            assert capsysbinary.readouterr().out == text
        assert main([f"http://127.0.0.1:{origin.port}/gzip"]) == 0
        assert capsysbinary.readouterr().out != text
        assert main(["--compressed", "-I", f"http://127.0.0.1:{origin.port}/gzip"]) == 0
    assert [each.header("accept-encoding") for each in site.seen] == [
        *[content.accept_encoding()[1]] * 4,
        None,
        content.accept_encoding()[1],
    ]


@pytest.mark.parametrize("coding", ["nonsense", "gzip", ", ,", "gzip, " * 9 + "gzip"])
@pytest.mark.parametrize(
    ("method", "status", "fields"),
    [
        ("HEAD", "200 OK", "content-length: 10\r\n"),
        ("GET", "204 No Content", ""),
        ("GET", "304 Not Modified", "content-length: 10\r\n"),
        ("GET", "200 OK", "content-length: 0\r\n"),
        ("GET", "200 OK", "transfer-encoding: chunked\r\n"),
    ],
)
def test_content_encoding_without_content_is_ignored(
    method: str, status: str, fields: str, coding: str
) -> None:
    answer = f"HTTP/1.1 {status}\r\ncontent-encoding: {coding}\r\n{fields}\r\n"
    answer += "0\r\n\r\n" if "chunked" in fields else ""
    with ScriptedServer([request(), Send(answer.encode())]) as server:
        assert main(["--compressed", "-X", method, f"http://127.0.0.1:{server.port}/"]) == 0


BOMB = gzip.compress(bytes(50_000_000), 9)


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (BOMB, "gzip"),
        (gzip.compress(BOMB), "gzip, gzip"),
        (b"no gzip", "gzip"),
        (gzip.compress(b"text" * 100)[:-9], "gzip"),
        (b"x", "nonsense"),
        (b"x", ", ".join(["gzip"] * 50)),
    ],
    ids=["bomb", "bomb in a bomb", "broken", "cut", "unknown", "many"],
)
def test_content_that_cannot_be_decoded(
    body: bytes, coding: str, tmp_path: Path, capsysbinary: Capture
) -> None:
    with Origin(Site({"/": coded(body, coding)})) as origin:
        url = f"http://127.0.0.1:{origin.port}/"
        assert main(["--compressed", "-o", str(tmp_path / "page"), url]) == 61
    assert not (tmp_path / "page").exists() or (tmp_path / "page").stat().st_size < 20_000_000
    assert capsysbinary.readouterr().err.count(b"\n") == 1


@pytest.mark.parametrize("options", [(), ("--h2c",)])
def test_max_filesize_applies_before_and_after_decoding(
    options: tuple[str, ...], capsysbinary: Capture
) -> None:
    pieces = Response(200, (), (b"x" * 1000 for _ in range(100)))
    site = Site({"/gzip": coded(gzip.compress(bytes(10_001)), "gzip"), "/plain": pieces})
    with Origin(site) as origin:
        base = f"http://127.0.0.1:{origin.port}"
        limit = ["--compressed", "--max-filesize", "10000"]
        assert main([*options, *limit, f"{base}/gzip"]) == 63
        assert main([*options, *limit, f"{base}/plain"]) == 63
        capsysbinary.readouterr()
        assert main([*options, "--compressed", "--max-filesize", "10001", f"{base}/gzip"]) == 0
    assert len(capsysbinary.readouterr().out) == 10_001


# -- terminals


def in_terminal(arguments: Sequence[str]) -> tuple[int, bytes]:
    """Run the command with a terminal as stdout and stderr; return the exit code and the output."""
    outer, inner = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "mint", *arguments], stdin=subprocess.DEVNULL, stdout=inner, stderr=inner
    ) as process:
        os.close(inner)
        got = b""
        while True:
            try:
                more = os.read(outer, 65_536)
            except OSError:
                break
            if not more:
                break
            got += more
        os.close(outer)
    return process.returncode, got


ESCAPES = "\x1b]0;owned\x07 \x1b[2J \x9b31m \u202e \x08 \r over \x1b[?1049h"


def test_no_escape_sequence_reaches_a_terminal() -> None:
    site = Site(
        {
            "/text": Response(200, (("x-evil", "\x9b31m"),), f"caf\xe9\tand {ESCAPES}\r\nend\n".encode()),
            "/binary": Response(200, (), b"\x7fELF\0\x1b"),
        }
    )
    with Origin(site) as origin:
        base = f"http://127.0.0.1:{origin.port}"
        code, got = in_terminal(["-i", f"{base}/text"])
        assert code == 0
        assert "caf\xe9\tand ".encode() in got
        assert got.endswith(b"\r\nend\r\n")
        assert not any(mark in got.decode() for mark in "\x1b\x07\x9b\u202e\x08")
        code, got = in_terminal([f"{base}/binary"])
        assert code == 23
        assert b"-o -" in got
        assert b"ELF" not in got
        code, got = in_terminal(["-o", "-", f"{base}/binary"])
        assert code == 0
        assert b"\x7fELF\0\x1b" in got


def test_text_is_decoded_across_pieces() -> None:
    guard = ForTerminal()
    assert guard(b"caf\xc3") + guard(b"\xa9\n") == "caf\xe9\n".encode()
    assert ForTerminal()(b"\xff") == "\ufffd".encode()
    with pytest.raises(OutputRefused):
        ForTerminal()(b"a\0b")


@pytest.mark.parametrize("text", ["a\r\nb\r\r\n", "\r", "a\r", "\r\n", "\n\r", "\u20ac\r\n\x1b[1m", "\u20ac"])
def test_text_does_not_depend_on_how_it_is_split(text: str) -> None:
    for data in (text.encode(), text.encode()[:-1]):  # the second may end within a character
        whole = ForTerminal()(data, final=True)
        assert whole.decode() == "".join(
            mark if mark.isprintable() or mark == "\n" else "?"
            for mark in data.decode(errors="replace").replace("\r\n", "\n")
        )
        for cut in range(len(data) + 1):
            for again in range(cut, len(data) + 1):
                guard = ForTerminal()
                pieces = [guard(data[:cut]), guard(data[cut:again]), guard(data[again:])]
                assert b"".join([*pieces, guard(b"", final=True)]) == whole


def test_output_to_a_pipe_is_unchanged() -> None:
    with Origin(Site({"/": Response(200, (), b"\0\x1b[2J\xff")})) as origin:
        assert command(f"http://127.0.0.1:{origin.port}/").stdout == b"\0\x1b[2J\xff"


def test_the_progress_line_is_cleared_at_the_end(tmp_path: Path) -> None:
    pieces = Response(200, (("content-length", "30000000"),), (bytes(100_000) for _ in range(300)))
    body = {"/large": pieces}
    with Origin(Site(body)) as origin:
        url = f"http://127.0.0.1:{origin.port}/large"
        code, got = in_terminal(["-o", str(tmp_path / "file"), url])
        assert code == 0
        assert (tmp_path / "file").stat().st_size == 30_000_000
    # The progress line was cleared if it was drawn.
    assert got == b"" or got.endswith(b"\r\x1b[K")
    assert b"\n" not in got


@pytest.mark.parametrize("option", ["-v", "-s"])
def test_there_is_no_progress_line_with_other_output(option: str, tmp_path: Path) -> None:
    with Origin(Site({"/": Response(200, (), (bytes(100_000) for _ in range(300)))})) as origin:
        code, got = in_terminal([option, "-o", str(tmp_path / "file"), f"http://127.0.0.1:{origin.port}/"])
    assert code == 0
    assert b"\x1b" not in got
    assert Path(tmp_path / "file").stat().st_size == 30_000_000


# -- the order of the standard output


class Flushed(io.BytesIO):
    """Collects what would be seen at once."""

    seen = b""

    def flush(self) -> None:
        self.seen = self.getvalue()


def collecting(monkeypatch: pytest.MonkeyPatch) -> Flushed:
    """Replace the standard output; not in a fixture, because pytest replaces it after the setup of a test."""
    made = Flushed()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=made))
    return made


def test_each_write_of_the_first_place_is_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stdout, order = collecting(monkeypatch), OutputOrder()
    first, second, third = (order.add() for _ in range(3))
    assert [order.is_first(place) for place in (first, second, third)] == [True, False, False]
    third.write(b"5")
    second.write(b"3")
    assert stdout.seen == b""
    first.write(b"1")
    assert stdout.seen == b"1"
    first.write(b"2")
    assert stdout.seen == b"12"
    third.end()
    assert stdout.seen == b"12"
    first.end()
    assert stdout.seen == b"123", "what was held, and nothing after it"
    second.write(b"4")
    assert stdout.seen == b"1234"
    second.end()
    assert stdout.seen == b"12345"
    assert not order.is_first(third)
    last = order.add()
    last.end()
    assert stdout.seen == b"12345"


@pytest.mark.parametrize("size", [1_048_575, 1_048_576, 1_048_577])
def test_what_is_held_may_be_of_any_size(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stdout, order = collecting(monkeypatch), OutputOrder()
    first, second = order.add(), order.add()
    second.write(bytes(size))
    second.write(b"end")
    first.end()
    assert stdout.seen == bytes(size) + b"end"
