"""What follows the head of a response over HTTP/2, for each status and the methods that matter."""

from __future__ import annotations

import pytest

from mint._core.events import Done, Event, Failed, Headers, Informational, Status, Trailers
from tests.http2_driver import Conversation, data, kinds, opened, ref

METHODS = {"GET": "/", "HEAD": "/", "POST": "/", "CONNECT": "other.example:443"}
FINAL = [*range(200, 600), 600, 999]
# What arrives after a head with `content-length: 3`, and with which kinds of responses it is complete.
AFTER: dict[str, tuple[bytes | None, set[str]]] = {
    "no content": (None, {"tunnel", "bare"}),
    "empty content": (b"", {"tunnel", "bare"}),
    "short content": (b"ab", {"tunnel"}),
    "exact content": (b"abc", {"tunnel", "length"}),
    "long content": (b"abcd", {"tunnel"}),
}


def kind_of(method: str, status: int) -> str:
    """Return what delimits the content of a response: RFC 9113 8.1.1 and 8.5."""
    if method == "CONNECT" and status < 300:
        return "tunnel"
    return "bare" if method == "HEAD" or status in {204, 304} else "length"


def asked(method: str) -> Conversation:
    talk = opened()
    talk.request(method, METHODS[method], [], None, method == "CONNECT")
    return talk


def outcome(talk: Conversation) -> Event:
    """Return the last event of request 1, and check that the connection is still open."""
    assert not talk.closed
    return talk.events[-1]


@pytest.mark.rfc("9113-8.1.1-b")
@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("method", METHODS)
def test_the_method_and_the_status_decide_what_content_is_complete(method: str, after: str) -> None:
    content, complete = AFTER[after]
    for status in FINAL:
        talk = asked(method)
        head = [(":status", str(status)), ("content-length", "3")]
        talk.feed(talk.server.headers(1, head, end=content is None))
        if content is not None:
            talk.feed(data(1, content, end=True))
        assert talk.events[:2] == [Status(ref(1), status), Headers(ref(1), (("content-length", "3"),))]
        last = outcome(talk)
        fits = kind_of(method, status) in complete
        assert isinstance(last, Done if fits else Failed), (status, talk.events)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("declared", [0, 1])
def test_trailers_end_only_a_response_whose_content_is_complete(method: str, declared: int) -> None:
    for status in FINAL:
        talk = asked(method)
        head = [(":status", str(status)), ("content-length", str(declared))]
        talk.feed(talk.server.headers(1, head), talk.server.headers(1, [("a", "b")], end=True))
        kind = kind_of(method, status)
        fits = kind == "bare" or (kind == "length" and not declared)
        wanted = [Trailers, Done] if fits else [Headers, Failed]
        assert [type(event) for event in talk.events[-2:]] == wanted, (status, talk.events)
        outcome(talk)


def test_a_section_without_fields_ends_a_response_without_trailers() -> None:
    talk = asked("GET")
    talk.feed(
        talk.server.headers(1, [(":status", "200")]), data(1, b"x"), talk.server.headers(1, [], end=True)
    )
    assert kinds(talk.events) == ["status:1", "headers:1", "data:1", "done:1"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ends", [False, True])
def test_every_interim_status_is_passed_on_unless_it_ends_the_stream(method: str, ends: bool) -> None:
    for status in range(100, 200):
        talk = asked(method)
        talk.feed(talk.server.headers(1, [(":status", str(status)), ("a", "b")], end=ends))
        if ends or status == 101:
            assert isinstance(outcome(talk), Failed)
            continue
        assert talk.events == [Informational(ref(1), status, (("a", "b"),))]
        talk.drop()
        talk.feed(talk.server.answer(1))
        assert kinds(talk.events) == ["status:1", "headers:1", "done:1"]
