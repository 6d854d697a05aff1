"""Bugs at limits, at the ends of pieces and in the sizes of numbers, for `planted.py`."""

from planted_bug import Bug, core

H1 = core("http1_responses.pyx")

EDGES: tuple[Bug, ...] = (
    Bug(
        "trailer fields have the limit of headers",
        H1,
        "(self.config.max_trailer_fields if trailers\n",
        "(self.config.max_fields if trailers\n",
        "http1",
    ),
    Bug(
        "trailer octets have the limit of headers",
        H1,
        "(self.config.max_trailer_size if trailers\n",
        "(self.config.max_header_list_size if trailers\n",
        "http1",
    ),
    Bug(
        "octets of interim responses without limit",
        H1,
        "if self.core.interim_size > self.config.max_informational_size:",
        "if False:",
        "http1",
    ),
    Bug(
        "status line limit off by one",
        H1,
        "take_line(self, at, self.config.max_status_line, &line)",
        "take_line(self, at, self.config.max_status_line + 1, &line)",
        "http1",
    ),
    Bug(
        "limit of a short chunk line off by one",
        H1,
        "or i + 2 > self.config.max_chunk_line):",
        "or i + 1 > self.config.max_chunk_line):",
        "http1",
    ),
    Bug(
        "one pipelined request too many",
        core("http1.pyx"),
        "elif count >= self.config.max_pipelined:",
        "elif count > self.config.max_pipelined:",
        "http1_requests",
    ),
    Bug(
        "bad framing at the end of a piece forgotten",
        H1,
        "                if broken is not None:\n                    self.core.last_kind += NAME_UNSURE\n",
        "",
        "http1",
    ),
    Bug(
        "LF after a chunk not checked",
        H1,
        'elif at.octets[at.place] != (c"\\r" if self.core.phase == PHASE_CHUNK_CR else c"\\n"):',
        'elif self.core.phase == PHASE_CHUNK_CR and at.octets[at.place] != c"\\r":',
        "http1",
    ),
    Bug(
        "content-length of 32 bits",
        H1,
        "self.core.remaining = self.core.length\n",
        "self.core.remaining = <int>self.core.length\n",
        "http1",
    ),
    Bug(
        "short chunk size of 31 bits",
        H1,
        "    cdef long long size = 0\n    if most > 9:",
        "    cdef int size = 0\n    if most > 9:",
        "http1",
    ),
)
