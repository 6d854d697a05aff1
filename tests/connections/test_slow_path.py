"""Connections over links of the caller, whose operations never take the compiled fast path."""

from __future__ import annotations

from typing import Literal

import pytest

import mint
from mint import errors
from mint.testing.frames import ErrorCode, data, goaway, serialize, settings
from mint.transport import Memory

from ..inboxes import Box

PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"


class Own(Memory):
    """A link with its own check of what the mode permits."""

    def permit(self, call: Literal["recv", "flush"]) -> None:
        super().permit(call)


def opened(link: Memory, box: Box | None = None) -> mint.HTTP1:
    return mint.http1.initiate(link, scheme="http", hostname="a", mailbox=box)


@pytest.mark.parametrize("flush", [False, True])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("stray", [b"", PAGE])
def test_octets_that_arrived_before_a_request(own: bool, flush: bool, stray: bytes) -> None:
    link = Own() if own else Memory()
    assert link.plain is not own
    conn = opened(link)
    link.put(stray)
    if stray:
        with pytest.raises(errors.UnexpectedData):
            conn.request("GET", "/", flush=flush)
        assert link.take() == b""
    else:
        conn.request("GET", "/", flush=flush)
        assert link.take().startswith(b"GET / ")


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("pieces", [[PAGE], [PAGE[:9], PAGE[9:]], [PAGE[:-1], PAGE[-1:]]])
def test_the_mailbox_is_asked_for_the_next_message_once(own: bool, pieces: list[bytes]) -> None:
    link, box = Own() if own else Memory(), Box()
    conn = opened(link, box)
    conn, _ = conn.request("GET", "/")
    link.take()
    for piece in pieces:
        out: list[object] = []
        link.put(piece)
        assert link.take_message(box, out)
        assert not link.armed
        before = box.watched
        taken = conn.stream(out[0])
        assert taken is not mint.UNKNOWN
        conn, _ = taken
        assert link.armed
        assert box.watched == before + 1
    assert not conn.open_request_count


@pytest.mark.parametrize("goes_away", [False, True])
def test_a_fault_whose_answer_cannot_be_written_also_says_why_the_server_closed(goes_away: bool) -> None:
    """The causes are the failure to write, and then the GOAWAY that came before the fault."""

    class Refusing(Memory):
        broken = False

        def _write(self, *, wait: bool = True) -> None:
            if self.broken:
                raise errors.TransportReset

    link = Refusing()
    conn = mint.http2.initiate(link, scheme="https", hostname="example.org", port=443)
    conn, _ = conn.request("GET", "/")
    link.put(settings().serialize())
    conn, _ = conn.recv()
    link.broken = True
    frames = [goaway(1, ErrorCode.INTERNAL_ERROR)] if goes_away else []
    link.put(serialize([*frames, data(0, b"")]))
    with pytest.raises(errors.HTTPError) as caught:
        conn.recv()
    lost = caught.value.__cause__
    assert isinstance(lost, errors.TransportReset)
    assert isinstance(lost.__cause__, errors.ServerClosedConnection if goes_away else type(None))
