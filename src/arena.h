/* Memory that is given back all at once. */
#ifndef BROOD_SRC_ARENA_H
#define BROOD_SRC_ARENA_H

#include <stddef.h>

typedef struct brood_arena_block brood_arena_block;

typedef struct brood_arena {
    brood_arena_block *blocks; /* newest first */
    size_t used;               /* bytes of the newest block */
} brood_arena;

#define BROOD_ARENA_NONE ((brood_arena){NULL, 0})

/// brood_arena_alloc returns `size` bytes aligned for any type, not filled, or NULL.
void *brood_arena_alloc(brood_arena *arena, size_t size);

/// brood_arena_alloc_aligned does the same for an alignment that is a power of two and not larger.
void *brood_arena_alloc_aligned(brood_arena *arena, size_t size, size_t align);

/// brood_arena_text returns a copy of `size` bytes with a zero byte behind them, or NULL.
char *brood_arena_text(brood_arena *arena, const void *data, size_t size);

/// brood_arena_release frees all blocks and makes it BROOD_ARENA_NONE.
void brood_arena_release(brood_arena *arena);

#endif
