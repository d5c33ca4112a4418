/* Waiting at a barrier: a party arrives, the last one runs the action, the others watch each other:
 * each the next one of another process, so that a dead one is noticed by the one before it. */
#include "barrier_round.h"
#include "call.h"
#include "deadline.h"
#include "error.h"
#include "fault.h"

#define CODE_MAX 255

/* ---- arriving ---- */

typedef struct party {
    const brood_barrier *barrier;
    uint32_t me;
    int64_t deadline_ns;
    brood_word *place;
    uint32_t index;
    bool last;
    bool delayed; /* had to wait for the guard, maybe since somebody died */
} party;

static int fail_broken(void)
{
    return brood_fail(BROOD_EBROKEN, "wait for a barrier: it is broken");
}

/* With the guard held: BROOD_ERUNNING when there is no place until somebody leaves, or until the
 * last round's action is done. */
static int take_place(party *one)
{
    brood_barrier_cell *payload = brood_barrier_payload(one->barrier);
    const uint32_t arrived = brood_word_load(&payload->arrived);

    if (brood_word_load(&payload->state) == BROOD_BARRIER_IS_BROKEN) {
        return BROOD_EBROKEN;
    }
    one->place = arrived < payload->parties ? brood_barrier_find_place(one->barrier) : NULL;
    if (one->place == NULL) {
        return BROOD_ERUNNING;
    }
    one->index = arrived;
    one->last = arrived + 1 == payload->parties;
    brood_word_store(one->place, (one->me & BROOD_PROCESS_BITS) | BROOD_PARTY_WAITING);
    BROOD_STOP("barrier-arrives");
    brood_word_store(&payload->arrived, arrived + 1);
    if (one->last && (payload->has_action == 0 || brood_barrier_has_gone(one->barrier))) {
        brood_barrier_end_round(one->barrier, brood_barrier_has_gone(one->barrier)
                                                  ? BROOD_BARRIER_BREAKS
                                                  : BROOD_BARRIER_PASSES);
    }
    return 0;
}

/* With the guard held. Who gives up breaks it for all, but for a round that was complete before:
 * that one has its action still to do. */
static void give_up_early(const brood_barrier *barrier)
{
    brood_barrier_cell *payload = brood_barrier_payload(barrier);

    if (brood_word_load(&payload->arrived) >= payload->parties) {
        brood_word_store(&payload->late, 1);
    } else {
        brood_barrier_end_round(barrier, BROOD_BARRIER_BREAKS);
    }
}

/* One try, `again` after a sleep. The guard is held for so short that its time has no limit. */
static int try_to_arrive(party *one, bool again, uint32_t *turn)
{
    const brood_barrier *barrier = one->barrier;
    int rc = 0;

    if (!brood_guard_try(&brood_barrier_payload(barrier)->guard, one->me)) {
        one->delayed = true;
        rc = brood_barrier_take_guard(barrier, one->me);
    }
    if (rc) {
        return brood_barrier_fail_guard(rc);
    }
    if (again && brood_barrier_has_dead(barrier)) {
        brood_barrier_end_round(barrier, BROOD_BARRIER_BREAKS);
    }
    *turn = brood_word_load(&brood_barrier_payload(barrier)->turn);
    rc = take_place(one);
    if (rc == BROOD_ERUNNING && brood_deadline_passed(one->deadline_ns)) {
        give_up_early(barrier);
        rc = BROOD_ETIMEDOUT;
    }
    brood_barrier_give_guard(barrier);
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
        if (brood_barrier_sleep_for_turn(barrier, turn, 0, one->deadline_ns) &&
            brood_barrier_take_from_dead(barrier, one->me)) {
            brood_barrier_give_guard(barrier);
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
    return brood_barrier_is_waiting(brood_word_load(one->place));
}

/* Passes the round, or breaks it; unless somebody else has broken it meanwhile. */
static int act(party *one)
{
    const int rc = run_action(one->barrier);

    if (brood_barrier_take_guard(one->barrier, one->me) == 0) {
        if (still_waits(one)) {
            brood_barrier_end_round(one->barrier, rc == 0 && !brood_barrier_has_gone(one->barrier)
                                                      ? BROOD_BARRIER_PASSES
                                                      : BROOD_BARRIER_BREAKS);
        }
        brood_barrier_give_guard(one->barrier);
    }
    return rc;
}

/* ---- waiting ---- */

/* What the next waiting party's place says, of another process than ours; 0: there is none.
 * BROOD_PARTY_GONE is one that died. */
static uint32_t next_party(const party *one)
{
    const brood_barrier_cell *payload = brood_barrier_payload(one->barrier);
    const uint32_t count = brood_barrier_places(one->barrier->shared.cell);
    const uint32_t own = (uint32_t)(one->place - payload->places);

    for (uint32_t i = 1; i < count; i++) {
        const uint32_t value = brood_word_load_relaxed(&payload->places[(own + i) % count]);
        if (value == BROOD_PARTY_GONE ||
            ((value & BROOD_PARTY_SAYS) == BROOD_PARTY_WAITING &&
             (value & BROOD_PROCESS_BITS) != (one->me & BROOD_PROCESS_BITS))) {
            return value;
        }
    }
    return 0;
}

/* With or without a reason: others may have been faster. */
static void break_round(const party *one)
{
    if (brood_barrier_take_guard(one->barrier, one->me) == 0) {
        if (still_waits(one)) {
            brood_barrier_end_round(one->barrier, BROOD_BARRIER_BREAKS);
        }
        brood_barrier_give_guard(one->barrier);
    }
}

static bool has_died(const party *one, uint32_t value)
{
    return value != 0 && value != BROOD_PARTY_GONE && brood_barrier_is_dead(one->barrier, value);
}

/* Sleeps once, and looks whether somebody has died if that was for nothing: the one that was the next
 * before, and the one that is it now. */
static void sleep_once(const party *one, uint32_t turn)
{
    const brood_barrier *barrier = one->barrier;
    const uint32_t next = next_party(one);

    if (next == BROOD_PARTY_GONE) {
        break_round(one);
        return;
    }
    if (!brood_barrier_sleep_for_turn(barrier, turn, (next & BROOD_OWNER) >> BROOD_ROW_SHIFT,
                                      one->deadline_ns)) {
        return;
    }
    if (brood_barrier_take_from_dead(barrier, one->me)) {
        brood_barrier_give_guard(barrier);
    }
    if (still_waits(one) && (has_died(one, next) || has_died(one, next_party(one)))) {
        break_round(one);
    }
}

static int wait_for_others(const party *one)
{
    const brood_barrier *barrier = one->barrier;
    uint32_t spins = brood_spin_count();
    bool look = one->delayed;
    bool late = false;
    uint32_t says;

    for (;;) {
        const uint32_t turn = brood_word_load(&brood_barrier_payload(barrier)->turn);
        if (!still_waits(one)) {
            break;
        }
        if (spins > 0) {
            spins--;
            brood_os_relax();
        } else if (brood_deadline_passed(one->deadline_ns)) {
            late = true;
            break_round(one);
        } else if (look) { /* who died has cost time already */
            look = false;
            if (has_died(one, next_party(one))) {
                break_round(one);
            }
        } else {
            sleep_once(one, turn);
        }
    }
    says = brood_word_exchange(one->place, 0) & BROOD_PARTY_SAYS;
    if (says == BROOD_PARTY_PASSED) {
        return 0;
    }
    return late
               ? brood_fail(BROOD_ETIMEDOUT, "wait for a barrier: not all have come in time, so it "
                                             "is broken now")
               : fail_broken();
}

int brood_barrier_wait(brood_barrier *barrier, uint32_t *index, int64_t timeout_ms)
{
    party one = {barrier, 0, 0, NULL, 0, false, false};
    int rc =
        brood_heap_enter(barrier != NULL ? &barrier->shared : NULL, &brood_barrier_kind, &one.me);

    if (rc) {
        return rc;
    }
    if (timeout_ms == BROOD_FOREVER && brood_barrier_payload(barrier)->timeout_ms > 0) {
        timeout_ms = brood_barrier_payload(barrier)->timeout_ms;
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
