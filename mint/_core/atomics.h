/* Words that threads share: two operations that no other thread sees half done, and reads and writes.
 *
 * With a GIL, only the thread that holds it runs this code, so all of these are ordinary accesses; an atomic
 * instruction would cost as much as many ordinary ones. Without a GIL, accesses of sizes and owners are atomic
 * but relaxed, and all threads see changes of flags in the same order: if a thread sets a flag and then finds
 * a lock taken, the thread that releases the lock and then reads the flag must see it. */

#ifndef MINT_ATOMICS_H
#define MINT_ATOMICS_H

#include <Python.h>

#ifndef Py_GIL_DISABLED

/* Replace `before` by `after`; return whether it was `before`. */
static inline int mint_swap(long *place, long before, long after) {
    if (*place != before)
        return 0;
    *place = after;
    return 1;
}
/* Add to it, and return its previous value. */
static inline long mint_add(long *place, long count) {
    long before = *place;
    *place = before + count;
    return before;
}

#define MINT_ACCESS(type, name)                                                                             \
    static inline type mint_get_##name(type *place) { return *place; }                                      \
    static inline void mint_set_##name(type *place, type value) { *place = value; }
MINT_ACCESS(int, flag)

#elif defined(_MSC_VER)

#include <intrin.h>

static inline int mint_swap(long *place, long before, long after) {
    return _InterlockedCompareExchange(place, after, before) == before;
}
static inline long mint_add(long *place, long count) { return _InterlockedExchangeAdd(place, count); }

/* Aligned words are read and written atomically. */
#define MINT_ACCESS(type, name)                                                                             \
    static inline type mint_get_##name(type *place) { return *(volatile type *)place; }                     \
    static inline void mint_set_##name(type *place, type value) { *(volatile type *)place = value; }

static inline int mint_get_flag(int *place) { return (int)_InterlockedOr((volatile long *)place, 0); }
static inline void mint_set_flag(int *place, int value) { _InterlockedExchange((volatile long *)place, value); }

#else

static inline int mint_swap(long *place, long before, long after) {
    return __atomic_compare_exchange_n(place, &before, after, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
static inline long mint_add(long *place, long count) {
    return __atomic_fetch_add(place, count, __ATOMIC_SEQ_CST);
}

#define MINT_ORDERED(type, name, order)                                                                     \
    static inline type mint_get_##name(type *place) { return __atomic_load_n(place, order); }               \
    static inline void mint_set_##name(type *place, type value) { __atomic_store_n(place, value, order); }
#define MINT_ACCESS(type, name) MINT_ORDERED(type, name, __ATOMIC_RELAXED)
MINT_ORDERED(int, flag, __ATOMIC_SEQ_CST)

#endif

MINT_ACCESS(Py_ssize_t, size)
MINT_ACCESS(unsigned long, thread)
MINT_ACCESS(long, count)
MINT_ACCESS(long long, number)

#endif
