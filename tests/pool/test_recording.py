"""Pools record all their connections in one transcript, to a path, a file or a `Recorder`."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import mint
import mint.pool.asyncio
import mint.pool.trio
from mint.errors import PoolClosed
from mint.pool import PoolOptions
from mint.testing import Origin, Request, Response
from mint.transcripts import Recorder, Replay, replay

from ..examples.serving import PROTOCOLS, Protocol, serving
from .pools import LOOPS, Client, LoopName, play
from .test_pool import url

POOLS = [mint.pool.Pool, mint.pool.asyncio.Pool, mint.pool.trio.Pool]
SECRET = "hunter2-of-the-caller"
FIELDS = (("authorization", f"Bearer {SECRET}"),)


def counts(made: Replay) -> tuple[int, int, int]:
    """Return how many connections, requests and complete answers a transcript has."""
    return (
        len({step.connection for step in made}),
        sum(step.call == "request" for step in made),
        sum(isinstance(each, mint.Done) for step in made for each in step.responses),
    )


def check(text: str, connections: int, requests: int) -> None:
    made = replay(io.StringIO(text))
    made.check()
    assert counts(made) == (connections, requests, requests)
    assert SECRET not in text


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_file_has_every_connection_and_is_closed_with_the_pool(
    loop: LoopName, protocol: Protocol, tmp_path: Path
) -> None:
    path = tmp_path / "transcript"
    held: list[object] = []
    with serving(protocol) as origin:

        async def scenario(client: Client) -> None:
            for size in (0, 70_000):
                streamed = await client.pool.stream("GET", url(origin, f"/bytes/{size}"), FIELDS)
                async with streamed:
                    assert len(await streamed.read()) == size
                    held.append(streamed.connection)
            answer = await client.pool.request("POST", url(origin, "/echo"), FIELDS, [b"abc", b"def"])
            assert answer.content == b"abcdef"
            assert is_open(path)
            client.pool.close()
            assert not is_open(path)  # although values of its connections still exist
            client.pool.close()

        play(loop, scenario, record=path)
    check(path.read_text(), 1, 3)
    assert path.stat().st_mode & 0o77 == 0


def is_open(path: Path) -> bool:
    """Return whether this process has the file open."""
    for each in Path("/proc/self/fd").iterdir():
        try:
            if each.samefile(path):
                return True
        except OSError:
            continue
    return False


@pytest.mark.parametrize("loop", LOOPS)
def test_connections_at_the_same_time_are_in_one_transcript(loop: LoopName) -> None:
    out = io.StringIO()
    with serving("http1") as origin:

        async def scenario(client: Client) -> None:
            async def work(size: int) -> int:
                answer = await client.pool.request("GET", url(origin, f"/bytes/{size}"), FIELDS)
                return len(answer.content)

            sizes = range(0, 6000, 1000)
            found = await client.together(*(lambda size=size: work(size) for size in sizes))
            assert found == list(sizes)

        play(loop, scenario, record=out, options=PoolOptions(max_per_origin=3))
        connections = len(origin.peers)
    check(out.getvalue(), connections, 6)
    assert not out.closed


@pytest.mark.parametrize("loop", LOOPS)
def test_a_recorder_is_closed_by_the_caller(loop: LoopName, tmp_path: Path) -> None:
    """Two pools record to the same `Recorder`; with `secrets=True` it keeps credentials."""
    with Recorder(tmp_path / "transcript", secrets=True) as recorder, serving("http2") as origin:

        async def scenario(client: Client) -> None:
            await client.pool.request("GET", url(origin, "/bytes/3"), FIELDS)

        play(loop, scenario, record=recorder)
        play(loop, scenario, record=recorder)
    text = (tmp_path / "transcript").read_text()
    made = replay(io.StringIO(text))
    made.check()
    assert counts(made) == (2, 2, 2)
    assert SECRET in text


@pytest.mark.parametrize("loop", LOOPS)
def test_a_failure_is_in_the_transcript(loop: LoopName) -> None:
    out = io.StringIO()
    with Origin(lambda _: Response(200, [("content-length", "5")], b"hello")) as origin:
        bad = f"http://127.0.0.1:{origin.port}/"

        async def scenario(client: Client) -> None:
            with pytest.raises(mint.errors.MaxHeaderListSizeExceeded):
                await client.pool.request("GET", bad)

        play(loop, scenario, record=out, http1=mint.HTTP1Options(max_header_list_size=1))
    made = replay(io.StringIO(out.getvalue()))
    made.check()
    assert [type(step.error) for step in made if step.error] == [mint.errors.MaxHeaderListSizeExceeded]


@pytest.mark.parametrize("make", POOLS, ids=["blocking", "asyncio", "trio"])
def test_invalid_record_arguments_are_refused_before_connecting(
    make: type[mint.pool.Pool], tmp_path: Path
) -> None:
    with pytest.raises(TypeError, match="record"):
        make(record=3)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(FileNotFoundError):
        make(record=tmp_path / "missing" / "transcript")
    with pytest.raises(ValueError, match="record cannot be used together with connect"):
        make(record=tmp_path / "transcript", connect=lambda *_: pytest.fail("dialled"))
    with pytest.raises(TypeError, match="tcp"):
        make(record=tmp_path / "transcript", tcp=3)  # type: ignore[arg-type]  # that is the point
    assert not (tmp_path / "transcript").exists()


def test_a_closed_pool_records_nothing() -> None:
    out = io.StringIO()
    with Origin(answer) as origin:
        pool = mint.pool.Pool(record=out)
        target = f"http://127.0.0.1:{origin.port}/"
        pool.request("GET", target)
        pool.close()
        before = out.getvalue()
        with pytest.raises(PoolClosed):
            pool.request("GET", target)
    assert out.getvalue() == before


def answer(_: Request) -> Response:
    return Response(200, (), b"hello")
