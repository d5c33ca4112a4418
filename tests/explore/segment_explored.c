/* src/segment.c, which alone knows where things are in a segment. Whether to spin is the scenario's
 * to say: the real count is kept for good where it was asked for first. */
#define brood_spin_count brood_spin_count_unused
#include "segment.c"
#undef brood_spin_count

#include "script.h"

uint32_t explore_spins(void);
uint32_t brood_spin_count(void);

uint32_t brood_spin_count(void)
{
    return explore_spins();
}

const explore_layout explore_segment_layout = {
    HEAD_SIZE,
    offsetof(head, rows),
    sizeof(row),
    offsetof(row, stamp),
    offsetof(row, generation),
    offsetof(head, parking) + offsetof(brood_parking, places),
    sizeof(brood_place),
    offsetof(brood_place, owner),
    brood_threads,
    2 * EXPLORE_THREADS * sizeof brood_threads[0],
    sizeof brood_threads,
};
