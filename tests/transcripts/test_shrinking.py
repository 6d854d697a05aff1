"""Shrinking keeps the failure of a transcript, and rewrites frames, HPACK tables and refs to match."""

from __future__ import annotations

import io
import re
from itertools import pairwise
from typing import TYPE_CHECKING

import hpack as other
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mint
from mint import transcripts
from mint._command.block_edits import Tables, passed, rewritten
from mint._command.frame_edits import Numbers, Unit, Wire, edited, units
from mint._command.remaking import text
from mint._command.shrinking import shrink
from mint.testing import frames, hpack
from mint.testing import strategies as draws
from mint.transcripts._reading import Transcript, read_transcript

from .test_replay import put

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DIGITS = re.compile(r"\d+")
FIELDS = [("x-one", "1" * 20), ("server", "some server"), ("x-two", "two"), ("date", "Mon"), ("age", "7")]


def test_huffman_round_trip() -> None:
    octets = bytes(range(256)) * 2
    assert hpack.plain(hpack.huffman(octets)) == octets


@pytest.mark.parametrize(
    "octets", [b"\xff\xff\xff\xff", b"\xff", b"\x00\x00\x00", hpack.huffman(b"abc") + b"\xff", b"\x1e"]
)
def test_invalid_huffman_codes_are_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match="the string"):
        hpack.plain(octets)


# -- header blocks

PAIRS = st.lists(
    st.sampled_from(FIELDS) | st.tuples(st.sampled_from(["x", "age"]), st.text("ab", max_size=60)), max_size=5
)


def decoded(decoder: other.Decoder, block: bytes) -> list[tuple[str, str]]:
    return [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in decoder.decode(block, raw=True)
    ]


@given(
    st.lists(PAIRS, min_size=1, max_size=8),
    st.sampled_from([4096, 4096, 100, 60, 0]),
    st.sampled_from(["incremental", "without", "never"]),
    st.data(),
)
def test_blocks_decode_to_the_same_fields_after_others_are_removed(
    lists: list[list[tuple[str, str]]], size: int, indexing: hpack.Indexing, data: st.DataObject
) -> None:
    encoder = hpack.Encoder(size=size, indexing=indexing)
    decoder = other.Decoder(max_header_list_size=1 << 24)
    tables = Tables()
    for number, fields in enumerate(lists):
        if number:
            encoder.size = data.draw(st.sampled_from([size, 4096, 50]))
        before = encoder.size != encoder._announced
        block = encoder.encode(fields)
        if data.draw(st.booleans()) and not before:
            tables = passed(block, tables)
            continue
        gone = data.draw(st.sets(st.integers(0, 5)) | st.just(set[int]()))
        changes = {each + before: None for each in gone}
        block, tables = rewritten(block, tables, changes)
        made = decoded(decoder, block)
        assert made == [each for place, each in enumerate(fields) if place not in gone]


def test_a_value_can_be_replaced() -> None:
    encoder, decoder = hpack.Encoder(), other.Decoder()
    first, tables = rewritten(encoder.encode([("a", "long value")]), Tables(), {0: b"x"})
    second, _ = rewritten(encoder.encode([("a", "long value")]), tables)
    assert [*decoded(decoder, first), *decoded(decoder, second)] == [
        ("a", "x"),
        ("a", "long value"),
    ]


@pytest.mark.parametrize(
    "block",
    [b"\xff", b"\xbe", b"\x40\x01", b"\x40\x01a\x7fab", b"\x00\x81\x00\x00", b"\x80", b"\x82\xff"],
)
def test_an_invalid_part_of_a_block_is_not_changed(block: bytes) -> None:
    assert rewritten(block, Tables())[0] == block
    assert rewritten(b"\x88" + block, Tables(), {0: None})[0] == block
    for rest in (b"", b"\x82"):  # also what follows an index that is not in a table
        assert rewritten(block + rest, Tables(), {9: None})[0] == block + rest


# -- frames


@given(st.lists(draws.frames(), max_size=6), st.binary(max_size=12), st.data())
def test_without_edits_every_octet_is_kept(
    sent: list[frames.Frame], more: bytes, data: st.DataObject
) -> None:
    wire, numbers = Wire(), Numbers(step=2)
    for piece in data.draw(draws.pieces(frames.serialize(sent) + more)):
        found, _ = units(wire.held, piece)
        assert b"".join(unit.octets for unit in found) == piece
        made, wire, numbers = edited(piece, wire, numbers, {}, {})
        assert made == piece


@given(st.lists(draws.frames(), max_size=6), st.sets(st.integers(1, 6)), st.data())
def test_frames_of_any_kind_can_be_removed_and_renumbered(
    sent: list[frames.Frame], gone: set[int], data: st.DataObject
) -> None:
    """Only complete frames remain, even if their content is invalid."""
    octets = frames.serialize([*sent, frames.ping()])  # ends the last header block
    places = data.draw(st.sets(st.integers(0, 5)))
    made, wire, _ = edited(octets, Wire(), Numbers(step=2).without(*gone), dict.fromkeys(places), {})
    assert wire.held == b""
    whole = read_all(made)
    assert sum(frames.HEAD_SIZE + len(frame.payload) for frame in whole) == len(made)
    assert {frame.type for frame in whole} <= {frame.type for frame in [*sent, frames.ping()]}


def unit_of(*sent: frames.Frame) -> Unit:
    (found,), held = units(b"", frames.serialize(sent))
    assert held == b""
    return found


def test_all_frames_of_a_header_block_are_one_unit() -> None:
    block = hpack.literal("a", "b") + hpack.literal("c", "d")
    made = unit_of(
        frames.headers(1, block[:3], end_headers=False, padding=4),
        frames.continuation(1, block[3:4], end_headers=False),
        frames.continuation(1, block[4:]),
    )
    assert made.content == block
    assert made.with_content(block).octets == frames.headers(1, block).serialize()


@pytest.mark.parametrize(
    "frame",
    [
        frames.data(3, b"content", end=True),
        frames.headers(3, b"\x88", end=True),
        frames.push_promise(3, 2, b"\x82"),
        frames.goaway(3, 1, b"debug"),
        frames.settings((1, 2), (3, 4)),
        frames.ping(),
        frames.rst_stream(3),
        frames.window_update(3, 9),
    ],
    ids=str,
)
def test_a_frame_is_rebuilt_from_its_content(frame: frames.Frame) -> None:
    made = unit_of(frame)
    assert made.with_content(made.content).octets == frame.serialize()


@pytest.mark.parametrize("frame", [frames.data(3, b"content"), frames.rst_stream(3), frames.goaway(3, 1)])
def test_frames_get_the_new_stream_ids_of_their_requests(frame: frames.Frame) -> None:
    made, _, _ = edited(frame.serialize(), Wire(), Numbers(step=2).without(1), {}, {})
    head, payload = made[: frames.HEAD_SIZE], made[frames.HEAD_SIZE :]
    stream = int.from_bytes(head[5:]) or int.from_bytes(payload[:4])
    assert stream == 1


# -- whole transcripts


def outcome(transcript: Transcript) -> str:
    """Return the first error or failed request, or the types of all responses if there is none."""
    steps = transcripts.replay(io.StringIO(text(transcript)))
    for step in steps:
        if step.error is not None:
            return f"{type(step.error).__name__} {_DIGITS.sub('', str(step.error))}"
        for response in step.responses:
            if isinstance(response, mint.RequestFailed):
                return f"failed {type(response.error).__name__}"
    return " ".join(sorted({type(response).__name__ for step in steps for response in step.responses}))


def shrunk(recorded: str, shows: Callable[[Transcript], object] | None = None) -> Transcript:
    """Shrink a transcript, and check the properties that every result must have."""
    whole = read_transcript(io.StringIO(recorded))
    kind = outcome(whole)
    check = shows or (lambda candidate: outcome(candidate) == kind)
    best = whole
    for smaller in shrink(whole, lambda candidate: bool(check(candidate))):
        best = smaller
    assert check(best)
    assert len(text(best)) <= len(text(whole))
    assert len(best.parts) <= len(whole.parts)
    again = read_transcript(io.StringIO(text(best)))
    assert text(again) == text(best)
    mint.testing.replay(io.StringIO(text(best)))
    return best


def verbs(transcript: Transcript) -> list[str]:
    return [step.call for step in transcripts.replay(io.StringIO(text(transcript)))]


def sent_by(transcript: Transcript) -> list[frames.Frame]:
    """Return the frames that arrive in a transcript."""
    octets = b"".join(
        given
        for part in transcript.parts
        if not hasattr(part, "options") and part.call.verb == "feed"
        for given in part.call.arguments
        if isinstance(given, bytes)
    )
    return read_all(octets)


def read_all(octets: bytes) -> list[frames.Frame]:
    """Parse octets into frames."""
    made: list[frames.Frame] = []
    while len(octets) >= frames.HEAD_SIZE:
        length, head = frames.parse_head(octets[: frames.HEAD_SIZE])
        payload = octets[frames.HEAD_SIZE : frames.HEAD_SIZE + length]
        made.append(frames.Frame(head.type, head.flags, head.stream, payload))
        octets = octets[frames.HEAD_SIZE + length :]
    return made


def busy(
    wrong: Sequence[frames.Frame] = (),
    *,
    requests: int = 12,
    cuts: int = 0,
    encoder: hpack.Encoder | None = None,
) -> str:
    """Record many requests whose answers share an HPACK table, with the frames `wrong` between them."""
    encoder = hpack.Encoder()
    out = io.StringIO()
    conn: mint.Connection = mint.http2.initiate(
        mint.transport.Memory(), scheme="https", hostname="example.org", identity=7, record=out
    )
    refs = []
    for number in range(requests):
        conn, ref = conn.request("GET", f"/path/{number}", [("x-number", str(number))])
        refs.append(ref)
    sent = [frames.settings((3, 100)), frames.settings(ack=True)]
    for number, ref in enumerate(refs):
        fields = [(":status", "200"), *FIELDS[number % 3 :], ("x-number", str(number // 2))]
        sent.append(frames.headers(ref.number, encoder.encode(fields)))
        if number == requests * 2 // 3:
            sent += wrong
        sent += [frames.ping(bytes(8)), frames.data(ref.number, b"content", end=True, padding=3)]
    octets = frames.serialize(sent)
    for start, end in pairwise([*range(0, len(octets), cuts or len(octets)), len(octets)]):
        try:
            conn = put(conn, octets[start:end])
        except mint.HTTPError:
            break
    return out.getvalue()


@pytest.mark.parametrize("cuts", [0, 5])
@pytest.mark.parametrize(
    ("wrong", "kinds"),
    [
        ([frames.window_update(0, 0)], [frames.FrameType.WINDOW_UPDATE]),
        ([frames.headers(17, hpack.literal("a", "b")), frames.rst_stream(17)], [frames.FrameType.HEADERS]),
        ([frames.data(0, b"much content")], [frames.FrameType.DATA]),
        ([frames.settings((2, 7))], [frames.FrameType.SETTINGS]),
        ([frames.Frame(frames.FrameType.PING, 0, 0, b"short")], [frames.FrameType.PING]),
        ([frames.headers(17, b"\x88\xff\xff\xff", end=True)], [frames.FrameType.HEADERS]),
    ],
    ids=["window-of-0", "second-head", "data-on-0", "setting", "short-ping", "compression"],
)
def test_a_busy_connection_shrinks_to_the_frames_that_matter(
    wrong: list[frames.Frame], kinds: list[frames.FrameType], cuts: int
) -> None:
    best = shrunk(busy(wrong, cuts=cuts))
    assert len(best.parts) <= 3
    left = [frame.type for frame in sent_by(best)]
    assert left[-1:] == kinds
    assert len(left) <= 3
    assert len(text(best)) < 420


def test_a_response_keeps_fields_that_others_put_into_the_table() -> None:
    """The last response refers to table entries of the others; shrinking removes those responses."""
    best = shrunk(busy(), lambda each: '"x-two" "two"' in results(each))
    assert verbs(best) == ["connect", "request", "feed"]
    assert len(sent_by(best)) == 2  # SETTINGS is needed before any other frame
    assert "stream 1," in text(best)


def results(transcript: Transcript) -> str:
    steps = transcripts.replay(io.StringIO(text(transcript)))
    return "\n".join(line for step in steps for line in step.results)


def test_calls_use_the_new_refs_of_their_requests() -> None:
    out = io.StringIO()
    conn = mint.http2.initiate(
        mint.transport.Memory(), scheme="https", hostname="example.org", identity=7, record=out
    )
    for number in range(5):
        conn, _ = conn.request("GET", f"/{number}")
    conn, ref = conn.request("POST", "/upload", [], mint.STREAM)
    conn = conn.stream_request_body(ref, b"some content")
    conn = conn.cancel_request(ref)
    best = shrunk(out.getvalue(), lambda each: each_of(each, "cancel") and each_of(each, "stream_body"))
    assert verbs(best) == ["connect", "request", "stream_body", "cancel"]
    assert text(best).count("  ref 1\n") == 2


def each_of(transcript: Transcript, verb: str) -> bool:
    """Return whether a call of this name succeeds and sends something."""
    steps = transcripts.replay(io.StringIO(text(transcript)))
    return any(step.call == verb and step.error is None and step.output for step in steps)


def test_http1_calls_use_the_new_refs_of_their_requests() -> None:
    out = io.StringIO()
    conn: mint.Connection = mint.http1.initiate(
        mint.transport.Memory(), scheme="http", hostname="example.org", identity=7, record=out
    )
    for number in range(4):
        conn, _ = conn.request("GET", f"/{number}")
    conn, ref = conn.request("POST", "/upload", [("content-length", "4")], mint.STREAM)
    with pytest.raises(mint.MintError):
        conn.stream_request_body(ref, b"too much")
    best = shrunk(out.getvalue())
    assert verbs(best) == ["connect", "request", "stream_body"]
    assert "  ref 1\n" in text(best)


def test_a_refused_request_has_no_ref() -> None:
    out = io.StringIO()
    conn = mint.http2.initiate(
        mint.transport.Memory(), scheme="https", hostname="example.org", identity=7, record=out
    )
    with pytest.raises(mint.MintError) as caught:
        conn.request("GET", "/\n")
    conn = conn.after(caught.value)
    conn, ref = conn.request("POST", "/", [], mint.STREAM)
    conn.stream_request_body(ref, b"content")
    best = shrunk(out.getvalue(), lambda each: each_of(each, "stream_body"))
    assert verbs(best) == ["connect", "request", "stream_body"]


def test_forks_continue_from_the_step_before() -> None:
    out = io.StringIO()
    conn = mint.http2.initiate(
        mint.transport.Memory(), scheme="https", hostname="example.org", identity=7, record=out
    )
    conn, _ = conn.request("GET", "/one")
    conn.fork().request("GET", "/two")
    fork = conn.fork()
    fork, ref = fork.request("POST", "/three", [], mint.STREAM)
    fork.stream_request_body(ref, b"content")
    best = shrunk(out.getvalue(), lambda each: each_of(each, "stream_body"))
    assert verbs(best) == ["connect", "request", "stream_body"]
    assert "  from" not in text(best)


def test_values_get_shorter() -> None:
    out = io.StringIO()
    conn, _ = mint.http1.initiate(
        mint.transport.Memory(), scheme="http", hostname="a.long.example", identity=7, record=out
    ).request("PROPFIND", "/a/long/target", [("x-long", "value" * 20), ("x-other", "1")], b"content")
    with pytest.raises(mint.errors.InvalidContentLengthHeader):
        put(conn, b"HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 2x\r\n\r\nabc")
    best = text(shrunk(out.getvalue()))
    assert "  header" not in best
    assert "example" not in best
    assert "PROPFIND" not in best
    assert len(best) < 320


def http2_talk(data: st.DataObject) -> str:
    out = io.StringIO()
    link = mint.transport.Memory()
    conn = mint.http2.initiate(link, scheme="https", hostname="example.org", identity=7, record=out)
    sent = [frames.settings(), frames.settings(ack=True)]
    for number in range(data.draw(st.integers(1, 3))):
        conn, ref = conn.request("GET", f"/{number}")
        sent += data.draw(draws.frame_sequences(ref.number))
    if data.draw(st.booleans()):
        sent.insert(data.draw(st.integers(0, len(sent))), data.draw(draws.frames()))
    receive(conn, frames.serialize(sent), data)
    return out.getvalue()


def http1_talk(data: st.DataObject) -> str:
    out = io.StringIO()
    link = mint.transport.Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="example.org", identity=7, record=out)
    octets = b""
    for number in range(data.draw(st.integers(1, 3))):
        conn, _ = conn.request("GET", f"/{number}")
        octets += data.draw(draws.messages()).raw
    receive(conn, octets, data)
    return out.getvalue()


def receive(conn: mint.Connection, octets: bytes, data: st.DataObject) -> None:
    """Receive octets, perhaps damaged, in random pieces; then fork the last value."""
    octets = data.draw(st.just(octets) | draws.damaged(octets))
    for piece in data.draw(draws.pieces(octets)) if octets else []:
        try:
            conn = put(conn, piece)
        except mint.MintError:
            return
    conn.fork().close()


@settings(max_examples=12, deadline=None)
@pytest.mark.parametrize("talk", [http1_talk, http2_talk])
@given(data=st.data())
def test_a_shrunk_transcript_has_the_same_outcome_and_is_not_longer(
    talk: Callable[[st.DataObject], str], data: st.DataObject
) -> None:
    shrunk(talk(data))
