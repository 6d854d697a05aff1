# Frames that concern the connection or the state of a stream, but carry no message.
from libc.stdint cimport uint32_t

from .http2_state cimport Core, Work

cdef int on_settings(Work w, const unsigned char *payload, int count) except -1
cdef int on_settings_ack(Work w) except -1
cdef int on_ping(Work w, const unsigned char *payload, int flags) except -1
cdef int on_goaway(Work w, const unsigned char *payload, int count) except -1
cdef int on_window_update(Work w, int id, int increment) except -1
cdef int on_rst_stream(Work w, int id, uint32_t code) except -1
cdef int raise_allowed(Core core) except -1      # after `pending` changed
