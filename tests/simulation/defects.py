"""The defects of the first transports, as changes that reintroduce them; `planted.py` looks for each.

A change is a text that occurs in its file exactly once, and its replacement. No module of mint is imported
here, because the changes are made when the modules are imported.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]

MAILBOX: Final = "mint/_loops/mailbox.py"
TCP: Final = "mint/_loops/tcp.py"
SOCKETS: Final = "mint/_loops/sockets.py"
SHARED: Final = "mint/_loops/shared.py"
ASYNCIO: Final = "mint/_loops/asyncio_link.py"
LINK: Final = "mint/_wire/link.py"
PIPE: Final = "mint/_wire/pipe.py"
FAILURES: Final = "mint/_connections/failures.py"
STREAM: Final = "mint/_wire/stream.py"


class Change(NamedTuple):
    """One change of one file."""

    file: str
    old: str
    new: str


class Defect(NamedTuple):
    """A defect: the changes that reintroduce it, and the rows and violations in which it shows."""

    name: str
    rows: tuple[tuple[str, ...], ...]
    """The rows that are affected: those whose name contains all parts of one of these groups."""
    shows: str
    """A part of the violation that is expected."""
    changes: tuple[Change, ...]

    @property
    def files(self) -> frozenset[str]:
        """The files that are changed."""
        return frozenset(change.file for change in self.changes)

    def applied(self, file: str, text: str) -> str:
        """Return the text of a file with the defect."""
        for change in self.changes:
            if change.file == file:
                count = text.count(change.old)
                if count != 1:
                    what = f"the text to change occurs {count} times in {file}, not once"
                    raise ValueError(f"{self.name}: {what}: adapt tests/simulation/defects.py")
                text = text.replace(change.old, change.new)
        return text

    def concerns(self, row: str) -> bool:
        """Whether a row is affected."""
        parts = row.split("/")
        return any(all(part in parts for part in group) for group in self.rows)


# A registration belonged to a descriptor number: registering the same number for another link replaced it.
BY_NUMBER: Final = (
    Change(
        MAILBOX,
        "            transport.note = None\n            self._forget(watch)\n",
        "            transport.note = None\n            self._orders.append(watch)\n",
    ),
    Change(
        MAILBOX,
        "        link = watch()\n"
        "        if link is None or link.note is not watch:\n            return False\n",
        "        link = watch()\n        if link is None:\n            return False\n",
    ),
    Change(
        MAILBOX,
        "            if link is None or link.note is not watch:\n"
        "                return  # another thread removed it meanwhile:"
        " the number may belong to another socket\n",
        "            if link is None:\n"
        "                return\n"
        "            other = self._selector.get_map().get(watch.fd)\n"
        "            if other is not None and other.data is not watch:\n"
        "                self._forget(other.data)\n",
    ),
    Change(
        LINK,
        "        self.armed = False\n        if self.inbox is not None:\n            self.inbox.unwatch",
        "        if self.inbox is not None:\n            self.inbox.unwatch",
    ),
)

# `receive` used a lock of `threading`, acquired by a call before the `try`, and `close` waited for it.
PLAIN_LOCK: Final = (
    Change(
        MAILBOX,
        "import contextlib\nimport selectors\n",
        "import contextlib\nimport selectors\nimport threading\n",
    ),
    Change(
        MAILBOX, "        self._receive_lock = Mutex()\n", "        self._receive_lock = threading.Lock()\n"
    ),
    Change(
        MAILBOX,
        "                done = self._receive_lock.attempt(self._receive, (until, out), left)\n",
        "                done = self._receive_lock.acquire(timeout=left)\n"
        "                if done:\n"
        "                    try:\n"
        "                        self._receive((until, out))\n"
        "                    finally:\n"
        "                        self._receive_lock.release()\n",
    ),
)
CLOSE_WAITS: Final = Change(
    MAILBOX,
    "        if not self._receive_lock.held:\n"
    "            self._receive_lock.attempt(self._release, None, 0.0)\n",
    "        with self._receive_lock:\n            self._release()\n",
)
CLOSE_TRIES: Final = Change(
    MAILBOX,
    "        if not self._receive_lock.held:\n"
    "            self._receive_lock.attempt(self._release, None, 0.0)\n",
    "        if self._receive_lock.acquire(timeout=0):\n"
    "            try:\n"
    "                self._release()\n"
    "            finally:\n"
    "                self._receive_lock.release()\n",
)

ALL_AT_ONCE: Final = Change(
    PIPE,
    "        while self._unsealed and self._queued - self._unsealed < AHEAD and not self._windows_shut:\n",
    "        while self._unsealed:\n",
)

DEFECTS: Final = (
    Defect(
        "mailbox: a descriptor number is used again within one select",
        (("close", "mailbox"), ("close", "trio")),
        "in vain",
        BY_NUMBER,
    ),
    Defect(
        "mailbox: passive, received, active again",
        (("set_mode", "mailbox"), ("set_mode", "trio")),
        "in vain",
        BY_NUMBER,
    ),
    Defect(
        "mailbox: closed by a signal handler while the same thread waits in receive",
        (("interrupt", "mailbox"),),
        "everyone waits",
        (*PLAIN_LOCK, CLOSE_WAITS),
    ),
    Defect(
        "mailbox: interrupted right after its lock was taken",
        (("interrupt", "mailbox"),),
        "",
        (*PLAIN_LOCK, CLOSE_TRIES),
    ),
    Defect(
        "HTTP/2 tunnel: a mailbox never sends what a window update allows",
        (("upload", "mailbox", "HTTP2 tunnel"),),
        "in vain",
        (
            Change(
                LINK,
                "    def write_now(self) -> None:\n",
                "    def write_waiting(self) -> None:\n        return\n\n    def write_now(self) -> None:\n",
            ),
            Change(
                MAILBOX,
                "        if events & WRITE:\n            link.write_waiting()\n",
                "        if events & WRITE:\n            super(Link, link).write_waiting()\n",
            ),
            Change(
                MAILBOX,
                "        if link.unsent:\n            link.write_waiting()\n        near",
                "        if link.unsent:\n            super(Link, link).write_waiting()\n        near",
            ),
            Change(
                MAILBOX,
                "            self._register(watch, self._events(link, watch, reading=not found))\n",
                "            self._register(watch, watch.events | READ)\n",
            ),
        ),
    ),
    Defect(
        "Tunnels: recv never sends what a window update allows",
        (("upload", "blocking", "shared tunnel"), ("both directions", "blocking", "shared tunnel")),
        "in vain",
        (
            Change(
                SHARED,
                "                if self.unsent:\n"
                "                    self._write(wait=False)\n"
                "                    if self.held_back:\n"
                "                        return None\n"
                '                self.tunnels.wait(until, "receiving", self.can_go_on)\n',
                '                self.tunnels.wait(until, "receiving", lambda: self.tunnel.has_next)\n',
            ),
            Change(
                SHARED,
                "        if octets is None and self.unsent:\n            self._write(wait=False)\n"
                "        return octets\n",
                "        return octets\n",
            ),
        ),
    ),
    Defect(
        "HTTP/2 tunnel: flush of asyncio does not return after 413 and the end",
        (("upload", "asyncio", "HTTP2 tunnel", "answers early"),),
        "in vain while sending",
        (
            Change(
                ASYNCIO,
                "        while self.unsent and self._writing < Writing.FAILED"
                " and self.wants and not self._is_blocked:\n",
                "        while self.unsent and self._writing < Writing.FAILED and not self._is_blocked:\n",
            ),
            Change(
                PIPE,
                "        if not self.windowed or self._reading == Reading.OPEN:\n",
                "        if True:\n",
            ),
            Change(
                STREAM,
                "                if self._pending and self.ended and self.failure is None:\n",
                "                return\n                if self._pending:\n",
            ),
        ),
    ),
    Defect(
        "Tunnels: an upload takes quadratic time",
        (("upload", "blocking", "shared tunnel"), ("upload", "asyncio", "shared tunnel")),
        "waited in a tunnel",
        (
            Change(
                SHARED,
                "            piece = memoryview(outbox[0])[:AHEAD]\n",
                "            piece = memoryview(outbox[0])\n",
            ),
            Change(STREAM, "        self._pending = bytearray()\n", '        self._pending = b""\n'),
            Change(
                STREAM, "                self._pending.clear()\n", '                self._pending = b""\n'
            ),
            Change(
                STREAM,
                "                del self._pending[: len(piece)]\n",
                "                self._pending = self._pending[len(piece) :]\n",
            ),
        ),
    ),
    Defect(
        "asyncio: the end of content over TLS after the peer has closed",
        (("tunnel", "asyncio", "TLS"), ("tunnel", "asyncio", "TLS in TLS")),
        "OSError left the library",
        (
            Change(
                SOCKETS,
                "        try:\n            self._socket.shutdown(sockets.SHUT_WR)\n"
                "        except OSError as error:\n            pass_on(error)\n"
                "            # The peer is gone, which reading will report; nothing was left to be written.\n"
                "            self.fail_writing()\n",
                "        self._socket.shutdown(sockets.SHUT_WR)\n",
            ),
        ),
    ),
    Defect(
        "blocking: both peers write until all queues are full",
        (("both directions", "blocking", "plain"),),
        "",
        (
            Change(
                TCP,
                "            if (gives_way and self.full) or self.held_back:\n",
                "            if self.held_back:\n",
            ),
        ),
    ),
    Defect(
        "TLS: fixed content is encrypted in full before the first octet leaves",
        (("upload", "TLS"), ("upload", "TLS in TLS")),
        "encrypted",
        (ALL_AT_ONCE,),
    ),
    Defect(
        "an early response that the end delimits fails",
        (("upload", "answers early"),),
        "failed though all of it arrived",
        (
            Change(
                LINK,
                "            if octets is None or (not octets and not self._is_end_certain(error)):\n",
                "            if not octets:\n",
            ),
        ),
    ),
    Defect(
        "a tunnel whose peer ended first is closed before its queue is empty",
        (("tunnel", "half-closes"), ("tunnel", "ends without close_notify")),
        "has not arrived",
        (
            Change(
                FAILURES,
                "    if in_order and isinstance(link, Link) and link.ended:\n",
                "    if not in_order and isinstance(link, Link) and link.ended:\n",
            ),
        ),
    ),
)


def missing(root: Path = ROOT) -> list[str]:
    """Return what is wrong with the changes: those that do not fit the sources as they are."""
    wrong = []
    for defect in DEFECTS:
        for file in sorted(defect.files):
            try:
                defect.applied(file, (root / file).read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                wrong.append(str(error))
    return wrong
