#include "codec_node.h"

#include <stdlib.h>

#include "error.h"
#include "fault.h"

#define SMALL_DEPTH 16

/* An open container, and what is known of it so far. */
typedef struct frame {
    brood_value *next;
    brood_value *end;
    brood_codec_node *node;
    uint64_t total;
    unsigned height; /* of the highest item */
} frame;

typedef struct checker {
    brood_arena *arena;
    size_t size; /* of the bytes; STOP is the last */
    frame *frames;
    unsigned depth; /* frames in use */
    unsigned room;
    frame small[SMALL_DEPTH];
} checker;

static unsigned node_height(const brood_codec_node *node)
{
    return (unsigned)(node->state >> BROOD_NODE_HEIGHT_SHIFT) & BROOD_NODE_HEIGHT_MASK;
}

static uint64_t node_total(const brood_codec_node *node)
{
    return node->state >> BROOD_NODE_TOTAL_SHIFT;
}

static uint64_t add_totals(uint64_t a, uint64_t b)
{
    return a + b < BROOD_NODE_TOTAL_MAX ? a + b : BROOD_NODE_TOTAL_MAX;
}

static void finish_node(brood_codec_node *node, uint64_t total, unsigned height)
{
    uint64_t flags = node->state & (BROOD_NODE_NESTED | BROOD_NODE_UNHASHABLE);

    node->state = flags | BROOD_NODE_FLAT | BROOD_NODE_DONE |
                  (uint64_t)height << BROOD_NODE_HEIGHT_SHIFT | total << BROOD_NODE_TOTAL_SHIFT;
}

/* Makes one array of the segments. */
static int flatten(checker *c, brood_codec_node *node)
{
    brood_codec_segment *last = node->items;
    brood_codec_segment *segment = last != NULL ? last->next : NULL;
    brood_value *items = segment != NULL ? segment->items : NULL;

    if (segment != last) {
        size_t at = 0;
        items = brood_arena_alloc_aligned(c->arena, (size_t)node->count * sizeof *items,
                                          sizeof items->size);
        if (items == NULL) {
            return brood_fail_nomem("decoding");
        }
        while (at < node->count) {
            memcpy(items + at, segment->items, (size_t)segment->count * sizeof *items);
            at += (size_t)segment->count;
            segment = segment->next;
        }
    }
    node->items = items;
    node->state |= BROOD_NODE_FLAT;
    return 0;
}

static int grow_frames(checker *c)
{
    frame *frames = BROOD_ALLOC(malloc(BROOD_DEPTH_MAX * sizeof *frames));

    if (frames == NULL) {
        return brood_fail_nomem("decoding");
    }
    memcpy(frames, c->small, c->depth * sizeof *frames);
    c->frames = frames;
    c->room = BROOD_DEPTH_MAX;
    return 0;
}

static int fail_deep(const checker *c)
{
    return brood_fail(BROOD_EDECODE, "opcode STOP at byte %zu finds a value nested deeper than %d",
                      c->size - 1, BROOD_DEPTH_MAX);
}

static int fail_cycle(const checker *c)
{
    return brood_fail(BROOD_EDECODE, "opcode STOP at byte %zu finds a value that contains itself",
                      c->size - 1);
}

static int fail_large(const checker *c)
{
    return brood_fail(BROOD_EDECODE,
                      "opcode STOP at byte %zu finds what stands for more than %llu values",
                      c->size - 1, (unsigned long long)brood_codec_total_max(c->size));
}

/* Looks at a node for the first time: it is done at once, or becomes the top frame. */
static int open_node(checker *c, brood_codec_node *node)
{
    int rc = 0;

    if (c->depth >= BROOD_DEPTH_MAX) {
        return fail_deep(c);
    }
    if ((node->state & BROOD_NODE_FLAT) == 0) {
        rc = flatten(c, node);
    }
    if (rc == 0 && (node->state & BROOD_NODE_NESTED) == 0) {
        finish_node(node, add_totals(node->count, 1), 1);
        return 0;
    }
    if (rc == 0 && c->depth == c->room) {
        rc = grow_frames(c);
    }
    if (rc == 0) {
        brood_value *items = node->items;
        node->state |= BROOD_NODE_OPEN;
        c->frames[c->depth++] = (frame){items, items + node->count, node, 1, 0};
    }
    return rc;
}

static void count_item(checker *c, uint64_t total, unsigned height)
{
    if (c->depth > 0) {
        frame *top = &c->frames[c->depth - 1];
        top->total = add_totals(top->total, total);
        top->height = height > top->height ? height : top->height;
    }
}

/* Makes `*value` plain if its node is done; else leaves it for later and opens the node. */
static int check_container(checker *c, brood_value *value)
{
    brood_codec_node *node = value->as.object;

    if (node == NULL) {
        if (c->depth >= BROOD_DEPTH_MAX) {
            return fail_deep(c);
        }
        value->flags &= (uint8_t)~BROOD_VALUE_FROZEN;
        count_item(c, 1, 1);
        return 0;
    }
    if ((node->state & BROOD_NODE_OPEN) != 0) {
        return fail_cycle(c);
    }
    if ((node->state & BROOD_NODE_DONE) == 0) {
        int rc = open_node(c, node);
        if (rc != 0 || (node->state & BROOD_NODE_DONE) == 0) {
            return rc;
        }
    }
    if (c->depth + node_height(node) > BROOD_DEPTH_MAX) {
        return fail_deep(c);
    }
    value->flags &= (uint8_t)~BROOD_VALUE_FROZEN;
    value->as.items = node->items;
    value->size = node->count;
    count_item(c, node_total(node), node_height(node));
    return 0;
}

/* The items of the top frame, up to one that has to be opened first. */
static int check_items(checker *c)
{
    unsigned depth = c->depth;
    frame *top = &c->frames[depth - 1];

    while (top->next < top->end) {
        brood_value *item = top->next;
        if (!brood_codec_is_container(*item)) {
            top->total++;
        } else {
            int rc = check_container(c, item);
            if (rc != 0 || c->depth != depth) {
                return rc;
            }
        }
        top->next++;
    }
    finish_node(top->node, top->total < BROOD_NODE_TOTAL_MAX ? top->total : BROOD_NODE_TOTAL_MAX,
                top->height + 1);
    c->depth--;
    return 0;
}

int brood_codec_check(brood_value *value, size_t size, brood_arena *arena)
{
    brood_codec_node *root = value->as.object;
    checker c;
    int rc = 0;

    c.arena = arena;
    c.size = size;
    c.frames = c.small;
    c.depth = 0;
    c.room = SMALL_DEPTH;
    rc = check_container(&c, value);
    while (rc == 0 && c.depth > 0) {
        rc = check_items(&c);
        if (rc == 0 && c.depth == 0) {
            rc = check_container(&c, value);
        }
    }
    if (rc == 0 && root != NULL && node_total(root) > brood_codec_total_max(size)) {
        rc = fail_large(&c);
    }
    if (c.frames != c.small) {
        free(c.frames);
    }
    return rc;
}
