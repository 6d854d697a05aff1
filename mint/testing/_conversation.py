"""What a client said on one HTTP/2 connection of a script, and how the steps read it frame by frame."""

from collections import deque
from dataclasses import dataclass, field, replace

from .._core.hpack import Decoder
from . import hpack
from .frames import (
    ACK,
    END_HEADERS,
    HEAD_SIZE,
    PADDED,
    PRIORITY_FLAG,
    Frame,
    FrameType,
    content,
    parse_head,
)
from .messages import Headers
from .peer import Peer
from .steps import Unexpected, shown


@dataclass(slots=True)
class Conversation:
    """What a client said on one connection: `server.peers[0].state(Conversation)`."""

    frames: list[Frame] = field(default_factory=list[Frame])
    requests: dict[int, Headers] = field(default_factory=dict[int, Headers])
    """The fields of the newest header block of each stream that was expected."""
    decoder: Decoder = field(default_factory=Decoder)
    encoder: hpack.Encoder = field(default_factory=hpack.Encoder)
    """What `SendHeaders` encodes with; a `Do` step may put another in its place before the first block."""
    _block: list[Frame] = field(default_factory=list[Frame])
    _blocks: dict[int, Headers | str] = field(default_factory=dict[int, Headers | str])
    mixed: frozenset[int] = frozenset()
    """The streams whose frames may come in between those of the others."""
    early: deque[Frame] = field(default_factory=deque[Frame])
    """Frames of such streams that came before their step did."""

    def decode(self, encoded: bytes) -> Headers:
        """Decode the next header block."""
        decoded = self.decoder.decode(encoded)
        if decoded.fault is not None:
            raise Unexpected(f"a field block cannot be decoded: {decoded.fault}")
        self.decoder = decoded.decoder
        return tuple(decoded.fields)

    def observe(self, frame: Frame) -> None:
        """Keep a frame that came; with the end of a header block, decode it."""
        self.frames.append(frame)
        if frame.has(PADDED) and frame.type in {FrameType.DATA, FrameType.HEADERS} and not _is_padded(frame):
            raise Unexpected(f"the padding is longer than the payload\n  received: {described(frame)}")
        if self._block and (frame.type, frame.stream) != (FrameType.CONTINUATION, self._block[0].stream):
            raise other(f"CONTINUATION on stream {self._block[0].stream}", frame)
        if frame.type == FrameType.HEADERS:
            self._block = [frame]
        elif frame.type == FrameType.CONTINUATION and self._block:
            self._block.append(frame)
        else:
            return
        if frame.has(END_HEADERS):
            first, *others = self._block
            encoded = content(first) + b"".join(other.payload for other in others)
            self._block = []
            try:
                self._blocks[id(frame)] = self.decode(encoded)
            except Unexpected as error:
                # Only a step that looks at the fields has to care.
                self._blocks[id(frame)] = str(error)

    def fields_of(self, last: Frame) -> Headers:
        """Return the fields of the header block that `last`, one of `frames`, is the end of."""
        found = self._blocks[id(last)]
        if isinstance(found, str):
            raise Unexpected(found)
        return found

    def next_frame(
        self, peer: Peer, wanted: str, kind: int | None = None, *, stream: int | None, at_once: bool = False
    ) -> Frame:
        """Return the next frame for a step that wants it of this kind and on this stream.

        Routine frames of another kind are passed over, unless the very next frame is wanted (`at_once`).
        """
        for early in self.early:
            if stream in {None, early.stream}:
                self.early.remove(early)
                return early
        try:
            while (frame := self._read(peer)) is not None:
                if frame.type != kind and not at_once and _is_routine(frame):
                    continue
                if stream is None or frame.stream == stream or frame.stream not in self.mixed:
                    return frame
                self.early.append(frame)
        except TimeoutError:
            raise Unexpected(f"{wanted} did not arrive in time") from None
        raise Unexpected(f"the client ended instead of sending {wanted}")

    def _read(self, peer: Peer) -> Frame | None:
        frame = read_frame(peer)
        if frame is not None:
            self.observe(frame)
        return frame


def _is_padded(frame: Frame) -> bool:
    fixed = 5 if frame.type == FrameType.HEADERS and frame.has(PRIORITY_FLAG) else 0
    return bool(frame.payload) and frame.payload[0] + fixed < len(frame.payload)


def read_frame(peer: Peer) -> Frame | None:
    """Read the next frame; None where the client ended between frames."""
    if not peer.unread and not peer.fill():
        return None
    length, frame = parse_head(peer.read_exactly(HEAD_SIZE))
    return replace(frame, payload=peer.read_exactly(length))


def _is_routine(frame: Frame) -> bool:
    """Whether a client may send this frame at any time, as it pleases."""
    routine = {FrameType.WINDOW_UPDATE, FrameType.PRIORITY, FrameType.PRIORITY_UPDATE}
    return frame.type in routine or (frame.type == FrameType.SETTINGS and frame.has(ACK))


def described(frame: Frame) -> str:
    name = FrameType(frame.type).name if frame.type in set(FrameType) else f"type {frame.type}"
    return f"{name}, flags {frame.flags:#x}, stream {frame.stream}, payload {shown(frame.payload)}"


def other(wanted: str, frame: Frame) -> Unexpected:
    return Unexpected(f"another frame was received: {described(frame)}\n  expected: {wanted}")
