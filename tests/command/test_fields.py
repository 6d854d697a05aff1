"""The fields that are sent, those of -u in particular, and what is read from standard input."""

from __future__ import annotations

import base64
import getpass
import sys
from types import SimpleNamespace

import pytest

from mint._command.arguments import parse
from mint._command.usage import UsageError


def sent(text: str) -> bytes:
    """Return what is sent for -u, decoded."""
    fields = dict(parse(["-u", text, "http://a.test"]).orders[0].request.headers)
    scheme, coded = fields["authorization"].split()
    assert scheme == "Basic"
    return base64.b64decode(coded)


@pytest.mark.parametrize("text", ["a:b", ":", "a:", ":b", "a:b:c", "\xe4:\u20ac", "a b:c d"])
def test_the_name_and_the_password(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)  # nothing is asked for
    assert sent(text) == text.encode()


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ([], [("accept", "*/*")]),
        (["-H", "X: 1"], [("accept", "*/*"), ("X", "1")]),
        (["-H", "X: 1", "-H", "Accept: a"], [("X", "1"), ("Accept", "a")]),
        (
            ["-d", "x", "-u", "a:b", "-H", "X: 1"],
            [
                ("accept", "*/*"),
                ("X", "1"),
                ("authorization", "Basic YTpi"),
                ("content-type", "application/x-www-form-urlencoded"),
            ],
        ),
        (
            ["--json", "{}", "-H", "X: 1"],
            [("accept", "application/json"), ("X", "1"), ("content-type", "application/json")],
        ),
        (
            ["--json", "{}", "-H", "Content-Type: x"],
            [("accept", "application/json"), ("Content-Type", "x")],
        ),
    ],
)
def test_the_order_of_the_fields(options: list[str], fields: list[tuple[str, str]]) -> None:
    command = parse([*options, "http://a.test"])
    assert list(command.headers) == list(command.orders[0].request.headers) == fields


@pytest.mark.parametrize("option", [["-T", "-"], ["-d", "@-"], ["--json", "@-"]])
def test_standard_input_that_is_closed(option: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noticed only where it is to be read."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="standard input is closed"):
        parse([*option, "http://a.test"])
    for other in (["-T", "file"], ["-d", "-"], ["--json", "-"]):
        parse([*other, "http://a.test"])


@pytest.mark.parametrize("mark", ["\0", "\t", "\n", "\x1f", "\x7f"])
@pytest.mark.parametrize("text", ["a{}:b", "a:{}b"])
def test_control_characters_are_refused(text: str, mark: str) -> None:
    with pytest.raises(UsageError, match="control characters"):
        sent(text.format(mark))


@pytest.mark.parametrize("mark", [" ", "~", "\x80"])
def test_characters_beside_them_are_sent(mark: str) -> None:
    assert sent(f"a{mark}:{mark}") == f"a{mark}:{mark}".encode()


@pytest.mark.parametrize("stdin", [None, False, True])
def test_a_password_is_asked_for_at_a_terminal(stdin: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return "secret"

    monkeypatch.setattr(getpass, "getpass", ask)
    monkeypatch.setattr(sys, "stdin", None if stdin is None else SimpleNamespace(isatty=lambda: stdin))
    if stdin:
        assert sent("name") == b"name:secret"
        assert asked == ["password: "]
    else:
        with pytest.raises(UsageError, match="needs NAME:PASSWORD"):
            sent("name")
        assert asked == []
