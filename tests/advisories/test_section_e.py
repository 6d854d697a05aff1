"""The other advisories: decompression, memory, logs, pickles, and differences between parsers.

Cases have the id of their advisory, if there is one. The rules are 22, 23 and 33 to 37 of test_rules.py. Mint
has no WebSockets (rule 34): after a switch of protocols, octets are passed on as they arrive; the head before
it has the usual limits.
"""

from __future__ import annotations

import ast
import gzip
import logging
import pickle
import sys
import tracemalloc
from pathlib import Path

import pytest

import mint
from mint import errors
from mint._core import http2_config
from mint._core.events import Headers
from mint.testing import frames as f
from mint.transport import Memory
from tests.http1_driver import HEAD, answer, config, play, with_requests
from tests.http2_driver import OK, data, kinds, opened

PACKAGE = Path(mint.__file__).parent
SECRET = "c2VjcmV0"


@pytest.mark.parametrize(
    "codings",
    [
        pytest.param(["gzip"], id="CVE-2025-66471"),
        pytest.param(["gzip"] * 50, id="CVE-2025-66418"),
        pytest.param([", ".join(["gzip"] * 400)], id="CVE-2026-22036"),
        pytest.param(["br"], id="CVE-2024-22025"),
        pytest.param(["gzip", "deflate"] * 9, id="CVE-2022-32206"),
        pytest.param(["deflate"], id="CVE-2025-0725"),
        pytest.param(["zstd"], id="CVE-2025-69223"),
    ],
)
def test_r23_nothing_is_decompressed(codings: list[str]) -> None:
    """CVE-2026-49755: content is passed on as it arrives, and memory is proportional to it."""
    bomb = gzip.compress(bytes(10_000_000))
    fields = b"".join(b"Content-Encoding: %s\r\n" % coding.encode() for coding in codings)
    state = with_requests()
    tracemalloc.start()
    outcome = play(state, [HEAD + fields + b"Content-Length: %d\r\n\r\n" % len(bomb) + bomb])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert outcome.body == bomb
    assert peak < 4 * len(bomb)
    talk = opened()
    talk.request()
    talk.feed(talk.server.headers(1, [*OK, *(("content-encoding", coding) for coding in codings)]))
    talk.feed(data(1, bomb[:16_000], end=True))
    assert kinds(talk.events)[-1] == "done:1"


def test_r23_no_decompressor_is_imported() -> None:
    """CVE-2020-8927, CVE-2025-6176: content is decoded only if a program uses `mint.content`."""
    coders = {"zlib", "gzip", "bz2", "lzma", "brotli", "zstandard", "compression", "backports"}
    for path in PACKAGE.rglob("*.py"):
        if {"testing", "_content"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not coders & {name.partition(".")[0] for name in names}


def test_r22_no_behaviour_depends_on_assert() -> None:
    """CVE-2025-69227: `python -O` removes `assert` statements, so no behaviour may depend on one."""
    for path in PACKAGE.rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        assert not any(isinstance(node, ast.Assert) for node in nodes)


def test_r33_field_names_are_not_remembered() -> None:
    """CVE-2026-47067, CVE-2022-41717: new field names on one connection do not use more and more memory."""
    conn_state = with_requests()
    talk = opened()

    def run(turn: int) -> None:
        nonlocal conn_state
        fields = [(f"x-{turn}-{i}", f"value-{turn}-{i}") for i in range(50)]
        head = "".join(f"{name}: {value}\r\n" for name, value in fields).encode()
        step = conn_state.feed(HEAD + head + b"Content-Length: 0\r\n\r\n")
        assert step.fault is None
        conn_state = step.state.request("GET", "/", [], None, False).state
        number = talk.request().number
        talk.feed(talk.server.answer(number, fields=fields))
        talk.drop()

    for turn in range(20):
        run(turn)
    tracemalloc.start()
    for turn in range(20, 220):
        run(turn)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 250_000


def test_r33_names_and_values_are_not_interned() -> None:
    played = answer(HEAD + b"x-very-new-name: Some-Value\r\nContent-Length: 0\r\n\r\n")
    talk = opened()
    talk.request()
    talk.feed(talk.server.answer(1, fields=[("x-very-new-name", "Some-Value")]))
    (headers,) = [each for each in talk.events if isinstance(each, Headers)]
    for name, value in (played.headers[0], headers.headers[0]):
        # If the text had been interned, `sys.intern` would return it for an equal string.
        for text, new in ((name, "x-very-" + "new-name"), (value, "Some-" + "Value")):
            fresh = "".join(list(new))
            assert text == fresh
            assert sys.intern(fresh) is not text


FIELDS = [b"Content-Length", b"Transfer-Encoding", b"Connection", b"Upgrade", b"Alt-Svc", b"Keep-Alive"]


@pytest.mark.parametrize("field", FIELDS, ids=bytes.decode)
def test_r33_each_first_octet_in_every_parser_of_values(field: bytes) -> None:
    """CVE-2026-47066: a parser that does not advance would never return."""
    offered = [("upgrade", "websocket"), ("connection", "upgrade")]
    for octet in range(256):
        value = bytes([octet])
        for status in (b"200", b"101"):
            for rest in (b"", b",", b";", b'"', b"=", b"a, "):
                head = b"HTTP/1.1 " + status + b" x\r\n" + field + b": " + value + rest + b"\r\n\r\n"
                play(with_requests(headers=offered), [head], eof=True)


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_r34_a_switch_has_the_limits_of_a_head(protocol: str) -> None:
    """GHSA-q8jg-fgj4-fphf: the head of a 101 response, or of a 2xx to CONNECT, has the usual limits."""
    if protocol == "http1":
        offered = [("upgrade", "websocket"), ("connection", "upgrade")]
        head = b"HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" + b"a: b\r\n" * 600
        assert answer(head, headers=offered).reason == "too_many_headers"
        return
    talk = opened((8, 1))
    talk.request("CONNECT", "/", [(":protocol", "websocket")], None, True)
    talk.feed(talk.server.headers(1, [*OK, *[("a", "b")] * 600], cuts=1))
    assert talk.faults[-1].reason == "too_many_headers"


SECRETS = ["authorization", "proxy-authorization", "cookie", "set-cookie", "www-authenticate"]


def logged(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_r35_logs_and_errors_show_no_secrets(
    name: str, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    """hpack 4.2.0: fields of requests and of responses, in valid and in invalid messages."""
    caplog.set_level(logging.DEBUG, logger="mint")
    initiate = mint.http1.initiate if protocol == "http1" else mint.http2.initiate
    link = Memory()
    conn: mint.Connection = initiate(link, scheme="https", hostname="example.org", port=443, log=True)
    conn, _ = conn.request("GET", "/", [(name, SECRET), (name.title(), SECRET)][: 1 + (name == "cookie")])
    if protocol == "http1":
        link.put(HEAD + f"{name}: {SECRET}\r\n{name}: {SECRET}\0\r\n\r\n".encode())
    else:
        link.put(
            f.serialize(
                [
                    f.settings(),
                    f.headers(1, ((":status", "200"), (name, SECRET), (name, SECRET + "\0"), (name, SECRET))),
                    f.headers(1, b"\x80"),
                ]
            )
        )
    with pytest.raises(errors.HTTPError) as caught:
        conn.recv()
    with pytest.raises(errors.InvalidHeaderValue) as refused:
        initiate(Memory(), scheme="https", hostname="a").request("GET", "/", [(name, SECRET + "\0")])
    for error in (caught.value, refused.value):
        assert SECRET not in str(error) + repr(error)
    assert SECRET not in repr(conn.after(caught.value)) + repr(caught.value.responses[-1])
    assert caplog.records
    assert SECRET not in logged(caplog)


@pytest.mark.parametrize("name", SECRETS)
def test_r35_responses_show_no_secrets(name: str) -> None:
    """The `repr` hides secrets, so that a program can log responses; the values themselves are unchanged."""
    ref = mint.RequestRef(1, 1)
    fields = ((name, SECRET), (name.title(), SECRET), ("x", "shown"))
    made: list[mint.Response] = [
        mint.Headers(ref, fields),
        mint.Informational(ref, 103, fields),
        mint.Trailers(ref, fields),
        mint.PushPromise(ref, ref, fields),
    ]
    for response in made:
        text = repr(response)
        assert SECRET not in text
        assert text.startswith(f"{type(response).__name__}(ref=RequestRef(connection=1, number=1), ")
        assert text.endswith(
            f"headers=(({name!r}, '(redacted)'), ({name.title()!r}, '(redacted)'), ('x', 'shown')))"
        )
        assert pickle.loads(pickle.dumps(response)) == response
    assert repr(mint.Headers(ref, ())) == "Headers(ref=RequestRef(connection=1, number=1), headers=())"


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_r35_records_are_single_lines_and_few(protocol: str, caplog: pytest.LogCaptureFixture) -> None:
    """CVE-2025-69230, CVE-2026-42507: records are few, printable, and of limited length."""
    caplog.set_level(logging.DEBUG, logger="mint")
    link = Memory()
    evil = "\x85[2J" + "\xad" * 5_000
    if protocol == "http1":
        conn: mint.Connection = mint.http1.initiate(link, scheme="https", hostname="example.org", log=True)
        conn, _ = conn.request("GET", "/")
        link.put(HEAD + b"".join(b"x-%d: %s\r\n" % (i, evil.encode("latin-1")) for i in range(40)) + b"\r\n")
    else:
        conn = mint.http2.initiate(link, scheme="https", hostname="example.org", log=True)
        conn, _ = conn.request("GET", "/")
        fields = ((":status", "200"), *((f"x-{i}", evil[:300]) for i in range(40)))
        link.put(f.serialize([f.settings(), f.headers(1, fields, end=True)]))
    conn.recv()
    assert 0 < len(caplog.records) < 120
    for record in caplog.records:
        assert record.getMessage().isprintable()
        assert len(record.getMessage()) < 60_000


def test_r36_unpickled_values_are_checked_where_they_are_used() -> None:
    """CVE-2026-3644, CVE-2026-0672: values are checked where they are used, even if they were before."""
    forged = mint.ClientSettings()
    object.__setattr__(forged, "_pairs", (("initial_window_size", 2**31),))  # as a pickle would
    forged = pickle.loads(pickle.dumps(forged))
    options = mint.HTTP2Options(client_settings=forged)
    with pytest.raises(ValueError, match="initial_window_size"):
        mint.http2.initiate(Memory(), scheme="https", hostname="a", http2=options)
    with pytest.raises(ValueError, match="hostname"):
        http2_config.Config("a\r\n", port=1, scheme="http", identity=1, user_agent="a")
    with pytest.raises(ValueError, match="hostname"):
        config(hostname="a\r\n")


def test_r36_connections_cannot_be_pickled() -> None:
    conn = mint.http1.initiate(Memory(), scheme="https", hostname="a")
    with pytest.raises(TypeError):
        pickle.dumps(conn)


GOOD = [
    HEAD + b"Content-Length: 5\r\nX: a\r\nx: b\r\n\r\nhello",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nt: 1\r\n\r\n",
    b"HTTP/1.1 103 x\r\nlink: </a>\r\n\r\n" + HEAD + b"Connection: close\r\n\r\nhello",
    b"HTTP/1.1 204 No Content\r\n\r\n",
]


@pytest.mark.parametrize("data", GOOD)
def test_r37_valid_responses_are_read_alike_strict_or_lenient(data: bytes) -> None:
    strict = answer(data, eof=True)
    lenient = answer(data, options=config(lenient=True), eof=True)
    assert strict.fault is None
    assert strict.responses == lenient.responses


def test_r37_both_protocols_give_the_same_responses() -> None:
    """The same message gives the same responses over HTTP/1 and HTTP/2."""
    talk = opened()
    talk.request()
    hint = talk.server.headers(1, [(":status", "103"), ("link", "</a>")])
    talk.feed(hint, talk.server.answer(1, b"hello", [("x", "a"), ("x", "b")], trailers=[("t", "1")]))
    lines = (
        b"HTTP/1.1 103 x\r\nlink: </a>\r\n\r\n" + HEAD + b"x: a\r\nx: b\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    played = answer(lines + b"5\r\nhello\r\n0\r\nt: 1\r\n\r\n")
    assert kinds(played.responses) == kinds(talk.events)
    assert played.headers[:2] == (("x", "a"), ("x", "b"))
    assert played.trailers == (("t", "1"),)
