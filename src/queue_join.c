/* Joinable queues: what was taken is done some day, or whoever has taken it is no more.
 *
 * How much is not done is the difference of two words. Whose it is, each participant's row counts; a
 * process can die between the two, but then it is not counted any more: what no living row accounts
 * for will not get done. */
#include "deadline.h"
#include "error.h"
#include "queue.h"

static int begin(brood_queue *queue, uint32_t *me)
{
    const int rc = brood_queue_begin(queue, me);

    if (rc == 0 && !queue->joinable) {
        return brood_fail(BROOD_EINVAL, "the queue is not joinable: see brood_queue_options");
    }
    return rc;
}

/* ---- with get_lock held ---- */

/* Taken and not done. */
static uint32_t pending(const brood_queue *queue)
{
    const brood_queue_shared *shared = queue->shared;

    return brood_queue_count(brood_word64_load_relaxed(&shared->get.head)) -
           brood_word_load_relaxed(&shared->get.done);
}

/* Put and not done; what a shutdown has stopped will not be taken. */
static uint32_t unfinished(const brood_queue *queue)
{
    const brood_queue_shared *shared = queue->shared;

    if (brood_word_load(&shared->shutdown) == BROOD_QUEUE_STOPPED) {
        return pending(queue);
    }
    return brood_queue_count(brood_word64_load(&shared->put.tail)) -
           brood_word_load_relaxed(&shared->get.done);
}

/* One of those that account for something and live, 0 if there is none; `*lost` is what none of them
 * accounts for. */
static uint32_t find_row(const brood_queue *queue, uint32_t *lost, uint32_t *dead)
{
    const uint32_t *taken = queue->shared->taken;
    uint32_t left = pending(queue);
    uint32_t living = 0;

    *dead = 0;
    for (uint32_t row = 1; row < BROOD_SEGMENT_ROWS; row++) {
        if (taken[row] == 0) {
            continue;
        }
        if (brood_segment_runs(queue->segment, row)) {
            living = row;
            left -= taken[row] < left ? taken[row] : left;
        } else {
            *dead = row;
        }
    }
    *lost = left;
    return living;
}

/* One less for a row that is not ours, together with one more that is done. */
static void settle_for(brood_queue *queue, uint32_t row)
{
    brood_queue_get_side *get = &queue->shared->get;
    uint32_t *count = &queue->shared->taken[row];

    get->settled_done = brood_word_load_relaxed(&get->done) + 1;
    get->settled_count = *count - 1;
    brood_word_store(&get->settled_row, row);
    brood_word_store(&get->done, get->settled_done);
    *count -= 1;
    brood_word_store(&get->settled_row, 0);
}

static int done_locked(brood_queue *queue, uint32_t me)
{
    brood_queue_get_side *get = &queue->shared->get;
    uint32_t *own = &queue->shared->taken[(me & BROOD_OWNER) >> BROOD_ROW_SHIFT];
    uint32_t living = 0;
    uint32_t lost = 0;
    uint32_t dead;

    if (pending(queue) == 0) {
        return brood_fail(BROOD_EINVAL, "task_done: everything that was taken is done already");
    }
    if (*own == 0) {
        living = find_row(queue, &lost, &dead);
    }
    if (*own == 0 && lost == 0 && living != 0) {
        settle_for(queue, living);
        return 0;
    }
    *own -= *own > 0;
    brood_word_store(&get->done, brood_word_load_relaxed(&get->done) + 1);
    return 0;
}

int brood_queue_task_done(brood_queue *queue)
{
    uint32_t count = 0;
    uint32_t me;
    int rc = begin(queue, &me);

    if (rc == 0) {
        rc = brood_queue_lock_get(queue, me, BROOD_DEADLINE_PASSED);
    }
    if (rc) {
        return rc;
    }
    rc = done_locked(queue, me);
    if (rc == 0 && unfinished(queue) == 0) {
        count = brood_queue_owes(&queue->shared->get.idle, UINT32_MAX);
    }
    brood_queue_unlock_get(queue);
    brood_queue_wake(queue, &queue->shared->get.idle, count);
    return rc;
}

/* ---- join ---- */

static int say_lost(const brood_queue *queue, uint32_t lost, int64_t pid)
{
    const char *verb = lost == 1 ? "message was" : "messages were";

    (void)queue;
    if (pid == 0) {
        return brood_fail(BROOD_EPEER,
                          "join: %u %s taken by a process that has ended and was not done with it",
                          (unsigned)lost, verb);
    }
    return brood_fail_of_process(BROOD_EPEER, pid,
                                 "join: %u %s taken and not done; process %lld has ended with such",
                                 (unsigned)lost, verb, (long long)pid);
}

/* 0: all is done. BROOD_ERUNNING (without words): not yet; `*living` is one who has something to do. */
static int look(brood_queue *queue, uint32_t me, int64_t deadline_ns, uint32_t *living)
{
    uint32_t lost = 0;
    uint32_t dead = 0;
    int64_t pid = 0;
    int rc = brood_queue_lock_get(queue, me, deadline_ns);

    if (rc) {
        return rc;
    }
    rc = unfinished(queue) == 0 ? 0 : BROOD_ERUNNING;
    if (rc) {
        *living = find_row(queue, &lost, &dead);
        pid = dead != 0 ? brood_segment_row_pid(queue->segment, dead) : 0;
    }
    brood_queue_unlock_get(queue);
    return lost > 0 ? say_lost(queue, lost, pid) : rc;
}

int brood_queue_join(brood_queue *queue, int64_t timeout_ms)
{
    brood_queue_wait wait = {queue, 0, 0, NULL, BROOD_QUEUE_GET_SIDE, 0, NULL};
    uint32_t living = 0;
    int rc = begin(queue, &wait.me);

    if (rc == 0) {
        rc = brood_deadline(&wait.deadline_ns, timeout_ms);
    }
    if (rc) {
        return rc;
    }
    rc = look(queue, wait.me, wait.deadline_ns, &living);
    while (rc == BROOD_ERUNNING) {
        if (brood_deadline_passed(wait.deadline_ns)) {
            rc = brood_fail(BROOD_ETIMEDOUT, "join: timed out, not everything is done");
            break;
        }
        rc = brood_queue_wait_at(&wait, &queue->shared->get.idle, BROOD_QUEUE_GET_SIDE, living);
        rc = rc ? rc : look(queue, wait.me, wait.deadline_ns, &living);
    }
    brood_queue_wait_end(&wait, true);
    return rc;
}
