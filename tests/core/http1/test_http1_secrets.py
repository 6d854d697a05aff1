"""Errors about a malformed head show no secret, even if a part of it is separated from its field name."""

from __future__ import annotations

import pytest

import mint

START = b"HTTP/1.1 200 OK\r\n"
END = b"content-length: 0\r\n\r\n"
# What separates the name of a secret field from a part of its value.
FIELDS = [
    *(b"%b hunter2\r\n", b"%b : hunter2\r\n", b"%b\t: hunter2\r\n", b"%b\n: hunter2\r\n", b"%b\nhunter2\r\n"),
    *(b"%b:\nhunter2\r\n", b"%b: a\nhunter2\r\n", b"%b: a\rhunter2\r\n", b"%b: a\r\n hunter2\0\r\n"),
    *(
        b"%b: a\r\nhunter2\r\n",
        b"%b: a\r\n=hunter2\r\n",
        b"%b: a\r\n:hunter2\r\n",
        b"%b: a\r\nhunter2 : x\r\n",
    ),
    *(b"%b: \0hunter2\r\n", b"%b: a; \xff\0hunter2\r\n", b"%b: " + b"a" * 250 + b"\r\nhunter2\r\n"),
    *(b"%b: a\r\n\thunter2\x01\r\n", b"%b: hunter2"),
]
BEFORE = {
    "head": START,
    "interim": b"HTTP/1.1 103 Early Hints\r\n",
    "trailers": START + b"transfer-encoding: chunked\r\n\r\n0\r\n",
    "chunk size": START + b"transfer-encoding: chunked\r\n\r\n",
    "surplus": START + END + START,
}


@pytest.mark.parametrize("name", [b"Set-Cookie", b"www-authenticate", b"X-Key"])
@pytest.mark.parametrize("place", BEFORE)
@pytest.mark.parametrize("lenient", [False, True])
def test_no_error_shows_a_part_of_a_secret(name: bytes, place: str, lenient: bool) -> None:
    options = mint.HTTP1Options(lenient=lenient, sensitive_headers=frozenset({"x-key"}))
    for field in FIELDS:
        octets = BEFORE[place] + field % name + END
        for size in (1, 3, 7, len(octets)):
            link = mint.transport.Memory()
            conn = mint.http1.initiate(link, scheme="http", hostname="a", http1=options)
            conn, _ = conn.request("GET", "/")
            try:
                for start in range(0, len(octets), size):
                    link.put(octets[start : start + size])
                    conn, _ = conn.recv(timeout=0)
                link.put_eof()
                conn, _ = conn.recv(timeout=0)
            except mint.errors.TransportTimeout:
                continue
            except mint.MintError as error:
                text = f"{error} {error!r} {error.args}"
                text += "".join(
                    repr(each) for each in error.responses if isinstance(each, mint.RequestFailed)
                )
                assert "hunter2" not in text, (octets, size)


def test_values_that_are_not_secret_are_shown() -> None:
    link = mint.transport.Memory()
    conn = mint.http1.initiate(link, scheme="http", hostname="a")
    conn, _ = conn.request("GET", "/")
    link.put(START + b"server: x\r\nno field\r\n\r\n")
    with pytest.raises(mint.errors.InvalidHeader, match="no field"):
        conn.recv(timeout=0)
