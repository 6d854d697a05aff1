"""-w: the common variables, escapes, and where it is printed."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from mint._command import main
from mint._command.arguments import parse
from mint._command.summary import Facts, written
from mint._command.usage import UsageError
from mint.testing import Origin, Response

from .servers import Site, command

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[bytes]
PAGE = Response(200, (("content-type", "text/plain"), ("x-a", "1")), b"hello\n")
SAME = (
    *("content_type", "errormsg", "exitcode", "filename_effective", "http_code", "method", "num_connects"),
    *(
        "num_redirects",
        "redirect_url",
        "remote_ip",
        "remote_port",
        "response_code",
        "size_download",
        "size_upload",
    ),
    *("url", "url_effective", "urlnum", "local_ip"),
)


@pytest.mark.parametrize("options", [(), ("-L",), ("-L", "-d", "x=1"), ("-f",)])
def test_variables_are_those_of_curl(options: tuple[str, ...], tmp_path: Path) -> None:
    form = "|".join(f"{name}=%{{{name}}}" for name in SAME) + "|%%|%x|\\n\\t\\q|%header{x-a}"
    site = Site({"/a": (302, "/b"), "/b": PAGE})
    with Origin(site) as origin:
        base = f"http://127.0.0.1:{origin.port}"
        for path in ("/a", "/b", "/c"):
            arguments = [*options, "-s", "-o", str(tmp_path / "page"), "-w", form, base + path]
            ours = command(*arguments)
            theirs = subprocess.run(["curl", *arguments], check=False, capture_output=True)
            assert ours.returncode == theirs.returncode
            # Error messages of the two clients differ.
            without = [re.sub(rb"errormsg=[^|]*", b"", ran.stdout) for ran in (ours, theirs)]
            assert without[0] == without[1]


def test_times_and_speeds(capsysbinary: Capture) -> None:
    with Origin(Site({"/": Response(200, (), bytes(100_000))})) as origin:
        form = "%{time_connect} %{time_starttransfer} %{time_total} %{speed_download} %{http_version}\\n"
        url = f"http://127.0.0.1:{origin.port}/"
        assert main(["-o", "/dev/null", "-o", "/dev/null", "-w", form, url, url]) == 0
    first, second = capsysbinary.readouterr().out.decode().splitlines()
    connect, start, total, speed, version = first.split()
    assert 0 < float(connect) <= float(start) <= float(total)
    assert int(speed) > 0
    assert version == "1.1"
    assert second.startswith("0.000000 ")  # the connection existed already


def test_it_is_printed_after_a_failure_too(capsysbinary: Capture) -> None:
    assert (
        main(["-s", "-w", "%{exitcode} %{http_code} %{stderr}%{errormsg}%{stdout}.", "http://127.0.0.1:1/"])
        == 7
    )
    out, err = capsysbinary.readouterr()
    assert out == b"7 000 ."
    assert b"refused" in err


def test_formats(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("%{http_code}\\n")
    assert parse(["-w", f"@{tmp_path}/format", "http://a.test"]).summary == "%{http_code}\\n"
    with pytest.raises(UsageError, match="unknown variable 'bogus'"):
        parse(["-w", "%{http_code} %{bogus}", "http://a.test"])
    facts = Facts("http://a.test", headers=(("x", "\x1b[2J"),))
    assert written("%header{X}%header{y}\\r\\\\%q", facts) == [("stdout", "?[2J\r\\%q")]
