# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""HPACK: encoding and decoding of header blocks, with immutable states. RFC 7541.

A Decoder or Encoder is never changed after it was published. Successive states share an append-only log of
table entries, each a (name, value) pair; a state knows its own span of the log. A state that is not the
newest copies its span into a new log before it adds an entry, so the result depends on that state alone.
Frames, streams and the rules about fields are elsewhere; the decoder only marks invalid fields.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport (PyUnicode_1BYTE_KIND, PyUnicode_CheckExact, PyUnicode_GET_LENGTH,
                              PyUnicode_KIND)
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy, memset

from .chars cimport CHAR_NAME2, all_in, is_blank, value_is_clean
from .faults cimport fault
from .hpack_octets cimport (FINE, LIST_LARGE, NO_ENTRY, SCRATCH,
                            UPDATE_LARGE, UPDATE_LATE, UPDATE_MISSING, Cursor, hash_of, length_of,
                            mixed, octets_of, read_integer, read_string, same_text, write_integer,
                            write_string)
from .hpack_rules cimport (INDEXED, NAME_INDEXED, NEVER_INDEXED, STATIC_COUNT, UNINDEXED, Known,
                           Statics, is_long_credential, known_name, policy_of_unknown,
                           static_table, static_value)
from .hpack_table cimport (Entry, Span, Table, age_of, at_position, copied_out, evict, insert, join,
                           leave, listed, release, same_span, slot_of_name, slot_of_pair)

cdef extern from *:
    """
    /* An empty list with room for some items: a block gives a list whose size can be estimated. */
    static PyObject *mint_roomy_list(Py_ssize_t room) {
        PyObject *made = PyList_New(room);
        if (made != NULL) Py_SET_SIZE((PyVarObject *)made, 0);
        return made;
    }
    static CYTHON_INLINE int mint_push(PyObject *list, Py_ssize_t count, PyObject *item) {
        PyListObject *into = (PyListObject *)list;
        if (count >= into->allocated) return PyList_Append(list, item);
        Py_INCREF(item);
        into->ob_item[count] = item;
        Py_SET_SIZE((PyVarObject *)into, count + 1);
        return 0;
    }
    #define mint_items(list) ((void **)((PyListObject *)(list))->ob_item)
    #define mint_room(list) (((PyListObject *)(list))->allocated)
    #define mint_resize(list, count) Py_SET_SIZE((PyVarObject *)(list), (count))
    """
    list mint_roomy_list(Py_ssize_t room)
    int mint_push(list into, Py_ssize_t count, object item) except -1
    void **mint_items(list of) noexcept
    Py_ssize_t mint_room(list of) noexcept
    void mint_resize(list of, Py_ssize_t count) noexcept

cdef enum:
    OVERHEAD = 32            # RFC 7541 4.1
    DEFAULT_SIZE = 4096      # the initial SETTINGS_HEADER_TABLE_SIZE

# The errors of a block in words, in the order of the enum in hpack_octets.pxd.
SEEN: tuple = (
    "", "the block ends within a field", "an integer has more than 32 bits or too many octets",
    "an index is outside the tables", "a table size update follows a field",
    "a table size update exceeds the limit", "a table size update is missing after the limit was reduced",
    "the Huffman padding is too long or not all ones", "a string contains the end-of-string symbol",
    "",
)


# -- decoding -----------------------------------------------------------------------------------


cdef inline uint32_t name_marks(str name) noexcept:
    """Return the marks of a name (9113-8.2.1)."""
    cdef const unsigned char *octets = octets_of(<void *>name)
    cdef Py_ssize_t count = PyUnicode_GET_LENGTH(name)
    cdef uint32_t marks = 0
    if count and octets[0] == c":":
        marks = MARK_PSEUDO
        octets += 1
        count -= 1
    if count == 0 or not all_in(octets, count, CHAR_NAME2):
        marks |= MARK_NAME
    return marks


cdef inline uint32_t value_marks(str value, bint odd) noexcept:
    """Return the marks of a value (9113-8.2.1). Without `odd` it is known to have no controls."""
    cdef const unsigned char *octets = octets_of(<void *>value)
    cdef Py_ssize_t count = PyUnicode_GET_LENGTH(value)
    if count == 0:
        return 0
    if is_blank(octets[0]) or is_blank(octets[count - 1]):
        return MARK_VALUE
    if odd and not value_is_clean(octets, count):
        return MARK_VALUE
    return 0


cdef inline Entry *entry_at(Statics statics, Table table, const Span *span,
                            uint32_t index) noexcept:
    """Return the entry with this index (2.3.3); NULL if there is none (7541-2.3.3-a, 6.1-a)."""
    if index <= STATIC_COUNT:
        return &statics.entries[index] if index else NULL
    index -= STATIC_COUNT
    if index > span.end - span.start:
        return NULL
    return at_position(table, span.end - index)


@cython.final
@cython.no_gc
@cython.freelist(8)
cdef class Decoded:
    """The fields of one header block, or its fault."""


@cython.final
@cython.no_gc
@cython.freelist(8)
cdef class Decoder:
    """The state of a decoder of header blocks."""

    def __init__(self, Py_ssize_t limit=DEFAULT_SIZE):
        self.limit = limit
        self.span.maximum = limit
        self.required = -1

    def __dealloc__(self):
        # Without `no_gc` the collector would take the log away first, and the log would count the state on.
        leave(self.table)

    @property
    def entries(self):
        """The dynamic table, the newest entry first."""
        return listed(self.table, &self.span)

    @property
    def size(self):
        """The size of the dynamic table in octets."""
        return self.span.octets

    @property
    def maximum(self):
        """The maximum size of the dynamic table in octets, as the peer last set it."""
        return self.span.maximum

    def __eq__(self, other):
        cdef Decoder peer
        if type(other) is not Decoder:
            return NotImplemented
        peer = other
        return (self.limit == peer.limit and self.required == peer.required
                and same_span(self.table, &self.span, peer.table, &peer.span))

    def __repr__(self):
        return (f"<Decoder: {self.span.end - self.span.start} entries, "
                f"{self.span.octets} of {self.span.maximum} octets>")

    cpdef Decoder resized(self, Py_ssize_t limit):
        """Return the successor after the peer acknowledged our SETTINGS_HEADER_TABLE_SIZE."""
        cdef Decoder fresh
        if limit == self.limit:
            return self
        fresh = Decoder.__new__(Decoder)
        join(self.table)
        fresh.table = self.table
        fresh.span = self.span
        fresh.limit = limit
        fresh.required = self.required
        # 9113-4.3.1-b: the peer must signal a smaller maximum, unless its maximum is small enough already.
        if limit < self.span.maximum and (self.required < 0 or limit < self.required):
            fresh.required = limit
        return fresh

    def decode(self, bytes block not None, Py_ssize_t max_size=262144, Py_ssize_t max_fields=512):
        """Decode one complete header block."""
        return self.decoded(<const unsigned char *>PyBytes_AS_STRING(block),
                            PyBytes_GET_SIZE(block), max_size, max_fields)

    cdef Decoded decoded(self, const unsigned char *block, Py_ssize_t count,
                         Py_ssize_t most_octets, Py_ssize_t most_fields):
        cdef Table table = self.table
        if table is None:        # nothing shared yet
            return decode_block(self, block, count, most_octets, most_fields)
        with cython.critical_section(table):
            return decode_block(self, block, count, most_octets, most_fields)


cdef inline bint read_updates(Decoder state, Cursor *cursor, Span *span) noexcept:
    """Apply the table size updates at the start of a block; return whether there was one."""
    cdef bint updated = False
    cdef uint32_t size
    while cursor.at < cursor.end and cursor.at[0] & 0xE0 == 0x20:
        size = read_integer(cursor, 0x1F)
        if cursor.wrong:
            return updated
        if size > state.limit:                                               # 7541-6.3-a
            cursor.wrong = UPDATE_LARGE
            return updated
        if not updated and state.required >= 0 and size > state.required:    # 9113-4.3.1-b
            cursor.wrong = UPDATE_MISSING
            return updated
        updated = True
        span.maximum = size
        evict(state.table, span, 0)
    if state.required >= 0 and not updated:
        cursor.wrong = UPDATE_MISSING
    return updated


cdef inline Py_ssize_t read_indexed(const unsigned char **place, const unsigned char *end, list fields,
                                    Py_ssize_t found, Py_ssize_t room, Statics statics, Table table,
                                    const Span *span, Py_ssize_t *left, uint32_t *marks) noexcept:
    """Read indexed fields of one octet each (6.1) up to anything else; return how many fields there are.

    Most fields of most blocks are of this kind.
    """
    cdef const unsigned char *at = place[0]
    cdef Py_ssize_t live = span.end - span.start
    cdef Py_ssize_t rest = left[0]
    cdef uint32_t seen = marks[0]
    cdef void **item = mint_items(fields) + found
    cdef Py_ssize_t index
    cdef Entry *entry
    if end - at > room - found:
        end = at + room - found
    while at < end and 0x80 < at[0] < 0xFF:
        index = at[0] & 0x7F
        if index <= STATIC_COUNT:
            entry = &statics.entries[index]
        elif index - STATIC_COUNT <= live:
            entry = at_position(table, span.end - (index - STATIC_COUNT))
        else:
            break
        if entry.size > rest:
            break
        rest -= entry.size
        seen |= entry.note
        Py_INCREF(<object>entry.pair)
        item[0] = entry.pair
        item += 1
        at += 1
    found = item - mint_items(fields)
    mint_resize(fields, found)
    place[0] = at
    left[0] = rest
    marks[0] = seen
    return found


cdef Decoded decode_block(Decoder state, const unsigned char *block, Py_ssize_t count,
                          Py_ssize_t most_octets, Py_ssize_t most_fields):
    cdef Decoded made = Decoded.__new__(Decoded)
    cdef Statics statics = static_table()
    cdef list fields = mint_roomy_list(min(count, 32))
    cdef list never = None
    cdef Table table = state.table
    cdef Span span = state.span
    cdef Cursor cursor
    cdef const unsigned char *at     # where the next field begins
    cdef Entry *entry
    cdef uint32_t marks = 0
    cdef uint32_t note
    cdef uint32_t index
    cdef Py_ssize_t found = 0        # fields so far
    cdef Py_ssize_t room = min(mint_room(fields), most_fields)
    cdef Py_ssize_t left = most_octets   # octets left for further fields, including their overhead
    cdef Py_ssize_t before
    cdef Py_ssize_t size
    cdef unsigned char octet
    cdef bint changed
    cdef str name
    cdef str value
    cdef tuple pair
    cursor.at = block
    cursor.end = block + count
    cursor.wrong = FINE
    made.fields = fields
    made.decoder = state
    release(table, &span)
    changed = read_updates(state, &cursor, &span)
    at = cursor.at
    while at < cursor.end and not cursor.wrong:
        octet = at[0]
        if 0x80 < octet < 0xFF and found < room:
            before = found
            found = read_indexed(&at, cursor.end, fields, found, room, statics, table, &span, &left,
                                 &marks)
            if found != before:
                continue
        if found >= most_fields:                     # 7541-7.3-a
            made.fault = fault("too_many_headers", "", "", found + 1, most_fields)
            break
        if octet & 0xE0 == 0x20:                   # 7541-4.2-c
            cursor.wrong = UPDATE_LATE
            break
        else:
            cursor.at = at
            index = read_integer(&cursor, 0x7F if octet & 0x80 else 0x3F if octet & 0x40 else 0x0F)
            if cursor.wrong:
                break
            at = cursor.at
        entry = entry_at(statics, table, &span, index)
        if octet & 0x80:                             # 6.1
            if entry == NULL:
                cursor.wrong = NO_ENTRY
                break
            left -= entry.size
            if left < 0:
                cursor.wrong = LIST_LARGE
                break
            marks |= entry.note
            mint_push(fields, found, <object>entry.pair)
            found += 1
            continue
        cursor.allowed = left - OVERHEAD
        if index:
            if entry == NULL:
                cursor.wrong = NO_ENTRY
                break
            name = <str>PyTuple_GET_ITEM(<object>entry.pair, 0)
            note = entry.note & (MARK_NAME | MARK_PSEUDO)
            cursor.allowed -= PyUnicode_GET_LENGTH(name)
        else:
            name = read_string(&cursor)
            if cursor.wrong:
                break
            note = name_marks(name)
        value = read_string(&cursor)
        if cursor.wrong:
            break
        at = cursor.at
        note |= value_marks(value, cursor.odd)
        marks |= note
        size = PyUnicode_GET_LENGTH(name) + PyUnicode_GET_LENGTH(value) + OVERHEAD
        left -= size
        if left < 0:
            cursor.wrong = LIST_LARGE
            break
        pair = (name, value)
        mint_push(fields, found, pair)
        if octet & 0x40:                             # 6.2.1
            table = insert(table, &span, pair, note, size, False)
            changed = True
        elif octet & 0x10:                           # 7541-6.2.3-a
            if never is None:
                never = []
            never.append(found)
        found += 1
    made.marks = marks
    made.size = most_octets - left
    if never is not None:
        made.never = frozenset(never)
    if cursor.wrong == LIST_LARGE:
        made.fault = fault("max_header_list_size_exceeded", "", "", most_octets + 1, most_octets)
    elif cursor.wrong:
        made.fault = fault("compression_error", "", <str>SEEN[cursor.wrong])
    elif made.fault is None and changed:
        made.decoder = Decoder.__new__(Decoder)
        join(table)
        made.decoder.table = table
        made.decoder.span = span
        made.decoder.limit = state.limit
        made.decoder.required = -1
    return made


# -- encoding -----------------------------------------------------------------------------------


@cython.final
@cython.no_gc
@cython.freelist(8)
cdef class Encoded:
    """One header block, and the state after it."""


@cython.final
@cython.no_gc
@cython.freelist(8)
cdef class Encoder:
    """The state of an encoder of header blocks."""

    def __init__(self, Py_ssize_t cap=DEFAULT_SIZE, bint index_credentials=False):
        self.cap = cap
        self.index_credentials = index_credentials
        self.span.maximum = min(cap, DEFAULT_SIZE)
        # The peer assumes the default size; a smaller one has to be signalled.
        self.smallest = cap if cap < DEFAULT_SIZE else -1

    def __dealloc__(self):
        # Without `no_gc` the collector would take the log away first, and the log would count the state on.
        leave(self.table)

    @property
    def entries(self):
        """The dynamic table, the newest entry first."""
        return listed(self.table, &self.span)

    @property
    def size(self):
        """The size of the dynamic table in octets."""
        return self.span.octets

    @property
    def maximum(self):
        """The maximum size of the dynamic table in octets: what the peer allows, but at most the cap."""
        return self.span.maximum

    def __eq__(self, other):
        cdef Encoder peer
        if type(other) is not Encoder:
            return NotImplemented
        peer = other
        return (self.cap == peer.cap and self.smallest == peer.smallest
                and self.index_credentials == peer.index_credentials
                and same_span(self.table, &self.span, peer.table, &peer.span))

    def __repr__(self):
        return (f"<Encoder: {self.span.end - self.span.start} entries, "
                f"{self.span.octets} of {self.span.maximum} octets>")

    cdef Encoder successor(self, Table table, const Span *span, Py_ssize_t smallest):
        cdef Encoder fresh = Encoder.__new__(Encoder)
        join(table)
        fresh.table = table
        fresh.span = span[0]
        fresh.cap = self.cap
        fresh.index_credentials = self.index_credentials
        fresh.smallest = smallest
        return fresh

    cdef void move(self, Table table) noexcept:
        """Use another log, or the same one; only while no one else knows this encoder."""
        if table is not self.table:
            leave(self.table)
            join(table)
            self.table = table

    cpdef Encoder resized(self, Py_ssize_t limit):
        """Return the successor after the peer's SETTINGS_HEADER_TABLE_SIZE changed (7541-4.2-a)."""
        cdef Span span = self.span
        cdef Py_ssize_t smallest = self.smallest
        span.maximum = min(limit, self.cap)
        if span.maximum == self.span.maximum:
            return self
        if smallest < 0 or span.maximum < smallest:
            smallest = span.maximum
        evict(self.table, &span, 0)
        return self.successor(self.table, &span, smallest)

    def encode(self, headers, frozenset sensitive=None):
        """Encode fields; return the block and the successor."""
        cdef Encoded made
        if not isinstance(headers, (list, tuple)):
            headers = list(headers)
        made = self.encoded(headers, sensitive, 0)
        return made.block, made.encoder

    cdef Encoded encoded(self, object headers, object sensitive, Py_ssize_t kept):
        cdef Table table = self.table
        if table is None:        # nothing shared yet
            return encode_fields(self, headers, sensitive, kept)
        with cython.critical_section(table):
            return encode_fields(self, headers, sensitive, kept)


cdef struct Page:
    unsigned char *base      # the block so far; either `scratch`, which is on the stack, or owned
    Py_ssize_t room
    unsigned char *scratch


cdef unsigned char *moved_page(Page *page, unsigned char *out, Py_ssize_t more) except NULL:
    """Move the block to a larger buffer with room for `more` octets; return where it continues."""
    cdef Py_ssize_t used = out - page.base
    cdef Py_ssize_t room = page.room
    cdef unsigned char *moved
    while room < used + more:
        room *= 2
    moved = <unsigned char *>PyMem_Malloc(room)
    if moved == NULL:
        raise MemoryError
    memcpy(moved, page.base, used)
    if page.base != page.scratch:
        PyMem_Free(page.base)
    page.base = moved
    page.room = room
    return moved + used


cdef inline unsigned char *make_room(Page *page, unsigned char *out, Py_ssize_t more) except NULL:
    return out if page.base + page.room - out >= more else moved_page(page, out, more)


cdef inline bint is_plain(void *text) noexcept:
    return (PyUnicode_CheckExact(<object>text)
            and PyUnicode_KIND(<object>text) == PyUnicode_1BYTE_KIND)


cdef tuple plain_pair(object pair):
    """Return a pair as a tuple of two exact latin-1 str; raise if that is not possible."""
    name, value = pair
    if not isinstance(name, str) or not isinstance(value, str):
        raise TypeError("a field must be a pair of str")
    name = str.__str__(name)
    value = str.__str__(value)
    if not is_plain(<void *>name) or not is_plain(<void *>value):
        raise ValueError("a field must contain latin-1 characters only")
    return name, value


cdef unsigned char *write_field(Page *page, unsigned char *out, Encoder work,
                                Statics statics, object pair, object sensitive) except NULL:
    """Write one field, and add it to the table of the private state `work` if that is worthwhile."""
    cdef void *name
    cdef void *value
    cdef Known *known
    cdef Py_ssize_t size
    cdef Py_ssize_t age
    cdef uint32_t named
    cdef uint64_t index = 0      # of the name; 0: none
    cdef int policy = INDEXED
    cdef int i
    if (type(pair) is not tuple or PyTuple_GET_SIZE(pair) != 2
            or not is_plain(PyTuple_GET_ITEM(pair, 0)) or not is_plain(PyTuple_GET_ITEM(pair, 1))):
        pair = plain_pair(pair)
    name = PyTuple_GET_ITEM(pair, 0)
    value = PyTuple_GET_ITEM(pair, 1)
    size = length_of(name) + length_of(value) + OVERHEAD
    out = make_room(page, out, size)
    named = hash_of(name)
    known = known_name(statics, name, named)
    if known != NULL:
        index = known.index
        policy = known.policy
    if (policy == NEVER_INDEXED and work.index_credentials
            and is_long_credential(<str>name, <str>value)):
        policy = INDEXED
    if sensitive is not None and <object>name in sensitive:
        policy = NEVER_INDEXED
    if policy != NEVER_INDEXED and known != NULL:
        for i in range(known.count):
            if same_text(static_value(statics, known.index + i), value):
                return write_integer(out, 0x80, 0x7F, index + i)
    if work.table is not None and work.table.used != work.span.end:
        # Code of the caller has added to the table through another state: a pair, the list of pairs or the
        # set of names may be of any class. Nothing below runs such code.
        work.move(copied_out(work.table, &work.span, True))
    if policy == INDEXED and work.table is not None:
        age = age_of(work.table, &work.span,
                     slot_of_pair(work.table, mixed(named, hash_of(value)), name, value))
        if 0 <= age < work.span.end - work.span.start:
            return write_integer(out, 0x80, 0x7F, STATIC_COUNT + 1 + age)
    if known == NULL:
        if policy == INDEXED:
            policy = policy_of_unknown(<str>name, <str>value)
        if work.table is not None:
            age = age_of(work.table, &work.span, slot_of_name(work.table, named, name))
            if 0 <= age < work.span.end - work.span.start:
                index = STATIC_COUNT + 1 + age
    if policy == NAME_INDEXED:
        policy = UNINDEXED if index else INDEXED
    if policy == INDEXED and 4 * size > 3 * work.span.maximum:
        policy = UNINDEXED       # it would evict nearly everything else
    if policy == INDEXED:
        out = write_integer(out, 0x40, 0x3F, index)
        work.move(insert(work.table, &work.span, pair, mixed(named, hash_of(value)), size, True))
    else:
        out = write_integer(out, 0x10 if policy == NEVER_INDEXED else 0, 0x0F, index)
    if index == 0:
        out = write_string(out, name)
    return write_string(out, value)


cdef Encoded encode_fields(Encoder state, object headers, object sensitive, Py_ssize_t kept):
    cdef Encoded made = Encoded.__new__(Encoded)
    cdef Statics statics = static_table()
    cdef Encoder work
    cdef unsigned char[SCRATCH] scratch
    cdef unsigned char *out = scratch
    cdef Page page
    cdef object pair
    page.base = page.scratch = scratch
    page.room = SCRATCH
    release(state.table, &state.span)
    work = state.successor(state.table, &state.span, -1)
    if work.table is not None and work.table.used != work.span.end:
        # This state is not the newest, and the index of a shared log also contains entries of other states.
        work.move(copied_out(work.table, &work.span, True))
    try:
        out = make_room(&page, out, kept + OVERHEAD)
        memset(out, 0, kept)
        out += kept
        if state.smallest >= 0:  # 7541-4.2-b
            if state.smallest < work.span.maximum:
                out = write_integer(out, 0x20, 0x1F, state.smallest)
            out = write_integer(out, 0x20, 0x1F, work.span.maximum)
        for pair in headers:
            out = write_field(&page, out, work, statics, pair, sensitive)
        made.block = PyBytes_FromStringAndSize(<char *>page.base, out - page.base)
    finally:
        if page.base != scratch:
            PyMem_Free(page.base)
    if (state.smallest < 0 and work.table is state.table and work.span.end == state.span.end
            and work.span.start == state.span.start):
        work = state
    made.encoder = work
    return made
