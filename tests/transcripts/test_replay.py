"""A replay has the recorded results, or reports where they differ."""

from __future__ import annotations

import io
import json
import shlex
from typing import TYPE_CHECKING, Any  # hypothesis types its draw function so

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mint
import mint.testing
from mint._command import main
from mint.testing import strategies as draws
from mint.transcripts import Recorder, ReplayDiffers, TranscriptError, replay

from .test_recorded import (
    ANSWERS,
    HEADERS,
    INTERIM,
    MAKERS,
    answer_http1,
    check_secrets,
    frame,
    http1,
    http2,
    talk,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mint._connections.engine import Engine


def recorded(protocol: str, *, pieces: int = 50, secrets: bool = False) -> str:
    octets = ANSWERS[protocol](3)
    out = io.StringIO()
    talk(
        MAKERS[protocol](Recorder(out, secrets=secrets)),
        [octets[at : at + pieces] for at in range(0, len(octets), pieces)],
    )
    return out.getvalue()


@pytest.mark.parametrize("secrets", [False, True])
@pytest.mark.parametrize("protocol", MAKERS)
@given(data=st.data())
def test_a_replay_has_the_recorded_results(protocol: str, secrets: bool, data: st.DataObject) -> None:
    octets = ANSWERS[protocol](3)
    if broken := data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(octets) - 1))
        octets = octets[:at] + bytes([data.draw(st.integers(0, 255))]) + octets[at + 1 :]
    octets = octets[: data.draw(st.integers(0, len(octets)) | st.just(len(octets)))]
    out = io.StringIO()
    conn, *_ = talk(
        MAKERS[protocol](Recorder(out, secrets=secrets)),
        data.draw(draws.pieces(octets)) if octets else [],
    )
    made = replay(io.StringIO(out.getvalue()))
    made.check()
    # If the input is invalid, masking may be impossible, and the transcript says so with `~`.
    assert broken or "~" not in "".join(line[:3] for line in out.getvalue().splitlines())
    if secrets:
        assert made[-1].after == conn


@pytest.mark.parametrize("protocol", MAKERS)
def test_masks_do_not_depend_on_where_the_input_is_split(protocol: str) -> None:
    octets = ANSWERS[protocol](1)
    for cut in range(1, len(octets)):
        for rest in ([octets[cut:]], [octets[cut : cut + 1], octets[cut + 1 :]]):
            out = io.StringIO()
            talk(MAKERS[protocol](out), [octets[:cut], *rest])
            check_secrets(out.getvalue())
            assert "\n  ~" not in out.getvalue()
            mint.testing.replay(io.StringIO(out.getvalue()))


@pytest.mark.parametrize("line", ["x: a cookie: b", "x: cookie", "cookie-x: b"])
def test_text_that_only_resembles_a_secret_is_not_masked(line: str) -> None:
    octets = f"HTTP/1.1 200 OK\r\n{line}\r\ncontent-length: 0\r\n\r\n".encode()
    for cut in range(1, len(octets)):
        out = io.StringIO()
        conn, _ = http1(out).request("GET", "/")
        put(put(conn, octets[:cut]), octets[cut:])
        assert "xxx" not in out.getvalue()
        mint.testing.replay(io.StringIO(out.getvalue()))


@given(data=st.data())
@pytest.mark.parametrize("protocol", MAKERS)
def test_any_calls_can_be_replayed_from_any_value(protocol: str, data: st.DataObject) -> None:
    """Make any call, on the newest value, old values and forks; some calls are refused."""
    out = io.StringIO()
    values: list[mint.Connection] = [MAKERS[protocol](out)]
    refs: list[mint.RequestRef] = [mint.RequestRef(99, 1)]
    for _ in range(data.draw(st.integers(1, 12))):
        conn = data.draw(st.sampled_from(values)).fork()
        try:
            made = call(conn, refs, data)
        except mint.MintError as error:
            made = conn.after(error)
        except (TypeError, ValueError):
            continue
        values.append(made)
    made_again = replay(io.StringIO(out.getvalue()))
    made_again.check()
    assert made_again[-1].after.protocol == protocol


def put(conn: mint.Connection, octets: bytes | None, *, clean: bool = True) -> mint.Connection:
    link = conn.transport
    assert isinstance(link, mint.transport.Memory)
    if octets is None:
        link.put_eof(clean=clean)
    else:
        link.put(octets)
    return conn.recv()[0]


def ask(conn: mint.Connection, refs: list[mint.RequestRef], draw: Any) -> mint.Connection:
    body = draw(st.sampled_from([None, b"", b"abc", [b"a", b"", b"c"], mint.STREAM]))
    target = draw(st.sampled_from(["/", "no target", "http://user:pass@h/", "*"]))
    method = draw(st.sampled_from(["GET", "POST", "CONNECT", "OPTIONS", "G T"]))
    conn, made = conn.request(method, target, iter(HEADERS), body)
    refs.append(made)
    return conn


def ping(conn: mint.HTTP2, refs: list[mint.RequestRef], draw: Any) -> mint.HTTP2:
    conn, made = conn.ping(draw(st.binary(min_size=8, max_size=8)))
    refs.append(made)
    return conn


def call(conn: mint.Connection, refs: list[mint.RequestRef], data: st.DataObject) -> mint.Connection:
    draw: Any = data.draw
    ref = draw(st.sampled_from(refs))
    trailers = mint.Eof(draw(st.sampled_from([(), (("x-a", '"b" "c"'),)])))
    calls: list[Callable[[], Any]] = [
        lambda: ask(conn, refs, draw),
        lambda: ask(conn, refs, draw),
        lambda: conn.stream_request_body(ref, draw(st.binary(max_size=9))),
        lambda: conn.stream_request_body(ref, trailers),
        lambda: put(conn, ANSWERS[conn.protocol](1)[: draw(st.integers(1, 500))]),
        lambda: put(conn, None, clean=draw(st.booleans())),
        conn.close,
    ]
    if isinstance(conn, mint.HTTP2):
        calls += [
            lambda: ping(conn, refs, draw),
            lambda: conn.cancel_request(ref),
            lambda: conn.put_settings(initial_window_size=draw(st.integers(0, 9)), enable_push=True),
            lambda: conn.set_window_size("connection", 2**30),
            lambda: conn.set_window_size(ref, draw(st.integers(1, 2**31 - 1))),
            lambda: conn.set_refill(ref, False),
        ]
    made: mint.Connection = draw(st.sampled_from(calls))()
    return made


@pytest.mark.parametrize("protocol", MAKERS)
def test_time_and_lost_links_are_replayed(protocol: str) -> None:
    out = io.StringIO()
    now = [5.0]
    link = mint.transport.Memory(clock=lambda: now[0])
    conn = (http1 if protocol == "http1" else http2)(out, link)
    conn, _ = conn.request("GET", "/")
    for each in range(3):
        if protocol == "http2":
            link.put((b"" if each else frame(4, 0, 0, b"")) + frame(1, 4, 1, INTERIM))
            conn, _ = conn.recv()
        now[0] += 1
    link.fail(mint.errors.TransportReset())
    with pytest.raises(mint.TransportError):
        conn.recv()
    made = mint.testing.replay(io.StringIO(out.getvalue()))
    calls = [step.call for step in made]
    assert "lose" in calls
    assert ("at" in calls) is (protocol == "http2")


def test_steps_can_be_reversed_and_continued_from() -> None:
    made = replay(io.StringIO(recorded("http1", pieces=40)))
    before = next(step for step in made if step.call == "feed").before
    assert before is not None
    other = before.fork()
    link = other.transport
    assert isinstance(link, mint.transport.Memory)
    link.put(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
    _, responses = other.recv()
    assert responses[0] == mint.Status(mint.RequestRef(7, 1), 404)
    assert before.open_request_count == 3
    assert made[3:5][0] is made[3]
    assert len(list(reversed(made))) == len(made)


def test_a_difference_is_reported_with_its_line() -> None:
    text = recorded("http1").replace("* status 2 200", "* status 2 201")
    with pytest.raises(ReplayDiffers) as caught:
        mint.testing.replay(io.StringIO(text))
    (step,) = caught.value.steps
    assert step.differences == ("- * status 2 201", "+ * status 2 200")
    assert f"in line {step.line}:" in str(caught.value)
    assert text.splitlines()[step.line - 1] == "1 feed"
    assert mint.testing.replay(io.StringIO(text), check=False).differing == (step,)


@pytest.mark.parametrize("protocol", MAKERS)
def test_a_truncated_transcript_is_replayed_as_far_as_it_goes(protocol: str) -> None:
    text = recorded(protocol, pieces=300)
    whole = replay(io.StringIO(text))
    for end in range(text.index("connection"), len(text), 7):
        try:
            made = replay(io.StringIO(text[:end]))
        except TranscriptError:
            continue  # cut within the options or the arguments of a call
        for step in made[:-1]:
            assert not step.differences
        assert len(made) <= len(whole)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1"),
        ("mint-transcript 2\n", "line 1"),
        ("mint-transcript 1\n1 feed\n", "line 2: there is no connection 1"),
        ("mint-transcript 1\nhello\n", "line 2: a connection or a step"),
        ("mint-transcript 1\nconnection 1 http3\n", "line 2: a connection or a step"),
        ("mint-transcript 1\nconnection 1 http1\n  port 1\n", "line 2: the connection has no hostname"),
        ("{}connection 1 http1\n  port x\n", "JSON"),
        ("{}1 jump\n", "has no call 'jump'"),
        ("{}1 at\n  milliseconds 1\n", "has no call 'at'"),
        ("{}1 feed\n  < what\n", "octets must be in quotes"),
        ('{}1 feed\n  < "a\n', "octets must be in quotes"),
        ("{}1 feed\n  from 1\n", "from must be"),
        ("{}1 feed\n  from x\n", "from must be"),
        ("{}1 feed\n  size 1\n", "feed has no argument 'size'"),
        ("{}1 feed_eof\n", "clean must be given once, not 0 times"),
        ('{}1 stream_body\n  ref x\n  data "a"\n', "a ref must be NUMBER"),
        ('{}1 end_body\n  ref 1\n  trailer "a"\n', "a name and a value"),
        ("{}1 lose\n  fault closed {\n", "JSON"),
        ('{}1 lose\n  fault closed {"when": 1}\n', "the fault cannot be made"),
    ],
)
def test_the_error_of_an_invalid_transcript_has_the_line_and_the_reason(text: str, says: str) -> None:
    beginning = (
        "mint-transcript 1\n\nconnection 1 http1\n"
        '  hostname "h"\n  port 1\n  scheme "http"\n  identity 1\n  user_agent ""\n'
    )
    with pytest.raises(TranscriptError, match=r"line \d+") as caught:
        replay(io.StringIO(text.replace("{}", beginning)))
    assert says in str(caught.value)


def test_invalid_options_in_a_transcript_are_reported() -> None:
    text = recorded("http1").replace("max_fields 512", "max_fields 0").replace('scheme "https"', 'scheme "x"')
    with pytest.raises(TranscriptError, match="the connection cannot be made"):
        replay(io.StringIO(text))


# -- the command


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def file_of(text: str, folder: Path) -> str:
    path = folder / "transcript"
    path.write_text(text)
    return str(path)


def test_replay_shows_every_step_with_the_states_around_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = recorded("http1", pieces=10**6)
    code, out, _ = run(["replay", file_of(text, tmp_path)], capsys)
    assert code == 0
    assert "step 1: request, connection 1, line " in out
    assert '  before: 0 open, reads, writes\n  method "GET"' in out
    assert "  after: 1 open, reads, writes" in out
    assert "  * status 1 200" in out
    assert out.endswith("none differs from the record\n")


def test_replay_shows_differences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = recorded("http2").replace("* status 3 200", "* status 3 503")
    path = file_of(text, tmp_path)
    code, out, _ = run(["replay", path, "--quiet"], capsys)
    assert code == 1
    assert "    - * status 3 503\n    + * status 3 200\n" in out
    assert "1 of " in out
    code, out, _ = run(["replay", path, "--json"], capsys)
    assert code == 1
    steps = [json.loads(line) for line in out.splitlines()]
    assert [step["step"] for step in steps] == list(range(len(steps)))
    assert [step["differences"] for step in steps if step["differences"]] == [
        ["- * status 3 503", "+ * status 3 200"]
    ]
    assert steps[0]["before"] is None
    assert steps[1]["before"] == steps[0]["after"]


@pytest.mark.parametrize(
    ("options", "first", "last"),
    [(["--from", "2"], 2, None), (["--until", "2"], 0, 2), (["--from", "1", "--until", "1"], 1, 1)],
)
def test_a_part_of_the_steps_is_shown(
    options: list[str], first: int, last: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = file_of(recorded("http1"), tmp_path)
    _, whole, _ = run(["replay", path, "--json"], capsys)
    code, out, _ = run(["replay", path, "--json", *options], capsys)
    assert code == 0
    assert out.splitlines() == whole.splitlines()[first : None if last is None else last + 1]


def test_stepping_goes_in_both_directions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\nn\nb\n3\nl\n999\nq\n"))
    code, out, _ = run(["replay", "--step", file_of(recorded("http1"), tmp_path)], capsys)
    assert code == 0
    shown = [line for line in out.splitlines() if line.removeprefix("> ").startswith("step ")]
    assert [line.removeprefix("> ").split(":")[0] for line in shown] == [
        "step 0",
        "step 1",
        "step 2",
        "step 1",
        "step 3",
    ]
    assert "none differs" in out


def test_stepping_ends_with_the_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run(["replay", "--step", file_of(recorded("http1"), tmp_path)], capsys)[0] == 0


def test_a_transcript_is_read_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(recorded("http1")))
    assert run(["replay", "-"], capsys)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["replay"], "required"),
        (["replay", "FILE", "--from", "x"], "--from"),
        (["replay", "FILE", "--from", "9999"], "the last step is"),
        (["replay", "FILE", "--from", "3", "--until", "2"], "--from and --until"),
        (["replay", "FILE", "--step", "--json"], "--step"),
        (["replay", "missing"], "missing: No such file"),
        (["replay", "BAD"], "line 1"),
        (["shrink", "FILE"], "--check"),
        (["shrink", "BAD", "--check", "true"], "line 1"),
        (["shrink", "FILE", "--check", "false"], "--check must exit with code 0"),
        (["shrink", "FILE", "--check", "no-such-command"], "no-such-command"),
        (["shrink", "FILE", "--check", "'"], "--check"),
    ],
)
def test_misuse_prints_one_line_and_exits_with_code_2(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad").write_text("not a transcript\n")
    names = {"FILE": file_of(recorded("http1"), tmp_path), "BAD": str(tmp_path / "bad")}
    code, out, err = run([names.get(each, each) for each in arguments], capsys)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["replay", "shrink"])
def test_help_is_the_manual(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "transcript" in capsys.readouterr().out


# -- shrinking


def shrunk(text: str, check: str, folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    path = file_of(text, folder)
    code, _, err = run(["shrink", path, "--check", check, *more], capsys)
    assert code == 0, err
    return (folder / "transcript.min").read_text()


def test_shrinking_keeps_what_the_check_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    octets = answer_http1(3).replace(b"HTTP/1.1 200 OK", b"HTTP/1.1 200 O\x01K", 1)
    out = io.StringIO()
    recorder = Recorder(out)
    talk(http2(recorder), [])
    talk(http1(recorder), [octets])
    made = shrunk(out.getvalue(), "grep -q 'O.x01K'", tmp_path, capsys)
    parts = replay(io.StringIO(made))
    assert [step.call for step in parts] == ["connect", "feed"]
    assert r'  < "O\x01K"' in made
    assert made.count("\n") < 15


def test_shrinking_keeps_recorded_results_if_the_steps_before_are_unchanged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = io.StringIO()
    conn = put(http1(out).request("GET", "/")[0], b"HTTP/1.1 200 OK\r\n")
    conn.close()
    text = out.getvalue().replace("* status 1 200", "* status 1 500")
    made = shrunk(text, "grep -q 'status 1 500'", tmp_path, capsys)
    parts = replay(io.StringIO(made))
    assert [step.call for step in parts] == ["connect", "request", "feed"]
    assert parts[2].differences == ("- * status 1 500", "+ * status 1 200")


def test_a_result_that_cannot_be_written_is_noticed_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, runs = file_of(recorded("http1"), tmp_path), tmp_path / "runs"
    check = f"sh -c 'echo >>{shlex.quote(str(runs))}'"
    code, _, err = run(["shrink", path, "--check", check, "-o", str(tmp_path / "none" / "out")], capsys)
    assert (code, runs.read_text()) == (23, "\n")
    assert "No such file" in err
    run(["shrink", path, "--check", "false", "-o", str(tmp_path / "out")], capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("places", [["-"], ["-", "-o", "-"], ["FILE", "-o", "-"], ["-", "-o", "OUT"]])
def test_shrinking_reads_standard_input_and_writes_standard_output(
    places: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given, result = recorded("http1"), tmp_path / "out"
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    monkeypatch.chdir(tmp_path)
    names = {"FILE": file_of(given, tmp_path), "OUT": str(result)}
    line = ["shrink", *(names.get(each, each) for each in places), "--check", "grep -q 'status 1 200'"]
    code, out, err = run(line, capsys)
    assert code == 0
    assert (out == "") == ("OUT" in places)
    made = out or result.read_text()
    assert "status 1 200" in made
    assert len(made) < len(given)
    said = err.splitlines()[-1]
    assert said.startswith("* standard output: " if out else f"* {result}: ")
    assert said.endswith(f" steps, {len(made)} octets")
    assert {path.name for path in tmp_path.iterdir()} == ({"transcript"} if out else {"transcript", "out"})


@pytest.mark.parametrize("line", [["replay", "-"], ["shrink", "-", "--check", "true"]])
def test_what_standard_input_may_be(
    line: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for stdin, says in ((None, "standard input is closed"), (io.StringIO("no\n"), "-: line 1")):
        monkeypatch.setattr("sys.stdin", stdin)
        code, out, err = run(line, capsys)
        assert (code, out) == (2, "")
        assert says in err


def test_shrinking_stops_after_the_given_number_of_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = shrunk(recorded("http1"), "true", tmp_path, capsys, "--runs", "1")
    assert replay(io.StringIO(made)).differing == ()


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_check_runs_exactly_as_often_as_it_may(
    limit: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    path = file_of(recorded("http1"), tmp_path)
    check = f"sh -c 'echo >>{shlex.quote(str(runs))}'"
    code, _, err = run(["shrink", path, "--check", check, "--runs", str(limit)], capsys)
    assert (code, runs.read_text()) == (0, "\n" * limit)
    assert err.startswith(f"* stopped after {limit} runs of the check (see --runs)\n* {path}.min: ")


def test_shrinking_keeps_steps_that_old_values_continue_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = io.StringIO()
    conn = http1(out)
    first, _ = conn.request("GET", "/one")
    first.request("GET", "/two")
    for target in ("/three", "/four"):
        first.fork().request("GET", target)
    made = shrunk(out.getvalue(), "grep -q '^  target ./four'", tmp_path, capsys)
    (step,) = replay(io.StringIO(made))[1:]
    assert step.before is not None
    assert step.before.open_request_count == 0


# -- recording from the command line


@pytest.mark.parametrize("more", [[], ["--record-secrets"]])
def test_the_command_line_records(
    more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "transcript"
    with mint.testing.Origin(
        lambda _: mint.testing.Response(200, [("set-cookie", "id=hunter2")], b"hi")
    ) as origin:
        arguments = [
            *(f"http://{origin.address}:{origin.port}/{each}" for each in (1, 2)),
            "-H",
            "authorization: Bearer hunter3",
        ]
        code, out, _ = run([*arguments, "--record", str(path), *more], capsys)
    assert (code, out) == (0, "hihi")
    text = path.read_text()
    assert ("hunter2" in text) is ("hunter3" in text) is bool(more)
    assert text.count("1 request") == 2
    mint.testing.replay(path)


def test_recording_secrets_needs_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(["http://example.org/", "--record-secrets"], capsys)
    assert code == 2
    assert "--record-secrets needs --record" in err


def test_a_file_that_cannot_be_written_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(["http://example.org/", "--record", str(tmp_path / "no" / "file")], capsys)
    assert code == 23
    assert "no/file" in err


def test_any_iterable_of_lines_is_read() -> None:
    lines: Any = recorded("http1").splitlines(keepends=True)
    assert len(replay(lines)) > 1


@pytest.mark.parametrize("passes", ["time", "queue", "notes"])
def test_what_passes_between_two_requests_leaves_their_secrets_masked(passes: str) -> None:
    """The second request refers to what the first one added to the table of HPACK, which holds the masks."""
    now = [0.0]
    out = io.StringIO()
    link = mint.transport.Memory(clock=lambda: now[0])
    conn: mint.Connection = put(http2(out, link), frame(4, 0, 0, b""))
    conn, _ = conn.request("GET", "/", HEADERS)
    for _ in range(3):
        if passes == "time":
            now[0] += 2.5
            conn = put(conn, frame(1, 4, 1, INTERIM))
        else:
            conn = put(conn, frame(6, 0, 0, bytes(8)))
            link.take()
            conn = conn.flush()
    state: Engine = conn._state
    if passes == "notes":
        state = state.traced(True)
    assert state.request("GET", "/", HEADERS, None, False).fault is None
    text = out.getvalue()
    check_secrets(text)
    replay(io.StringIO(text)).check()
    verbs = [line.split()[1] for line in text.splitlines() if line[:2] == "1 "]
    assert ("at" in verbs) is (passes == "time")
    assert verbs[0] == "feed"
    assert verbs[-1] == "request"
