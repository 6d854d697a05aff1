"""The output, numbers and exit codes of the command, for each entry of a table and at each limit."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint._checks import LONGEST
from mint._command import main
from mint._command.arguments import parse, parse_location, shown_name
from mint._command.bodies import Upload
from mint._command.codes import exit_code, text_of
from mint._command.connecting import Dialer
from mint._command.outputs import remote_name
from mint._command.progress import Progress, duration
from mint._command.redirects import PlannedRequest, follow, target_of
from mint._command.show import ForTerminal, amount, head, visible
from mint._command.summary import Facts, written
from mint._command.usage import (
    BadURLError,
    CannotRewind,
    CommandError,
    OutputRefused,
    ReadFailed,
    SchemeRefused,
    StatusRefused,
    TooManyRedirects,
    UsageError,
    header,
)
from mint._command.verbose import flags_by_name, lines
from mint.exchange import Origin as Place
from mint.testing import Origin, Response

from .servers import Site
from .test_progress import CLEAR, Clock, Terminal, drawn

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[bytes]

# -- exit codes


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SchemeRefused(), 1),
        *((CommandError(), 2), (UsageError(), 2), (BadURLError(), 3)),
        *((StatusRefused(), 22), (OutputRefused(), 23), (ReadFailed(), 26)),
        *((TooManyRedirects(), 47), (CannotRewind(), 65)),
        *((errors.InvalidRequestTarget("x"), 3), (errors.InvalidRequestMethod("x"), 2)),
        *((errors.NameNotResolved("h"), 6), (errors.ConnectionRefused("h"), 7), (errors.Unreachable("h"), 7)),
        *((errors.TransportTimeout("x"), 28), (TimeoutError(), 28)),
        *((errors.CertificateRejected("x"), 60), (errors.TLSFailed("x"), 35)),
        *((errors.ProtocolNotNegotiated(), 35), (errors.BadALPNProtocol("x"), 35)),
        *(
            (errors.ContentTooLarge(1), 63),
            (errors.UnknownCoding("x"), 61),
            (errors.TruncatedContent("gzip"), 61),
        ),
        *((errors.TransportClosed(), 56), (errors.IncompleteResponse(), 56)),
        *((KeyboardInterrupt(), 130), (OSError(2, "x"), 23), (ValueError(), 3)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_exit_code(error: BaseException, code: int) -> None:
    assert exit_code(error) == code


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(2, "No such file", "name"), "name: No such file"),
        (OSError(28, "No space left"), "cannot write: No space left"),
        (OSError("odd"), "cannot write: odd"),
        (UsageError("http://a:b@c.test/ and //d@e"), "http://(redacted)@c.test/ and //(redacted)@e"),
        (UsageError("http://a.test/b@c"), "http://a.test/b@c"),
    ],
)
def test_the_message_of_a_failure(error: BaseException, text: str) -> None:
    assert text_of(error) == text


# -- numbers of the command line


@pytest.mark.parametrize("option", ["--max-time", "--connect-timeout"])
@pytest.mark.parametrize("text", ["1e-9", "0.5", "1", "100000", str(LONGEST)])
def test_every_timeout_above_zero_is_accepted(option: str, text: str) -> None:
    made = parse([option, text, "http://a.test"])
    assert float(text) in {made.max_time, made.connect_timeout}


@pytest.mark.parametrize(
    ("option", "attribute", "least"),
    [
        ("--max-redirs", "max_redirects", 0),
        ("--max-filesize", "max_size", 0),
        ("--parallel-max", "parallel", 1),
    ],
)
def test_every_number_up_to_its_limit_is_accepted(option: str, attribute: str, least: int) -> None:
    most = 10**15
    for number in (least, least + 1, most, 10 * most - 1):
        assert getattr(parse(["-Z", option, str(number), "http://a.test"]), attribute) == number
    for wrong in (str(10 * most), f"{most}0", str(least - 1)):
        with pytest.raises(UsageError, match=f"{option} must be a number, {least} or more"):
            parse(["-Z", f"{option}={wrong}", "http://a.test"])


def test_the_defaults_of_the_command() -> None:
    made = parse(["http://a.test"])
    found = {each.name: getattr(made, each.name) for each in fields(made)}
    unset = (
        "ca_file",
        "cert",
        "key",
        "max_time",
        "unix_socket",
        "redirect_schemes",
        "max_size",
        "summary",
        "record",
    )
    off = (
        "include",
        "fail",
        "insecure",
        "verbose",
        "silent",
        "show_error",
        "follows",
        "compressed",
        "record_secrets",
    )
    assert {name: found[name] for name in unset} == dict.fromkeys(unset)
    assert {name: found[name] for name in off} == dict.fromkeys(off, False)
    assert (made.method, made.headers, made.parallel) == ("GET", (("accept", "*/*"),), 1)
    assert made.protocols == ("http1", "http2")
    assert made.orders[0].output is None


@pytest.mark.parametrize(
    ("arguments", "method", "content_type", "accept"),
    [
        ([], "GET", None, "*/*"),
        (["-I"], "HEAD", None, "*/*"),
        (["-d", "a"], "POST", "application/x-www-form-urlencoded", "*/*"),
        (["-d", ""], "POST", "application/x-www-form-urlencoded", "*/*"),
        (["--json", "{}"], "POST", "application/json", "application/json"),
        (["-d", "a", "-H", "Content-Type: x"], "POST", "x", "*/*"),
        (["--json", "{}", "-H", "content-type: x", "-H", "Accept: y"], "POST", "x", "y"),
        (["-H", "accept: y"], "GET", None, "y"),
        (["-X", "PUT", "-d", "a"], "PUT", "application/x-www-form-urlencoded", "*/*"),
        (["-X", "PATCH"], "PATCH", None, "*/*"),
    ],
)
def test_the_method_and_the_fields_that_follow_from_options(
    arguments: list[str], method: str, content_type: str | None, accept: str
) -> None:
    made = parse([*arguments, "http://a.test"])
    assert made.method == method
    named = [(name.lower(), value) for name, value in made.headers]
    assert [value for name, value in named if name == "content-type"] == [content_type] * (
        content_type is not None
    )
    assert [value for name, value in named if name == "accept"] == [accept]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (["-d", "a"], ["--json", "b"]),
        (["-d", "a"], ["-T", "f"]),
        (["--json", "a"], ["-T", "f"]),
        (["-I"], ["-d", "a"]),
        (["-I"], ["-T", "f"]),
        (["--http1.1"], ["--http2"]),
        (["--http1.1"], ["--h2c"]),
        (["--unix-socket", "s"], ["-x", "http://p.test"]),
        (["-u", "a:b"], ["-H", "authorization: c"]),
    ],
)
def test_options_that_exclude_each_other(one: list[str], two: list[str]) -> None:
    for arguments in ([*one, *two], [*two, *one]):
        with pytest.raises(UsageError, match="cannot be used together"):
            parse([*arguments, "http://a.test"])


@pytest.mark.parametrize(
    ("option", "needed"), [(["--key", "k"], ["--cert", "c"]), (["--record-secrets"], ["--record", "r"])]
)
def test_options_that_need_another(option: list[str], needed: list[str]) -> None:
    """Which of them comes first does not matter, and the other one can be given alone."""
    for arguments in ([*option, *needed], [*needed, *option], needed):
        parse([*arguments, "http://a.test"])
    with pytest.raises(UsageError, match=f"{option[0]} needs {needed[0]}"):
        parse([*option, "http://a.test"])


BOTH, ONE, TWO = ("http1", "http2"), ("http1",), ("http2",)
OVER_TLS, WITHOUT_TLS = "over TLS use --http2", "without TLS use --h2c"


@pytest.mark.parametrize(
    ("options", "http", "https", "mixed"),
    [
        ([], BOTH, BOTH, BOTH),
        (["--http1.1"], ONE, ONE, ONE),
        (["--http2"], WITHOUT_TLS, TWO, WITHOUT_TLS),
        (["--h2c"], TWO, OVER_TLS, OVER_TLS),
        (["--http2", "--h2c"], TWO, OVER_TLS, OVER_TLS),
        (["--http1.1", "--http2"], *["together"] * 3),
        (["--http1.1", "--h2c"], *["together"] * 3),
    ],
)
def test_the_protocols_for_each_scheme(
    options: list[str],
    http: tuple[str, ...] | str,
    https: tuple[str, ...] | str,
    mixed: tuple[str, ...] | str,
) -> None:
    for urls, expected in (
        (["http://a.test"], http),
        (["https://a.test"], https),
        (["https://a.test", "http://a.test"], mixed),
        (["http://a.test", "https://a.test"], mixed),
    ):
        if isinstance(expected, str):
            with pytest.raises(UsageError, match=expected):
                parse([*options, *urls])
        else:
            assert parse([*options, *urls]).protocols == expected


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_standard_input_is_sent_once(count: int) -> None:
    files = [word for _ in range(count) for word in ("-T", "-")]
    arguments = [*files, "-T", "file", *(f"http://a.test/{number}" for number in range(count + 1))]
    if count > 1:
        with pytest.raises(UsageError, match="standard input can be sent only once"):
            parse(arguments)
    else:
        sent = [order.request.body for order in parse(arguments).orders]
        assert [each.path for each in sent if isinstance(each, Upload)] == ["-"] * count + ["file"]


@pytest.mark.parametrize("option", ["-o", "-T"])
def test_no_more_files_than_urls(option: str) -> None:
    urls = ["http://a.test/x", "http://b.test/y"]
    for count in range(4):
        given = [each for at in range(count) for each in (option, f"f{at}")]
        if count > len(urls):
            with pytest.raises(UsageError, match=f"more {option}"):
                parse([*given, *urls])
        else:
            assert len(parse([*given, *urls]).orders) == 2


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("a:b", ("a", "b")),
        ("a:", ("a", "")),
        (" a : b ", ("a", "b")),
        ("a:b:c", ("a", "b:c")),
        ("a:\xff", ("a", "\xff")),
    ],
)
def test_header_lines(text: str, pair: tuple[str, str]) -> None:
    assert header(text) == pair


@pytest.mark.parametrize("text", ["a", "", ":b", "a b:c", "a:\x00b", "a:b\nc:d", "a:\x7fb", "a:\u0100"])
def test_invalid_header_lines(text: str) -> None:
    with pytest.raises(UsageError, match=r"-H"):
        header(text)


# -- names of files


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://a.test/b", "b"),
        ("http://a.test/b/c.html", "c.html"),
        ("http://a.test/b?c/d", "b"),
        ("http://a.test/b..", "b.."),
    ],
)
def test_the_file_of_a_url(url: str, name: str) -> None:
    assert remote_name(parse_location(url)) == name


@pytest.mark.parametrize("path", ["", "/", "/a/", "/.", "/..", "/a/..", "/?b", "/a\\b", "/.?b"])
def test_urls_without_a_name_for_a_file(path: str) -> None:
    with pytest.raises(UsageError, match="-o"):
        remote_name(parse_location(f"http://a.test{path}"))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ([], "c"),
        (["-o", "-"], "c"),
        (["-o", "dir/file"], "file"),
    ],
)
def test_the_name_of_a_transfer(arguments: list[str], name: str) -> None:
    assert shown_name(parse([*arguments, "http://a.test/b/c?d"]).orders[0]) == name
    assert shown_name(parse(["http://a.test/"]).orders[0]) == "a.test"


# -- redirects


def request_for(
    url: str, method: str = "GET", *, body: bytes | None = None, redirects: int = 0
) -> PlannedRequest:
    named = (("Authorization", "a"), ("cookie", "b"), ("content-type", "c"), ("x", "d"))
    return PlannedRequest(parse_location(url), method, named, body, redirects)


@pytest.mark.parametrize(
    ("reference", "stays"),
    [
        ("/b", True),
        ("http://a.test:80/b", True),
        ("http://A.test/b", True),
        ("http://b.test/b", False),
        ("http://a.test:81/b", False),
        ("https://a.test/b", False),
    ],
)
def test_credentials_are_sent_only_to_their_origin(reference: str, stays: bool) -> None:
    made = follow(request_for("http://a.test/"), 307, reference, {"http", "https"}, 10)
    names = [name for name, _ in made.headers]
    assert names == (["Authorization", "cookie", "content-type", "x"] if stays else ["content-type", "x"])


@pytest.mark.parametrize("most", [0, 1, 5])
def test_how_many_redirects_are_followed(most: int) -> None:
    for before in range(most + 2):
        here = request_for("http://a.test/", redirects=before)
        if before < most:
            assert follow(here, 302, "/b", None, most).redirects == before + 1
        else:
            with pytest.raises(TooManyRedirects, match=f"more than {most} redirects"):
                follow(here, 302, "/b", None, most)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 306, 307, 308, 309, 200, 400])
def test_which_answers_redirect(status: int) -> None:
    follows = status in {301, 302, 303, 307, 308}
    assert target_of(status, ["/a", "/a"]) == ("/a" if follows else None)
    assert target_of(status, []) is None
    if follows:
        with pytest.raises(BadURLError, match="several"):
            target_of(status, ["/a", "/b"])
    else:
        assert target_of(status, ["/a", "/b"]) is None


@pytest.mark.parametrize(
    ("status", "method", "body", "changed"),
    [
        (303, "GET", None, ("GET", None, True)),
        (303, "GET", b"x", ("GET", None, False)),
        (303, "HEAD", None, ("HEAD", None, True)),
        (303, "POST", b"x", ("GET", None, False)),
        (301, "POST", b"x", ("GET", None, False)),
        (302, "POST", b"x", ("GET", None, False)),
        (301, "PUT", b"x", ("PUT", b"x", True)),
        (302, "GET", b"x", ("GET", b"x", True)),
        (307, "POST", b"x", ("POST", b"x", True)),
        (308, "POST", b"x", ("POST", b"x", True)),
    ],
)
def test_the_request_after_a_redirect(
    status: int, method: str, body: bytes | None, changed: tuple[str, bytes | None, bool]
) -> None:
    made = follow(request_for("http://a.test/", method, body=body), status, "/b", None, 1)
    has_type = any(name == "content-type" for name, _ in made.headers)
    assert (made.method, made.body, has_type) == changed


@pytest.mark.parametrize("size", [0, 65_535, 65_536, 65_537, 100_000])
def test_how_much_content_of_a_redirect_is_read_for_the_connection(
    size: int, tmp_path: Path, capsysbinary: Capture
) -> None:
    site = Site({"/a": Response(302, (("location", "/b"),), bytes(size)), "/b": Response(200, (), b"end")})
    with Origin(site) as origin:
        url = f"http://127.0.0.1:{origin.port}/a"
        assert main(["-s", "-L", "-w", "%{num_connects}", url]) == 0
    assert capsysbinary.readouterr().out == b"end" + (b"1" if size <= 65_536 else b"2")


# -- -w

FACTS = Facts(
    "http://a.test/",
    3,
    url_effective="http://b.test/",
    method="PUT",
    scheme="https",
    status=42,
    http_version="2",
    headers=(("content-type", "text/x"), ("x", "1"), ("x", "2")),
    redirects=4,
    redirect_url="http://c.test/",
    size_download=1000,
    size_upload=501,
    connects=5,
    time_connect=0.1234567,
    time_starttransfer=0.25,
    time_redirect=0.5,
    time_total=2.5,
    remote=("192.0.2.1", 81),
    local=("192.0.2.2", 82),
    path="page",
    exit_code=7,
    error="broken",
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("content_type", "text/x"),
            ("errormsg", "broken"),
            ("exitcode", "7"),
            ("filename_effective", "page"),
        ),
        *(("http_code", "042"), ("response_code", "042"), ("http_version", "2"), ("method", "PUT")),
        *(("local_ip", "192.0.2.2"), ("local_port", "82"), ("remote_ip", "192.0.2.1"), ("remote_port", "81")),
        *(("num_connects", "5"), ("num_headers", "3"), ("num_redirects", "4"), ("scheme", "HTTPS")),
        *(("redirect_url", "http://c.test/"), ("size_download", "1000"), ("size_upload", "501")),
        *(("speed_download", "400"), ("speed_upload", "200"), ("time_connect", "0.123457")),
        *(("time_redirect", "0.500000"), ("time_starttransfer", "0.250000"), ("time_total", "2.500000")),
        *(("url", "http://a.test/"), ("url_effective", "http://b.test/"), ("urlnum", "3")),
    ],
)
def test_each_variable(name: str, value: str) -> None:
    assert written(f"%{{{name}}}", FACTS) == [("stdout", value)]


def test_the_facts_of_a_transfer_that_has_not_begun() -> None:
    facts = Facts("u")
    assert written("%{http_code} %{http_version} %{speed_download} %{time_total} %{urlnum}", facts) == [
        ("stdout", "000 0 0 0.000000 0")
    ]


def test_the_stream_of_each_part_of_a_format() -> None:
    text = "a%{stderr}b%header{X}%{stdout}%{stderr}c%%\\n\\t\\r\\\\%{stdout}%header{y}d"
    assert written(text, FACTS) == [
        ("stdout", "a"),
        ("stderr", "b1"),
        ("stderr", "c%\n\t\r\\"),
        ("stdout", "d"),
    ]


# -- text for users


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        *((0, "0 B"), (1, "1 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB")),
        *((1024**2, "1.0 MiB"), (1024**3, "1.0 GiB"), (1024**4, "1.0 TiB"), (1024**5, "1024.0 TiB")),
    ],
)
def test_amounts(octets: int, text: str) -> None:
    assert amount(octets) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (59, "0:59"),
        (60, "1:00"),
        (61.9, "1:01"),
        (3_599, "59:59"),
        (3_600, "1:00:00"),
        (3_661, "1:01:01"),
        (360_000, "100:00:00"),
    ],
)
def test_more_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_heads_are_printed_with_visible_values() -> None:
    named = (("a", "b"), ("c", "\x1b\t\xe9"))
    assert head("http1", 204, named) == b"HTTP/1.1 204\na: b\nc: ??\xe9\n\n"
    assert head("http2", 999, ()) == b"HTTP/2 999\n\n"
    assert visible("a\nb\x7f\u200b") == "a?b??"


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([b"a\nb\tc"], "a\nb\tc"),
        ([b"a\r\nb"], "a\nb"),
        ([b"a\r", b"\nb"], "a\nb"),
        ([b"a\r", b"b"], "a?b"),
        ([b"a\r\r\n"], "a?\n"),
        ([b"a\r"], "a?"),
        ([b"\x1b[2J"], "?[2J"),
        ([b"\xc3", b"\xa9"], "\xe9"),
        ([b"\xc3", b"a"], "\N{REPLACEMENT CHARACTER}a"),
        ([b"a\xc3"], "a\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_what_is_written_to_a_terminal(
    pieces: list[bytes], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    guard = ForTerminal()
    made = b"".join([*(guard(piece) for piece in pieces), guard(b"", final=True)])
    assert made.decode() == text
    with pytest.raises(OutputRefused):
        guard(b"a\0")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("DATA", {1: "END_STREAM", 8: "PADDED"}),
        ("HEADERS", {1: "END_STREAM", 4: "END_HEADERS", 8: "PADDED", 32: "PRIORITY"}),
        *(("PUSH_PROMISE", {4: "END_HEADERS", 8: "PADDED"}), ("CONTINUATION", {4: "END_HEADERS"})),
        *(("SETTINGS", {1: "ACK"}), ("PING", {1: "ACK"}), ("GOAWAY", {}), ("RST_STREAM", {})),
    ],
)
def test_each_flag_by_its_name(kind: str, names: dict[int, str]) -> None:
    for bit in (1, 2, 4, 8, 16, 32, 64, 128):
        assert flags_by_name(kind, bit) == names.get(bit, f"0x{bit:02x}")
    assert flags_by_name(kind, 0) == ""


def test_records_of_several_lines() -> None:
    assert lines("a\nb") == ["a", "b"]
    assert lines("") == [""]
    for empty in ("[]", "b''"):
        assert lines(f"< DATA stream=1 length=0 flags=0x00 {empty}") == ["< DATA stream=1 length=0"]


# -- the progress line


@pytest.mark.parametrize(
    ("size", "shown"), [(1, "n"), (24, "n" * 24), (25, "n" * 21 + "..."), (500, "n" * 21 + "...")]
)
def test_a_long_name_is_shortened(size: int, shown: str) -> None:
    stream, clock = Terminal(), Clock()
    item = Progress(stream, clock=clock).start("n" * size)
    clock.now += 1.0
    item.advance(1)
    assert drawn(stream) == [f"{shown}  1 B  1 B/s"]


@pytest.mark.parametrize(("pause", "count"), [(0.0625, 0), (0.09375, 0), (0.125, 1)])
def test_the_first_line_is_drawn_after_a_tenth_of_a_second(pause: float, count: int) -> None:
    stream, clock = Terminal(), Clock()
    item = Progress(stream, clock=clock).start("page")
    clock.now += pause
    item.advance(1)
    assert len(drawn(stream)) == count
    item.end()
    assert stream.getvalue().endswith(CLEAR) is bool(count)


@pytest.mark.parametrize(
    ("total", "done", "text"),
    [
        (None, 10, "page  10 B  10 B/s"),
        (0, 10, "page  10 B  10 B/s"),
        (20, 10, "page  50%  10 B  10 B/s  0:01 left"),
        (10, 10, "page  100%  10 B  10 B/s  0:00 left"),
        (10, 20, "page  100%  20 B  20 B/s"),
        (3000, 10, "page  0%  10 B  10 B/s  4:59 left"),
    ],
)
def test_the_line_of_one_transfer(total: int | None, done: int, text: str) -> None:
    stream, clock = Terminal(), Clock()
    item = Progress(stream, clock=clock).start("page")
    item.expect(total)
    clock.now += 1.0
    item.advance(done)
    assert drawn(stream) == [text]


def test_a_transfer_of_unknown_size_hides_the_time_that_is_left() -> None:
    stream, clock = Terminal(), Clock()
    line = Progress(stream, clock=clock)
    first, second = line.start("a"), line.start("b")
    first.expect(100)
    clock.now += 1.0
    first.advance(50)
    assert drawn(stream)[-1] == "2 at once, 0 done  50 B  50 B/s"
    second.expect(100)
    clock.now += 1.0
    second.advance(50)
    assert drawn(stream)[-1] == "2 at once, 0 done  50%  100 B  50 B/s  0:02 left"
    second.expect(10)  # the other direction starts from zero
    clock.now += 1.0
    first.advance(0)
    assert drawn(stream)[-1].startswith("2 at once, 0 done  45%  50 B  ")


@pytest.mark.parametrize("columns", [1, 10, 40, 80])
def test_the_line_leaves_the_last_column_free(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {9: os.terminal_size((columns, 24))}
    monkeypatch.setattr(os, "get_terminal_size", sizes.__getitem__)
    monkeypatch.setattr(Terminal, "fileno", lambda _: 9)
    stream, clock = Terminal(), Clock()
    item = Progress(stream, clock=clock).start("a long name")
    clock.now += 1.0
    item.advance(1)
    assert drawn(stream) == ["a long name  1 B  1 B/s"[: columns - 1]]


# -- connections


@pytest.mark.parametrize(
    ("arguments", "left", "timeout"),
    [
        (["--connect-timeout", "5"], None, 5.0),
        (["--connect-timeout", "5"], 3.0, 3.0),
        (["--connect-timeout", "5"], 7.0, 5.0),
    ],
)
def test_connecting_takes_no_longer_than_either_limit(
    arguments: list[str], left: float | None, timeout: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, object]] = []

    def connect(*_: object, **named: object) -> None:
        seen.append(named)

    monkeypatch.setattr("mint._command.connecting.connect", connect)
    dialer = Dialer(parse([*arguments, "-k", "http://a.test"]))
    place = Place("http", "a.test", 80)
    assert not dialer.has_served(place)
    dialer.served(place)
    assert dialer.has_served(place)
    assert (dialer.connects, dialer.last) == (0, 0.0)
    dialer._connect(place, left)
    assert not dialer.has_served(place)
    assert dialer.connects == 1
    assert dialer.last > 0
    [named] = seen
    tcp, tls = named["tcp"], named["tls"]
    assert isinstance(tcp, mint.TCPOptions)
    assert isinstance(tls, mint.TLSOptions)
    assert (tcp.connect_timeout, tcp.send_timeout) == (timeout, None)
    assert (tls.verify, named["hostname"], named["proxy"], named["resolver"]) == (False, "a.test", None, None)


@pytest.mark.parametrize(
    ("parallel", "most", "each"), [(None, 100, 10), (5, 100, 10), (50, 100, 50), (200, 200, 200)]
)
def test_the_pool_has_room_for_all_transfers_at_once(parallel: int | None, most: int, each: int) -> None:
    given = [] if parallel is None else ["-Z", "--parallel-max", str(parallel)]
    with Dialer(parse([*given, "http://a.test"])).make_pool() as pool:
        options = pool._state.options
    assert (options.max_connections, options.max_per_origin, options.max_retries) == (most, each, 0)
    assert options.ping_interval is None
