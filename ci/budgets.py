"""The budgets of HTTP/2: what the frames of a server cost a client, what limits the cost, and who bears it.

    python -m ci.budgets            # print the table, and report whether SECURITY.md is out of date
    python -m ci.budgets --write    # write the table to SECURITY.md

A budget is needed where an octet from the server costs more than an octet's worth of work: memory that stays
allocated, answers that must be sent, or work that is not linear. What the caller of mint causes never counts
against the server. `ci/honest.py` repeats what honest servers do; `tests/advisories` repeats what attackers
do.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from mint import ClientSettings, HTTP2Options

SECURITY = Path(__file__).resolve().parent.parent / "SECURITY.md"
BEGIN, END = "<!-- budgets: written by ci/budgets.py -->\n", "<!-- budgets: end -->\n"


@dataclass(frozen=True)
class Row:
    """One kind of event."""

    event: str
    costs: str
    bound: str
    limits: tuple[str, ...]  # options of `HTTP2Options` or `ClientSettings`; empty if nothing is counted
    pays: str
    per_second: int = 0  # by how much the count falls each second


ROWS = (
    Row("PING, SETTINGS", "an answer of 17 or 9 octets", "answers that have not been written",
        ("max_unsent_acks",), "a server that does not read"),
    Row("SETTINGS with many entries", "work for each entry", "entries of one frame", ("max_settings",),
        "the server"),
    Row("a response that breaks a rule, a promise that cannot be accepted",
        "RST_STREAM, and a stream that is remembered",
        "streams that end because of the server; unsent answers", ("max_resets", "max_unsent_acks"),
        "the server; a complete response cancels one", 33),
    Row("RST_STREAM on a push", "a stream that was promised", "streams that end because of the server",
        ("max_resets",), "the server; a complete response cancels one", 33),
    Row("RST_STREAM on an open request, even on every one",
        "nothing beyond the cost of the request itself",
        "requests that the caller sends", (), "nobody: an overloaded server may refuse for a long time"),
    Row("a frame on a stream that the server has ended", "one RST_STREAM for several such frames in a row",
        "answers that have not been written", ("max_unsent_acks",), "the server"),
    Row("frames that serve no purpose: PING, SETTINGS, PRIORITY, empty DATA, unknown types,"
        " WINDOW_UPDATE beyond what was sent, acknowledgements of nothing, every further GOAWAY, ORIGIN,"
        " ALTSVC, anything on a closed stream",
        "only their octets, but any number of them",
        "their number, if time is known (not in memory without a `clock`)",
        ("max_glitches",), "the server; useful traffic cancels them", 330),
    Row("PUSH_PROMISE", "a stream that is kept until its response",
        "promises without a response; open pushes",
        ("max_reserved", "max_concurrent_streams"), "the server: the promise is refused"),
    Row("the cookie fields of a promise", "one string that joins them",
        "65,536 octets, and 64 more for each octet received", (), "the server: the promise is refused"),
    Row("a header block in pieces", "its octets, until it is complete", "octets and frames of one block",
        ("max_header_block", "max_continuations"), "the server"),
    Row("a header section", "its octets as they are decoded",
        "octets; above the first limit the response fails, above the second the connection ends",
        ("max_header_list_size", "max_discarded_header_list"), "the server"),
    Row("the fields of a header section", "an entry of a list for each", "fields of one section",
        ("max_fields",), "the server"),
    Row("an interim response", "an event for the program", "interim responses to one request",
        ("max_informational",), "the server: the request fails", 10),
    Row("the fields of interim responses", "their octets as they are decoded", "octets for one request",
        ("max_informational_size",), "the server: the request fails", 4_000),
    Row("trailers", "their octets as they are decoded", "octets and fields of one section",
        ("max_trailer_size", "max_trailer_fields"), "the server: the request fails"),
    Row("fields that are indexed", "an entry of the HPACK table", "octets of the table",
        ("header_table_size",), "the server: old entries are dropped"),
    Row("DATA", "its octets, until the program takes them", "the windows of the stream and the connection",
        ("initial_window_size", "connection_window_size"), "the server"),
    Row("DATA with content, WINDOW_UPDATE for what was sent", "only their octets", "nothing", (),
        "nobody"),
    Row("frames that were under way when the caller cancelled their stream", "only their octets",
        "the window of the stream, and 100 frames without content", (), "mint: it caused them"),
    Row("RST_STREAM, NO_ERROR, for the rest of a request whose response is complete", "13 octets",
        "one for each request", (), "mint: it made the request"),
    Row("a stream that mint has reset", "an entry in the list of such streams", "entries in the list",
        ("max_remembered",), "mint: the oldest are forgotten"),
    Row("a PING that the caller sends", "a payload that is kept until the answer", "unanswered PINGs",
        ("max_pings",), "the caller: the PING is refused"),
)  # fmt: skip


def default(name: str) -> str:
    """Return the default of an option."""
    options = HTTP2Options()
    found = getattr(options, name, None)
    if found is None:
        found = getattr(ClientSettings(), name)
    if found is None:
        found = {"header_table_size": 4_096, "max_concurrent_streams": 100}[name]
    return f"{found:,}"


def table() -> str:
    """Return the rows in Markdown."""
    lines = ["| event | costs | what bounds it | limit | who pays |", "|---|---|---|---|---|"]
    for row in ROWS:
        limit = ", ".join(f"`{name}` {default(name)}" for name in row.limits) or "none"
        back = f"; {row.per_second:,} per second are forgiven" if row.per_second else ""
        lines.append(f"| {row.event} | {row.costs} | {row.bound} | {limit}{back} | {row.pays} |")
    return "\n".join(lines) + "\n"


def updated(text: str) -> str:
    """Return SECURITY.md with this table."""
    before, mark, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise SystemExit(f"{SECURITY.name} lacks the comments around the table")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Print or write the table."""
    text = SECURITY.read_text()
    if "--write" in arguments:
        SECURITY.write_text(updated(text))
        return 0
    print(table(), end="")
    if updated(text) != text:
        print("SECURITY.md is out of date; run: python -m ci.budgets --write")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
