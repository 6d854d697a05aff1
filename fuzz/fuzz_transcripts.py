"""Transcripts: a conversation is recorded, read and replayed, with its secrets or without them.

The replay must have the recorded results and lead to an equal connection; what a step returned must be in the
transcript; recording must not change anything; and no secret may be in it unless that was requested.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import hpack

import mint
from frames_http2 import CONTINUATION, END_HEADERS, HEADERS, PADDED, PING, frame, settings
from frames_http2 import data as data_frame
from mint.errors import MintError
from mint.transcripts import Recorder, replay
from support import Choices, check, counted, fuzz

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint.transcripts import Record

SECRET = "hidden-"
NAMES = ("authorization", "cookie", "x-mine", "proxy-authorization", "Cookie")
ANSWERS = ("set-cookie", "Set-Cookie", "www-authenticate", "x-mine", "authentication-info")
# A line or a value as the name of a field, which is refused.
MISPLACED = (
    (f"Cookie: {SECRET}s", ""),
    (f"x-key: {SECRET}s", "v"),
    (f"x-a\r\nx-b: {SECRET}s", "v"),
    (f"{SECRET}s s", "Authorization"),
    (f"{SECRET}0sS=", ""),
)
PLAIN = (
    ("x-a", "1"),
    ("x-latin", "\xe9\xff"),
    ("x-quoted", 'a "b" \\ c'),
    ("x-empty", ""),
    ("accept", "*/*"),
)


def connection(http2: bool, record: Record | None) -> mint.Connection:
    """Return a connection over a memory."""
    link = mint.transport.Memory()
    hidden = frozenset({"x-mine"})
    if http2:
        return mint.http2.initiate(
            link,
            scheme="https",
            hostname="example.org",
            port=443,
            identity=7,
            http2=mint.HTTP2Options(sensitive_headers=hidden),
            record=record,
        )
    return mint.http1.initiate(
        link,
        scheme="https",
        hostname="example.org",
        port=443,
        identity=7,
        http1=mint.HTTP1Options(sensitive_headers=hidden),
        record=record,
    )


class Server:
    """Writes responses, some of which contain secrets."""

    def __init__(self, choices: Choices, http2: bool) -> None:
        self.choices = choices
        self.http2 = http2
        self.encoder = hpack.Encoder()
        self.begun = False

    def fields(self) -> list[tuple[str, str]]:
        """Return the fields of a response."""
        made = []
        for _ in range(self.choices.below(5)):
            if self.choices.chance(40):
                value = SECRET + "s" * self.choices.below(40)
                made.append((self.choices.pick(ANSWERS), value))
            else:
                made.append(self.choices.pick(PLAIN))
        return made

    def response(self, stream: int) -> bytes:
        """Return a response."""
        content = counted(self.choices.pick((0, 5, 300)), self.choices.byte())
        if not self.http2:
            lines = "".join(f"{name}: {value}\r\n" for name, value in self.fields()).encode("latin-1")
            head = b"HTTP/1.1 200 OK\r\n" + lines + b"content-length: %d\r\n\r\n" % len(content)
            return head + content
        fields = [(":status", "200"), *((name.lower(), value) for name, value in self.fields())]
        pairs = [(name.encode(), value.encode("latin-1")) for name, value in fields]
        plain = all(value.isascii() for _, value in fields)
        block = self.encoder.encode(pairs, huffman=plain and self.choices.chance(60))
        cut = self.choices.below(len(block) + 1)
        first, flags = block[:cut], 0
        if self.choices.chance(30):
            first, flags = bytes([3]) + first + bytes(3), PADDED
        made = b"" if self.begun else settings()
        self.begun = True
        made += frame(HEADERS, flags, stream, first) + frame(CONTINUATION, END_HEADERS, stream, block[cut:])
        made += data_frame(stream, content, end=self.choices.chance(80))
        return made + (frame(PING, 0, 0, b"question") if self.choices.chance(20) else b"")


class Talk:
    """One conversation, with and without a record."""

    def __init__(self, choices: Choices, http2: bool, record: Record) -> None:
        self.choices = choices
        self.values = [connection(http2, record), connection(http2, None)]
        self.seen: list[object] = []

    def call(self, operation: Callable[[mint.Connection], object]) -> object:
        """Do the same with both connections, and compare the results; return that of the second."""
        results: list[object] = []
        for place, value in enumerate(self.values):
            try:
                made = operation(value)
            except MintError as error:
                made = error
                if isinstance(error.successor, type(value)):
                    self.values[place] = error.successor
            else:
                self.values[place] = made[0] if isinstance(made, tuple) else made  # type: ignore[assignment]  # a value
                made = made[1] if isinstance(made, tuple) else None
            results.append(made)
        one, two = results
        if isinstance(two, MintError):
            known = isinstance(two.successor, type(self.values[1]))
            check(known, "an error has no successor", two, two.successor)
        same = repr(one) == repr(two) if isinstance(two, MintError) else one == two
        check(same, "a record changes a result", one, two)
        return two

    def request(self) -> bool:
        """Send a request; return whether it was sent."""
        choices = self.choices
        headers = [choices.pick(PLAIN) for _ in range(choices.below(3))]
        if choices.chance(50):
            headers.append((choices.pick(NAMES), SECRET + "s" * choices.below(30)))
        if choices.chance(10):
            headers.append(choices.pick(MISPLACED))
        method = choices.pick(("GET", "POST", "G T"))
        body = counted(choices.pick((0, 9, 300))) if choices.chance(30) else None
        return not isinstance(
            self.call(lambda conn: conn.request(method, "/a?b", headers, body=body)), MintError
        )

    def arrive(self, octets: bytes) -> None:
        """Let octets arrive in pieces, and receive them."""
        for part in filter(None, self.choices.cut(octets)):
            for value in self.values:
                link = value.transport
                if isinstance(link, mint.transport.Memory):
                    link.put(part)
            got = self.call(lambda conn: conn.recv())
            if isinstance(got, MintError):
                self.seen.append(got.responses)  # what had arrived before it is not lost
                return
            self.seen.append(got)


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    http2, secrets = choices.chance(50), choices.chance(40)
    damaged, valid = False, True
    out = io.StringIO()
    talk = Talk(choices, http2, Recorder(out, secrets=secrets))
    server = Server(choices, http2)
    for place in range(choices.between(1, 6)):
        if not talk.request():
            valid = False
            if not http2:
                continue  # over HTTP/2, the response comes on an idle stream, which ends the connection
        if choices.chance(20):  # nothing has arrived, so time runs out
            talk.call(lambda conn: conn.recv())
        octets = server.response(2 * place + 1 if http2 else 0)
        if choices.chance(10):
            at = choices.below(len(octets))
            octets = octets[:at] + bytes([choices.byte()]) + octets[at + 1 :]
            damaged = True
        talk.arrive(octets)
    text = out.getvalue()
    made = replay(io.StringIO(text))
    check(not made.differing, "a replay differs", made.differing)
    lost = any(step.call == "lose" for step in made)
    check(
        not lost or not talk.values[0].is_open("read"), "an open connection is recorded as lost", text[-300:]
    )
    recorded = [step.responses for step in made if step.call == "feed"]
    if secrets:
        check(made[-1].after == talk.values[0], "the replay leads elsewhere", made[-1].after, talk.values)
        flat = [one for step in talk.seen if isinstance(step, tuple | list) for one in step]
        fed = [one for step in recorded for one in step]
        check(fed == flat, "other responses", fed[-3:], flat[-3:])
    elif not damaged:
        check(
            SECRET not in text, "a secret is in the transcript", text[max(0, text.find(SECRET) - 60) :][:90]
        )
        check(not valid or "\n  ~" not in text, "what happened differs in more than secrets", text[-300:])


if __name__ == "__main__":
    fuzz(one)
