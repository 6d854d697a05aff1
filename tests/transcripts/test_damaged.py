"""Whatever is in a file that somebody has edited, a replay reads it or says in which line it is invalid."""

from __future__ import annotations

import io
import tempfile
from typing import TYPE_CHECKING, Any  # files of a wrong kind are passed

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mint
import mint.testing
from mint._command import main
from mint.transcripts import Recorder, TranscriptError, replay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mint.transcripts import ReplayedStep

HTTP1 = (
    "mint-transcript 1\n\nconnection 1 http1\n"
    '  hostname "h"\n  port 1\n  scheme "http"\n  identity 1\n  user_agent "u"\n  sensitive []\n'
)
HTTP2 = HTTP1.replace("http1", "http2")
ASKS = '1 request\n  method "GET"\n  target "/"\n  header "a" "b"\n  streaming false\n  = 1\n  . 1 open\n'
CALLS = {
    "http1": HTTP1
    + ASKS
    + '1 stream_body\n  ref 1\n  data "x"\n1 feed\n  < "HTTP/1.1 200"\n1 feed_eof\n  clean true\n'
    + '1 lose\n  from 1\n  fault tls_failed {"value": "x", "processed": 0}\n1 close\n',
    "http2": HTTP2
    + ASKS
    + '1 end_body\n  ref 1 of 1\n  trailer "a" "b"\n1 put_settings\n  setting "enable_push" 0\n'
    + "1 set_receive_window\n  ref 1\n  size 70000\n1 at\n  milliseconds 5\n1 left\n  queued 5\n"
    + "1 cancel\n  ref 1\n1 ping\n  payload 3132333435363738\n",
}
ODD = (
    *("", "0", "-1", "1.5", "1e999", "NaN", "null", "true", "[]", "{}", "[[1]]", "[{}]", '"x"', '"'),
    *('"\\ud800"', '"\\u0100"', '"\\n"', "9" * 30, "9" * 5000, "\xb2", "\u0663", "\x1b]0;x"),
    *("1 of 2", "1 of \xb2", f"1 of {2**64}", f"{2**63}", "+", "piece", "body", "from", "fault", "\u2028"),
    *("nothing", 'tls_failed {"processed": 3}', 'tls_failed {"size": 1e400}', f'closed {{"code": {2**63}}}'),
)


def examine(text: str) -> None:
    """Replay a transcript and look at everything that a step has."""
    said = "line"
    steps: Sequence[ReplayedStep] = ()
    try:
        steps = replay(io.StringIO(text))
    except TranscriptError as error:
        said = str(error)
    assert said.startswith("line")
    assert said.isprintable()
    for step in steps:
        assert "\x1b" not in "".join((*step.input, *step.differences, str(step.error), step.state_after))


@pytest.mark.parametrize("protocol", CALLS)
@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_an_odd_word_in_any_place(protocol: str, odd: str) -> None:
    lines = CALLS[protocol].splitlines()
    for place, line in enumerate(lines[1:], 1):
        first = line[: len(line) - len(line.lstrip())]
        words = line.split()
        for at in range(len(words) + 1):
            for more in (1, 0):
                changed = first + " ".join([*words[:at], odd, *words[at + more :]])
                examine("\n".join([*lines[:place], changed, *lines[place + 1 :], ""]))


@pytest.mark.parametrize("protocol", CALLS)
@given(data=st.data())
def test_any_edit(protocol: str, data: st.DataObject) -> None:
    lines = CALLS[protocol].splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(1, len(lines) - 1))
        old = lines[place]
        start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(old))] * 2)))
        new = data.draw(st.sampled_from(ODD[:-1]) | st.text(max_size=3) | st.sampled_from(lines))
        lines[place] = old[:start] + new + old[end:]
    examine("\n".join([*lines, ""]))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}1 lose\n  fault nothing\n", "line 10: no fault has the reason 'nothing'"),
        ("{}1 lose\n  fault \x1b\n", "line 10: no fault has the reason '\\x1b'"),
        ('{}1 lose\n  fault closed {"processed": 3}\n', "line 10: processed must be 0, 1 or 2, not 3"),
        ('{}1 lose\n  fault closed {"processed": -1}\n', "line 10: processed must be 0, 1 or 2, not -1"),
        (f'{{}}1 lose\n  fault closed {{"size": {2**63}}}\n', "line 10: the fault cannot be made"),
        (f"{{}}1 end_body\n  ref {2**63}\n", "line 10: a ref must be NUMBER"),
        (f"{{}}1 end_body\n  ref 1 of {2**64}\n", "line 10: a ref must be NUMBER"),
        ("{}1 end_body\n  ref \xb2\n", "line 10: a ref must be NUMBER"),
        ("{}1 feed_eof\n  clean " + "[" * 100_000 + "\n", "line 10: the value must be JSON"),
        ("{}1 feed_eof\n  clean " + "9" * 5000 + "\n", "line 10: the value must be JSON"),
        ('{}1 request\n  method "GET"\n  target "/"\n  + 41\n', "line 10: a piece must come before +"),
        ("{}\x1b\n", "line 10: a connection or a step must follow, not '\\x1b'"),
        ("{}connection 2 http1\n  port 1\n  port 2\n", "line 10: the connection has the option 'port' twice"),
        ("{}connection 2 http1\n  sensitive [{}]\n", "line 10: sensitive must be a list of text"),
        ("{}connection 2 http1\n  sensitive [[]]\n", "line 10: sensitive must be a list of text"),
        ("{}connection 2 http1\n  \x1b 1\n" + HTTP1.split("\n", 3)[3], "line 10: the connection cannot be"),
        ("mint-transcript 2\n", "line 1: this is version '2' of the format; only version 1 can be read"),
        ("mint-transcript\n", "line 1: a transcript begins with 'mint-transcript 1'"),
    ],
    ids=range(18),
)
def test_what_the_error_says(text: str, says: str) -> None:
    with pytest.raises(TranscriptError) as caught:
        replay(io.StringIO(text.replace("{}", HTTP1, 1) if text.startswith("{}") else text))
    assert str(caught.value).startswith(says)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("given", [list[str], str.splitlines, iter], ids=["marks", "lines", "iterator"])
def test_lines_may_have_line_ends_or_not(given: Callable[[str], list[str]]) -> None:
    """Only a file can end within a line: lines without line ends are complete."""
    text = CALLS["http1"]
    assert len(replay(given(text))) == len(replay(io.StringIO(text))) == 7
    lines = text.splitlines(keepends=True)
    assert len(replay(lines[:-1])) == 6
    assert len(replay([*lines[:-1], "1 close"])) == 6


@pytest.mark.parametrize("protocol", CALLS)
@pytest.mark.parametrize("ignored", ["", "  ", "# a comment", "  # a comment", "#", "\t"])
def test_empty_lines_and_comments_are_ignored_in_any_place(protocol: str, ignored: str) -> None:
    lines = CALLS[protocol].splitlines()
    expected = replay(lines)
    for place in range(1, len(lines) + 1):
        found = replay([*lines[:place], ignored, *lines[place:]])
        assert [(step.call, step.input, step.results, step.recorded) for step in found] == [
            (step.call, step.input, step.results, step.recorded) for step in expected
        ]


@pytest.mark.parametrize("protocol", CALLS)
@pytest.mark.parametrize("margin", ["", " ", "\t", " \t"])
def test_an_error_names_the_line_that_is_indented_wrongly(protocol: str, margin: str) -> None:
    lines = CALLS[protocol].splitlines()
    for place, line in enumerate(lines):
        if line.startswith("  "):
            with pytest.raises(TranscriptError, match=rf"^line {place + 1}: "):
                replay([*lines[:place], margin + line.strip(), *lines[place + 1 :]])


def test_results_that_would_control_a_terminal_are_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t"
    path.write_text(HTTP1 + "1 close\n  * \x1b]0;x\x07\u00e9\u202e\n", encoding="utf-8")
    for more in ([], ["--quiet"], ["--json"]):
        assert main(["replay", str(path), *more]) == 1
        printed = capsys.readouterr().out
        assert printed.isascii()
        assert printed.replace("\n", "").isprintable()
        assert "]0;x" in printed


def test_a_transcript_without_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t"
    path.write_text("mint-transcript 1\n")
    assert len(replay(str(path))) == 0
    assert main(["replay", str(path)]) == 0
    assert capsys.readouterr().out == "0 steps, and none differs from the record\n"
    assert main(["replay", str(path), "--from", "1"]) == 2
    assert "there are no steps" in capsys.readouterr().err


def test_only_digits_are_the_number_of_a_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t"
    path.write_text(CALLS["http1"])
    monkeypatch.setattr("sys.stdin", io.StringIO("\xb2\n" + "9" * 5000 + "\n2\nq\n"))
    main(["replay", str(path), "--step"])
    assert "step 2: " in capsys.readouterr().out


def test_calls_with_the_ref_of_a_ping_are_read_back() -> None:
    """It is negative, and no request has it."""
    out = io.StringIO()
    link = mint.transport.Memory()
    conn = mint.http2.initiate(link, scheme="http", hostname="h", record=out)
    conn, ref = conn.ping(b"12345678")
    conn = conn.cancel_request(ref)
    with pytest.raises(mint.errors.UnknownRequestToStream):
        conn.stream_request_body(ref, b"x")
    made = mint.testing.replay(io.StringIO(out.getvalue()))
    assert [step.call for step in made] == ["connect", "ping", "cancel", "stream_body"]
    assert "  ref -1\n" in out.getvalue()


def test_binary_and_unwritable_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text(HTTP1)
    wrong: Any
    with path.open("rb") as binary, path.open() as reading, tempfile.NamedTemporaryFile() as temporary:
        for wrong in (binary, temporary, io.BytesIO()):
            with pytest.raises(TypeError, match="a text file, not a binary one"):
                Recorder(wrong)
        with pytest.raises(ValueError, match="open for writing"):
            Recorder(reading)
        for wrong in (binary, [b"mint-transcript 1\n"], path.read_bytes()):
            with pytest.raises(TypeError, match="a transcript must be text, not"):
                replay(wrong)
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as file:
        conn = mint.http1.initiate(mint.transport.Memory(), scheme="http", hostname="h", record=file)
        conn.close()
        file.seek(0)
        assert len(replay(file)) == 2


@pytest.mark.parametrize("protocol", CALLS)
def test_a_file_that_ends_within_a_line_is_replayed_to_its_last_complete_step(protocol: str) -> None:
    """A full disk leaves such a file. What is left of a step whose arguments are incomplete is ignored."""
    text = CALLS[protocol]
    whole = replay(io.StringIO(text))
    for end in range(len("mint-transcript 1\n"), len(text)):
        if text[end - 1] == "\n":
            continue
        made = replay(io.StringIO(text[:end]))
        assert [step.input for step in made] == [step.input for step in whole[: len(made)]]
        begun = text[:end].count("\n1 ") + text[:end].count("\nconnection")
        assert begun - 1 <= len(made) <= begun


@pytest.mark.parametrize("rest", ["  > ", '  > "GET', "  =", "  * status", "  .", '      "a'])
def test_a_step_whose_results_are_cut_is_kept(rest: str) -> None:
    asked = ASKS.partition("  = ")[0]
    assert len(replay(io.StringIO(HTTP1 + asked + rest))) == 2
    assert len(replay(io.StringIO(HTTP1 + asked + "  > 41\n" + rest))) == 2
