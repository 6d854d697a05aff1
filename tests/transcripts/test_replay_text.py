"""Everything that `python -m mint replay` writes, word for word."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

import mint
from mint._command import main

if TYPE_CHECKING:
    from pathlib import Path

STEPS = [
    """step 0: connect, connection 1, line 4
  after: 0 open, reads, writes
""",
    """step 1: request, connection 1, line 28
  before: 0 open, reads, writes
  method "GET"
  target "/"
  header "user-agent" "u"
  streaming false
  > "GET / HTTP/1.1\\r\\n"
  > "host: h\\r\\n"
  > "user-agent: u\\r\\n"
  > "\\r\\n"
  = 1
  after: 1 open, reads, writes
""",
    """step 2: feed, connection 1, line 40
  before: 1 open, reads, writes
  < "HTTP/1.1 200 OK\\r\\n"
  < "\\r\\n"
  < "x"
  * status 1 200
  * headers 1
  * data 1 "x"
  after: 1 open, reads, writes no more
""",
    """step 3: feed_eof, connection 1, line 49
  before: 1 open, reads, writes no more
  clean true
  * done 1
  ! the link is closed
  after: 0 open, reads no more, writes no more
""",
]


def recorded() -> str:
    out = io.StringIO()
    link = mint.transport.Memory(reads=True)
    conn = mint.http1.initiate(link, scheme="https", hostname="h", identity=7, record=out)
    conn, _ = conn.request("GET", "/", [("user-agent", "u")])
    link.put(b"HTTP/1.1 200 OK\r\n\r\nx")
    conn, _ = conn.recv(timeout=1)
    link.put_eof()
    conn.recv(timeout=1)
    return out.getvalue()


def shown(text: str, folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    path = folder / "transcript"
    path.write_text(text)
    code = main(["replay", str(path), *options])
    return code, capsys.readouterr().out


def test_the_text_of_every_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = shown(recorded(), tmp_path, capsys)
    assert out == "\n".join([*STEPS, "4 steps, and none differs from the record\n"])
    assert code == 0


def test_the_text_of_a_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = recorded().replace('* data 1 "x"', '* data 1 "y"')
    lines = """  the result (+) differs from the record (-):
    - * data 1 "y"
    + * data 1 "x"
"""
    code, out = shown(changed, tmp_path, capsys)
    steps = [*STEPS[:2], STEPS[2] + lines, STEPS[3]]
    assert out == "\n".join([*steps, "1 of 4 steps differ from the record: 2\n"])
    assert code == 1
    code, out = shown(changed, tmp_path, capsys, "--quiet")
    assert out == "\n".join([STEPS[2] + lines, "1 of 4 steps differ from the record: 2\n"])
    code, out = shown(changed, tmp_path, capsys, "--until", "1", "--quiet")
    assert (code, out) == (0, "2 steps, and none differs from the record\n")


def test_the_text_of_a_step_without_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut, *_ = recorded().partition("  * done 1")
    code, out = shown(cut, tmp_path, capsys)
    assert out.startswith("\n".join(STEPS[:3]))
    assert out.endswith("  no results were recorded\n\n4 steps, and none differs from the record\n")
    assert out.count("no results were recorded") == 1
    assert code == 0


@pytest.mark.parametrize("differing", [1, 9, 10, 11])
def test_at_most_ten_differing_steps_are_listed(
    differing: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = io.StringIO()
    conn = mint.http2.initiate(mint.transport.Memory(), scheme="https", hostname="h", identity=7, record=out)
    for _ in range(differing):
        conn, _ = conn.ping(bytes(8))
    text = out.getvalue()
    assert text.count("\n1 ping\n") == differing
    head, *pings = text.split("\n1 ping\n")
    changed = "\n1 ping\n".join([head, *(ping.replace("  . 0 open", "  . 5 open") for ping in pings)])
    code, written = shown(changed, tmp_path, capsys, "--quiet")
    listed = ", ".join(str(number) for number in range(1, 1 + min(10, differing)))
    *_, last = written.splitlines()
    assert last == f"{differing} of {differing + 1} steps differ from the record: {listed}"
    assert code == 1


@pytest.mark.parametrize(
    ("keys", "places"),
    [
        ("\n\n\n\n", [0, 1, 2, 3]),
        ("n\nn\nb\nq\n", [0, 1, 2, 1]),
        ("b\nb\nq\n", [0, 0, 0]),
        ("3\nb\n0\nq\n", [0, 3, 2, 0]),
        ("3\nn\n", [0, 3]),
        ("2", [0, 2]),
        ("", [0]),
    ],
)
def test_the_steps_that_keys_lead_to(
    keys: str,
    places: list[int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(keys))
    code, out = shown(recorded(), tmp_path, capsys, "--step")
    found = [
        int(line.removeprefix("> ")[5])
        for line in out.splitlines()
        if line.removeprefix("> ").startswith("step ")
    ]
    assert (code, found) == (0, places)


@pytest.mark.parametrize(
    "options", [("--from", "-1"), ("--from", "2", "--until", "1"), ("--from", "0", "--until", "-1")]
)
def test_an_impossible_part_of_the_steps_is_refused(
    options: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "transcript"
    path.write_text(recorded())
    assert main(["replay", str(path), *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "--from and --until must be numbers of steps, and --from must not be greater" in captured.err
    assert main(["replay", str(path), "--from", "2", "--until", "2"]) == 0
