/* Encoding: the bytes of single values. */
#ifndef BROOD_SRC_CODEC_WRITE_H
#define BROOD_SRC_CODEC_WRITE_H

#include <brood/value.h>

#include "little_endian.h"
#include "opcode.h"

/// brood_codec_leaf_size returns how many bytes a value that is no container and no object takes.
uint64_t brood_codec_leaf_size(const brood_value *value);

/// brood_codec_write_leaf writes it and returns the place behind it.
unsigned char *brood_codec_write_leaf(unsigned char *at, const brood_value *value);

/* Plain values are what most items are: scalars and short texts. They are checked, may be keys, and
 * cost about as much as what would refer to them. Both return the first item that is not plain, or
 * `end`. */

/// brood_codec_count_plain adds what they take to `*size`.
const brood_value *brood_codec_count_plain(const brood_value *item, const brood_value *end,
                                           uint64_t *size);

/// brood_codec_write_plain writes them and moves `*at` behind them.
const brood_value *brood_codec_write_plain(const brood_value *item, const brood_value *end,
                                           unsigned char **at);

/// brood_codec_opening writes what begins a container and returns its size; `out` may be NULL. A
/// `frozen` set can be a key.
size_t brood_codec_opening(unsigned char *out, const brood_value *value, bool frozen);

/// brood_codec_closing returns the opcode behind its items, 0 for none.
uint8_t brood_codec_closing(const brood_value *value, bool frozen);

/* To and from the memo. */
static inline size_t brood_codec_memo_size(uint32_t number)
{
    return number <= UINT8_MAX ? 2 : 5;
}

static inline unsigned char *brood_codec_write_memo(unsigned char *at, bool put, uint32_t number)
{
    if (number <= UINT8_MAX) {
        at[0] = put ? BROOD_OP_BINPUT : BROOD_OP_BINGET;
        at[1] = (unsigned char)number;
        return at + 2;
    }
    at[0] = put ? BROOD_OP_LONG_BINPUT : BROOD_OP_LONG_BINGET;
    brood_put_le32(at + 1, number);
    return at + 5;
}

#endif
