/* Ending a round takes several steps, which are announced in `state` before the first one; whoever
 * finds the guard's owner dead finishes them. */
#include "barrier_round.h"

#include "deadline.h"
#include "error.h"
#include "fault.h"

/* How many there are, whatever others have written into the cell. */
uint32_t brood_barrier_places(const brood_cell *cell)
{
    const brood_barrier_cell *payload = brood_cell_payload(cell);
    const size_t room = (cell->size - sizeof *cell - offsetof(brood_barrier_cell, places)) /
                        sizeof payload->places[0];

    return payload->parties <= room / BROOD_PLACES_PER_PARTY
               ? payload->parties * BROOD_PLACES_PER_PARTY
               : (uint32_t)room;
}

int brood_barrier_fail_guard(int rc)
{
    return rc == BROOD_EDEADLK
               ? brood_fail(rc, "use a barrier from a signal handler that interrupted its use")
               : brood_fail(rc, "wait for a barrier: somebody else is changing it");
}

/* Ends the round: each place is told, all is empty then. It may be done again from the
 * beginning. */
void brood_barrier_end_round(const brood_barrier *barrier, brood_barrier_state how)
{
    brood_barrier_cell *payload = brood_barrier_payload(barrier);
    const uint32_t count = brood_barrier_places(barrier->shared.cell);
    uint32_t result = BROOD_PARTY_BROKEN;

    if (how == BROOD_BARRIER_PASSES && brood_word_load(&payload->late) != 0) {
        how = BROOD_BARRIER_PASSES_LAST;
    }
    if (how == BROOD_BARRIER_PASSES || how == BROOD_BARRIER_PASSES_LAST) {
        result = BROOD_PARTY_PASSED;
    }
    brood_word_store(&payload->state, (uint32_t)how);
    BROOD_STOP("barrier-ends");
    for (uint32_t i = 0; i < count; i++) {
        brood_word *place = &payload->places[i];
        uint32_t value = brood_word_load(place);
        while (brood_barrier_is_waiting(value) &&
               !brood_word_cas(place, value,
                               (value & BROOD_PARTY_SAYS) == BROOD_PARTY_GONE
                                   ? 0
                                   : (value & ~BROOD_PARTY_SAYS) | result)) {
            value = brood_word_load(place); /* it was swept */
        }
    }
    brood_word_store(&payload->arrived, 0);
    (void)brood_word_add(&payload->turn, 1);
    brood_word_store(&payload->late, 0);
    brood_word_store(&payload->state,
                     how == BROOD_BARRIER_BREAKS || how == BROOD_BARRIER_PASSES_LAST
                         ? BROOD_BARRIER_IS_BROKEN
                         : BROOD_BARRIER_IS_OPEN);
    BROOD_STOP("barrier-ended");
    brood_segment_wake(barrier->shared.segment, &payload->turn, UINT32_MAX);
}

/* Whether a party has died, by asking the system about each. */
bool brood_barrier_has_dead(const brood_barrier *barrier)
{
    const brood_barrier_cell *payload = brood_barrier_payload(barrier);
    const uint32_t count = brood_barrier_places(barrier->shared.cell);
    uint32_t last = 0;

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t value = brood_word_load(&payload->places[i]);
        if (brood_barrier_is_waiting(value) && value != last) {
            last = value;
            if (value == BROOD_PARTY_GONE ||
                brood_segment_word_is_dead(barrier->shared.segment, value)) {
                return true;
            }
        }
    }
    return false;
}

/* What an owner of the guard has left. */
static void repair(const brood_barrier *barrier)
{
    brood_barrier_cell *payload = brood_barrier_payload(barrier);
    const uint32_t state = brood_word_load(&payload->state);
    const uint32_t count = brood_barrier_places(barrier->shared.cell);
    uint32_t arrived = 0;

    if (state > BROOD_BARRIER_IS_BROKEN) {
        brood_barrier_end_round(barrier, (brood_barrier_state)state);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        arrived += brood_barrier_is_waiting(brood_word_load(&payload->places[i]));
    }
    brood_word_store(&payload->arrived, arrived);
    if (brood_barrier_has_dead(
            barrier)) { /* it had arrived: nobody has to find that out once more */
        brood_barrier_end_round(barrier, BROOD_BARRIER_BREAKS);
    }
}

int brood_barrier_take_guard(const brood_barrier *barrier, uint32_t me)
{
    const int rc = brood_guard_take_over(
        barrier->shared.segment, &brood_barrier_payload(barrier)->guard, me, BROOD_DEADLINE_NEVER);

    if (rc == BROOD_EOWNERDEAD) {
        repair(barrier);
        return 0;
    }
    return rc;
}

void brood_barrier_give_guard(const brood_barrier *barrier)
{
    brood_guard_unlock(barrier->shared.segment, &brood_barrier_payload(barrier)->guard);
}

bool brood_barrier_is_dead(const brood_barrier *barrier, uint32_t word)
{
    return (word & BROOD_OWNER) != 0 && brood_segment_word_is_dead(barrier->shared.segment, word);
}

/* Takes the guard if its owner died, without waiting to find that out. */
bool brood_barrier_take_from_dead(const brood_barrier *barrier, uint32_t me)
{
    brood_barrier_cell *payload = brood_barrier_payload(barrier);
    const uint32_t guard = brood_word_load(&payload->guard);

    if ((guard & BROOD_DIED) == 0) {
        if (!brood_barrier_is_dead(barrier, guard)) {
            return false;
        }
        (void)brood_guard_bury(barrier->shared.segment, &payload->guard, guard);
    }
    return brood_barrier_take_guard(barrier, me) == 0;
}

/* Sleeps once, also until the end of who has this row, and tells whether it was for nothing. */
bool brood_barrier_sleep_for_turn(const brood_barrier *barrier, uint32_t turn, uint32_t row,
                                  int64_t deadline_ns)
{
    brood_word *word = &brood_barrier_payload(barrier)->turn;
    const int64_t latest = brood_os_now() + BROOD_SLICE(BROOD_SLICE_NS);

    brood_segment_sleep(barrier->shared.segment, word, turn, row, deadline_ns);
    BROOD_STOP("barrier-woken");
    return brood_word_load(word) == turn || brood_os_now() >= latest;
}

/* Whether one of the parties has died, as far as that is known. */
bool brood_barrier_has_gone(const brood_barrier *barrier)
{
    const brood_barrier_cell *payload = brood_barrier_payload(barrier);
    const uint32_t count = brood_barrier_places(barrier->shared.cell);

    for (uint32_t i = 0; i < count; i++) {
        if (brood_word_load_relaxed(&payload->places[i]) == BROOD_PARTY_GONE) {
            return true;
        }
    }
    return false;
}

/* A free place, searched from where it is likely; NULL: there is none, and those of the dead who
 * had not left are free now. */
brood_word *brood_barrier_find_place(const brood_barrier *barrier)
{
    brood_barrier_cell *payload = brood_barrier_payload(barrier);
    const uint32_t count = brood_barrier_places(barrier->shared.cell);
    const uint32_t first =
        brood_word_load(&payload->turn) % BROOD_PLACES_PER_PARTY * payload->parties +
        brood_word_load(&payload->arrived);

    for (uint32_t i = 0; i < count; i++) {
        brood_word *place = &payload->places[(first + i) % count];
        if (brood_word_load(place) == 0) {
            return place;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t value = brood_word_load(&payload->places[i]);
        if (!brood_barrier_is_waiting(value) && value != 0 &&
            brood_segment_word_is_dead(barrier->shared.segment, value)) {
            (void)brood_word_cas(&payload->places[i], value, 0);
        }
    }
    return NULL;
}
