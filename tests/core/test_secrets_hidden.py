"""Errors and log lines show no secret, however it is spelled, split or misplaced, over both protocols."""

from __future__ import annotations

import logging
import pickle
from itertools import product

import pytest

import mint
from mint import errors
from mint.testing import frames as f
from mint.transport import Memory

SECRET = "hunter2"
OPTIONS = {"strict": False, "lenient": True}
NAMES = ["Set-Cookie", "cookie", "Authorization", "WWW-Authenticate", "proxy-authorization", "X-Key"]


def over_http1(*, lenient: bool) -> tuple[mint.HTTP1, Memory]:
    """Return a connection that logs and waits for a response."""
    link = Memory()
    options = mint.HTTP1Options(lenient=lenient, sensitive_headers=frozenset({"x-key"}))
    conn = mint.http1.initiate(link, scheme="http", hostname="a.test", http1=options, log=True)
    conn, _ = conn.request("GET", "/")
    return conn, link


def over_http2(*, lenient: bool) -> tuple[mint.HTTP2, Memory]:
    """Return a connection that logs and waits for a response."""
    link = Memory()
    options = mint.HTTP2Options(lenient=lenient, sensitive_headers=frozenset({"x-key"}))
    conn = mint.http2.initiate(link, scheme="http", hostname="a.test", http2=options, log=True)
    link.put(f.serialize([f.settings(), f.settings(ack=True)]))
    conn, _ = conn.recv()
    conn, _ = conn.request("GET", "/")
    return conn, link


def text_of(error: BaseException | None) -> str:
    """Return all text that an error and its attributes can show."""
    text = ""
    while error is not None:
        text += f"{error} {error!r} {getattr(error, 'responses', ())!r}"
        error = error.__cause__
    return text


# Heads in which a line break separates a secret field from its value, or parts of the value.
CUT_HEADS = [
    "{name}: a=1;\n hunter2\r\n",
    "{name}: a=1;\nhunter2\r\n",
    "{name}: a=1;\r\nhunter2\r\n",
    "{name}: a=1;\r\nb\r\nhunter2\r\n",
    "{name}: a=1;\nb\nhunter2\n",
    "{name}\n: hunter2\r\n",
    "{name}\r\n:hunter2\r\nhunter2\r\n",
    "{name}\r\n hunter2\r\n",
    "{name}\r\n hunter2\r\nhunter2\r\n",
    "{name} hunter2\r\n",
    "{name} : hunter2\x00\r\n",
    "{name}=hunter2\r\n",
    "({name}): hunter2\r\n",
    '"{name}": hunter2\r\n',
    "Set\x00-{name}: hunter2\r\n",
    "{name}: a=1\r\n\x00hunter2\r\n",
    "{name}: hunter2\x00\r\n",
    "{name}: a\rhunter2\r\n",
    "{name}: a=1\r\n@: hunter2\r\n",
    "{name}: a=1\r\nb\r\n@: hunter2\x00\r\n",
    "via: a\r\n{name}\r\n@: hunter2\x00\r\n",
]


@pytest.mark.parametrize("tolerance", OPTIONS)
@pytest.mark.parametrize("before", ["HTTP/1.1 200 OK\r\nserver: x\r\n", "HTTP/1.1 200 OK\r\n", ""])
@pytest.mark.parametrize("head", CUT_HEADS)
def test_no_part_of_a_secret_that_a_line_break_cut_off_is_shown(
    tolerance: str, before: str, head: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The head arrives whole, and in two reads, split at every place."""
    caplog.set_level(logging.DEBUG, "mint")
    for name in NAMES:
        octets = (before + head.format(name=name) + "\r\n").encode("latin-1")
        for cut in (0, *range(len(before), len(octets))):
            conn, link = over_http1(lenient=OPTIONS[tolerance])
            shown = ""
            for part in (octets[:cut], octets[cut:]):
                link.put(part)
                try:
                    conn, _ = conn.recv(timeout=0) if part else (conn, [])
                except mint.MintError as error:
                    shown += text_of(error)
                    break
            assert SECRET not in shown, (octets, cut)
        assert SECRET not in caplog.text, octets


PLACES = [("{name}", SECRET), ("{name}\x00", SECRET), (":{name}", SECRET), (" {name}", SECRET)]
PLACES += [("{name}: hunter2", ""), ("{name}=hunter2", "x"), ("{upper}", SECRET), ("{name}", f"{SECRET}\n")]
PLACES += [("{name} ", f" {SECRET}"), ("\x7f{name}", SECRET), ("{name}", f"{SECRET}\x01")]


@pytest.mark.parametrize("tolerance", OPTIONS)
@pytest.mark.parametrize(("name", "value"), PLACES)
@pytest.mark.parametrize("where", ["head", "trailers", "promise"])
def test_no_secret_of_a_malformed_http2_message_is_shown(
    tolerance: str, name: str, value: str, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "mint")
    for each in NAMES:
        conn, link = over_http2(lenient=OPTIONS[tolerance])
        odd = (name.format(name=each.lower(), upper=each.upper()), value)
        if where == "promise":
            fields = ((":method", "GET"), (":scheme", "http"), (":authority", "a.test"), (":path", "/"), odd)
            link.put(f.push_promise(1, 2, fields).serialize())
        else:
            head = ((":status", "200"), *(() if where == "trailers" else (odd,)))
            link.put(f.headers(1, head).serialize())
            if where == "trailers":
                link.put(f.headers(1, (odd,), end=True).serialize())
        shown = ""
        try:
            _, responses = conn.recv(timeout=0)
            shown = repr(responses) if each != "X-Key" else ""
            shown += "".join(text_of(r.error) for r in responses if isinstance(r, mint.RequestFailed))
        except mint.MintError as error:
            shown = text_of(error)
        assert SECRET not in shown, odd
        assert SECRET not in caplog.text, odd


NEARLY = [
    "{name}",
    "{name}\x00",
    " {name}",
    "{name}:",
    "{name}: hunter2",
    "{name}=hunter2",
    ":{name}",
    "{upper}\n",
]


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("name", NEARLY)
@pytest.mark.parametrize("value", [f"{SECRET}\n", f" {SECRET}", f"{SECRET}é€", SECRET])
def test_no_secret_of_a_request_is_shown(
    protocol: str, name: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "mint")
    for each in NAMES:
        conn = over_http1(lenient=False)[0] if protocol == "http1" else over_http2(lenient=False)[0]
        pair = (name.format(name=each, upper=each.upper()), value)
        shown = ""
        try:
            conn.request("GET", "/", [pair])
        except mint.MintError as error:
            shown = text_of(error)
        assert SECRET not in shown, pair
        assert SECRET not in caplog.text, pair


AUTHORITIES = [
    f"u:{SECRET}@h.test",
    f"{SECRET}@h.test:80",
    f"u:{SECRET}@h.test/ x",
    f"u:{SECRET}@",
    f"u:p@{SECRET}@h",
]
TARGETS = [
    "http://{0}/",
    "//{0}/ x",
    "/ //{0}/",
    "{0}",
    "/http://{0}/ ",
    "http:/{0}/#",
    "\\\\{0}/",
    "http:\\\\{0}",
]


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "CONNECT"])
@pytest.mark.parametrize("authority", AUTHORITIES)
def test_no_credentials_of_a_target_or_a_host_are_shown(
    protocol: str, method: str, authority: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "mint")
    for target, host in [*product(TARGETS, [None]), ("/", authority), ("a.test:80", authority)]:
        conn = over_http1(lenient=False)[0] if protocol == "http1" else over_http2(lenient=False)[0]
        fields = [] if host is None else [("host", host)]
        with pytest.raises(mint.HTTPError) as caught:
            conn.request(method, target.format(authority), fields)
        assert SECRET not in text_of(caught.value), (target, host)
        with pytest.raises((mint.MintError, ValueError)) as refused:
            mint.http1.initiate(Memory(), scheme="http", hostname=authority)
        assert SECRET not in text_of(refused.value)


CAUSES = [
    ([("x", "a\nb")], "byte 0x0a at position 1 is a control character"),
    ([("cookie", "a\x00")], "byte 0x00 at position 1 is a control character"),
    ([("X-Key", "€")], "character U+20AC at position 0 is not in latin-1"),
    ([("x", " a")], "it begins with whitespace"),
    ([("x", "a\t")], "it ends with whitespace"),
    ([("x y", "a")], "byte 0x20 at position 1 is not allowed in a field name"),
    ([("", "a")], "it is empty"),
    ([("cookié", "a")], "byte 0xe9 at position 5 is not allowed in a field name"),
    ([("host", "a/b")], "it is not a host with an optional port"),
    ([("te", "chunked")], "te"),
]


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize(("fields", "cause"), CAUSES)
def test_a_refusal_names_the_character_at_fault(
    protocol: str, fields: list[tuple[str, str]], cause: str
) -> None:
    conn = over_http1(lenient=False)[0] if protocol == "http1" else over_http2(lenient=False)[0]
    with pytest.raises((errors.InvalidHeaderName, errors.InvalidHeaderValue)) as caught:
        conn.request("GET", "/", fields)
    assert cause in str(caught.value)
    assert cause in str(getattr(caught.value, "cause", ""))


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize(
    ("target", "cause"),
    [
        ("/a b", "byte 0x20 at position 2 must be percent-encoded"),
        ("/é", "byte 0xe9 at position 1 must be percent-encoded"),
        ("/a%zz", "byte 0x25 at position 2 must be percent-encoded"),
        ("/a#b", "fragment"),
        ("", "host:port"),
    ],
)
def test_a_refused_target_names_its_cause(protocol: str, target: str, cause: str) -> None:
    conn = over_http1(lenient=False)[0] if protocol == "http1" else over_http2(lenient=False)[0]
    with pytest.raises(errors.InvalidRequestTarget) as caught:
        conn.request("GET", target)
    assert cause in str(caught.value)


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_a_host_that_differs_from_the_target_is_named_as_such(protocol: str) -> None:
    """RFC 9112 3.2.2, RFC 9113 8.3.1; hosts are compared without regard to case."""
    conn = over_http1(lenient=False)[0] if protocol == "http1" else over_http2(lenient=False)[0]
    with pytest.raises(errors.InvalidHeaderValue, match="differs from the host that the request is for"):
        conn.request("CONNECT", "a.test:80", [("host", "b.test:80")], mint.STREAM)
    conn.request("CONNECT", "a.test:80", [("host", "A.TEST:80")], mint.STREAM)


BESIDE = [
    "a\r\n{name}: " + SECRET,
    "a\n{upper}: " + SECRET,
    "{name}: " + SECRET + "\0",
    " {name}=" + SECRET,
    "{name}, " + SECRET + "\x01",
]


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize("field", ["x", "connection", "upgrade", "te", "host", "accept"])
@pytest.mark.parametrize("value", BESIDE)
def test_no_secret_after_its_name_in_another_value_is_shown(protocol: str, field: str, value: str) -> None:
    for each in NAMES:
        conn = over_http1(lenient=False)[0] if protocol == "http1" else over_http2(lenient=False)[0]
        pair = (field, value.format(name=each, upper=each.upper()))
        with pytest.raises(mint.HTTPError) as caught:
            conn.request("GET", "/", [pair])
        assert SECRET not in text_of(caught.value), pair
        assert SECRET not in repr(pickle.dumps(caught.value)), pair
