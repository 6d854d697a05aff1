"""The wire of the HTTP/2 origin step by step: what is queued, and which windows change, at each limit."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from mint.testing.frames import (
    ErrorCode,
    Frame,
    Setting,
    continuation,
    data,
    headers,
    parse_head,
    rst_stream,
    window_update,
)
from mint.testing.messages import Lost
from mint.testing.peer import Peer
from mint.testing.wire2 import (
    DEFAULT_WINDOW,
    FRAME_SIZE,
    LARGEST_FRAME,
    LARGEST_WINDOW,
    QUEUE_LIMIT,
    Stream,
    Wire,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mint.testing.messages import Fields

ROOM = FRAME_SIZE - 16


@pytest.fixture
def make() -> Iterator[Callable[..., Wire]]:
    """Return a function that makes a wire whose frames stay in the queue: its thread is not started."""
    near, far = socket.socketpair()
    with near, far:
        yield lambda window=1_000, timeout=10.0: Wire(
            Peer(near, 1), {Setting.INITIAL_WINDOW_SIZE: window}, timeout
        )


def queued(wire: Wire) -> list[Frame]:
    """Take the frames out of the queue."""
    octets, made = b"".join(wire._queue), list[Frame]()
    assert wire._queued == len(octets)
    wire._queue.clear()
    wire._queued = 0
    while octets:
        length, frame = parse_head(octets[:9])
        made.append(Frame(frame.type, frame.flags, frame.stream, octets[9 : 9 + length]))
        octets = octets[9 + length :]
    return made


def opened(wire: Wire, number: int = 1) -> Stream:
    stream = wire.streams[number] = wire.new_stream(number)
    return stream


def test_sizes() -> None:
    assert (DEFAULT_WINDOW, LARGEST_WINDOW) == (65_535, 2**31 - 1)
    assert (FRAME_SIZE, LARGEST_FRAME, QUEUE_LIMIT) == (16_384, 65_536, 262_144)


@pytest.mark.parametrize("ours", [0, 1, 65_534, 65_535, 65_536, 1 << 20])
@pytest.mark.parametrize("theirs", [None, 0, 7, 70_000])
def test_the_windows_of_a_new_stream(ours: int, theirs: int | None, make: Callable[..., Wire]) -> None:
    """Until the client has acknowledged the settings, it may use the default window."""
    wire = make(ours)
    if theirs is not None:
        wire.theirs[Setting.INITIAL_WINDOW_SIZE] = theirs
    stream = wire.new_stream(5)
    assert (stream.id, stream.window) == (5, 65_535 if theirs is None else theirs)
    assert stream.allowed == max(65_535, ours)
    assert not wire.streams


# -- windows


@pytest.mark.parametrize("window", [2, 3, 100, 65_534, 65_536, 200_000])
def test_half_of_a_window_is_given_back_at_once(window: int, make: Callable[..., Wire]) -> None:
    wire = make(window)
    stream = opened(wire)
    allowed, whole = stream.allowed, wire.allowed
    most = max(window, 65_535) // 2
    wire.give_back(stream, 0)
    wire.give_back(stream, window // 2 - 1)
    assert queued(wire) == []
    assert (stream.taken, wire.taken) == (window // 2 - 1, window // 2 - 1)
    wire.give_back(stream, 1)
    updates = [window_update(1, window // 2)]
    if window // 2 >= most:
        updates.insert(0, window_update(0, window // 2))
    assert queued(wire) == updates
    assert (stream.taken, stream.allowed) == (0, allowed + window // 2)
    given = window // 2 if window // 2 >= most else 0
    assert (wire.taken, wire.allowed) == (window // 2 - given, whole + given)


@pytest.mark.parametrize("stream_is", ["none", "ended", "reset"])
@pytest.mark.parametrize("missing", [0, 1])
def test_without_an_open_stream_only_the_connection_gets_more(
    stream_is: str, missing: int, make: Callable[..., Wire]
) -> None:
    wire = make()
    stream = None if stream_is == "none" else opened(wire)
    if stream is not None:
        stream.remote_ended, stream.reset = stream_is == "ended", stream_is == "reset"
    size = 65_535 // 2 - missing
    wire.give_back(stream, size)
    assert queued(wire) == ([] if missing else [window_update(0, size)])
    assert wire.taken == (size if missing else 0)
    assert wire.allowed == 65_535 + (0 if missing else size)
    assert stream is None or stream.taken == 0


# -- header blocks


class Fixed:
    """An encoder that makes blocks of one length, and remembers the fields."""

    size = 0
    seen: tuple[tuple[str, str], ...] = ()

    def encode(self, fields: Fields) -> tuple[bytes, Fixed]:
        self.seen = tuple(fields)
        return bytes(self.size), self


@pytest.mark.parametrize("size", [1, ROOM - 1, ROOM, ROOM + 1, 2 * ROOM, 2 * ROOM + 1])
@pytest.mark.parametrize("end", [False, True])
def test_long_header_blocks_are_split(size: int, end: bool, make: Callable[..., Wire]) -> None:
    wire, encoder = make(), Fixed()
    encoder.size = size
    wire.encoder = encoder  # type: ignore[assignment]  # only `encode` is called
    stream = opened(wire)
    wire.send_block(stream, (("X-Y", "Z"),), end=end)
    assert encoder.seen == (("x-y", "Z"),)
    assert stream.local_ended is end
    sizes = [*[ROOM] * (size // ROOM), *([size % ROOM] if size % ROOM else [])]
    expected = [headers(1, bytes(sizes[0]), end=end, end_headers=len(sizes) == 1)]
    expected += [continuation(1, bytes(each), end_headers=False) for each in sizes[1:-1]]
    expected += [continuation(1, bytes(each)) for each in sizes[1:][-1:]]
    assert queued(wire) == expected


@pytest.mark.parametrize("lost", ["reset", "closed"])
def test_nothing_is_sent_to_a_client_that_cannot_receive_it(lost: str, make: Callable[..., Wire]) -> None:
    wire = make()
    stream = opened(wire)
    if lost == "reset":
        stream.reset = True
    else:
        wire.close()
    with pytest.raises(Lost, match="the client reset the stream"):
        wire.send_block(stream, ((":status", "200"),), end=True)
    with pytest.raises(Lost, match="the client reset the stream, or opened no window in time"):
        wire.send_data(stream, b"x", end=True)
    assert queued(wire) == []
    assert not stream.local_ended


# -- DATA


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 200, 250])
@pytest.mark.parametrize("end", [False, True])
def test_data_is_split_into_frames_of_the_clients_size(
    size: int, end: bool, make: Callable[..., Wire]
) -> None:
    wire = make()
    wire.theirs[Setting.MAX_FRAME_SIZE] = 100
    stream = opened(wire)
    wire.send_data(stream, bytes(size), end=end)
    sizes = [*[100] * (size // 100), *([size % 100] if size % 100 or not size else [])]
    frames = [data(1, bytes(each)) for each in sizes]
    if end:
        frames[-1] = data(1, bytes(sizes[-1]), end=True)
    assert queued(wire) == frames
    assert (stream.window, wire.window) == (65_535 - size, 65_535 - size)
    assert stream.local_ended is end
    if end:
        wire.send_data(stream, b"late")
        assert queued(wire) == [], "the stream has ended"


@pytest.mark.parametrize("size", [None, LARGEST_FRAME - 1, LARGEST_FRAME, LARGEST_FRAME + 1])
def test_frames_of_data_have_a_maximum_size(size: int | None, make: Callable[..., Wire]) -> None:
    wire = make()
    wire.window = 1 << 20
    if size is not None:
        wire.theirs[Setting.MAX_FRAME_SIZE] = size
    stream = opened(wire)
    stream.window = 1 << 20
    wire.send_data(stream, bytes(100_000))
    assert len(queued(wire)[0].payload) == (16_384 if size is None else min(size, LARGEST_FRAME))


@pytest.mark.parametrize("which", ["stream", "connection"])
@pytest.mark.parametrize("window", [-5, 0, 1, 9, 10, 11])
def test_data_waits_for_both_windows(which: str, window: int, make: Callable[..., Wire]) -> None:
    wire = make(timeout=0.01)
    stream = opened(wire)
    if which == "stream":
        stream.window = window
    else:
        wire.window = window
    sent = max(0, min(window, 10))
    if window < 10:
        with pytest.raises(Lost):
            wire.send_data(stream, bytes(10))
        rest = [rst_stream(1, ErrorCode.CANCEL)]
        assert stream.reset
    else:
        wire.send_data(stream, bytes(10))
        rest = []
    assert queued(wire) == [*([data(1, bytes(sent))] if sent else []), *rest]
    assert (stream.window if which == "stream" else wire.window) == window - sent


@pytest.mark.parametrize("free", [-1, 0, 1])
def test_data_waits_for_the_queue(free: int, make: Callable[..., Wire]) -> None:
    wire = make(timeout=0.01)
    stream = opened(wire)
    wire._queued = QUEUE_LIMIT - free
    if free > 0:
        wire.send_data(stream, b"x")
    else:
        with pytest.raises(Lost):
            wire.send_data(stream, b"x")
    assert stream.reset is (free <= 0)


def test_data_continues_once_there_is_a_window(make: Callable[..., Wire]) -> None:
    wire = make()
    stream = opened(wire)
    stream.window = 1
    sender = threading.Thread(target=wire.send_data, args=(stream, b"abc"), kwargs={"end": True}, daemon=True)
    sender.start()
    with wire.changed:
        assert wire.changed.wait_for(lambda: not stream.window, 10)
        stream.window = 2
        wire.changed.notify_all()
    sender.join(10)
    assert queued(wire) == [data(1, b"a"), data(1, b"bc", end=True)]


# -- ends


@pytest.mark.parametrize("remote_ended", [False, True])
def test_the_end_of_the_client_resets_incomplete_requests(
    remote_ended: bool, make: Callable[..., Wire]
) -> None:
    wire = make()
    streams = [opened(wire, number) for number in (1, 3)]
    streams[0].remote_ended = remote_ended
    streams[1].reset = True
    wire.end_input()
    assert [stream.reset for stream in streams] == [not remote_ended, True]
    assert queued(wire) == []


@pytest.mark.parametrize("local_ended", [False, True])
@pytest.mark.parametrize("remote_ended", [False, True])
@pytest.mark.parametrize("lost", ["", "reset", "closed"])
def test_how_a_stream_that_is_forgotten_ends(
    lost: str, remote_ended: bool, local_ended: bool, make: Callable[..., Wire]
) -> None:
    wire = make()
    stream = opened(wire)
    stream.local_ended, stream.remote_ended, stream.reset = local_ended, remote_ended, lost == "reset"
    stream.pieces.extend([bytes(20_000), bytes(12_767)])
    if lost == "closed":
        wire.close()
    wire.forget(stream)
    assert not wire.streams
    frames: list[Frame] = []
    if not lost and not (local_ended and remote_ended):
        frames.append(rst_stream(1, ErrorCode.NO_ERROR if local_ended else ErrorCode.INTERNAL_ERROR))
    if lost != "closed":
        frames.append(window_update(0, 32_767))
    assert queued(wire) == frames, "what the handler did not read is given back"


def test_a_reset_of_a_stream_that_exists_is_remembered(make: Callable[..., Wire]) -> None:
    wire = make()
    stream = opened(wire)
    wire.reset(3, ErrorCode.REFUSED_STREAM)
    assert not stream.reset
    wire.reset(1, ErrorCode.CANCEL)
    assert stream.reset
    assert queued(wire) == [rst_stream(3, ErrorCode.REFUSED_STREAM), rst_stream(1, ErrorCode.CANCEL)]
