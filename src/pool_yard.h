/* The yard: the part of a pool's shared memory where large arguments and results lie, in blocks that
 * only the pool hands out, and of which only those in use are backed by memory. */
#ifndef BROOD_SRC_POOL_YARD_H
#define BROOD_SRC_POOL_YARD_H

#include "segment.h"

#define BROOD_YARD_UNIT ((size_t)64 * 1024)

typedef struct brood_yard {
    brood_segment *segment;
    size_t offset;      /* in the segment's part for its user */
    uint32_t units;     /* all there are */
    uint32_t backed;    /* units that are free and still backed */
    unsigned char *map; /* of each unit: see pool_yard.c */
} brood_yard;

/// brood_yard_init makes one of `size` bytes at `offset`.
int brood_yard_init(brood_yard *yard, brood_segment *segment, size_t offset, size_t size);
void brood_yard_fini(brood_yard *yard);

/// brood_yard_take hands out a block for `size` bytes: where it begins in the segment, and its units.
/// Errors: BROOD_ETOOBIG if it will never fit; BROOD_EFULL if it does not fit now; BROOD_ENOMEM.
int brood_yard_take(brood_yard *yard, size_t size, uint64_t *place, uint32_t *units);

void brood_yard_give(brood_yard *yard, uint64_t place, uint32_t units);

/// brood_yard_data returns where a place is in this process.
static inline void *brood_yard_data(const brood_yard *yard, uint64_t place)
{
    return (char *)yard->segment->data + place;
}

#endif
