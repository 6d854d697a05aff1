"""One transfer with a pool that answers as a test wants: what is asked for, repeated, counted and read."""

from __future__ import annotations

import gzip
import io
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Self, cast

import pytest

from mint import Informational, RequestRef, errors
from mint._command import transfer as module
from mint._command.arguments import parse
from mint._command.outputs import OutputOrder
from mint._command.progress import Progress
from mint._command.transfer import Transfer
from mint._command.usage import StatusRefused
from mint.content import accept_encoding
from mint.errors import MintError, Processed
from mint.exchange import URL, Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mint._command.connecting import Dialer
    from mint.pool import Pool, StreamedAnswer, Timeouts

PLACE = ("http", "a.test", 80)
DRAINED = 65_536
METHODS = {
    **dict.fromkeys(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"], True),
    **dict.fromkeys(["POST", "PATCH", "get", "PROPFIND", "X"], False),
}


class Reply(Answer):
    """A response whose content is read in pieces."""

    connection = SimpleNamespace(protocol="http1", peer_address=("1.2.3.4", 80), local_address=None)

    def __init__(
        self, status: int = 200, *headers: tuple[str, str], content: Iterable[bytes] = (b"content",)
    ) -> None:
        super().__init__(status, headers=headers)
        self.left = iter(content)
        self.taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.left = iter(())

    def receive(self) -> bytes | None:
        found = next(self.left, None)
        self.taken += 0 if found is None else len(found)
        return found

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.receive, None)


class Both:
    """Stands in for the pool and for what opens its connections."""

    def __init__(self, *results: Reply | MintError, served: bool = True, reads: bool = True) -> None:
        self.results = list(results)
        self.asked: list[tuple[str, URL, list[tuple[str, str]], bytes | None]] = []
        self.limits: list[float | None] = []
        self.connects, self.last = 3, 0.0
        self.reads = reads
        self.known: list[tuple[str, str, int]] = [PLACE] if served else []

    def stream(
        self,
        method: str,
        url: URL,
        headers: list[tuple[str, str]],
        body: bytes | Iterable[bytes] | None,
        *,
        timeout: Timeouts,
    ) -> StreamedAnswer:
        sent = body if body is None or isinstance(body, bytes) else b"".join(body if self.reads else ())
        self.asked.append((method, url, headers, sent))
        self.limits.append(timeout.total)
        self.connects += 1
        result = self.results.pop(0)
        if isinstance(result, MintError):
            raise result
        return cast("StreamedAnswer", result)  # it stands in for it

    def has_served(self, origin: tuple[str, str, int]) -> bool:
        return origin in self.known

    def served(self, origin: tuple[str, str, int]) -> None:
        self.known.append(origin)


def run(both: Both, *arguments: str, until: float | None = None, progress: Watch | None = None) -> Transfer:
    settings = parse([*arguments, "http://a.test/page"])
    shown = Progress(None) if progress is None else cast("Progress", progress)  # it stands in for it
    transfer = Transfer(settings, settings.orders[0], 0, OutputOrder().add(), shown)
    transfer.run(cast("Pool", both), cast("Dialer", both), until)  # it stands in for both
    return transfer


# -- what is sent again


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("processed", Processed)
@pytest.mark.parametrize("served", [False, True])
@pytest.mark.parametrize("local", [False, True])
def test_which_requests_are_sent_again(method: str, processed: Processed, served: bool, local: bool) -> None:
    """Once, on a connection that was used before, and only if the first cannot have had an effect."""
    error = errors.TransportClosed().marked(processed=processed, local=local)
    safe = processed is Processed.NO or (processed is Processed.MAYBE and METHODS[method])
    again = safe and served and not local
    both = Both(error, Reply(), served=served)
    if again:
        run(both, "-X", method)
    else:
        with pytest.raises(errors.TransportClosed):
            run(both, "-X", method)
    assert [each[0] for each in both.asked] == [method] * (1 + again)
    assert both.known.count(PLACE) == served + again


@pytest.mark.parametrize("failures", range(4))
def test_a_request_is_sent_at_most_twice(failures: int) -> None:
    lost = [errors.TransportClosed().marked(processed=Processed.NO) for _ in range(failures)]
    both = Both(*lost, Reply())
    if failures > 1:
        with pytest.raises(errors.TransportClosed) as caught:
            run(both)
        assert caught.value is lost[1]
    else:
        run(both)
    assert len(both.asked) == min(failures + 1, 2)


def test_each_request_of_a_redirect_may_be_sent_again() -> None:
    lost = [errors.TransportClosed().marked(processed=Processed.NO) for _ in range(2)]
    both = Both(lost[0], Reply(302, ("location", "/b")), lost[1], Reply())
    run(both, "-L")
    assert [each[1].target for each in both.asked] == ["/page", "/page", "/b", "/b"]


@pytest.mark.parametrize(("until", "total"), [(None, None), (100.5, 0.5), (100.0, 0.0), (99.0, -1.0)])
def test_the_time_that_is_left(
    until: float | None, total: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "monotonic", lambda: 100.0)
    both = Both(Reply())
    if total is not None and total <= 0:
        with pytest.raises(errors.TransportTimeout, match="fetching"):
            run(both, until=until)
        assert both.limits == []
    else:
        run(both, until=until)
        assert both.limits == [total]


# -- the request


@pytest.mark.parametrize(
    ("arguments", "added"),
    [
        ([], []),
        (["--compressed"], [accept_encoding()]),
        (["--compressed", "-H", "Accept-Encoding: x"], [("Accept-Encoding", "x")]),
        (["-H", "Accept-Encoding: x"], [("Accept-Encoding", "x")]),
    ],
)
def test_the_codings_that_are_asked_for(arguments: list[str], added: list[tuple[str, str]]) -> None:
    both = Both(Reply())
    run(both, *arguments)
    assert [each for each in both.asked[0][2] if each[0].lower() == "accept-encoding"] == added


@pytest.mark.parametrize(
    ("headers", "added"),
    [
        ([], [("content-length", "3")]),
        (["Content-Length: 3"], [("Content-Length", "3")]),
        (["Transfer-Encoding: chunked"], [("Transfer-Encoding", "chunked")]),
    ],
)
def test_the_size_of_an_upload_is_declared_once(
    headers: list[str], added: list[tuple[str, str]], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    options = [word for header in headers for word in ("-H", header)]
    both = Both(Reply())
    sent = run(both, "-T", str(tmp_path / "file"), *options, "-w", "")
    [(method, url, fields, body)] = both.asked
    assert (method, url, body) == ("PUT", URL("http", "a.test", 80, "/page"), b"abc")
    assert [each for each in fields if each[0].lower() in {"content-length", "transfer-encoding"}] == added
    assert sent._facts.size_upload == 3


def test_only_the_last_upload_is_counted(opened: list[IO[bytes]]) -> None:
    """After a redirect, and after a connection that was lost."""
    lost = errors.TransportClosed().marked(processed=Processed.NO)
    both = Both(Reply(307, ("location", "/b")), lost, Reply())
    assert run(both, "-L", "-T", "file")._facts.size_upload == 3
    assert [each[3] for each in both.asked] == [b"abc"] * 3
    assert [file.closed for file in opened] == [True] * 3


@pytest.mark.parametrize(("arguments", "size"), [([], 0), (["-d", ""], 0), (["-d", "ab"], 2)])
def test_the_size_of_content_that_is_known(arguments: list[str], size: int) -> None:
    both = Both(Reply())
    assert run(both, *arguments)._facts.size_upload == size
    assert both.asked[0][3] == (b"ab"[:size] if arguments else None)


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[IO[bytes]]:
    """Return the list of the files that were opened; there is one with the name `file`."""
    (tmp_path / "file").write_bytes(b"abc")
    monkeypatch.chdir(tmp_path)
    files: list[IO[bytes]] = []
    before = Path.open

    def remembering(path: Path, mode: str = "r") -> IO[bytes]:
        file: IO[bytes] = before(path, mode)
        files.append(file)
        return file

    monkeypatch.setattr(Path, "open", remembering)
    return files


@pytest.mark.parametrize("arguments", [["-T", "file"], ["-d", "abc"]])
def test_a_request_that_cannot_be_sent_does_not_reach_the_pool(
    arguments: list[str], opened: list[IO[bytes]]
) -> None:
    both = Both(Reply())
    with pytest.raises(errors.HTTPError):
        run(both, *arguments, "-H", "content-length: 4", "-H", "content-length: 5")
    assert both.asked == []
    assert len(opened) == (arguments[0] == "-T")
    assert all(file.closed for file in opened)


@pytest.mark.parametrize("failures", range(3))
def test_files_are_closed_although_nothing_of_them_was_read(failures: int, opened: list[IO[bytes]]) -> None:
    both = Both(*(errors.TransportClosed() for _ in range(failures)), Reply(), reads=False)
    with pytest.raises(errors.TransportClosed) if failures > 1 else nullcontext():
        run(both, "-T", "file")
    assert len(opened) == min(failures + 1, 2)
    assert all(file.closed for file in opened)


# -- the answer


@pytest.mark.parametrize(
    ("length", "most"),
    [
        (None, DRAINED),
        ("0", DRAINED),
        ("9", DRAINED),
        (str(DRAINED), DRAINED),
        (str(DRAINED + 1), 0),
        ("99999", 0),
        ("100000", 0),
        ("000009", 0),
        ("9" * 5_000, 0),
        ("-1", 0),
        ("x", 0),
        ("", 0),
    ],
)
@pytest.mark.parametrize("arguments", [["-L"], ["-f"]])
def test_how_much_is_read_of_content_that_is_not_needed(
    arguments: list[str], length: str | None, most: int
) -> None:
    """Of what is declared to be too long, or not declared correctly, nothing is read."""
    headers = () if length is None else (("content-length", length),)
    for size in (1, 4_096, DRAINED - 1, DRAINED, DRAINED + 1):
        status, location = (302, (("location", "/b"),)) if arguments == ["-L"] else (400, ())
        reply = Reply(status, *location, *headers, content=(bytes(size) for _ in range(100_000)))
        both = Both(reply, Reply())
        if arguments == ["-f"]:
            with pytest.raises(StatusRefused, match=f"status {status}"):
                run(both, *arguments)
        else:
            run(both, *arguments)
        assert reply.taken == -(-most // size) * size


def test_content_that_ends_is_read_to_its_end() -> None:
    reply = Reply(302, ("location", "/b"), content=(b"abc", b"", b"de"))
    run(Both(reply, Reply()), "-L")
    assert reply.taken == 5


@pytest.mark.parametrize(("status", "fails"), [(100, False), (399, False), (400, True), (999, True)])
def test_the_first_status_that_is_a_failure(status: int, fails: bool) -> None:
    if fails:
        with pytest.raises(StatusRefused):
            run(Both(Reply(status)), "-f")
    else:
        run(Both(Reply(status)), "-f")


def test_what_is_known_after_a_transfer(tmp_path: Path) -> None:
    output = str(tmp_path / "page")
    both = Both(Reply(302, ("location", "/b")), Reply(201, ("a", "b"), content=(b"abc", b"de")))
    facts = run(both, "-L", "-o", output)._facts
    assert (facts.path, facts.url, facts.number) == (output, "http://a.test/page", 0)
    assert (facts.url_effective, facts.method, facts.scheme) == ("http://a.test/b", "GET", "http")
    assert (facts.status, facts.headers, facts.redirects) == (201, (("a", "b"),), 1)
    assert (facts.size_download, facts.connects, facts.http_version) == (5, 2, "1.1")
    assert (facts.remote, facts.local) == (("1.2.3.4", 80), ("", 0))
    assert run(Both(Reply()))._facts.path == ""


@pytest.mark.parametrize(
    ("address", "pair"),
    [
        (None, ("", 0)),
        ("/socket", ("/socket", 0)),
        (("1.2.3.4", 5), ("1.2.3.4", 5)),
        (("::1", 5, 6, 7), ("::1", 5)),
    ],
)
def test_addresses_of_every_family(address: object, pair: tuple[str, int]) -> None:
    reply = Reply()
    object.__setattr__(
        reply, "connection", SimpleNamespace(protocol="http2", peer_address=address, local_address=address)
    )
    facts = run(Both(reply))._facts
    assert (facts.remote, facts.local, facts.http_version) == (pair, pair, "2")


@pytest.mark.parametrize("fails", [False, True])
def test_the_file_is_complete_when_the_transfer_has_ended(fails: bool, tmp_path: Path) -> None:
    def content() -> Iterator[bytes]:
        yield b"abc"
        if fails:
            raise errors.TransportClosed

    settings = parse(["-o", str(tmp_path / "page"), "http://a.test/page"])
    transfer = Transfer(settings, settings.orders[0], 0, OutputOrder().add(), Progress(None))
    both = Both(Reply(content=content()))
    with pytest.raises(errors.TransportClosed) if fails else nullcontext():
        transfer.run(cast("Pool", both), cast("Dialer", both), None)  # it stands in for both
    assert (tmp_path / "page").read_bytes() == b"abc"


@pytest.mark.parametrize(("last", "connected"), [(101.5, 1.5), (100.0, 0.0), (99.0, 0.0)])
def test_times_are_counted_from_the_beginning(
    last: float, connected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the last request, except for the whole time and that of the redirects."""
    now = [50.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])

    def after(seconds: float) -> Iterator[bytes]:
        now[0] += seconds
        yield b"content"

    class Slow(Both):
        def has_served(self, origin: tuple[str, str, int]) -> bool:
            now[0] += 2.0
            return super().has_served(origin)

    settings = parse(["-L", "http://a.test/page"])
    transfer = Transfer(settings, settings.orders[0], 0, OutputOrder().add(), Progress(None))
    now[0] = 100.0
    lost = [errors.TransportClosed().marked(processed=Processed.NO) for _ in range(2)]
    replies = [Reply(302, ("location", "/b"), content=after(4.0)), Reply(content=after(16.0))]
    both = Slow(lost[0], replies[0], lost[1], replies[1])
    both.last = last
    transfer.run(cast("Pool", both), cast("Dialer", both), None)  # it stands in for both
    facts = transfer._facts
    assert facts.time_connect == connected
    assert (facts.time_redirect, facts.time_starttransfer, facts.time_total) == (6.0, 8.0, 24.0)


@pytest.mark.parametrize(
    ("status", "locations", "expected"),
    [
        (302, ["/b"], "http://a.test/b"),
        (302, ["/b", "/c"], "http://a.test/b"),
        (302, ["ftp://x/"], "ftp://x/"),
        (302, [], ""),
        (200, ["/b"], ""),
    ],
)
def test_where_a_redirect_that_is_not_followed_leads(
    status: int, locations: list[str], expected: str
) -> None:
    reply = Reply(status, *(("location", each) for each in locations))
    assert run(Both(reply))._facts.redirect_url == expected


@pytest.mark.parametrize("limit", [6, 7, 8])
def test_content_of_the_maximum_size_is_accepted(limit: int) -> None:
    both = Both(Reply(content=(b"con", b"tent")))
    if limit < 7:
        with pytest.raises(errors.ContentTooLarge):
            run(both, "--max-filesize", str(limit))
    else:
        assert run(both, "--max-filesize", str(limit))._facts.size_download == 7


@pytest.mark.parametrize("is_terminal", [False, True])
@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize("has_trailers", [False, True])
def test_heads_and_trailers_around_the_content(
    include: bool, has_trailers: bool, is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values of fields are shown as octets, also where content has to be text."""
    buffer = io.BytesIO()
    stdout = SimpleNamespace(buffer=buffer, isatty=lambda: is_terminal, encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", stdout)
    reply = Reply(200, ("a", "caf\xe9\x1b"), content=(b"one\x1b", b"two\r"))
    interim = (Informational(RequestRef(7, 1), 103, (("link", "x"),)),)
    object.__setattr__(reply, "interim", interim)
    object.__setattr__(reply, "trailers", (("t", "\xfc"),) if has_trailers else ())
    run(Both(reply), *(["-i"] if include else []))
    head = b"HTTP/1.1 103\nlink: x\n\nHTTP/1.1 200\na: caf\xe9?\n\n" if include else b""
    content = b"one?two?" if is_terminal else b"one\x1btwo\r"
    assert buffer.getvalue() == head + content + (b"t: \xfc\n\n" if include and has_trailers else b"")


@pytest.mark.parametrize("is_open", [False, True])
def test_a_summary_for_stderr_that_is_closed_is_left_out(
    is_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr = io.StringIO() if is_open else None
    monkeypatch.setattr(sys, "stderr", stderr)
    run(Both(Reply()), "-w", "%{stderr}x")
    assert stderr is None or stderr.getvalue() == "x"


@pytest.mark.parametrize("text", [b"", b"x", b"x" * 1_000])
def test_the_maximum_size_holds_for_both_sizes_of_coded_content(
    text: bytes, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """For what arrives, and for what it is decoded to, whichever is larger."""
    coded = gzip.compress(text, mtime=0)
    least = max(len(coded), len(text))
    for limit in (len(coded) - 1, len(text), least - 1, least):
        reply = Reply(200, ("content-encoding", "gzip"), content=(coded[:5], coded[5:]))
        arguments = ["--compressed", "--max-filesize", str(limit)]
        if limit < least:
            with pytest.raises(errors.ContentTooLarge):
                run(Both(reply), *arguments)
        else:
            run(Both(reply), *arguments)
    assert capsysbinary.readouterr().out.endswith(text)


# -- progress


class Watch:
    """Stands in for the progress line and for the transfer on it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, object]] = []

    def start(self, name: str) -> Watch:
        self.seen.append(("start", name))
        return self

    def expect(self, total: int | None) -> None:
        self.seen.append(("expect", total))

    def advance(self, octets: int) -> None:
        self.seen.append(("advance", octets))

    def end(self) -> None:
        self.seen.append(("end", None))

    def clear(self) -> None:
        self.seen.append(("clear", None))


@pytest.mark.parametrize("is_file", [False, True])
@pytest.mark.parametrize("output", [None, "-", "page.txt"])
def test_which_transfers_are_on_the_progress_line(
    output: str | None, is_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those whose content does not go to the terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "writes_file", lambda: is_file)
    watch = Watch()
    run(Both(Reply()), *([] if output is None else ["-o", output]), progress=watch)
    name = "page.txt" if output == "page.txt" else "page"
    shown = [("start", name), ("expect", None), ("advance", 7), ("end", None)]
    assert watch.seen == (shown if is_file or output == "page.txt" else [])


@pytest.mark.parametrize(
    ("length", "total"),
    [(None, None), ("5", 5), ("0", 0), ("x", None), ("\xb2", None), ("\u0665", None), ("-1", None)],
)
def test_both_directions_are_counted(
    length: str | None, total: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload first, then the content of the answer; -w removes the line before it prints."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"abc")
    watch = Watch()
    reply = Reply(200, *([] if length is None else [("content-length", length)]), content=(b"con", b"t"))
    run(Both(reply), "-T", "file", "-o", "page", "-w", "x", progress=watch)
    assert watch.seen == [
        ("start", "page"),
        ("expect", 3),
        ("advance", 3),
        ("expect", total),
        ("advance", 3),
        ("advance", 1),
        ("end", None),
        ("clear", None),
    ]


@pytest.mark.parametrize("error", [None, errors.TransportClosed(), BrokenPipeError()])
def test_what_is_printed_after_a_failure(
    error: Exception | None, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Nothing if nobody reads the output any more."""

    def content() -> Iterator[bytes]:
        yield b"abc\n"
        if error is not None:
            raise error

    form = "%{size_download} %{exitcode}%{stderr}%{errormsg}"
    both = Both(Reply(content=content()))
    if error is None:
        run(both, "-w", form)
    else:
        with pytest.raises(type(error)):
            run(both, "-w", form)
    out, err = capsysbinary.readouterr()
    code = {"NoneType": b"4 0", "TransportClosed": b"4 56", "BrokenPipeError": b""}[type(error).__name__]
    assert out == b"abc\n" + code
    assert bool(err) is isinstance(error, errors.TransportClosed)
