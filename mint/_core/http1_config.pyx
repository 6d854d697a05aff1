# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The configuration of one HTTP/1 connection: origin, options, limits."""

cimport cython

from .fields cimport TOLERATE_ALL, authority, between, check_host, exact


@cython.final
cdef class Config:
    """Immutable and compared by content. It checks limits and what is written into requests."""

    def __init__(self, hostname, *, int port, scheme,
                 unsigned long long identity, str user_agent not None,
                 bint forward_proxy=False, tuple proxy_headers not None=(),
                 # arguments: made by ci/generated.py
                 frozenset sensitive not None=frozenset(), long long max_header_list_size=262144,
                 long long max_fields=512, long long max_status_line=8192,
                 long long max_informational=32, long long max_informational_size=262144,
                 long long max_trailer_size=16384, long long max_trailer_fields=64,
                 long long max_chunk_line=4096, long long max_pipelined=100, int tolerance=0,
                 bint case_sensitive_headers=False, bint skip_target_validation=False,
                 bint status_reason=False,
                 # end of arguments
                 ):
        self.user_agent = user_agent
        self.case_sensitive_headers = case_sensitive_headers
        self.name(exact(hostname), port, exact(scheme), identity)
        if not 0 <= tolerance <= TOLERATE_ALL:
            raise ValueError(f"tolerance must be from 0 to {TOLERATE_ALL}, not {tolerance}")
        self.forward_proxy = forward_proxy
        self.proxy_headers = proxy_headers
        # assignments: made by ci/generated.py
        self.sensitive = sensitive
        self.max_header_list_size = between("max_header_list_size", max_header_list_size, 1, 2147483647)
        self.max_fields = between("max_fields", max_fields, 1, 2147483647)
        self.max_status_line = between("max_status_line", max_status_line, 1, 2147483647)
        self.max_informational = between("max_informational", max_informational, 1, 2147483647)
        self.max_informational_size = between("max_informational_size", max_informational_size, 1, 2147483647)
        self.max_trailer_size = between("max_trailer_size", max_trailer_size, 1, 2147483647)
        self.max_trailer_fields = between("max_trailer_fields", max_trailer_fields, 1, 2147483647)
        self.max_chunk_line = between("max_chunk_line", max_chunk_line, 1, 2147483647)
        self.max_pipelined = between("max_pipelined", max_pipelined, 1, 2147483647)
        self.tolerance = tolerance
        self.case_sensitive_headers = case_sensitive_headers
        self.skip_target_validation = skip_target_validation
        self.status_reason = status_reason
        # end of assignments

    cdef int name(self, str hostname, int port, str scheme, unsigned long long identity) except -1:
        """Set the origin and the identity of the connection."""
        cdef str host_line
        if scheme not in ("http", "https"):
            raise ValueError(f"scheme must be 'http' or 'https', not {scheme!r}")
        if not 0 <= port <= 65535:
            raise ValueError(f"port must be from 0 to 65535, not {port}")
        check_host(hostname, self.user_agent)
        if not self.user_agent:
            raise ValueError(f"user agent {self.user_agent!r} cannot be sent in a field")
        self.hostname = hostname
        self.port = port
        self.scheme = scheme
        self.identity = identity
        self.authority = authority(hostname, port, scheme)
        host, agent = ("Host", "User-Agent") if self.case_sensitive_headers else ("host", "user-agent")
        host_line = f"{host}: {self.authority}\r\n"
        self.lines = f"{host_line}{agent}: {self.user_agent}\r\n".encode("latin-1")
        self.host_size = <int>len(host_line)
        return 0

    cdef tuple parts(self):
        return (self.hostname, self.port, self.scheme, self.identity, self.user_agent,
                self.forward_proxy, self.proxy_headers,
                # parts: made by ci/generated.py
                self.sensitive, self.max_header_list_size, self.max_fields, self.max_status_line,
                self.max_informational, self.max_informational_size, self.max_trailer_size,
                self.max_trailer_fields, self.max_chunk_line, self.max_pipelined, self.tolerance,
                self.case_sensitive_headers, self.skip_target_validation, self.status_reason,
                # end of parts
                )

    def __eq__(self, other):
        if type(other) is not Config:
            return NotImplemented
        return self is other or self.parts() == (<Config>other).parts()

    def __hash__(self):
        return hash(self.parts())

    def __repr__(self):
        return f"Config({self.scheme}://{self.authority}, identity={self.identity})"


def renamed(Config usual not None, hostname, int port, scheme, unsigned long long identity):
    """Return the same options and limits for another connection, without checking them again."""
    cdef Config made = Config.__new__(Config)
    made.user_agent = usual.user_agent
    # copies: made by ci/generated.py
    made.sensitive = usual.sensitive
    made.max_header_list_size = usual.max_header_list_size
    made.max_fields = usual.max_fields
    made.max_status_line = usual.max_status_line
    made.max_informational = usual.max_informational
    made.max_informational_size = usual.max_informational_size
    made.max_trailer_size = usual.max_trailer_size
    made.max_trailer_fields = usual.max_trailer_fields
    made.max_chunk_line = usual.max_chunk_line
    made.max_pipelined = usual.max_pipelined
    made.tolerance = usual.tolerance
    made.case_sensitive_headers = usual.case_sensitive_headers
    made.skip_target_validation = usual.skip_target_validation
    made.status_reason = usual.status_reason
    # end of copies
    made.forward_proxy = usual.forward_proxy
    made.proxy_headers = usual.proxy_headers
    made.name(exact(hostname), port, exact(scheme), identity)
    return made
