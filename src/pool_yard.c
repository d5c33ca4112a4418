#include "pool_yard.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "fault.h"

#define USED 1u
#define BACKED 2u
#define KEEP_BACKED 256u /* free units, 16 MiB, that are not given back to the system */

int brood_yard_init(brood_yard *yard, brood_segment *segment, size_t offset, size_t size)
{
    yard->segment = segment;
    yard->offset = offset;
    yard->units = (uint32_t)(size / BROOD_YARD_UNIT);
    yard->backed = 0;
    yard->map = BROOD_ALLOC(calloc(yard->units + 1, 1));
    return yard->map != NULL ? 0 : brood_fail_nomem("a pool's shared memory");
}

void brood_yard_fini(brood_yard *yard)
{
    free(yard->map);
    yard->map = NULL;
}

/* The first run of `count` free units; `units` if there is none. */
static uint32_t find_run(const brood_yard *yard, uint32_t count)
{
    uint32_t run = 0;

    for (uint32_t i = 0; i < yard->units; i++) {
        run = (yard->map[i] & USED) != 0 ? 0 : run + 1;
        if (run == count) {
            return i + 1 - count;
        }
    }
    return yard->units;
}

static int back(brood_yard *yard, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count;) {
        uint32_t end = i;
        int rc;

        while (end < first + count && (yard->map[end] & BACKED) == 0) {
            end++;
        }
        if (end == i) {
            i++;
            continue;
        }
        rc = brood_segment_reserve(yard->segment, yard->offset + i * BROOD_YARD_UNIT,
                                   (end - i) * BROOD_YARD_UNIT);
        if (rc) {
            return rc;
        }
        memset(yard->map + i, BACKED, end - i);
        yard->backed += end - i;
        i = end;
    }
    return 0;
}

int brood_yard_take(brood_yard *yard, size_t size, uint64_t *place, uint32_t *units)
{
    const size_t count = size / BROOD_YARD_UNIT + (size % BROOD_YARD_UNIT != 0);
    uint32_t first;
    int rc;

    if (count > yard->units) {
        return brood_fail(BROOD_ETOOBIG,
                          "%zu bytes do not fit the pool's %zu (the option capacity)", size,
                          (size_t)yard->units * BROOD_YARD_UNIT);
    }
    first = find_run(yard, (uint32_t)count);
    if (first == yard->units) {
        return BROOD_EFULL;
    }
    rc = back(yard, first, (uint32_t)count);
    if (rc) {
        return rc;
    }
    memset(yard->map + first, USED | BACKED, count);
    yard->backed -= (uint32_t)count;
    *place = yard->offset + first * BROOD_YARD_UNIT;
    *units = (uint32_t)count;
    return 0;
}

void brood_yard_give(brood_yard *yard, uint64_t place, uint32_t units)
{
    const uint32_t first = (uint32_t)((place - yard->offset) / BROOD_YARD_UNIT);

    if (units == 0) {
        return;
    }
    if (yard->backed + units > KEEP_BACKED) {
        brood_segment_discard(yard->segment, (size_t)place, units * BROOD_YARD_UNIT);
        memset(yard->map + first, 0, units);
    } else {
        memset(yard->map + first, BACKED, units);
        yard->backed += units;
    }
}
