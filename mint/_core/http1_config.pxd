# What one HTTP/1 connection was told when it was made. Never changes.


cdef class Config:
    cdef readonly str hostname                  # of the origin; "" where it has none
    cdef readonly str scheme                    # "http" or "https"
    cdef readonly unsigned long long identity   # the connection in every RequestRef
    cdef readonly str user_agent                # sent unless the caller sends one
    # The small ones stand together, so that none is padded: a value is to be small.
    cdef readonly int port                      # of the origin; 0: a socket without ports
    cdef int host_size                          # octets of the Host field in `lines`
    cdef readonly bint case_sensitive_headers   # names go out as the caller spells them
    cdef readonly bint skip_target_validation   # the way out of 9112-3.2
    cdef readonly int tolerance                 # TOLERATE_ bits: rules that are relaxed for servers
    cdef readonly bint status_reason            # StatusReason events are wanted
    cdef readonly bint forward_proxy            # targets in absolute-form (9112-3.2.2-a)
    cdef readonly tuple proxy_headers           # pairs for every request, with forward_proxy
    cdef readonly frozenset sensitive           # lower-case names of secrets, beside the known
    # Limits; octets unless it says fields, responses or requests.
    cdef readonly Py_ssize_t max_header_list_size   # header section with line ends
    cdef readonly Py_ssize_t max_fields             # field lines of it, folds counted
    cdef readonly Py_ssize_t max_status_line        # with its line end
    cdef readonly Py_ssize_t max_informational      # 1xx responses to one request
    cdef readonly Py_ssize_t max_informational_size # their heads together
    cdef readonly Py_ssize_t max_trailer_size       # trailer section with line ends
    cdef readonly Py_ssize_t max_trailer_fields
    cdef readonly Py_ssize_t max_chunk_line         # with its line end
    cdef readonly Py_ssize_t max_pipelined          # requests without a complete response
    # Made once from the above.
    cdef str authority                          # host[:port]
    cdef bytes lines                            # the default Host and User-Agent fields, as they are sent

    cdef int name(self, str hostname, int port, str scheme, unsigned long long identity) except -1
    cdef tuple parts(self)
