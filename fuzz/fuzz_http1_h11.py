"""HTTP/1 responses, mint beside h11: where both accept they agree; where they differ a rule decides.

`STRICTER` and `WIDER` list every accepted difference. Anything else is a finding.
"""

from collections.abc import Iterable

import h11

from mint._core.events import Data, Done, Failed, Headers, Status, Trailers
from mint._core.http1 import Config, State
from support import check, fuzz, play

CONFIG = Config(hostname="example.org", port=80, scheme="http", identity=7, user_agent="fuzz")

# What mint refuses and h11 may accept: the reason of the fault -> the rule that decides.
STRICTER = {
    "invalid_status_line": "9112-4-a: three digits from 100 to 599, CRLF; 9112-2.2-d: no bare LF",
    "status_line_too_long": "R7",
    "invalid_header": "9112-2.2-d bare LF, 9112-5.2-b folded framing fields, 9110-5.5-b controls",
    "invalid_trailer_header": "the same for trailers",
    "invalid_content_length_header": "9110-8.6-c, R2: at most 18 digits",
    "more_than_one_content_length_header": "9112-6.3-e",
    "transfer_encoding_and_content_length": "9112-6.3-c: refused, as a sign of smuggling",
    "empty_token_list": "9112-6.1-g",
    "invalid_token_list": "9112-6.1-g, R3",
    "invalid_chunk_size": "9112-7.1-a, 9112-7.1-d",
    "chunk_line_too_long": "R5",
    "chunk_overhead_exceeded": "9112-7.1.1-a",
    "missing_crlf_after_chunk": "9112-7.1-c",
    "unexpected_upgrade": "9110-7.8-b",
    "unexpected_data": "9112-6.3-j: h11 keeps surplus octets as trailing data",
    "too_many_informational": "R10",
    "too_many_headers": "R15",
    "max_header_list_size_exceeded": "R7",
    "transport_closed": "an end that h11 reports as a RemoteProtocolError of its own",
    "tls_truncated": "9112-9.8-b",
}

# What mint accepts and h11 may refuse: a mark in its message -> the rule that decides.
WIDER = {
    "Transfer-Encoding": "9112-6.3-d: another final coding means reading until close",
    "illegal status line": "9112-4-a: the reason phrase may hold obs-text; h11's pattern does not allow it",
    "illegal header line": "9110-5.5: obs-text, and folding by 9112-5.2-b",
    "Receive buffer too long": "h11 limits what is incomplete to 16 KiB",
    "chunk": "9112-7.1.1-a: chunk extensions, quoted strings with other octets",
    "bad Content-Length": "identical repeated values collapse (9110-8.6-c)",
    "multiple": "h11 counts, mint compares",
    "conflicting": "h11 counts, mint compares",
    "peer unexpectedly closed": "9112-6.3-d: h11 knows only chunked",
    "Too many bytes": "never seen by a client",
    "Illegal": "9110-5.5: obs-text",
    "status code": "9110-15: h11's InformationalResponse allows 100 to 199",
    "sent non-final": "101 ends HTTP",
}


class Outcome:
    """A response as both libraries see it."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.body = b""
        self.trailers: list[tuple[str, str]] = []
        self.complete = False
        self.refused = ""


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
    if fault is not None:
        outcome.refused = fault.reason
    return outcome


def pairs(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Return h11's headers as mint has them."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


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


def one(data: bytes) -> None:
    """Compare one input."""
    ours, theirs = by_mint(data), by_h11(data)
    if ours.refused and not ours.complete:
        check(
            bool(theirs.refused) or ours.refused in STRICTER,
            "mint refuses, h11 does not",
            vars(ours),
            vars(theirs),
        )
    elif ours.complete and theirs.complete:
        ours.headers, theirs.headers = framed(ours.headers), framed(theirs.headers)
        seen, expected = vars(ours), vars(theirs)
        for name in ("status", "headers", "body"):
            if seen[name] != expected[name]:
                check(differs_by_rule(name, data), f"another {name}", seen, expected)
    elif ours.complete:
        known = any(mark in theirs.refused for mark in WIDER)
        check(known, "mint accepts, h11 does not", vars(ours), vars(theirs))


def framed(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers without what h11 does to framing fields, which mint hands on as they came.

    9110-8.6-c: h11 keeps one of equal content-lengths; 9112-6.1-g: it lowers the case of codings.
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


def differs_by_rule(name: str, data: bytes) -> bool:
    """Whether a rule explains a difference between two complete responses."""
    folded = b"\r\n " in data or b"\r\n\t" in data
    if name == "headers":
        return folded  # both unfold (9112-5.2-b), with other blanks
    lowered = data.lower()
    # 9112-6.1-f: in HTTP/1.0 chunked is faulty framing; 9112-6.3-d: a coding after chunked.
    return name == "body" and b"transfer-encoding" in lowered


if __name__ == "__main__":
    fuzz(one)
