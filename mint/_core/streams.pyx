# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""The table of live streams: a persistent data structure, so that states share what did not change.

Streams are C structs in leaves of eight. The table itself holds the newest leaf; the others are in a radix
tree, indexed by stream and without nodes that have only one child. Its depth depends on how many streams are
live, not on how many there have been. An operation copies only the path to what it changes, and only once,
because everything that it made carries its serial. RFC 9113 5.1; frames are read elsewhere.
"""

cimport cython
from cpython.object cimport PyObject, PyTypeObject, Py_TYPE
from cpython.ref cimport Py_INCREF, Py_XDECREF, Py_XINCREF
from libc.string cimport memcmp, memcpy, memset


@cython.final
@cython.freelist(32)
cdef class Leaf:
    """Eight consecutive streams."""


@cython.final
@cython.freelist(32)
cdef class Node:
    """Up to sixteen branches, each for one range of leaves."""

    def __dealloc__(self):
        cdef int i
        for i in range(NODE_SIZE):
            Py_XDECREF(self.children[i])


cdef Leaf copied_leaf(Leaf leaf, unsigned long long serial):
    cdef Leaf fresh = Leaf.__new__(Leaf)
    fresh.serial = serial
    fresh.number = leaf.number
    fresh.live = leaf.live
    memcpy(fresh.streams, leaf.streams, sizeof(leaf.streams))
    return fresh


cdef Node copied_node(Node node, unsigned long long serial):
    cdef Node fresh = Node.__new__(Node)
    cdef int i
    fresh.serial = serial
    fresh.shift = node.shift
    fresh.prefix = node.prefix
    fresh.count = node.count
    memcpy(fresh.children, node.children, sizeof(node.children))
    for i in range(NODE_SIZE):
        Py_XINCREF(fresh.children[i])
    return fresh


cdef inline void put(PyObject **link, object item) noexcept:
    """Replace the branch that a pointer in the tree owns."""
    cdef PyObject *before = link[0]
    Py_INCREF(item)
    link[0] = <PyObject *>item
    Py_XDECREF(before)


cdef inline bint is_leaf(PyObject *item) noexcept:
    return Py_TYPE(<object>item) == <PyTypeObject *>Leaf


cdef inline long long some_number(PyObject *item) noexcept:
    """Return a leaf number in the range of the branch."""
    cdef Node node
    if is_leaf(item):
        return (<Leaf>item).number
    node = <Node>item
    return node.prefix << (node.shift + NODE_BITS)


cdef inline bint covers(Node node, long long number) noexcept:
    return number >> (node.shift + NODE_BITS) == node.prefix


cdef inline int slot_of(Node node, long long number) noexcept:
    return (number >> node.shift) & (NODE_SIZE - 1)


cdef PyObject *found(PyObject *item, long long number) noexcept:
    """Return the leaf with this number under a branch, or NULL; a borrowed reference."""
    while item != NULL and not is_leaf(item):
        if not covers(<Node>item, number):
            return NULL
        item = (<Node>item).children[slot_of(<Node>item, number)]
    if item != NULL and (<Leaf>item).number != number:
        return NULL
    return item


cdef long long first_from(PyObject *item, long long index) noexcept:
    """Return the smallest live index under a branch that is at least `index`, or -1."""
    cdef Leaf leaf
    cdef Node node
    cdef long long got
    cdef long long base
    cdef int i
    if item == NULL:
        return -1
    if is_leaf(item):
        leaf = <Leaf>item
        base = leaf.number << LEAF_BITS
        for i in range(LEAF_SIZE):
            if leaf.live >> i & 1 and base + i >= index:
                return base + i
        return -1
    node = <Node>item
    base = node.prefix << (node.shift + NODE_BITS)
    for i in range(NODE_SIZE):
        # the last index under this child
        if (((base + (<long long>(i + 1) << node.shift)) << LEAF_BITS) - 1) < index:
            continue
        got = first_from(node.children[i], index)
        if got >= 0:
            return got
    return -1


@cython.final
@cython.no_gc
@cython.freelist(32)
cdef class Table:
    """The live streams that one endpoint has opened, by index (0 for the first stream)."""

    def __dealloc__(self):
        Py_XDECREF(self.root)

    def __len__(self):
        return self.count

    def numbers(self):
        """Return the live indices in order."""
        cdef list seen = []
        cdef long long index = self.following(0)
        while index >= 0:
            seen.append(index)
            index = self.following(index + 1)
        return seen

    def added(self, long long index):
        """Return a table with one more stream."""
        cdef Table fresh = self.writable(self.serial + 1)
        if self.following(index) >= 0 or index < 0:
            raise ValueError("streams must be added in ascending order")
        fresh.add(index)
        return fresh

    def touched(self, long long index):
        """Return a table in which a stream was changed."""
        cdef Table fresh = self.writable(self.serial + 1)
        cdef Stream *stream = fresh.edit(index)
        if stream == NULL:
            raise KeyError(index)
        stream.interims += 1
        return fresh

    def dropped(self, long long index):
        """Return a table without a stream."""
        cdef Table fresh = self.writable(self.serial + 1)
        fresh.drop(index)
        return fresh

    def __eq__(self, other):
        if type(other) is not Table:
            return NotImplemented
        return self.same(<Table>other)

    __hash__ = None

    cdef Table writable(self, unsigned long long serial):
        cdef Table fresh
        if self.serial == serial:
            return self
        fresh = Table.__new__(Table)
        fresh.serial = serial
        fresh.tail = self.tail
        fresh.root = self.root
        Py_XINCREF(fresh.root)
        fresh.count = self.count
        fresh.work = self.work
        return fresh

    cdef const Stream *peek(self, long long index) noexcept:
        cdef long long number = index >> LEAF_BITS
        cdef Leaf leaf
        cdef PyObject *item
        if self.tail is not None and self.tail.number == number:
            leaf = self.tail
        else:
            item = found(self.root, number)
            if item == NULL:
                return NULL
            leaf = <Leaf>item
        if not leaf.live >> (index & (LEAF_SIZE - 1)) & 1:
            return NULL
        return &leaf.streams[index & (LEAF_SIZE - 1)]

    cdef Leaf own_leaf(self, long long number):
        """Return the leaf of a live stream, after copying it and the path to it if necessary."""
        cdef PyObject **link = &self.root
        cdef Node node
        if self.tail is not None and self.tail.number == number:
            if self.tail.serial != self.serial:
                self.tail = copied_leaf(self.tail, self.serial)
                self.work += 1
            return self.tail
        while True:
            if is_leaf(link[0]):
                if (<Leaf>link[0]).serial != self.serial:
                    put(link, copied_leaf(<Leaf>link[0], self.serial))
                    self.work += 1
                return <Leaf>link[0]
            node = <Node>link[0]
            if node.serial != self.serial:
                put(link, copied_node(node, self.serial))
                self.work += 1
                node = <Node>link[0]
            link = &node.children[slot_of(node, number)]

    cdef Stream *edit(self, long long index) except? NULL:
        cdef Leaf leaf
        if self.peek(index) == NULL:
            return NULL
        leaf = self.own_leaf(index >> LEAF_BITS)
        return &leaf.streams[index & (LEAF_SIZE - 1)]

    cdef Stream *add(self, long long index) except NULL:
        cdef long long number = index >> LEAF_BITS
        cdef int place = index & (LEAF_SIZE - 1)
        if self.tail is None or self.tail.number != number:
            if self.tail is not None:
                self.hang(self.tail)
            self.tail = Leaf.__new__(Leaf)
            self.tail.serial = self.serial
            self.tail.number = number
            self.tail.live = 0
            self.work += 1
        elif self.tail.serial != self.serial:
            self.tail = copied_leaf(self.tail, self.serial)
            self.work += 1
        memset(&self.tail.streams[place], 0, sizeof(Stream))
        self.tail.live |= 1 << place
        self.count += 1
        return &self.tail.streams[place]

    cdef int hang(self, Leaf leaf) except -1:
        """Add a leaf to the tree."""
        cdef PyObject **link = &self.root
        cdef Node node
        cdef Node above
        cdef long long other
        while link[0] != NULL:
            if not is_leaf(link[0]) and covers(<Node>link[0], leaf.number):
                node = <Node>link[0]
                if node.serial != self.serial:
                    put(link, copied_node(node, self.serial))
                    self.work += 1
                    node = <Node>link[0]
                link = &node.children[slot_of(node, leaf.number)]
                if link[0] == NULL:
                    node.count += 1
                continue
            # The branch here has another range: add a node above both, no higher than necessary.
            other = some_number(link[0])
            above = Node.__new__(Node)
            above.serial = self.serial
            above.shift = 0
            while other >> (above.shift + NODE_BITS) != leaf.number >> (above.shift + NODE_BITS):
                above.shift += NODE_BITS
            above.prefix = leaf.number >> (above.shift + NODE_BITS)
            above.count = 2
            self.work += 1
            put(&above.children[slot_of(above, other)], <object>link[0])
            put(link, above)
            link = &above.children[slot_of(above, leaf.number)]
        put(link, leaf)
        return 0

    cdef int drop(self, long long index) except -1:
        cdef long long number = index >> LEAF_BITS
        cdef Leaf leaf
        if self.peek(index) == NULL:
            return 0
        leaf = self.own_leaf(number)
        leaf.live &= ~(1 << (index & (LEAF_SIZE - 1)))
        self.count -= 1
        if leaf.live:
            return 0
        if leaf is self.tail:
            self.tail = None
        else:
            self.unhang(number)
        return 0

    cdef int unhang(self, long long number) except -1:
        """Remove an empty leaf; replace a node with one child by the child. The path was copied already."""
        cdef PyObject **link = &self.root
        cdef PyObject **above = NULL
        cdef PyObject *gone
        cdef Node node
        cdef object only
        cdef int i
        while not is_leaf(link[0]):
            above = link
            link = &(<Node>link[0]).children[slot_of(<Node>link[0], number)]
        gone = link[0]
        link[0] = NULL
        Py_XDECREF(gone)
        if above == NULL:
            return 0
        node = <Node>above[0]
        node.count -= 1
        if node.count > 1:
            return 0
        for i in range(NODE_SIZE):
            if node.children[i] != NULL:
                only = <object>node.children[i]
                put(above, only)
                break
        return 0

    cdef long long following(self, long long index) noexcept:
        cdef long long got = first_from(self.root, index)
        cdef long long newest
        if self.tail is None:
            return got
        newest = first_from(<PyObject *>self.tail, index)
        return newest if got < 0 or 0 <= newest < got else got

    cdef bint same(self, Table other) noexcept:
        cdef long long index
        cdef long long start = 0
        if self.count != other.count:
            return False
        if self.root == other.root and self.tail is other.tail:
            return True
        while True:
            index = self.following(start)
            if index != other.following(start):
                return False
            if index < 0:
                return True
            if not same_stream(self.peek(index), other.peek(index)):
                return False
            start = index + 1


cdef bint same_stream(const Stream *one, const Stream *two) noexcept:
    """Whether two streams are equal. Streams are zeroed when added, so padding octets are equal, too."""
    return memcmp(one, two, sizeof(Stream)) == 0
