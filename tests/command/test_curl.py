"""Run the same command lines with curl and mint; compare requests, output and exit codes."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from mint.testing import Origin, Response

from .servers import Site, command

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl to compare with")

OWN = {"user-agent", "accept-encoding", "host", "expect"}
"""Header fields that differ between the two clients."""


def pages() -> dict[str, Response | tuple[int, str]]:
    return {
        "/": Response(200, (("content-type", "text/plain"),), b"hello\n"),
        "/empty": Response(204),
        "/gzip": Response(200, (("content-encoding", "gzip"),), gzip.compress(b"text\n" * 50, mtime=0)),
        "/broken": Response(200, (("content-encoding", "gzip"),), b"this is no gzip at all"),
        "/error": Response(500, (), b"oh\n"),
        "/trailers": Response(200, (), [b"one\n"], (("x-end", "1"),)),
        "/r301": (301, "/"),
        "/r302": (302, "/"),
        "/r303": (303, "/"),
        "/r307": (307, "/"),
        "/r308": (308, "/"),
        "/relative/x": (302, "../a b?c=%20"),
        "/loop": (302, "/loop"),
        "/file": (302, "file:///etc/passwd"),
        "/noscheme": (302, "gopher://127.0.0.1:70/x"),
        "/no-location": Response(302, (), b"where?\n"),
    }


CASES = [
    ["{}/"],
    ["{}/", "{}/empty", "{}/error"],
    ["-f", "{}/error"],
    ["-f", "{}/", "{}/error"],
    ["-s", "-f", "{}/absent"],
    ["-d", "a=1", "-d", "b=2", "{}/"],
    ["-d", "@{dir}/content", "{}/"],
    ["--json", '{{"a": 1}}', "{}/"],
    ["--json", "[1,", "--json", "2]", "-H", "accept: text/html", "{}/"],
    ["-u", "me:secret word", "{}/"],
    ["-u", "me:", "{}/"],
    ["-u", "me:a:b\u00e9", "{}/"],
    ["-T", "{dir}/content", "{}/"],
    ["-T", "{dir}/content", "{}/up/"],
    ["-T", "{dir}/a b%", "{}/up/"],
    ["-T", "{dir}/content", "{}/exact"],
    ["-T", "{dir}/absent", "{}/"],
    ["-T", "{dir}/content", "-X", "POST", "{}/"],
    ["--compressed", "{}/gzip"],
    ["{}/gzip"],
    ["--compressed", "{}/broken"],
    ["--compressed", "{}/"],
    *(["-L", f"{{}}/r{status}"] for status in (301, 302, 303, 307, 308)),
    *(["-L", "-d", "x", f"{{}}/r{status}"] for status in (301, 302, 303, 307, 308)),
    *(["-L", "-T", "{dir}/content", f"{{}}/r{status}"] for status in (307, 308)),
    ["-L", "-u", "me:secret", "{}/r302"],
    ["-L", "{}/relative/x"],
    ["-L", "{}/no-location"],
    ["-L", "{}/loop"],
    ["-L", "--max-redirs", "3", "{}/loop"],
    ["-L", "--max-redirs", "0", "{}/r302"],
    ["-L", "{}/file"],
    ["-L", "--proto-redir", "http,https", "{}/noscheme"],
    ["-L", "-f", "{}/error"],
    ["{}/r302"],
    ["-X", "DELETE", "{}/"],
    ["-H", "x-a: 1", "-H", "x-a: 2", "{}/"],
    ["--max-filesize", "3", "{}/"],
    ["http://127.0.0.1:1/"],
    ["-m", "5", "{}/"],
    ["-Z", "-s", "{}/", "{}/"],
]


@pytest.mark.parametrize("arguments", CASES, ids=" ".join)
def test_the_same_as_curl(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "content").write_bytes(b"from a file")
    (tmp_path / "a b%").write_bytes(b"spaced")
    outcomes = []
    for client in ("curl", "mint"):
        site = Site(pages())
        with Origin(site, protocols=("http1",)) as origin:
            base = f"http://127.0.0.1:{origin.port}"
            given = [each.format(base, dir=tmp_path) for each in arguments]
            if client == "curl":
                ran = subprocess.run(["curl", "-sS", *given], check=False, capture_output=True, timeout=30)
            else:
                ran = command(*given)
        seen = [
            (each.method, each.target, sorted(pair for pair in each.headers if pair[0] not in OWN), each.body)
            for each in site.seen
        ]
        outcomes.append((ran.returncode, ran.stdout, seen))
    assert outcomes[1] == outcomes[0]
