/* Which containers and large texts of a value were seen before: a value that arrived with shared
 * parts is sent on, and copied, with shared parts. Otherwise 200 bytes that stand for a billion
 * values would be written out as a billion. */
#ifndef BROOD_SRC_SHARING_H
#define BROOD_SRC_SHARING_H

#include <brood/value.h>

#define BROOD_SHARING_SMALL 8
#define BROOD_SHARING_TEXT_MIN \
    64 /* bytes; smaller ones cost about as much as what refers to them */

#define BROOD_SHARED_OPEN UINT16_MAX /* a height: its end was not seen yet */
#define BROOD_SHARED_ONCE UINT32_MAX /* a number: it came only once */

typedef struct brood_shared {
    const void *data; /* what makes it the same: this and the next three */
    uint64_t size;
    uint8_t kind;
    uint8_t flags;
    uint16_t height; /* containers in it, one within the other, itself included */
    uint32_t number; /* the user's */
    union {
        uint64_t total;   /* the values it stands for */
        const void *copy; /* where it was copied to */
    } as;
} brood_shared;

typedef struct brood_sharing {
    brood_shared *entries;
    size_t count;
    size_t room;
    uint32_t *slots; /* 1 + an entry's index, by hash; NULL while there are few */
    size_t slot_count;
    brood_shared small[BROOD_SHARING_SMALL];
} brood_sharing;

/* Which of the values that were looked at came again, in their order: whoever goes the same way once
 * more need not look. */
typedef struct brood_repeat {
    uint32_t before; /* as many entries there were */
    uint32_t entry;
} brood_repeat;

typedef struct brood_repeats {
    brood_repeat *items;
    size_t count;
    size_t room;
} brood_repeats;

/// brood_repeats_add notes that `entry` came again when there were `before`.
int brood_repeats_add(brood_repeats *repeats, size_t before, size_t entry);

void brood_sharing_init(brood_sharing *sharing);
void brood_sharing_fini(brood_sharing *sharing);

/// brood_sharing_concerns tells whether `value` can be shared at all: containers with items, and
/// large texts.
static inline bool brood_sharing_concerns(brood_value value)
{
    if (value.kind == BROOD_STR || value.kind == BROOD_BYTES) {
        return value.size >= BROOD_SHARING_TEXT_MIN;
    }
    return value.size > 0 && (value.kind == BROOD_LIST_KIND || value.kind == BROOD_TUPLE_KIND ||
                              value.kind == BROOD_DICT_KIND);
}

/// brood_sharing_find sets `*index` to the entry of `value` in `flags`' context, and `*found` to
/// whether it was there before. A new one is BROOD_SHARED_OPEN and BROOD_SHARED_ONCE. Entries move
/// when one is added: keep the index, not the address.
int brood_sharing_find(brood_sharing *sharing, brood_value value, uint8_t flags, size_t *index,
                       bool *found);

#endif
