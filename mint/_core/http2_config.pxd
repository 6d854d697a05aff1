# The configuration of an HTTP/2 connection, which never changes: names, settings, limits.

cdef enum:
    UNLIMITED = 0xFFFFFFFF        # a setting without a value


cdef class Config:
    cdef readonly str hostname            # of the origin; part of :authority
    cdef readonly int port
    cdef readonly str scheme              # "http" or "https"
    cdef readonly unsigned long long identity      # the connection in every RequestRef
    cdef readonly str user_agent          # sent unless the caller gives one; "": never
    cdef readonly tuple settings          # of (name, value): the first SETTINGS, in this order
    # options: made by ci/generated.py
    cdef readonly frozenset sensitive            # from sensitive_headers
    cdef readonly int connection_window_size     # octets, 65,535 to 2**31 - 1
    cdef readonly int window_update_threshold    # octets, 1 to 2**31 - 1
    cdef readonly int tolerance                  # from lenient
    cdef readonly int events                     # from optional_responses
    cdef readonly int max_fields                 # fields, 1 to 2**31 - 1
    cdef readonly int max_discarded_header_list  # octets, 1 to 2**31 - 1
    cdef readonly int max_header_block           # octets, 1 to 2**31 - 1
    cdef readonly int max_continuations          # frames, 1 to 2**31 - 1
    cdef readonly int max_settings               # entries, 10 to 2**31 - 1
    cdef readonly int max_unsent_acks            # answers, 1 to 2**31 - 1
    cdef readonly int max_glitches               # frames, 1 to 2**31 - 1
    cdef readonly int max_resets                 # streams, 1 to 2**31 - 1
    cdef readonly int max_reserved               # streams, 1 to 2**31 - 1
    cdef readonly int max_remembered             # streams, 0 to 2**31 - 1
    cdef readonly int max_informational          # responses, 1 to 2**31 - 1
    cdef readonly int max_informational_size     # octets, 1 to 2**31 - 1
    cdef readonly int max_trailer_size           # octets, 1 to 2**31 - 1
    cdef readonly int max_trailer_fields         # fields, 1 to 2**31 - 1
    cdef readonly int max_pings                  # pings, 1 to 2**31 - 1
    cdef readonly int assumed_concurrency        # requests, 1 to 2**31 - 1
    cdef readonly bint skip_target_validation
    cdef readonly bint index_credentials
    # end of options
    cdef readonly int first_stream        # id of the first request; odd
    cdef readonly str authority           # the value of :authority, derived
    cdef frozenset extra_sensitive        # `sensitive`, or None if it is empty: for the encoder
    cdef tuple checked                    # the settings as (identifier, value) pairs
    cdef bytes opening                    # the first octets of the connection
    cdef tuple pseudo                     # the pairs of :scheme, :authority, and user-agent or None

    cdef int name(self, str hostname, int port, str scheme, unsigned long long identity) except -1
    cdef tuple parts(self)


# The (identifier, value) pairs of settings given by name; ValueError for what must not be sent.
cdef tuple checked_settings(object settings)
cdef int setting_id(str name, bint of_server) except -1
cdef str setting_name(int identifier)
