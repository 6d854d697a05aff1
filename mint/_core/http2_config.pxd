# What is fixed about an HTTP/2 connection before its first octet: names, settings, limits.

cdef enum:
    UNLIMITED = 0xFFFFFFFF        # a setting without a value


cdef class Config:
    cdef readonly str hostname            # of the origin; part of :authority
    cdef readonly int port
    cdef readonly str scheme              # "http" or "https"
    cdef readonly unsigned long long identity      # of every RequestRef
    cdef readonly str user_agent          # added where the caller gives none; "": never
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
    cdef readonly str authority           # of :authority, derived
    cdef frozenset extra_sensitive        # the same, None where it is empty: for the encoder
    cdef tuple checked                    # the settings as (identifier, value) pairs
    cdef bytes opening                    # the first octets of the connection
    cdef tuple pseudo                     # pairs made once: (:scheme, :authority, user-agent or None)

    cdef int name(self, str hostname, int port, str scheme, unsigned long long identity) except -1
    cdef tuple parts(self)


# (identifier, value) pairs of settings by name; ValueError for what may not be sent.
cdef tuple checked_settings(object settings)
cdef int setting_id(str name, bint of_server) except -1
cdef str setting_name(int identifier)
