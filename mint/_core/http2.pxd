# The HTTP/2 engine: the state with its verbs.
from .http2_state cimport Core


cdef class State(Core):
    pass
