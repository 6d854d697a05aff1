"""Properties of the HTTP/1 engine for input that is split anywhere, forked states and damaged input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from mint._core.events import Data, Event, Failed
from tests.http1_driver import Outcome, config, cut, play, same_fault, with_requests
from tests.refs import ref_of

if TYPE_CHECKING:
    from mint._core.http1 import Config, State

METHODS = st.sampled_from(["GET", "HEAD", "CONNECT"])
TEXT = st.binary(max_size=8).map(lambda raw: bytes(octet for octet in raw if octet >= 0x20 and octet != 0x7F))
FIELD = st.one_of(
    st.sampled_from(
        [
            b"Content-Length: 3",
            b"content-length: 3",
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: gzip",
            b"Connection: close",
            b"Connection: keep-alive",
            b"Upgrade: websocket",
            b"Set-Cookie: a=b",
            b"Server: something",
            b" folded",
        ]
    ),
    st.builds(lambda value: b"X-Any: " + value, TEXT),
)
BODY = st.sampled_from(
    [b"", b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"1;x=y\r\na\r\n2\r\nbc\r\n0\r\nT: r\r\n\r\n", b"0\r\n\r\n"]
)
STATUS = st.sampled_from([b"200", b"204", b"304", b"100", b"103", b"101", b"404", b"500"])
RESPONSE = st.builds(
    lambda version, status, fields, body: b"".join(
        [b"HTTP/1.", version, b" ", status, b" x\r\n", *[f + b"\r\n" for f in fields], b"\r\n", body]
    ),
    st.sampled_from([b"1", b"1", b"1", b"0"]),
    STATUS,
    st.lists(FIELD, max_size=4),
    BODY,
)
STREAM = st.lists(RESPONSE, min_size=1, max_size=4).map(b"".join)
OPTIONS = st.sampled_from(
    [
        config(),
        config(lenient=True, status_reason=True),
        config(
            max_fields=3, max_header_list_size=60, max_status_line=20, max_chunk_line=8, max_informational=2
        ),
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return a stream of responses, either valid or with a few octets changed."""
    data = bytearray(draw(STREAM))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(["change", "drop", "double", "cut"])):
            case "change":
                data[place] = draw(st.sampled_from(b"\r\n :;,\x00\xff0a"))
            case "drop":
                del data[place]
            case "double":
                data.insert(place, data[place])
            case _:
                del data[place:]
        if not data:
            return b"H"
    return bytes(data)


def opened(methods: list[str], options: Config) -> State:
    return with_requests(
        *methods, options=options, headers=[("Upgrade", "websocket")] if len(methods) == 1 else ()
    )


def same(one: Outcome, two: Outcome) -> bool:
    return (
        one.responses == two.responses
        and same_fault(one.fault, two.fault)
        and one.state == two.state
        and one.end == two.end
    )


SITUATION = st.lists(st.sampled_from(["GET", "HEAD"]), min_size=2, max_size=3) | st.lists(
    METHODS, min_size=1, max_size=1
)


@settings(max_examples=400)
@given(SITUATION, damaged(), OPTIONS, st.data(), st.sampled_from([None, True, False]))
def test_results_do_not_depend_on_how_the_input_is_split(
    methods: list[str], data: bytes, options: Config, draw: st.DataObject, eof: bool | None
) -> None:
    state = opened(methods, options)
    whole = play(state, [data], eof=eof)
    places = draw.draw(st.lists(st.integers(0, len(data)), max_size=5))
    assert same(play(state, cut(data, places), eof=eof), whole)
    assert same(play(state, [data[i : i + 1] for i in range(len(data))], eof=eof), whole)


@settings(max_examples=200)
@given(SITUATION, damaged(), damaged(), OPTIONS, st.data())
def test_a_state_is_a_value(
    methods: list[str], data: bytes, other: bytes, options: Config, draw: st.DataObject
) -> None:
    place = draw.draw(st.integers(0, len(data)))
    trunk = play(opened(methods, options), [data[:place]]).state
    twin = play(opened(methods, options), [data[:place]]).state
    first = play(trunk, [data[place:]])
    branch = play(trunk, [other[i : i + 3] for i in range(0, len(other), 3)], eof=True)
    assert trunk == twin
    assert same(play(trunk, [data[place:]]), first)
    assert same(play(twin, [data[place:]]), first)
    assert same(play(twin, [other], eof=True), branch)


@settings(max_examples=200)
@given(SITUATION, STREAM, OPTIONS, st.data())
def test_a_fault_does_not_change_the_responses_before_it(
    methods: list[str], data: bytes, options: Config, draw: st.DataObject
) -> None:
    """Responses to the octets before the fault are delivered together with it."""
    place = draw.draw(st.integers(0, len(data)))
    state = opened(methods, options)
    good = expanded(play(state, [data[:place]]).responses)
    bad = expanded(play(state, [data[:place] + b"\x00\r\n\x00"]).responses)
    assert bad[: len(good)] == good


def expanded(responses: list[Event]) -> list[object]:
    """Return the responses with content split into single octets, without failures."""
    made: list[object] = []
    for response in responses:
        if isinstance(response, Data):
            made += [(response.ref, octet) for octet in response.data]
        elif not isinstance(response, Failed):
            made.append(response)
    return made


@settings(max_examples=300)
@given(SITUATION, damaged(), OPTIONS, st.booleans())
def test_every_request_ends_once(methods: list[str], data: bytes, options: Config, clean: bool) -> None:
    state = opened(methods, options)
    outcome = play(state, [data], eof=clean)
    ended = [ref_of(r).number for r in outcome.responses if type(r).__name__ in {"Done", "Failed"}]
    assert ended == sorted(set(ended))
    assert ended == list(range(1, len(methods) + 1))
    assert outcome.state.open_request_count == 0
    by_ref = [ref_of(r).number for r in outcome.responses]
    assert by_ref == sorted(by_ref)


@settings(max_examples=200)
@given(st.binary(max_size=200), st.binary(max_size=40))
def test_any_input_ends_the_connection_or_opens_a_tunnel(data: bytes, more: bytes) -> None:
    for start in (b"", b"HTTP/1.1 200 x\r\n", b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n"):
        outcome = play(with_requests(), [start + data, more], eof=True)
        assert outcome.end == 2 or outcome.state.is_tunnel
