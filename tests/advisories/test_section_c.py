"""Frames that made other HTTP/2 and HPACK implementations use too much memory or time, or lose their state.

Each case has the id of its advisory. The rules are 9, 13 to 22, and 38 to 40 of test_rules.py. Floods
arrive at a whole connection over an in-memory link, once with a server that reads what is sent to it and once
with one that does not.
"""

from __future__ import annotations

import struct
import time
import tracemalloc

import pytest

import mint
from mint import errors
from mint._core.hpack import Decoder
from mint.testing import frames as f
from mint.transport import Memory
from tests.http2_driver import (
    COMPRESSION_ERROR,
    ENHANCE_YOUR_CALM,
    OK,
    PROTOCOL_ERROR,
    assert_breach,
    assert_stream_error,
    data,
    failure,
    frame,
    goaway,
    kinds,
    opened,
    ping,
    reset,
    resets,
    settings,
    updates,
    window_update,
)
from tests.refs import ref_of

MANY = 100_000
ROUND = 500  # frames per read


def connected(*, max_resets: int = 1_000, timed: bool = False) -> tuple[mint.HTTP2, Memory]:
    """Return a connection that has exchanged SETTINGS, and its link; with `timed`, its clock stands still."""
    link = Memory(clock=(lambda: 5.0) if timed else None)
    conn = mint.http2.initiate(
        link, scheme="https", hostname="example.org", port=443, http2=mint.HTTP2Options(max_resets=max_resets)
    )
    link.take()
    link.put(f.serialize([f.settings(), f.settings(ack=True)]))
    conn, _ = conn.recv()
    link.take()
    return conn, link


def flood(conn: mint.HTTP2, link: Memory, octets: bytes, *, reading: bool) -> tuple[mint.MintError, int, int]:
    """Feed up to MANY of these frames; return the error, the number of frames fed, and the peak of memory."""
    fed = 0
    tracemalloc.start()
    try:
        while fed < MANY:
            link.put(octets * ROUND)
            fed += ROUND
            conn, _ = conn.recv()
            if reading:
                link.take()
    except mint.MintError as error:
        return error, fed, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    pytest.fail(f"{fed} frames were accepted")


EMPTY_HEADERS = f.headers(1, b"", end_headers=False).serialize()
FLOODS = [
    ("CVE-2019-9512", f.ping().serialize()),
    ("CVE-2019-9512-ack", f.ping(ack=True).serialize()),
    ("CVE-2019-9513", f.priority(1, 3).serialize()),
    ("CVE-2019-9513-idle", f.priority(99, 1).serialize()),
    ("CVE-2019-9515", f.settings().serialize()),
    ("CVE-2019-9515-ack", f.settings(ack=True).serialize()),
    ("CVE-2020-11080", f.settings(*((1, size) for size in range(32))).serialize()),
    ("CVE-2019-9518", f.data(1).serialize()),
    ("RUSTSEC-2026-0258", f.data(1, padding=0).serialize()),
    ("CVE-2019-9511", f.window_update(0, 1).serialize()),
    ("CVE-2019-9511-stream", f.window_update(1, 1).serialize()),
    ("late-window", f.window_update(3, 1).serialize()),
    ("CVE-2023-44487", f.rst_stream(3).serialize()),
    ("unknown", f.Frame(0xFA, 0, 0, b"x").serialize()),
    ("CVE-2018-1000168", f.Frame(0x0A, 0, 0, b"").serialize()),
    ("goaway", f.goaway(2**31 - 1).serialize()),
    ("late-data", f.data(3).serialize()),
    ("late-headers", f.headers(3, b"\x88").serialize()),
]


@pytest.mark.parametrize("reading", [True, False], ids=["reading", "stalled"])
@pytest.mark.parametrize("octets", [pytest.param(octets, id=name) for name, octets in FLOODS])
def test_r17_floods_end_the_connection(octets: bytes, *, reading: bool) -> None:
    """Stream 1 has received a head and waits for content; stream 3 was reset by the client."""
    conn, link = connected(timed=True)
    conn, first = conn.request("GET", "/")
    conn, second = conn.request("GET", "/")
    conn = conn.cancel_request(second)
    link.put(f.headers(1, ((":status", "200"),)).serialize())
    conn, _ = conn.recv()
    link.take()
    error, fed, peak = flood(conn, link, octets, reading=reading)
    assert isinstance(error, errors.EnhanceYourCalm)
    assert fed <= 10_000 + ROUND
    assert peak < 3_000_000
    assert len(link.take()) < 200_000
    failed = error.responses[-1]
    assert isinstance(failed, mint.RequestFailed)
    assert failed.ref == first
    assert not conn.after(error).is_open("read")


@pytest.mark.parametrize("reading", [True, False], ids=["reading", "stalled"])
def test_r17_the_queue_of_replies_is_bounded(*, reading: bool) -> None:
    """CVE-2019-9512, CVE-2019-9515: if the peer does not read the replies, the limit is reached earlier."""
    conn, link = connected(timed=True)
    error, fed, _ = flood(conn, link, f.ping().serialize(), reading=reading)
    assert isinstance(error, errors.EnhanceYourCalm)
    assert (fed <= 1_000 + ROUND) is not reading


def test_r17_replies_that_were_taken_do_not_count() -> None:
    """A server may ping for years, over a link whose output the caller takes."""
    conn, link = connected()
    for _ in range(30_000):
        link.put(f.ping().serialize())
        conn, responses = conn.recv()
        assert responses == []
        assert len(link.take()) == 17


def test_r17_useful_traffic_is_no_flood() -> None:
    """CVE-2019-9511: small frames with content are slow but valid; window updates are sent in batches."""
    conn, link = connected()
    conn, ref = conn.request("GET", "/")
    link.put(f.headers(1, ((":status", "200"),)).serialize())
    conn, _ = conn.recv()
    link.take()
    got = sent = 0
    for _ in range(MANY // ROUND):
        link.put(f.data(1, b"x").serialize() * ROUND)
        conn, responses = conn.recv()
        got += sum(len(each.data) for each in responses if isinstance(each, mint.Data))
        sent += len(link.take())
    assert got == MANY
    assert sent < 200
    assert conn.open_request_count == 1
    assert ref.number == 1


CONTINUATIONS = [
    ("CVE-2026-49754", b"\x00"),
    ("CVE-2024-27316", b"\x00" * 16_000),
    ("CVE-2026-59246", b""),
    ("CVE-2016-1544", b"\x00\x01a\x7f\x00" + b"v" * 127),
]


@pytest.mark.parametrize("promised", [False, True])
@pytest.mark.parametrize("piece", [pytest.param(piece, id=name) for name, piece in CONTINUATIONS])
def test_r13_blocks_that_never_end(piece: bytes, *, promised: bool) -> None:
    talk = opened(mine=(("enable_push", 1),) if promised else ())
    talk.request()
    begin = f.push_promise(1, 2, b"", end_headers=False) if promised else f.headers(1, b"", end_headers=False)
    talk.feed(begin.serialize())
    fed = 0
    while not talk.closed:
        talk.feed(frame(9, 0, 1, piece))
        fed += 1
    fault = assert_breach(talk, ENHANCE_YOUR_CALM, "enhance_your_calm")
    assert fault.name in {"max_continuations", "max_header_block"}
    assert fed <= 17


def test_r13_no_work_after_the_limit() -> None:
    """CVE-2023-45288: after the limit is exceeded, nothing more of the block is decoded."""
    talk = opened(max_fields=10)
    talk.request()
    talk.feed(talk.server.headers(1, [*OK, *((f"x-{i}", "y" * 100) for i in range(20))], cuts=3))
    assert_breach(talk, ENHANCE_YOUR_CALM, "too_many_headers")
    assert [one.kind for one in talk.sent if one.kind != 1] == [7]


@pytest.mark.parametrize("enabled", [False, True])
def test_r16_floods_of_promises(*, enabled: bool) -> None:
    """CVE-2026-48862: without push, a promise is an error; with it, few are kept, and the others count."""
    talk = opened(mine=(("enable_push", int(enabled)),), max_reserved=10)
    talk.request()
    fields = [(":method", "GET"), (":scheme", "https"), (":authority", "example.org"), (":path", "/")]
    promised = 0
    tracemalloc.start()
    while not talk.closed and promised < MANY:
        promised += 2
        talk.feed(talk.server.promise(1, promised, fields))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    if not enabled:
        assert_breach(talk, PROTOCOL_ERROR, "protocol_error")
        assert promised == 2
        return
    assert_breach(talk, ENHANCE_YOUR_CALM, "enhance_your_calm")
    assert kinds(talk.events).count("pushpromise:1") == 10
    assert promised <= 2 * (1_000 + 11)
    assert peak < 3_000_000


@pytest.mark.parametrize("authority", ["other.example", "example.org:80", "u@example.org", ""])
def test_r16_promises_for_others_are_refused(authority: str) -> None:
    """GHSA-36w4-95hv-5vwg, CVE-2024-2398: a promise for another authority is reset, and leaves nothing."""
    talk = opened(mine=(("enable_push", 1),), max_remembered=0)
    talk.request()
    fields = [(":method", "GET"), (":scheme", "https"), (":authority", authority), (":path", "/")]
    before = talk.state.__sizeof__()
    talk.feed(talk.server.promise(1, 2, fields))
    assert resets(talk) == [(2, PROTOCOL_ERROR)]
    assert talk.events == []
    assert talk.state.__sizeof__() == before


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"\x7f" + b"\xff" * 10_000, id="CVE-2026-58226"),
        pytest.param(b"\x7f" + b"\x80" * 10_000 + b"\x00", id="CVE-2026-58226-zeros"),
        pytest.param(b"\xff" + b"\xff" * 10 + b"\x7f", id="GHSA-8v8h-hg4w-mvq2"),
        pytest.param(b"\x00\x7f" + b"\xff" * 5 + b"\x01", id="CVE-2026-59248"),
        pytest.param(b"\xff\xff\xff\xff\xff\x0f", id="RUSTSEC-2023-0085-index"),
        pytest.param(b"\x3f\xff\xff\xff\xff\x0f", id="RUSTSEC-2023-0085-size"),
        pytest.param(b"\x00\x85\xff\xff\xff\xff\xff\x00", id="RUSTSEC-2023-0085-huffman"),
        pytest.param(b"\x80", id="index-0"),
        pytest.param(b"\x00", id="cut"),
    ],
)
def test_r14_invalid_hpack_ends_the_connection(block: bytes) -> None:
    talk = opened()
    talk.request()
    talk.feed(f.headers(1, block).serialize())
    assert_breach(talk, COMPRESSION_ERROR, "compression_error")


def test_r22_an_error_is_raised_although_the_goaway_cannot_be_sent() -> None:
    """CVE-2025-59465: if the GOAWAY cannot be written, the error of the peer is raised all the same."""

    class Dying(Memory):
        def send(self, pieces: tuple[bytes, ...], *, flush: bool) -> None:
            if b"\x07" in {piece[3:4] for piece in pieces}:
                raise errors.TransportReset
            super().send(pieces, flush=flush)

    link = Dying()
    conn = mint.http2.initiate(link, scheme="https", hostname="example.org")
    conn, ref = conn.request("GET", "/")
    link.put(f.serialize([f.settings(), f.headers(1, b"\x80" * 10_000)]))
    with pytest.raises(errors.CompressionError) as caught:
        conn.recv()
    (failed,) = caught.value.responses
    assert isinstance(failed, mint.RequestFailed)
    assert failed.ref == ref
    assert not conn.after(caught.value).is_open("read")


@pytest.mark.parametrize("octet", range(256))
def test_r22_any_octet_in_a_value_is_accepted_or_malformed(octet: int) -> None:
    """jh2 5.0.11, RUSTSEC-2023-0085: no octet in a value causes more than a stream error."""
    for place in (bytes([octet]), b"a" + bytes([octet]) + b"b"):
        talk = opened()
        talk.request()
        block = b"\x88\x00\x01x" + bytes([len(place)]) + place
        talk.feed(f.headers(1, block, end=True).serialize())
        assert not talk.closed
        bad = octet in {0, 10, 13} or (place[:1] in b" \t" and len(place) == 1)
        if bad:
            assert failure(talk).reason == "malformed_response"
        elif 32 < octet < 127 or octet > 127:
            assert kinds(talk.events)[-1] == "done:1"


BOMBS = [
    ("CVE-2016-6581", b"\x40\x01a\x7f\x81\x1e" + b"v" * 3997 + b"\xbe" * 20_000),
    ("CVE-2026-49975", b"\x88" + b"\x40\x01a\x01b" + b"\xbe" * 4_000),
    ("CVE-2026-49975-crumbs", b"\x88" + b"\x40\x06cookie\x01b" + b"\xbe" * 4_000),
    ("CVE-2026-65624", b"\x88" + b"\x00\x01a\x01b" * 600),
    ("CVE-2022-41717", b"\x88" + b"".join(b"\x40\x03a%02x\x00" % (i % 256) for i in range(600))),
]


@pytest.mark.parametrize("block", [pytest.param(block, id=name) for name, block in BOMBS])
def test_r15_small_blocks_with_many_fields(block: bytes) -> None:
    """All field lines are counted, also duplicates and pieces of cookies; each costs 32 octets more."""
    talk = opened()
    talk.request()
    tracemalloc.start()
    first, rest = block[:16_384], block[16_384:]
    talk.feed(f.headers(1, first, end=True, end_headers=not rest).serialize())
    if rest:
        talk.feed(f.continuation(1, rest).serialize())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert talk.closed
    assert talk.faults[-1].reason in {
        "too_many_headers",
        "max_header_list_size_exceeded",
    }
    assert peak < 1_000_000


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"\x82" * 10_000, id="indexed"),
        pytest.param(b"\x40\x01a\x00" * 10_000, id="inserted"),
        pytest.param(b"\x00\x01a\x7f\xa1\x4d" + b"\x9f" * 10_000, id="CVE-2022-41723"),
    ],
)
def test_r09_decoding_is_linear(block: bytes) -> None:
    def seconds(octets: bytes) -> float:
        best = 1e9
        for _ in range(3):
            begun = time.process_time()
            Decoder(4096).decode(octets, 1 << 30, 1 << 20)
            best = min(best, time.process_time() - begun)
        return best

    small = (
        b"\x00\x01a\x7f\x81\x04" + b"\x9f" * 640
        if block[2:3] == b"a" and len(block) < 10_010
        else block[:640]
    )
    assert seconds(block) < 64 * seconds(small) + 0.1


def test_r18_resets_that_the_peer_causes_are_counted() -> None:
    """CVE-2025-8671, RUSTSEC-2024-0003, RUSTSEC-2025-0070: the peer makes the client reset every stream."""
    conn, link = connected()
    for number in range(1, 2 * 1_100, 2):
        conn, _ = conn.request("GET", "/")
        link.put(f.window_update(number, 0).serialize())
        try:
            conn, (failed,) = conn.recv()
        except errors.EnhanceYourCalm:
            assert number == 2 * 1_000 + 1
            break
        assert isinstance(failed, mint.RequestFailed)
        link.take()
    else:
        pytest.fail("the connection accepts any number of resets")


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("code", [f.ErrorCode.REFUSED_STREAM, f.ErrorCode.INTERNAL_ERROR, f.ErrorCode.CANCEL])
def test_r18_resets_of_requests_are_not_limited_and_nothing_is_sent_again(
    code: f.ErrorCode, timed: bool
) -> None:
    """CVE-2023-44487, CVE-2023-26964 for a client: a busy server may reset any number of requests."""
    conn, link = connected(timed=timed)
    for number in range(1, 2 * 3_000, 2):
        conn, _ = conn.request("GET", "/")
        link.take()
        link.put(f.rst_stream(number, code).serialize())
        conn, (failed,) = conn.recv()
        assert isinstance(failed, mint.RequestFailed)
        refused = code == f.ErrorCode.REFUSED_STREAM
        assert failed.error.processed is (mint.Processed.NO if refused else mint.Processed.MAYBE)
        assert link.take() == b""


@pytest.mark.parametrize("requested", [False, True])
@pytest.mark.parametrize("size", [0, 1, 16_383, 2**24, 2**32 - 1])
def test_r19_frame_sizes_out_of_range(size: int, *, requested: bool) -> None:
    """CVE-2026-33814: before the first request, and with an open one."""
    talk = opened()
    if requested:
        talk.request("POST", "/", (), None, True)
    talk.feed(settings((5, size)))
    assert_breach(talk, PROTOCOL_ERROR, "protocol_error")


def test_r19_settings_at_their_extremes() -> None:
    talk = opened((1, 0), (3, 0), (4, 0), (5, 2**24 - 1), (6, 0))
    assert talk.refuse().reason in {"too_many_concurrent_requests", "max_header_list_size_exceeded"}
    talk.feed(settings((1, 2**32 - 1), (3, 2**32 - 1), (4, 2**31 - 1), (6, 2**32 - 1)))
    number = talk.request("POST", "/", (), None, True)
    assert talk.state.send_window(number) == 2**31 - 1
    talk.feed(talk.server.answer(1, b"fine"))
    assert "done:1" in kinds(talk.events)


@pytest.mark.parametrize("count", [33, 2_700])
def test_r19_a_frame_of_too_many_settings(count: int) -> None:
    """CVE-2020-11080: the length in the frame header suffices to refuse it."""
    talk = opened()
    talk.feed(settings(*((1, 1),) * count)[:9])
    assert_breach(talk, ENHANCE_YOUR_CALM, "enhance_your_calm")


def test_r20_empty_content_is_not_credited() -> None:
    """Issue 239 of the Elixir client Mint: no WINDOW_UPDATE of 0 is sent after an empty DATA frame."""
    talk = opened()
    talk.request()
    talk.feed(talk.server.headers(1, OK), data(1), data(1), data(1, b"", end=True))
    assert updates(talk) == []
    assert kinds(talk.events)[-1] == "done:1"


def test_r20_content_of_cancelled_requests_is_credited() -> None:
    """Issue 1210 of h2: after a hundred cancelled downloads, the connection window still permits the next."""
    talk = opened(connection_window_size=65_535)
    for _ in range(100):
        number = talk.request()
        talk.feed(talk.server.headers(number.number, OK), data(number.number, b"x" * 2_000))
        talk.take(talk.state.cancel(number))
        talk.feed(data(number.number, b"x" * 8_000), data(number.number, b"x" * 4_000, padding=200))
    assert not talk.closed
    last = talk.request()
    talk.events.clear()
    talk.feed(talk.server.answer(last.number, b"x" * 16_000))
    assert kinds(talk.events)[-1] == f"done:{last.number}"
    assert sum(increment for stream, increment in updates(talk) if stream == 0) > 1_300_000


@pytest.mark.parametrize("stream", [0, 1, 2, 3, 99], ids=["0", "open", "idle-even", "closed", "idle"])
@pytest.mark.parametrize("payload", [b"", b"\0" * 4, b"\0" * 8, b"\xff" * 12], ids=["0", "4", "8", "12"])
def test_r21_all_types_on_all_streams(stream: int, payload: bytes) -> None:
    """CVE-2026-27141: each frame gives events or a typed error, and unknown types have no effect."""
    for kind in range(256):
        for flags in (0, 0xFF):
            talk = opened()
            talk.request()
            talk.request()
            talk.feed(talk.server.answer(3))
            talk.drop()
            step = talk.feed(frame(kind, flags, stream, payload))
            if kind > 9 and kind != 0x10:  # only clients may send PRIORITY_UPDATE (RFC 9218 7.1)
                assert (step.responses, step.output, step.fault) == ([], (), None)
            # A GOAWAY may be a fault without closing the connection, or close it without a fault.
            assert kind == 7 or talk.closed is (step.fault is not None)
            for event in talk.events:
                assert ref_of(event).number in {1, 2, 3}


@pytest.mark.parametrize(
    "fatal",
    [
        pytest.param(settings((2, 1)), id="protocol"),
        pytest.param(f.headers(1, b"\x80").serialize(), id="compression"),
        pytest.param(window_update(0, 2**31 - 1), id="flow-control"),
        pytest.param(frame(6, 0, 0, b"short"), id="frame-size"),
        pytest.param(b"\xff" * 9, id="rubbish"),
    ],
)
def test_r21_after_a_fatal_error_nothing_is_read(fatal: bytes) -> None:
    """CVE-2026-27135: after the error, frames of every type are ignored."""
    talk = opened()
    talk.request()
    talk.feed(fatal)
    assert talk.closed
    over = talk.state
    for kind in range(256):
        for stream in (0, 1, 2, 3):
            step = over.feed(frame(kind, 0xFF, stream, b"\0" * 8))
            assert (step.state, step.responses, step.output, step.fault) == (over, [], (), None)
    together = opened()
    together.request()
    step = together.feed(fatal + b"".join(frame(kind, 0, 1, b"\0" * 8) for kind in range(256)))
    assert [type(event).__name__ for event in step.responses] == ["Failed"]
    assert over.feed_eof(True).responses == []


@pytest.mark.parametrize("payload", [b"", b"\0", b"\0\xff", b"\xff" * 300], ids=str)
@pytest.mark.parametrize("stream", [0, 1, 2, 99])
def test_r21_altsvc_is_ignored(payload: bytes, stream: int) -> None:
    """CVE-2018-1000168: ALTSVC frames are ignored, whatever their payload is."""
    talk = opened()
    talk.request()
    step = talk.feed(frame(0x0A, 0, stream, payload))
    assert (step.responses, step.output, step.fault) == ([], (), None)


def test_r38_trailers_are_fields() -> None:
    """CVE-2018-1000005: an empty name, a colon in a name, and pseudo-headers are refused in trailers."""
    for name in (":", "", ":status", "a:", "A"):
        talk = opened()
        talk.request()
        block = b"\x00" + bytes([len(name)]) + name.encode() + b"\x01x"
        talk.feed(talk.server.headers(1, OK), data(1, b"body"), f.headers(1, block, end=True).serialize())
        assert_stream_error(talk, PROTOCOL_ERROR, "malformed_response")


def test_r39_one_host() -> None:
    """CVE-2026-71554: a second host field is refused, even with the same value."""
    for headers in ([("host", "a"), ("host", "b")], [("host", "a"), ("Host", "a")]):
        assert opened().refuse("GET", "/", headers).local


@pytest.mark.parametrize("octet", [0, 10, 13])
def test_r39_names_and_values_contain_no_line_ends(octet: int) -> None:
    """CVE-2025-57804: CR, LF and NUL are refused in requests and in responses."""
    mark = bytes([octet])
    for name, value in ((b"a" + mark + b"b", b"c"), (b"a", b"b" + mark + b"c")):
        assert opened().refuse("GET", "/", [(name.decode(), value.decode())]).local
        talk = opened()
        talk.request()
        block = b"\x88\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value
        talk.feed(f.headers(1, block, end=True).serialize())
        assert_stream_error(talk, PROTOCOL_ERROR, "malformed_response")


def test_r39_h2_lengths_are_digits() -> None:
    for value in ("+0", "-0", "0x0", "0_0", "", "5 5", "5,6", "9" * 19, "\xb2"):
        talk = opened()
        talk.request()
        talk.feed(talk.server.headers(1, [*OK, ("content-length", value)], end=True))
        assert failure(talk).reason == "malformed_response"


def test_r40_a_goaway_and_a_reset_leave_no_request() -> None:
    """CVE-2023-35945: GOAWAY and RST_STREAM in either order leave no open request."""
    for octets in (goaway(1) + reset(1), reset(1) + goaway(1), goaway(0) + reset(1), goaway(0) + goaway(0)):
        talk = opened()
        talk.request()
        talk.feed(octets)
        assert talk.closed
        assert kinds(talk.events) == ["failed:1"]
        assert talk.state.open_request_count == 0
        assert talk.state.feed(reset(1)).state is talk.state


def test_r40_a_broken_transport_frees_everything_in_any_state() -> None:
    """CVE-2025-23085, CVE-2026-21714, CVE-2026-10536, CVE-2022-27664: no request or memory is left."""
    talk = opened(mine=(("enable_push", 1),))
    promised = [(":method", "GET"), (":scheme", "https"), (":authority", "example.org"), (":path", "/")]
    script = [
        talk.server.headers(1, OK, cuts=2),
        data(1, b"x" * 100, padding=5),
        talk.server.promise(1, 2, promised),
        frame(2, 0, 1, struct.pack(">IB", 3, 16)),
        ping(),
        window_update(1, 2**31 - 70_000),
        window_update(1, 70_000),
        goaway(1, 2, b"debug"),
    ]
    whole = b"".join(script)
    talk.request("POST", "/", (), None, True)

    def run() -> None:
        for cut in range(len(whole)):
            state = talk.state.feed(whole[:cut]).state
            over = state.feed_eof(False).state
            assert over.open_request_count == 0
            assert state.close().state.open_request_count == 0

    run()
    tracemalloc.start()
    run()
    before, _ = tracemalloc.get_traced_memory()
    run()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 20_000


def test_r40_closed_streams_are_forgotten() -> None:
    """Of ten thousand cancelled streams, only the latest thousand are remembered."""
    conn, link = connected(max_resets=100_000)
    tracemalloc.start()
    for _ in range(10_000):
        conn, ref = conn.request("GET", "/")
        conn = conn.cancel_request(ref)
        link.take()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 500_000
