/* A barrier's cell, and what is done to it by whoever has its guard. */
#ifndef BROOD_SRC_BARRIER_ROUND_H
#define BROOD_SRC_BARRIER_ROUND_H

#include <stddef.h>

#include "barrier.h"
#include "guard.h"

#define BROOD_PLACES_PER_PARTY 2 /* for those who have not left the round before */

/* What a place says, below the process: 0 is free. */
#define BROOD_PARTY_WAITING UINT32_C(1)
#define BROOD_PARTY_PASSED UINT32_C(2)
#define BROOD_PARTY_BROKEN UINT32_C(3)
#define BROOD_PARTY_GONE UINT32_C(4) /* a party that died while it was waiting; it has no process */
#define BROOD_PARTY_SAYS UINT32_C(7)

typedef enum brood_barrier_state {
    BROOD_BARRIER_IS_OPEN,
    BROOD_BARRIER_IS_BROKEN,
    BROOD_BARRIER_PASSES,      /* all places are being told that they passed; then it is open */
    BROOD_BARRIER_PASSES_LAST, /* the same; then it is broken */
    BROOD_BARRIER_BREAKS,      /* that it is broken; then it is broken */
    BROOD_BARRIER_IS_RESET     /* that it is broken; then it is open */
} brood_barrier_state;

/* A barrier's part of its cell. */
typedef struct brood_barrier_cell {
    brood_word guard;
    brood_word turn;    /* changes when a round ends: what parties sleep on */
    brood_word state;   /* a brood_barrier_state */
    brood_word arrived; /* places that are BROOD_PARTY_WAITING or BROOD_PARTY_GONE */
    brood_word late;    /* somebody gave up on the round after the one whose action still runs */
    uint32_t parties;   /* this and the next two never change */
    uint32_t has_action;
    int64_t timeout_ms; /* 0: none */
    brood_word places[];
} brood_barrier_cell;

static inline brood_barrier_cell *brood_barrier_payload(const brood_barrier *barrier)
{
    return brood_cell_payload(barrier->shared.cell);
}

static inline bool brood_barrier_is_waiting(uint32_t place)
{
    return (place & BROOD_PARTY_SAYS) == BROOD_PARTY_WAITING ||
           (place & BROOD_PARTY_SAYS) == BROOD_PARTY_GONE;
}

/// brood_barrier_places tells how many places there are, whatever others have written into the
/// cell.
uint32_t brood_barrier_places(const brood_cell *cell);

/// brood_barrier_is_dead tells whether the process of a word has ended, by asking the system.
bool brood_barrier_is_dead(const brood_barrier *barrier, uint32_t word);

/// brood_barrier_take_guard waits for the guard, and repairs what an owner that died has left.
/// BROOD_EDEADLK: this thread has it.
int brood_barrier_take_guard(const brood_barrier *barrier, uint32_t me);

/// brood_barrier_take_from_dead takes it if its owner died, without waiting to find that out, and
/// tells so.
bool brood_barrier_take_from_dead(const brood_barrier *barrier, uint32_t me);

void brood_barrier_give_guard(const brood_barrier *barrier);

/// brood_barrier_fail_guard keeps what take_guard returned, in words.
int brood_barrier_fail_guard(int rc);

/// brood_barrier_sleep_for_turn sleeps once, also until the end of who has this row (0: nobody),
/// and tells whether it was for nothing.
bool brood_barrier_sleep_for_turn(const brood_barrier *barrier, uint32_t turn, uint32_t row,
                                  int64_t deadline_ns);

/* With the guard held: */

/// brood_barrier_end_round tells each place, and empties the round. It may be done again from the
/// beginning.
void brood_barrier_end_round(const brood_barrier *barrier, brood_barrier_state how);

/// brood_barrier_has_dead tells whether a party has died, by asking the system about each.
bool brood_barrier_has_dead(const brood_barrier *barrier);

/// brood_barrier_has_gone tells whether one has died, as far as that is known.
bool brood_barrier_has_gone(const brood_barrier *barrier);

/// brood_barrier_find_place finds a free place, NULL: there is none, and those of the dead who had
/// not left are free now.
brood_word *brood_barrier_find_place(const brood_barrier *barrier);

#endif
