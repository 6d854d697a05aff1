# Rules about methods, targets, field names and values that both protocols share.
from .faults cimport Fault

# Why a value is refused although its octets are allowed; `errors.table` has the messages.
cdef enum:
    WHY_OCTETS = 0
    WHY_NO_HOST = 1
    WHY_OTHER_HOST = 2
    WHY_CHUNKED_IN_TE = 3
    WHY_NOT_TRAILERS = 4
    WHY_END_TO_END = 5
    WHY_NO_PROTOCOL = 6

# What is tolerated from servers that break a rule; the bits of TOLERANCES, in that order.
cdef enum:
    # tolerances: made by ci/generated.py
    TOLERATE_BARE_LF = 1
    TOLERATE_SPACE_BEFORE_COLON = 2
    TOLERATE_NON_FIELD_LINES = 4
    TOLERATE_CONTROL_CHARACTERS = 8
    TOLERATE_SURROUNDING_WHITESPACE = 16
    TOLERATE_REPEATED_CHUNKED = 32
    TOLERATE_LENGTH_BESIDE_CHUNKED = 64
    TOLERATE_STATUS_LINE_WHITESPACE = 128
    TOLERATE_IDENTITY_CODING = 256
    TOLERATE_MALFORMED_CONNECTION = 512
    TOLERATE_EMPTY_LINES = 1024
    TOLERATE_CHUNK_SIZE_WHITESPACE = 2048
    TOLERATE_ALL = 4095
    # end of tolerances

cdef tuple pair_of(object item)                          # TypeError if it is not a pair of str
cdef str named_text(str name, object text)
cdef str exact(object text)                           # TypeError if it is not a str
cdef Fault method_fault(str method)
cdef Fault target_fault(str method, str target, bint unchecked)
cdef int check_pairs(object headers) except -1   # TypeError for a mapping
cdef bytes name_octets(str name)                      # in lower case; None if it is not a token
cdef object line_octets(str name, str value, bint keep_case)   # bytes with CRLF, or a Fault
cdef bint name_is_sensitive(str name) except -1      # lower-case names, here and below
cdef bint name_is_connection_specific(str name) except -1
cdef bint name_is_forbidden_in_trailers(str name) except -1
cdef Fault name_fault(str name)                       # "invalid_header_name", with the octet at fault
cdef Fault value_fault(str name, str value)           # "invalid_header_value", secrets left out
cdef Fault without_secret(Fault refused, frozenset secret)   # `secret`: names that the caller declared
cdef Fault unfitting(str name, str value, int why)   # the same, if the octets are allowed
cdef bint seems_secret(str text, frozenset secret) except -1   # however the name is spelled
cdef str shown_name(str name, frozenset secret)       # a name that may be invalid, for faults and notes
cdef str shown_target(str target)                     # without credentials
cdef long long parse_length(const unsigned char *octets, Py_ssize_t count) noexcept nogil
cdef str show(object octets)                          # octets of the peer as latin-1 text, at most 200
cdef int out_of_range(str name, long long value, long long least, long long most) except -1
cdef int check_host(str hostname, str user_agent) except -1   # ValueError if one may not be sent
cpdef str authority(str hostname, int port, str scheme)


cdef inline int between(str name, long long value, long long least, long long most) except -1:
    # Return a limit if it is in its range. Inline, because a connection checks some twenty limits.
    if least <= value <= most:
        return <int>value
    return out_of_range(name, value, least, most)
