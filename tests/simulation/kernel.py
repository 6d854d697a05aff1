"""The simulated operating system of one run: descriptors, clock, scheduler, threads, signals.

Exactly one actor runs at a time, and the seed decides which. While a thread of the program under test waits,
its call of `wait` runs the network and the servers. At any other system call, `tick` may let some of them
run, as if they ran in parallel. A system call takes a nanosecond; otherwise the clock advances only when
nothing else can happen.
"""

from __future__ import annotations

import errno
import math
import threading
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from .locks import SimLock
from .streams import Stream, failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from .choices import Choices
    from .locks import SimRLock

_T = TypeVar("_T")

FIRST_NUMBER = 1_000_000
"""The lowest descriptor number; it is never a real one, so that calls of the real system fail."""

INSTANT = 1e-9
"""How many seconds a system call takes.

If the clock stood still, a thread that is a rounding error short of its deadline, and is woken by others
meanwhile, would never reach it.
"""

MOST_CALLS = 400_000
"""The number of system calls after which a run is stopped as an endless loop."""


class Stuck(BaseException):
    """Everyone waits, and nothing can ever happen; a `BaseException`, so that no error handler catches it."""


class Wrong(BaseException):
    """The simulation itself is wrong; a `BaseException`, so that no error handler catches it."""


class File(Protocol):
    """An object with a descriptor number."""

    def bits(self) -> int:
        """Return what `poll` reports."""
        ...


class Actor(Protocol):
    """A server, or another object that acts on its own."""

    def moves(self) -> list[Callable[[], None]]:
        """Return everything that it can do now."""
        ...

    def alarm(self) -> float:
        """Return the time at which it can act again if nothing happens before."""
        ...


class Task:
    """A thread of the program under test; it runs only while it is the kernel's `running`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.gate = threading.Semaphore(0)
        self.thread: threading.Thread | None = None
        self.ready: Callable[[], object] | None = None
        self.until = math.inf
        self.over = False

    def can_run(self, now: float) -> bool:
        """Whether the condition that it waits for is true, or its time is up."""
        return not self.over and (self.ready is None or self.until <= now or bool(self.ready()))


class Kernel:
    """The system behind the sockets, selectors, locks and clocks of one run."""

    exact = True
    """Whether the clock stands still while a program runs, so that time limits hold to the millisecond."""
    patience = 30.0
    """How many seconds a program waits for data that must arrive."""
    speed = 1.0
    """How many seconds of the servers' time pass in one second of the event loops."""
    real = False
    """Whether the event loops run on the real system."""
    origin, proxy = 80, 3128

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.now = 1000.0
        self.files: dict[int, File] = {}
        self.streams: list[Stream] = []
        self.actors: list[Actor] = []
        self.listening: dict[int, Callable[[Stream], None]] = {}
        self.dialling: list[tuple[Stream, int]] = []
        self.watchers: list[Callable[[int, File], None]] = []
        """Called before a descriptor is closed."""
        self.violations: list[str] = []
        self.trace: list[str] | None = None
        self.signals: list[Callable[[], None]] = []
        """Signal handlers that are to run in the main thread."""
        self.calls = 0
        self.locks: list[SimRLock] = []
        self.largest = 0
        """The most octets that were passed to one call of `send`."""
        self.waiting = 0
        """The most octets that waited in a tunnel for its windows."""
        self.dropped = 0
        """How many files were closed while a selector watched them."""
        self.capacity = 65_536
        self.main = Task("main")
        self.running = self.main
        self.tasks: list[Task] = [self.main]
        self.over = False
        """Whether the run is over, and resources that are dropped now do not count."""
        self.quiet = False
        """Whether nothing else happens during a call: while a run is prepared or checked."""
        self._calm = 1 + choices.below(30)

    # -- what went wrong

    def blame(self, what: str) -> None:
        """Record that an invariant does not hold."""
        if what not in self.violations:
            self.violations.append(what)
        self.note(f"VIOLATION {what}")

    def note(self, what: str) -> None:
        """Record an event if the run is traced."""
        if self.trace is not None:
            self.trace.append(f"{self.now - 1000:9.3f}  {self.running.name:<5} {what}")

    # -- descriptors

    def open(self, file: File) -> int:
        """Give the lowest free number to a file."""
        number = FIRST_NUMBER
        while number in self.files:
            number += 1
        self.files[number] = file
        return number

    def close(self, number: int) -> None:
        """Free a number."""
        if self.over:
            return
        file = self.files.get(number)
        if file is None:
            self.blame("a descriptor was closed twice")
            raise failure(errno.EBADF)
        for watcher in self.watchers:
            watcher(number, file)
        del self.files[number]

    def dial(self, stream: Stream, port: int) -> None:
        """Start to connect."""
        stream.connecting = True
        self.streams.append(stream)
        self.dialling.append((stream, port))

    def _arrive(self, stream: Stream, port: int) -> None:
        self.dialling.remove((stream, port))
        accept = self.listening.get(port)
        if stream.closed:
            return
        if accept is None:
            stream.refuse()
            return
        other = Stream(self.choices, self.capacity)
        self.streams.append(other)
        stream.join(other)
        accept(other)

    # -- what can happen

    def moves(self) -> list[Callable[[], None]]:
        """Return everything that can happen without the thread that runs."""
        found: list[Callable[[], None]] = [stream.move for stream in self.streams if stream.movable]
        found += [partial(self._arrive, stream, port) for stream, port in self.dialling]
        for actor in self.actors:
            found += actor.moves()
        return found

    def _happen(self, found: list[Callable[[], None]]) -> None:
        move = found[self.choices.below(len(found))]
        try:
            move()
        except Exception as error:
            if move == self.interrupt:
                raise
            raise Wrong(f"a server or the network failed: {error!r}") from error

    def settle(self) -> None:
        """Let everything happen that can happen without advancing the clock."""
        while found := self.moves():
            self._count()
            self._happen(found)

    def tick(self) -> None:
        """Note that the running thread makes a system call: others may act before it."""
        self._count()
        if self.quiet:
            return
        self._calm -= 1
        if self._calm > 0:
            return
        kind = self.choices.below(8)
        if kind == 0:
            self._calm = 1_000_000  # nothing else happens from now on
            return
        self._calm = 1 + self.choices.below(24)
        if self.signals and kind == 1:
            self.interrupt()
        elif kind == 7:
            self.settle()
        else:
            for _ in range(kind):
                found = self.moves()
                if not found:
                    return
                self._happen(found)

    def returned(self) -> None:
        """Note that a system call is done: a signal may arrive before the program gets the result."""
        if self.signals and not self.quiet and self.choices.rarely(16):
            self.interrupt()

    def _count(self) -> None:
        self.calls += 1
        self.now += INSTANT
        if self.calls > MOST_CALLS:
            self.blame("the program goes round in circles")
            raise Stuck

    def interrupt(self) -> None:
        """Run a signal handler in the main thread, which is the running one."""
        if self.running is self.main and self.signals:
            handler = self.signals.pop(0)
            self.note("signal")
            handler()

    # -- waiting

    def wait(self, ready: Callable[[], _T], timeout: float | None) -> _T | None:
        """Return what `ready` returns once that is true; `None` when the time is up."""
        self.tick()
        me = self.running
        me.until = math.inf if timeout is None else self.now + max(0.0, timeout)
        me.ready = ready
        waited = False
        try:
            while True:
                found = ready()
                if found:
                    return self._more(ready, found) if waited else found
                if me.until <= self.now:
                    return None
                waited = True
                self._go_on(me)
        finally:
            me.ready = None
            me.until = math.inf

    def _more(self, ready: Callable[[], _T], found: _T) -> _T:
        """Let more happen before a wait returns: several things may be ready at once."""
        kind = self.choices.below(4)
        if kind == 3:
            self.settle()
        else:
            for _ in range(kind):
                moves = self.moves()
                if not moves:
                    break
                self._happen(moves)
        return ready() or found

    def _go_on(self, me: Task) -> None:
        """Let one thing happen while a thread waits."""
        self._count()
        found = self.moves()
        able = (task for task in self.tasks if task is not me and task.can_run(self.now))
        found += [partial(self._hand_over, me, task) for task in able]
        if self.signals and me is self.main:
            found.append(self.interrupt)
        if found:
            self._happen(found)
            return
        then = min(task.until for task in self.tasks if not task.over)
        for actor in self.actors:
            alarm = actor.alarm()
            # Actors whose time has come, but which cannot act, wait for something else.
            then = min(then, alarm if alarm > self.now else math.inf)
        if then == math.inf:
            self.blame("everyone waits and nothing will happen")
            raise Stuck
        self.now = max(self.now, then)

    # -- threads

    def _hand_over(self, me: Task, other: Task) -> None:
        self.running = other
        other.gate.release()
        me.gate.acquire()
        self._check_end()

    def _check_end(self) -> None:
        if "everyone waits and nothing will happen" in self.violations:
            raise Stuck

    def spawn(self, name: str, work: Callable[[], None]) -> Task:
        """Start a thread; it runs when the scheduler chooses it."""
        task = Task(name)
        self.tasks.append(task)

        def run() -> None:
            task.gate.acquire()
            try:
                work()
            except Stuck:
                pass
            finally:
                task.over = True
                self._leave(task)

        thread = threading.Thread(target=run, name=f"simulated-{name}", daemon=True)
        thread.start()
        return task

    def _leave(self, task: Task) -> None:
        """Continue with another thread, because this one ends."""
        others = [each for each in self.tasks if not each.over and each is not task]
        able = [each for each in others if each.can_run(self.now)]
        chosen = able[self.choices.below(len(able))] if able else self.main
        self.running = chosen
        chosen.gate.release()

    def give_way(self) -> None:
        """Let another thread run if the scheduler decides so; called at locks and by programs."""
        if self.quiet or len(self.tasks) == 1:
            return
        me = self.running
        able = [each for each in self.tasks if each is not me and each.can_run(self.now)]
        at = self.choices.below(1 + len(able))
        if at:
            self._hand_over(me, able[at - 1])

    def lock(self) -> AbstractContextManager[object]:
        """Return a lock for threads of the program."""
        return SimLock()

    def join(self, tasks: list[Task]) -> None:
        """Wait for threads to end."""
        self.wait(lambda: all(task.over for task in tasks), None)
