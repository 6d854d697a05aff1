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
        hostname = exact(hostname)
        scheme = exact(scheme)
        if scheme not in ("http", "https"):
            raise ValueError(f"scheme is {scheme!r}, not http or https")
        if not 0 <= port <= 65535:
            raise ValueError(f"port {port} is not between 0 and 65535")
        check_host(hostname, user_agent)
        if not user_agent:
            raise ValueError(f"user agent {user_agent!r} cannot stand in a field")
        if min(max_header_list_size, max_fields, max_status_line, max_informational,
               max_informational_size, max_trailer_size, max_trailer_fields, max_chunk_line,
               max_pipelined) < 1:
            raise ValueError("limits are at least 1")
        if not 0 <= tolerance <= TOLERATE_ALL:
            raise ValueError(f"tolerance {tolerance} has bits that mean nothing")
        self.hostname = hostname
        self.port = port
        self.scheme = scheme
        self.identity = identity
        self.user_agent = user_agent
        self.case_sensitive_headers = case_sensitive_headers
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
        self.authority = authority(hostname, port, scheme)
        host, agent = ("Host", "User-Agent") if case_sensitive_headers else ("host", "user-agent")
        host_line = f"{host}: {self.authority}\r\n"
        self.lines = f"{host_line}{agent}: {user_agent}\r\n".encode("latin-1")
        self.host_size = <int>len(host_line)

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
