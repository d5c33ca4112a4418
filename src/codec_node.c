#include "codec_node.h"

#include "error.h"

#define FROZEN_SET (BROOD_VALUE_SET | BROOD_VALUE_FROZEN)

/* One of a value's parts is the widest thing in here. */
static void *alloc_words(brood_arena *arena, size_t size)
{
    return brood_arena_alloc_aligned(arena, size, sizeof(uint64_t));
}

bool brood_codec_is_hashable(brood_value value)
{
    const brood_codec_node *node = NULL;

    switch (value.kind) {
    case BROOD_LIST_KIND:
        return (value.flags & BROOD_VALUE_FROZEN) != 0;
    case BROOD_TUPLE_KIND:
        node = value.as.object;
        return node == NULL || (node->state & BROOD_NODE_UNHASHABLE) == 0;
    default:
        return value.kind != BROOD_DICT_KIND;
    }
}

/* Copies items and returns the state bits that follow from them. */
static uint64_t copy_items(brood_value *to, const brood_value *from, size_t count)
{
    uint64_t state = 0;

    for (size_t i = 0; i < count; i++) {
        to[i] = from[i];
        if (brood_codec_is_container(from[i])) {
            state |= BROOD_NODE_NESTED;
            state |= brood_codec_is_hashable(from[i]) ? 0 : BROOD_NODE_UNHASHABLE;
        }
    }
    return state;
}

int brood_codec_node_give(brood_value *value, brood_arena *arena)
{
    brood_codec_node *node = NULL;

    if (!brood_codec_is_container(*value) || value->as.object != NULL) {
        return 0;
    }
    node = alloc_words(arena, sizeof *node);
    if (node == NULL) {
        return brood_fail_nomem("decoding");
    }
    *node = (brood_codec_node){NULL, 0, 0};
    value->as.object = node;
    return 0;
}

int brood_codec_node_append(brood_value *container, const brood_value *items, size_t count,
                            brood_arena *arena, brood_arena *scratch)
{
    brood_codec_node *node = NULL;
    brood_codec_segment *last = NULL;
    brood_codec_segment *segment = NULL;
    int rc = count > 0 ? brood_codec_node_give(container, arena) : 0;

    if (rc != 0 || count == 0) {
        return rc;
    }
    node = container->as.object;
    last = node->items;
    segment = alloc_words(last == NULL ? arena : scratch,
                          BROOD_CODEC_SEGMENT_HEAD + count * sizeof *items);
    if (segment == NULL) {
        return brood_fail_nomem("decoding");
    }
    segment->count = count;
    segment->next = last != NULL ? last->next : segment;
    if (last != NULL) {
        last->next = segment;
    }
    node->state |= copy_items(segment->items, items, count);
    node->items = segment;
    node->count += count;
    return 0;
}

int brood_codec_node_fixed(brood_value *out, brood_kind kind, const brood_value *items,
                           size_t count, brood_arena *arena)
{
    brood_codec_node *node = NULL;

    if (count > 0) {
        node = alloc_words(arena, sizeof *node + count * sizeof *items);
        if (node == NULL) {
            return brood_fail_nomem("decoding");
        }
        node->items = node + 1;
        node->count = count;
        node->state = BROOD_NODE_FLAT | copy_items(node->items, items, count);
    }
    brood_codec_set_node(out, kind, kind == BROOD_LIST_KIND ? FROZEN_SET : 0, node);
    return 0;
}
