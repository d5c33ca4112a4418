/* A notifier leaves tokens, and whoever waited before it takes one: nobody waits for anybody's
 * acknowledgement, so a waiter that was killed holds up nobody. What it leaves behind is that it
 * still counts as a waiter, so a later notification may be one too many, which is a wake-up for
 * nothing.
 *
 * Waiters come, and notifiers leave tokens, with the lock held; tokens are taken, and waiters give
 * up, without it. */
#include "condition.h"

#include "deadline.h"
#include "error.h"
#include "fault.h"
#include "lock.h"
#include "object.h"

#define WAITER UINT64_C(1)
#define TOKEN (UINT64_C(1) << 32)

/* A condition's part of its cell. */
typedef struct condition_payload {
    brood_word64 counts; /* waiters in the lower half, tokens in the upper; never more tokens */
    brood_word sequence; /* of notifications: what waiters sleep on */
} condition_payload;

static condition_payload *payload_of(const brood_condition *condition)
{
    return brood_cell_payload(condition->shared.cell);
}

static uint32_t waiters_in(uint64_t counts)
{
    return (uint32_t)counts;
}

static uint32_t tokens_in(uint64_t counts)
{
    return (uint32_t)(counts >> 32);
}

/* ---- the kind ---- */

/* Who has died still counts as a waiter: nobody knows of whom there were how many. */
static void sweep_condition(brood_segment *segment, brood_cell *cell, uint32_t identity)
{
    (void)segment;
    (void)cell;
    (void)identity;
}

static bool condition_is_busy(const brood_cell *cell)
{
    (void)cell;
    return false;
}

static void fini_condition(brood_heap_object *shared)
{
    brood_lock_free(((brood_condition *)shared)->lock);
}

static void pack_condition(const brood_heap_object *shared, brood_heap_goods *goods)
{
    goods->part = brood_object_(BROOD_LOCK, ((const brood_condition *)shared)->lock);
}

static int receive_condition(brood_heap_object *shared, brood_heap_goods *goods)
{
    brood_condition *condition = (brood_condition *)shared;

    if (goods->part.kind != BROOD_LOCK) {
        return brood_fail(BROOD_EDECODE, "a condition came without its lock");
    }
    if (condition->lock == NULL) {
        condition->lock = brood_lock_ref(goods->part.as.object);
    }
    return 0;
}

const brood_heap_kind brood_condition_kind = {
    BROOD_CONDITION, sizeof(condition_payload), sizeof(brood_condition),
    sweep_condition, condition_is_busy,         fini_condition,
    pack_condition,  receive_condition,         NULL,
};

/* ---- new, ref, free ---- */

int brood_condition_new(brood_condition **out, brood_lock *lock)
{
    brood_heap_object *shared = NULL;
    brood_lock *own = NULL;
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the condition: out is NULL");
    }
    *out = NULL;
    rc = lock != NULL ? brood_heap_check(&lock->shared, &brood_lock_kind)
                      : brood_rlock_new(&own, NULL);
    if (rc == 0) {
        rc = brood_heap_new(&shared, &brood_condition_kind, sizeof(condition_payload));
    }
    if (rc) {
        brood_lock_free(own);
        return rc;
    }
    *out = (brood_condition *)shared;
    (*out)->lock = own != NULL ? own : brood_lock_ref(lock);
    return 0;
}

brood_condition *brood_condition_ref(brood_condition *condition)
{
    return (brood_condition *)brood_heap_ref(condition != NULL ? &condition->shared : NULL);
}

void brood_condition_free(brood_condition *condition)
{
    brood_heap_free(condition != NULL ? &condition->shared : NULL);
}

brood_lock *brood_condition_lock(brood_condition *condition)
{
    return condition != NULL ? condition->lock : NULL;
}

static int begin(const brood_condition *condition, uint32_t *me, const char *what)
{
    const int rc =
        brood_heap_check(condition != NULL ? &condition->shared : NULL, &brood_condition_kind);

    return rc ? rc : brood_lock_check_owner(condition->lock, me, what);
}

/* ---- wait ---- */

/* One that came before the last notification may take any token. If there are as many as waiters,
 * each has one, also where who left them died before it could say so. */
static bool take_token(condition_payload *payload, bool notified)
{
    uint64_t counts = brood_word64_load(&payload->counts);

    while (tokens_in(counts) != 0 && (notified || tokens_in(counts) >= waiters_in(counts))) {
        if (brood_word64_cas(&payload->counts, counts, counts - TOKEN - WAITER)) {
            return true;
        }
        counts = brood_word64_load(&payload->counts);
    }
    return false;
}

/* Ends as a waiter, with a token if there is one for us: `notified` since we came. So there are never
 * more tokens than waiters. */
static int give_up(condition_payload *payload, bool notified)
{
    while (!take_token(payload, notified)) {
        const uint64_t counts = brood_word64_load(&payload->counts);
        if (tokens_in(counts) != 0 && (notified || tokens_in(counts) >= waiters_in(counts))) {
            continue;
        }
        if (waiters_in(counts) == 0 ||
            brood_word64_cas(&payload->counts, counts, counts - WAITER)) {
            return BROOD_ETIMEDOUT;
        }
    }
    return 0;
}

/* Sleeps once, and tells whether it was for nothing and somebody died with the lock in its hands:
 * who would notify us, or who did and woke nobody. All who want the lock learn of it then. */
static bool sleep_in_vain(brood_condition *condition, uint32_t now, int64_t deadline_ns)
{
    brood_word *sequence = &payload_of(condition)->sequence;
    const int64_t latest = brood_os_now() + BROOD_SLICE(BROOD_SLICE_NS);

    brood_segment_sleep(condition->shared.segment, sequence, now, 0, deadline_ns);
    BROOD_STOP("condition-woken");
    return (brood_word_load(sequence) == now || brood_os_now() >= latest) &&
           brood_lock_is_abandoned(condition->lock);
}

/* Until there is a token for us; `since` is the sequence when we came. Waiting for somebody who
 * died with the lock has no end: then we go and see. */
static int wait_for_token(brood_condition *condition, uint32_t since, int64_t deadline_ns)
{
    condition_payload *payload = payload_of(condition);
    uint32_t now = brood_word_load(&payload->sequence);

    while (!take_token(payload, now != since)) {
        if (brood_deadline_passed(deadline_ns)) {
            return give_up(payload, now != since);
        }
        if (sleep_in_vain(condition, now, deadline_ns)) {
            (void)give_up(payload, brood_word_load(&payload->sequence) != since);
            return 0;
        }
        now = brood_word_load(&payload->sequence);
    }
    return 0;
}

static int wait_until(brood_condition *condition, int64_t deadline_ns)
{
    condition_payload *payload;
    uint32_t since;
    uint32_t depth;
    uint32_t me;
    int rc = begin(condition, &me, "wait for a condition");
    int failed;

    if (rc) {
        return rc;
    }
    payload = payload_of(condition);
    (void)brood_word64_add(&payload->counts, WAITER);
    since = brood_word_load(&payload->sequence);
    depth = brood_lock_suspend(condition->lock, me);
    rc = wait_for_token(condition, since, deadline_ns);
    failed = brood_lock_resume(condition->lock, me, depth);
    if (failed) {
        return failed;
    }
    return rc ? brood_fail(rc, "wait for a condition: nobody has notified in time") : 0;
}

int brood_condition_wait(brood_condition *condition, int64_t timeout_ms)
{
    int64_t deadline_ns;
    const int rc = brood_deadline(&deadline_ns, timeout_ms);

    return rc ? rc : wait_until(condition, deadline_ns);
}

int brood_condition_wait_for(brood_condition *condition, bool (*predicate)(void *user), void *user,
                             int64_t timeout_ms)
{
    int64_t deadline_ns;
    uint32_t me;
    int rc = brood_deadline(&deadline_ns, timeout_ms);

    if (rc == 0 && predicate == NULL) {
        rc = brood_fail(BROOD_EINVAL, "wait for a condition: there is no predicate");
    }
    if (rc == 0) {
        rc = begin(condition, &me, "wait for a condition");
    }
    while (rc == 0 && !predicate(user)) {
        rc = wait_until(condition, deadline_ns);
        if (rc == BROOD_ETIMEDOUT && predicate(user)) {
            return 0;
        }
    }
    return rc;
}

/* ---- notify ---- */

/* Also where all have a token already: who left them may have died before it could say so. */
int brood_condition_notify(brood_condition *condition, size_t count)
{
    condition_payload *payload;
    uint64_t counts;
    uint32_t lacking;
    uint64_t more;
    uint32_t me;
    int rc = begin(condition, &me, "notify a condition");

    if (rc) {
        return rc;
    }
    payload = payload_of(condition);
    do {
        counts = brood_word64_load(&payload->counts);
        lacking =
            tokens_in(counts) < waiters_in(counts) ? waiters_in(counts) - tokens_in(counts) : 0;
        more = count < lacking ? count : lacking;
        if (waiters_in(counts) == 0 || count == 0) {
            return 0;
        }
    } while (!brood_word64_cas(&payload->counts, counts, counts + TOKEN * more));
    BROOD_STOP("condition-notifies");
    (void)brood_word_add(&payload->sequence, 1);
    BROOD_STOP("condition-notified");
    brood_segment_wake(condition->shared.segment, &payload->sequence,
                       count < UINT32_MAX ? (uint32_t)count : UINT32_MAX);
    return 0;
}

int brood_condition_notify_all(brood_condition *condition)
{
    return brood_condition_notify(condition, SIZE_MAX);
}
