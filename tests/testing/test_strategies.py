"""The strategies draw what they promise, as other parsers and mint confirm."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any  # h2 has untyped events

import h2.config
import h2.connection
import h2.events
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import mint
from mint.testing import Origin, Response, ScriptedServer, ScriptError, Step, build, http2, memory, strategies
from mint.testing.frames import Frame, parse_head, serialize
from mint.testing.steps import Close, Drain, MayEnd, Pause, Reset, ShutWrite, Truncate

from .clients import GET, dial, read_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from mint.types import ProtocolName


DILIGENT = settings(max_examples=10_000, database=None, phases=[Phase.generate])


def sent_by_h2() -> tuple[h2.connection.H2Connection, bytes]:
    client = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
    client.initiate_connection()
    start = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")]
    client.send_headers(1, start, end_stream=True)
    client.receive_data(http2.settings().serialize())
    return client, client.data_to_send()


@given(strategies.frame_sequences())
def test_sequences_of_frames_are_one_response(frames: list[Frame]) -> None:
    client, _ = sent_by_h2()
    events: list[Any] = client.receive_data(serialize(frames))
    kinds = [type(event) for event in events]
    assert kinds.count(h2.events.ResponseReceived) == 1
    assert kinds.count(h2.events.StreamEnded) == 1
    body = b"".join(event.data for event in events if isinstance(event, h2.events.DataReceived))
    conn, server = memory.http2()
    conn, _ = conn.request("GET", "/")
    server.send(*frames)
    conn, responses = server.deliver(conn)
    assert b"".join(each.data for each in responses if isinstance(each, mint.Data)) == body
    assert isinstance(responses[-1], mint.Done)


@given(strategies.messages())
def test_mint_reads_the_messages(message: strategies.RawMessage) -> None:
    """It drops trailers that must not be sent as such, so none of them is drawn."""
    conn, server = memory.http1()
    conn, _ = conn.request("GET", "/")
    server.send(message.raw)
    conn, responses = server.deliver(conn)
    trailers = [each.headers for each in responses if isinstance(each, mint.Trailers)]
    assert trailers == ([message.trailers] if message.trailers else [])
    assert b"".join(each.data for each in responses if isinstance(each, mint.Data)) == message.body
    assert isinstance(responses[-1], mint.Done)


@pytest.mark.parametrize("http_2", [False, True])
@given(trailers=strategies.trailers(min_size=1))
def test_trailers_may_be_sent_and_received_as_such(http_2: bool, trailers: list[tuple[str, str]]) -> None:
    if http_2:
        conn, server = memory.http2()
        conn, ref = conn.request("POST", "/", (), mint.STREAM)
        conn = conn.stream_request_body(ref, mint.Eof(tuple(trailers)))
        start = http2.headers(1, [(":status", "200")])
        server.send(start, http2.headers(1, trailers, end=True))
        conn, responses = server.deliver(conn)
    else:
        other, server = memory.http1()
        other, ref = other.request("POST", "/", (), mint.STREAM)
        other = other.stream_request_body(ref, mint.Eof(tuple(trailers)))
        server.send(build.chunked_response(b"x", trailers=trailers))
        other, responses = server.deliver(other)
    assert [each.headers for each in responses if isinstance(each, mint.Trailers)] == [tuple(trailers)]


@given(strategies.frames())
def test_every_frame_is_well_formed(frame: Frame) -> None:
    octets = frame.serialize()
    length, head = parse_head(octets[:9])
    assert (length, head.type, head.stream) == (len(octets) - 9, frame.type, frame.stream)


@given(strategies.responses())
@settings(max_examples=25)
def test_an_origin_can_send_every_response(response: Response) -> None:
    with Origin(lambda _: response) as origin, dial(origin) as sock:
        sock.sendall(GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        assert f"\nHTTP/1.1 {response.status}".encode() in b"\n" + read_all(sock)


@pytest.mark.parametrize("http_2", [False, True])
def test_every_behaviour_ends(http_2: bool) -> None:
    outcomes: list[str] = []

    @given(strategies.behaviours(http_2=http_2))
    @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    def meet(steps: tuple[Step, ...]) -> None:
        # If the client gives up before the handshake is complete, the script rightly fails.
        with suppress(ScriptError), ScriptedServer(steps) as server:
            protocols: tuple[ProtocolName, ...] = ("http2",) if http_2 else ("http1",)
            with mint.connect("http", server.address, server.port, protocols=protocols) as conn:
                conn, _ = conn.request("GET", "/")
                try:
                    while conn.open_request_count:
                        conn, responses = conn.recv(timeout=0.05)
                        if any(isinstance(each, mint.RequestFailed) for each in responses):
                            outcomes.append("failed")
                except mint.errors.MintError as error:
                    outcomes.append(type(error).__name__)
                else:
                    outcomes.append("whole")

    meet()
    assert {"whole"} < set(outcomes), "both correct and faulty servers must be drawn"


def every_damage(data: bytes) -> set[bytes]:
    """Return what `damaged` may make of data: one byte changed, lost or added, or the end missing."""
    some = [bytes((octet,)) for octet in range(256)]
    made = {data[:at] for at in range(len(data))}
    for at in range(len(data)):
        made |= {data[:at] + data[at + 1 :], *(data[:at] + octet + data[at + 1 :] for octet in some)}
        made |= {data[:at] + octet + data[at:] for octet in some}
    return made or {data}


@given(st.binary(max_size=4), st.data())
def test_damaged_data(data: bytes, drawn: st.DataObject) -> None:
    assert drawn.draw(strategies.damaged(data)) in every_damage(data)


@pytest.mark.parametrize(
    "kind", [b"", b"a", b"ab", b"bc", b"ac", b"[^a]bc", b"a[^b]c", b"ab[^c]", b".abc", b"a.bc", b"ab.c"]
)
def test_each_kind_of_damage_is_drawn(kind: bytes) -> None:
    pattern = re.compile(kind, re.DOTALL)
    find(strategies.damaged(b"abc"), lambda made: pattern.fullmatch(made) is not None, settings=DILIGENT)


def types_of(sent: list[Frame]) -> list[int]:
    return [frame.type for frame in sent]


# What the frames of a response may be like.
FRAMES: dict[str, Callable[[list[Frame]], bool]] = {
    "no content": lambda sent: http2.FrameType.DATA not in types_of(sent),
    "several parts": lambda sent: types_of(sent).count(http2.FrameType.DATA) > 1,
    "trailers": lambda sent: types_of(sent).count(http2.FrameType.HEADERS) == 2,
    "a divided block": lambda sent: http2.FrameType.CONTINUATION in types_of(sent),
    "padding": lambda sent: any(
        frame.type == http2.FrameType.DATA and frame.flags & http2.PADDED for frame in sent
    ),
    "no padding": lambda sent: any(
        frame.type == http2.FrameType.DATA and not frame.flags & http2.PADDED for frame in sent
    ),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_of_each_kind_are_drawn(name: str) -> None:
    find(strategies.frame_sequences(), FRAMES[name], settings=DILIGENT)


@pytest.mark.parametrize("kind", [http2.FrameType.PING, http2.FrameType.WINDOW_UPDATE, 0xBB])
@pytest.mark.parametrize("following", [http2.FrameType.DATA, http2.FrameType.HEADERS])
def test_frames_of_the_connection_are_drawn_in_between(kind: int, following: int) -> None:
    def has_pair(sent: list[Frame]) -> bool:
        return (kind, following) in pairwise(types_of(sent))

    find(strategies.frame_sequences(), has_pair, settings=DILIGENT)


# What responses over HTTP/1 may be like.
MESSAGES: dict[str, Callable[[strategies.RawMessage], bool]] = {
    "content-length": lambda made: b"\r\ncontent-length: " in made.raw,
    "chunked": lambda made: b"\r\ntransfer-encoding: chunked\r\n" in made.raw,
    "trailers": lambda made: bool(made.trailers),
    "fields": lambda made: len(made.fields) > 1,
    "content": lambda made: len(made.body) > 1,
    "no content": lambda made: not made.body,
    "204": lambda made: made.status == 204,
    "304": lambda made: made.status == 304,
    "an error": lambda made: made.status >= 400,
    "several chunks": lambda made: b"chunked" in made.raw and made.raw.count(b"\r\n") > 12,
}


@pytest.mark.parametrize("name", MESSAGES)
def test_responses_of_each_kind_are_drawn(name: str) -> None:
    find(strategies.messages(), MESSAGES[name], settings=DILIGENT)


ENDINGS = (Close, Reset, Truncate, Drain, ShutWrite)


@pytest.mark.parametrize("http_2", [False, True])
@pytest.mark.parametrize("kind", [*ENDINGS, Pause])
def test_scripts_with_each_step_are_drawn(kind: type[Step], http_2: bool) -> None:
    def has_step(steps: tuple[Step, ...]) -> bool:
        *_, last = steps
        assert isinstance(last, MayEnd)
        return any(isinstance(step, kind) for step in last.steps)

    find(strategies.behaviours(http_2=http_2), has_step, settings=DILIGENT)
