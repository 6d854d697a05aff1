"""Each accepted difference from h11 and llhttp has a condition that only such input meets."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

FUZZ = Path(__file__).resolve().parents[2] / "fuzz"
OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = b"content-length: 0\r\n\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"

ORDINARY = (
    OK + EMPTY,
    b"HTTP/1.1 200\r\n" + EMPTY,
    b"HTTP/1.1 200 \r\n" + EMPTY,
    b"HTTP/1.0 404 Not Found here\r\nserver: a b\r\n" + EMPTY,
    OK + b"content-length: 5\r\nconnection: close, x\r\nx:\tab\xe9 \r\n\r\nhello",
    OK + b"Transfer-Encoding: chunked \r\n\r\n1\r\na\r\n" + LAST,
    OK + CHUNKED + b"0\r\netag: x\r\n\r\n",
    b"HTTP/1.1 103 x\r\n\r\n" + OK + EMPTY,
    b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + OK + EMPTY,
)
# What excuses a difference if it is in a head, a chunk line or trailers.
ODD = (
    b"a\nb\n\nHTTP/2.0 200 OK\r\n\r\nHTTP/1.2 0101 \x01\r\n c\r\n\r\n\r\nconnection: a b\r\n"
    b"transfer-encoding: gzip\r\ntransfer-encoding: x\r\ncontent-length: 1, 01\r\ncontent-length: "
    + b"0" * 30
    + b"1" * 20
    + b"\r\nHTTP/1.0 101\r\nupgrade: x\r\n\r\n1;a\r\n0\r\ncontent-length: 1\r\n"
    + b"a: b\r\n" * 70
    + b"HTTP/1.1 103 x\r\n\r\n" * 40
)
WITH_ODD_CONTENT = (
    OK + b"content-length: %d\r\n\r\n" % len(ODD) + ODD,
    OK + b"\r\n" + ODD,
    b"HTTP/1.1 103 x\r\n\r\n" + OK + b"\r\n" + ODD,
    OK + CHUNKED + b"%x\r\n%s\r\n" % (len(ODD), ODD) + b"%X\r\n%s\r\n" % (len(ODD), ODD) + LAST + b"a\nb",
    OK + CHUNKED + b"%x\r\n%s\r\n" % (len(ODD), ODD) + b"0\r\netag: x\r\n\r\n",
    # The same words, where they mean something else.
    OK + b"via: HTTP/2.0 x, HTTP/1.2 y\r\nserver: content-length: 1, 2\r\n" + EMPTY,
    b"HTTP/1.1 200 HTTP/2.0 HTTP/1.2 101\r\n" + EMPTY,
    OK + b"x-connection: a b;c\r\nx-transfer-encoding: gzip\r\nx-content-length: 05, 6\r\n" + EMPTY,
    OK + CHUNKED + b"0\r\nx-content-length: 6\r\nvia: HTTP/2.0 x\r\n\r\n",
)
EXAMPLES = {
    "bare-lf": (OK + b"a: b\n" + EMPTY, "h11"),
    "major-version": (b"HTTP/2.0 200 OK\r\n" + EMPTY, "h11 llhttp"),
    "minor-version": (b"HTTP/1.2 200 OK\r\n" + EMPTY, "llhttp"),
    "reason-phrase": (b"HTTP/1.1 200 O\x01K\r\n" + EMPTY, "h11 llhttp"),
    "line-end-before": (b"\r\n" + OK + EMPTY, "llhttp"),
    "status-below-100": (b"HTTP/1.1 099 OK\r\n" + EMPTY, "llhttp"),
    "control-in-value": (OK + b"a: \x7f\r\n" + EMPTY, "h11"),
    "folded-line": (OK + b"a: b\r\n c\r\n" + EMPTY, "llhttp"),
    "transfer-codings": (OK + b"transfer-encoding: gzip\r\n\r\nabc", "h11"),
    "transfer-codings-twice": (OK + b"transfer-encoding: chunked\r\n" + CHUNKED + LAST, "llhttp"),
    "length-and-coding": (OK + b"content-length: 5\r\n" + CHUNKED + LAST, "h11"),
    "length-twice": (OK + b"content-length: 0\r\n" + EMPTY, "llhttp"),
    "length-as-list": (OK + b"content-length: 5, 5\r\n\r\nhello", "llhttp"),
    "length-spelled-differently": (OK + b"content-length: 05, 5\r\n\r\nhello", "h11"),
    "length-of-many-digits": (OK + b"content-length: " + b"0" * 25 + b"\r\n\r\n", "h11"),
    "framing-of-interim": (b"HTTP/1.1 103 x\r\ncontent-length: +5\r\n\r\n" + OK + EMPTY, "h11 llhttp"),
    "interim-of-http10": (b"HTTP/1.0 103 x\r\n\r\n" + OK + EMPTY, "llhttp"),
    "switching-protocols": (b"HTTP/1.1 101 x\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "llhttp"),
    "connection-list": (OK + b"connection: a, b c\r\n" + EMPTY, "h11 llhttp"),
    "length-in-trailers": (OK + CHUNKED + b"0\r\ncontent-length: 5\r\n\r\n", "llhttp"),
    "too-many-fields": (OK + b"a: b\r\n" * 600 + EMPTY, "h11 llhttp"),
    "too-many-interim": (b"HTTP/1.1 103 x\r\n\r\n" * 33 + OK + EMPTY, "h11 llhttp"),
}
FURTHER = (
    ("line-end-before", (b"HTTP/1.1 103 x\r\n\r\n\r\n" + OK + EMPTY, "llhttp")),
    ("line-end-before", (b"HTTP/1.1 103 x\r\na: b\r\n\r\n\r" + OK + EMPTY, "llhttp")),
)


def h11(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("httptools", reason="httptools (llhttp) is not installed: --group fuzz has it")
    monkeypatch.syspath_prepend(str(FUZZ))
    return importlib.import_module("fuzz_http1_h11")


@pytest.mark.parametrize("data", [*ORDINARY, *WITH_ODD_CONTENT])
def test_ordinary_responses_meet_no_condition_and_are_read_alike(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = h11(monkeypatch)
    assert [one.name for one in harness.DIFFERENCES if one.applies(data)] == []
    for peer, read in (("h11", harness.by_h11), ("llhttp", harness.by_llhttp)):
        harness.judge(peer, data, harness.by_mint(data), read(data))


@pytest.mark.parametrize(("name", "example"), [*EXAMPLES.items(), *FURTHER])
def test_an_example_of_each_class_is_read_differently_and_meets_its_condition(
    name: str, example: tuple[bytes, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = h11(monkeypatch)
    data, peers = example
    readers = {"h11": harness.by_h11, "llhttp": harness.by_llhttp}
    for peer in peers.split():
        assert name in [one.name for one in harness.DIFFERENCES if peer in one.peers and one.applies(data)]
        with monkeypatch.context() as patch, pytest.raises(Exception, match="reads something different"):
            patch.setattr(harness, "DIFFERENCES", ())
            harness.judge(peer, data, harness.by_mint(data), readers[peer](data))


def test_each_class_has_an_example_except_those_that_depend_on_more(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {one.name for one in h11(monkeypatch).DIFFERENCES}
    assert names - EXAMPLES.keys() == {"length-too-large", "chunk-extensions"}
    assert EXAMPLES.keys() <= names
