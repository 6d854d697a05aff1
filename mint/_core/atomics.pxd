# Words that are also read without the lock under which they are written (atomics.h). Without a GIL these
# accesses are not data races; with one they are ordinary accesses. They are used only with the GIL held.

cdef extern from "atomics.h":
    # Replace `before` by `after`; return whether it was `before`.
    bint mint_swap(long *place, long before, long after) noexcept
    # Add to it, and return its previous value.
    long mint_add(long *place, long count) noexcept

    # Flags: all threads see their changes in the same order.
    int mint_get_flag(int *place) noexcept
    void mint_set_flag(int *place, int value) noexcept

    # Sizes, owners and counts: they may be out of date when they are used.
    Py_ssize_t mint_get_size(Py_ssize_t *place) noexcept
    void mint_set_size(Py_ssize_t *place, Py_ssize_t value) noexcept
    unsigned long mint_get_thread(unsigned long *place) noexcept
    void mint_set_thread(unsigned long *place, unsigned long value) noexcept
    long mint_get_count(long *place) noexcept
    long long mint_get_number(long long *place) noexcept
    void mint_set_number(long long *place, long long value) noexcept
