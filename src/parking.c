#include "parking.h"

/* Until its offset is there the place looks as if it had been rung: what stands in it may be the
 * offset of somebody who died there, whose wake-ups are not ours to take. */
uint32_t brood_parking_take(brood_parking *parking, uint32_t owner, uint64_t offset)
{
    owner &= ~BROOD_PLACE_RUNG;
    for (uint32_t i = 0; i < BROOD_OS_BELLS; i++) {
        brood_place *place = &parking->places[i];
        if (brood_word_load_relaxed(&place->owner) == 0 &&
            brood_word_cas(&place->owner, 0, owner | BROOD_PLACE_RUNG)) {
            brood_word64_store(&place->offset, offset);
            brood_word_store(&place->owner, owner);
            brood_fence(); /* before the last look at the word */
            return i;
        }
    }
    return BROOD_OS_BELLS;
}

bool brood_parking_leave(brood_parking *parking, uint32_t index)
{
    brood_place *place = &parking->places[index];

    brood_word64_store(&place->offset, 0);
    return (brood_word_exchange(&place->owner, 0) & BROOD_PLACE_RUNG) != 0;
}

bool brood_parking_pick(brood_parking *parking, uint64_t offset, uint32_t *at)
{
    brood_fence(); /* behind the change of the word */
    for (uint32_t i = *at; i < BROOD_OS_BELLS; i++) {
        brood_place *place = &parking->places[i];
        const uint32_t owner = brood_word_load(&place->owner);
        if (owner != 0 && (owner & BROOD_PLACE_RUNG) == 0 &&
            brood_word64_load(&place->offset) == offset &&
            brood_word_cas(&place->owner, owner, owner | BROOD_PLACE_RUNG)) {
            *at = i;
            return true;
        }
    }
    return false;
}

void brood_parking_sweep(brood_parking *parking, uint32_t owner)
{
    for (uint32_t i = 0; i < BROOD_OS_BELLS; i++) {
        brood_place *place = &parking->places[i];
        uint32_t now = brood_word_load(&place->owner);
        while (now != 0 && (now & ~BROOD_PLACE_RUNG) == owner &&
               !brood_word_cas(&place->owner, now, 0)) {
            now = brood_word_load(&place->owner); /* a waker was here */
        }
    }
}
