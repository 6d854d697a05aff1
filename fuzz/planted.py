"""Classic bugs as small changes of the core; `ci/planted` applies them one at a time.

A bug is a text that occurs exactly once in its file, and its replacement. A test checks that every bug still
applies.
"""

from pathlib import Path

from planted_bug import ROOT, Bug, core
from planted_edges import EDGES
from planted_facade import FACADE
from planted_hpack import HPACK
from planted_http1 import HTTP1
from planted_http2 import HTTP2
from planted_transcripts import TRANSCRIPTS
from planted_wire import WIRE

H1 = core("http1_responses.pyx")
RECEIVE = core("http2_receive.pyx")
CONTROL = core("http2_control.pyx")
RESPONSES = core("http2_responses.pyx")
SEND = core("http2_send.pyx")
STATE2 = core("http2_state.pyx")
PIPE = "mint/_wire/pipe.py"

BUGS: tuple[Bug, ...] = (
    # HTTP/1: reading
    Bug(
        "content-length off by one",
        H1,
        "self.core.remaining = self.core.length\n",
        "self.core.remaining = self.core.length - (self.core.length > 9)\n",
        "http1",
    ),
    Bug(
        "max_fields missing",
        H1,
        "if self.core.count > most_fields:",
        "if self.core.count > most_fields + 8:",
        "http1",
    ),
    Bug(
        "header list limit off by one",
        H1,
        "most - self.core.size, &line)",
        "most - self.core.size + 1, &line)",
        "http1",
    ),
    Bug(
        "conflicting content-length accepted",
        H1,
        "if number < 0 or (self.core.length >= 0 and self.core.length != number):",
        "if number < 0:",
        "http1",
    ),
    Bug(
        "state lost at a split",
        H1,
        "    cdef Py_ssize_t held = self.core.window.end - self.core.window.start\n"
        "    cdef Py_ssize_t most = at.end - at.place\n",
        "    cdef Py_ssize_t held = 0\n    cdef Py_ssize_t most = at.end - at.place\n",
        "http1",
    ),
    Bug(
        "signed size of a chunk",
        core("http1_framing.pyx"),
        "size[0] >> 63",
        "size[0] >> 63 & 0",
        "http1",
    ),
    Bug(
        "chunk size of 32 bits",
        H1,
        "self.core.remaining = <long long>size",
        "self.core.remaining = <long long><unsigned int>size",
        "http1",
    ),
    Bug(
        "stale scan offset in a chunk",
        H1,
        "memcpy(octets_of(joined) + count, at.octets + at.place, piece)",
        "memcpy(octets_of(joined) + count, first, piece)",
        "http1",
    ),
    Bug(
        "responses before a fault dropped",
        core("http1.pyx"),
        "        broken = new.read(data, responses)\n        if broken is not None:\n",
        "        broken = new.read(data, responses)\n        if broken is not None:\n"
        "            responses = []\n",
        "http1",
    ),
    Bug(
        "trailers not filtered",
        H1,
        "if not name_is_forbidden_in_trailers(<str>(<tuple>pair)[0])",
        "if pair",
        "http1",
    ),
    Bug(
        "interim responses without limit",
        H1,
        "if self.core.interim > self.config.max_informational:   # 9110-15.2-a",
        "if self.core.interim > 255:",
        "http1",
    ),
    Bug(
        "HEAD forgotten",
        H1,
        "if pending.asks & ASKS_HEAD:",
        "if pending.asks & ASKS_HEAD and made.status < 300:",
        "http1",
    ),
    Bug(
        "response given to the wrong request",
        H1,
        "        shift(self)\n",
        "        shift(self)\n"
        "        if self.core.seen & SEEN_OLD and self.core.waiting > 1:\n            shift(self)\n",
        "http1",
    ),
    Bug(
        "digits of a chunk size beyond the 16th ignored",
        core("http1_framing.pyx"),
        "if i > MOST_DIGITS or size[0] >> 63:",
        "if size[0] >> 63:",
        "http1",
    ),
    Bug(
        "escaped quote ends a chunk extension",
        core("http1_framing.pyx"),
        'if octets[i] == c"\\\\":   # 9110-5.6.4-a',
        'if octets[i] == c"\\\\" and i + 1 == count:',
        "http1",
    ),
    Bug(
        "connection option known by its beginning",
        core("http1_framing.pyx"),
        "if token.count != <Py_ssize_t>strlen(lower):\n        return False\n"
        "    for i in range(token.count):",
        "if token.count < <Py_ssize_t>strlen(lower):\n        return False\n"
        "    for i in range(<Py_ssize_t>strlen(lower)):",
        "http1",
    ),
    Bug(
        "coding known by its end",
        core("http1_framing.pyx"),
        "    for i in range(token.count):\n        if char_lower",
        "    for i in range(1, token.count):\n        if char_lower",
        "http1",
    ),
    Bug(
        "chunks of HTTP/1.0 keep the connection",
        core("http1_framing.pyx"),
        '("chunked is last", "HTTP/1.0"), "chunked", True,',
        '("chunked is last", "HTTP/1.0"), "chunked", False,',
        "http1",
    ),
    # HTTP/1: writing
    Bug(
        "repeated request compared without its last octets",
        core("http1_repeats.pyx"),
        "memcmp(PyUnicode_1BYTE_DATA(kept), PyUnicode_1BYTE_DATA(given), count) == 0)",
        "memcmp(PyUnicode_1BYTE_DATA(kept), PyUnicode_1BYTE_DATA(given), count - (count > 2)) == 0)",
        "http1_requests",
    ),
    Bug(
        "fields of a repeated request that were left out",
        core("http1_repeats.pyx"),
        "if PyTuple_GET_SIZE(pairs) != PyTuple_GET_SIZE(self.headers):",
        "if PyTuple_GET_SIZE(pairs) > PyTuple_GET_SIZE(self.headers):",
        "http1_requests",
    ),
    Bug(
        "chunk size written wrong",
        core("http1_requests.pyx"),
        'b"%X\\r\\n" % len(data)',
        'b"%X\\r\\n" % (len(data) & 0xFFFF)',
        "http1_requests",
    ),
    Bug(
        "declared length not counted",
        core("http1.pyx"),
        "new.core.owed -= count",
        "new.core.owed -= count & 7",
        "http1_requests",
    ),
    Bug(
        "first octet of a CONNECT target unchecked",
        core("fields.pyx"),
        "if not target or not is_uri_text(target):",
        'if not target or not is_uri_text(target[1:] if method == "CONNECT" else target):',
        "http1_requests",
    ),
    # HPACK
    Bug(
        "table not shrunk",
        core("hpack.pyx"),
        "        span.maximum = size\n        evict(state.table, span, 0)",
        "        span.maximum = size",
        "hpack",
    ),
    Bug(
        "unchecked index",
        core("hpack.pyx"),
        "if index > span.end - span.start:",
        "if index > span.end - span.start + 1:",
        "hpack",
        memory=True,
    ),
    Bug(
        "secret indexed",
        core("fields.pyx"),
        '"authorization", "proxy-authorization", "cookie", "set-cookie",',
        '"authorization", "proxy-authorization", "cookie",',
        "hpack",
    ),
    Bug(
        "own secret indexed",
        SEND,
        "encoded = core.encoder.encoded(draft.fields, core.config.extra_sensitive,",
        "encoded = core.encoder.encoded(draft.fields, None,",
        "http2_talk",
    ),
    Bug(
        "forks sharing an encoder",
        core("hpack.pyx"),
        "work.table.used != work.span.end:\n        # This state is not the newest",
        "work.table.used > work.span.end + 1:\n        # This state is not the newest",
        "hpack",
    ),
    Bug(
        "integer overflow accepted",
        core("hpack_octets.pxd"),
        "if number >> 32:",
        "if number >> 40:",
        "hpack",
    ),
    Bug(
        "pointer kept across an append",
        core("hpack_table.pyx"),
        "or table.used - table.first == table.room\n",
        "or table.used - table.first == table.room + 1\n",
        "hpack",
        memory=True,
    ),
    Bug(
        "table size update of 0 not insisted on",
        core("hpack.pyx"),
        "if state.required >= 0 and not updated:",
        "if state.required > 0 and not updated:",
        "hpack",
    ),
    Bug(
        "table size update above the reduced limit",
        core("hpack.pyx"),
        "if not updated and state.required >= 0 and size > state.required:",
        "if not updated and state.required >= 0 and size > state.required + 1:",
        "hpack",
    ),
    # HTTP/2: receiving
    Bug(
        "pad length off by one",
        RECEIVE,
        "if padding >= core.s.frame.length:",
        "if padding > core.s.frame.length:",
        "http2_talk",
    ),
    Bug(
        "padding of a head off by one",
        RECEIVE,
        "if padding > head.length - fixed:",
        "if padding > head.length - fixed + 1:",
        "http2_talk",
        memory=True,
    ),
    Bug(
        "connection window not credited",
        RECEIVE,
        "            s.receipt.used = 0\n            w.put_small(WINDOW_UPDATE, 0, 0, <uint32_t>due)",
        "            s.receipt.used = 0",
        "http2_talk",
    ),
    Bug(
        "stream window not credited",
        RECEIVE,
        "        stream.receipt.used = 0\n        w.put_small(WINDOW_UPDATE, 0, id, <uint32_t>due)",
        "        stream.receipt.used = 0",
        "http2_talk",
    ),
    Bug(
        "credit of one octet too many",
        RECEIVE,
        "w.put_small(WINDOW_UPDATE, 0, id, <uint32_t>due)",
        "w.put_small(WINDOW_UPDATE, 0, id, <uint32_t>due + 1)",
        "http2_talk",
    ),
    Bug(
        "max_continuations missing",
        RECEIVE,
        "if core.s.block_frames > core.config.max_continuations:",
        "if core.s.block_frames > core.config.max_continuations + 10000:",
        "http2_talk",
    ),
    Bug(
        "content longer than declared",
        RECEIVE,
        "if octets > stream.content_left:",
        "if octets > stream.content_left + 1:",
        "http2_talk",
    ),
    Bug(
        "connection window not checked",
        RECEIVE,
        "if violates(DEFAULT_WINDOW, core.s.receipt, head.length):",
        "if violates(DEFAULT_WINDOW + 1, core.s.receipt, head.length):",
        "http2_talk",
    ),
    Bug(
        "late DATA not counted",
        RECEIVE,
        "    if length:\n        s.receipt.used += length\n",
        "    if length and takes_data(core, id):\n        s.receipt.used += length\n",
        "http2_talk",
    ),
    Bug(
        "END_STREAM with content missing",
        RESPONSES,
        "if stream.content_left > 0:   # 9113-8.1.1-b",
        "if stream.content_left > 1:",
        "http2_talk",
    ),
    Bug(
        "second response head accepted",
        RESPONSES,
        "    if not ends:   # 9113-8.1-c",
        "    if not ends and decoded.fields:",
        "http2_talk",
    ),
    Bug(
        "PING answered with other octets",
        CONTROL,
        "memcpy(octets + FRAME_HEADER, payload, 8)",
        "memcpy(octets + FRAME_HEADER, payload, 7)",
        "http2_talk",
    ),
    Bug(
        "initial window forgets old streams",
        CONTROL,
        "stream.send_moved += increment",
        "stream.send_moved += increment & 0xFFFF",
        "http2_talk",
    ),
    Bug(
        "first request above a GOAWAY not failed",
        CONTROL,
        "core.requests.following((<long long>last + 1) >> 1)",
        "core.requests.following((<long long>last + 3) >> 1)",
        "http2_talk",
    ),
    Bug(
        "PING compared in part",
        CONTROL,
        "payload, 8) == 0:",
        "payload, 7) == 0:",
        "http2_talk",
    ),
    Bug(
        "latest SETTINGS acknowledged first",
        CONTROL,
        "core.pending = core.pending[1:]",
        "core.pending = core.pending[:len(core.pending) - 1]",
        "http2_talk",
    ),
    Bug(
        "window of a stream overflows by one",
        CONTROL,
        "if overflows(window, increment):",
        "if overflows(window - 1, increment):",
        "http2_talk",
    ),
    Bug(
        "largest frame size off by one",
        CONTROL,
        "<= value <= MOST_MAX_FRAME_SIZE:",
        "<= value <= MOST_MAX_FRAME_SIZE + 1:",
        "http2_talk",
    ),
    Bug(
        "refused request may have been processed",
        CONTROL,
        "if code == REFUSED_STREAM and processed == PROCESSED_MAYBE:",
        "if code == REFUSED_STREAM and processed != PROCESSED_MAYBE:",
        "http2_talk",
    ),
    Bug(
        "304 with a content-length waits for content",
        RESPONSES,
        "elif stream.facts & IS_HEAD or answer.status == 204 or answer.status == 304:",
        "elif stream.facts & IS_HEAD or answer.status == 204:",
        "http2_talk",
    ),
    Bug(
        "one interim response too many",
        RESPONSES,
        "if stream.interims >= <unsigned int>core.config.max_informational:",
        "if stream.interims > <unsigned int>core.config.max_informational:",
        "http2_talk",
    ),
    Bug(
        "one trailer field too many",
        RESPONSES,
        "if PyList_GET_SIZE(decoded.fields) > core.config.max_trailer_fields:",
        "if PyList_GET_SIZE(decoded.fields) > core.config.max_trailer_fields + 1:",
        "http2_talk",
    ),
    Bug(
        "one promise too many",
        RESPONSES,
        "if (core.s.reserved > core.config.max_reserved\n",
        "if (core.s.reserved > core.config.max_reserved + 1\n",
        "http2_talk",
    ),
    # HTTP/2: sending, state
    Bug(
        "window not used up",
        SEND,
        "        stream.send_moved = <int>-total\n",
        "        stream.send_moved = 0\n",
        "http2_talk",
    ),
    Bug(
        "skipped check of the window",
        SEND,
        "    if total > core.s.send_window:\n",
        "    if total > core.s.send_window + 1:\n",
        "http2_talk",
    ),
    Bug(
        "frame longer than the server takes",
        SEND,
        "cdef long long most = core.s.peer[SET_MAX_FRAME_SIZE]",
        "cdef long long most = core.s.peer[SET_MAX_FRAME_SIZE] + 1",
        "http2_talk",
    ),
    Bug(
        "missing copy-on-write in a stream chunk",
        core("streams.pyx"),
        "            if self.tail.serial != self.serial:\n"
        "                self.tail = copied_leaf(self.tail, self.serial)\n"
        "                self.work += 1\n            return self.tail",
        "            return self.tail",
        "http2_talk",
    ),
    Bug(
        "missing copy-on-write deep in the tree",
        core("streams.pyx"),
        "                if (<Leaf>link[0]).serial != self.serial:\n",
        "                if False:\n",
        "http2_talk",
    ),
    Bug(
        "ref used twice",
        STATE2,
        "    if stream.facts & ENDED:\n        return 0\n    if w.pieces_used:",
        "    if w.pieces_used:",
        "http2_talk",
    ),
    Bug(
        "DATA after a reset is given",
        STATE2,
        "        self.pieces_octets = 0\n        self.pieces_stream = 0\n",
        "        self.pieces_stream = 0\n",
        "http2_talk",
    ),
    # The pipe of the transports
    Bug(
        "end of the direction said before all has left",
        PIPE,
        "self._writing == Writing.SEALED and not self._outbox",
        "self._writing == Writing.SEALED",
        "pipe",
    ),
    Bug(
        "end without a goodbye taken for a failure",
        PIPE,
        "        if self._reading <= Reading.CUT:\n",
        "        if self._reading < Reading.CUT:\n",
        "pipe",
    ),
    *HTTP1,
    *HPACK,
    *HTTP2,
    *WIRE,
    *TRANSCRIPTS,
    *FACADE,
    *EDGES,
)


def missing(root: Path = ROOT) -> list[str]:
    """Return what is wrong with the list: bugs whose text does not occur, or occurs more than once."""
    wrong = []
    for bug in BUGS:
        try:
            bug.applied((root / bug.file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            wrong.append(str(error))
    return wrong
