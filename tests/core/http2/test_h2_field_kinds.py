"""Which names of fields have a meaning: each name of each list, and no name that is nearly the same."""

from __future__ import annotations

import pytest

from mint._core.events import Headers, Trailers
from tests.http2_driver import OK, PROTOCOL_ERROR, assert_stream_error, opened

SINGLE = (
    *("from", "referer", "if-range", "content-type", "max-forwards", "authorization", "user-agent"),
    *("if-modified-since", "if-unmodified-since", "proxy-authorization"),
)
CONNECTION = ("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade")
OTHER = ("te", "host", "cookie", "expect", "content-length")


def near(name: str) -> list[str]:
    """Return names that differ from this one in one octet, or are one octet shorter or longer."""
    changed = [name[:at] + "q" + name[at + 1 :] for at in range(len(name)) if name[at] != "q"]
    return [*changed, name[:-1], name[1:], name + "q", "q" + name]


def test_fields_that_are_sent_once_do_not_stand_for_each_other() -> None:
    fields = [(name, "1") for name in SINGLE]
    for given in (fields, fields[::-1]):
        talk = opened()
        talk.request(headers=given)
        assert sorted(pair for pair in talk.fields() if pair[0] in SINGLE) == sorted(given)
    for at, name in enumerate(SINGLE):
        twice = [*fields, (name, "2")]
        assert opened().refuse(headers=twice).name == name
        assert opened().refuse(headers=twice[at:]).name == name


@pytest.mark.parametrize("name", [*SINGLE, *CONNECTION, *OTHER])
def test_a_name_that_is_nearly_the_same_has_no_meaning_in_requests(name: str) -> None:
    odd = [other for other in near(name) if other not in {*SINGLE, *CONNECTION, *OTHER}]
    for other in odd:
        talk = opened()
        given = [(other, "a b"), (other, "a b")]
        talk.request(headers=given)
        assert [pair for pair in talk.fields() if pair[0] == other] == given


@pytest.mark.parametrize("name", [*SINGLE, *CONNECTION, *OTHER])
def test_a_name_that_is_nearly_the_same_has_no_meaning_in_responses(name: str) -> None:
    odd = [other for other in near(name) if other not in {*SINGLE, *CONNECTION, *OTHER}]
    given = tuple((other, "a b") for other in odd for _ in range(2))
    talk = opened()
    talk.request()
    talk.feed(talk.server.headers(1, [*OK, *given]), talk.server.headers(1, given, end=True))
    assert [event.headers for event in talk.events if isinstance(event, Headers)] == [given]
    assert [event.headers for event in talk.events if isinstance(event, Trailers)] == [given]


@pytest.mark.parametrize("name", [*SINGLE, "host", "cookie", "expect"])
def test_what_only_requests_give_once_may_be_repeated_in_responses(name: str) -> None:
    talk = opened()
    talk.request()
    given = ((name, "a b"), (name, "c"))
    talk.feed(talk.server.headers(1, [*OK, *given], end=True))
    assert [event.headers for event in talk.events if isinstance(event, Headers)] == [given]


@pytest.mark.parametrize("trailers", [False, True])
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("name", [*CONNECTION, "te"])
def test_fields_of_http1_are_refused_in_responses(name: str, place: int, trailers: bool) -> None:
    talk = opened()
    talk.request()
    fields = [("a", "b")]
    fields.insert(place, (name, "trailers"))
    if trailers:
        talk.feed(talk.server.headers(1, OK))
        talk.feed(talk.server.headers(1, fields, end=True))
    else:
        talk.feed(talk.server.headers(1, [*OK, *fields]))
    assert assert_stream_error(talk, PROTOCOL_ERROR, "malformed_response").name == name
