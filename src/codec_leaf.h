/* Decoding: values that are no containers. */
#ifndef BROOD_SRC_CODEC_LEAF_H
#define BROOD_SRC_CODEC_LEAF_H

#include <brood/value.h>

#include "arena.h"

/// brood_codec_read_leaf reads the value of the opcode at `*at`, which brood_codec_scan has passed,
/// and moves `*at` behind it. `offset` is for the words. A str is copied into `arena`.
int brood_codec_read_leaf(brood_value *out, const unsigned char **at, size_t offset,
                          brood_arena *arena);

#endif
