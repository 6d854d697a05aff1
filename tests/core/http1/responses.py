"""Raw responses: `ODD` ones that clients accept in practice, and `BAD` ones that are ambiguous.

Collected from the rules of RFC 9112, and from what curl, browsers, Go and Python's `http.client` are known
to accept: old CGI scripts, embedded servers, proxies that fold or repeat fields.
"""

from __future__ import annotations

from itertools import product

OK = b"HTTP/1.1 200 OK\r\n"
BODY = b"Content-Length: 2\r\n\r\nok"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
PARTS = b"2\r\nok\r\n0\r\n\r\n"
CONTROLS = [bytes([octet]) for octet in (*range(1, 9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F)]

STATUS_LINES = [
    *(b"HTTP/1.1 200 \r\n", b"HTTP/1.1 200\r\n", b"HTTP/1.1  200 OK\r\n", b"HTTP/1.1\t200\tOK\r\n"),
    *(b"HTTP/1.1 200  OK\r\n", b"HTTP/1.1 200 OK \r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200 \tOK\r\n"),
    *(b"HTTP/1.1 200 OK: fine, (really)\r\n", b"HTTP/1.1 200 \xc3\x9cber\r\n", b"HTTP/1.1 200 \xfc\r\n"),
    *(b"HTTP/1.1 299 Odd\r\n", b"HTTP/1.1 599 Odd\r\n", b"HTTP/1.1 999 Denied\r\n", b"HTTP/1.9 200 OK\r\n"),
    *(b"HTTP/1.1   404   Not  Found\r\n", b"\r\nHTTP/1.1 200 OK\r\n", b"\r\n\r\nHTTP/1.1 200 OK\r\n"),
    *(b"HTTP/1.1 200 O" + control + b"K\r\n" for control in CONTROLS),
    *(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n" + OK),
]
FIELD_LINES = [
    *(b"Server : x\r\n", b"Server\t: x\r\n", b"Server  :x\r\n", b"Server:x\r\n", b"Server:   x   \r\n"),
    *(
        b"Server:\r\n",
        b"Server: \r\n",
        b"X-Folded: a\r\n b\r\n",
        b"X-Folded: a\r\n\tb\r\n \r\n",
        b"X: \r\n b\r\n",
    ),
    *(b"garbage\r\n", b"<html>\r\n", b"two words: x\r\n", b"(x): y\r\n", b"x[1]: y\r\n", b": no name\r\n"),
    *(b"Stra\xdfe: x\r\n", b"X: Stra\xdfe\r\n", b"X: \xe4\xb8\xad\r\n", b"X=1\r\n", b"HTTP/1.1 200 OK\r\n"),
    *(
        b"Connection: a b\r\n",
        b"Connection: \r\n",
        b"Connection: ,close,\r\n",
        b"Connection: keep-alive;x\r\n",
    ),
    *(b"Connection: keep-alive, close\r\n", b"Connection: foo\r\n bar\r\n", b"Keep-Alive: timeout\r\n"),
    *(b"Date: yesterday\r\n", b"Set-Cookie: a\r\nSet-Cookie: b\r\n", b"Server: a\r\nServer: b\r\n"),
    *(
        b"Content-Type: text/html\r\nContent-Type: x\r\n",
        b"X-Empty:\t\r\n",
        b"TE: x\r\n",
        b"Upgrade: h2c\r\n",
    ),
    *(b"X: a" + control + b"b\r\n" for control in CONTROLS),
    *(b"Server: x\n", b"Server: x\nVia: y\n", b" leading\r\n", b"\tleading: x\r\n", b"X" * 200 + b": y\r\n"),
]
BODIES = [
    *(b"Content-Length: 2\nX: y\r\n\r\nok", b"Content-Length: 2\n\nok", b"Content-Length: 02\r\n\r\nok"),
    *(b"Content-Length: 2, 2\r\n\r\nok", b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok"),
    *(b"Content-Length:2\r\n\r\nok", b"Content-Length: 2 \r\n\r\nok", b"Content-Length : 2\r\n\r\nok"),
    *(b"\r\nok", b"Connection: close\r\n\r\nok", b"Transfer-Encoding: identity\r\n" + BODY),
    *(CHUNKED + b"2;a=b\r\nok\r\n0\r\n\r\n", CHUNKED + b"0002\r\nok\r\n0000\r\n\r\n"),
    *(
        CHUNKED + b"2 \r\nok\r\n0\r\n\r\n",
        CHUNKED + b"2  ;x\r\nok\r\n0\r\n\r\n",
        CHUNKED + b"2\t\r\nok\r\n0 \r\n\r\n",
    ),
    *(CHUNKED + b"2\r\nok\r\n0\r\nX: y\r\n\r\n", CHUNKED + b'2;a="b;c"\r\nok\r\n0;d\r\n\r\n'),
    *(b"transfer-encoding: CHUNKED\r\n\r\n" + PARTS, b"Transfer-Encoding: chunked, chunked\r\n\r\n" + PARTS),
    *(b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n" + PARTS, b"Content-Length: 9\r\n" + CHUNKED + PARTS),
    *(
        CHUNKED[:-2] + b"Content-Length: 9\r\n\r\n" + PARTS,
        b"Transfer-Encoding: identity, chunked\r\n\r\n" + PARTS,
    ),
    *(b"Transfer-Encoding : chunked\r\n\r\n" + PARTS, b"Transfer-Encoding: ,chunked\r\n\r\n" + PARTS),
]

ODD = [
    *(line + BODY for line in STATUS_LINES),
    *(OK + line + BODY for line in FIELD_LINES),
    *(OK + body for body in BODIES),
    *(one + two + BODY for one, two in product(STATUS_LINES[:18], FIELD_LINES[:24])),
]

BAD_LENGTHS = [
    *(b"-2", b"+2", b"0x2", b"2.0", b"2 2", b"two", b"", b"2,3", b"2;", b"\xb2", b"1" * 30, b"2, ", b"2_0"),
]
BAD_SIZES = [
    b"",
    b"x",
    b"-2",
    b"+2",
    b"0x2",
    b"2 2",
    b"2_0",
    b"f" * 17,
    b" 2",
    b"\xb2",
    b"2,",
    b"2\x00",
    b"\t2",
]
BAD = [
    *(OK + b"Content-Length: " + each + b"\r\n\r\nok" for each in BAD_LENGTHS),
    *(OK + CHUNKED + each + b"\r\nok\r\n0\r\n\r\n" for each in BAD_SIZES),
    OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
    *(OK + b"Content-Length" + each + b": 3\r\n" + BODY for each in (b"\x00", b"\xa0", b"\x0b", b"-\r")),
    *(
        OK + b"Transfer-Encoding" + each + b": chunked\r\n" + BODY
        for each in (b"\x00", b"\xa0", b"\x0b", b"-\r")
    ),
    *(OK + b"X: a" + each + b"b\r\n" + BODY for each in (b"\x00", b"\r", b"\r\r", b"\r\x00")),
    *(OK + b"X" + each + b": b\r\n" + BODY for each in (b"\x00", b"\r", b"\r\r")),
    *(b"HTTP/1.1 200 O" + each + b"K\r\n" + BODY for each in (b"\x00", b"\r")),
    *(
        OK + CHUNKED + each
        for each in (b"2\nok\n0\n\n", b"2\r\nok0\r\n\r\n", b"2\r\nokay\r\n0\r\n\r\n", b"2\r\nok\n0\r\n\r\n")
    ),
    *(
        OK + CHUNKED + b"2\r\nok\r\n0\r\n" + each + b"\r\n\r\n"
        for each in (b"no field", b"X\x00: y", b"X: \r y")
    ),
    *(
        OK + CHUNKED + each
        for each in (b"2\r\no", b"2\r\nok\r\n", b"2\r\nok\r\n0\r\n", b"2;a\nok\r\n0\r\n\r\n")
    ),
    OK + b"Content-Length: 3\r\n\r\nok",
    *(
        each + b"\r\n" + BODY
        for each in (b"HTTP/2 200 OK", b"HTTP/2.0 200", b"http/1.1 200 OK", b"HTTP/1.1 20 OK")
    ),
    *(
        each + b"\r\n" + BODY
        for each in (b"HTTP/1.1 2000 OK", b"HTTP/1.1 OK", b"ICY 200 OK", b"HTTP/1.1", b"HTTP/1 200 OK")
    ),
    *(
        each + b"\r\n" + BODY
        for each in (b"HTTP/11 200 OK", b"HTTP/1.1.1 200 OK", b"HTTP/1.1 2x0 OK", b"HTTP/1.1 099 OK")
    ),
    *(
        each + b"\r\n" + BODY
        for each in (b" HTTP/1.1 200 OK", b"\x00HTTP/1.1 200 OK", b"SSH-2.0-x", b"<html>ok</html>")
    ),
    *(OK + b"Transfer-Encoding: " + each + b"\r\n\r\n" + PARTS for each in (b"chunked\x00", b"x\r")),
    *(
        OK + b"Transfer-Encoding: " + each + b"\r\n\r\n" + PARTS
        for each in (b"chunked, gzip, chunked", b'"chunked"')
    ),
    *(OK + b"Transfer-Encoding:\r\n " + each + b"\r\n\r\n" + PARTS for each in (b"chunked", b"identity")),
    *(OK + b"Content-Length:\r\n 3\r\n\r\nok!", OK + b"Content-Length: 2\r\n 0\r\n\r\nok"),
    *(b"HTTP/1.1 101 Odd\r\n\r\nok", b"HTTP/1.1 200 OK\r\n", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
]
