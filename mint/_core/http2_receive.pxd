# Parsing the octets of the server into frames, and dispatching the frames.
from .events cimport Step
from .http2_state cimport Core

cdef Step receive(Core before, bytes data)
cdef Step receive_eof(Core before)
