# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The most frequent message of a mailbox, and the token that says whose it is.

Both are complete when created and never written afterwards. The other messages are in messages.py.
"""

cimport cython

from dataclasses import replace


@cython.final
@cython.no_gc
cdef class Source:
    """Names one link: hashable, equal only to itself, the same for every value of a connection."""

    def __repr__(self):
        return f"<mint source {id(self):#x}>"

    def __reduce__(self):
        return Source, ()


@cython.final
@cython.freelist(64)
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True)
cdef class Received:
    """Plaintext came. `sequence` counts the messages of one link, so none is fed twice."""

    source: Source
    sequence: cython.longlong
    data: bytes

    def __reduce__(self):
        return Received, (self.source, self.sequence, self.data)

    def __replace__(self, **changes):
        return replace(self, **changes)
