"""libnghttp2's sessions without Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import native, streams
from ..streams import Down, Exchanging, Getting, Receiving, Up
from ._http2 import check_requests, check_upload

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..measure import Task
    from ..streams import Request
    from ..work import Message


def _packed(requests: Iterable[Request]) -> bytes:
    return native.pieces(native.pieces(text.encode() for field in one for text in field) for one in requests)


class _Session(native.Program):
    """A mode of the program, with its arguments `open`, `each`, `rounds` and `clients`."""

    def __init__(
        self,
        mode: str,
        requests: Iterable[Request],
        reads: Iterable[bytes] = (),
        numbers: tuple[int, int, int, int] = (0, 0, 0, 0),
        expected: bytes = b"",
    ) -> None:
        super().__init__(
            native.build("session", libraries=("nghttp2",)),
            (mode, *map(str, numbers)),
            native.pieces([streams.PREFACE, _packed(requests), *reads]),
            expected,
        )


class _Judged(_Session):
    """A session whose sent octets are verified."""

    work: Getting | Up

    def check(self) -> None:
        said = self.said("check")
        if isinstance(self.work, Up):
            check_upload(said, self.work)
        else:
            known = self.work.requests
            opened = [known[at % len(known)] for at in range(self.work.open)]
            more = [known[(self.work.open + at) % len(known)] for at in range(self.work.each)]
            check_requests(said, opened + more)


def _said(messages: Iterable[Message], first: int = 1) -> bytes:
    """Return what the program prints about responses."""
    out = []
    for at, one in enumerate(messages):
        fields = "".join(f"{name}:{value}\n" for name, value in one.fields)
        out.append(f":status:{one.status}\n{fields}{first + 2 * at} 0 {sum(one.body)}\n")
    return "".join(out).encode()


def client(work: object) -> Task:
    if isinstance(work, streams.Opening):
        return _Opening("opening", ())
    if isinstance(work, Getting):
        numbers = (work.open, work.each, 1, work.clients)
        judged = _Judged("getting", work.requests, (), numbers)
        judged.work = work
        return judged
    if isinstance(work, Receiving):
        received = work.each * work.rounds
        numbers = (work.open, work.each, work.rounds, 1)
        expected = _said(work.messages[:received])
        return _Session("receiving", work.requests, work.reads, numbers, expected)
    if isinstance(work, Exchanging):
        return _Session("exchanging", work.requests, work.reads, expected=_said(work.messages))
    if isinstance(work, Down):
        return _Down("down", (work.request,), work.reads, expected=b" 0 %d\n" % sum(work.body))
    assert isinstance(work, Up)
    upload = _Judged("up", (work.request,), work.pieces)
    upload.work = work
    return upload


class _Opening(_Session):
    def check(self) -> None:
        assert self.said("check").startswith(b"PRI * HTTP/2.0")


class _Down(_Session):
    def check(self) -> None:
        assert self.said("check").endswith(self.expected)
