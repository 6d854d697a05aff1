"""Errors are reported in the terms of the command line, for every option and every program."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mint import errors
from mint._command import main
from mint._command.arguments import parse
from mint._command.codes import text_of
from mint._command.usage import BadURLError, UsageError
from mint.testing import Origin, Request, Response, showcase
from mint.testing.__main__ import main as serve
from tests.errors.test_errors import examples

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = Path("/dev/full")
INTERNAL = re.compile(r"\b(?!close_notify)[a-z0-9]+_[a-z0-9_]+|mint\.|\w+=[\w(]")
"""Matches names of parameters and functions of the library, except close_notify, a term of TLS."""

NOT_HERE = (
    *(errors.ExceedsWindowSize, errors.MailboxClosed, errors.RequestBodyIsStreaming),
    *(errors.RequestIsNotStreaming, errors.StaleConnectionError, errors.UnknownRequestToStream),
)
"""Errors that only a program that uses the library can cause."""


def run(*words: str, **streams: object) -> subprocess.CompletedProcess[bytes]:
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run([sys.executable, "-m", *words], check=False, timeout=60, **given)  # type: ignore[call-overload, no-any-return]  # streams by name


def transcript(folder: Path) -> str:
    path = str(folder / "transcript")
    with Origin(showcase) as origin:
        assert (
            main(["-s", "-o", str(folder / "out"), "--record", path, f"http://127.0.0.1:{origin.port}/"]) == 0
        )
    return path


# -- names of parameters


def test_no_error_names_a_parameter_of_the_library() -> None:
    for error in examples():
        if not isinstance(error, NOT_HERE):
            assert not INTERNAL.search(text_of(error)), text_of(error)


LIMITED = {
    ("--max-filesize", "10"): (63, b"--max-filesize"),
    ("--max-filesize", "1000", "--compressed"): (63, b"--max-filesize"),
    ("--compressed",): (61, b"--compressed"),
}


@pytest.mark.parametrize("options", LIMITED)
def test_the_error_for_a_limit_names_its_option(
    options: tuple[str, ...], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, name = LIMITED[options]

    def handler(_: Request) -> Response:
        return Response(200, (("content-encoding", "gzip"),), gzip.compress(bytes(10_000_000)))

    with Origin(handler) as origin:
        assert main([*options, f"http://127.0.0.1:{origin.port}/"]) == code
    err = capsysbinary.readouterr().err
    assert name in err
    assert not INTERNAL.search(err.decode())


PROXIES = {
    ("-x", "ftp://a.test"): "--proxy:",
    ("-x", "http://a.test:x"): "--proxy:",
    ("-x", "http://a..test"): "--proxy:",
    ("-x", "socks5://a.test", "--proxy-http2"): "--proxy-http2:",
    ("-x", "socks5://a.test", "--proxy-header", "a: b"): "--proxy-header:",
    ("-x", "http://a.test", "--proxy-header", "host: b"): "--proxy-header:",
    ("-x", "http://a.test", "--proxy-header", "content-length: 1"): "--proxy-header:",
}


@pytest.mark.parametrize("options", PROXIES, ids=" ".join)
def test_errors_about_a_proxy_name_the_option(options: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        parse([*options, "http://origin.test/"])
    assert str(caught.value).startswith(PROXIES[options])


HOSTS = ("a..b", "-.1.2", "1.2.3.4.5", "a" * 64, "xn--a", "hunter2%40a.test", "hunter2%3ax", "a,b", "0x7f.1")


@pytest.mark.parametrize("host", HOSTS)
def test_a_bad_host_is_found_before_any_url_is_fetched(host: str) -> None:
    with pytest.raises(BadURLError) as caught:
        parse(["http://a.test/", f"http://{host}/"])
    assert "hunter2" not in str(caught.value)
    assert not INTERNAL.search(str(caught.value))


# -- output that cannot be written


def test_a_transcript_is_not_written_to_a_file_named_dash_by_accident() -> None:
    with pytest.raises(UsageError, match=r"--record must be the name of a file"):
        parse(["--record", "-", "http://localhost/"])
    assert parse(["--record", "./-", "http://localhost/"]).record == "./-"


OPTIONS: list[tuple[str, ...]] = [(), ("-s",), ("-s", "-S"), ("-v",), ("-Z",), ("--record-secrets",)]


@pytest.mark.parametrize("options", OPTIONS)
def test_a_transcript_that_cannot_be_written_is_an_error(options: tuple[str, ...]) -> None:
    with Origin(showcase) as origin:
        url = f"http://127.0.0.1:{origin.port}/bytes/1000"
        ran = run("mint", "--record", str(FULL), *options, url, url)
    assert ran.returncode == 23
    assert len(ran.stdout) == 2000  # the content is written nevertheless
    line = b"mint: --record: /dev/full: No space left on device\n"
    if options == ("-v",):
        assert line in ran.stderr
    else:
        assert ran.stderr == (b"" if options == ("-s",) else line)


def test_a_failed_transfer_determines_the_exit_code() -> None:
    ran = run("mint", "--record", str(FULL), "http://127.0.0.1:1/")
    assert ran.returncode == 7
    assert ran.stderr.count(b"mint: ") == 2


def test_no_program_shows_a_traceback_if_its_output_cannot_be_written(tmp_path: Path) -> None:
    path = transcript(tmp_path)
    table: dict[tuple[str, ...], int] = {
        ("mint", "replay", path): 23,
        ("mint", "replay", path, "--json"): 23,
        ("mint", "replay", path, "--step"): 23,
        ("mint.testing",): 1,
    }
    for words, code in table.items():
        with FULL.open("wb") as nowhere:
            ran = run(*words, stdout=nowhere, stdin=subprocess.DEVNULL)
        assert ran.returncode == code, words
        assert ran.stderr.count(b"\n") == 1, words
        assert b"No space left" in ran.stderr
    assert run("mint", "shrink", path, "--check", "true", "-o", str(FULL)).returncode == 23


# -- other programs


def fails(program: Callable[[list[str]], int], words: list[str]) -> int:
    try:
        return program(words)
    except SystemExit as ended:
        return int(str(ended.code))


UNKNOWN: list[tuple[str, list[str]]] = [
    ("mint", ["replay", "--bogus"]),
    ("mint", ["replay", "--from", "x", "--bogus=hunter2", "absent"]),
    ("mint", ["replay", "absent", "--step", "--json", "--bogus"]),
    ("mint", ["shrink", "--bogus"]),
    ("mint", ["shrink", "absent", "--timeout", "x", "--bogus"]),
    ("mint", ["shrink", "absent", "--check", "--bogus"]),
    ("mint.testing", ["--bogus"]),
    ("mint.testing", ["--port", "x", "--bogus=hunter2"]),
    ("mint.testing", ["--port", "--bogus"]),
    ("mint.testing", ["--http1", "--h2c", "--bogus"]),
    ("mint.testing", ["--tls", "--h2c", "extra", "--bogus"]),
]


@pytest.mark.parametrize(("program", "words"), UNKNOWN, ids=str)
def test_an_unknown_option_is_reported_first_by_every_program(
    program: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert fails(main if program == "mint" else serve, words) == 2
    err = capsys.readouterr().err
    assert "unknown option --bogus" in err
    assert "hunter2" not in err


VALUES = (
    *(["shrink", "{}", "--check", "true", "--timeout", each] for each in ("0", "-1", "nan", "inf", "x")),
    *(["shrink", "{}", "--check", "true", "--runs", each] for each in ("0", "-1", "1.5", "x")),
    ["shrink", "{}", "--check", ""],
    ["shrink", "{}", "--check", "'"],
    ["shrink", "a\0b", "--check", "true"],
    ["replay", "a\0b"],
    *(["replay", "{}", "--from", each] for each in ("-1", "x", "1000")),
    ["replay", "{}", "--from", "2", "--until", "1"],
)


@pytest.mark.parametrize("words", VALUES, ids=repr)
def test_a_bad_value_is_one_line_and_a_usage_error(
    words: list[str], tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = transcript(tmp_path)
    capsysbinary.readouterr()
    assert main([path if each == "{}" else each for each in words]) == 2
    err = capsysbinary.readouterr().err
    assert err.startswith(b"mint: ")
    assert err.count(b"\n") == 1
