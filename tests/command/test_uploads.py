"""-T and --json: what is sent, how its size is declared, and when it is sent again."""

from __future__ import annotations

import inspect
import io
import json
import os
import sys
from contextlib import ExitStack, nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from mint._command import main
from mint._command.arguments import parse
from mint._command.bodies import Upload
from mint._command.usage import ReadFailed, UsageError
from mint.testing import Origin, Response

from .servers import Site, command

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[bytes]
OK = Response(200, (), b"ok\n")
PROTOCOLS = [(), ("--h2c",)]


@pytest.mark.parametrize("options", PROTOCOLS)
@pytest.mark.parametrize("size", [0, 1, 65_536, 2_000_001])
def test_a_file_is_sent_as_it_is(options: tuple[str, ...], size: int, tmp_path: Path) -> None:
    (tmp_path / "content").write_bytes(os.urandom(size))
    site = Site({"/here": OK})
    with Origin(site) as origin:
        assert main([*options, "-T", str(tmp_path / "content"), f"http://127.0.0.1:{origin.port}/here"]) == 0
    assert site.request_lines == ["PUT /here"]
    assert site.seen[0].body == (tmp_path / "content").read_bytes()
    assert site.seen[0].header("content-length") == str(size)
    assert site.seen[0].header("content-type") is None


@pytest.mark.parametrize("options", PROTOCOLS)
def test_standard_input_is_sent_without_a_length(options: tuple[str, ...]) -> None:
    site = Site({"/": OK})
    content = os.urandom(300_000)
    with Origin(site) as origin:
        ran = command(*options, "-T", "-", f"http://127.0.0.1:{origin.port}/", stdin=content)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"ok\n", b"")
    assert site.request_lines == ["PUT /"]
    assert site.seen[0].body == content
    assert site.seen[0].header("content-length") is None


def test_the_name_is_added_to_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a b?#%.txt").write_bytes(b"x")
    site = Site({})
    with Origin(site) as origin:
        base = f"http://127.0.0.1:{origin.port}"
        assert main(["-T", str(tmp_path / "a b?#%.txt"), f"{base}/in/?q=1"]) == 0
        assert main(["-X", "POST", "-T", str(tmp_path / "a b?#%.txt"), f"{base}"]) == 0
    assert site.request_lines == ["PUT /in/a%20b%3F%23%25.txt?q=1", "POST /a%20b%3F%23%25.txt"]


def test_each_file_belongs_to_its_url(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode())
    site = Site({})
    with Origin(site) as origin:
        urls = [f"http://127.0.0.1:{origin.port}/{number}" for number in range(3)]
        assert main(["-T", str(tmp_path / "a"), "-T", str(tmp_path / "b"), *urls]) == 0
    assert site.request_lines == ["PUT /0", "PUT /1", "GET /2"]
    assert [each.body for each in site.seen] == [b"a", b"b", b""]


def test_a_file_is_sent_again_after_a_redirect(tmp_path: Path, capsysbinary: Capture) -> None:
    (tmp_path / "content").write_bytes(b"x" * 100_000)
    site = Site({"/a": (307, "/b"), "/b": OK})
    with Origin(site) as origin:
        assert main(["-L", "-T", str(tmp_path / "content"), f"http://127.0.0.1:{origin.port}/a"]) == 0
        assert [len(each.body) for each in site.seen] == [100_000, 100_000]
        ran = command("-L", "-T", "-", f"http://127.0.0.1:{origin.port}/a", stdin=b"x")
    assert capsysbinary.readouterr().out == b"ok\n"
    assert ran.returncode == 65
    assert b"read only once" in ran.stderr


@pytest.mark.parametrize("options", PROTOCOLS)
def test_the_answer_of_a_server_that_does_not_read_is_shown(options: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "content").write_bytes(bytes(20_000_000))

    def refuse(_: object) -> Response:
        return Response(413, (("connection", "close"),) if not options else (), b"too much\n")

    with Origin(refuse) as origin:
        ran = command(*options, "-T", str(tmp_path / "content"), f"http://127.0.0.1:{origin.port}/")
    assert ran.stdout == b"too much\n"


def test_files_that_cannot_be_read(tmp_path: Path, capsysbinary: Capture) -> None:
    with Origin(Site({})) as origin:
        url = f"http://127.0.0.1:{origin.port}/x"
        assert main(["-T", str(tmp_path / "absent"), url]) == 26
        assert main(["-T", str(tmp_path), url]) == 26
        assert main(["-T", "", url]) == 26
    err = capsysbinary.readouterr().err
    assert err.count(b"\n") == 3
    assert b"absent: No such file" in err


def test_json() -> None:
    site = Site({"/": OK})
    with Origin(site) as origin:
        url = f"http://127.0.0.1:{origin.port}/"
        assert main(["--json", '{"a":', "--json", "1}", url]) == 0
        assert command("--json", "@-", "-H", "accept: text/x", url, stdin=b"[2]").returncode == 0
    assert [each.method for each in site.seen] == ["POST", "POST"]
    assert [json.loads(each.body) for each in site.seen] == [{"a": 1}, [2]]
    assert {each.header("content-type") for each in site.seen} == {"application/json"}
    assert [each.header("accept") for each in site.seen] == ["application/json", "text/x"]


@pytest.mark.parametrize(
    "wrong",
    [
        ["-d", "x", "--json", "{}"],
        ["-d", "x", "-T", "f"],
        ["--json", "{}", "-T", "f"],
        ["-I", "-T", "f"],
        ["-I", "-d", "x"],
        ["-I", "--json", "{}"],
        ["-T", "a", "-T", "b"],
    ],
)
def test_options_that_exclude_each_other(wrong: list[str]) -> None:
    with pytest.raises(UsageError):
        parse([*wrong, "http://a.test"])


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
@pytest.mark.parametrize("change", [-1, 0, 1, 70_000])
def test_a_file_that_changes_while_it_is_sent(size: int, change: int, tmp_path: Path) -> None:
    """As much is sent as was declared; a file that has become shorter is an error."""
    path, content = tmp_path / "content", os.urandom(size + 70_000)
    path.write_bytes(content[:size])
    with ExitStack() as files:
        declared, pieces = Upload(str(path)).open(files)
        os.truncate(path, 0)
        path.write_bytes(content[: max(0, size + change)])
        sent: list[bytes] = []
        with pytest.raises(ReadFailed, match="became shorter") if size and change < 0 else nullcontext():
            sent.extend(pieces)
    assert declared == size
    assert b"".join(sent) == content[: min(size, max(0, size + change))]
    assert max(map(len, sent), default=0) <= 65_536


@pytest.mark.parametrize(("given", "named"), [("@-", "standard input"), ("@", "-d @"), ("@absent", "absent")])
def test_content_that_cannot_be_read_is_named(
    given: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        buffer = property(lambda self: self)

        def read(self) -> bytes:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stdin", Broken())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"^{named}: [A-Z]"):
        parse(["-d", given, "http://a.test"])


def test_a_file_is_closed_after_its_last_piece_and_standard_input_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "content").write_bytes(b"abc")
    standard = io.BytesIO(b"def")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=standard))
    with ExitStack() as files:
        size, pieces = Upload(str(tmp_path / "content")).open(files)
        file = inspect.getgeneratorlocals(pieces)["file"]
        assert (size, b"".join(pieces), file.closed) == (3, b"abc", True)
        size, pieces = Upload("-").open(files)
        assert (size, b"".join(pieces), standard.closed) == (None, b"def", False)
    assert not standard.closed


def test_standard_input_is_needed_only_for_a_dash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell may have closed it."""
    (tmp_path / "content").write_bytes(b"abc")
    monkeypatch.setattr(sys, "stdin", None)
    path = str(tmp_path / "content")
    assert parse(["-d", f"@{path}", "http://a.test"]).orders[0].request.body == b"abc"
    assert parse(["-T", path, "http://a.test"]).orders[0].request.body == Upload(path)
    for given in (["-d", "@-"], ["--json", "@-"], ["-T", "-"]):
        with pytest.raises(UsageError, match="standard input is closed"):
            parse([*given, "http://a.test"])
