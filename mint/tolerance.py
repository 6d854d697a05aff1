"""Which violations of HTTP to tolerate in the responses of servers: one switch for each rule.

By default, a response that breaks a rule is an error. Browsers and curl accept more, because some servers
send such responses. Every switch is safe for a client that does not pass responses on: either it never
changes where a message begins or ends, compared with what the server meant, or the connection is not used
again afterwards. Anything ambiguous is refused whatever the switches say: a NUL, a lone CR, lengths that
disagree, an invalid chunk size. A proxy must not use these switches (RFC 9112 11).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from ._declarations import check, documented, flag, flag_or


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """Which violations by a server are accepted; all of them are off unless switched on.

    For `lenient` of `HTTP1Options` and `HTTP2Options`, where `True` stands for `Tolerance.all()`.
    The switches apply to HTTP/1 unless they say otherwise.
    """

    bare_lf: bool = flag(
        False,
        "a line of a head or of the trailers may end in LF without CR, as RFC 9112 2.2 allows recipients "
        "to read it. A lone CR never ends a line, so a line has one end only. The lines of the chunked "
        "coding always end in CRLF: others may see another end of the chunk.",
    )
    space_before_colon: bool = flag(
        False,
        "whitespace between a field name and the colon is removed. RFC 9112 5.1 makes servers refuse it "
        "and proxies remove it: the field means the same without it.",
    )
    non_field_lines: bool = flag(
        False,
        "a line of a head that is not a field is skipped and logged (logger `mint`). It relaxes RFC 9112"
        " 5. A line whose name looks like content-length or transfer-encoding is still refused, since "
        "others might take it for one.",
    )
    control_characters: bool = flag(
        False,
        "control characters other than CR, LF and NUL may stand in values and reason phrases, and are "
        "kept, on both protocols. RFC 9110 5.5 allows recipients to retain them, and no message ends at "
        "one. Escape values before you show them on a terminal.",
    )
    surrounding_whitespace: bool = flag(
        False,
        "HTTP/2 only: whitespace around a field value is removed. It relaxes RFC 9113 8.2.1; such "
        "whitespace is not part of the value (RFC 9110 5.5).",
    )
    repeated_chunked: bool = flag(
        False,
        "`chunked` may be listed twice in a row and is decoded once. It relaxes RFC 9112 6.1. Where a "
        "server did encode twice, the content still shows the inner chunks, and nothing else is misread.",
    )
    length_beside_chunked: bool = flag(
        False,
        "content-length beside transfer-encoding is ignored, and the connection is not used again. RFC "
        "9112 6.3 asks for both if such a message is not refused.",
    )
    status_line_whitespace: bool = flag(
        False,
        "several spaces or tabs between version, status and reason phrase. RFC 9112 4 allows recipients "
        "to parse on whitespace; the three parts stay what they are.",
    )
    identity_coding: bool = flag(
        False,
        "the transfer coding `identity` is ignored. RFC 2616 3.6 defined it, and RFC 9112 7 has removed it; "
        "it never changed the content. After `chunked` it is not tolerated.",
    )
    malformed_connection: bool = flag(
        False,
        "a connection field that is not a list of tokens is accepted, and the connection is not used again. "
        "It relaxes RFC 9110 7.6.1; closing is correct whatever the field was meant to say.",
    )
    empty_lines: bool = flag(
        False,
        "empty lines before a status line are skipped. RFC 9112 2.2 asks servers to do so with "
        "requests. A lone CR is not skipped, and no response begins or ends differently.",
    )
    chunk_size_whitespace: bool = flag(
        False,
        "whitespace between a chunk size and the end of its line. It relaxes RFC 9112 7.1; the size stays"
        " what it is.",
    )

    def __post_init__(self) -> None:
        check(self)

    @classmethod
    def all(cls) -> Tolerance:
        """Return the tolerance with everything switched on."""
        return cls(**dict.fromkeys([each.name for each in fields(cls)], True))


def leniency() -> bool | Tolerance:
    """Declare the option for which violations of a server are tolerated."""
    return flag_or(
        Tolerance,
        "accept responses that break a rule, as browsers and curl do: a `Tolerance` says which rules, `True` "
        "stands for all of them.",
        config="tolerance",
    )


_NAMES = tuple(each.name for each in fields(Tolerance))


def bits_of(lenient: bool | Tolerance) -> int:  # the value of the option
    """Return the switches as the bits with which an engine is configured."""
    if isinstance(lenient, Tolerance):
        return sum(1 << place for place, name in enumerate(_NAMES) if getattr(lenient, name))
    return (1 << len(_NAMES)) - 1 if lenient else 0
