"""The persistent table of streams: comparison with a set, sharing, and the cost of operations."""

from hypothesis import given
from hypothesis import strategies as st

from mint._core.streams import Table


def filled(count: int, start: int = 0) -> Table:
    table = Table()
    for index in range(start, start + count):
        table = table.added(index)
    return table


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 400)), max_size=120))
def test_behaves_like_a_set_and_never_changes_an_older_table(
    steps: list[tuple[int, int]],
) -> None:
    table = Table()
    model: list[int] = []
    newest = -1
    seen: list[tuple[Table, list[int]]] = []
    for kind, number in steps:
        if kind <= 1:
            newest += number if kind else 1
            table = table.added(newest)
            model = [*model, newest]
        elif model:
            index = model[number % len(model)]
            if kind == 2:
                table = table.dropped(index)
                model = [one for one in model if one != index]
            else:
                table = table.touched(index)
        seen.append((table, model))
    for table, numbers in seen:
        assert table.numbers() == numbers
        assert len(table) == table.count == len(numbers)


def test_equality_does_not_depend_on_the_shape() -> None:
    one = filled(40)
    for index in range(36):
        one = one.dropped(index)
    other = filled(4, 36)
    assert one == other
    assert one != other.touched(37)
    assert one.touched(37) == other.touched(37)
    assert one != filled(4, 35)
    assert one != filled(5, 36)
    assert one != object()
    assert Table() == Table()


def test_dropping_an_unknown_stream_changes_nothing() -> None:
    table = filled(20)
    assert table.dropped(99).numbers() == list(range(20))


def work_of_opening(table: Table, next_index: int) -> int:
    before = table.work
    for index in range(next_index, next_index + 8):
        table = table.added(index)
    return table.work - before


def work_of_touching(table: Table, index: int) -> int:
    return table.touched(index).work - table.work


class History:
    """A table with what should be in it: how often each live stream was touched, and the newest index."""

    def __init__(self, table: Table, touches: dict[int, int], newest: int) -> None:
        self.table = table
        self.touches = touches
        self.newest = newest

    def after(self, kind: str, number: int) -> "History":
        if kind == "add":
            newest = self.newest + number
            return History(self.table.added(newest), {**self.touches, newest: 0}, newest)
        if not self.touches:
            return self
        index = sorted(self.touches)[number % len(self.touches)]
        if kind == "touch":
            touches = {**self.touches, index: self.touches[index] + 1}
            return History(self.table.touched(index), touches, self.newest)
        touches = {one: times for one, times in self.touches.items() if one != index}
        return History(self.table.dropped(index), touches, self.newest)

    def made_anew(self) -> Table:
        """Make the table without streams that come and go, except for the newest, whose leaf is special."""
        table = Table()
        for index, times in self.touches.items():
            table = table.added(index)
            for _ in range(times):
                table = table.touched(index)
        if self.newest >= 0 and self.newest not in self.touches:
            table = table.added(self.newest).dropped(self.newest)
        return table


GAPS = st.one_of(st.integers(1, 9), st.sampled_from([64, 127, 128, 129, 1_000, 16_384, 300_000, 1 << 33]))


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1 << 16), st.sampled_from(["add", "add", "touch", "drop"]), GAPS, st.booleans()
        ),
        max_size=60,
    )
)
def test_a_table_has_the_content_and_the_shape_of_one_made_anew(
    steps: list[tuple[int, str, int, bool]],
) -> None:
    """The shape shows in what an operation costs: it copies the path to the stream, and nothing else."""
    histories = [History(Table(), {}, -1)]
    for choice, kind, number, fork in steps:
        start = histories[choice % len(histories) if fork else -1]
        histories.append(start.after(kind, number))
    for history in histories:
        table, other = history.table, history.made_anew()
        assert table == other
        assert table.numbers() == other.numbers() == sorted(history.touches)
        assert len(table) == table.count == len(history.touches)
        for index in history.touches:
            touched = table.touched(index)
            assert touched != other
            assert touched == other.touched(index)
            assert work_of_touching(table, index) == work_of_touching(other, index)
            assert table.dropped(index) == other.dropped(index) != table


def test_each_stream_is_compared() -> None:
    table = filled(40).dropped(3).dropped(16)
    for index in table.numbers():
        assert table.touched(index) != table
        assert table.dropped(index) != table
        assert table.touched(index) == table.touched(index)


def test_opening_costs_the_same_from_ten_to_ten_thousand_open_streams() -> None:
    # Eight streams: each copies the newest leaf or makes it, and one hangs a leaf into the tree.
    assert work_of_opening(filled(8), 8) == 8  # the tree is empty
    assert work_of_opening(filled(16), 16) == 8 + 1  # a node above two leaves
    assert work_of_opening(filled(24), 24) == 8 + 1
    assert work_of_opening(filled(10_000), 10_000) == 8 + 3


def test_touching_copies_one_path_however_many_are_open() -> None:
    assert work_of_touching(filled(10), 9) == work_of_touching(filled(10_000), 9_999) == 1
    assert work_of_touching(filled(10), 0) == 1
    assert work_of_touching(filled(100), 0) == 2
    assert work_of_touching(filled(10_000), 0) == 4


def test_a_million_closed_streams_cost_nothing() -> None:
    young = filled(10)
    old = Table().added(0)
    for index in range(1_000_000, 1_000_010):
        old = old.added(index)
    assert work_of_touching(old, 1_000_005) <= work_of_touching(young, 5) + 1
    assert work_of_touching(old, 0) <= 2
    assert old.dropped(0).numbers() == list(range(1_000_000, 1_000_010))
    assert work_of_opening(old, 1_000_010) <= work_of_opening(young, 10) + 1


def test_a_million_successive_streams_leave_nothing_behind() -> None:
    table = Table()
    for index in range(1_000_000):
        table = table.added(index).dropped(index)
    assert table.numbers() == []
    assert table == Table()
    assert table.work <= 2_000_000


def test_forks_of_a_table_are_independent() -> None:
    table = filled(12)
    left = table.touched(3).dropped(4).added(12)
    right = table.dropped(3).added(12).added(13)
    assert table.numbers() == list(range(12))
    assert left.numbers() == [0, 1, 2, 3, *range(5, 13)]
    assert right.numbers() == [0, 1, 2, *range(4, 14)]


def test_finding_the_next_stream_skips_whole_branches() -> None:
    table = filled(300)
    for index in range(5, 290):
        table = table.dropped(index)
    assert table.numbers() == [*range(5), *range(290, 300)]
    far = Table().added(3).added(100_000).added(200_000)
    assert far.numbers() == [3, 100_000, 200_000]
    assert far.dropped(50_000) == far
    assert far.dropped(3).dropped(100_000).numbers() == [200_000]
