"""A tunnel through a stream of an HTTP/2 proxy: octets pass once and in order, within the windows.

The proxy keeps its own counts. It answers CONNECT, passes octets, changes windows, and ends or breaks the
tunnel in any way. What the caller writes leaves as soon as the windows allow it, the end follows the last
octet, and everything that arrived before an end or an error can be read (RFC 9113 5.2, 6.9, 8.5).
"""

from __future__ import annotations

import struct

import hpack

from frames_http2 import (
    ACK,
    CANCEL,
    CONNECT_ERROR,
    DATA,
    DEFAULT_WINDOW,
    END_HEADERS,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW,
    INTERNAL_ERROR,
    MAX_FRAME,
    PING,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    data,
    frame,
    number,
    read_frames,
    settings,
)
from mint._core.http2 import Config
from mint._wire.stream import MAX_BODY, StreamLayer
from mint.errors import TransportClosed, TransportError, TransportReset
from support import Choices, check, counted, fuzz

WINDOWS = (0, 1, 100, 20_000, DEFAULT_WINDOW, 200_000)
SIZES = (0, 1, 10, 300, 16_385, 70_000)
RESETS = (CANCEL, CONNECT_ERROR, INTERNAL_ERROR)


class Proxy:
    """What the proxy has received and may send."""

    def __init__(self) -> None:
        self.encoder = hpack.Encoder()
        self.begun = self.ended = False  # whether the caller's octets have begun and ended
        self.content = b""
        self.initial = DEFAULT_WINDOW
        self.window = self.shared = DEFAULT_WINDOW  # what the client may send: in the stream, and in all
        self.most = 16_384
        self.credit = self.common = DEFAULT_WINDOW  # what the proxy may send
        self.replies: list[bytes] = []
        self.questions: list[bytes] = []
        self.acknowledged = 0

    def read(self, octets: bytes) -> None:
        """Read what the client sends."""
        if not self.begun:
            check(octets.startswith(PREFACE), "no preface", octets[:30])
            octets, self.begun = octets[len(PREFACE) :], True
        for one in read_frames(octets):
            check(one.stream in (0, 1), "a frame of another stream", one)
            if one.kind == DATA:
                size = len(one.payload)
                check(not self.ended, "octets after the end", one.payload[:20])
                check(size <= self.most, "a frame that is too large", size, self.most)
                check(not size or size <= min(self.window, self.shared), "beyond a window", size, self.window)
                self.window -= size
                self.shared -= size
                self.content += one.payload
                self.ended = bool(one.flags & END_STREAM)
            elif one.kind == WINDOW_UPDATE:
                self.credit += one.number if one.stream else 0
                self.common += 0 if one.stream else one.number
            elif one.kind == SETTINGS and one.flags & ACK:
                self.acknowledged += 1
            elif one.kind == SETTINGS:
                pairs = dict(struct.iter_unpack(">HI", one.payload))
                self.credit += pairs.get(INITIAL_WINDOW, DEFAULT_WINDOW) - DEFAULT_WINDOW
            elif one.kind == PING:
                (self.replies if one.flags & ACK else self.questions).append(one.payload)


class Model:
    """The tunnel, and what must be true of it."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.proxy = Proxy()
        config = Config(
            "example.org",
            port=443,
            scheme="http",
            identity=0,
            user_agent="fuzz",
            settings=(("initial_window_size", choices.pick((300, DEFAULT_WINDOW, 100_000))),),
            connection_window_size=choices.pick((DEFAULT_WINDOW, 1_000_000)),
        )
        self.layer = StreamLayer(config, "far.example:443", (("x-a", "1"),), lambda: 0.0)
        self.opened = self.refused = False
        self.written = b""
        self.finished = False
        self.sent = b""  # by the peer
        self.read = b""
        self.peer = ""  # how the peer's direction ended: "", "end", "reset" or "lost"
        self.dead = False  # whether nothing more can be sent
        self.warned = False  # whether the connection ends with the tunnel
        self.changes = 0
        self.pings: list[bytes] = []
        self.flush()

    # -- the wire

    def flush(self) -> None:
        """Give the proxy what leaves."""
        octets = self.layer.leaving()
        if octets:
            self.proxy.read(octets)
        if self.choices.chance(60):
            self.layer.written()

    def feed(self, octets: bytes) -> None:
        """Give the client octets, in pieces."""
        left = b""
        for part in filter(None, self.choices.cut(octets)):
            self.layer.feed(part)
            left += self.layer.leaving()
        if left:
            self.proxy.read(left)
        self.flush()

    # -- the caller

    def write(self) -> None:
        """Write."""
        if self.finished or self.dead or not self.opened:
            return
        octets = counted(self.choices.pick(SIZES), self.choices.byte())
        self.written += octets
        self.layer.write(memoryview(octets) if self.choices.chance(50) else octets)
        self.flush()

    def finish(self) -> None:
        """End the outgoing direction."""
        if self.opened and not self.finished:
            self.finished = True
            self.layer.close_notify()
            self.flush()

    def receive(self, *, whole: bool | None = None) -> None:
        """Read all that has arrived, or one piece of it."""
        whole = self.choices.chance(50) if whole is None else whole
        left = self.sent[len(self.read) :]
        try:
            got = self.layer.read() if whole else self.layer.take()
        except TransportError as error:
            check(not left, "an error before what arrived earlier", error, len(left))
            kind = {"reset": TransportReset, "lost": TransportClosed}.get(self.peer)
            check(kind is not None and type(error) is kind, "a wrong error", error, self.peer)
            return
        if whole:
            check(got == left, "not all that has arrived", len(got or b""), len(left))
        elif not left:
            check(self.peer in ("", "end"), "no error", self.peer)
            check(
                got == (b"" if self.peer == "end" else None), "an end too early or too late", got, self.peer
            )
        else:
            check(
                bool(got) and left.startswith(got or b""), "wrong octets arrive", (got or b"")[:20], left[:20]
            )
        check(not left or not whole or self.peer != "lost" or bool(got), "octets are lost", len(left))
        self.read += got or b""

    # -- the proxy

    def answer(self) -> None:
        """Answer CONNECT."""
        if self.opened or self.refused or self.peer:
            return
        encoder, octets = self.proxy.encoder, b""
        for _ in range(self.choices.below(3)):
            octets += frame(HEADERS, END_HEADERS, 1, encoder.encode([(":status", "103"), ("x-a", "1")]))
        status = self.choices.pick(("200", "200", "200", "204", "299", "300", "407"))
        octets += frame(HEADERS, END_HEADERS, 1, encoder.encode([(":status", status), ("via", "x")]))
        self.opened = status < "300"
        self.refused = not self.opened
        self.feed(octets)
        answer = self.layer.answer
        check(
            answer.status == int(status) and answer.headers == (("via", "x"),),
            "a wrong answer",
            answer.status,
        )
        check(answer.opened == self.opened and answer.refused == self.refused, "wrongly opened", status)
        check(answer.complete == self.opened, "the answer is complete too early", status)
        if self.refused:
            self.refuse()

    def refuse(self) -> None:
        """Send the content of a refusal; nothing of it belongs to the tunnel."""
        content = counted(self.choices.pick((0, 1, 250)), 3)
        self.feed(data(1, content, end=True))
        answer = self.layer.answer
        check(
            answer.complete and answer.content == content, "wrong content of a refusal", len(answer.content)
        )
        check(
            len(answer.content) < MAX_BODY and not self.layer.held, "it counts as read ahead", self.layer.held
        )

    def pass_on(self) -> None:
        """Send octets through the tunnel, as many as the windows allow."""
        if not self.opened or self.peer:
            return
        proxy, choices = self.proxy, self.choices
        octets = b""
        for _ in range(choices.between(1, 4)):
            padding = choices.pick((None, None, 0, 9))
            extra = 0 if padding is None else padding + 1
            size = min(choices.pick(SIZES), 16_384 - extra, proxy.credit - extra, proxy.common - extra)
            if size < 0:
                break
            content = counted(size, choices.byte())
            end = choices.chance(4)
            octets += data(1, content, end=end, padding=padding)
            proxy.credit -= size + extra
            proxy.common -= size + extra
            self.sent += content
            if end:
                self.peer = "end"
                break
        self.feed(octets)
        check(self.peer != "" or proxy.credit > 0, "the window of the stream is not refilled", proxy.credit)
        check(proxy.common > 0, "the window of the connection is not refilled", proxy.common)

    def enlarge(self) -> None:
        """Enlarge windows."""
        octets = b""
        for _ in range(self.choices.between(1, 3)):
            step = self.choices.pick((1, 9, 5_000, 100_000))
            if self.choices.chance(50):
                self.proxy.window += step
                octets += number(WINDOW_UPDATE, 1, step)
            else:
                self.proxy.shared += step
                octets += number(WINDOW_UPDATE, 0, step)
        self.feed(octets)

    def change(self) -> None:
        """Change settings that concern what the client sends."""
        proxy = self.proxy
        initial, most = self.choices.pick(WINDOWS), self.choices.pick((16_384, 20_000, 100_000))
        proxy.window += initial - proxy.initial
        proxy.initial, proxy.most = initial, most
        self.changes += 1
        self.feed(settings((INITIAL_WINDOW, initial), (MAX_FRAME, most)))

    def ping(self) -> None:
        """Ask for an answer."""
        self.pings.append(counted(8, self.choices.byte()))
        self.feed(frame(PING, 0, 0, self.pings[-1]))

    def warn(self) -> None:
        """Announce the end of the connection, which does not end the tunnel."""
        self.warned = True
        code = self.choices.pick((0, 0, ENHANCE_YOUR_CALM))
        self.feed(frame(GOAWAY, 0, 0, struct.pack(">II", 1, code)))

    def end(self) -> None:
        """End the direction to the client, without octets."""
        if self.opened and not self.peer:
            self.peer = "end"
            self.feed(data(1, b"", end=True))

    def reset(self) -> None:
        """Reset the stream, with an error."""
        if self.dead or (self.peer and self.proxy.ended):
            return
        last = b""
        if (
            self.opened and not self.peer and self.proxy.credit > 9 and self.proxy.common > 9
        ):  # room for "last"
            last = b"last"
            self.sent += last
            self.proxy.credit -= len(last)
            self.proxy.common -= len(last)
        self.dead = True
        self.peer = self.peer or "reset"
        self.feed((data(1, last) if last else b"") + number(RST_STREAM, 1, self.choices.pick(RESETS)))

    def lose(self) -> None:
        """End the connection."""
        self.dead = True
        self.peer = self.peer or "lost"
        self.layer.feed(b"")
        self.flush()

    def judge(self) -> None:
        """Check what must be true after every step."""
        layer, proxy = self.layer, self.proxy
        check(self.written.startswith(proxy.content), "wrong octets leave", proxy.content[-20:])
        waiting = 0 if self.dead else len(self.written) - len(proxy.content)
        check(layer.waiting == waiting, "a wrong count of what waits", layer.waiting, waiting)
        room = min(proxy.window, proxy.shared)
        check(waiting == 0 or room <= 0, "it waits in vain", waiting, room)
        if not self.peer:
            check(layer.failure is None, "a failure of a tunnel that works", layer.failure)
        elif self.peer == "end":
            # After the end of what arrives, a failure says only that something was written and has not left.
            lost = self.dead and len(proxy.content) < len(self.written)
            kind = TransportReset if lost else type(None)
            check(type(layer.failure) is kind, "octets are lost silently, or not", layer.failure, lost)
        if not self.dead:
            check(proxy.ended == (self.finished and not waiting), "an end too early or too late", waiting)
        held = len(self.sent) - len(self.read)
        check(layer.held == held, "a wrong count of what is read ahead", layer.held, held)
        check(layer.ended == layer.clean_end == (self.peer == "end"), "wrongly ended", layer.ended, self.peer)
        check(layer.over == bool(self.peer), "wrongly over", layer.over, self.peer)
        check(layer.has_next == (held > 0 or bool(self.peer)), "wrongly something to read", held, self.peer)
        check(proxy.replies == self.pings, "wrong answers", proxy.replies, self.pings)
        # After GOAWAY, the client asks whether everything was read before it ends the connection.
        over = self.warned and (self.dead or (self.peer == "end" and proxy.ended))
        asked = len(proxy.questions)
        check(asked <= over, "a question that is too early, or a second one", proxy.questions)
        check(asked == over or self.dead, "octets may be lost", self.peer)
        check(proxy.acknowledged == self.changes, "SETTINGS not acknowledged", proxy.acknowledged)


CALLER = (Model.write, Model.write, Model.receive, Model.receive, Model.finish)
SERVER = (Model.pass_on, Model.pass_on, Model.pass_on, Model.enlarge, Model.enlarge, Model.change, Model.ping)
RARE = (Model.warn, Model.end, Model.reset, Model.lose)


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    model = Model(choices)
    model.change()
    if choices.chance(3):
        choices.pick((Model.reset, Model.lose))(model)
    else:
        model.answer()
    if not model.opened:
        return
    for _ in range(choices.between(5, 40)):
        if model.dead:
            break
        if model.peer and model.proxy.ended:  # the stream is closed
            if model.warned:  # so is the connection, after an answer
                model.feed(frame(PING, ACK, 0, model.proxy.questions[0]))
                model.judge()
                break
            choices.pick((Model.receive, Model.ping))(model)
        elif choices.chance(6):
            choices.pick(RARE)(model)
        elif choices.chance(45):
            act = choices.pick(CALLER)
            if act is not Model.finish or choices.chance(30):
                act(model)
        else:
            choices.pick(SERVER)(model)
        model.judge()
    model.receive(whole=True)
    model.judge()
    model.receive(whole=True)  # nothing, or why nothing more comes
    check(model.read == model.sent, "something is never received", len(model.read), len(model.sent))


if __name__ == "__main__":
    fuzz(one)
