/* Words that threads and processes change together, also in shared memory.
 *
 * All operations are sequentially consistent, but those named _relaxed, and store, which releases. */
#ifndef BROOD_SRC_ATOMIC_H
#define BROOD_SRC_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>

typedef volatile long brood_word;
typedef volatile __int64 brood_word64;

static inline uint32_t brood_word_load(const brood_word *word)
{
    return (uint32_t)_InterlockedOr((brood_word *)word, 0);
}

static inline uint32_t brood_word_load_relaxed(const brood_word *word)
{
    return (uint32_t)*word;
}

static inline void brood_word_store(brood_word *word, uint32_t x)
{
    (void)_InterlockedExchange(word, (long)x);
}

static inline uint32_t brood_word_exchange(brood_word *word, uint32_t x)
{
    return (uint32_t)_InterlockedExchange(word, (long)x);
}

static inline bool brood_word_cas(brood_word *word, uint32_t expected, uint32_t x)
{
    return _InterlockedCompareExchange(word, (long)x, (long)expected) == (long)expected;
}

static inline uint32_t brood_word_add(brood_word *word, uint32_t x)
{
    return (uint32_t)_InterlockedExchangeAdd(word, (long)x);
}

static inline uint32_t brood_word_or(brood_word *word, uint32_t x)
{
    return (uint32_t)_InterlockedOr(word, (long)x);
}

static inline uint32_t brood_word_and(brood_word *word, uint32_t x)
{
    return (uint32_t)_InterlockedAnd(word, (long)x);
}

static inline uint64_t brood_word64_load(const brood_word64 *word)
{
    return (uint64_t)_InterlockedOr64((brood_word64 *)word, 0);
}

static inline uint64_t brood_word64_load_relaxed(const brood_word64 *word)
{
    return (uint64_t)*word;
}

static inline void brood_word64_store(brood_word64 *word, uint64_t x)
{
    (void)_InterlockedExchange64(word, (__int64)x);
}

static inline void brood_word64_store_relaxed(brood_word64 *word, uint64_t x)
{
    *word = (__int64)x;
}

static inline bool brood_word64_cas(brood_word64 *word, uint64_t expected, uint64_t x)
{
    return _InterlockedCompareExchange64(word, (__int64)x, (__int64)expected) == (__int64)expected;
}

static inline uint64_t brood_word64_add(brood_word64 *word, uint64_t x)
{
    return (uint64_t)_InterlockedExchangeAdd64(word, (__int64)x);
}

static inline uint64_t brood_word64_or(brood_word64 *word, uint64_t x)
{
    return (uint64_t)_InterlockedOr64(word, (__int64)x);
}

static inline uint64_t brood_word64_and(brood_word64 *word, uint64_t x)
{
    return (uint64_t)_InterlockedAnd64(word, (__int64)x);
}

static inline void brood_fence(void)
{
    volatile long here = 0;
    (void)_InterlockedOr(&here, 0);
}
#else
#include <stdatomic.h>

typedef _Atomic(uint32_t) brood_word;
typedef _Atomic(uint64_t) brood_word64;

/// brood_word_load reads it.
static inline uint32_t brood_word_load(const brood_word *word)
{
    return atomic_load((brood_word *)word);
}

/// brood_word_load_relaxed reads it, in no order with anything else.
static inline uint32_t brood_word_load_relaxed(const brood_word *word)
{
    return atomic_load_explicit((brood_word *)word, memory_order_relaxed);
}

/// brood_word_store writes it, and all that was written before is seen by who reads it.
static inline void brood_word_store(brood_word *word, uint32_t x)
{
    atomic_store_explicit(word, x, memory_order_release);
}

/// brood_word_exchange writes it and returns what was there.
static inline uint32_t brood_word_exchange(brood_word *word, uint32_t x)
{
    return atomic_exchange(word, x);
}

/// brood_word_cas writes `x` if `expected` is there, and tells whether it was.
static inline bool brood_word_cas(brood_word *word, uint32_t expected, uint32_t x)
{
    return atomic_compare_exchange_strong(word, &expected, x);
}

/// brood_word_add, _or and _and change it and return what was there before.
static inline uint32_t brood_word_add(brood_word *word, uint32_t x)
{
    return atomic_fetch_add(word, x);
}

static inline uint32_t brood_word_or(brood_word *word, uint32_t x)
{
    return atomic_fetch_or(word, x);
}

static inline uint32_t brood_word_and(brood_word *word, uint32_t x)
{
    return atomic_fetch_and(word, x);
}

static inline uint64_t brood_word64_load(const brood_word64 *word)
{
    return atomic_load((brood_word64 *)word);
}

static inline uint64_t brood_word64_load_relaxed(const brood_word64 *word)
{
    return atomic_load_explicit((brood_word64 *)word, memory_order_relaxed);
}

static inline void brood_word64_store(brood_word64 *word, uint64_t x)
{
    atomic_store_explicit(word, x, memory_order_release);
}

static inline void brood_word64_store_relaxed(brood_word64 *word, uint64_t x)
{
    atomic_store_explicit(word, x, memory_order_relaxed);
}

static inline bool brood_word64_cas(brood_word64 *word, uint64_t expected, uint64_t x)
{
    return atomic_compare_exchange_strong(word, &expected, x);
}

static inline uint64_t brood_word64_add(brood_word64 *word, uint64_t x)
{
    return atomic_fetch_add(word, x);
}

static inline uint64_t brood_word64_or(brood_word64 *word, uint64_t x)
{
    return atomic_fetch_or(word, x);
}

static inline uint64_t brood_word64_and(brood_word64 *word, uint64_t x)
{
    return atomic_fetch_and(word, x);
}

/// brood_fence keeps all before it before all behind it.
static inline void brood_fence(void)
{
#if defined(__SANITIZE_THREAD__) /* which knows no fences; processors treat both alike */
    _Atomic(int) here = 0;
    (void)atomic_fetch_add(&here, 0);
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}
#endif

#endif
