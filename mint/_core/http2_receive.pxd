# Octets of the server to frames, frames to what they mean.
from .events cimport Step
from .http2_state cimport Core

cdef Step receive(Core before, bytes data)
cdef Step receive_eof(Core before)
