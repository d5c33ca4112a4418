/* A barrier is a list of places. A party that arrives takes one and writes into it who it is; when the
 * round ends, whoever ends it writes the result into each place, and the party takes it from there and
 * leaves. So nobody waits for those who have not left yet, and nothing that is said about one round is
 * taken for another's.
 *
 * All but leaving is done under a guard. What takes several steps is announced in `state` before the
 * first one; whoever finds the guard's owner dead finishes it. Each waiting party watches the next one
 * of another process: a dead one is noticed by the one before it. */
#include "barrier.h"

#include <stddef.h>

#include "call.h"
#include "deadline.h"
#include "error.h"
#include "fault.h"
#include "guard.h"
#include "options.h"

#define PARTIES_MAX 4096
#define PLACES_PER_PARTY 2 /* for those who have not left the round before */
#define CODE_MAX 255

/* What a place says, below the process: 0 is free. */
#define WAITING UINT32_C(1)
#define PASSED UINT32_C(2)
#define BROKEN UINT32_C(3)
#define GONE UINT32_C(4) /* a party that died while it was waiting; it has no process */
#define SAYS UINT32_C(7)

typedef enum barrier_state {
    IS_OPEN,
    IS_BROKEN,
    PASSES,      /* all places are being told that they passed; then it is open */
    PASSES_LAST, /* the same; then it is broken */
    BREAKS,      /* that it is broken; then it is broken */
    IS_RESET     /* that it is broken; then it is open */
} barrier_state;

/* A barrier's part of its cell. */
typedef struct barrier_payload {
    brood_word guard;
    brood_word turn;    /* changes when a round ends: what parties sleep on */
    brood_word state;   /* a barrier_state */
    brood_word arrived; /* places that are WAITING or GONE */
    brood_word late;    /* somebody gave up on the round after the one whose action still runs */
    uint32_t parties;   /* this and the next two never change */
    uint32_t has_action;
    int64_t timeout_ms; /* 0: none */
    brood_word places[];
} barrier_payload;

static barrier_payload *payload_of(const brood_barrier *barrier)
{
    return brood_cell_payload(barrier->shared.cell);
}

/* How many there are, whatever others have written into the cell. */
static uint32_t places_of(const brood_cell *cell)
{
    const barrier_payload *payload = brood_cell_payload(cell);
    const size_t room =
        (cell->size - sizeof *cell - offsetof(barrier_payload, places)) / sizeof payload->places[0];

    return payload->parties <= room / PLACES_PER_PARTY ? payload->parties * PLACES_PER_PARTY
                                                       : (uint32_t)room;
}

static bool is_waiting(uint32_t place)
{
    return (place & SAYS) == WAITING || (place & SAYS) == GONE;
}

/* ---- the kind ---- */

/* The parties look when the turn changes, and break it. */
static void sweep_barrier(brood_segment *segment, brood_cell *cell, uint32_t identity)
{
    barrier_payload *payload = brood_cell_payload(cell);
    const uint32_t count = places_of(cell);
    bool found = false;

    brood_guard_sweep(segment, &payload->guard, identity);
    for (uint32_t i = 0; i < count; i++) {
        brood_word *place = &payload->places[i];
        uint32_t value = brood_word_load(place);
        while ((value & BROOD_PROCESS_BITS) == identity) {
            const bool waits = (value & SAYS) == WAITING;
            if (brood_word_cas(place, value, waits ? GONE : 0)) {
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
    const barrier_payload *payload = brood_cell_payload(cell);

    return brood_word_load(&payload->arrived) != 0;
}

static void pack_barrier(const brood_heap_object *shared, brood_heap_goods *goods)
{
    goods->part = brood_function_value(((const brood_barrier *)shared)->action);
}

static int receive_barrier(brood_heap_object *shared, brood_heap_goods *goods)
{
    brood_barrier *barrier = (brood_barrier *)shared;

    if (payload_of(barrier)->has_action != 0 && goods->part.kind != BROOD_FUNCTION) {
        return brood_fail(BROOD_EDECODE, "a barrier came without its action");
    }
    if (barrier->action == NULL && goods->part.kind == BROOD_FUNCTION) {
        barrier->action = goods->part.as.function;
    }
    return 0;
}

const brood_heap_kind brood_barrier_kind = {
    BROOD_BARRIER, sizeof(barrier_payload), sizeof(brood_barrier),
    sweep_barrier, barrier_is_busy,         NULL,
    pack_barrier,  receive_barrier,         NULL,
};

/* ---- new, ref, free ---- */

int brood_barrier_new(brood_barrier **out, uint32_t parties, const brood_barrier_options *options)
{
    brood_barrier_options read;
    brood_heap_object *shared = NULL;
    barrier_payload *payload;
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
                            offsetof(barrier_payload, places) +
                                parties * PLACES_PER_PARTY * sizeof(brood_word));
    }
    if (rc) {
        return rc;
    }
    *out = (brood_barrier *)shared;
    (*out)->action = read.action;
    payload = payload_of(*out);
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

/* ---- under the guard ---- */

/* Ends the round: each place is told, all is empty then. It may be done again from the beginning. */
static void end_round(const brood_barrier *barrier, barrier_state how)
{
    barrier_payload *payload = payload_of(barrier);
    const uint32_t count = places_of(barrier->shared.cell);
    uint32_t result = BROKEN;

    if (how == PASSES && brood_word_load(&payload->late) != 0) {
        how = PASSES_LAST;
    }
    if (how == PASSES || how == PASSES_LAST) {
        result = PASSED;
    }
    brood_word_store(&payload->state, (uint32_t)how);
    BROOD_STOP("barrier-ends");
    for (uint32_t i = 0; i < count; i++) {
        brood_word *place = &payload->places[i];
        uint32_t value = brood_word_load(place);
        while (
            is_waiting(value) &&
            !brood_word_cas(place, value, (value & SAYS) == GONE ? 0 : (value & ~SAYS) | result)) {
            value = brood_word_load(place); /* it was swept */
        }
    }
    brood_word_store(&payload->arrived, 0);
    (void)brood_word_add(&payload->turn, 1);
    brood_word_store(&payload->late, 0);
    brood_word_store(&payload->state, how == BREAKS || how == PASSES_LAST ? IS_BROKEN : IS_OPEN);
    BROOD_STOP("barrier-ended");
    brood_segment_wake(barrier->shared.segment, &payload->turn, UINT32_MAX);
}

/* Whether a party has died, by asking the system about each. */
static bool has_dead(const brood_barrier *barrier)
{
    const barrier_payload *payload = payload_of(barrier);
    const uint32_t count = places_of(barrier->shared.cell);
    uint32_t last = 0;

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t value = brood_word_load(&payload->places[i]);
        if (is_waiting(value) && value != last) {
            last = value;
            if (value == GONE || brood_segment_word_is_dead(barrier->shared.segment, value)) {
                return true;
            }
        }
    }
    return false;
}

/* What an owner of the guard has left. */
static void repair(const brood_barrier *barrier)
{
    barrier_payload *payload = payload_of(barrier);
    const uint32_t state = brood_word_load(&payload->state);
    const uint32_t count = places_of(barrier->shared.cell);
    uint32_t arrived = 0;

    if (state > IS_BROKEN) {
        end_round(barrier, (barrier_state)state);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        arrived += is_waiting(brood_word_load(&payload->places[i]));
    }
    brood_word_store(&payload->arrived, arrived);
    if (has_dead(barrier)) { /* it had arrived: nobody has to find that out once more */
        end_round(barrier, BREAKS);
    }
}

static int take_guard(const brood_barrier *barrier, uint32_t me, int64_t deadline_ns)
{
    const int rc = brood_guard_take_over(barrier->shared.segment, &payload_of(barrier)->guard, me,
                                         deadline_ns);

    if (rc == BROOD_EOWNERDEAD) {
        repair(barrier);
        return 0;
    }
    return rc;
}

static void give_guard(const brood_barrier *barrier)
{
    brood_guard_unlock(barrier->shared.segment, &payload_of(barrier)->guard);
}

static bool is_dead(const brood_barrier *barrier, uint32_t word)
{
    return (word & BROOD_OWNER) != 0 && brood_segment_word_is_dead(barrier->shared.segment, word);
}

/* Takes the guard if its owner died, without waiting to find that out. */
static bool take_from_dead(const brood_barrier *barrier, uint32_t me)
{
    barrier_payload *payload = payload_of(barrier);
    const uint32_t guard = brood_word_load(&payload->guard);

    if ((guard & BROOD_DIED) == 0) {
        if (!is_dead(barrier, guard)) {
            return false;
        }
        (void)brood_guard_bury(barrier->shared.segment, &payload->guard, guard);
    }
    return take_guard(barrier, me, BROOD_DEADLINE_NEVER) == 0;
}

/* Sleeps once, also until the end of who has this row, and tells whether it was for nothing. */
static bool sleep_for_turn(const brood_barrier *barrier, uint32_t turn, uint32_t row,
                           int64_t deadline_ns)
{
    brood_word *word = &payload_of(barrier)->turn;
    const int64_t latest = brood_os_now() + BROOD_SLICE(BROOD_SLICE_NS);

    brood_segment_sleep(barrier->shared.segment, word, turn, row, deadline_ns);
    BROOD_STOP("barrier-woken");
    return brood_word_load(word) == turn || brood_os_now() >= latest;
}

/* Whether one of the parties has died, as far as that is known. */
static bool has_gone(const brood_barrier *barrier)
{
    const barrier_payload *payload = payload_of(barrier);
    const uint32_t count = places_of(barrier->shared.cell);

    for (uint32_t i = 0; i < count; i++) {
        if (brood_word_load_relaxed(&payload->places[i]) == GONE) {
            return true;
        }
    }
    return false;
}

/* A free place, searched from where it is likely; NULL: there is none, and those of the dead who had
 * not left are free now. */
static brood_word *find_place(const brood_barrier *barrier)
{
    barrier_payload *payload = payload_of(barrier);
    const uint32_t count = places_of(barrier->shared.cell);
    const uint32_t first = brood_word_load(&payload->turn) % PLACES_PER_PARTY * payload->parties +
                           brood_word_load(&payload->arrived);

    for (uint32_t i = 0; i < count; i++) {
        brood_word *place = &payload->places[(first + i) % count];
        if (brood_word_load(place) == 0) {
            return place;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t value = brood_word_load(&payload->places[i]);
        if (!is_waiting(value) && value != 0 &&
            brood_segment_word_is_dead(barrier->shared.segment, value)) {
            (void)brood_word_cas(&payload->places[i], value, 0);
        }
    }
    return NULL;
}

/* ---- arriving ---- */

typedef struct party {
    const brood_barrier *barrier;
    uint32_t me;
    int64_t deadline_ns;
    brood_word *place;
    uint32_t index;
    bool last;
} party;

static int fail_broken(void)
{
    return brood_fail(BROOD_EBROKEN, "wait for a barrier: it is broken");
}

static int fail_guard(int rc)
{
    return rc == BROOD_EDEADLK
               ? brood_fail(rc, "use a barrier from a signal handler that interrupted its use")
               : brood_fail(rc, "wait for a barrier: somebody else is changing it");
}

/* With the guard held: BROOD_ERUNNING when there is no place until somebody leaves, or until the
 * last round's action is done. */
static int take_place(party *one)
{
    barrier_payload *payload = payload_of(one->barrier);
    const uint32_t arrived = brood_word_load(&payload->arrived);

    if (brood_word_load(&payload->state) == IS_BROKEN) {
        return BROOD_EBROKEN;
    }
    one->place = arrived < payload->parties ? find_place(one->barrier) : NULL;
    if (one->place == NULL) {
        return BROOD_ERUNNING;
    }
    one->index = arrived;
    one->last = arrived + 1 == payload->parties;
    brood_word_store(one->place, (one->me & BROOD_PROCESS_BITS) | WAITING);
    BROOD_STOP("barrier-arrives");
    brood_word_store(&payload->arrived, arrived + 1);
    if (one->last && (payload->has_action == 0 || has_gone(one->barrier))) {
        end_round(one->barrier, has_gone(one->barrier) ? BREAKS : PASSES);
    }
    return 0;
}

/* With the guard held. Who gives up breaks it for all, but for a round that was complete before: that
 * one has its action still to do. */
static void give_up_early(const brood_barrier *barrier)
{
    barrier_payload *payload = payload_of(barrier);

    if (brood_word_load(&payload->arrived) >= payload->parties) {
        brood_word_store(&payload->late, 1);
    } else {
        end_round(barrier, BREAKS);
    }
}

/* One try, `again` after a sleep. The guard is held for so short that its time has no limit. */
static int try_to_arrive(party *one, bool again, uint32_t *turn)
{
    const brood_barrier *barrier = one->barrier;
    int rc = take_guard(barrier, one->me, BROOD_DEADLINE_NEVER);

    if (rc) {
        return fail_guard(rc);
    }
    if (again && has_dead(barrier)) {
        end_round(barrier, BREAKS);
    }
    *turn = brood_word_load(&payload_of(barrier)->turn);
    rc = take_place(one);
    if (rc == BROOD_ERUNNING && brood_deadline_passed(one->deadline_ns)) {
        give_up_early(barrier);
        rc = BROOD_ETIMEDOUT;
    }
    give_guard(barrier);
    switch (rc) {
    case BROOD_EBROKEN:
        return fail_broken();
    case BROOD_ETIMEDOUT:
        return brood_fail(rc, "wait for a barrier: the round before is not over in time");
    default:
        return rc;
    }
}

static int arrive(party *one)
{
    const brood_barrier *barrier = one->barrier;
    uint32_t turn = 0;
    int rc = try_to_arrive(one, false, &turn);

    while (rc == BROOD_ERUNNING) {
        if (sleep_for_turn(barrier, turn, 0, one->deadline_ns) &&
            take_from_dead(barrier, one->me)) {
            give_guard(barrier);
        }
        rc = try_to_arrive(one, true, &turn);
    }
    return rc;
}

/* ---- the last one's action ---- */

/* What the action returned, as a failure of ours; `words` are what it raised, or "". */
static int judge(int rc, const char *words)
{
    brood_failure failure;

    if (rc <= BROOD_EINVAL) {
        if (words[0] == '\0' && brood_last_error()->error == rc) {
            return rc;
        }
        return brood_fail(rc, "a barrier's action: %s", words[0] ? words : brood_strerror(rc));
    }
    (void)brood_fail(BROOD_ETASK, "a barrier's action returned %d%s%s", rc, words[0] ? ": " : "",
                     words);
    failure = *brood_last_error();
    failure.code = rc > 0 && rc <= CODE_MAX ? rc : CODE_MAX;
    return brood_fail_as(&failure);
}

static int run_action(const brood_barrier *barrier)
{
    brood_call call;
    int rc;

    if (barrier->action == NULL) {
        return 0;
    }
    brood_call_init(&call, brood_none(), brood_none());
    rc = barrier->action(&call);
    rc = rc == 0 ? 0 : judge(rc, call.raised && call.code == rc ? call.words : "");
    brood_call_fini(&call);
    return rc;
}

static bool still_waits(const party *one)
{
    return is_waiting(brood_word_load(one->place));
}

/* Passes the round, or breaks it; unless somebody else has broken it meanwhile. */
static int act(party *one)
{
    const int rc = run_action(one->barrier);

    if (take_guard(one->barrier, one->me, BROOD_DEADLINE_NEVER) == 0) {
        if (still_waits(one)) {
            end_round(one->barrier, rc == 0 && !has_gone(one->barrier) ? PASSES : BREAKS);
        }
        give_guard(one->barrier);
    }
    return rc;
}

/* ---- waiting ---- */

/* What the next waiting party's place says, of another process than ours; 0: there is none. GONE is
 * one that died. */
static uint32_t next_party(const party *one)
{
    const barrier_payload *payload = payload_of(one->barrier);
    const uint32_t count = places_of(one->barrier->shared.cell);
    const uint32_t own = (uint32_t)(one->place - payload->places);

    for (uint32_t i = 1; i < count; i++) {
        const uint32_t value = brood_word_load_relaxed(&payload->places[(own + i) % count]);
        if (value == GONE || ((value & SAYS) == WAITING &&
                              (value & BROOD_PROCESS_BITS) != (one->me & BROOD_PROCESS_BITS))) {
            return value;
        }
    }
    return 0;
}

/* With or without a reason: others may have been faster. */
static void break_round(const party *one)
{
    if (take_guard(one->barrier, one->me, BROOD_DEADLINE_NEVER) == 0) {
        if (still_waits(one)) {
            end_round(one->barrier, BREAKS);
        }
        give_guard(one->barrier);
    }
}

/* Sleeps once, and looks whether somebody has died if that was for nothing. */
static void sleep_once(const party *one, uint32_t turn)
{
    const brood_barrier *barrier = one->barrier;
    const uint32_t next = next_party(one);

    if (next == GONE) {
        break_round(one);
        return;
    }
    if (!sleep_for_turn(barrier, turn, (next & BROOD_OWNER) >> BROOD_ROW_SHIFT, one->deadline_ns)) {
        return;
    }
    if (take_from_dead(barrier, one->me)) {
        give_guard(barrier);
    } else if (next != 0 && still_waits(one) && is_dead(barrier, next)) {
        break_round(one);
    }
}

static int wait_for_others(const party *one)
{
    const brood_barrier *barrier = one->barrier;
    uint32_t spins = brood_spin_count();
    bool late = false;
    uint32_t says;

    for (;;) {
        const uint32_t turn = brood_word_load(&payload_of(barrier)->turn);
        if (!still_waits(one)) {
            break;
        }
        if (spins > 0) {
            spins--;
            brood_os_relax();
        } else if (brood_deadline_passed(one->deadline_ns)) {
            late = true;
            break_round(one);
        } else {
            sleep_once(one, turn);
        }
    }
    says = brood_word_exchange(one->place, 0) & SAYS;
    if (says == PASSED) {
        return 0;
    }
    return late
               ? brood_fail(BROOD_ETIMEDOUT, "wait for a barrier: not all have come in time, so it "
                                             "is broken now")
               : fail_broken();
}

int brood_barrier_wait(brood_barrier *barrier, uint32_t *index, int64_t timeout_ms)
{
    party one = {barrier, 0, 0, NULL, 0, false};
    int rc =
        brood_heap_enter(barrier != NULL ? &barrier->shared : NULL, &brood_barrier_kind, &one.me);

    if (rc) {
        return rc;
    }
    if (timeout_ms == BROOD_FOREVER && payload_of(barrier)->timeout_ms > 0) {
        timeout_ms = payload_of(barrier)->timeout_ms;
    }
    rc = brood_deadline(&one.deadline_ns, timeout_ms);
    if (rc == 0) {
        rc = arrive(&one);
    }
    if (rc) {
        return rc;
    }
    if (one.last && still_waits(&one)) {
        rc = act(&one);
    }
    if (rc) { /* the round has ended all the same */
        brood_word_store(one.place, 0);
        return rc;
    }
    rc = wait_for_others(&one);
    if (rc == 0 && index != NULL) {
        *index = one.index;
    }
    return rc;
}

/* ---- reset, abort, what it is like ---- */

static int end_from_outside(brood_barrier *barrier, barrier_state how)
{
    uint32_t me;
    int rc = brood_heap_enter(barrier != NULL ? &barrier->shared : NULL, &brood_barrier_kind, &me);

    if (rc) {
        return rc;
    }
    rc = take_guard(barrier, me, BROOD_DEADLINE_NEVER);
    if (rc) {
        return fail_guard(rc);
    }
    end_round(barrier, how);
    give_guard(barrier);
    return 0;
}

int brood_barrier_reset(brood_barrier *barrier)
{
    return end_from_outside(barrier, IS_RESET);
}

void brood_barrier_abort(brood_barrier *barrier)
{
    (void)end_from_outside(barrier, BREAKS);
}

uint32_t brood_barrier_parties(const brood_barrier *barrier)
{
    return barrier != NULL ? payload_of(barrier)->parties : 0;
}

uint32_t brood_barrier_n_waiting(const brood_barrier *barrier)
{
    return barrier != NULL ? brood_word_load(&payload_of(barrier)->arrived) : 0;
}

bool brood_barrier_broken(const brood_barrier *barrier)
{
    const uint32_t state = barrier != NULL ? brood_word_load(&payload_of(barrier)->state) : IS_OPEN;

    return state == IS_BROKEN || state == BREAKS || state == PASSES_LAST;
}
