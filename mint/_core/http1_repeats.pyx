# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Reuse of the last request if the next one differs only in its target.

Most requests of a connection have the same method and fields as the one before. A state keeps the last
request without a body. If the method and the fields are equal, only the target is validated, and the rest is
copied. The kept request is never changed, so forks may share it; different connections never do.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_SIZE
from cpython.unicode cimport (PyUnicode_1BYTE_DATA, PyUnicode_1BYTE_KIND, PyUnicode_CheckExact,
                              PyUnicode_GET_LENGTH, PyUnicode_KIND)

from libc.string cimport memchr, memcmp, memcpy

from .chars cimport CHAR_URI, char_class
from .http1_requests cimport Draft, SEND_NOTHING

cdef enum:
    MOST_KEPT = 4096     # most octets of a request that is kept
    MOST_PAIRS = 64      # most fields of it


cdef inline bint is_text(object text) noexcept:
    """Whether it is an exact `str` in latin-1, as everything that was sent is."""
    return PyUnicode_CheckExact(text) and PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND


cdef inline bint same_text(object kept, object given) noexcept:
    """Whether the given text equals text that was sent."""
    cdef Py_ssize_t count
    if <PyObject *>kept == <PyObject *>given:
        return True
    if not is_text(given):
        return False
    count = PyUnicode_GET_LENGTH(kept)
    return (PyUnicode_GET_LENGTH(given) == count
            and memcmp(PyUnicode_1BYTE_DATA(kept), PyUnicode_1BYTE_DATA(given), count) == 0)


cdef inline bint is_pair(object pair) noexcept:
    return (type(pair) is tuple and PyTuple_GET_SIZE(pair) == 2
            and is_text((<tuple>pair)[0]) and is_text((<tuple>pair)[1]))


cdef inline bint same_pair(tuple kept, object given) noexcept:
    if <PyObject *>kept == <PyObject *>given:
        return True
    return (type(given) is tuple and PyTuple_GET_SIZE(given) == 2
            and same_text(kept[0], (<tuple>given)[0]) and same_text(kept[1], (<tuple>given)[1]))


cdef bint is_plain(object target) noexcept:
    """Whether a target is a path without percent-encoding: every method but CONNECT allows it."""
    cdef const unsigned char *octets
    cdef Py_ssize_t count
    cdef Py_ssize_t i
    cdef unsigned char seen = CHAR_URI
    if not is_text(target):
        return False
    octets = <const unsigned char *>PyUnicode_1BYTE_DATA(target)
    count = PyUnicode_GET_LENGTH(target)
    if count == 0 or octets[0] != c"/":
        return False
    for i in range(count):
        seen &= char_class[octets[i]]
    return seen != 0 and memchr(octets, c"#", count) == NULL


@cython.final
@cython.no_gc
cdef class Repeat:
    """The last request, from which similar ones can be made."""

    cdef bint is_like(self, object method, object target, object headers, bint old_peer) except -1:
        """Whether a request without a body differs only in its target, and the target is allowed."""
        cdef Py_ssize_t i
        cdef tuple pairs
        if old_peer != self.old_peer or not same_text(self.method, method) or not is_plain(target):
            return False
        if <PyObject *>headers == <PyObject *>self.headers:
            return True
        if type(headers) is not tuple:
            return False
        pairs = <tuple>headers
        if PyTuple_GET_SIZE(pairs) != PyTuple_GET_SIZE(self.headers):
            return False
        for i in range(PyTuple_GET_SIZE(pairs)):
            if not same_pair(<tuple>self.headers[i], pairs[i]):
                return False
        return True

    cdef bytes again(self, str target):
        """Return the request with another target."""
        cdef Py_ssize_t begins = PyUnicode_GET_LENGTH(self.method) + 1
        cdef Py_ssize_t count = PyUnicode_GET_LENGTH(target)
        cdef Py_ssize_t rest = PyBytes_GET_SIZE(self.written) - self.rest
        cdef bytes made
        cdef char *octets
        if self.rest - begins == count and memcmp(PyBytes_AS_STRING(self.written) + begins,
                                                  PyUnicode_1BYTE_DATA(target), count) == 0:
            return self.written
        made = PyBytes_FromStringAndSize(NULL, begins + count + rest)
        octets = PyBytes_AS_STRING(made)
        memcpy(octets, PyBytes_AS_STRING(self.written), begins)
        memcpy(octets + begins, PyUnicode_1BYTE_DATA(target), count)
        memcpy(octets + begins + count, PyBytes_AS_STRING(self.written) + self.rest, rest)
        return made


cdef Repeat repeatable(Draft made, object method, object target, object headers, bint old_peer):
    """Return what to keep of a new request without a body; None if it is large or unusual."""
    cdef Repeat kept
    cdef tuple pairs
    cdef Py_ssize_t i
    if (made.config.forward_proxy or made.sends != SEND_NOTHING or PyTuple_GET_SIZE(made.output) != 1
            or PyBytes_GET_SIZE(<bytes>made.output[0]) > MOST_KEPT
            or type(headers) is not tuple or not is_text(method) or not is_plain(target)):
        return None
    pairs = <tuple>headers
    if PyTuple_GET_SIZE(pairs) > MOST_PAIRS:
        return None
    for i in range(PyTuple_GET_SIZE(pairs)):
        if not is_pair(pairs[i]):
            return None
    kept = Repeat.__new__(Repeat)
    kept.method = <str>method
    kept.headers = pairs
    kept.old_peer = old_peer
    kept.written = <bytes>made.output[0]
    kept.rest = PyUnicode_GET_LENGTH(<str>method) + 1 + PyUnicode_GET_LENGTH(<str>target)
    kept.asks = made.asks
    kept.protocols = made.protocols
    return kept
