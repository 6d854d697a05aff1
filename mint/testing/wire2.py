"""The state that the threads of one HTTP/2 connection share: streams, windows, and frames to write.

The condition `changed` guards all of it. A separate thread writes, so that a thread that queues a frame never
waits for the client. Only DATA waits, for the windows and for the queue (RFC 9113 5.2, 6.9).
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from .._core.hpack import Encoder
from .frames import (
    ErrorCode,
    Frame,
    Setting,
    continuation,
    data,
    headers,
    rst_stream,
    window_update,
)
from .messages import Fields, Headers, Lost
from .peer import Peer

DEFAULT_WINDOW: Final = 65_535
LARGEST_WINDOW: Final = (1 << 31) - 1
FRAME_SIZE: Final = 16_384
LARGEST_FRAME: Final = 1 << 16
QUEUE_LIMIT: Final = 1 << 18


@dataclass(slots=True, eq=False)
class Stream:
    """One stream. Windows are in octets of DATA."""

    id: int
    window: int
    """How much the server may still send."""
    allowed: int
    """How much the client may still send."""
    taken: int = 0
    """How much the handler has read since the last WINDOW_UPDATE."""
    pieces: deque[bytes] = field(default_factory=deque[bytes])
    trailers: Headers = ()
    remote_ended: bool = False
    local_ended: bool = False
    reset: bool = False
    wants_continue: bool = False
    declared: int | None = None
    """The content-length of the request; `None` if it has none."""
    arrived: int = 0
    """How many octets of content have arrived."""


class Wire:
    """The shared state of a connection. Every method may be called from any thread."""

    def __init__(self, peer: Peer, ours: Mapping[int, int], timeout: float) -> None:
        self.changed: threading.Condition = threading.Condition()
        self.closed: bool = False
        self.ours = ours
        self.theirs: dict[int, int] = {}
        self.streams: dict[int, Stream] = {}
        self.window: int = DEFAULT_WINDOW
        self.allowed: int = DEFAULT_WINDOW
        self.taken: int = 0
        self.encoder: Encoder = Encoder()
        # Until the client has received our SETTINGS, it uses the default window.
        self.granted: int = max(DEFAULT_WINDOW, ours[Setting.INITIAL_WINDOW_SIZE])
        self._peer = peer
        self._timeout = timeout
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._writing = True
        self._thread = threading.Thread(target=self._write, daemon=True)

    def start(self) -> None:
        """Start the thread that writes."""
        self._thread.start()

    def end_input(self) -> None:
        """Give up the requests that are incomplete, because the client has ended."""
        with self.changed:
            for stream in self.streams.values():
                stream.reset = stream.reset or not stream.remote_ended
            self.changed.notify_all()

    def end(self, last: Frame) -> None:
        """Queue the last frame; frames that other threads queue after it are discarded."""
        with self.changed:
            self.put(last)
            self.close()

    def close(self) -> None:
        """Note that nothing more arrives from the client, and wake the threads that wait for it."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def finish(self) -> None:
        """Write what is queued, and stop the thread that writes."""
        with self.changed:
            self._writing = False
            self.changed.notify_all()
        self._thread.join(self._timeout)

    def _write(self) -> None:
        with suppress(OSError):
            while chunk := self._next_chunk():
                self._peer.send(chunk)
            return
        self.close()

    def _next_chunk(self) -> bytes:
        with self.changed:
            self.changed.wait_for(lambda: self._queue or not self._writing)
            chunk = b"".join(self._queue)
            self._queue.clear()
            self._queued = 0
            self.changed.notify_all()
            return chunk

    def put(self, *frames: Frame) -> None:
        """Queue frames, unless the connection has ended."""
        with self.changed:
            for frame in () if self.closed else frames:
                octets = frame.serialize()
                self._queue.append(octets)
                self._queued += len(octets)
            self.changed.notify_all()

    def put_block(self, fields: Fields, first: Callable[[bytes, bool], Frame]) -> None:
        """Encode and queue a header block; `first` makes the first frame from a part and END_HEADERS.

        Both happen under the lock, because blocks must be sent in the order in which they were encoded.
        """
        room = FRAME_SIZE - 16
        with self.changed:
            encoded, self.encoder = self.encoder.encode(fields)
            start, rest = encoded[:room], encoded[room:]
            frame = first(start, not rest)
            self.put(frame)
            while rest:
                part, rest = rest[:room], rest[room:]
                self.put(continuation(frame.stream, part, end_headers=not rest))

    def new_stream(self, number: int) -> Stream:
        """Return a new stream with full windows; it is not added to `streams`."""
        window = self.theirs.get(Setting.INITIAL_WINDOW_SIZE, DEFAULT_WINDOW)
        return Stream(number, window, self.granted)

    def send_block(self, stream: Stream, fields: Fields, *, end: bool = False) -> None:
        """Send a header block on a stream."""
        lowered = tuple((name.lower(), value) for name, value in fields)
        with self.changed:
            if stream.reset or self.closed:
                raise Lost("the client reset the stream")
            self.put_block(lowered, lambda part, last: headers(stream.id, part, end=end, end_headers=last))
            stream.local_ended = end

    def send_data(self, stream: Stream, piece: bytes, *, end: bool = False) -> None:
        """Send DATA as the windows allow, in at least one frame."""
        view = memoryview(piece)

        def movable() -> bool:
            room = min(stream.window, self.window) > 0 and self._queued < QUEUE_LIMIT
            return stream.reset or self.closed or not view or room

        while not stream.local_ended:
            with self.changed:
                if not self.changed.wait_for(movable, self._timeout):
                    self.reset(stream.id, ErrorCode.CANCEL)
                if stream.reset or self.closed:
                    raise Lost("the client reset the stream, or opened no window in time")
                size = min(self.theirs.get(Setting.MAX_FRAME_SIZE, FRAME_SIZE), LARGEST_FRAME)
                count = min(len(view), stream.window, self.window, size) if view else 0
                stream.window -= count
                self.window -= count
                last = count == len(view)
                stream.local_ended = end and last
                self.put(data(stream.id, bytes(view[:count]), end=stream.local_ended))
                view = view[count:]
                if last:
                    return

    def reset(self, number: int, code: ErrorCode) -> None:
        """Reset a stream."""
        with self.changed:
            stream = self.streams.get(number)
            if stream:
                stream.reset = True
            self.put(rst_stream(number, code))

    def give_back(self, stream: Stream | None, size: int) -> None:
        """Let the client send this much more; WINDOW_UPDATE is sent when it is half of the window."""
        initial = self.ours[Setting.INITIAL_WINDOW_SIZE]
        with self.changed:
            self.taken += size
            if self.taken and self.taken >= max(initial, DEFAULT_WINDOW) // 2:
                self.put(window_update(0, self.taken))
                self.allowed += self.taken
                self.taken = 0
            if stream is None or stream.remote_ended or stream.reset:
                return
            stream.taken += size
            if stream.taken and stream.taken >= initial // 2:
                self.put(window_update(stream.id, stream.taken))
                stream.allowed += stream.taken
                stream.taken = 0

    def forget(self, stream: Stream) -> None:
        """Remove a stream that was answered, or cannot be answered."""
        with self.changed:
            if not (stream.reset or self.closed or (stream.local_ended and stream.remote_ended)):
                # If the response is complete, the rest of the request is not needed (RFC 9113 8.1). If it is
                # incomplete, the client would wait for the rest.
                code = ErrorCode.NO_ERROR if stream.local_ended else ErrorCode.INTERNAL_ERROR
                self.put(rst_stream(stream.id, code))
            self.give_back(None, sum(map(len, stream.pieces)))
            del self.streams[stream.id]
            self.changed.notify_all()
