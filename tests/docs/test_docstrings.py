"""Every example in a docstring of mint runs as it is written; the reference shows them."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import textwrap
from pathlib import Path
from typing import Any  # names that an example defines

import pytest

import mint
from mint.testing import Origin, showcase

ROOT = Path(__file__).parents[2]
LITERAL = re.compile(r"(?m)^.*::\n\n((?:(?: {4}.*)?\n)+)")

FETCH = """
import http.client
import mint
import mint.asyncio
import mint.pool.asyncio
from mint.testing import Origin, Request, Response, ScriptedServer, Send, request

def fetch(address, port):
    client = http.client.HTTPConnection(address, port, timeout=10)
    client.request("GET", "/")
    client.getresponse().read()
    client.close()
"""
FETCH_SECURELY = """
from mint.testing.certificates import Authority

def handler(asked):
    return Response(200)

def fetch(port, *, context):
    client = http.client.HTTPSConnection("localhost", port, timeout=10, context=context)
    client.request("GET", "/")
    assert client.getresponse().status == 200
    client.close()
"""
PLAY = """
with ScriptedServer(script) as server:
    conn = mint.http2.connect("http", server.address, server.port)
    conn, ref = conn.request("GET", "/")
    while conn.open_request_count:
        conn, responses = conn.recv(timeout=10)
    conn.close()
"""
AROUND: dict[str, tuple[str, str]] = {
    "_loops/mailbox.py": (
        "",
        "    if not conn.open_request_count:\n        break\nconn.close()\nmailbox.close()\n",
    ),
    "_sessions.py": ("", ""),
    "_connections/async_tunnels.py": ("mailbox = mint.asyncio.Mailbox()\n", "one.close()\nmailbox.close()\n"),
    "_connections/tunnels.py": ("", "one.close()\ntwo.close()\n"),
    "pool/_asynchronous.py": (
        "pool = await mint.pool.asyncio.Pool().__aenter__()\n",
        "await pool.__aexit__(None, None, None)\n",
    ),
    "testing/origin.py": ("", ""),
    "testing/scripted.py": ("", ""),
    "testing/http2.py": ("", PLAY),
    "testing/pytest.py": ("", "import importlib\nimportlib.import_module(*pytest_plugins)\n"),
    "testing/memory.py": (
        "from mint.testing import memory\n",
        "assert isinstance(responses[-1], mint.Done)\n",
    ),
    "testing/certificates.py": (FETCH_SECURELY, ""),
}
"""What stands before and after the example of a file, without which it does nothing."""
TEXTS = {"testing/showcase.py"}
"""Files whose literal blocks are not Python."""


def examples() -> list[tuple[str, str]]:
    """Return the literal blocks in docstrings, each with its file."""
    found = []
    for top, pattern in ((ROOT / "mint", "*.py"), (ROOT / "stubs" / "mint", "*.pyi")):
        for path in sorted(top.rglob(pattern)):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                    text = ast.get_docstring(node) or ""
                    found += [
                        (path.relative_to(top).as_posix(), textwrap.dedent(block))
                        for block in LITERAL.findall(f"{text}\n")
                    ]
    return found


EXAMPLES = [(file, block) for file, block in examples() if file not in TEXTS]


def test_the_examples_of_all_files_are_known() -> None:
    files = [file for file, _ in examples()]
    assert sorted(files) == sorted([*AROUND, *TEXTS])
    assert not re.search(r"(?m)^\s*>>> ", "".join(path.read_text() for path in (ROOT / "mint").rglob("*.py")))


@pytest.mark.usefixtures("hosts")
@pytest.mark.parametrize(("file", "block"), EXAMPLES, ids=[file for file, _ in EXAMPLES])
def test_an_example_runs(file: str, block: str) -> None:
    before, after = AROUND[file]
    if file == "_loops/mailbox.py":
        block = block.replace("for message", "conn, ref = conn.request('GET', '/')\nfor message")
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(FETCH + before + block + after, f"the example in {file}", "exec", flags=flags)

    async def run(names: dict[str, Any]) -> None:
        waits = eval(code, names)  # what the test is about
        if inspect.isawaitable(waits):
            await waits

    with Origin(showcase) as origin:
        asyncio.run(run({"url": f"http://{origin.address}:{origin.port}/", "mint": mint}))
