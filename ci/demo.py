"""Show mint at work with a local server over TLS: HTTP/1.1, then HTTP/2, with responses as they arrive.

Run `ci/demo`, which builds mint first. This file uses only the public API; the server is that of
`mint.testing`.
"""

import hashlib
import ssl
import sys

import trustme

import mint
from mint.testing import Origin, showcase

SHOWN = 40
PIECE = 64 * 1024
UPLOAD = 12 * 1024 * 1024


def say(text: str) -> None:
    """Print one line without buffering, so that it appears when something arrives."""
    print(text, flush=True)


def show(response: mint.Response) -> None:
    """Print one response in one line."""
    if isinstance(response, mint.ConnectionEvent):
        say(f"  {response}")
        return
    who = f"  [{response.ref.number}]"
    match response:
        case mint.Informational(status=status, headers=headers):
            say(f"{who} interim {status} {dict(headers)}")
        case mint.Status(status=status):
            say(f"{who} status {status}")
        case mint.Headers(headers=headers):
            say(f"{who} headers {len(headers)}: {', '.join(name for name, _ in headers)[:SHOWN]}")
        case mint.Data(data=data):
            say(f"{who} data {len(data)} bytes {data[:SHOWN]!r}")
        case mint.Trailers(headers=headers):
            say(f"{who} trailers {dict(headers)}")
        case mint.Done():
            say(f"{who} done")
        case mint.RequestFailed(error=error):
            say(f"{who} failed: {error}")
        case _:
            say(f"{who} {response}")


def finish(conn: mint.Connection) -> mint.Connection:
    """Receive until no request is open."""
    while conn.open_request_count:
        conn, responses = conn.recv(timeout=10.0)
        for response in responses:
            show(response)
    return conn


def upload(conn: mint.Connection, size: int) -> mint.Connection:
    """Stream a body, in pieces that fit the server's windows."""
    headers = [("content-type", "application/octet-stream")]
    conn, ref = conn.request("POST", "/sink", headers, mint.STREAM)
    digest, left, waits = hashlib.sha256(), size, 0
    while left:
        window = min(conn.request_body_window(ref), left, PIECE)
        if window:
            piece = bytes(window)
            digest.update(piece)
            conn = conn.stream_request_body(ref, piece)
            left -= window
        else:
            waits += 1
            conn, responses = conn.recv(timeout=10.0)
            for response in responses:
                show(response)
    conn = conn.stream_request_body(ref, mint.Eof())
    say(
        f"  [{ref.number}] sent {size} bytes, waited for a window {waits} times; SHA-256 {digest.hexdigest()}"
    )
    return finish(conn)


def over_http1(port: int, tls: mint.TLSOptions) -> None:
    """Make a GET, a streamed POST and a chunked download, one after another on one connection."""
    with mint.connect("https", "localhost", port, protocols=("http1",), tls=tls) as opened:
        conn: mint.Connection = opened
        say(f"HTTP/1.1 over {conn.tls.version if conn.tls else 'clear text'}: {conn}")
        say("a GET:")
        conn, _ = conn.request("GET", "/")
        conn = finish(conn)
        say("a streamed POST, echoed:")
        conn, ref = conn.request("POST", "/echo", [("content-type", "text/plain")], mint.STREAM)
        for piece in (b"first piece, ", b"second piece, ", b"last piece"):
            conn = conn.stream_request_body(ref, piece)
        conn = finish(conn.stream_request_body(ref, mint.Eof()))
        say("a chunked download with trailers:")
        conn, _ = conn.request("GET", "/stream/200000")
        finish(conn)


def over_http2(port: int, tls: mint.TLSOptions) -> None:
    """Make requests at the same time, upload with flow control, and read trailers."""
    with mint.connect("https", "localhost", port, tls=tls) as conn:
        say(f"HTTP/2 by ALPN {conn.tls.alpn if conn.tls else None!r}: {conn}")
        say("five requests at the same time:")
        for target in ("/", "/early", "/bytes/30000", "/headers", "/status/404"):
            conn, ref = conn.request("GET", target, flush=False)
            say(f"  [{ref.number}] GET {target}")
        conn = finish(conn)
        say("an upload through flow control:")
        conn = upload(conn, UPLOAD)
        say("a download with trailers:")
        conn, _ = conn.request("GET", "/stream/200000")
        finish(conn)


def main() -> int:
    """Start the server and run both parts."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    tls = mint.TLSOptions(ca_data=authority.cert_pem.bytes().decode())
    with Origin(showcase, tls=context) as origin:
        say(f"mint {mint.__version__} against a local origin on port {origin.port}")
        over_http1(origin.port, tls)
        over_http2(origin.port, tls)
    say("the demo is complete")
    return 0


if __name__ == "__main__":
    sys.exit(main())
