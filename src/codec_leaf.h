/* Decoding: values that are no containers. */
#ifndef BROOD_SRC_CODEC_LEAF_H
#define BROOD_SRC_CODEC_LEAF_H

#include <brood/value.h>

#include "arena.h"

typedef struct brood_codec_place {
    struct brood_codec_place *next;
    unsigned char *at;
} brood_codec_place;

/* Bytes that brood_codec_scan has passed. */
typedef struct brood_codec_reader {
    const unsigned char *data;
    const unsigned char *at; /* the next opcode */
    unsigned char *own;      /* the same as `data` if it may be changed, else NULL */
    brood_arena *arena;
    bool early;              /* strs have to be complete before all opcodes ran */
    brood_codec_place *ends; /* else, of large strs: each becomes a zero byte then */
} brood_codec_reader;

/// brood_codec_read_leaves reads the values of the next opcodes into `*top` and the places behind
/// it, up to an opcode that is no leaf or to `end`, and moves `*top`. A str gets a zero byte behind
/// it. One that may be changed is moved by a byte for that, or noted in `ends`; another is copied
/// into the arena.
int brood_codec_read_leaves(brood_codec_reader *r, brood_value **top, const brood_value *end);

#endif
