"""The framing of TLS records: all plaintext arrives, at once, and OpenSSL gets only complete records.

OpenSSL is replaced by a naive reader of records that are not encrypted. Like OpenSSL, it keeps what it has
read of an incomplete record, passes over tickets and empty records, and returns nothing after close_notify.
The octets of the server are split in any way; some of them are no record.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from mint._core.records import Records
from support import Choices, check, counted, fuzz

if TYPE_CHECKING:
    from collections.abc import Callable

ALERT, HANDSHAKE, CONTENT = 21, 22, 23  # types of records
PLAINTEXT, CIPHERTEXT = 16_384, 18_432  # the most octets of each in one record
HEADER = 5
GOODBYE = b"\x01\x00"
SIZES = (0, 1, 2, 3, 4, 5, 6, 20, 255, 256, 257, 300, PLAINTEXT - 1, PLAINTEXT)
JUNK = (
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    bytes(5),
    b"\x13\x03\x03\x00\x01a",
    b"\x19\x03\x03\x00\x01a",
    b"\x17\x02\x03\x00\x01a",
    b"\x17\x03\x03\x48\x01",
    b"\x17\x03\x03\xff\xff",
)


def is_record(header: bytes) -> bool:
    """Whether five octets can be the header of a record; the first octet of all versions of TLS is 3."""
    return ALERT - 1 <= header[0] <= CONTENT + 1 and header[1] == 3 and length_of(header) <= CIPHERTEXT


def length_of(header: bytes) -> int:
    """Return the length of a record without its header."""
    return header[3] << 8 | header[4]


def record(kind: int, content: bytes, padding: int = 0) -> bytes:
    """Return a record: the length of its content, the content, and padding, as if it were encrypted."""
    body = len(content).to_bytes(2) + content + bytes(padding) if content or padding else b""
    return bytes([kind, 3, 3]) + len(body).to_bytes(2) + body


class Naive:
    """Reads records in the place of OpenSSL."""

    def __init__(self) -> None:
        self.arriving, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.begun = b""
        self.over = self.broken = False

    def more(self, size: int) -> bool:
        """Read until so many octets of the record are there; return whether they are."""
        if len(self.begun) < size:
            self.begun += self.arriving.read(size - len(self.begun))
        return len(self.begun) >= size

    def read(self, most: int) -> bytes:
        """Return the plaintext of the next record with content. Raises errors of `ssl` otherwise."""
        check(most >= PLAINTEXT, "too little is read", most)
        first = True
        while not self.over:
            if not self.more(HEADER) or (
                is_record(self.begun) and not self.more(HEADER + length_of(self.begun))
            ):
                if self.arriving.eof:
                    raise ssl.SSLEOFError("the peer has ended")
                check(not first, "it is asked before a record is complete", self.begun[:9])
                raise ssl.SSLWantReadError
            if self.broken or not is_record(self.begun):
                self.broken = True
                raise ssl.SSLError("no record")
            whole, self.begun = self.begun, b""
            content = whole[HEADER + 2 :][: int.from_bytes(whole[HEADER : HEADER + 2])]
            if whole[0] == ALERT:
                self.over = True
            elif whole[0] == CONTENT and content:
                return content
            first = False
        return b""

    def write(self, plaintext: bytes) -> int:
        """Encrypt."""
        for at in range(0, len(plaintext), PLAINTEXT):
            self.outgoing.write(record(CONTENT, plaintext[at : at + PLAINTEXT]))
        return len(plaintext)


class Server:
    """What the server sends, record by record, and where each of them ends."""

    def __init__(self, choices: Choices) -> None:
        self.octets = b""
        self.contents: list[tuple[int, bytes]] = []  # the position at which each plaintext is complete
        self.ended = self.broken = -1  # the positions from which the end and an error are known
        for _ in range(choices.between(1, 7)):
            content = counted(choices.pick(SIZES), choices.byte())
            kind = choices.pick((CONTENT, CONTENT, CONTENT, CONTENT, HANDSHAKE, 20, 24))
            padding = choices.pick((0, 0, 17, CIPHERTEXT - len(content) - 2))
            self.octets += record(kind, content, padding)
            if kind == CONTENT and content:
                self.contents.append((len(self.octets), content))
        if choices.chance(15):
            junk = choices.pick(JUNK)
            self.broken = len(self.octets) + HEADER
            self.octets += junk
        elif choices.chance(25):
            self.octets += record(ALERT, GOODBYE)
            self.ended = len(self.octets)
        elif choices.chance(30):
            self.octets = self.octets[: choices.below(len(self.octets) + 1)]
            self.contents = [each for each in self.contents if each[0] <= len(self.octets)]

    def until(self, place: int) -> bytes:
        """Return the plaintext of the records that are complete at a position."""
        return b"".join(content for end, content in self.contents if end <= place)


class Model:
    """One connection."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.server = Server(choices)
        self.naive = Naive()
        self.records = Records()
        self.records.attach(self.naive, self.naive.arriving, self.naive.outgoing)  # type: ignore[arg-type]  # a stand-in
        self.records.watched = choices.chance(10)
        self.read = b""
        self.kept = False  # whether what was decrypted was not taken yet
        self.fed = 0
        self.failed = self.waits = False

    def feed(self, piece: bytes) -> None:
        """Let octets arrive, and take the plaintext in one of two ways."""
        left = len(self.read) < len(self.server.until(self.fed))
        self.fed += len(piece)
        if self.choices.chance(50):
            alone = not (self.records.watched or left or self.naive.outgoing.pending)
            got = self.guarded(lambda: self.records.opened(piece))
            if not (self.failed or self.waits):
                check((got is not None) == (alone and not self.records.over), "a wrong kind of result", got)
            if got is not None:
                self.read += got
                self.kept = False
                return
            if self.records.watched:
                self.guarded(self.records.decrypt)
        else:
            self.records.feed(piece)
            self.guarded(self.records.decrypt)
        self.kept = True
        if self.choices.chance(80):
            self.take()

    def guarded(self, operation: Callable[[], bytes | None]) -> bytes | None:
        """Run an operation as the TLS layer does, for which this error means that no content came."""
        self.waits = False
        try:
            return operation()
        except ssl.SSLWantReadError:
            self.waits = True
        except ssl.SSLError:
            self.failed = True
        return None

    def take(self) -> None:
        """Take what was decrypted."""
        self.read += b"".join(self.records.take_plaintext())
        self.kept = False

    def judge(self) -> None:
        """Check what must be true after every step."""
        server = self.server
        if not self.kept:
            wanted = server.until(self.fed)
            check(self.read == wanted, "other plaintext", len(self.read), len(wanted), self.fed)
        ended = 0 <= server.ended <= self.fed
        check(self.records.over == ended, "an end too early or too late", self.records.over, ended, self.fed)
        broken = 0 <= server.broken <= self.fed
        check(self.failed == broken, "an error too early or too late", self.failed, broken, self.fed)

    def send(self) -> None:
        """Encrypt something."""
        plaintext = counted(self.choices.pick((1, 300, PLAINTEXT + 1)), self.choices.byte())
        before = self.naive.outgoing.pending
        if self.choices.chance(70):
            got = self.records.encrypt(plaintext)
        else:
            self.naive.write(plaintext)  # as OpenSSL answers by itself
            if self.choices.chance(60):
                return
            got = self.records.leaving()
        check(len(got) > before and not self.naive.outgoing.pending, "not all of it leaves", len(got), before)


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    model = Model(choices)
    for piece in choices.cut(model.server.octets):
        if not piece:
            continue
        if choices.chance(10):
            model.send()
        model.feed(piece)
        model.judge()
        if model.failed or model.records.over:
            return
    model.take()
    model.judge()
    check(model.fed == len(model.server.octets), "something was not fed")
    if choices.chance(40):
        model.records.feed(b"")
        model.guarded(model.records.decrypt)
        check(model.failed, "the end without a goodbye is not reported")
        model.take()
        check(model.read == model.server.until(model.fed), "plaintext is lost at the end", len(model.read))


if __name__ == "__main__":
    fuzz(one)
