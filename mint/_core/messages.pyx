# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The most frequent message of a mailbox, the token that identifies its link, and numbers for tokens.

Messages and tokens are complete when created and never change. The other messages are in messages.py.
"""

cimport cython

from .atomics cimport mint_add

from dataclasses import replace


@cython.final
@cython.no_gc
cdef class Numbers:
    """Numbers of 64 bits, each of them once, for any number of threads."""

    def __init__(self, unsigned long long first):
        self.first = first

    def next(self):
        """Return a number that was not returned before."""
        # The factor is odd, so that all products are different. Its bits are mixed, so that neighbours have
        # different hashes.
        cdef unsigned long taken = <unsigned long>mint_add(&self.taken, 1)
        return self.first + taken * <unsigned long long>0x9E3779B97F4A7C15


@cython.final
@cython.no_gc
cdef class Source:
    """Identifies one link: hashable, and the same for every value of a connection.

    Two sources are equal if their `token` is equal, which has 64 bits: a number, or eight octets in network
    order.
    """

    def __init__(self, token):
        cdef unsigned char octet
        if type(token) is not bytes:
            self.token = token
        elif len(<bytes>token) != 8:
            raise ValueError(f"a token has 8 octets, not {len(<bytes>token)}")
        else:
            for octet in <bytes>token:
                self.token = (self.token << 8) | octet

    def __eq__(self, other):
        if type(other) is not Source:
            return NotImplemented
        return self.token == (<Source>other).token

    def __hash__(self):
        return <Py_hash_t>(self.token >> 1)

    def __repr__(self):
        return f"<mint source {self.token:#018x}>"

    def __reduce__(self):
        return Source, (self.token,)


@cython.final
@cython.freelist(64)
@cython.no_gc
@cython.dataclasses.dataclass(frozen=True, repr=False)
cdef class Received:
    """Plaintext has arrived. `sequence` numbers the messages of one link, so that none is fed twice.

    The `repr` shows only the size of the data, because heads may contain secrets.
    """

    source: Source
    sequence: cython.longlong
    data: bytes

    def __repr__(self):
        return f"Received(source={self.source!r}, sequence={self.sequence!r}, data=<{len(self.data)} bytes>)"

    def __reduce__(self):
        return Received, (self.source, self.sequence, self.data)

    def __replace__(self, **changes):
        return replace(self, **changes)
