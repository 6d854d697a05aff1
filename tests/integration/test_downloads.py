"""Download 200 MB from each server, count and hash every byte, and check that memory use does not grow."""

import hashlib
import json
import ssl
import subprocess
import sys

import pytest
import trustme

from mint.testing.showcase import pattern

from .fetching import connect, fetch
from .servers import BIG, HOST, Running

TARGETS = {"nginx": "/big.bin", "apache": "/big.bin", "node": f"/bytes/{BIG}"}
FLAT_KIB = 8 * 1024

# Runs in its own process, because the peak of this one does not show the memory of one download.
PROGRAM = """
import hashlib, json, resource, sys
import mint

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

scheme, host, port, target, ca = sys.argv[1:]
tls = mint.TLSOptions(ca_file=ca)
conn = mint.http1.connect(scheme, host, int(port), tls=tls)
conn, ref = conn.request("GET", target)
size, digest, before = 0, hashlib.sha256(), None
while conn.open_request_count:
    conn, responses = conn.recv(timeout=30)
    for response in responses:
        if isinstance(response, mint.Data):
            size += len(response.data)
            digest.update(response.data)
    if before is None and size > 1_000_000:
        before = peak()
conn.close()
print(json.dumps([size, digest.hexdigest(), peak() - before]))
"""


def whole_digest() -> str:
    digest = hashlib.sha256()
    for piece in pattern(BIG, 1 << 20):
        digest.update(piece)
    return digest.hexdigest()


@pytest.mark.parametrize("name", list(TARGETS))
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_large_download_in_flat_memory(
    name: str,
    scheme: str,
    request: pytest.FixtureRequest,
    authority: trustme.CA,
) -> None:
    server: Running = request.getfixturevalue(name)
    with authority.cert_pem.tempfile() as ca:
        arguments = [scheme, HOST, str(server.ports[scheme]), TARGETS[name], ca]
        output = subprocess.check_output([sys.executable, "-c", PROGRAM, *arguments], timeout=120)
    size, digest, grown = json.loads(output)
    assert size == BIG
    assert digest == whole_digest()
    assert grown < FLAT_KIB


def test_a_chunked_download(node: Running, client_tls: ssl.SSLContext) -> None:
    for tls in (None, client_tls):
        with connect(node.ports["https" if tls else "http"], tls) as conn:
            conn, result = fetch(conn, "GET", "/stream/20000000", keep=False)
        assert result.size == 20_000_000
        assert result.trailers == (("x-sha256", result.digest.hexdigest()),)
