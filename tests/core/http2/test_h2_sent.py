"""What requests and bodies send: how octets are divided into frames, on which stream, and what ends it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from tests.http2_driver import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FLOW_CONTROL_ERROR,
    HEADERS,
    PRIORITY_UPDATE,
    RST_STREAM,
    Conversation,
    Frame,
    frame,
    frames_of,
    goaway,
    opened,
    pushing,
    resets,
    window_update,
)

if TYPE_CHECKING:
    from mint._core.events import RequestRef

MOST = 16_384  # the frame size of a server that does not send this setting
LAST_ID = (1 << 31) - 1
MOST_WINDOW = (1 << 31) - 1
SIZES = [1, 4095, 4096, 4097]
# Sizes around each multiple of the frame size.
AROUND = [(multiple, beside) for multiple in (1, 2, 3) for beside in (-1, 0, 1)]


def wide(most: int = MOST, first_stream: int = 1) -> Conversation:
    """Return a conversation with a server that has large windows, this frame size and priorities."""
    talk = opened((4, 1 << 20), (5, most), (9, 1), first_stream=first_stream)
    talk.feed(window_update(0, 1 << 20))
    return talk


def divisions(content: bytes, most: int) -> list[tuple[bytes, ...]]:
    """Return several tuples of pieces with the same content."""
    half = len(content) // 2
    return [
        (content,),
        (content[:half], content[half:]),
        (b"", content[:1], b"", b"", content[1:], b""),
        tuple(content[at : at + most] for at in range(0, len(content), most)),
        tuple(content[at : at + 5000] for at in range(0, len(content), 5000)),
    ]


def expected(size: int, most: int) -> list[int]:
    """Return the sizes of the frames: full ones, and one with the rest."""
    return [most] * (size // most) + ([size % most] if size % most else [])


def assert_divided(sent: list[Frame], content: bytes, most: int, *, ends: bool) -> None:
    """Check the DATA frames of some content."""
    assert [len(one.payload) for one in sent] == expected(len(content), most)
    assert b"".join(one.payload for one in sent) == content
    assert {(one.kind, one.stream) for one in sent} == {(DATA, 1)}
    assert [one.flags for one in sent] == [0] * (len(sent) - 1) + [END_STREAM * ends]


@pytest.mark.parametrize("most", [MOST, MOST + 1, 20_000])
@pytest.mark.parametrize("place", [*SIZES, *AROUND])
def test_content_is_divided_at_exactly_the_frame_size(most: int, place: int | tuple[int, int]) -> None:
    size = place if isinstance(place, int) else place[0] * most + place[1]
    content = bytes(range(251)) * (size // 251 + 1)
    content = content[:size]
    for pieces in divisions(content, most):
        talk = wide(most)
        talk.request("PUT", "/", [], pieces)
        assert (talk.sent[0].kind, talk.sent[0].flags) == (HEADERS, END_HEADERS)
        assert_divided(talk.sent[1:], content, most, ends=True)
        assert ("content-length", str(size)) in talk.fields()
    talk = wide(most)
    one = talk.request("PUT", "/", [], None, True)
    talk.drop()
    talk.take(talk.state.stream_body(one, content))
    assert_divided(talk.sent, content, most, ends=False)
    assert talk.state.body_is_open(one)


@pytest.mark.parametrize("size", SIZES)
def test_pieces_of_at_least_4096_octets_are_not_copied(size: int) -> None:
    content = b"x" * size
    talk = opened()
    one = talk.request("PUT", "/", [], None, True)
    for output in (
        talk.state.request("PUT", "/", [], (content,), False).output,
        talk.state.stream_body(one, content).output,
    ):
        assert (output[-1] is content) == (size >= 4096)
        assert len(output) == 1 + (size >= 4096)


@pytest.mark.parametrize("number", [1, 0x01020305, LAST_ID - 2])
def test_every_frame_has_the_number_of_its_stream(number: int) -> None:
    talk = wide(first_stream=number)
    talk.state = talk.state.traced(on=True)
    long = [(f"x-{i}", "\x7e" * 60) for i in range(600)]
    talk.take(talk.state.request("PUT", "/", long, (b"x" * 40_000,), False))
    sent = talk.sent[:]
    kinds = [HEADERS, CONTINUATION, CONTINUATION, DATA, DATA, DATA]
    assert [one.kind for one in sent] == kinds
    other = wide(first_stream=number)
    other.state = other.state.traced(on=True)
    one = other.request("PUT", "/", [], None, True)
    other.take(other.state.update_priority(one, b"u=1"))
    for size in (1, 4096, 40_000):
        other.take(other.state.stream_body(one, b"x" * size))
    ends = [
        other.state.end_body(one),
        other.state.end_body(one, [("a", "b")]),
        other.state.end_body(one, long),
        other.state.cancel(one),
    ]
    sent += [frame for frame in other.sent if frame.kind != PRIORITY_UPDATE]
    sent += [frame for step in ends for frame in frames_of(step.output)]
    assert {frame.kind for frame in sent} == {HEADERS, CONTINUATION, DATA, RST_STREAM}
    assert {frame.stream for frame in sent} == {number}
    (update,) = [frame for frame in other.sent if frame.kind == PRIORITY_UPDATE]
    assert (update.stream, update.payload) == (0, struct.pack(">I", number) + b"u=1")
    # the notes say the same
    assert talk.last is not None
    for step in (talk.last, *ends):
        noted = [(note.outgoing, note.text.split(" ")[:2]) for note in step.notes]
        made = frames_of(step.output)
        assert [outgoing for outgoing, _ in noted] == [True] * len(made)
        assert {words[1] for _, words in noted} == {f"stream={number}"}


def test_a_priority_update_is_noted_as_sent() -> None:
    talk = wide()
    one = talk.request()
    step = talk.state.traced(on=True).update_priority(one, b"u=1, i")
    assert [note.outgoing for note in step.notes] == [True]
    assert [note.text for note in step.notes] == ["PRIORITY_UPDATE stream=0 length=10 flags=0x00 b'u=1, i'"]


def block_of(size: int, *, trailers: bool) -> Conversation:
    """Return a conversation that just sent a field block of exactly this size."""
    rest = size - 200
    while True:
        talk = opened()
        fields = [("a", "~" * rest)]  # "~" takes 13 bits in the Huffman code, so it is sent as it is
        if trailers:
            one = talk.request("PUT", "/", [], None, True)
            talk.drop()
            talk.take(talk.state.end_body(one, fields))
        else:
            talk.request("GET", "/", fields)
        have = sum(len(one.payload) for one in talk.sent)
        if have == size:
            return talk
        rest += size - have


@pytest.mark.parametrize("trailers", [False, True])
@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_a_field_block_is_divided_at_exactly_the_frame_size(trailers: bool, frames: int, beside: int) -> None:
    size = frames * MOST + beside
    talk = block_of(size, trailers=trailers)
    assert [len(one.payload) for one in talk.sent] == expected(size, MOST)
    assert [one.kind for one in talk.sent] == [HEADERS] + [CONTINUATION] * (len(talk.sent) - 1)
    flags = [0] * len(talk.sent)
    flags[0] = END_STREAM
    flags[-1] |= END_HEADERS
    assert [one.flags for one in talk.sent] == flags


def section_size(talk: Conversation) -> int:
    """Return the size of the section that was sent last, as RFC 9113 6.5.2 counts it."""
    return sum(len(name) + len(value) + 32 for name, value in talk.fields())


@pytest.mark.rfc("9113-6.5.2-g")
def test_the_servers_limit_on_header_sections_is_exact() -> None:
    free = opened()
    free.request("GET", "/path", [("a", "b"), ("cookie", "c=d; e=f")])
    size = section_size(free)
    for limit, fits in ((size - 1, False), (size, True), (size + 1, True)):
        talk = opened((6, limit))
        if fits:
            talk.request("GET", "/path", [("a", "b"), ("cookie", "c=d; e=f")])
        else:
            fault = talk.refuse("GET", "/path", [("a", "b"), ("cookie", "c=d; e=f")])
            assert (fault.reason, fault.size, fault.limit) == (
                "max_header_list_size_exceeded",
                size,
                limit,
            )


@pytest.mark.rfc("9113-6.5.2-g")
@pytest.mark.parametrize(("size", "fits"), [(499, True), (500, True), (501, False)])
def test_the_servers_limit_on_trailer_sections_is_exact(size: int, fits: bool) -> None:
    talk = opened((6, 500))
    one = talk.request("PUT", "/", [], None, True)
    step = talk.state.end_body(one, [("a", "x" * (size - 33))])
    assert (step.fault is None) == fits
    if step.fault is not None:
        assert (step.fault.reason, step.fault.size, step.fault.limit) == (
            "max_header_list_size_exceeded",
            size,
            500,
        )


@pytest.mark.rfc("9113-6.8-a")
@pytest.mark.parametrize("last", [0, 1, 2, 3, LAST_ID])
def test_nothing_is_requested_after_a_goaway(last: int) -> None:
    talk = pushing()
    talk.feed(goaway(last))
    # The promised stream is not affected, so the connection stays open in any case.
    assert talk.state.is_open_read
    assert not talk.state.is_open_write
    assert talk.refuse().reason == "closed_for_writing"


def overflowing(talk: Conversation, one: RequestRef, window: int) -> None:
    """Check that the window for sending on a stream has exactly this many octets."""
    exact = Conversation(talk.state.feed(window_update(one.number, MOST_WINDOW - window)).state)
    assert exact.state.open_request_count == 1
    beyond = Conversation(talk.state)
    beyond.feed(window_update(one.number, MOST_WINDOW - window + 1))
    assert resets(beyond) == [(one.number, FLOW_CONTROL_ERROR)]


@pytest.mark.rfc("9113-6.9.1-b")
@pytest.mark.parametrize("size", [0, 1, 5000, 40_000])
def test_the_window_of_a_stream_is_exact_after_content(size: int) -> None:
    content = b"x" * size
    talk = opened((4, 50_000))
    overflowing(talk, talk.request("PUT", "/", [], (content,)), 50_000 - size)
    talk = opened((4, 50_000))
    one = talk.request("PUT", "/", [], None, True)
    talk.take(talk.state.stream_body(one, content))
    assert talk.state.body_window(one) == talk.state.send_window(one) == 50_000 - size
    overflowing(talk, one, 50_000 - size)


def test_a_cancel_names_its_request_and_counts_it_once() -> None:
    talk = opened()
    other = talk.request()
    one = talk.request("CONNECT", "other.example:443", [], None, True)
    talk.feed(talk.server.headers(one.number, [(":status", "200")]))
    assert talk.state.open_request_count == 2
    assert talk.state.end_body(one).ref == one
    # cancelled before and after the server ended its side
    for octets in (b"", frame(DATA, END_STREAM, one.number)):
        step = talk.state.feed(octets).state.cancel(one)
        assert step.ref == one
        assert step.state.open_request_count == 1
        (sent,) = frames_of(step.output)
        assert (sent.kind, sent.flags, sent.stream, sent.number) == (RST_STREAM, 0, one.number, 8)
    assert talk.state.cancel(other).state.open_request_count == 1
