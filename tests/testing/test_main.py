from __future__ import annotations

import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

import mint
from mint.exchange import split_url
from mint.testing.__main__ import main

from ..event_loops import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mint.types import ProtocolName

DEFAULT_TLS = mint.TLSOptions()


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


# Background processes of a shell without job control ignore SIGINT, and their children inherit that.
INTERRUPTED = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("mint.testing", run_name="__main__", alter_sys=True)
"""


# A signal that arrives just before the program waits in the operating system does not end this wait, and
# neither does `interrupt_main`. So a thread calls it when the main thread waits, and so stays at one place.
NOTED = """
import _thread, sys, threading, time
main = threading.get_ident()
def note():
    sys.stdin.readline()
    places = []
    while len(places) < 20 or len(set(places[-20:])) > 1:
        time.sleep(0.005)
        frame = sys._current_frames()[main]
        places.append((frame.f_code, frame.f_lasti))
    _thread.interrupt_main()
threading.Thread(target=note, daemon=True).start()
"""


@contextmanager
def serving(*arguments: str) -> Iterator[list[str]]:
    """Run the program; yield the lines that it prints before it waits."""
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, *arguments], stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        lines = [program.stdout.readline().strip()]
        if lines[0].startswith("https:"):
            lines.append(program.stdout.readline().strip())
        try:
            yield lines
        finally:
            program.send_signal(signal.SIGINT)
            try:
                assert program.wait(timeout=30.0) == 0
            finally:
                program.kill()


def fetch(
    url: str,
    *,
    protocols: Sequence[ProtocolName] = ("http2", "http1"),
    tls: mint.TLSOptions = DEFAULT_TLS,
) -> str:
    where = split_url(url)
    with mint.connect(where.scheme, where.host, where.port, protocols=protocols, tls=tls) as conn:
        conn, ref = conn.request("GET", "/status/204")
        responses: list[mint.Response] = []
        while conn.open_request_count:
            conn, got = conn.recv(timeout=10.0)
            responses += got
        assert responses[0] == mint.Status(ref, 204)
        return conn.protocol


def test_a_given_port() -> None:
    port = free_port()
    with serving("--port", str(port)) as (url,):
        assert url == f"http://127.0.0.1:{port}/"
        assert fetch(url) == "http1"


def test_an_interrupt_just_before_the_wait() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", NOTED + INTERRUPTED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline().startswith("http:")
        try:
            assert not program.communicate("\n", timeout=30.0)[0]
            assert program.returncode == 0
        finally:
            program.kill()


@pytest.mark.parametrize(("arguments", "protocol"), [((), "http2"), (("--http1",), "http1")])
def test_over_tls(arguments: tuple[str, ...], protocol: str) -> None:
    with serving("--tls", *arguments) as (url, trust):
        assert fetch(url, tls=mint.TLSOptions(ca_file=trust.removeprefix("trust: "))) == protocol


def test_one_protocol_only() -> None:
    with serving("--h2c") as (url,):
        assert fetch(url, protocols=("http2",)) == "http2"
        with pytest.raises(mint.MintError):
            fetch(url, protocols=("http1",))
    with serving("--http1") as (url,):
        assert fetch(url, protocols=("http1",)) == "http1"
        with pytest.raises(mint.MintError):
            fetch(url, protocols=("http2",))


def test_help_and_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    output = capsys.readouterr().out
    assert all(each in output for each in ("--port", "--tls", "--http1", "--h2c"))
    wrong = (
        ["--port", "x"],
        ["--port", "65536"],
        ["--port", "-1"],
        ["--tls", "--h2c"],
        ["--http1", "--h2c"],
        ["--no"],
    )
    for arguments in wrong:
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
    assert "--no" in capsys.readouterr().err


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert main(["--port", str(listener.getsockname()[1])]) == 1
    assert "cannot listen" in capsys.readouterr().err
