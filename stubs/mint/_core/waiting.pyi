from collections.abc import Callable
from contextvars import Context
from typing import Self

class Waking:
    """The methods of a future that keeps each callback until the event loop has scheduled it.

    An `asyncio.Future` drops its callbacks if the loop cannot schedule one of them, and nothing would ever
    continue the task. Here, the next `wake` tries again.
    """

    def add_done_callback(self, fn: Callable[[Self], object], /, *, context: Context | None = None) -> None:
        """Have the loop call a function when this is done."""
    def remove_done_callback(self, fn: Callable[[Self], object], /) -> int:
        """Forget a function that is to be called; return how often it was added."""
    def cancel(self, msg: object = None) -> bool:
        """Cancel it, as `task.cancel` of the task that waits does."""
    def wake(self) -> bool:
        """Wake the task that waits; return false if it was woken before, or cancelled."""
