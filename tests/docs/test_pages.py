"""Every Python block and mint command of the pages runs as it is written; only the way to hosts is shorter.

The blocks of a page run in their order; those of Python share their names. A command prints what the page
shows. Commands that build, install or measure are compared with the repository. example.org and its like are
an origin in this process, over both protocols, and proxy.example is a proxy.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any  # names that an example defines

import pytest

import mint
import mint._command
import mint._command.connecting
import mint.asyncio
import mint.pool
from mint.testing import Origin, showcase

from .. import ways
from ..tls import authority, server_context
from . import console

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(python|console|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")),
)
ORIGINS = ("example.org", "one.example", "two.example")
PROXY = "proxy.example"


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the blocks that can run, each with its language."""
    return BLOCK.findall((ROOT / page).read_text())


def origin(*names: str, alpn: tuple[str, ...], handler: mint.testing.Handler = showcase) -> Origin:
    return Origin(handler, tls=server_context(*names, alpn=alpn))


@pytest.fixture(params=["http/1.1", "h2"])
def hosts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Lead what the pages connect to to servers of this process, which a trusted authority vouches for."""
    trusted = tmp_path / "authority.pem"
    authority().cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    monkeypatch.chdir(tmp_path)  # where pages write files
    with (
        ExitStack() as ways_out,
        origin(*ORIGINS, alpn=(request.param,)) as site,
        origin(*ORIGINS, alpn=("h2",)) as site_of_http2,
        origin(PROXY, alpn=("h2",), handler=ways.HTTPProxy()) as secure_proxy,
        Origin(ways.HTTPProxy()) as proxy,
    ):
        ports = {(PROXY, 443): secure_proxy.port, (PROXY, 3128): proxy.port}

        def dial(host: str, port: int, met: Origin = site) -> socket.socket:
            found = met.port if host in ORIGINS else ports.get((host, port), port)
            return socket.create_connection(("127.0.0.1", found), timeout=10)

        def shorter(module: Any, scheme: str, host: str, port: int, **options: Any) -> Any:
            proxy = options.get("proxy")
            first = (host, port) if proxy is None else (proxy.address, proxy.port)
            there = dial(first[0], first[1], site_of_http2 if module is mint.http2 else site)
            ways_out.callback(there.close)
            return real[module](scheme, host, port, socket=there, **options)

        real = {module: module.connect for module in (mint, mint.http2, mint.asyncio)}
        monkeypatch.setattr(ways, "dial", dial)
        for module in real:
            monkeypatch.setattr(module, "connect", partial(shorter, module))
        monkeypatch.setattr(mint.pool._driver, "connect", partial(shorter, mint))
        monkeypatch.setattr(mint._command.connecting, "connect", partial(shorter, mint))
        # A page says "python" of the Python that has mint.
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        yield


@pytest.mark.usefixtures("hosts")
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)])
def test_the_blocks_of_a_page_run(page: str, capfd: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for number, (language, block) in enumerate(blocks(page), 1):
        if language == "python":
            exec(compile(block, f"{page}, block {number}", "exec"), names)  # what the test is about
        else:
            for command in console.commands(block):
                enter(command, capfd)
    for made in names.values():
        if isinstance(made, mint.Mailbox):
            made.close()


def enter(command: console.Command, capfd: pytest.CaptureFixture[str]) -> None:
    """Do what a command of a page does, or look whether it can be done."""
    if command.runs_mint:
        words = command.words[3:]
        shrinks = words[0] == "shrink"
        capfd.readouterr()
        # To the smallest file it would start a Python some hundred times.
        assert mint._command.main([*words, "--runs", "3"] if shrinks else words) == 0, command
        printed = "".join(capfd.readouterr())
        assert shrinks or not command.shown or console.matches(command.shown, printed), printed
    elif command.words[0] == "cat":
        Path(command.words[1]).write_text(command.shown)
    else:
        assert console.problem(command.words) is None, command


@pytest.mark.parametrize(
    "line",
    [
        "pip install mynt-http",
        "pip install mint-http[teapot]",
        "ci/tost",
        "README.md",
        "ci/test --teapot",
        "python ci/vendor.py --teapot",
        "bash -c '. ci/common.sh; make_tea'",
        ".venv-ci/bin/python -m pytest tests/teapot",
    ],
)
def test_a_command_that_cannot_be_entered_is_found(line: str) -> None:
    (command,) = console.commands(f"$ {line}\n")
    assert console.problem(command.words)


def test_links_between_pages_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    missing = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:\s]+)\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert not missing
