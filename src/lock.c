#include "lock.h"

#include "deadline.h"
#include "error.h"
#include "guard.h"
#include "options.h"

#define RECURSIVE UINT32_C(1)
#define SILENT UINT32_C(2)
#define DEPTH_MAX UINT32_MAX

/* A lock's part of its cell. */
typedef struct lock_payload {
    brood_word word;
    uint32_t depth; /* the owner's: how often it has acquired */
    uint32_t flags; /* never change */
} lock_payload;

static lock_payload *payload_of(const brood_lock *lock)
{
    return brood_cell_payload(lock->shared.cell);
}

/* ---- the kind ---- */

static void sweep_lock(brood_segment *segment, brood_cell *cell, uint32_t identity)
{
    brood_guard_sweep(segment, &((lock_payload *)brood_cell_payload(cell))->word, identity);
}

static bool lock_is_busy(const brood_cell *cell)
{
    const lock_payload *payload = brood_cell_payload(cell);
    const uint32_t word = brood_word_load(&payload->word);

    return (word & BROOD_OWNER) != 0 && (word & BROOD_DIED) == 0;
}

static bool is_held_by(const brood_cell *cell, uint32_t identity)
{
    const lock_payload *payload = brood_cell_payload(cell);

    return lock_is_busy(cell) && (brood_word_load(&payload->word) & BROOD_PROCESS_BITS) == identity;
}

const brood_heap_kind brood_lock_kind = {
    BROOD_LOCK, sizeof(lock_payload), sizeof(brood_lock), sweep_lock, lock_is_busy, NULL, NULL,
    NULL,       is_held_by,
};

/* ---- new, ref, free ---- */

static int make(brood_lock **out, const brood_lock_options *options, uint32_t flags)
{
    brood_lock_options read;
    brood_heap_object *shared = NULL;
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the lock: out is NULL");
    }
    *out = NULL;
    rc = brood_options_read(&read, sizeof read, options, "lock");
    if (rc == 0) {
        rc = brood_heap_new(&shared, &brood_lock_kind, sizeof(lock_payload));
    }
    if (rc) {
        return rc;
    }
    *out = (brood_lock *)shared;
    payload_of(*out)->flags = flags | (read.recover_silently ? SILENT : 0);
    return 0;
}

int brood_lock_new(brood_lock **out, const brood_lock_options *options)
{
    return make(out, options, 0);
}

int brood_rlock_new(brood_lock **out, const brood_lock_options *options)
{
    return make(out, options, RECURSIVE);
}

brood_lock *brood_lock_ref(brood_lock *lock)
{
    return (brood_lock *)brood_heap_ref(lock != NULL ? &lock->shared : NULL);
}

void brood_lock_free(brood_lock *lock)
{
    brood_heap_free(lock != NULL ? &lock->shared : NULL);
}

/* ---- acquire ---- */

static int begin(const brood_lock *lock, uint32_t *me)
{
    return brood_heap_enter(lock != NULL ? &lock->shared : NULL, &brood_lock_kind, me);
}

static bool is_mine(const lock_payload *payload, uint32_t me)
{
    return (brood_word_load_relaxed(&payload->word) & (BROOD_OWNER | BROOD_DIED)) == me;
}

static bool is_silent(const lock_payload *payload)
{
    return (payload->flags & SILENT) != 0;
}

static int say_owner_died(const brood_lock *lock)
{
    const uint32_t word = brood_word_load(&payload_of(lock)->word);
    const int64_t pid = brood_segment_pid(lock->shared.segment, word);

    if (pid == 0) {
        return brood_fail(BROOD_EOWNERDEAD, "acquire a lock: a process died while it held it; "
                                            "brood_lock_recover acquires it for repair");
    }
    return brood_fail_of_process(BROOD_EOWNERDEAD, pid,
                                 "acquire a lock: process %lld died while it held it; "
                                 "brood_lock_recover acquires it for repair",
                                 (long long)pid);
}

/* Somebody has it, perhaps this thread. */
static int acquire_slowly(brood_lock *lock, uint32_t me, bool recover, int64_t timeout_ms)
{
    lock_payload *payload = payload_of(lock);
    brood_segment *segment = lock->shared.segment;
    int64_t deadline_ns;
    int rc = brood_deadline(&deadline_ns, timeout_ms);

    if (rc) {
        return rc;
    }
    if (is_mine(payload, me) && (payload->flags & RECURSIVE) != 0) {
        if (payload->depth == DEPTH_MAX) {
            return brood_fail(BROOD_ERANGE, "acquire an RLock: its owner has it %u times already",
                              (unsigned)payload->depth);
        }
        payload->depth++;
        return 0;
    }
    recover = recover || is_silent(payload);
    rc = brood_guard_wait(segment, &payload->word, me, recover, deadline_ns);
    switch (rc) {
    case BROOD_EOWNERDEAD:
        if (!recover) {
            return say_owner_died(lock);
        }
        break;
    case BROOD_EDEADLK:
        return brood_fail(rc, "acquire a lock: this thread has it already");
    case BROOD_ETIMEDOUT:
        return brood_fail(rc, "acquire a lock: somebody else has it");
    default:
        break;
    }
    payload->depth = 1;
    brood_thread_holds(me, 1);
    return 0;
}

static int acquire(brood_lock *lock, bool recover, int64_t timeout_ms)
{
    lock_payload *payload;
    uint32_t me;
    int rc = begin(lock, &me);

    if (rc) {
        return rc;
    }
    if (timeout_ms < BROOD_FOREVER) { /* also where nobody has it */
        return acquire_slowly(lock, me, recover, timeout_ms);
    }
    payload = payload_of(lock);
    if (!brood_guard_try(&payload->word, me)) {
        return acquire_slowly(lock, me, recover, timeout_ms);
    }
    payload->depth = 1;
    brood_thread_holds(me, 1);
    return 0;
}

int brood_lock_acquire(brood_lock *lock, int64_t timeout_ms)
{
    return acquire(lock, false, timeout_ms);
}

int brood_lock_recover(brood_lock *lock, int64_t timeout_ms)
{
    return acquire(lock, true, timeout_ms);
}

static int fail_not_owner(const brood_lock *lock, const char *what)
{
    return brood_fail(BROOD_ENOTOWNER, "%s: %s", what,
                      lock_is_busy(lock->shared.cell) ? "another thread or process has the lock"
                                                      : "nobody has the lock");
}

int brood_lock_release(brood_lock *lock)
{
    lock_payload *payload;
    uint32_t me;
    int rc = begin(lock, &me);

    if (rc) {
        return rc;
    }
    payload = payload_of(lock);
    if (!is_mine(payload, me)) {
        return fail_not_owner(lock, "release a lock");
    }
    if (--payload->depth == 0) {
        brood_thread_holds(me, -1);
        brood_guard_unlock(lock->shared.segment, &payload->word);
    }
    return 0;
}

bool brood_lock_locked(const brood_lock *lock)
{
    return lock != NULL && lock_is_busy(lock->shared.cell);
}

/* ---- for conditions ---- */

int brood_lock_check_owner(const brood_lock *lock, uint32_t *me, const char *what)
{
    const int rc = begin(lock, me);

    if (rc) {
        return rc;
    }
    return is_mine(payload_of(lock), *me) ? 0 : fail_not_owner(lock, what);
}

uint32_t brood_lock_suspend(brood_lock *lock, uint32_t me)
{
    lock_payload *payload = payload_of(lock);
    const uint32_t depth = payload->depth;

    payload->depth = 0;
    brood_thread_holds(me, -1);
    brood_guard_unlock(lock->shared.segment, &payload->word);
    return depth;
}

int brood_lock_resume(brood_lock *lock, uint32_t me, uint32_t depth)
{
    lock_payload *payload = payload_of(lock);
    const bool recover = is_silent(payload);
    const int rc = brood_guard_try(&payload->word, me)
                       ? 0
                       : brood_guard_wait(lock->shared.segment, &payload->word, me, recover,
                                          BROOD_DEADLINE_NEVER);

    if (rc && !(rc == BROOD_EOWNERDEAD && recover)) {
        return say_owner_died(lock);
    }
    payload->depth = depth;
    brood_thread_holds(me, 1);
    return 0;
}

bool brood_lock_is_abandoned(brood_lock *lock)
{
    lock_payload *payload = payload_of(lock);
    const uint32_t word = brood_word_load(&payload->word);

    if (is_silent(payload) || (word & BROOD_OWNER) == 0) {
        return false;
    }
    return (word & BROOD_DIED) != 0 ||
           (brood_segment_word_is_dead(lock->shared.segment, word) &&
            brood_guard_bury(lock->shared.segment, &payload->word, word));
}
