# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Successors of frozen dataclasses, such as the connection classes, made without their `__init__`.

A connection has a dozen slots, and every operation makes a new connection value. The generated `__init__`
would cost more than the protocol work. `Slots` copies the slots of one class by offset and writes the few
that change. The class must keep all its attributes in slots; `Slots` checks that when it is created.
"""

cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF, Py_XINCREF

cdef extern from *:
    """
    #include <structmember.h>
    static Py_ssize_t mint_slot_offset(PyObject *descriptor) {
        if (!PyObject_TypeCheck(descriptor, &PyMemberDescr_Type)) return -1;
        return ((PyMemberDescrObject *)descriptor)->d_member->offset;
    }
    static PyObject *mint_alloc(PyObject *type) {
        return ((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 0);
    }
    """
    Py_ssize_t mint_slot_offset(PyObject *descriptor)
    object mint_alloc(PyObject *type)


@cython.final
cdef class Slots:
    """Makes successors of the values of one class with slots."""

    def __init__(self, type owner not None, str state not None, str generation not None):
        cdef Py_ssize_t offset
        if owner.__dictoffset__:
            raise TypeError(f"{owner.__name__} has a __dict__: its values cannot be copied by slot")
        self.owner = owner
        self.places = {}
        for base in owner.__mro__:
            for name in base.__dict__.get("__slots__", ()):
                if name == "__weakref__":
                    continue
                if self.count == MOST_SLOTS:
                    raise TypeError(f"{owner.__name__} has more than {MOST_SLOTS} slots")
                member = base.__dict__[name]
                offset = mint_slot_offset(<PyObject *>member)
                if offset < 0:
                    raise TypeError(f"{owner.__name__}.{name} is not a slot")
                self.places[name] = self.count
                self.offsets[self.count] = offset
                self.count += 1
        self.state = self.places[state]
        self.generation = self.places[generation]

    cdef object copied(self, object value):
        cdef object fresh
        cdef Py_ssize_t i
        cdef PyObject *held
        if type(value) is not self.owner:
            raise TypeError(f"the value must be a {self.owner.__name__}")
        fresh = mint_alloc(<PyObject *>self.owner)
        for i in range(self.count):
            held = (<PyObject **>(<char *><PyObject *>value + self.offsets[i]))[0]
            Py_XINCREF(held)
            (<PyObject **>(<char *><PyObject *>fresh + self.offsets[i]))[0] = held
        return fresh

    cdef int put(self, object fresh, Py_ssize_t place, object value) except -1:
        cdef PyObject **slot = <PyObject **>(<char *><PyObject *>fresh + self.offsets[place])
        cdef PyObject *before = slot[0]
        Py_INCREF(value)
        slot[0] = <PyObject *>value
        Py_XDECREF(before)
        return 0

    cdef object begun(self, object state, object generation):
        """Return a value with only these two slots set."""
        cdef object fresh = mint_alloc(<PyObject *>self.owner)
        self.put(fresh, self.state, state)
        self.put(fresh, self.generation, generation)
        return fresh

    def make(self, type owner, *contents):
        """Return a value of the class with these contents in its slots, in the order of the slots."""
        cdef object fresh
        cdef Py_ssize_t i
        if owner is not self.owner or len(contents) != self.count:
            raise TypeError(f"the values must be {self.count}, one for each slot of {self.owner.__name__}")
        fresh = mint_alloc(<PyObject *>self.owner)
        for i in range(self.count):
            self.put(fresh, i, contents[i])
        return fresh

    cpdef object succeed(self, value, state, generation):
        """Return a copy of the value with another state and generation; everything else is shared."""
        cdef object fresh = self.copied(value)
        self.put(fresh, self.state, state)
        self.put(fresh, self.generation, generation)
        return fresh

    def replace(self, value, str name not None, content):
        """Return a copy of the value with one slot changed."""
        cdef object fresh = self.copied(value)
        self.put(fresh, self.places[name], content)
        return fresh
