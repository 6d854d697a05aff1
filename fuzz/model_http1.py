"""A naive reader of HTTP/1 responses: RFC 9112 and the limits of mint, applied to a complete input.

It shares no code with mint: it splits lines, applies one rule after the other and keeps lists. mint must read
what it reads, and refuse what it refuses. Of the tolerances, only the one for empty lines is modelled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

Pairs = tuple[tuple[str, str], ...]
Read = tuple[str, int, object]

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
STATUS = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?")
EXTENSIONS = re.compile(
    rb"(?:[ \t]*;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
    rb"(?:[ \t]*=[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
    rb'|"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)*'
)
CHUNK = re.compile(rb"([0-9A-Fa-f]+)(.*)", re.DOTALL)
FORBIDDEN_IN_TRAILERS = frozenset(
    [
        "connection",
        "proxy-connection",
        "keep-alive",
        "transfer-encoding",
        "upgrade",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "trailer",
        "cache-control",
        "expect",
        "host",
        "max-forwards",
        "pragma",
        "range",
        "te",
        "if-match",
        "if-none-match",
        "if-modified-since",
        "if-unmodified-since",
        "if-range",
        "authorization",
        "proxy-authenticate",
        "proxy-authorization",
        "www-authenticate",
        "cookie",
        "set-cookie",
        "age",
        "expires",
        "date",
        "location",
        "retry-after",
        "vary",
        "warning",
    ]
)
# Limits for which the reader has the same reasons as mint.
LIMITS = frozenset(
    [
        "status_line_too_long",
        "max_header_list_size_exceeded",
        "too_many_headers",
        "too_many_informational",
        "chunk_line_too_long",
        "chunk_overhead_exceeded",
    ]
)


@dataclass(frozen=True)
class Limits:
    """The limits of a connection, named like its options."""

    max_header_list_size: int = 262_144
    max_fields: int = 512
    max_status_line: int = 8_192
    max_informational: int = 32
    max_informational_size: int = 262_144
    max_trailer_size: int = 16_384
    max_trailer_fields: int = 64
    max_chunk_line: int = 4_096


@dataclass(frozen=True)
class Asked:
    """A request that waits for its response."""

    method: str = "GET"
    offers: tuple[str, ...] = ()
    streaming: bool = False
    closes: bool = False


@dataclass
class Reading:
    """What was read: the events in order, the requests that fail, why reading stopped."""

    events: list[Read] = field(default_factory=list)
    failed: set[int] = field(default_factory=set)
    refused: str = ""
    closed: bool = False
    tunnel: bool = False
    surplus_behind_nothing: bool = False  # octets after a last response that has no content


class Refusal(Exception):  # noqa: N818  # control flow of the reader
    """The input breaks a rule or a limit."""


class Partial(Exception):  # noqa: N818  # control flow of the reader
    """The input ends here."""


class Reader:
    """Reads all of an input."""

    def __init__(
        self,
        data: bytes,
        asked: list[Asked],
        limits: Limits,
        *,
        reasons: bool = False,
        empty_lines: bool = False,
    ) -> None:
        self.data = data
        self.empty_lines = empty_lines
        self.reasons = reasons
        self.at = 0
        self.asked = asked
        self.limits = limits
        self.out = Reading()
        self.number = 1
        self.until_close = False
        self.answering = False

    def say(self, kind: str, what: object = None) -> None:
        """Note an event of the request whose response is read."""
        self.out.events.append((kind, self.number, what))

    def content(self, octets: bytes) -> None:
        """Note content; adjacent pieces are joined."""
        events = self.out.events
        if not octets:
            return
        if events and events[-1][:2] == ("data", self.number):
            events[-1] = ("data", self.number, bytes(events[-1][2]) + octets)  # type: ignore[call-overload]  # bytes
        else:
            self.say("data", octets)

    def line(self, room: int, long: str) -> bytes:
        """Read a line with its end, of at most `room` octets."""
        end = self.data.find(b"\n", self.at)
        # With no room left, only the next octet exceeds it.
        if (end < 0 and len(self.data) - self.at >= max(1, room)) or end - self.at + 1 > room:
            raise Refusal(long)
        if end < 0:
            raise Partial
        line = self.data[self.at : end + 1]
        self.at = end + 1
        return line

    def pass_over(self) -> None:
        """Skip empty lines between responses, if they are tolerated; the last one may be incomplete."""
        while self.empty_lines and self.data.startswith(b"\r\n", self.at):
            self.at += 2
        if self.empty_lines and self.data[self.at :] == b"\r":
            self.at += 1

    def read(self, *, eof: bool, clean: bool) -> Reading:
        """Read until the input or the requests end, or a rule is broken."""
        out = self.out
        try:
            while self.number <= len(self.asked) and not out.closed:
                self.response(self.asked[self.number - 1])
            self.pass_over()
            if not out.closed and self.at < len(self.data):
                raise Refusal("unexpected_data")
        except Refusal as refusal:
            out.refused = str(refusal)
            self.shut()
        except Partial:
            pass
        if eof and not out.closed:
            self.end(clean=clean)
        return out

    def end(self, *, clean: bool) -> None:
        """Handle the end of the input."""
        if self.number > len(self.asked):
            self.out.closed = True
        elif clean and (self.out.tunnel or self.until_close):
            self.say("done")
            self.number += 1
            if self.out.tunnel:
                self.out.closed = True  # for reading; the caller may still send
            else:
                self.shut()
        else:
            self.out.refused = "transport_closed"
            self.shut()

    def shut(self) -> None:
        """Close; every open request fails."""
        self.out.failed = set(range(self.number, len(self.asked) + 1))
        self.out.closed = True
        self.out.tunnel = False

    def response(self, asked: Asked) -> None:
        """Read interim responses and the final one."""
        interims = size = 0
        while True:
            self.pass_over()
            start = self.at
            rest = self.data[start : start + 7]
            if rest != b"HTTP/1."[: len(rest)]:
                raise Refusal("invalid_status_line")
            line = self.line(self.limits.max_status_line, "status_line_too_long")
            match = STATUS.fullmatch(line[:-2])
            if match is None or not line.endswith(b"\r\n"):
                raise Refusal("invalid_status_line")
            old, status = match[1] == b"0", int(match[2])
            if status >= 200 or status == 101:  # final
                break
            interims += 1
            size += len(line)
            if interims > self.limits.max_informational:
                raise Refusal("too_many_informational")
            before = self.at
            section = self.section("invalid_header", trailers=False, status=status, asked=asked)[0]
            size += self.at - before
            if size > self.limits.max_informational_size:
                raise Refusal("too_many_informational")
            self.say("interim", (status, section))
        if status == 101 and (not asked.offers or asked.streaming):
            raise Refusal("unexpected_upgrade")
        self.say("status", status)
        if self.reasons:
            self.say("reason", (match[3] or b"").decode("latin-1"))
        section, framing = self.section("invalid_header", trailers=False, status=status, asked=asked)
        if status == 101 and not framing.upgrades:
            raise Refusal("unexpected_upgrade")
        self.say("headers", section)
        self.body(asked, status, framing, old=old)

    def section(self, invalid: str, *, trailers: bool, status: int, asked: Asked) -> tuple[Pairs, Framing]:
        """Read field lines up to the empty line."""
        limits = self.limits
        room = limits.max_trailer_size if trailers else limits.max_header_list_size
        most = limits.max_trailer_fields if trailers else limits.max_fields
        pairs: list[tuple[str, str]] = []
        framing = Framing()
        connected = asked.method == "CONNECT" and 200 <= status < 300  # 2xx
        interim = status < 200 and status != 101  # not final
        lines = 0
        while True:
            line = self.line(room, "max_header_list_size_exceeded")
            room -= len(line)
            if not line.endswith(b"\r\n"):
                raise Refusal(invalid)
            line = line[:-2]
            if not line:
                return tuple(pairs), framing
            lines += 1
            if lines > most:
                raise Refusal("too_many_headers")
            if line[:1] in (b" ", b"\t"):
                more = line.strip(b" \t")
                if not pairs or not VALUE.fullmatch(more):
                    raise Refusal(invalid)
                if not trailers and pairs[-1][0] in ("content-length", "transfer-encoding", "upgrade"):
                    raise Refusal(invalid)
                name, value = pairs[-1]
                pairs[-1] = (
                    name,
                    (value + " " + more.decode("latin-1"))
                    if value and more
                    else value or more.decode("latin-1"),
                )
                if name == "connection" and not trailers and not interim and not connected:
                    framing.take(name, pairs[-1][1], asked, status)
                continue
            name_octets, colon, value_octets = line.partition(b":")
            value_octets = value_octets.strip(b" \t")
            if not colon or not TOKEN.fullmatch(name_octets) or not VALUE.fullmatch(value_octets):
                raise Refusal(invalid)
            name, value = name_octets.decode("ascii").lower(), value_octets.decode("latin-1")
            pairs.append((name, value))
            if not trailers and not interim and not connected:
                try:
                    framing.take(name, value, asked, status)
                except Refusal:
                    if self.at == len(self.data):  # the next octet decides whether the field is folded
                        raise Partial from None
                    raise

    def body(self, asked: Asked, status: int, framing: Framing, *, old: bool) -> None:
        """Read content as RFC 9112 6.3 delimits it."""
        final = old and not framing.keep
        if status == 101 or (asked.method == "CONNECT" and 200 <= status < 300):
            self.out.tunnel = True
            self.content(self.data[self.at :])
            self.at = len(self.data)
            raise Partial
        if asked.method == "HEAD" or status in (204, 304):
            self.finish(asked, closes=final or framing.close, nothing=True)
        elif framing.codings and framing.length is not None:
            raise Refusal("transfer_encoding_and_content_length")
        elif framing.codings and framing.codings[-1] == "chunked":
            self.chunks()
            self.finish(asked, closes=final or framing.close or old)
        elif framing.codings or framing.length is None:
            self.until_close = True
            self.content(self.data[self.at :])
            self.at = len(self.data)
            raise Partial
        else:
            piece = self.data[self.at : self.at + framing.length]
            self.at += len(piece)
            self.content(piece)
            if len(piece) < framing.length:
                raise Partial
            self.finish(asked, closes=final or framing.close)

    def chunks(self) -> None:
        """Read chunks and trailers."""
        limit = self.limits.max_chunk_line
        excess = 0
        while True:
            line = self.line(limit, "chunk_line_too_long")
            match = CHUNK.fullmatch(line[:-2])
            if (
                match is None
                or not line.endswith(b"\r\n")
                or len(match[1]) > 16  # more digits than mint accepts
                or int(match[1], 16) >> 63
                or not EXTENSIONS.fullmatch(match[2])
            ):
                raise Refusal("invalid_chunk_size")
            size = int(match[1], 16)
            excess = max(0, excess + len(line) - 16 - 2 * min(size, 1 << 20))
            if excess > 4 * limit:
                raise Refusal("chunk_overhead_exceeded")
            if size == 0:
                break
            piece = self.data[self.at : self.at + size]
            self.at += len(piece)
            self.content(piece)
            if len(piece) < size:
                raise Partial
            end = self.data[self.at : self.at + 2]
            if end != b"\r\n"[: len(end)]:
                raise Refusal("missing_crlf_after_chunk")
            if len(end) < 2:  # CRLF
                self.at += len(end)
                raise Partial
            self.at += 2
        section, _ = self.section("invalid_trailer_header", trailers=True, status=200, asked=Asked())
        allowed = tuple(pair for pair in section if pair[0] not in FORBIDDEN_IN_TRAILERS)
        if allowed:
            self.say("trailers", allowed)

    def finish(self, asked: Asked, *, closes: bool, nothing: bool = False) -> None:
        """The response is complete."""
        self.say("done")
        self.number += 1
        if closes or asked.closes:
            self.shut()
            return
        self.pass_over()
        if nothing and self.number > len(self.asked) and self.at < len(self.data):
            self.out.surplus_behind_nothing = True
        elif nothing and self.at < len(self.data):
            rest = self.data[self.at : self.at + 7]
            self.out.surplus_behind_nothing = rest != b"HTTP/1."[: len(rest)]


@dataclass
class Framing:
    """What the fields say about the content and the connection."""

    length: int | None = None
    codings: list[str] = field(default_factory=list)
    close: bool = False
    keep: bool = False
    upgrades: bool = False

    def take(self, name: str, value: str, asked: Asked, status: int) -> None:
        """Handle a field."""
        members = [member.strip(" \t") for member in value.split(",")]
        tokens = [member for member in members if member]
        if name == "content-length":
            for member in members:
                if not re.fullmatch("[0-9]+", member) or len(member.lstrip("0")) > 18:
                    raise Refusal("invalid_content_length_header")
                if self.length is not None and self.length != int(member):
                    raise Refusal("more_than_one_content_length_header")
                self.length = int(member)
        elif name == "transfer-encoding":
            if not tokens:
                raise Refusal("empty_token_list")
            for token in tokens:
                if not TOKEN.fullmatch(token.encode("latin-1")):
                    raise Refusal("invalid_token_list")
                if token.lower() == "chunked" and "chunked" in self.codings:
                    raise Refusal("invalid_token_list")
                self.codings.append(token.lower())
        elif name == "connection":
            for token in tokens:
                if not TOKEN.fullmatch(token.encode("latin-1")):
                    raise Refusal("invalid_token_list")
                self.close |= token.lower() == "close"
                self.keep |= token.lower() == "keep-alive"
        elif name == "upgrade" and status == 101:
            if not tokens or any(token.lower() not in asked.offers for token in tokens):
                raise Refusal("unexpected_upgrade")
            self.upgrades = True
