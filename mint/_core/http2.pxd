# The HTTP/2 engine: the state with its operations.
from .http2_state cimport Core


cdef class State(Core):
    pass
