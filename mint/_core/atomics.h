/* Words that threads share: two atomic operations, and accesses that are no data races without a GIL.
 *
 * With a GIL only its holder runs this code, so an access is a plain one there. Without it, a size or an
 * owner is read and written as such (relaxed), and a flag in one order for all threads: whoever raises a
 * flag and then finds a lock taken must be seen by whoever gives that lock back and then looks at the flag. */

#ifndef MINT_ATOMICS_H
#define MINT_ATOMICS_H

#include <Python.h>

#ifdef _MSC_VER

#include <intrin.h>

static int mint_swap(volatile long *place, long before, long after) {
    return _InterlockedCompareExchange(place, after, before) == before;
}
static long mint_add(volatile long *place, long count) { return _InterlockedExchangeAdd(place, count); }

/* Aligned words are read and written as a whole. */
#define MINT_ACCESS(type, name)                                                                             \
    static inline type mint_get_##name(type *place) { return *(volatile type *)place; }                     \
    static inline void mint_set_##name(type *place, type value) { *(volatile type *)place = value; }

#ifdef Py_GIL_DISABLED
static inline int mint_get_flag(int *place) { return (int)_InterlockedOr((volatile long *)place, 0); }
static inline void mint_set_flag(int *place, int value) { _InterlockedExchange((volatile long *)place, value); }
#else
MINT_ACCESS(int, flag)
#endif

#else

/* Whether it was `before`, and is `after` now. */
static int mint_swap(volatile long *place, long before, long after) {
    return __atomic_compare_exchange_n(place, &before, after, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
/* Add to it, and return what it was. */
static long mint_add(volatile long *place, long count) {
    return __atomic_fetch_add(place, count, __ATOMIC_SEQ_CST);
}

#ifdef Py_GIL_DISABLED
#define MINT_ORDERED(type, name, order)                                                                     \
    static inline type mint_get_##name(type *place) { return __atomic_load_n(place, order); }               \
    static inline void mint_set_##name(type *place, type value) { __atomic_store_n(place, value, order); }
#define MINT_ACCESS(type, name) MINT_ORDERED(type, name, __ATOMIC_RELAXED)
MINT_ORDERED(int, flag, __ATOMIC_SEQ_CST)
#else
#define MINT_ACCESS(type, name)                                                                             \
    static inline type mint_get_##name(type *place) { return *place; }                                      \
    static inline void mint_set_##name(type *place, type value) { *place = value; }
MINT_ACCESS(int, flag)
#endif

#endif

MINT_ACCESS(Py_ssize_t, size)
MINT_ACCESS(unsigned long, thread)
MINT_ACCESS(long, count)
MINT_ACCESS(long long, number)

#endif
