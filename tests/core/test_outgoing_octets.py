"""An octet that must not be sent is refused at every position of every string that a request contains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mint._core.events import RequestRef
from mint._core.http1 import State as State1
from mint._core.http2 import State as State2
from tests import http1_driver, http2_driver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mint._core.events import Step

State = State1 | State2
Send = "Callable[[State, str], Step[State1] | Step[State2]]"

CONTROLS = [chr(octet) for octet in (*range(0x20), 0x7F) if octet != 9]
WIDE = ["\u0100", "\u010a", "\u2028", "\U0001f600"]  # the last octet of \u010a is a line feed
NEVER = [*CONTROLS, *WIDE]
NO_TOKEN = [
    *NEVER,
    "\t",
    " ",
    '"',
    "(",
    ")",
    ",",
    "/",
    ":",
    ";",
    "<",
    "=",
    ">",
    "?",
    "@",
    "[",
    "\\",
    "]",
    "{",
    "}",
    "\x80",
]
NO_TARGET = [*NEVER, "\t", " ", '"', "<", ">", "\\", "^", "`", "{", "|", "}", "\x80", "\xa0", "\xff", "#"]


def requested(
    state: State, *, method: str = "GET", target: str = "/", headers: tuple[tuple[str, str], ...] = ()
) -> Step:  # type: ignore[type-arg]  # the state of either protocol
    return state.request(method, target, headers, None, False)


def trailed(state: State, *pairs: tuple[str, str]) -> Step:  # type: ignore[type-arg]  # the state of either protocol
    begun = state.request("POST", "/", (), None, True)
    assert begun.ref is not None
    return begun.state.end_body(begun.ref, pairs)


# For each place of a string in a request: a valid example, the function that sends it, and what is refused.
SLOTS: dict[str, tuple[str, Callable[[State, str], Step], list[str]]] = {  # type: ignore[type-arg]  # the state of either protocol
    "method": ("PATCH", lambda s, text: requested(s, method=text), NO_TOKEN),
    "path": ("/path", lambda s, text: requested(s, target=text), NO_TARGET),
    "target of CONNECT": (
        "host.example:80",
        lambda s, text: requested(s, method="CONNECT", target=text),
        NO_TARGET,
    ),
    "field name": ("x-name", lambda s, text: requested(s, headers=((text, "v"),)), NO_TOKEN),
    "field value": ("some value", lambda s, text: requested(s, headers=(("x", text),)), NEVER),
    "secret value": ("some value", lambda s, text: requested(s, headers=(("authorization", text),)), NEVER),
    "cookie": ("a=b", lambda s, text: requested(s, headers=(("cookie", text),)), NEVER),
    "content-type": ("a/b", lambda s, text: requested(s, headers=(("content-type", text),)), NEVER),
    "user-agent": ("agent/1", lambda s, text: requested(s, headers=(("user-agent", text),)), NEVER),
    "host": (
        "host.example",
        lambda s, text: requested(s, headers=(("host", text),)),
        [*NEVER, " ", "\t", "/", "@", "#", "?"],
    ),
    "te": ("trailers", lambda s, text: requested(s, headers=(("te", text),)), NEVER),
    "expect": ("other", lambda s, text: requested(s, headers=(("expect", text),)), NEVER),
    "trailer name": ("x-name", lambda s, text: trailed(s, (text, "v")), NO_TOKEN),
    "trailer value": ("some value", lambda s, text: trailed(s, ("x", text)), NEVER),
}
EXTENDED = {
    "protocol": ("websocket", ":protocol", NO_TOKEN),
    "extended path": ("/chat", ":path", NO_TARGET),
    "extended authority": ("host.example", ":authority", [*NEVER, " ", "\t", "/", "@", "#", "?"]),
    "extended scheme": ("https", ":scheme", NO_TOKEN),
}


def spoiled(text: str, bad: list[str]) -> Iterator[str]:
    """Yield the text with each octet inserted at every place, and in place of every character."""
    for mark in bad:
        for place in range(len(text) + 1):
            yield text[:place] + mark + text[place:]
        for place in range(len(text)):
            yield text[:place] + mark + text[place + 1 :]


def states() -> list[State]:
    return [State1(http1_driver.config()), http2_driver.opened((8, 1)).state]


@pytest.mark.parametrize("which", [0, 1], ids=["http1", "http2"])
@pytest.mark.parametrize("slot", SLOTS)
def test_forbidden_octets_are_refused_in_every_place(slot: str, which: int) -> None:
    good, send, bad = SLOTS[slot]
    state = states()[which]
    assert send(state, good).fault is None or (slot == "te" and which == 0)
    for text in spoiled(good, bad):
        step = send(state, text)
        assert step.fault is not None, text
        assert step.fault.local
        assert step.output == (), text
        assert step.ref is None


@pytest.mark.parametrize("slot", ["field value", "secret value", "cookie", "user-agent", "trailer value"])
@pytest.mark.parametrize("which", [0, 1], ids=["http1", "http2"])
def test_whitespace_is_allowed_inside_a_value_only(slot: str, which: int) -> None:
    _, send, _ = SLOTS[slot]
    state = states()[which]
    for blank in (" ", "\t"):
        assert send(state, f"a{blank}b").fault is None
        for text in (f"{blank}ab", f"ab{blank}", blank):
            assert send(state, text).fault is not None, text


@pytest.mark.parametrize("slot", EXTENDED)
def test_the_pseudo_headers_of_a_caller_are_checked_in_every_place(slot: str) -> None:
    good, name, bad = EXTENDED[slot]
    state = http2_driver.opened((8, 1)).state

    def send(text: str) -> Step[State2]:
        given = {":protocol": "websocket", ":path": "/", name: text}
        return state.request("CONNECT", "/", tuple(given.items()), None, True)

    assert send(good).fault is None
    for text in spoiled(good, bad):
        step = send(text)
        assert step.fault is not None, text
        assert step.output == ()


@pytest.mark.parametrize("which", [0, 1], ids=["http1", "http2"])
def test_percent_must_precede_two_hexadecimal_digits(which: int) -> None:
    state = states()[which]
    for text in ("/%41", "/a%4a%4Ab", "/%00"):
        assert requested(state, target=text).fault is None, text
    for text in ("/%", "/%4", "/%4g", "/%g4", "/a%", "/%%41", "/%4%41", "/% 41"):
        assert requested(state, target=text).fault is not None, text


def test_an_unchecked_target_cannot_end_its_line() -> None:
    state = State1(http1_driver.config(skip_target_validation=True))
    bad = [*NEVER, " ", "\t", "\x80", "\x85", "\xa0"]
    for method in ("GET", "CONNECT", "OPTIONS"):
        assert requested(state, method=method, target='/"{}|\\^`').fault is None
        for text in spoiled("/pa", bad):
            step = requested(state, method=method, target=text)
            assert step.fault is not None, text
            assert step.output == ()


def test_the_body_of_a_request_is_not_checked() -> None:
    state = State1(http1_driver.config())
    body = bytes(range(256))
    step = state.request("POST", "/", (), (body,), False)
    assert b"".join(step.output).endswith(b"\r\n\r\n" + body)
    begun = state.request("POST", "/", (("content-length", "256"),), None, True)
    assert begun.ref == RequestRef(7, 1)
    assert b"".join(begun.state.stream_body(begun.ref, body).output) == body
