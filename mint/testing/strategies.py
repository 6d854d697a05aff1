"""Hypothesis strategies for responses, frames, splits and complete servers.

They need the package `hypothesis`, which `pip install mint-http[testing]` installs. Examples shrink to simple
ones, such as a 200 response without fields in one piece.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

try:
    from hypothesis import strategies as st
except ImportError as _missing:  # pragma: no cover  the tests have it
    raise ImportError(
        "mint.testing.strategies needs hypothesis: pip install 'mint-http[testing]'"
    ) from _missing

from . import _arguments, build, hpack, http2
from .frames import Frame
from .messages import Response
from .steps import Close, Drain, MayEnd, Pause, Reset, Send, ShutWrite, Step, Truncate, request

_TOKEN = st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789-_")
_NAMES = ("accept-ranges", "cache-control", "content-type", "etag", "server", "set-cookie", "vary", "x-a")
_TRAILERS = ("accept-ranges", "etag", "x-a")
_OTHER_NAMES = st.text(_TOKEN, min_size=1, max_size=20).map("x-".__add__)
_SHAPES = ("length", "chunked")


def field_names() -> st.SearchStrategy[str]:
    """Draw field names in lower case that do not affect framing."""
    return st.sampled_from(_NAMES) | _OTHER_NAMES


def field_values() -> st.SearchStrategy[str]:
    """Draw field values: ISO 8859-1 without control characters, and without spaces at the ends."""
    visible = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
    others = st.characters(min_codepoint=0xA1, max_codepoint=0xFF)
    return st.text(visible | others, max_size=40).map(str.strip)


def _sizes(least: int, most: int) -> None:
    _arguments.number("min_size", least, 0)
    _arguments.number("max_size", most, least)


def fields(max_size: int = 5, *, min_size: int = 0) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Draw `min_size` to `max_size` fields for the head of a response."""
    _sizes(min_size, max_size)
    return st.lists(st.tuples(field_names(), field_values()), min_size=min_size, max_size=max_size)


def trailers(max_size: int = 2, *, min_size: int = 0) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Draw `min_size` to `max_size` trailer fields: fields that may be sent as such (RFC 9110 6.5.1)."""
    _sizes(min_size, max_size)
    names = st.sampled_from(_TRAILERS) | _OTHER_NAMES
    return st.lists(st.tuples(names, field_values()), min_size=min_size, max_size=max_size)


def bodies(max_size: int = 200) -> st.SearchStrategy[bytes]:
    """Draw bodies of up to `max_size` bytes."""
    _arguments.number("max_size", max_size, 0)
    return st.binary(max_size=max_size)


def statuses() -> st.SearchStrategy[int]:
    """Draw final statuses: 200 to 599."""
    return st.sampled_from((200, 404, 500, 204, 205, 304)) | st.integers(200, 599)


def _content(status: int) -> st.SearchStrategy[bytes]:
    """Draw the content of a response, which a 205 must not have (RFC 9110 15.3.6)."""
    return st.just(b"") if status == HTTPStatus.RESET_CONTENT else bodies()


@st.composite
def responses(draw: st.DrawFn) -> Response:
    """Draw responses for a handler of `Origin`: with a length or in pieces, some with 1xx or trailers."""
    early = draw(st.lists(st.tuples(st.just(103), fields(2)), max_size=2))
    status, headers = draw(statuses()), draw(fields())
    body = draw(_content(status))
    if draw(st.booleans()):
        pieces = split(body, draw(splits(len(body))))
        return Response(status, headers, pieces, draw(trailers()), informational=early)
    return Response(status, headers, body, informational=early)


def splits(length: int, max_cuts: int = 8) -> st.SearchStrategy[tuple[int, ...]]:
    """Draw up to `max_cuts` offsets at which to cut `length` bytes, as `Send` takes them as `cuts`."""
    _arguments.number("length", length, 0)
    _arguments.number("max_cuts", max_cuts, 0)
    if length < 2:
        return st.just(())
    offsets = st.integers(1, length - 1)
    return st.lists(offsets, unique=True, max_size=max_cuts).map(lambda cuts: tuple(sorted(cuts)))


def pieces(data: bytes) -> st.SearchStrategy[list[bytes]]:
    """Draw pieces into which data can be split; none of them is empty."""
    data = _arguments.octets("data", data)
    return splits(len(data)).map(lambda cuts: split(data, cuts))


def split(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """Return data cut into pieces at these offsets; none of the pieces is empty."""
    return build.split(data, cuts)


@dataclass(frozen=True, slots=True)
class RawMessage:
    """An HTTP/1 response as bytes, and its parts, for comparison with what a client returns.

    Attributes:
        raw: the response as bytes.
        status: its status.
        fields: its fields, without those for framing.
        body: its content.
        trailers: its trailer fields.

    """

    raw: bytes
    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes
    trailers: tuple[tuple[str, str], ...] = ()


@st.composite
def messages(draw: st.DrawFn) -> RawMessage:
    """Draw valid final HTTP/1 responses to GET, with content-length or chunked (RFC 9112 6)."""
    status, chosen = draw(statuses()), tuple(draw(fields()))
    body = draw(_content(status))
    if status in {204, 304}:
        return RawMessage(build.response(status, chosen), status, chosen, b"")
    if draw(st.sampled_from(_SHAPES)) == "length":
        return RawMessage(build.response(status, chosen, body), status, chosen, body)
    last = tuple(draw(trailers()))
    parts = split(body, draw(splits(len(body))))
    raw = build.chunked_response(*parts, status=status, fields=chosen, trailers=last)
    return RawMessage(raw, status, chosen, body, last)


def frames(max_stream: int = 5) -> st.SearchStrategy[Frame]:
    """Draw frames of any type on streams 0 to `max_stream`; most of them are illegal in most places."""
    _arguments.number("max_stream", max_stream, 0)
    kinds = st.sampled_from(tuple(http2.FrameType)) | st.integers(0, 255)
    payloads = st.binary(max_size=40)
    return st.builds(Frame, kinds, st.integers(0, 255), st.integers(0, max_stream), payloads)


@st.composite
def frame_sequences(draw: st.DrawFn, stream: int = 1) -> list[Frame]:
    """Draw the frames of one valid response on `stream`, with frames of the connection in between.

    Header blocks have several parts and representations, but use no dynamic table. So the frames of several
    sequences can be mixed, as long as nothing comes between the frames of a header block. Some content is
    padded or empty. SETTINGS frames are not included, because each would have to be acknowledged.
    """
    status, body = draw(st.sampled_from((200, 404, 500)) | st.integers(400, 599)), draw(bodies())
    last = draw(st.none() | trailers(min_size=1))
    head = [(":status", str(status)), *draw(fields())]
    parts = split(body, draw(splits(len(body))))
    found = draw(_block(stream, head, end=not parts and last is None))
    for number, part in enumerate(parts, 1):
        padding = draw(st.none() | st.integers(0, 20))
        found += draw(_between())
        found.append(http2.data(stream, part, end=number == len(parts) and last is None, padding=padding))
    if last is not None:
        found += draw(_between())
        found += draw(_block(stream, last, end=True))
    return found


def _between() -> st.SearchStrategy[list[Frame]]:
    routine = st.sampled_from(
        (http2.ping(b"between."), http2.window_update(0, 1), Frame(0xBB, 0xFF, 0, b"unknown"))
    )
    return st.lists(routine, max_size=1)


@st.composite
def _block(draw: st.DrawFn, stream: int, chosen: Sequence[tuple[str, str]], *, end: bool) -> list[Frame]:
    coded = st.booleans()
    indexing: st.SearchStrategy[hpack.Indexing] = st.sampled_from(("without", "never"))
    encoded = b"".join(
        hpack.literal(name, value, draw(indexing), huffman_coded=draw(coded)) for name, value in chosen
    )
    parts = split(encoded, draw(splits(len(encoded), 2)))
    first, *others = parts
    found = [http2.headers(stream, first, end=end, end_headers=not others)]
    return found + [
        http2.continuation(stream, part, end_headers=number == len(others))
        for number, part in enumerate(others, 1)
    ]


@st.composite
def behaviours(draw: st.DrawFn, *, http_2: bool = False) -> tuple[Step, ...]:
    """Draw scripts for one GET request, of correct and incorrect servers.

    The server sends a valid response, one that is truncated, one with a byte changed, lost or added, or one
    with an additional frame. It sends it in pieces, some after short pauses, and then ends the connection in
    one of five manners. The protocol is HTTP/1.1, or HTTP/2 if `http_2` is true.
    """
    if http_2:
        sent = draw(frame_sequences())
        if draw(st.booleans()):
            sent.insert(draw(st.integers(0, len(sent))), draw(frames()))
        begin: tuple[Step, ...] = (*http2.handshake(), http2.ExpectHeaders(1, end=True))
        data = b"".join(frame.serialize() for frame in sent)
    else:
        begin, data = (request(),), draw(messages()).raw
    data = draw(st.just(data) | damaged(data))
    steps: list[Step] = []
    for part in draw(pieces(data)):
        steps += [*draw(st.sampled_from(((), (Pause(0.001),)))), Send(part)]
    endings: tuple[tuple[Step, ...], ...] = (
        (Close(),),
        (ShutWrite(), Drain()),
        (Reset(),),
        (Truncate(),),
        (Drain(),),
    )
    return (*begin, MayEnd(*steps, *draw(st.sampled_from(endings))))


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """Draw data with one byte changed, lost or added, or with its end missing."""
    if not data:
        return data
    at = draw(st.integers(0, len(data) - 1))
    what = draw(st.sampled_from(("cut", "change", "lose", "add")))
    rest = b"" if what == "cut" else data[at:] if what == "add" else data[at + 1 :]
    return data[:at] + (draw(st.binary(min_size=1, max_size=1)) if what in {"change", "add"} else b"") + rest
