#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

/* What malloc guarantees on every system of ours; the block's head is as large, so that the bytes
 * behind it are aligned too. */
#define ALIGN (2 * sizeof(void *))

#define FIRST_BLOCK ((size_t)1024)
#define LARGEST_BLOCK ((size_t)64 * 1024)
/* From this size on, an allocation gets a block of its own: little is lost at the end of a block,
 * whatever sizes a peer chooses. */
#define LARGE ((size_t)1024)

struct brood_arena_block {
    brood_arena_block *next;
    size_t size; /* bytes behind this head */
};

static unsigned char *bytes_of(brood_arena_block *block)
{
    return (unsigned char *)(block + 1);
}

static brood_arena_block *new_block(size_t size)
{
    brood_arena_block *block = NULL;

    if (size > SIZE_MAX - sizeof *block) {
        return NULL;
    }
    block = BROOD_ALLOC(malloc(sizeof *block + size));
    if (block != NULL) {
        block->next = NULL;
        block->size = size;
    }
    return block;
}

/* A block behind the newest one, whose rest stays in use. */
static void *alloc_large(brood_arena *arena, size_t size)
{
    brood_arena_block *block = new_block(size);

    if (block == NULL) {
        return NULL;
    }
    if (arena->blocks == NULL) {
        arena->blocks = block;
        arena->used = size;
    } else {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    }
    return bytes_of(block);
}

static void *alloc_in_new_block(brood_arena *arena, size_t size)
{
    size_t room = FIRST_BLOCK;
    brood_arena_block *block = NULL;

    if (arena->blocks != NULL && arena->blocks->size >= FIRST_BLOCK / 2) {
        room = arena->blocks->size >= LARGEST_BLOCK / 2 ? LARGEST_BLOCK : FIRST_BLOCK * 2;
        while (room < LARGEST_BLOCK && room <= arena->blocks->size + sizeof *block) {
            room *= 2;
        }
    }
    block = new_block(room - sizeof *block);
    if (block == NULL) {
        return NULL;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used = size;
    return bytes_of(block);
}

void *brood_arena_alloc_aligned(brood_arena *arena, size_t size, size_t align)
{
    if (arena->blocks != NULL) {
        size_t start = (arena->used + align - 1) & ~(align - 1);

        if (start <= arena->blocks->size && size <= arena->blocks->size - start) {
            arena->used = start + size;
            return bytes_of(arena->blocks) + start;
        }
    }
    return size >= LARGE ? alloc_large(arena, size) : alloc_in_new_block(arena, size);
}

void *brood_arena_alloc(brood_arena *arena, size_t size)
{
    return brood_arena_alloc_aligned(arena, size, ALIGN);
}

char *brood_arena_text(brood_arena *arena, const void *data, size_t size)
{
    char *text = size < SIZE_MAX ? brood_arena_alloc_aligned(arena, size + 1, 1) : NULL;

    if (text != NULL) {
        if (size > 0) {
            memcpy(text, data, size);
        }
        text[size] = '\0';
    }
    return text;
}

void brood_arena_release(brood_arena *arena)
{
    brood_arena_block *block = arena->blocks;

    while (block != NULL) {
        brood_arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = BROOD_ARENA_NONE;
}
