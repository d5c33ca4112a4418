/* Places where threads sleep for words, on systems that know nothing of words: a segment has
 * BROOD_OS_BELLS of them. A sleeper takes a place, writes the word's offset there and looks at the
 * word once more; a waker first changes the word, then rings the bells of as many sleepers of this
 * word as it owes a wake-up. Picking bells by the word's address instead would give wake-ups to
 * sleepers of other words. */
#ifndef BROOD_SRC_PARKING_H
#define BROOD_SRC_PARKING_H

#include "platform.h"

typedef struct brood_place {
    brood_word owner;    /* the process part of the sleeper's lock word, and BROOD_PLACE_RUNG */
    brood_word64 offset; /* of its word in the segment; 0: of none yet */
} brood_place;

typedef struct brood_parking {
    brood_place places[BROOD_OS_BELLS];
} brood_parking;

#define BROOD_PLACE_RUNG UINT32_C(1) /* its wake-up is on its way, or it is not ready for one */

/// brood_parking_take takes a free place for `owner` and returns its index, or BROOD_OS_BELLS.
uint32_t brood_parking_take(brood_parking *parking, uint32_t owner, uint64_t offset);

/// brood_parking_leave gives the place up and tells whether it had been rung.
bool brood_parking_leave(brood_parking *parking, uint32_t index);

/// brood_parking_pick marks one sleeper of `offset` behind place `*at` for waking and sets `*at` to
/// its place; false when there is none.
bool brood_parking_pick(brood_parking *parking, uint64_t offset, uint32_t *at);

/// brood_parking_sweep frees the places of a process that has ended, by the process part of its
/// words.
void brood_parking_sweep(brood_parking *parking, uint32_t owner);

#endif
