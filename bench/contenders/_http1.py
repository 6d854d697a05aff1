"""Code that HTTP/1 contenders share: rounds over batches of reads, and the comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any  # each package has types of its own

from ..measure import Rounds
from ..work import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..work import Responses

# The fields of a typical request besides `host`.
REQUEST = (
    ("accept", "application/json"),
    ("accept-encoding", "gzip, br"),
    ("user-agent", "bench/1"),
    ("authorization", "Bearer 5e1c2fb4a9c84d0c8d7f"),
)


def replay(
    work: Responses,
    prepare: Callable[[int], Any],
    run: Callable[[Any, tuple[bytes, ...]], Any],
    normal: Callable[[Any], list[Message]],
) -> Rounds:
    """Return rounds of `run(prepare(number of responses), reads)`; `normal` gives results the common form."""

    def ready(number: int) -> tuple[Any, tuple[bytes, ...]]:
        batch = work.batch(number)
        return prepare(len(batch.messages)), batch.reads

    def verify(number: int, native: object) -> None:
        expected = work.batch(number).messages
        got = normal(native)
        assert len(got) == len(expected), f"{len(got)} responses of {len(expected)}"
        for one, other in zip(got, expected, strict=True):
            assert one == other, f"{one!r:.800} is not {other!r:.800}"

    return Rounds(ready, lambda arg: run(*arg), verify, work.operations)


def message(status: int, fields: Iterable[tuple[bytes, bytes]], body: bytes) -> Message:
    """Convert a response in octets to the common form."""
    return Message(
        status,
        tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in fields),
        body,
    )
