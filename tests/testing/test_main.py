from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import mint

if TYPE_CHECKING:
    from mint.types import ProtocolName


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_the_showcase_serves_either_protocol(protocol: ProtocolName) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "mint.testing"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        url = program.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        port = int(url.removesuffix("/").rpartition(":")[2])
        with mint.connect("http", "127.0.0.1", port, protocols=(protocol,)) as conn:
            conn, ref = conn.request("GET", "/status/204")
            responses: list[mint.Response] = []
            while conn.open_request_count:
                conn, more = conn.recv(timeout=10.0)
                responses += more
            assert responses[0] == mint.Status(ref, 204)
        program.terminate()
        assert program.communicate(timeout=30.0) == ("", "")
    assert program.returncode == -signal.SIGTERM
