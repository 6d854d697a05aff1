# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The base class of links: how an operation claims and releases a link, and what threads share of it.

An operation claims the link, runs the engine, gives the engine's output to the link, and releases it with
the next generation. The fast path of the frequent operations is in fast_path.pyx. There is no I/O here; only
the queues are filled and emptied.
"""

cimport cython
from cpython.bytes cimport PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals

from .atomics cimport (
    mint_add,
    mint_get_count,
    mint_get_flag,
    mint_get_number,
    mint_get_size,
    mint_get_thread,
    mint_set_flag,
    mint_set_number,
    mint_set_size,
    mint_set_thread,
    mint_swap,
)
from .messages cimport Received

cdef extern from *:
    """
    #ifdef _WIN32
    static int mint_readable(int descriptor) { (void)descriptor; return 1; }
    #else
    #include <poll.h>
    /* Whether a read would return at once; true if that cannot be known. */
    static int mint_readable(int descriptor) {
        struct pollfd asked = {descriptor, POLLIN, 0};
        return poll(&asked, 1, 0) != 0;
    }
    #endif
    """
    bint mint_readable(int descriptor) noexcept nogil

cdef extern from "pythread.h" nogil:
    ctypedef enum PyLockStatus:
        PY_LOCK_FAILURE
        PY_LOCK_ACQUIRED
        PY_LOCK_INTR
    void *PyThread_allocate_lock()
    void PyThread_free_lock(void *lock)
    int PyThread_acquire_lock(void *lock, int wait)
    PyLockStatus PyThread_acquire_lock_timed(void *lock, long long microseconds, int interruptible)
    void PyThread_release_lock(void *lock)
    unsigned long PyThread_get_thread_ident()


def shift(near, list out not None):
    """Move the first entry of a deque to the end of a list. No signal handler can run in between."""
    out.append(near.popleft())


@cython.final
cdef class Mutex:
    """A lock that its owner may acquire again.

    `count` is the number of threads that hold it or wait for it. While no thread waits, acquiring and
    releasing only change `count`. Waiting threads wait for `lock`. A thread that releases the mutex while
    others wait releases `lock`, and one of them owns the mutex then.
    """

    def __cinit__(self):
        self.lock = PyThread_allocate_lock()
        if self.lock == NULL:
            raise MemoryError
        PyThread_acquire_lock(self.lock, 0)

    def __dealloc__(self):
        if self.lock != NULL:
            PyThread_free_lock(self.lock)

    cdef bint enter(self, bint wait) noexcept:
        cdef unsigned long me = PyThread_get_thread_ident()
        cdef void *lock = self.lock
        if mint_get_thread(&self.owner) == me:
            self.depth += 1
            return True
        if not mint_swap(&self.count, 0, 1):
            if not wait:
                return False
            if mint_add(&self.count, 1):
                with nogil:
                    PyThread_acquire_lock(lock, 1)
        mint_set_thread(&self.owner, me)
        self.depth = 1
        return True

    cdef bint enter_once(self) noexcept:
        """Acquire it only if no thread holds it, not even this one."""
        if not mint_swap(&self.count, 0, 1):
            return False
        mint_set_thread(&self.owner, PyThread_get_thread_ident())
        self.depth = 1
        return True

    cdef void leave(self) noexcept:
        self.depth -= 1
        if self.depth == 0:
            # Without a GIL, this thread must not see itself as the owner while another thread acquires it.
            mint_set_thread(&self.owner, 0)
            if mint_add(&self.count, -1) > 1:
                PyThread_release_lock(self.lock)

    cdef bint withdrawn(self) noexcept:
        """Stop waiting; return false if the mutex was passed to this thread and no other thread waits."""
        cdef long count = mint_get_count(&self.count)
        while count > 1:
            if mint_swap(&self.count, count, count - 1):
                return True
            count = mint_get_count(&self.count)
        return False

    cdef bint mine(self) noexcept:
        return mint_get_thread(&self.owner) == PyThread_get_thread_ident()

    @property
    def held(self):
        """Whether this thread holds it."""
        return self.mine()

    def acquire(self, bint blocking=True):
        """Acquire it; return false if another thread holds it and `blocking` is false."""
        return self.enter(blocking)

    def release(self):
        """Release it once."""
        if not self.mine():
            raise RuntimeError("this thread does not hold the lock")
        self.leave()

    def __enter__(self):
        self.enter(True)
        return self

    def __exit__(self, kind, error, trace):
        # Not `*_`: the interpreter would need memory for a tuple, and without it the lock would stay held.
        self.leave()

    def attempt(self, work, argument, double seconds):
        """Call `work` with the argument while holding the lock; return false if it was not acquired in time.

        Wait for at most `seconds`, or without a limit if they are negative. A signal ends the wait early,
        after its handlers have run. No signal handler runs between acquiring the lock and the call, or
        between the call and the release, so an exception in a handler never leaves the lock held. Raises
        `RuntimeError` if this thread holds the lock already.
        """
        cdef long long microseconds = -1 if seconds < 0 else <long long>(seconds * 1e6)
        cdef PyLockStatus status = PY_LOCK_ACQUIRED
        cdef void *lock = self.lock
        if self.mine():
            raise RuntimeError("this thread holds the lock already")
        if not mint_swap(&self.count, 0, 1):
            if microseconds == 0:
                return False
            if mint_add(&self.count, 1):
                with nogil:
                    status = PyThread_acquire_lock_timed(lock, microseconds, 1)
            if status != PY_LOCK_ACQUIRED:
                if self.withdrawn():
                    if status == PY_LOCK_INTR:
                        PyErr_CheckSignals()
                    return False
                with nogil:   # it has just been released for this thread
                    PyThread_acquire_lock(lock, 1)
        mint_set_thread(&self.owner, PyThread_get_thread_ident())
        self.depth = 1
        if status == PY_LOCK_INTR:
            self.leave()
            PyErr_CheckSignals()
            return False
        try:
            work(argument)
        finally:
            self.leave()
        return True


cdef class ProcessBase:
    """The base class of what stands for a process."""


cdef class LinkBase:
    """The base class of every link.

    It has two locks. One operation at a time holds the guard, and no thread waits for it. An operation also
    holds the wire. A mailbox holds the wire for the time of one read, and an operation waits for that.
    """

    def __cinit__(self, *_, **__):
        self._guard = Mutex()
        self._wire = Mutex()
        self._layers = ()
        self.behind = True
        self.descriptor = -1

    # -- what is also read without a lock

    @property
    def armed(self):
        """Whether the mailbox may read one message."""
        return mint_get_flag(&self.armed_word) != 0

    @armed.setter
    def armed(self, bint value):
        mint_set_flag(&self.armed_word, value)

    @property
    def wanted(self):
        """Whether a mailbox found the wire in use; the operation that holds it calls `watch` at its end."""
        return mint_get_flag(&self.wanted_word) != 0

    @wanted.setter
    def wanted(self, bint value):
        mint_set_flag(&self.wanted_word, value)

    @property
    def likely(self):
        """Whether the last read returned so much that there is probably more."""
        return mint_get_flag(&self.likely_word) != 0

    @likely.setter
    def likely(self, bint value):
        mint_set_flag(&self.likely_word, value)

    @property
    def _reading(self):
        """The state of the incoming direction."""
        return mint_get_flag(&self.reading_word)

    @_reading.setter
    def _reading(self, int value):
        mint_set_flag(&self.reading_word, value)

    @property
    def _writing(self):
        """The state of the outgoing direction."""
        return mint_get_flag(&self.writing_word)

    @_writing.setter
    def _writing(self, int value):
        mint_set_flag(&self.writing_word, value)

    @property
    def _queued(self):
        """The number of octets that wait for the layers or the wire."""
        return mint_get_size(&self.queued_word)

    @_queued.setter
    def _queued(self, Py_ssize_t value):
        mint_set_size(&self.queued_word, value)

    @property
    def _unsealed(self):
        """The number of octets that wait for the layers."""
        return mint_get_size(&self.unsealed_word)

    @_unsealed.setter
    def _unsealed(self, Py_ssize_t value):
        mint_set_size(&self.unsealed_word, value)

    @property
    def _held(self):
        """The number of octets that have arrived and were not received yet."""
        return mint_get_size(&self.held_word)

    @_held.setter
    def _held(self, Py_ssize_t value):
        mint_set_size(&self.held_word, value)

    # -- claiming and releasing

    cdef bint is_foreign(self) noexcept:
        """Whether this process is a forked child of the one that made the link, and must not use it."""
        return self._process is not None and self._process.inherited

    cdef bint enter(self, long long generation) noexcept:
        if self.is_foreign():
            return False
        if self.home and self.home != PyThread_get_thread_ident():
            return False
        # Not even one thread can claim the link twice: an operation within another is a mistake. In a signal
        # handler, the one that was interrupted may also be a read or write of a mailbox or an event loop.
        if self._wire.mine() or not self._guard.enter_once():
            return False
        if generation != self.generation:
            self._guard.leave()
            return False
        self._wire.enter(True)
        return True

    def begin_operation(self, long long generation):
        """Claim the link for one operation; return false if it is in use or has a newer generation."""
        return self.enter(generation)

    def settle(self, long long generation, error):
        """Close the link if an exception interrupted an operation of the value of this generation.

        An operation was interrupted if the link is still claimed, or if it has made a successor that was
        never returned. The value becomes the newest again and reports that the connection is closed. An error
        that has a successor does not interrupt an operation.
        """
        self.close_interrupted(generation, error)

    cdef int close_interrupted(self, long long generation, error) except -1:
        if getattr(error, "successor", None) is not None:
            return 0
        if self._guard.mine():
            self.give_up()
        # Check both before claiming: another thread that made the newest generation must not find it claimed.
        elif (mint_get_number(&self.generation) == generation + 1
                and mint_get_thread(&self.mover) == PyThread_get_thread_ident()
                and self.enter(generation + 1)):
            mint_set_number(&self.generation, generation)
            self.give_up()
        return 0

    cdef int give_up(self) except -1:
        """Close the link after this thread's operation was interrupted, no one knows at which point.

        In active mode, one last message reports it.
        """
        mint_set_flag(&self.reading_word, READ_CLOSED if self.inbox is None else READ_FAILED)
        self._failure = None
        mint_set_flag(&self.writing_word, WRITE_CLOSED)
        mint_set_flag(&self.armed_word, False)
        self._arrived.clear()
        self._outbox.clear()
        self._pending.clear()
        mint_set_size(&self.held_word, 0)
        mint_set_size(&self.queued_word, 0)
        mint_set_size(&self.unsealed_word, 0)
        while self._wire.mine():
            self._wire.leave()
        while self._guard.mine():
            self._guard.leave()
        if self.inbox is not None:
            self.inbox.unwatch(self)
        self._shut()
        if self.inbox is not None:
            mint_set_flag(&self.armed_word, True)
            self.inbox.watch(self)
        return 0

    def poison(self):
        """Close the link after this thread's operation was interrupted; the value then reports it."""
        self.give_up()

    @property
    def closed(self):
        """Whether this end was closed."""
        return mint_get_flag(&self.writing_word) == WRITE_CLOSED

    cdef bint all_written(self) except -1:
        return self.reads or (mint_get_size(&self.queued_word) == 0 and not (self.windowed and self.unsent))

    @property
    def written(self):
        """Whether nothing waits to be written."""
        return self.all_written()

    cdef long long leave(self, bint moved) except -1:
        cdef long long newest
        cdef object inbox
        cdef bint written = self.all_written()
        if not written:
            self.behind = True
        if moved:
            mint_set_number(&self.generation, self.generation + 1)
            mint_set_thread(&self.mover, mint_get_thread(&self._guard.owner))   # this thread
        newest = self.generation
        inbox = self.inbox   # the next operation may leave it
        self._wire.leave()
        self._guard.leave()
        if mint_get_flag(&self.writing_word) == WRITE_CLOSED:
            # Another thread may have closed it, and could not shut the wire while this one held it.
            self._shut()
            return newest
        # The mailbox writes what is still queued, and reads what it could not read meanwhile.
        # In a tunnel whose peer has ended, it also reads what makes room for the octets that wait in a layer.
        if inbox is not None and (
                mint_get_flag(&self.wanted_word) or mint_get_size(&self.queued_word)
                or (self.windowed and not written and mint_get_flag(&self.reading_word) != READ_OPEN)):
            mint_set_flag(&self.wanted_word, False)
            inbox.watch(self)
        return newest

    def take_output(self):
        """Take everything out of the output queue."""
        return self.take_queued()

    cdef bytes take_queued(self):
        cdef bytes octets
        if len(self._outbox) == 1:
            first = self._outbox.popleft()
            octets = first if type(first) is bytes else bytes(first)
        else:
            octets = b"".join(self._outbox)
            self._outbox.clear()
        mint_set_size(&self.queued_word, 0)
        return octets

    cdef int queue(self, tuple output) except -1:
        """Append octets to the output queue."""
        for piece in output:
            self._outbox.append(piece)
            mint_set_size(&self.queued_word, mint_get_size(&self.queued_word) + PyBytes_GET_SIZE(piece))
        return 0

    def arrive(self, bytes octets not None):
        """Append plaintext to what has arrived."""
        self.add_arrived(octets)

    cdef int add_arrived(self, bytes octets) except -1:
        self._arrived.append(octets)
        mint_set_size(&self.held_word, mint_get_size(&self.held_word) + PyBytes_GET_SIZE(octets))
        return 0

    cdef bytes pop_arrived(self):
        cdef bytes octets = <bytes?>self._arrived.popleft()
        mint_set_size(&self.held_word, mint_get_size(&self.held_word) - PyBytes_GET_SIZE(octets))
        return octets

    def end_operation(self, bint moved):
        """Release the link and return the newest generation: the next one if `moved`."""
        return self.leave(moved)

    # -- active mode: one message at a time; the next is made only after this one was fed to `stream`

    cdef bint has_input(self) except -1:
        return mint_get_flag(&self.reading_word) != READ_OPEN or bool(self._arrived)

    cdef bint has_unread(self) except -1:
        """Whether anything has arrived that no value has read; this looks at the wire if necessary."""
        if self._sequence != self._accepted or self.has_input():
            return True
        if self.still or (self.descriptor >= 0 and not mint_readable(self.descriptor)):
            return False
        return self.look() is not None

    @property
    def has_next(self):
        """Whether something can be received without reading from the wire."""
        return self.has_input()

    @property
    def is_quiet(self):
        """Whether there is nothing to do until the wire is ready: nothing has arrived, nothing is queued."""
        return not (mint_get_flag(&self.likely_word) or mint_get_size(&self.queued_word) or self.has_input())

    @property
    def has_queued(self):
        """Whether anything is queued for the layers or the wire."""
        return mint_get_size(&self.queued_word) != 0

    def arm(self):
        """Let the mailbox read one message, unless the last one was not fed to `stream` yet."""
        if self.inbox is None or self._sequence != self._accepted:
            return
        if (mint_get_flag(&self.writing_word) == WRITE_CLOSED
                and mint_get_flag(&self.reading_word) != READ_FAILED):
            return
        mint_set_flag(&self.armed_word, True)
        self.inbox.watch(self)

    def next_number(self):
        """Disarm the link and return the number of the next message."""
        mint_set_flag(&self.armed_word, False)
        self._sequence += 1
        return self._sequence

    cdef object read_once(self):
        """Return what `receive_now` returns; read directly if there are no layers and nothing has arrived."""
        cdef object octets
        if self._layers or self.has_input():
            return self.receive_now()
        octets = self._pull(None, wait=False)
        if octets:
            return octets
        if octets is None:
            self._leave_rest()
            return None
        self._take_in(octets)
        return self._next()

    def take_message(self, inbox, list out not None):
        """Append a message to `out`: octets that have arrived, or one read; return false if there is none.

        If another thread's operation holds the wire, `wanted` stays set, and that operation calls `watch` at
        its end. No signal handler runs between making a message and appending it. If an exception prevents a
        message from being appended, it is delivered later; if the exception loses octets, the link breaks.
        """
        return self.take_one(inbox, out)

    cdef bint take_one(self, object inbox, list out) except -1:
        cdef Received made
        cdef object octets = None
        cdef long long number = self._sequence
        # Set before the attempt, so that an operation which ends in between sees it.
        mint_set_flag(&self.wanted_word, True)
        if self.is_foreign() or self._wire.mine() or not self._wire.enter(False):
            return False
        try:
            mint_set_flag(&self.wanted_word, False)
            if not mint_get_flag(&self.armed_word) or self.inbox is not inbox:
                return False
            if self._arrived:
                octets = self.pop_arrived()
            else:
                try:
                    octets = self.read_once()
                except Exception as error:
                    out.append(self._broken_message(error))
                    return True
                except BaseException:
                    self.broken_off()
                    raise
                if not octets:
                    if octets is None:
                        return False
                    out.append(self.deliver(octets))
                    return True
            made = Received.__new__(Received)
            made.data = <bytes?>octets
            made.source = self.source
            out.append(made)
            made.sequence = self.next_number()
            return True
        except BaseException:
            if not out:
                if self._sequence != number:
                    self._sequence = number
                    mint_set_flag(&self.armed_word, True)
                if octets:
                    self.broken_off()
            raise
        finally:
            try:
                if self._outbox and not self.still:
                    # Write at once what the layers reply and what they can take now.
                    self.write_waiting()
            finally:
                self._wire.leave()
                if mint_get_flag(&self.writing_word) == WRITE_CLOSED:
                    self._shut()

    def write_waiting(self):
        """Write what the wire accepts, without waiting; for mailboxes.

        If another thread's operation holds the wire, `wanted` stays set, and that operation calls `watch` at
        its end.
        """
        mint_set_flag(&self.wanted_word, True)
        if self.is_foreign() or not self._wire.enter(False):
            return
        try:
            mint_set_flag(&self.wanted_word, False)
            if mint_get_flag(&self.writing_word) != WRITE_CLOSED:
                self.write_now()
        finally:
            self._wire.leave()
            if mint_get_flag(&self.writing_word) == WRITE_CLOSED:
                self._shut()

    def end_wire(self, bint speaks):
        """Shut the wire; first say goodbye if `speaks` is set and no other thread holds the wire."""
        try:
            if speaks and self._wire.enter(False):
                try:
                    self._say_goodbye()
                finally:
                    self._wire.leave()
        finally:
            self._shut()
