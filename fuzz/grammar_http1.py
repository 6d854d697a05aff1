"""Streams of HTTP/1 responses made from decisions: mostly valid, often at a limit, sometimes damaged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from model_http1 import Asked, Limits
from support import counted

if TYPE_CHECKING:
    from support import Choices

NAMES = (
    b"Server",
    b"x-a",
    b"Set-Cookie",
    b"X-Long-Name-Of-A-Field",
    b"ETag",
    b"Date",
    b"www-authenticate",
    b"a",
)
VALUES = (b"", b"1", b"text/plain", b"a, b", b"\tx y\t", b"\xe9\xff", b'"q\\""', b"0123456789" * 4)
FRAMING = (
    b"Content-Length: %d",
    b"content-length:%d",
    b"Content-Length: %d, %d",
    b"Content-Length:  0%d ",
    b"CONTENT-LENGTH: %d\r\nContent-Length: %d",
)
CODINGS = (
    b"Transfer-Encoding: chunked",
    b"transfer-encoding: Chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: ,chunked ,",
)
CONNECTIONS = (b"close", b"keep-alive", b"Close, TE", b"upgrade", b",,x , keep-alive", b"KEEP-ALIVE", b"clos")
ODD_LINES = (
    b"Content-Length: +5",
    b"Content-Length: 5, 6",
    b"Content-Length: 7\r\nContent-Length: 8",
    b"Content-Length: -1",
    b"Content-Length: 0x5",
    b"Content-Length: 99999999999999999999",
    b"Content-Length:",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: chunked, gzip",
    b"Transfer-Encoding: gzip",
    b"Transfer-Encoding:",
    b"Transfer-Encoding: chunked;x=y",
    b"Transfer-Encoding: chunkedx",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: chunke",
    b"Transfer-Encoding: gzip, chunke",
    b"Transfer-Encodings: chunked",
    b"Transfer-Encodin: chunked",
    b"XTransfer-Encoding: chunked",
    b"Content-Length-X: 5",
    b"Content-Lengt: 5",
    b"XContent-Length: 5",
    b"Connections: close",
    b"Upgrade: websocketx",
    b"Connection: a b",
    b"Connection: close\r\n x",
    b"Content-Length: 1\r\n 2",
    b"Bad Name: x",
    b"Bad : x",
    b": x",
    b"no colon",
    b"X: \x00",
    b"X: a\rb",
    b"X: \x7f",
    b"X: a\nY: b",
    b"X: a\r\n  folded\r\n\tmore",
    b"X:\r\n \t",
    b"Upgrade: websocket",
)
# Secrets in fields whose names say so. Some are cut off by a line break or an octet that is not allowed.
SECRETS = (
    b"Set-Cookie: hidden-1",
    b"set-cookie: k=\r\nhidden-2 is cut off",
    b"Set-Cookie: k=\nhidden-3",
    b"SET-COOKIE: hidden-4\0",
    b"Set-Cookie: k=\r\n hidden-5\x7f",
    b"www-authenticate: k\r\n\thidden-6\r\n hidden-6",
    b"Set-Cookie : hidden-7",
    b"Set-Cookie: k=\r\n\rhidden-8",
    b"Set-Cookie: k=\rhidden-9",
)
SIMILAR = b"x-same: 0123456789abcdefghijklmnopqrs"
LARGE = (
    b"2147483648",
    b"4294967301",
    b"999999999999999999",
    b"0000000000000000000000000005",
    b"1000000000000000000",
)
LARGE_CHUNKS = (
    b"80000000",
    b"ffffffff",
    b"100000000",
    b"7fffffffffffffff",
    b"FFFFFFFFFFFFFFFF",
    b"00000000000000005",
)
STATUSES = (200, 200, 200, 204, 304, 404, 206, 301, 500, 999, 100)
ODD_STATUS = (
    b"HTTP/1.1 099 x",
    b"HTTP/1.1 20",
    b"HTTP/2.0 200 OK",
    b"HTTP/1.1  200 OK",
    b"http/1.1 200 OK",
    b"HTTP/1.1 200OK",
    b"HTTP/1.1 2000 OK",
    b"HTTP/1.1\t200 OK",
    b"HTTP/1.1 200\tOK",
    b"HTTP/1.1 200 a\x00b",
    b"HTTP/11 200 OK",
    b"HTTP/1.1 -20 OK",
    b"HTTP/1.1 200 \x7f",
    b"ICY 200 OK",
    b"",
)


def limits(choices: Choices) -> Limits:
    """Return limits: the defaults, or small ones that a short input can reach."""
    if choices.chance(40):
        return Limits()
    return Limits(
        max_header_list_size=choices.between(60, 400),
        max_fields=choices.between(1, 8),
        max_status_line=choices.between(12, 60),
        max_informational=choices.between(1, 3),
        max_informational_size=choices.between(40, 300),
        max_trailer_size=choices.between(4, 120),
        max_trailer_fields=choices.between(1, 4),
        max_chunk_line=choices.between(8, 60),
    )


def requests(choices: Choices) -> list[Asked]:
    """Return the open requests: several ordinary ones, or one that asks for another protocol."""
    style = choices.below(8)
    if style == 0:
        return [Asked("CONNECT")]
    if style == 1:
        return [Asked("GET", offers=("websocket", "h2c"))]
    if style == 2:  # the third style
        return [Asked("POST", choices.pick(((), (), ("websocket", "h2c"))), streaming=True)]
    if style == 3:  # the fourth style
        return []
    asked = [Asked(choices.pick(("GET", "HEAD", "POST"))) for _ in range(choices.between(1, 3))]
    if choices.chance(10):
        asked[-1] = Asked(asked[-1].method, closes=True)
    return asked


def stream(choices: Choices, asked: list[Asked], limits: Limits) -> bytes:
    """Return the octets that a server might send for these requests, or a few more or less."""
    made = bytearray()
    for request in asked:
        for _ in range(choices.around(limits.max_informational) if choices.chance(15) else 0):
            interim = choices.pick((b"100", b"103", b"199", b"102"))
            made += b"HTTP/1.1 " + interim + b" Go on\r\n" + fields(choices, limits) + b"\r\n"
        made += response(choices, request, limits)
    if choices.chance(15):
        made += response(choices, Asked(), limits)
    elif choices.chance(15):
        made += choices.octets(12)
    if made and choices.chance(25):
        del made[choices.below(len(made)) :]
    for _ in range(choices.between(1, 2) if made and choices.chance(25) else 0):
        damage(choices, made)
    return bytes(made)


def laden(choices: Choices, asked: list[Asked], limits: Limits) -> bytes:
    """Return a response with much overhead of chunks for each request: each has a budget of its own."""
    made = b""
    for _ in asked:
        made += b"HTTP/1.1 200\r\n" + choices.pick(CODINGS) + b"\r\n\r\n"
        made += chunked(choices, b"", limits, heavy=True)
    return made


def spaced(choices: Choices, octets: bytes) -> bytes:
    """Return the responses with empty lines, complete or not, before some of them and after the last one."""
    places = [match.start() for match in re.finditer(rb"HTTP/1\.", octets)]
    made, done = b"", 0
    for place in (*places, len(octets)):
        made += octets[done:place]
        if choices.chance(60):
            made += b"\r\n" * choices.below(3) + choices.pick((b"", b"", b"\r\n", b"\r", b"\n", b"\r\r\n"))
        done = place
    return made


def damage(choices: Choices, made: bytearray) -> None:
    """Change, remove or double an octet, or add one that has a meaning."""
    place = choices.below(len(made)) if made else 0
    match choices.below(4) if made else 3:
        case 0:
            made[place] = choices.byte()
        case 1:
            del made[place]
        case 2:
            made.insert(place, made[place])
        case _:
            made.insert(place, choices.pick(b"\r\n \t:;,\x00\x7f\xff0a-+"))


def nearly(choices: Choices, text: bytes) -> bytes:
    """Return text with a letter changed, removed or added, mostly at the beginning or end of a word."""
    words = list(re.finditer(rb"[A-Za-z]+", text))
    if not words:
        return text
    word = choices.pick(words)
    place = choices.pick((word.start(), word.end() - 1, word.end(), choices.below(len(text))))
    return text[:place] + choices.pick((b"", b"z", b"Z", b"-")) + text[place + choices.below(2) :]


def exact(choices: Choices, room: int, start: bytes, end: bytes) -> bytes:
    """Return octets whose length is at or near a limit."""
    wanted = choices.around(room)
    return start + b"y" * max(0, wanted - len(start) - len(end)) + end


def fields(choices: Choices, limits: Limits, *, trailers: bool = False) -> bytes:
    """Return field lines: a few, or as many octets or fields as a limit allows, or one more."""
    most = limits.max_trailer_fields if trailers else limits.max_fields
    room = limits.max_trailer_size if trailers else limits.max_header_list_size
    if choices.chance(12) and most < 100:  # a small limit
        return b"a:b\r\n" * choices.around(most)
    if choices.chance(12) and room < 1_000:  # a small limit
        return exact(choices, room, b"X: ", b"\r\n\r\n")[:-2]
    if choices.chance(6) and not trailers:  # lines that differ in one place only, several times
        lines = [SIMILAR[:place] + b"!" + SIMILAR[place + 1 :] for place in (9, 15, 18, 25, 36)]
        return b"\r\n".join(choices.pick(lines[: choices.between(1, 5)]) for _ in range(6)) + b"\r\n"
    if choices.chance(4):
        return b"".join(b"n%d: v%d\r\n" % (i % 9, i) for i in range(choices.between(28, 40)))
    made = b""
    for _ in range(choices.below(5)):
        if choices.chance(10):
            made += choices.pick(ODD_LINES) + b"\r\n"
        elif choices.chance(5):
            made += choices.pick(SECRETS) + b"\r\n"
        elif trailers and choices.chance(30):
            made += choices.pick((b"Content-Length: 5", b"Host: x", b"Trailer: a", b"Cookie: x=y")) + b"\r\n"
        else:
            made += (
                choices.pick(NAMES) + choices.pick((b": ", b":", b":\t ")) + choices.pick(VALUES) + b"\r\n"
            )
            if choices.chance(8):
                made += choices.pick((b" more", b"\t", b"  a b ")) + b"\r\n"
    return made


def response(choices: Choices, asked: Asked, limits: Limits) -> bytes:
    """Return one response."""
    status = choices.pick(STATUSES)
    if asked.method == "CONNECT" and choices.chance(70):
        status = choices.pick((200, 204, 299))
    elif asked.offers and choices.chance(70):
        status = 101
    elif status == 100:  # interim responses are made elsewhere
        status = choices.pick((101, 200, 600))
    minor = choices.pick((1, 1, 1, 1, 0, 9))
    line = b"HTTP/1.%d %d" % (minor, status) + choices.pick((b" OK", b" ", b"", b" Not \xe9\t so", b" x"))
    if choices.chance(5):
        line = choices.pick(ODD_STATUS)
    elif choices.chance(10) and limits.max_status_line < 1_000:  # a small limit
        line = exact(choices, limits.max_status_line, b"HTTP/1.1 200 ", b"\r\n")[:-2]
    content = choices.octets(choices.pick((0, 4, 30, 300)))
    head = [fields(choices, limits)]
    body = content
    match choices.below(4):
        case 0 | 1:
            form = choices.pick(FRAMING)
            if choices.chance(4):
                head.append(b"Content-Length: " + choices.pick(LARGE) + b"\r\n")
                return line + b"\r\n" + b"".join(head) + b"\r\n" + body
            size = max(0, len(content) + (choices.pick((-1, 1, 2)) if choices.chance(8) else 0))
            head.append(form % ((size,) * form.count(b"%d")) + b"\r\n")
        case 2:
            coding = choices.pick(CODINGS)
            head.append((nearly(choices, coding) if choices.chance(8) else coding) + b"\r\n")
            body = chunked(choices, content, limits)
            if choices.chance(6):
                head.append(b"Content-Length: %d\r\n" % len(content))
        case _:
            pass
    if choices.chance(30):
        option = choices.pick(CONNECTIONS)
        head.append(b"Connection: " + (nearly(choices, option) if choices.chance(30) else option) + b"\r\n")
    if status == 101 and choices.chance(85):  # Switching Protocols
        head.append(
            b"Upgrade: "
            + choices.pick((b"websocket", b"WebSocket, h2c", b"h2c", b"other", b"", b"websockets"))
            + b"\r\n"
        )
    if choices.chance(50):
        head.reverse()
    if (asked.method == "HEAD" or status in (204, 304)) and choices.chance(80):
        body = b""
    return line + b"\r\n" + b"".join(head) + b"\r\n" + body


def chunked(choices: Choices, content: bytes, limits: Limits, *, heavy: bool = False) -> bytes:
    """Return chunks, with extensions and trailers."""
    made = b""
    at = excess = 0
    most = 3 if heavy else 300
    heavy = heavy or (choices.chance(15) and limits.max_chunk_line < 1_000)  # a small limit
    if heavy:  # room for enough chunk lines
        content = counted(choices.between(8, 30))
    while at < len(content):
        size = choices.between(1, min(len(content) - at, choices.pick((1, 3, most))))
        form = choices.pick((b"%x", b"%X", b"%x", b"000%x"))
        line = form % size
        if choices.chance(20):
            line += choices.pick((b";a", b";a=b", b' ; a = "b;\\"c"', b";a=;", b"; ", b" ", b";=x", b';a="x'))
        if choices.chance(8) and limits.max_chunk_line < 1_000:  # a small limit
            line = exact(choices, limits.max_chunk_line, line[:8] + b";x", b"\r\n")[:-2]
        if heavy and choices.chance(85):
            # Exactly as much overhead as is allowed, or one octet more (model_http1.py); or a full line.
            wanted = 4 * limits.max_chunk_line - excess + choices.pick((0, 0, 1)) + 16 + 2 * size
            room = min(wanted, limits.max_chunk_line) - len(form % size) - 4
            if room > 0:
                line = form % size + b";y" + b"y" * room
        excess = max(0, excess + len(line) + 2 - 16 - 2 * size)
        made += line + b"\r\n" + content[at : at + size] + b"\r\n"
        at += size
    if choices.chance(4):
        return made + choices.pick(LARGE_CHUNKS) + b"\r\n" + content
    if choices.chance(6):
        made += choices.pick(
            (b"0x1\r\na\r\n", b"-1\r\n", b"8000000000000000\r\n", b"1\r\nab\r\n", b"\r\n", b"1\na\r\n")
        )
    trailers = fields(choices, limits, trailers=True) if choices.chance(30) else b""
    return made + choices.pick((b"0", b"0", b"000", b"0;x=y")) + b"\r\n" + trailers + b"\r\n"
