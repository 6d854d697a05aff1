"""The HTTP/2 of the simulated origins and proxies: frames, windows, a script for each stream (RFC 9113).

Header blocks are decoded only to distinguish CONNECT from other methods: the answer depends only on the order
of the requests. `mint.testing.frames` writes the frames.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from mint._core.hpack import Decoder
from mint.testing import frames
from mint.testing.frames import FrameType, Setting, serialize

from .scripts import Act, Behaviour, Head, Incoming, Running

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint.testing.frames import Frame

    from .record import Record
    from .servers import Channel, Session


class StreamChannel:
    """One stream: the reply of a script, or the channel of a session inside a tunnel."""

    def __init__(self, session: HTTP2Session, number: int) -> None:
        self.session = session
        self.number = number
        self.window = session.initial_window
        self.kept = bytearray()
        self.finishing = self.over = self.end_sent = False
        self.owed = 0
        """How many octets were read for which no WINDOW_UPDATE has been sent."""
        self.running: Running | None = None
        self.inside: Session | None = None
        self.unread: list[bytes] = []
        self.request_ended = False
        self.request_number = -1

    # -- as a channel, and as a reply

    def send(self, octets: bytes) -> None:
        """Send as the windows allow."""
        if not self.finishing and not self.over:
            self.kept += octets
            self.push()

    def push(self) -> None:
        """Send what the windows allow now."""
        session = self.session
        while self.kept and not self.over and (room := min(self.window, session.window, 16_384)) > 0:
            piece = bytes(self.kept[:room])
            del self.kept[:room]
            self.window -= len(piece)
            session.window -= len(piece)
            session.put(frames.data(self.number, piece))
        if self.finishing and not self.kept and not self.over and not self.end_sent:
            self.end_sent = True
            session.put(frames.data(self.number, end=True))
            if session.record.kernel.choices.rarely(3):
                session.leave()

    def pending(self) -> int:
        """Return how much is kept."""
        return len(self.kept) + self.session.channel.pending()

    def finish(self) -> None:
        """End our direction."""
        self.finishing = True
        self.push()

    def cut(self) -> None:
        """End the direction: a stream has only one kind of end."""
        self.finish()

    def reset(self) -> None:
        """Reset the stream, as RFC 9113 8.5 requires if the connection behind it broke."""
        self._reset(frames.ErrorCode.CONNECT_ERROR)

    def close(self) -> None:
        """End our direction and read no more."""
        self.finish()
        if not self.request_ended:
            self._reset(frames.ErrorCode.NO_ERROR)

    def _reset(self, code: int) -> None:
        if not self.over:
            self.over = True
            self.session.put(frames.rst_stream(self.number, code))
            self.session.credit(self, connection=True)

    def head(self, head: Head) -> None:
        """Send a head."""
        fields = [(":status", str(head.status)), ("x-number", str(self.request_number))]
        if head.length is not None:
            fields.append(("content-length", str(head.length)))
        self.session.put(frames.headers(self.number, tuple(fields)))

    def piece(self, octets: bytes) -> None:
        """Send content."""
        self.send(octets)

    def act(self, act: Act) -> None:
        """End, or break."""
        if act in {Act.END, Act.FINISH}:
            self.finish()
        elif act is Act.CUT:
            self.session.record.severed = True
            self.session.channel.cut()
        elif act is Act.RESET:
            self.reset()
        else:
            self.close()

    # -- input

    def take(self) -> None:
        """Pass what arrived to the script or session of the stream, and open the client's window."""
        while self.unread:
            octets = self.unread.pop(0)
            if self.inside is not None:
                self.inside.received(octets)
            elif self.running is not None:
                self.running.arrived(octets)
            if self.inside is not None and not self.inside.hungry():
                break
        self.session.credit(self, connection=False)
        if self.request_ended and not self.unread:
            if self.inside is not None:
                self.inside.ended()
            elif self.running is not None:
                self.running.ended()

    def wants(self) -> bool:
        """Whether `take` would do something."""
        if not self.unread:
            return False
        if self.inside is not None:
            return self.inside.hungry()
        return self.running is not None and (self.running.reading or self.running.stopped)


class HTTP2Session:
    """One connection; `tunnel` serves what is inside a CONNECT, `behave` answers everything else."""

    def __init__(
        self,
        record: Record,
        channel: Channel,
        behave: Behaviour,
        tunnel: Callable[[Channel], Session] | None = None,
        window: int = 65_535,
    ) -> None:
        self.record = record
        self.channel = channel
        self._behave = behave
        self._tunnel = tunnel
        self.window = 65_535
        self.initial_window = 65_535
        self.streams: dict[int, StreamChannel] = {}
        self._decoder = Decoder()
        self._unread = b""
        self._begun = self._over = False
        self._block = b""
        self._last: int | None = None
        """The last stream that is processed, after GOAWAY."""
        self.put(
            frames.settings((Setting.INITIAL_WINDOW_SIZE, window), (Setting.MAX_CONCURRENT_STREAMS, 100))
        )

    def put(self, *written: Frame) -> None:
        """Send frames."""
        self.channel.send(serialize(written))

    def credit(self, stream: StreamChannel, *, connection: bool) -> None:
        """Open the windows by the octets that were read from a stream."""
        owed, stream.owed = stream.owed, 0
        if not owed:
            return
        self.put(frames.window_update(0, owed))
        if not connection and not stream.request_ended and not stream.over:
            self.put(frames.window_update(stream.number, owed))

    def leave(self) -> None:
        """Announce that no further stream is processed."""
        self._last = max(self.streams)
        self.put(frames.goaway(self._last))

    # -- the session

    def received(self, octets: bytes) -> None:
        """Parse octets from the client."""
        self._unread += octets
        if not self._begun:
            if len(self._unread) < len(frames.PREFACE):
                return
            if not self._unread.startswith(frames.PREFACE):
                self.record.kernel.blame(f"no preface: {self._unread[:30]!r}")
            self._begun = True
            self._unread = self._unread[len(frames.PREFACE) :]
        while len(self._unread) >= frames.HEAD_SIZE:
            length, frame = frames.parse_head(self._unread[: frames.HEAD_SIZE])
            end = frames.HEAD_SIZE + length
            if len(self._unread) < end:
                return
            payload = self._unread[frames.HEAD_SIZE : end]
            self._unread = self._unread[end:]
            self._frame(frame.type, frame.flags, frame.stream, payload)

    def _frame(self, kind: int, flags: int, number: int, payload: bytes) -> None:  # noqa: C901  # frames
        stream = self.streams.get(number)
        if kind == FrameType.SETTINGS and not flags & frames.ACK:
            self._settings(payload)
        elif kind == FrameType.PING and not flags & frames.ACK:
            self.put(frames.ping(payload, ack=True))
        elif kind == FrameType.WINDOW_UPDATE:
            increment = int.from_bytes(payload, "big")
            if number == 0:
                self.window += increment
            elif stream is not None:
                stream.window += increment
            for each in list(self.streams.values()):
                each.push()
        elif kind in {FrameType.HEADERS, FrameType.CONTINUATION}:
            self._block += payload
            if flags & frames.END_HEADERS:
                self._request(number, ended=bool(flags & frames.END_STREAM))
        elif kind == FrameType.DATA:
            self._data(stream, payload, ended=bool(flags & frames.END_STREAM))
        elif kind == FrameType.RST_STREAM and stream is not None:
            stream.over = True
            stream.kept.clear()
            if stream.running is not None:
                stream.running.stopped = True
            # Nobody will read the rest; without a WINDOW_UPDATE, the connection's window would stay closed.
            stream.unread.clear()
            self.credit(stream, connection=True)
            self._end_request(stream)

    def _settings(self, payload: bytes) -> None:
        for at in range(0, len(payload), 6):
            name = int.from_bytes(payload[at : at + 2], "big")
            value = int.from_bytes(payload[at + 2 : at + 6], "big")
            if name == Setting.INITIAL_WINDOW_SIZE:
                for each in self.streams.values():
                    each.window += value - self.initial_window
                self.initial_window = value
        self.put(frames.settings(ack=True))

    def _request(self, number: int, *, ended: bool) -> None:
        block, self._block = self._block, b""
        if number in self.streams:
            self._end_request(self.streams[number])
            return
        decoded = self._decoder.decode(block)
        self._decoder = decoded.decoder
        if self._last is not None and number > self._last:
            return
        fields = dict(decoded.fields)
        stream = self.streams[number] = StreamChannel(self, number)
        if fields[":method"] == "CONNECT" and self._tunnel is not None:
            stream.head(Head(200))
            stream.inside = self._tunnel(stream)
        else:
            asked_for = int(re.findall("[0-9]+", fields.get(":path", fields[":authority"]))[0])
            request = Incoming(asked_for, fields[":method"], self.record)
            stream.request_number = request.number
            self.record.arrivals[request.number] += 1
            stream.running = Running(self.record.kernel, self._behave(request), stream)
        if ended:
            self._end_request(stream)

    def _end_request(self, stream: StreamChannel) -> None:
        if not stream.request_ended:
            stream.request_ended = True
            stream.take() if not stream.unread else None

    def _data(self, stream: StreamChannel | None, payload: bytes, *, ended: bool) -> None:
        if stream is None or stream.over:
            self.put(frames.window_update(0, len(payload))) if payload else None
            return
        if payload:
            stream.owed += len(payload)
            if stream.inside is None:
                self.record.uploaded(stream.request_number, payload)
            stream.unread.append(payload)
        if ended:
            self._end_request(stream)

    def ended(self) -> None:
        """Handle the client's end."""
        self._over = True
        for stream in self.streams.values():
            stream.over = True
            if stream.running is not None and not stream.request_ended:
                stream.running.stopped = True  # of the others, all has arrived, and is still read
        self.channel.close()

    def hungry(self) -> bool:
        """Return true: frames are always read, because windows limit the content."""
        return not self._over

    def moves(self) -> list[Callable[[], None]]:
        """Return what the streams can do."""
        found: list[Callable[[], None]] = []
        for stream in self.streams.values():
            if stream.wants():
                found.append(stream.take)
            if stream.inside is not None:
                found += stream.inside.moves()
            elif stream.running is not None and stream.running.can_move():
                found.append(stream.running.move)
        return found

    def alarm(self) -> float:
        """Return when a script acts."""
        soon = math.inf
        for stream in self.streams.values():
            if stream.inside is not None:
                soon = min(soon, stream.inside.alarm())
            elif stream.running is not None:
                soon = min(soon, stream.running.alarm())
        return soon
