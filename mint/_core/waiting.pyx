# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""What a task of asyncio waits for, with callbacks that outlive a loop that could not schedule them.

It is compiled, because the task itself adds a callback: an exception of a signal handler there would leave a
task that nothing continues. Signal handlers run only in the loop's own code.
"""


class Waking:
    """The methods of a future that keeps each callback until the event loop has scheduled it.

    An `asyncio.Future` drops its callbacks if the loop cannot schedule one of them, and nothing would ever
    continue the task. Here, the next `wake` tries again.
    """

    _kept = ()

    def add_done_callback(self, fn, /, *, context=None):
        """Have the loop call a function when this is done."""
        # `next` calls it only once. A signal handler may raise an exception just after it was scheduled, and
        # then it is scheduled again.
        self._kept += ((fn, map(fn, (self,)), context),)
        if self.done():
            self._schedule()

    def remove_done_callback(self, fn, /):
        """Forget a function that is to be called; return how often it was added."""
        kept = tuple([each for each in self._kept if each[0] != fn])
        removed = len(self._kept) - len(kept)
        self._kept = kept
        return removed

    def cancel(self, msg=None):
        """Cancel it, as `task.cancel` of the task that waits does."""
        if not super().cancel(msg):
            return False
        self._schedule()
        return True

    def wake(self):
        """Wake the task that waits; return false if it was woken before, or cancelled."""
        if not self.done():
            self.set_result(None)
        elif not self._kept:
            return False
        self._schedule()
        return True

    def _schedule(self):
        loop = self.get_loop()
        for each in self._kept:
            try:
                loop.call_soon(next, each[1], None, context=each[2])
            except RuntimeError:
                if not loop.is_closed():
                    raise
                self._kept = ()  # nothing can continue the task
                return
            kept = self._kept
            if kept and kept[0] is each:  # unless a signal handler has scheduled it, too
                self._kept = kept[1:]
