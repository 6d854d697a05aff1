"""One read with many frames: everything that grows with their number is complete and in order."""

from __future__ import annotations

import struct

import pytest

from mint._core.events import Data
from tests.http2_driver import OK, PING, Conversation, data, opened, ping

# Around the sizes at which a growing array is enlarged, and far beyond.
COUNTS = [*range(1, 40), 55, 56, 57, 119, 120, 121, 248, 5_000]


def answering(max_unsent_acks: int = 1_000) -> Conversation:
    talk = opened(max_unsent_acks=max_unsent_acks)
    talk.request()
    talk.feed(talk.server.headers(1, OK))
    talk.drop()
    return talk


def numbers(count: int) -> list[bytes]:
    return [struct.pack(">H", number) for number in range(count)]


@pytest.mark.parametrize("count", COUNTS)
def test_content_in_many_frames_of_one_read_is_joined(count: int) -> None:
    talk = answering()
    talk.feed(b"".join(data(1, each) for each in numbers(count)))
    assert [event.data for event in talk.events if isinstance(event, Data)] == [b"".join(numbers(count))]


@pytest.mark.parametrize("count", COUNTS)
def test_replies_to_many_frames_of_one_read_are_all_written(count: int) -> None:
    talk = answering(max_unsent_acks=count)
    payloads = [each * 4 for each in numbers(count)]
    talk.feed(b"".join(ping(each) for each in payloads))
    assert [one.payload for one in talk.sent if one.kind == PING] == payloads


@pytest.mark.parametrize("count", [1, 2, 8, 9, 30])
def test_content_of_streams_in_turn_is_kept_separate(count: int) -> None:
    talk = opened()
    refs = [talk.request().number for _ in range(count)]
    talk.feed(b"".join(talk.server.headers(number, OK) for number in refs))
    talk.drop()
    talk.feed(b"".join(data(number, each) for each in numbers(20) for number in refs))
    found = [(event.ref.number, event.data) for event in talk.events if isinstance(event, Data)]
    if count == 1:
        assert found == [(1, b"".join(numbers(20)))]
    else:
        assert found == [(number, each) for each in numbers(20) for number in refs]
