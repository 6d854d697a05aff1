# Rules about methods, targets, field names and values that both protocols share.
from .faults cimport Fault

cdef Fault method_fault(str method)
cdef Fault target_fault(str method, str target, bint unchecked)
cdef int check_pairs(object headers) except -1   # TypeError for a mapping
cdef bytes name_octets(str name)                      # in lower case; None where it is no token
cdef object line_octets(str name, str value, bint keep_case)   # bytes with CRLF, or a Fault
cdef bint name_is_sensitive(str name) except -1      # lower-case names, here and below
cdef bint name_is_connection_specific(str name) except -1
cdef bint name_is_forbidden_in_trailers(str name) except -1
cdef Fault value_fault(str name, str value)           # "invalid_header_value", secrets left out
cdef long long parse_length(const unsigned char *octets, Py_ssize_t count) noexcept nogil
cdef str show(object octets)                          # latin-1 text of peer octets, cut at 200
cdef int check_host(str hostname, str user_agent) except -1   # ValueError where one may not be sent
cpdef str authority(str hostname, int port, str scheme)
