"""--parallel: one HTTP/2 connection, the order of the output, and failures."""

from __future__ import annotations

import io
import logging
import signal
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from mint import errors
from mint._command import fetch, main, show
from mint._command.fetch import _await_end
from mint._command.verbose import Handler
from mint.testing import Origin, Request, Response
from mint.testing.clock import FakeClock
from tests.tls import authority, server_context

from .servers import Site, command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Capture = pytest.CaptureFixture[bytes]


class Gate:
    """Answers only when `count` requests have arrived."""

    def __init__(self, count: int) -> None:
        self.barrier = threading.Barrier(count, timeout=20)

    def __call__(self, request: Request) -> Response:
        self.barrier.wait()
        return Response(200, (), request.target.encode() * 1000 + b"\n")


@pytest.mark.parametrize("count", [2, 20])
def test_one_connection_carries_everything_at_once(count: int, tmp_path: Path, capsysbinary: Capture) -> None:
    (tmp_path / "ca.pem").write_bytes(authority().cert_pem.bytes())
    with Origin(Gate(count), tls=server_context(alpn=("h2",))) as origin:
        urls = [f"https://localhost:{origin.port}/{number}" for number in range(count)]
        assert main(["-Z", "--cacert", str(tmp_path / "ca.pem"), "-w", "%{num_connects}\\n", *urls]) == 0
    lines = capsysbinary.readouterr().out.split(b"\n")[:-1]
    assert lines[::2] == [f"/{number}".encode() * 1000 for number in range(count)]
    assert sorted(lines[1::2]) == [b"0"] * (count - 1) + [b"1"]


def test_over_http1_each_request_has_its_own_connection() -> None:
    with Origin(Gate(4), protocols=("http1",)) as origin:
        urls = [f"http://127.0.0.1:{origin.port}/{number}" for number in range(4)]
        ran = command("-Z", "-w", "%{num_connects}\\n", *urls)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout == b"".join(f"/{number}".encode() * 1000 + b"\n1\n" for number in range(4))


@pytest.mark.parametrize("protocol", [(), ("--h2c",)])
def test_parallel_max_limits_concurrent_requests(protocol: tuple[str, ...], capsysbinary: Capture) -> None:
    most, now, lock = 0, 0, threading.Lock()

    def count(_: Request) -> Response:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)

        def pieces() -> object:
            nonlocal now
            yield b"x\n"
            with lock:
                now -= 1

        return Response(200, (), pieces())  # type: ignore[arg-type]  # an iterable of bytes

    with Origin(count) as origin:
        urls = [f"http://127.0.0.1:{origin.port}/{number}" for number in range(12)]
        assert main(["-Z", "--parallel-max", "3", *protocol, *urls]) == 0
    assert capsysbinary.readouterr().out == b"x\n" * 12
    assert most <= 3


@pytest.mark.parametrize("protocol", [(), ("--h2c",)])
def test_a_failure_does_not_affect_other_transfers(protocol: tuple[str, ...], capsysbinary: Capture) -> None:
    site = Site({f"/{number}": Response(200, (), f"{number}\n".encode()) for number in range(0, 10, 2)})
    with Origin(site) as origin:
        urls = [f"http://127.0.0.1:{origin.port}/{number}" for number in range(10)]
        assert main(["-Z", "-f", *protocol, *urls]) == 22
    out, err = capsysbinary.readouterr()
    assert out == b"0\n2\n4\n6\n8\n"
    assert err.count(b"status 404\n") == 5


def test_large_responses_are_printed_in_order(capsysbinary: Capture) -> None:
    pages = {f"/{number}": Response(200, (), f"{number}".encode() * 2_000_000) for number in range(4)}
    with Origin(Site(pages)) as origin:
        urls = [f"http://127.0.0.1:{origin.port}/{number}" for number in range(4)]
        assert main(["--parallel", "--h2c", *urls]) == 0
    assert capsysbinary.readouterr().out == b"".join(str(number).encode() * 2_000_000 for number in range(4))


def test_max_time_applies_to_every_transfer(capsysbinary: Capture) -> None:
    hold = threading.Event()

    def wait(_: Request) -> Response:
        hold.wait(20)
        return Response(200)

    with Origin(wait) as origin:
        urls = [f"http://127.0.0.1:{origin.port}/{number}" for number in range(3)]
        assert main(["-Z", "--h2c", "-m", "0.2", *urls]) == 28
        hold.set()
    assert capsysbinary.readouterr().err.count(b"timeout expired") == 3


def test_output_that_cannot_be_written() -> None:
    with Origin(Site({"/": Response(200, (), bytes(1_000_000))})) as origin:
        url = f"http://127.0.0.1:{origin.port}/"
        ran = command("-Z", "-s", "-o", "/dev/full", "-o", "/dev/full", url, url)
    assert ran.returncode == 23


@pytest.mark.parametrize("options", [(), ("-Z",), ("-Z", "--h2c")])
def test_nothing_goes_on_and_nothing_is_said_once_nobody_reads_the_output(
    options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `| head -1`. Other transfers may be waiting for their answers then."""
    over, waited = threading.Event(), []

    def answer(request: Request) -> Response:
        if request.target == "/first":
            return Response(200, (), b"x")
        waited.append(over.wait(20))
        return Response(200, (), b"late")

    class Gone(io.BytesIO):
        def write(self, data: object) -> int:
            raise BrokenPipeError(32, "Broken pipe", data)

    said = io.StringIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(Gone()))
    monkeypatch.setattr(sys, "stderr", said)
    with Origin(answer) as origin:
        base = f"http://127.0.0.1:{origin.port}"
        assert main([*options, f"{base}/first", f"{base}/second"]) == 23
        over.set()
    assert all(waited)
    assert said.getvalue() == ""
    # Python writes to them when the process ends.
    assert (sys.stdout, sys.stderr) == (None, None)


@pytest.mark.parametrize("count", [2, 5])
def test_an_interruption_is_reported_once(count: int, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    main_thread = threading.main_thread().ident
    assert main_thread is not None
    all_wait = threading.Barrier(count, lambda: signal.pthread_kill(main_thread, signal.SIGINT))
    over = threading.Event()

    def answer(_: Request) -> Response:
        all_wait.wait(20)
        over.wait(20)
        return Response(200, (), b"late")

    # A job that a shell has started in the background ignores the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with Origin(answer) as origin:
        try:
            assert main(["-Z", *[f"http://127.0.0.1:{origin.port}/"] * count]) == 130
        finally:
            over.set()
            signal.signal(signal.SIGINT, before)
    assert capsysbinary.readouterr() == (b"", b"mint: interrupted\n")


def test_after_an_interruption_the_transfers_end_before_the_program_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Closing the pool ends them; otherwise they would be waited for in vain."""
    main_thread = threading.main_thread().ident
    assert main_thread is not None
    all_wait = threading.Barrier(3, lambda: signal.pthread_kill(main_thread, signal.SIGINT))
    over = threading.Event()
    ended: list[bool] = []

    def answer(_: Request) -> Response:
        all_wait.wait(20)
        over.wait(20)
        return Response(200, (), b"late")

    def await_end(threads: Sequence[threading.Thread]) -> None:
        for thread in threads:
            thread.join(10)
            ended.append(not thread.is_alive())

    monkeypatch.setattr(fetch, "_await_end", await_end)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with Origin(answer) as origin:
        try:
            assert main(["-Z", *[f"http://127.0.0.1:{origin.port}/"] * 3]) == 130
        finally:
            over.set()
            signal.signal(signal.SIGINT, before)
    assert ended == [True] * 3


@pytest.mark.parametrize("parallel", [(), ("-Z",)])
@pytest.mark.parametrize("verbose", [(), ("-v",)])
def test_what_is_set_up_for_messages_lasts_as_long_as_the_transfers(
    parallel: tuple[str, ...], verbose: tuple[str, ...], capsysbinary: Capture
) -> None:
    """The line of progress is cleared before a message, and -v prints the log of the library."""

    def now() -> tuple[int, int]:
        printing = [each for each in logging.getLogger("mint").handlers if isinstance(each, Handler)]
        return len(show._cleaners), len(printing)

    def answer(_: Request) -> Response:
        seen.append(now())
        return Response(200, (), b"x")

    seen: list[tuple[int, int]] = []

    with Origin(answer) as origin:
        assert main([*parallel, *verbose, *[f"http://127.0.0.1:{origin.port}/"] * 2]) == 0
    assert seen == [(1, len(verbose))] * 2
    assert now() == (0, 0)
    assert bool(capsysbinary.readouterr().err) is bool(verbose)


@pytest.mark.parametrize("fatal", [False, True])
@pytest.mark.parametrize("error", [errors.PoolClosed(), errors.TransportReset()])
def test_only_that_the_pool_was_closed_is_not_said_of_each_transfer(
    fatal: bool, error: errors.MintError, capsysbinary: Capture
) -> None:
    """What closed the pool is reported once."""

    class Failing:
        def run(self, *_: object) -> None:
            raise error

    command = fetch.Fetcher.__new__(fetch.Fetcher)
    command._settings = SimpleNamespace(silent=False, show_error=False)  # type: ignore[assignment]  # a fake
    command._transfers = [Failing()]  # type: ignore[list-item]  # a fake
    command._codes, command._until = [0], None
    command._dialer = None  # type: ignore[assignment]  # the fake does not use it
    command._fatal = [OSError()] if fatal else []
    command._run_one(0, None)  # type: ignore[arg-type]  # as above
    assert command._codes != [0]
    said = not (fatal and isinstance(error, errors.PoolClosed))
    assert capsysbinary.readouterr().err.startswith(b"mint: ") is said


@pytest.mark.parametrize("runs", [False, True])
def test_an_interruption_while_threads_are_started_is_reported_once(
    runs: bool, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """The transfers that have begun end with the pool, and say nothing about that."""
    asked, over = threading.Event(), threading.Event()
    workers: list[threading.Thread] = []

    def answer(_: Request) -> Response:
        asked.set()
        over.wait(20)
        return Response(200, (), b"late")

    class Interrupted(threading.Thread):
        """The third thread is interrupted before it runs, or when it runs."""

        def start(self) -> None:
            workers.append(self)
            if len(workers) < 3 or runs:
                super().start()
            if len(workers) == 3:
                assert asked.wait(20)
                raise KeyboardInterrupt

    with Origin(answer) as origin:
        # Only there: the server has threads of its own.
        module = SimpleNamespace(Thread=Interrupted, Lock=threading.Lock)
        monkeypatch.setattr("mint._command.fetch.threading", module)
        try:
            assert main(["-Z", *[f"http://127.0.0.1:{origin.port}/"] * 4]) == 130
        finally:
            over.set()
        for worker in workers[: 3 if runs else 2]:
            worker.join(20)
    # Otherwise one that waits for something else than the pool would keep the process from ending.
    assert all(worker.daemon for worker in workers)
    assert capsysbinary.readouterr() == (b"", b"mint: interrupted\n")


@pytest.mark.parametrize(
    ("taken", "waited"),
    [
        ([], []),
        ([0.0, 0.0], [1.0, 1.0]),
        ([0.25, 0.5, 0.5], [1.0, 0.75, 0.25]),
        ([2.0, 1.0], [1.0, 0.0]),
        ([None, 0.25, None, 0.25], [1.0, 0.75]),
    ],
)
def test_interrupted_transfers_have_one_second_together(
    taken: list[float | None], waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that was never started (`None`) cannot be waited for."""
    clock = FakeClock()
    monkeypatch.setattr(fetch, "monotonic", clock)
    found: list[float] = []

    class Worker(threading.Thread):
        def __init__(self, takes: float | None) -> None:
            super().__init__()
            self.takes = takes

        def is_alive(self) -> bool:
            return self.takes is not None

        def join(self, timeout: float | None = None) -> None:
            assert self.takes is not None
            assert timeout is not None
            found.append(timeout)
            clock.advance(min(self.takes, timeout))

    _await_end([Worker(each) for each in taken])
    assert found == waited
