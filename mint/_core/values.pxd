# Makes successors of frozen dataclasses with slots, such as the connection classes, slot by slot.

cdef enum:
    MOST_SLOTS = 32


cdef class Slots:
    cdef type owner
    cdef Py_ssize_t count
    cdef Py_ssize_t[MOST_SLOTS] offsets   # of each slot, in octets from the start of a value
    cdef dict places                      # name of a slot -> its position in offsets
    cdef Py_ssize_t state                 # positions in offsets
    cdef Py_ssize_t generation

    cdef object copied(self, object value)
    cdef object begun(self, object state, object generation)
    cdef int put(self, object fresh, Py_ssize_t place, object value) except -1
    cpdef object succeed(self, value, state, generation)
