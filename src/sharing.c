#include "sharing.h"

#include <stdlib.h>

#include "error.h"
#include "fault.h"

#define FIRST_ROOM ((size_t)64) /* entries, once they are hashed */

void brood_sharing_init(brood_sharing *sharing)
{
    sharing->entries = sharing->small;
    sharing->count = 0;
    sharing->room = BROOD_SHARING_SMALL;
    sharing->slots = NULL;
    sharing->slot_count = 0;
}

void brood_sharing_fini(brood_sharing *sharing)
{
    if (sharing->entries != sharing->small) {
        free(sharing->entries);
    }
    free(sharing->slots);
}

static bool is_same(const brood_shared *entry, brood_value value, uint8_t flags)
{
    return entry->data == value.as.data && entry->size == value.size && entry->kind == value.kind &&
           entry->flags == flags;
}

/* Addresses are ours, not the peer's: a plain mixer will do. */
static size_t hash_of(const void *data, uint64_t size)
{
    uint64_t x = ((uint64_t)(uintptr_t)data + size * 31) * UINT64_C(0x9e3779b97f4a7c15);

    return (size_t)(x >> 32);
}

/* The slot that has the entry, or the free one where it belongs. */
static uint32_t *find_slot(const brood_sharing *sharing, brood_value value, uint8_t flags)
{
    size_t mask = sharing->slot_count - 1;
    size_t at = hash_of(value.as.data, value.size) & mask;

    while (sharing->slots[at] != 0 &&
           !is_same(&sharing->entries[sharing->slots[at] - 1], value, flags)) {
        at = (at + 1) & mask;
    }
    return &sharing->slots[at];
}

static void hash_entries(brood_sharing *sharing)
{
    size_t mask = sharing->slot_count - 1;

    for (size_t i = 0; i < sharing->count; i++) {
        size_t at = hash_of(sharing->entries[i].data, sharing->entries[i].size) & mask;
        while (sharing->slots[at] != 0) {
            at = (at + 1) & mask;
        }
        sharing->slots[at] = (uint32_t)i + 1;
    }
}

static int grow(brood_sharing *sharing)
{
    size_t room = sharing->room < FIRST_ROOM ? FIRST_ROOM : sharing->room * 2;
    brood_shared *entries = NULL;
    uint32_t *slots = NULL;

    if (room > UINT32_MAX / 2) {
        return brood_fail(BROOD_ETOOBIG, "the value has more than %zu parts", sharing->room);
    }
    slots = BROOD_ALLOC(calloc(room * 2, sizeof *slots));
    if (slots == NULL) {
        return brood_fail_nomem("encoding");
    }
    entries = sharing->entries != sharing->small ? sharing->entries : NULL;
    entries = BROOD_ALLOC(realloc(entries, room * sizeof *entries));
    if (entries == NULL) {
        free(slots);
        return brood_fail_nomem("encoding");
    }
    if (sharing->entries == sharing->small) {
        memcpy(entries, sharing->small, sizeof sharing->small);
    }
    free(sharing->slots);
    sharing->entries = entries;
    sharing->room = room;
    sharing->slots = slots;
    sharing->slot_count = room * 2;
    hash_entries(sharing);
    return 0;
}

static void add(brood_sharing *sharing, brood_value value, uint8_t flags)
{
    brood_shared *entry = &sharing->entries[sharing->count++];

    entry->data = value.as.data;
    entry->size = value.size;
    entry->kind = value.kind;
    entry->flags = flags;
    entry->height = BROOD_SHARED_OPEN;
    entry->number = BROOD_SHARED_ONCE;
    entry->as.total = 0;
}

int brood_repeats_add(brood_repeats *repeats, size_t before, size_t entry)
{
    brood_repeat *items = NULL;
    size_t room = 0;

    if (repeats->count == repeats->room) {
        room = repeats->room < FIRST_ROOM ? FIRST_ROOM : repeats->room * 2;
        items = BROOD_ALLOC(realloc(repeats->items, room * sizeof *items));
        if (items == NULL) {
            return brood_fail_nomem("encoding");
        }
        repeats->items = items;
        repeats->room = room;
    }
    repeats->items[repeats->count++] = (brood_repeat){(uint32_t)before, (uint32_t)entry};
    return 0;
}

int brood_sharing_find(brood_sharing *sharing, brood_value value, uint8_t flags, size_t *index,
                       bool *found)
{
    uint32_t *slot = NULL;

    *found = true;
    if (sharing->slots == NULL) {
        for (size_t i = 0; i < sharing->count; i++) {
            if (is_same(&sharing->entries[i], value, flags)) {
                *index = i;
                return 0;
            }
        }
    } else {
        slot = find_slot(sharing, value, flags);
        if (*slot != 0) {
            *index = *slot - 1;
            return 0;
        }
    }
    *found = false;
    if (sharing->count == sharing->room) {
        int rc = grow(sharing);
        if (rc != 0) {
            return rc;
        }
        slot = find_slot(sharing, value, flags);
    }
    *index = sharing->count;
    add(sharing, value, flags);
    if (slot != NULL) {
        *slot = (uint32_t)sharing->count;
    }
    return 0;
}
