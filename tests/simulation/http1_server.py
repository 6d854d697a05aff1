"""The HTTP/1.1 of the simulated origins: requests are parsed strictly and answered by scripts (RFC 9112)."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from .scripts import Act, Behaviour, Head, Incoming, Running
from .servers import Peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .kernel import Kernel
    from .record import Record
    from .servers import Channel


class HTTP1Session:
    """One connection of an origin: one request after the other."""

    def __init__(self, record: Record, channel: Channel, behave: Behaviour) -> None:
        self._record = record
        self._kernel: Kernel = record.kernel
        self._channel = channel
        self._behave = behave
        self._unread = b""
        self._running: Running | None = None
        self._left: int | None = 0
        """How many octets of the content are missing; `None` if it is chunked, -1 for a tunnel."""
        self._number = -1
        self._chunked = self._until_close = self._over = False

    # -- the session

    def received(self, octets: bytes) -> None:
        """Parse octets from the client."""
        self._unread += octets
        self._parse()

    def ended(self) -> None:
        """Handle the client's end: a script that waits for content sees the end of it."""
        self._over = True
        if self._running is None:
            self._channel.close()
        elif self._left == -1:
            self._running.ended()
        elif self._left != 0:
            # The content is incomplete, so no answer is needed.
            self._running.stopped = True
            self._channel.close()

    def hungry(self) -> bool:
        """Return whether more octets are wanted."""
        return self._running is None or self._running.reading or (self._left == 0 and self._running.stopped)

    def moves(self) -> list[Callable[[], None]]:
        """Return what the script can do."""
        return [self._running.move] if self._running is not None and self._running.can_move() else []

    def alarm(self) -> float:
        """Return when the script acts."""
        return math.inf if self._running is None else self._running.alarm()

    def _parse(self) -> None:  # noqa: C901, PLR0911  # what may come next, case by case
        while True:
            if self._running is None:
                head, mark, rest = self._unread.partition(b"\r\n\r\n")
                if not mark:
                    return
                self._unread = rest
                self._begin(head)
            elif self._left == -1:
                self._content(self._unread)
                self._unread = b""
                return
            elif self._left is None:
                line, mark, rest = self._unread.partition(b"\r\n")
                if not mark:
                    return
                size = int(line, 16)
                if len(rest) < size + 2:
                    return
                self._content(rest[:size])
                self._unread = rest[size + 2 :]
                if size == 0:
                    self._left = 0
                    self._running.ended()
                    return
            elif self._left and self._unread:
                piece = self._unread[: self._left]
                self._unread = self._unread[len(piece) :]
                self._left -= len(piece)
                self._content(piece)
                if not self._left:
                    self._running.ended()
                    return
            else:
                return

    def _begin(self, head: bytes) -> None:
        line, *lines = head.split(b"\r\n")
        method, target, version = line.split(b" ")
        fields = dict(each.lower().split(b": ", 1) for each in lines)
        if version != b"HTTP/1.1" or not target or b"host" not in fields:
            self._kernel.blame(f"the origin got a request that is none: {head!r}")
        self._number = int(re.findall(rb"[0-9]+", target)[0])
        if isinstance(self._channel, Peer):
            self._record.carriers[self._number] = self._channel.stream
        tunnel = b"upgrade" in fields or method == b"CONNECT"
        if tunnel:
            self._left = -1
        elif fields.get(b"transfer-encoding") == b"chunked":
            self._left = None
        else:
            self._left = int(fields.get(b"content-length", b"0"))
        self._record.arrivals[self._number] += 1
        request = Incoming(self._number, method.decode(), self._record)
        self._running = Running(self._kernel, self._behave(request), self)
        if self._left == 0:
            self._running.ended()

    def _content(self, octets: bytes) -> None:
        self._record.uploaded(self._number, octets)
        if self._running is not None:
            self._running.arrived(octets)

    # -- the reply

    def head(self, head: Head) -> None:
        """Send a head."""
        self._chunked = (
            head.length is None and not head.until_close and head.status >= 200 and self._left != -1
        )
        self._until_close = head.until_close
        lines = [b"HTTP/1.1 %d Whatever" % head.status, b"x-number: %d" % self._number]
        if self._chunked:
            lines.append(b"transfer-encoding: chunked")
        elif head.until_close:
            lines.append(b"connection: close")
        elif head.length is not None:
            lines.append(b"content-length: %d" % head.length)
        elif head.status == 101:
            lines += [b"connection: upgrade", b"upgrade: echo"]
        self._channel.send(b"\r\n".join(lines) + b"\r\n\r\n")

    def piece(self, octets: bytes) -> None:
        """Send content."""
        if octets:
            self._channel.send(b"%x\r\n%b\r\n" % (len(octets), octets) if self._chunked else octets)

    def pending(self) -> int:
        """Return how many octets are not sent yet."""
        return self._channel.pending()

    def act(self, act: Act) -> None:
        """End, or break."""
        if act is Act.END:
            if self._chunked:
                self._channel.send(b"0\r\n\r\n")
            if self._until_close:
                self._channel.finish()
            elif self._left == -1:
                # The tunnel was refused: the next request may follow.
                self._left = 0
                self._running = None
                self._parse()
            elif self._left == 0 and not self._over:
                self._running = None
                self._parse()
        elif act is Act.FINISH:
            self._channel.finish()
        elif act is Act.CUT:
            self._channel.cut()
        elif act is Act.RESET:
            self._channel.reset()
        elif act is Act.CLOSE:
            self._channel.close()
