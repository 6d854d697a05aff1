"""HTTP/1 responses: mint, h11 and llhttp read the same, unless the input is of a listed class of differences.

`DIFFERENCES` is the list. Each class has a condition on the octets, and docs/differences.md gives the rule
that mint follows. If no condition is met, both libraries must refuse the input, or read the same status,
fields, content and trailers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import h11
import httptools

from grammar_http1 import stream
from mint._core.events import Data, Done, Failed, Headers, Status, Trailers
from mint._core.http1 import Config, State
from model_http1 import Asked, Limits
from support import Choices, check, fuzz, play

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CONFIG = Config(hostname="example.org", port=80, scheme="http", identity=7, user_agent="fuzz")


@dataclass
class Outcome:
    """The first final response as a library reads it."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    complete: bool = False
    refused: str = ""


def by_mint(data: bytes) -> Outcome:
    """Let mint read it."""
    outcome = Outcome()
    state = State(CONFIG).request("GET", "/", (), None, False).state
    events, fault, _ = play(state, [data], clean=True)
    for event in events:
        match event:
            case Status(status=status):
                outcome.status = status
            case Headers(headers=headers):
                outcome.headers = list(headers)
            case Data(data=piece):
                outcome.body += piece
            case Trailers(headers=headers):
                outcome.trailers = list(headers)
            case Done():
                outcome.complete = True
            case Failed(fault=failed):
                outcome.refused = failed.reason
    if fault is not None and not outcome.complete:
        outcome.refused = fault.reason
    return outcome


def pairs(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Return headers in the form that mint uses."""
    return [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]


def by_h11(data: bytes) -> Outcome:
    """Let h11 read it."""
    outcome = Outcome()
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "example.org")]))
    connection.send(h11.EndOfMessage())
    try:
        connection.receive_data(data)
        connection.receive_data(b"")
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                outcome.status, outcome.headers = event.status_code, pairs(event.headers)
            elif isinstance(event, h11.Data):
                outcome.body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                outcome.trailers, outcome.complete = pairs(event.headers), True
                break
            elif not isinstance(event, h11.InformationalResponse):
                break
    except h11.RemoteProtocolError as error:
        outcome.refused = str(error) or "refused"
    return outcome


class Callbacks:
    """The callbacks of llhttp."""

    def __init__(self) -> None:
        self.outcome = Outcome()
        self.parser: httptools.HttpResponseParser | None = None
        self.over = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field, or a trailer; llhttp leaves it to the caller to remove whitespace after a value."""
        if not self.over:
            value = value.rstrip(b" \t")
            (self.outcome.trailers if self.outcome.status else self.outcome.headers).append((name, value))  # type: ignore[arg-type]  # octets so far

    def on_headers_complete(self) -> None:
        """The head is complete."""
        status = 0 if self.parser is None else self.parser.get_status_code()
        if self.over:
            return
        if 100 <= status < 200 and status != 101:  # interim
            self.outcome.headers = []
        else:
            self.outcome.status = status

    def on_body(self, piece: bytes) -> None:
        """A piece of content."""
        if not self.over:
            self.outcome.body += piece

    def on_message_complete(self) -> None:
        """The message is complete; an interim response does not count."""
        if self.outcome.status:
            self.outcome.complete = self.over = True


def by_llhttp(data: bytes) -> Outcome:
    """Let llhttp read it."""
    calls = Callbacks()
    calls.parser = httptools.HttpResponseParser(calls)
    until_close = False
    try:
        calls.parser.feed_data(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
        if not calls.over:
            calls.outcome.refused = repr(error) or "refused"
    made = calls.outcome
    made.headers, made.trailers = pairs(made.headers), pairs(made.trailers)  # type: ignore[arg-type]  # octets so far
    names = {name for name, _ in made.headers}
    codings = [value.lower() for name, value in made.headers if name == "transfer-encoding"]
    if made.status and not made.refused and not made.complete:
        until_close = not names & {"content-length", "transfer-encoding"} or (
            bool(codings) and not codings[-1].rstrip(" ,").endswith("chunked")
        )
        made.complete = until_close
    return made


HEAD_END = re.compile(rb"\r?\n\r?\n")
STATUS = re.compile(rb"[\r\n]*HTTP/\d\.\d (\d{3})")
CODING = re.compile(rb"\ntransfer-encoding:", re.IGNORECASE)
CHUNK = re.compile(rb"[0-9A-Fa-f]{1,16}")


def framing(data: bytes) -> bytes:
    """Return the input without the content of its first final response: its heads, chunk lines and trailers.

    All conditions are on these octets, so that nothing in the content excuses a difference. Each piece of it
    in chunks is replaced by `_`. Malformed octets end the response, and are kept up to the end of their line.
    """
    at, interim, coded = 0, True, False
    while interim:
        end = HEAD_END.search(data, at)
        if end is None:
            return data
        status = STATUS.match(data, at)
        interim = status is not None and status[1][:1] == b"1" and status[1] != b"101"
        coded = CODING.search(data, at, end.end()) is not None
        at = end.end()
    made = data[:at]
    while coded:
        line_end = data.find(b"\n", at) + 1 or len(data)
        made += data[at:line_end]
        size = CHUNK.match(data, at, line_end)
        if size is None or not int(size[0], 16):
            end = None if size is None else HEAD_END.search(data, line_end - 1)
            return (
                made + data[line_end : line_end if size is None else len(data) if end is None else end.end()]
            )
        at = line_end + int(size[0], 16)
        line_end = data.find(b"\n", at) + 1 or len(data)
        made += b"_" + data[at:line_end]
        coded = data[at:line_end] in (b"\r\n", b"\n")
        at = line_end
    return made


@dataclass(frozen=True)
class Difference:
    """A class of inputs that some libraries, named in `peers`, read differently from mint."""

    name: str
    peers: str
    condition: Callable[[bytes], bool]

    def applies(self, data: bytes) -> bool:
        """Whether the input meets the condition, without its content."""
        return self.condition(framing(data))


def found(pattern: bytes) -> Callable[[bytes], bool]:
    """Return the condition that the input contains a pattern."""
    compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return lambda data: compiled.search(data) is not None


def several(pattern: bytes, most: int) -> Callable[[bytes], bool]:
    """Return the condition that the input contains a pattern more than so many times."""
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda data: len(compiled.findall(data)) > most


def spelled_differently(data: bytes) -> bool:
    """Whether there are several content-lengths, and one begins with a zero: equal numbers may differ."""
    lines = re.findall(rb"\ncontent-length:([^\r\n]*)", data, re.IGNORECASE)
    values = [value.strip() for line in lines for value in line.split(b",")]
    return len(values) > 1 and any(re.match(rb"0[0-9]", value) for value in values)


BLANKS = rb"[ \t]*"
LINE = rb"(?:\A|\r\n\r\n)[\r\n]*"  # before a status line
BODY = rb"\r\n\r\n(?:.*\r\n)?"  # before a chunk line
# What mint does, and the rule for it, is in docs/differences.md under the same name.
DIFFERENCES: tuple[Difference, ...] = (
    Difference("bare-lf", "h11 llhttp", found(rb"(?<!\r)\n")),
    Difference("major-version", "h11 llhttp", found(LINE + rb"HTTP/[02-9]\.")),
    Difference("minor-version", "llhttp", found(LINE + rb"HTTP/1\.[2-9]")),
    Difference(
        "reason-phrase",
        "h11 llhttp",
        found(LINE + rb"HTTP/1\.\d \d{3} (?:[ \t]|[^\r\n]*[\x00-\x08\x0b\x0c\x0e-\x1f\x7f])"),
    ),
    Difference(
        "line-end-before",
        "llhttp",
        found(rb"(?:\A|HTTP/1\.\d 1\d\d(?:(?!\r\n\r\n).)*\r\n\r\n)[\r\n]"),
    ),
    Difference("status-below-100", "llhttp", found(LINE + rb"HTTP/1\.\d 0\d\d")),
    Difference("control-in-value", "h11", found(rb"\n[^\r\n:]+:[^\r\n]*[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")),
    Difference("folded-line", "h11 llhttp", found(rb"\r\n[ \t]")),
    Difference(
        "transfer-codings",
        "h11 llhttp",
        found(rb"\ntransfer-encoding:(?!" + BLANKS + rb"chunked" + BLANKS + rb"\r\n)"),
    ),
    Difference("transfer-codings-twice", "h11 llhttp", several(rb"\ntransfer-encoding:", 1)),
    Difference(
        "length-and-coding",
        "h11 llhttp",
        found(rb"\n(?:content-length:.*\ntransfer-encoding:|transfer-encoding:.*\ncontent-length:)"),
    ),
    Difference("length-twice", "h11 llhttp", several(rb"\ncontent-length:", 1)),
    Difference("length-as-list", "llhttp", found(rb"\ncontent-length:[^\r\n]*,")),
    Difference("length-spelled-differently", "h11", spelled_differently),
    Difference(
        "length-too-large", "h11 llhttp", found(rb"\ncontent-length:" + BLANKS + rb"0*[1-9][0-9]{18}")
    ),
    Difference("length-of-many-digits", "h11", found(rb"\ncontent-length:[^\r\n]*[0-9]{21}")),
    Difference("length-in-trailers", "llhttp", found(BODY + rb"0+[;\r][^\n]*\n(?:.*\n)?content-length:")),
    Difference(
        "framing-of-interim",
        "h11 llhttp",
        found(
            LINE
            + rb"HTTP/1\.\d 1\d\d[^\r\n]*(?:(?!\r\n\r\n).)*"
            + rb"\r\n(?:content-length|transfer-encoding|connection):"
        ),
    ),
    Difference("interim-of-http10", "llhttp", found(LINE + rb"HTTP/1\.0 1\d\d")),
    Difference("switching-protocols", "h11 llhttp", found(LINE + rb"HTTP/1\.\d 101")),
    Difference(
        "connection-list",
        "h11 llhttp",
        found(rb"\nconnection:[^\r\n]*(?:[^!#$%&'*+\-.^_`|~0-9A-Za-z, \t\r\n]|[^, \t\r\n][ \t]+[^, \t\r\n])"),
    ),
    Difference("chunk-extensions", "h11 llhttp", found(BODY + rb"[0-9A-Fa-f]+[ \t]*[; \t]")),
    Difference("too-many-fields", "h11 llhttp", several(rb"\r\n[^\r\n:]+:", 64)),
    Difference("too-many-interim", "h11 llhttp", several(rb"(?:\A|\r\n)HTTP/1\.\d 1\d\d", 32)),
)


def known_difference(peer: str, data: bytes) -> str:
    """Return the name of a listed difference whose condition this input meets."""
    return next((one.name for one in DIFFERENCES if peer in one.peers.split() and one.applies(data)), "")


def framed(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return headers with framing fields changed as h11 changes them; mint returns them as they arrived.

    h11 keeps one of several equal content-lengths (RFC 9110 8.6), and converts codings to lower case.
    """
    out: list[tuple[str, str]] = []
    for name, value in headers:
        if name == "content-length":
            first = value.split(",")[0].strip()
            if (name, first) not in out:
                out.append((name, first))
        elif name == "transfer-encoding":
            out.append((name, value.lower()))
        else:
            out.append((name, value))
    return out


def judge(peer: str, data: bytes, ours: Outcome, theirs: Outcome) -> None:
    """Compare two readings of one input."""
    if ours.complete and theirs.complete:
        same = (
            ours.status == theirs.status
            and framed(ours.headers) == framed(theirs.headers)
            and ours.body == theirs.body
        )
    else:
        same = ours.complete == theirs.complete
    if not same:
        check(
            bool(known_difference(peer, data)),
            f"{peer} reads something different",
            vars(ours),
            vars(theirs),
            data,
        )


def one(data: bytes) -> None:
    """Compare one input."""
    if not data:
        return
    choices = Choices(data[1:])
    octets = data[1:] if data[0] < 40 else stream(choices, [Asked()], Limits())  # a sixth is raw
    ours = by_mint(octets)
    judge("h11", octets, ours, by_h11(octets))
    judge("llhttp", octets, ours, by_llhttp(octets))


if __name__ == "__main__":
    fuzz(one)
