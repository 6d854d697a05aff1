"""Bugs at limits, at the ends of pieces and in the sizes of numbers, for `planted.py`."""

from planted_bug import Bug, core

H1 = core("http1_responses.pyx")
MESSAGES = core("http2_messages.pyx")

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
    Bug(
        "forks sharing a header section",
        core("logs.pyx"),
        "        if len(log.items) != count:",
        "        if len(log.items) < count:",
        "http1",
    ),
    Bug(
        "octets of interim responses off by one over HTTP/2",
        core("http2_responses.pyx"),
        "if stream.interim_octets > <unsigned int>core.config.max_informational_size:",
        "if stream.interim_octets > <unsigned int>core.config.max_informational_size + 1:",
        "http2_talk",
    ),
    Bug(
        "te in a response accepted",
        MESSAGES,
        "        if kind == TE:   # 9113-8.2.2-c\n"
        '            return malformed(name, "is allowed only in requests")\n',
        "",
        "http2_talk",
    ),
    Bug(
        "te in trailers accepted",
        MESSAGES,
        '        if name == "te":   # 9113-8.2.2-c\n'
        '            return malformed(name, "is allowed only in requests")\n',
        "",
        "http2_talk",
    ),
    Bug(
        "connection field in a promise accepted",
        MESSAGES,
        "        regular = True\n"
        "        if name_is_connection_specific(name):\n"
        '            return malformed(name, "is allowed only in HTTP/1")\n',
        "        regular = True\n",
        "http2_talk",
    ),
    Bug(
        "promise for another port accepted",
        MESSAGES,
        '    if not port or port.lstrip("0") == ("443" if scheme == "https" else "80"):\n'
        "        return host\n",
        "    return host\n",
        "http2_talk",
    ),
    Bug(
        "promise of a request with content accepted",
        MESSAGES,
        '        if name == "content-length" and value != "0":\n'
        '            return malformed(name, "a promised request must not have content")\n',
        "",
        "http2_talk",
    ),
    Bug(
        "pseudo-header behind a field of a promise accepted",
        MESSAGES,
        "            if regular or name in pseudo:",
        "            if name in pseudo:",
        "http2_talk",
    ),
    Bug(
        "promise without authority accepted",
        MESSAGES,
        '    if (not pseudo.get(":authority")\n            or origin_of(',
        '    if (":authority" in pseudo\n            and origin_of(',
        "http2_talk",
    ),
    Bug(
        "CR of an empty line forgotten at a split",
        H1,
        "            if found == LINE_PARTIAL and line.whole == 1:\n                return None\n",
        "            if found == LINE_PARTIAL and line.whole == 1:\n"
        "                self.core.window.start = self.core.window.end\n                return None\n",
        "http1",
    ),
    Bug(
        "CR behind the last response forgotten at a split",
        H1,
        "            self.log = log_append(self.log, &self.core.window, at.octets + at.place, 1)\n"
        "            at.place = at.end\n        return 0\n",
        "            at.place = at.end\n        return 0\n",
        "http1",
    ),
    Bug(
        "CR of an empty line forgotten by the next request",
        core("http1.pyx"),
        "        pending = Pending.__new__(Pending)\n",
        "        pending = Pending.__new__(Pending)\n        new.core.window.start = new.core.window.end\n",
        "http1_talk",
    ),
    Bug(
        "CR of an empty line taken for a response",
        H1,
        """                and self.log.octets[self.core.window.start] != c"\\r")\n""",
        "                )\n",
        "http1_talk",
    ),
    Bug(
        "300 opens a tunnel",
        core("http2_responses.pyx"),
        "if stream.facts & IS_CONNECT and answer.status < 300:",
        "if stream.facts & IS_CONNECT and answer.status <= 300:",
        "http2_talk",
    ),
    Bug(
        "piece that is not copied ends the body",
        core("http2_send.pyx"),
        "write_header(to + first, <int>total, DATA, FLAG_END_STREAM if ends else 0, stream)",
        "write_header(to + first, <int>total, DATA, FLAG_END_STREAM, stream)",
        "http2_talk",
    ),
    Bug(
        "long origin of an alternative service cut wrong",
        core("http2_extensions.pyx"),
        "    size = (payload[0] << 8) | payload[1]\n    rest =",
        "    size = (payload[0] << 9) | payload[1]\n    rest =",
        "http2_talk",
    ),
    Bug(
        "trailers given although one octet is missing",
        core("http2_responses.pyx"),
        "    if stream.content_left <= 0 and headers:\n",
        "    if stream.content_left <= 1 and headers:\n",
        "http2_talk",
    ),
    Bug(
        "header list that the server takes refused",
        core("http2_send.pyx"),
        "    if draft.size > before.s.peer[SET_MAX_HEADER_LIST_SIZE]:   # 9113-6.5.2-g\n",
        "    if draft.size >= before.s.peer[SET_MAX_HEADER_LIST_SIZE]:\n",
        "http2_talk",
    ),
    Bug(
        "trailers that the server takes refused",
        core("http2_send.pyx"),
        "    if draft.size > before.s.peer[SET_MAX_HEADER_LIST_SIZE]:\n",
        "    if draft.size >= before.s.peer[SET_MAX_HEADER_LIST_SIZE]:\n",
        "http2_talk",
    ),
)
