# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""What one HTTP/1 connection was told when it was made: origin, options, limits."""

cimport cython

from .fields cimport TOLERATE_ALL, authority, check_host, exact


@cython.final
cdef class Config:
    """Immutable, compared by content. The facade checks options; this checks what reaches the wire."""

    def __init__(self, hostname, *, int port, scheme,
                 unsigned long long identity, str user_agent not None,
                 bint case_sensitive_headers=False, bint skip_target_validation=False,
                 int tolerance=0, bint status_reason=False,
                 Py_ssize_t max_header_list_size=262144, Py_ssize_t max_fields=512,
                 Py_ssize_t max_status_line=8192, Py_ssize_t max_informational=32,
                 Py_ssize_t max_informational_size=262144, Py_ssize_t max_trailer_size=16384,
                 Py_ssize_t max_trailer_fields=64, Py_ssize_t max_chunk_line=4096,
                 Py_ssize_t max_pipelined=100, bint forward_proxy=False,
                 tuple proxy_headers not None=(), frozenset sensitive not None=frozenset()):
        self.user_agent = user_agent
        self.case_sensitive_headers = case_sensitive_headers
        self.name(exact(hostname), port, exact(scheme), identity)
        if min(max_header_list_size, max_fields, max_status_line, max_informational,
               max_informational_size, max_trailer_size, max_trailer_fields, max_chunk_line,
               max_pipelined) < 1:
            raise ValueError("limits are at least 1")
        if not 0 <= tolerance <= TOLERATE_ALL:
            raise ValueError(f"tolerance {tolerance} has bits that mean nothing")
        self.skip_target_validation = skip_target_validation
        self.tolerance = tolerance
        self.status_reason = status_reason
        self.forward_proxy = forward_proxy
        self.proxy_headers = proxy_headers
        self.sensitive = sensitive
        self.max_header_list_size = max_header_list_size
        self.max_fields = max_fields
        self.max_status_line = max_status_line
        self.max_informational = max_informational
        self.max_informational_size = max_informational_size
        self.max_trailer_size = max_trailer_size
        self.max_trailer_fields = max_trailer_fields
        self.max_chunk_line = max_chunk_line
        self.max_pipelined = max_pipelined

    cdef int name(self, str hostname, int port, str scheme, unsigned long long identity) except -1:
        """Say which connection it is of."""
        cdef str host_line
        if scheme not in ("http", "https"):
            raise ValueError(f"scheme is {scheme!r}, not http or https")
        if not 0 <= port <= 65535:
            raise ValueError(f"port {port} is not between 0 and 65535")
        check_host(hostname, self.user_agent)
        if not self.user_agent:
            raise ValueError(f"user agent {self.user_agent!r} cannot stand in a field")
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
                self.case_sensitive_headers, self.skip_target_validation, self.tolerance,
                self.status_reason, self.forward_proxy, self.proxy_headers,
                self.max_header_list_size, self.max_fields, self.max_status_line,
                self.max_informational, self.max_informational_size, self.max_trailer_size,
                self.max_trailer_fields, self.max_chunk_line, self.max_pipelined, self.sensitive)

    def __eq__(self, other):
        if type(other) is not Config:
            return NotImplemented
        return self is other or self.parts() == (<Config>other).parts()

    def __hash__(self):
        return hash(self.parts())

    def __repr__(self):
        return f"Config({self.scheme}://{self.authority}, identity={self.identity})"


def renamed(Config usual not None, hostname, int port, scheme, unsigned long long identity):
    """Return the same options and limits for another connection, without checking them anew."""
    cdef Config made = Config.__new__(Config)
    made.user_agent = usual.user_agent
    made.case_sensitive_headers = usual.case_sensitive_headers
    made.skip_target_validation = usual.skip_target_validation
    made.tolerance = usual.tolerance
    made.status_reason = usual.status_reason
    made.forward_proxy = usual.forward_proxy
    made.proxy_headers = usual.proxy_headers
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
    made.name(exact(hostname), port, exact(scheme), identity)
    return made
