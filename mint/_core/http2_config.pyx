# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The configuration of an HTTP/2 connection: names, settings, limits. It is checked when it is made.

It never changes while the connection exists. RFC 9113 6.5.2, RFC 8441 3.
"""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t

from .events cimport EVENTS_ALL
from .fields cimport TOLERATE_ALL, authority, between, check_host, exact
from .flow cimport DEFAULT_WINDOW
from .frames cimport (SET_ENABLE_CONNECT_PROTOCOL, SET_ENABLE_PUSH, SET_HEADER_TABLE_SIZE,
                      SET_INITIAL_WINDOW_SIZE, SET_MAX_CONCURRENT_STREAMS, SET_MAX_FRAME_SIZE,
                      SET_MAX_HEADER_LIST_SIZE,
                      SET_NO_RFC7540_PRIORITIES, WINDOW_UPDATE, frame, settings_frame, write_u32)

PREFACE: bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

cdef enum:
    CONNECTION_WINDOW = 16777216  # octets

# Identifier, least and most value of each setting that a client may send, by name (RFC 9113 6.5.2); and the
# defaults: no push, large windows, and a limit for heads, which bounds what a response takes (9113-6.5.2-h).
# settings: made by ci/generated.py
CLIENT_SETTINGS: dict = {
    "header_table_size": (1, 0, 65536),
    "enable_push": (2, 0, 1),
    "max_concurrent_streams": (3, 0, 4294967295),
    "initial_window_size": (4, 0, 2147483647),
    "max_frame_size": (5, 16384, 16777215),
    "max_header_list_size": (6, 1, 2147483647),
    "no_rfc7540_priorities": (9, 0, 1),
}

DEFAULT_SETTINGS: tuple = (
    ("enable_push", 0),
    ("initial_window_size", 4194304),
    ("max_header_list_size", 262144),
)
# end of settings

SERVER_SETTINGS: dict = {
    "header_table_size": SET_HEADER_TABLE_SIZE,
    "enable_push": SET_ENABLE_PUSH,
    "max_concurrent_streams": SET_MAX_CONCURRENT_STREAMS,
    "initial_window_size": SET_INITIAL_WINDOW_SIZE,
    "max_frame_size": SET_MAX_FRAME_SIZE,
    "max_header_list_size": SET_MAX_HEADER_LIST_SIZE,
    "enable_connect_protocol": SET_ENABLE_CONNECT_PROTOCOL,
    "no_rfc7540_priorities": SET_NO_RFC7540_PRIORITIES,
}
NAMES_OF_SETTINGS: dict = {identifier: name for name, identifier in SERVER_SETTINGS.items()}


cdef tuple checked_settings(object settings):
    cdef list made = []
    cdef str name
    for name, value in settings:
        if name not in CLIENT_SETTINGS:
            raise ValueError(f"settings of a client do not include {name!r}")
        identifier, least, most = CLIENT_SETTINGS[name]
        if not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"{name} must be from {least} to {most}, not {value!r}")
        made.append((identifier, int(value)))
    return tuple(made)


cdef bytes opening(tuple checked, int window):
    """Return what a client sends first: the preface, its SETTINGS, the connection window (9113-3.4-a)."""
    cdef unsigned char[4] octets
    cdef bytes made = PREFACE + settings_frame(checked)
    if window == DEFAULT_WINDOW:
        return made
    write_u32(octets, <uint32_t>(window - DEFAULT_WINDOW))
    return made + frame(WINDOW_UPDATE, 0, 0, PyBytes_FromStringAndSize(<char *>octets, 4))


# The usual opening, made once.
DEFAULT_CHECKED: tuple = checked_settings(DEFAULT_SETTINGS)
DEFAULT_OPENING: bytes = opening(DEFAULT_CHECKED, CONNECTION_WINDOW)


cdef int setting_id(str name, bint of_server) except -1:
    cdef dict known = SERVER_SETTINGS if of_server else CLIENT_SETTINGS
    if name not in known:
        raise ValueError(f"settings of a {'server' if of_server else 'client'} do not include {name!r}")
    return known[name] if of_server else known[name][0]


cdef str setting_name(int identifier):
    """Return the name of a setting of the server, or its number if mint does not know it."""
    return NAMES_OF_SETTINGS.get(identifier) or f"0x{identifier:04x}"


@cython.final
cdef class Config:
    """The configuration of a connection; settings have snake_case names."""

    def __init__(self, hostname, *, int port, scheme,
                 unsigned long long identity, str user_agent not None, settings=(),
                 long long first_stream=1,
                 # arguments: made by ci/generated.py
                 frozenset sensitive not None=frozenset(), long long connection_window_size=16777216,
                 long long window_update_threshold=160000, int tolerance=0, int events=0,
                 long long max_fields=512, long long max_discarded_header_list=1048576,
                 long long max_header_block=524288, long long max_continuations=16,
                 long long max_settings=32, long long max_unsent_acks=1000,
                 long long max_glitches=10000, long long max_resets=1000, long long max_reserved=100,
                 long long max_remembered=1024, long long max_informational=10000,
                 long long max_informational_size=4194304, long long max_trailer_size=16384,
                 long long max_trailer_fields=64, long long max_pings=1000,
                 long long assumed_concurrency=100, bint skip_target_validation=False,
                 bint index_credentials=False,
                 # end of arguments
                 ):
        cdef tuple given = tuple(settings)
        cdef dict named
        self.user_agent = user_agent
        self.name(exact(hostname), port, exact(scheme), identity)
        if not 0 <= tolerance <= TOLERATE_ALL:
            raise ValueError(f"tolerance must be from 0 to {TOLERATE_ALL}, not {tolerance}")
        if not 0 <= events <= EVENTS_ALL:
            raise ValueError(f"events {events} has bits that mean nothing")
        # assignments: made by ci/generated.py
        self.sensitive = sensitive
        self.connection_window_size = between("connection_window_size", connection_window_size,
                                              65535, 2147483647)
        self.window_update_threshold = between("window_update_threshold", window_update_threshold,
                                               1, 2147483647)
        self.tolerance = tolerance
        self.events = events
        self.max_fields = between("max_fields", max_fields, 1, 2147483647)
        self.max_discarded_header_list = between("max_discarded_header_list", max_discarded_header_list,
                                                 1, 2147483647)
        self.max_header_block = between("max_header_block", max_header_block, 1, 2147483647)
        self.max_continuations = between("max_continuations", max_continuations, 1, 2147483647)
        self.max_settings = between("max_settings", max_settings, 10, 2147483647)
        self.max_unsent_acks = between("max_unsent_acks", max_unsent_acks, 1, 2147483647)
        self.max_glitches = between("max_glitches", max_glitches, 1, 2147483647)
        self.max_resets = between("max_resets", max_resets, 1, 2147483647)
        self.max_reserved = between("max_reserved", max_reserved, 1, 2147483647)
        self.max_remembered = between("max_remembered", max_remembered, 0, 2147483647)
        self.max_informational = between("max_informational", max_informational, 1, 2147483647)
        self.max_informational_size = between("max_informational_size", max_informational_size, 1, 2147483647)
        self.max_trailer_size = between("max_trailer_size", max_trailer_size, 1, 2147483647)
        self.max_trailer_fields = between("max_trailer_fields", max_trailer_fields, 1, 2147483647)
        self.max_pings = between("max_pings", max_pings, 1, 2147483647)
        self.assumed_concurrency = between("assumed_concurrency", assumed_concurrency, 1, 2147483647)
        self.skip_target_validation = skip_target_validation
        self.index_credentials = index_credentials
        # end of assignments
        if ((given and given != DEFAULT_SETTINGS)
                or self.connection_window_size != CONNECTION_WINDOW):
            named = dict(given)
            if len(named) != len(given):
                raise ValueError("settings must not contain a name twice")
            self.settings = tuple([pair for pair in DEFAULT_SETTINGS if pair[0] not in named]) + given
            self.checked = checked_settings(self.settings)
            self.opening = opening(self.checked, self.connection_window_size)
        else:
            self.settings = DEFAULT_SETTINGS
            self.checked = DEFAULT_CHECKED
            self.opening = DEFAULT_OPENING
        self.first_stream = between("first_stream", first_stream, 1, 0x7FFFFFFF)
        if not self.first_stream & 1:
            raise ValueError("first_stream must be odd")
        self.extra_sensitive = sensitive if sensitive else None

    cdef int name(self, str hostname, int port, str scheme, unsigned long long identity) except -1:
        """Set the origin and the identity of the connection."""
        if scheme not in ("http", "https"):
            raise ValueError(f"scheme must be 'http' or 'https', not {scheme!r}")
        check_host(hostname, self.user_agent)
        if not hostname:
            raise ValueError("hostname must not be empty: a request needs an authority")
        if not 0 <= port <= 65535:
            raise ValueError(f"port must be from 0 to 65535, not {port}")
        self.hostname = hostname
        self.port = port
        self.scheme = scheme
        self.identity = identity
        self.authority = authority(hostname, port, scheme)
        self.pseudo = ((":scheme", scheme), (":authority", self.authority),
                       ("user-agent", self.user_agent) if self.user_agent else None)
        return 0

    cdef tuple parts(self):
        return (self.hostname, self.port, self.scheme, self.identity, self.user_agent, self.settings,
                self.first_stream,
                # parts: made by ci/generated.py
                self.sensitive, self.connection_window_size, self.window_update_threshold,
                self.tolerance, self.events, self.max_fields, self.max_discarded_header_list,
                self.max_header_block, self.max_continuations, self.max_settings,
                self.max_unsent_acks, self.max_glitches, self.max_resets, self.max_reserved,
                self.max_remembered, self.max_informational, self.max_informational_size,
                self.max_trailer_size, self.max_trailer_fields, self.max_pings,
                self.assumed_concurrency, self.skip_target_validation, self.index_credentials,
                # end of parts
                )

    def __eq__(self, other):
        if type(other) is not Config:
            return NotImplemented
        return self is other or self.parts() == (<Config>other).parts()

    def __hash__(self):
        return hash(self.parts())


def renamed(Config usual not None, hostname, int port, scheme, unsigned long long identity):
    """Return the same options and limits for another connection, without checking them again."""
    cdef Config made = Config.__new__(Config)
    made.user_agent = usual.user_agent
    made.settings = usual.settings
    # copies: made by ci/generated.py
    made.sensitive = usual.sensitive
    made.connection_window_size = usual.connection_window_size
    made.window_update_threshold = usual.window_update_threshold
    made.tolerance = usual.tolerance
    made.events = usual.events
    made.max_fields = usual.max_fields
    made.max_discarded_header_list = usual.max_discarded_header_list
    made.max_header_block = usual.max_header_block
    made.max_continuations = usual.max_continuations
    made.max_settings = usual.max_settings
    made.max_unsent_acks = usual.max_unsent_acks
    made.max_glitches = usual.max_glitches
    made.max_resets = usual.max_resets
    made.max_reserved = usual.max_reserved
    made.max_remembered = usual.max_remembered
    made.max_informational = usual.max_informational
    made.max_informational_size = usual.max_informational_size
    made.max_trailer_size = usual.max_trailer_size
    made.max_trailer_fields = usual.max_trailer_fields
    made.max_pings = usual.max_pings
    made.assumed_concurrency = usual.assumed_concurrency
    made.skip_target_validation = usual.skip_target_validation
    made.index_credentials = usual.index_credentials
    # end of copies
    made.first_stream = usual.first_stream
    made.extra_sensitive = usual.extra_sensitive
    made.checked = usual.checked
    made.opening = usual.opening
    made.name(exact(hostname), port, exact(scheme), identity)
    return made
