/* A barrier is a list of places. A party that arrives takes one and writes into it who it is; when
 * the round ends, whoever ends it writes the result into each place, and the party takes it from
 * there and leaves. So nobody waits for those who have not left yet, and nothing that is said about
 * one round is taken for another's.
 *
 * All but leaving is done under a guard. What takes several steps is announced in `state` before
 * the first one; whoever finds the guard's owner dead finishes it (barrier_round.c). Each waiting
 * party watches the next one of another process: a dead one is noticed by the one before it
 * (barrier_wait.c). */
#include "barrier.h"

#include "barrier_round.h"
#include "deadline.h"
#include "error.h"
#include "options.h"

#define PARTIES_MAX 4096

/* ---- the kind ---- */

/* The parties look when the turn changes, and break it. */
static void sweep_barrier(brood_segment *segment, brood_cell *cell, uint32_t identity)
{
    brood_barrier_cell *payload = brood_cell_payload(cell);
    const uint32_t count = brood_barrier_places(cell);
    bool found = false;

    brood_guard_sweep(segment, &payload->guard, identity);
    for (uint32_t i = 0; i < count; i++) {
        brood_word *place = &payload->places[i];
        uint32_t value = brood_word_load(place);
        while ((value & BROOD_PROCESS_BITS) == identity) {
            const bool waits = (value & BROOD_PARTY_SAYS) == BROOD_PARTY_WAITING;
            if (brood_word_cas(place, value, waits ? BROOD_PARTY_GONE : 0)) {
                found = found || waits;
                break;
            }
            value = brood_word_load(place);
        }
    }
    if (found) {
        (void)brood_word_add(&payload->turn, 1);
        brood_segment_wake(segment, &payload->turn, UINT32_MAX);
    }
}

static bool barrier_is_busy(const brood_cell *cell)
{
    const brood_barrier_cell *payload = brood_cell_payload(cell);

    return brood_word_load(&payload->arrived) != 0;
}

static void pack_barrier(const brood_heap_object *shared, brood_heap_goods *goods)
{
    goods->part = brood_function_value(((const brood_barrier *)shared)->action);
}

static int receive_barrier(brood_heap_object *shared, brood_heap_goods *goods)
{
    brood_barrier *barrier = (brood_barrier *)shared;

    if (brood_barrier_payload(barrier)->has_action != 0 && goods->part.kind != BROOD_FUNCTION) {
        return brood_fail(BROOD_EDECODE, "a barrier came without its action");
    }
    if (barrier->action == NULL && goods->part.kind == BROOD_FUNCTION) {
        barrier->action = goods->part.as.function;
    }
    return 0;
}

const brood_heap_kind brood_barrier_kind = {
    BROOD_BARRIER,
    sizeof(brood_barrier_cell),
    sizeof(brood_barrier),
    sweep_barrier,
    barrier_is_busy,
    NULL,
    pack_barrier,
    receive_barrier,
    NULL,
};

/* ---- new, ref, free ---- */

int brood_barrier_new(brood_barrier **out, uint32_t parties, const brood_barrier_options *options)
{
    brood_barrier_options read;
    brood_heap_object *shared = NULL;
    brood_barrier_cell *payload;
    int64_t deadline_ns;
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the barrier: out is NULL");
    }
    *out = NULL;
    rc = brood_options_read(&read, sizeof read, options, "barrier");
    if (rc == 0) {
        rc = brood_deadline(&deadline_ns, read.timeout_ms);
    }
    if (rc == 0 && (parties == 0 || parties > PARTIES_MAX)) {
        rc = brood_fail(BROOD_EINVAL, "a barrier for %lu parties: 1 to %d", (unsigned long)parties,
                        PARTIES_MAX);
    }
    if (rc == 0) {
        rc = brood_heap_new(&shared, &brood_barrier_kind,
                            offsetof(brood_barrier_cell, places) +
                                parties * BROOD_PLACES_PER_PARTY * sizeof(brood_word));
    }
    if (rc) {
        return rc;
    }
    *out = (brood_barrier *)shared;
    (*out)->action = read.action;
    payload = brood_barrier_payload(*out);
    payload->parties = parties;
    payload->has_action = read.action != NULL;
    payload->timeout_ms = read.timeout_ms > 0 ? read.timeout_ms : 0;
    return 0;
}

brood_barrier *brood_barrier_ref(brood_barrier *barrier)
{
    return (brood_barrier *)brood_heap_ref(barrier != NULL ? &barrier->shared : NULL);
}

void brood_barrier_free(brood_barrier *barrier)
{
    brood_heap_free(barrier != NULL ? &barrier->shared : NULL);
}

/* ---- reset, abort, what it is like ---- */

static int end_from_outside(brood_barrier *barrier, brood_barrier_state how)
{
    uint32_t me;
    int rc = brood_heap_enter(barrier != NULL ? &barrier->shared : NULL, &brood_barrier_kind, &me);

    if (rc) {
        return rc;
    }
    rc = brood_barrier_take_guard(barrier, me);
    if (rc) {
        return brood_barrier_fail_guard(rc);
    }
    brood_barrier_end_round(barrier, how);
    brood_barrier_give_guard(barrier);
    return 0;
}

int brood_barrier_reset(brood_barrier *barrier)
{
    return end_from_outside(barrier, BROOD_BARRIER_IS_RESET);
}

void brood_barrier_abort(brood_barrier *barrier)
{
    (void)end_from_outside(barrier, BROOD_BARRIER_BREAKS);
}

uint32_t brood_barrier_parties(const brood_barrier *barrier)
{
    return barrier != NULL ? brood_barrier_payload(barrier)->parties : 0;
}

uint32_t brood_barrier_n_waiting(const brood_barrier *barrier)
{
    return barrier != NULL ? brood_word_load(&brood_barrier_payload(barrier)->arrived) : 0;
}

bool brood_barrier_broken(const brood_barrier *barrier)
{
    const uint32_t state = barrier != NULL ? brood_word_load(&brood_barrier_payload(barrier)->state)
                                           : BROOD_BARRIER_IS_OPEN;

    return state == BROOD_BARRIER_IS_BROKEN || state == BROOD_BARRIER_BREAKS ||
           state == BROOD_BARRIER_PASSES_LAST;
}
