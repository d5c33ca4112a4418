/* How much memory is in use at most, through hooks that the sanitizers' malloc has. */
#ifndef BROOD_FUZZ_MEMORY_H
#define BROOD_FUZZ_MEMORY_H

#include <sanitizer/allocator_interface.h>

#include "fuzz.h"

/* What brood_decode promises for so many bytes. */
#define FUZZ_DECODE_MAX(size) ((size_t)64 * (size) + 1024 * 1024)

static size_t fuzz_allocated;
static size_t fuzz_most_allocated;

static inline void fuzz_count_malloc(const volatile void *data, size_t size)
{
    (void)data;
    fuzz_allocated += size;
    /* Below 0 it has wrapped around: something older was freed. */
    if (fuzz_allocated > fuzz_most_allocated && fuzz_allocated <= SIZE_MAX / 2) {
        fuzz_most_allocated = fuzz_allocated;
    }
}

static inline void fuzz_count_free(const volatile void *data)
{
    fuzz_allocated -= data != NULL ? __sanitizer_get_allocated_size(data) : 0;
}

static inline void fuzz_memory_init(void)
{
    FUZZ_CHECK(__sanitizer_install_malloc_and_free_hooks(fuzz_count_malloc, fuzz_count_free) > 0);
}

static inline void fuzz_memory_start(void)
{
    fuzz_allocated = 0;
    fuzz_most_allocated = 0;
}

/* Bytes since then. */
static inline size_t fuzz_memory_most(void)
{
    return fuzz_most_allocated;
}

#endif
