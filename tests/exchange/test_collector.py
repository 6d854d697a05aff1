from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mint
from mint.errors import ContentTooLarge, Unprocessed
from mint.exchange import Answer, Collector

if TYPE_CHECKING:
    from collections.abc import Sequence

REFS = [mint.RequestRef(7, number) for number in range(1, 6)]


@dataclass(frozen=True)
class Later:
    """A response that a later version may add; it has no ref."""

    what: str


def story(ref: mint.RequestRef, size: int) -> list[mint.Response]:
    return [
        mint.Informational(ref, 103, (("link", "x"),)),
        mint.Status(ref, 200),
        mint.StatusReason(ref, "Fine"),
        mint.Headers(ref, (("a", "1"), ("set-cookie", "x"), ("A".lower(), "2"))),
        *(mint.Data(ref, b"xy") for _ in range(size)),
        mint.Trailers(ref, (("t", "u"),)),
        mint.Done(ref),
    ]


def whole(ref: mint.RequestRef, size: int) -> Answer:
    headers = (("a", "1"), ("set-cookie", "x"), ("a", "2"))
    interim = (mint.Informational(ref, 103, (("link", "x"),)),)
    return Answer(200, "Fine", headers, b"xy" * size, (("t", "u"),), interim)


def noise(ref: mint.RequestRef) -> list[mint.Response]:
    later = cast("mint.Response", Later("settings"))  # not one of today's types
    return [mint.Pong(ref), mint.PushPromise(ref, REFS[-1], ((":path", "/x"),)), later]


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=4), st.randoms(use_true_random=False), st.integers(1, 9)
)
def test_responses_in_any_order_and_in_any_pieces(sizes: list[int], random: object, step: int) -> None:
    stories = {ref: story(ref, size) for ref, size in zip(REFS, sizes, strict=False)}
    queue: list[mint.Response] = []
    while any(stories.values()):
        ref = random.choice([ref for ref, rest in stories.items() if rest])  # type: ignore[attr-defined]  # Random
        queue += [stories[ref].pop(0), *noise(ref)]
    collector = Collector()
    found: dict[mint.RequestRef, object] = {}
    for start in range(0, len(queue), step):
        ended = collector.feed(queue[start : start + step])
        assert not set(ended) & set(found)
        found |= ended
    assert found == {ref: whole(ref, size) for ref, size in zip(REFS, sizes, strict=False)}


def test_a_failed_request_gives_its_error() -> None:
    error = Unprocessed()
    collector = Collector()
    assert collector.feed([mint.Status(REFS[0], 200), mint.Data(REFS[0], b"x")]) == {}
    assert collector.status(REFS[0]) == 200
    assert collector.feed([mint.RequestFailed(REFS[0], error)]) == {REFS[0]: error}
    assert collector.feed([mint.RequestFailed(REFS[1], error)]) == {REFS[1]: error}
    assert collector.status(REFS[0]) == 0


@pytest.mark.parametrize("end", [mint.Done(REFS[0]), mint.RequestFailed(REFS[0], Unprocessed())])
def test_an_answer_that_is_too_large(end: mint.Response) -> None:
    collector = Collector(max_size=10)
    data: Sequence[mint.Response] = [mint.Data(REFS[0], b"12345")] * 2
    assert collector.feed([mint.Status(REFS[0], 200), *data]) == {}
    assert collector.feed([mint.Data(REFS[0], b"1")]) == {REFS[0]: ContentTooLarge(10)}
    assert collector.feed([*data, end]) == {}
    assert collector.feed([*data, mint.Done(REFS[0])]) == {REFS[0]: Answer(0, content=b"1234512345")}


def test_the_content_of_an_answer_that_is_too_large_is_released() -> None:
    """At once, and not when the request ends."""
    collector = Collector(max_size=1_000)
    content = bytes(1_000)
    before = sys.getrefcount(content)
    collector.feed([mint.Data(REFS[0], content)])
    assert sys.getrefcount(content) > before
    collector.feed([mint.Data(REFS[0], b"x")])
    assert sys.getrefcount(content) == before


def test_a_forgotten_request_gives_no_answer() -> None:
    collector = Collector()
    collector.feed([mint.Status(REFS[0], 200), mint.Data(REFS[0], b"x")])
    collector.forget(REFS[0])
    collector.forget(REFS[1])
    assert not collector._partial


def test_headers_by_name() -> None:
    answer = whole(REFS[0], 2)
    assert answer.header("A") == "1, 2"
    assert answer.headers_all("a") == ("1", "2")
    assert (answer.header("b"), answer.header("b", "c"), answer.headers_all("b")) == (None, "c", ())
    assert "xy" not in repr(answer)
    assert repr(answer) == "<Answer 200, 3 headers, 4 bytes>"
    with pytest.raises(AttributeError):
        answer.status = 1  # type: ignore[misc]  # that is the point
