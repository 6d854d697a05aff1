# Append-only logs that successive states share. A state holds a log and its own window of it.


cdef class ByteLog:
    cdef unsigned char *octets     # owned; never moves, so it is valid while the log is referenced
    cdef Py_ssize_t used           # octets appended so far, by the newest state
    cdef Py_ssize_t room           # octets allocated; never changes


cdef struct Window:
    Py_ssize_t start               # first live octet of this state
    Py_ssize_t end                 # one past the last

# Append to the window and move it; return the log that holds it now (another one for a fork).
cdef ByteLog log_append(ByteLog log, Window *window, const unsigned char *piece, Py_ssize_t count)

cdef bint same_octets(ByteLog one, const Window *its, ByteLog two, const Window *other) noexcept


cdef class ListLog:
    cdef list items                # objects appended so far, by the newest state

# Append to the first `count` items; return the log that holds the `count + 1` items now.
cdef ListLog list_append(ListLog log, Py_ssize_t count, object item)
