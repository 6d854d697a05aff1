"""URLs and options of the command line: what is fetched, what is refused, and that no secret is shown."""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from mint._command import main
from mint._command.arguments import parse, parse_location
from mint._command.usage import BadURLError, UsageError
from mint.testing import Close, ScriptedServer, Send, optional, request
from mint.testing import http2 as h2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mint.testing import Step

Capture = pytest.CaptureFixture[bytes]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n"

GOOD = {
    "127.0.0.1:80/?u=http://x": ("http", "127.0.0.1", 80, "/?u=http://x"),
    "example.org/http://x": ("http", "example.org", 80, "/http://x"),
    "example.org?https://x": ("http", "example.org", 80, "/?https://x"),
    "example.org#http://x": ("http", "example.org", 80, "/"),
    "[::1]:8080/a?b=c://d": ("http", "::1", 8080, "/a?b=c://d"),
    "https://example.org/?u=http://x": ("https", "example.org", 443, "/?u=http://x"),
    "HTTP://example.org": ("http", "example.org", 80, "/"),
    "http://example.org/?mail=a@b": ("http", "example.org", 80, "/?mail=a@b"),
    "http://example.org/%0a%00": ("http", "example.org", 80, "/%0a%00"),
    "http://[fe80::1%25eth0]:81/a": ("http", "fe80::1%eth0", 81, "/a"),
    "http://[fe80::1%eth0]/": ("http", "fe80::1%eth0", 80, "/"),
}


@pytest.mark.parametrize("url", GOOD)
def test_urls_that_are_fetched(url: str) -> None:
    found = parse_location(url)
    assert (found.scheme, found.host, found.port, found.target) == GOOD[url]


@pytest.mark.parametrize("scheme", ["ftp", "file", "ws", "httpx", "httpss", "http+unix", "FTP", "x"])
@pytest.mark.parametrize(
    ("rest", "shown"),
    [
        ("a.test/b", "a.test/b"),
        ("name:secret@a.test/b", "(redacted)@a.test/b"),
        ("secret@", "(redacted)@"),
    ],
)
def test_other_schemes_are_refused(scheme: str, rest: str, shown: str) -> None:
    """The URL is shown, but no credentials that are in it."""
    with pytest.raises(BadURLError) as caught:
        parse_location(f"{scheme}://{rest}")
    message = f"{scheme}://{shown}: the scheme {scheme.lower()!r} is not supported: use http or https"
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://", "http://: the URL has no host"),
        ("https:///a", "https:///a: the URL has no host"),
        ("http://name:secret@/a", "http://(redacted)@/a: the URL has no host"),
        ("name:secret@", "(redacted)@: the URL has no host"),
        ("http://a.test:65536/", "a.test: the port in the URL is not a number from 0 to 65535"),
        ("http://a.test:secret/", "a.test: the port in the URL is not a number from 0 to 65535"),
        ("http://[::1", "http://[::1: this is not a valid URL"),
        ("http://name:secret@[::1", "http://(redacted)@[::1: this is not a valid URL"),
        (
            "http://a.test/%20secret@ b",
            "'http://(redacted)@ b': a URL must not contain whitespace or control characters",
        ),
        ("http://secret@a.test/", "credentials in a URL are not sent: use -u, or -H 'authorization: ...'"),
        ("http://:secret@a.test/", "credentials in a URL are not sent: use -u, or -H 'authorization: ...'"),
        ("http://@a.test/", "credentials in a URL are not sent: use -u, or -H 'authorization: ...'"),
    ],
)
def test_the_message_for_each_invalid_url(url: str, message: str) -> None:
    with pytest.raises(BadURLError) as caught:
        parse_location(url)
    assert str(caught.value) == message


@pytest.mark.parametrize("octet", [*range(0x21), *range(0x7F, 0xA1), 0x21, 0x7E, 0xA1, 0x20AC])
def test_characters_that_a_url_cannot_contain(octet: int) -> None:
    """White space and control characters; others are an error only where they would be sent."""
    if octet <= 0x20 or 0x7F <= octet <= 0xA0:
        with pytest.raises(BadURLError, match="whitespace or control"):
            parse_location(f"http://a.test/{chr(octet)}")
    else:
        assert parse_location(f"http://a.test/{chr(octet)}").target == f"/{chr(octet)}"


IDNS = ("b\xfccher.example", "B\xdcCHER.Example", "bu\u0308cher.example", "xn--bcher-kva.example")


@pytest.mark.parametrize("given", IDNS)
@pytest.mark.parametrize("resolved", IDNS)
def test_internationalized_names_are_sent_as_a_labels(given: str, resolved: str) -> None:
    ascii_name = b"xn--bcher-kva.example"
    with ScriptedServer([request(rb"(?i)\r\nhost: " + ascii_name + rb":\d+\r\n"), Send(OK)]) as server:
        port = server.port
        assert main(["--resolve", f"{resolved}:{port}:127.0.0.1", f"http://{given}:{port}/"]) == 0
    found = parse_location(f"http://{given}/a")
    assert found.host == ascii_name.decode()
    assert found.at("/b").url == f"http://{found.host}/b"


CONTROLS = [chr(code) for code in (*range(0x21), *range(0x7F, 0xA1))]
PLACES = [
    "{}http://a.test/",
    "ht{}tp://a.test/",
    "http://a{}.test/",
    "http://a.test:8{}0/",
    "http://a.test/{}x",
]
PLACES += ["http://a.test/x{}", "http://a.test/?q={}", "http://a.test/#f{}", "a.test{}"]


@pytest.mark.parametrize("place", PLACES)
def test_whitespace_and_control_characters_are_refused_and_not_removed(place: str) -> None:
    for control in CONTROLS:
        with pytest.raises(BadURLError) as caught:
            parse_location(place.format(control))
        assert str(caught.value).isprintable()


SECRETS = [
    "http://me:hunter2@127.0.0.1:99999/",
    "http://me:hunter2@127.0.0.1:x/",
    "http://me:hunter2@127.0.0.1/\n",
    "http://me:hunter2@[::1/",
    "http://me:hunter2@/",
    "http://me:hunter2@127.0.0.1:1/",
    "ftp://me:hunter2@127.0.0.1/",
    "http://me:hunter2/",
    "http://me:hunter2#@127.0.0.1/",
    "http://me:hunter2/@127.0.0.1/",
    "http://me:hunter2?@127.0.0.1/",
    "http://me:hunter2%40127.0.0.1",
    "http://me:hunt@hunter2@127.0.0.1:x/",
    "me:hunter2@127.0.0.1:99999/",
    "//me:hunter2@127.0.0.1/",
    "me:hunter2://127.0.0.1/",
    "hunter2@127.0.0.1:1",
]


@pytest.mark.parametrize("url", SECRETS)
def test_credentials_in_a_url_are_refused_and_not_shown(url: str, capsysbinary: Capture) -> None:
    assert main([url]) == 3
    out, err = capsysbinary.readouterr()
    assert out == b""
    assert err.startswith(b"mint: ")
    assert b"hunter2" not in err


OPTIONS = [
    ["-H", "hunter2", "http://a.test"],
    ["-H", "authorization Basic hunter2", "http://a.test"],
    ["-x", "http://a.test", "--proxy-header", "hunter2", "http://a.test"],
    ["-x", "http://me:hunter2%ff@a.test", "http://a.test"],
    ["-x", "http://me:hunter2@a.test:x", "http://a.test"],
    ["--user=me:hunter2\n", "http://a.test"],
    ["--user", "me:hunter2\0", "http://a.test"],
    ["-uhunter2", "http://a.test"],
    ["-kume:hunter2", "-H", "authorization: x", "http://a.test"],
    ["--bogus=hunter2", "http://a.test"],
    ["--verbose=hunter2", "http://a.test"],
    ["--max-time", "hunter2", "http://a.test"],
]


@pytest.mark.parametrize("arguments", OPTIONS, ids=" ".join)
def test_no_message_about_an_option_shows_a_secret(arguments: list[str], capsysbinary: Capture) -> None:
    assert main(arguments) == 2
    assert b"hunter2" not in capsysbinary.readouterr().err


UNKNOWN = [
    ["--bogus"],
    ["--bogus", "ftp://x"],
    ["--max-time", "x", "--bogus"],
    ["--max-time", "-1", "http://a.test", "--bogus=1"],
    ["--http2", "--bogus", "http://a.test"],
    ["--bogus", "--key", "k", "http://a.test"],
    ["-H", "no colon", "--bogus", "http://a.test"],
    ["http://a.test", "-o", "a", "-o", "b", "--bogus"],
    ["http://a\nb", "--bogus"],
    ["-X", "--bogus"],
    ["-X", "--bogus", "http://a.test"],
    ["--bogus", "--proxy"],
    ["-o", "--bogus=hunter2", "http://a.test"],
    ["--bogus", "--head=x"],
    ["--hea", "--bogus"],
    ["--bogus", "--help"],
]


@pytest.mark.parametrize("arguments", UNKNOWN, ids=repr)
def test_an_unknown_option_is_reported_first(arguments: list[str]) -> None:
    with pytest.raises(UsageError, match="unknown option --bogus"):
        parse(arguments)


BAD_VALUES = {
    "--parallel-max": ["", "x", "0", "-1", "1.5", "nan", "9" * 400, "\uff11"],
    "--connect-timeout": ["", "x", "0", "-1", "nan", "inf", "1e999", "\uff11"],
    "--max-time": ["", "x", "0", "-1", "nan", "inf", "1e999", "\uff11"],
    "--max-redirs": ["", "x", "-1", "1.5", "\uff11"],
    "--max-filesize": ["", "x", "-1", "1.5", "\uff11"],
    "--resolve": [
        "",
        "a",
        "a b:80:127.0.0.1",
        ":80:127.0.0.1",
        "a:x:127.0.0.1",
        "a:80:b",
        "a\n:80:127.0.0.1",
    ],
    "--proxy-cacert": ["", "x"],
    **{each: [""] for each in ("--cacert", "--cert", "--key", "--record", "--unix-socket", "-o")},
    "-X": ["CONNECT"],
}


@pytest.mark.parametrize("option", BAD_VALUES)
def test_a_bad_value_is_reported_with_the_name_of_its_option(option: str) -> None:
    """Also if the option has no effect without another one."""
    for value in BAD_VALUES[option]:
        with pytest.raises(UsageError) as caught:
            parse(
                [f"{option}={value}" if option[1] == "-" else f"{option}{value}", "http://a.test"]
                if value
                else [option, "", "http://a.test"]
            )
        assert option in str(caught.value) or "options about a proxy" in str(caught.value), value


@pytest.mark.parametrize("option", ["-o", "-T", "--record", "--unix-socket", "-d@"])
def test_a_url_in_the_place_of_a_file_shows_no_credentials(capsysbinary: Capture, option: str) -> None:
    eaten = "http://me:hunter2@a.test/x"
    given = [f"-d@{eaten}"] if option == "-d@" else [option, eaten]
    with ScriptedServer(optional([request(), Send(OK), Close()])) as server:
        code = main([*given, f"http://{server.address}:{server.port}/"])
    assert code != 0
    assert b"hunter2" not in capsysbinary.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        *(["-X", text] for text in ("", "GE T", "GET\r\nx: y", "G\xe9T", "GET\0")),
        *(
            ["-H", text]
            for text in (": v", "a b: v", "a\nb: hunter2", "a: x\r\ncookie: hunter2", "a: \u20ac")
        ),
        *(["-H", text] for text in ("a: x\0y", "\xe9: v")),
        ["-x", "http://proxy.test", "--proxy-header", "a: x\ncookie: hunter2"],
    ],
    ids=repr,
)
def test_requests_that_cannot_be_sent_are_refused_before_connecting(arguments: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        parse([*arguments, "http://a.test"])
    assert "hunter2" not in str(caught.value)


def test_options_may_be_anywhere_before_two_dashes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = parse(["-k", "http://a.test/1", "-i", "http://a.test/2", "-v", "--", "http://a.test/3"])
    assert [each.target for each in found.locations] == ["/1", "/2", "/3"]
    assert found.include
    assert found.verbose
    with pytest.raises(UsageError, match="a URL is required"):
        parse([])
    monkeypatch.setattr(sys, "argv", ["mint", "http://a.test/4"])
    assert parse(None).locations[0].target == "/4"


# -- a connection that ends between two URLs


@contextmanager
def closing(answers: list[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Send one of these answers on each connection and close it; yield the port and the list of requests."""
    request_lines: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answer in answers:
            try:
                peer = listener.accept()[0]
            except OSError:
                return
            with peer:
                seen = b""
                while b"\r\n\r\n" not in seen and (more := peer.recv(65_536)):
                    seen += more
                request_lines.append(seen.split(b"\r\n")[0])
                peer.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1], request_lines
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_idempotent_requests_are_sent_again(method: str, count: int, capsysbinary: Capture) -> None:
    answer = OK if method != "HEAD" else b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n"
    with closing([answer] * count) as (port, request_lines):
        urls = [f"http://127.0.0.1:{port}/{number}" for number in range(count)]
        assert main(["-X", method, *(["-I"] if method == "HEAD" else []), *urls]) == 0
    assert request_lines == [f"{method} /{number} HTTP/1.1".encode() for number in range(count)]
    if method == "GET":
        assert capsysbinary.readouterr().out == b"ok\n" * count


def test_files_belong_to_their_urls(tmp_path: object, capsysbinary: Capture) -> None:
    answers = [OK.replace(b"ok\n", text) for text in (b"one", b"two", b"333")]
    with closing(answers) as (port, _):
        urls = [f"http://127.0.0.1:{port}/{number}" for number in range(3)]
        assert main(["-o", f"{tmp_path}/1", "-o", f"{tmp_path}/2", *urls]) == 0
    for number, text in ((1, b"one"), (2, b"two")):
        with open(f"{tmp_path}/{number}", "rb") as file:  # noqa: PTH123  # short
            assert file.read() == text
    assert capsysbinary.readouterr().out == b"333"


def test_requests_without_an_answer_on_a_new_connection_are_not_sent_again(capsysbinary: Capture) -> None:
    with closing([b""] * 3) as (port, request_lines):
        assert main([f"http://127.0.0.1:{port}/1", f"http://127.0.0.1:{port}/2"]) == 56
    assert [line.split()[1] for line in request_lines] == [b"/1", b"/2"]
    assert capsysbinary.readouterr().out == b""


def test_a_request_whose_answer_has_begun_is_not_sent_again(capsysbinary: Capture) -> None:
    half = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"
    script: list[Step] = [request(b"^GET /1 "), Send(OK), request(b"^GET /2 "), Send(half), Close()]
    with ScriptedServer(script) as server:
        base = f"http://127.0.0.1:{server.port}"
        assert main([f"{base}/1", f"{base}/2"]) == 56
    assert capsysbinary.readouterr().out == b"ok\nhalf"


def test_a_post_that_may_have_been_processed_is_not_sent_again(capsysbinary: Capture) -> None:
    """The connection ended without an answer, so it is unknown whether the POST was processed."""
    script: list[Step] = [request(b"^POST /1 "), Send(OK), request(b"^POST /2 "), Close()]
    with ScriptedServer(script) as server:
        base = f"http://127.0.0.1:{server.port}"
        assert main(["-X", "POST", f"{base}/1", f"{base}/2"]) == 56
    assert capsysbinary.readouterr().out == b"ok\n"


@pytest.mark.parametrize("code", [0, 2])
def test_requests_that_a_goaway_excludes_are_sent_again_with_any_method(
    code: int, capsysbinary: Capture
) -> None:
    fields = ((":status", "200"),)

    def script(first: int, *more: Step) -> list[Step]:
        return [
            *h2.handshake(),
            h2.ExpectHeaders(1, ((":path", f"/{first}"),)),
            h2.send(h2.headers(1, fields), h2.data(1, f"{first}\n".encode(), end=True)),
            *more,
        ]

    last = [h2.send(h2.goaway(1, code)), Close()]
    with ScriptedServer(script(1, *last), script(2)) as server:
        base = f"http://127.0.0.1:{server.port}"
        assert main(["--h2c", "-X", "POST", f"{base}/1", f"{base}/2"]) == 0
    assert capsysbinary.readouterr().out == b"1\n2\n"


@pytest.mark.parametrize("zone", ["%251", "%1"])
def test_the_zone_of_an_address_is_used_and_not_sent(zone: str, capsysbinary: Capture) -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("there is no IPv6 here")
    received: list[bytes] = []

    def serve() -> None:
        made, _ = listener.accept()
        with made:
            received.append(made.recv(65_536))
            made.sendall(OK)

    thread = threading.Thread(target=serve)
    thread.start()
    with listener:
        port = listener.getsockname()[1]
        code = main([f"http://[::1{zone}]:{port}/"])
        if code:  # so that the thread ends
            socket.create_connection(("::1", port)).close()
        thread.join()
    assert code == 0
    assert capsysbinary.readouterr().out == b"ok\n"
    assert f"host: [::1]:{port}\r\n".encode() in received[0].lower()
