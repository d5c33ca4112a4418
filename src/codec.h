/* The codec: values to and from the data-only subset of the pickle format.
 *
 * Written: protocol 4, without frames. Read: protocols 2 to 5 as far as they are data. Functions
 * and objects are the format's persistent ids (BINPERSID): a saver turns each into plain data, a
 * loader turns that back. Nothing is ever imported, constructed or called. */
#ifndef BROOD_SRC_CODEC_H
#define BROOD_SRC_CODEC_H

#include <brood/value.h>

#include "arena.h"

/* Encoding makes two passes over the value: one counts, one writes. The saver is asked in both, in
 * the same order, and has to answer the same. */
typedef struct brood_saver {
    /* Called before each pass; may be NULL. */
    void (*begin)(void *user);
    /* Sets `*id` to what stands for a function or object: a scalar or a tuple of scalars, borrowed
     * until the pass ends. */
    int (*save)(void *user, brood_value object, brood_value *id);
    void *user;
} brood_saver;

typedef struct brood_loader {
    /* Makes the function or object that `id`, a scalar or a tuple of scalars, stands for; no
     * container. Memory may come from `arena`. */
    int (*load)(void *user, brood_arena *arena, brood_value id, brood_value *object);
    void *user;
} brood_loader;

/* Where encoded bytes go: `reserve` is called once, between the passes, with the exact size. */
typedef struct brood_room {
    int (*reserve)(void *user, size_t size, void **data);
    void *user;
} brood_room;

#define BROOD_DEPTH_MAX 1000 /* of nested containers, written and read */

/// brood_codec_total_max is how many values `size` bytes may stand for, written and read, when those
/// that are shared are counted wherever they are: 234 bytes can stand for ten billion.
static inline uint64_t brood_codec_total_max(uint64_t size)
{
    const uint64_t least = 1000000;

    if (size > ((uint64_t)1 << 39)) {
        return (uint64_t)1 << 45;
    }
    return size * 64 > least ? size * 64 : least;
}

/// brood_codec_encode writes `value` into `room`. `saver` may be NULL: functions and objects are
/// then BROOD_ETYPE. A dict's key that Python cannot hash (list, dict) is BROOD_ETYPE.
int brood_codec_encode(brood_value value, const brood_saver *saver, const brood_room *room);

/// brood_codec_decode reads one value that takes all of `size` bytes. Containers, and strs with a
/// zero byte behind them, live in `arena`; bytes are borrowed from `data`. `loader` may be NULL:
/// persistent ids are then refused. What was loaded before a failure is the loader's to undo.
int brood_codec_decode(const void *data, size_t size, const brood_loader *loader,
                       brood_arena *arena, brood_value *out);

/// brood_codec_decode_in_place does the same with bytes that may be changed, also on failure: strs
/// are then borrowed as well, and cost no memory.
int brood_codec_decode_in_place(void *data, size_t size, const brood_loader *loader,
                                brood_arena *arena, brood_value *out);

#endif
