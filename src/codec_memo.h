/* Decoding: the memo, which keeps values by number so that they can come again. */
#ifndef BROOD_SRC_CODEC_MEMO_H
#define BROOD_SRC_CODEC_MEMO_H

#include <brood/value.h>

#include "codec_scan.h"

#define BROOD_CODEC_MEMO_SMALL 16
#define BROOD_CODEC_NO_VALUE UINT8_MAX /* a kind that no value has */

typedef struct brood_codec_memo_node brood_codec_memo_node;

typedef struct brood_codec_memo {
    brood_value *values;          /* by index, as far as indices are dense; NULL: nothing is kept */
    size_t limit;                 /* of those indices */
    brood_codec_memo_node *nodes; /* the others: a tree over the index's bits */
    uint32_t node_count;
    size_t filled; /* indices that have a value */
    brood_value small[BROOD_CODEC_MEMO_SMALL];
} brood_codec_memo;

/// brood_codec_memo_init makes room for what was counted. Without any get nothing is kept. Its
/// memory is bounded by the number of puts, whatever their indices are.
int brood_codec_memo_init(brood_codec_memo *memo, const brood_codec_counts *counts);

void brood_codec_memo_fini(brood_codec_memo *memo);

/// brood_codec_memo_put keeps `value`; what the index had before is forgotten.
void brood_codec_memo_put(brood_codec_memo *memo, uint32_t index, brood_value value);

/// brood_codec_memo_find is brood_codec_memo_get where indices are not dense.
const brood_value *brood_codec_memo_find(const brood_codec_memo *memo, uint32_t index);

/// brood_codec_memo_get finds it, or NULL.
static inline const brood_value *brood_codec_memo_get(const brood_codec_memo *memo, uint32_t index)
{
    if (memo->values == NULL || index >= memo->limit) {
        return memo->values != NULL ? brood_codec_memo_find(memo, index) : NULL;
    }
    return memo->values[index].kind != BROOD_CODEC_NO_VALUE ? &memo->values[index] : NULL;
}

#endif
