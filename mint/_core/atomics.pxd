# Words that are read without the lock under which they are written (atomics.h): no data race without a GIL,
# and plain accesses with one.

cdef extern from "atomics.h" nogil:
    # Whether it was `before`, and is `after` now.
    bint mint_swap(volatile long *place, long before, long after) noexcept
    # Add to it, and return what it was.
    long mint_add(volatile long *place, long count) noexcept

    # What decides who acts: all threads see the flags change in one order.
    int mint_get_flag(int *place) noexcept
    void mint_set_flag(int *place, int value) noexcept

    # What may be out of date when it is used.
    Py_ssize_t mint_get_size(Py_ssize_t *place) noexcept
    void mint_set_size(Py_ssize_t *place, Py_ssize_t value) noexcept
    unsigned long mint_get_thread(unsigned long *place) noexcept
    void mint_set_thread(unsigned long *place, unsigned long value) noexcept
    long mint_get_count(long *place) noexcept
    long long mint_get_number(long long *place) noexcept
    void mint_set_number(long long *place, long long value) noexcept
