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
    cdef readonly int connection_window_size       # octets, 65 535 or more
    cdef readonly int window_update_threshold      # octets left at which a window is refilled
    cdef readonly int max_fields                   # in one header list, crumbs counted
    cdef readonly int max_discarded_header_list    # octets of one that is too large, decoded
    cdef readonly int max_header_block             # octets of one field block as it comes
    cdef readonly int max_continuations            # frames of one field block
    cdef readonly int max_settings                 # entries of one SETTINGS frame
    cdef readonly int max_unsent_acks              # answers waiting for a peer that does not read
    cdef readonly int max_glitches                 # frames that nobody asked for; time takes them back
    cdef readonly int max_resets                   # streams that ended by the peer's fault; the same
    cdef readonly int max_reserved                 # promised streams without a response yet
    cdef readonly int max_remembered               # streams we have reset, to drop what comes late
    cdef readonly int max_informational            # interim responses to one request
    cdef readonly int max_informational_size       # octets of them, decoded
    cdef readonly int max_trailer_size             # octets of a trailer section, decoded
    cdef readonly int max_trailer_fields
    cdef readonly int max_pings                    # pings of ours without an answer
    cdef readonly int assumed_concurrency          # streams we open before the server's SETTINGS
    cdef readonly int first_stream                 # id of the first request; odd
    cdef readonly bint skip_target_validation      # the way out of 9113-8.3.1
    cdef readonly int tolerance           # TOLERATE_ bits: rules that are relaxed for servers
    cdef readonly frozenset sensitive     # lower-case names that are never indexed, beside the known
    cdef readonly bint index_credentials  # long bearer tokens may be put into the encoder's table
    cdef readonly int events              # EVENT_ bits: what is reported of the connection
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
