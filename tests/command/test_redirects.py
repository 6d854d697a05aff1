"""-L: methods, content, credentials, downgrades, loops, and malicious locations."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from mint._command import main
from mint._command.arguments import parse_location
from mint._command.locations import resolve
from mint._command.usage import BadURLError, SchemeRefused
from mint.testing import Origin, Response, ScriptedServer, Send, request
from tests.tls import authority, server_context

from .servers import Site

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[bytes]
HELLO = Response(200, (), b"hello\n")
ANY = {"http", "https"}


# -- resolving, by the table of RFC 3986 5.4

NORMAL = {
    "g": "/b/c/g",
    "./g": "/b/c/g",
    "g/": "/b/c/g/",
    "/g": "/g",
    "?y": "/b/c/d;p?y",
    "g?y": "/b/c/g?y",
    "#s": "/b/c/d;p?q",
    "g#s": "/b/c/g",
    "": "/b/c/d;p?q",
    ".": "/b/c/",
    "./": "/b/c/",
    "..": "/b/",
    "../g": "/b/g",
    "../../": "/",
    "../../../g": "/g",
    "/./g": "/g",
    "/../g": "/g",
    "g..": "/b/c/g..",
    "..g": "/b/c/..g",
    "./g/.": "/b/c/g/",
    "g/../h": "/b/c/h",
    "g?y/../x": "/b/c/g?y/../x",
    "g;x=1/../y": "/b/c/y",
    "a b": "/b/c/a%20b",
    "caf\xc3\xa9?\xff": "/b/c/caf%C3%A9?%FF",
}


@pytest.mark.parametrize("reference", NORMAL)
def test_references_are_resolved(reference: str) -> None:
    base = parse_location("http://a.test:81/b/c/d;p?q")
    found = resolve(base, reference, ANY)
    assert (found.origin, found.target) == (("http", "a.test", 81), NORMAL[reference])


def test_other_origins_are_resolved() -> None:
    base = parse_location("https://[::1]:81/b")
    assert resolve(base, "//b.test/x/../y", ANY).url == "https://b.test/y"
    assert resolve(base, "HTTP://B.test", ANY).origin == ("http", "b.test", 80)
    assert resolve(base, "/x", ANY).origin == ("https", "::1", 81)


HARMFUL = [
    *(
        "file:///etc/passwd",
        "file:/etc/passwd",
        "FILE:///x",
        "ftp://a.test/",
        "gopher://a.test:25/x",
        "data:,x",
    ),
    *("javascript:alert(1)", "dict://a.test:11211/", "unix:/run/docker.sock", "ws://a.test/"),
]


@pytest.mark.parametrize("reference", HARMFUL)
def test_other_schemes_are_refused(reference: str) -> None:
    with pytest.raises(SchemeRefused):
        resolve(parse_location("http://a.test/"), reference, ANY)


BROKEN = [
    *("http:", "http:x", "http:///x", "http://", "//", "//a b/", "http://a.test:x/", "http://a.test:99999/"),
    *(
        "http://me:hunter2@a.test/",
        "//me@a.test/",
        "http://a\xe9.test/",
        "http://[::1/",
        "//a.test\\@b.test/",
    ),
    *(f"/x{chr(code)}y" for code in (*range(0x20), 0x7F)),
]


@pytest.mark.parametrize("reference", BROKEN)
def test_invalid_locations_are_refused_without_showing_secrets(reference: str) -> None:
    with pytest.raises(BadURLError) as caught:
        resolve(parse_location("http://a.test/"), reference, ANY)
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).isprintable()


# -- over real connections


@pytest.mark.parametrize(
    ("status", "method", "expected"),
    [
        *((status, "GET", "GET") for status in (301, 302, 303, 307, 308)),
        *((status, "HEAD", "HEAD") for status in (301, 302, 303, 307, 308)),
        *((status, "POST", "GET") for status in (301, 302, 303)),
        *((status, "POST", "POST") for status in (307, 308)),
        *((status, "PUT", "PUT") for status in (301, 302, 307, 308)),
        *((303, method, "GET") for method in ("PUT", "DELETE", "PATCH")),
        *((status, "DELETE", "DELETE") for status in (301, 302, 307, 308)),
    ],
)
@pytest.mark.parametrize("options", [(), ("--h2c",)])
def test_methods_and_content(status: int, method: str, expected: str, options: tuple[str, ...]) -> None:
    site = Site({"/a": (status, "/b"), "/b": HELLO})
    body = [] if method in {"GET", "HEAD", "DELETE"} else ["-d", "content", "-H", "content-language: en"]
    with Origin(site) as origin:
        url = f"http://127.0.0.1:{origin.port}/a"
        assert main([*options, "-L", "-X", method, *body, url]) == 0
    assert site.request_lines == [f"{method} /a", f"{expected} /b"]
    kept = bool(body) and method == expected
    assert site.seen[1].body == (b"content" if kept else b"")
    assert (site.seen[1].header("content-type") is not None) is kept
    assert (site.seen[1].header("content-language") is not None) is kept


@pytest.mark.parametrize("status", [300, 304, 305, 306, 200, 201, 404])
def test_only_redirects_are_followed(status: int, capsysbinary: Capture) -> None:
    with Origin(Site({"/a": (status, "/b"), "/b": HELLO})) as origin:
        assert main(["-L", f"http://127.0.0.1:{origin.port}/a"]) == 0
    assert capsysbinary.readouterr().out == (b"" if status == 304 else b"moved\n")


def test_without_the_option_nothing_is_followed(capsysbinary: Capture) -> None:
    site = Site({"/a": (302, "/b")})
    with Origin(site) as origin:
        assert main(["-w", "%{redirect_url}", f"http://127.0.0.1:{origin.port}/a"]) == 0
        assert capsysbinary.readouterr().out == f"moved\nhttp://127.0.0.1:{origin.port}/b".encode()
    assert site.request_lines == ["GET /a"]


@pytest.mark.parametrize("hops", [0, 1, 3])
def test_the_number_of_redirects_that_were_followed(hops: int, capsysbinary: Capture) -> None:
    pages = {f"/{hop}": (302, f"/{hop - 1}") for hop in range(1, hops + 1)}
    with Origin(Site({**pages, "/0": HELLO})) as origin:
        url = f"http://127.0.0.1:{origin.port}"
        assert main(["-L", "-w", "%{num_redirects} %{url_effective}", f"{url}/{hops}"]) == 0
    assert capsysbinary.readouterr().out.endswith(f"{hops} {url}/0".encode())


SECRETS = ["-u", "me:hunter2", "-H", "cookie: a=hunter2", "-H", "x-other: kept"]


def test_credentials_are_sent_only_to_their_origin() -> None:
    """They are not sent again after a redirect back to the origin, and the port is part of the origin."""
    other = Site({})
    with Origin(other) as elsewhere:
        there = f"http://127.0.0.1:{elsewhere.port}"
        site = Site({"/a": (302, "/b"), "/b": (307, f"{there}/c"), "/d": HELLO})
        with Origin(site) as origin:
            other.pages = {"/c": (302, f"http://127.0.0.1:{origin.port}/d")}
            arguments = [*SECRETS, "-H", "host: named.test", f"http://127.0.0.1:{origin.port}/a"]
            assert main(["-L", *arguments]) == 0
    requests = [*site.seen[:2], *other.seen, site.seen[2]]
    assert [each.target for each in requests] == ["/a", "/b", "/c", "/d"]
    assert [each.header("authorization") is not None for each in requests] == [True, True, False, False]
    assert [each.header("cookie") is not None for each in requests] == [True, True, False, False]
    assert [each.header("host") == "named.test" for each in requests] == [True, True, False, False]
    assert all(each.header("x-other") == "kept" for each in requests)


def test_a_downgrade_is_refused_unless_allowed(tmp_path: Path, capsysbinary: Capture) -> None:
    (tmp_path / "ca.pem").write_bytes(authority().cert_pem.bytes())
    clear = Site({"/b": HELLO})
    with Origin(clear) as elsewhere:
        site = Site({"/a": (302, f"http://localhost:{elsewhere.port}/b")})
        with Origin(site, tls=server_context()) as origin:
            arguments = ["-L", "--cacert", str(tmp_path / "ca.pem"), *SECRETS]
            arguments += [f"https://localhost:{origin.port}/a"]
            assert main(arguments) == 1
            assert clear.seen == []
            assert b"--proto-redir http,https" in capsysbinary.readouterr().err
            assert main(["--proto-redir", "=http,https", *arguments]) == 0
            assert clear.seen[0].header("authorization") is None
            assert clear.seen[0].header("cookie") is None
            assert main(["--proto-redir", "ftp", *arguments]) == 2


def test_an_upgrade_to_https_is_followed(tmp_path: Path, capsysbinary: Capture) -> None:
    (tmp_path / "ca.pem").write_bytes(authority().cert_pem.bytes())
    with Origin(Site({"/b": HELLO}), tls=server_context(alpn=("h2",))) as origin:
        site = Site({"/a": (301, f"https://localhost:{origin.port}/b")})
        with Origin(site) as first:
            url = f"http://127.0.0.1:{first.port}/a"
            assert main(["-L", "-s", "--cacert", str(tmp_path / "ca.pem"), "-w", "%{http_version}", url]) == 0
    assert capsysbinary.readouterr().out == b"hello\n2"


@pytest.mark.parametrize("location", HARMFUL)
def test_a_redirect_to_another_scheme_reads_nothing(location: str, capsysbinary: Capture) -> None:
    with Origin(Site({"/a": (302, location)})) as origin:
        assert main(["-L", f"http://127.0.0.1:{origin.port}/a"]) == 1
    out, err = capsysbinary.readouterr()
    assert out == b""
    assert err.startswith(b"mint: the redirect to the scheme ")


@pytest.mark.parametrize("most", [0, 1, 7])
def test_loops_end(most: int, capsysbinary: Capture) -> None:
    site = Site({"/a": (302, "/b"), "/b": (302, "/a")})
    with Origin(site) as origin:
        assert main(["-L", "--max-redirs", str(most), f"http://127.0.0.1:{origin.port}/a"]) == 47
    assert len(site.seen) == most + 1
    assert b"more than" in capsysbinary.readouterr().err


def test_loops_end_without_an_option() -> None:
    site = Site({"/a": (302, "/a")})
    with Origin(site) as origin:
        assert main(["-s", "-L", f"http://127.0.0.1:{origin.port}/a"]) == 47
    assert len(site.seen) == 51


def test_several_locations_that_differ_are_refused() -> None:
    answer = b"HTTP/1.1 302 Found\r\nlocation: /b\r\nlocation: /c\r\ncontent-length: 0\r\n\r\n"
    with ScriptedServer([request(), Send(answer)]) as server:
        assert main(["-L", f"http://127.0.0.1:{server.port}/"]) == 3


def test_several_locations_that_differ_do_not_matter_if_none_is_followed(capsysbinary: Capture) -> None:
    answer = b"HTTP/1.1 302 Found\r\nlocation: /b\r\nlocation: /c\r\ncontent-length: 2\r\n\r\nhi"
    with ScriptedServer([request(), Send(answer)]) as server:
        url = f"http://127.0.0.1:{server.port}"
        assert main(["-w", "%{redirect_url}", f"{url}/"]) == 0
    assert capsysbinary.readouterr().out == f"hi{url}/b".encode()


def test_no_escape_sequence_of_a_location_reaches_the_terminal(capsysbinary: Capture) -> None:
    answer = b"HTTP/1.1 302 Found\r\nlocation: /\x1b]0;owned\x07\r\ncontent-length: 0\r\n\r\n"
    script = [request(), Send(answer)]
    with ScriptedServer(script, script) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert main(["-L", url]) in {3, 8}
        assert main(["-i", "-v", "-w", "%{redirect_url}%header{location}", url]) in {0, 8}
    out, err = capsysbinary.readouterr()
    assert b"\x1b" not in out + err
    assert b"\x07" not in out + err


def test_endless_content_of_a_redirect_is_not_read() -> None:
    """With a content-length or without one."""

    with Origin(Site({"/b": HELLO})) as there:
        for length in (b"", b"content-length: 99999999999\r\n"):
            to = f"http://127.0.0.1:{there.port}/b".encode()
            answer = b"HTTP/1.1 302 Found\r\nlocation: " + to + b"\r\n" + length + b"\r\n" + b"x" * 100_000
            with ScriptedServer([request(), Send(answer)]) as server:
                assert main(["-L", f"http://127.0.0.1:{server.port}/"]) == 0


def test_a_redirect_to_nowhere_fails_as_a_url_does() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    with Origin(Site({"/a": (302, f"http://127.0.0.1:{port}/")})) as origin:
        assert main(["-L", f"http://127.0.0.1:{origin.port}/a"]) == 7
