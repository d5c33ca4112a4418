/* Comes before everything else in the library's files that are explored: the operations that
 * src/atomic.h is made of become the explorer's. The allocator's memory belongs to the process,
 * too, and what is one per thread is exchanged by hand (scheduler.c). */
#ifndef BROOD_TESTS_EXPLORE_STEPPING_H
#define BROOD_TESTS_EXPLORE_STEPPING_H

#include <stdatomic.h>
#include <stdlib.h>

#include "hooks.h"

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_compare_exchange_strong
#undef atomic_fetch_add
#undef atomic_fetch_or
#undef atomic_fetch_and
#undef atomic_thread_fence

#define atomic_load(word) explore_load((word), sizeof *(word))
#define atomic_load_explicit(word, order) explore_load((word), sizeof *(word))
#define atomic_store(word, x) explore_store((word), sizeof *(word), (uint64_t)(x))
#define atomic_store_explicit(word, x, order) atomic_store(word, x)
#define atomic_exchange(word, x) explore_exchange((word), sizeof *(word), (uint64_t)(x))
#define atomic_compare_exchange_strong(word, expected, x) \
    explore_cas((word), sizeof *(word), (expected), (uint64_t)(x))
#define atomic_fetch_add(word, x) explore_add((word), sizeof *(word), (uint64_t)(x))
#define atomic_fetch_or(word, x) explore_or((word), sizeof *(word), (uint64_t)(x))
#define atomic_fetch_and(word, x) explore_and((word), sizeof *(word), (uint64_t)(x))
#define atomic_thread_fence(order) ((void)0)

#define calloc explore_calloc
#define malloc explore_malloc
#define realloc explore_realloc
#define free explore_free

#define _Thread_local

#endif
