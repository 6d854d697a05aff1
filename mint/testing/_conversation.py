"""What a client sent on one HTTP/2 connection of a script, and how steps read it frame by frame."""

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
    """What a client sent on one HTTP/2 connection, as far as steps have read it.

    For example, `server.peers[0].state(Conversation)` is that of the first connection. A `Do` step may
    replace `encoder` before the first header block is sent.
    """

    frames: list[Frame] = field(default_factory=list[Frame])
    """All frames, in the order in which they arrived."""
    requests: dict[int, Headers] = field(default_factory=dict[int, Headers])
    """For each stream, the fields of the last header block that an `ExpectHeaders` read."""
    # Decodes the client's header blocks. It is not documented, because its class is private.
    decoder: Decoder = field(default_factory=Decoder)
    encoder: hpack.Encoder = field(default_factory=hpack.Encoder)
    """Encodes the header blocks of `SendHeaders`."""
    _block: list[Frame] = field(default_factory=list[Frame])
    _blocks: dict[int, Headers | str] = field(default_factory=dict[int, Headers | str])
    mixed: frozenset[int] = frozenset()
    """The streams of the `Interleaved` step that is being played: their frames may arrive in any order."""
    early: deque[Frame] = field(default_factory=deque[Frame])
    """Frames on these streams that arrived before the step that expects them."""

    def decode(self, encoded: bytes) -> Headers:
        """Decode the next header block of the connection. Raises `Unexpected` if it is not valid HPACK."""
        decoded = self.decoder.decode(encoded)
        if decoded.fault is not None:
            raise Unexpected(f"a field block cannot be decoded: {decoded.fault}")
        self.decoder = decoded.decoder
        return tuple(decoded.fields)

    def observe(self, frame: Frame) -> None:
        """Store a frame that arrived; decode a header block at its end. Raises `Unexpected`."""
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
                # It is an error only for a step that compares the fields.
                self._blocks[id(frame)] = str(error)

    def fields_of(self, last: Frame) -> Headers:
        """Return the fields of the header block whose last frame is `last`, which is one of `frames`.

        Raises `Unexpected` if the block could not be decoded.
        """
        found = self._blocks[id(last)]
        if isinstance(found, str):
            raise Unexpected(found)
        return found

    def next_frame(
        self, peer: Peer, wanted: str, kind: int | None = None, *, stream: int | None, at_once: bool = False
    ) -> Frame:
        """Return the next frame for a step that expects this frame type and stream; `None` is any.

        Frames of other types that a client may send at any time are skipped, unless `at_once` is true.
        `wanted` describes the frame in errors. Raises `Unexpected` if no frame arrives before the deadline or
        the end.
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
    """Read the next frame, until the deadline of `peer`; return `None` if the client has ended.

    Raises `EOFError` if the client ends within a frame, `TimeoutError` at the deadline.
    """
    if not peer.unread and not peer.fill():
        return None
    length, frame = parse_head(peer.read_exactly(HEAD_SIZE))
    return replace(frame, payload=peer.read_exactly(length))


def _is_routine(frame: Frame) -> bool:
    """Whether a client may send this frame at any time."""
    routine = {FrameType.WINDOW_UPDATE, FrameType.PRIORITY, FrameType.PRIORITY_UPDATE}
    return frame.type in routine or (frame.type == FrameType.SETTINGS and frame.has(ACK))


def described(frame: Frame) -> str:
    name = FrameType(frame.type).name if frame.type in set(FrameType) else f"type {frame.type}"
    return f"{name}, flags {frame.flags:#x}, stream {frame.stream}, payload {shown(frame.payload)}"


def other(wanted: str, frame: Frame) -> Unexpected:
    return Unexpected(f"another frame was received: {described(frame)}\n  expected: {wanted}")
