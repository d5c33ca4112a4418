/* Decoding: containers while they are built.
 *
 * A container that is not empty is a node, and values point to it: what is appended later is seen
 * through all of them. The items of a list, dict or set come in segments, one for each APPENDS or
 * the like. The second pass (build) leaves values whose `as.object` is a node; the third one
 * (check) turns them into plain values. */
#ifndef BROOD_SRC_CODEC_NODE_H
#define BROOD_SRC_CODEC_NODE_H

#include <stddef.h>

#include <brood/value.h>

#include "arena.h"
#include "codec.h"
#include "codec_leaf.h"
#include "codec_scan.h"

typedef struct brood_codec_segment {
    struct brood_codec_segment *next; /* the last one's is the first */
    uint64_t count;
    brood_value items[1]; /* as many as `count` says */
} brood_codec_segment;

#define BROOD_CODEC_SEGMENT_HEAD offsetof(brood_codec_segment, items)

typedef struct brood_codec_node {
    void *items; /* BROOD_NODE_FLAT: brood_values; else the last segment */
    uint64_t count;
    uint64_t state; /* the bits below */
} brood_codec_node;

/* Three words, since one byte of input (TUPLE1) can ask for a node. */
#define BROOD_NODE_FLAT 1u
#define BROOD_NODE_NESTED 2u     /* has containers among its items */
#define BROOD_NODE_UNHASHABLE 4u /* a tuple with a list, dict or set in it */
#define BROOD_NODE_OPEN 8u       /* the check is inside of it */
#define BROOD_NODE_DONE 16u      /* its height and total are known */
#define BROOD_NODE_HEIGHT_SHIFT 8
#define BROOD_NODE_HEIGHT_MASK 0x3ffu
#define BROOD_NODE_TOTAL_SHIFT 18
#define BROOD_NODE_TOTAL_MAX ((UINT64_C(1) << 46) - 1) /* as much as fits, over any limit */

/* Only while decoding: a set that nothing can be added to, so that it can be a key. */
#define BROOD_VALUE_FROZEN 0x80

static inline bool brood_codec_is_container(brood_value value)
{
    return value.kind == BROOD_LIST_KIND || value.kind == BROOD_TUPLE_KIND ||
           value.kind == BROOD_DICT_KIND;
}

/* Written field by field: a value is copied soon, and a processor waits when it has to read at once
 * what was just written in other pieces. */
static inline void brood_codec_set_node(brood_value *out, brood_kind kind, uint8_t flags,
                                        brood_codec_node *node)
{
    out->kind = (uint8_t)kind;
    out->flags = flags;
    out->reserved16 = 0;
    out->reserved32 = 0;
    out->as.object = node;
    out->size = 0;
}

/// brood_codec_is_hashable tells whether Python would take it as a key.
bool brood_codec_is_hashable(brood_value value);

/// brood_codec_node_give makes an empty container a node, so that more than one value may stand for
/// it from now on.
int brood_codec_node_give(brood_value *value, brood_arena *arena);

/// brood_codec_node_append adds a segment with copies of `items`. The first one is in `arena`,
/// others are in `scratch`.
int brood_codec_node_append(brood_value *container, const brood_value *items, size_t count,
                            brood_arena *arena, brood_arena *scratch);

/// brood_codec_node_fixed makes a container that cannot change, a tuple or a frozen set: its items
/// follow its node. `out` may be one of them.
int brood_codec_node_fixed(brood_value *out, brood_kind kind, const brood_value *items,
                           size_t count, brood_arena *arena);

/// brood_codec_build runs the opcodes from `in->at` on and leaves the value in `*out`. `scratch` has
/// to live until after the check.
int brood_codec_build(brood_codec_reader *in, const brood_codec_counts *counts,
                      const brood_loader *loader, brood_arena *scratch, brood_value *out);

/// brood_codec_check makes a plain value of what was built from `size` bytes. It refuses cycles,
/// containers nested deeper than BROOD_DEPTH_MAX, and a value that stands for more values than
/// brood_codec_total_max allows.
int brood_codec_check(brood_value *value, size_t size, brood_arena *arena);

#endif
