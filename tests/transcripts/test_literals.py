"""The lines of a transcript: octets, frames, faults, calls and results, entry by entry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mint._core import http1, http2
from mint._core.events import (
    CLOSE,
    KEEP,
    SHUT_WRITE,
    AltSvc,
    Data,
    Done,
    Event,
    Failed,
    GoAway,
    Headers,
    Informational,
    Origins,
    Pong,
    PushPromise,
    RequestRef,
    ServerSettings,
    Status,
    StatusReason,
    Step,
    Trailers,
)
from mint._core.faults import Fault
from mint._core.http2_config import PREFACE
from mint._transcripts.calls import VERBS, Call, read
from mint._transcripts.literals import LiteralError, of_frames, of_octets, quoted, unquoted, value
from mint._transcripts.results import differences, of_state, of_step
from mint.testing import frames as f

IDENTITY = 7
REF = RequestRef(IDENTITY, 1)
ELSEWHERE = RequestRef(8, 3)


# -- octets


@pytest.mark.parametrize(
    ("size", "cut"),
    [(1, [1]), (95, [95]), (96, [96]), (97, [96, 1]), (192, [96, 96]), (193, [96, 96, 1])],
)
def test_long_text_is_cut(size: int, cut: list[int]) -> None:
    lines = [*of_octets(b"a" * size)]
    assert lines == [f'"{"a" * each}"' for each in cut]


@pytest.mark.parametrize(("size", "cut"), [(1, [1]), (32, [32]), (33, [32, 1]), (65, [32, 32, 1])])
def test_long_binary_data_is_cut(size: int, cut: list[int]) -> None:
    assert [*of_octets(bytes(size))] == ["00" * each for each in cut]


@pytest.mark.parametrize(
    ("octets", "lines"),
    [
        (b"a\nb", ['"a\\n"', '"b"']),
        (b"a\n", ['"a\\n"']),
        (b"\n\na", ['"\\n"', '"\\n"', '"a"']),
        (b"a\r\n\r\n", ['"a\\r\\n"', '"\\r\\n"']),
        (b"a\rb", ['"a\\rb"']),
        (b"", []),
    ],
)
def test_text_is_split_after_each_line_feed(octets: bytes, lines: list[str]) -> None:
    assert [*of_octets(octets)] == lines


@pytest.mark.parametrize(
    ("printable", "others", "is_text"),
    [(1, 0, True), (0, 1, False), (3, 2, True), (2, 2, False), (59, 41, False), (60, 40, True)],
)
@pytest.mark.parametrize("mark", [b" ", b"~", b"\n", b"\r", b"\t"])
@pytest.mark.parametrize("other", [b"\0", b"\x1f", b"\x7f", b"\xff"])
def test_octets_are_text_if_three_fifths_of_them_are(
    printable: int, others: int, is_text: bool, mark: bytes, other: bytes
) -> None:
    lines = [*of_octets(mark * printable + other * others)]
    assert {line.startswith('"') for line in lines} == {is_text}


HEAD = b"HTTP/1.1 200 OK\r\na:\tb\r\n\r\n"
HEAD_LINES = ['"HTTP/1.1 200 OK\\r\\n"', '"a:\\tb\\r\\n"', '"\\r\\n"']


@pytest.mark.parametrize(
    ("octets", "lines"),
    [
        (HEAD + bytes(40), [*HEAD_LINES, "00" * 32, "00" * 8]),
        (HEAD * 2 + bytes(90), [*HEAD_LINES * 2, "00" * 32, "00" * 32, "00" * 26]),
        (HEAD + b"1e\r\n" + bytes(60), [*HEAD_LINES, b"1e\r\n".hex() + "00" * 28, "00" * 32]),
        (b"\r\n\r\n" + bytes(9), ['"\\r\\n"', '"\\r\\n"', "00" * 9]),
        (bytes(40) + HEAD, [(bytes(40) + HEAD)[:32].hex(), (bytes(40) + HEAD)[32:64].hex(), HEAD[24:].hex()]),
        (HEAD[:-1] + bytes(60), None),
        (HEAD.replace(b"b", b"\xe9") + bytes(60), None),
    ],
)
def test_the_head_of_a_message_is_text_although_binary_content_follows(
    octets: bytes, lines: list[str] | None
) -> None:
    made = [*of_octets(octets)]
    assert b"".join(map(unquoted, made)) == octets
    if lines is None:
        assert not any(line.startswith('"') for line in made)
    else:
        assert made == lines


@pytest.mark.parametrize("octet", range(256))
def test_each_octet_in_quotes(octet: int) -> None:
    escapes = {0x0A: r"\n", 0x0D: r"\r", 0x09: r"\t", 0x22: r"\"", 0x5C: r"\\"}
    plain = chr(octet) if 0x20 <= octet <= 0x7E else f"\\x{octet:02x}"
    assert quoted(bytes([octet])) == f'"{escapes.get(octet, plain)}"'
    for text in (quoted(bytes([octet])), f"{octet:02x}", f'"\\x{octet:02x}"'):
        assert unquoted(text) == bytes([octet])
        assert unquoted(f"  {text}  # a comment") == bytes([octet])


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_lines_of_octets_round_trip(octets: bytes) -> None:
    assert b"".join(map(unquoted, of_octets(octets))) == octets
    assert b"".join(map(unquoted, of_frames(octets))) == octets
    assert b"".join(map(unquoted, of_frames(PREFACE + octets))) == PREFACE + octets


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "abc",
        "zz",
        "AB",
        '"',
        '"a',
        'a"',
        '"a" b',
        "00 11",
        "00#",
        '"\\x4"',
        '"\\xAB"',
        '"\\q"',
        '"é"',
    ],
)
def test_invalid_literals_of_octets(text: str) -> None:
    with pytest.raises(LiteralError, match="in quotes") as caught:
        unquoted(text)
    assert str(caught.value).endswith(f"not {text!a}")


def test_an_error_shows_sixty_characters_of_the_literal() -> None:
    for read_it in (unquoted, value):
        with pytest.raises(LiteralError) as caught:
            read_it("." * 59 + "?!")
        assert str(caught.value).endswith("." * 59 + "?'")


# -- frames


@pytest.mark.parametrize(
    ("kind", "name", "flags"),
    [
        (0, "DATA", {1: "END_STREAM", 8: "PADDED"}),
        (1, "HEADERS", {1: "END_STREAM", 4: "END_HEADERS", 8: "PADDED", 32: "PRIORITY"}),
        *((2, "PRIORITY", {}), (3, "RST_STREAM", {}), (4, "SETTINGS", {1: "ACK"})),
        *((5, "PUSH_PROMISE", {4: "END_HEADERS", 8: "PADDED"}), (6, "PING", {1: "ACK"}), (7, "GOAWAY", {})),
        *((8, "WINDOW_UPDATE", {}), (9, "CONTINUATION", {4: "END_HEADERS"})),
        *((10, "type 10", {}), (16, "type 16", {}), (255, "type 255", {})),
    ],
)
def test_each_frame_is_named_with_its_flags(kind: int, name: str, flags: dict[int, str]) -> None:
    for bits in (0, 1, 2, 4, 8, 16, 32, 64, 128, 255):
        head = bytes([0, 0, 2, kind, bits]) + (2**31 + 5).to_bytes(4)
        named = "".join(f", {each}" for bit, each in flags.items() if bits & bit)
        payload = '"ab"' if kind == 0 else "6162"
        assert [*of_frames(head + b"ab")] == [f"{head.hex()}  # {name}, stream 5{named}", payload]


def test_frames_are_shown_one_by_one_only_if_all_are_complete() -> None:
    octets = b"".join(frame.serialize() for frame in (f.ping(), f.settings(), f.data(2**31 - 1, b"abc")))
    heads = [line for line in of_frames(octets) if "#" in line]
    assert [line.partition("  # ")[2] for line in heads] == [
        "PING, stream 0",
        "SETTINGS, stream 0",
        f"DATA, stream {2**31 - 1}",
    ]
    for cut in range(1, 3):
        assert not any("#" in line for line in of_frames(octets[:-cut]))
    assert next(of_frames(PREFACE)) == quoted(PREFACE) + "  # the preface"
    assert [*of_frames(PREFACE[:-1])] == [*of_octets(PREFACE[:-1])]


# -- calls

FAULTS = [
    (Fault("closed"), "closed"),
    (Fault("closed", name="n"), 'closed {"name": "n"}'),
    (Fault("closed", value="v"), 'closed {"value": "v"}'),
    (Fault("closed", size=1), 'closed {"size": 1}'),
    (Fault("closed", limit=1), 'closed {"limit": 1}'),
    (Fault("closed", code=1), 'closed {"code": 1}'),
    (Fault("closed", processed=0), 'closed {"processed": 0}'),
    (Fault("closed", processed=2), 'closed {"processed": 2}'),
    (Fault("closed", local=True), 'closed {"local": true}'),
    (
        Fault("closed", "n", "v", 1, 2, 3, 2),
        'closed {"name": "n", "value": "v", "size": 1, "limit": 2, "code": 3, "processed": 2}',
    ),
]


@pytest.mark.parametrize(("fault", "text"), FAULTS)
def test_each_attribute_of_a_fault(fault: Fault, text: str) -> None:
    call = Call("lose", (fault,))
    assert [*call.lines("http1", IDENTITY)] == [f"fault {text}"]
    assert read("http1", IDENTITY, "lose", [("fault", text)]) == call


SAMPLES: dict[str, list[object]] = {
    "text": ["", "GET", 'a "b"\n'],
    "octets": [b"", b"abc", bytes(100), b"a\n" * 3],
    "input": [b"", b"abc", f.ping().serialize(), bytes(100)],
    "pieces": [None, (), (b"",), (b"a", b"", b"c\n" * 200), (bytes(100), b"x" * 97)],
    "pairs": [(), (("a", "b"),), (("a b", '"'), ("", ""))],
    "numbers": [(), (("max_frame_size", 16_384),)],
    "flag": [False, True],
    "number": [0, 1, 2**31],
    "ref": [
        REF,
        ELSEWHERE,
        RequestRef(IDENTITY, -1),
        RequestRef(0, -(2**63)),
        RequestRef(0, 0),
        RequestRef(2**64 - 1, 2**31 - 1),
    ],
    "fault": [each for each, _ in FAULTS],
}


@pytest.mark.parametrize(
    ("protocol", "verb"), [(protocol, verb) for protocol, verbs in VERBS.items() for verb in verbs]
)
def test_each_call_is_read_as_it_was_written(protocol: str, verb: str) -> None:
    expected = VERBS[protocol][verb]
    longest = max([1, *(len(SAMPLES[kind]) for _, kind in expected)])
    for at in range(longest):
        call = Call(verb, tuple(SAMPLES[kind][at % len(SAMPLES[kind])] for _, kind in expected))
        lines = [line.partition(" ")[::2] for line in call.lines(protocol, IDENTITY)]
        assert read(protocol, IDENTITY, verb, lines) == call


@pytest.mark.parametrize(
    ("protocol", "verb", "lines", "message"),
    [
        ("http1", "ping", [], "a connection of http1 has no call 'ping'"),
        ("http2", "unasked", [], "a connection of http2 has no call 'unasked'"),
        ("http1", "close", [("x", "1")], "close has no argument 'x'"),
        ("http1", "feed_eof", [], "clean must be given once, not 0 times"),
        (
            "http1",
            "feed_eof",
            [("clean", "true"), ("clean", "true")],
            "clean must be given once, not 2 times",
        ),
        ("http1", "feed_eof", [("clean", "yes")], "the value must be JSON, not 'yes'"),
        ("http1", "lose", [("fault", "closed 1")], "a JSON object must follow the reason, not '1'"),
        ("http1", "lose", [("fault", 'closed {"y": 1}')], "the fault cannot be made"),
        ("http2", "cancel", [("ref", "a")], "a ref must be NUMBER, or NUMBER of CONNECTION, not 'a'"),
        (
            "http2",
            "cancel",
            [("ref", "1 of b")],
            "a ref must be NUMBER, or NUMBER of CONNECTION, not '1 of b'",
        ),
        ("http2", "cancel", [("ref", "--1 of 2")], "a ref must be NUMBER"),
        ("http2", "cancel", [("ref", "1 of -2")], "a ref must be NUMBER"),
        *(
            ("http2", "put_settings", [("setting", text)], "a name and a value must follow, each in JSON")
            for text in ("", '"a"', '"a" 1 2', '"a" b', "a 1")
        ),
    ],
)
def test_invalid_calls(protocol: str, verb: str, lines: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(LiteralError) as caught:
        read(protocol, IDENTITY, verb, lines)
    assert str(caught.value).startswith(message)


# -- results

FIELDS = (("a", "b"), ("c", 'd"'))
FIELD_LINES = ['    "a" "b"', '    "c" "d\\""']


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (Status(REF, 204), ["* status 1 204"]),
        (Status(ELSEWHERE, 204), ["* status 3 of 8 204"]),
        (StatusReason(REF, "Fine"), ['* reason 1 "Fine"']),
        (Informational(REF, 103, FIELDS), ["* informational 1 103", *FIELD_LINES]),
        (Headers(REF, FIELDS), ["* headers 1", *FIELD_LINES]),
        (Trailers(REF, FIELDS), ["* trailers 1", *FIELD_LINES]),
        (Data(REF, b"abc"), ['* data 1 "abc"']),
        (Data(REF, b"x" * 48), [f'* data 1 "{"x" * 48}"']),
        (PushPromise(REF, RequestRef(IDENTITY, 2), FIELDS), ["* promise 1 2", *FIELD_LINES]),
        (Failed(REF, Fault("x", size=3)), ['* failed 1 x {"size": 3}']),
        (Done(REF), ["* done 1"]),
        (Pong(REF), ["* pong 1"]),
        (Origins(()), ["* origins"]),
        (Origins(("https://a", "https://b")), ['* origins "https://a" "https://b"']),
        (AltSvc("clear", None, REF), ['* alt-svc 1 "clear"']),
        (AltSvc("clear", None, ELSEWHERE), ['* alt-svc 3 of 8 "clear"']),
        (AltSvc("clear", "https://a"), ['* alt-svc "https://a" "clear"']),
        (AltSvc("clear"), ['* alt-svc "" "clear"']),
        (GoAway(5, 1, "PROTOCOL_ERROR", b"bye"), ['* goaway 5 PROTOCOL_ERROR "bye"']),
        (ServerSettings((("a", 1), ("0x1a1a", 2))), ["* settings a=1 0x1a1a=2"]),
    ],
)
def test_each_kind_of_response(event: Event, lines: list[str]) -> None:
    assert results(responses=[event]) == lines


def test_long_content_is_not_shown() -> None:
    [line] = results(responses=[Data(REF, b"x" * 49)])
    assert line.startswith("* data 1 49 octets, sha256 ")
    assert len(line.rpartition(" ")[2]) == 16
    assert results(responses=[Data(REF, b"y" * 49)]) != [line]


def fresh(protocol: str = "http1") -> http1.State | http2.State:
    if protocol == "http1":
        return http1.State(http1.Config("h", port=80, scheme="http", identity=IDENTITY, user_agent="a"))
    return http2.State.open(
        http2.Config("h", port=80, scheme="http", identity=IDENTITY, user_agent="a")
    ).state


def results(
    *,
    responses: list[Event] | None = None,
    output: tuple[bytes, ...] = (),
    fault: Fault | None = None,
    ref: RequestRef | None = None,
    end: int = KEEP,
    protocol: str = "http1",
) -> list[str]:
    step = Step(fresh(protocol), responses or [], output, fault, ref, end, ())
    *lines, last = of_step(step, protocol, IDENTITY)
    assert last.startswith(". 0 open, reads, writes")
    return lines


def test_the_other_results_of_a_step() -> None:
    ping = f.ping().serialize()
    assert results() == []
    assert results(output=(b"a\n", b"b")) == ['> "a\\n"', '> "b"']
    assert results(output=(ping[:9], ping[9:]), protocol="http2") == [
        f"> {ping[:9].hex()}  # PING, stream 0",
        f"> {ping[9:].hex()}",
    ]
    assert results(ref=REF) == ["= 1"]
    assert results(ref=ELSEWHERE) == ["= 3 of 8"]
    assert results(fault=Fault("x")) == ["! x"]
    assert results(end=SHUT_WRITE) == ["! no more is sent"]
    assert results(end=CLOSE) == ["! the link is closed"]


def test_differences_that_masks_cause_are_reported() -> None:
    state = fresh()
    one: Step[http1.State | http2.State] = Step(state, [], (b"ab", b"c"), None, None, KEEP, ())
    done: list[Event] = [Done(REF)]
    none: list[Event] = []
    changed = {
        "responses ['Done'], not []": (done, (b"abc",), None, None, KEEP),
        "octets of output 4, not 3": (none, (b"abcd",), None, None, KEEP),
        "fault x, not None": (none, (b"abc",), Fault("x"), None, KEEP),
        "ref 1, not None": (none, (b"abc",), None, REF, KEEP),
        f"end {CLOSE}, not {KEEP}": (none, (b"abc",), None, None, CLOSE),
    }
    assert [*differences(Step(state, [], (b"xyz",), None, None, KEEP, ()), one)] == []
    for line, (responses, output, fault, ref, end) in changed.items():
        real = Step(state, responses, output, fault, ref, end, ())
        assert [*differences(real, one)] == [f"~ without masks: {line}"]
    closed = state.close().state
    [line] = differences(Step(closed, [], (b"abc",), None, None, KEEP, ()), one)
    assert line.startswith("~ without masks: state 0 open, reads no more, writes no more")


def test_the_summary_of_a_state() -> None:
    """Each part alone, and then all of them together."""
    engine = fresh()
    step = engine.request("POST", "/", (), None, True)
    assert of_state(engine) == "0 open, reads, writes"
    assert of_state(step.state) == "1 open, reads, writes, a body is streamed"
    assert of_state(engine.close().state) == "0 open, reads no more, writes no more"
    tunnel = engine.request("CONNECT", "h:1", (), None, False).state
    assert of_state(tunnel) == "1 open, reads, writes no more"
    tunnel = tunnel.feed(b"HTTP/1.1 200 OK\r\n\r\n").state
    assert of_state(tunnel) == "1 open, reads, writes no more, a tunnel"
    engine = fresh("http2")
    assert of_state(engine) == "0 open, reads, writes, window 65535"
    settings = f.settings((4, 10)).serialize()
    engine = engine.feed(settings).state
    assert of_state(engine) == "0 open, reads, writes, settings came, window 65535"
    engine = engine.request("POST", "/", (), None, True).state
    draining = engine.feed(f.goaway(1).serialize()).state
    assert of_state(draining) == "1 open, reads, writes no more, draining, settings came, window 65535"
    left = engine.feed(f.window_update(0, 5).serialize()).state
    assert of_state(left) == "1 open, reads, writes, settings came, window 65540"
