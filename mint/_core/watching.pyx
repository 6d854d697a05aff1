# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The frequent steps of a mailbox, from a socket that is ready to the message that is returned.

`WatcherBase` handles a link in the common case: it is registered to be read, a message is read from it, and
nothing is queued. It leaves every other case to its subclass in mint/_loops/mailbox.py, which also has the
selector. Signal handlers run in calls of Python code, while the selector waits, and before a message is
taken, so none runs between two other steps.
"""

cimport cython
from cpython.exc cimport PyErr_CheckSignals

from .atomics cimport mint_get_flag, mint_get_size, mint_set_flag
from .link_base cimport LinkBase

cdef enum:
    READ = 1                     # as in `selectors`
    WRITE = 2
    EPOLLIN = 1
    EPOLLOUT = 4
    MANY = 64

# How many seconds later a socket is checked again that the system did not let the selector watch.
RETRY = 0.05

# How many messages that need no `select` are returned before the sockets are checked again.
STREAK = MANY


cdef inline object note_of(LinkBase link):
    """Return what a mailbox stores about a link; any thread may replace it."""
    with cython.critical_section(link):
        return link.note


cdef class Poller:
    """The part of a selector that waits: an `epoll` object, and the keys of the watched descriptors."""

    def __cinit__(self, *_, **__):
        self._keys = {}

    def select(self, timeout=None):
        """Wait for the first event; return the keys and the events of those that are ready."""
        cdef list made = []
        cdef int bits, events
        cdef object key
        for number, bits in self._epoll.poll(timeout, len(self._keys) or 1):
            key = self._keys.get(number)
            if key is not None:
                events = 0
                # Errors and hang-ups concern both directions.
                if bits & ~EPOLLIN:
                    events |= WRITE
                if bits & ~EPOLLOUT:
                    events |= READ
                made.append((key, events & <int>key.events))
        return made


cdef class Watch(ReferenceType):
    """A weak reference to a link, with the events it is registered for and whether it is in a queue."""

    @property
    def events(self):
        """The events that its socket is registered for."""
        return mint_get_flag(&self.events_word)

    @events.setter
    def events(self, int value):
        mint_set_flag(&self.events_word, value)

    @property
    def queued(self):
        """Whether it is in a queue."""
        return mint_get_flag(&self.queued_word) != 0

    @queued.setter
    def queued(self, bint value):
        mint_set_flag(&self.queued_word, value)


cdef class WatcherBase:
    """The base class of mailboxes that watch links with a selector."""

    @property
    def _asleep(self):
        """Whether a receiver may be waiting, and must be woken."""
        return mint_get_flag(&self.asleep_word) != 0

    @_asleep.setter
    def _asleep(self, bint value):
        mint_set_flag(&self.asleep_word, value)

    @property
    def _closed(self):
        """Whether it returns no more messages."""
        return mint_get_flag(&self.closed_word) != 0

    @_closed.setter
    def _closed(self, bint value):
        mint_set_flag(&self.closed_word, value)

    def watch(self, transport):
        """Watch a link; called by connections."""
        cdef LinkBase link
        cdef object note
        if mint_get_flag(&self.closed_word) or not isinstance(transport, LinkBase):
            return
        link = <LinkBase>transport
        note = note_of(link)
        if (isinstance(note, Watch) and mint_get_flag(&(<Watch>note).events_word) == READ
                and not (mint_get_flag(&link.likely_word) or mint_get_size(&link.queued_word))
                and not link.has_input()):
            return   # the selector will report it
        self._order(transport)

    def _take(self, list out not None):
        """Put one message into `out`; return false if none is available without checking the sockets."""
        return self.take(out)

    def _receive(self, tuple wanted not None):
        """Wait for a message, until a time that may be None; this thread holds the lock of receivers."""
        cdef list out
        until, out = wanted
        if until is not None:
            self._receive_until(until, out)
            return
        while not (mint_get_flag(&self.closed_word) or self.take(out)):
            self._look(None)

    cdef bint take(self, list out) except -1:
        cdef object entry
        while True:
            # A handler that raises an exception within a read would break the connection.
            PyErr_CheckSignals()
            if self._orders:
                self._update_watches()
            if self._near and (mint_get_flag(&self.streak_word) < MANY or not self._ready):
                if mint_get_flag(&self.streak_word) >= MANY:
                    self._look(0)
                mint_set_flag(&self.streak_word, mint_get_flag(&self.streak_word) + 1)
                entry = self._near[0]
                if not isinstance(entry, Watch):
                    out.append(self._near.popleft())
                    return True
                self._near.popleft()
            elif self._ready:
                entry = self._ready.popleft()
            else:
                return False
            if self.read(<Watch>entry, out):
                return True

    cdef bint read(self, Watch watch, list out) except -1:
        cdef object found = watch()
        cdef LinkBase link
        if (not isinstance(found, LinkBase) or (<LinkBase>found).windowed
                or note_of(<LinkBase>found) is not watch):
            return self._read(watch, out)
        link = <LinkBase>found
        mint_set_flag(&watch.queued_word, False)
        if link.take_one(self, out):
            if mint_get_size(&link.queued_word):
                self._settle(link, watch, True)
            return True
        self._settle(link, watch, False)
        return False

    def _look(self, timeout):
        """Check which sockets are ready; wait for the first one at most `timeout` seconds."""
        cdef object found, watch, events, key
        mint_set_flag(&self.streak_word, 0)
        mint_set_flag(&self.asleep_word, timeout != 0)
        try:
            if self._orders or self._near or mint_get_flag(&self.closed_word):
                timeout = 0
            elif self._refused and (timeout is None or timeout > RETRY):
                timeout = RETRY
            found = self._select(timeout)
        finally:
            mint_set_flag(&self.asleep_word, False)
        while self._refused:
            watch = self._refused.popleft()
            self._near.append(watch)  # to read
            self._orders.append(watch)  # to write
        for key, events in found:
            watch = key.data
            if watch is not None:
                self.report(<Watch?>watch, events)
            elif self._wake_socket is not None:
                self._wake_socket.drain()

    def _select(self, timeout):
        """Return what the selector reports; nothing if the mailbox was closed meanwhile."""
        try:
            return self._selector.select(timeout)
        except (OSError, ValueError) as error:
            if not mint_get_flag(&self.closed_word) and not self._explains(error):
                raise
            return []

    cdef int report(self, Watch watch, int events) except -1:
        """Note that a socket is ready."""
        cdef object link
        if events == READ and mint_get_flag(&watch.events_word) == READ:
            link = watch()
            if (isinstance(link, LinkBase) and mint_get_flag(&(<LinkBase>link).armed_word)
                    and note_of(<LinkBase>link) is watch):
                if not mint_get_flag(&watch.queued_word):
                    mint_set_flag(&watch.queued_word, True)
                    self._ready.append(watch)
                return 0
        self._report(watch, events)
        return 0
