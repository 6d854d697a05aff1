"""Write the seed corpus: responses and blocks, and random decisions of several lengths.

python fuzz/seeds.py            # replaces fuzz/corpus/NAME/*
"""

import random
import shutil
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"
HEAD = b"HTTP/1.1 200 OK\r\n"
RESPONSES = {
    "length": HEAD + b"Content-Length: 5\r\n\r\nhello",
    "chunked": HEAD + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
    "close": HEAD + b"Connection: close\r\n\r\neverything",
    "old": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + HEAD + b"Content-Length: 0\r\n\r\n",
    "folded": HEAD + b"X-A: 1\r\n\t2\r\nContent-Length: 0\r\n\r\n",
    "switch": b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00",
    "two": 2 * (HEAD + b"Content-Length: 2\r\n\r\nok"),
    "empty": b"HTTP/1.1 204 No Content\r\n\r\n",
    "coded": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
}
BLOCKS = {
    "plain": b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff",
    "update": b"\x20\x3f\xe1\x1f\x88\x40\x01a\x01b\xbe",
    "never": b"\x88\x10\x06cookie\x03k=v\x0f\x0d\x015",
}
# Harnesses whose input consists of decisions only.
DECISIONS = (
    "exchanges",
    "facade",
    "forks",
    "hpack",
    "http1",
    "http1_h11",
    "http1_requests",
    "http1_talk",
    "http2",
    "http2_floods",
    "http2_h2",
    "http2_requests",
    "http2_talk",
    "link",
    "pipe",
    "records",
    "streams",
    "transcripts",
    "tunnel",
)


def main() -> None:
    """Write all of it."""
    for name in DECISIONS:
        folder = CORPUS / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        source = random.Random(name)  # not for secrets
        for size in (1, 4, 16, 40, 100, 200, 300, 400):
            (folder / f"decisions-{size}").write_bytes(b"\xff" + source.randbytes(size))
    for name, octets in RESPONSES.items():
        (CORPUS / "http1" / name).write_bytes(bytes(9) + octets)
        (CORPUS / "http1_h11" / name).write_bytes(b"\0" + octets)
    for name, octets in BLOCKS.items():
        (CORPUS / "hpack" / name).write_bytes(b"\0" + octets)


if __name__ == "__main__":
    main()
