# The configuration of one HTTP/1 connection, which never changes.


cdef class Config:
    cdef readonly str hostname                  # of the origin; "" if it has none
    cdef readonly str scheme                    # "http" or "https"
    cdef readonly unsigned long long identity   # the connection in every RequestRef
    cdef readonly str user_agent                # sent unless the caller sends one
    cdef readonly tuple proxy_headers           # pairs for every request, with forward_proxy
    # options: made by ci/generated.py
    cdef readonly frozenset sensitive                # from sensitive_headers
    cdef readonly Py_ssize_t max_header_list_size    # octets, 1 to 2**31 - 1
    cdef readonly Py_ssize_t max_fields              # fields, 1 to 2**31 - 1
    cdef readonly Py_ssize_t max_status_line         # octets, 1 to 2**31 - 1
    cdef readonly Py_ssize_t max_informational       # responses, 1 to 2**31 - 1
    cdef readonly Py_ssize_t max_informational_size  # octets, 1 to 2**31 - 1
    cdef readonly Py_ssize_t max_trailer_size        # octets, 1 to 2**31 - 1
    cdef readonly Py_ssize_t max_trailer_fields      # fields, 1 to 2**31 - 1
    cdef readonly Py_ssize_t max_chunk_line          # octets, 1 to 2**31 - 1
    cdef readonly Py_ssize_t max_pipelined           # requests, 1 to 2**31 - 1
    cdef readonly int tolerance                      # from lenient
    cdef readonly bint case_sensitive_headers
    cdef readonly bint skip_target_validation
    cdef readonly bint status_reason                 # from optional_responses
    # end of options
    # The small fields are together, so that there is no padding between them and a value stays small.
    cdef readonly int port                      # of the origin; 0: a socket without ports
    cdef int host_size                          # octets of the Host field in `lines`
    cdef readonly bint forward_proxy            # targets in absolute-form (9112-3.2.2-a)
    # Derived from the fields above.
    cdef str authority                          # host[:port]
    cdef bytes lines                            # the default Host and User-Agent fields, as they are sent

    cdef int name(self, str hostname, int port, str scheme, unsigned long long identity) except -1
    cdef tuple parts(self)
