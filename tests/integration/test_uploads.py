"""Uploads that end as files, with each framing, to the servers that store them."""

import hashlib
import ssl

import pytest

from mint.testing.showcase import pattern

from .fetching import connect, fetch, upload
from .servers import Running

SIZE = 20_000_000


def digest_of(path_bytes: bytes) -> str:
    return hashlib.sha256(path_bytes).hexdigest()


EXPECTED = digest_of(b"".join(pattern(SIZE, 1 << 20)))


@pytest.mark.parametrize("name", ["nginx", "apache"])
@pytest.mark.parametrize("framing", ["length", "chunked", "expect"])
def test_uploads(name: str, framing: str, request: pytest.FixtureRequest, client_tls: ssl.SSLContext) -> None:
    server = request.getfixturevalue(name)
    assert isinstance(server, Running)
    headers = {
        "length": [("content-length", str(SIZE))],
        "chunked": [],
        "expect": [("content-length", str(SIZE)), ("expect", "100-continue")],
    }[framing]
    for scheme, tls in (("http", None), ("https", client_tls)):
        target = f"/uploads/{framing}-{scheme}"
        with connect(server.ports[scheme], tls) as conn:
            conn, result = upload(conn, "PUT", target, pattern(SIZE), headers)
            assert result.status == 201
            assert [each.status for each in result.informational] == ([100] if framing == "expect" else [])
            conn, result = fetch(conn, "GET", target, keep=False)
            assert (result.size, result.digest.hexdigest()) == (SIZE, EXPECTED)
        stored = server.folder / target[1:]
        assert digest_of(stored.read_bytes()) == EXPECTED
        stored.unlink()
