# Field blocks of the server: response heads, trailers and promises.
from .http2_state cimport Work
from .streams cimport Stream

cdef int on_block(Work w, int id, int promised, bint ends, const unsigned char *block,
                  Py_ssize_t count) except -1
# END_STREAM of the server.
cdef int on_end(Work w, int id, Stream *stream) except -1
