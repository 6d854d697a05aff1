"""A valid exchange of HTTP/2 frames, truncated and changed at every octet.

This is what section B does with a response of HTTP/1 (rules 12 and 22 of test_rules.py): the outcome does not
depend on how the octets are split, errors are typed, and an incomplete response is never reported as done.
"""

from __future__ import annotations

import struct

import pytest

from mint import errors
from mint._core.events import Data, Done, Failed
from tests.http2_driver import (
    OK,
    Conversation,
    Server,
    data,
    fed,
    frame,
    goaway,
    merged,
    opened,
    ping,
    reset,
    settings,
    window_update,
)


def with_request() -> Conversation:
    talk = opened(mine=(("enable_push", 1),))
    talk.request("GET", "/1")
    talk.request("POST", "/3", (), None, True)
    return talk


def exchange() -> list[bytes]:
    server = Server()
    promised = [(":method", "GET"), (":scheme", "https"), (":authority", "example.org"), (":path", "/p")]
    return [
        server.headers(1, [(":status", "103"), ("link", "</a>")]),
        settings((1, 0), (1, 4096), (4, 70_000)),
        server.headers(1, [*OK, ("content-length", "5"), ("cookie", "a=b")], cuts=2, padding=3),
        ping(),
        server.promise(1, 2, promised, cuts=1),
        data(1, b"hel", padding=2),
        server.headers(3, OK),
        window_update(3, 9),
        data(3, b"upload"),
        data(1, b"lo"),
        server.headers(1, [("t", "1")], end=True),
        frame(2, 0, 3, struct.pack(">IB", 1, 16)),
        frame(0xEE, 0xFF, 3, b"unknown"),
        server.headers(2, OK, end=True),
        reset(3, 8),
        goaway(3),
    ]


WHOLE = b"".join(exchange())
START = with_request().state


def test_the_whole_exchange_is_valid() -> None:
    talk = fed(START, WHOLE, [])
    assert talk.faults == []
    assert talk.closed
    assert [event.ref.number for event in talk.events if isinstance(event, Done)] == [1, 2]


@pytest.mark.parametrize("place", range(len(WHOLE)))
def test_r12_an_exchange_truncated_anywhere_is_incomplete(place: int) -> None:
    for cuts in (range(0), range(place)):
        talk = fed(START, WHOLE[:place], cuts)
        assert talk.faults == []
        before = len(talk.events)
        talk.take(talk.state.feed_eof(True))
        ended = [event.ref.number for event in talk.events if isinstance(event, (Done, Failed))]
        assert sorted(ended) == sorted(set(ended))
        assert {1, 3} <= set(ended)
        done = [event.ref.number for event in talk.events[:before] if isinstance(event, Done)]
        content = b"".join(e.data for e in talk.events if isinstance(e, Data) and e.ref.number == 1)
        assert (1 in done) <= (content == b"hello")
        assert not any(isinstance(event, Done) for event in talk.events[before:])
        assert talk.closed


@pytest.mark.parametrize("place", range(len(WHOLE)))
def test_r22_each_octet_changed(place: int) -> None:
    old = WHOLE[place]
    for new in {0, 1, 0x7F, 0x80, 0xFF, old ^ 1, old ^ 0x20} - {old}:
        octets = WHOLE[:place] + bytes([new]) + WHOLE[place + 1 :]
        at_once = fed(START, octets, [])
        single = fed(START, octets, range(0, len(octets), 5))
        assert merged(at_once.events) == merged(single.events)
        assert at_once.faults == single.faults
        assert at_once.closed is single.closed
        for fault in at_once.faults:
            error = errors.table.from_fault(fault)
            assert isinstance(error, errors.HTTPError)
            assert len(str(error)) < 600
        at_once.take(at_once.state.feed_eof(True))
        ended = [event.ref.number for event in at_once.events if isinstance(event, (Done, Failed))]
        assert sorted(ended) == sorted(set(ended))
        assert {1, 3} <= set(ended)
