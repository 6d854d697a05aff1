"""Show that an installed mint works, with one exchange over each protocol, in memory.

python -P ci/installed.py      # with the Python for which mint is installed, outside the repository
"""

import importlib.metadata
import sys

import mint
from mint.transport import Memory

ANSWER1 = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
# SETTINGS, then HEADERS with END_HEADERS for ":status: 200", then DATA "hi" with END_STREAM, on stream 1.
ANSWER2 = bytes.fromhex("0000000400000000000000010104000000018800000200010000000168 69".replace(" ", ""))


def exchange(conn: mint.Connection, answer: bytes) -> bytes:
    """Send a request, feed the response and return its content."""
    conn, _ = conn.request("GET", "/")
    link = conn.transport
    if not isinstance(link, Memory):
        raise TypeError(link)
    link.put(answer)
    conn, responses = conn.recv()
    return b"".join(response.data for response in responses if isinstance(response, mint.Data))


def main() -> int:
    """Make both exchanges and print what is installed."""
    for module, answer in ((mint.http1, ANSWER1), (mint.http2, ANSWER2)):
        conn = module.initiate(Memory(), scheme="https", hostname="example.org", port=443)
        if exchange(conn, answer) != b"hi":
            print(f"{module.__name__}: wrong content")
            return 1
    print(f"mint-http {importlib.metadata.version('mint-http')} works on {sys.version.split()[0]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
