"""The progress line, with a fake clock, and the lines of -v."""

from __future__ import annotations

import io

import pytest

from mint._command.progress import Progress, duration
from mint._command.verbose import flags_by_name, lines


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


CLEAR = "\r\x1b[K"


def drawn(stream: io.StringIO) -> list[str]:
    return stream.getvalue().split(CLEAR)[1:]


def test_name_rate_and_time_left() -> None:
    stream, clock = Terminal(), Clock()
    item = Progress(stream, clock=clock).start("page\x1b.html")
    item.expect(10_240)
    for _ in range(4):
        clock.now += 1.0
        item.advance(1_024)
    assert drawn(stream)[-1] == "page?.html  40%  4.0 KiB  1.0 KiB/s  0:06 left"
    item.end()
    assert stream.getvalue().endswith(CLEAR)
    item.end()
    assert len(drawn(stream)) == 5


def test_it_is_drawn_at_most_ten_times_a_second() -> None:
    stream, clock = Terminal(), Clock()
    item = Progress(stream, clock=clock).start("page")
    for _ in range(1_000):
        clock.now += 0.001
        item.advance(1)
    assert 8 <= len(drawn(stream)) <= 10


def test_the_rate_is_that_of_the_last_seconds() -> None:
    stream, clock = Terminal(), Clock()
    item = Progress(stream, clock=clock).start("page")
    for octets in (*[1_048_576] * 10, *[1_024] * 10):
        clock.now += 1.0
        item.advance(octets)
    assert drawn(stream)[-1] == "page  10.0 MiB  1.0 KiB/s"


@pytest.mark.parametrize(
    ("advances", "rate"),
    [
        # Seconds since the start, and octets; the rate is that since the first drawing of the last 5 seconds.
        ([(0.0, 1_024)], "0 B/s"),
        ([(1.0, 1_024)], "1.0 KiB/s"),
        ([(10.0, 1_024)], "102 B/s"),
        ([(1.0, 5_120), (5.0, 0)], "1.0 KiB/s"),
        ([(1.0, 5_120), (5.125, 0)], "0 B/s"),
        ([(1.0, 5_120), (6.0, 5_120)], "1.0 KiB/s"),
        ([(1.0, 5_120), (2.0, 0), (6.0, 0)], "0 B/s"),
        ([(10.0, 5_120), (20.0, 0)], "0 B/s"),
        ([(1.0, 1_024), (2.0, 1_024), (3.0, 1_024)], "1.0 KiB/s"),
    ],
)
def test_over_which_time_the_rate_is_measured(advances: list[tuple[float, int]], rate: str) -> None:
    stream, clock = Terminal(), Clock()
    line = Progress(stream, clock=clock)
    clock.now += 1.0
    start = clock.now
    item = line.start("page")
    for seconds, octets in advances:
        clock.now = start + seconds
        item.advance(octets)
    assert drawn(stream)[-1].rpartition("  ")[2] == rate


class Buffered(Terminal):
    """A terminal that shows only what was flushed."""

    shown = ""

    def flush(self) -> None:
        self.shown = self.getvalue()


def test_everything_is_seen_at_once() -> None:
    """A message can be printed after `clear`; the next drawing brings the line back."""
    stream, clock = Buffered(), Clock()
    line = Progress(stream, clock=clock)
    items = [line.start("a"), line.start("b")]
    text = "2 at once, 0 done  1 B  1 B/s"
    clock.now += 1.0
    items[0].advance(1)
    assert stream.shown == CLEAR + text
    for _ in range(2):
        line.clear()
        assert stream.shown == CLEAR + text + CLEAR
    clock.now += 1.0
    items[0].advance(1)
    assert stream.shown == CLEAR + text + CLEAR + CLEAR + "2 at once, 0 done  2 B  1 B/s"
    items[0].end()
    assert stream.shown.endswith("1 B/s" + CLEAR)


def test_nothing_is_drawn_for_a_transfer_that_has_ended() -> None:
    stream, clock = Buffered(), Clock()
    item = Progress(stream, clock=clock).start("a")
    item.end()
    clock.now += 1.0
    item.advance(1)
    item.end()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(("pause", "count"), [(0.0999, 0), (0.1, 1), (0.1001, 1)])
def test_the_shortest_time_between_two_drawings(pause: float, count: int) -> None:
    stream, clock = Terminal(), Clock()
    clock.now = 0.0  # from which the differences are exact
    item = Progress(stream, clock=clock).start("page")
    clock.now = pause
    item.advance(1)
    assert len(drawn(stream)) == count


def test_several_at_once() -> None:
    stream, clock = Terminal(), Clock()
    line = Progress(stream, clock=clock)
    items = [line.start(f"page{number}") for number in range(3)]
    for item in items:
        item.expect(2_048)
    clock.now += 1.0
    items[0].advance(2_048)
    items[0].end()
    clock.now += 1.0
    items[1].advance(1_024)
    assert drawn(stream)[-1] == "2 at once, 1 done  25%  1.0 KiB  1.5 KiB/s  0:02 left"


def test_the_rate_is_that_of_all_while_others_begin() -> None:
    """Only after a time without any transfer does it begin anew."""
    stream, clock = Terminal(), Clock()
    line = Progress(stream, clock=clock)
    items = [line.start("page0")]
    clock.now += 1.0
    items[0].advance(1_024)
    items.append(line.start("page1"))
    clock.now += 1.0
    items[1].advance(3_072)
    assert drawn(stream)[-1] == "2 at once, 0 done  4.0 KiB  2.0 KiB/s"
    for item in items:
        item.end()
    clock.now += 1.0
    again = line.start("page2")
    clock.now += 2.0
    again.advance(1_024)
    assert drawn(stream)[-1] == "page2  1.0 KiB  512 B/s"


def test_nothing_is_drawn_without_a_terminal_or_if_hidden() -> None:
    clock = Clock()
    for stream in (io.StringIO(), Terminal(), None):
        item = Progress(stream, shown=not isinstance(stream, Terminal), clock=clock).start("x")
        clock.now += 1.0
        item.advance(1)
        item.end()
        assert stream is None or stream.getvalue() == ""


def test_a_line_is_never_longer_than_the_terminal() -> None:
    stream, clock = Terminal(), Clock()
    item = Progress(stream, clock=clock).start("n" * 500)
    item.expect(10**15)
    clock.now += 1.0
    item.advance(1)
    assert len(drawn(stream)[-1]) < 80


def test_durations() -> None:
    assert [duration(each) for each in (0, 7.9, 750, 11_100)] == ["0:00", "0:07", "12:30", "3:05:00"]


def test_header_fields_are_lines_and_flags_have_names() -> None:
    assert lines("> HEADERS stream=1 length=9 flags=0x05 [':method: GET', \"a: it's\"]") == [
        "> HEADERS stream=1 length=9 END_STREAM END_HEADERS",
        ">   :method: GET",
        ">   a: it's",
    ]
    assert lines("< SETTINGS stream=0 length=0 flags=0x01") == ["< SETTINGS stream=0 length=0 ACK"]
    assert lines("< GOAWAY stream=0 length=8 flags=0x00 b'bye'") == ["< GOAWAY stream=0 length=8 b'bye'"]
    assert lines("< HTTP/1.1 200") == ["< HTTP/1.1 200"]
    assert lines("< HEADERS stream=1 length=9 flags=0x04 [broken") == [
        "< HEADERS stream=1 length=9 END_HEADERS [broken"
    ]
    assert flags_by_name("HEADERS", 0x2D) == "END_STREAM END_HEADERS PADDED PRIORITY"
    assert flags_by_name("DATA", 0x49) == "END_STREAM PADDED 0x40"
    assert flags_by_name("0xbd", 0x03) == "0x03"
