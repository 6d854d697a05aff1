# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Reading HTTP/1.1 responses. RFC 9112.

Lines are handled as they arrive, and only an incomplete line is kept. The methods here change a private clone
of a state, which http1.pyx makes and publishes.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_New
from libc.string cimport memchr, memcpy

from .chars cimport char_hex, is_blank
from .events cimport Data, Status, StatusReason
from .faults cimport PROCESSED_NO, PROCESSED_OF_NONE, Fault, fault, weighed
from .fields cimport (TOLERATE_BARE_LF, TOLERATE_EMPTY_LINES, TOLERATE_LENGTH_BESIDE_CHUNKED, show,
                      TOLERATE_MALFORMED_CONNECTION, TOLERATE_NON_FIELD_LINES, name_is_sensitive,
                      name_is_forbidden_in_trailers)
from .http1_events cimport (NAMED, done, failed, head, informational, off_line, seen_fault,
                            trailers as trailers_of, unless_folded)
from .http1_framing cimport (BODY_CHUNKED, BODY_CONFLICT, BODY_INTERIM, BODY_LENGTH, BODY_NONE,
                             BODY_TUNNEL, BODY_UNTIL_CLOSE, SEEN_CLOSE, SEEN_CONNECTED, SEEN_EMPTY,
                             SEEN_FINAL, SEEN_HEAD, SEEN_INTERIM, SEEN_KEEP, SEEN_LENGTH, SEEN_OLD,
                             SEEN_STRICT, SEEN_SWITCHED, SEEN_SWITCHING, Rule, body_rule,
                             chunk_line_cause, connection_facts, length_fact, protocols_of,
                             transfer_facts)
from .http1_heads cimport (NAME_CONNECTION, NAME_CONTENT_LENGTH, NAME_FRAMING_LAST, NAME_PLAIN,
                           NAME_SKIPPED, NAME_SKIPPED_SECRET, NAME_TRANSFER_ENCODING, NAME_UNSURE,
                           LineCache, StatusLine, empty_lines, field_of, folded, is_broken, odd_field,
                           parse_status_line, shown_bad_line, shown_line, shown_octets,
                           status_line_cause, status_prefix)
from .http1_requests cimport (ASKS_CLOSE, ASKS_CONNECT, ASKS_CONTINUE, ASKS_HEAD, ASKS_UPGRADE,
                              SEND_NOTHING)
from .logs cimport ListLog, list_append, log_append

from .http1_heads import SECRET

cdef extern from "Python.h":
    str PyUnicode_DecodeLatin1(const char *octets, Py_ssize_t count, const char *errors)
    PyObject *new_bytes "PyBytes_FromStringAndSize"(const char *octets, Py_ssize_t count) except NULL
    char *octets_of "PyBytes_AS_STRING"(PyObject *made)
    void PyTuple_SET_ITEM(object made, Py_ssize_t place, PyObject *owned)
    int _PyBytes_Resize(PyObject **made, Py_ssize_t count) except -1

cdef enum:
    LINE_PARTIAL = 0
    LINE_READY = 1
    LINE_BARE = 2         # it ends in LF alone
    LINE_LONG = 3         # no end within the octets that are allowed
    FREE_OVERHEAD = 16    # octets of a chunk line that do not count as overhead


@cython.final
@cython.freelist(32)
@cython.no_gc
cdef class Pending:
    """A request whose response is not complete."""


cdef inline int take_line(Reading self, Input *at, Py_ssize_t limit, Taken *line) except -1:
    """Read the next line of at most `limit` octets, including its end; keep an incomplete line."""
    cdef Py_ssize_t held = self.core.window.end - self.core.window.start
    cdef Py_ssize_t most = at.end - at.place
    cdef const unsigned char *start = at.octets + at.place
    cdef const unsigned char *found
    if most > limit - held:
        most = limit - held
    found = <const unsigned char *>memchr(start, c"\n", most)
    if found == NULL:
        if most == limit - held:
            return LINE_LONG
        self.log = log_append(self.log, &self.core.window, start, most)
        at.place = at.end
        return LINE_PARTIAL
    most = found - start + 1
    at.place += most
    line.octets = start
    line.whole = most
    if held:
        self.log = log_append(self.log, &self.core.window, start, most)
        line.octets = self.log.octets + self.core.window.start
        line.whole += held
        self.core.window.start = self.core.window.end   # the log is kept until the line was handled
    if line.whole > 1 and line.octets[line.whole - 2] == c"\r":
        line.count = line.whole - 2
        return LINE_READY
    line.count = line.whole - 1
    return LINE_BARE


cdef inline bint quick_chunk_line(Reading self, Input *at) noexcept:
    """Read a chunk line if it is of the usual form: complete, with up to eight digits, not zero, and CRLF."""
    cdef const unsigned char *octets = at.octets + at.place
    cdef Py_ssize_t most = at.end - at.place - 1
    cdef Py_ssize_t i = 0
    cdef long long size = 0
    if most > 9:
        most = 9
    while i < most and char_hex[octets[i]] != 0xFF:
        size = (size << 4) | char_hex[octets[i]]
        i += 1
    if (size == 0 or i >= most or octets[i] != c"\r" or octets[i + 1] != c"\n"
            or self.core.window.start != self.core.window.end or self.core.excess
            or i + 2 > self.config.max_chunk_line):
        return False
    at.place += i + 2
    self.core.remaining = size
    self.core.phase = PHASE_CHUNK_DATA
    return True


@cython.freelist(16)
@cython.no_gc
cdef class Reading:
    """The fields of a state, and the methods that read responses. `State` adds the operations."""

    cdef bint is_answering(self) noexcept:
        """Whether part of a response to the first open request was seen. A CR before its LF is none."""
        if self.core.phase != PHASE_STATUS or self.core.interim != 0:
            return True
        return (self.core.window.end != self.core.window.start
                and self.log.octets[self.core.window.start] != c"\r")

    cdef int shut(self, list responses, object first, object rest) except -2:
        """Close; fail the first open request with `first`, others with `rest`; return their `processed`."""
        cdef int weight = PROCESSED_OF_NONE
        cdef Fault why
        cdef Py_ssize_t i
        if responses is not None:
            for i in range(self.core.waiting):
                why = first if i == 0 else rest
                if self.core.ending and i > 0:   # 9112-9.6: not processed
                    why = fault("closed", "", "", 0, 0, 0, PROCESSED_NO)
                weight = weighed(weight, why.processed)
                responses.append(failed(waiting_at(self, i).ref, why))
        self.next_response()
        empty(self)
        self.repeat = None
        self.core.phase = PHASE_CLOSED
        self.core.sender = self.core.owed = 0
        self.core.sends = SEND_NOTHING
        self.core.begun = False
        return weight

    cdef bint is_dribble(self, bytes data) except -1:
        """Whether the input only continues an incomplete field line; if so, it is kept."""
        cdef Py_ssize_t count = PyBytes_GET_SIZE(data)
        cdef Py_ssize_t held = self.core.window.end - self.core.window.start
        if (held == 0 or self.core.phase != PHASE_FIELDS
                or held + count >= self.config.max_header_list_size - self.core.size
                or memchr(PyBytes_AS_STRING(data), c"\n", count) != NULL):
            return False
        self.log = log_append(self.log, &self.core.window,
                              <const unsigned char *>PyBytes_AS_STRING(data), count)
        return True

    cdef object read(self, bytes data, list responses):
        """Read all of the input; return its fault, or None."""
        cdef Input at
        cdef Fault broken = None
        cdef int phase
        cdef Py_ssize_t count
        at.octets = <const unsigned char *>PyBytes_AS_STRING(data)
        at.place = 0
        at.end = PyBytes_GET_SIZE(data)
        while at.place < at.end and broken is None:
            phase = self.core.phase
            if phase == PHASE_STATUS:
                if self.core.waiting == 0:   # 9112-6.3-j, 9112-9.2-b: not the response to a later request
                    self.pass_over(&at)
                    if at.place < at.end:
                        if self.core.bare:
                            # Content after a response that has none, which was complete already (9112-6.3-a).
                            self.shut(None, None, None)
                            break
                        broken = fault("unexpected_data", "",
                                       shown_octets(at.octets + at.place, at.end - at.place,
                                                    self.config.sensitive))
                else:
                    broken = self.read_status(&at, responses)
            elif phase == PHASE_FIELDS:
                broken = self.read_fields(&at, responses, False)
            elif phase == PHASE_LENGTH:
                count = <Py_ssize_t>min(<long long>(at.end - at.place), self.core.remaining)
                self.core.remaining -= count
                self.hand_on(&at, data, count, responses)
                if self.core.remaining == 0:
                    self.finish(responses)
            elif phase == PHASE_UNTIL_CLOSE or phase == PHASE_TUNNEL:
                self.hand_on(&at, data, at.end - at.place, responses)
            elif phase <= PHASE_CHUNK_LF:
                broken = self.read_chunks(&at, data, responses)
            elif phase == PHASE_TRAILERS:
                broken = self.read_fields(&at, responses, True)
            else:   # closed after the last response: what follows is ignored
                break
        return broken

    cdef int pass_over(self, Input *at) except -1:
        """Skip empty lines while no request is open; keep a CR whose LF has not come yet."""
        if not self.config.tolerance & TOLERATE_EMPTY_LINES:
            return 0
        if self.core.window.end != self.core.window.start:   # a CR
            if at.octets[at.place] != c"\n":
                return 0
            self.core.window.start = self.core.window.end
            at.place += 1
        at.place += empty_lines(at.octets + at.place, at.end - at.place, self.config.tolerance)
        if at.end - at.place == 1 and at.octets[at.place] == c"\r":
            self.log = log_append(self.log, &self.core.window, at.octets + at.place, 1)
            at.place = at.end
        return 0

    cdef int hand_on(self, Input *at, bytes data, Py_ssize_t count, list responses) except -1:
        """Return a piece of content as a response; if it is the whole input, without a copy."""
        cdef Data made = Data.__new__(Data)
        made.ref = waiting_at(self, 0).ref
        if count == PyBytes_GET_SIZE(data):
            made.data = data
        else:
            made.data = PyBytes_FromStringAndSize(<const char *>at.octets + at.place, count)
        at.place += count
        responses.append(made)
        return 0

    cdef object read_status(self, Input *at, list responses):
        """Read a status line. A line that does not begin like one is refused at its first wrong octet."""
        cdef Taken line
        cdef StatusLine made
        cdef Pending pending = waiting_at(self, 0)
        cdef Py_ssize_t held = self.core.window.end - self.core.window.start
        cdef Py_ssize_t start = at.place
        cdef Py_ssize_t right
        cdef int found
        cdef Status status
        cdef StatusReason reason
        cdef bytes wrong
        cdef str cause = None
        found = take_line(self, at, self.config.max_status_line, &line)
        if found == LINE_LONG:
            right = 0
            if held < 7:   # the octets that were kept have been checked
                wrong = (bytes(self.log.octets[self.core.window.start:self.core.window.end])
                         if held else b"") + at.octets[start:min(at.end, start + 7)]
                right = status_prefix(wrong, len(wrong))
                if right < min(len(wrong), 7, self.config.max_status_line):
                    return off_line(self.core.interim != 0 or right >= NAMED,
                                    status_line_cause(wrong, len(wrong), self.config.tolerance),
                                    show(wrong[:right + 1]))
            return seen_fault("status_line_too_long", "", "", self.config.max_status_line + 1,
                              self.config.max_status_line)
        if found == LINE_PARTIAL:
            line.octets = self.log.octets + self.core.window.start
            line.whole = self.core.window.end - self.core.window.start
        if self.config.tolerance & TOLERATE_EMPTY_LINES and line.octets[0] in b"\r\n":
            if found == LINE_PARTIAL and line.whole == 1:
                return None
            if found != LINE_PARTIAL and line.count == 0 and (
                    found == LINE_READY or self.config.tolerance & TOLERATE_BARE_LF):
                return None
        right = status_prefix(line.octets, line.whole)
        if right < line.whole:
            return off_line(self.core.interim != 0 or right >= NAMED,
                            status_line_cause(line.octets, line.whole, self.config.tolerance),
                            show(line.octets[:right + 1]))
        if found == LINE_PARTIAL:
            return None
        if found == LINE_BARE and not self.config.tolerance & TOLERATE_BARE_LF:
            cause = "the line ends in LF without CR"
        elif not parse_status_line(line.octets, line.count, self.config.tolerance, &made):
            cause = status_line_cause(line.octets, line.count, self.config.tolerance)
        if cause is not None:
            return seen_fault("invalid_status_line", cause,
                              shown_line(line.octets, line.count, self.config.sensitive))
        self.core.status = made.status
        self.core.seen = (SEEN_OLD if made.minor == 0 else 0) | (
            0 if self.config.tolerance & TOLERATE_LENGTH_BESIDE_CHUNKED else SEEN_STRICT)
        self.core.phase = PHASE_FIELDS
        if made.status < 200 and made.status != 101:
            self.core.seen |= SEEN_INTERIM
            self.core.interim += 1
            self.core.interim_size += line.whole
            if self.core.interim > self.config.max_informational:   # 9110-15.2-a
                return seen_fault("too_many_informational", "", "", self.core.interim,
                                  self.config.max_informational)
            return None
        self.core.old_peer = made.minor == 0
        if made.status == 101:
            # 9110-7.8-b: only a protocol that was offered, and only after the request is complete.
            self.core.seen |= SEEN_SWITCHING
            if not pending.asks & ASKS_UPGRADE or self.core.sender == pending.ref.number:
                return seen_fault("unexpected_upgrade")
        elif made.status < 300 and pending.asks & ASKS_CONNECT:   # any 2xx, 204 as well
            self.core.seen |= SEEN_CONNECTED
        elif made.status == 204 or made.status == 304:
            self.core.seen |= SEEN_EMPTY
        if pending.asks & ASKS_HEAD:
            self.core.seen |= SEEN_HEAD
        status = Status.__new__(Status)
        status.ref = pending.ref
        status.status = made.status
        responses.append(status)
        if self.config.status_reason:
            reason = StatusReason.__new__(StatusReason)
            reason.ref = pending.ref
            reason.reason = PyUnicode_DecodeLatin1(<const char *>line.octets + made.reason,
                                                   line.count - made.reason, NULL)
            responses.append(reason)
        return None

    cdef object read_fields(self, Input *at, list responses, bint trailers):
        """Read the header section, or the trailer section (9112-7.1.2-b), as far as it has arrived."""
        cdef Fresh fresh
        cdef object broken
        cdef tuple section
        cdef int i
        fresh.on = self.core.kept == 0
        fresh.complete = False
        fresh.count = 0
        if self.cache is None:
            self.cache = LineCache.__new__(LineCache)
            self.cache.secret = self.config.sensitive or None
        broken = self.read_lines(at, &fresh, trailers)
        if broken is not None:
            for i in range(fresh.count):
                Py_DECREF(<object>fresh.pairs[i])
            return broken
        if not fresh.complete:
            if fresh.count:
                self.spill(&fresh)
            return None
        if fresh.on:
            section = PyTuple_New(fresh.count)
            for i in range(fresh.count):
                PyTuple_SET_ITEM(section, i, fresh.pairs[i])
        else:
            section = tuple(self.fields.items[:self.core.kept])
        if trailers:
            self.trailers_done(section, responses)
            return None
        return self.head_done(section, responses)

    cdef object read_lines(self, Input *at, Fresh *fresh, bint trailers):
        """Read field lines up to the empty one."""
        cdef Taken line
        cdef int found
        cdef int kind = NAME_PLAIN
        cdef tuple pair
        cdef object odd
        # In trailers, a line that is not a field is never skipped: it may belong to another message.
        cdef int tolerance = self.config.tolerance & (~TOLERATE_NON_FIELD_LINES if trailers else -1)
        cdef object broken
        cdef Py_ssize_t most = (self.config.max_trailer_size if trailers
                                else self.config.max_header_list_size)
        cdef Py_ssize_t most_fields = (self.config.max_trailer_fields if trailers
                                       else self.config.max_fields)
        cdef str invalid = "invalid_trailer_header" if trailers else "invalid_header"
        if self.core.last_kind >= NAME_UNSURE:   # the last field ended with the previous input
            pair = <tuple>self.fields.items[self.core.kept - 1]
            return unless_folded(at.octets[at.place], <str>pair[0],
                                 self.framing(self.core.last_kind - NAME_UNSURE, <str>pair[1]))
        while at.place < at.end:
            found = take_line(self, at, most - self.core.size, &line)
            if found == LINE_PARTIAL:
                return None
            if found == LINE_LONG:
                return seen_fault("max_header_list_size_exceeded", "trailers" if trailers else "headers",
                                  "", most + 1, most)
            self.core.size += line.whole
            if found == LINE_BARE and not self.config.tolerance & TOLERATE_BARE_LF:   # 9112-2.2-d
                return self.no_line(&line, fresh, invalid, "the line ends in LF without CR")
            if line.count == 0:
                fresh.complete = True
                return None
            self.core.count += 1
            if self.core.count > most_fields:
                return seen_fault("too_many_headers", "trailers" if trailers else "headers", "",
                                  self.core.count, most_fields)
            if is_blank(line.octets[0]):
                broken = self.unfold(&line, fresh, trailers)
                if broken is not None:
                    return broken
                continue
            pair = field_of(self.cache, line.octets, line.count, &kind)
            if pair is None:
                odd = odd_field(line.octets, line.count, tolerance, &kind)
                if odd is None:
                    self.skip(&line, fresh)
                    continue
                if type(odd) is str:
                    return self.no_line(&line, fresh, invalid, <str>odd)
                pair = <tuple>odd
            self.core.last_kind = kind
            if NAME_PLAIN < kind <= NAME_FRAMING_LAST and not trailers:
                broken = self.framing(kind, <str>PyTuple_GET_ITEM(pair, 1))
                if broken is not None and at.place < at.end:
                    return unless_folded(at.octets[at.place], <str>pair[0], broken)
                if broken is not None:
                    self.core.last_kind += NAME_UNSURE
            if fresh.on and fresh.count < FRESH_PAIRS:
                Py_INCREF(pair)
                fresh.pairs[fresh.count] = <PyObject *>pair
                fresh.count += 1
                self.core.kept += 1
            else:
                self.add(pair, fresh)
        return None

    cdef int add(self, tuple pair, Fresh *fresh) except -1:
        """Append a pair to the section in the log; if the section is not there yet, move it."""
        if fresh.on:
            self.spill(fresh)
        self.fields = list_append(self.fields, self.core.kept, pair)
        self.core.kept += 1
        return 0

    cdef int spill(self, Fresh *fresh) except -1:
        """Move the pairs into a log, which later states share."""
        cdef list items = []
        cdef int i
        for i in range(fresh.count):
            items.append(<object>fresh.pairs[i])
            Py_DECREF(<object>fresh.pairs[i])
        self.fields = ListLog.__new__(ListLog)
        self.fields.items = items
        fresh.count = 0
        fresh.on = False
        return 0

    cdef bint follows_secret(self, const Fresh *fresh) except -1:
        """Whether a line that is not a field may continue a secret value, which a line break has cut off."""
        cdef tuple last
        if self.core.kept == 0 or self.core.last_kind == NAME_SKIPPED_SECRET:
            return self.core.last_kind == NAME_SKIPPED_SECRET
        last = <object>fresh.pairs[fresh.count - 1] if fresh.on else self.fields.items[self.core.kept - 1]
        return name_is_sensitive(last[0]) or last[0] in self.config.sensitive

    cdef object no_line(self, Taken *line, const Fresh *fresh, str reason, str cause):
        """Return the fault of a line; a line that may be a secret, or continue one, is not shown."""
        return seen_fault(reason, cause, shown_bad_line(line.octets, line.count, self.core.kept != 0,
                                                        self.follows_secret(fresh), self.config.sensitive))

    cdef int skip(self, Taken *line, const Fresh *fresh) except -1:
        """Skip a line that is not a field, and note it."""
        cdef str text = shown_bad_line(line.octets, line.count, False, self.follows_secret(fresh),
                                       self.config.sensitive)
        if self.skipped is None:
            self.skipped = []
        self.skipped.append(text)
        self.core.last_kind = NAME_SKIPPED_SECRET if text is SECRET else NAME_SKIPPED
        return 0

    cdef object unfold(self, Taken *line, Fresh *fresh, bint trailers):
        """Append a line that begins with whitespace to the field before it (9112-5.2-b)."""
        cdef str invalid = "invalid_trailer_header" if trailers else "invalid_header"
        cdef tuple pair
        cdef object joined
        if ((self.core.kept == 0 or self.core.last_kind >= NAME_SKIPPED)
                and self.config.tolerance & TOLERATE_NON_FIELD_LINES and not trailers
                and not is_broken(line.octets, line.count)):
            self.skip(line, fresh)
            return None
        if self.core.kept == 0:   # 9112-2.2-g
            return self.no_line(line, fresh, invalid,
                                "it begins with whitespace, but there is no field before it")
        if fresh.on:
            self.spill(fresh)
        pair = self.fields.items[self.core.kept - 1]
        if (not trailers and NAME_PLAIN < self.core.last_kind <= NAME_FRAMING_LAST
                and self.core.last_kind != NAME_CONNECTION):
            return unless_folded(line.octets[0], <str>pair[0], None)
        joined = folded(pair, line.octets, line.count, self.config.tolerance)
        if type(joined) is str:
            return seen_fault(invalid, <str>joined, pair[0][:200])
        self.core.kept -= 1
        self.add(<tuple>joined, fresh)
        if not trailers and self.core.last_kind == NAME_CONNECTION:
            return self.framing(NAME_CONNECTION, <str>(<tuple>joined)[1])
        return None

    cdef object framing(self, int kind, str value):
        """Handle a field that decides where the body ends or whether the connection is kept."""
        cdef int facts
        cdef long long number
        if self.core.seen & (SEEN_INTERIM | SEEN_CONNECTED):   # 9110-15.2-b, 9110-9.3.6-b
            return None
        if kind == NAME_CONTENT_LENGTH:
            number = length_fact(value)
            if number == -1:   # 9112-6.3-e
                return seen_fault("invalid_content_length_header", "content-length", value[:200])
            if number < 0 or (self.core.length >= 0 and self.core.length != number):
                return seen_fault("more_than_one_content_length_header", "content-length", value[:200])
            self.core.length = number
            self.core.seen |= SEEN_LENGTH
        elif kind == NAME_TRANSFER_ENCODING:
            facts = transfer_facts(value, self.core.seen, self.config.tolerance)
            if facts == -2:
                return seen_fault("empty_token_list", "transfer-encoding")
            if facts < 0:
                return seen_fault("invalid_token_list", "transfer-encoding", value[:200], 0, 0,
                                  1 if facts == -3 else 0)
            self.core.seen = facts
        elif kind == NAME_CONNECTION:
            facts = connection_facts(value)
            if facts >= 0:   # 9110-7.6.1-c
                self.core.seen |= facts
            elif self.config.tolerance & TOLERATE_MALFORMED_CONNECTION:
                # It is not clear what it asks for. Closing the connection afterwards is always right.
                self.core.seen |= SEEN_CLOSE
            else:
                return seen_fault("invalid_token_list", "connection", value[:200])
        elif self.core.seen & SEEN_SWITCHING:   # upgrade; 9110-7.8-b
            offered = waiting_at(self, 0).protocols
            chosen = protocols_of(value)
            if not chosen or not all(protocol in offered for protocol in chosen):
                return seen_fault("unexpected_upgrade", "", value[:200])
            self.core.seen |= SEEN_SWITCHED
        return None

    cdef object head_done(self, tuple section, list responses):
        """Deliver a header section and decide what follows it."""
        cdef Pending pending = waiting_at(self, 0)
        cdef const Rule *rule = body_rule(self.core.seen)
        if rule.body == BODY_INTERIM:
            self.core.interim_size += self.core.size
            if self.core.interim_size > self.config.max_informational_size:
                return seen_fault("too_many_informational", "", "",
                                  self.core.interim_size, self.config.max_informational_size)
            responses.append(informational(pending.ref, self.core.status, section))
            self.next_section()
            self.core.phase = PHASE_STATUS
            self.core.status = self.core.seen = 0
            return None
        if self.core.seen & SEEN_SWITCHING and not self.core.seen & SEEN_SWITCHED:
            return seen_fault("unexpected_upgrade")
        responses.append(head(pending.ref, section))
        if rule.body == BODY_CONFLICT:
            return seen_fault("transfer_encoding_and_content_length")
        if rule.final:
            self.core.seen |= SEEN_FINAL
        if (pending.asks & ASKS_CONTINUE and self.core.sender == pending.ref.number
                and not self.core.begun):   # 9110-10.1.1-e
            self.core.seen |= SEEN_FINAL
        if rule.body != BODY_TUNNEL and self.is_last(pending):
            self.drain(pending)
        self.next_section()
        if rule.body == BODY_LENGTH and self.core.length > 0:
            self.core.phase = PHASE_LENGTH
            self.core.remaining = self.core.length
        elif rule.body == BODY_CHUNKED:
            self.core.phase = PHASE_CHUNK_LINE
        elif rule.body == BODY_UNTIL_CLOSE:
            self.core.phase = PHASE_UNTIL_CLOSE
        elif rule.body == BODY_TUNNEL:   # what the fields say about keep-alive does not apply to a tunnel
            self.core.phase = PHASE_TUNNEL
            self.core.sender = pending.ref.number
        else:
            self.core.bare = rule.body == BODY_NONE
            self.finish(responses)
        return None

    cdef bint is_last(self, Pending pending) noexcept:
        """Whether the connection ends with the response to this request (9112-9.3-a, 9112-9.6)."""
        cdef int seen = self.core.seen
        return (seen & (SEEN_CLOSE | SEEN_FINAL) or pending.asks & ASKS_CLOSE
                or (seen & SEEN_OLD and (not seen & SEEN_KEEP or self.config.forward_proxy)))

    cdef int drain(self, Pending last) noexcept:
        """Note that this response is the last: send no more, except the body of its request (9112-9.6-b)."""
        self.core.closing = self.core.ending = True
        if self.core.sender != last.ref.number:
            self.core.sender = 0
            self.core.sends = SEND_NOTHING
            self.core.owed = 0
            self.core.begun = False
        return 0

    cdef int next_section(self) except -1:
        """Forget the section that was read."""
        self.fields = None
        self.core.count = 0
        self.core.size = 0
        self.core.kept = 0
        self.core.last_kind = NAME_PLAIN
        return 0

    cdef int next_response(self) except -1:
        """Forget everything about the response that was read."""
        self.next_section()
        self.log = None
        self.core.window.start = self.core.window.end = 0
        self.core.status = self.core.seen = 0
        self.core.length = -1
        self.core.remaining = self.core.excess = 0
        self.core.ending = False
        self.core.interim = self.core.interim_size = 0
        return 0

    cdef int finish(self, list responses) except -1:
        """Complete the response and continue with the next request, or close (9112-9.3-a, 9112-9.6)."""
        cdef Pending pending = waiting_at(self, 0)
        responses.append(done(pending.ref))
        shift(self)
        if self.is_last(pending):
            unprocessed = fault("closed", "", "", 0, 0, 0, PROCESSED_NO)
            self.shut(responses, unprocessed, unprocessed)
            return 0
        self.next_response()
        self.core.phase = PHASE_STATUS
        return 0

    cdef int trailers_done(self, tuple section, list responses) except -1:
        """Deliver the trailer section without the fields that trailers must not have (9110-6.5.1-b)."""
        cdef tuple allowed = tuple([pair for pair in section
                                    if not name_is_forbidden_in_trailers(<str>(<tuple>pair)[0])])
        if allowed:
            responses.append(trailers_of(waiting_at(self, 0).ref, allowed))
        self.finish(responses)
        return 0

    cdef object read_chunks(self, Input *at, bytes data, list responses):
        """Read chunks; their content in this input becomes one Data."""
        cdef object broken = None
        cdef const unsigned char *first = NULL
        cdef Py_ssize_t count = 0          # octets of content so far
        cdef Py_ssize_t piece
        cdef PyObject *joined = NULL       # owned; made with the second piece
        cdef Data made
        while at.place < at.end:
            if self.core.phase == PHASE_CHUNK_LINE:
                if not quick_chunk_line(self, at):
                    broken = self.read_chunk_line(at)
                    if broken is not None or self.core.phase == PHASE_TRAILERS:
                        break
            elif self.core.phase == PHASE_CHUNK_DATA:
                piece = at.end - at.place
                if piece > self.core.remaining:
                    piece = <Py_ssize_t>self.core.remaining
                if first == NULL:
                    first = at.octets + at.place
                else:
                    if joined == NULL:
                        joined = new_bytes(NULL, count + at.end - at.place)
                        memcpy(octets_of(joined), first, count)
                    memcpy(octets_of(joined) + count, at.octets + at.place, piece)
                count += piece
                at.place += piece
                self.core.remaining -= piece
                if self.core.remaining == 0:
                    self.core.phase = PHASE_CHUNK_CR
            elif at.octets[at.place] != (c"\r" if self.core.phase == PHASE_CHUNK_CR else c"\n"):
                broken = seen_fault("missing_crlf_after_chunk", "",   # 9112-7.1-c
                                    show(at.octets[at.place:at.place + 1]))
                break
            else:
                at.place += 1
                self.core.phase = (PHASE_CHUNK_LF if self.core.phase == PHASE_CHUNK_CR
                                   else PHASE_CHUNK_LINE)
        if count:
            made = Data.__new__(Data)
            made.ref = waiting_at(self, 0).ref
            if joined != NULL:
                _PyBytes_Resize(&joined, count)
                made.data = <bytes>joined
                Py_DECREF(made.data)
            elif count == PyBytes_GET_SIZE(data):
                made.data = data
            else:
                made.data = PyBytes_FromStringAndSize(<const char *>first, count)
            responses.append(made)
        return broken

    cdef object read_chunk_line(self, Input *at):
        """Read chunk-size [ chunk-ext ] CRLF (9112-7.1-a, b, d)."""
        cdef Taken line
        cdef unsigned long long size = 0
        cdef str cause
        cdef int found = take_line(self, at, self.config.max_chunk_line, &line)
        if found == LINE_PARTIAL:
            return None
        if found == LINE_LONG:
            return seen_fault("chunk_line_too_long", "", "", self.config.max_chunk_line + 1,
                              self.config.max_chunk_line)
        cause = chunk_line_cause(line.octets, line.count, self.config.tolerance, &size)
        if found == LINE_BARE:   # never tolerated: other software may see the chunk end elsewhere
            cause = "the line ends in LF without CR"
        if cause is not None:
            return seen_fault("invalid_chunk_size", cause, show(line.octets[:min(line.count, 200)]))
        # 9112-7.1.1-a: limit the size of extensions relative to the content.
        self.core.excess += line.whole - FREE_OVERHEAD - 2 * <long long>min(size, 1ULL << 20)
        if self.core.excess < 0:
            self.core.excess = 0
        if self.core.excess > 4 * self.config.max_chunk_line:
            return seen_fault("chunk_overhead_exceeded", "", "", self.core.excess,
                              4 * self.config.max_chunk_line)
        self.core.remaining = <long long>size
        self.core.phase = PHASE_CHUNK_DATA if size else PHASE_TRAILERS
        return None
