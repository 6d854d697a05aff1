"""Deviations that HTTP/2 accepts with `lenient`, and unchecked targets (RFC 9113 8.2.1, 8.3.1)."""

from __future__ import annotations

import pytest

import mint
from mint.testing import http2


def play(
    *fields: tuple[str, str],
    trailers: tuple[tuple[str, str], ...] = (),
    lenient: bool | mint.Tolerance = False,
) -> list[mint.Response]:
    """Return the responses to a GET whose response has these fields."""
    link = mint.transport.Memory(reads=True)
    conn = mint.http2.initiate(
        link, scheme="http", hostname="server.test", http2=mint.HTTP2Options(lenient=lenient)
    )
    conn, _ = conn.request("GET", "/")
    frames = [http2.settings(), http2.headers(1, ((":status", "200"), *fields), end=not trailers)]
    if trailers:
        frames.append(http2.headers(1, trailers, end=True))
    link.put(b"".join(frame.serialize() for frame in frames))
    return conn.recv()[1]


def outcome(responses: list[mint.Response]) -> object:
    """Return the fields, or the reason of the failure."""
    for response in responses:
        if isinstance(response, mint.RequestFailed):
            return str(response.error)
    (headers,) = [each.headers for each in responses if isinstance(each, mint.Headers)]
    return headers


ODD = [
    ("surrounding_whitespace", " v", "v"),
    ("surrounding_whitespace", "v ", "v"),
    ("surrounding_whitespace", "\t v\t \t", "v"),
    ("surrounding_whitespace", " ", ""),
    ("control_characters", "a\x01b", "a\x01b"),
    ("control_characters", "a\x7fb", "a\x7fb"),
]


@pytest.mark.parametrize(("switch", "value", "read"), ODD)
def test_each_response_is_accepted_by_one_switch_only(switch: str, value: str, read: str) -> None:
    assert "malformed" in str(outcome(play(("x-a", value))))
    others = {name: True for name, _, _ in ODD if name != switch}
    assert "malformed" in str(outcome(play(("x-a", value), lenient=mint.Tolerance(**others))))
    for lenient in (True, mint.Tolerance(**{switch: True})):
        assert outcome(play(("x-a", value), ("x-b", "w"), lenient=lenient)) == (("x-a", read), ("x-b", "w"))
        responses = play(trailers=(("x-a", value),), lenient=lenient)
        assert [each.headers for each in responses if isinstance(each, mint.Trailers)] == [(("x-a", read),)]


@pytest.mark.parametrize("value", ["a\0b", "a\rb", "a\nb", " a\r\nb "])
def test_responses_that_no_switch_accepts(value: str) -> None:
    assert "malformed" in str(outcome(play(("x-a", value), lenient=True)))


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        ("x-a", "v\x01", "byte 0x01 at position 1"),
        ("x-a", " v", "begins with whitespace"),
        ("x-a", "v\t", "ends with whitespace"),
        ("X-a", "v", "byte 0x58 at position 0"),
        ("set-cookie", "hunter2\x01", "byte 0x01 at position 7"),
    ],
)
def test_messages_name_the_cause(name: str, value: str, cause: str) -> None:
    message = str(outcome(play((name, value))))
    assert name in message
    assert cause in message
    assert "hunter2" not in message


@pytest.mark.parametrize("target", ["/a|b?q={1}", "/\xe9", "/%zz", "a|b", "/a#b"])
def test_unchecked_targets_are_sent_as_they_are(target: str) -> None:
    for skip in (False, True):
        link = mint.transport.Memory(reads=True)
        options = mint.HTTP2Options(skip_target_validation=skip)
        conn = mint.http2.initiate(link, scheme="http", hostname="server.test", http2=options)
        if skip:
            conn.request("GET", target)
        else:
            with pytest.raises(mint.errors.InvalidRequestTarget):
                conn.request("GET", target)


@pytest.mark.parametrize("target", ["", "/a b", "/a\r\nb", "/a\0", "/\u0100"])
def test_some_targets_are_never_sent(target: str) -> None:
    options = mint.HTTP2Options(skip_target_validation=True)
    link = mint.transport.Memory(reads=True)
    conn = mint.http2.initiate(link, scheme="http", hostname="server.test", http2=options)
    with pytest.raises(mint.errors.InvalidRequestTarget):
        conn.request("GET", target)
