"""A state is an immutable value, compared by content."""

from __future__ import annotations

import pytest

from mint._core.http1 import State
from tests.http1_driver import HEAD, config, octets, play, with_requests


def test_states_are_compared_by_content() -> None:
    assert State(config()) == State(config())
    assert State(config()) != State(config(port=1))
    assert State(config()) != "state"
    assert with_requests() == with_requests()
    assert with_requests() != with_requests("HEAD")
    assert with_requests() != with_requests("GET", "GET")
    assert with_requests() != State(config())
    assert with_requests().close().state == with_requests("HEAD").close().state
    assert "open_request_count=1" in repr(with_requests())
    with pytest.raises(TypeError):
        hash(with_requests())


def test_how_a_state_was_reached_does_not_count() -> None:
    data = HEAD + b"A: b\r\nC: d\r\nE"
    assert (
        play(with_requests("GET", "GET"), octets(data)).state
        == play(with_requests("GET", "GET"), [data]).state
    )
    assert play(with_requests(), [data]).state != play(with_requests(), [data + b"x"]).state
    assert play(with_requests(), [data]).state != play(with_requests(), [data[:-1] + b"F"]).state
    other = HEAD + b"A: b\r\nC: D\r\nE"
    assert play(with_requests(), [data]).state != play(with_requests(), [other]).state


def test_feeding_does_not_change_a_state() -> None:
    state = play(with_requests("GET", "GET"), [HEAD + b"A: b\r\nContent-Le"]).state
    twin = play(with_requests("GET", "GET"), [HEAD + b"A: b\r\nContent-Le"]).state
    for rest in (b"ngth: 1\r\n\r\na", b"ngth: 2\r\n", b"x", b"ngth: nonsense\r\n", b"ngth: 1\r\n fold\r\n"):
        first, second = state.feed(rest), state.feed(rest)
        assert first.responses == second.responses
        assert first.fault == second.fault
        assert first.state == second.state
        assert state == twin
    state.close()
    state.feed_eof(True)
    state.request("GET", "/", [], None, False)
    assert state == twin


def test_forks_of_one_state_are_independent() -> None:
    trunk = play(with_requests(), [HEAD + b"A: b\r\nX: "]).state
    one = play(trunk, octets(b"one\r\nY: 1\r\nContent-Length: 0\r\n\r\n"))
    two = play(trunk, octets(b"two\r\nZ: 2\r\nContent-Length: 0\r\n\r\n"))
    assert one.headers == (("a", "b"), ("x", "one"), ("y", "1"), ("content-length", "0"))
    assert two.headers == (("a", "b"), ("x", "two"), ("z", "2"), ("content-length", "0"))
    folded = play(with_requests(), [HEAD + b"A: b\r\n"]).state
    one = play(folded, octets(b" c\r\nContent-Length: 0\r\n\r\n"))
    two = play(folded, octets(b" d\r\nContent-Length: 0\r\n\r\n"))
    assert (one.headers[0], two.headers[0]) == (("a", "b c"), ("a", "b d"))


def test_feeding_nothing_changes_nothing() -> None:
    state = with_requests()
    assert state.feed(b"").state is state
    with pytest.raises(TypeError):
        state.feed(bytearray(b"x"))  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(AttributeError):
        state.config = config()  # type: ignore[misc]  # wrong on purpose
