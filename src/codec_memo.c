#include "codec_memo.h"

#include <stdlib.h>

#include "error.h"
#include "fault.h"

/* Python numbers what it keeps from 0. Indices beyond these many more than there are puts go into
 * the tree. */
#define DENSE_EXTRA 256

/* Children by the index's bits from the lowest on: at most 32 steps down, whatever a peer chooses.
 * 0 is no child, since the root is nobody's. */
struct brood_codec_memo_node {
    brood_value value;
    uint32_t index;
    uint32_t children[2];
};

int brood_codec_memo_init(brood_codec_memo *memo, const brood_codec_counts *counts)
{
    size_t dense = counts->puts + DENSE_EXTRA;
    size_t limit = counts->puts > counts->index ? counts->puts : (size_t)counts->index + 1;

    memo->values = NULL;
    memo->nodes = NULL;
    memo->node_count = 0;
    memo->filled = 0;
    memo->limit = limit < dense ? limit : dense;
    if (counts->gets == 0 || counts->puts == 0) {
        return 0;
    }
    if (limit > dense) {
        memo->nodes = BROOD_ALLOC(calloc(counts->long_puts, sizeof *memo->nodes));
        if (memo->nodes == NULL) {
            return brood_fail_nomem("decoding");
        }
    }
    memo->values = memo->limit <= BROOD_CODEC_MEMO_SMALL
                       ? memo->small
                       : BROOD_ALLOC(malloc(memo->limit * sizeof *memo->values));
    if (memo->values == NULL) {
        free(memo->nodes);
        memo->nodes = NULL;
        return brood_fail_nomem("decoding");
    }
    for (size_t i = 0; i < memo->limit; i++) {
        memo->values[i].kind = BROOD_CODEC_NO_VALUE;
    }
    return 0;
}

void brood_codec_memo_fini(brood_codec_memo *memo)
{
    if (memo->values != memo->small) {
        free(memo->values);
    }
    free(memo->nodes);
}

/* The node of `index`, or the place where its parent will point to it. */
static brood_codec_memo_node *find_node(const brood_codec_memo *memo, uint32_t index,
                                        uint32_t **place)
{
    brood_codec_memo_node *node = memo->node_count > 0 ? memo->nodes : NULL;

    *place = NULL;
    for (uint32_t bits = index; node != NULL && node->index != index; bits >>= 1) {
        *place = &node->children[bits & 1];
        node = **place != 0 ? memo->nodes + **place : NULL;
    }
    return node;
}

static void put_node(brood_codec_memo *memo, uint32_t index, brood_value value)
{
    uint32_t *place = NULL;
    brood_codec_memo_node *node = find_node(memo, index, &place);

    if (node == NULL) {
        if (place != NULL) {
            *place = memo->node_count;
        }
        node = memo->nodes + memo->node_count++;
        node->index = index;
        memo->filled++;
    }
    node->value = value;
}

void brood_codec_memo_put(brood_codec_memo *memo, uint32_t index, brood_value value)
{
    if (memo->values == NULL) {
        return;
    }
    if (index >= memo->limit) {
        put_node(memo, index, value);
        return;
    }
    memo->filled += memo->values[index].kind == BROOD_CODEC_NO_VALUE;
    memo->values[index] = value;
}

const brood_value *brood_codec_memo_find(const brood_codec_memo *memo, uint32_t index)
{
    uint32_t *place = NULL;
    const brood_codec_memo_node *node = NULL;

    node = memo->nodes != NULL ? find_node(memo, index, &place) : NULL;
    return node != NULL ? &node->value : NULL;
}
